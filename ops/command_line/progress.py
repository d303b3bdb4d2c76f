"""How far a running operation is: a line for each finished step, or the resources so far."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from ops.command_line.terminal import DETAIL, DONE, STYLES, print_line
from ops.review.graph import OUTSIDE_STAGES, ComponentIndex, Stages
from ops.review.outcome import Outcome
from ops.review.steps import State, Step, short_type
from ops.review.summary import physical_name
from ops.sanitize import printable

QUIET: Final = 1.0
"""Seconds after which an operation that prints nothing else shows how far it is."""

INTERVAL: Final = 3.0
"""Seconds between two lines of a log, which are printed while the number of resources grows."""

SILENCE: Final = 30.0
"""Seconds after which a log gets a line although the number of resources is the same."""


@dataclass(slots=True)
class Progress:
    """A line for each change that a running operation has finished: ``[ 12/152] 1 created ...``.

    Each line has the number of its stage, because stages overlap if resources of a later one depend
    on nothing in an earlier one. The headings are in the order of the stages all the same: a stage
    begins and ends no earlier than those before it.
    """

    console: Console
    plan: Outcome
    stages: Stages = field(init=False)
    _headings: list[str] = field(init=False)
    _endings: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.stages = Stages(self.plan)
        destroys = self.plan.operation == "destroy"
        self._headings = sorted(self.stages.planned, reverse=destroys)
        # The group outside of the stages ends with the stack, and so with the operation.
        self._endings = [stage for stage in self._headings if stage != OUTSIDE_STAGES]
        total = self.stages.total or "no"
        begins = f"Carrying out {total} change{'' if total == 1 else 's'}"
        if not destroys:
            begins += "; the program runs again first"
        self._line(Text())
        self._line(Text(begins, "bold"))

    def registered(self, component: State) -> None:
        """Print nothing: the program registers all components at the beginning."""

    def __call__(self, step: Step, seconds: float) -> None:
        stage = self.stages.of(step.urn)
        counted = self.stages.finish(step)
        if self.stages.begun(stage):
            self._begin(stage)
        if counted:
            self._step(step, stage, seconds)
        while self._endings and self.stages.finished(self._endings[0]):
            ended = self._endings.pop(0)
            self._begin(ended)
            self._line(Text(f"-- {ended}: finished", "bold cyan"))

    def waiting(self, running: Mapping[str, float]) -> None:
        """A line while no step finishes: the step that has been running longest."""
        waited_for = "the engine"
        if running:
            urn, seconds = max(running.items(), key=lambda item: item[1])
            waited_for = f"{urn.rpartition('::')[2]} ({seconds:.0f}s)"
        more = f" and {len(running) - 1} more" if len(running) > 1 else ""
        self._line(Text(f"   still waiting for {waited_for}{more}", "dim"))

    def _begin(self, stage: str) -> None:
        """Print the headings up to that of ``stage``."""
        while stage in self._headings:
            heading = self._headings.pop(0)
            to_do = self.stages.planned[heading]
            self._line(Text(f"-- {heading}: {to_do} to do", "bold cyan"))

    def _step(self, step: Step, stage: str, seconds: float) -> None:
        total = self.stages.total
        self._line(
            Text(f"[{self.stages.done:>{len(str(total))}}/{total}] {stage.partition(' ')[0]} ")
            + Text(f"{DONE.get(step.op, step.op.value):<8}", STYLES.get(step.op, ""))
            + Text(f" {seconds:5.1f}s", "dim")
            + Text(f" {short_type(step.type)} {physical_name(step.state)}")
        )

    def _line(self, line: Text) -> None:
        print_line(self.console, line, indent=DETAIL)


class ResourceCount:
    """Counts the resources of an operation that prints nothing before its end, as of a preview."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._began = time.monotonic()
        self._components: dict[str, State] = {}
        self._latest: State | None = None
        self.resources = 0

    def registered(self, component: State) -> None:
        self._components[component.urn] = component

    def __call__(self, step: Step, seconds: float) -> None:
        self.resources += step.counts
        if step.state.custom:
            self._latest = step.state

    def waiting(self, running: Mapping[str, float]) -> None:
        """Do nothing: the text is shown at intervals of its own."""

    def text(self) -> str:
        """How far the operation is: the resources so far, and the stage of the latest one."""
        so_far = f"{self.resources} resource{'' if self.resources == 1 else 's'} so far"
        stage = self._stage()
        return printable(
            f"{self._title}: {so_far if self.resources else 'no resources yet'}"
            f"{f', stage {stage}' if stage else ''} ({time.monotonic() - self._began:.0f}s)"
        )

    def _stage(self) -> str:
        """The stage of the latest resource other than a component: those are registered first."""
        latest = self._latest
        if latest is None:
            return ""
        components = ComponentIndex([*self._components.values(), latest])
        stage = components.of(latest.urn).stage
        return "" if stage == OUTSIDE_STAGES else stage


@contextlib.contextmanager
def counted(title: str) -> Iterator[ResourceCount]:
    """Count the resources of an operation, and show the number on standard error.

    A terminal shows a line that is removed when the operation ends; a log gets lines of its own.
    Neither shows anything about an operation that takes less than a second.
    """
    count = ResourceCount(title)
    over = threading.Event()
    console = Console(file=sys.stderr, highlight=False)
    show = _show if console.is_interactive and _in_foreground() else _log
    shown = threading.Thread(target=show, args=(count, console, over))
    shown.start()
    try:
        yield count
    finally:
        over.set()
        shown.join()


def _in_foreground() -> bool:
    """Whether standard error is a terminal that this process has for itself.

    The previews of ``report`` and ``check`` share it, each in its own session.
    """
    try:
        return os.tcgetpgrp(sys.stderr.fileno()) == os.getpgrp()
    except OSError:
        return False


def _show(count: ResourceCount, console: Console, over: threading.Event) -> None:
    # Standard output stays as it is: it may lead to a file.
    live = Live(
        get_renderable=lambda: Text(count.text()),
        console=console,
        transient=True,
        redirect_stdout=False,
    )
    if not over.wait(QUIET):
        with live:
            over.wait()


def _log(count: ResourceCount, console: Console, over: threading.Event) -> None:
    printed, last = -1, 0.0
    pause = QUIET
    while not over.wait(pause):
        pause = INTERVAL
        now = time.monotonic()
        if count.resources != printed or now - last >= SILENCE:
            printed, last = count.resources, now
            print_line(console, Text(count.text()))

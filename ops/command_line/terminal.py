"""An operation as text: deletions and replacements first, then by stage and component, then totals.

ASCII signs only, so that it looks the same in a terminal, a log and a review.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from pulumi.automation import OpType
from rich.console import Console
from rich.text import Text

from ops.review.differences import differences
from ops.review.graph import ComponentIndex, ComponentRef, StageEnd, Stages
from ops.review.outcome import Diagnostic, Outcome
from ops.review.rendering import SIGNS, full_text, value_text
from ops.review.steps import Change, Step, short_type
from ops.review.summary import physical_name, summary_fields
from ops.sanitize import printable

STYLES: Final[Mapping[OpType, str]] = {
    OpType.CREATE: "green",
    OpType.UPDATE: "yellow",
    OpType.DELETE: "red",
    OpType.REPLACE: "bold red",
}
# Past tense for an operation, future for a preview: the engine's own terms.
DONE: Final[Mapping[OpType, str]] = {
    OpType.CREATE: "created",
    OpType.UPDATE: "updated",
    OpType.DELETE: "deleted",
    OpType.REPLACE: "replaced",
    OpType.READ: "read",
    OpType.IMPORT: "imported",
}
PLANNED: Final[Mapping[OpType, str]] = {
    OpType.CREATE: "to create",
    OpType.UPDATE: "to update",
    OpType.DELETE: "to delete",
    OpType.REPLACE: "to replace",
    OpType.READ: "to read",
    OpType.IMPORT: "to import",
}
DESTRUCTIVE: Final = (OpType.DELETE, OpType.REPLACE)
VALUE_WIDTH: Final = 60
TYPE_COLUMN: Final = 32
MANY: Final = 4
"""This many new resources that differ only in their names share a row."""
NO_BREAK: Final = "\N{NO-BREAK SPACE}"


@dataclass(slots=True)
class Printer:
    """Prints operations to a console."""

    console: Console

    def title(self, words: str) -> None:
        """The first line of an operation."""
        self._line(words, style="bold")

    def intentions(self, lines: Iterable[str]) -> None:
        """Steps that are going to be done besides an operation."""
        for line in lines:
            self._line(f"  {line}")

    def steps(self, outcome: Outcome) -> None:
        """All changes: replacements and deletions first, then everything in the runbook's order."""
        components = ComponentIndex(step.state for step in outcome.steps)
        worst = [step for step in outcome.changes if step.op in DESTRUCTIVE]
        if worst and outcome.operation != "destroy":
            self._line()
            self._line("Replaced or deleted", style="bold red")
            for step in sorted(worst, key=lambda step: (step.op != OpType.REPLACE, step.urn)):
                self._step(step, note=_where(components.of(step.urn)))
        rest = [
            step
            for step in outcome.changes
            if outcome.operation == "destroy" or step.op not in DESTRUCTIVE
        ]
        in_order = sorted(rest, key=lambda step: _place(components, step))
        for stage, in_stage in groupby(in_order, key=lambda step: components.of(step.urn).stage):
            self._line()
            self._line(stage, style="bold cyan")
            for component, in_component in groupby(
                in_stage, key=lambda step: components.of(step.urn)
            ):
                self._component(component, list(in_component))

    def summary(self, outcome: Outcome, *, planned: bool) -> None:
        """The engine's totals and the duration."""
        words = PLANNED if planned else DONE
        if outcome.summary:  # an engine that was killed reports none
            self._line()
            self._line("Resources:", style="bold")
        for op in words:
            count = outcome.summary.get(op.value, 0)
            if count:
                self._line(f"    {SIGNS[op]:<2}{count} {words[op]}", style=STYLES.get(op, ""))
        unchanged = outcome.summary.get(OpType.SAME.value, 0)
        changed = sum(outcome.summary.values()) - unchanged
        if unchanged:
            changes = f"{changed} change{'s' if changed != 1 else ''}. " if changed else ""
            self._line(f"    {changes}{unchanged} unchanged")
        self._line()
        self._line(f"Duration: {outcome.duration_seconds:.0f}s")

    def verdict(self, lines: Iterable[str], *, passed: bool) -> None:
        """The verdict of the policy pack and the guard."""
        self._line()
        self._line("Policies:", style="bold")
        for line in lines:
            self._line(f"    {line}", style="" if passed else "red")

    def stages(self, ends: Iterable[StageEnd]) -> None:
        """The progress of each stage in an operation that failed."""
        self._line()
        self._line("Stages:", style="bold")
        for end in ends:
            style = {"finished": "green", "failed": "red"}.get(end.state, "yellow")
            self._line(f"    {end.state:<10} {end.stage}  {end.done} of {end.planned}", style=style)

    def outputs(self, outcome: Outcome) -> None:
        """The stack's outputs."""
        if outcome.outputs:
            self._line()
            self._line("Outputs:", style="bold")
            width = max(map(len, outcome.outputs))
            for key, value in sorted(outcome.outputs.items()):
                self._line(f"    {key:<{width}}  {full_text(value)}")

    def diagnostics(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Errors and warnings of the engine and the providers, each with its resource."""
        for diagnostic in diagnostics:
            style = "red" if diagnostic.severity == "error" else "yellow"
            self._line()
            if diagnostic.urn:
                kind, name = diagnostic.urn.split("::")[-2:]
                label = f"{short_type(kind.rpartition('$')[2])}  {name}"
                self._line(f"{diagnostic.severity}: {label}", style=style)
            else:
                self._line(f"{diagnostic.severity}:", style=style)
            for line in diagnostic.message.splitlines():
                self._line(f"    {line}")

    def _component(self, component: ComponentRef, steps: list[Step]) -> None:
        if component.urn:
            own = steps[0] if steps[0].urn == component.urn else None
            sign = SIGNS[own.op] if own else " "
            kind = component.urn.split("::")[-2].rpartition("$")[2]
            line = Text(f"  {sign:<2} ", STYLES.get(own.op, "") if own else "")
            self._print(line + Text(component.name, "bold") + Text(f"  {kind}", "dim"))
            steps = steps[1:] if own else steps
        for (type_, figures_), alike in groupby(steps, key=_likeness):
            group = list(alike)
            if figures_ is not None and len(group) >= MANY:
                self._row(OpType.CREATE, type_, f"{len(group)} of them", figures_)
                self._wrapped([physical_name(step.state) for step in group])
            else:
                for step in group:
                    self._step(step)

    def _step(self, step: Step, note: str = "") -> None:
        self._row(step.op, step.type, physical_name(step.state), note or _figures(step))
        for change in differences(step):
            self._change(change)

    def _change(self, change: Change) -> None:
        forced = "  forces the replacement" if change.replaces else ""
        self._print(
            Text(f"         {change.path}  ")
            + Text(
                f"{value_text(change.old, VALUE_WIDTH)} -> {value_text(change.new, VALUE_WIDTH)}",
                "yellow",
            )
            + Text(forced, "red")
        )

    def _row(self, op: OpType, type_: str, name: str, remark: str) -> None:
        line = Text(f"    {SIGNS.get(op, '?'):<2} ", STYLES.get(op, ""))
        line += Text(f"{short_type(type_):<{TYPE_COLUMN}} {name}")
        fits = len(line) + 2 + len(remark) <= self.console.width
        self._print(line + Text(f"  {remark}" if fits and remark else "", "dim"))
        if not fits:
            self._wrapped(remark.split(", "))

    def _wrapped(self, words: list[str]) -> None:
        """Fill lines with whole words; a word may contain spaces, where no line breaks."""
        indent = " " * 9
        for line in textwrap.wrap(
            ", ".join(word.replace(" ", NO_BREAK) for word in words),
            max(self.console.width, 40),
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ):
            self._line(line.replace(NO_BREAK, " "), style="dim")

    def _line(self, words: str = "", *, style: str = "") -> None:
        self._print(Text(words, style))

    def _print(self, line: Text) -> None:
        _print(self.console, line)


@dataclass(slots=True)
class Progress:
    """A line for every finished step of a running operation: ``[ 12/152] 1 created ...``.

    A stage starts with its first step and ends with its last. Stages overlap if resources of a
    later stage depend on nothing in an earlier one; each line has the number of its stage.
    """

    console: Console
    plan: Outcome
    stages: Stages = field(init=False)
    _done: int = 0
    _total: int = field(init=False)

    def __post_init__(self) -> None:
        self.stages = Stages(self.plan)
        self._total = len(self.plan.changes)

    def __call__(self, step: Step, seconds: float) -> None:
        stage = self.stages.of(step.urn)
        first = not self.stages.begun(stage)
        last = self.stages.finish(step)
        if first and self.stages.begun(stage):
            planned = self.stages.planned(stage)
            self._line(Text(f"-- {stage}: started, {planned} to do", "bold cyan"))
        if step.op is not OpType.SAME:
            self._step(step, stage, seconds)
        if last:
            self._line(Text(f"-- {stage}: finished", "bold cyan"))

    def waiting(self, running: Mapping[str, float]) -> None:
        """A line while no step finishes: the step that has been running longest."""
        urn, seconds = max(running.items(), key=lambda item: item[1], default=("", 0.0))
        more = f" and {len(running) - 1} more" if len(running) > 1 else ""
        name = urn.rpartition("::")[2] or "the engine"
        self._line(Text(f"   still waiting for {name} ({seconds:.0f}s){more}", "dim"))

    def _step(self, step: Step, stage: str, seconds: float) -> None:
        self._done += 1
        width = len(str(self._total))
        self._line(
            Text(f"[{self._done:>{width}}/{self._total}] {stage.partition(' ')[0]} ", "dim")
            + Text(f"{DONE.get(step.op, step.op.value):<8}", STYLES.get(step.op, ""))
            + Text(f" {short_type(step.type):<{TYPE_COLUMN}} {physical_name(step.state)}")
            + Text(f" ({seconds:.1f}s)", "dim")
        )

    def _line(self, line: Text) -> None:
        _print(self.console, line)


def _print(console: Console, line: Text) -> None:
    line.plain = printable(line.plain, keep=True)
    # Soft wrap: a terminal may fold a long name, but no line break may enter a copied one.
    console.print(line, soft_wrap=True)


def _place(components: ComponentIndex, step: Step) -> tuple[ComponentRef, bool, str, str, str]:
    """Sorts steps by room, the component first, and like beside like."""
    component = components.of(step.urn)
    return (
        component,
        step.urn != component.urn,
        step.type,
        _figures(step),
        physical_name(step.state),
    )


def _likeness(step: Step) -> tuple[str, str | None]:
    """What steps share that may share a row; only creations are that dull."""
    return step.type, _figures(step) if step.op is OpType.CREATE else None


def _figures(step: Step) -> str:
    """The figures of a new resource, in one line."""
    if step.op is not OpType.CREATE:
        return ""
    return ", ".join(
        f"{label} {value_text(value, VALUE_WIDTH)}" for label, value in summary_fields(step.state)
    )


def _where(component: ComponentRef) -> str:
    return f"({component.stage}{', ' + component.name if component.name else ''})"

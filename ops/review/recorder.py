"""Records an operation from the engine's events, and reports its progress to a watch."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from pulumi.automation import EngineEvent, OpType
from pulumi.automation.events import DiagnosticEvent, StepEventMetadata

from ops.review.outcome import Diagnostic, Violation
from ops.review.steps import REPLACEMENT_STEPS, State, Step, totals
from resource_types.estate import STACK

# An engine without the official language host warns about the one that it finds on PATH.
_LANGUAGE_HOST: Final = re.compile(r"using pulumi-language-python from \$PATH")

# The engine repeats that an operation failed after it reported the cause.
_ECHO: Final = re.compile(r"(preview|update|refresh|destroy) failed$")

_UNHANDLED: Final = "an unhandled error occurred: "
"""How the engine begins the message about a program that did not report why it failed."""


class Watch(Protocol):
    """Follows the progress of an operation."""

    def registered(self, component: State, /) -> None:
        """The program has registered ``component``; its resources follow."""

    def __call__(self, step: Step, seconds: float, /) -> None:
        """``step`` has finished, and took ``seconds``."""

    def waiting(self, running: Mapping[str, float], /) -> None:
        """No step has finished for a while; ``running`` maps each URN in progress to the seconds
        since it started."""


SILENCE: Final = 30.0
"""Seconds without a finished step after which a watch is notified.

Creating a database takes about 15 minutes, and some CI systems end a job that prints nothing for
ten minutes."""


def unwatched(_title: str) -> contextlib.AbstractContextManager[Watch | None]:
    """No watch for an operation."""
    return contextlib.nullcontext()


@dataclass(slots=True)
class Recorder:
    """Records one operation from the engine's events."""

    watch: Watch | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    violations: dict[Violation, None] = field(default_factory=dict)
    packs: tuple[str, ...] = ()
    summary: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    _steps: dict[tuple[str, OpType], Step] = field(default_factory=dict)
    _replaced: dict[str, Step] = field(default_factory=dict)
    _started: dict[str, float] = field(default_factory=dict)
    _running: dict[str, float] = field(default_factory=dict)
    _last_report: float = field(default_factory=time.monotonic)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Notify the watch while the operation runs and no step finishes."""
        if self.watch is None:
            yield
            return
        over = threading.Event()
        beat = threading.Thread(target=self._beat, args=(self.watch, over))
        beat.start()
        try:
            yield
        finally:
            over.set()
            beat.join()

    def _beat(self, watch: Watch, over: threading.Event) -> None:
        while not over.wait(max(0.0, self._last_report + SILENCE - time.monotonic())):
            now = time.monotonic()
            if now - self._last_report >= SILENCE:
                self._last_report = now
                watch.waiting({urn: now - began for urn, began in [*self._running.items()]})

    @property
    def steps(self) -> tuple[Step, ...]:
        """The finished steps, in the order in which each first finished."""
        return tuple(self._steps.values())

    @property
    def reported_cause(self) -> bool:
        """Whether an event reported why the operation failed."""
        return any(item.severity == "error" for item in self.diagnostics) or any(
            violation.level == "mandatory" for violation in self.violations
        )

    def __call__(self, event: EngineEvent) -> None:
        if event.resource_pre_event:
            metadata = event.resource_pre_event.metadata
            urn = metadata.urn
            self._running[urn] = self._started.setdefault(urn, time.monotonic())
            if self.watch and metadata.new and not metadata.new.custom:
                self.watch.registered(State.read(metadata.new))
        elif event.res_outputs_event:
            self._running.pop(event.res_outputs_event.metadata.urn, None)
            self._finish(event.res_outputs_event.metadata)
        elif event.res_op_failed_event:
            self._running.pop(event.res_op_failed_event.metadata.urn, None)
        elif event.diagnostic_event:
            self._diagnose(event.diagnostic_event)
        elif event.policy_event:
            self.violations[Violation.read(event.policy_event)] = None
        elif event.summary_event:
            # The engine appends the pack's source to its name: ``pull-estate|local|/...``.
            packs = event.summary_event.policy_packs
            self.packs = tuple(name.partition("|")[0] for name in packs)
            self._keep_remaining_deletions()
            # Not the engine's own totals: some of the steps are kept as another operation.
            self.summary = totals(self.steps)

    def _diagnose(self, event: DiagnosticEvent) -> None:
        text = event.message.strip()
        message = text.removeprefix(_UNHANDLED)
        repeated = message != text and any(item.message == message for item in self.diagnostics)
        relevant = event.severity in ("warning", "error") and not _LANGUAGE_HOST.match(message)
        if relevant and not repeated and not _ECHO.match(message):
            self.diagnostics.append(
                Diagnostic(severity=event.severity, message=message, urn=event.urn or "")
            )

    def _finish(self, metadata: StepEventMetadata) -> None:
        step = Step.read(metadata)
        if step.op is OpType.DELETE_REPLACED:
            self._replaced[step.urn] = step
        elif step.op not in REPLACEMENT_STEPS:
            self._keep(step)

    def _keep(self, step: Step) -> None:
        key = (step.urn, step.op)
        seen = key in self._steps  # a component registers its outputs after its creation
        self._steps[key] = step
        self.diagnostics += [
            Diagnostic(
                severity="warning",
                message=f"{change.path}: {change.new!r} has no effect; it stays {change.old!r}",
                urn=step.urn,
                edit_without_effect=True,
            )
            for change in step.without_effect()
            if not seen
        ]
        if step.type == STACK and step.new:
            self.outputs = dict(step.new.outputs)
        if self.watch and not seen:
            began = self._started.get(step.urn, time.monotonic())
            self._last_report = time.monotonic()
            self.watch(step, self._last_report - began)

    def _keep_remaining_deletions(self) -> None:
        """Keep the deletions that complete the interrupted replacement of an earlier operation.

        The engine reports them as ``delete-replaced`` too, and leaves them out of its count.
        """
        replaced = {
            step.old.urn  # the old URN, because an alias may have renamed it
            for step in self.steps
            if step.op is OpType.REPLACE and step.old
        }
        for urn, step in self._replaced.items():
            if urn not in replaced:
                self._keep(replace(step, op=OpType.DELETE))

"""How far an operation came, by the runbook's stages.

The engine keeps the order: what a later stage needs is an edge in the graph, and once something
fails, nothing that has not begun is begun. What is told here is where that left each stage.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from ops.review.components import ComponentIndex
from ops.review.events import Diagnostic, Outcome, Step

State = Literal["finished", "failed", "stopped", "not begun"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEnd:
    """Where a stage was when the operation ended.

    Attributes:
        done: how many of its ``planned`` resources were finished.
        state: ``stopped`` is a stage that had begun when something failed in another one.
    """

    stage: str
    planned: int
    done: int
    state: State

    def to_dict(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "planned": self.planned,
            "done": self.done,
            "state": self.state,
        }


@dataclass(slots=True)
class Stages:
    """Counts the resources of each stage that a plan changes, as they are finished.

    Components do not count: nothing is made for one, and all are there before anything else is.
    """

    plan: Outcome
    _rooms: ComponentIndex = field(init=False)
    _planned: Counter[str] = field(init=False)
    _left: Counter[str] = field(init=False)
    _open: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._rooms = ComponentIndex(step.state for step in self.plan.steps)
        self._open = {
            step.urn: self.of(step.urn) for step in self.plan.changes if step.state.custom
        }
        self._planned = Counter(self._open.values())
        self._left = self._planned.copy()

    def of(self, urn: str) -> str:
        """The stage of a resource."""
        return self._rooms.of(urn).stage

    def planned(self, stage: str) -> int:
        """How many resources the plan changes in ``stage``."""
        return self._planned[stage]

    def begun(self, stage: str) -> bool:
        """Whether something of ``stage`` is finished."""
        return self._left[stage] < self._planned[stage]

    def finish(self, step: Step) -> bool:
        """Take a finished step in; whether it was the last of its stage."""
        stage = self._open.pop(step.urn, None)
        if stage is None:
            return False
        self._left[stage] -= 1
        return self._left[stage] == 0

    def ends(self, diagnostics: Iterable[Diagnostic]) -> list[StageEnd]:
        """Where each stage is, after an operation that ended with ``diagnostics``."""
        failed = {self.of(one.urn) for one in diagnostics if one.severity == "error" and one.urn}
        found = []
        for stage, planned in sorted(self._planned.items()):
            done = planned - self._left[stage]
            state: State
            if done == planned:
                state = "finished"
            elif stage in failed:
                state = "failed"
            else:
                state = "stopped" if done else "not begun"
            found.append(StageEnd(stage=stage, planned=planned, done=done, state=state))
        return found

"""Where a resource belongs: its component, and that component's stage of the runbook's order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ops.review.events import STACK_TYPE, State

OUTSIDE_STAGES: Final = "0 providers and stack"
"""The group of what stands outside of the runbook's five stages."""


@dataclass(frozen=True, slots=True, order=True)
class ComponentRef:
    """A component's place. Rooms sort in the runbook's order.

    Attributes:
        stage: the runbook's word for it, with its number in front.
        urn: URN of the component; empty for a resource without one.
        name: logical name of the component.
    """

    stage: str
    name: str
    urn: str

    @property
    def number(self) -> str:
        """The stage's number alone."""
        return self.stage.partition(" ")[0]


class ComponentIndex:
    """The rooms of one stack's resources, told from the parents and their ``stage`` inputs."""

    def __init__(self, states: Iterable[State]) -> None:
        self._states: dict[str, State] = {state.urn: state for state in states}
        self._parents = {state.parent for state in self._states.values()}

    def of(self, urn: str) -> ComponentRef:
        """The room of a resource. A component with children, or without a parent, is a room."""
        stage, component = OUTSIDE_STAGES, ""
        state = self._states.get(urn)
        while state is not None and state.type != STACK_TYPE:
            if not component and self._is_component(state):
                component = state.urn
            if stage == OUTSIDE_STAGES and "stage" in state.inputs and not state.custom:
                stage = str(state.inputs["stage"])
            state = self._states.get(state.parent)
        return ComponentRef(stage=stage, name=component.rpartition("::")[2], urn=component)

    def _is_component(self, state: State) -> bool:
        parent = self._states.get(state.parent)
        stands_alone = parent is None or parent.type == STACK_TYPE
        return not state.custom and (stands_alone or state.urn in self._parents)

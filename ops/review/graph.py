"""A stack by components and stages: where each resource belongs, the graph, and the progress.

A component's ``stage`` input names its step in the runbook's order. A preview's events hold no
dependencies; the plan file that the engine writes beside them does.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from pulumi.automation import OpType

from ops.engine.stack import OpenStack
from ops.errors import Refused
from ops.review.outcome import Diagnostic, Outcome
from ops.review.steps import State, Step
from ops.review.summary import is_summarized, physical_name
from ops.review.traversal import reachable
from resource_types import RESOURCE_TYPES
from resource_types.estate import STACK

OUTSIDE_STAGES: Final = "0 providers and stack"
"""The group of everything outside of the runbook's five stages."""


@dataclass(frozen=True, slots=True, order=True)
class ComponentRef:
    """The component that a resource belongs to. References sort in the runbook's order.

    Attributes:
        stage: the number and name of its stage, such as ``3 api``.
        urn: URN of the component; empty for a resource outside of all components.
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
    """The component of each resource of a stack, from its parents and their ``stage`` inputs."""

    def __init__(self, states: Iterable[State]) -> None:
        self._states: dict[str, State] = {state.urn: state for state in states}
        self._parents = {state.parent for state in self._states.values()}

    def of(self, urn: str) -> ComponentRef:
        """The component of a resource: the nearest one that has children or has no parent."""
        stage, component = OUTSIDE_STAGES, ""
        state = self._states.get(urn)
        while state is not None and state.type != STACK:
            if not component and self._is_component(state):
                component = state.urn
            if stage == OUTSIDE_STAGES and "stage" in state.inputs and not state.custom:
                stage = str(state.inputs["stage"])
            state = self._states.get(state.parent)
        return ComponentRef(stage=stage, name=component.rpartition("::")[2], urn=component)

    def _is_component(self, state: State) -> bool:
        parent = self._states.get(state.parent)
        at_the_top = parent is None or parent.type == STACK
        return not state.custom and (at_the_top or state.urn in self._parents)


# -- the graph -----------------------------------------------------------------------------------

Dependencies = Mapping[str, Mapping[str, bool]]
"""For each URN, the URNs that come before it, and whether it uses a value of them. Otherwise only
``depends_on`` puts them in this order."""

MAX_LINES: Final = 4
"""So many lines list what a component holds; a last one counts the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A resource or a component in the graph."""

    state: State
    component: ComponentRef

    def to_dict(self) -> dict[str, str]:
        return {
            "urn": self.state.urn,
            "type": self.state.type,
            "name": physical_name(self.state),
            "parent": self.state.parent,
            "stage": self.component.stage,
            "component": self.component.urn,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Everything in a stack, sorted by URN.

    Attributes:
        edges: pairs of URNs; the first comes after the second.
        only_order: those of ``edges`` where the first uses no value of the second.
    """

    stack: str
    nodes: Sequence[Node]
    edges: Sequence[tuple[str, str]]
    only_order: Collection[tuple[str, str]]

    def to_dict(self) -> dict[str, Any]:
        """The graph as JSON."""
        return {
            "stack": self.stack,
            "resources": [node.to_dict() for node in self.nodes],
            "dependencies": [
                {"from": edge[0], "to": edge[1], "onlyOrder": edge in self.only_order}
                for edge in self.edges
            ],
        }

    def mermaid(self) -> str:
        """A flowchart: a box per component, grouped by stage, with arrows in deployment order."""
        components: dict[ComponentRef, list[State]] = defaultdict(list)
        where: dict[str, ComponentRef] = {}
        for node in self.nodes:
            where[node.state.urn] = node.component
            if node.component.stage != OUTSIDE_STAGES and node.state.urn != node.component.urn:
                components[node.component].append(node.state)
        lines = ["flowchart TD"]
        for stage in sorted({component.stage for component in components}):
            lines.append(f'  subgraph stage{stage.partition(" ")[0]}["{stage}"]')
            lines += [
                f'    {_id(component)}["{_label(component, components[component])}"]'
                for component in sorted(components)
                if component.stage == stage
            ]
            lines.append("  end")
        arrows = {(where[needed], where[dependent]) for dependent, needed in self.edges}
        drawn = {(a, b) for a, b in arrows if a != b and a in components and b in components}
        lines += [f"  {_id(before)} --> {_id(after)}" for before, after in reduced(drawn)]
        return "\n".join(lines)


def draw(opened: OpenStack) -> Graph:
    """The graph of everything that the program declares.

    Raises:
        Refused: the preview failed.
    """
    outcome, dependencies = preview_with_dependencies(opened)
    if not outcome.succeeded:
        raise Refused("engine", f"The preview failed, so there is no graph:\n{outcome.causes}")
    declared = [step.state for step in outcome.steps if step.new]
    return _graph(opened.name, declared, dependencies)


def preview_with_dependencies(opened: OpenStack) -> tuple[Outcome, Dependencies]:
    """A preview, and the dependencies in the program; none if the preview failed."""
    with tempfile.TemporaryDirectory(prefix="pull-plan-") as folder:
        path = Path(folder) / "plan.json"
        outcome = opened.preview(plan=path)
        plans = json.loads(path.read_text("utf-8"))["resourcePlans"] if path.exists() else {}
    # A resource that the program no longer declares has a plan without a goal.
    goals = {urn: plan["goal"] for urn, plan in plans.items() if plan.get("goal")}
    return outcome, {urn: _needed(goal) for urn, goal in goals.items()}


def _needed(resource: Mapping[str, Any]) -> dict[str, bool]:
    """The dependencies of a resource of a plan or of a state, as in ``Dependencies``."""
    by_property = resource.get("propertyDependencies") or {}
    used = {urn for urns in by_property.values() for urn in urns or ()}
    return {urn: urn in used for urn in resource.get("dependencies") or ()}


def before_and_after(
    outcome: Outcome, dependencies: Dependencies, state: Mapping[str, Any]
) -> Graph:
    """The graph of the resources in ``state`` together with those of the preview ``outcome``."""
    resources = state.get("resources") or ()
    states = {resource["urn"]: State.parse(resource) for resource in resources}
    states |= {step.urn: step.state for step in outcome.steps}
    merged = {resource["urn"]: _needed(resource) for resource in resources}
    for urn, needed in dependencies.items():
        before = merged.get(urn, {})
        merged[urn] = {
            other: before.get(other, False) or needed.get(other, False)
            for other in (*before, *needed)
        }
    return _graph(outcome.stack, states.values(), merged)


def _graph(stack: str, states: Iterable[State], dependencies: Dependencies) -> Graph:
    by_urn = {state.urn: state for state in states}
    components = ComponentIndex(by_urn.values())
    nodes = [
        Node(state=state, component=components.of(urn)) for urn, state in sorted(by_urn.items())
    ]
    edges = {
        (urn, needed): uses_value
        for urn, needs in dependencies.items()
        for needed, uses_value in needs.items()
        if urn in by_urn and needed in by_urn
    }
    only_order = {edge for edge, uses_value in edges.items() if not uses_value}
    return Graph(stack=stack, nodes=nodes, edges=sorted(edges), only_order=only_order)


def reduced(
    edges: set[tuple[ComponentRef, ComponentRef]],
) -> list[tuple[ComponentRef, ComponentRef]]:
    """The transitive reduction of ``edges``, sorted."""
    following: dict[ComponentRef, set[ComponentRef]] = defaultdict(set)
    for before, after in edges:
        following[before].add(after)
    for before, after in sorted(edges):
        following[before].remove(after)
        if after not in reachable(before, following):
            following[before].add(after)
    return sorted((before, after) for before in following for after in following[before])


def _id(component: ComponentRef) -> str:
    return re.sub(r"\W", "_", component.name)


def _label_order(type_: str) -> tuple[bool, bool, str]:
    record = RESOURCE_TYPES.get(type_)
    is_grant = record is not None and record.permissions == "grants" and record.loss is None
    return is_grant, not is_summarized(type_), type_


def _label(component: ComponentRef, states: Sequence[State]) -> str:
    """The component's name, then its resources by type: summarized types first, grants last."""
    by_type: dict[str, list[State]] = defaultdict(list)
    for state in states:
        by_type[state.type].append(state)
    types = sorted(by_type, key=_label_order)
    lines = [f"<b>{component.name}</b>"]
    for type_ in types[:MAX_LINES]:
        alike = by_type[type_]
        name = physical_name(alike[0]) if len(alike) == 1 else f"x {len(alike)}"
        lines.append(f"{type_.rpartition(':')[2]} {name}")
    rest = sum(len(by_type[type_]) for type_ in types[MAX_LINES:])
    if rest:
        lines.append(f"and {rest} more")
    return "<br/>".join(lines).replace('"', "#quot;")


# -- the progress of an operation ----------------------------------------------------------------

StageState = Literal["finished", "failed", "stopped", "not begun"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEnd:
    """How far a stage was when the operation ended.

    Attributes:
        done: how many of its ``planned`` resources were finished.
        state: a ``stopped`` stage had begun when a resource of another stage failed.
    """

    stage: str
    planned: int
    done: int
    state: StageState

    def to_dict(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "planned": self.planned,
            "done": self.done,
            "state": self.state,
        }


@dataclass(slots=True)
class Stages:
    """Counts the finished resources of each stage while an operation runs.

    The engine keeps the order: a resource waits for what it depends on, and after a failure nothing
    new begins. Components count, as in the totals of an operation; but a stage begins with its
    first other resource, because the program registers all components at the beginning.

    Attributes:
        planned: the number of changes that the operation makes in each stage.
        total: the number of changes in all stages.
        done: how many of them are finished.
    """

    plan: Outcome
    planned: Counter[str] = field(init=False)
    done: int = field(init=False, default=0)
    _components: ComponentIndex = field(init=False)
    _left: Counter[str] = field(init=False)
    _open: Counter[str] = field(init=False)
    _begun: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self._components = ComponentIndex(step.state for step in self.plan.steps)
        changes = self.plan.counted_changes
        self._open = Counter(step.urn for step in changes)
        self.planned = Counter(self.of(step.urn) for step in changes)
        self._left = self.planned.copy()

    @property
    def total(self) -> int:
        return self.planned.total()

    def of(self, urn: str) -> str:
        """The stage of a resource."""
        return self._components.of(urn).stage

    def begun(self, stage: str) -> bool:
        """Whether a resource of ``stage`` other than a component is finished."""
        return stage in self._begun

    def finished(self, stage: str) -> bool:
        """Whether all planned changes of ``stage`` are finished."""
        return not self._left[stage]

    def finish(self, step: Step) -> bool:
        """Count a finished step; return whether it counts, as a change that was planned or made.

        A planned change may turn out to be none, once the values that it depends on are known.
        """
        stage = self.of(step.urn)
        if self._open[step.urn]:
            self._open[step.urn] -= 1
            self._left[stage] -= 1
        elif step.op is OpType.SAME or not step.counts:
            return False
        else:
            self.planned[stage] += 1
        self.done += 1
        if step.state.custom:
            self._begun.add(stage)
        return True

    def ends(self, diagnostics: Iterable[Diagnostic]) -> list[StageEnd]:
        """The end of each stage, after an operation that ended with ``diagnostics``."""
        failed = {
            self.of(item.urn) for item in diagnostics if item.severity == "error" and item.urn
        }
        ends = []
        for stage, planned in sorted(self.planned.items()):
            done = planned - self._left[stage]
            state: StageState
            if done == planned:
                state = "finished"
            elif stage in failed:
                state = "failed"
            else:
                state = "stopped" if self.begun(stage) else "not begun"
            ends.append(StageEnd(stage=stage, planned=planned, done=done, state=state))
        return ends

"""The estate as a picture and as data, drawn from what the engine would do.

A preview's events name no dependencies; the plan file that the engine writes beside them does.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ops.engine.stack import OpenStack
from ops.errors import Refused
from ops.review.components import OUTSIDE_STAGES, ComponentIndex, ComponentRef
from ops.review.events import Outcome, State
from ops.review.summary import FIGURES, physical_name

Needs = Mapping[str, Sequence[str]]
"""For each URN, those that it needs."""

LINES: Final = 4
"""So many lines tell what a component holds; a last one counts the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A resource or a component."""

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
        edges: pairs of URNs; the first one needs the second one.
    """

    stack: str
    nodes: Sequence[Node]
    edges: Sequence[tuple[str, str]]

    def to_dict(self) -> dict[str, Any]:
        """The graph as JSON."""
        return {
            "stack": self.stack,
            "resources": [node.to_dict() for node in self.nodes],
            "dependencies": [{"from": needing, "to": needed} for needing, needed in self.edges],
        }

    def mermaid(self) -> str:
        """A flow chart: a box per component, grouped by stage, arrows in the order of building."""
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
        arrows = {(where[needed], where[needing]) for needing, needed in self.edges}
        drawn = {(a, b) for a, b in arrows if a != b and a in components and b in components}
        lines += [f"  {_id(before)} --> {_id(after)}" for before, after in reduced(drawn)]
        return "\n".join(lines)


def draw(opened: OpenStack) -> Graph:
    """The graph of everything that the program declares.

    Raises:
        Refused: the preview failed.
    """
    outcome, needs = preview_with_needs(opened)
    if not outcome.succeeded:
        reasons = [item.message for item in outcome.diagnostics]
        reasons += [
            f"{item.level}: {item.rule}  {item.urn.rpartition('::')[2]}\n{item.message}"
            for item in outcome.violations
        ]
        raise Refused(
            "policies" if outcome.violations else "engine",
            "\n".join(["The preview failed, so there is nothing to draw:", *reasons]),
        )
    declared = [step.state for step in outcome.steps if step.new]
    return _graph(opened.name, declared, needs)


def preview_with_needs(opened: OpenStack) -> tuple[Outcome, Needs]:
    """A preview, and what needs what in the program; nothing where the preview failed.

    What is to be deleted has a plan without a goal: it is not in the program.
    """
    with tempfile.TemporaryDirectory(prefix="pull-plan-") as folder:
        path = Path(folder) / "plan.json"
        outcome = opened.preview(plan=path)
        plans = json.loads(path.read_text("utf-8"))["resourcePlans"] if path.exists() else {}
    goals = {urn: plan["goal"] for urn, plan in plans.items() if plan.get("goal")}
    return outcome, {urn: goal.get("dependencies") or () for urn, goal in goals.items()}


def before_and_after(outcome: Outcome, needs: Needs, state: Mapping[str, Any]) -> Graph:
    """The graph of what ``state`` holds together with what the preview ``outcome`` makes."""
    resources = state.get("resources") or ()
    states = {one["urn"]: State.parse(one) for one in resources}
    states |= {step.urn: step.state for step in outcome.steps}
    merged: dict[str, tuple[str, ...]] = {
        one["urn"]: tuple(one.get("dependencies") or ()) for one in resources
    }
    for urn, needed in needs.items():
        merged[urn] = (*merged.get(urn, ()), *needed)
    return _graph(outcome.stack, states.values(), merged)


def _graph(stack: str, states: Iterable[State], needs: Needs) -> Graph:
    by_urn = {state.urn: state for state in states}
    components = ComponentIndex(by_urn.values())
    nodes = [
        Node(state=state, component=components.of(urn)) for urn, state in sorted(by_urn.items())
    ]
    edges = {
        (urn, needed)
        for urn, all_needed in needs.items()
        for needed in all_needed
        if urn in by_urn and needed in by_urn
    }
    return Graph(stack=stack, nodes=nodes, edges=sorted(edges))


def reduced(
    edges: set[tuple[ComponentRef, ComponentRef]],
) -> list[tuple[ComponentRef, ComponentRef]]:
    """The edges without those that longer ways make superfluous, sorted."""
    kept = set(edges)
    for edge in sorted(edges):
        if _reaches(kept - {edge}, *edge):
            kept.remove(edge)
    return sorted(kept)


def _reaches(
    edges: Iterable[tuple[ComponentRef, ComponentRef]], start: ComponentRef, end: ComponentRef
) -> bool:
    following: dict[ComponentRef, set[ComponentRef]] = defaultdict(set)
    for before, after in edges:
        following[before].add(after)
    seen: set[ComponentRef] = set()
    ahead = [start]
    while ahead:
        component = ahead.pop()
        if component == end:
            return True
        if component not in seen:
            seen.add(component)
            ahead += following[component]
    return False


def _id(component: ComponentRef) -> str:
    return re.sub(r"\W", "_", component.name)


def _label(component: ComponentRef, states: Sequence[State]) -> str:
    """The component's name, then what it holds: the resources with figures first."""
    kinds: dict[str, list[State]] = defaultdict(list)
    for state in states:
        kinds[state.type].append(state)
    telling = sorted(kinds, key=lambda type_: (type_ not in FIGURES, type_))
    lines = [f"<b>{component.name}</b>"]
    for type_ in telling[:LINES]:
        alike = kinds[type_]
        name = physical_name(alike[0]) if len(alike) == 1 else f"x {len(alike)}"
        lines.append(f"{type_.rpartition(':')[2]} {name}")
    rest = sum(len(kinds[type_]) for type_ in telling[LINES:])
    if rest:
        lines.append(f"and {rest} more")
    return "<br/>".join(lines).replace('"', "#quot;")

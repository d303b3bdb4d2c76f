"""Rules over the whole stack: its resources as a graph, with the edges that the engine reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from policies.framework.paths import COMPONENT_PREFIX, Finding, View, attempt
from policies.framework.rules import Rule


@dataclass(eq=False, kw_only=True)
class Node:
    """A resource and its dependencies.

    Attributes:
        view: what the program sets, and the provider's outputs for everything else.
        dependencies: everything that the engine finishes first.
        property_dependencies: by property, the resources that the property is made from.
    """

    name: str
    type: str
    urn: str
    view: View
    parent: Node | None = None
    dependencies: list[Node] = field(default_factory=list)
    property_dependencies: dict[str, list[Node]] = field(default_factory=dict)

    @property
    def own_stage(self) -> str:
        """The stage that a component has in its inputs; empty for any other resource."""
        stage = self.view.inputs.get("stage") if self.type.startswith(COMPONENT_PREFIX) else None
        return stage if isinstance(stage, str) else ""

    @property
    def stage(self) -> str:
        """The step of the runbook's deployment order: that of the nearest component; or empty."""
        node: Node | None = self
        while node is not None and not node.own_stage:
            node = node.parent
        return node.own_stage if node else ""

    @cached_property
    def ancestors(self) -> frozenset[Node]:
        """Everything that is finished before this resource starts, however indirectly."""
        found: set[Node] = set()
        queue = list(self.dependencies)
        while queue:
            dependency = queue.pop()
            if dependency not in found:
                found.add(dependency)
                queue.extend(dependency.dependencies)
        return frozenset(found)

    def finding(self, path: str, text: str) -> Finding:
        """A violation by this resource."""
        return self.view.finding(path, text)


@dataclass(frozen=True, slots=True)
class Graph:
    """All resources of the stack, and the rule's settings."""

    nodes: Sequence[Node]
    config: Mapping[str, Any]

    def of_type(self, *types: str) -> list[Node]:
        """The resources of these types."""
        return [node for node in self.nodes if node.type in types]

    def check_each(
        self, check: Callable[[Node], Iterator[Finding]], *types: str
    ) -> Iterator[Finding]:
        """``check`` on each resource of these types; an unknown value in one hides no other."""
        for node in self.of_type(*types):
            yield from attempt(check(node))


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRule(Rule):
    """A rule about all resources together.

    Attributes:
        paths: the properties that it reads, for the table of rules.
        decidable_after_update: as for a rule about one resource.
    """

    check: Callable[[Graph], Iterator[Finding]]
    paths: tuple[str, ...]
    decidable_after_update: bool = False

    def findings(self, graph: Graph) -> Iterator[Finding]:
        """The violations of the stack."""
        for finding in attempt(self.check(graph)):
            if not (finding.undecided and self.decidable_after_update):
                yield finding

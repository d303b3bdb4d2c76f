"""Rules over the whole stack: its resources as a graph, with the edges that the engine reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from policies.rule import Finding, Rule, View, attempt


@dataclass(eq=False, kw_only=True)
class Node:
    """A resource and what it hangs on.

    Attributes:
        read: gives its properties, which most rules never ask most resources for.
        own_stage: what a component says of itself.
        waits_for: everything that the engine finishes first.
        derives_from: resources by the property that is made from them.
    """

    name: str
    type: str
    urn: str
    read: Callable[[], View]
    own_stage: str = ""
    parent: Node | None = None
    waits_for: list[Node] = field(default_factory=list)
    derives_from: dict[str, list[Node]] = field(default_factory=dict)

    @cached_property
    def view(self) -> View:
        """Its properties. A stack rule sees outputs, which hold the inputs of the same names."""
        return self.read()

    @property
    def stage(self) -> str:
        """The step of the runbook's deployment order: the nearest component's; or empty."""
        node: Node | None = self
        while node is not None and not node.own_stage:
            node = node.parent
        return node.own_stage if node else ""

    def finding(self, path: str, text: str) -> Finding:
        """A problem of this resource."""
        return self.view.finding(path, text)


@dataclass(frozen=True, slots=True)
class Graph:
    """All resources of the stack, and the rule's settings."""

    nodes: Sequence[Node]
    config: Mapping[str, Any]

    def of(self, *types: str) -> list[Node]:
        """The resources of these types."""
        return [node for node in self.nodes if node.type in types]

    def each(self, evaluate: Callable[[Node], Iterator[Finding]], *types: str) -> Iterator[Finding]:
        """``judge`` on each resource of these types; what is not known in one hides no other."""
        for node in self.of(*types):
            yield from attempt(evaluate(node))

    def before(self, node: Node) -> set[Node]:
        """Everything that is finished before ``node`` starts, however indirectly."""
        seen: set[Node] = set()
        waiting = list(node.waits_for)
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting.extend(one.waits_for)
        return seen


# -- mutants of a graph ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PutIn:
    """``value`` at ``path`` of a resource of ``type``; ``ABSENT`` takes it away."""

    type: str
    path: str
    value: Any


@dataclass(frozen=True, slots=True)
class Drop:
    """No resource of ``type`` is there."""

    type: str


@dataclass(frozen=True, slots=True)
class Add:
    """One more resource. ``{environment}`` and ``{suffix}`` in texts are those of the stack."""

    type: str
    inputs: Mapping[str, Any]
    derives_from: Mapping[str, str] = field(default_factory=dict)
    """Type or logical name of the resource that a property is made from."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A resource of ``type`` waits for one of type ``other``."""

    type: str
    other: str


@dataclass(frozen=True, slots=True)
class Forget:
    """A resource of ``type`` waits for none of type ``other`` any more, not even indirectly."""

    type: str
    other: str


@dataclass(frozen=True, slots=True)
class Derive:
    """``property`` of a resource of ``type`` is made from one of type ``other``, or from none."""

    type: str
    property: str
    other: str | None


GraphBreak = PutIn | Drop | Add | Wait | Forget | Derive


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRule(Rule):
    """A rule about all resources together. ``breaks`` are the ways to break a good stack."""

    check: Callable[[Graph], Iterator[Finding]]
    mutations: tuple[GraphBreak, ...]
    paths: tuple[str, ...]
    decidable_after_update: bool = False

    def findings(self, graph: Graph) -> Iterator[Finding]:
        """What is wrong with the stack."""
        for finding in attempt(self.check(graph)):
            if not (finding.undecided and self.decidable_after_update):
                yield finding

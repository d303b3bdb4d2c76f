"""Walks a graph breadth-first."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def reachable(start: Node, edges: Mapping[Node, Iterable[Node]]) -> list[Node]:
    """All nodes that ``edges`` lead to from ``start``, nearest first, without ``start``."""
    seen = {start: None}
    queue = deque([start])
    while queue:
        for node in edges.get(queue.popleft(), ()):
            if node not in seen:
                seen[node] = None
                queue.append(node)
    return list(seen)[1:]

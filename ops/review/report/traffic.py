"""Recognizes a release that only moves traffic, such as a canary step or a rollback."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ops.review.differences import Difference
from ops.review.redaction import is_unknown
from ops.review.report.risk import is_destructive
from ops.review.steps import State, Step
from resource_types import RESOURCE_TYPES, TrafficSplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Traffic of one resource, before and after: shares such as ``90 % of 8f14e45f``."""

    urn: str
    name: str
    old: tuple[str, ...]
    new: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "urn": self.urn,
            "name": self.name,
            "old": list(self.old),
            "new": list(self.new),
        }


def moves(steps: Sequence[Step]) -> tuple[Move, ...]:
    """What the steps do if they move traffic and change nothing else; otherwise empty."""
    found = [_move(step) for step in steps]
    return tuple(move for move in found if move) if all(found) else ()


def _move(step: Step) -> Move | None:
    record = RESOURCE_TYPES.get(step.type)
    split = record.traffic if record else None
    if not split or not step.old or not step.new or is_destructive(step):
        return None
    paths = {change.path.replace("[", ".").split(".")[0] for change in step.changes()}
    if paths != {split.path}:
        return None
    return Move(
        urn=step.urn,
        name=step.name,
        old=tuple(_shares(step.old, split)),
        new=tuple(_shares(step.new, split)),
    )


def without_traffic(step: Step, different: Sequence[Difference]) -> list[Difference]:
    """The differences with all those of the traffic as one: its shares before and after."""
    record = RESOURCE_TYPES.get(step.type)
    split = record.traffic if record else None
    if not (split and split.target and step.old and step.new):
        return list(different)
    rest = [found for found in different if re.split(r"[.\[ ]", found.path)[0] != split.path]
    if len(rest) == len(different):
        return rest
    old, new = (", ".join(_shares(state, split)) for state in (step.old, step.new))
    replaces = any(found.replaces for found in different if found not in rest)
    return [*rest, Difference(path=split.path, old=old, new=new, replaces=replaces)]


def _shares(state: State, split: TrafficSplit) -> Iterator[str]:
    shares = state.inputs.get(split.path)
    if not isinstance(shares, list):
        yield str(shares)
        return
    for share in shares:
        target = share.get(split.target)
        percent = float(share.get("percent", share.get("percentage", 0)))
        name = "the newest" if not target or is_unknown(target) else target
        yield f"{percent:g} % {name}"

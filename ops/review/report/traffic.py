"""Recognises a release that only moves traffic, which one line can tell: a canary, a rollback."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ops.review.redaction import is_unknown
from ops.review.report.risk import loses_something
from ops.review.steps import State, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Splitter:
    """How a type of resource says who gets how much of the traffic.

    Attributes:
        path: the property that holds the shares.
        target: the key of a share that says who gets it; without it the newest does.
    """

    path: str
    target: str


SPLITTERS: Final[Mapping[str, Splitter]] = {
    "cloudflare:index/workersDeployment:WorkersDeployment": Splitter(
        path="versions", target="versionId"
    ),
    "gcp:cloudrunv2/service:Service": Splitter(path="traffics", target="revision"),
    "gcp:cloudrunv2/workerPool:WorkerPool": Splitter(path="instanceSplits", target="revision"),
    "vercel:index/deployment:Deployment": Splitter(path="ref", target=""),
}


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
    """What the steps do if they move traffic and nothing else; else nothing."""
    found = [_move(step) for step in steps]
    return tuple(move for move in found if move) if all(found) else ()


def _move(step: Step) -> Move | None:
    splitter = SPLITTERS.get(step.type)
    if not splitter or not step.old or not step.new or loses_something(step):
        return None
    paths = {change.path.replace("[", ".").split(".")[0] for change in step.changes()}
    if paths != {splitter.path}:
        return None
    return Move(
        urn=step.urn,
        name=step.name,
        old=tuple(_shares(step.old, splitter)),
        new=tuple(_shares(step.new, splitter)),
    )


def _shares(state: State, splitter: Splitter) -> Iterable[str]:
    held = state.inputs.get(splitter.path)
    if not isinstance(held, list):
        yield str(held)
        return
    for share in held:
        target = share.get(splitter.target)
        percent = float(share.get("percent", share.get("percentage", 0)))
        shown = "the newest" if not target or is_unknown(target) else target
        yield f"{percent:g} % {shown}"

"""The risk of a change and its reasons, by the table in ``docs/reports.md``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pulumi.automation import OpType

from ops.review.guard import loss_of
from ops.review.redaction import SECRET
from ops.review.steps import Step
from resource_types import RESOURCE_TYPES, ResourceType


class Risk(StrEnum):
    """What a reviewer has to do. Each member is worse than the one before."""

    SAFE = "safe"
    REVIEW = "needs review"
    BLOCKED = "blocked"

    @property
    def rank(self) -> int:
        return list(Risk).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a report has its verdict.

    Attributes:
        text: a fixed sentence of this package.
        names: logical names of the resources or rules; they come from outside and need escaping.
    """

    risk: Risk
    text: str
    names: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"risk": self.risk.value, "text": self.text, "names": list(self.names)}


ANYBODY: Final = frozenset(
    {
        "0.0.0.0/0",
        "::/0",
        "INGRESS_TRAFFIC_ALL",
        "LoadBalancer",
        "NodePort",
        "allAuthenticatedUsers",
        "allUsers",
    }
)
"""Values that let anybody in, in a property of any type."""

PROVIDER: Final = "pulumi:providers:"


def is_destructive(step: Step) -> bool:
    """Whether the step deletes or replaces something that the platform does not keep."""
    if step.op is OpType.REPLACE:
        record = RESOURCE_TYPES.get(step.type)
        return not (record and record.replaced_by_design)
    return step.op is OpType.DELETE


def reasons_to_review(steps: Sequence[Step]) -> Iterator[Reason]:
    """Why people should look at ``steps``, the worst first."""
    destroyed = [step for step in steps if is_destructive(step)]
    kept = [step for step in steps if not is_destructive(step)]
    created = [step for step in kept if step.op is OpType.CREATE]
    changed = [step for step in kept if step.op is not OpType.CREATE]
    deleted = [step for step in destroyed if step.op is OpType.DELETE]
    replaced = [step for step in destroyed if step.op is OpType.REPLACE]
    reasons: Iterable[tuple[str, Iterable[Step]]] = (
        ("deletes a stateful or identity resource", filter(loss_of, deleted)),
        ("replaces a stateful or identity resource", filter(loss_of, replaced)),
        ("deletes", (step for step in deleted if not loss_of(step))),
        ("replaces", (step for step in replaced if not (loss_of(step) or _is_secret_value(step)))),
        ("is of a type that resource_types does not describe", filter(_is_undescribed, kept)),
        ("removes protection", filter(_loses_protection, changed)),
        (
            "modifies a stateful or identity resource in place",
            (step for step in changed if loss_of(step) and not _is_undescribed(step)),
        ),
        ("changes permissions", filter(_changes_permissions, kept)),
        ("exposes an endpoint", filter(_exposes_endpoint, created)),
        (
            "changes the exposure of an endpoint",
            (step for step in changed if not loss_of(step) and _exposes_endpoint(step)),
        ),
        ("changes a provider", (step for step in changed if step.type.startswith(PROVIDER))),
        ("changes the value of a secret", filter(_changes_secret, steps)),
    )
    for text, found in reasons:
        names = tuple(step.name for step in found)
        if names:
            yield Reason(risk=Risk.REVIEW, text=text, names=names)


def _record(step: Step) -> ResourceType | None:
    """The registry's record of a provider's resource; components and providers have none."""
    return RESOURCE_TYPES.get(step.type) if step.state.custom else None


def _is_undescribed(step: Step) -> bool:
    return step.state.custom and not step.type.startswith("pulumi:") and _record(step) is None


def _is_secret_value(step: Step) -> bool:
    record = _record(step)
    return bool(record and record.secret_value)


def _loses_protection(step: Step) -> bool:
    return bool(step.old and step.new and step.old.protect and not step.new.protect)


def _changes_permissions(step: Step) -> bool:
    record = _record(step)
    if record is None or not record.permissions:
        return False
    # A credential lets somebody in by its existence; a later change of it does not.
    return record.permissions != "credential" or step.op is OpType.CREATE


def _exposes_endpoint(step: Step) -> bool:
    record = _record(step)
    if record and record.exposes_endpoint:
        return True
    if step.op is OpType.CREATE:
        return _lets_anybody_in(step.state.inputs)
    properties = record.exposure_properties if record else ()
    return any(
        change.path.split(".")[0] in properties or _lets_anybody_in(change.new)
        for change in step.changes()
    )


def _lets_anybody_in(value: Any) -> bool:
    if isinstance(value, Mapping):
        return value.get("invokerIamDisabled") is True or any(map(_lets_anybody_in, value.values()))
    if isinstance(value, list):
        return any(map(_lets_anybody_in, value))
    return isinstance(value, str) and value in ANYBODY


def _changes_secret(step: Step) -> bool:
    if _is_secret_value(step):
        return step.op is OpType.REPLACE
    return any(SECRET in (change.old, change.new) for change in step.changes())

"""How risky a change is, and why: the table that ``docs/reports.md`` explains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pulumi.automation import OpType

from ops.review.guard import loss_of
from ops.review.redaction import SECRET
from ops.review.steps import Step


class Risk(StrEnum):
    """What a reviewer has to do. In the order of their definition each is worse than the last."""

    SAFE = "safe"
    REVIEW = "needs review"
    BLOCKED = "blocked"

    @property
    def rank(self) -> int:
        return list(Risk).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a report says what it says.

    Attributes:
        words: ours, for people.
        names: what it is about, by logical name; not ours, and so to be escaped.
    """

    risk: Risk
    words: str
    names: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {"risk": self.risk.value, "words": self.words, "names": list(self.names)}


DESTRUCTIVE: Final = (OpType.DELETE, OpType.REPLACE)

REPLACED_BY_DESIGN: Final = frozenset(
    {
        "cloudflare:index/workerVersion:WorkerVersion",
        "cloudflare:index/workersDeployment:WorkersDeployment",
        "vercel:index/deployment:Deployment",
    }
)
"""Immutable records of a release: each change is a new one, and the platform keeps the old one."""

GRANTS: Final = ("ACL", "AccessControl", "IAM", "Iam", "WorkloadIdentityPool", "Role")
"""Words in the names of the types that say who may do what."""

CREDENTIALS: Final = ("Key", "User")
"""Names of the types that let somebody in by being there."""

SECRETS: Final = frozenset(
    {
        "gcp:secretmanager/secretVersion:SecretVersion",
        "random:index/randomPassword:RandomPassword",
    }
)
"""What is nothing but a secret value, so that a new one replaces it."""

ENTRANCES: Final = (
    "DnsRecord",
    "Domain",
    "Firewall",
    "ForwardingRule",
    "Ingress",
    "NetworkPolicy",
    "SecurityPolicy",
    "WorkersRoute",
)
"""Words in the names of the types that decide who reaches us."""

DOORS: Final = ("defaultUriDisabled", "ingress", "invokerIamDisabled", "subdomain")
"""Properties of other types that decide it."""

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
"""Values that let everybody in."""

PROVIDER: Final = "pulumi:providers:"


def loses_something(step: Step) -> bool:
    """Whether the step takes away what was there."""
    return step.op in DESTRUCTIVE and not (
        step.op is OpType.REPLACE and step.type in REPLACED_BY_DESIGN
    )


def reasons_to_review(steps: Sequence[Step]) -> Iterator[Reason]:
    """Why people should look at ``steps``, the worst first."""
    gone = [step for step in steps if loses_something(step)]
    kept = [step for step in steps if not loses_something(step)]
    created = [step for step in kept if step.op is OpType.CREATE]
    changed = [step for step in kept if step.op is not OpType.CREATE]
    kinds: Iterable[tuple[str, Iterable[Step]]] = (
        ("deletes what holds data or identity", _of(gone, OpType.DELETE, holding=True)),
        ("replaces what holds data or identity", _of(gone, OpType.REPLACE, holding=True)),
        ("deletes", _of(gone, OpType.DELETE, holding=False)),
        (
            "replaces",
            (one for one in _of(gone, OpType.REPLACE, holding=False) if one.type not in SECRETS),
        ),
        ("takes protection away", (one for one in changed if _unprotected(one))),
        (
            "changes in place what holds data or identity",
            (one for one in changed if loss_of(one)),
        ),
        ("changes who may do what", (one for one in kept if _grants(one))),
        ("opens a way in", (one for one in created if _is_entrance(one))),
        (
            "changes a way in",
            (one for one in changed if not loss_of(one) and _is_entrance(one)),
        ),
        ("changes a provider", (one for one in changed if one.type.startswith(PROVIDER))),
        ("gives secrets new values", (one for one in steps if _changes_secret(one))),
    )
    for words, found in kinds:
        names = tuple(step.name for step in found)
        if names:
            yield Reason(risk=Risk.REVIEW, words=words, names=names)


def _of(steps: Iterable[Step], op: OpType, *, holding: bool) -> Iterator[Step]:
    return (step for step in steps if step.op is op and bool(loss_of(step)) is holding)


def _unprotected(step: Step) -> bool:
    return bool(step.old and step.new and step.old.protect and not step.new.protect)


def _grants(step: Step) -> bool:
    kind = _kind(step)
    made = step.op is OpType.CREATE and kind in CREDENTIALS
    return step.state.custom and (made or any(word in kind for word in GRANTS))


def _is_entrance(step: Step) -> bool:
    if step.state.custom and any(word in _kind(step) for word in ENTRANCES):
        return True
    if step.op is OpType.CREATE:
        return _lets_anybody_in(step.state.inputs)
    return any(
        change.path.split(".")[0] in DOORS or _lets_anybody_in(change.new)
        for change in step.changes()
    )


def _kind(step: Step) -> str:
    """The last part of the type."""
    return step.type.rpartition(":")[2]


def _lets_anybody_in(value: Any) -> bool:
    if isinstance(value, Mapping):
        return value.get("invokerIamDisabled") is True or any(map(_lets_anybody_in, value.values()))
    if isinstance(value, list):
        return any(map(_lets_anybody_in, value))
    return isinstance(value, str) and value in ANYBODY


def _changes_secret(step: Step) -> bool:
    if step.type in SECRETS:
        return step.op is OpType.REPLACE
    return any(SECRET in (change.old, change.new) for change in step.changes())

"""The risk of a change and its reasons, by the table in ``docs/reports.md``."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from pulumi.automation import OpType

from ops.review.differences import Difference, differences
from ops.review.guard import loss_of
from ops.review.redaction import SECRET
from ops.review.rendering import full_text, value_text
from ops.review.steps import State, Step
from ops.review.summary import physical_name
from resource_types import RESOURCE_TYPES, ResourceType
from resource_types.updates import is_within


class Risk(StrEnum):
    """What a reviewer has to do. Each member is worse than the one before."""

    SAFE = "safe"
    RELEASE = "release"
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
        details: what to know of a name, such as what is lost; needs escaping, too.
        action: what a reviewer has to do; a fixed sentence, except for the stack's name.
    """

    risk: Risk
    text: str
    names: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    action: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {
            "risk": self.risk.value,
            "text": self.text,
            "names": list(self.names),
            "details": dict(self.details),
            "action": self.action,
        }


EVERYBODY: Final = frozenset(
    {"allAuthenticatedUsers", "allUsers", "system:anonymous", "system:unauthenticated"}
)
"""Members of a grant that stand for everybody on the internet, at Google and in Kubernetes."""

ANYBODY: Final = EVERYBODY | {
    "0.0.0.0/0",
    "::/0",
    "INGRESS_TRAFFIC_ALL",
    "LoadBalancer",
    "NodePort",
}
"""Values that let anybody in, in a property of any type."""

_EXPOSURE: Final = re.compile(
    r"origin(?!al)|cidr|ip_?range|source_?range|destination_?range|authorized_?network|allow_?list"
    r"|allowed_?ip|trusted_?ip|trusted_?source|ip_?block|nat_?ip|ingress|egress|public_?access"
    r"|ipv4_?enabled|uri_?disabled|invoker_?iam_?disabled|subdomain|host_?network|host_?port|external_?ip"
    r"|min_?tls|ssl",
    re.IGNORECASE,
)
"""Names of properties and variables that decide who can reach something, or what it can reach."""

PROVIDER: Final = "pulumi:providers:"

_DESCRIBED_OPERATIONS: Final = frozenset(
    {OpType.CREATE, OpType.DELETE, OpType.IMPORT, OpType.READ, OpType.REPLACE, OpType.UPDATE}
)


def is_destructive(step: Step) -> bool:
    """Whether the step deletes or replaces something that the platform does not keep."""
    if step.op is OpType.REPLACE:
        return not _is_immutable(step)
    return step.op is OpType.DELETE


def is_new_version(step: Step) -> bool:
    """Whether the step releases a new version, beside which the platform keeps the old one."""
    if step.op is OpType.REPLACE:
        return _is_immutable(step)
    record = _record(step)
    template = record.pod_template if record else ""
    return bool(template) and any(is_within(found.path, template) for found in differences(step))


def lost(step: Step) -> str:
    """What a deletion or replacement loses, with its name in the platform; empty for nothing."""
    loss = loss_of(step)
    if not (loss and is_destructive(step)):
        return ""
    name = physical_name(step.old or step.state)
    return loss if name == step.name else f"{loss}, {name}"


def reasons_to_review(steps: Sequence[Step]) -> Iterator[Reason]:
    """What people should know about ``steps``, the worst first."""
    destroyed = [step for step in steps if is_destructive(step)]
    kept = [step for step in steps if not is_destructive(step)]
    created = [step for step in kept if step.op is OpType.CREATE]
    changed = [step for step in kept if step.op is not OpType.CREATE]
    deleted = [step for step in destroyed if step.op is OpType.DELETE]
    replaced = [step for step in destroyed if step.op is OpType.REPLACE]
    arriving = [step for step in steps if step.op is not OpType.DELETE]
    exposed = {step.urn: step for step in changed if _exposes_endpoint(step)}

    def reason(
        text: str,
        found: Sequence[Step],
        action: str,
        detail: Callable[[Step], str] = lambda _: "",
        risk: Risk = Risk.REVIEW,
    ) -> Iterator[Reason]:
        details = {step.name: detail(step) for step in found if detail(step)}
        names = tuple(dict.fromkeys(step.name for step in found))
        if names:
            yield Reason(risk=risk, text=text, names=names, details=details, action=action)

    loss = "Confirm with the owner that the loss is intended and that a backup exists."
    yield from reason(
        "deletes a stateful or identity resource", list(filter(loss_of, deleted)), loss, lost
    )
    yield from reason(
        "replaces a stateful or identity resource", list(filter(loss_of, replaced)), loss, lost
    )
    yield from reason(
        "grants a role to everybody on the internet",
        list(filter(_public_grant, arriving)),
        "Confirm that everybody may have the role.",
        _public_grant,
    )
    gap = "Check that nothing needs the resource while it is gone."
    yield from reason("deletes", [step for step in deleted if not loss_of(step)], gap)
    yield from reason(
        "replaces",
        [step for step in replaced if not (loss_of(step) or _is_secret_value(step))],
        gap,
    )
    yield from reason(
        "is of a type that resource_types does not describe",
        list(filter(_is_undescribed, kept)),
        "Add a record of the type to resource_types.",
    )
    yield from reason(
        "has an operation that this report does not describe",
        [step for step in kept if step.op not in _DESCRIBED_OPERATIONS],
        "Read the output of the engine.",
        lambda step: step.op.value,
    )
    yield from reason(
        "adopts a resource that exists already",
        [step for step in kept if step.op is OpType.IMPORT],
        "Check that the resource belongs to this stack.",
    )
    yield from reason(
        "removes protection",
        list(filter(_loses_protection, changed)),
        "Confirm that the resource is going to be deleted; otherwise keep protect.",
    )
    yield from reason(
        "exposes an endpoint",
        list(filter(_exposes_endpoint, created)),
        "Check who can reach it.",
        _exposure,
    )
    yield from reason(
        "changes the exposure of an endpoint",
        list(exposed.values()),
        "Check who can reach it.",
        _exposure,
    )
    yield from reason(
        "modifies a stateful or identity resource in place",
        [
            step
            for step in changed
            if loss_of(step) and not _is_undescribed(step) and step.urn not in exposed
        ],
        "Check with the owner whether the service restarts, and when.",
    )
    yield from reason(
        "changes permissions",
        [step for step in kept if _changes_permissions(step) and not _public_grant(step)],
        "Check who gets which role.",
    )
    yield from reason(
        "changes a provider",
        [step for step in changed if step.type.startswith(PROVIDER)],
        "Check the account, the project and the region.",
    )
    yield from reason(
        "changes the value of a secret",
        list(filter(_changes_secret, steps)),
        "Check that everything that reads the value is released with it.",
    )
    yield from reason(
        "releases a new version",
        list(filter(is_new_version, kept)),
        "Watch the release, and roll it back if it fails.",
        risk=Risk.RELEASE,
    )


def _record(step: Step) -> ResourceType | None:
    """The registry's record of a provider's resource; components and providers have none."""
    return RESOURCE_TYPES.get(step.type) if step.state.custom else None


def _is_immutable(step: Step) -> bool:
    record = RESOURCE_TYPES.get(step.type)
    return bool(record and record.replaced_by_design)


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


def _changes_secret(step: Step) -> bool:
    if _is_secret_value(step):
        return step.op is OpType.REPLACE
    return any(
        SECRET in (found.old, found.new)
        or (SECRET in full_text(found.old) and full_text(found.old) == full_text(found.new))
        for found in differences(step)
    )


# -- who can reach what ------------------------------------------------------------------------


def _public_grant(step: Step) -> str:
    """Who gets which role on what, if a grant is for everybody; otherwise empty."""
    record = _record(step)
    if record is None or not record.permissions or step.new is None:
        return ""
    members = sorted(set(_strings(step.new.inputs)) & EVERYBODY)
    return f"{' and '.join(members)}: {_role(step.new)}" if members else ""


def _role(grant: State) -> str:
    inputs = grant.inputs
    role = inputs.get("role") or (inputs.get("roleRef") or {}).get("name") or "every role in it"
    about = (
        "role",
        "roleRef",
        "member",
        "members",
        "condition",
        "policyData",
        "project",
        "location",
    )
    targets = [str(value) for key, value in sorted(inputs.items()) if key not in about]
    return f"{role} on {', '.join(targets[:1]) or inputs.get('project', grant.urn)}"


def _exposes_endpoint(step: Step) -> bool:
    record = _record(step)
    if record and record.exposes_endpoint:
        return True
    if step.op is OpType.CREATE:
        return _lets_anybody_in(step.state.inputs)
    return any(_is_exposure(found, record) for found in differences(step))


def _exposure(step: Step) -> str:
    """The first difference that changes who can reach the resource, or what a new one lets in."""
    if step.op is OpType.CREATE:
        return ", ".join(sorted(set(_strings(step.state.inputs)) & ANYBODY))
    record = _record(step)
    for found in differences(step):
        if _is_exposure(found, record):
            old, new = (value_text(value, 60) for value in (found.old, found.new))
            return f"{found.path}, from {old} to {new}"
    return ""


def _is_exposure(found: Difference, record: ResourceType | None) -> bool:
    properties = record.exposure_properties if record else ()
    if re.split(r"[.\[]", found.path, maxsplit=1)[0] in properties or _EXPOSURE.search(found.path):
        return True
    return any(
        _lets_anybody_in(value) or _has_range(value) or any(map(_EXPOSURE.search, _keys(value)))
        for value in (found.old, found.new)
    )


def _lets_anybody_in(value: Any) -> bool:
    if isinstance(value, Mapping):
        return value.get("invokerIamDisabled") is True or any(map(_lets_anybody_in, value.values()))
    if isinstance(value, list):
        return any(map(_lets_anybody_in, value))
    return isinstance(value, str) and value in ANYBODY


def _has_range(value: Any) -> bool:
    """Whether a range of addresses is in ``value``."""
    for text in _strings(value):
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            continue
        if "/" in text:
            return True
    return False


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from value
    for item in (
        value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    ):
        yield from _keys(item)


def _strings(value: Any) -> Iterator[str]:
    """All strings in ``value``, also those in a JSON document, such as ``policyData``."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str):
        yield value
        if value.startswith(("{", "[")):
            try:
                yield from _strings(json.loads(value))
            except ValueError:
                return

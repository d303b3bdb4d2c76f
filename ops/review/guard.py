"""The guard over operations: refuses to lose data, identities or anything that is protected.

A policy sees the new inputs of a resource. It does not see that a resource is deleted or replaced.
The guard reads the operations of a preview, and refuses to delete or replace a stateful or
protected resource unless ``approvals/<stack>.yaml`` approves that operation on that resource.

Three locks can forbid a deletion. ``protect`` is the engine's. ``deletionProtection`` is the Google
provider's own: no API has it, and the provider reads it from the state during the ``up``
(``resourceSqlDatabaseInstanceDelete`` in terraform-provider-google, for example). The guard opens
these two in the state for an approved operation. The third is the platform's own lock, such as
``settings.deletionProtectionEnabled`` of Cloud SQL; it is in the cloud, and no command here opens
it.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulumi.automation import OpType

from ops.errors import Refused
from ops.review.approvals import Approval, Operation
from ops.review.steps import Step, short_type
from ops.review.traversal import reachable
from resource_types import RESOURCE_TYPES, UNDECIDED

CHAIN: Final = "external-polygon-chain"
"""Logical name of the resource that lists the contracts; those on mainnet cannot be rolled back."""

UNDESCRIBED: Final = (
    "resource_types does not describe this type, so nothing is known about what would be lost"
)

NOT_APPROVED: Final = (
    "Not approved. Add an entry with URN, operation, reason, approvers and expiry to "
    "approvals/{stack}.yaml."
)

NAMES: Final = 6
"""So many dependents are named in a refusal; the rest are counted."""

_OPERATIONS: Final[Mapping[OpType, Operation]] = {
    OpType.DELETE: "delete",
    OpType.REPLACE: "replace",
}

_PROVIDER_LOCK: Final = "deletionProtection"
_PARTS: Final = ("inputs", "outputs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An operation that the guard refuses.

    Attributes:
        loss: what would be lost, as a clause.
        forced_by: the properties that force a replacement, or the replacements that do.
        dependents: URNs of what depends on the resource, nearest first.
        reason: why no approval covers the operation, and what to do.
    """

    urn: str
    operation: Operation
    loss: str
    forced_by: tuple[str, ...]
    dependents: tuple[str, ...]
    reason: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "urn": self.urn,
            "operation": self.operation,
            "loss": self.loss,
            "forcedBy": list(self.forced_by),
            "dependents": list(self.dependents),
            "reason": self.reason,
        }

    def lines(self) -> Iterator[str]:
        """The refusal as text."""
        forced = f", forced by {', '.join(self.forced_by)}" if self.forced_by else ""
        yield f"{self.operation} of {self.urn.rpartition('::')[2]}{forced}: {self.loss}"
        yield f"  {self.urn}"
        if self.dependents:
            names = [urn.rpartition("::")[2] for urn in self.dependents]
            more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
            yield f"  dependents: {', '.join(names[:NAMES])}{more}"
        yield f"  {self.reason}"


def evaluate(
    stack: str,
    steps: Sequence[Step],
    approvals: Sequence[Approval],
    state: Callable[[], Mapping[str, Any]],
    today: datetime.date,
) -> tuple[Refusal, ...]:
    """The refusals of ``steps``.

    ``state`` returns the deployment before the operation. It is called only when something is
    deleted or replaced, because an export takes seconds.
    """
    if not any(step.op in _OPERATIONS or step.name == CHAIN for step in steps):
        return ()
    resources = state().get("resources", ())
    protected = {resource["urn"] for resource in resources if is_locked(resource)}
    awaiting_deletion = {resource["urn"] for resource in resources if resource.get("delete")}
    dependents = _dependents(resources)
    refusals = []
    for step in steps:
        threat = _threat(step, protected)
        if threat is None:
            continue
        operation, loss = threat
        forced_by = step.forced_by or _replaced_dependencies(step, steps, dependents)
        if operation == "delete" and step.urn in awaiting_deletion:
            # The rest of an interrupted replacement takes the approval of that replacement.
            operation, forced_by = "replace", ("an earlier, interrupted replacement",)
        invalid = [
            approval.invalid_because(today)
            for approval in approvals
            if (approval.urn, approval.operation) == (step.urn, operation)
        ]
        if "" in invalid:
            continue
        refusals.append(
            Refusal(
                urn=step.urn,
                operation=operation,
                loss=loss,
                forced_by=forced_by,
                dependents=tuple(reachable(step.urn, dependents)),
                reason=invalid[-1] if invalid else NOT_APPROVED.format(stack=stack),
            )
        )
    return tuple(refusals)


def loss_of(step: Step) -> str | None:
    """What the deletion or replacement of the step's resource loses; ``None`` for nothing.

    A type without a record counts as stateful. A component and a provider lose nothing themselves.
    """
    if not step.state.custom or step.type.startswith("pulumi:"):
        return None
    record = RESOURCE_TYPES.get(step.type)
    return UNDESCRIBED if record is None or record.loss is UNDECIDED else record.loss


def urns_deleted(steps: Iterable[Step]) -> frozenset[str]:
    """URNs of the resources that ``steps`` delete or replace."""
    return frozenset(step.urn for step in steps if step.op in _OPERATIONS)


def _threat(step: Step, protected: Collection[str]) -> tuple[Operation, str] | None:
    """The operation that needs an approval, and what would be lost; ``None`` if it needs none."""
    if step.name == CHAIN:
        before, after = _mainnet_contracts(step.old), _mainnet_contracts(step.new)
        if any(after.get(name) != address for name, address in before.items()):
            return "change", "users hold value in these contracts on mainnet"
    operation = _OPERATIONS.get(step.op)
    if operation is None:
        return None
    loss = loss_of(step)
    if loss is not None:
        return operation, loss if loss is UNDESCRIBED else f"{loss} would be lost"
    return (operation, "the resource is protected") if step.urn in protected else None


def _mainnet_contracts(state: Any) -> Mapping[str, str]:
    parameters = state.inputs.get("parameters", {}) if state else {}
    if parameters.get("network") != "polygon-mainnet":
        return {}
    # Capital letters in an address are only its checksum (EIP-55).
    return {name: str(address).lower() for name, address in parameters.get("contracts", {}).items()}


def _dependents(resources: Iterable[Mapping[str, Any]]) -> Mapping[str, list[str]]:
    """For each URN, the URNs of the resources that depend on it or are its children."""
    dependents: dict[str, list[str]] = defaultdict(list)
    for resource in resources:
        needed = [*(resource.get("dependencies") or ()), resource.get("parent")]
        for urn in dict.fromkeys(filter(None, needed)):
            dependents[urn].append(resource["urn"])
    return dependents


def _replaced_dependencies(
    step: Step, steps: Iterable[Step], dependents: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """The replacements that force this replacement when no property does."""
    if step.op is not OpType.REPLACE:
        return ()
    return tuple(
        f"the replacement of {other.name}"
        for other in steps
        if other.op is OpType.REPLACE and step.urn in dependents.get(other.urn, ())
    )


# -- locks in the state --------------------------------------------------------------------------


def is_locked(resource: Mapping[str, Any]) -> bool:
    """Whether the engine or the provider would refuse to delete a resource of the state."""
    return bool(resource.get("protect") or (resource.get("outputs") or {}).get(_PROVIDER_LOCK))


def unlocked(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The resource without the locks of the engine and of the provider."""
    changed = {**resource, "protect": False}
    for part in _PARTS:
        if _PROVIDER_LOCK in (resource.get(part) or {}):
            changed[part] = {**resource[part], _PROVIDER_LOCK: False}
    return changed


def relocked(resource: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The resource with the locks that it had ``before``."""
    changed = {**resource, "protect": before.get("protect", False)}
    for part in _PARTS:
        if _PROVIDER_LOCK in (before.get(part) or {}):
            changed[part] = {**resource[part], _PROVIDER_LOCK: before[part][_PROVIDER_LOCK]}
    return changed


def refuse_protected(stack: str, resources: Iterable[Mapping[str, Any]], *, sandbox: bool) -> None:
    """Refuse to destroy a stack with protected resources, which takes two deliberate steps.

    The engine would stop half-way, at the first protected resource.

    Raises:
        Refused: the state holds protected resources; the text lists them and the two steps.
    """
    protected = [resource for resource in resources if resource.get("protect")]
    if not protected:
        return
    listed = "\n".join(
        f"  {short_type(resource['type'])}  {resource['urn'].rpartition('::')[2]}"
        for resource in protected
    )
    if sandbox:
        steps = "Add --lift-protection: it runs an up without protection first."
    else:
        steps = (
            f"First set 'pull:protect: false' in Pulumi.{stack}.yaml in a reviewed change and run "
            "up; then run destroy again."
        )
    raise Refused(
        "protected",
        f"{len(protected)} resources of {stack} are protected; nothing was deleted:\n"
        f"{listed}\n{steps}",
        resources=[resource["urn"] for resource in protected],
    )

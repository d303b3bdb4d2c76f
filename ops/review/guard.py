"""The guard over operations: refuses to lose data, identities, a service or a protection.

A policy sees the new inputs of a resource. It does not see that a resource is deleted or replaced,
nor what it was before. The guard reads the operations of a preview. It refuses these, unless
``approvals/<stack>.yaml`` approves that operation on that resource:

* the deletion or replacement of a stateful, identity or protected resource,
* the deletion or replacement of a resource without which a service stops or data becomes open,
* an update that loses data, a protection or a service (``updates`` in ``resource_types``), and an
  update of a stateful resource of which ``resource_types`` does not decide what it loses.

A resource that changes its type, by an alias, is judged by the old and by the new one.

Three locks can forbid a deletion. ``protect`` is the engine's. ``deletionProtection`` is the Google
provider's own: no API has it, and the provider reads it from the state during the ``up``
(``resourceSqlDatabaseInstanceDelete`` in terraform-provider-google, for example). The guard opens
these two in the state for an approved operation. The third is the platform's own lock, such as
``settings.deletionProtectionEnabled`` of Cloud SQL; it is in the cloud, and no command here opens
it.
"""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulumi.automation import OpType

from ops.errors import Refused
from ops.review.approvals import Approval, Operation
from ops.review.redaction import SECRET, at_path, differing_paths
from ops.review.steps import Step, short_type
from ops.review.traversal import reachable
from resource_types import RESOURCE_TYPES, UNDECIDED
from resource_types.updates import Update, is_within

CHAIN: Final = "external-polygon-chain"
"""Logical name of the resource that lists the contracts; those on mainnet cannot be rolled back."""

UNDESCRIBED: Final = (
    "resource_types does not describe this type, so nothing is known about what would be lost"
)

NOT_APPROVED: Final = (
    "Not approved. Add an entry with URN, operation, reason, approvers and expiry to "
    "approvals/{stack}.yaml."
)

NEW_APPROVAL: Final = (
    "This pull request adds an approval, which counts once it is on the target branch:"
)

NAMES: Final = 6
"""So many dependents are named in a refusal; the rest are counted."""

_OPERATIONS: Final[Mapping[OpType, Operation]] = {
    OpType.DELETE: "delete",
    OpType.REPLACE: "replace",
    OpType.UPDATE: "change",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """An operation that the guard would refuse without its approval."""

    urn: str
    operation: Operation
    loss: str
    approval: Approval

    def to_dict(self) -> dict[str, Any]:
        return {
            "urn": self.urn,
            "operation": self.operation,
            "loss": self.loss,
            "reason": self.approval.reason,
            "approvedBy": list(self.approval.approved_by),
            "expires": self.approval.expires.isoformat(),
        }

    def lines(self) -> Iterator[str]:
        """The approval as text."""
        yield f"approved: {self.operation} of {self.urn.rpartition('::')[2]}: {self.loss}"
        yield f"  {self.approval.description()}"


@dataclass(frozen=True, slots=True)
class Decision:
    """What the guard decides about the operations of a preview."""

    refusals: tuple[Refusal, ...] = ()
    approved: tuple[Approved, ...] = ()


def evaluate(
    stack: str,
    steps: Sequence[Step],
    approvals: Sequence[Approval],
    state: Callable[[], Mapping[str, Any]],
    today: datetime.date,
    proposed: Sequence[Approval] = (),
) -> Decision:
    """The decision about ``steps``.

    ``proposed`` are approvals of a pull request, which only count once they are merged.

    ``state`` returns the deployment before the operation. It is called only when something is
    deleted, replaced or updated, because an export takes seconds.
    """
    if not any(step.op in _OPERATIONS for step in steps):
        return Decision()
    resources = state().get("resources", ())
    protected = {resource["urn"] for resource in resources if is_locked(resource)}
    awaiting_deletion = {resource["urn"] for resource in resources if resource.get("delete")}
    dependents = _dependents(resources)
    ending = _ending_with_another(steps, _users(resources))
    refusals, approved = [], []
    for step in steps:
        threat = _threat(step, protected, ending)
        if threat is None:
            continue
        operation, loss = threat
        forced_by = step.forced_by or _replaced_dependencies(step, steps, dependents)
        if operation == "delete" and step.urn in awaiting_deletion:
            # The rest of an interrupted replacement takes the approval of that replacement.
            operation, forced_by = "replace", ("an earlier, interrupted replacement",)
        given = _covering(approvals, step.old_urn, operation)
        valid = next((each for each in given if not each.invalid_because(today)), None)
        if valid:
            approved.append(
                Approved(urn=step.old_urn, operation=operation, loss=loss, approval=valid)
            )
            continue
        reason = given[-1].invalid_because(today) if given else NOT_APPROVED.format(stack=stack)
        for new in _covering(proposed, step.old_urn, operation):
            if new not in approvals:
                reason += f" {NEW_APPROVAL} {new.description()}"
        refusals.append(
            Refusal(
                urn=step.old_urn,
                operation=operation,
                loss=loss,
                forced_by=forced_by,
                dependents=tuple(reachable(step.old_urn, dependents)),
                reason=reason,
            )
        )
    return Decision(tuple(refusals), tuple(approved))


def _covering(approvals: Sequence[Approval], urn: str, operation: Operation) -> Sequence[Approval]:
    """The approvals of an operation. What may be deleted may be changed in any way."""
    covering = {operation, "delete"} if operation == "change" else {operation}
    return [each for each in approvals if each.urn == urn and each.operation in covering]


def loss_of(step: Step) -> str | None:
    """What the deletion or replacement of the step's resource loses; ``None`` for nothing.

    A type without a record counts as stateful. A component and a provider lose nothing themselves.
    """
    for token in _types(step):
        record = RESOURCE_TYPES.get(token)
        if record is None or record.loss is UNDECIDED:
            return UNDESCRIBED
        if record.loss is not None:
            return record.loss
    return None


def urns_deleted(steps: Iterable[Step]) -> frozenset[str]:
    """URNs, as the state has them, of the resources that ``steps`` delete or replace."""
    return frozenset(step.old_urn for step in steps if step.op in (OpType.DELETE, OpType.REPLACE))


def _types(step: Step) -> tuple[str, ...]:
    """The old and the new type of a provider's resource; components and providers have none."""
    states = (state for state in (step.old, step.new) if state and state.custom)
    tokens = dict.fromkeys(state.type for state in states)
    return tuple(token for token in tokens if not token.startswith("pulumi:"))


def _threat(
    step: Step, protected: Collection[str], ending: Collection[str]
) -> tuple[Operation, str] | None:
    """The operation that needs an approval, and what would be lost; ``None`` if it needs none."""
    if step.name == CHAIN:
        before, after = _mainnet_contracts(step.old), _mainnet_contracts(step.new)
        if any(after.get(name) != address for name, address in before.items()):
            return "change", "users hold value in these contracts on mainnet"
    operation = _OPERATIONS.get(step.op)
    if operation is None:
        return None
    why = ""
    if operation == "change":
        if not _types(step):
            return None
        why = _replaced_after_all(step)
        if not why:
            lost = _lost_by_update(step)
            return ("change", lost) if lost else None
        operation = "replace"
    loss = loss_of(step)
    if loss is not None:
        return operation, loss if loss is UNDESCRIBED else f"{loss} would be lost{why}"
    if step.old_urn in protected:
        return operation, f"the resource is protected{why}"
    lost = _listed_losses(step) if operation == "replace" else ""
    if lost:
        return operation, f"{lost}{why}"
    outage = _outage_of(step)
    if outage is None or step.old_urn in ending:
        return None
    return operation, f"this ends {outage}{why}"


def _replaced_after_all(step: Step) -> str:
    """Why an update, as the engine reports it, takes the old resource away; empty if it does not.

    With an alias, a resource of another type takes its place in the state. And a preview without
    the real provider may not know that the provider replaces by the values.
    """
    assert step.new is not None
    if len(_types(step)) > 1:
        return f": it becomes a {short_type(step.new.type)}"
    replacing = [update.path for update in _applying(step) if update.effect == "replaces"]
    return f": {', '.join(replacing)} forces a replacement" if replacing else ""


def _lost_by_update(step: Step) -> str:
    """What an update in place loses, as a clause; empty for nothing."""
    record = RESOURCE_TYPES.get(step.type)
    if record is None:
        return UNDESCRIBED
    listed = _listed_losses(step)
    if listed:
        return listed
    undecided = sorted({path for path in _changed(step) if not record.decides_update(path)})
    return f"resource_types does not decide what {', '.join(undecided)} loses" if undecided else ""


def _listed_losses(step: Step) -> str:
    """What the changed values lose, by the registry, as a clause; empty for nothing."""
    lost = dict.fromkeys(update.text for update in _applying(step) if update.effect == "loses")
    return f"this loses {', '.join(lost)}" if lost else ""


def _applying(step: Step) -> list[Update]:
    """The effects of the changed values; every possible effect of a value that is secret."""
    record = RESOURCE_TYPES.get(step.type)
    hidden = [*_hidden(step)]
    return [
        update
        for update in (record.decided_updates if record else ())
        if update.applies(*_inputs(step))
        or any(is_within(update.path, path) or update.covers(path) for path in hidden)
    ]


def _hidden(step: Step) -> Iterator[str]:
    """The paths of the changes whose values are redacted, because the new one is secret.

    A program could otherwise hide a loss by marking the value that causes it as secret.
    """
    for change in step.changes():
        if change.old == change.new == SECRET:
            yield re.sub(r"\[\d+\]", "", change.path)


def _inputs(step: Step) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The inputs before and after; where only the outputs differ, what somebody changed by hand."""
    assert step.old is not None
    assert step.new is not None
    old: Mapping[str, Any] = step.old.inputs
    by_hand = {
        path.partition(".")[0].partition("[")[0]
        for path, detail in step.detailed_diff.items()
        if not detail["inputDiff"]
    }
    drifted = {
        name: step.old.outputs[name]
        for name in by_hand
        if name in step.old.outputs and old.get(name) == step.new.inputs.get(name)
    }
    return {**old, **drifted}, step.new.inputs


def _changed(step: Step) -> Iterator[str]:
    """The paths of the inputs that an update changes, down to single values."""
    assert step.old is not None
    assert step.new is not None
    yield from _hidden(step)
    named = {change.path for change in step.changes()}
    for path in differing_paths(step.old.inputs, step.new.inputs):
        for leaf in _leaves(path, at_path(step.old.inputs, path), at_path(step.new.inputs, path)):
            if any(is_within(leaf, name) or is_within(name, leaf) for name in named):
                yield re.sub(r"\[\d+\]", "", leaf)


def _leaves(path: str, *values: Any) -> Iterator[str]:
    """The paths of the values inside a block that is added, removed or changed as a whole."""
    inside = [value for value in values if isinstance(value, Mapping) and value]
    if not inside:
        yield path
    for name in dict.fromkeys(key for value in inside for key in value):
        yield from _leaves(f"{path}.{name}", *(value.get(name) for value in inside))


def _outage_of(step: Step) -> str | None:
    """What stops or becomes open while the step's resource is missing; ``None`` for nothing."""
    for token in _types(step):
        record = RESOURCE_TYPES.get(token)
        if record is None:
            continue  # it counts as stateful
        is_replaced_grant = step.op is OpType.REPLACE and record.permissions == "grants"
        # The new grant, or the next release, is there before the old one goes.
        if record.outage and not is_replaced_grant and not record.replaced_by_design:
            return record.outage
    return None


def _ending_with_another(
    steps: Iterable[Step], users: Mapping[str, Sequence[str]]
) -> frozenset[str]:
    """URNs of resources whose outage is part of another loss, which has its own approval.

    They use a resource that goes, or everything that uses them goes with a loss.
    """
    going = {step.old_urn: step for step in steps if step.op in (OpType.DELETE, OpType.REPLACE)}
    roots = {urn for urn, step in going.items() if loss_of(step)}
    lost = roots.union(*(reachable(urn, users) for urn in roots))
    outages = {urn for urn, step in going.items() if _outage_of(step)}
    below = {urn for outage in outages for urn in reachable(outage, users)}
    unused = {
        urn
        for urn in going
        if users.get(urn) and all(user in lost and user in going for user in users[urn])
    }
    return frozenset(lost | below | unused)


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


def _users(resources: Iterable[Mapping[str, Any]]) -> Mapping[str, list[str]]:
    """For each URN, the URNs of the resources that have a value of it or have it as a provider.

    A resource that only waits for another one is not in it: it can do without the other.
    """
    users: dict[str, list[str]] = defaultdict(list)
    for resource in resources:
        provider = (resource.get("provider") or "").rpartition("::")[0]
        sources = (resource.get("propertyDependencies") or {}).values()
        used = [provider, *(urn for urns in sources for urn in urns or ())]
        for urn in dict.fromkeys(filter(None, used)):
            users[urn].append(resource["urn"])
    return users


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

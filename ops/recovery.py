"""Repairs the state after a crash: finds out what the killed engine had done and records it.

The engine writes every operation to the state before it calls a provider. When it is killed, that
entry remains ("pending operation"), and so does its lock on the stack. An interrupted creation is
the dangerous case: the resource may exist although the state lacks its id, and the next ``up``
would create it twice. ``pulumi refresh --import-pending-creates`` is meant for that, but engine
3.274 only drops the entry. So the resource is added to the state here, by export and import, and a
refresh then reads it.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from pulumi.automation import OpType

from ops.engine.stack import OpenStack
from ops.errors import Refused, WrongInput
from ops.review.redaction import SECRET, is_unknown
from ops.review.steps import State, Step, short_type

# The engine repeats the update of a resource with such an error. So the next up completes the
# resource even if the refresh that follows the import is interrupted.
UNREAD: Final = "added to the state after an interrupted creation, and not read since"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock on the stack, held by an engine or left behind by one."""

    pid: int
    host: str
    since: str

    def held(self) -> bool:
        """Whether its engine may still be running; always true for another machine."""
        if self.host != socket.gethostname():
            return True
        listed = subprocess.run(
            ["ps", "-o", "comm=", "-p", str(self.pid)], capture_output=True, text=True, check=False
        )
        return "pulumi" in listed.stdout  # another program may have the same id by now


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An operation that the engine had started. ``kind`` is the engine's term, such as creating."""

    kind: str
    urn: str
    resource: Mapping[str, Any]

    @property
    def creating(self) -> bool:
        return self.kind == "creating"

    def __str__(self) -> str:
        return f"{self.kind}  {short_type(self.resource['type'])}  {self.urn.rpartition('::')[2]}"


def locks(opened: OpenStack) -> list[Lock]:
    """The locks in a sandbox's state folder; none for other backends."""
    if opened.environment.state is None:
        return []
    folder = opened.environment.state / ".pulumi" / "locks" / "organization"
    found = [json.loads(file.read_text("utf-8")) for file in folder.glob(f"*/{opened.name}/*.json")]
    return [Lock(pid=lock["pid"], host=lock["hostname"], since=lock["timestamp"]) for lock in found]


def pending(opened: OpenStack) -> list[Pending]:
    """The pending operations in the state."""
    operations = opened.state().get("pending_operations") or []
    return [
        Pending(
            kind=operation["type"],
            urn=operation["resource"]["urn"],
            resource=operation["resource"],
        )
        for operation in operations
    ]


def refuse_interrupted(opened: OpenStack) -> None:
    """Refuse to start while an operation is running or interrupted.

    Raises:
        Refused: there are locks or pending operations; the text lists them and the command that
            repairs the state.
    """
    found = [
        f"locked by process {lock.pid} on {lock.host} since {lock.since}" for lock in locks(opened)
    ]
    found += [str(operation) for operation in pending(opened)]
    if found:
        listed = "\n".join(f"  {line}" for line in found)
        raise Refused(
            "interrupted",
            f"Another operation on {opened.name} is running, or was killed:\n"
            f"{listed}\nIf it is no longer running, repair the state with\n"
            f"  {opened.recover_command}",
            found=found,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """A resource that the program declares and the state lacks, and that exists.

    Attributes:
        step: its planned creation.
        id: the id with which it exists.
        components: the planned creations of the components around it, the outermost first.
    """

    step: Step
    id: str
    components: tuple[Step, ...]

    def __str__(self) -> str:
        name = f"{short_type(self.step.type)}  {self.step.name}"
        return f"{name}: exists as {self.id}; add it to the state"

    def resources(self) -> Iterator[dict[str, Any]]:
        """What the state has to hold. A refresh adds the outputs, and the next ``up`` the rest."""
        for component in self.components:
            yield _resource(component.state)
        state = self.step.state
        inputs = {name: value for name, value in state.inputs.items() if _is_complete(value)}
        yield {
            **_resource(state),
            "id": self.id,
            "inputs": inputs,
            "provider": state.provider,
            "initErrors": [UNREAD],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """The steps that repair the state before the next ``up``.

    Attributes:
        locks: the locks that were left behind.
        settled: pending operations, each with the id of the resource if it was a creation that
            succeeded, or None.
    """

    locks: Sequence[Lock]
    settled: Sequence[tuple[Pending, str | None]]

    def lines(self) -> list[str]:
        """The steps as text."""
        broken = [f"lock of process {lock.pid} on {lock.host}: remove it" for lock in self.locks]
        return broken + [f"{operation}: {_step(operation, id_)}" for operation, id_ in self.settled]


def plan_recovery(opened: OpenStack, exists: Mapping[str, str], missing: Sequence[str]) -> Recovery:
    """Find out how each interrupted operation ended.

    In a sandbox, its cloud is read. In real accounts the user looks it up: ``exists`` has the ids
    of the resources that were created, by URN, and ``missing`` the URNs of those that were not.

    Raises:
        Refused: the engine that holds the lock is still running, or it is unknown whether a
            resource was created; the text says how to look it up.
        WrongInput: ``exists`` or ``missing`` name a resource that is not pending.
    """
    left = locks(opened)
    held = [lock for lock in left if lock.held()]
    if held:
        listed = "\n".join(
            f"  process {lock.pid} on {lock.host} since {lock.since}" for lock in held
        )
        raise Refused(
            "running",
            f"An engine is still running on {opened.name}:\n{listed}\nWait for it, or interrupt it "
            "with kill -INT. If it ran on a machine that no longer exists, run pulumi cancel.",
        )
    operations = pending(opened)
    creations = {operation.urn: operation for operation in operations if operation.creating}
    not_pending = sorted({*exists, *missing} - creations.keys())
    if not_pending:
        raise WrongInput(
            "pending",
            "The creation of these resources is not pending:\n"
            + "\n".join(f"  {urn}" for urn in not_pending),
        )
    created: dict[str, str | None] = {**dict.fromkeys(missing, None), **exists}
    if opened.cloud:
        created = {urn: _id_in_cloud(opened, urn) for urn in creations}
    unknown = [operation for urn, operation in creations.items() if urn not in created]
    if unknown:
        raise Refused(
            "unknown",
            _how_to_look_up(opened, unknown),
            pending=[operation.urn for operation in unknown],
        )
    return Recovery(
        locks=left,
        settled=[(operation, created.get(operation.urn)) for operation in operations],
    )


def find_existing(opened: OpenStack, exists: Mapping[str, str]) -> list[Existing]:
    """The resources that an ``up`` would create although they exist.

    A creation can succeed and be answered with an error, or not be stored because the disk is full.
    In a sandbox, its cloud knows what it created for which resource. In real accounts the user
    looks the names up, and ``exists`` has the ids by URN.

    Raises:
        Refused: the preview failed, or it has to be looked up which resources exist.
        WrongInput: ``exists`` names a resource that an ``up`` would not create.
    """
    preview = opened.preview()
    if not preview.succeeded:
        raise Refused("engine", f"The preview failed:\n{preview.causes}")
    known = {resource["urn"] for resource in opened.state().get("resources", ())}
    created = {step.urn: step for step in preview.steps if step.op is OpType.CREATE}
    planned = {
        urn: step
        for urn, step in created.items()
        if step.state.custom and step.state.provider.rpartition("::")[0] in known
    }
    unplanned = sorted(exists.keys() - planned.keys())
    if unplanned:
        raise WrongInput(
            "exists",
            "An up would not create these resources, or their provider is not in the state:\n"
            + "\n".join(f"  {urn}" for urn in unplanned),
        )
    ids: Mapping[str, str | None] = exists
    if opened.cloud:
        ids = {urn: _id_in_cloud(opened, urn) for urn in planned}
    elif planned and not exists:
        raise Refused("unknown", _how_to_find(opened, planned.values()), found=sorted(planned))
    return [
        Existing(
            step=planned[urn],
            id=id_,
            components=tuple(reversed([*_ancestors(planned[urn], created)])),
        )
        for urn, id_ in ids.items()
        if id_
    ]


def adopt(opened: OpenStack, existing: Sequence[Existing]) -> None:
    """Add resources to the state. A refresh has to follow: it drops what does not exist."""
    if not existing:
        return
    deployment = deepcopy(dict(opened.state()))
    resources = deployment["resources"]
    for found in existing:
        known = {resource["urn"] for resource in resources}
        resources += [item for item in found.resources() if item["urn"] not in known]
    opened.replace_state(deployment)


def recover(opened: OpenStack, recovery: Recovery) -> None:
    """Remove the locks and add created resources to the state. A refresh has to follow."""
    if recovery.locks or not opened.cloud:
        opened.break_lock()
    if not recovery.settled:
        return
    deployment = deepcopy(dict(opened.state()))
    deployment["pending_operations"] = []
    for operation, id_ in recovery.settled:
        if id_ is not None:
            _adopt(deployment["resources"], {**operation.resource, "id": id_})
    opened.replace_state(deployment)


def _adopt(resources: list[dict[str, Any]], created: dict[str, Any]) -> None:
    """Add a created resource, in front of the resource that it replaces if there is one."""
    created["initErrors"] = [UNREAD]
    for index, resource in enumerate(resources):
        if resource["urn"] == created["urn"] and not resource.get("delete"):
            if resource.get("pendingReplacement"):  # it was deleted before its replacement
                resources[index] = created
            else:
                resource["delete"] = True
                resources.insert(index, created)
            return
    resources.append(created)


def _id_in_cloud(opened: OpenStack, urn: str) -> str | None:
    """The id of the resource that the sandbox's cloud has for ``urn`` and the state lacks."""
    assert opened.cloud is not None
    known = {
        resource.get("id")
        for resource in opened.state()["resources"]
        # A resource that was deleted before its replacement had the same id if the id is a name.
        if resource["urn"] == urn and not resource.get("pendingReplacement")
    }
    return next((id_ for id_ in opened.cloud.ids_of(urn) if id_ not in known), None)


def _step(operation: Pending, id_: str | None) -> str:
    if not operation.creating:
        return "the refresh finds out how it ended"
    return f"exists as {id_}; add it to the state" if id_ else "does not exist; drop it"


def _ancestors(step: Step, created: Mapping[str, Step]) -> Iterator[Step]:
    """The components around a resource that the state lacks as well, the innermost first."""
    parent = created.get(step.state.parent)
    while parent is not None:
        yield parent
        parent = created.get(parent.state.parent)


def _resource(state: State) -> dict[str, Any]:
    return {
        "urn": state.urn,
        "custom": state.custom,
        "type": state.type,
        "parent": state.parent,
    }


def _is_complete(value: Any) -> bool:
    """Whether a preview shows the whole value: no part is secret, or known after an up only."""
    if isinstance(value, Mapping):
        return all(_is_complete(item) for item in value.values())
    if isinstance(value, list):
        return all(_is_complete(item) for item in value)
    return not is_unknown(value) and not (isinstance(value, str) and SECRET in value)


def _how_to_find(opened: OpenStack, planned: Iterable[Step]) -> str:
    listed = "\n".join(
        f"  {short_type(step.type)}  {_described(step.state.inputs)}\n    {step.urn}"
        for step in planned
    )
    return (
        f"An up would create these resources:\n{listed}\n"
        "Look up by its name, in its platform's console or command line, each one whose creation\n"
        "may have succeeded. Then run\n"
        f"  {opened.recover_command} --adopt-existing\n"
        "with --exists 'URN=ID' for each resource that exists. For the format of the ID, see "
        "'Import'\non the page of the resource's type at https://www.pulumi.com/registry."
    )


def _how_to_look_up(opened: OpenStack, unknown: Sequence[Pending]) -> str:
    listed = "\n".join(
        f"  {short_type(operation.resource['type'])}  {_described(operation.resource['inputs'])}\n"
        f"    {operation.urn}"
        for operation in unknown
    )
    return (
        "The engine was killed while it was creating these resources:\n"
        f"{listed}\n"
        "Look up each of them by its name in its platform's console or command line. Then run\n"
        f"  {opened.recover_command}\n"
        "with --exists 'URN=ID' for each resource that exists, and --missing 'URN' for each that\n"
        "does not. For the format of the ID, see 'Import' on the page of the resource's type at\n"
        "https://www.pulumi.com/registry."
    )


def _described(inputs: Mapping[str, Any]) -> str:
    plain = {key: value for key, value in inputs.items() if isinstance(value, str)}
    return ", ".join(f"{key} {value}" for key, value in sorted(plain.items()))

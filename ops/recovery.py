"""After a crash: find out what the killed engine had done, and make the state say so.

The engine notes every operation in the state before it asks a provider for it. When it is killed,
the note stays ("pending operation") and so does its lock on the stack. An interrupted creation is
the dangerous one: the resource may exist while the state does not have its id, and the next ``up``
would make it twice. ``pulumi refresh --import-pending-creates`` is meant for that, but engine 3.230
only drops the note; so the resource enters the state here, by export and import, and a refresh then
reads it.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from ops.engine.stack import OpenStack
from ops.errors import Refused, WrongInput
from ops.review.steps import short_type

# The engine repeats an update whose resource has such an error: should the refresh that follows the
# import never come to its end, then the next up completes the resource all the same.
UNREAD: Final = "taken over after an interrupted creation, and not read since"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock that an engine holds on the stack, or has left behind."""

    pid: int
    host: str
    since: str

    def held(self) -> bool:
        """Whether its engine may still be at work. Of another machine nothing is known."""
        if self.host != socket.gethostname():
            return True
        listed = subprocess.run(
            ["ps", "-o", "comm=", "-p", str(self.pid)], capture_output=True, text=True, check=False
        )
        return "pulumi" in listed.stdout  # another program may have got the number since


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An operation that the engine had begun. ``kind`` is the engine's word, such as creating."""

    kind: str
    urn: str
    resource: Mapping[str, Any]

    @property
    def creating(self) -> bool:
        return self.kind == "creating"

    def __str__(self) -> str:
        return f"{self.kind}  {short_type(self.resource['type'])}  {self.urn.rpartition('::')[2]}"


def locks(opened: OpenStack) -> list[Lock]:
    """The locks in a sandbox's state folder. Of the user's own backend only the engine knows."""
    if opened.environment.state is None:
        return []
    folder = opened.environment.state / ".pulumi" / "locks" / "organization"
    found = [json.loads(file.read_text("utf-8")) for file in folder.glob(f"*/{opened.name}/*.json")]
    return [Lock(pid=lock["pid"], host=lock["hostname"], since=lock["timestamp"]) for lock in found]


def pending(opened: OpenStack) -> list[Pending]:
    """The operations that the state calls pending."""
    noted = opened.state().get("pending_operations") or []
    return [
        Pending(kind=one["type"], urn=one["resource"]["urn"], resource=one["resource"])
        for one in noted
    ]


def refuse_interrupted(opened: OpenStack) -> None:
    """Let nothing start on top of what a killed engine left behind.

    Raises:
        Refused: a lock or pending operations are in the way; the text lists them and the command.
    """
    found = [
        f"locked by process {lock.pid} on {lock.host} since {lock.since}" for lock in locks(opened)
    ]
    found += [str(operation) for operation in pending(opened)]
    if found:
        listed = "\n".join(f"  {line}" for line in found)
        raise Refused(
            "interrupted",
            f"An earlier operation on {opened.name} runs still, or was stopped in the middle:\n"
            f"{listed}\nIf it does not run any more, settle what it left with\n"
            f"  {opened.recover_command}",
            found=found,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What has to be done before the next ``up``.

    Attributes:
        locks: those that are left behind.
        settled: pending operations, each with the id of the resource that a creation had made, or
            None for a creation that had made nothing, and for anything that is not a creation.
    """

    locks: Sequence[Lock]
    settled: Sequence[tuple[Pending, str | None]]

    def lines(self) -> list[str]:
        """The plan in words."""
        broken = [f"lock of process {lock.pid} on {lock.host}: break it" for lock in self.locks]
        return broken + [
            f"{operation}: {_fate(operation, made)}" for operation, made in self.settled
        ]


def plan_recovery(opened: OpenStack, found: Mapping[str, str], gone: Sequence[str]) -> Recovery:
    """Find out what became of everything that was interrupted.

    In a sandbox the cloud is asked. Elsewhere somebody looks: ``found`` gives the ids of creations
    that had succeeded (by URN), and ``gone`` the URNs of those that had not.

    Raises:
        Refused: the engine that holds the lock runs still, or it is not known what became of some
            creation; the text says how to look it up.
        WrongInput: ``found`` or ``gone`` name what is not pending.
    """
    left = locks(opened)
    held = [lock for lock in left if lock.held()]
    if held:
        listed = "\n".join(
            f"  process {lock.pid} on {lock.host} since {lock.since}" for lock in held
        )
        raise Refused(
            "running",
            f"An engine still works on {opened.name}:\n{listed}\nWait for it, or interrupt it with "
            "kill -INT. Where it is on another machine that is no more, run pulumi cancel.",
        )
    operations = pending(opened)
    creations = {operation.urn: operation for operation in operations if operation.creating}
    unasked = sorted({*found, *gone} - creations.keys())
    if unasked:
        raise WrongInput(
            "pending",
            "No creation of these is pending:\n" + "\n".join(f"  {urn}" for urn in unasked),
        )
    fates: dict[str, str | None] = {**dict.fromkeys(gone, None), **found}
    if opened.cloud:
        fates = {urn: _made_unnoticed(opened, urn) for urn in creations}
    unknown = [operation for urn, operation in creations.items() if urn not in fates]
    if unknown:
        raise Refused(
            "unknown", _how_to_look(opened, unknown), pending=[one.urn for one in unknown]
        )
    return Recovery(
        locks=left,
        settled=[(operation, fates.get(operation.urn)) for operation in operations],
    )


def recover(opened: OpenStack, recovery: Recovery) -> None:
    """Break the locks and take over what had been created. A refresh has to follow."""
    if recovery.locks or not opened.cloud:
        opened.break_lock()
    if not recovery.settled:
        return
    deployment = deepcopy(dict(opened.state()))
    deployment["pending_operations"] = []
    for operation, made in recovery.settled:
        if made is not None:
            _take_over(deployment["resources"], {**operation.resource, "id": made})
    opened.replace_state(deployment)


def _take_over(resources: list[dict[str, Any]], created: dict[str, Any]) -> None:
    """Enter a created resource, in front of the one that it replaces if there is one."""
    created["initErrors"] = [UNREAD]
    for index, resource in enumerate(resources):
        if resource["urn"] == created["urn"] and not resource.get("delete"):
            if resource.get("pendingReplacement"):  # it was deleted first; nothing of it is left
                resources[index] = created
            else:
                resource["delete"] = True
                resources.insert(index, created)
            return
    resources.append(created)


def _made_unnoticed(opened: OpenStack, urn: str) -> str | None:
    """The id of what the sandbox's cloud made for ``urn`` and the state does not know."""
    assert opened.cloud is not None
    known = {
        resource.get("id")
        for resource in opened.state()["resources"]
        # One that was deleted for its replacement had the same id, where a name is the id.
        if resource["urn"] == urn and not resource.get("pendingReplacement")
    }
    return next((made for made in opened.cloud.ids_of(urn) if made not in known), None)


def _fate(operation: Pending, made: str | None) -> str:
    if not operation.creating:
        return "a refresh will tell how it ended"
    return f"it exists as {made}; take it over" if made else "it does not exist; forget it"


def _how_to_look(opened: OpenStack, unknown: Sequence[Pending]) -> str:
    listed = "\n".join(
        f"  {short_type(operation.resource['type'])}  {_described(operation.resource['inputs'])}\n"
        f"    {operation.urn}"
        for operation in unknown
    )
    return (
        "The engine was killed while it created these; only the platform knows whether it did:\n"
        f"{listed}\n"
        "Look each one up in its platform's console or command line, by the name above. Then run\n"
        f"  {opened.recover_command}\n"
        "with --found 'URN=ID' for each one that exists (the ID as under 'Import' on the page of\n"
        "its type on https://www.pulumi.com/registry), and --gone 'URN' for each that does not."
    )


def _described(inputs: Mapping[str, Any]) -> str:
    plain = {key: value for key, value in inputs.items() if isinstance(value, str)}
    return ", ".join(f"{key} {value}" for key, value in sorted(plain.items()))

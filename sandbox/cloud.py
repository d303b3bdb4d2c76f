"""The cloud: which resources exist, what they refer to, and which names are taken.

It is one SQLite file. Every change is committed before the provider answers, so that the cloud is
ahead of the engine's state when the engine dies in between, as with a real cloud.
"""

from __future__ import annotations

import fnmatch
import json
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from resource_types import gcp
from sandbox import revisions
from sandbox.models import model_of
from sandbox.models.base import Reference, RequiredRole, ResourceModel, evaluate
from sandbox.models.gcp import api_of
from sandbox.outputs import outputs_of, preview_update
from sandbox.resource import Resource, now
from sandbox.schema import CheckFailure, check, record_of, schema_of
from sandbox.values import Properties, is_secret, redact, reveal, secret, values_at

FILE_NAME: Final = "cloud.sqlite"

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS resource (
    key INTEGER PRIMARY KEY,
    urn TEXT NOT NULL,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    address TEXT NOT NULL,
    seed TEXT NOT NULL,
    created TEXT NOT NULL,
    internal TEXT NOT NULL,
    inputs TEXT NOT NULL,
    outputs TEXT NOT NULL,
    UNIQUE (type, address)
);
CREATE INDEX IF NOT EXISTS resource_id ON resource (id);
CREATE INDEX IF NOT EXISTS resource_urn ON resource (urn);
CREATE TABLE IF NOT EXISTS reference (
    source INTEGER NOT NULL REFERENCES resource ON DELETE CASCADE,
    target INTEGER NOT NULL REFERENCES resource ON DELETE CASCADE,
    relation TEXT NOT NULL,
    PRIMARY KEY (source, target, relation)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reference_target ON reference (target);
CREATE TABLE IF NOT EXISTS reserved (
    type TEXT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (type, address)
) WITHOUT ROWID;
"""

_BY_ID: Final = "SELECT * FROM resource WHERE type = ? AND id = ?"
_BY_ADDRESS: Final = "SELECT * FROM resource WHERE type = ? AND address = ?"
_REFERRING: Final = (
    "SELECT resource.* FROM reference JOIN resource ON resource.key = reference.source"
    " WHERE reference.target = ?"
)

_CHANGED_BY_HAND: Final = "changed by hand"
"""The entry of ``Record.internal`` with what somebody else changed, by property path."""


class ApiError(Exception):
    """The cloud rejects a request. ``code`` is the HTTP status that the real API would send."""

    def __init__(self, code: Literal[400, 403, 404, 409], message: str) -> None:
        super().__init__(f"Error {code}: {message}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Record:
    """A resource as the cloud stores it; inputs and outputs have secret marks.

    ``urn`` names the resource of the program that created it. It is empty once the program has
    deleted its resource and the cloud keeps it.
    """

    key: int
    urn: str
    type: str
    id: str
    address: str
    seed: str
    created: str
    internal: Properties
    inputs: Properties
    outputs: Properties

    def summary(self) -> Properties:
        """The type, the id, the address, and the outputs with secrets redacted."""
        return {
            "type": self.type,
            "id": self.id,
            "address": self.address,
            "outputs": redact(self.outputs),
        }


class Cloud:
    """All resources, in ``cloud.sqlite`` in the directory. Threads and processes can share it."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / FILE_NAME
        path.touch(mode=0o600)  # it contains generated passwords
        self._lock = threading.RLock()
        self._database = sqlite3.connect(
            path, timeout=30, isolation_level=None, check_same_thread=False
        )
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute("PRAGMA foreign_keys = ON")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # -- Reading -----------------------------------------------------------------------------------

    def read(self, token: str, identity: str) -> Record | None:
        """The resource of a type with the id, if it exists."""
        return self._first(_BY_ID, token, identity)

    def ids_of(self, urn: str) -> list[str]:
        """The ids of what a resource of the program created and did not delete, newest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT id FROM resource WHERE urn = ? ORDER BY key DESC", (urn,)
            )
            return [identity for (identity,) in rows]

    def resources(self) -> list[Record]:
        """All resources, in the order of type and address."""
        return self._all("SELECT * FROM resource ORDER BY type, address")

    def named(self, name: str) -> list[Record]:
        """Resources whose id, address or last part of the address is the name.

        ``<type> <address>`` always names exactly one resource.
        """
        return [
            record
            for record in self.resources()
            if name
            in (
                record.id,
                record.address,
                record.address.rpartition("/")[2],
                f"{record.type} {record.address}",
            )
        ]

    def dependencies(self) -> list[tuple[Record, Record]]:
        """Each resource with each other resource that it needed when it was created."""
        with self._lock:
            keys = self._database.execute("SELECT DISTINCT source, target FROM reference")
            pairs = keys.fetchall()
            records = {record.key: record for record in self.resources()}
        return [(records[source], records[target]) for source, target in pairs]

    def _first(self, query: str, *values: Any) -> Record | None:
        return next(iter(self._all(query, *values)), None)

    def _all(self, query: str, *values: Any) -> list[Record]:
        with self._lock:
            rows = self._database.execute(query, values).fetchall()
        return [_record(row) for row in rows]

    # -- Changing ----------------------------------------------------------------------------------

    def create(self, urn: str, token: str, inputs: Properties, settings: Properties) -> Record:
        """Create a resource.

        Raises:
            ApiError: the real cloud would not create it.
        """
        model = model_of(token)
        with self._transaction():
            resource = _resource(model, inputs, settings)
            present = self._first(_BY_ADDRESS, token, resource.address)
            if present is not None and not model.idempotent:
                raise _taken(present)
            if present is None and self._is_reserved(token, resource.address):
                raise ApiError(
                    409,
                    f"{token} {resource.address} was deleted recently; the cloud keeps the name "
                    "reserved",
                )
            return self._store(urn, token, resource, inputs, present)

    def update(self, token: str, identity: str, inputs: Properties, settings: Properties) -> Record:
        """Change a resource in place.

        Raises:
            ApiError: it does not exist, its new address is taken, or the real cloud would not
                change it.
        """
        model = model_of(token)
        with self._transaction():
            present = self.read(token, identity)
            if present is None:
                raise ApiError(404, f"{token} {identity} was not found (somebody deleted it)")
            resource = _resource(model, inputs, settings, present)
            _check_immutable(model, present, resource)
            _resolve_conflicts(model, present, resource)
            other = self._first(_BY_ADDRESS, token, resource.address)
            if other and other.key != present.key:
                raise _taken(other)
            return self._store(present.urn, token, resource, inputs, present)

    def plan(self, record: Record, inputs: Properties, settings: Properties) -> Properties:
        """The outputs in the preview of an update with these inputs."""
        model = model_of(record.type)
        resource = _resource(model, inputs, settings, record)
        if model.history == "revisions":
            resource.internal = revisions.add(resource)
        outputs = outputs_of(record.type, resource, inputs)
        return preview_update(record.outputs, outputs, inputs)

    def delete(self, token: str, identity: str, state: Properties) -> None:
        """Delete a resource, if it exists. ``state`` is its state in the engine.

        Raises:
            ApiError: it is protected, or other resources use it.
        """
        on_delete = model_of(token).on_delete
        with self._transaction():
            record = self.read(token, identity)
            if record is None:
                return
            _check_deletion_locks(record, state)
            if not isinstance(on_delete, str):
                on_delete = on_delete(reveal(record.inputs))
            if on_delete == "abandon":
                self._write(replace(record, urn=""))
                return
            self._check_unused(record)
            if on_delete == "blocked_by_retained_sql":
                self._check_no_retained_sql(record)
            if on_delete == "reserve_address":
                self._database.execute(
                    "INSERT OR IGNORE INTO reserved VALUES (?, ?)", (token, record.address)
                )
            self._remove(record)

    # -- Changes that bypass the program -----------------------------------------------------------

    def edit(self, record: Record, path: str, value: Any) -> None:
        """Change a property in the cloud, as somebody does in the console.

        Raises:
            ApiError: the property does not exist, or the value has the wrong type.
        """
        schema = schema_of(record.type)
        top = re.split(r"[.\[]", path, maxsplit=1)[0]
        inputs = record.inputs
        if top in schema.inputs.fields:
            inputs = _with_value(inputs, path, value)
            _raise_failures(check(inputs, schema.inputs)[1], record.type, record.address)
        elif top not in schema.outputs:
            raise ApiError(400, f"{record.type} has no {top}; it has {', '.join(schema.outputs)}")
        internal = record.internal
        if model_of(record.type).forces_conflicts:
            changed = {**internal.get(_CHANGED_BY_HAND, {}), path: value}
            internal = {**internal, _CHANGED_BY_HAND: changed}
        outputs = _with_value(record.outputs, path, value)
        with self._transaction():
            self._write(replace(record, internal=internal, inputs=inputs, outputs=outputs))

    def remove(self, record: Record) -> None:
        """Delete a resource with all its children, whatever uses or protects it."""
        with self._transaction():
            self._remove(record)

    # -- Inside ------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def _is_reserved(self, token: str, address: str) -> bool:
        found = self._database.execute(
            "SELECT 1 FROM reserved WHERE type = ? AND address = ?", (token, address)
        )
        return found.fetchone() is not None

    def _store(
        self,
        urn: str,
        token: str,
        resource: Resource,
        inputs: Properties,
        present: Record | None,
    ) -> Record:
        model = model_of(token)
        targets = list(self._targets(token, model, resource))
        self._check_conflicts(token, model, resource, present)
        if model.history == "revisions":
            before, resource.internal = resource.internal, revisions.add(resource)
            if rejection := revisions.rejection(before, resource):
                raise ApiError(*rejection)
        elif model.history == "number" and present is None:
            resource.internal = {"number": self._next_number(targets)}
        failures = [failure for check in model.checked_at_apply for failure in check(resource)]
        _raise_failures(failures, token, resource.address)
        record = Record(
            key=present.key if present else self._new_key(),
            urn=urn,
            type=token,
            id=present.id if present else str(evaluate(model.id, resource)),
            address=resource.address,
            seed=resource.seed,
            created=resource.created,
            internal=resource.internal,
            inputs=inputs,
            outputs=outputs_of(token, resource, inputs),
        )
        self._write(record)
        self._database.execute("DELETE FROM reference WHERE source = ?", (record.key,))
        self._database.executemany(
            "INSERT OR IGNORE INTO reference VALUES (?, ?, ?)",
            [(record.key, target.key, relation) for relation, target in targets],
        )
        return record

    def _new_key(self) -> int:
        query = "SELECT coalesce(max(key), 0) + 1 FROM resource"
        (key,) = self._database.execute(query).fetchone()
        return int(key)

    def _write(self, record: Record) -> None:
        documents = (record.internal, record.inputs, record.outputs)
        self._database.execute(
            "INSERT INTO resource VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET"
            " urn = excluded.urn, address = excluded.address, internal = excluded.internal,"
            " inputs = excluded.inputs, outputs = excluded.outputs",
            (
                record.key,
                record.urn,
                record.type,
                record.id,
                record.address,
                record.seed,
                record.created,
                *(json.dumps(document) for document in documents),
            ),
        )

    def _remove(self, record: Record) -> None:
        for child in self._all(f"{_REFERRING} AND reference.relation = 'parent'", record.key):
            self._remove(child)
        self._database.execute("DELETE FROM resource WHERE key = ?", (record.key,))

    def _check_unused(self, record: Record) -> None:
        users = self._all(
            f"{_REFERRING} AND reference.relation = 'blocks_deletion' ORDER BY type, address",
            record.key,
        )
        if users:
            names = ", ".join(f"{user.type} {user.address}" for user in users)
            raise ApiError(400, f"{record.type} {record.address} is in use by {names}")

    def _check_no_retained_sql(self, record: Record) -> None:
        """Cloud SQL retains a deleted instance for days, and the instance keeps the connection.

        https://cloud.google.com/vpc/docs/configure-private-services-access#removing-connection
        """
        project = record.address.partition("/global/")[0]
        retained = self._database.execute(
            "SELECT address FROM reserved WHERE type = ? AND address GLOB ?",
            (gcp.SQL_INSTANCE, f"{project}/*"),
        ).fetchone()
        if retained:
            raise ApiError(
                400,
                f"{record.type} {record.address}: producers still use it, such as {retained[0]}",
            )

    def _check_conflicts(
        self, token: str, model: ResourceModel, resource: Resource, present: Record | None
    ) -> None:
        for pattern in model.conflicting_addresses(resource):
            conflicting = self._first(
                "SELECT * FROM resource WHERE type = ? AND address GLOB ? AND key IS NOT ?",
                *(token, pattern, present.key if present else None),
            )
            if conflicting:
                raise ApiError(
                    409,
                    f"{token} {resource.address} cannot exist next to {conflicting.address}",
                )

    def _targets(
        self, token: str, model: ResourceModel, resource: Resource
    ) -> Iterator[tuple[str, Record]]:
        """What the resource needs in order to exist, each with its relation.

        Raises:
            ApiError: something does not exist.
        """
        project = resource.inputs.get("project") or resource.settings.get("project")
        api = api_of(token)
        if api and project:
            yield "blocks_deletion", self._enabled_api(api, project)
        for reference in model.references:
            for path, value in resource.values_at(reference.path):
                found = re.fullmatch(reference.pattern, value)
                if found is None or found[1] in reference.predefined:
                    continue
                target = self._target(reference, path, found[1], resource)
                yield reference.relation, target
                if reference.required_role:
                    role = reference.required_role
                    yield "must_exist", self._grant_of(role, path, target, resource)

    def _enabled_api(self, api: str, project: str) -> Record:
        service = self._first(_BY_ADDRESS, gcp.PROJECT_SERVICE, f"{project}/{api}")
        if service is None:
            raise ApiError(403, f"SERVICE_DISABLED: {api} is not enabled in project {project}")
        return service

    def _grant_of(
        self, role: RequiredRole, path: str, target: Record, resource: Resource
    ) -> Record:
        member = str(evaluate(role.member, resource))
        for grant in self._all(f"{_REFERRING} AND resource.type = ?", target.key, role.grant_type):
            inputs = reveal(grant.inputs)
            if inputs["role"] == role.role and fnmatch.fnmatchcase(inputs["member"], member):
                return grant
        raise ApiError(
            403, f"{resource.address}: {member} needs {role.role} on {target.address} ({path})"
        )

    def _target(self, reference: Reference, path: str, value: str, resource: Resource) -> Record:
        """The resource that an input names by its id, its address, or a short name."""
        found = self._first(_BY_ID, reference.type, value)
        if found is None:
            address = _full_address(reference, value, resource)
            found = self._first(_BY_ADDRESS, reference.type, address)
        if found is None:
            raise ApiError(
                404,
                f"{resource.address}: {path} refers to {reference.type} {value!r}, which does not "
                "exist",
            )
        return found

    def _next_number(self, targets: Sequence[tuple[str, Record]]) -> int:
        parent = next(target for relation, target in targets if relation == "parent")
        number = int(parent.internal.get("numbered", 0)) + 1
        self._write(replace(parent, internal={**parent.internal, "numbered": number}))
        return number


def _record(row: Sequence[Any]) -> Record:
    *plain, internal, inputs, outputs = row
    return Record(*plain, *(json.loads(text) for text in (internal, inputs, outputs)))


def _resource(
    model: ResourceModel, inputs: Properties, settings: Properties, present: Record | None = None
) -> Resource:
    time = now()
    resource = Resource(
        inputs=reveal(inputs),
        settings=settings,
        seed=present.seed if present else secrets.token_hex(16),
        created=present.created if present else time,
        updated=time,
        internal=present.internal if present else {},
    )
    resource.address = str(evaluate(model.address, resource))
    return resource


def _full_address(reference: Reference, value: str, resource: Resource) -> str:
    """The address that a reference means: a path as it is, a short name next to the resource."""
    model = model_of(reference.type)
    named = Resource({**resource.inputs, model.name: value}, resource.settings)
    full = named[model.name]
    number = f"projects/{named.project_number()}/" if "projects/" in full else ""
    if number and full.startswith(number):
        full = f"projects/{named['project']}/{full.removeprefix(number)}"
    if "/" in full:
        return full
    try:
        return str(evaluate(model.short_address or model.address, named))
    except KeyError:
        return full


def _taken(present: Record) -> ApiError:
    return ApiError(409, f"{present.type} {present.address} already exists")


def _check_immutable(model: ResourceModel, present: Record, resource: Resource) -> None:
    before = reveal(present.inputs)
    for path in model.immutable:
        if list(values_at(before, path)) != list(resource.values_at(path)):
            raise ApiError(400, f"{present.type} {present.address}: {path} cannot be changed")


def _resolve_conflicts(model: ResourceModel, present: Record, resource: Resource) -> None:
    """Take fields over that somebody else changed, or fail if the resource may not take them."""
    if model.forces_conflicts is None:
        return
    internal = resource.internal
    if model.forces_conflicts(resource):
        resource.internal = {name: internal[name] for name in internal if name != _CHANGED_BY_HAND}
        return
    for path, value in internal.get(_CHANGED_BY_HAND, {}).items():
        wanted = dict(resource.values_at(re.sub(r"\[\d+\]", "[]", path)))
        if wanted.get(path, value) != value:
            raise ApiError(
                409,
                f"conflict at {present.type} {present.address}: {path} belongs to somebody who "
                "changed it by hand",
            )


def _raise_failures(failures: list[CheckFailure], token: str, address: str) -> None:
    if failures:
        reasons = "; ".join(f"{failure.path}: {failure.reason}" for failure in failures)
        raise ApiError(400, f"{token} {address}: {reasons}")


def _check_deletion_locks(record: Record, state: Properties) -> None:
    # ``deletionProtection`` is no field of Google's APIs. The provider keeps it in the state and
    # reads it there: hashicorp/terraform-provider-google, the delete functions of each resource.
    lock = {key: value for key, value in reveal(state).items() if key == "deletionProtection"}
    inputs = {**reveal(record.inputs), **lock}
    for path, default in record_of(record.type).deletion_locks.items():
        if next((value for _, value in values_at(inputs, path)), default):
            raise ApiError(
                403,
                f"{record.type} {record.address} is protected: set {path} to false first",
            )


def _with_value(properties: Properties, path: str, value: Any) -> Properties:
    """A copy with the value at a property path such as ``settings.databaseFlags[0].value``.

    Raises:
        ApiError: a step of the path is no mapping and no list.
    """
    *steps, last = re.findall(r"[^.\[\]]+", path)
    copy: Any = json.loads(json.dumps(properties))
    parent = copy
    try:
        for step in steps:
            parent = parent[int(step)] if isinstance(parent, list) else parent.setdefault(step, {})
            parent = parent["value"] if is_secret(parent) else parent
        key: Any = int(last) if isinstance(parent, list) else last
        present = parent[key] if isinstance(parent, list) else parent.get(key)
        parent[key] = secret(value) if is_secret(present) else value
    except (AttributeError, IndexError, ValueError):
        raise ApiError(400, f"{path} does not lead to a property") from None
    return dict(copy)

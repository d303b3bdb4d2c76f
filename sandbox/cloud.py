"""The cloud that remembers: what exists, who uses whom, which names are taken. One SQLite file.

Every change is committed before the provider answers, so that an engine that dies in between leaves
the cloud ahead of its own state, as it happens with real clouds.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from sandbox.catalogue import SERVICE, SQL, api_of, model_of
from sandbox.diff import traits_of
from sandbox.model import Answer, Grant, ResourceModel, Use
from sandbox.resource import Resource, now
from sandbox.schema import CheckFailure, Output, check, schema_of
from sandbox.values import (
    DEFAULTS,
    UNKNOWN,
    Properties,
    each,
    fill,
    is_secret,
    is_special,
    mask,
    reveal,
    secret,
)

FILE_NAME: Final = "cloud.sqlite"

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS thing (
    key INTEGER PRIMARY KEY,
    urn TEXT NOT NULL,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    address TEXT NOT NULL,
    seed TEXT NOT NULL,
    created TEXT NOT NULL,
    memory TEXT NOT NULL,
    inputs TEXT NOT NULL,
    outputs TEXT NOT NULL,
    UNIQUE (type, address)
);
CREATE INDEX IF NOT EXISTS thing_id ON thing (id);
CREATE INDEX IF NOT EXISTS thing_urn ON thing (urn);
CREATE TABLE IF NOT EXISTS use (
    user INTEGER NOT NULL REFERENCES thing ON DELETE CASCADE,
    used INTEGER NOT NULL REFERENCES thing ON DELETE CASCADE,
    how TEXT NOT NULL,
    PRIMARY KEY (user, used, how)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS use_used ON use (used);
CREATE TABLE IF NOT EXISTS reserved (
    type TEXT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (type, address)
) WITHOUT ROWID;
"""


_BY_ID: Final = "SELECT * FROM thing WHERE type = ? AND id = ?"
_BY_ADDRESS: Final = "SELECT * FROM thing WHERE type = ? AND address = ?"


class Refusal(Exception):
    """The cloud does not do it. ``code`` is the HTTP status that the real one would send."""

    def __init__(self, code: Literal[400, 403, 404, 409], message: str) -> None:
        super().__init__(f"Error {code}: {message}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Record:
    """A thing as the cloud holds it; inputs and outputs carry their secret marks.

    ``urn`` says for whom it was made; it is empty once its owner has let go of it.
    """

    key: int
    urn: str
    type: str
    id: str
    address: str
    seed: str
    created: str
    memory: Properties
    inputs: Properties
    outputs: Properties

    def summary(self) -> Properties:
        """What may be shown of it: type, id, address, and the outputs without secrets."""
        return {
            "type": self.type,
            "id": self.id,
            "address": self.address,
            "outputs": mask(self.outputs),
        }


class Cloud:
    """All things, in ``cloud.sqlite`` in the directory. Many threads and processes may use it."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / FILE_NAME
        path.touch(mode=0o600)  # it holds generated passwords
        self._lock = threading.RLock()
        self._database = sqlite3.connect(
            path, timeout=30, isolation_level=None, check_same_thread=False
        )
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute("PRAGMA foreign_keys = ON")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    # -- Reading -----------------------------------------------------------------------------------

    def read(self, token: str, identity: str) -> Record | None:
        """The thing of a type with the id, if it is there."""
        return self._first(_BY_ID, token, identity)

    def ids_of(self, urn: str) -> list[str]:
        """The ids of what was made for a resource and not deleted by it, the newest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT id FROM thing WHERE urn = ? ORDER BY key DESC", (urn,)
            )
            return [identity for (identity,) in rows]

    def resources(self) -> list[Record]:
        """Everything, in the order of type and address."""
        with self._lock:
            rows = self._database.execute("SELECT * FROM thing ORDER BY type, address")
            return [_record(row) for row in rows]

    def named(self, name: str) -> list[Record]:
        """Things with the id, the address, or the address ending in the name.

        ``<type> <address>`` names one, whatever else is called the same.
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

    def needs(self) -> list[tuple[Record, Record]]:
        """Each thing with each other one that had to be there before it could be made."""
        with self._lock:
            keys = self._database.execute("SELECT DISTINCT user, used FROM use").fetchall()
            resources = {record.key: record for record in self.resources()}
        return [(resources[user], resources[used]) for user, used in keys]

    def _first(self, query: str, *values: Any) -> Record | None:
        with self._lock:
            row = self._database.execute(query, values).fetchone()
        return _record(row) if row else None

    # -- Changing ----------------------------------------------------------------------------------

    def create(self, urn: str, token: str, inputs: Properties, settings: Properties) -> Record:
        """Make a thing.

        Raises:
            Refusal: the real cloud would not make it.
        """
        kind = model_of(token)
        with self._transaction():
            resource = _thing(kind, inputs, settings)
            present = self._first(_BY_ADDRESS, token, resource.address)
            if present and kind.repeatable:
                return self._store(urn, token, kind, resource, inputs, present)
            if present or self._is_reserved(token, resource.address):
                raise Refusal(409, _taken(token, resource.address, present))
            return self._store(urn, token, kind, resource, inputs, None)

    def update(self, token: str, identity: str, inputs: Properties, settings: Properties) -> Record:
        """Change a thing in place.

        Raises:
            Refusal: it is gone, its new address is taken, or the real cloud would not do it.
        """
        kind = model_of(token)
        with self._transaction():
            present = self._present(token, identity)
            resource = _thing(kind, inputs, settings, present)
            _refuse_fixed(kind, present, resource)
            _refuse_conflict(kind, present, resource)
            other = self._first(_BY_ADDRESS, token, resource.address)
            if other and other.key != present.key:
                raise Refusal(409, _taken(token, resource.address, other))
            return self._store(present.urn, token, kind, resource, inputs, present)

    def plan(self, record: Record, inputs: Properties, settings: Properties) -> Properties:
        """The outputs after an update with these inputs; those that it would change are unknown."""
        kind = model_of(record.type)
        resource = _thing(kind, inputs, settings, record)
        if kind.remembers == "revisions":
            resource.memory = _remember_revision(resource)
        outputs = _outputs(record.type, kind, resource, inputs)
        return {
            name: _planned(value, record.outputs.get(name), inputs.get(name))
            for name, value in outputs.items()
        }

    def delete(self, token: str, identity: str, state: Properties) -> None:
        """Delete a thing, if it is there. ``state`` is what the engine keeps of it.

        Raises:
            Refusal: it is protected, or others use it.
        """
        kind = model_of(token)
        with self._transaction():
            record = self.read(token, identity)
            if record is None:
                return
            _refuse_protected(kind, record, state)
            said = kind.deletion
            deletion = said if isinstance(said, str) else said(reveal(record.inputs))
            if deletion == "forgets":
                self._write(replace(record, urn=""))
                return
            self._refuse_used(record)
            if deletion == "lingers":
                self._refuse_held(record)
            if deletion == "reserves":
                self._database.execute(
                    "INSERT OR IGNORE INTO reserved VALUES (?, ?)", (token, record.address)
                )
            self._remove(record)

    # -- By hand -----------------------------------------------------------------------------------

    def edit(self, record: Record, path: str, value: Any) -> None:
        """Somebody changes a property in the cloud, behind the program's back.

        Raises:
            Refusal: there is no such property, or the value does not fit it.
        """
        schema = schema_of(record.type)
        top = re.split(r"[.\[]", path, maxsplit=1)[0]
        inputs = record.inputs
        if top in schema.inputs.fields:
            inputs = _with(inputs, path, value)
            _refuse(check(inputs, schema.inputs)[1], record.type, record.address)
        elif top not in schema.outputs:
            raise Refusal(400, f"{record.type} has no {top}; it has {', '.join(schema.outputs)}")
        memory = record.memory
        if model_of(record.type).insists:
            memory = {**memory, _BY_HAND: {**memory.get(_BY_HAND, {}), path: value}}
        outputs = _with(record.outputs, path, value)
        with self._transaction():
            self._write(replace(record, memory=memory, inputs=inputs, outputs=outputs))

    def remove(self, record: Record) -> None:
        """Somebody deletes a thing in the cloud, with all it contains and whatever it protects."""
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

    def _present(self, token: str, identity: str) -> Record:
        record = self.read(token, identity)
        if record is None:
            raise Refusal(404, f"{token} {identity} was not found (somebody deleted it)")
        return record

    def _is_reserved(self, token: str, address: str) -> bool:
        found = self._database.execute(
            "SELECT 1 FROM reserved WHERE type = ? AND address = ?", (token, address)
        )
        return found.fetchone() is not None

    def _store(
        self,
        urn: str,
        token: str,
        kind: ResourceModel,
        resource: Resource,
        inputs: Properties,
        present: Record | None,
    ) -> Record:
        uses = list(self._foundations(token, kind, resource))
        self._refuse_rivals(token, kind, resource, present)
        if kind.remembers == "revisions":
            known, resource.memory = resource.memory, _remember_revision(resource)
            _refuse_revision(known, resource)
        elif kind.remembers == "number" and present is None:
            resource.memory = {"number": self._next_number(uses)}
        problems = [problem for rule in kind.refused_late for problem in rule(resource)]
        _refuse(problems, token, resource.address)
        record = Record(
            key=present.key if present else self._new_key(),
            urn=urn,
            type=token,
            id=present.id if present else str(_answer(kind.id, resource)),
            address=resource.address,
            seed=resource.seed,
            created=resource.created,
            memory=resource.memory,
            inputs=inputs,
            outputs=_outputs(token, kind, resource, inputs),
        )
        self._write(record)
        self._database.execute("DELETE FROM use WHERE user = ?", (record.key,))
        self._database.executemany(
            "INSERT OR IGNORE INTO use VALUES (?, ?, ?)",
            [(record.key, used.key, how) for how, used in uses],
        )
        return record

    def _new_key(self) -> int:
        (key,) = self._database.execute("SELECT coalesce(max(key), 0) + 1 FROM thing").fetchone()
        return int(key)

    def _write(self, record: Record) -> None:
        documents = (record.memory, record.inputs, record.outputs)
        self._database.execute(
            "INSERT INTO thing VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET"
            " urn = excluded.urn, address = excluded.address, memory = excluded.memory,"
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
        contained = self._database.execute(
            "SELECT thing.* FROM use JOIN thing ON thing.key = use.user"
            " WHERE use.used = ? AND use.how = 'contained'",
            (record.key,),
        ).fetchall()
        for row in contained:
            self._remove(_record(row))
        self._database.execute("DELETE FROM thing WHERE key = ?", (record.key,))

    def _refuse_used(self, record: Record) -> None:
        users = self._database.execute(
            "SELECT thing.type, thing.address FROM use JOIN thing ON thing.key = use.user"
            " WHERE use.used = ? AND use.how = 'blocks' ORDER BY 1, 2",
            (record.key,),
        ).fetchall()
        if users:
            names = ", ".join(f"{token} {address}" for token, address in users)
            raise Refusal(400, f"{record.type} {record.address} is in use by {names}")

    def _refuse_held(self, record: Record) -> None:
        """Google keeps a deleted database for days, to restore it, and with it the way there."""
        project = record.address.partition("/global/")[0]
        kept = self._database.execute(
            "SELECT address FROM reserved WHERE type = ? AND address GLOB ?", (SQL, f"{project}/*")
        ).fetchone()
        if kept:
            raise Refusal(
                400, f"{record.type} {record.address}: producers still use it, such as {kept[0]}"
            )

    def _refuse_rivals(
        self, token: str, kind: ResourceModel, resource: Resource, present: Record | None
    ) -> None:
        for pattern in kind.rivals(resource):
            rival = self._first(
                "SELECT * FROM thing WHERE type = ? AND address GLOB ? AND key IS NOT ?",
                *(token, pattern, present.key if present else None),
            )
            if rival:
                raise Refusal(
                    409, f"{token} {resource.address} cannot stand beside {rival.address}"
                )

    def _foundations(
        self, token: str, kind: ResourceModel, resource: Resource
    ) -> Iterator[tuple[str, Record]]:
        """All that must be there before the thing, and in which way it uses each.

        Raises:
            Refusal: something is not there.
        """
        project = resource.inputs.get("project") or resource.settings.get("project")
        api = api_of(token)
        if api and project:
            yield "blocks", self._enabled(api, project)
        for use, where, value in _uses(kind, resource):
            used = self._used(use, where, value, resource)
            yield use.how, used
            if use.granted:
                yield "needs", self._granted(use.granted, where, used, resource)

    def _enabled(self, api: str, project: str) -> Record:
        service = self._first(_BY_ADDRESS, SERVICE, f"{project}/{api}")
        if service is None:
            raise Refusal(403, f"SERVICE_DISABLED: {api} is not enabled in project {project}")
        return service

    def _granted(self, grant: Grant, where: str, used: Record, resource: Resource) -> Record:
        member = str(_answer(grant.member, resource))
        grants = self._database.execute(
            "SELECT thing.* FROM use JOIN thing ON thing.key = use.user"
            " WHERE use.used = ? AND thing.type = ?",
            (used.key, grant.type),
        )
        for found in map(_record, grants):
            said = reveal(found.inputs)
            if said["role"] == grant.role and fnmatch.fnmatchcase(said["member"], member):
                return found
        raise Refusal(
            403, f"{resource.address}: {member} needs {grant.role} on {used.address} ({where})"
        )

    def _used(self, use: Use, where: str, value: str, resource: Resource) -> Record:
        """The thing that an input names by id, by address, or by a short name beside its user."""
        found = self._first(_BY_ID, use.type, value)
        if found is None:
            found = self._first(_BY_ADDRESS, use.type, _full_address(use, value, resource))
        if found is None:
            raise Refusal(
                404, f"{resource.address}: {where} names {use.type} {value!r}, which is not there"
            )
        return found

    def _next_number(self, uses: Sequence[tuple[str, Record]]) -> int:
        container = next(used for how, used in uses if how == "contained")
        number = int(container.memory.get("numbered", 0)) + 1
        self._write(replace(container, memory={**container.memory, "numbered": number}))
        return number


def _record(row: Sequence[Any]) -> Record:
    *plain, memory, inputs, outputs = row
    return Record(*plain, *(json.loads(text) for text in (memory, inputs, outputs)))


def _thing(
    kind: ResourceModel, inputs: Properties, settings: Properties, present: Record | None = None
) -> Resource:
    time = now()
    resource = Resource(
        inputs=reveal(inputs),
        settings=settings,
        seed=present.seed if present else secrets.token_hex(16),
        created=present.created if present else time,
        updated=time,
        memory=present.memory if present else {},
    )
    resource.address = str(_answer(kind.address, resource))
    return resource


def _answer(answer: Answer, resource: Resource) -> Any:
    return resource.text(answer) if isinstance(answer, str) else answer(resource)


def _uses(kind: ResourceModel, resource: Resource) -> Iterator[tuple[Use, str, str]]:
    for use in kind.uses:
        for where, value in resource.each(use.path):
            found = re.fullmatch(use.within, value)
            if found and found[1] not in use.given:
                yield use, where, found[1]


def _full_address(use: Use, value: str, resource: Resource) -> str:
    """The address that a reference means: a path as it stands, a bare name beside the user."""
    kind = model_of(use.type)
    named = Resource(
        inputs={**resource.inputs, kind.name: value},
        settings=resource.settings,
        seed="",
        created="",
        updated="",
    )
    full = named[kind.name]
    number = f"projects/{named.number_of_project()}/" if "projects/" in full else ""
    if number and full.startswith(number):
        full = f"projects/{named['project']}/{full.removeprefix(number)}"
    if "/" in full:
        return full
    try:
        return str(_answer(kind.bare or kind.address, named))
    except KeyError:
        return full


def _remember_revision(resource: Resource) -> Properties:
    """The memory with the revision that the template asks for; a template that stays makes none."""
    template = resource.get("template", {})
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()
    revisions = resource.memory.get("revisions", {})
    generation = resource.memory.get("generation", 0) + 1
    latest = resource.memory.get("latest")
    if latest is None or revisions[latest] != digest:
        suffix = resource.dice(str(generation)).randbytes(2).hex()
        made_up = f"{resource['name']}-{generation:05}-{suffix}"
        latest = template.get("revision", made_up)
    return {"revisions": {**revisions, latest: digest}, "latest": latest, "generation": generation}


def _refuse_revision(known: Properties, resource: Resource) -> None:
    latest, digests = resource.memory["latest"], resource.memory["revisions"]
    if known.get("revisions", {}).get(latest, digests[latest]) != digests[latest]:
        raise Refusal(
            409, f"{resource.address}: revision {latest} already exists with another template"
        )
    if not latest.startswith(f"{resource['name']}-"):
        raise Refusal(
            400, f"{resource.address}: revision {latest} must start with {resource['name']}-"
        )


def _outputs(token: str, kind: ResourceModel, resource: Resource, inputs: Properties) -> Properties:
    """All that the provider reports: zero values, then the inputs, then what the catalogue adds."""
    if kind.filled is not None:
        return _with_secrets(token, fill(inputs, kind.filled(resource)))
    outputs: Properties = {
        name: zero
        for name, output in schema_of(token).outputs.items()
        if output.always and (zero := _zero(name, output, resource)) is not None
    }
    outputs |= {name: value for name, value in inputs.items() if name != DEFAULTS}
    for name, answer in kind.outputs.items():
        value = _answer(answer, resource)
        if value is not None:
            outputs[name] = value
    return _with_secrets(token, outputs)


def _planned(value: Any, before: Any, given: Any) -> Any:
    """What a preview can tell of an output: what was given, and what stays as it was."""
    if isinstance(value, Mapping) and isinstance(given, Mapping) and not is_special(value):
        old = before if isinstance(before, Mapping) else {}
        return {
            name: _planned(element, old.get(name), given.get(name))
            for name, element in value.items()
        }
    return value if given is not None or value == before else UNKNOWN


def _with_secrets(token: str, outputs: Properties) -> Properties:
    for name in traits_of(token).secret_outputs:
        if name in outputs and not is_secret(outputs[name]):
            outputs[name] = secret(outputs[name])
    return outputs


_OF_THE_PROVIDER: Final = ("project", "region", "zone")
"""Outputs that the provider's own settings fill, known even during a preview."""

_ZEROS: Final[dict[str, Any]] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "list": [],
    "map": {},
}


def _zero(name: str, output: Output, resource: Resource) -> Any:
    """What stands in an output that nobody set: the provider's setting, or an empty value."""
    inherited = resource.settings.get(name) if name in _OF_THE_PROVIDER else None
    return inherited or _ZEROS.get(output.kind)


def preview(token: str, inputs: Properties, settings: Properties) -> Properties:
    """The outputs that a preview of a creation can tell: the inputs; the rest is unknown."""
    kind = model_of(token)
    if kind.filled is not None:
        return _with_secrets(token, fill(inputs, kind.unknown))
    computed = {name for name, output in schema_of(token).outputs.items() if output.always}
    outputs: Properties = dict.fromkeys(sorted(computed | kind.outputs.keys()), UNKNOWN)
    outputs |= {
        name: settings[name] for name in _OF_THE_PROVIDER if name in computed & settings.keys()
    }
    outputs |= {name: value for name, value in inputs.items() if name != DEFAULTS}
    return _with_secrets(token, fill(outputs, kind.unknown))


def _taken(token: str, address: str, present: Record | None) -> str:
    if present is None:
        return f"{token} {address} was deleted not long ago; the cloud keeps the name for a while"
    return f"{token} {address} already exists"


def _refuse_fixed(kind: ResourceModel, present: Record, resource: Resource) -> None:
    before = reveal(present.inputs)
    for path in kind.fixed:
        old, new = list(each(before, path)), list(resource.each(path))
        if old != new:
            raise Refusal(400, f"{present.type} {present.address}: {path} may not be changed")


_BY_HAND: Final = "by hand"
"""In the memory of a thing: what somebody else has changed, by path."""


def _refuse_conflict(kind: ResourceModel, present: Record, resource: Resource) -> None:
    if kind.insists is None:
        return
    if kind.insists(resource):
        resource.memory = {name: kept for name, kept in resource.memory.items() if name != _BY_HAND}
    for path, value in resource.memory.get(_BY_HAND, {}).items():
        said = dict(resource.each(re.sub(r"\[\d+\]", "[]", path)))
        if said.get(path, value) != value:
            message = f"{path} belongs to somebody who changed it by hand"
            raise Refusal(409, f"conflict at {present.type} {present.address}: {message}")


def _refuse(problems: list[CheckFailure], token: str, address: str) -> None:
    if problems:
        reasons = "; ".join(f"{problem.path}: {problem.reason}" for problem in problems)
        raise Refusal(400, f"{token} {address}: {reasons}")


def _refuse_protected(kind: ResourceModel, record: Record, state: Properties) -> None:
    # No API knows ``deletionProtection``: the provider keeps it in the state, and looks there.
    kept = {key: value for key, value in reveal(state).items() if key == "deletionProtection"}
    inputs = {**reveal(record.inputs), **kept}
    for path, default in kind.protections.items():
        if next((value for _, value in each(inputs, path)), default):
            raise Refusal(
                403,
                f"{record.type} {record.address} is protected: set {path} to false first",
            )


def _with(properties: Properties, path: str, value: Any) -> Properties:
    """A copy with the value at a property path such as ``settings.databaseFlags[0].value``.

    Raises:
        Refusal: the path leads through something that holds nothing.
    """
    steps = re.findall(r"[^.\[\]]+", path)
    changed: Any = json.loads(json.dumps(properties))
    place = changed
    try:
        for step in steps[:-1]:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
            place = place["value"] if is_secret(place) else place
        last: Any = int(steps[-1]) if isinstance(place, list) else steps[-1]
        hidden = is_secret(place[last] if isinstance(place, list) else place.get(last))
        place[last] = secret(value) if hidden else value
    except (AttributeError, IndexError, ValueError):
        raise Refusal(400, f"{path} does not lead into the thing") from None
    return dict(changed)

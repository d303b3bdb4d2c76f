"""The resources of a cloud in one SQLite file: what exists, what refers to what, reserved names."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sandbox.models.base import Relation
from sandbox.values import Properties, redact

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


class Store:
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

    def read(self, token: str, identity: str) -> Record | None:
        """The resource of a type with the id, if it exists."""
        return self._first("SELECT * FROM resource WHERE type = ? AND id = ?", token, identity)

    def at(self, token: str, address: str) -> Record | None:
        """The resource of a type at the address, if it exists."""
        return self._first("SELECT * FROM resource WHERE type = ? AND address = ?", token, address)

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

    def matching(self, token: str, pattern: str) -> list[Record]:
        """The resources of a type whose addresses match a GLOB pattern."""
        query = "SELECT * FROM resource WHERE type = ? AND address GLOB ? ORDER BY address"
        return self._all(query, token, pattern)

    def referring(self, target: Record, relation: Relation) -> list[Record]:
        """The resources that refer to the target with the relation, by type and address."""
        return self._all(
            "SELECT resource.* FROM reference JOIN resource ON resource.key = reference.source"
            " WHERE reference.target = ? AND reference.relation = ? ORDER BY type, address",
            *(target.key, relation),
        )

    def reserved_addresses(self, token: str) -> list[str]:
        """The addresses that deleted resources of a type keep reserved."""
        with self._lock:
            rows = self._database.execute(
                "SELECT address FROM reserved WHERE type = ? ORDER BY address", (token,)
            )
            return [address for (address,) in rows]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all changes of the ``with`` block, or none of them if it raises."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def new_key(self) -> int:
        """A key that no resource has."""
        query = "SELECT coalesce(max(key), 0) + 1 FROM resource"
        (key,) = self._database.execute(query).fetchone()
        return int(key)

    def write(self, record: Record) -> None:
        """Insert a resource, or update the one with the same key."""
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

    def refer(self, source: Record, targets: Iterable[tuple[Relation, Record]]) -> None:
        """Replace the references of a resource."""
        self._database.execute("DELETE FROM reference WHERE source = ?", (source.key,))
        self._database.executemany(
            "INSERT OR IGNORE INTO reference VALUES (?, ?, ?)",
            [(source.key, target.key, relation) for relation, target in targets],
        )

    def erase(self, record: Record) -> None:
        """Erase a resource with all its children."""
        for child in self.referring(record, "parent"):
            self.erase(child)
        self._database.execute("DELETE FROM resource WHERE key = ?", (record.key,))

    def reserve(self, record: Record) -> None:
        """Reserve the address of a resource."""
        self._database.execute(
            "INSERT OR IGNORE INTO reserved VALUES (?, ?)", (record.type, record.address)
        )

    def _all(self, query: str, *values: Any) -> list[Record]:
        with self._lock:
            rows = self._database.execute(query, values).fetchall()
        return [_record(row) for row in rows]

    def _first(self, query: str, *values: Any) -> Record | None:
        return next(iter(self._all(query, *values)), None)


def _record(row: Sequence[Any]) -> Record:
    *plain, internal, inputs, outputs = row
    return Record(*plain, *(json.loads(text) for text in (internal, inputs, outputs)))

"""Every system of the runbook has a place in the code and a test that proves it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
TABLE: Final = ROOT / "docs" / "runbook-coverage.md"
COLUMNS: Final = ("id", "row", "where", "proof")
SYSTEMS: Final = (
    *("NET", "KMS", "SQL", "REDIS", "BACKUP", "REG", "IAM"),
    *("WORKERS", "TYPES", "API", "APIRUN", "WEB", "ASSETS"),
    *("SECRETS", "CONFIG", "EXT", "CHAIN", "ORDER"),
    *("PLAN", "APPLY", "DRIFT", "GH"),
    *("K8S", "ESO", "RB-K8S", "OOM"),
)


class Row(NamedTuple):
    """A line of the table: files, and tests as ``tests/test_x.py::test_name``."""

    places: tuple[str, ...]
    proofs: tuple[str, ...]


@cache
def table() -> dict[str, Row]:
    """The rows by id."""
    rows = {}
    for line in TABLE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != len(COLUMNS) or not re.fullmatch(r"[A-Z0-9-]*[A-Z][A-Z0-9-]*", cells[0]):
            continue
        assert cells[0] not in rows, f"{cells[0]} has two rows"
        places = tuple(re.findall(r"[\w./-]+\.(?:py|js|ya?ml|json|md)\b", cells[2]))
        rows[cells[0]] = Row(places, tuple(re.findall(r"tests/\w+\.py::\w+", cells[3])))
    return rows


@cache
def functions_of(path: Path) -> frozenset[str]:
    """The test functions of a module, found without importing it."""
    return frozenset(re.findall(r"^def (test_\w+)\(", path.read_text("utf-8"), re.MULTILINE))


def test_the_table_has_its_four_columns() -> None:
    header = re.compile(r"\|\s*" + r"\s*\|\s*".join(COLUMNS) + r"\s*\|")
    assert header.search(TABLE.read_text("utf-8"))


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_has_places_and_proofs_that_exist(system: str) -> None:
    assert system in table(), f"docs/runbook-coverage.md has no row {system}"
    row = table()[system]
    assert row.places, f"{system} names no file"
    for place in row.places:
        # A link leads from docs/; a bare path is from the project's folder.
        assert (ROOT / place).is_file() or (TABLE.parent / place).is_file(), place
    assert row.proofs, f"{system} names no test"
    for proof in row.proofs:
        file, _, name = proof.partition("::")
        assert (ROOT / file).is_file(), proof
        assert name in functions_of(ROOT / file), proof

"""The engine is killed in the middle of a production ``up``; nothing is lost or created twice."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from sandbox.store import Record
from sandbox.values import reveal
from tests import inventory
from tests.stack_lifecycle import StackLifecycle, production_lifecycle, running_for

OPERATIONS: Final = sum(
    not resource["type"].startswith(("pull:", "pulumi:"))
    for resource in inventory.kept("production")
)
"""How many operations change the cloud in the first up of production: each creates a resource."""
MOMENTS: Final = ("before", "after")

Point = tuple[int, str]
"""The operation at which the engine is killed, before or after it changes the cloud."""


def points() -> Iterator[Any]:
    """Three crashes in a row; in the soak also three others, and every single point.

    Each crash is counted from the previous one, and the last must still have work left.
    """
    for seed, marks in ((1, ()), (2, pytest.mark.soak)):
        dice = random.Random(seed)  # noqa: S311 (chance that can be repeated, not a key)
        chain = [(dice.randint(10, OPERATIONS // 4), dice.choice(MOMENTS)) for _ in range(3)]
        name = "-".join(f"{at}{moment}" for at, moment in chain)
        yield pytest.param(chain, id=name, marks=marks)
    for at in range(1, OPERATIONS + 1):
        for moment in MOMENTS:
            yield pytest.param([(at, moment)], id=f"{at}{moment}", marks=pytest.mark.soak)


@pytest.fixture(scope="session")
def production(
    tmp_path_factory: pytest.TempPathFactory, checkout: Path, engine: Path
) -> StackLifecycle:
    assert engine.exists()
    return production_lifecycle(tmp_path_factory, checkout)


@pytest.mark.parametrize("chain", list(points()))
def test_a_killed_up_ends_in_the_same_cloud(
    chain: list[Point], production: StackLifecycle, tmp_path: Path
) -> None:
    whole = production.cloud()
    assert len(whole) == OPERATIONS

    lifecycle = StackLifecycle.begin(production.checkout, tmp_path / "lifecycle", "production")
    for at, moment in chain:
        killed = lifecycle.ops("up", module="tests.ops_with_faults", fault=f"{at}:crash:{moment}")
        assert killed.returncode == 1, killed.stdout + killed.stderr
        assert "The engine was killed (signal 9)" in killed.stdout
        assert "Traceback" not in killed.stderr
        # The user runs the same command again, which prints the command to run first.
        refused = lifecycle.ops("up")
        assert refused.returncode == 1
        assert (
            f"bin/ops recover --stack production --sandbox --sandbox-dir {lifecycle.sandbox}"
            in (refused.stderr)
        )
        lifecycle.run("recover")
    lifecycle.run("up")
    assert running_for(lifecycle.folder) == [], "a killed engine left its policy pack running"

    made = lifecycle.cloud()
    assert Counter(record.urn for record in made) == Counter(record.urn for record in whole)
    assert contents(made) == contents(whole)
    known = {
        resource["urn"]: resource["id"] for resource in lifecycle.resources() if resource["custom"]
    }
    for record in made:
        assert known[record.urn] == record.id, "the state has another id than the cloud"
    assert "pending_operations" not in lifecycle.state()


def contents(records: list[Record]) -> dict[str, Any]:
    """The inputs by URN, with names in place of generated values."""
    made_up: dict[str, str] = {}
    for record in sorted(records, key=lambda record: record.urn):
        asked = set(leaves(reveal(record.inputs)))
        given = {*leaves(reveal(record.outputs)), (".id", record.id)}
        for path, value in sorted(given - asked):
            if len(value) > 5:
                made_up.setdefault(value, f"<{record.urn}{path}>")
    longest_first = sorted(made_up, key=len, reverse=True)
    known = re.compile("|".join(map(re.escape, longest_first)))

    def named(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: named(item) for key, item in value.items()}
        if isinstance(value, list):
            return [named(item) for item in value]
        if isinstance(value, str):
            return known.sub(lambda found: made_up[found[0]], value)
        return value

    return {record.urn: named(reveal(record.inputs)) for record in records}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every string in nested values, with its path."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    elif isinstance(value, str):
        yield path, value

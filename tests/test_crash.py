"""The engine is killed in the middle of a production ``up``; the user goes on and loses nothing."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from sandbox.cloud import Record
from sandbox.values import reveal
from tests.stack_lifecycle import StackLifecycle, production_life, running_for

OPERATIONS: Final = 183
"""How many operations change the cloud in the first up of production."""
MOMENTS: Final = ("before", "after")

Point = tuple[int, str]
"""The operation at which the engine is killed, and whether the cloud has changed by then."""


def points() -> Iterator[Any]:
    """A life with three crashes; in the soak another one, and a life for every single point.

    Each crash is counted from the one before, and the last must still find something to do.
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
    return production_life(tmp_path_factory, checkout)


@pytest.mark.parametrize("chain", list(points()))
def test_a_killed_up_ends_in_the_same_cloud(
    chain: list[Point], production: StackLifecycle, tmp_path: Path
) -> None:
    whole = production.cloud()
    assert len(whole) == OPERATIONS

    life = StackLifecycle.begin(production.checkout, tmp_path / "life", "production")
    for at, moment in chain:
        killed = life.ops("up", module="tests.ops_with_faults", fault=f"{at}:crash:{moment}")
        assert killed.returncode == 1, killed.stdout + killed.stderr
        assert "The engine was killed (signal 9)" in killed.stdout
        assert "Traceback" not in killed.stderr
        # What a user does next: the same again, which says what to do first.
        refused = life.ops("up")
        assert refused.returncode == 1
        assert f"bin/ops recover --stack production --sandbox --sandbox-dir {life.sandbox}" in (
            refused.stderr
        )
        life.run("recover")
    life.run("up")
    assert running_for(life.folder) == [], "a killed engine left its policy pack running"

    made = life.cloud()
    assert Counter(thing.urn for thing in made) == Counter(thing.urn for thing in whole)
    assert contents(made) == contents(whole)
    known = {one["urn"]: one["id"] for one in life.resources() if one["custom"]}
    for thing in made:
        assert known[thing.urn] == thing.id, "the state names another thing than the cloud has"
    assert "pending_operations" not in life.state()


def contents(things: list[Record]) -> dict[str, Any]:
    """What was asked for by URN, with the names of values in place of those that are made up."""
    made_up: dict[str, str] = {}
    for thing in sorted(things, key=lambda thing: thing.urn):
        asked = set(leaves(reveal(thing.inputs)))
        given = {*leaves(reveal(thing.outputs)), (".id", thing.id)}
        for path, value in sorted(given - asked):
            if len(value) > 5:
                made_up.setdefault(value, f"<{thing.urn}{path}>")
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

    return {thing.urn: named(reveal(thing.inputs)) for thing in things}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in nested values, with its path."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    elif isinstance(value, str):
        yield path, value

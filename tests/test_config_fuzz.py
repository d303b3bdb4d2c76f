"""Settings under mutation: whatever somebody types, the answer is a list of problems."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from components import PROJECT_ROOT
from components.config import SettingsError, parse, read_stack_file
from components.config.data import Redis
from components.config.platform import Connector
from components.config.services import Worker
from components.config.stack_file import StackFile
from components.config.values import RedisPoolConfig

STACK_FILE: Final = PROJECT_ROOT / "Pulumi.production.yaml"
PRODUCTION: Final[dict[str, Any]] = {
    key.removeprefix("pull:"): value
    for key, value in StackFile(STACK_FILE).config.items()
    if key.startswith("pull:")
}

# The deadline is milliseconds for one document, generous because the machine may be busy.
quick = settings(max_examples=200, deadline=5_000, suppress_health_check=[HealthCheck.too_slow])
soak = settings(quick, max_examples=10_000)

Place = tuple[str | int, ...]


def places(value: object, at: Place = ()) -> Iterator[Place]:
    """Every place in a document, sections included."""
    items: Iterator[tuple[str | int, object]] = iter(())
    if isinstance(value, dict):
        items = iter(value.items())
    elif isinstance(value, list):
        items = iter(enumerate(value))
    for step, below in items:
        yield (*at, step)
        yield from places(below, (*at, step))


PLACES: Final = sorted(places(PRODUCTION), key=str)

SCALARS: Final = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(
        ["", "03:00", "3am", "64Gi", "*", "10.0.0.0/8", "latest", "current", "\ud800"]
    )
)
JSON: Final[SearchStrategy[Any]] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)

SECRET: Final = "hunter2-planted-secret"
SECRET_KEYS: Final = st.sampled_from(
    ["password", "apiToken", "client_secret", "private_key", "JWT_SECRET", "auth", "tls_cert"]
)


@st.composite
def mutated(draw: DrawFn) -> dict[str, Any]:
    """The production settings after one to six mistakes."""
    document = copy.deepcopy(PRODUCTION)
    for _ in range(draw(st.integers(1, 6))):
        *parents, last = draw(st.sampled_from(PLACES))
        node: Any = document
        try:
            for step in parents:
                node = node[step]
            if draw(st.booleans()):
                node[last] = draw(JSON)
                continue
            kept = node.pop(last)
            match draw(st.sampled_from(["dropped", "renamed", "nested"])):
                case "renamed":
                    node[draw(st.text(max_size=12))] = kept
                case "nested":
                    node[last] = {last: kept}
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # an earlier mistake took the place away
    return document


def judge(document: dict[str, Any]) -> str:
    """What a person is told about the settings; nothing when they are right."""
    try:
        parse(document, "a fuzzed file")
    except SettingsError as error:
        wrong = error
    else:
        return ""
    assert wrong.errors
    for problem in wrong.errors:
        assert problem.path.startswith("pull:"), problem
        assert problem.expected
        assert len(str(problem)) < 3_000
    # Half a character could not be printed.
    return str(wrong).encode().decode()


@quick
@given(mutated())
def test_any_mistake_is_a_list_of_problems(document: dict[str, Any]) -> None:
    judge(document)


@pytest.mark.soak
@soak
@given(mutated())
def test_ten_thousand_mistakes_are_lists_of_problems(document: dict[str, Any]) -> None:
    judge(document)


@st.composite
def with_a_secret(draw: DrawFn) -> dict[str, Any]:
    """Settings in which somebody put a secret under a name that says so."""
    document = draw(mutated())
    node: Any = document
    planted: Any = draw(st.sampled_from([SECRET, [SECRET], {"value": SECRET}, {"secure": SECRET}]))
    for step in draw(st.sampled_from(PLACES)):
        below = node[step] if isinstance(node, dict) and step in node else None
        if not isinstance(below, dict):
            break
        node = below
    node[draw(SECRET_KEYS)] = planted
    return document


@quick
@given(with_a_secret())
def test_a_planted_secret_is_never_shown(document: dict[str, Any]) -> None:
    text = judge(document)
    assert text
    assert SECRET not in text


@pytest.mark.soak
@soak
@given(with_a_secret())
def test_ten_thousand_planted_secrets_are_never_shown(document: dict[str, Any]) -> None:
    assert SECRET not in judge(document)


# -- files -------------------------------------------------------------------------------------

LINES: Final = STACK_FILE.read_text(encoding="utf-8").splitlines()


@st.composite
def mangled(draw: DrawFn) -> bytes:
    """The text of the stack file after a few slips of the hand."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["drop", "double", "indent", "replace", "cut"])):
            case "drop":
                lines[at] = ""
            case "double":
                lines.insert(at, lines[at])
            case "indent":
                lines[at] = "  " + lines[at]
            case "replace":
                key = lines[at].partition(":")[0]
                lines[at] = f"{key}: {draw(st.text(max_size=20))}"
            case "cut":
                lines[at] = lines[at][: draw(st.integers(0, 30))]
    noise = draw(st.binary(max_size=2))
    return "\n".join(lines).encode("utf-8", "replace") + noise


@quick
@given(text=mangled())
def test_a_mangled_file_is_a_list_of_problems(
    text: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / f"Pulumi.mangled-{os.getpid()}.yaml"
    path.write_bytes(text)
    try:
        read_stack_file(path)
    except SettingsError as error:
        wrong = error
    else:
        return
    assert str(wrong).encode()
    for problem in wrong.errors:
        assert problem.path.startswith(("pull:", "config")), problem


# -- what is right is taken --------------------------------------------------------------------

MEMORY_GIB: Final = {1: (1, 4), 2: (1, 8), 4: (2, 16), 6: (4, 24), 8: (4, 32)}


@st.composite
def workers(draw: DrawFn) -> dict[str, Any]:
    cpu = draw(st.sampled_from(sorted(MEMORY_GIB)))
    most = draw(st.integers(1, 150))
    return {
        "cpu": cpu,
        "memory_gib": draw(st.integers(*MEMORY_GIB[cpu])),
        "min_instances": draw(st.integers(1, most)),
        "max_instances": most,
    }


@st.composite
def redis(draw: DrawFn) -> dict[str, Any]:
    return {
        "tier": draw(st.sampled_from(["BASIC", "STANDARD_HA"])),
        "memory_gib": draw(st.integers(1, 300)),
        "snapshot_period": draw(st.sampled_from(["ONE_HOUR", "TWENTY_FOUR_HOURS"])),
        "maintenance": {
            "day": draw(st.sampled_from(["MONDAY", "SUNDAY"])),
            "hour": draw(st.integers(0, 23)),
        },
    }


@st.composite
def connectors(draw: DrawFn) -> dict[str, Any]:
    most = draw(st.integers(3, 10))
    return {
        "cidr": f"10.10.{draw(st.integers(16, 255))}.{draw(st.integers(0, 15)) * 16}/28",
        "machine_type": draw(st.sampled_from(["f1-micro", "e2-micro", "e2-standard-4"])),
        "min_instances": draw(st.integers(2, most - 1)),
        "max_instances": most,
    }


@st.composite
def pools(draw: DrawFn) -> dict[str, Any]:
    most = draw(st.integers(1, 1000))
    return {"pool_min": draw(st.integers(0, most)), "pool_max": most}


@quick
@given(workers(), redis(), connectors(), pools())
def test_what_is_right_is_taken_as_it_stands(
    worker: dict[str, Any], cache: dict[str, Any], connector: dict[str, Any], pool: dict[str, Any]
) -> None:
    document = copy.deepcopy(PRODUCTION)
    document["workers"]["fleet"] = {"trading": worker}
    document["redis"] = cache
    document["network"]["connector"] = connector
    document["runtime_config"]["redis"] = pool
    # Through text, as a person would write it and the engine hand it on.
    taken = parse(yaml.safe_load(yaml.safe_dump(document)), "a test")
    found: list[tuple[Worker | Redis | Connector | RedisPoolConfig, dict[str, Any]]] = [
        (next(iter(taken.workers.fleet.values())), worker),
        (taken.redis, cache),
        (taken.network.connector, connector),
        (taken.runtime_config.redis, pool),
    ]
    for model, given_values in found:
        assert model.model_dump(exclude_defaults=True) == given_values
    again = parse(json.loads(taken.model_dump_json(exclude_unset=True)), "a test")
    assert again == taken

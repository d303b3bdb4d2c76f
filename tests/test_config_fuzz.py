"""Mutated settings: whatever a person types, the answer is a list of errors."""

from __future__ import annotations

import copy
import json
import math
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
from resource_types.limits import CLOUD_RUN_MEMORY_GIB_BY_CPU

STACK_FILE: Final = PROJECT_ROOT / "Pulumi.production.yaml"
PRODUCTION: Final[dict[str, Any]] = {
    key.removeprefix("pull:"): value
    for key, value in StackFile(STACK_FILE).config.items()
    if key.startswith("pull:")
}

# The deadline is milliseconds for one document, generous because the machine may be busy.
quick = settings(max_examples=200, deadline=5_000, suppress_health_check=[HealthCheck.too_slow])
soak = settings(quick, max_examples=10_000)

Location = tuple[str | int, ...]


def locations(value: object, at: Location = ()) -> Iterator[Location]:
    """Every location in a document, including sections."""
    items: Iterator[tuple[str | int, object]] = iter(())
    if isinstance(value, dict):
        items = iter(value.items())
    elif isinstance(value, list):
        items = iter(enumerate(value))
    for step, child in items:
        yield (*at, step)
        yield from locations(child, (*at, step))


LOCATIONS: Final = sorted(locations(PRODUCTION), key=str)

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
        *parents, last = draw(st.sampled_from(LOCATIONS))
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
            continue  # an earlier mistake removed this location
    return document


def message(document: dict[str, Any]) -> str:
    """The error message for the settings; empty if they are valid."""
    try:
        parse(document, "a fuzzed file")
    except SettingsError as caught:
        settings_error = caught
    else:
        return ""
    assert settings_error.errors
    for wrong in settings_error.errors:
        assert wrong.path.startswith("pull:"), wrong
        assert wrong.expected
        assert len(str(wrong)) < 3_000
    # A lone surrogate could not be printed.
    return str(settings_error).encode().decode()


@quick
@given(mutated())
def test_any_mistake_is_a_list_of_errors(document: dict[str, Any]) -> None:
    message(document)


@pytest.mark.soak
@soak
@given(mutated())
def test_ten_thousand_mistakes_are_lists_of_errors(document: dict[str, Any]) -> None:
    message(document)


@st.composite
def with_a_secret(draw: DrawFn) -> dict[str, Any]:
    """Settings that contain a secret under a key whose name reveals it."""
    document = draw(mutated())
    node: Any = document
    planted: Any = draw(st.sampled_from([SECRET, [SECRET], {"value": SECRET}, {"secure": SECRET}]))
    for step in draw(st.sampled_from(LOCATIONS)):
        child = node[step] if isinstance(node, dict) and step in node else None
        if not isinstance(child, dict):
            break
        node = child
    node[draw(SECRET_KEYS)] = planted
    return document


@quick
@given(with_a_secret())
def test_a_planted_secret_is_never_shown(document: dict[str, Any]) -> None:
    text = message(document)
    assert text
    assert SECRET not in text


@pytest.mark.soak
@soak
@given(with_a_secret())
def test_ten_thousand_planted_secrets_are_never_shown(document: dict[str, Any]) -> None:
    assert SECRET not in message(document)


# -- files -------------------------------------------------------------------------------------

LINES: Final = STACK_FILE.read_text(encoding="utf-8").splitlines()


@st.composite
def mangled(draw: DrawFn) -> bytes:
    """The text of the stack file after a few typing errors."""
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
def test_a_mangled_file_is_a_list_of_errors(
    text: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / f"Pulumi.mangled-{os.getpid()}.yaml"
    path.write_bytes(text)
    try:
        read_stack_file(path)
    except SettingsError as caught:
        settings_error = caught
    else:
        return
    assert str(settings_error).encode()
    for wrong in settings_error.errors:
        in_settings = wrong.path.startswith(("pull:", "config", "the file"))
        assert in_settings or wrong.expected.startswith(("a known name", "this key only once")), (
            wrong
        )


# -- valid settings ----------------------------------------------------------------------------

MEMORY_GIB: Final = {
    cpu: (math.ceil(minimum), math.floor(maximum))
    for cpu, (minimum, maximum) in CLOUD_RUN_MEMORY_GIB_BY_CPU.items()
}


@st.composite
def workers(draw: DrawFn) -> dict[str, Any]:
    cpu = draw(st.sampled_from(sorted(MEMORY_GIB)))
    maximum = draw(st.integers(1, 150))
    return {
        "cpu": cpu,
        "memory_gib": draw(st.integers(*MEMORY_GIB[cpu])),
        "min_instances": draw(st.integers(1, maximum)),
        "max_instances": maximum,
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
    maximum = draw(st.integers(3, 10))
    return {
        "cidr": f"10.10.{draw(st.integers(16, 255))}.{draw(st.integers(0, 15)) * 16}/28",
        "machine_type": draw(st.sampled_from(["f1-micro", "e2-micro", "e2-standard-4"])),
        "min_instances": draw(st.integers(2, maximum - 1)),
        "max_instances": maximum,
    }


@st.composite
def pools(draw: DrawFn) -> dict[str, Any]:
    maximum = draw(st.integers(1, 1000))
    return {"pool_min": draw(st.integers(0, maximum)), "pool_max": maximum}


@quick
@given(workers(), redis(), connectors(), pools())
def test_valid_settings_are_accepted_unchanged(
    worker: dict[str, Any], cache: dict[str, Any], connector: dict[str, Any], pool: dict[str, Any]
) -> None:
    document = copy.deepcopy(PRODUCTION)
    document["workers"]["fleet"] = {"trading": worker}
    document["redis"] = cache
    document["network"]["connector"] = connector
    document["runtime_config"]["redis"] = pool
    # Through text, as a person writes it and the engine passes it on.
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

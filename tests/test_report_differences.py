"""Differences of lists by the identity of their entries, for every list of every type we use."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from ops.review.differences import Difference, differences
from ops.review.steps import Step
from resource_types import RESOURCE_TYPES, cloudflare, gcp, kubernetes
from resource_types.list_keys import LIST_KEYS, entry_names
from sandbox.schema import Shape, UnknownType, schema_of
from tests import inventory
from tests.test_report import step


def lists_of(
    shape: Shape, path: str = "", seen: tuple[int, ...] = ()
) -> Iterator[tuple[str, Shape]]:
    """The paths of all lists of objects in a type's inputs, and the shapes of their entries."""
    if id(shape) in seen:
        return
    for name, inner in shape.fields.items():
        here = f"{path}.{name}".lstrip(".")
        if inner.kind == "list" and inner.element and inner.element.fields:
            yield here, inner.element
        else:
            yield from lists_of(inner, here, (*seen, id(shape)))


def used_types() -> Iterator[str]:
    """The types of the estate's resources."""
    found = {row["type"] for name in inventory.NAMES for row in inventory.kept(name)}
    yield from sorted(found & RESOURCE_TYPES.keys())


def all_lists() -> Iterator[tuple[str, str, Shape]]:
    """Each type's lists of objects: the type, the path and the shape of an entry."""
    for token in used_types():
        try:
            inputs = schema_of(token).inputs
        except UnknownType:
            continue
        for path, entry in lists_of(inputs):
            yield token, path, entry


def value(shape: Shape, text: str) -> Any:
    """A value of a shape that holds ``text`` or, for a number, its digits."""
    match shape.kind:
        case "integer" | "number":
            return int("".join(filter(str.isdigit, text)) or 0)
        case "boolean":
            return True
        case "list":
            return [value(shape.element, text)] if shape.element else [text]
        case "map" | "object":
            fields = {name: inner for name, inner in shape.fields.items() if not inner.fields}
            return {name: value(inner, text) for name, inner in fields.items()} or {"k": text}
        case _:
            return text


def entries_of(shape: Shape, count: int = 6) -> list[dict[str, Any]]:
    """Entries that differ in every field that can differ."""
    return [
        {name: value(inner, f"v{number}") for name, inner in shape.fields.items()}
        for number in range(1, count + 1)
    ]


def other_fields(shape: Shape) -> list[str]:
    """The fields of a named entry that are not in its name; empty if it has no name."""
    entries = entries_of(shape)
    keys = [key for key in LIST_KEYS if entry_names([{k: e.get(k) for k in key} for e in entries])]
    return [name for name in shape.fields if name not in keys[0]] if keys else []


LISTS = [
    pytest.param(*case, id=f"{case[0].rpartition(':')[2]}-{case[1]}")
    for case in all_lists()
    if len({str(entry) for entry in entries_of(case[2])}) > 1
]
"""The lists whose entries hold something that tells them apart."""

NAMED = [
    pytest.param(*case, id=f"{case[0].rpartition(':')[2]}-{case[1]}")
    for case in all_lists()
    if other_fields(case[2])
]


def test_the_cases_are_the_lists_of_the_estate() -> None:
    assert len(LISTS) > 120
    assert len(NAMED) > 80


def nested(path: str, entries: list[Any]) -> dict[str, Any]:
    """Inputs with a list at a path."""
    inputs: Any = entries
    for name in reversed(path.split(".")):
        inputs = {name: inputs}
    result: dict[str, Any] = inputs
    return result


def engine_paths(path: str, old: list[Any], new: list[Any]) -> dict[str, str]:
    """What the engine reports of two lists, which it compares by index."""
    paths: dict[str, str] = {}
    for index in range(max(len(old), len(new))):
        here = f"{path}[{index}]"
        if index >= len(new):
            paths[here] = "delete"
        elif index >= len(old):
            paths[here] = "add"
        elif isinstance(old[index], dict):
            for name in sorted({*old[index], *new[index]}):
                if old[index].get(name) != new[index].get(name):
                    paths[f"{here}.{name}"] = "update"
        elif old[index] != new[index]:
            paths[here] = "update"
    return paths


def found(token: str, path: str, old: list[Any], new: list[Any]) -> list[Difference]:
    """The differences of a step that changes a list, as the engine reports the step."""
    changed = step(
        "update",
        "one",
        token,
        old=nested(path, old),
        new=nested(path, new),
        **engine_paths(path, old, new),
    )
    return differences(Step.parse(changed))


@pytest.mark.parametrize(("token", "path", "shape"), LISTS)
def test_an_entry_is_added_or_removed_in_one_line(token: str, path: str, shape: Shape) -> None:
    entries = entries_of(shape)
    for position in (0, 3, 5):
        fewer = entries[:position] + entries[position + 1 :]
        (removed,) = found(token, path, entries, fewer)
        assert removed.old
        assert removed.new is None
        (added,) = found(token, path, fewer, entries)
        assert added.old is None
        assert added.new == removed.old
        assert removed.path == added.path or entry_names(entries) is None


@pytest.mark.parametrize(("token", "path", "shape"), NAMED)
def test_a_changed_field_is_one_line_with_the_entry_s_name(
    token: str, path: str, shape: Shape
) -> None:
    entries = entries_of(shape)
    names = entry_names(entries)
    assert names
    others = other_fields(shape)
    changed = [dict(entry) for entry in entries]
    changed[2][others[-1]] = "different"
    differing = found(token, path, entries, changed)
    assert {each.path.partition("]")[0] for each in differing} == {f"{path}[{names[0][2]}"}
    # Also if the entries before it are gone.
    moved = found(token, path, entries, changed[1:])
    assert len(moved) == len(differing) + 1
    assert [each.path for each in differing] == [each.path for each in moved if each.new]


@pytest.mark.parametrize(("token", "path", "shape"), LISTS)
def test_another_order_is_one_line(token: str, path: str, shape: Shape) -> None:
    entries = entries_of(shape)
    (order,) = found(token, path, entries, entries[::-1])
    assert order.path == f"{path} (order)"


def test_lists_of_plain_values_are_compared_as_sets() -> None:
    old, new = ["a", "b", "c"], ["b", "c", "d"]
    (changed,) = found(cloudflare.R2_BUCKET_CORS, "origins", old, new)
    assert (changed.path, changed.old, changed.new) == ("origins[]", "a", "d")
    (gone,) = found(cloudflare.R2_BUCKET_CORS, "origins", old, old[1:])
    assert (gone.old, gone.new) == ("a", None)


@pytest.mark.parametrize("moved", [False, True])
def test_a_changed_secret_in_a_list_is_never_missed(moved: bool) -> None:
    """After redaction the values are equal, and the engine's index may be another entry's."""
    secret = [{"name": name, "text": "[secret]"} for name in ("A", "B", "C")]
    new = secret[1:] if moved else secret
    paths = {"bindings[1].text": "update"}
    if moved:
        paths |= {"bindings[0].name": "update", "bindings[1].name": "update"}
        paths |= {"bindings[0].text": "update", "bindings[2]": "delete"}
    changed = step(
        "replace",
        "one",
        cloudflare.WORKER_VERSION,
        old={"bindings": secret},
        new={"bindings": new},
        **paths,
    )
    shown = {each.path: (each.old, each.new) for each in differences(Step.parse(changed))}
    assert shown["bindings" if moved else "bindings[B].text"] == ("[secret]", "[secret]")


def test_after_a_refresh_only_the_outputs_differ() -> None:
    changed = step("update", "one", gcp.SQL_INSTANCE, old={"f": [{"name": "a"}]}, new={"f": [1]})
    changed["oldState"]["outputs"] = {"f": [{"name": "a", "value": "1"}]}
    changed["oldState"]["inputs"] = changed["newState"]["inputs"] = {"f": [{"name": "a"}]}
    changed["detailedDiff"] = {"f[0].value": {"kind": "delete", "inputDiff": False}}
    (difference,) = differences(Step.parse(changed))
    assert (difference.path, difference.old, difference.new) == ("f[a].value", "1", None)


def test_an_unknown_entry_is_compared_by_what_is_known() -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    old = [{"versionId": "a", "percentage": 100}]
    new = [{"versionId": unknown, "percentage": 10}, {"versionId": "a", "percentage": 90}]
    shown = found(cloudflare.WORKERS_DEPLOYMENT, "versions", old, new)
    assert {each.path for each in shown} == {
        "versions[a].percentage",
        "versions[(known after apply)]",
    }


@pytest.mark.parametrize(
    ("token", "path"),
    [(record.token, path) for record in RESOURCE_TYPES.values() for path in record.file_contents],
)
def test_a_file_is_its_size_and_digest(token: str, path: str) -> None:
    bundles = [base64.b64encode(b"x" * size).decode() for size in (30_000, 30_001)]
    old, new = (
        {"modules": [{"name": "worker.js", "contentBase64": bundle}]}
        if "[]" in path
        else {path: bundle}
        for bundle in bundles
    )
    changed = step(
        "update", "one", token, old=old, new=new, **{path.replace("[]", "[0]"): "update"}
    )
    (difference,) = differences(Step.parse(changed))
    assert difference.old.startswith("30,000 bytes, SHA-256 ")
    assert difference.new.startswith("30,001 bytes, SHA-256 ")
    # Also where a whole file is new.
    for shown in differences(
        Step.parse(step("update", "one", token, old={}, new=new, **{path.partition("[")[0]: "add"}))
    ):
        assert bundles[1] not in str(shown)


@pytest.mark.parametrize(
    ("token", "path"),
    [
        (cloudflare.WORKER_VERSION, "bindings"),
        (gcp.RUN_SERVICE, "template.containers[0].envs"),
        (kubernetes.DEPLOYMENT, "spec.template.spec.containers[0].env"),
    ],
)
def test_a_dropped_variable_is_known_as_one(token: str, path: str) -> None:
    variables = [{"name": f"VARIABLE_{number}", "value": "x"} for number in range(81)]
    head, _, last = path.partition("[0].")
    old, new = (
        nested(head, [{"name": "api", last: entries}] if last else entries)
        for entries in (variables, variables[1:])
    )
    changed = step(
        "update", "one", token, old=old, new=new, **engine_paths(path, variables, variables[1:])
    )
    (difference,) = differences(Step.parse(changed))
    assert difference.entry == "VARIABLE_0"
    assert difference.collection in RESOURCE_TYPES[token].all_variables

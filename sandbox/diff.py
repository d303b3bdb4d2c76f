"""What an update would change, property by property, and where the real provider would replace."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from sandbox.values import DEFAULTS, Properties, join, reveal

EVERYTHING: Final = "*"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between old and new inputs, at the highest path that was added or removed."""

    path: str
    kind: Literal["add", "update", "delete"]
    replaces: bool


@dataclass(frozen=True, slots=True)
class Traits:
    """What the SDK of a type does not tell: inputs that force a replacement, secret outputs."""

    replaces: tuple[str, ...] = ()
    secret_outputs: tuple[str, ...] = ()


@functools.cache
def _traits() -> Mapping[str, Traits]:
    data = json.loads(Path(__file__).with_name("replaces.json").read_text("utf-8"))
    return {
        token: Traits(tuple(entry.get("replaces", ())), tuple(entry.get("secretOutputs", ())))
        for token, entry in data.items()
    }


def traits_of(token: str) -> Traits:
    """The traits of a type, from ``replaces.json``; none when it is not listed there."""
    return _traits().get(token, Traits())


def compare(
    token: str, old: Properties, new: Properties, replaces: tuple[str, ...] = ()
) -> list[Change]:
    """Every change from the old to the new inputs; a value not known yet counts as changed.

    ``replaces`` are inputs that force a replacement beside those of the type's traits.
    """
    replaces = (*traits_of(token).replaces, *replaces)
    return [
        Change(path, kind, _forces(replaces, path, values))
        for path, kind, values in _walk(_comparable(old), _comparable(new), "")
    ]


def _comparable(inputs: Properties) -> Properties:
    return {name: reveal(value) for name, value in inputs.items() if name != DEFAULTS}


_Difference = tuple[str, Literal["add", "update", "delete"], tuple[Any, ...]]


def _walk(old: Any, new: Any, path: str) -> Iterator[_Difference]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted(old.keys() | new.keys()):
            yield from _step(join(path, name), old, new, name, name in old, name in new)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _step(join(path, index), old, new, index, index < len(old), index < len(new))
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield path, "update", (old, new)


def _step(
    path: str, old: Any, new: Any, key: str | int, in_old: bool, in_new: bool
) -> Iterator[_Difference]:
    if not in_old:
        yield path, "add", (new[key],)
    elif not in_new:
        yield path, "delete", (old[key],)
    else:
        yield from _walk(old[key], new[key], path)


def _forces(replaces: tuple[str, ...], path: str, values: tuple[Any, ...]) -> bool:
    """Whether a listed path is the changed one, above it, or among the values that came or went."""
    if EVERYTHING in replaces:
        return True
    touched = {leaf for value in values for leaf in _leaves(value, _general(path))}
    return any(
        leaf == listed or leaf.startswith((f"{listed}.", f"{listed}["))
        for leaf in touched
        for listed in replaces
    )


def _general(path: str) -> str:
    return re.sub(r"\[\d+\]", "[]", path)


def _leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for name, element in value.items():
            yield from _leaves(element, join(path, name))
    elif isinstance(value, list) and value:
        for element in value:
            yield from _leaves(element, f"{path}[]")
    else:
        yield path

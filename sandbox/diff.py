"""What an update would change, property by property, and where the provider would replace."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from resource_types.record import EVERY_INPUT
from resource_types.updates import Update, is_within
from sandbox.values import DEFAULTS, Properties, join, reveal


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between old and new inputs, at the highest path that was added or removed."""

    path: str
    kind: Literal["add", "update", "delete"]
    replaces: bool


def compare(
    old: Properties,
    new: Properties,
    replace_on: tuple[str, ...] = (),
    updates: tuple[Update, ...] = (),
) -> list[Change]:
    """Every change from the old to the new inputs; a value that is not known yet is a change.

    A change of an input in ``replace_on`` forces a replacement. ``updates`` decide by the values:
    about a replacement, and about a change that the provider ignores.
    """
    after = _without_lists(reveal(new))
    before = _without_lists(_without_defaults(reveal(old), after))
    applying = [update for update in updates if update.applies(before, after)]
    ignored, replacing = (
        [update for update in applying if update.effect == effect]
        for effect in ("ignored", "replaces")
    )
    return [
        Change(
            path,
            kind,
            _forces_replacement(replace_on, path, values)
            or any(update.covers(path) or is_within(update.path, path) for update in replacing),
        )
        for path, kind, values in _differences(before, after, "")
        if not any(update.covers(path) for update in ignored)
    ]


def _without_defaults(old: Any, new: Any) -> Any:
    """``old`` without what a provider had set itself and ``new`` does not set.

    The state of a real provider may have more of it than the sandbox sets.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        own = old.get(DEFAULTS, ())
        return {
            name: _without_defaults(value, new.get(name))
            for name, value in old.items()
            if name in new or name not in own
        }
    if isinstance(old, list) and isinstance(new, list):
        return [
            _without_defaults(value, new[index] if index < len(new) else None)
            for index, value in enumerate(old)
        ]
    return old


def _without_lists(value: Any) -> Any:
    """A value without the lists of what a provider set itself, at any depth."""
    if isinstance(value, Mapping):
        return {name: _without_lists(item) for name, item in value.items() if name != DEFAULTS}
    return [_without_lists(item) for item in value] if isinstance(value, list) else value


_Difference = tuple[str, Literal["add", "update", "delete"], tuple[Any, ...]]


def _differences(old: Any, new: Any, path: str) -> Iterator[_Difference]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted(old.keys() | new.keys()):
            yield from _element(join(path, name), old, new, name, name in old, name in new)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _element(
                join(path, index), old, new, index, index < len(old), index < len(new)
            )
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield path, "update", (old, new)


def _element(
    path: str, old: Any, new: Any, key: str | int, in_old: bool, in_new: bool
) -> Iterator[_Difference]:
    if not in_old:
        yield path, "add", (new[key],)
    elif not in_new:
        yield path, "delete", (old[key],)
    else:
        yield from _differences(old[key], new[key], path)


def _forces_replacement(replace_on: tuple[str, ...], path: str, values: tuple[Any, ...]) -> bool:
    """Whether a listed input is the changed one, above it, or inside a value added or removed."""
    if EVERY_INPUT in replace_on:
        return True
    general = re.sub(r"\[\d+\]", "[]", path)
    changed = {leaf for value in values for leaf in _leaves(value, general)}
    return any(
        leaf == listed or leaf.startswith((f"{listed}.", f"{listed}["))
        for leaf in changed
        for listed in replace_on
    )


def _leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for name, element in value.items():
            yield from _leaves(element, join(path, name))
    elif isinstance(value, list) and value:
        for element in value:
            yield from _leaves(element, f"{path}[]")
    else:
        yield path

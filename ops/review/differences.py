"""What a step changes, as people see it: the entries of a list are compared by name, not by index.

The engine compares lists by index: without the first of 81 entries, all others differ. Here the
entries are matched by their identity (:mod:`resource_types.list_keys`), and a path names them:
``databaseFlags[max_connections].value``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ops.review.redaction import KNOWN_AFTER_APPLY, SECRET, at_path, is_unknown, path_elements
from ops.review.steps import Change, Step
from resource_types import RESOURCE_TYPES, list_keys

DIGEST: Final = 12
"""Hexadecimal digits that are shown of a file's SHA-256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference(Change):
    """A difference between the old and the new inputs of a resource.

    Attributes:
        collection: the path of the list or map that gets or loses a whole entry, with ``[]`` for
            every entry of a list above it; empty for any other difference.
        entry: the name of that entry.
    """

    collection: str = ""
    entry: str = ""


def differences(step: Step) -> list[Difference]:
    """What ``step`` changes, sorted by path; what forces a replacement comes first."""
    return sorted(_with_digests(step), key=lambda found: (not found.replaces, found.path))


def _with_digests(step: Step) -> Iterator[Difference]:
    record = RESOURCE_TYPES.get(step.type)
    contents = record.file_contents if record else ()
    for found in _differences(step):
        path = _any_entry(found.path)
        yield replace(
            found,
            old=_without_contents(found.old, path, contents),
            new=_without_contents(found.new, path, contents),
        )


def _differences(step: Step) -> Iterator[Difference]:
    moved: dict[str, list[Change]] = {}
    for change in step.changes():
        path, of_list = _named(step, change.path)
        if of_list:
            moved.setdefault(of_list, []).append(change)
            continue
        parent, entry = _parent(path)
        found = list(compare(*_inputs(step, change.path), path, parent, entry))
        if found and _has_secret(change.old) and _has_secret(change.new):
            found.append(_leaf(path, SECRET, SECRET))  # the engine does not say what differs in it
        if not found:
            found = [_leaf(path, change.old, change.new)]
        yield from (replace(difference, replaces=change.replaces) for difference in found)
    for of_list, changes in moved.items():
        yield from _list_differences(step, of_list, changes)


def _inputs(step: Step, path: str) -> tuple[Any, Any]:
    """The old and the new input at an engine's path."""
    old, new = (at_path(state.inputs, path) if state else None for state in (step.old, step.new))
    return old, new


def _named(step: Step, path: str) -> tuple[str, str]:
    """An engine's path with names for indices, and the path of a list on it whose entries moved.

    Both end at that list. The second is empty if no entries moved.
    """
    named = raw = ""
    for element in path_elements(path):
        old, new = _inputs(step, raw) if raw else (None, None)
        if isinstance(element, int):
            names = _unmoved(old, new)
            if names is None:
                return named, raw
            named += f"[{names[element] if element < len(names) else element}]"
            raw += f"[{element}]"
        else:
            named, raw = _join(named, element), _join(raw, element)
    ends_in_list = any(isinstance(value, list) for value in _inputs(step, path))
    return named, raw if ends_in_list and _unmoved(*_inputs(step, path)) is None else ""


def _unmoved(old: Any, new: Any) -> list[str] | None:
    """The names of the entries of two lists, if both have the same ones in the same order."""
    if not (isinstance(old, list) and isinstance(new, list)):
        return [] if old is None and new is None else None
    names = entry_names(old, new)
    if names:
        return names[0] if names[0] == names[1] else None
    common = Counter(map(_canonical, old)) & Counter(map(_canonical, new))
    in_place = sum(before == after for before, after in zip(old, new, strict=False))
    same = len(old) == len(new) and in_place == common.total()
    return [str(index) for index in range(len(new))] if same else None


def _list_differences(step: Step, raw: str, changes: Sequence[Change]) -> Iterator[Difference]:
    """The differences of a list whose entries moved. The engine named ``changes`` in it."""
    old, new = _inputs(step, raw)
    path, _ = _named(step, raw)
    found = list(compare(old, new, path))
    if not found:  # only the outputs differ, as after a refresh
        found = [_leaf(change.path, change.old, change.new) for change in changes]
    elif _has_secret([[change.old, change.new] for change in changes]) and _moved_secret(old, new):
        found.append(_leaf(path, SECRET, SECRET))
    replaces = any(change.replaces for change in changes)
    yield from (replace(difference, replaces=replaces) for difference in found)


def _moved_secret(old: Any, new: Any) -> bool:
    """Whether an entry with a secret may have another value, which redaction hides.

    The engine compares by index. What it says of an entry is true if the entry has not moved.
    """
    names = entry_names(old or [], new or [])
    if names is None:
        return _has_secret(old) and _has_secret(new)
    before, after = (
        {name: index for index, name in enumerate(of_list) if _has_secret(entries[index])}
        for of_list, entries in zip(names, (old or [], new or []), strict=True)
    )
    return any(after.get(name, index) != index for name, index in before.items())


def _has_secret(value: Any) -> bool:
    return SECRET in json.dumps(value)


def entry_names(*lists: list[Any]) -> list[list[str]] | None:
    """The names of the entries as people see them, or ``None`` if they have none."""
    names = list_keys.entry_names(*lists)
    return names and [
        [KNOWN_AFTER_APPLY if is_unknown(name) else name for name in of_list] for of_list in names
    ]


# -- comparing values --------------------------------------------------------------------------


def compare(
    old: Any, new: Any, path: str, parent: str = "", entry: str = ""
) -> Iterator[Difference]:
    """The differences of two values at ``path``, which is an ``entry`` of the map ``parent``."""
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from compare(old.get(key), new.get(key), _join(path, key), path, key)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(old, new, path)
    elif None in (old, new) and isinstance(old or new, list) and entry_names(old or new):
        yield from _compare_lists(old or [], new or [], path)
    elif None in (old, new):
        yield _leaf(path, old, new, parent=parent, entry=entry)
    else:
        yield _leaf(path, old, new)


def _compare_lists(old: list[Any], new: list[Any], path: str) -> Iterator[Difference]:
    names = entry_names(old, new)
    if names is None:
        yield from _compare_unnamed(old, new, path)
        return
    before, after = (dict(zip(*pair, strict=True)) for pair in zip(names, (old, new), strict=True))
    for name in dict.fromkeys([*names[0], *names[1]]):
        here = f"{path}[{name}]"
        if name in before and name in after:
            yield from compare(before[name], after[name], here)
        else:
            yield _leaf(here, before.get(name), after.get(name), parent=path, entry=name)
    yield from _order(
        [name for name in names[0] if name in after],
        [name for name in names[1] if name in before],
        path,
    )


def _compare_unnamed(old: list[Any], new: list[Any], path: str) -> Iterator[Difference]:
    """The differences of two lists whose equal entries are taken for the same."""
    left, right = list(map(_canonical, old)), list(map(_canonical, new))
    common = Counter(left) & Counter(right)
    gone = [(index, old[index]) for index in _rest(left, common)]
    come = [(index, new[index]) for index in _rest(right, common)]
    if len(gone) == len(come):
        for (_, before), (index, after) in zip(gone, come, strict=True):
            both = isinstance(before, Mapping) and isinstance(after, Mapping)
            yield from compare(before, after, f"{path}[{index if both else ''}]")
    else:
        for entries, added in ((gone, False), (come, True)):
            for index, value in entries:
                here = f"{path}[{index if isinstance(value, Mapping) else ''}]"
                yield _leaf(here, None if added else value, value if added else None)
    yield from _order(
        [item for item in left if item in common], [item for item in right if item in common], path
    )


def _rest(items: Sequence[str], common: Counter[str]) -> Iterator[int]:
    """The indices of the items that are left after those in ``common``."""
    left = common.copy()
    for index, item in enumerate(items):
        if left[item]:
            left[item] -= 1
        else:
            yield index


def _order(old: Sequence[str], new: Sequence[str], path: str) -> Iterator[Difference]:
    if old != new and sorted(old) == sorted(new):
        yield _leaf(f"{path} (order)", ", ".join(old), ", ".join(new))


def _leaf(
    path: str, old: Any, new: Any, *, parent: str = "", entry: str = "", replaces: bool = False
) -> Difference:
    return Difference(
        path=path,
        old=old,
        new=new,
        replaces=replaces,
        collection=_any_entry(parent),
        entry=entry,
    )


def _join(path: str, key: str) -> str:
    return f"{path}.{key}".lstrip(".") if re.fullmatch(r"[A-Za-z_]\w*", key) else f'{path}["{key}"]'


def _parent(path: str) -> tuple[str, str]:
    """The path of the map that a path leads into, and the key in it."""
    found = re.fullmatch(r'(.*?)(?:\["([^"]*)"\]|(?:^|\.)(\w+))', path)
    return (found[1], found[2] or found[3]) if found else ("", "")


def _any_entry(path: str) -> str:
    """A path with ``[]`` for every entry of a list."""
    return re.sub(r"\[[^\]\"]*\]", "[]", path)


def _canonical(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


# -- the contents of files ---------------------------------------------------------------------


def _without_contents(value: Any, path: str, contents: Sequence[str]) -> Any:
    """``value`` with the size and the digest of every file instead of its contents."""
    if not contents or value == SECRET or is_unknown(value):
        return value
    if isinstance(value, Mapping):
        return {
            key: _without_contents(item, _join(path, key), contents) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_without_contents(item, f"{path}[]", contents) for item in value]
    return _size_and_digest(value) if isinstance(value, str) and path in contents else value


def _size_and_digest(text: str) -> str:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = text.encode()
    return f"{len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()[:DIGEST]}"

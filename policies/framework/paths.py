"""Where rules look: property paths, the view of a resource, and what a rule finds there.

A value that is not known before the update is a finding too, because it leaves the rule open. No
finding holds a property's value: the engine hands secrets to a policy in plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from functools import cache
from typing import Any, Final


class Marker(Enum):
    """Stands for a value that is not there, or that the engine does not know yet."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


ABSENT: Final = Marker.ABSENT
UNKNOWN: Final = Marker.UNKNOWN

ALIASES: Final = "@aliases"
CUSTOM_TIMEOUTS: Final = "@customTimeouts"
DELETE_BEFORE_REPLACE: Final = "@deleteBeforeReplace"
IGNORE_CHANGES: Final = "@ignoreChanges"
PARENT: Final = "@parent"
PROTECT: Final = "@protect"
PROVIDER: Final = "@provider"
SECRET_OUTPUTS: Final = "@additionalSecretOutputs"
"""Paths of the resource options of that name; a view holds them beside the inputs. The engine shows
a policy no others. ``PROVIDER`` is the URN of the provider, which a component does not have."""

TYPE: Final = "@type"
"""The path by which a mutation names the type itself."""

MARKED_SECRET: Final = "@secret"
"""The path of the names of the stack's outputs that are secret; its view holds them beside the
outputs."""

EVERY_TYPE: Final = "*"
"""A rule with this as a type applies to every resource: providers, components and the stack too."""

COMPONENT_PREFIX: Final = "pull:"
"""The start of the type token of each of our components. A rule with this as a type applies to all
of them."""

Keys = tuple[str | int, ...]
"""The location of a value: the keys and indices that lead to it."""

NOT_FOUND: Final = -1
"""The index of a list item that a path names and the list does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One violation.

    Attributes:
        path: the property; empty for the resource as a whole.
        text: what is expected, without the value that was found.
        urn: the resource.
        undecided: the value is not known before the update.
    """

    path: str
    text: str
    urn: str
    undecided: bool = False


class Undecided(Exception):
    """A check has read a value that is not known before the update."""

    def __init__(self, path: str, urn: str) -> None:
        super().__init__(path)
        self.finding = Finding(
            path=path, urn=urn, undecided=True, text="is not known before the update"
        )


def attempt(findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings of one check, and one more if it reads a value that is not known."""
    try:
        yield from findings
    except Undecided as undecided:
        yield undecided.finding


STEP: Final = re.compile(r"([^.\[\]]+)|\[(?:(\w+)=([^\]]*))?\]")
"""One step of a path: ``name``, ``[]`` or ``[key=value]``."""

_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,63}")


@dataclass(frozen=True, slots=True)
class Match:
    """A location that a path leads to; ``value`` may be ``ABSENT`` or ``UNKNOWN``."""

    keys: Keys
    path: str
    value: Any


def find(value: Any, path: str) -> Iterator[Match]:
    """Every location in ``value`` that ``path`` leads to.

    ``a.b`` is one location, whether it is present or absent. ``a[].b`` is one for each item of a
    list, and ``a[name=x].b`` is the items whose ``name`` is ``x``. A path ends early at a value
    that is not known.
    """
    yield from _walk(value, _steps(path), (), "")


@cache
def _steps(path: str) -> tuple[str | tuple[str, str], ...]:
    return tuple(
        "[]" if match[0] == "[]" else (match[2], match[3]) if match[2] else match[1]
        for match in STEP.finditer(path)
    )


def _walk(
    value: Any, steps: Sequence[str | tuple[str, str]], keys: Keys, path: str
) -> Iterator[Match]:
    if value is UNKNOWN or not steps:
        yield Match(keys, path, ABSENT if value is None else value)
        return
    step, rest = steps[0], steps[1:]
    items = value if isinstance(value, list) else []
    if isinstance(step, tuple):
        key, wanted = step
        names = [(item.get(key) if isinstance(item, Mapping) else item) for item in items]
        for index, name in enumerate(names):
            if name == wanted:
                yield from _walk(items[index], rest, (*keys, index), f"{path}[{wanted}]")
        if UNKNOWN in names:
            yield Match(keys, f"{path}[{wanted}]", UNKNOWN)
        elif wanted not in names:
            yield Match((*keys, NOT_FOUND), f"{path}[{wanted}]", ABSENT)
    elif step == "[]":
        if not isinstance(value, list | Marker | None):
            yield Match(keys, path, ABSENT)
        for index, item in enumerate(items):
            yield from _walk(item, rest, (*keys, index), f"{path}[{_label(index, item)}]")
    else:
        child = value.get(step, ABSENT) if isinstance(value, Mapping) else ABSENT
        yield from _walk(child, rest, (*keys, step), f"{path}.{step}" if path else step)


def _label(index: int, item: Any) -> str:
    """The name of an environment variable; the index of any other item."""
    name = item.get("name") if isinstance(item, Mapping) else None
    return name if isinstance(name, str) and _VARIABLE.fullmatch(name) else str(index)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A resource, or a part of one, as a check sees it.

    Attributes:
        inputs: plain dicts and lists, with ``UNKNOWN`` for each value that is not known yet.
        config: the rule's settings, from the pack's configuration.
        today: for rules about age.
        keys: where in the resource this part is.
        path: the same as text, for messages.
    """

    type: str
    urn: str
    inputs: Any
    config: Mapping[str, Any] = field(default_factory=dict)
    today: date
    keys: Keys = ()
    path: str = ""

    def find(self, path: str) -> Iterator[Match]:
        """Every location that ``path`` leads to, with keys and path from the resource's root."""
        for match in find(self.inputs, path):
            yield Match((*self.keys, *match.keys), self.full_path(match.path), match.value)

    def get(self, path: str, default: Any = None) -> Any:
        """The first value at ``path``, or ``default`` if there is none.

        Raises:
            Undecided: it is not known before the update.
        """
        for match in self.find(path):
            if match.value is UNKNOWN:
                raise Undecided(match.path, self.urn)
            return default if match.value is ABSENT else match.value
        return default

    def value(self, path: str) -> Any:
        """The first value at ``path``, which may be ``ABSENT`` or ``UNKNOWN``."""
        return next(self.find(path)).value

    def all(self, path: str) -> list[Any]:
        """Every value at ``path``.

        Raises:
            Undecided: one of them is not known before the update.
        """
        values = []
        for match in self.find(path):
            if match.value is UNKNOWN:
                raise Undecided(match.path, self.urn)
            if match.value is not ABSENT:
                values.append(match.value)
        return values

    def parts(self, path: str) -> Iterator[View]:
        """A view of each location that ``path`` leads to."""
        for match in self.find(path):
            if match.value is not ABSENT:
                yield replace(self, inputs=match.value, keys=match.keys, path=match.path)

    def full_path(self, path: str) -> str:
        """``path`` from the resource's root."""
        return ".".join(part for part in (self.path, path) if part).replace(".[", "[")

    def finding(self, path: str, text: str) -> Finding:
        """A violation at ``path``."""
        return Finding(path=self.full_path(path), text=text, urn=self.urn)


def texts_in(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in ``value``, at any depth, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts_in(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts_in(item, f"{path}[{index}]")

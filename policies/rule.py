"""The frame of all rules: where they look, what they demand, and what would break them.

A rule is data around small checks. Every check is judged by itself, so that one value which is not
known yet hides no other verdict; and such a value is a violation too, because a rule that cannot be
decided has not been kept. No message ever holds a property's value: the engine hands secrets to a
policy in plain text.

Each demand names values that it must refuse; ``tests/test_policies_mutation.py`` makes its mutants
of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum, StrEnum
from typing import Any, Final, Protocol


class Severity(StrEnum):
    """How bad a violation is, in the engine's words."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Mark(Enum):
    """What stands in the place of a value."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


ABSENT: Final = Mark.ABSENT
UNKNOWN: Final = Mark.UNKNOWN

PROTECT: Final = "@protect"
PARENT: Final = "@parent"
"""Paths of the resource options of that name; options stand beside the inputs, behind an ``@``."""

OURS: Final = "pull:"
"""How the types of our own components begin; a rule about all of them names this as its type."""

Keys = tuple[str | int, ...]
"""Where a value is: the keys and indices that lead to it."""

NOWHERE: Final = -1
"""The index of an item that was looked for by name, and is not in the list."""


# -- what is wrong ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One violation.

    Attributes:
        path: the property; empty where the resource as a whole is meant.
        text: what is demanded, without the value that was found.
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
    """The problems of one check, and one more where it read a value that is not known."""
    try:
        yield from findings
    except Undecided as undecided:
        yield undecided.finding


# -- where rules look ------------------------------------------------------------------------------

_STEP: Final = re.compile(r"([^.\[\]]+)|\[(?:(\w+)=([^\]]*))?\]")
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,63}")


@dataclass(frozen=True, slots=True)
class Found:
    """A place that a path leads to; ``value`` may be ``ABSENT`` or ``UNKNOWN``."""

    keys: Keys
    path: str
    value: Any


def find(value: Any, path: str) -> Iterator[Found]:
    """Every place in ``value`` that ``path`` leads to.

    ``a.b`` is one place, there or absent. ``a[].b`` is one for each item of a list, and
    ``a[name=x].b`` the items whose ``name`` is ``x``. What is unknown ends the way there.
    """
    steps: list[str | tuple[str, str]] = [
        "[]" if match[0] == "[]" else (match[2], match[3]) if match[2] else match[1]
        for match in _STEP.finditer(path)
    ]
    yield from _walk(value, steps, (), "")


def _walk(
    value: Any, steps: Sequence[str | tuple[str, str]], keys: Keys, path: str
) -> Iterator[Found]:
    if value is UNKNOWN or not steps:
        yield Found(keys, path, ABSENT if value is None else value)
        return
    step, rest = steps[0], steps[1:]
    items = value if isinstance(value, list) else []
    if isinstance(step, tuple):
        key, wanted = step
        named = [(item.get(key) if isinstance(item, Mapping) else item) for item in items]
        for index, name in enumerate(named):
            if name == wanted:
                yield from _walk(items[index], rest, (*keys, index), f"{path}[{wanted}]")
        if UNKNOWN in named:
            yield Found(keys, f"{path}[{wanted}]", UNKNOWN)
        elif wanted not in named:
            yield Found((*keys, NOWHERE), f"{path}[{wanted}]", ABSENT)
    elif step == "[]":
        if not isinstance(value, list | Mark | None):
            yield Found(keys, path, ABSENT)
        for index, item in enumerate(items):
            yield from _walk(item, rest, (*keys, index), f"{path}[{_label(index, item)}]")
    else:
        child = value.get(step, ABSENT) if isinstance(value, Mapping) else ABSENT
        yield from _walk(child, rest, (*keys, step), f"{path}.{step}" if path else step)


def _label(index: int, item: Any) -> str:
    """A variable is called by its name, everything else by its index."""
    name = item.get("name") if isinstance(item, Mapping) else None
    return name if isinstance(name, str) and _VARIABLE.fullmatch(name) else str(index)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A resource, or a part of one, as a check sees it.

    Attributes:
        inputs: plain dicts and lists, with ``UNKNOWN`` where a value is not known yet.
        config: the rule's own settings, from the pack's configuration.
        today: for rules about age.
        keys: where in the resource this part is.
        path: the same for people.
    """

    type: str
    urn: str
    inputs: Any
    config: Mapping[str, Any] = field(default_factory=dict)
    today: date
    keys: Keys = ()
    path: str = ""

    def find(self, path: str) -> Iterator[Found]:
        """Every place that ``path`` leads to, told from the resource's root."""
        for found in find(self.inputs, path):
            yield Found((*self.keys, *found.keys), self.full(found.path), found.value)

    def get(self, path: str, default: Any = None) -> Any:
        """The first value at ``path``, or ``default`` where there is none.

        Raises:
            Undecided: it is not known before the update.
        """
        for found in self.find(path):
            if found.value is UNKNOWN:
                raise Undecided(found.path, self.urn)
            return default if found.value is ABSENT else found.value
        return default

    def all(self, path: str) -> list[Any]:
        """Every value at ``path``.

        Raises:
            Undecided: one of them is not known before the update.
        """
        values = []
        for found in self.find(path):
            if found.value is UNKNOWN:
                raise Undecided(found.path, self.urn)
            if found.value is not ABSENT:
                values.append(found.value)
        return values

    def parts(self, path: str) -> Iterator[View]:
        """A view of each place that ``path`` leads to."""
        for found in self.find(path):
            if found.value is not ABSENT:
                yield replace(self, inputs=found.value, keys=found.keys, path=found.path)

    def full(self, path: str) -> str:
        """``path`` told from the resource's root."""
        return ".".join(part for part in (self.path, path) if part).replace(".[", "[")

    def finding(self, path: str, text: str) -> Finding:
        """A problem at ``path``."""
        return Finding(path=self.full(path), text=text, urn=self.urn)


# -- what rules demand -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Demand:
    """What a value must be: in words, as a test, and some values that it must refuse."""

    words: str
    accepts: Callable[[Any], bool]
    refused: tuple[Any, ...]


def equal(value: Any, *refused: Any) -> Demand:
    """Exactly ``value``; a truth value refuses its opposite without being told."""
    opposite = (not value,) if isinstance(value, bool) else ()
    words = str(value).lower() if isinstance(value, bool) else repr(value)
    return Demand(
        f"must be {words}",
        lambda found: found == value and isinstance(found, bool) == isinstance(value, bool),
        (*opposite, *refused),
    )


def one_of(*allowed: str, refused: tuple[Any, ...]) -> Demand:
    """One of ``allowed``."""
    return Demand(f"must be {' or '.join(allowed)}", lambda found: found in allowed, refused)


def none_of(*forbidden: str) -> Demand:
    """Anything but ``forbidden``."""
    return Demand(
        f"must not be {' or '.join(forbidden)}", lambda found: found not in forbidden, forbidden
    )


def at_least(least: float) -> Demand:
    """A number that is not less than ``least``."""
    return Demand(
        f"must be {least} or more", lambda found: is_number(found) and found >= least, (least - 1,)
    )


def like(pattern: str, words: str, refused: tuple[Any, ...]) -> Demand:
    """Text that ``pattern`` matches from its first to its last character."""
    compiled = re.compile(pattern)
    return Demand(
        words, lambda found: isinstance(found, str) and bool(compiled.fullmatch(found)), refused
    )


def unlike(pattern: re.Pattern[str], words: str, refused: tuple[Any, ...]) -> Demand:
    """Text in which ``pattern`` is nowhere found."""
    return Demand(
        words, lambda found: isinstance(found, str) and not pattern.search(found), refused
    )


def seconds_at_most(days: int) -> Demand:
    """A duration as Google writes it (``3600s``), not longer than ``days``."""
    return Demand(
        f"must be {days} days or less, in seconds: at most {days * 86400}s",
        lambda found: 0 < _seconds(found) <= days * 86400,
        (f"{days * 86400 + 1}s", f"{days}d"),
    )


def seconds_at_least(days: int) -> Demand:
    """A duration as Google writes it (``3600s``), not shorter than ``days``."""
    return Demand(
        f"must be {days} days or more, in seconds: at least {days * 86400}s",
        lambda found: _seconds(found) >= days * 86400,
        (f"{days * 86400 - 1}s",),
    )


GIVEN: Final = Demand("must be given", bool, ("", [], {}))

NEVER: Final = Demand("must not be given", lambda found: False, ("anything",))
"""For what may not be there at all; to be used with ``optional``."""


def is_number(value: Any) -> bool:
    """Whether ``value`` is a number; a truth value is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _seconds(value: Any) -> float:
    """The seconds of ``3600s``; -1 for anything else."""
    matched = re.fullmatch(r"(\d+(?:\.\d+)?)s", value) if isinstance(value, str) else None
    return float(matched[1]) if matched else -1


# -- checks ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mutation:
    """A mutant of a resource: ``value`` in the place of what is there; ``ABSENT`` takes it away."""

    keys: Keys
    value: Any


@dataclass(frozen=True, slots=True)
class SetValue:
    """A kind of mutant, as a rule declares it: ``value`` at every place that ``path`` leads to."""

    path: str
    value: Any

    def mutants(self, view: View) -> Iterator[Mutation]:
        for found in view.find(self.path):
            yield Mutation(found.keys, self.value)


class Check(Protocol):
    """Judges a view."""

    def __call__(self, view: View, /) -> Iterator[Finding]: ...


@dataclass(frozen=True, slots=True)
class Must:
    """Every place that ``path`` leads to meets ``demand``; a missing one only if ``optional``."""

    path: str
    demand: Demand
    optional: bool = False

    def __call__(self, view: View) -> Iterator[Finding]:
        for found in view.find(self.path):
            if found.value is UNKNOWN:
                yield Undecided(found.path, view.urn).finding
            elif found.value is ABSENT:
                if not self.optional:
                    text = f"is missing: it {self.demand.words}"
                    yield Finding(path=found.path, text=text, urn=view.urn)
            elif not self.demand.accepts(found.value):
                yield Finding(path=found.path, text=self.demand.words, urn=view.urn)

    def reads(self) -> Iterator[str]:
        yield self.path

    def mutants(self, view: View) -> Iterator[Mutation]:
        for found in view.find(self.path):
            yield from (Mutation(found.keys, value) for value in self.demand.refused)
            # An item that is taken out of a list leaves nothing behind that could be missing.
            if not self.optional and found.value is not ABSENT and isinstance(found.keys[-1], str):
                yield Mutation(found.keys, ABSENT)


@dataclass(frozen=True, slots=True)
class ForEach:
    """Every part at ``path`` passes the checks; ``path`` may be said for each type of resource."""

    path: str | Mapping[str, str]
    checks: tuple[Check, ...]

    def _parts(self, view: View) -> Iterator[View]:
        path = self.path if isinstance(self.path, str) else self.path.get(view.type)
        return iter(()) if path is None else view.parts(path)

    def __call__(self, view: View) -> Iterator[Finding]:
        for part in self._parts(view):
            if part.inputs is UNKNOWN:
                yield Undecided(part.path, view.urn).finding
                continue
            for check in self.checks:
                yield from attempt(check(part))

    def reads(self) -> Iterator[str]:
        for path in [self.path] if isinstance(self.path, str) else self.path.values():
            yield from (f"{path}.{inner}".strip(".") for inner in reads(self.checks))

    def mutants(self, view: View) -> Iterator[Mutation]:
        for part in self._parts(view):
            yield from mutants(self.checks, part)


@dataclass(frozen=True, slots=True)
class When:
    """The checks count where ``condition`` holds."""

    condition: Callable[[View], bool]
    checks: tuple[Check, ...]

    def __call__(self, view: View) -> Iterator[Finding]:
        if self.condition(view):
            for check in self.checks:
                yield from attempt(check(view))

    def reads(self) -> Iterator[str]:
        yield from reads(self.checks)

    def mutants(self, view: View) -> Iterator[Mutation]:
        try:
            holds = self.condition(view)
        except Undecided:
            return
        if holds:
            yield from mutants(self.checks, view)


@dataclass(frozen=True, slots=True)
class Custom:
    """A check that needs a function, with the paths it reads and the ways to break it."""

    function: Callable[[View], Iterator[Finding]]
    paths: tuple[str, ...]
    mutations: tuple[SetValue, ...]

    def __call__(self, view: View) -> Iterator[Finding]:
        yield from self.function(view)

    def reads(self) -> Iterator[str]:
        yield from self.paths

    def mutants(self, view: View) -> Iterator[Mutation]:
        for kind in self.mutations:
            yield from kind.mutants(view)


def forbidden(view: View) -> Iterator[Finding]:
    """That a resource of the type is there at all is the violation."""
    yield view.finding("", "this type of resource is not allowed")


def reads(checks: Sequence[Check]) -> Iterator[str]:
    """The property paths that ``checks`` look at."""
    for check in checks:
        if isinstance(check, Must | ForEach | When | Custom):
            yield from check.reads()


def mutants(checks: Sequence[Check], view: View) -> Iterator[Mutation]:
    """Every way in which ``checks`` claim that ``view`` can be broken."""
    for check in checks:
        if isinstance(check, Must | ForEach | When | Custom):
            yield from check.mutants(view)


# -- rules -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What every rule says of itself.

    Attributes:
        id: name of the policy in reports, configuration and exceptions.
        what: the rule, as a sentence that is true of a good stack.
        fix: what to do about a violation.
        url: where to read more: on the web, or a file of this repository.
        frameworks: ids of the same check elsewhere, each with its catalogue in front.
        adopted: the estate keeps it; a rule that it does not keep yet is off unless turned on.
        settings: JSON Schema of what the pack's configuration may say to this rule, with defaults.
    """

    id: str
    severity: Severity
    what: str
    fix: str
    url: str
    frameworks: tuple[str, ...] = ()
    adopted: bool = True
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def message(self, finding: Finding) -> str:
        """A problem for people."""
        if finding.undecided:
            return (
                f"{finding.path} is not known before the update, so nobody can tell whether the "
                f"rule is kept. Give it a value that the program knows. ({self.fix})"
            )
        return f"{finding.path} {finding.text}. {self.fix}".lstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRule(Rule):
    """A rule about one resource at a time.

    Attributes:
        types: the types that it is about; ``()`` stands for all of them.
        decidable_after_update: a value that is not known in the preview is no violation there. The
            engine asks again in the update, before it makes the resource, with the value.
    """

    types: tuple[str, ...]
    checks: tuple[Check, ...]
    decidable_after_update: bool = False

    def is_about(self, kind: str) -> bool:
        """Whether the rule judges resources of the type ``kind``."""
        return kind in self.types or (OURS in self.types and kind.startswith(OURS))

    def findings(self, view: View) -> Iterator[Finding]:
        """What is wrong with a resource of one of the rule's types."""
        for check in self.checks:
            for finding in attempt(check(view)):
                if not (finding.undecided and self.decidable_after_update):
                    yield finding

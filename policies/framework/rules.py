"""Checks, and the rules that are made of them.

A rule is data around small checks. Each check is evaluated by itself, so that one value that is not
known yet hides no other finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from policies.framework.demands import Demand
from policies.framework.paths import (
    ABSENT,
    COMPONENT_PREFIX,
    EVERY_TYPE,
    UNKNOWN,
    Finding,
    Undecided,
    View,
    attempt,
)


class Severity(StrEnum):
    """How bad a violation is, with the engine's names."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


# -- checks ----------------------------------------------------------------------------------------


class Check(Protocol):
    """Evaluates a view."""

    def __call__(self, view: View, /) -> Iterator[Finding]: ...


@dataclass(frozen=True, slots=True)
class Must:
    """Every location that ``path`` leads to meets ``demand``; it may be absent if ``optional``."""

    path: str
    demand: Demand
    optional: bool = False

    def __call__(self, view: View) -> Iterator[Finding]:
        for match in view.find(self.path):
            if match.value is UNKNOWN:
                yield Undecided(match.path, view.urn).finding
            elif match.value is ABSENT:
                if not self.optional:
                    text = f"is missing: it {self.demand.text}"
                    yield Finding(path=match.path, text=text, urn=view.urn)
            elif not self.demand.accepts(match.value):
                yield Finding(path=match.path, text=self.demand.text, urn=view.urn)

    def reads(self) -> Iterator[str]:
        yield self.path


@dataclass(frozen=True, slots=True)
class ForEach:
    """Every part at ``path`` passes the checks; ``path`` may differ by type of resource."""

    path: str | Mapping[str, str]
    checks: tuple[Check, ...]

    def parts(self, view: View) -> Iterator[View]:
        path = self.path if isinstance(self.path, str) else self.path.get(view.type)
        return iter(()) if path is None else view.parts(path)

    def __call__(self, view: View) -> Iterator[Finding]:
        for part in self.parts(view):
            if part.inputs is UNKNOWN:
                yield Undecided(part.path, view.urn).finding
                continue
            for check in self.checks:
                yield from attempt(check(part))

    def reads(self) -> Iterator[str]:
        for path in [self.path] if isinstance(self.path, str) else self.path.values():
            yield from (f"{path}.{inner}".strip(".") for inner in reads(self.checks))


@dataclass(frozen=True, slots=True)
class When:
    """The checks apply if ``condition`` holds."""

    condition: Callable[[View], bool]
    checks: tuple[Check, ...]

    def __call__(self, view: View) -> Iterator[Finding]:
        if self.condition(view):
            for check in self.checks:
                yield from attempt(check(view))

    def reads(self) -> Iterator[str]:
        yield from reads(self.checks)


@dataclass(frozen=True, slots=True)
class SetValue:
    """A mutation that a check must refuse: ``value`` at every location that ``path`` leads to."""

    path: str
    value: Any


@dataclass(frozen=True, slots=True)
class Custom:
    """A check that needs a function, with the paths that it reads and mutations it must refuse."""

    function: Callable[[View], Iterator[Finding]]
    paths: tuple[str, ...]
    mutations: tuple[SetValue, ...]

    def __call__(self, view: View) -> Iterator[Finding]:
        yield from self.function(view)

    def reads(self) -> Iterator[str]:
        yield from self.paths


def forbidden(view: View) -> Iterator[Finding]:
    """No resource of the type may exist."""
    yield view.finding("", "this type of resource is not allowed")


def reads(checks: Sequence[Check]) -> Iterator[str]:
    """The property paths that ``checks`` read."""
    for check in checks:
        if isinstance(check, Must | ForEach | When | Custom):
            yield from check.reads()


# -- rules -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What every rule has.

    Attributes:
        id: the policy's name in reports, configuration and exceptions.
        what: the rule, as a sentence that is true of a good stack.
        fix: what to do about a violation.
        url: where to read more: on the web, or a file of this repository.
        frameworks: ids of the same check elsewhere, each after the name of its catalogue.
        adopted: the estate complies with it; otherwise the rule is off unless a stack turns it on.
        settings: JSON Schema, with defaults, of the rule's settings in the pack's configuration.
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
        """A finding for people."""
        if finding.undecided:
            return (
                f"{finding.path} is not known before the update, so the rule cannot be checked. "
                f"Set it to a value that the program knows. ({self.fix})"
            )
        return f"{finding.path} {finding.text}. {self.fix}".lstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRule(Rule):
    """A rule about one resource at a time.

    Attributes:
        types: the types that it applies to.
        decidable_after_update: a value that is not known in the preview is no violation there. The
            engine asks again in the update, before it creates the resource, with the value.
    """

    types: tuple[str, ...]
    checks: tuple[Check, ...]
    decidable_after_update: bool = False

    def applies_to(self, token: str) -> bool:
        """Whether the rule evaluates resources of the type ``token``."""
        return (
            token in self.types
            or EVERY_TYPE in self.types
            or (COMPONENT_PREFIX in self.types and token.startswith(COMPONENT_PREFIX))
        )

    def findings(self, view: View) -> Iterator[Finding]:
        """The violations of a resource of one of the rule's types."""
        for check in self.checks:
            for finding in attempt(check(view)):
                if not (finding.undecided and self.decidable_after_update):
                    yield finding

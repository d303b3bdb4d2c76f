"""Exceptions to rules: one reviewed file, one resource per entry, and an expiry date."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from policies.framework.graph import Graph, StackRule
from policies.framework.paths import Finding
from policies.framework.rules import Severity
from resource_types.reviews import iso_date, read_yaml

FILE: Final = Path(__file__).parent.parent / "approvals" / "exceptions.yaml"

LABEL: Final = "approvals/exceptions.yaml"
"""The file in messages."""

KEYS: Final = ("rule", "urn", "reason", "owner", "expires")

MAX_DURATION: Final = timedelta(days=365)
"""An exception is reviewed again at least once a year."""

_URN: Final = re.compile(r"urn:pulumi:([^:]+)::[^:]+::\S+::\S+")


@dataclass(slots=True)
class Exceptions:
    """The exceptions of all stacks, and which of them were used.

    Attributes:
        valid: the expiry date of each exception, by rule and URN.
        mistakes: what is wrong with the other entries.
    """

    valid: dict[tuple[str, str], date] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)
    _used: set[tuple[str, str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cover(self, rule: str, urn: str, today: date) -> bool:
        """Whether an exception covers a violation of ``rule`` by ``urn`` on ``today``."""
        expires = self.valid.get((rule, urn))
        if expires is None:
            return False
        with self._lock:  # the engine asks about several resources at once
            self._used.add((rule, urn))
        return today <= expires <= today + MAX_DURATION

    def findings(self, stack: str, urn: str, today: date) -> Iterator[Finding]:
        """What is wrong with the exceptions of ``stack``, once all its resources are evaluated."""
        for text in self.mistakes:
            yield Finding(path="", text=text, urn=urn)
        for (rule, excepted), expires in self.valid.items():
            if _stack(excepted) != stack:
                continue
            entry = f"{LABEL}: the exception of {excepted} from {rule}"
            if today > expires:
                yield Finding(path="", text=f"{entry} expired on {expires}", urn=excepted)
            elif expires > today + MAX_DURATION:
                text = f"{entry} lasts more than {MAX_DURATION.days} days"
                yield Finding(path="", text=text, urn=excepted)
            elif (rule, excepted) not in self._used:
                yield Finding(path="", text=f"{entry} is no longer needed", urn=excepted)


def read(rules: frozenset[str], file: Path = FILE) -> Exceptions:
    """The exceptions in ``file``; a mistake in it is reported, and never counts as an exception."""
    # Imported here, because the table of rules needs this module and no YAML.
    import yaml

    try:
        entries = read_yaml(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        return Exceptions(mistakes=[f"{LABEL} cannot be read: {' '.join(str(error).split())}"])
    if not isinstance(entries, list):
        return Exceptions(mistakes=[f"{LABEL} must be a list of exceptions"])
    exceptions = Exceptions()
    for number, entry in enumerate(entries, 1):
        mistake = _mistake(entry, rules)
        if mistake:
            exceptions.mistakes.append(f"{LABEL}: entry {number} {mistake}")
        elif (entry["rule"], entry["urn"]) in exceptions.valid:
            exceptions.mistakes.append(f"{LABEL}: entry {number} repeats another entry")
        else:
            exceptions.valid[entry["rule"], entry["urn"]] = iso_date(entry["expires"])
    return exceptions


def _mistake(entry: Any, rules: frozenset[str]) -> str:
    """What is wrong with an entry; empty if it is valid."""
    if not isinstance(entry, dict) or set(entry) != set(KEYS):
        return f"must have exactly these keys: {', '.join(KEYS)}"
    if not isinstance(entry["rule"], str) or entry["rule"] not in rules:
        return "names a rule that is not in docs/policies.md"
    if not isinstance(entry["urn"], str) or not _URN.fullmatch(entry["urn"]):
        return "must name one resource by its full URN"
    for key, minimum in (("reason", 10), ("owner", 3)):
        if not isinstance(entry[key], str) or len(entry[key].strip()) < minimum:
            return f"must have a {key} of at least {minimum} characters"
    try:
        iso_date(entry["expires"])
    except ValueError as error:
        return f"must have an expiry date in expires: {error}"
    return ""


def _stack(urn: str) -> str:
    return urn.split(":")[2]


def exceptions_rule(exceptions: Exceptions, today: date) -> StackRule:
    """The rule about the exceptions themselves. It is evaluated last, and has no exceptions."""

    def check(graph: Graph) -> Iterator[Finding]:
        urn = graph.nodes[0].urn if graph.nodes else ""
        yield from exceptions.findings(_stack(urn) if urn else "", urn, today)

    return StackRule(
        id="exceptions",
        severity=Severity.HIGH,
        what="Every exception is valid, needed and not expired.",
        fix=f"Correct {LABEL}, or remove the entry.",
        url="docs/policies.md",
        check=check,
        paths=(),
    )

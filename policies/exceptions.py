"""Exceptions to rules: from one reviewed file, for one resource each, and not for ever."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from policies.graph import Graph, StackRule
from policies.rule import Finding, Severity

FILE: Final = Path(__file__).with_name("exceptions.yaml")

KEYS: Final = ("rule", "urn", "reason", "owner", "expires")

LONGEST: Final = timedelta(days=365)
"""How far ahead an exception may end: after a year somebody looks at it again."""

_URN: Final = re.compile(r"urn:pulumi:([^:]+)::[^:]+::\S+::\S+")


@dataclass(slots=True)
class Exceptions:
    """The exceptions of all stacks, and which of them were needed.

    Attributes:
        valid: when each ends, by rule and URN.
        wrong: what is wrong with the others, in words.
    """

    valid: dict[tuple[str, str], date] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    _used: set[tuple[str, str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cover(self, rule: str, urn: str, today: date) -> bool:
        """Whether a violation of ``rule`` by ``urn`` is excepted, ``today``."""
        expires = self.valid.get((rule, urn))
        if expires is None:
            return False
        with self._lock:  # the engine asks about several resources at once
            self._used.add((rule, urn))
        return today <= expires <= today + LONGEST

    def findings(self, stack: str, urn: str, today: date) -> Iterator[Finding]:
        """What is wrong with the exceptions of ``stack``, after all its resources were judged."""
        for text in self.wrong:
            yield Finding(path="", text=text, urn=urn)
        for (rule, excepted), expires in self.valid.items():
            if _stack(excepted) != stack:
                continue
            entry = f"policies/exceptions.yaml: the exception of {excepted} from {rule}"
            if today > expires:
                yield Finding(path="", text=f"{entry} expired on {expires}", urn=excepted)
            elif expires > today + LONGEST:
                text = f"{entry} runs for more than {LONGEST.days} days"
                yield Finding(path="", text=text, urn=excepted)
            elif (rule, excepted) not in self._used:
                yield Finding(path="", text=f"{entry} is not needed any more", urn=excepted)


def read(rules: frozenset[str], file: Path = FILE) -> Exceptions:
    """The exceptions in ``file``; what cannot be read is told, never taken for an exception."""
    # Imported late: tables and tests need the rules, and no YAML.
    import yaml

    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        return Exceptions(wrong=[f"policies/{file.name} cannot be read: {type(error).__name__}"])
    if not isinstance(entries, list):
        return Exceptions(wrong=[f"policies/{file.name} must be a list of exceptions"])
    exceptions = Exceptions()
    for number, entry in enumerate(entries, 1):
        reason = _wrong(entry, rules)
        if reason:
            exceptions.wrong.append(f"policies/{file.name}: entry {number} {reason}")
        elif (entry["rule"], entry["urn"]) in exceptions.valid:
            exceptions.wrong.append(f"policies/{file.name}: entry {number} is there twice")
        else:
            exceptions.valid[entry["rule"], entry["urn"]] = entry["expires"]
    return exceptions


def _wrong(entry: Any, rules: frozenset[str]) -> str:
    """What is wrong with an entry, or nothing."""
    if not isinstance(entry, dict) or set(entry) != set(KEYS):
        return f"must have exactly these keys: {', '.join(KEYS)}"
    if not isinstance(entry["rule"], str) or entry["rule"] not in rules:
        return "names a rule that is not in docs/policies.md"
    if not isinstance(entry["urn"], str) or not _URN.fullmatch(entry["urn"]):
        return "must name one resource by its whole URN"
    for key, least in (("reason", 10), ("owner", 3)):
        if not isinstance(entry[key], str) or len(entry[key].strip()) < least:
            return f"must say the {key}"
    if type(entry["expires"]) is not date:
        return "must say when it expires, as a date such as 2027-01-31"
    return ""


def _stack(urn: str) -> str:
    return urn.split(":")[2]


def exceptions_rule(exceptions: Exceptions, today: date) -> StackRule:
    """The rule about the exceptions themselves. It comes last, and has no exceptions."""

    def check(graph: Graph) -> Iterator[Finding]:
        urn = graph.nodes[0].urn if graph.nodes else ""
        yield from exceptions.findings(_stack(urn) if urn else "", urn, today)

    return StackRule(
        id="exceptions",
        severity=Severity.HIGH,
        what="Every exception is well-formed, needed, and has not expired.",
        fix="Correct policies/exceptions.yaml, or take the entry out.",
        url="docs/policies.md",
        check=check,
        mutations=(),
        paths=(),
    )

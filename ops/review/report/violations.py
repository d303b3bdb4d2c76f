"""The violations of the policies, grouped by rule, as the comment and the page show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ops.review.outcome import Violation
from ops.review.report.model import severity


@dataclass(frozen=True, slots=True, kw_only=True)
class SameMessage:
    """Resources for which a rule has the same message.

    Attributes:
        message: what follows the rule's shared lines; empty for nothing.
    """

    urns: tuple[str, ...]
    message: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(urn.rpartition("::")[2] for urn in self.urns)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolatedRule:
    """A rule, and the resources that violate it.

    Attributes:
        severity: empty for a rule of another pack.
        shared: the lines with which all messages begin, such as what the rule checks.
        parts: the rest of each message.
    """

    rule: str
    level: str
    severity: str
    shared: str
    parts: tuple[SameMessage, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the resources, each once."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.names))

    @property
    def message(self) -> str:
        """All messages as one text: the shared lines once, then the lines of each resource."""
        lines = [self.shared] if self.shared else []
        for part in self.parts:
            if part.message:
                lines.append(f"{', '.join(part.names)}:")
                lines += [f"  {line}" for line in part.message.splitlines()]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "level": self.level,
            "severity": self.severity,
            "shared": self.shared,
            "parts": [{"urns": list(part.urns), "message": part.message} for part in self.parts],
        }


def by_rule(violations: Sequence[Violation]) -> Iterator[ViolatedRule]:
    """The violated rules. ``violations`` are sorted by level, rule and message."""
    for (level, rule), of_rule in groupby(violations, key=lambda found: (found.level, found.rule)):
        found = list(of_rule)
        lines = {violation.message: violation.message.splitlines() for violation in found}
        shared = _shared(list(lines.values()))
        yield ViolatedRule(
            rule=rule,
            level=level,
            severity=severity(found[0]),
            shared="\n".join(lines[found[0].message][:shared]),
            parts=tuple(
                SameMessage(
                    urns=tuple(violation.urn for violation in alike),
                    message="\n".join(lines[message][shared:]),
                )
                for message, alike in groupby(found, key=lambda violation: violation.message)
            ),
        )


def _shared(texts: Sequence[Sequence[str]]) -> int:
    """The number of lines with which all texts begin."""
    return next(
        (number for number, lines in enumerate(zip(*texts, strict=False)) if len(set(lines)) > 1),
        min(map(len, texts)),
    )

"""The table of all rules, for ``docs/policies.md``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from policies.framework.graph import StackRule
from policies.framework.rules import ResourceRule, reads
from policies.levels import OFF, file_of, read_levels
from policies.rules import CONCERNS, RULES

STACKS: Final = ("production", "staging")


def table() -> str:
    """The body of ``docs/policies.md``: one table for each concern."""
    folder = Path(__file__).parent
    levels = {stack: read_levels(file_of(stack, folder)) for stack in STACKS}
    lines = [f"{len(RULES)} rules, and one about the exceptions."]
    for concern, rules in CONCERNS.items():
        lines += [
            "",
            f"### {concern}",
            "",
            "| rule | severity | stacks | what it checks | in other catalogues | how to fix it |",
        ]
        lines += ["| --- | --- | --- | --- | --- | --- |"]
        for rule in rules:
            cells = (
                f"[`{rule.id}`]({rule.url.removeprefix('docs/')})",
                rule.severity.value,
                _stacks(rule.id, levels),
                f"{rule.what} {_paths(rule)}".strip(),
                ", ".join(rule.frameworks),
                rule.fix,
            )
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


def _stacks(rule: str, levels: Mapping[str, Mapping[str, str]]) -> str:
    on = [stack for stack in STACKS if levels[stack][rule] != OFF]
    return {2: "both", 0: "off"}.get(len(on), " ".join(on))


def _paths(rule: ResourceRule | StackRule) -> str:
    return ", ".join(f"`{path}`" for path in _reads(rule))


def _reads(rule: ResourceRule | StackRule) -> Iterator[str]:
    paths = reads(rule.checks) if isinstance(rule, ResourceRule) else rule.paths
    yield from sorted(set(paths) - {""})

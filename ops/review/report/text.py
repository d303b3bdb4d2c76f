"""The report for a terminal or a log: the order and the texts of the comment, with nothing cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from ops.review.rendering import SIGNS
from ops.review.report.model import Changed, Report, StackReport
from ops.sanitize import printable, printable_lines

DEPENDENTS: Final = 24
"""Dependents of a resource that are named; the rest is counted."""


def text(report: Report) -> str:
    """The report as plain text, without terminal control characters."""
    return printable_lines("\n\n".join("\n".join(_stack(stack)) for stack in report.stacks))


def _stack(stack: StackReport) -> Iterator[str]:
    yield f"{printable(stack.stack)}: {stack.risk}"
    for reason in stack.reasons:
        names = f": {', '.join(map(printable, reason.names))}" if reason.names else ""
        yield f"  {reason.text}{names}"
    if stack.failure:
        yield from _failure(stack)
    for move in stack.moves:
        old, new = (printable(", ".join(shares)) for shares in (move.old, move.new))
        yield f"  traffic of {printable(move.name)}: {old} -> {new}"
    yield from _listed("Deleted" if stack.drift else "Replaced or deleted", stack.destroyed)
    changed = () if stack.moves else stack.changed
    for stage, changes in groupby(changed, key=lambda change: change.component.stage):
        yield from _listed(printable(stage), list(changes))
    if stack.violations or (stack.rules and not stack.failure):
        broken = len({violation.rule for violation in stack.violations})
        yield from ("", f"Policies: {stack.rules} rules, {broken or 'none'} violated")
    for violation in stack.violations:
        title = f"{violation.level}: {violation.rule}"
        yield from _message(title, violation.urn, violation.message)
    if not stack.failure:
        for diagnostic in stack.diagnostics:
            yield from _message(diagnostic.severity, diagnostic.urn, diagnostic.message)
    if stack.created:
        yield from ("", f"New: {len(stack.created)} resources")
    for component, in_component in groupby(stack.created, key=lambda change: change.component):
        own = [change for change in in_component if change.step.state.custom]
        if component.name and own:
            yield f"  {printable(f'{component.stage}, {component.name}')}: {len(own)}"


def _failure(stack: StackReport) -> Iterator[str]:
    assert stack.failure
    for error in stack.failure.errors:
        yield from ("", f"  {printable(error.path)}")
        yield f"      value     {printable(error.value)}"
        yield f"      expected  {printable(error.expected)}"
    if not stack.failure.errors:
        if not stack.diagnostics:
            yield from _message("error", "", stack.failure.message)
        for diagnostic in stack.diagnostics:
            yield from _message(diagnostic.severity, diagnostic.urn, diagnostic.message)


def _listed(title: str, changes: Sequence[Changed]) -> Iterator[str]:
    if changes:
        yield from ("", title)
    for change in changes:
        sign = SIGNS.get(change.step.op, "~")
        yield f"  {sign:<2} {printable(change.name)}  {change.type}  {printable(change.physical)}"
        if change.refused:
            yield f"       refused, {change.refused.loss}: {change.refused.reason}"
        if change.follows:
            names = ", ".join(printable(node.name) for node in change.follows)
            yield f"       caused by its dependencies: {names}"
        for changed in change.properties:
            perhaps = "  may force the replacement" if change.follows else ""
            forced = "  forces the replacement" if changed.replaces else perhaps
            values = changed.new if changed.old is None else f"{changed.old} -> {changed.new}"
            yield f"       {printable(changed.path)}  {printable(values)}{forced}"
        if change.downstream:
            nearest = ", ".join(printable(node.name) for node in change.downstream[:DEPENDENTS])
            more = len(change.downstream) - DEPENDENTS
            further = f" and {more:,} indirect" if more > 0 else ""
            yield f"       dependents ({len(change.downstream):,}): {nearest}{further}"


def _message(title: str, urn: str, message: str) -> Iterator[str]:
    about = f"  {printable(urn.rpartition('::')[2])}" if urn else ""
    yield from ("", f"{title}{about}")
    yield from (f"    {line}" for line in message.splitlines())

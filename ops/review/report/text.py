"""The report for a terminal or a log: the same order and the same words, uncut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from ops.command_line.terminal import SIGNS
from ops.review.report.model import Changed, Report, StackReport
from ops.sanitize import printable, printable_lines

DEPENDENTS: Final = 24
"""So many of what depends on a resource are named."""


def text(report: Report) -> str:
    """The report in lines of plain text, in which nothing controls a terminal."""
    return printable_lines("\n\n".join("\n".join(_stack(one)) for one in report.stacks))


def _stack(stack: StackReport) -> Iterator[str]:
    yield f"{printable(stack.stack)}: {stack.risk}"
    for reason in stack.reasons:
        names = f": {', '.join(map(printable, reason.names))}" if reason.names else ""
        yield f"  {reason.words}{names}"
    if stack.failure:
        yield from _failure(stack)
    for move in stack.moves:
        old, new = (printable(", ".join(shares)) for shares in (move.old, move.new))
        yield f"  traffic of {printable(move.name)}: {old} -> {new}"
    yield from _listed("Gone" if stack.drift else "Replaced or deleted", stack.worst)
    changed = () if stack.moves else stack.changed
    for stage, changes in groupby(changed, key=lambda one: one.component.stage):
        yield from _listed(printable(stage), list(changes))
    if stack.violations or (stack.rules and not stack.failure):
        broken = len({one.rule for one in stack.violations})
        yield from ("", f"Policies: {stack.rules} rules, {broken or 'none'} broken")
    for one in stack.violations:
        yield from _message(f"{one.level}: {one.rule}", one.urn, one.message)
    if not stack.failure:
        for diagnostic in stack.diagnostics:
            yield from _message(diagnostic.severity, diagnostic.urn, diagnostic.message)
    if stack.created:
        yield from ("", f"New: {len(stack.created)} resources")
    for component, in_component in groupby(stack.created, key=lambda one: one.component):
        own = [one for one in in_component if one.step.state.custom]
        if component.name and own:
            yield f"  {printable(f'{component.stage}, {component.name}')}: {len(own)}"


def _failure(stack: StackReport) -> Iterator[str]:
    assert stack.failure
    for wrong in stack.failure.errors:
        yield from ("", f"  {printable(wrong.path)}")
        yield f"      is        {printable(wrong.value)}"
        yield f"      expected  {printable(wrong.expected)}"
    if not stack.failure.errors:
        if not stack.diagnostics:
            yield from _message("error", "", stack.failure.message)
        for one in stack.diagnostics:
            yield from _message(one.severity, one.urn, one.message)


def _listed(title: str, changes: Sequence[Changed]) -> Iterator[str]:
    if changes:
        yield from ("", title)
    for one in changes:
        sign = SIGNS.get(one.step.op, "~")
        yield f"  {sign:<2} {printable(one.name)}  {one.type}  {printable(one.physical)}"
        if one.refused:
            yield f"       refused, {one.refused.loss}: {one.refused.reason}"
        if one.follows:
            names = ", ".join(printable(node.name) for node in one.follows)
            yield f"       follows from what it needs: {names}"
        for told in one.properties:
            perhaps = "  may force the replacement" if one.follows else ""
            forced = "  forces the replacement" if told.replaces else perhaps
            values = told.new if told.old is None else f"{told.old} -> {told.new}"
            yield f"       {printable(told.path)}  {printable(values)}{forced}"
        if one.downstream:
            nearest = ", ".join(printable(node.name) for node in one.downstream[:DEPENDENTS])
            more = len(one.downstream) - DEPENDENTS
            further = f" and {more:,} further away" if more > 0 else ""
            yield f"       {len(one.downstream):,} depend on it: {nearest}{further}"


def _message(title: str, urn: str, message: str) -> Iterator[str]:
    about = f"  {printable(urn.rpartition('::')[2])}" if urn else ""
    yield from ("", f"{title}{about}")
    yield from (f"    {line}" for line in message.splitlines())

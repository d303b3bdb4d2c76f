"""The report for a terminal or a log: the order and the texts of the comment, with nothing cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from ops.review.rendering import SIGNS, Property
from ops.review.report.model import Changed, Report, StackReport, severity
from ops.review.report.risk import Reason
from ops.sanitize import printable, printable_lines

DEPENDENTS: Final = 24
"""Dependents of a resource that are named; the rest is counted."""


def text(report: Report) -> str:
    """The report as plain text, without terminal control characters."""
    parts = [_judges(report), *map(_stack, report.stacks)]
    return printable_lines("\n\n".join(filter(None, map("\n".join, parts))))


def _judges(report: Report) -> Iterator[str]:
    if report.judges.changed:
        yield "This pull request changes what judges it:"
        yield from (f"  {printable(path)}" for path in report.judges.changed)
        yield report.judges.note
        yield from map(printable, report.differing_verdicts())


def _stack(stack: StackReport) -> Iterator[str]:
    yield f"{printable(stack.stack)}: {stack.risk}. {stack.sentence} {stack.totals}".rstrip()
    for reason in stack.reasons:
        names = ", ".join(_detailed(name, reason) for name in reason.names)
        yield f"  - {printable(reason.text)}{f': {names}' if names else ''}"
    if stack.actions:
        yield f"  To do: {printable(' '.join(stack.actions))}"
    if stack.compared_with:
        yield f"  Compared with {printable(stack.compared_with)}"
    if stack.failure:
        yield from _failure(stack)
    for move in stack.moves:
        old, new = (printable(", ".join(shares)) for shares in (move.old, move.new))
        yield f"  traffic of {printable(move.name)}: {old} -> {new}"
    yield from _listed("Deleted" if stack.drift else "Replaced or deleted", stack.destroyed, stack)
    yield from _violations(stack)
    if not stack.moves:
        yield from _changes(stack)
    if stack.outputs:
        yield from ("", "Stack outputs")
    for output in stack.outputs:
        yield from (
            f"  {output.change} ({output.kind}) {_values(each)}" for each in output.properties
        )
    if not stack.failure:
        if stack.rules and not stack.violations:
            yield from ("", f"Policies: {stack.rules} rules, none violated")
        for diagnostic in stack.diagnostics:
            yield from _message(diagnostic.severity, diagnostic.urn, diagnostic.message)
    if stack.created:
        yield from ("", f"New: {len(stack.created)} resources")
    for component, in_component in groupby(stack.created, key=lambda change: change.component):
        own = [change for change in in_component if change.step.state.custom]
        if component.name and own:
            yield f"  {printable(f'{component.stage}, {component.name}')}: {len(own)}"


def _detailed(name: str, reason: Reason) -> str:
    detail = reason.details.get(name)
    return printable(f"{name} ({detail})" if detail else name)


def _violations(stack: StackReport) -> Iterator[str]:
    if stack.violations:
        violated = len({violation.rule for violation in stack.violations})
        yield from ("", f"Policies: {stack.rules} rules, {violated} violated")
    for violation in stack.violations:
        about = ", ".join(filter(None, (violation.level, severity(violation))))
        yield from _message(f"{about}: {violation.rule}", violation.urn, violation.message)


def _changes(stack: StackReport) -> Iterator[str]:
    for group in stack.alike:
        first = group.changes[0]
        types = ", ".join(f"{count} {type_}" for type_, count in group.types.items())
        names = ", ".join(printable(changed.name) for changed in group.changes)
        yield from ("", f"{first.operation} {types}: {names}")
        yield from _dropped(first)
        yield from _properties(group.properties)
    for stage, changes in groupby(stack.changed_alone, key=lambda each: each.component.stage):
        yield from _listed(printable(stage), list(changes), stack)


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


def _listed(title: str, changes: Sequence[Changed], stack: StackReport) -> Iterator[str]:
    if changes:
        yield from ("", title)
    for change in changes:
        sign = SIGNS.get(change.step.op, "~")
        yield f"  {sign:<2} {printable(change.name)}  {change.type}  {printable(change.physical)}"
        status, loss = stack.loss_text(change)
        if loss:
            reason = f" {change.refused.reason}" if change.refused else ""
            approval = f" {change.approved.approval}" if change.approved else ""
            yield f"       {status}: {printable(loss)}.{printable(reason + approval)}"
        if change.follows:
            names = ", ".join(printable(node.name) for node in change.follows)
            yield f"       caused by its dependencies: {names}"
        yield from _dropped(change)
        perhaps = "  may force the replacement" if change.follows else ""
        yield from _properties(change.properties, perhaps)
        if change.downstream:
            nearest = ", ".join(printable(node.name) for node in change.downstream[:DEPENDENTS])
            more = len(change.downstream) - DEPENDENTS
            further = f" and {more:,} indirect" if more > 0 else ""
            yield f"       dependents ({len(change.downstream):,}): {nearest}{further}"


def _dropped(change: Changed) -> Iterator[str]:
    if change.dropped_variables:
        names = ", ".join(map(printable, change.dropped_variables))
        yield f"       {printable(change.subject)} no longer gets {names}"


def _properties(properties: Iterable[Property], perhaps: str = "") -> Iterator[str]:
    for changed in properties:
        forced = "  forces the replacement" if changed.replaces else perhaps
        yield f"       {_values(changed)}{forced}"


def _values(changed: Property) -> str:
    values = changed.new if changed.old is None else f"{changed.old} -> {changed.new}"
    return f"{printable(changed.path)}  {printable(values)}"


def _message(title: str, urn: str, message: str) -> Iterator[str]:
    about = f"  {printable(urn.rpartition('::')[2])}" if urn else ""
    yield from ("", f"{title}{about}")
    yield from (f"    {line}" for line in message.splitlines())

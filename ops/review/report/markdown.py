"""The report as a comment on a change: GitHub's Markdown, within the limit of a comment's length.

Text from settings, states and clouds is always in code spans or code blocks, where Markdown, HTML
and mentions have no effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from textwrap import indent
from typing import Final

from ops.review.report.model import Changed, Node, Report, StackReport
from ops.review.report.picture import picture
from ops.review.report.risk import Reason, Risk
from ops.sanitize import printable

MARKER: Final = "<!-- pull-estate report -->"
"""The first line of every comment, by which the next run finds the comment to replace."""

LIMIT: Final = 60_000
"""Characters of a comment. GitHub accepts 65,536 characters, whatever their size in bytes."""

NAMES: Final = 6
"""Names listed after a reason; the rest is counted."""

PROPERTIES: Final = 30
"""Properties listed of one resource."""

DEPENDENTS: Final = 24
"""Dependents of a resource that are named; the rest is counted."""

MAX_TEXT: Final = 300
"""Characters shown of a name, a path or a value."""

MESSAGE: Final = 3_000
"""Characters shown of a message."""

ALIKE: Final = 4
"""From this many, new resources of a type share a line."""

_ALERTS: Final = {Risk.SAFE: "NOTE", Risk.REVIEW: "WARNING", Risk.BLOCKED: "CAUTION"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of blocks. Each block is either shown completely or left out.

    Attributes:
        rank: sections with the lowest rank are shortened last.
        title: a heading, or the summary line of a folded section.
        noun: what the blocks are, in the count of those left out.
        open: a folded section is open at first.
    """

    rank: int
    title: str
    blocks: Sequence[str]
    noun: str
    folded: bool = False
    open: bool = False

    def render(self, kept: int) -> str:
        """The section with its first ``kept`` blocks."""
        left = len(self.blocks) - kept
        body = "\n".join([*self.blocks[:kept], *([f"*{left:,} more {self.noun}*"] if left else [])])
        if self.folded:
            tag = "details open" if self.open else "details"
            return f"<{tag}>\n<summary>{self.title}</summary>\n\n{body}\n\n</details>"
        return "\n\n".join(part for part in (self.title, body.strip()) if part)


def markdown(report: Report, full_report_url: str = "") -> str:
    """The comment. It links to ``full_report_url`` if something had to be left out."""
    verdicts = ", ".join(f"{label(stack.stack)}: {stack.risk}" for stack in report.stacks)
    head = [MARKER, f"## {verdicts}"]
    notice = _cut(report, full_report_url)
    by_stack = [list(_sections(stack)) for stack in report.stacks]
    sections = [section for of_stack in by_stack for section in of_stack]
    kept = _fit(sections, _budget([*head, *map(_verdict, report.stacks), notice], report))
    parts = list(head)
    for stack, of_stack in zip(report.stacks, by_stack, strict=True):
        if len(report.stacks) > 1:
            parts.append(f"## {label(stack.stack)}")
        parts.append(_verdict(stack))
        parts += [section.render(kept[id(section)]) for section in of_stack]
    if any(kept[id(section)] < len(section.blocks) for section in sections):
        parts.append(notice)
    return "\n\n".join(parts)


def _budget(fixed: Iterable[str], report: Report) -> int:
    """Characters left for the sections beside the ``fixed`` parts."""
    return LIMIT - sum(len(part) + 2 for part in fixed) - 100 * len(report.stacks)


def _fit(sections: Sequence[Section], budget: int) -> dict[int, int]:
    """The number of blocks kept of each section, by the section's id; the lowest ranks first."""
    kept = {id(section): 0 for section in sections}
    budget -= sum(len(section.render(0)) + 2 for section in sections)
    by_rank = sorted(sections, key=lambda section: section.rank)
    for _, of_rank in groupby(by_rank, key=lambda section: section.rank):
        waiting = [section for section in of_rank if section.blocks]
        full = False
        while waiting:  # one block of each in turn, so that each section shows something
            section = waiting.pop(0)
            length = len(section.blocks[kept[id(section)]]) + 1
            if length > budget:
                full = True
                continue
            budget -= length
            kept[id(section)] += 1
            if kept[id(section)] < len(section.blocks):
                waiting.append(section)
        if full:
            break  # a less important section shows nothing while this one is cut
    return kept


def _cut(report: Report, full_report_url: str) -> str:
    if full_report_url:
        return f"*This comment is shortened. See the [full report](<{full_report_url}>).*"
    stacks = " ".join(f"--stack {label(stack.stack)}" for stack in report.stacks)
    return f"*This comment is shortened. Full report: `bin/ops report {stacks} --form html`*"


# -- sections ----------------------------------------------------------------------------------


def _verdict(stack: StackReport) -> str:
    lines = [f"[!{_ALERTS[stack.risk]}]", f"**{stack.risk.capitalize()}**", ""]
    lines += [f"- {_reason(reason)}" for reason in stack.reasons]
    alert = "\n".join(f"> {line}".rstrip() for line in lines)
    if stack.drift and stack.steps:
        return f"{alert}\n\nThe next `up` reverts this, unless the program is changed to match."
    if stack.drift or stack.moves or not stack.steps:
        return alert
    counts = ", ".join(f"{count:,} to {operation}" for operation, count in stack.counts.items())
    return f"{alert}\n\n{counts.capitalize()}."


def _reason(reason: Reason) -> str:
    text = label(reason.text)
    return f"{text}: {_named(reason.names)}" if reason.names else text


def _named(names: Sequence[str]) -> str:
    """The first names; the rest is counted."""
    more = f" and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
    return f"{', '.join(map(code, names[:NAMES]))}{more}"


def _sections(stack: StackReport) -> Iterator[Section]:
    """The sections after the verdict, in order."""
    if stack.failure:
        yield Section(rank=0, title="", blocks=list(_failure(stack)), noun="errors")
    if stack.moves:
        yield Section(rank=1, title="", blocks=list(_traffic(stack)), noun="moves of traffic")
    if stack.destroyed:
        title = "### Deleted" if stack.drift else "### Replaced or deleted"
        reasons = {refusal.reason for refusal in stack.refusals}
        title += "".join(f"\n\n{label(reason)}" for reason in sorted(reasons))
        blocks = [_destroyed(changed, drift=stack.drift) for changed in stack.destroyed]
        yield Section(rank=1, title=title, blocks=blocks, noun="resources")
    if not stack.moves:
        yield from _stages(stack)
    if stack.violations or (stack.rules and not stack.failure):
        yield Section(
            rank=2, title=_rules(stack), blocks=list(_violations(stack)), noun="violations"
        )
    drawn = picture(stack)
    if drawn:
        yield Section(
            rank=5,
            title="<b>Graph</b> of the affected components",
            blocks=[f"```mermaid\n{drawn}\n```"],
            noun="graph",
            folded=True,
            open=bool(stack.destroyed),
        )
    if stack.diagnostics and not stack.failure:
        blocks = list(_diagnostics(stack))
        yield Section(rank=4, title="### Messages", blocks=blocks, noun="messages")
    if stack.created:
        yield Section(
            rank=6,
            title=f"<b>New:</b> {len(stack.created):,} resource{'s'[: len(stack.created) > 1]}",
            blocks=list(_created(stack.created)),
            noun="lines",
            folded=True,
        )


def _stages(stack: StackReport) -> Iterator[Section]:
    """The changes in place, one section per stage."""
    above = f"### {'Different' if stack.drift else 'Changed'}\n\n"
    for stage, changes in groupby(stack.changed, key=lambda changed: changed.component.stage):
        yield Section(
            rank=3,
            title=f"{above}#### {label(stage)}",
            blocks=[_changed(changed, drift=stack.drift) for changed in changes],
            noun="changes",
        )
        above = ""


def _failure(stack: StackReport) -> Iterator[str]:
    assert stack.failure
    for error in stack.failure.errors:
        yield (
            f"- {code(error.path)}\n"
            f"  - value: {code(error.value)}\n"
            f"  - expected: {code(error.expected, MESSAGE)}"
        )
    if not stack.failure.errors:
        yield from list(_diagnostics(stack)) or [block(stack.failure.message)]


def _traffic(stack: StackReport) -> Iterator[str]:
    for move in stack.moves:
        yield f"- **traffic** of {code(move.name)}: {_shares(move.old)} → {_shares(move.new)}"


def _shares(shares: Iterable[str]) -> str:
    return ", ".join(map(code, shares)) or "nothing"


def _destroyed(changed: Changed, *, drift: bool) -> str:
    where = f"{label(changed.component.stage)}, {label(changed.component.name)}".rstrip(", ")
    operation = "" if drift else f"{changed.operation} "
    lines = [f"#### {operation}{code(changed.name)}", "", f"{_called(changed)} in {where}"]
    refused = changed.refused
    if refused:
        lines += ["", f"**Refused**: {label(refused.loss)}."]
    if changed.follows:
        named = _named([node.name for node in changed.follows])
        lines += ["", f"Caused by its dependencies: {named}."]
    lines += ["", *_properties(changed)] if changed.properties else []
    if changed.downstream:
        lines += ["", *_downstream(changed.downstream)]
    return "\n".join([*lines, ""])


def _downstream(nodes: Sequence[Node]) -> Iterator[str]:
    count = len(nodes)
    noun = "dependent" if count == 1 else "dependents"
    yield f"<details>\n<summary>{count:,} {noun}</summary>\n"
    in_order = sorted(nodes[:DEPENDENTS], key=lambda node: (node.component.stage, node.name))
    for stage, of_stage in groupby(in_order, key=lambda node: node.component.stage):
        yield f"- {label(stage)}: {', '.join(code(node.name) for node in of_stage)}"
    if count > DEPENDENTS:
        yield f"- and {count - DEPENDENTS:,} indirect"
    yield "\n</details>"


def _changed(changed: Changed, *, drift: bool) -> str:
    where = f" in {label(changed.component.name)}" if changed.component.name else ""
    operation = "" if drift else f"**{changed.operation}** "
    lines = [f"- {operation}{code(changed.name)}, {_called(changed)}{where}"]
    lines += [f"  {line}" for line in _properties(changed)]
    return "\n".join(lines)


def _called(changed: Changed) -> str:
    """Type and physical name."""
    own = "" if changed.physical == changed.name else f" {code(changed.physical)}"
    return f"{code(changed.type)}{own}"


def _properties(changed: Changed) -> Iterator[str]:
    perhaps = " *may force the replacement*" if changed.follows else ""
    for prop in changed.properties[:PROPERTIES]:
        forced = " **forces the replacement**" if prop.replaces else perhaps
        values = code(prop.new) if prop.old is None else f"{code(prop.old)} → {code(prop.new)}"
        yield f"- {code(prop.path)}: {values}{forced}"
    left = len(changed.properties) - PROPERTIES
    if left > 0:
        yield f"- and {left:,} more properties"


def _rules(stack: StackReport) -> str:
    violated = len({violation.rule for violation in stack.violations})
    return f"### Policies\n\n{stack.rules} rules, {violated or 'none'} violated."


def _violations(stack: StackReport) -> Iterator[str]:
    """A block for each rule and each of its messages."""
    for (level, rule, message), alike in groupby(
        stack.violations, key=lambda found: (found.level, found.rule, found.message)
    ):
        names = [violation.urn.rpartition("::")[2] for violation in alike]
        yield _message(f"**{label(level)}** {code(rule)} on {_named(names)}", message)


def _diagnostics(stack: StackReport) -> Iterator[str]:
    for diagnostic in stack.diagnostics:
        name = diagnostic.urn.rpartition("::")[2]
        about = f" on {code(name)}" if name else ""
        yield _message(f"**{label(diagnostic.severity)}**{about}", diagnostic.message)


def _message(title: str, message: str) -> str:
    return f"- {title}\n\n{indent(block(message), '  ')}\n"


def _created(created: Sequence[Changed]) -> Iterator[str]:
    """A block for each component."""
    for component, in_component in groupby(created, key=lambda changed: changed.component):
        lines = [
            f"- {label(component.stage)}, **{label(component.name)}**"
            if component.name
            else "- providers"
        ]
        own = [changed for changed in in_component if changed.step.urn != component.urn]
        for (type_, summary), group in groupby(own, key=lambda new: (new.type, new.summary)):
            alike = list(group)
            remark = f": {code(summary, MESSAGE)}" if summary else ""
            if len(alike) < ALIKE:
                lines += [f"  - {code(type_)} {code(new.physical)}{remark}" for new in alike]
            else:
                names = ", ".join(code(new.physical) for new in alike[:DEPENDENTS])
                more = f" and {len(alike) - DEPENDENTS:,} more" if len(alike) > DEPENDENTS else ""
                lines.append(f"  - {len(alike)} {code(type_)}{remark}: {names}{more}")
        yield "\n".join(lines)


# -- escaping ----------------------------------------------------------------------------------


def code(text: str, longest: int = MAX_TEXT) -> str:
    """Outside text in one line, as code."""
    line = _short(printable(text), longest)
    ticks = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    pad = " " if line[:1] in ("`", " ") or line[-1:] in ("`", " ") else ""
    return f"{ticks}{pad}{line or ' '}{pad}{ticks}"


def block(text: str) -> str:
    """Outside text in several lines, as a code block."""
    lines = [printable(line, keep=True) for line in text[:MESSAGE].splitlines()]
    if len(text) > MESSAGE:
        lines.append(f"... ({len(text):,} characters)")
    ticks = "`" * max(3, max(map(len, re.findall("`+", text)), default=0) + 1)
    return "\n".join([f"{ticks}text", *lines, ticks])


def label(text: str) -> str:
    """A fixed text that may come from a file, without characters that Markdown interprets."""
    line = _short(printable(text), MAX_TEXT)
    # GitHub also makes links of "www." and of "GH-1".
    return re.sub(r"[^\w ,.;:()/'-]|//|\bwww\.|\bGH-", "", line, flags=re.I).replace("_", r"\_")


def _short(line: str, longest: int) -> str:
    return line if len(line) <= longest else f"{line[:longest]} ... ({len(line):,} characters)"

"""The report as a comment on a change: GitHub's Markdown, within the limit of a comment's length.

Text from settings, states and clouds is always in code spans or code blocks, where Markdown, HTML
and mentions have no effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from textwrap import indent
from typing import Final

from ops.review.rendering import Property
from ops.review.report.model import ALIKE, Alike, Changed, Node, Report, StackReport
from ops.review.report.picture import picture
from ops.review.report.risk import Reason, Risk
from ops.review.report.violations import by_rule
from ops.sanitize import printable

MARKER: Final = "<!-- pull-estate report -->"
"""The first line of every comment, by which the next run finds the comment to replace."""

LIMIT: Final = 60_000
"""Characters of a comment. GitHub accepts 65,536 characters, whatever their size in bytes."""

FILES: Final = 12
"""Files listed that judge and differ; the rest is counted."""

NAMES: Final = 6
"""Names listed after a reason; the rest is counted."""

REASONS: Final = 6
"""Reasons listed in the summary; the rest is counted. A person reads it in 20 seconds."""

ACTIONS: Final = 3
"""Actions listed in the summary."""

PROPERTIES: Final = 30
"""Properties listed of one resource."""

DEPENDENTS: Final = 24
"""Dependents of a resource that are named; the rest is counted."""

MAX_TEXT: Final = 300
"""Characters shown of a name, a path or a value."""

MESSAGE: Final = 3_000
"""Characters shown of a message."""

_ALERTS: Final = {
    Risk.SAFE: "NOTE",
    Risk.RELEASE: "TIP",
    Risk.REVIEW: "WARNING",
    Risk.BLOCKED: "CAUTION",
}


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
    head = [MARKER, f"## {verdicts}", *_judges(report)]
    notice = _cut(report, full_report_url)
    by_stack = [list(_sections(stack)) for stack in report.stacks]
    sections = [section for of_stack in by_stack for section in of_stack]
    several = len(report.stacks) > 1
    verdicts_of_stacks = [_verdict(stack, several=several) for stack in report.stacks]
    kept = _fit(sections, _budget([*head, *verdicts_of_stacks, notice], report))
    parts = [*head, *verdicts_of_stacks]
    for stack, of_stack in zip(report.stacks, by_stack, strict=True):
        if len(report.stacks) > 1 and of_stack:
            parts.append(f"## {label(stack.stack)}")
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


def _judges(report: Report) -> Iterator[str]:
    """What the pull request changes of what judges it, before everything else."""
    changed = report.judges.changed
    if changed:
        more = f" and {len(changed) - FILES:,} more" if len(changed) > FILES else ""
        lines = [
            "[!WARNING]",
            f"**This pull request changes what judges it:** "
            f"{', '.join(map(code, changed[:FILES]))}{more}.",
            report.judges.note,
            *(f"- {label(text, MESSAGE)}" for text in report.differing_verdicts()),
        ]
        yield "\n".join(f"> {line}" for line in lines)


def _verdict(stack: StackReport, *, several: bool) -> str:
    """The summary: at most a dozen lines, for a person who has 20 seconds."""
    loses = any(changed.loss for changed in stack.destroyed)
    about = f"{label(stack.stack)}: " if several else ""
    lines = [
        f"[!{_ALERTS[Risk.BLOCKED if loses else stack.risk]}]",
        f"**{about}{stack.risk.capitalize()}.** {stack.sentence} {stack.totals}",
        "",
        *(f"- {_reason(reason)}" for reason in stack.reasons[:REASONS]),
    ]
    more = len(stack.reasons) - REASONS
    if more > 0:
        lines.append(f"- and {more} more reason{'s'[: more > 1]}")
    if stack.actions:
        lines += ["", f"**To do:** {label(' '.join(stack.actions[:ACTIONS]), MESSAGE)}"]
    if stack.compared_with:
        lines += ["", f"Compared with {label(stack.compared_with)}."]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _reason(reason: Reason) -> str:
    text = label(reason.text)
    return f"{text}: {_named(reason.names, reason.details)}" if reason.names else text


def _named(names: Sequence[str], details: Mapping[str, str] | None = None) -> str:
    """The first names, each with its detail; the rest is counted."""
    more = f" and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
    about = [f" ({label(details[name])})" if details and name in details else "" for name in names]
    common = about[0] if len(set(about)) == 1 else ""
    shown = (
        f"{code(name)}{detail.removesuffix(common)}"
        for name, detail in zip(names[:NAMES], about, strict=False)
    )
    return f"{', '.join(shown)}{more}{common}"


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
        blocks = [_destroyed(changed, stack) for changed in stack.destroyed]
        yield Section(rank=1, title=title, blocks=blocks, noun="resources")
    policies = Section(
        rank=2, title=_rules(stack), blocks=list(_violations(stack)), noun="violations"
    )
    if stack.violations:
        yield policies
    if not stack.moves:
        yield from _changes(stack)
    if stack.outputs:
        blocks = [
            "\n".join(
                f"- **{output.change}** ({output.kind}) {_values(each)}"
                for each in output.properties
            )
            for output in stack.outputs
        ]
        yield Section(rank=3, title="### Stack outputs", blocks=blocks, noun="outputs")
    if stack.rules and not (stack.violations or stack.failure):
        yield policies
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


def _changes(stack: StackReport) -> Iterator[Section]:
    """The changes in place: those of one kind together, the others in a section per stage."""
    above = f"### {'Different' if stack.drift else 'Changed'}\n\n"
    blocks = [_alike(group, drift=stack.drift) for group in stack.alike]
    if blocks:
        title = f"{above}#### Alike in several resources"
        yield Section(rank=3, title=title, blocks=blocks, noun="kinds of change")
        above = ""
    for stage, changes in groupby(stack.changed_alone, key=lambda each: each.component.stage):
        yield Section(
            rank=3,
            title=f"{above}#### {label(stage)}",
            blocks=[_changed(changed, stack) for changed in changes],
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


def _destroyed(changed: Changed, stack: StackReport) -> str:
    where = f"{label(changed.component.stage)}, {label(changed.component.name)}".rstrip(", ")
    operation = "" if stack.drift else f"{changed.operation} "
    lines = [f"#### {operation}{code(changed.name)}", "", f"{_called(changed)} in {where}"]
    lines += [f"\n{line}" for line in _loss(changed, stack)]
    if changed.follows:
        named = _named([node.name for node in changed.follows])
        lines += ["", f"Caused by its dependencies: {named}."]
    properties = list(_differences(changed))
    lines += ["", *properties] if properties else []
    if changed.downstream:
        lines += ["", *_downstream(changed.downstream)]
    return "\n".join([*lines, ""])


def _loss(changed: Changed, stack: StackReport) -> Iterator[str]:
    status, loss = stack.loss_text(changed)
    if loss:
        approval = f" {code(changed.approved.approval)}" if changed.approved else ""
        yield f"**{status}**: {label(loss)}.{approval}"


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


def _changed(changed: Changed, stack: StackReport) -> str:
    where = f" in {label(changed.component.name)}" if changed.component.name else ""
    operation = "" if stack.drift else f"**{changed.operation}** "
    lines = [f"- {operation}{code(changed.name)}, {_called(changed)}{where}"]
    lines += [f"  - {line}" for line in _loss(changed, stack)]
    lines += [f"  {line}" for line in _differences(changed)]
    return "\n".join(lines)


def _alike(group: Alike, *, drift: bool) -> str:
    first = group.changes[0]
    operation = "" if drift else f"**{first.operation}** "
    types = ", ".join(f"{count:,} {code(type_)}" for type_, count in group.types.items())
    names = [changed.name for changed in group.changes]
    more = f" and {len(names) - DEPENDENTS:,} more" if len(names) > DEPENDENTS else ""
    lines = [f"- {operation}{types}: {', '.join(map(code, names[:DEPENDENTS]))}{more}"]
    lines += [f"  {line}" for line in _dropped(first)]
    lines += [f"  {line}" for line in _properties(list(group.properties))]
    return "\n".join(lines)


def _called(changed: Changed) -> str:
    """Type and physical name."""
    own = "" if changed.physical == changed.name else f" {code(changed.physical)}"
    return f"{code(changed.type)}{own}"


def _differences(changed: Changed) -> Iterator[str]:
    yield from _dropped(changed)
    perhaps = " *may force the replacement*" if changed.follows else ""
    yield from _properties(changed.properties, perhaps)


def _dropped(changed: Changed) -> Iterator[str]:
    names = changed.dropped_variables
    if names:
        more = f" and {len(names) - PROPERTIES:,} more" if len(names) > PROPERTIES else ""
        listed = ", ".join(map(code, names[:PROPERTIES]))
        yield f"- {label(changed.subject)} no longer gets {listed}{more}"


def _properties(properties: Sequence[Property], perhaps: str = "") -> Iterator[str]:
    for prop in properties[:PROPERTIES]:
        forced = " **forces the replacement**" if prop.replaces else perhaps
        yield f"- {_values(prop)}{forced}"
    left = len(properties) - PROPERTIES
    if left > 0:
        yield f"- and {left:,} more properties"


def _values(prop: Property) -> str:
    values = code(prop.new) if prop.old is None else f"{code(prop.old)} → {code(prop.new)}"
    return f"{code(prop.path)}: {values}"


def _rules(stack: StackReport) -> str:
    violated = len({violation.rule for violation in stack.violations})
    return f"### Policies\n\n{stack.rules} rules, {violated or 'none'} violated."


def _violations(stack: StackReport) -> Iterator[str]:
    """A block for each rule: what it checks, then each resource that violates it."""
    for violated in by_rule(stack.violations):
        about = ", ".join(filter(None, (label(violated.level), violated.severity)))
        title = f"**{about}** {code(violated.rule)} on {_named(violated.names)}"
        yield _message(title, violated.message)


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


def label(text: str, longest: int = MAX_TEXT) -> str:
    """A fixed text that may come from a file, without characters that Markdown interprets."""
    line = _short(printable(text), longest)
    # GitHub also makes links of "www." and of "GH-1".
    return re.sub(r"[^\w ,.;:()/'-]|//|\bwww\.|\bGH-", "", line, flags=re.I).replace("_", r"\_")


def _short(line: str, longest: int) -> str:
    return line if len(line) <= longest else f"{line[:longest]} ... ({len(line):,} characters)"

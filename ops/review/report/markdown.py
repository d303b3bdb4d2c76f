"""The report as a comment on a change: GitHub's Markdown, never longer than a comment may be.

Everything that settings, states and clouds can put into it stands in code spans and code blocks,
where neither Markdown nor HTML nor a mention means anything.
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
"""Begins every comment, so that the next run finds the one that it should replace."""

LIMIT: Final = 60_000
"""Characters. GitHub takes 65,536 in a comment, whatever their length in bytes."""

NAMES: Final = 6
"""So many names follow a reason; the rest is counted."""

PROPERTIES: Final = 30
"""So many properties of one resource are told."""

DEPENDENTS: Final = 24
"""So many of what depends on a resource are named."""

WORDS: Final = 300
"""So many characters of a name, a path or a value stand in a line."""

MESSAGE: Final = 3_000
"""So many characters of a message are shown."""

ALIKE: Final = 4
"""So many new resources of a type share a line."""

_ALERTS: Final = {Risk.SAFE: "NOTE", Risk.REVIEW: "WARNING", Risk.BLOCKED: "CAUTION"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Blocks that belong together; each is shown whole or not at all.

    Attributes:
        rank: what has the lowest is cut last.
        title: a heading; the words of the fold where ``folded``.
        what: what the blocks are, for counting those that were cut.
        open: unfolded until somebody folds it.
    """

    rank: int
    title: str
    blocks: Sequence[str]
    what: str
    folded: bool = False
    open: bool = False

    def render(self, kept: int) -> str:
        """The section with its first ``kept`` blocks."""
        left = len(self.blocks) - kept
        body = "\n".join([*self.blocks[:kept], *([f"*{left:,} more {self.what}*"] if left else [])])
        if self.folded:
            tag = "details open" if self.open else "details"
            return f"<{tag}>\n<summary>{self.title}</summary>\n\n{body}\n\n</details>"
        return "\n\n".join(part for part in (self.title, body.strip()) if part)


def markdown(report: Report, whole: str = "") -> str:
    """The comment. ``whole`` is the address of the report that nothing was cut from."""
    head = [MARKER, f"## {', '.join(f'{label(one.stack)}: {one.risk}' for one in report.stacks)}"]
    sections = [list(_sections(one)) for one in report.stacks]
    kept = _fit([one for of_stack in sections for one in of_stack], _component(head, report, whole))
    parts = list(head)
    for stack, of_stack in zip(report.stacks, sections, strict=True):
        if len(report.stacks) > 1:
            parts.append(f"## {label(stack.stack)}")
        parts.append(_verdict(stack))
        parts += [one.render(kept[id(one)]) for one in of_stack]
    if any(kept[id(one)] < len(one.blocks) for of_stack in sections for one in of_stack):
        parts.append(_cut(report, whole))
    return "\n\n".join(parts)


def _component(head: Iterable[str], report: Report, whole: str) -> int:
    """Characters left for the sections."""
    fixed = [*head, *map(_verdict, report.stacks), _cut(report, whole)]
    return LIMIT - sum(len(one) + 2 for one in fixed) - 100 * len(report.stacks)


def _fit(sections: Sequence[Section], room: int) -> dict[int, int]:
    """How many blocks of each section fit, the most important sections served first."""
    kept = {id(one): 0 for one in sections}
    room -= sum(len(one.render(0)) + 2 for one in sections)
    for _, alike in groupby(sorted(sections, key=lambda one: one.rank), key=lambda one: one.rank):
        waiting = [one for one in alike if one.blocks]
        full = False
        while waiting:  # a block of each in turn, so that none is silent because of another
            section = waiting.pop(0)
            length = len(section.blocks[kept[id(section)]]) + 1
            if length > room:
                full = True
                continue
            room -= length
            kept[id(section)] += 1
            if kept[id(section)] < len(section.blocks):
                waiting.append(section)
        if full:
            break  # what matters less is not there while any of this is cut
    return kept


def _cut(report: Report, whole: str) -> str:
    stacks = " ".join(f"--stack {label(one.stack)}" for one in report.stacks)
    where = f"[here](<{whole}>)" if whole else f"`bin/ops report {stacks} --form html`"
    return f"*This comment was cut to what a comment may hold. The whole report: {where}*"


# -- sections ----------------------------------------------------------------------------------


def _verdict(stack: StackReport) -> str:
    lines = [f"[!{_ALERTS[stack.risk]}]", f"**{stack.risk.capitalize()}**", ""]
    lines += [f"- {_reason(reason)}" for reason in stack.reasons]
    alert = "\n".join(f"> {line}".rstrip() for line in lines)
    if stack.drift and stack.steps:
        return f"{alert}\n\nThe next `up` undoes this, unless the program comes to say the same."
    if stack.drift or stack.moves or not stack.steps:
        return alert
    counts = ", ".join(f"{count:,} to {word}" for word, count in stack.counts.items())
    return f"{alert}\n\n{counts.capitalize()}."


def _reason(reason: Reason) -> str:
    words = label(reason.words)
    return f"{words}: {_named(reason.names)}" if reason.names else words


def _named(names: Sequence[str]) -> str:
    """The first names; the rest is counted."""
    more = f" and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
    return f"{', '.join(map(code, names[:NAMES]))}{more}"


def _sections(stack: StackReport) -> Iterator[Section]:
    """What there is to say after the verdict, in the order in which it is said."""
    if stack.failure:
        yield Section(rank=0, title="", blocks=list(_failure(stack)), what="mistakes")
    if stack.moves:
        yield Section(rank=1, title="", blocks=list(_traffic(stack)), what="moves of traffic")
    if stack.worst:
        title = "### Gone" if stack.drift else "### Replaced or deleted"
        why = {one.reason for one in stack.refusals}
        title += "".join(f"\n\n{label(reason)}" for reason in sorted(why))
        blocks = [_destroyed(one, drift=stack.drift) for one in stack.worst]
        yield Section(rank=1, title=title, blocks=blocks, what="of them")
    if not stack.moves:
        yield from _stages(stack)
    if stack.violations or (stack.rules and not stack.failure):
        yield Section(rank=2, title=_rules(stack), blocks=list(_violations(stack)), what="of them")
    drawn = picture(stack)
    if drawn:
        yield Section(
            rank=5,
            title="<b>Picture</b> of what is touched",
            blocks=[f"```mermaid\n{drawn}\n```"],
            what="picture",
            folded=True,
            open=bool(stack.worst),
        )
    if stack.diagnostics and not stack.failure:
        blocks = list(_diagnostics(stack))
        yield Section(rank=4, title="### Messages", blocks=blocks, what="messages")
    if stack.created:
        yield Section(
            rank=6,
            title=f"<b>New:</b> {len(stack.created):,} resource{'s'[: len(stack.created) > 1]}",
            blocks=list(_created(stack.created)),
            what="lines",
            folded=True,
        )


def _stages(stack: StackReport) -> Iterator[Section]:
    """What changes and stays, a section for each stage."""
    above = f"### {'Different' if stack.drift else 'Changed'}\n\n"
    for stage, changes in groupby(stack.changed, key=lambda one: one.component.stage):
        yield Section(
            rank=3,
            title=f"{above}#### {label(stage)}",
            blocks=[_changed(one, drift=stack.drift) for one in changes],
            what="changes",
        )
        above = ""


def _failure(stack: StackReport) -> Iterator[str]:
    assert stack.failure
    for wrong in stack.failure.errors:
        yield (
            f"- {code(wrong.path)}\n"
            f"  - is {code(wrong.value)}\n"
            f"  - expected: {code(wrong.expected, MESSAGE)}"
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
    word = "" if drift else f"{changed.word} "
    lines = [f"#### {word}{code(changed.name)}", "", f"{_called(changed)} in {where}"]
    refused = changed.refused
    if refused:
        lines += ["", f"**Refused**: {label(refused.loss)}."]
    if changed.follows:
        named = _named([node.name for node in changed.follows])
        lines += ["", f"Follows from what it needs: {named}."]
    lines += ["", *_properties(changed)] if changed.properties else []
    if changed.downstream:
        lines += ["", *_downstream(changed.downstream)]
    return "\n".join([*lines, ""])


def _downstream(nodes: Sequence[Node]) -> Iterator[str]:
    count = len(nodes)
    words = "resource depends" if count == 1 else "resources depend"
    yield f"<details>\n<summary>{count:,} {words} on it</summary>\n"
    in_order = sorted(nodes[:DEPENDENTS], key=lambda node: (node.component.stage, node.name))
    for stage, alike in groupby(in_order, key=lambda node: node.component.stage):
        yield f"- {label(stage)}: {', '.join(code(node.name) for node in alike)}"
    if count > DEPENDENTS:
        yield f"- and {count - DEPENDENTS:,} further away"
    yield "\n</details>"


def _changed(changed: Changed, *, drift: bool) -> str:
    where = f" in {label(changed.component.name)}" if changed.component.name else ""
    word = "" if drift else f"**{changed.word}** "
    lines = [f"- {word}{code(changed.name)}, {_called(changed)}{where}"]
    lines += [f"  {line}" for line in _properties(changed)]
    return "\n".join(lines)


def _called(changed: Changed) -> str:
    """Type and physical name."""
    own = "" if changed.physical == changed.name else f" {code(changed.physical)}"
    return f"{code(changed.type)}{own}"


def _properties(changed: Changed) -> Iterator[str]:
    perhaps = " *may force the replacement*" if changed.follows else ""
    for one in changed.properties[:PROPERTIES]:
        forced = " **forces the replacement**" if one.replaces else perhaps
        values = code(one.new) if one.old is None else f"{code(one.old)} → {code(one.new)}"
        yield f"- {code(one.path)}: {values}{forced}"
    left = len(changed.properties) - PROPERTIES
    if left > 0:
        yield f"- and {left:,} more properties"


def _rules(stack: StackReport) -> str:
    broken = len({one.rule for one in stack.violations})
    return f"### Policies\n\n{stack.rules} rules, {broken or 'none'} broken."


def _violations(stack: StackReport) -> Iterator[str]:
    """A block for each rule and each thing that it says."""
    for (level, rule, message), alike in groupby(
        stack.violations, key=lambda one: (one.level, one.rule, one.message)
    ):
        names = [one.urn.rpartition("::")[2] for one in alike]
        yield _message(f"**{label(level)}** {code(rule)} on {_named(names)}", message)


def _diagnostics(stack: StackReport) -> Iterator[str]:
    for one in stack.diagnostics:
        about = f" on {code(one.urn.rpartition('::')[2])}" if one.urn else ""
        yield _message(f"**{label(one.severity)}**{about}", one.message)


def _message(title: str, message: str) -> str:
    return f"- {title}\n\n{indent(block(message), '  ')}\n"


def _created(created: Sequence[Changed]) -> Iterator[str]:
    """A block for each component."""
    for component, in_component in groupby(created, key=lambda one: one.component):
        lines = [
            f"- {label(component.stage)}, **{label(component.name)}**"
            if component.name
            else "- providers"
        ]
        own = [one for one in in_component if one.step.urn != component.urn]
        for (type_, told), group in groupby(own, key=lambda one: (one.type, one.figures)):
            alike = list(group)
            remark = f": {code(told, MESSAGE)}" if told else ""
            if len(alike) < ALIKE:
                lines += [f"  - {code(type_)} {code(one.physical)}{remark}" for one in alike]
            else:
                names = ", ".join(code(one.physical) for one in alike[:DEPENDENTS])
                more = f" and {len(alike) - DEPENDENTS:,} more" if len(alike) > DEPENDENTS else ""
                lines.append(f"  - {len(alike)} {code(type_)}{remark}: {names}{more}")
        yield "\n".join(lines)


# -- escaping ----------------------------------------------------------------------------------


def code(text: str, most: int = WORDS) -> str:
    """Foreign text in one line, as code."""
    line = _short(printable(text), most)
    ticks = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    pad = " " if line[:1] in ("`", " ") or line[-1:] in ("`", " ") else ""
    return f"{ticks}{pad}{line or ' '}{pad}{ticks}"


def block(text: str) -> str:
    """Foreign text in several lines, as a block of code."""
    lines = [printable(line, keep=True) for line in text[:MESSAGE].splitlines()]
    if len(text) > MESSAGE:
        lines.append(f"... ({len(text):,} characters)")
    ticks = "`" * max(3, max(map(len, re.findall("`+", text)), default=0) + 1)
    return "\n".join([f"{ticks}text", *lines, ticks])


def label(text: str) -> str:
    """A word or a sentence of ours that may have come through a file: no sign with a meaning."""
    line = _short(printable(text), WORDS)
    # GitHub makes links of what begins with "www." and of "GH-1", too.
    return re.sub(r"[^\w ,.;:()/'-]|//|\bwww\.|\bGH-", "", line, flags=re.I).replace("_", r"\_")


def _short(line: str, most: int) -> str:
    return line if len(line) <= most else f"{line[:most]} ... ({len(line):,} characters)"

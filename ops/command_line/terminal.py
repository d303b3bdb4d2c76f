"""An operation as text: deletions and replacements first, then by stage and component, then totals.

ASCII signs only, so that it looks the same in a terminal, a log and a review.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from pulumi.automation import OpType
from rich.console import Console
from rich.text import Text

from ops.review.differences import differences
from ops.review.graph import ComponentIndex, ComponentRef, StageEnd
from ops.review.outcome import Diagnostic, Outcome
from ops.review.rendering import SIGNS, Property, full_text, value_text
from ops.review.report.risk import is_destructive
from ops.review.report.traffic import moves, without_traffic
from ops.review.steps import Step, short_type
from ops.review.summary import physical_name, summary_fields
from ops.sanitize import printable

STYLES: Final[Mapping[OpType, str]] = {
    OpType.CREATE: "green",
    OpType.UPDATE: "yellow",
    OpType.DELETE: "red",
    OpType.REPLACE: "bold red",
}
# Past tense for an operation, future for a preview: the engine's own terms.
DONE: Final[Mapping[OpType, str]] = {
    OpType.CREATE: "created",
    OpType.UPDATE: "updated",
    OpType.DELETE: "deleted",
    OpType.REPLACE: "replaced",
    OpType.READ: "read",
    OpType.IMPORT: "imported",
}
PLANNED: Final[Mapping[OpType, str]] = {
    OpType.CREATE: "to create",
    OpType.UPDATE: "to update",
    OpType.DELETE: "to delete",
    OpType.REPLACE: "to replace",
    OpType.READ: "to read",
    OpType.IMPORT: "to import",
}
VALUE_WIDTH: Final = 60
TYPE_COLUMN: Final = 32
DETAIL: Final = 9
"""The indentation of what follows below a row."""
MANY: Final = 4
"""This many new resources that differ only in their names share a row."""
COMMANDS: Final = ("bin/ops ", "pulumi ", "gcloud ", "kubectl ")
"""How a line begins that somebody may copy into a shell."""
NO_BREAK: Final = "\N{NO-BREAK SPACE}"


@dataclass(slots=True)
class Printer:
    """Prints operations to a console.

    Attributes:
        text_width: where texts break; the console's width by default.
    """

    console: Console
    text_width: int | None = None

    def title(self, words: str) -> None:
        """The first line of an operation."""
        self._text(words, style="bold")

    def intentions(self, lines: Iterable[str]) -> None:
        """Steps that are going to be done besides an operation."""
        for line in lines:
            self._text(f"  {line}")

    def steps(self, outcome: Outcome) -> None:
        """All changes: replacements and deletions first, then everything in the runbook's order.

        A replacement of something that the platform keeps, as for a release, is none of the first.
        """
        components = ComponentIndex(step.state for step in outcome.steps)
        moved = moves(outcome.changes) if outcome.operation in ("preview", "up") else ()
        if moved:
            self._line()
            self._line("Only traffic moves; the same setting moves it back", style="bold")
            for move in moved:
                old, new = ", ".join(move.old), ", ".join(move.new)
                self._print(Text(f"    traffic of {move.name}: {old} -> {new}"), indent=DETAIL)
            return
        worst = [step for step in outcome.changes if is_destructive(step)]
        if worst and outcome.operation != "destroy":
            self._line()
            self._line("Replaced or deleted", style="bold red")
            for step in sorted(worst, key=lambda step: (step.op != OpType.REPLACE, step.urn)):
                self._step(step, note=_where(components.of(step.urn)))
        rest = [
            step
            for step in outcome.changes
            if outcome.operation == "destroy" or not is_destructive(step)
        ]
        in_order = sorted(rest, key=lambda step: _place(components, step))
        for stage, in_stage in groupby(in_order, key=lambda step: components.of(step.urn).stage):
            self._line()
            self._line(stage, style="bold cyan")
            for component, in_component in groupby(
                in_stage, key=lambda step: components.of(step.urn)
            ):
                self._component(component, list(in_component))

    def summary(self, outcome: Outcome, *, planned: bool) -> None:
        """The engine's totals and the duration."""
        words = PLANNED if planned else DONE
        if outcome.summary:  # an engine that was killed reports none
            self._line()
            self._line("Resources:", style="bold")
        for op in words:
            count = outcome.summary.get(op.value, 0)
            if count:
                self._line(f"    {SIGNS[op]} {count} {words[op]}", style=STYLES.get(op, ""))
        unchanged = outcome.summary.get(OpType.SAME.value, 0)
        changed = sum(outcome.summary.values()) - unchanged
        if unchanged:
            changes = f"{changed} change{'s' if changed != 1 else ''}. " if changed else ""
            self._line(f"    {changes}{unchanged} unchanged")
        self._line()
        self._line(f"Duration: {outcome.duration_seconds:.0f}s")

    def verdict(self, lines: Iterable[str], *, passed: bool) -> None:
        """The verdict of the policy pack and the guard."""
        self._line()
        self._line("Policies:", style="bold")
        for line in lines:
            self._text(f"    {line}", style="" if passed else "red")

    def stages(self, ends: Iterable[StageEnd]) -> None:
        """The progress of each stage in an operation that failed."""
        self._line()
        self._line("Stages:", style="bold")
        for end in ends:
            style = {"finished": "green", "failed": "red"}.get(end.state, "yellow")
            alone = ", components alone" if end.state == "not begun" and end.done else ""
            self._line(
                f"    {end.state:<10} {end.stage}  {end.done} of {end.planned}{alone}", style=style
            )

    def outputs(self, outcome: Outcome) -> None:
        """The stack's outputs."""
        if outcome.outputs:
            self._line()
            self._line("Outputs:", style="bold")
            width = max(map(len, outcome.outputs))
            for key, value in sorted(outcome.outputs.items()):
                self._print(Text(f"    {key:<{width}}  {full_text(value)}"), indent=DETAIL)

    def diagnostics(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Errors and warnings of the engine and the providers, each with its resource."""
        for diagnostic in diagnostics:
            style = "red" if diagnostic.severity == "error" else "yellow"
            self._line()
            if diagnostic.urn:
                kind, name = diagnostic.urn.split("::")[-2:]
                label = f"{short_type(kind.rpartition('$')[2])}  {name}"
                self._line(f"{diagnostic.severity}: {label}", style=style)
            else:
                self._line(f"{diagnostic.severity}:", style=style)
            for line in diagnostic.message.splitlines():
                self._text(f"    {line}")

    def _component(self, component: ComponentRef, steps: list[Step]) -> None:
        if component.urn:
            own = steps[0] if steps[0].urn == component.urn else None
            sign = SIGNS[own.op] if own else " "
            kind = component.urn.split("::")[-2].rpartition("$")[2]
            line = Text(f"  {sign:<2} ", STYLES.get(own.op, "") if own else "")
            self._print(line + Text(component.name, "bold") + Text(f"  {kind}", "dim"))
            steps = steps[1:] if own else steps
        for (type_, figures_), alike in groupby(steps, key=_likeness):
            group = list(alike)
            if figures_ is not None and len(group) >= MANY:
                self._row(OpType.CREATE, type_, f"{len(group)} of them", figures_)
                self._wrapped([physical_name(step.state) for step in group])
            else:
                for step in group:
                    self._step(step)

    def _step(self, step: Step, note: str = "") -> None:
        self._row(step.op, step.type, physical_name(step.state), note or _figures(step))
        for difference in without_traffic(step, differences(step)):
            self._change(Property.of(difference))

    def _change(self, changed: Property) -> None:
        values = changed.new if changed.old is None else f"{changed.old} -> {changed.new}"
        forced = "  forces the replacement" if changed.replaces else ""
        self._print(
            Text(f"{' ' * DETAIL}{changed.path}  ") + Text(values, "yellow") + Text(forced, "red"),
            indent=DETAIL + 4,
        )

    def _row(self, op: OpType, type_: str, name: str, remark: str) -> None:
        line = Text(f"    {SIGNS.get(op, '?'):<2} ", STYLES.get(op, ""))
        line += Text(f"{short_type(type_):<{TYPE_COLUMN}} {name}")
        fits = len(line) + 2 + len(remark) <= self.console.width
        self._print(line + Text(f"  {remark}" if fits and remark else "", "dim"), indent=DETAIL)
        if not fits:
            self._wrapped(remark.split(", "))

    def _wrapped(self, words: list[str]) -> None:
        """Fill lines with whole words; a word may contain spaces, where no line breaks."""
        indent = " " * DETAIL
        for line in textwrap.wrap(
            ", ".join(word.replace(" ", NO_BREAK) for word in words),
            max(self.console.width, 40),
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ):
            self._line(line.replace(NO_BREAK, " "), style="dim")

    def _text(self, words: str, *, style: str = "") -> None:
        print_line(self.console, Text(words, style), width=self.text_width)

    def _line(self, words: str = "", *, style: str = "") -> None:
        self._print(Text(words, style))

    def _print(self, line: Text, *, indent: int | None = None) -> None:
        print_line(self.console, line, indent=indent)


def print_line(
    console: Console, line: Text, *, indent: int | None = None, width: int | None = None
) -> None:
    """Print a line; what exceeds the width continues below it, by default with its indentation."""
    line.plain = printable(line.plain, keep=True)
    for part in folded(line, width or console.width, indent):
        # Soft wrap: a terminal may break a long name, but no line break may enter a copied one.
        console.print(part, soft_wrap=True)


def folded(line: Text, width: int, indent: int | None = None) -> Iterator[Text]:
    """A line in parts of at most ``width``, broken between words.

    A word that is longer than a line stays whole, and so does a command, which somebody may copy.
    """
    margin = len(line) - len(line.plain.lstrip())
    if line.plain[margin:].startswith(COMMANDS):
        yield line
        return
    indent = margin if indent is None else indent
    while line.cell_len > width:
        at = line.plain.rfind(" ", margin, width + 1)
        if at <= margin:
            at = line.plain.find(" ", margin)
        if at < 0:
            break
        first, rest = line.divide([at])
        first.rstrip()
        yield first
        line = Text(" " * indent) + rest[len(rest) - len(rest.plain.lstrip()) :]
        margin = indent
    yield line


def _place(components: ComponentIndex, step: Step) -> tuple[ComponentRef, bool, str, str, str]:
    """Sorts steps by component: the component itself first, then steps that are alike together."""
    component = components.of(step.urn)
    return (
        component,
        step.urn != component.urn,
        step.type,
        _figures(step),
        physical_name(step.state),
    )


def _likeness(step: Step) -> tuple[str, str | None]:
    """What steps have in common that may share a row, which only creations do."""
    return step.type, _figures(step) if step.op is OpType.CREATE else None


def _figures(step: Step) -> str:
    """The figures of a new resource, in one line."""
    if step.op is not OpType.CREATE:
        return ""
    return ", ".join(
        f"{label} {value_text(value, VALUE_WIDTH)}" for label, value in summary_fields(step.state)
    )


def _where(component: ComponentRef) -> str:
    return f"({component.stage}{', ' + component.name if component.name else ''})"

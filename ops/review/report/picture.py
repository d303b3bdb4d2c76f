"""The affected part of the graph as a small Mermaid flow chart: one box per component."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from ops.review.graph import OUTSIDE_STAGES, ComponentRef, reduced
from ops.review.rendering import SIGNS
from ops.review.report.model import Changed, StackReport
from ops.review.report.risk import is_destructive
from ops.review.traversal import reachable
from ops.sanitize import printable

BOXES: Final = 20
"""A chart with more components is too dense to read and is left out."""

LINES: Final = 4
"""Changes named in a box; a last line counts the rest."""

NAME: Final = 40
"""Characters shown of a name."""

_CLASSES: Final = (
    "classDef gone stroke:#d1242f,stroke-width:3px",
    "classDef changed stroke:#bf8700,stroke-width:2px",
    "classDef new stroke:#1a7f37",
    "classDef below stroke-dasharray:4",
)


def picture(stack: StackReport) -> str:
    """The chart; empty if fewer than two or more than ``BOXES`` components are affected.

    Boxes with a dashed border do not change, but depend on something deleted or replaced.
    """
    touched: dict[ComponentRef, list[Changed]] = defaultdict(list)
    for changed in stack.changes:
        if changed.component.name and changed.component.stage != OUTSIDE_STAGES:
            touched[changed.component].append(changed)
    below = {node.component for changed in stack.destroyed for node in changed.downstream}
    components = sorted({component for component in below if component.name} | set(touched))
    if not 1 < len(components) <= BOXES:
        return ""
    ids = {component: f"c{number}" for number, component in enumerate(components)}
    lines = ["flowchart LR"]
    for stage in sorted({component.stage for component in components}):
        lines.append(f'  subgraph s{len(lines)}["{_escaped(stage)}"]')
        lines += [
            f'    {ids[component]}["{_label(component, touched.get(component, ()))}"]'
            f":::{_class(touched, component)}"
            for component in components
            if component.stage == stage
        ]
        lines.append("  end")
    lines += [f"  {ids[before]} --> {ids[after]}" for before, after in _arrows(stack, components)]
    return "\n".join([*lines, *(f"  {style}" for style in _CLASSES)])


def _arrows(
    stack: StackReport, components: Sequence[ComponentRef]
) -> list[tuple[ComponentRef, ComponentRef]]:
    """Dependencies between components, also through components that are not drawn."""
    following: dict[ComponentRef, set[ComponentRef]] = defaultdict(set)
    for needing, needed in stack.edges:
        before, after = stack.nodes[needed].component, stack.nodes[needing].component
        if before != after:
            following[before].add(after)
    drawn = set(components)
    return reduced(
        {
            (component, other)
            for component in components
            for other in reachable(component, following)
            if other in drawn
        }
    )


def _class(touched: Mapping[ComponentRef, Sequence[Changed]], component: ComponentRef) -> str:
    changes = touched.get(component, ())
    if not changes:
        return "below"
    if any(is_destructive(changed.step) for changed in changes):
        return "gone"
    return "new" if all(changed.operation == "create" for changed in changes) else "changed"


def _label(component: ComponentRef, changes: Sequence[Changed]) -> str:
    lines = [f"<b>{_escaped(component.name)}</b>"]
    own = [changed for changed in changes if changed.step.urn != component.urn]
    if own and all(changed.operation == "create" for changed in own):
        lines.append(f"+ {len(own)}")
    else:
        lines += [
            f"{SIGNS.get(changed.step.op, '~')} {_escaped(changed.name)}" for changed in own[:LINES]
        ]
        lines += [f"and {len(own) - LINES} more"] if len(own) > LINES else []
    return "<br/>".join(lines)


def _escaped(text: str) -> str:
    """Outside text, with every character that Mermaid, Markdown or HTML could interpret escaped."""
    return re.sub(r"[^\w ./:-]", lambda match: f"#{ord(match[0])};", printable(text)[:NAME])

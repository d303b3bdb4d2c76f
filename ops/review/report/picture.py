"""The touched part of the graph as a small Mermaid flow chart: a box per component."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ops.review.graph import OUTSIDE_STAGES, ComponentRef, reduced
from ops.review.report.model import Changed, StackReport
from ops.review.report.risk import loses_something
from ops.sanitize import printable

BOXES: Final = 20
"""So many components still make a picture; more make a web."""

LINES: Final = 4
"""So many changes are named in a box; a last line counts the rest."""

NAME: Final = 40
"""So many characters of a name."""

_SIGNS: Final = {"replace": "+-", "delete": "-", "update": "~", "create": "+"}
_CLASSES: Final = (
    "classDef gone stroke:#d1242f,stroke-width:3px",
    "classDef changed stroke:#bf8700,stroke-width:2px",
    "classDef new stroke:#1a7f37",
    "classDef below stroke-dasharray:4",
)


def picture(stack: StackReport) -> str:
    """The chart, or nothing where there is nothing to draw or far too much.

    Boxes with a dashed border do not change, but depend on something that goes away.
    """
    touched: dict[ComponentRef, list[Changed]] = defaultdict(list)
    for changed in stack.changes:
        if changed.component.name and changed.component.stage != OUTSIDE_STAGES:
            touched[changed.component].append(changed)
    below = {node.component for one in stack.worst for node in one.downstream}
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
    """What is needed before what, also by way of components that are not drawn."""
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
            for other in _behind(following, component) & drawn
        }
    )


def _behind(
    following: Mapping[ComponentRef, Iterable[ComponentRef]], start: ComponentRef
) -> set[ComponentRef]:
    seen = {start}
    ahead = deque([start])
    while ahead:
        for component in following.get(ahead.popleft(), ()):
            if component not in seen:
                seen.add(component)
                ahead.append(component)
    return seen - {start}


def _class(touched: Mapping[ComponentRef, Sequence[Changed]], component: ComponentRef) -> str:
    changes = touched.get(component, ())
    if not changes:
        return "below"
    if any(loses_something(one.step) for one in changes):
        return "gone"
    return "new" if all(one.word == "create" for one in changes) else "changed"


def _label(component: ComponentRef, changes: Sequence[Changed]) -> str:
    lines = [f"<b>{_escaped(component.name)}</b>"]
    own = [one for one in changes if one.step.urn != component.urn]
    if own and all(one.word == "create" for one in own):
        lines.append(f"+ {len(own)}")
    else:
        lines += [f"{_SIGNS.get(one.word, '~')} {_escaped(one.name)}" for one in own[:LINES]]
        lines += [f"and {len(own) - LINES} more"] if len(own) > LINES else []
    return "<br/>".join(lines)


def _escaped(text: str) -> str:
    """Foreign text: every sign that Mermaid, Markdown or HTML could take for its own, by number."""
    return re.sub(r"[^\w ./:-]", lambda sign: f"#{ord(sign[0])};", printable(text)[:NAME])

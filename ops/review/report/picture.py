"""The touched part of the graph as a small Mermaid flow chart: a box per component."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ops.review.graph import reduced
from ops.review.report.model import Changed, StackReport
from ops.review.report.risk import loses_something
from ops.review.rooms import GROUNDWORK, Room
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
    touched: dict[Room, list[Changed]] = defaultdict(list)
    for changed in stack.changes:
        if changed.room.name and changed.room.stage != GROUNDWORK:
            touched[changed.room].append(changed)
    below = {node.room for one in stack.worst for node in one.downstream}
    rooms = sorted({room for room in below if room.name} | set(touched))
    if not 1 < len(rooms) <= BOXES:
        return ""
    ids = {room: f"c{number}" for number, room in enumerate(rooms)}
    lines = ["flowchart LR"]
    for stage in sorted({room.stage for room in rooms}):
        lines.append(f'  subgraph s{len(lines)}["{_escaped(stage)}"]')
        lines += [
            f'    {ids[room]}["{_label(room, touched.get(room, ()))}"]:::{_class(touched, room)}'
            for room in rooms
            if room.stage == stage
        ]
        lines.append("  end")
    lines += [f"  {ids[before]} --> {ids[after]}" for before, after in _arrows(stack, rooms)]
    return "\n".join([*lines, *(f"  {style}" for style in _CLASSES)])


def _arrows(stack: StackReport, rooms: Sequence[Room]) -> list[tuple[Room, Room]]:
    """What is needed before what, also by way of components that are not drawn."""
    following: dict[Room, set[Room]] = defaultdict(set)
    for needing, needed in stack.edges:
        before, after = stack.nodes[needed].room, stack.nodes[needing].room
        if before != after:
            following[before].add(after)
    drawn = set(rooms)
    return reduced({(room, other) for room in rooms for other in _behind(following, room) & drawn})


def _behind(following: Mapping[Room, Iterable[Room]], start: Room) -> set[Room]:
    seen = {start}
    ahead = deque([start])
    while ahead:
        for room in following.get(ahead.popleft(), ()):
            if room not in seen:
                seen.add(room)
                ahead.append(room)
    return seen - {start}


def _class(touched: Mapping[Room, Sequence[Changed]], room: Room) -> str:
    changes = touched.get(room, ())
    if not changes:
        return "below"
    if any(loses_something(one.step) for one in changes):
        return "gone"
    return "new" if all(one.word == "create" for one in changes) else "changed"


def _label(room: Room, changes: Sequence[Changed]) -> str:
    lines = [f"<b>{_escaped(room.name)}</b>"]
    own = [one for one in changes if one.step.urn != room.component]
    if own and all(one.word == "create" for one in own):
        lines.append(f"+ {len(own)}")
    else:
        lines += [f"{_SIGNS.get(one.word, '~')} {_escaped(one.name)}" for one in own[:LINES]]
        lines += [f"and {len(own) - LINES} more"] if len(own) > LINES else []
    return "<br/>".join(lines)


def _escaped(text: str) -> str:
    """Foreign text: every sign that Mermaid, Markdown or HTML could take for its own, by number."""
    return re.sub(r"[^\w ./:-]", lambda sign: f"#{ord(sign[0])};", printable(text)[:NAME])

"""How a property's old and new value are told: whole where short, without any secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ops.review.redaction import SECRET, is_unknown
from ops.review.steps import Change

LONG: Final = 160
"""So many characters of a value are shown."""

BEFORE: Final = 24
"""So many of them come before the first difference of two long values."""

ABSENT: Final = "(none)"
UNKNOWN: Final = "(known after up)"
SECRET_CHANGED: Final = "[secret changed]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property that a step changes, as people read it.

    Attributes:
        old: ``None`` where the pair is told by ``new`` alone, which then is ``[secret changed]``.
        replaces: a change of it forces a replacement.
    """

    path: str
    old: str | None
    new: str
    replaces: bool

    @classmethod
    def of(cls, change: Change) -> Property:
        old, new = _text(change.old), _text(change.new)
        if SECRET in (change.old, change.new) and ABSENT not in (old, new):
            return cls(path=change.path, old=None, new=SECRET_CHANGED, replaces=change.replaces)
        if SECRET in old and old == new:
            return cls(path=change.path, old=None, new=SECRET_CHANGED, replaces=change.replaces)
        old, new = _shortened(old, new)
        return cls(path=change.path, old=old, new=new, replaces=change.replaces)

    def to_dict(self) -> dict[str, Any]:
        return {"path": self.path, "old": self.old, "new": self.new, "replaces": self.replaces}


def shown(value: Any) -> str:
    """A value on its own."""
    return _shortened(_text(value), "")[0]


def _text(value: Any) -> str:
    if value is None:
        return ABSENT
    if is_unknown(value):
        return UNKNOWN
    if isinstance(value, str):
        return " ".join(value.split()) or '""'
    return json.dumps(_readable(value), ensure_ascii=False, sort_keys=True)


def _readable(value: Any) -> Any:
    """The value with words for what is unknown, and whole numbers without a fraction."""
    if isinstance(value, Mapping):
        return {key: _readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return UNKNOWN if is_unknown(value) else value


def _shortened(old: str, new: str) -> tuple[str, str]:
    """Both texts, cut to where they begin to differ."""
    if max(len(old), len(new)) <= LONG:
        return old, new
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    start = same - BEFORE if same > LONG - BEFORE else 0
    return _window(old, start), _window(new, start)


def _window(text: str, start: int) -> str:
    end = start + LONG
    before = "... " if start else ""
    after = f" ... ({len(text)} characters)" if len(text) > end else ""
    return f"{before}{text[start:end]}{after}"

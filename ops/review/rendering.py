"""Signs and values as people read them, in the terminal and in every form of a report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pulumi.automation import OpType

from ops.review.redaction import KNOWN_AFTER_APPLY, SECRET, is_unknown
from ops.review.steps import Change

SIGNS: Final[Mapping[OpType, str]] = {
    OpType.CREATE: "+",
    OpType.UPDATE: "~",
    OpType.DELETE: "-",
    OpType.REPLACE: "+-",
    OpType.READ: ">",
    OpType.IMPORT: "=",
}

MAX_VALUE: Final = 160
"""Characters shown of a value."""

BEFORE: Final = 24
"""Characters shown before the first difference of two long values."""

ABSENT: Final = "(none)"
SECRET_CHANGED: Final = "[secret changed]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property that a step changes, as text.

    Attributes:
        old: ``None`` if ``new`` describes both values, as ``[secret changed]`` does.
        replaces: a change of it forces a replacement.
    """

    path: str
    old: str | None
    new: str
    replaces: bool

    @classmethod
    def of(cls, change: Change) -> Property:
        old, new = full_text(change.old), full_text(change.new)
        if SECRET in (change.old, change.new) and ABSENT not in (old, new):
            return cls(path=change.path, old=None, new=SECRET_CHANGED, replaces=change.replaces)
        if SECRET in old and old == new:
            return cls(path=change.path, old=None, new=SECRET_CHANGED, replaces=change.replaces)
        old, new = _shortened(old, new)
        return cls(path=change.path, old=old, new=new, replaces=change.replaces)

    def to_dict(self) -> dict[str, Any]:
        return {"path": self.path, "old": self.old, "new": self.new, "replaces": self.replaces}


def value_text(value: Any, longest: int = MAX_VALUE) -> str:
    """A value as text of at most ``longest`` characters, and the length of a longer one."""
    return _window(full_text(value), 0, longest)


def full_text(value: Any) -> str:
    """A value as text: a string on one line, a list or an object as JSON."""
    if value is None:
        return ABSENT
    if is_unknown(value):
        return KNOWN_AFTER_APPLY
    if isinstance(value, str):
        return " ".join(value.split()) or '""'
    return json.dumps(_readable(value), ensure_ascii=False, sort_keys=True)


def _readable(value: Any) -> Any:
    """The value with unknown parts as text, and integral numbers without a fraction."""
    if isinstance(value, Mapping):
        return {key: _readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return KNOWN_AFTER_APPLY if is_unknown(value) else value


def _shortened(old: str, new: str) -> tuple[str, str]:
    """Both texts, shortened to the part where they begin to differ."""
    if max(len(old), len(new)) <= MAX_VALUE:
        return old, new
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    start = same - BEFORE if same > MAX_VALUE - BEFORE else 0
    return _window(old, start), _window(new, start)


def _window(text: str, start: int, length: int = MAX_VALUE) -> str:
    end = start + length
    before = "... " if start else ""
    after = f" ... ({len(text)} characters)" if len(text) > end else ""
    return f"{before}{text[start:end]}{after}"

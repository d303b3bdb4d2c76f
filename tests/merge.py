"""Changed settings, for tests that compare two estates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """``old`` updated with ``new``, section by section; None removes a key."""
    result = dict(old)
    for key, value in new.items():
        known = old.get(key)
        nested = isinstance(value, Mapping) and isinstance(known, Mapping)
        result[key] = merged(known, value) if nested else value  # type: ignore[arg-type]
    return {key: value for key, value in result.items() if value is not None}

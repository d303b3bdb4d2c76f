"""The physical name of a resource, and the inputs that sum a new resource up, by its record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ops.review.redaction import SECRET, at_path, is_unknown
from ops.review.steps import State
from resource_types import RESOURCE_TYPES, UNDECIDED

AMBIGUOUS: Final = ("enabled", "percentage", "repo")
"""Last elements of a path that are labelled together with the element before them."""


def physical_name(state: State) -> str:
    """The name of the resource in its platform's console, or else its logical name."""
    record = RESOURCE_TYPES.get(state.type)
    name = state.inputs.get(record.name_property if record else "name")
    return state.urn.rpartition("::")[2] if not name or is_unknown(name) else str(name)


def is_summarized(token: str) -> bool:
    """Whether the record of a type has summary fields."""
    return bool(_fields(token))


def summary_fields(state: State) -> Iterator[tuple[str, Any]]:
    """The summary fields of a new resource, as pairs of a short label and a value."""
    for path in _fields(state.type):
        value = at_path(state.inputs, path)
        if value is not None and value != SECRET and not is_unknown(value):
            *_, before, last = ("", *path.split("."))
            yield (f"{before}.{last}" if last in AMBIGUOUS else last), value


def _fields(token: str) -> tuple[str, ...]:
    record = RESOURCE_TYPES.get(token)
    return () if record is None or record.summary_fields is UNDECIDED else record.summary_fields

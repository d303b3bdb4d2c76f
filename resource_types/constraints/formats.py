"""Formats of texts: host names, dates and times, cron expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME: Final = re.compile(rf"(?:{_LABEL}\.)+(?!\d+\.?$){_LABEL}\.?", re.IGNORECASE)


def is_host_name(value: Any) -> bool:
    """Whether the value is a full host name: two labels or more, and no IP address.

    An underscore is allowed, as in the names of TXT and SRV records.
    """
    return isinstance(value, str) and len(value) <= 254 and bool(_HOST_NAME.fullmatch(value))


def is_date(value: Any) -> bool:
    """Whether the value is a day in the calendar, such as 2026-10-01."""
    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)) and date.fromisoformat(value))
    except ValueError:
        return False


def is_time(value: Any) -> bool:
    """Whether the value is a time with its offset, in ISO 8601."""
    return _time(value) is not None


def is_in_the_future(value: Any) -> bool:
    """Whether the value is a time that is still to come."""
    time = _time(value)
    return time is not None and time > datetime.now(UTC)


def _time(value: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return time if time.tzinfo and "T" in str(value) else None


def today() -> str:
    """Today's date in UTC, such as 2026-10-01."""
    return datetime.now(UTC).date().isoformat()


_CRON_RANGES: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON_NAMES: Final[tuple[Mapping[str, int], ...]] = (
    *({}, {}, {}),
    {name: number for number, name in enumerate(_MONTHS, 1)},
    {name: number for number, name in enumerate(_DAYS)},
)


def is_cron(value: Any) -> bool:
    """Whether the value is a cron expression of five fields, without extensions."""
    fields = str(value).split()
    return len(fields) == 5 and all(
        _is_cron_part(part, bounds, names)
        for field, bounds, names in zip(fields, _CRON_RANGES, _CRON_NAMES, strict=True)
        for part in field.split(",")
    )


def _is_cron_part(part: str, bounds: tuple[int, int], names: Mapping[str, int]) -> bool:
    found = re.fullmatch(r"(\*|(\w+)(?:-(\w+))?)(?:/(\d+))?", part)
    if found is None or found[4] == "0":
        return False
    ends = [names.get(end.lower(), end) for end in (found[2], found[3]) if end]
    if not all(str(end).isdigit() and bounds[0] <= int(end) <= bounds[1] for end in ends):
        return False
    return len(ends) < 2 or int(ends[0]) <= int(ends[1])

"""Checks of inputs: of one value, or of values that have to agree."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Refusal:
    """An input that the platform refuses: its property path, and what it expects instead.

    The text never holds the value, because the engine hands secrets to a policy in plain text.
    """

    path: str
    expected: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """Inputs as plain data. ``unknown`` stands for a value that is not known yet."""

    value: Any
    unknown: Any = None

    def at(self, pattern: str) -> Iterator[tuple[str, Any]]:
        """The path and the value of every known input that matches ``a.b[].c``."""
        steps = re.findall(r"[^.\[\]]+|\[\]", pattern)
        yield from self._at(self.value, steps, "")

    def get(self, pattern: str, default: Any = None) -> Any:
        """The first known input that matches the pattern."""
        return next((value for _, value in self.at(pattern)), default)

    def sets(self, name: str) -> bool:
        """Whether the top-level input is set, even if its value is not known yet."""
        return self.value.get(name) is not None

    def parts(self, pattern: str) -> Iterator[tuple[str, Inputs]]:
        """Every object that matches the pattern, with its path."""
        for path, value in self.at(pattern):
            if isinstance(value, Mapping):
                yield path, Inputs(value, self.unknown)

    def is_known(self, value: Any) -> bool:
        """Whether the value, and everything in it, is known."""
        if isinstance(value, Mapping):
            return all(map(self.is_known, value.values()))
        if isinstance(value, list):
            return all(map(self.is_known, value))
        return not self._is_unknown(value)

    def _is_unknown(self, value: Any) -> bool:
        return self.unknown is not None and value == self.unknown

    def _at(self, value: Any, steps: list[str], path: str) -> Iterator[tuple[str, Any]]:
        if value is None or self._is_unknown(value):
            return
        if not steps:
            yield path, value
        elif steps[0] == "[]":
            for index, item in enumerate(value if isinstance(value, list) else ()):
                yield from self._at(item, steps[1:], f"{path}[{index}]")
        elif isinstance(value, Mapping):
            inner = f"{path}.{steps[0]}" if path else steps[0]
            yield from self._at(value.get(steps[0]), steps[1:], inner)


@dataclass(frozen=True, slots=True)
class Value:
    """An input whose value is accepted or not, whatever the others are.

    Attributes:
        path: the input, as a pattern such as ``rules[].id``.
        accepts: whether the platform accepts a value.
        expected: what it accepts, as the end of a sentence that starts with "must be".
        refused: some values that it refuses.
    """

    path: str
    accepts: Callable[[Any], bool]
    expected: str
    refused: tuple[Any, ...]

    def refusals(self, inputs: Inputs) -> Iterator[Refusal]:
        for path, value in inputs.at(self.path):
            if inputs.is_known(value) and not self.accepts(value):
                yield Refusal(path, self.expected)

    def mutations(self) -> Iterator[tuple[str, Any]]:
        """Paths and values that must be refused."""
        for value in self.refused:
            yield self.path, value


@dataclass(frozen=True, slots=True)
class Agreement:
    """Inputs that depend on one another.

    Attributes:
        find: yields what does not agree.
        refused: paths and values that must be refused in any inputs; an empty path stands for all
            inputs of the resource.
    """

    find: Callable[[Inputs], Iterator[Refusal]]
    refused: tuple[tuple[str, Any], ...]

    def refusals(self, inputs: Inputs) -> Iterator[Refusal]:
        yield from self.find(inputs)

    def mutations(self) -> Iterator[tuple[str, Any]]:
        """Paths and values that must be refused."""
        yield from self.refused


Acceptance = Value | Agreement


# -- of one value ----------------------------------------------------------------------------------


def matches(path: str, pattern: str, expected: str, *refused: Any) -> Value:
    """Text that the pattern matches from its first to its last character."""
    compiled = re.compile(pattern)

    def accepts(value: Any) -> bool:
        return isinstance(value, str) and compiled.fullmatch(value) is not None

    return Value(path, accepts, expected, refused)


def one_of(path: str, *allowed: str | int, refused: tuple[Any, ...]) -> Value:
    """One of the allowed values."""
    texts = ", ".join(map(str, allowed))
    return Value(path, lambda value: value in allowed, f"one of {texts}", refused)


def between(path: str, least: float, most: float, unit: str = "") -> Value:
    """A number in a range."""
    return Value(
        path,
        lambda value: is_number(value) and least <= value <= most,
        f"{least:g} to {most:g}{unit and f' {unit}'}",
        (least - 1, most + 1),
    )


def at_most(path: str, most: int, kind: str = "characters") -> Value:
    """Text or a list of at most this length."""
    refused = "a" * (most + 1) if kind == "characters" else [f"a{i}" for i in range(most + 1)]
    return Value(
        path,
        lambda value: isinstance(value, str | list) and len(value) <= most,
        f"at most {most} {kind}",
        (refused,),
    )


def unique(path: str, key: str = "") -> Agreement:
    """No two items of the list are equal, or equal in ``key``."""
    step = f"{path}[].{key}" if key else f"{path}[]"

    def find(inputs: Inputs) -> Iterator[Refusal]:
        counts = Counter(str(value) for _, value in inputs.at(step))
        for item_path, value in inputs.at(step):
            if counts[str(value)] > 1:
                yield Refusal(item_path, "listed only once")

    item: Any = {key: "twice"} if key else "twice"
    return Agreement(find, ((path, [item, item]),))


def is_number(value: Any) -> bool:
    """Whether the value is a number; a boolean is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


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

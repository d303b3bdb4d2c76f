"""What constraints are made of: the values of one property, and combinations of several.

Values that are not set or not known are skipped.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

_STEP: Final = re.compile(r"[^.\[\]]+|\[\]")


class UnknownInput(Exception):
    """A combination has read an input that is not known yet."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a resource, or a part of them, as plain data.

    A path is a property path such as ``template.volumes[].name``. ``unknown`` is the object that
    stands for a value that is not known yet. Such a value is set, so it is never missing.
    """

    value: Any
    unknown: Any = None

    def values_at(self, path: str) -> Iterator[tuple[str, Any]]:
        """The path and the value of everything at ``path`` that is set and known."""
        for found_path, value in self._at(self.value, _STEP.findall(path), ""):
            if value is not self.unknown:
                yield found_path, value

    def get(self, path: str, default: Any = None) -> Any:
        """The first value at ``path``, or ``default``.

        Raises:
            UnknownInput: it is not known yet.
        """
        for _, value in self._at(self.value, _STEP.findall(path), ""):
            if value is self.unknown:
                raise UnknownInput(path)
            return value
        return default

    def sets(self, name: str) -> bool:
        """Whether the top-level input is set, even if its value is not known yet."""
        return self.value.get(name) is not None

    def parts(self, path: str) -> Iterator[tuple[str, Inputs]]:
        """Every object at ``path`` that is known, with its path."""
        for found_path, value in self.values_at(path):
            if isinstance(value, Mapping):
                yield found_path, Inputs(value, self.unknown)

    def is_known(self, value: Any) -> bool:
        """Whether the value, and everything in it, is known."""
        if isinstance(value, Mapping):
            return all(map(self.is_known, value.values()))
        if isinstance(value, list):
            return all(map(self.is_known, value))
        return self.unknown is None or value is not self.unknown

    def _at(self, value: Any, steps: list[str], path: str) -> Iterator[tuple[str, Any]]:
        if value is None:
            return
        if not steps or value is self.unknown:
            yield path, value
        elif steps[0] == "[]":
            for index, item in enumerate(value if isinstance(value, list) else ()):
                yield from self._at(item, steps[1:], f"{path}[{index}]")
        elif isinstance(value, Mapping):
            inner = f"{path}.{steps[0]}" if path else steps[0]
            yield from self._at(value.get(steps[0]), steps[1:], inner)


class Rejection(NamedTuple):
    """What the API rejects: a property path, and what it expects there.

    The text never holds the value, because the engine hands secrets to a policy in plain text.
    """

    path: str
    expected: str


@dataclass(frozen=True, slots=True)
class Values:
    """The values that a property may have.

    Attributes:
        expected: the values in words, to follow "expected".
        accepts: whether the API accepts a value.
        refused: some values that it does not accept, for tests.
    """

    expected: str
    accepts: Callable[[Any], bool]
    refused: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Constraint:
    """The values that the API accepts at ``path``; it does not have to be set."""

    path: str
    values: Values

    def rejections(self, inputs: Inputs) -> Iterator[Rejection]:
        for path, value in inputs.values_at(self.path):
            if not self.values.accepts(value):
                yield Rejection(path, self.values.expected)


@dataclass(frozen=True, slots=True)
class Combination:
    """Values that depend on each other.

    Attributes:
        function: finds what does not fit together.
        paths: the properties that it reads.
        refused: changes of one property of a good resource that it does not accept, for tests. An
            empty path stands for all inputs.
    """

    function: Callable[[Inputs], Iterator[Rejection]]
    paths: tuple[str, ...]
    refused: tuple[tuple[str, Any], ...]

    def rejections(self, inputs: Inputs) -> Iterator[Rejection]:
        try:
            yield from self.function(inputs)
        except (UnknownInput, AttributeError, TypeError, ValueError):
            # Besides what is unknown, a value of another type than the SDK's: the provider refuses
            # it by itself.
            return


Constraints = tuple[Constraint | Combination, ...]
Table = Mapping[str, Constraints]
"""By resource type: what its platform accepts."""


def each(values: Values, *paths: str) -> tuple[Constraint, ...]:
    """The same values at several paths."""
    return tuple(Constraint(path, values) for path in paths)


def unique(path: str, key: str = "") -> Combination:
    """No two items of the list at ``path`` are equal, or equal in ``key``."""
    step = f"[].{key}" if key else "[]"

    def check(inputs: Inputs) -> Iterator[Rejection]:
        for list_path, found in inputs.values_at(path):
            known = list(Inputs(found, inputs.unknown).values_at(step))
            counts = Counter(str(value) for _, value in known)
            for item_path, value in known:
                if counts[str(value)] > 1:
                    yield Rejection(f"{list_path}{item_path}", "listed only once")

    item: Any = {key: "twice"} if key else "twice"
    return Combination(check, (f"{path}{step}",), ((path, [item, item]),))


# -- Values ----------------------------------------------------------------------------------------


def text(pattern: str, expected: str, *refused: Any) -> Values:
    """Text that ``pattern`` matches from its first to its last character."""
    compiled = re.compile(pattern)
    return Values(
        expected,
        lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None,
        refused,
    )


def choice(*allowed: str | int, refused: Sequence[Any] = ("ANOTHER",)) -> Values:
    """One of a few words."""
    texts = ", ".join(map(str, allowed))
    return Values(f"one of {texts}", lambda value: value in allowed, tuple(refused))


def member_of(names: frozenset[str], expected: str, *refused: Any) -> Values:
    """One of a set of names that is too long for a message."""
    return Values(expected, lambda value: isinstance(value, str) and value in names, refused)


def number(minimum: float, maximum: float, unit: str = "") -> Values:
    """A number in a range."""
    return Values(
        f"a number from {minimum:,g} to {maximum:,g}{unit and f' {unit}'}",
        lambda value: is_number(value) and minimum <= value <= maximum,
        (minimum - 1, maximum + 1),
    )


def integer(minimum: int, maximum: int = 2**31 - 1) -> Values:
    """A whole number in a range."""
    return Values(
        f"a whole number from {minimum} to {maximum}",
        lambda value: is_number(value) and value == int(value) and minimum <= value <= maximum,
        (minimum - 1, maximum + 1),
    )


def duration(minimum: int, maximum: int, *, step: int = 1) -> Values:
    """A duration in Google's notation, such as ``3600s``.

    Args:
        minimum, maximum: in seconds.
        step: in seconds; the duration is a multiple of it.

    https://protobuf.dev/reference/protobuf/google.protobuf/#duration
    """

    def accepts(value: Any) -> bool:
        seconds = seconds_of(value)
        return seconds is not None and minimum <= seconds <= maximum and seconds % step == 0

    multiple = f", a multiple of {step}" if step > 1 else ""
    return Values(
        f'seconds such as "{max(minimum, step)}s", from {minimum}s to {maximum}s{multiple}',
        accepts,
        (f"{maximum + step}s", f"{max(minimum, step)}", "1d", *([f"{step + 1}s"] * (step > 1))),
    )


def length(maximum: int, *, unit: str = "characters") -> Values:
    """Text of a limited length, counted in ``characters`` or in ``bytes`` of UTF-8."""

    def accepts(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        return len(value.encode() if unit == "bytes" else value) <= maximum

    return Values(f"at most {maximum} {unit}", accepts, ("x" * (maximum + 1),))


def items(minimum: int, maximum: int) -> Values:
    """A list with a limited number of items."""
    return Values(
        f"a list of {minimum} to {maximum} items",
        lambda found: isinstance(found, list) and minimum <= len(found) <= maximum,
        ([{}] * (maximum + 1), *([[]] if minimum else [])),
    )


def ip_range(minimum: int = 0, maximum: int = 32) -> Values:
    """An IPv4 range that starts at its first address.

    Args:
        minimum, maximum: the prefix length; ``minimum`` is the largest range.
    """

    def accepts(value: Any) -> bool:
        network = network_of(value)
        return network is not None and minimum <= network.prefixlen <= maximum

    return Values(
        f"an IPv4 range in CIDR notation, /{minimum} to /{maximum}, that starts at its first "
        "address",
        accepts,
        ("10.0.0.1/8", "10.0.0.0", "10.0.0/24", "10.0.0.256/32"),
    )


def map_of(
    keys: str, values: str, expected: str, *refused: Mapping[str, Any], maximum: int = 64
) -> Values:
    """A map of up to ``maximum`` entries whose keys and texts match patterns."""
    key_pattern, value_pattern = re.compile(keys), re.compile(values, re.DOTALL)

    def accepts(found: Any) -> bool:
        return (
            isinstance(found, Mapping)
            and len(found) <= maximum
            and all(
                key_pattern.fullmatch(key)
                and (not isinstance(value, str) or value_pattern.fullmatch(value))
                for key, value in found.items()
            )
        )

    return Values(expected, accepts, refused)


TIMESTAMP: Final = text(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?"
    r"(Z|[+-]\d\d:\d\d)",
    'a time in RFC 3339, such as "2025-01-25T10:00:00Z"',
    *("tomorrow", "2025-13-01T00:00:00Z", "2025-01-25 10:00"),
)
TIME_OF_DAY: Final = text(
    r"([01]\d|2[0-3]):[0-5]\d",
    'hours and minutes, such as "03:00"',
    *("24:00", "3:00", "03:60"),
)


# -- Parsing ---------------------------------------------------------------------------------------


def is_number(value: Any) -> bool:
    """Whether ``value`` is a number; a boolean is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def seconds_of(value: Any) -> float | None:
    """The seconds of a duration such as ``3600s``."""
    found = re.fullmatch(r"(\d+(?:\.\d{1,9})?)s", value) if isinstance(value, str) else None
    return float(found[1]) if found else None


def network_of(value: Any) -> ipaddress.IPv4Network | None:
    """The range that ``value`` names, if it is one in CIDR notation."""
    try:
        return ipaddress.IPv4Network(value) if isinstance(value, str) and "/" in value else None
    except ValueError:
        return None

"""What rules demand of a value.

Each demand lists values that it must refuse; ``tests/policy_mutations.py`` makes mutants of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from resource_types.limits import IMAGE_DIGEST


@dataclass(frozen=True, slots=True)
class Demand:
    """What a value must be.

    Attributes:
        text: the demand for people, such as ``must be true``.
        accepts: whether a value meets it.
        refused: some values that it must refuse.
    """

    text: str
    accepts: Callable[[Any], bool]
    refused: tuple[Any, ...]


def equal(value: Any, *refused: Any) -> Demand:
    """Exactly ``value``; a boolean refuses its opposite without being listed."""
    opposite = (not value,) if isinstance(value, bool) else ()
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return Demand(
        f"must be {text}",
        lambda found: found == value and isinstance(found, bool) == isinstance(value, bool),
        (*opposite, *refused),
    )


def one_of(*allowed: str, refused: tuple[Any, ...]) -> Demand:
    """One of ``allowed``."""
    return Demand(f"must be {' or '.join(allowed)}", lambda found: found in allowed, refused)


def none_of(*forbidden: str) -> Demand:
    """Anything but ``forbidden``."""
    return Demand(
        f"must not be {' or '.join(forbidden)}", lambda found: found not in forbidden, forbidden
    )


def at_least(minimum: float) -> Demand:
    """A number of ``minimum`` or more."""
    return Demand(
        f"must be {minimum} or more",
        lambda found: is_number(found) and found >= minimum,
        (minimum - 1,),
    )


def between(minimum: float, maximum: float) -> Demand:
    """A number from ``minimum`` to ``maximum``."""
    return Demand(
        f"must be {minimum} to {maximum}",
        lambda found: is_number(found) and minimum <= found <= maximum,
        (minimum - 1, maximum + 1),
    )


def matches(pattern: str, text: str, refused: tuple[Any, ...]) -> Demand:
    """Text that ``pattern`` matches from its first to its last character."""
    compiled = re.compile(pattern)
    return Demand(
        text, lambda found: isinstance(found, str) and bool(compiled.fullmatch(found)), refused
    )


def contains_no(pattern: re.Pattern[str], text: str, refused: tuple[Any, ...]) -> Demand:
    """Text in which ``pattern`` occurs nowhere."""
    return Demand(text, lambda found: isinstance(found, str) and not pattern.search(found), refused)


def seconds_at_most(days: int) -> Demand:
    """A duration as Google writes it (``3600s``), not longer than ``days``."""
    return Demand(
        f"must be {days} days or less, in seconds: at most {days * 86400}s",
        lambda found: 0 < _seconds(found) <= days * 86400,
        (f"{days * 86400 + 1}s", f"{days}d"),
    )


def seconds_at_least(days: int) -> Demand:
    """A duration as Google writes it (``3600s``), not shorter than ``days``."""
    return Demand(
        f"must be {days} days or more, in seconds: at least {days * 86400}s",
        lambda found: _seconds(found) >= days * 86400,
        (f"{days * 86400 - 1}s",),
    )


NOT_EMPTY: Final = Demand("must be set", bool, ("", [], {}))

NOT_ALLOWED: Final = Demand("must not be set", lambda found: False, ("anything",))
"""For a property that may not be set at all; use it with ``optional``."""

IMAGE_BY_DIGEST: Final = matches(
    rf"[^\s@]+{IMAGE_DIGEST}",
    "must end in @sha256:<digest>",
    ("gcr.io/pull/worker:3f2c1ab", "gcr.io/pull/worker@sha256:0"),
)

IMAGE_BY_DIGEST_OR_TAG: Final = matches(
    rf"[^\s@]+({IMAGE_DIGEST}|:(?!latest$)[\w.-]{{1,128}})",
    "must have a digest or a tag other than latest",
    ("gcr.io/pull/worker", "gcr.io/pull/worker:latest"),
)


def is_number(value: Any) -> bool:
    """Whether ``value`` is a number; a boolean is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _seconds(value: Any) -> float:
    """The seconds of ``3600s``; -1 for anything else."""
    matched = re.fullmatch(r"(\d+(?:\.\d+)?)s", value) if isinstance(value, str) else None
    return float(matched[1]) if matched else -1

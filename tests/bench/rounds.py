"""How often to measure, and what to make of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

MOST: Final = 7


def rounds(seconds: float, *, least: int) -> Iterator[int]:
    """Rounds of measurements: ``least``, and then as many more as should fit into ``seconds``."""
    started = time.monotonic()
    for done in range(MOST):
        spent = time.monotonic() - started
        if done >= least and spent * (done + 1) / done > seconds:
            return
        yield done


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle and both ends of several measurements: the machine may be busy with others."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f}-{self.most:.2f})"

    def to_dict(self) -> dict[str, float]:
        return {
            "median": round(self.median, 4),
            "min": round(self.least, 4),
            "max": round(self.most, 4),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Something measured beside what it is held against, in the same rounds.

    Attributes:
        cost: what it cost in each round, in ``unit``.
        base: what its base cost in the same rounds.
        aim: how many times the base it may cost.
    """

    what: str
    against: str
    unit: str
    cost: Sequence[float]
    base: Sequence[float]
    aim: float

    @property
    def ratio(self) -> Spread:
        """Round by round, so that a busy minute weighs on both sides."""
        return Spread.of([cost / base for cost, base in zip(self.cost, self.base, strict=True)])

    @property
    def verdict(self) -> str:
        return "within" if self.ratio.median <= self.aim else "above"

    def __str__(self) -> str:
        return (
            f"{self.what}\n"
            f"    {Spread.of(self.cost)} {self.unit}\n"
            f"    {Spread.of(self.base)} {self.unit}: {self.against}\n"
            f"    {self.ratio} times as much; aim {self.aim:.3g}: {self.verdict}"
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "against": self.against,
            "unit": self.unit,
            "cost": Spread.of(self.cost).to_dict(),
            "base": Spread.of(self.base).to_dict(),
            "ratio": self.ratio.to_dict(),
            "rounds": len(self.cost),
            "aim": self.aim,
            "verdict": self.verdict,
        }

"""How often to measure, and how to compare the results."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

MAX_ROUNDS: Final = 7


def rounds(seconds: float, *, least: int) -> Iterator[int]:
    """Rounds of measurements: ``least``, and then as many more as should fit into ``seconds``."""
    started = time.monotonic()
    for done in range(MAX_ROUNDS):
        spent = time.monotonic() - started
        if done >= least and spent * (done + 1) / done > seconds:
            return
        yield done


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, minimum and maximum of several measurements, as the machine may be busy."""

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
    """A cost and its baseline, measured in the same rounds.

    Attributes:
        cost: the cost in each round, in ``unit``.
        base: the cost of the baseline in the same rounds.
        aim: the highest acceptable ratio of both.
    """

    what: str
    against: str
    unit: str
    cost: Sequence[float]
    base: Sequence[float]
    aim: float

    @property
    def ratio(self) -> Spread:
        """The ratio of each round, so that a busy machine affects both sides."""
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

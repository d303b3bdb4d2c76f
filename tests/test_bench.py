"""How the benchmark evaluates measurements; `make bench` measures with the real engine."""

from __future__ import annotations

import pytest

from tests.bench.rounds import Comparison, rounds


def compared(cost: list[float], base: list[float], aim: float = 1.2) -> Comparison:
    return Comparison(what="a", against="b", unit="s", cost=cost, base=base, aim=aim)


def test_a_busy_machine_affects_both_sides() -> None:
    # The third round is ten times slower on both sides; medians of the sides would say 2.0 / 1.0.
    found = compared([1.0, 2.0, 30.0], [1.0, 1.0, 20.0])
    assert (found.ratio.least, found.ratio.median, found.ratio.most) == (1.0, 1.5, 2.0)


@pytest.mark.parametrize(("cost", "verdict"), [(1.2, "within"), (1.21, "above")])
def test_a_ratio_equal_to_the_aim_is_within(cost: float, verdict: str) -> None:
    assert compared([cost], [1.0]).verdict == verdict
    assert compared([cost], [1.0]).to_dict()["verdict"] == verdict


def test_rounds_continue_while_the_next_round_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.0, 10.0, 20.0, 30.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    assert list(rounds(35, least=1)) == [0, 1, 2]


def test_a_slow_machine_still_gets_the_least_number_of_rounds() -> None:
    assert list(rounds(0, least=2)) == [0, 1]

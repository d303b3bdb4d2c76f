"""The release window: the hours in which ``up --window`` may change a stack."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Self

from ops.errors import Refused, WrongInput


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of every day in UTC, from ``begin`` until ``end``; they may span midnight."""

    begin: datetime.time
    end: datetime.time

    @classmethod
    def read(cls, text: str) -> Self:
        """A window written as ``02:00-04:00``.

        Raises:
            WrongInput: the text has another form.
        """
        try:
            if not re.fullmatch(r"\d\d:\d\d-\d\d:\d\d", text, re.ASCII):
                raise ValueError
            begin, end = map(datetime.time.fromisoformat, text.split("-"))
            if begin == end:
                raise ValueError
        except ValueError:
            raise WrongInput(
                "window",
                f"--window {text}: write it as 02:00-04:00 (UTC), with different begin "
                "and end; midnight is 00:00.",
            ) from None
        return cls(begin, end)

    def holds(self, moment: datetime.time) -> bool:
        """Whether ``moment`` is inside the window."""
        if self.begin <= self.end:
            return self.begin <= moment < self.end
        return moment >= self.begin or moment < self.end

    def refuse_outside(self, now: datetime.datetime) -> None:
        """Refuse to start outside of the window.

        Raises:
            Refused: ``now`` is outside of it.
        """
        if not self.holds(now.astimezone(datetime.UTC).time()):
            raise Refused(
                "window",
                f"It is {now:%H:%M} UTC; releases run from {self.begin:%H:%M} to "
                f"{self.end:%H:%M} UTC. Run this again then, or give the reason why it cannot "
                "wait: --outside-window REASON.",
            )

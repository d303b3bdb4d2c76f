"""Approvals of operations on stateful or protected resources: ``approvals/<stack>.yaml``."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from ops.errors import WrongInput

Operation = Literal["delete", "replace", "change"]

MAX_VALIDITY: Final = datetime.timedelta(days=90)
"""How far in the future an approval may expire, so that no forgotten approval stays in force."""

APPROVERS: Final = 2
"""The runbook requires two engineers for each destructive operation."""


def _different_people(names: tuple[str, ...]) -> tuple[str, ...]:
    people = _people(names)
    if people < APPROVERS:
        raise PydanticCustomError(
            "approvers",
            "expected at least {expected} different people, found {people}. Add the e-mail address "
            "or handle of a second engineer who approves this.",
            {"expected": APPROVERS, "people": people},
        )
    return names


def _people(names: Iterable[str]) -> int:
    """The number of different people in ``names``, regardless of case and blanks.

    ``Ada <ada@pull.com>``, ``ADA@pull.com`` and ``@ada`` are the same person.
    """
    spelled = set()
    for name in names:
        address = re.search(r"<(.+)>", name)
        plain = "".join((address[1] if address else name).casefold().split())
        spelled.add(plain.removeprefix("@"))
    handles = {name for name in spelled if "@" not in name}
    others = {name for name in spelled - handles if name.partition("@")[0] not in handles}
    return len((handles | others) - {""})


class Approval(BaseModel):
    """Permission for one operation on one resource, until a date."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    urn: str = Field(min_length=1)
    operation: Operation
    reason: str = Field(min_length=10)
    approved_by: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...], AfterValidator(_different_people)
    ]
    expires: datetime.date

    def invalid_because(self, today: datetime.date) -> str:
        """Why the approval does not count ``today``; empty if it does."""
        if self.expires < today:
            return f"The approval expired on {self.expires}."
        if self.expires > today + MAX_VALIDITY:
            return (
                f"The approval expires on {self.expires}; it may run for at most "
                f"{MAX_VALIDITY.days} days."
            )
        return ""


class Approvals(BaseModel):
    """The contents of an approvals file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    approvals: tuple[Approval, ...] = ()


def read_approvals(folder: Path, stack: str) -> tuple[Approval, ...]:
    """The approvals of a stack; empty when it has no file.

    Raises:
        WrongInput: the file cannot be read or is not valid; the text lists every error.
    """
    path = folder / f"{stack}.yaml"
    if not path.exists():
        return ()
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return Approvals.model_validate(document).approvals
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        errors = (
            [f"  {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
            if isinstance(error, ValidationError)
            else [f"  {' '.join(str(error).split())}"]
        )
        raise WrongInput(
            "approvals",
            f"approvals/{path.name} is not valid; nothing was started.\n" + "\n".join(errors),
        ) from error

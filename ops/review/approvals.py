"""Approvals of operations on stateful or protected resources: ``approvals/<stack>.yaml``."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from ops.errors import WrongInput
from resource_types.reviews import iso_date, people, read_yaml

MAX_SHOWN: Final = 100
"""Characters of a wrong value that are shown."""

Operation = Literal["delete", "replace", "change"]

MAX_VALIDITY: Final = datetime.timedelta(days=90)
"""How far in the future an approval may expire, so that no forgotten approval stays in force."""

APPROVERS: Final = 2
"""The runbook requires two engineers for each destructive operation."""


def _different_people(names: tuple[str, ...]) -> tuple[str, ...]:
    found = len(people(names))
    if found < APPROVERS:
        raise PydanticCustomError(
            "approvers",
            "expected at least {expected} different people, found {people}. Add the e-mail address "
            "or handle of a second engineer who approves this.",
            {"expected": APPROVERS, "people": found},
        )
    return names


class Approval(BaseModel):
    """Permission for one operation on one resource, until a date."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    urn: str = Field(pattern=r"^urn:pulumi:[^:\s]+::[^:\s]+::[^\s]+::[^\s]+$")
    operation: Operation
    reason: str = Field(min_length=10)
    approved_by: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...], AfterValidator(_different_people)
    ]
    expires: Annotated[datetime.date, BeforeValidator(iso_date)]

    def description(self) -> str:
        """Who approved it, until when and why."""
        return f"By {' and '.join(self.approved_by)}, until {self.expires}: {self.reason}"

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

    approvals: tuple[Approval, ...]


def _described(error: ErrorDetails) -> str:
    """The message about one value, with the value where it is short."""
    value = repr(error["input"])
    shown = f" (is {value})" if len(value) <= MAX_SHOWN and value not in error["msg"] else ""
    return f"{error['msg']}{shown}"


def read_approvals(folder: Path, stack: str) -> tuple[Approval, ...]:
    """The approvals of a stack; empty when it has no file.

    Raises:
        WrongInput: the file cannot be read or is not valid; the text lists every error.
    """
    path = folder / f"{stack}.yaml"
    if not path.exists():
        return ()
    try:
        return Approvals.model_validate(read_yaml(path.read_text(encoding="utf-8"))).approvals
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        errors = (
            [f"  {'.'.join(map(str, item['loc']))}: {_described(item)}" for item in error.errors()]
            if isinstance(error, ValidationError)
            else [f"  {' '.join(str(error).split())}"]
        )
        raise WrongInput(
            "approvals",
            f"approvals/{path.name} is not valid; nothing was started.\n" + "\n".join(errors),
        ) from error

"""Secrets: how Secret Manager holds the catalogue. Never a value."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from components.config.errors import known_name
from components.config.types import Model, Timestamp, expected_error, moment
from components.secrets.catalogue import SECRETS


def _in_the_catalogue(name: str) -> str:
    known = [variable.name for variable in SECRETS]
    if name not in known:
        raise expected_error(known_name(name, known))
    return name


SecretName = Annotated[str, AfterValidator(_in_the_catalogue)]
SecretId = Annotated[
    str,
    Field(
        pattern=r"^[a-zA-Z0-9_-]{1,255}$",
        description="id of a secret: 1 to 255 letters, digits, hyphens and underscores",
    ),
]
SecretVersion = Annotated[
    str, Field(pattern=r"^(?:latest|[1-9][0-9]{0,8})$", description="latest, or a number, quoted")
]


def _near(timestamp: str) -> str:
    # Secret Manager moves the time forward at each rotation, so the setting may be in the past.
    year = moment(timestamp).year
    if not _FIRST_YEAR <= year <= datetime.now(UTC).year + 2:
        raise expected_error(f"a time from {_FIRST_YEAR} on, in the next two years at the latest")
    return timestamp


_FIRST_YEAR: Final = 2026
"""The year in which the estate was set up: no secret of it was rotated earlier."""


class Secrets(Model):
    """How Secret Manager holds the catalogue."""

    rotation_days: Annotated[
        int, Field(ge=1, le=365, description="days after which a rotation is due")
    ]
    first_rotation: Annotated[Timestamp, AfterValidator(_near)]
    ids: dict[SecretName, SecretId] = Field(
        default_factory=dict,
        description="Secret Manager id by variable, if it is not pull-<environment>-<name>",
    )
    versions: dict[SecretName, SecretVersion] = Field(
        default_factory=dict,
        description='version by variable, quoted, if it is not "latest"',
    )

"""Types that several settings share: ranges, hosts, URLs, times, and the base of every model."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterator
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from components.config.errors import SettingError


class Model(BaseModel):
    """Frozen and strict. An unknown key is an error: a typo must not select a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        errors = tuple(self.setting_errors())
        if errors:
            raise PydanticCustomError(
                "rules", "the fields contradict each other", {"errors": errors}
            )
        return self

    def setting_errors(self) -> Iterator[SettingError]:
        """Errors that depend on several fields. Their paths are relative to this model."""
        yield from ()


def expected_error(expected: str) -> PydanticCustomError:
    """The error of a single field that is not ``expected``."""
    return PydanticCustomError("expected", "{expected}", {"expected": expected})


_PRIVATE_RANGES: Final = tuple(
    ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
_DOCKER_BRIDGE: Final = ipaddress.IPv4Network("172.17.0.0/16")


def _network(text: str) -> str:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise expected_error(
            "an IPv4 range in CIDR notation that starts at its first address, such as 10.10.0.0/20"
        ) from error
    if not any(network.subnet_of(private) for private in _PRIVATE_RANGES):
        raise expected_error("a private range (RFC 1918), such as 10.10.0.0/20")
    if network.overlaps(_DOCKER_BRIDGE):
        # https://cloud.google.com/sql/docs/postgres/configure-private-ip
        raise expected_error(
            f"a range outside {_DOCKER_BRIDGE}: Cloud SQL cannot be reached from that range"
        )
    return text


def prefix_length(minimum: int, maximum: int, reason: str) -> AfterValidator:
    """Limits the prefix length of a range; ``minimum`` allows the largest range."""

    def check(text: str) -> str:
        if not minimum <= ipaddress.IPv4Network(text).prefixlen <= maximum:
            sizes = f"a /{maximum}" if minimum == maximum else f"a /{minimum} to /{maximum}"
            raise expected_error(f"{sizes}: {reason}")
        return text

    return AfterValidator(check)


def _calendar_day(text: str) -> str:
    try:
        datetime.date.fromisoformat(text[:10])
    except ValueError as error:
        raise expected_error("a day that exists in the calendar") from error
    return text


def moment(timestamp: str) -> datetime.datetime:
    """The time that a ``Timestamp`` names; fractions of a second are cut."""
    return datetime.datetime.fromisoformat(f"{timestamp[:19]}+00:00")


def _url(text: str) -> str:
    try:
        port = urlsplit(text).port
    except ValueError as error:
        raise expected_error("a port from 1 to 65535") from error
    if port == 443:
        raise expected_error(
            "the URL without :443: browsers omit the default port and compare origins as text"
        )
    return text


def _local_part(text: str) -> str:
    """Dots in the local part separate words (RFC 5322, section 3.2.3)."""
    if not all(text.partition("@")[0].split(".")):
        raise expected_error("an e-mail address without a dot at either end or two in a row")
    return text


def _git_ref(text: str) -> str:
    """https://git-scm.com/docs/git-check-ref-format"""
    if any(step.endswith(".lock") for step in text.split("/")) or text.startswith("refs/"):
        raise expected_error("a branch, tag or commit, without refs/ and not ending in .lock")
    return text


_HOST: Final = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"
_DAY: Final = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"

Cidr = Annotated[
    str, AfterValidator(_network), Field(description="private IPv4 range, such as 10.10.0.0/20")
]
Hex32 = Annotated[
    str, Field(pattern=r"^[0-9a-f]{32}$", description="32 hexadecimal digits, lower case, quoted")
]
Host = Annotated[
    str,
    Field(
        pattern=rf"^{_HOST}$",
        max_length=253,
        description="host name, lower case, at most 253 characters",
    ),
]
HttpsUrl = Annotated[
    str,
    Field(
        pattern=rf"^https://{_HOST}(?::[1-9][0-9]{{0,4}})?(?:/[!-~]*)?$",
        max_length=2048,
        description="an https:// URL without user information, host in lower case",
    ),
    AfterValidator(_url),
]
Origin = Annotated[
    str,
    Field(
        pattern=rf"^https://{_HOST}(?::[1-9][0-9]{{0,4}})?$",
        max_length=253,
        description="an https:// origin with a full host name, without a path or a trailing slash",
    ),
    AfterValidator(_url),
]
Email = Annotated[
    str,
    Field(
        pattern=rf"^[A-Za-z0-9._%+-]{{1,64}}@{_HOST}$",
        max_length=254,
        description="an e-mail address",
    ),
    AfterValidator(_local_part),
]
TimeOfDay = Annotated[
    str,
    Field(
        pattern=r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]$",
        description='a time of day in UTC, 00:00 to 23:59, quoted: "03:00"',
    ),
]
Timestamp = Annotated[
    str,
    Field(
        pattern=(rf"^{_DAY}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{{1,9}})?Z$"),
        description='a timestamp in UTC, quoted: "2025-01-25T10:00:00.000Z"',
    ),
    AfterValidator(_calendar_day),
]
Date = Annotated[
    str,
    Field(pattern=rf"^{_DAY}$", description='a date, quoted: "2025-01-25"'),
    AfterValidator(_calendar_day),
]
Hour = Annotated[int, Field(ge=0, le=23, description="hour of the day in UTC")]
ProjectId = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$",
        description="project id: 6 to 30 lower-case letters, digits and hyphens",
    ),
]
GitRef = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_](?:[./]?[A-Za-z0-9_-])*$",
        max_length=250,
        description="branch, tag or commit",
    ),
    AfterValidator(_git_ref),
]

"""Words that several settings share: ranges, hosts, URLs and times, and the model around them."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterator
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from components.config.errors import SettingError


class Model(BaseModel):
    """Frozen and strict; an unknown key is an error, because a typo must not be a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        wrong = tuple(self.wrong())
        if wrong:
            raise PydanticCustomError("rules", "fields do not fit together", {"wrong": wrong})
        return self

    def wrong(self) -> Iterator[SettingError]:
        """What is wrong with fields that are right one by one. Paths start at this model."""
        yield from ()


def only(expected: str) -> PydanticCustomError:
    """One field is wrong by itself; ``allowed`` says what it may be."""
    return PydanticCustomError("expected", "{expected}", {"expected": expected})


_PRIVATE_RANGES: Final = tuple(
    ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
_DOCKER_BRIDGE: Final = ipaddress.IPv4Network("172.17.0.0/16")


def _network(text: str) -> str:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise only(
            "an IPv4 range with its size, its first address in front: 10.10.0.0/20"
        ) from error
    if not any(network.subnet_of(private) for private in _PRIVATE_RANGES):
        raise only("a private range (RFC 1918), such as 10.10.0.0/20")
    if network.overlaps(_DOCKER_BRIDGE):
        raise only(f"a range outside {_DOCKER_BRIDGE}: nothing there can talk to Cloud SQL")
    return text


def sized(least: int, most: int, why: str) -> AfterValidator:
    """Length of a range's prefix, ``least`` being the larger range."""

    def check(text: str) -> str:
        if not least <= ipaddress.IPv4Network(text).prefixlen <= most:
            sizes = f"a /{most}" if least == most else f"a /{least} to /{most}"
            raise only(f"{sizes}: {why}")
        return text

    return AfterValidator(check)


def _calendar_day(text: str) -> str:
    try:
        datetime.date.fromisoformat(text[:10])
    except ValueError as error:
        raise only("a day that is in the calendar") from error
    return text


def _url(text: str) -> str:
    try:
        port = urlsplit(text).port
    except ValueError as error:
        raise only("a port from 1 to 65535") from error
    if port == 443:
        raise only("the URL without :443: browsers leave it out, and compare letter by letter")
    return text


_HOST: Final = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"
_DAY: Final = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"

Cidr = Annotated[
    str, AfterValidator(_network), Field(description="private IPv4 range, as 10.10.0.0/20")
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
        description="an https:// URL without a user, host in lower case",
    ),
    AfterValidator(_url),
]
Origin = Annotated[
    str,
    Field(
        pattern=rf"^https://{_HOST}(?::[1-9][0-9]{{0,4}})?$",
        max_length=253,
        description="an https:// origin with a whole host name, without a path or a closing slash",
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
        description='a moment in UTC, quoted: "2025-01-25T10:00:00.000Z"',
    ),
    AfterValidator(_calendar_day),
]
Date = Annotated[
    str,
    Field(pattern=rf"^{_DAY}$", description='a date, quoted: "2025-01-25"'),
    AfterValidator(_calendar_day),
]
Hour = Annotated[int, Field(ge=0, le=23, description="hour of the day in UTC")]
Weekday = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
GitRef = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_](?:[./]?[A-Za-z0-9_-])*$",
        max_length=250,
        description="branch, tag or commit",
    ),
]

"""A thing in the cloud as the catalogue sees it: what was asked for, and what the cloud makes up.

All that is made up (addresses, ids, passwords) is drawn from the thing's own seed, so that asking
again gives the same answer without remembering each one.
"""

from __future__ import annotations

import hashlib
import random
import re
import string
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sandbox import values
from sandbox.values import Properties

_URL_BEFORE_PATH: Final = re.compile(r"^https?://.*?/(?=projects/)")


@dataclass(slots=True)
class Resource:
    """One resource.

    Attributes:
        inputs: what was asked for, without secret marks.
        settings: the settings of the provider that asks.
        seed: source of everything made up for this thing.
        created, updated: RFC 3339 times.
        memory: what the cloud remembers of it beside inputs and outputs.
        address: where it lives in the cloud; empty until it has been worked out.
    """

    inputs: Properties
    settings: Properties
    seed: str
    created: str
    updated: str
    memory: Properties = field(default_factory=dict)
    address: str = ""

    def each(self, pattern: str) -> Iterator[tuple[str, Any]]:
        """Every known input under a pattern such as ``template.containers[].image``, by path."""
        return values.each(self.inputs, pattern)

    def get(self, pattern: str, otherwise: Any = None) -> Any:
        """The first known input under the pattern."""
        return next((value for _, value in self.each(pattern)), otherwise)

    def text(self, template: str) -> str:
        """The template with inputs and made-up values in its braces.

        Raises:
            KeyError: it names an input that was not given.
        """
        return template.format_map(self)

    def __getitem__(self, name: str) -> str:
        made_up = _MADE_UP.get(name)
        if made_up is not None:
            return made_up(self)
        value = self.inputs.get(name)
        if value is None:
            value = self.settings[_INHERITED[name]]
        return _URL_BEFORE_PATH.sub("", str(value))

    def number_of_project(self) -> str:
        """The twelve digits by which Google also knows the project."""
        return _digits(self["project"], 12)

    def dice(self, label: str) -> random.Random:
        """Chance that always falls the same way for this thing and label."""
        return random.Random(f"{self.seed}/{label}")  # noqa: S311  its seed is secret

    def hexadecimal(self, length: int, label: str = "id") -> str:
        """Digits 0-9 and a-f."""
        return "".join(self.dice(label).choices("0123456789abcdef", k=length))

    def letters(self, length: int, label: str = "id") -> str:
        """Letters and digits."""
        return "".join(self.dice(label).choices(string.ascii_letters + string.digits, k=length))

    def uuid(self, label: str = "id") -> str:
        """A UUID, version 4."""
        return str(uuid.UUID(bytes=self.dice(label).randbytes(16), version=4))

    def private_address(self) -> str:
        """An IPv4 address in a private network."""
        return f"10.{_octets(self.dice('private'), 3)}"

    def public_address(self) -> str:
        """An IPv4 address of RFC 5737, which no real host ever has."""
        return f"203.0.113.{self.dice('public').randint(1, 254)}"

    def certificate(self) -> str:
        """A PEM block that no parser takes for a certificate."""
        return (
            "-----BEGIN CERTIFICATE-----\n"
            f"SANDBOX+NOT+A+CERTIFICATE+{self.hexadecimal(24, 'certificate')}\n"
            "-----END CERTIFICATE-----\n"
        )


_INHERITED: Final = {"project": "project", "region": "region", "location": "region"}
"""Inputs that a provider's own settings stand in for."""

_MADE_UP: Final[dict[str, Callable[[Resource], str]]] = {
    "address": lambda resource: resource.address,
    "number": Resource.number_of_project,
    "hex32": lambda resource: resource.hexadecimal(32),
    "hex8": lambda resource: resource.hexadecimal(8),
    "uuid": Resource.uuid,
    "letters16": lambda resource: resource.letters(16),
    "letters24": lambda resource: resource.letters(24),
    "digits21": lambda resource: "1" + _digits(resource.seed, 20),
    "condition": lambda resource: (
        f"/{resource.get('condition.title')}" if resource.get("condition") else ""
    ),
}


def now() -> str:
    """The present time, in RFC 3339 with microseconds."""
    return f"{datetime.now(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _digits(text: str, length: int) -> str:
    return str(int.from_bytes(hashlib.sha256(text.encode()).digest()))[:length]


def _octets(dice: random.Random, count: int) -> str:
    return ".".join(str(dice.randint(1, 254)) for _ in range(count))

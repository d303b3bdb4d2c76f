"""A resource as a model sees it: its inputs, and the values that the cloud generates for it.

All generated values (ids, IP addresses, passwords) come from the resource's own seed, so that they
stay the same without being stored one by one.
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
        inputs: the inputs, without secret marks.
        settings: the settings of its provider.
        seed: the source of every generated value.
        created, updated: RFC 3339 times.
        internal: what the cloud keeps about it besides inputs and outputs.
        address: where it lives in the cloud; empty until it is computed.
    """

    inputs: Properties
    settings: Properties
    seed: str = ""
    created: str = ""
    updated: str = ""
    internal: Properties = field(default_factory=dict)
    address: str = ""

    def values_at(self, pattern: str) -> Iterator[tuple[str, Any]]:
        """The path and value of every known input that matches a pattern.

        A pattern is a property path such as ``template.containers[].image``.
        """
        return values.values_at(self.inputs, pattern)

    def get(self, pattern: str, default: Any = None) -> Any:
        """The first known input that matches the pattern."""
        return next((value for _, value in self.values_at(pattern)), default)

    def format(self, template: str) -> str:
        """The template with inputs and generated values in the place of its braces.

        Raises:
            KeyError: the template names an input that is not set.
        """
        return template.format_map(self)

    def __getitem__(self, name: str) -> str:
        generate = _GENERATED.get(name)
        if generate is not None:
            return generate(self)
        value = self.inputs.get(name)
        if value is None:
            value = self.settings[_PROVIDER_SETTINGS[name]]
        return _URL_BEFORE_PATH.sub("", str(value))

    def project_number(self) -> str:
        """The number of the Google Cloud project, twelve digits."""
        return _digits(self["project"], 12)

    def rng(self, label: str) -> random.Random:
        """A random number generator with a sequence of its own for each resource and label."""
        return random.Random(f"{self.seed}/{label}")  # noqa: S311  the seed is secret

    def hexadecimal(self, length: int, label: str = "id") -> str:
        """Digits 0-9 and a-f."""
        return "".join(self.rng(label).choices("0123456789abcdef", k=length))

    def letters(self, length: int, label: str = "id") -> str:
        """Letters and digits."""
        return "".join(self.rng(label).choices(string.ascii_letters + string.digits, k=length))

    def uuid(self, label: str = "id") -> str:
        """A UUID, version 4."""
        return str(uuid.UUID(bytes=self.rng(label).randbytes(16), version=4))

    def private_address(self) -> str:
        """An IPv4 address in the private range 10.0.0.0/8."""
        octets = self.rng("private")
        return f"10.{'.'.join(str(octets.randint(1, 254)) for _ in range(3))}"

    def public_address(self) -> str:
        """An IPv4 address that RFC 5737 reserves for documentation."""
        return f"203.0.113.{self.rng('public').randint(1, 254)}"

    def certificate(self) -> str:
        """A PEM block that no parser accepts as a certificate."""
        return (
            "-----BEGIN CERTIFICATE-----\n"
            f"SANDBOX+NOT+A+CERTIFICATE+{self.hexadecimal(24, 'certificate')}\n"
            "-----END CERTIFICATE-----\n"
        )


_PROVIDER_SETTINGS: Final = {"project": "project", "region": "region", "location": "region"}
"""The provider setting that applies when an input is not set."""

_GENERATED: Final[dict[str, Callable[[Resource], str]]] = {
    "address": lambda resource: resource.address,
    "number": Resource.project_number,
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

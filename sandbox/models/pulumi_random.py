"""Random: generated passwords, strings and ids."""

from __future__ import annotations

import base64
import string
from collections.abc import Callable, Mapping
from typing import Final

from resource_types import pulumi_random
from sandbox import checks
from sandbox.models.base import ResourceModel
from sandbox.resource import Resource

_CHARACTERS: Final = {
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "numeric": string.digits,
    "special": "!@#$%&*()-_=+[]{}<>:?",
}
"""The characters of each class.

https://github.com/hashicorp/terraform-provider-random/blob/main/internal/random/string.go
"""


def _password(resource: Resource) -> str:
    """A text of the requested length and classes, with each class's minimum."""
    special = resource.get("overrideSpecial") or _CHARACTERS["special"]
    classes = {**_CHARACTERS, "special": special}
    rng = resource.rng("result")
    characters = [
        character
        for name in classes
        for character in rng.choices(classes[name], k=resource.get(f"min{name.title()}", 0))
    ]
    allowed = "".join(classes[name] for name in classes if resource.get(name, True))
    characters += rng.choices(allowed, k=resource.get("length") - len(characters))
    rng.shuffle(characters)
    return "".join(characters)


def _random_bytes(resource: Resource) -> bytes:
    return resource.rng("bytes").randbytes(resource.get("byteLength"))


def _random_id(encode: Callable[[bytes], str]) -> Callable[[Resource], str]:
    return lambda resource: resource.get("prefix", "") + encode(_random_bytes(resource))


def _url_base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


MODELS: Final[Mapping[str, ResourceModel]] = {
    pulumi_random.RANDOM_PASSWORD: ResourceModel(
        address="passwords/{uuid}",
        # The real provider gives every password the id "none" (terraform-provider-random,
        # internal/provider/resource_password.go). The sandbox needs ids that differ.
        id="none-{uuid}",
        name="",
        outputs={
            "result": _password,
            "bcryptHash": lambda resource: f"$2a$10${resource.letters(53, 'bcrypt')}",
            "number": lambda resource: resource.get("numeric", True),
        },
        checked_at_preview=(checks.password_length,),
    ),
    pulumi_random.RANDOM_STRING: ResourceModel(
        address="strings/{uuid}", id=_password, name="", outputs={"result": _password}
    ),
    pulumi_random.RANDOM_ID: ResourceModel(
        address="ids/{uuid}",
        id=lambda resource: _url_base64(_random_bytes(resource)),
        name="",
        outputs={
            "hex": _random_id(bytes.hex),
            "dec": _random_id(lambda content: str(int.from_bytes(content))),
            "b64Std": _random_id(lambda content: base64.b64encode(content).decode()),
            "b64Url": _random_id(_url_base64),
        },
    ),
}

"""Customer-managed encryption: one key for each thing that it encrypts.

A key must be where its data is: Cloud SQL in the region, the backup bucket in its multi-region,
secrets with automatic replication in ``global``. So there is a ring in each of these places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi_gcp as gcp
from pulumi import Input, Output, ResourceOptions

from components.base import PullComponent, Stage
from components.platform.project import Project

SECONDS_PER_DAY: Final = 24 * 60 * 60

KEY_LOCATIONS: Final = {"US": "us", "EU": "europe", "ASIA": "asia"}
"""Where a key has to be for a bucket in each multi-region of Cloud Storage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyArgs:
    """A key: where it is, and the one service agent that may use it."""

    location: str
    agent: Input[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionArgs:
    """Inputs of :class:`Encryption`.

    Attributes:
        ring: name of the ring in each location.
        keys: by what they encrypt.
    """

    project: str
    ring: str
    rotation_days: int
    protect: bool
    keys: Mapping[str, KeyArgs]
    services: Project


class Encryption(PullComponent):
    """Key rings, keys, and the grants to use them."""

    keys: Mapping[str, Output[str]]
    """Id of each key."""
    usable: Mapping[str, ResourceOptions]
    """Options that make a resource wait until its service may use the key."""

    def __init__(
        self, name: str, args: EncryptionArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("pull:platform:Encryption", name, Stage.INFRASTRUCTURE, opts)
        protect = ResourceOptions(protect=args.protect)
        rings = {
            location: gcp.kms.KeyRing(
                self.child(f"ring-{location}"),
                project=args.project,
                location=location,
                name=args.ring,
                opts=self.options(args.services.ready("cloudkms"), protect),
            )
            for location in sorted({key.location for key in args.keys.values()})
        }
        keys: dict[str, Output[str]] = {}
        usable: dict[str, ResourceOptions] = {}
        for purpose, key_args in args.keys.items():
            key = gcp.kms.CryptoKey(
                self.child(f"key-{purpose}"),
                key_ring=rings[key_args.location].id,
                name=purpose,
                purpose="ENCRYPT_DECRYPT",
                rotation_period=f"{args.rotation_days * SECONDS_PER_DAY}s",
                destroy_scheduled_duration=f"{30 * SECONDS_PER_DAY}s",
                opts=self.options(protect),
            )
            grant = gcp.kms.CryptoKeyIAMMember(
                self.child(f"key-{purpose}-user"),
                crypto_key_id=key.id,
                role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
                member=key_args.agent,
                opts=self.options(),
            )
            keys[purpose] = key.id
            usable[purpose] = ResourceOptions(depends_on=[grant])
        self.keys = keys
        self.usable = usable
        self.register_outputs({"keys": keys})

"""Customer-managed encryption: one key for each purpose.

A key must be in the location of its data: the region for Cloud SQL, the multi-region for the backup
bucket, ``global`` for secrets with automatic replication. So each location has its own key ring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi_gcp as gcp
from pulumi import Input, Output, ResourceOptions

from components.base import PullComponent, Stage
from components.config.platform import Encryption as EncryptionSettings
from components.platform.project import Project
from resource_types import pull

SECONDS_PER_DAY: Final = 24 * 60 * 60

KEY_LOCATIONS: Final = {"US": "us", "EU": "europe", "ASIA": "asia"}
"""Location of the key for a bucket in each multi-region.

https://cloud.google.com/storage/docs/encryption/customer-managed-keys
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyArgs:
    """A key's location, and the service agent that may use it."""

    location: str
    agent: Input[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionArgs:
    """Inputs of :class:`Encryption`.

    Attributes:
        ring: name of the key ring in each location.
        keys: by purpose.
    """

    project: str
    ring: str
    settings: EncryptionSettings
    protect: bool
    keys: Mapping[str, KeyArgs]
    services: Project


class Encryption(PullComponent):
    """Key rings, keys, and the permissions to use them."""

    keys: Mapping[str, Output[str]]
    """Id of each key."""
    usable: Mapping[str, ResourceOptions]
    """Options that make a resource wait until its service may use the key."""

    def __init__(
        self, name: str, args: EncryptionArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__(pull.ENCRYPTION, name, Stage.INFRASTRUCTURE, opts)
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
                rotation_period=f"{args.settings.rotation_days * SECONDS_PER_DAY}s",
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

"""The bucket for database exports: versioned, private, with a customer-managed key."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi_gcp as gcp
from pulumi import Input, Output, ResourceOptions

from components.base import PullComponent, Stage
from components.config.platform import Backups as BackupsSettings
from components.platform.encryption import SECONDS_PER_DAY, Encryption
from components.platform.project import Project
from resource_types import pull


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupsArgs:
    """Inputs of :class:`Backups`. ``writer`` is the IAM member that writes exports."""

    project: str
    bucket: str
    settings: BackupsSettings
    protect: bool
    writer: Input[str]
    encryption: Encryption
    services: Project


class Backups(PullComponent):
    """One bucket in a multi-region: exports survive the loss of the database's region."""

    bucket: Output[str]

    def __init__(self, name: str, args: BackupsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(pull.BACKUPS, name, Stage.INFRASTRUCTURE, opts)
        bucket = gcp.storage.Bucket(
            self.child("bucket"),
            project=args.project,
            name=args.bucket,
            location=args.settings.location,
            storage_class="STANDARD",
            force_destroy=False,
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning={"enabled": True},
            soft_delete_policy={"retention_duration_seconds": 30 * SECONDS_PER_DAY},
            encryption={"default_kms_key_name": args.encryption.keys["backups"]},
            lifecycle_rules=[
                {
                    "action": {"type": "Delete"},
                    "condition": {
                        "days_since_noncurrent_time": args.settings.keep_noncurrent_days,
                        "with_state": "ARCHIVED",
                    },
                },
                {
                    "action": {"type": "Delete"},
                    "condition": {"age": args.settings.delete_after_days, "with_state": "LIVE"},
                },
            ],
            opts=self.options(
                args.services.ready("storage"),
                args.encryption.usable["backups"],
                ResourceOptions(protect=args.protect),
            ),
        )
        gcp.storage.BucketIAMMember(
            self.child("writer"),
            bucket=bucket.name,
            # An export never overwrites an object, so the writer needs no permission to delete.
            role="roles/storage.objectCreator",
            member=args.writer,
            opts=self.options(),
        )
        self.bucket = bucket.name
        self.register_outputs({"bucket": self.bucket})

"""Object storage for uploaded files: an R2 bucket that the API and the workers use."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi_cloudflare as cloudflare
from pulumi import Output, ResourceOptions

from components.base import PullComponent, Stage
from components.config.accounts import Cloudflare as CloudflareSettings
from components.config.services import Assets as AssetsSettings
from components.platform.encryption import SECONDS_PER_DAY
from resource_types import pull


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetsArgs:
    """Inputs of :class:`Assets`. ``origins`` may upload from a browser."""

    cloudflare_account: CloudflareSettings
    bucket: str
    settings: AssetsSettings
    origins: tuple[str, ...]
    protect: bool


class Assets(PullComponent):
    """One bucket. Objects never expire; only unfinished uploads are deleted."""

    bucket: Output[str]

    def __init__(self, name: str, args: AssetsArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(pull.ASSETS, name, Stage.INFRASTRUCTURE, opts)
        account_id = args.cloudflare_account.account_id
        bucket = cloudflare.R2Bucket(
            self.child("bucket"),
            account_id=account_id,
            name=args.bucket,
            location=args.settings.location,
            storage_class="Standard",
            opts=self.options(ResourceOptions(protect=args.protect)),
        )
        cloudflare.R2BucketCors(
            self.child("cors"),
            account_id=account_id,
            bucket_name=bucket.name,
            rules=[
                {
                    "id": "web",
                    "allowed": {
                        "methods": ["GET", "HEAD", "PUT"],
                        "origins": list(args.origins),
                        "headers": ["content-type"],
                    },
                    "max_age_seconds": 3600,
                }
            ],
            opts=self.options(),
        )
        cloudflare.R2BucketLifecycle(
            self.child("lifecycle"),
            account_id=account_id,
            bucket_name=bucket.name,
            rules=[
                {
                    "id": "abort-unfinished-uploads",
                    "enabled": True,
                    "conditions": {"prefix": ""},
                    "abort_multipart_uploads_transition": {
                        "condition": {"type": "Age", "max_age": 7 * SECONDS_PER_DAY}
                    },
                }
            ],
            opts=self.options(),
        )
        self.bucket = bucket.name
        self.register_outputs({"bucket": self.bucket})

"""Cloudflare R2."""

from __future__ import annotations

from typing import Final

from policies.framework.demands import NOT_ALLOWED, equal, matches
from policies.framework.paths import PROTECT
from policies.framework.rules import Must, ResourceRule, Severity
from resource_types import cloudflare

DOCS: Final = "https://developers.cloudflare.com/r2"

RULES: Final = (
    ResourceRule(
        id="r2-protected",
        severity=Severity.HIGH,
        what="Buckets are protected from deletion.",
        fix="Set the resource option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        types=(cloudflare.R2_BUCKET,),
        checks=(Must(PROTECT, equal(True)),),
    ),
    ResourceRule(
        id="r2-origins",
        severity=Severity.HIGH,
        what="Only known origins can upload from a browser.",
        fix="List the origins, with https.",
        url=f"{DOCS}/buckets/cors/",
        types=(cloudflare.R2_BUCKET_CORS,),
        checks=(
            Must(
                "rules[].allowed.origins[]",
                matches(
                    r"https://[a-z0-9.-]+(:\d+)?|http://localhost(:\d+)?",
                    "must be an origin such as https://app.pull.com",
                    ("*", "http://app.pull.com", "https://*"),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="r2-no-expiration",
        severity=Severity.HIGH,
        what="No uploaded object expires.",
        fix="Remove deleteObjectsTransition.",
        url=f"{DOCS}/buckets/object-lifecycles/",
        types=(cloudflare.R2_BUCKET_LIFECYCLE,),
        checks=(Must("rules[].deleteObjectsTransition", NOT_ALLOWED, optional=True),),
    ),
)

"""Cloudflare R2."""

from __future__ import annotations

from typing import Final

from policies.rule import (
    NEVER,
    PROTECT,
    Must,
    ResourceRule,
    Severity,
    equal,
    like,
    one_of,
)

BUCKET: Final = "cloudflare:index/r2Bucket:R2Bucket"

DOCS: Final = "https://developers.cloudflare.com/r2"

RULES: Final = (
    ResourceRule(
        id="r2-protected",
        severity=Severity.HIGH,
        what="Buckets are protected from deletion.",
        fix="Set the resource option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        types=(BUCKET,),
        checks=(Must(PROTECT, equal(True)),),
    ),
    ResourceRule(
        id="r2-not-public",
        severity=Severity.CRITICAL,
        what="No bucket is public under r2.dev.",
        fix="Set enabled to false.",
        url=f"{DOCS}/buckets/public-buckets/",
        types=("cloudflare:index/r2ManagedDomain:R2ManagedDomain",),
        checks=(Must("enabled", equal(False)),),
    ),
    ResourceRule(
        id="r2-domain-tls",
        severity=Severity.HIGH,
        what="A bucket's own domain speaks TLS 1.2 or newer.",
        fix='Set minTls to "1.2" or "1.3".',
        url=f"{DOCS}/buckets/public-buckets/#custom-domains",
        types=("cloudflare:index/r2CustomDomain:R2CustomDomain",),
        checks=(Must("minTls", one_of("1.2", "1.3", refused=("1.0", "1.1"))),),
    ),
    ResourceRule(
        id="r2-origins",
        severity=Severity.HIGH,
        what="Only known pages may upload from a browser.",
        fix="Name the origins, with https.",
        url=f"{DOCS}/buckets/cors/",
        types=("cloudflare:index/r2BucketCors:R2BucketCors",),
        checks=(
            Must(
                "rules[].allowed.origins[]",
                like(
                    r"https://[a-z0-9.-]+(:\d+)?|http://localhost(:\d+)?",
                    "must be an origin such as https://app.pull.com",
                    ("*", "http://app.pull.com", "https://*"),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="r2-nothing-expires",
        severity=Severity.HIGH,
        what="Nothing that was uploaded expires by itself.",
        fix="Take deleteObjectsTransition out.",
        url=f"{DOCS}/buckets/object-lifecycles/",
        types=("cloudflare:index/r2BucketLifecycle:R2BucketLifecycle",),
        checks=(Must("rules[].deleteObjectsTransition", NEVER, optional=True),),
    ),
    ResourceRule(
        id="r2-name",
        severity=Severity.HIGH,
        what="A bucket's name is one that R2 takes.",
        fix="Correct the name. The provider finds out only in the update.",
        url=f"{DOCS}/buckets/create-buckets/",
        types=(BUCKET,),
        checks=(
            Must(
                "name",
                like(
                    r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
                    "must be 3 to 63 lower-case letters, digits and hyphens",
                    ("Pull Assets", "pull_assets"),
                ),
            ),
        ),
    ),
)

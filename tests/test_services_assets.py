"""Object storage for uploaded files."""

from __future__ import annotations

from components.services.assets import Assets, AssetsArgs
from tests.recorder import Neighbours, record, side_by_side

ACCOUNT = "00000000000000000000000000000a11"


def make(name: str, near: Neighbours) -> Assets:
    return Assets(
        name,
        AssetsArgs(
            cloudflare_account=near.settings.cloudflare,
            bucket=near.names.assets,
            settings=near.settings.assets,
            origins=near.settings.runtime_config.api.cors_origins,
            protect=near.settings.protect,
        ),
    )


def test_children() -> None:
    assert side_by_side(make).listed("one") == [
        ("cloudflare:index/r2Bucket:R2Bucket", "one-bucket"),
        ("cloudflare:index/r2BucketCors:R2BucketCors", "one-cors"),
        ("cloudflare:index/r2BucketLifecycle:R2BucketLifecycle", "one-lifecycle"),
    ]


def test_bucket() -> None:
    bucket = record(lambda: make("assets", Neighbours()))["assets-bucket"]
    assert bucket.inputs == {
        "accountId": ACCOUNT,
        "name": "pull-assets",
        "location": "enam",
        "storageClass": "Standard",
    }
    assert bucket.protect
    assert not record(lambda: make("assets", Neighbours(protect=False)))["assets-bucket"].protect


def test_browsers_of_the_web_application_may_upload() -> None:
    recording = record(lambda: make("assets", Neighbours()))
    assert recording["assets-cors"].inputs == {
        "accountId": ACCOUNT,
        "bucketName": "pull-assets",
        "rules": [
            {
                "id": "web",
                "allowed": {
                    "methods": ["GET", "HEAD", "PUT"],
                    "origins": ["https://app.pull.com"],
                    "headers": ["content-type"],
                },
                "maxAgeSeconds": 3600,
            }
        ],
    }


def test_nothing_expires_but_unfinished_uploads() -> None:
    recording = record(lambda: make("assets", Neighbours()))
    assert recording["assets-lifecycle"].inputs == {
        "accountId": ACCOUNT,
        "bucketName": "pull-assets",
        "rules": [
            {
                "id": "abort-unfinished-uploads",
                "enabled": True,
                "conditions": {"prefix": ""},
                "abortMultipartUploadsTransition": {"condition": {"type": "Age", "maxAge": 604800}},
            }
        ],
    }

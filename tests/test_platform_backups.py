"""The bucket for database exports."""

from __future__ import annotations

from components.platform.backups import Backups, BackupsArgs
from tests.recorder import Neighbours, record, side_by_side


def make(name: str, near: Neighbours) -> Backups:
    return Backups(
        name,
        BackupsArgs(
            project="pull-production",
            bucket="pull-production-backups",
            settings=near.settings.backups,
            protect=near.settings.protect,
            writer="serviceAccount:sql",
            encryption=near.encryption,
            services=near.project,
        ),
    )


def test_children() -> None:
    assert side_by_side(make).listed("one") == [
        ("gcp:storage/bucket:Bucket", "one-bucket"),
        ("gcp:storage/bucketIAMMember:BucketIAMMember", "one-writer"),
    ]


def test_bucket_is_versioned_private_encrypted_and_kept() -> None:
    bucket = record(lambda: make("backups", Neighbours()))["backups-bucket"]
    assert bucket.inputs == {
        "project": "pull-production",
        "name": "pull-production-backups",
        "location": "US",
        "storageClass": "STANDARD",
        "forceDestroy": False,
        "uniformBucketLevelAccess": True,
        "publicAccessPrevention": "enforced",
        "versioning": {"enabled": True},
        "softDeletePolicy": {"retentionDurationSeconds": 2592000},
        "encryption": {"defaultKmsKeyName": "<encryption-key-backups.id>"},
        "lifecycleRules": [
            {
                "action": {"type": "Delete"},
                "condition": {"daysSinceNoncurrentTime": 30, "withState": "ARCHIVED"},
            },
            {"action": {"type": "Delete"}, "condition": {"age": 365, "withState": "LIVE"}},
        ],
    }
    assert bucket.protect
    assert bucket.waits_for >= {"project-storage", "encryption-key-backups-user"}
    assert not record(lambda: make("backups", Neighbours(protect=False)))["backups-bucket"].protect


def test_the_writer_can_create_and_nothing_else() -> None:
    recording = record(lambda: make("backups", Neighbours()))
    assert recording["backups-writer"].inputs == {
        "bucket": "pull-production-backups",
        "role": "roles/storage.objectCreator",
        "member": "serviceAccount:sql",
    }

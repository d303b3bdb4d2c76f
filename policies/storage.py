"""Cloud Storage, and the buckets of logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.iam import NOBODY, grants_on
from policies.rule import (
    GIVEN,
    PROTECT,
    Custom,
    Finding,
    Must,
    ResourceRule,
    SetValue,
    Severity,
    View,
    at_least,
    equal,
    is_number,
    like,
    one_of,
)

BUCKET: Final = "gcp:storage/bucket:Bucket"
LOG_BUCKET: Final = "gcp:logging/projectBucketConfig:ProjectBucketConfig"

DOCS: Final = "https://cloud.google.com/storage/docs"

YOUNG_DAYS: Final = 7
"""As long as the database's log: an export of a day that can be recovered is there as well."""


def _young_deleted(view: View) -> Iterator[Finding]:
    for rule in view.parts("lifecycleRules[]"):
        ages = [rule.get(f"condition.{age}") for age in ("age", "daysSinceNoncurrentTime")]
        old = any(is_number(age) and age >= YOUNG_DAYS for age in ages)
        if rule.get("action.type") == "Delete" and not old:
            yield rule.finding("condition", f"must wait for {YOUNG_DAYS} days or more")


RULES: Final = (
    ResourceRule(
        id="storage-public-access-prevention",
        severity=Severity.CRITICAL,
        what="No bucket can be made public.",
        fix="Set publicAccessPrevention to enforced.",
        url=f"{DOCS}/public-access-prevention",
        frameworks=("CKV_GCP_114",),
        types=(BUCKET,),
        checks=(Must("publicAccessPrevention", one_of("enforced", refused=("inherited",))),),
    ),
    ResourceRule(
        id="storage-uniform-access",
        severity=Severity.HIGH,
        what="Access to a bucket is granted for the bucket, never for an object.",
        fix="Set uniformBucketLevelAccess to true.",
        url=f"{DOCS}/uniform-bucket-level-access",
        frameworks=("CIS-GCP-4.0 5.2", "CKV_GCP_29", "Trivy GCP-0002"),
        types=(BUCKET,),
        checks=(Must("uniformBucketLevelAccess", equal(True)),),
    ),
    ResourceRule(
        id="storage-not-public",
        severity=Severity.CRITICAL,
        what="No bucket is open to everybody.",
        fix="Grant to the account that reads or writes it.",
        url=f"{DOCS}/access-control/iam",
        frameworks=("CIS-GCP-4.0 5.1", "CKV_GCP_28", "Trivy GCP-0001"),
        types=grants_on("gcp:storage/"),
        checks=NOBODY,
        decidable_after_update=True,
    ),
    ResourceRule(
        id="storage-versioning",
        severity=Severity.MEDIUM,
        what="What is overwritten can be had back.",
        fix="Set versioning.enabled to true.",
        url=f"{DOCS}/object-versioning",
        frameworks=("CKV_GCP_78", "Trivy GCP-0078"),
        types=(BUCKET,),
        checks=(Must("versioning.enabled", equal(True)),),
    ),
    ResourceRule(
        id="storage-soft-delete",
        severity=Severity.MEDIUM,
        what="What is deleted can be had back for a week or more.",
        fix="Set softDeletePolicy.retentionDurationSeconds to 604800 or more.",
        url=f"{DOCS}/soft-delete",
        frameworks=("Prowler cloudstorage_bucket_soft_delete_enabled",),
        types=(BUCKET,),
        checks=(Must("softDeletePolicy.retentionDurationSeconds", at_least(604800)),),
    ),
    ResourceRule(
        id="storage-nothing-young-deleted",
        severity=Severity.HIGH,
        what=f"A bucket's lifecycle deletes nothing that is younger than {YOUNG_DAYS} days.",
        fix="Set age or daysSinceNoncurrentTime in the rule's condition.",
        url=f"{DOCS}/lifecycle",
        types=(BUCKET,),
        checks=(
            Custom(
                _young_deleted,
                (
                    "lifecycleRules[].action.type",
                    "lifecycleRules[].condition.age",
                    "lifecycleRules[].condition.daysSinceNoncurrentTime",
                ),
                (
                    SetValue("lifecycleRules[].condition", {}),
                    SetValue("lifecycleRules[].condition", {"age": 1}),
                    SetValue("lifecycleRules[].condition", {"daysSinceNoncurrentTime": 1}),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="storage-own-key",
        severity=Severity.MEDIUM,
        what="A bucket is encrypted with a key of ours.",
        fix="Set encryption.defaultKmsKeyName to a key in the bucket's location.",
        url=f"{DOCS}/encryption/customer-managed-keys",
        frameworks=("Trivy GCP-0066",),
        types=(BUCKET,),
        checks=(Must("encryption.defaultKmsKeyName", GIVEN),),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="storage-not-emptied",
        severity=Severity.HIGH,
        what="No bucket is deleted while something is in it.",
        fix="Set forceDestroy to false.",
        url="https://www.pulumi.com/registry/packages/gcp/api-docs/storage/bucket/",
        types=(BUCKET,),
        checks=(Must("forceDestroy", equal(False), optional=True),),
    ),
    ResourceRule(
        id="storage-protected",
        severity=Severity.HIGH,
        what="Buckets are protected from deletion.",
        fix="Set the resource option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        types=(BUCKET,),
        checks=(Must(PROTECT, equal(True)),),
    ),
    ResourceRule(
        id="storage-name",
        severity=Severity.HIGH,
        what="A bucket's name is one that Cloud Storage takes.",
        fix="Correct the name. The provider finds out only in the update.",
        url=f"{DOCS}/buckets#naming",
        types=(BUCKET,),
        checks=(
            Must(
                "name",
                like(
                    r"(?!goog)(?!.*google)[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]",
                    "must be 3 to 63 lower-case letters, digits, hyphens, dots and underscores",
                    ("pull backups", "Pull-Backups", "googbackups"),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="storage-access-log",
        severity=Severity.LOW,
        what="Who reads a bucket is logged in another one.",
        fix="Give logging.logBucket; audit logs of data access are the newer way.",
        url=f"{DOCS}/access-logs",
        frameworks=("CKV_GCP_62",),
        adopted=False,
        types=(BUCKET,),
        checks=(Must("logging.logBucket", GIVEN),),
    ),
    ResourceRule(
        id="storage-log-bucket-locked",
        severity=Severity.MEDIUM,
        what="Logs cannot be shortened afterwards.",
        fix="Set locked to true and retentionDays to 90 or more.",
        url="https://cloud.google.com/logging/docs/buckets#locking-logs-buckets",
        frameworks=("CIS-GCP-4.0 2.3", "CKV2_GCP_4"),
        types=(LOG_BUCKET,),
        checks=(Must("locked", equal(True)), Must("retentionDays", at_least(90))),
    ),
)

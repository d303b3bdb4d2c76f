"""Cloud Storage."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.framework.demands import NOT_EMPTY, at_least, equal, is_number, matches, one_of
from policies.framework.paths import PROTECT, Finding, View
from policies.framework.rules import Custom, Must, ResourceRule, SetValue, Severity
from policies.rules.iam import NOT_PUBLIC, grants_on
from resource_types import gcp

DOCS: Final = "https://cloud.google.com/storage/docs"

MINIMUM_AGE_DAYS: Final = 7
"""The retention of the database's transaction log, so that a recoverable day has its export too."""


def _deletes_too_early(view: View) -> Iterator[Finding]:
    for rule in view.parts("lifecycleRules[]"):
        ages = [rule.get(f"condition.{age}") for age in ("age", "daysSinceNoncurrentTime")]
        old_enough = any(is_number(age) and age >= MINIMUM_AGE_DAYS for age in ages)
        if rule.get("action.type") == "Delete" and not old_enough:
            yield rule.finding("condition", f"must wait for at least {MINIMUM_AGE_DAYS} days")


RULES: Final = (
    ResourceRule(
        id="storage-public-access-prevention",
        severity=Severity.CRITICAL,
        what="Public access prevention is enforced on every bucket.",
        fix="Set publicAccessPrevention to enforced.",
        url=f"{DOCS}/public-access-prevention",
        frameworks=("CKV_GCP_114",),
        types=(gcp.BUCKET,),
        checks=(Must("publicAccessPrevention", one_of("enforced", refused=("inherited",))),),
    ),
    ResourceRule(
        id="storage-uniform-access",
        severity=Severity.HIGH,
        what="Access is granted on the bucket, never on single objects.",
        fix="Set uniformBucketLevelAccess to true.",
        url=f"{DOCS}/uniform-bucket-level-access",
        frameworks=("CIS-GCP-4.0 5.2", "CKV_GCP_29", "Trivy GCP-0002"),
        types=(gcp.BUCKET,),
        checks=(Must("uniformBucketLevelAccess", equal(True)),),
    ),
    ResourceRule(
        id="storage-not-public",
        severity=Severity.CRITICAL,
        what="No bucket is public.",
        fix="Grant access to the account that reads or writes the bucket.",
        url=f"{DOCS}/access-control/iam",
        frameworks=("CIS-GCP-4.0 5.1", "CKV_GCP_28", "Trivy GCP-0001"),
        types=grants_on("gcp:storage/"),
        checks=NOT_PUBLIC,
        decidable_after_update=True,
    ),
    ResourceRule(
        id="storage-versioning",
        severity=Severity.MEDIUM,
        what="Overwritten objects can be restored.",
        fix="Set versioning.enabled to true.",
        url=f"{DOCS}/object-versioning",
        frameworks=("CKV_GCP_78", "Trivy GCP-0078"),
        types=(gcp.BUCKET,),
        checks=(Must("versioning.enabled", equal(True)),),
    ),
    ResourceRule(
        id="storage-soft-delete",
        severity=Severity.MEDIUM,
        what="Deleted objects can be restored for at least a week.",
        fix="Set softDeletePolicy.retentionDurationSeconds to 604800 or more.",
        url=f"{DOCS}/soft-delete",
        frameworks=("Prowler cloudstorage_bucket_soft_delete_enabled",),
        types=(gcp.BUCKET,),
        checks=(Must("softDeletePolicy.retentionDurationSeconds", at_least(604800)),),
    ),
    ResourceRule(
        id="storage-lifecycle-minimum-age",
        severity=Severity.HIGH,
        what=f"A lifecycle rule deletes no object that is younger than {MINIMUM_AGE_DAYS} days.",
        fix="Set age or daysSinceNoncurrentTime in the rule's condition.",
        url=f"{DOCS}/lifecycle",
        types=(gcp.BUCKET,),
        checks=(
            Custom(
                _deletes_too_early,
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
        id="storage-customer-managed-key",
        severity=Severity.MEDIUM,
        what="A bucket is encrypted with a customer-managed key.",
        fix="Set encryption.defaultKmsKeyName to a key in the bucket's location.",
        url=f"{DOCS}/encryption/customer-managed-keys",
        frameworks=("Trivy GCP-0066",),
        types=(gcp.BUCKET,),
        checks=(Must("encryption.defaultKmsKeyName", NOT_EMPTY),),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="storage-no-force-destroy",
        severity=Severity.HIGH,
        what="No bucket is deleted while it holds objects.",
        fix="Set forceDestroy to false.",
        url="https://www.pulumi.com/registry/packages/gcp/api-docs/storage/bucket/",
        types=(gcp.BUCKET,),
        checks=(Must("forceDestroy", equal(False), optional=True),),
    ),
    ResourceRule(
        id="storage-protected",
        severity=Severity.HIGH,
        what="Buckets are protected from deletion.",
        fix="Set the resource option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        types=(gcp.BUCKET,),
        checks=(Must(PROTECT, equal(True)),),
    ),
    ResourceRule(
        id="storage-name",
        severity=Severity.HIGH,
        what="A bucket name is one that Cloud Storage accepts.",
        fix="Correct the name. The provider reports a mistake only during the update.",
        url=f"{DOCS}/buckets#naming",
        types=(gcp.BUCKET,),
        checks=(
            Must(
                "name",
                matches(
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
        what="Reads of a bucket are logged to another bucket.",
        fix="Set logging.logBucket; data access audit logs are the newer alternative.",
        url=f"{DOCS}/access-logs",
        frameworks=("CKV_GCP_62",),
        adopted=False,
        types=(gcp.BUCKET,),
        checks=(Must("logging.logBucket", NOT_EMPTY),),
    ),
)

"""Secret Manager."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from policies.framework.demands import (
    NOT_ALLOWED,
    NOT_EMPTY,
    equal,
    matches,
    none_of,
    one_of,
    seconds_at_least,
    seconds_at_most,
)
from policies.framework.paths import PROTECT, Finding, View
from policies.framework.rules import Custom, Must, ResourceRule, SetValue, Severity
from policies.rules.iam import NOT_PUBLIC, grants_on
from resource_types import gcp

DOCS: Final = "https://cloud.google.com/secret-manager/docs"

ROTATION_DAYS: Final = 90
"""The runbooks' checklist rotates every secret within this time."""

_KEYS: Final = (
    "replication.auto.customerManagedEncryption.kmsKeyName",
    "replication.userManaged.replicas[].customerManagedEncryption.kmsKeyName",
)


def _rotation_ahead(view: View) -> Iterator[Finding]:
    """The first rotation may be one period later than usual, so that a stack can be prepared."""
    try:
        rotation = date.fromisoformat(str(view.get("rotation.nextRotationTime"))[:10])
    except ValueError:
        return  # the check of the format reports it
    if (rotation - view.today).days > 2 * ROTATION_DAYS:
        text = f"must be within the next {2 * ROTATION_DAYS} days"
        yield view.finding("rotation.nextRotationTime", text)


def _customer_managed_key(view: View) -> Iterator[Finding]:
    if not [key for path in _KEYS for key in view.all(path)]:
        yield view.finding("replication", "must have customerManagedEncryption with a key")


RULES: Final = (
    ResourceRule(
        id="secret-not-public",
        severity=Severity.CRITICAL,
        what="No secret can be read publicly.",
        fix="Grant access to the service account that reads it.",
        url=f"{DOCS}/access-control",
        frameworks=("Prowler secretmanager_secret_not_publicly_accessible",),
        types=grants_on("gcp:secretmanager/"),
        checks=NOT_PUBLIC,
        decidable_after_update=True,
    ),
    ResourceRule(
        id="secret-rotation",
        severity=Severity.HIGH,
        what=f"Every secret is rotated within {ROTATION_DAYS} days, with a notification.",
        fix="Set rotation.rotationPeriod, rotation.nextRotationTime and topics.",
        url=f"{DOCS}/secret-rotation",
        frameworks=("Prowler secretmanager_secret_rotation_enabled",),
        types=(gcp.SECRET,),
        checks=(
            Must("rotation.rotationPeriod", seconds_at_most(ROTATION_DAYS)),
            Must("rotation.rotationPeriod", seconds_at_least(1)),
            Must(
                "rotation.nextRotationTime",
                matches(
                    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
                    "must be a time such as 2027-02-20T03:00:00Z",
                    ("next year",),
                ),
            ),
            Custom(
                _rotation_ahead,
                ("rotation.nextRotationTime",),
                (SetValue("rotation.nextRotationTime", "2999-01-01T00:00:00Z"),),
            ),
            Must("topics", NOT_EMPTY),
        ),
    ),
    ResourceRule(
        id="secret-customer-managed-key",
        severity=Severity.MEDIUM,
        what="Secrets are encrypted with a customer-managed key.",
        fix="Set customerManagedEncryption in the replication.",
        url=f"{DOCS}/cmek",
        types=(gcp.SECRET,),
        checks=(Custom(_customer_managed_key, _KEYS, (SetValue("replication", {"auto": {}}),)),),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="secret-location",
        severity=Severity.MEDIUM,
        what="A secret with user-managed replication is stored in the United States.",
        fix="Use us- regions in replication.userManaged, or automatic replication.",
        url=f"{DOCS}/choosing-replication",
        types=(gcp.SECRET,),
        checks=(
            Must(
                "replication.userManaged.replicas[].location",
                matches(r"us-[a-z]+\d", "must be a region in the United States", ("europe-west1",)),
            ),
        ),
    ),
    ResourceRule(
        id="secret-deletion-protection",
        severity=Severity.HIGH,
        what="A secret is protected from deletion, because its value exists nowhere else.",
        fix="Set deletionProtection and the resource option protect, and remove ttl and "
        "expireTime.",
        url=f"{DOCS}/delete-secret",
        types=(gcp.SECRET,),
        checks=(
            Must("deletionProtection", equal(True)),
            Must(PROTECT, equal(True)),
            Must("ttl", NOT_ALLOWED, optional=True),
            Must("expireTime", NOT_ALLOWED, optional=True),
        ),
    ),
    ResourceRule(
        id="secret-version-not-destroyed",
        severity=Severity.MEDIUM,
        what="A superseded version is disabled, not destroyed, because a rollback may need it.",
        fix="Set deletionPolicy to DISABLE or ABANDON.",
        url=f"{DOCS}/disable-secret-version",
        types=(gcp.SECRET_VERSION,),
        checks=(
            Must("deletionPolicy", one_of("DISABLE", "ABANDON", refused=("DELETE",))),
            Must("enabled", equal(True), optional=True),
        ),
    ),
    ResourceRule(
        id="secret-no-project-wide-access",
        severity=Severity.CRITICAL,
        what="No account can read every secret of the project.",
        fix="Grant roles/secretmanager.secretAccessor on each secret that the account reads.",
        url=f"{DOCS}/access-control",
        types=(gcp.PROJECT_IAM.member, gcp.PROJECT_IAM.binding),
        checks=(Must("role", none_of("roles/secretmanager.secretAccessor")),),
    ),
    ResourceRule(
        id="secret-least-privilege",
        severity=Severity.HIGH,
        what="A grant on a secret allows reading only.",
        fix="Grant roles/secretmanager.secretAccessor.",
        url=f"{DOCS}/access-control",
        types=grants_on("gcp:secretmanager/"),
        checks=(
            Must(
                "role",
                one_of(
                    "roles/secretmanager.secretAccessor",
                    "roles/secretmanager.viewer",
                    refused=("roles/secretmanager.admin",),
                ),
            ),
        ),
    ),
)

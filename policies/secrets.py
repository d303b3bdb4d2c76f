"""Secret Manager."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from policies.iam import NOBODY, PROJECT_BINDING, PROJECT_MEMBER, grants_on
from policies.rule import (
    GIVEN,
    NEVER,
    PROTECT,
    Custom,
    Finding,
    Must,
    ResourceRule,
    SetValue,
    Severity,
    View,
    equal,
    like,
    none_of,
    one_of,
    seconds_at_most,
)

SECRET: Final = "gcp:secretmanager/secret:Secret"
VERSION: Final = "gcp:secretmanager/secretVersion:SecretVersion"
GRANT: Final = "gcp:secretmanager/secretIamMember:SecretIamMember"

DOCS: Final = "https://cloud.google.com/secret-manager/docs"

ROTATION_DAYS: Final = 90
"""The runbooks' checklist: a secret older than this is rotated."""

_KEYS: Final = (
    "replication.auto.customerManagedEncryption.kmsKeyName",
    "replication.userManaged.replicas[].customerManagedEncryption.kmsKeyName",
)


def _rotation_ahead(view: View) -> Iterator[Finding]:
    """The first one may be a period later than all others, so that a stack can be prepared."""
    try:
        said = date.fromisoformat(str(view.get("rotation.nextRotationTime"))[:10])
    except ValueError:
        return  # the check of its form says so
    if (said - view.today).days > 2 * ROTATION_DAYS:
        text = f"must lie in the next {2 * ROTATION_DAYS} days"
        yield view.finding("rotation.nextRotationTime", text)


def _own_key(view: View) -> Iterator[Finding]:
    if not [key for path in _KEYS for key in view.all(path)]:
        yield view.finding("replication", "must have customerManagedEncryption with a key")


RULES: Final = (
    ResourceRule(
        id="secret-not-public",
        severity=Severity.CRITICAL,
        what="No secret can be opened by everybody.",
        fix="Grant to the service account that reads it.",
        url=f"{DOCS}/access-control",
        frameworks=("Prowler secretmanager_secret_not_publicly_accessible",),
        types=grants_on("gcp:secretmanager/"),
        checks=NOBODY,
        decidable_after_update=True,
    ),
    ResourceRule(
        id="secret-rotation",
        severity=Severity.HIGH,
        what=f"Every secret is rotated within {ROTATION_DAYS} days, and somebody is reminded.",
        fix="Give rotation.rotationPeriod, rotation.nextRotationTime and a topic.",
        url=f"{DOCS}/secret-rotation",
        frameworks=("Prowler secretmanager_secret_rotation_enabled",),
        types=(SECRET,),
        checks=(
            Must("rotation.rotationPeriod", seconds_at_most(ROTATION_DAYS)),
            Must(
                "rotation.nextRotationTime",
                like(
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
            Must("topics", GIVEN),
        ),
    ),
    ResourceRule(
        id="secret-own-key",
        severity=Severity.MEDIUM,
        what="Secrets are encrypted with a key of ours.",
        fix="Give customerManagedEncryption in the replication.",
        url=f"{DOCS}/cmek",
        types=(SECRET,),
        checks=(Custom(_own_key, _KEYS, (SetValue("replication", {"auto": {}}),)),),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="secret-place",
        severity=Severity.MEDIUM,
        what="A secret that says where it is kept is kept in the United States.",
        fix="Name us- regions in replication.userManaged, or replicate automatically.",
        url=f"{DOCS}/choosing-replication",
        types=(SECRET,),
        checks=(
            Must(
                "replication.userManaged.replicas[].location",
                like(r"us-[a-z]+\d", "must be a region in the United States", ("europe-west1",)),
            ),
        ),
    ),
    ResourceRule(
        id="secret-deletion-protection",
        severity=Severity.HIGH,
        what="A secret cannot be deleted by mistake: its value is nowhere else.",
        fix="Set deletionProtection and the option protect, and leave ttl and expireTime out.",
        url=f"{DOCS}/delete-secret",
        types=(SECRET,),
        checks=(
            Must("deletionProtection", equal(True)),
            Must(PROTECT, equal(True)),
            Must("ttl", NEVER, optional=True),
            Must("expireTime", NEVER, optional=True),
        ),
    ),
    ResourceRule(
        id="secret-version-kept",
        severity=Severity.MEDIUM,
        what="A superseded version is switched off and not destroyed: a rollback may need it.",
        fix="Set deletionPolicy to DISABLE or ABANDON.",
        url=f"{DOCS}/disable-secret-version",
        types=(VERSION,),
        checks=(
            Must("deletionPolicy", one_of("DISABLE", "ABANDON", refused=("DELETE",))),
            Must("enabled", equal(True), optional=True),
        ),
    ),
    ResourceRule(
        id="secret-access-for-each",
        severity=Severity.CRITICAL,
        what="Nobody may open every secret of the project.",
        fix="Grant roles/secretmanager.secretAccessor on each secret that is read.",
        url=f"{DOCS}/access-control",
        types=(PROJECT_MEMBER, PROJECT_BINDING),
        checks=(Must("role", none_of("roles/secretmanager.secretAccessor")),),
    ),
    ResourceRule(
        id="secret-grant-narrow",
        severity=Severity.HIGH,
        what="Who reads a secret may read it, and do nothing else to it.",
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

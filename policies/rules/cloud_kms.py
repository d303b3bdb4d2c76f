"""Cloud KMS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policies.framework.demands import equal, none_of, seconds_at_least, seconds_at_most
from policies.framework.paths import PROTECT
from policies.framework.rules import Must, ResourceRule, Severity, When
from policies.rules.iam import NOT_PUBLIC, grants_on
from resource_types import gcp

KEY_INPUTS: Final[Mapping[str, str]] = {
    gcp.BUCKET: "encryption",
    gcp.GKE_CLUSTER: "databaseEncryption",
    gcp.REDIS_INSTANCE: "customerManagedKey",
    gcp.REPOSITORY: "kmsKeyName",
    gcp.SECRET: "replication",
    gcp.SQL_INSTANCE: "encryptionKeyName",
    gcp.TOPIC: "kmsKeyName",
}
"""By type, the input that names the key for its data (https://cloud.google.com/kms/docs/cmek)."""

DOCS: Final = "https://cloud.google.com/kms/docs"

RULES: Final = (
    ResourceRule(
        id="kms-rotation",
        severity=Severity.MEDIUM,
        what="A key is rotated at least every 90 days.",
        fix='Set rotationPeriod to "7776000s" or less.',
        url=f"{DOCS}/key-rotation",
        frameworks=("CIS-GCP-4.0 1.10", "CKV_GCP_43", "Trivy GCP-0065"),
        types=(gcp.CRYPTO_KEY,),
        checks=(
            When(
                # Google rotates only symmetric encryption keys automatically.
                lambda view: view.get("purpose", "ENCRYPT_DECRYPT") == "ENCRYPT_DECRYPT",
                (Must("rotationPeriod", seconds_at_most(90)),),
            ),
        ),
    ),
    ResourceRule(
        id="kms-not-public",
        severity=Severity.CRITICAL,
        what="No key can be used publicly.",
        fix="Grant access to the service agent that encrypts with the key.",
        url=f"{DOCS}/iam",
        frameworks=("CIS-GCP-4.0 1.9", "CKV_GCP_112", "CKV2_GCP_6", "CKV2_GCP_8"),
        types=grants_on("gcp:kms/"),
        checks=NOT_PUBLIC,
        decidable_after_update=True,
    ),
    ResourceRule(
        id="kms-destroy-delay",
        severity=Severity.HIGH,
        what="A destroyed key version can be restored for 30 days.",
        fix='Set destroyScheduledDuration to "2592000s" or more.',
        url=f"{DOCS}/destroy-restore",
        types=(gcp.CRYPTO_KEY,),
        checks=(Must("destroyScheduledDuration", seconds_at_least(30)),),
    ),
    ResourceRule(
        id="kms-protected",
        severity=Severity.CRITICAL,
        what="Keys and key rings are protected, because data is lost without its key.",
        fix="Set the resource option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        frameworks=("CKV_GCP_82",),
        types=(gcp.KEY_RING, gcp.CRYPTO_KEY),
        checks=(Must(PROTECT, equal(True)),),
    ),
    ResourceRule(
        id="kms-least-privilege",
        severity=Severity.HIGH,
        what="An account that encrypts with a key does not administer it.",
        fix="Grant roles/cloudkms.cryptoKeyEncrypterDecrypter on the key.",
        url=f"{DOCS}/separation-of-duties",
        frameworks=("CIS-GCP-4.0 1.11",),
        types=grants_on("gcp:kms/"),
        checks=(Must("role", none_of("roles/cloudkms.admin", "roles/owner")),),
    ),
)

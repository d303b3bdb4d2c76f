"""Cloud KMS."""

from __future__ import annotations

from typing import Final

from policies.iam import NOBODY, grants_on
from policies.rule import (
    PROTECT,
    Must,
    ResourceRule,
    Severity,
    When,
    equal,
    none_of,
    seconds_at_least,
    seconds_at_most,
)

RING: Final = "gcp:kms/keyRing:KeyRing"
KEY: Final = "gcp:kms/cryptoKey:CryptoKey"
GRANT: Final = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"

DOCS: Final = "https://cloud.google.com/kms/docs"

RULES: Final = (
    ResourceRule(
        id="kms-rotation",
        severity=Severity.MEDIUM,
        what="A key is rotated within 90 days.",
        fix='Set rotationPeriod to "7776000s" or less.',
        url=f"{DOCS}/key-rotation",
        frameworks=("CIS-GCP-4.0 1.10", "CKV_GCP_43", "Trivy GCP-0065"),
        types=(KEY,),
        checks=(
            When(
                # Google rotates no other kind of key by itself.
                lambda view: view.get("purpose", "ENCRYPT_DECRYPT") == "ENCRYPT_DECRYPT",
                (Must("rotationPeriod", seconds_at_most(90)),),
            ),
        ),
    ),
    ResourceRule(
        id="kms-not-public",
        severity=Severity.CRITICAL,
        what="No key can be used by everybody.",
        fix="Grant to the service agent that encrypts with it.",
        url=f"{DOCS}/iam",
        frameworks=("CIS-GCP-4.0 1.9", "CKV_GCP_112", "CKV2_GCP_6", "CKV2_GCP_8"),
        types=grants_on("gcp:kms/"),
        checks=NOBODY,
        decidable_after_update=True,
    ),
    ResourceRule(
        id="kms-time-to-think",
        severity=Severity.HIGH,
        what="A key that was destroyed can be had back for 30 days.",
        fix='Set destroyScheduledDuration to "2592000s" or more.',
        url=f"{DOCS}/destroy-restore",
        types=(KEY,),
        checks=(Must("destroyScheduledDuration", seconds_at_least(30)),),
    ),
    ResourceRule(
        id="kms-protected",
        severity=Severity.CRITICAL,
        what="Keys and key rings are protected: without a key its data is gone.",
        fix="Set the resource option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        frameworks=("CKV_GCP_82",),
        types=(RING, KEY),
        checks=(Must(PROTECT, equal(True)),),
    ),
    ResourceRule(
        id="kms-grant-narrow",
        severity=Severity.HIGH,
        what="Who encrypts with a key does not administer it.",
        fix="Grant roles/cloudkms.cryptoKeyEncrypterDecrypter on the key.",
        url=f"{DOCS}/separation-of-duties",
        frameworks=("CIS-GCP-4.0 1.11",),
        types=grants_on("gcp:kms/"),
        checks=(Must("role", none_of("roles/cloudkms.admin", "roles/owner")),),
    ),
)

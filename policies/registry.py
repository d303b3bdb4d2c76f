"""Artifact Registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.iam import NOBODY, grants_on
from policies.rule import (
    ABSENT,
    PROTECT,
    Custom,
    Finding,
    Must,
    ResourceRule,
    SetValue,
    Severity,
    View,
    equal,
    none_of,
)

REPOSITORY: Final = "gcp:artifactregistry/repository:Repository"

DOCS: Final = "https://cloud.google.com/artifact-registry/docs"


def _tagged_images_stay(view: View) -> Iterator[Finding]:
    for policy in view.parts("cleanupPolicies[]"):
        if policy.get("action") == "DELETE" and policy.get("condition.tagState") != "UNTAGGED":
            text = "must delete untagged images only: a rollback needs the tagged ones"
            yield policy.finding("condition.tagState", text)


RULES: Final = (
    ResourceRule(
        id="registry-not-public",
        severity=Severity.CRITICAL,
        what="No image can be pulled or pushed by everybody.",
        fix="Grant to the account that pushes or pulls.",
        url=f"{DOCS}/access-control",
        frameworks=("CKV_GCP_101",),
        types=grants_on("gcp:artifactregistry/"),
        checks=NOBODY,
        decidable_after_update=True,
    ),
    ResourceRule(
        id="registry-keeps-releases",
        severity=Severity.HIGH,
        what="Cleaning up takes no image that a rollback could need.",
        fix="Set condition.tagState to UNTAGGED in every DELETE policy.",
        url=f"{DOCS}/repositories/cleanup-policy",
        types=(REPOSITORY,),
        checks=(
            Custom(
                _tagged_images_stay,
                ("cleanupPolicies[].action", "cleanupPolicies[].condition.tagState"),
                (
                    SetValue("cleanupPolicies", [{"id": "a", "action": "DELETE"}]),
                    SetValue("cleanupPolicies[action=DELETE].condition.tagState", "ANY"),
                    SetValue("cleanupPolicies[action=DELETE].condition.tagState", ABSENT),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="registry-protected",
        severity=Severity.HIGH,
        what="The registry is protected from deletion.",
        fix="Set the resource option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        types=(REPOSITORY,),
        checks=(Must(PROTECT, equal(True)),),
    ),
    ResourceRule(
        id="registry-scanned",
        severity=Severity.MEDIUM,
        what="Images are looked through for known vulnerabilities.",
        fix="Leave vulnerabilityScanningConfig out, or let it inherit.",
        url="https://cloud.google.com/artifact-analysis/docs/automatic-scanning-howto",
        types=(REPOSITORY,),
        checks=(
            Must(
                "vulnerabilityScanningConfig.enablementConfig", none_of("DISABLED"), optional=True
            ),
        ),
    ),
)

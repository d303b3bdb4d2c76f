"""Artifact Registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.framework.demands import equal, none_of
from policies.framework.paths import ABSENT, PROTECT, Finding, View
from policies.framework.rules import Custom, Must, ResourceRule, SetValue, Severity
from policies.rules.iam import NOT_PUBLIC, grants_on
from resource_types import gcp

DOCS: Final = "https://cloud.google.com/artifact-registry/docs"


def _keeps_tagged_images(view: View) -> Iterator[Finding]:
    for policy in view.parts("cleanupPolicies[]"):
        if policy.get("action") == "DELETE" and policy.get("condition.tagState") != "UNTAGGED":
            text = "must be UNTAGGED, because a rollback needs tagged images"
            yield policy.finding("condition.tagState", text)


RULES: Final = (
    ResourceRule(
        id="registry-not-public",
        severity=Severity.CRITICAL,
        what="No image can be pulled or pushed publicly.",
        fix="Grant access to the account that pushes or pulls.",
        url=f"{DOCS}/access-control",
        frameworks=("CKV_GCP_101",),
        types=grants_on("gcp:artifactregistry/"),
        checks=NOT_PUBLIC,
        decidable_after_update=True,
    ),
    ResourceRule(
        id="registry-keeps-releases",
        severity=Severity.HIGH,
        what="Cleanup policies delete no image that a rollback could need.",
        fix="Set condition.tagState to UNTAGGED in every DELETE policy.",
        url=f"{DOCS}/repositories/cleanup-policy",
        types=(gcp.REPOSITORY,),
        checks=(
            Custom(
                _keeps_tagged_images,
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
        what="The repository is protected from deletion.",
        fix="Set the resource option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        types=(gcp.REPOSITORY,),
        checks=(Must(PROTECT, equal(True)),),
    ),
    ResourceRule(
        id="registry-scanned",
        severity=Severity.MEDIUM,
        what="Images are scanned for known vulnerabilities.",
        fix="Remove vulnerabilityScanningConfig, or set it to INHERITED.",
        url="https://cloud.google.com/artifact-analysis/docs/automatic-scanning-howto",
        types=(gcp.REPOSITORY,),
        checks=(
            Must(
                "vulnerabilityScanningConfig.enablementConfig", none_of("DISABLED"), optional=True
            ),
        ),
    ),
)

"""Vercel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.framework.credentials import NO_CREDENTIAL
from policies.framework.demands import NOT_ALLOWED, NOT_EMPTY, equal, one_of
from policies.framework.paths import ABSENT, PROTECT, Finding, View
from policies.framework.rules import Custom, Must, ResourceRule, SetValue, Severity
from resource_types import vercel
from resource_types.limits import SECRET_NAME

DOCS: Final = "https://vercel.com/docs"


def _secret_variable(view: View) -> Iterator[Finding]:
    key = str(view.get("key", ""))
    if not SECRET_NAME.search(key):
        return
    if key.startswith("NEXT_PUBLIC_"):
        yield view.finding("key", "must not look both public and secret")
    elif not view.get("sensitive"):
        yield view.finding(
            "sensitive", "must be true, because the variable's name looks like a secret"
        )


def _single_target(view: View) -> Iterator[Finding]:
    targets = view.all("targets[]")
    if not targets and not view.all("customEnvironmentIds[]"):
        yield view.finding("targets", "is missing: the variable would exist in every environment")
    if "production" in targets and len(targets) > 1:
        yield view.finding(
            "targets", "must be production only, because previews run unreviewed code"
        )


RULES: Final = (
    ResourceRule(
        id="vercel-no-redirect",
        severity=Severity.HIGH,
        what="A host name of the web application is answered by it, and leads nowhere else.",
        fix="Remove redirect.",
        url=f"{DOCS}/domains/working-with-domains/add-a-domain",
        types=(vercel.PROJECT_DOMAIN,),
        checks=(Must("redirect", NOT_ALLOWED, optional=True),),
    ),
    ResourceRule(
        id="vercel-previews-protected",
        severity=Severity.HIGH,
        what="Preview deployments require authentication.",
        fix="Set vercelAuthentication.deploymentType to standard_protection_new or stricter.",
        url=f"{DOCS}/deployment-protection",
        frameworks=("Prowler project_deployment_protection_enabled",),
        types=(vercel.PROJECT,),
        checks=(
            Must(
                "vercelAuthentication.deploymentType",
                one_of(
                    "standard_protection_new",
                    "standard_protection",
                    "all_deployments",
                    refused=("none", "only_preview_deployments"),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="vercel-fork-protection",
        severity=Severity.HIGH,
        what="Pull requests from forks are built only after approval.",
        fix="Set gitForkProtection to true.",
        url=f"{DOCS}/git#deploying-forks-of-public-git-repositories",
        frameworks=("Prowler project_git_fork_protection_enabled",),
        types=(vercel.PROJECT,),
        checks=(Must("gitForkProtection", equal(True)),),
    ),
    ResourceRule(
        id="vercel-no-directory-listing",
        severity=Severity.HIGH,
        what="Visitors cannot list the files of a deployment.",
        fix="Set directoryListing to false.",
        url=f"{DOCS}/directory-listing",
        frameworks=("Prowler project_directory_listing_disabled",),
        types=(vercel.PROJECT,),
        checks=(Must("directoryListing", equal(False), optional=True),),
    ),
    ResourceRule(
        id="vercel-source-maps-protected",
        severity=Severity.LOW,
        what="Source maps require authentication.",
        fix="Set protectedSourcemaps to true.",
        url=f"{DOCS}/deployment-protection",
        types=(vercel.PROJECT,),
        checks=(Must("protectedSourcemaps", equal(True)),),
    ),
    ResourceRule(
        id="vercel-skew-protection",
        severity=Severity.LOW,
        what="A browser with an old page gets the matching assets.",
        fix='Set skewProtection, for example to "12 hours".',
        url=f"{DOCS}/skew-protection",
        frameworks=("Prowler project_skew_protection_enabled",),
        types=(vercel.PROJECT,),
        checks=(Must("skewProtection", NOT_EMPTY),),
    ),
    ResourceRule(
        id="vercel-variables-separate",
        severity=Severity.MEDIUM,
        what="Variables are separate resources, because inline variables overwrite them.",
        fix="Use ProjectEnvironmentVariable, and remove environments from the project.",
        url="https://www.pulumi.com/registry/packages/vercel/api-docs/project/",
        types=(vercel.PROJECT,),
        checks=(Must("environments", NOT_ALLOWED, optional=True),),
    ),
    ResourceRule(
        id="vercel-secret-sensitive",
        severity=Severity.CRITICAL,
        what="A variable with a secret-looking name is sensitive and not public.",
        fix="Set sensitive to true; a variable for browsers is never a secret.",
        url=f"{DOCS}/environment-variables/sensitive-environment-variables",
        frameworks=("Prowler project_environment_no_secrets_in_plain_type",),
        types=(vercel.ENVIRONMENT_VARIABLE, vercel.SHARED_ENVIRONMENT_VARIABLE),
        checks=(
            Custom(
                _secret_variable,
                ("key", "sensitive"),
                (SetValue("key", "STRIPE_SECRET_KEY"), SetValue("key", "NEXT_PUBLIC_API_KEY")),
            ),
        ),
    ),
    ResourceRule(
        id="vercel-no-plain-credential",
        severity=Severity.CRITICAL,
        what="No variable of the web application holds a credential.",
        fix="Keep it in Secret Manager, and let the API use it.",
        url=f"{DOCS}/environment-variables",
        types=(vercel.ENVIRONMENT_VARIABLE, vercel.SHARED_ENVIRONMENT_VARIABLE),
        checks=(Must("value", NO_CREDENTIAL, optional=True),),
    ),
    ResourceRule(
        id="vercel-single-target",
        severity=Severity.HIGH,
        what="A production value is used in production only.",
        fix="Create one variable for each target.",
        url=f"{DOCS}/environment-variables#environments",
        frameworks=(
            "Prowler project_environment_production_vars_not_in_preview",
            "Prowler project_environment_no_overly_broad_target",
        ),
        types=(vercel.ENVIRONMENT_VARIABLE, vercel.SHARED_ENVIRONMENT_VARIABLE),
        checks=(
            Custom(
                _single_target,
                ("targets[]",),
                (
                    SetValue("targets", ["production", "preview", "development"]),
                    SetValue("targets", []),
                    SetValue("targets", ABSENT),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="vercel-protected",
        severity=Severity.HIGH,
        what="The project is protected, because its deployments and variables are deleted with it.",
        fix="Set the resource option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        types=(vercel.PROJECT,),
        checks=(Must(PROTECT, equal(True)),),
    ),
)

"""Vercel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.rule import (
    ABSENT,
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
    forbidden,
    one_of,
)
from policies.sensitive import NO_CREDENTIAL, SECRET_NAME

PROJECT: Final = "vercel:index/project:Project"
DOMAIN: Final = "vercel:index/projectDomain:ProjectDomain"
VARIABLE: Final = "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable"
SHARED: Final = "vercel:index/sharedEnvironmentVariable:SharedEnvironmentVariable"
VARIABLES: Final = "vercel:index/projectEnvironmentVariables:ProjectEnvironmentVariables"
FIREWALL: Final = "vercel:index/firewallConfig:FirewallConfig"

DOCS: Final = "https://vercel.com/docs"


def _secret_variable(view: View) -> Iterator[Finding]:
    key = str(view.get("key", ""))
    if not SECRET_NAME.search(key):
        return
    if key.startswith("NEXT_PUBLIC_"):
        yield view.finding("key", "must not say both public and secret")
    elif not view.get("sensitive"):
        yield view.finding("sensitive", "must be true: the variable's name says secret")


def _one_target(view: View) -> Iterator[Finding]:
    targets = view.all("targets[]")
    if not targets and not view.all("customEnvironmentIds[]"):
        yield view.finding("targets", "is missing: the variable would be everywhere")
    if "production" in targets and len(targets) > 1:
        yield view.finding("targets", "must be production alone: previews run unreviewed code")


RULES: Final = (
    ResourceRule(
        id="vercel-previews-protected",
        severity=Severity.HIGH,
        what="A preview asks for a login.",
        fix="Set vercelAuthentication.deploymentType to standard_protection_new or stricter.",
        url=f"{DOCS}/deployment-protection",
        frameworks=("Prowler project_deployment_protection_enabled",),
        types=(PROJECT,),
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
        what="A fork's pull request is not built before somebody allows it.",
        fix="Set gitForkProtection to true.",
        url=f"{DOCS}/git#deploying-forks-of-public-git-repositories",
        frameworks=("Prowler project_git_fork_protection_enabled",),
        types=(PROJECT,),
        checks=(Must("gitForkProtection", equal(True)),),
    ),
    ResourceRule(
        id="vercel-source-private",
        severity=Severity.HIGH,
        what="Neither source, nor build logs, nor folders can be looked at by everybody.",
        fix="Set publicSource and directoryListing to false.",
        url=f"{DOCS}/projects/overview",
        frameworks=("Prowler project_directory_listing_disabled",),
        types=(PROJECT,),
        checks=(
            Must("publicSource", equal(False), optional=True),
            Must("directoryListing", equal(False), optional=True),
        ),
    ),
    ResourceRule(
        id="vercel-source-maps-protected",
        severity=Severity.LOW,
        what="Source maps ask for a login.",
        fix="Set protectedSourcemaps to true.",
        url=f"{DOCS}/deployment-protection",
        types=(PROJECT,),
        checks=(Must("protectedSourcemaps", equal(True)),),
    ),
    ResourceRule(
        id="vercel-skew-protection",
        severity=Severity.LOW,
        what="A browser that has the old page gets the old assets.",
        fix='Set skewProtection, for example to "12 hours".',
        url=f"{DOCS}/skew-protection",
        frameworks=("Prowler project_skew_protection_enabled",),
        types=(PROJECT,),
        checks=(Must("skewProtection", GIVEN),),
    ),
    ResourceRule(
        id="vercel-variables-apart",
        severity=Severity.MEDIUM,
        what="Variables are resources of their own: mixed with the project's they are wiped.",
        fix="Use ProjectEnvironmentVariable, and leave the project's environments out.",
        url="https://www.pulumi.com/registry/packages/vercel/api-docs/project/",
        types=(PROJECT,),
        checks=(Must("environments", NEVER, optional=True),),
    ),
    ResourceRule(
        id="vercel-variables-singular",
        severity=Severity.HIGH,
        what="Each variable is one resource: the plural one shows values in previews and state.",
        fix="Use ProjectEnvironmentVariable.",
        url="https://www.pulumi.com/registry/packages/vercel/api-docs/projectenvironmentvariable/",
        types=(VARIABLES,),
        checks=(forbidden,),
    ),
    ResourceRule(
        id="vercel-secret-sensitive",
        severity=Severity.CRITICAL,
        what="A variable whose name says secret is sensitive, and not for browsers.",
        fix="Set sensitive to true; what browsers get is never a secret.",
        url=f"{DOCS}/environment-variables/sensitive-environment-variables",
        frameworks=("Prowler project_environment_no_secrets_in_plain_type",),
        types=(VARIABLE, SHARED),
        checks=(
            Custom(
                _secret_variable,
                ("key", "sensitive"),
                (SetValue("key", "STRIPE_SECRET_KEY"), SetValue("key", "NEXT_PUBLIC_API_KEY")),
            ),
        ),
    ),
    ResourceRule(
        id="vercel-plain-values",
        severity=Severity.CRITICAL,
        what="No variable of the web holds a credential.",
        fix="Keep it in Secret Manager, and let the API use it.",
        url=f"{DOCS}/environment-variables",
        types=(VARIABLE, SHARED),
        checks=(Must("value", NO_CREDENTIAL, optional=True),),
    ),
    ResourceRule(
        id="vercel-one-target",
        severity=Severity.HIGH,
        what="A value of production is in production only.",
        fix="Make one variable for each target.",
        url=f"{DOCS}/environment-variables#environments",
        frameworks=(
            "Prowler project_environment_production_vars_not_in_preview",
            "Prowler project_environment_no_overly_broad_target",
        ),
        types=(VARIABLE, SHARED),
        checks=(
            Custom(
                _one_target,
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
        id="vercel-firewall-on",
        severity=Severity.MEDIUM,
        what="The firewall is on.",
        fix="Set enabled to true.",
        url=f"{DOCS}/vercel-firewall",
        frameworks=("Prowler security_waf_enabled",),
        types=(FIREWALL,),
        checks=(Must("enabled", equal(True), optional=True),),
    ),
    ResourceRule(
        id="vercel-protected",
        severity=Severity.HIGH,
        what="The project is protected: its deployments and variables go with it.",
        fix="Set the resource option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        types=(PROJECT,),
        checks=(Must(PROTECT, equal(True)),),
    ),
)

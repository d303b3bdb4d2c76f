"""Sign-in without keys: exactly the pool, the identity providers and the conditions that are meant.

The repository is the one that Vercel builds, and the organization the one in which the stack's
deployments are configured: both come from the same settings through other components.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.framework.demands import NOT_ALLOWED, one_of
from policies.framework.graph import Graph, Node, StackRule
from policies.framework.paths import Finding
from policies.framework.rules import Must, ResourceRule, Severity
from policies.rules.grants import DEPLOYER, PREVIEWER
from policies.rules.iam import DOCS
from policies.rules.runbook import ENVIRONMENT, account_suffix, environment
from resource_types import gcp, pulumiservice, vercel

GITHUB: Final = "https://token.actions.githubusercontent.com"
PULUMI: Final = "https://api.pulumi.com/oidc"
BRANCH: Final = "refs/heads/main"


@dataclass(frozen=True, slots=True)
class Provider:
    """What a workload identity provider must be.

    Attributes:
        oidc: the issuer, and the audiences of its tokens if they are not Google's default.
        mapping: attributes of a principal by name, in CEL.
        condition: which tokens are accepted, in CEL.
    """

    oidc: Mapping[str, Any]
    mapping: Mapping[str, str]
    condition: str


def _github(repository: str) -> Provider:
    return Provider(
        oidc={"issuerUri": GITHUB},
        mapping={
            "google.subject": "assertion.sub",
            "attribute.repository": "assertion.repository",
            "attribute.job": "assertion.environment + ':' + "
            "assertion.workflow_ref.extract('/.github/workflows/{name}.yml@') + "
            f"(assertion.ref == '{BRANCH}' ? ':reviewed' : ':proposed')",
        },
        condition=f"assertion.repository == '{repository}'",
    )


def _pulumi_cloud(organization: str, project: str) -> Provider:
    stacks = f"pulumi:deploy:org:{organization}:project:{project}:stack:"
    return Provider(
        oidc={"issuerUri": PULUMI, "allowedAudiences": [organization]},
        mapping={
            "google.subject": "assertion.sub",
            "attribute.deployments": "assertion.sub.extract('pulumi:deploy:{project}:stack:')",
            "attribute.stack": "assertion.sub.extract('pulumi:deploy:{stack}:operation:')",
        },
        condition=f"assertion.sub.startsWith('{stacks}')",
    )


def _only(graph: Graph, token: str, path: str) -> str:
    """The value that all resources of a type have; empty if they have none, or several."""
    values = {str(node.view.get(path, "")) for node in graph.of_type(token)}
    return values.pop() if len(values) == 1 else ""


def _declared(graph: Graph) -> Iterator[Finding]:
    repository = _only(graph, vercel.PROJECT, "gitRepository.repo")
    project = _only(graph, gcp.NETWORK, "project")

    def check_pool(node: Node) -> Iterator[Finding]:
        if node.view.get("workloadIdentityPoolId") != f"pull-{environment(graph.config)}-github":
            yield node.finding("workloadIdentityPoolId", "must be the pool of this environment")

    def check_provider(node: Node) -> Iterator[Finding]:
        name = node.view.get("workloadIdentityPoolProviderId")
        organization = _only(graph, pulumiservice.DEPLOYMENT_SETTINGS, "organization")
        expected = {
            "github": _github(repository),
            "pulumi": _pulumi_cloud(organization, node.urn.split("::")[1]),
        }.get(str(name))
        if expected is None:
            yield node.finding("workloadIdentityPoolProviderId", "must be github or pulumi")
            return
        yield from _differences(node, expected)

    def check_deployments(node: Node) -> Iterator[Finding]:
        if node.view.get("vcs.repository") != repository:
            yield node.finding("vcs.repository", "must be the repository that Vercel builds")
        if node.view.get("sourceContext.git.branch") != BRANCH:
            yield node.finding("sourceContext.git.branch", f"must be {BRANCH}")
        env = environment(graph.config)
        releases = env == "staging"
        account = f"pull-{DEPLOYER if releases else PREVIEWER}{account_suffix(env)}"
        for name, expected in (
            ("serviceAccount", f"{account}@{project}.iam.gserviceaccount.com"),
            ("workloadPoolId", f"pull-{env}-github"),
            ("providerId", "pulumi"),
        ):
            path = f"operationContext.oidc.gcp.{name}"
            if node.view.get(path) != expected:
                yield node.finding(path, f"must be {expected.partition('@')[0]}, in this project")
        # Pulumi Cloud deploys commits unless it is told not to.
        if node.view.get("vcs.deployCommits") is not releases:
            text = "must be true in staging, and false in production, which a workflow releases"
            yield node.finding("vcs.deployCommits", text)

    def check_deployment_grant(node: Node) -> Iterator[Finding]:
        organization = _only(graph, pulumiservice.DEPLOYMENT_SETTINGS, "organization")
        stacks = re.search(r"/attribute\.(deployments|stack)/(.+)", str(node.view.value("member")))
        own = f"org:{organization}:project:{node.urn.split('::')[1]}"
        if stacks and own not in (stacks[2], stacks[2].partition(":stack:")[0]):
            yield node.finding("member", "must be for the organization and project of this stack")

    names = {
        node.view.get("workloadIdentityPoolProviderId")
        for node in graph.of_type(gcp.WORKLOAD_IDENTITY_POOL_PROVIDER)
    }
    needed = {
        "github": gcp.WORKLOAD_IDENTITY_POOL,
        "pulumi": pulumiservice.DEPLOYMENT_SETTINGS,
    }
    for name, token in needed.items():
        for node in graph.of_type(token):
            if name not in names:
                yield node.finding("", f"needs the identity provider {name}")
    yield from graph.check_each(check_deployment_grant, gcp.SERVICE_ACCOUNT_IAM.member)
    yield from graph.check_each(check_pool, gcp.WORKLOAD_IDENTITY_POOL)
    yield from graph.check_each(check_provider, gcp.WORKLOAD_IDENTITY_POOL_PROVIDER)
    yield from graph.check_each(check_deployments, pulumiservice.DEPLOYMENT_SETTINGS)


def _differences(node: Node, expected: Provider) -> Iterator[Finding]:
    oidc = node.view.get("oidc")
    used = {name: oidc[name] for name in oidc if oidc[name]} if isinstance(oidc, dict) else oidc
    if used != expected.oidc:
        yield node.finding("oidc", "must have the issuer and the audiences of this provider only")
    if node.view.get("attributeMapping") != expected.mapping:
        yield node.finding("attributeMapping", f"must be {dict(expected.mapping)}")
    if node.view.get("attributeCondition") != expected.condition:
        text = "must compare the repository, or organization and project, with those of the stack"
        yield node.finding("attributeCondition", f"{text}, and have no other part")
    for path in ("aws", "saml", "x509"):
        if node.view.get(path):
            yield node.finding(path, "must not be set: the provider trusts OpenID Connect only")


RULES: Final = (
    ResourceRule(
        id="iam-federation-pool",
        severity=Severity.HIGH,
        what="A workload identity pool only exchanges tokens: it trusts no certificates.",
        fix="Remove mode, or set it to FEDERATION_ONLY, and remove the inline configurations.",
        url="https://cloud.google.com/iam/docs/reference/rest/v1/"
        "projects.locations.workloadIdentityPools#mode",
        types=(gcp.WORKLOAD_IDENTITY_POOL,),
        checks=(
            Must("mode", one_of("FEDERATION_ONLY", refused=("TRUST_DOMAIN",)), optional=True),
            Must("inlineCertificateIssuanceConfig", NOT_ALLOWED, optional=True),
            Must("inlineTrustConfig", NOT_ALLOWED, optional=True),
        ),
    ),
    StackRule(
        id="stack-federation-declared",
        severity=Severity.CRITICAL,
        what="Only workflows of the repository that Vercel builds, and deployments of this project "
        "in Pulumi Cloud, can sign in. Issuer, mapping and condition are exactly those declared.",
        fix="Restore the value that the message names; a new provider or claim needs a change of "
        "policies/rules/federation.py.",
        url=f"{DOCS}/workload-identity-federation-with-deployment-pipelines",
        check=_declared,
        paths=(
            "attributeCondition",
            "attributeMapping",
            "oidc",
            "operationContext.oidc.gcp.providerId",
            "operationContext.oidc.gcp.serviceAccount",
            "operationContext.oidc.gcp.workloadPoolId",
            "vcs.deployCommits",
            "vcs.repository",
            "workloadIdentityPoolId",
            "workloadIdentityPoolProviderId",
        ),
        settings=ENVIRONMENT,
    ),
)

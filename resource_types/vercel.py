"""Vercel: the resource types of pulumiverse-vercel.

``replace_on`` and ``secret_outputs`` are those of pulumiverse-vercel 5.21.1.
"""

from __future__ import annotations

from typing import Final

from resource_types.record import TrafficSplit, ordinary, stateful
from resource_types.updates import added, changes, gathered, loses

CUSTOM_ENVIRONMENT: Final = ordinary(
    "vercel:index/customEnvironment:CustomEnvironment",
    outage="the environment",
    replace_on=("projectId", "teamId"),
)
DEPLOYMENT: Final = ordinary(
    "vercel:index/deployment:Deployment",
    outage=None,
    summary_fields=("ref", "production"),
    name_property="",
    replaced_by_design=True,
    traffic=TrafficSplit(path="ref", target=""),
    replace_on=(
        "customEnvironmentId",
        "environment",
        "files",
        "meta",
        "production",
        "projectId",
        "projectSettings",
        "ref",
        "teamId",
    ),
    secret_outputs=("environment",),
)
DNS_RECORD: Final = ordinary(
    "vercel:index/dnsRecord:DnsRecord",
    outage="a host name that users reach",
    exposes_endpoint=True,
    replace_on=("domain", "teamId", "type"),
)
FIREWALL_CONFIG: Final = ordinary(
    "vercel:index/firewallConfig:FirewallConfig",
    outage="the requests that it blocks",
    name_property="",
    exposes_endpoint=True,
    replace_on=("projectId", "teamId"),
)
LOG_DRAIN: Final = ordinary(
    "vercel:index/logDrain:LogDrain",
    outage="the export of logs",
    secret_outputs=("headers", "secret"),
)
PROJECT: Final = stateful(
    "vercel:index/project:Project",
    loss="the project with its deployments and domains",
    summary_fields=(
        "framework",
        "rootDirectory",
        "gitRepository.repo",
        "gitRepository.productionBranch",
    ),
    updates=gathered(loses("the address that Vercel gave the project", changes, "name")),
    harmless_updates=(
        "autoAssignCustomDomains",
        "automaticallyExposeSystemEnvironmentVariables",
        "buildCommand",
        "buildMachineType",
        "customerSuccessCodeVisibility",
        "devCommand",
        "directoryListing",
        "enablePreviewFeedback",
        "enableProductionFeedback",
        "framework",
        "functionFailover",
        "gitComments",
        "gitForkProtection",
        "gitLfs",
        "gitProviderOptions",
        "gitRepository",
        "ignoreCommand",
        "installCommand",
        "nodeVersion",
        "oidcTokenConfig",
        "onDemandConcurrentBuilds",
        "outputDirectory",
        "previewComments",
        "previewDeploymentSuffix",
        "previewDeploymentsDisabled",
        "prioritiseProductionBuilds",
        "protectedSourcemaps",
        "publicSource",
        "resourceConfig",
        "rootDirectory",
        "serverlessFunctionRegion",
        "skewProtection",
        "vercelAuthentication",
    ),
)
PROJECT_DEPLOYMENT_RETENTION: Final = ordinary(
    "vercel:index/projectDeploymentRetention:ProjectDeploymentRetention",
    outage=None,
    name_property="",
    replace_on=("projectId", "teamId"),
    updates=gathered(
        loses(
            "the deployments that a rollback needs",
            changes,
            "expirationCanceled",
            "expirationErrored",
            "expirationPreview",
            "expirationProduction",
        )
    ),
)
PROJECT_DOMAIN: Final = stateful(
    "vercel:index/projectDomain:ProjectDomain",
    loss="a host name that users reach",
    summary_fields=("gitBranch",),
    name_property="domain",
    exposes_endpoint=True,
    replace_on=("domain", "projectId", "teamId"),
    updates=gathered(loses("the host name that users reach", added, "redirect")),
    harmless_updates=("gitBranch", "redirectStatusCode", "waitForReady"),
)
ENVIRONMENT_VARIABLE: Final = ordinary(
    "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable",
    outage=None,
    summary_fields=("targets", "sensitive"),
    name_property="key",
    replace_on=("customEnvironmentIds", "key", "projectId", "sensitive", "teamId"),
    secret_outputs=("value", "valueWo"),
)
ENVIRONMENT_VARIABLES: Final = ordinary(
    "vercel:index/projectEnvironmentVariables:ProjectEnvironmentVariables",
    outage=None,
    name_property="",
)
SHARED_ENVIRONMENT_VARIABLE: Final = ordinary(
    "vercel:index/sharedEnvironmentVariable:SharedEnvironmentVariable",
    outage=None,
    name_property="key",
    replace_on=("key", "sensitive", "teamId"),
    secret_outputs=("value", "valueWo"),
)
WEBHOOK: Final = ordinary(
    "vercel:index/webhook:Webhook",
    outage="the events that are sent to it",
    name_property="",
    replace_on=("endpoint", "events", "projectIds", "teamId"),
    secret_outputs=("secret",),
)

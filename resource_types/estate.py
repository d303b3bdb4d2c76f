"""What the estate consists of: its providers, its resource types, and the outputs of its stacks.

Anything else is a violation (``policies/rules/declared.py``). A record in this package is not a
permission: many exist only so that the tools know the type. A type is added here when a component
creates it and its rules exist (recipe "A resource type" in ``CONTRIBUTING.md``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from resource_types import (
    cloudflare,
    gcp,
    kubernetes,
    pull,
    pulumi_random,
    pulumiservice,
    vercel,
)

STACK: Final = "pulumi:pulumi:Stack"

PROVIDER_PREFIX: Final = "pulumi:providers:"
"""The start of the type token of a provider; the end is the package of its resource types."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of the estate. Its logical name is the name of its package.

    Attributes:
        sdk: the Python distribution, pinned in ``requirements.txt``, whose version it has.
        inputs: what the program may configure, and what the SDK reads from the environment without
            harm. No credential is among them: they would be in the state.
    """

    sdk: str
    inputs: tuple[str, ...] = ()


PROVIDERS: Final[Mapping[str, Provider]] = {
    "cloudflare": Provider("pulumi-cloudflare"),
    "gcp": Provider("pulumi-gcp", ("addPulumiAttributionLabel", "project", "region", "zone")),
    "kubernetes": Provider(
        "pulumi-kubernetes",
        (
            "clusterIdentifier",
            "context",
            "enableConfigMapMutable",
            "enableServerSideApply",
            "kubeconfig",
            "suppressDeprecationWarnings",
            "suppressHelmHookWarnings",
        ),
    ),
    "pulumiservice": Provider("pulumi-pulumiservice", ("apiUrl",)),
    "random": Provider("pulumi-random"),
    "vercel": Provider("pulumiverse-vercel", ("team",)),
}

COMPONENTS: Final = frozenset(token for name, token in vars(pull).items() if name.isupper())

RESOURCES: Final = frozenset(
    {
        cloudflare.DNS_RECORD,
        cloudflare.R2_BUCKET,
        cloudflare.R2_BUCKET_CORS,
        cloudflare.R2_BUCKET_LIFECYCLE,
        cloudflare.WORKER,
        cloudflare.WORKER_VERSION,
        cloudflare.WORKERS_DEPLOYMENT,
        cloudflare.WORKERS_ROUTE,
        gcp.ADDRESS,
        gcp.BUCKET,
        gcp.BUCKET_IAM.member,
        gcp.CRYPTO_KEY,
        gcp.CRYPTO_KEY_IAM.member,
        gcp.GKE_CLUSTER,
        gcp.GLOBAL_ADDRESS,
        gcp.KEY_RING,
        gcp.MANAGED_SSL_CERTIFICATE,
        gcp.NETWORK,
        gcp.PROJECT_IAM.member,
        gcp.PROJECT_SERVICE,
        gcp.REDIS_INSTANCE,
        gcp.REPOSITORY,
        gcp.REPOSITORY_IAM.member,
        gcp.ROUTER,
        gcp.ROUTER_NAT,
        gcp.RUN_SERVICE,
        gcp.RUN_WORKER_POOL,
        gcp.SECRET,
        gcp.SECRET_IAM.member,
        gcp.SECRET_VERSION,
        gcp.SERVICE_ACCOUNT,
        gcp.SERVICE_ACCOUNT_IAM.member,
        gcp.SERVICE_IDENTITY,
        gcp.SERVICE_NETWORKING_CONNECTION,
        gcp.SQL_DATABASE,
        gcp.SQL_INSTANCE,
        gcp.SQL_USER,
        gcp.SUBNETWORK,
        gcp.TOPIC,
        gcp.TOPIC_IAM.member,
        gcp.VPC_CONNECTOR,
        gcp.WORKLOAD_IDENTITY_POOL,
        gcp.WORKLOAD_IDENTITY_POOL_PROVIDER,
        kubernetes.CONFIG_MAP,
        kubernetes.DEPLOYMENT,
        kubernetes.EXTERNAL_SECRET,
        kubernetes.HORIZONTAL_POD_AUTOSCALER,
        kubernetes.INGRESS,
        kubernetes.NAMESPACE,
        kubernetes.NETWORK_POLICY,
        kubernetes.POD_DISRUPTION_BUDGET,
        kubernetes.PRIORITY_CLASS,
        kubernetes.RELEASE,
        kubernetes.SECRET_STORE,
        kubernetes.SERVICE,
        kubernetes.SERVICE_ACCOUNT,
        pulumi_random.RANDOM_PASSWORD,
        pulumiservice.DEPLOYMENT_SETTINGS,
        pulumiservice.DRIFT_SCHEDULE,
        pulumiservice.POLICY_GROUP,
        pulumiservice.STACK_TAGS,
        pulumiservice.TTL_SCHEDULE,
        pulumiservice.WEBHOOK,
        vercel.DEPLOYMENT,
        vercel.ENVIRONMENT_VARIABLE,
        vercel.PROJECT,
        vercel.PROJECT_DOMAIN,
    }
)

TYPES: Final = frozenset(
    {STACK, *(PROVIDER_PREFIX + name for name in PROVIDERS), *COMPONENTS, *RESOURCES}
)

OutputKind = Literal["public", "internal", "secret"]

OUTPUTS: Final[Mapping[str, OutputKind]] = {
    "api_url": "public",
    "web_url": "public",
    "api_origin_url": "internal",
    "api_version": "internal",
    "assets_bucket": "internal",
    "backup_bucket": "internal",
    "ci_deployer": "internal",
    "ci_identity_provider": "internal",
    "ci_previewer": "internal",
    "convex_variables": "internal",
    "egress_address": "internal",
    "image_registry": "internal",
    "ingress_address": "internal",
    "postgres_connection_name": "internal",
    "redis_host": "internal",
    "web_project_id": "internal",
    "workers": "internal",
    "events_key": "secret",
}
"""The outputs of a stack: ``public`` ones may be shown to anybody, ``internal`` ones to whoever may
read the state, and ``secret`` ones are encrypted in it."""

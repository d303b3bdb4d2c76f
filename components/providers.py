"""The explicit providers. No default provider exists: the stack files disable them all.

Credentials never pass through here, so none enters the state: each provider finds its own in its
environment (workload identity federation in CI, application-default credentials on a laptop,
``CLOUDFLARE_API_TOKEN``, ``VERCEL_API_TOKEN``, ``PULUMI_ACCESS_TOKEN``; for a cluster, the
kubeconfig or the plug-in that it names).
"""

from __future__ import annotations

import pulumi
import pulumi_cloudflare as cloudflare
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
import pulumi_random as random
import pulumiverse_vercel as vercel
from pulumi import Input

from components.config import Settings


def make_providers(settings: Settings) -> list[pulumi.ProviderResource]:
    """One provider for each platform; components hand them on to their children."""
    providers: list[pulumi.ProviderResource] = [
        gcp.Provider(
            "gcp",
            project=settings.gcp.project,
            region=settings.gcp.region,
            # What Terraform made has no such label; adding it would change everything adopted.
            add_pulumi_attribution_label=False,
        ),
        cloudflare.Provider("cloudflare"),
        vercel.Provider("vercel", team=settings.vercel.team),
        random.Provider("random"),
    ]
    if settings.pulumi_cloud:
        # Imported here: a stack without it need not wait for its SDK.
        import pulumi_pulumiservice as pulumiservice

        # Said, or the SDK would take the address of whatever backend keeps the state.
        cloud = pulumiservice.Provider("pulumiservice", api_url="https://api.pulumi.com")
        providers.append(cloud)
    return providers


def kubernetes_provider(
    *, kubeconfig: Input[str] | None = None, context: str | None = None
) -> kubernetes.Provider:
    """The way into the cluster: a kubeconfig without a credential, or a context of the user's own.

    Server-side apply is this provider's default. Each object therefore has one owner for each
    field, and what an autoscaler or an operator says of its own fields is no drift.
    """
    return kubernetes.Provider(
        "kubernetes",
        kubeconfig=kubeconfig,
        context=context,
        enable_server_side_apply=True,
        # Another value is a change and not another object, which pods would miss for a moment.
        enable_config_map_mutable=True,
        # Another endpoint, or another kubeconfig, is not another cluster.
        cluster_identifier=context or "pull-cluster",
    )

"""The explicit providers. The stack files disable all default providers.

No credential is an input here, so none enters the state: each provider reads its own from the
environment (workload identity federation in CI, application-default credentials on a laptop,
``CLOUDFLARE_API_TOKEN``, ``VERCEL_API_TOKEN``, ``PULUMI_ACCESS_TOKEN``; for a cluster, the
kubeconfig or its credential plug-in).
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
    """One provider for each platform; components pass them on to their children."""
    providers: list[pulumi.ProviderResource] = [
        gcp.Provider(
            "gcp",
            project=settings.gcp.project,
            region=settings.gcp.region,
            # Resources that Terraform created lack this label; adding it would change all of them.
            add_pulumi_attribution_label=False,
        ),
        cloudflare.Provider("cloudflare"),
        vercel.Provider("vercel", team=settings.vercel.team),
        random.Provider("random"),
    ]
    if settings.pulumi_cloud:
        # Imported here, so that a stack without it does not load its SDK.
        import pulumi_pulumiservice as pulumiservice

        # Set explicitly: by default, the provider uses the address of the state's backend.
        cloud = pulumiservice.Provider("pulumiservice", api_url="https://api.pulumi.com")
        providers.append(cloud)
    return providers


def kubernetes_provider(
    *, kubeconfig: Input[str] | None = None, context: str | None = None
) -> kubernetes.Provider:
    """Access to the cluster: a kubeconfig without a credential, or a context of the user.

    With server-side apply each field of an object has an owner, so fields that an autoscaler or an
    operator manages are not drift:
    https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/
    """
    return kubernetes.Provider(
        "kubernetes",
        kubeconfig=kubeconfig,
        context=context,
        enable_server_side_apply=True,
        # Update a ConfigMap in place: pods would briefly miss a replaced one.
        enable_config_map_mutable=True,
        # A new endpoint or kubeconfig does not make it a different cluster.
        cluster_identifier=context or "pull-cluster",
    )

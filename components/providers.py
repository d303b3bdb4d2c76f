"""The explicit providers. No default provider exists: the stack files disable them all.

Credentials never pass through here, so none enters the state: each provider finds its own in its
environment (workload identity federation in CI, application-default credentials on a laptop,
``CLOUDFLARE_API_TOKEN``, ``VERCEL_API_TOKEN``, ``PULUMI_ACCESS_TOKEN``).
"""

from __future__ import annotations

import pulumi
import pulumi_cloudflare as cloudflare
import pulumi_gcp as gcp
import pulumi_random as random
import pulumiverse_vercel as vercel

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

"""The registry: one record per resource type, from which every tool derives what it knows of it.

The registry imports nothing of this project, so that the policies, which do not read the
components, may read it.
"""

from resource_types import cloudflare, gcp, kubernetes, pulumi_random, pulumiservice, vercel
from resource_types.record import RESOURCE_TYPES, UNDECIDED, ResourceType, TrafficSplit

__all__ = [
    "RESOURCE_TYPES",
    "UNDECIDED",
    "ResourceType",
    "TrafficSplit",
    "cloudflare",
    "gcp",
    "kubernetes",
    "pulumi_random",
    "pulumiservice",
    "vercel",
]

"""The model of every resource type, one module per provider.

A type without a model gets the default of :func:`model_of`, which knows it by its SDK types alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from sandbox.models import (
    cloudflare,
    gcp,
    gcp_network,
    gcp_run,
    kubernetes,
    pulumi_random,
    pulumiservice,
    vercel,
)
from sandbox.models.base import ResourceModel
from sandbox.resource import Resource

MODELS: Final[Mapping[str, ResourceModel]] = {
    **gcp.MODELS,
    **gcp_network.MODELS,
    **gcp_run.MODELS,
    **cloudflare.MODELS,
    **vercel.MODELS,
    **pulumi_random.MODELS,
    **pulumiservice.MODELS,
}


def model_of(token: str) -> ResourceModel:
    """The model of a type: its entry in ``MODELS``, or a default built from the token."""
    if token.startswith("kubernetes:"):
        return kubernetes.model_of(token)
    return MODELS.get(token) or _default_model(token)


def _default_model(token: str) -> ResourceModel:
    if re.search(r"I[Aa][Mm](Member|Binding|Policy)$", token):
        return ResourceModel(address=_default_grant_address, name="", idempotent=True)
    return ResourceModel(address=_default_address)


def _default_grant_address(resource: Resource) -> str:
    return "/".join(str(value) for value in resource.inputs.values() if isinstance(value, str))


def _default_address(resource: Resource) -> str:
    scope = [
        resource.inputs.get(name) or resource.settings.get(name)
        for name in ("project", "region", "location")
    ]
    return "/".join(str(part) for part in (*scope, resource.get("name") or resource.uuid()) if part)

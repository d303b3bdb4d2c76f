"""Pulumi Cloud: settings of a stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from resource_types import pulumiservice
from sandbox.models.base import ResourceModel

MODELS: Final[Mapping[str, ResourceModel]] = {
    **dict.fromkeys(
        (pulumiservice.DEPLOYMENT_SETTINGS, pulumiservice.STACK_TAGS),
        ResourceModel(address="{organization}/{project}/{stack}", name=""),
    ),
    pulumiservice.POLICY_GROUP: ResourceModel(address="{organizationName}/{name}"),
}

"""Vercel: a project with its domains, environment variables and deployments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from resource_types import vercel
from sandbox.models.base import Reference, ResourceModel
from sandbox.resource import Resource


def _environment_variable_address(resource: Resource) -> str:
    """A key can exist once for each set of environments and git branch."""
    environments = (*resource.get("targets", ()), *resource.get("customEnvironmentIds", ()))
    branch = resource.get("gitBranch", "")
    return resource.format("projects/{projectId}/env/{key}/") + (
        f"{'+'.join(sorted(environments))}@{branch}"
    )


def _host_name(resource: Resource) -> str:
    return f"{resource.hexadecimal(9)}-sandbox.vercel.app"


MODELS: Final[Mapping[str, ResourceModel]] = {
    vercel.PROJECT: ResourceModel(
        address="projects/{name}",
        id="prj_{letters24}",
    ),
    vercel.PROJECT_DOMAIN: ResourceModel(
        address="domains/{domain}",
        id="{domain}",
        name="",
        references=(Reference("projectId", vercel.PROJECT, "parent"),),
    ),
    vercel.ENVIRONMENT_VARIABLE: ResourceModel(
        address=_environment_variable_address,
        id="{letters16}",
        name="",
        references=(Reference("projectId", vercel.PROJECT, "parent"),),
    ),
    vercel.DEPLOYMENT: ResourceModel(
        address="projects/{projectId}/deployments/{letters24}",
        id="dpl_{letters24}",
        name="",
        outputs={"url": _host_name, "domains": lambda resource: [_host_name(resource)]},
        references=(Reference("projectId", vercel.PROJECT, "parent"),),
    ),
}

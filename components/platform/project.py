"""The Google Cloud project: its enabled services and their service agents.

Does not own the project itself or its billing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi
import pulumi_gcp as gcp
from pulumi import Output, ResourceOptions

from components.base import PullComponent, Stage
from resource_types import pull

SERVICES: Final = (
    "artifactregistry",
    "cloudkms",
    "cloudresourcemanager",
    "compute",
    "iam",
    "iamcredentials",
    "pubsub",
    "redis",
    "run",
    "secretmanager",
    "servicenetworking",
    "sqladmin",
    "storage",
    "sts",
    "vpcaccess",
)
"""The APIs that the estate uses, without ``.googleapis.com``."""

CLUSTER_SERVICE: Final = "container"
"""The API that a cluster needs in addition, if this program creates one."""

AGENTS: Final = ("secretmanager", "sqladmin")
"""Services whose agent must exist before it can be granted a key."""


class Project(PullComponent):
    """Enabled services, and the service agents that Google runs them as."""

    services: Mapping[str, pulumi.Resource]
    """By short name. A resource that needs an API depends on its entry."""
    agents: Mapping[str, Output[str]]
    """IAM member of each service agent in :data:`AGENTS`, and of the cluster's."""

    def __init__(
        self,
        name: str,
        project: str,
        opts: ResourceOptions | None = None,
        *,
        with_cluster: bool = False,
    ) -> None:
        super().__init__(pull.PROJECT, name, Stage.INFRASTRUCTURE, opts)
        more = (CLUSTER_SERVICE,) if with_cluster else ()
        self.services = {
            service: gcp.projects.Service(
                self.child(service),
                project=project,
                service=f"{service}.googleapis.com",
                # Others in the project may use the API too.
                disable_on_destroy=False,
                opts=self.options(),
            )
            for service in (*SERVICES, *more)
        }
        self.agents = {
            service: gcp.projects.ServiceIdentity(
                self.child(f"{service}-agent"),
                project=project,
                service=f"{service}.googleapis.com",
                opts=self.options(ResourceOptions(depends_on=[self.services[service]])),
            ).member
            for service in (*AGENTS, *more)
        }
        self.register_outputs({"services": list(self.services)})

    def ready(self, *services: str) -> ResourceOptions:
        """Options that make a resource wait until these services are enabled."""
        return ResourceOptions(depends_on=[self.services[service] for service in services])

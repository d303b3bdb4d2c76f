"""The API on Cloud Run: the same program as on Cloudflare, inside the private network.

The runbook's ``google_cloud_run_v2_service.api``. It is created if the stack file has a section for
it, and is only reachable from inside the project or through a load balancer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_gcp as gcp
from pulumi import Output, ResourceOptions

from components.base import PullComponent, Stage
from components.config.services import ApiOrigin as ApiOriginSettings
from components.config.values import API_PORT
from components.names import Names
from components.platform.identity import ServiceAccount
from components.platform.network import Network
from components.runtime_config import ConfigMaps
from components.secrets.manager import SecretManager
from components.services import cloud_run
from components.workloads import Service
from resource_types import pull


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOriginArgs:
    """Inputs of :class:`ApiOrigin`. ``after``: resources that come first in the runbook's order."""

    project: str
    region: str
    names: Names
    settings: ApiOriginSettings
    egress: Literal["direct", "connector"]
    password_generation: int
    protect: bool
    service_account: ServiceAccount
    network: Network
    config: ConfigMaps
    secrets: SecretManager
    after: list[pulumi.Resource]


class ApiOrigin(PullComponent):
    """One Cloud Run service on port 3001."""

    url: Output[str]
    rollout: pulumi.Resource

    def __init__(self, name: str, args: ApiOriginArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(pull.API_ORIGIN, name, Stage.API, opts)
        service_name, settings = args.names.api, args.settings
        template = cloud_run.service_template(
            container="api",
            image=settings.image,
            port=API_PORT,
            size=settings,
            timeout_seconds=settings.timeout_seconds,
            cpu_idle=True,
            service_account=args.service_account,
            access=cloud_run.private_access(args.network, args.egress),
            envs=cloud_run.environment(
                args.config.for_api_origin(service_name),
                args.secrets.references(Service.API_ORIGIN),
            ),
            password_generation=args.password_generation,
        )
        revision = cloud_run.revision_name(service_name, template)
        service = gcp.cloudrunv2.Service(
            self.child("service"),
            project=args.project,
            location=args.region,
            name=service_name,
            ingress="INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
            deletion_protection=args.protect,
            template={**template, "revision": revision},
            traffics=cloud_run.traffic(settings.traffic, revision),
            opts=self.options(
                cloud_run.rollout(
                    args.after, args.secrets, Service.API_ORIGIN, args.network, args.service_account
                )
            ),
        )
        self.url = service.uri
        self.rollout = service
        self.register_outputs({"url": self.url})

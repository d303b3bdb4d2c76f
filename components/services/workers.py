"""Temporal workers on Cloud Run: one service, or one worker pool, for each type of worker.

They poll Temporal and serve no users: the port is for probes and metrics. Their CPU is always
allocated, because they work without requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_gcp as gcp
from pulumi import Output, ResourceOptions

from components.base import PullComponent, Stage
from components.config.services import Worker
from components.config.values import WORKER_PORT
from components.names import Names
from components.platform.identity import ServiceAccount
from components.platform.network import Network
from components.runtime_config import ConfigMaps
from components.secrets.manager import SecretManager
from components.services import cloud_run
from components.workloads import WorkerType
from resource_types import pull


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalWorkerArgs:
    """Inputs of :class:`TemporalWorker`.

    Attributes:
        image: image by digest or tag.
        timeout_seconds: request timeout, 1 to 3600; not used by a worker pool.
        password_generation: of the database. A new generation creates a new revision.
        after: resources that come first in the runbook's order.
    """

    project: str
    region: str
    names: Names
    worker_type: WorkerType
    settings: Worker
    runtime: Literal["service", "worker_pool"]
    egress: Literal["direct", "connector"]
    image: str
    timeout_seconds: int
    password_generation: int
    protect: bool
    service_account: ServiceAccount
    network: Network
    config: ConfigMaps
    secrets: SecretManager
    after: list[pulumi.Resource]


class TemporalWorker(PullComponent):
    """All instances of one type of worker."""

    service: str
    """Name of the service or pool."""
    revision: str
    """The revision that this program describes, whether or not it gets traffic."""
    rollout: pulumi.Resource
    latest_ready_revision: Output[str]

    def __init__(
        self, name: str, args: TemporalWorkerArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__(pull.TEMPORAL_WORKER, name, Stage.WORKERS, opts)
        self._args = args
        self.service = args.names.worker(args.worker_type)
        make = self._make_service if args.runtime == "service" else self._make_pool
        rollout = make()
        self.rollout = rollout
        self.latest_ready_revision = rollout.latest_ready_revision
        self.register_outputs({"service": self.service, "revision": self.revision})

    def _make_service(self) -> gcp.cloudrunv2.Service:
        args = self._args
        template = cloud_run.service_template(
            container="worker",
            image=args.image,
            port=WORKER_PORT,
            size=args.settings,
            timeout_seconds=args.timeout_seconds,
            cpu_idle=False,  # it polls and receives no requests
            service_account=args.service_account,
            access=cloud_run.private_access(args.network, args.egress),
            envs=cloud_run.environment(
                args.config.for_worker(args.worker_type, self.service),
                args.secrets.references(args.worker_type),
            ),
            password_generation=args.password_generation,
        )
        self.revision = cloud_run.revision_name(self.service, template)
        return gcp.cloudrunv2.Service(
            self.child("service"),
            project=args.project,
            location=args.region,
            name=self.service,
            # Nobody is granted the invoker role either.
            ingress="INGRESS_TRAFFIC_INTERNAL_ONLY",
            deletion_protection=args.protect,
            template={**template, "revision": self.revision},
            traffics=cloud_run.traffic(args.settings.traffic, self.revision),
            opts=self._rollout_options(),
        )

    def _make_pool(self) -> gcp.cloudrunv2.WorkerPool:
        args = self._args
        template: gcp.cloudrunv2.WorkerPoolTemplateArgsDict = {
            "service_account": args.service_account.email,
            "annotations": cloud_run.password_annotation(args.password_generation),
            "vpc_access": cloud_run.private_access(args.network, args.egress),
            "containers": [
                {
                    "name": "worker",
                    "image": args.image,
                    "envs": cloud_run.environment(
                        {
                            **args.config.for_worker(args.worker_type, self.service),
                            # A worker pool has no container port from which Cloud Run would set it.
                            "PORT": str(WORKER_PORT),
                        },
                        args.secrets.references(args.worker_type),
                    ),
                    "resources": {"limits": cloud_run.limits(args.settings)},
                    "startup_probe": cloud_run.startup_probe(WORKER_PORT),
                    "liveness_probe": cloud_run.liveness_probe(WORKER_PORT),
                }
            ],
        }
        self.revision = cloud_run.revision_name(self.service, template)
        return gcp.cloudrunv2.WorkerPool(
            self.child("pool"),
            project=args.project,
            location=args.region,
            name=self.service,
            deletion_protection=args.protect,
            scaling={
                "scaling_mode": "AUTOMATIC",
                "min_instance_count": args.settings.min_instances,
                "max_instance_count": args.settings.max_instances,
            },
            template={**template, "revision": self.revision},
            instance_splits=[
                {
                    "type": "INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION",
                    "revision": share["revision"],
                    "percent": share["percent"],
                }
                for share in cloud_run.traffic(args.settings.traffic, self.revision)
            ],
            opts=self._rollout_options(),
        )

    def _rollout_options(self) -> ResourceOptions:
        args = self._args
        return self.options(
            cloud_run.rollout(
                args.after, args.secrets, args.worker_type, args.network, args.service_account
            )
        )

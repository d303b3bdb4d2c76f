"""The API in the cluster: Deployment, autoscaler, disruption budget, Service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import ResourceOptions

from components.base import PullComponent, Stage
from components.config.kubernetes import ClusterApi
from components.config.values import API_PORT
from components.kubernetes.objects import API, API_PRIORITY, metadata
from components.kubernetes.workload import ROLLOUT, Workload, named
from components.runtime_config import ConfigMaps
from components.secrets.manager import SecretManager
from components.workloads import Service
from resource_types import pull

DRAIN_SECONDS: Final = 20
"""A load balancer keeps sending requests for some seconds after a pod begins to terminate.

https://cloud.google.com/kubernetes-engine/docs/how-to/container-native-load-balancing
"""

GRACE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiArgs:
    """Inputs of :class:`Api`.

    Attributes:
        service: its name in traces and metrics, the same in every runtime.
        password_generation: of the database. A new generation creates new pods.
        after: resources that come first in the runbook's order.
    """

    settings: ClusterApi
    service: str
    password_generation: int
    config: ConfigMaps
    secrets: SecretManager
    after: list[pulumi.Resource]


class Api(PullComponent):
    """``pull-api`` on port 3001, behind the ingress."""

    rollout: list[pulumi.Resource]
    """The Deployment and its Service."""

    def __init__(self, name: str, args: ApiArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(pull.KUBERNETES_API, name, Stage.API, opts)
        workload = Workload(
            name=API,
            component="api",
            image=args.settings.image,
            size=args.settings,
            port=API_PORT,
            metrics_port=int(args.config.observability["METRICS_PORT"]),
            priority=API_PRIORITY,
            grace_seconds=GRACE_SECONDS,
            drain_seconds=DRAIN_SECONDS,
            config=args.config,
            variables={"OTEL_SERVICE_NAME": args.service},
            secrets=args.secrets.references(Service.API_ORIGIN),
            password_generation=args.password_generation,
        )
        deployment = kubernetes.apps.v1.Deployment(
            self.child("deployment"),
            metadata=named(workload),
            spec=workload.deployment(),
            opts=self.options(ResourceOptions(depends_on=args.after, custom_timeouts=ROLLOUT)),
        )
        after_deployment = self.options(ResourceOptions(depends_on=[deployment]))
        kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
            self.child("autoscaler"),
            metadata=named(workload, f"{API}-hpa"),
            spec=workload.autoscaler(),
            opts=after_deployment,
        )
        kubernetes.policy.v1.PodDisruptionBudget(
            self.child("disruption-budget"),
            metadata=named(workload),
            # Not min_available: with a single pod, its node could never be drained.
            spec={
                "selector": workload.selector,
                "max_unavailable": 1,
                # A pod that is not ready serves nobody, so it must not block draining its node.
                "unhealthy_pod_eviction_policy": "AlwaysAllow",
            },
            opts=after_deployment,
        )
        service = kubernetes.core.v1.Service(
            self.child("service"),
            metadata=metadata(
                API,
                labels=workload.labels,
                # Container-native: Google's load balancer connects to the pods directly.
                annotations={"cloud.google.com/neg": '{"ingress": true}'},
            ),
            spec={
                "type": "ClusterIP",
                "selector": workload.selected,
                "ports": [
                    {"name": "http", "port": 80, "target_port": "http", "protocol": "TCP"},
                ],
            },
            opts=after_deployment,
        )
        self.rollout = [deployment, service]
        self.register_outputs({"deployment": API})

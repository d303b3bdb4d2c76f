"""Temporal workers in the cluster: a Deployment and an autoscaler for each type of worker."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import ResourceOptions

from components.base import PullComponent, Stage
from components.config.kubernetes import GRACE_SECONDS, QueueDepth
from components.config.services import Worker
from components.config.values import WORKER_PORT
from components.kubernetes.objects import WORKER_PRIORITY
from components.kubernetes.workload import ROLLOUT, Workload, named
from components.names import worker_name
from components.runtime_config import ConfigMaps
from components.secrets.manager import SecretManager
from components.workloads import WorkerType
from resource_types import pull


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalWorkerArgs:
    """Inputs of :class:`TemporalWorker`.

    Attributes:
        service: its name in traces and metrics, the same in every runtime.
        image: image by digest or tag.
        activity_timeout_ms: maximum duration of an activity; a worker may finish it.
        queue_depth: the metric that scales the workers; the CPU if None.
        password_generation: of the database. A new generation creates new pods.
        after: resources that come first in the runbook's order.
    """

    worker_type: WorkerType
    service: str
    settings: Worker
    image: str
    activity_timeout_ms: int
    queue_depth: QueueDepth | None
    password_generation: int
    config: ConfigMaps
    secrets: SecretManager
    after: list[pulumi.Resource]


class TemporalWorker(PullComponent):
    """All pods of one type of worker. They have no Service: they poll Temporal."""

    rollout: pulumi.Resource

    def __init__(
        self, name: str, args: TemporalWorkerArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__(pull.KUBERNETES_TEMPORAL_WORKER, name, Stage.WORKERS, opts)
        workload = Workload(
            name=worker_name(args.worker_type),
            component="worker",
            image=args.image,
            size=args.settings,
            port=WORKER_PORT,
            metrics_port=int(args.config.observability["METRICS_PORT"]),
            priority=WORKER_PRIORITY,
            grace_seconds=math.ceil(args.activity_timeout_ms / 1000) + GRACE_SECONDS,
            config=args.config,
            variables={
                "OTEL_SERVICE_NAME": args.service,
                "WORKER_TYPE": args.worker_type.value,
            },
            secrets=args.secrets.references(args.worker_type),
            password_generation=args.password_generation,
        )
        deployment = kubernetes.apps.v1.Deployment(
            self.child("deployment"),
            metadata=named(workload),
            spec=workload.deployment(),
            opts=self.options(ResourceOptions(depends_on=args.after, custom_timeouts=ROLLOUT)),
        )
        kubernetes.autoscaling.v2.HorizontalPodAutoscaler(
            self.child("autoscaler"),
            metadata=named(workload, f"{workload.name}-hpa"),
            spec=workload.autoscaler(
                _waiting_tasks(args.queue_depth, args.worker_type) if args.queue_depth else None
            ),
            opts=self.options(ResourceOptions(depends_on=[deployment])),
        )
        self.rollout = deployment
        self.register_outputs({"deployment": workload.name})


def _waiting_tasks(
    depth: QueueDepth, worker_type: WorkerType
) -> kubernetes.autoscaling.v2.MetricSpecArgsDict:
    """The total of waiting tasks in the queues that this type of worker polls."""
    return {
        "type": "External",
        "external": {
            "metric": {
                "name": depth.metric,
                "selector": {
                    "match_expressions": [
                        {
                            "key": "metric.labels.task_queue",
                            "operator": "In",
                            "values": list(worker_type.task_queues),
                        }
                    ]
                },
            },
            "target": {
                "type": "AverageValue",
                "average_value": _quantity(depth.tasks_per_instance),
            },
        },
    }


def _quantity(number: int) -> str:
    """The canonical form that the API server returns; another form would look like drift.

    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
    """
    return str(number) if number % 1000 else f"{number // 1000}k"

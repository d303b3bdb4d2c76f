"""Temporal workers in the cluster: sizes, types, scaling, and time to finish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from components.secrets.catalogue import secrets_for
from components.workloads import WorkerType
from tests.recorder import estate

IMAGE = f"gcr.io/pull-production/pull-temporal-worker@sha256:{1:064}"
METRIC = "prometheus.googleapis.com|temporal_task_queue_depth|gauge"
FLEET = {
    worker_type.value: {
        "cpu": 1,
        "memory_gib": 1 + position % 4,
        "min_instances": 1 + position,
        "max_instances": 2 + position,
    }
    for position, worker_type in enumerate(WorkerType)
}


def deployment(worker_type: str = "all", **sections: Any) -> Mapping[str, Any]:
    return estate(runtime="kubernetes", **sections)[
        f"cluster-worker-{worker_type}-deployment"
    ].inputs


def test_deployment() -> None:
    found = deployment()
    assert found["metadata"]["name"] == "pull-temporal-worker"
    assert "replicas" not in found["spec"], "the autoscaler's to say"
    pod = found["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "pull-temporal-worker-sa"
    assert pod["priorityClassName"] == "pull-worker"
    (container,) = pod["containers"]
    assert container["image"] == IMAGE
    assert container["resources"]["limits"] == {"cpu": "4", "memory": "4Gi"}
    assert container["resources"]["requests"] == container["resources"]["limits"]
    assert [source["configMapRef"]["name"] for source in container["envFrom"]] == [
        "pull-shared-config",
        "pull-worker-config",
        "pull-redis-config",
        "pull-observability-config",
    ]
    assert container["env"][:2] == [
        {"name": "OTEL_SERVICE_NAME", "value": "pull-temporal-worker"},
        {"name": "WORKER_TYPE", "value": "all"},
    ]
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[name]["httpGet"]["port"] == 3002
    assert "lifecycle" not in container, "no load balancer sends it anything"


SAFE = "cluster-autoscaler.kubernetes.io/safe-to-evict"


@pytest.mark.parametrize(
    ("milliseconds", "grace", "safe"),
    [(600_000, 630, "false"), (570_000, 600, None), (60_500, 91, None)],
)
def test_an_activity_may_finish(milliseconds: int, grace: int, safe: str | None) -> None:
    config = {"worker": {"activity_start_to_close_timeout_ms": milliseconds}}
    template = deployment(runtime_config=config)["spec"]["template"]
    assert template["spec"]["terminationGracePeriodSeconds"] == grace
    # Ten minutes are what GKE gives to the pods of a node that it no longer needs.
    assert template["metadata"]["annotations"].get(SAFE) == safe


def test_eleven_types_each_with_its_own_size_secrets_and_account() -> None:
    for worker_type, size in FLEET.items():
        name = "pull-temporal-worker" + ("" if worker_type == "all" else f"-{worker_type}")
        found = deployment(worker_type, workers={"fleet": FLEET})
        assert found["metadata"]["name"] == name
        pod = found["spec"]["template"]["spec"]
        assert pod["serviceAccountName"] == f"{name}-sa"
        (container,) = pod["containers"]
        assert container["resources"]["limits"]["memory"] == f"{size['memory_gib']}Gi"
        secret = [variable["name"] for variable in container["env"] if "valueFrom" in variable]
        assert secret == sorted(variable.name for variable in secrets_for(WorkerType(worker_type)))


def autoscaler(worker_type: str = "all", **kubernetes: Any) -> Mapping[str, Any]:
    recording = estate(runtime="kubernetes", workers={"fleet": FLEET}, kubernetes=kubernetes)
    return recording[f"cluster-worker-{worker_type}-autoscaler"].inputs


def test_workers_follow_the_cpu() -> None:
    found = autoscaler("kyc")
    assert found["metadata"]["name"] == "pull-temporal-worker-kyc-hpa"
    assert (found["spec"]["minReplicas"], found["spec"]["maxReplicas"]) == (3, 4)
    (metric,) = found["spec"]["metrics"]
    assert metric["resource"]["target"] == {"type": "Utilization", "averageUtilization": 70}


def test_workers_follow_their_own_queues_where_there_is_a_metric() -> None:
    depth = {"metric": METRIC, "tasks_per_instance": 50}
    (metric,) = autoscaler("main", queue_depth=depth)["spec"]["metrics"]
    queues = ["pull-main", "pull-main-queue"]
    assert metric == {
        "type": "External",
        "external": {
            "metric": {
                "name": METRIC,
                "selector": {
                    "matchExpressions": [
                        {"key": "metric.labels.task_queue", "operator": "In", "values": queues}
                    ]
                },
            },
            "target": {"type": "AverageValue", "averageValue": "50"},
        },
    }


@pytest.mark.parametrize(("tasks", "written"), [(999, "999"), (1000, "1k"), (100_000, "100k")])
def test_a_depth_is_written_as_the_cluster_writes_it(tasks: int, written: str) -> None:
    depth = {"metric": METRIC, "tasks_per_instance": tasks}
    (metric,) = autoscaler("main", queue_depth=depth)["spec"]["metrics"]
    assert metric["external"]["target"]["averageValue"] == written


def test_workers_come_after_the_web() -> None:
    recording = estate(runtime="kubernetes")
    assert recording["cluster-worker-all-deployment"].waits_for == {
        "cluster-api-deployment",
        "cluster-api-service",
        "web-domain",
    }


def test_memory_of_a_worker_is_raised_by_its_setting() -> None:
    fleet = {"all": {"memory_gib": 8}}
    (container,) = deployment(workers={"fleet": fleet})["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["memory"] == "8Gi"

"""The API in the cluster: pods that pass the restricted standard, and what stands beside them."""

from __future__ import annotations

from typing import Any

from components.secrets.catalogue import secrets_for
from components.workloads import Service
from tests.recorder import estate

IMAGE = f"gcr.io/pull-production/pull-api@sha256:{2:064}"
OTHER_IMAGE = f"gcr.io/pull-production/pull-api@sha256:{3:064}"
SELECTOR = {"matchLabels": {"app.kubernetes.io/name": "pull-api"}}
METADATA: dict[str, Any] = {
    "name": "pull-api",
    "namespace": "pull",
    "labels": {
        "app.kubernetes.io/part-of": "pull",
        "app.kubernetes.io/name": "pull-api",
        "app.kubernetes.io/component": "api",
    },
    "annotations": {"pulumi.com/patchForce": "true"},
}


def probe(path: str, every: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": 3001},
        "periodSeconds": every,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def spread(key: str, otherwise: str, **more: str) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": otherwise,
        "labelSelector": SELECTOR,
        "matchLabelKeys": ["pod-template-hash"],
        **more,
    }


def test_deployment() -> None:
    deployment = estate(runtime="kubernetes")["cluster-api-deployment"]
    annotations = deployment.inputs["spec"]["template"]["metadata"]["annotations"]
    assert annotations["pull.com/password-generation"] == "1"
    assert len(annotations) == 2, "a checksum besides, and a node may be taken away under it"
    amount = {"cpu": "2", "memory": "2Gi"}
    container = {
        "name": "api",
        "image": IMAGE,
        "ports": [
            {"name": "http", "containerPort": 3001, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9090, "protocol": "TCP"},
        ],
        "envFrom": [
            {"configMapRef": {"name": f"pull-{short}-config"}}
            for short in ("shared", "api", "redis", "observability")
        ],
        "env": [
            {"name": "OTEL_SERVICE_NAME", "value": "pull-api"},
            *(
                {
                    "name": name,
                    "valueFrom": {"secretKeyRef": {"name": "pull-secrets", "key": name}},
                }
                for name in sorted(variable.name for variable in secrets_for(Service.API_ORIGIN))
            ),
        ],
        "resources": {"requests": amount, "limits": amount},
        "startupProbe": probe("/health/live", 10, 12),
        "readinessProbe": probe("/health/ready", 10, 3),
        "livenessProbe": probe("/health/live", 30, 3),
        "lifecycle": {"preStop": {"sleep": {"seconds": 20}}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    assert deployment.inputs == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": METADATA,
        "spec": {
            "selector": SELECTOR,
            "revisionHistoryLimit": 10,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0},
            },
            "template": {
                "metadata": {"labels": METADATA["labels"], "annotations": annotations},
                "spec": {
                    "serviceAccountName": "pull-api-sa",
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "priorityClassName": "pull-api",
                    "terminationGracePeriodSeconds": 60,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": 1000,
                        "runAsGroup": 1000,
                        "fsGroup": 1000,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "topologySpreadConstraints": [
                        spread(
                            "topology.kubernetes.io/zone",
                            "DoNotSchedule",
                            nodeTaintsPolicy="Honor",
                        ),
                        spread("kubernetes.io/hostname", "ScheduleAnyway"),
                    ],
                    "containers": [container],
                    "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "512Mi"}}],
                },
            },
        },
    }
    assert "network-policies-default-deny" in deployment.waits_for


def test_autoscaler_disruption_budget_and_service() -> None:
    recording = estate(runtime="kubernetes")
    assert recording["cluster-api-autoscaler"].inputs == {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {**METADATA, "name": "pull-api-hpa"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "pull-api"},
            "minReplicas": 2,
            "maxReplicas": 10,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": 70},
                    },
                }
            ],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
        },
    }
    assert recording["cluster-api-disruption-budget"].inputs == {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": METADATA,
        "spec": {
            "selector": SELECTOR,
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
    assert recording["cluster-api-service"].inputs == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            **METADATA,
            "annotations": {
                **METADATA["annotations"],
                "cloud.google.com/neg": '{"ingress": true}',
            },
        },
        "spec": {
            "type": "ClusterIP",
            "selector": SELECTOR["matchLabels"],
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        },
    }


def template(**sections: Any) -> dict[str, Any]:
    recording = estate(runtime="kubernetes", **sections)
    found: dict[str, Any] = recording["cluster-api-deployment"].inputs["spec"]["template"]
    return found


def test_a_changed_value_that_the_api_reads_makes_new_pods_and_another_does_not() -> None:
    def checksum(versions: dict[str, str] | None = None, **config: Any) -> str:
        found = template(runtime_config=config, secrets={"versions": versions or {}})
        return str(found["metadata"]["annotations"]["pull.com/config-checksum"])

    assert checksum(api={"body_limit_mib": 5}) != checksum()
    assert checksum(shared={"log_level": "debug"}) != checksum()
    assert checksum(worker={"concurrency": 1}) == checksum()
    assert checksum({"JWT_SECRET": "7"}) != checksum({"JWT_SECRET": "6"}) != checksum()
    assert checksum({"KALSHI_API_SECRET": "7"}) == checksum(), "a worker's"


def test_a_release_changes_the_image_and_nothing_else() -> None:
    before, after = template(), template(kubernetes={"api": {"image": OTHER_IMAGE}})
    (container,) = after["spec"]["containers"]
    assert container["image"] == OTHER_IMAGE
    assert after != before
    container["image"] = IMAGE
    assert after == before
    container["image"] = OTHER_IMAGE

"""What the API and the workers share in the cluster: pods, probes, autoscaling.

A pod complies with the restricted Pod Security Standard: it is not root, can write only to
``/tmp``, and has no capabilities and no token for the cluster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes

from components.config.services import Size
from components.kubernetes.config_maps import config_map_of, contents
from components.kubernetes.objects import (
    COMPONENT_LABEL,
    NAME_LABEL,
    SECRETS,
    account_of,
    checksum,
    metadata,
)
from components.runtime_config import ConfigMaps
from components.secrets.manager import SecretReference

Probe = kubernetes.core.v1.ProbeArgsDict

USER: Final = 1000
"""Uid of the users ``bun`` and ``node`` in their images; Kubernetes can verify only a number."""

TMP: Final = "/tmp"  # noqa: S108 - a volume of the pod, and the only folder that it can write to

ROLLOUT: Final = pulumi.CustomTimeouts(create="20m", update="20m")
"""Time for four waves of pods, each of which may wait for new nodes. The provider's default is ten
minutes (https://www.pulumi.com/registry/packages/kubernetes/api-docs/apps/v1/deployment/)."""

SCALE_DOWN_SECONDS: Final = 600
"""Grace period that the cluster autoscaler respects when it removes an underused node.

https://cloud.google.com/kubernetes-engine/docs/concepts/cluster-autoscaler
"""

REVISIONS: Final = 10
"""Old ReplicaSets to keep for ``kubectl rollout undo --to-revision``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A Deployment's pods.

    Attributes:
        name: name of the Deployment, and prefix of its pods' service account.
        component: ``api`` or ``worker``; also the short name of its ConfigMap.
        variables: variables of this workload that no ConfigMap holds.
        grace_seconds: time to terminate before the pod is killed.
        drain_seconds: time during which requests still arrive after termination has begun.
        password_generation: of the database. A new generation creates new pods.
    """

    name: str
    component: str
    image: str
    size: Size
    port: int
    metrics_port: int
    priority: str
    grace_seconds: int
    drain_seconds: int = 0
    config: ConfigMaps
    variables: Mapping[str, str]
    secrets: Sequence[SecretReference]
    password_generation: int

    @property
    def labels(self) -> Mapping[str, str]:
        return {NAME_LABEL: self.name, COMPONENT_LABEL: self.component}

    @property
    def selector(self) -> kubernetes.meta.v1.LabelSelectorArgsDict:
        return {"match_labels": self.selected}

    @property
    def selected(self) -> Mapping[str, str]:
        """A selector is immutable, so it contains only the name."""
        return {NAME_LABEL: self.name}

    def deployment(self) -> kubernetes.apps.v1.DeploymentSpecArgsDict:
        """The Deployment. The autoscaler owns the number of replicas, so it is not set here."""
        return {
            "selector": self.selector,
            "revision_history_limit": REVISIONS,
            "strategy": {
                "type": "RollingUpdate",
                # One pod at a time would take an hour for fifty workers.
                "rolling_update": {"max_surge": "25%", "max_unavailable": 0},
            },
            "template": {
                "metadata": {
                    "labels": {"app.kubernetes.io/part-of": "pull", **self.labels},
                    "annotations": self._annotations(),
                },
                "spec": self._pod(),
            },
        }

    def autoscaler(
        self, metric: kubernetes.autoscaling.v2.MetricSpecArgsDict | None = None
    ) -> kubernetes.autoscaling.v2.HorizontalPodAutoscalerSpecArgsDict:
        """Scales by ``metric``, or by the CPU; scales in after five minutes of low load."""
        return {
            "scale_target_ref": {
                "api_version": "apps/v1",
                "kind": "Deployment",
                "name": self.name,
            },
            "min_replicas": self.size.min_instances,
            "max_replicas": self.size.max_instances,
            "metrics": [
                metric
                or {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "average_utilization": 70},
                    },
                }
            ],
            "behavior": {"scale_down": {"stabilization_window_seconds": 300}},
        }

    def _annotations(self) -> Mapping[str, str]:
        """Replaces the pods when a value changes, and protects long-running pods from eviction."""
        annotations = {
            "pull.com/config-checksum": checksum(
                *self._config_maps().values(),
                {
                    reference.variable: f"{reference.secret_id}/{reference.version}"
                    for reference in self.secrets
                },
            ),
            "pull.com/password-generation": str(self.password_generation),
        }
        if self.grace_seconds > SCALE_DOWN_SECONDS:
            annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] = "false"
        return annotations

    def _config_maps(self) -> Mapping[str, Mapping[str, str]]:
        config_maps = contents(self.config)
        short_names = ("shared", self.component, "redis", "observability")
        return {short_name: config_maps[short_name] for short_name in short_names}

    def _pod(self) -> kubernetes.core.v1.PodSpecArgsDict:
        amount = {"cpu": str(self.size.cpu), "memory": f"{self.size.memory_gib}Gi"}
        container: kubernetes.core.v1.ContainerArgsDict = {
            "name": self.component,
            "image": self.image,
            "ports": [
                {"name": "http", "container_port": self.port, "protocol": "TCP"},
                {"name": "metrics", "container_port": self.metrics_port, "protocol": "TCP"},
            ],
            "env_from": [
                {"config_map_ref": {"name": config_map_of(short_name)}}
                for short_name in self._config_maps()
            ],
            "env": self._environment(),
            # Requests equal limits, as Autopilot would set them anyway.
            "resources": {"requests": amount, "limits": amount},
            "startup_probe": self._probe("/health/live", every=10, failures=12),
            "readiness_probe": self._probe("/health/ready", every=10, failures=3),
            "liveness_probe": self._probe("/health/live", every=30, failures=3),
            "security_context": {
                "allow_privilege_escalation": False,
                "read_only_root_filesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "volume_mounts": [{"name": "tmp", "mount_path": TMP}],
        }
        if self.drain_seconds:
            container["lifecycle"] = {"pre_stop": {"sleep": {"seconds": self.drain_seconds}}}
        return {
            "service_account_name": account_of(self.name),
            "automount_service_account_token": False,
            "enable_service_links": False,
            "priority_class_name": self.priority,
            "termination_grace_period_seconds": self.grace_seconds,
            "security_context": {
                "run_as_non_root": True,
                "run_as_user": USER,
                "run_as_group": USER,
                "fs_group": USER,
                "seccomp_profile": {"type": "RuntimeDefault"},
            },
            "topology_spread_constraints": [
                {
                    "max_skew": 1,
                    "topology_key": "topology.kubernetes.io/zone",
                    "when_unsatisfiable": "DoNotSchedule",
                    "label_selector": self.selector,
                    # Only pods of the same release count.
                    "match_label_keys": ["pod-template-hash"],
                    # A zone without usable nodes must not block pods in the other zones.
                    "node_taints_policy": "Honor",
                },
                {
                    "max_skew": 1,
                    "topology_key": "kubernetes.io/hostname",
                    "when_unsatisfiable": "ScheduleAnyway",
                    "label_selector": self.selector,
                    "match_label_keys": ["pod-template-hash"],
                },
            ],
            "containers": [container],
            "volumes": [{"name": "tmp", "empty_dir": {"size_limit": "512Mi"}}],
        }

    def _environment(self) -> Sequence[kubernetes.core.v1.EnvVarArgsDict]:
        """Variables of this workload, then its secrets, each sorted by name."""
        own: list[kubernetes.core.v1.EnvVarArgsDict] = [
            {"name": name, "value": value} for name, value in sorted(self.variables.items())
        ]
        secret: list[kubernetes.core.v1.EnvVarArgsDict] = [
            {
                "name": reference.variable,
                "value_from": {"secret_key_ref": {"name": SECRETS, "key": reference.variable}},
            }
            for reference in self.secrets
        ]
        return [*own, *secret]

    def _probe(self, path: str, *, every: int, failures: int) -> Probe:
        return {
            "http_get": {"path": path, "port": self.port},
            "period_seconds": every,
            "timeout_seconds": 5,
            "failure_threshold": failures,
        }


def named(workload: Workload, name: str | None = None) -> kubernetes.meta.v1.ObjectMetaArgsDict:
    """Metadata of an object of a workload; the name defaults to the workload's."""
    return metadata(name or workload.name, labels=workload.labels)

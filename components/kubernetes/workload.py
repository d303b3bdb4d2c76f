"""What the API and the workers have in common in the cluster: pods, probes, autoscaling.

A pod passes the restricted standard: not root, nothing but ``/tmp`` to write to, no capability, and
no token for the cluster.
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
from components.secrets.store import SecretReference

Probe = kubernetes.core.v1.ProbeArgsDict

USER: Final = 1000
"""Of ``bun`` and ``node`` in their images; a number, or nobody could tell that it is not root."""

TMP: Final = "/tmp"  # noqa: S108 - the one folder that a pod may write to, and its own

ROLLOUT: Final = pulumi.CustomTimeouts(create="20m", update="20m")
"""Four waves of pods, each on nodes that have to start first; the engine alone gives up after ten
minutes and calls that a failure."""

SCALE_DOWN_SECONDS: Final = 600
"""What GKE waits for the pods of a node that it takes away because too little runs there."""

REVISIONS: Final = 10
"""Old ReplicaSets that are kept: ``kubectl rollout undo --to-revision`` goes back to one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A Deployment's pods.

    Attributes:
        name: of the Deployment, of its container's service in traces, and of its pods' account.
        component: ``api`` or ``worker``; also the short name of its ConfigMap.
        variables: plain ones that no ConfigMap holds, because they are this workload's own.
        grace_seconds: time to end in, before it is ended.
        drain_seconds: time that requests still come in although it was asked to end.
        password_generation: of the database. A new one makes new pods, which read it.
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
        """A selector cannot be changed, so it holds the name and nothing that may."""
        return {NAME_LABEL: self.name}

    def deployment(self) -> kubernetes.apps.v1.DeploymentSpecArgsDict:
        """The Deployment. How many pods there are is the autoscaler's to say, and not said here."""
        return {
            "selector": self.selector,
            "revision_history_limit": REVISIONS,
            "strategy": {
                "type": "RollingUpdate",
                # One at a time, fifty workers would take an hour.
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
        """By ``metric``, or by the CPU. Fewer pods only after five quiet minutes."""
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
        """What makes new pods when it changes, and what keeps the node of one that needs long."""
        said = {
            "pull.com/config-checksum": checksum(
                *self._config_maps().values(),
                {one.variable: f"{one.secret_id}/{one.version}" for one in self.secrets},
            ),
            "pull.com/password-generation": str(self.password_generation),
        }
        if self.grace_seconds > SCALE_DOWN_SECONDS:
            said["cluster-autoscaler.kubernetes.io/safe-to-evict"] = "false"
        return said

    def _config_maps(self) -> Mapping[str, Mapping[str, str]]:
        held = contents(self.config)
        return {
            short: held[short] for short in ("shared", self.component, "redis", "observability")
        }

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
                {"config_map_ref": {"name": config_map_of(short)}} for short in self._config_maps()
            ],
            "env": self._environment(),
            # What is asked for is what is given: Autopilot would make them the same.
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
                    # Each release for itself: the pods that it replaces do not count.
                    "match_label_keys": ["pod-template-hash"],
                    # A zone whose nodes are all lost must not keep pods out of the others.
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
        """Its own variables, then its secrets and no others; sorted by name."""
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
    """Metadata of an object that belongs to a workload, by the workload's name or another."""
    return metadata(name or workload.name, labels=workload.labels)

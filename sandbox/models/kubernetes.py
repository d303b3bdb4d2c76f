"""Kubernetes: the objects of one cluster, with what the API server fills in and rejects.

Default values are those of Kubernetes 1.34: ``pkg/apis/*/*/defaults.go`` of
https://github.com/kubernetes/kubernetes.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from resource_types import kubernetes
from sandbox.kubernetes import is_namespaced
from sandbox.models.base import Reference, ResourceModel
from sandbox.resource import Resource
from sandbox.schema import record_of
from sandbox.values import UNKNOWN, Properties

_IMMUTABLE: Final[Mapping[str, tuple[str, ...]]] = {
    kubernetes.PRIORITY_CLASS: ("value", "preemptionPolicy"),
    kubernetes.STORAGE_CLASS: ("reclaimPolicy", "volumeBindingMode"),
    kubernetes.INGRESS_CLASS: ("spec.controller",),
}
"""Inputs that the API server refuses to change, and that the provider does not replace for.

``pkg/apis/{scheduling,storage,networking}/validation/validation.go`` of Kubernetes.
"""


def model_of(token: str) -> ResourceModel:
    """The model of a built-in type or of a custom resource."""
    if token == kubernetes.RELEASE:
        return _RELEASE
    namespaced = is_namespaced(token)
    cluster_scoped = token == kubernetes.NAMESPACE or not namespaced
    return ResourceModel(
        address=_address,
        short_address="{name}" if cluster_scoped else _address_in_same_namespace,
        server_defaults=lambda resource: _server_defaults(token, resource),
        unknown_in_preview=_unknown_in_preview(token),
        references=(*((_NAMESPACE,) if namespaced else ()), *_references_of_pods(token)),
        immutable=_IMMUTABLE.get(token, ()),
        forces_conflicts=_forces_conflicts,
    )


def _forces_conflicts(resource: Resource) -> bool:
    """Whether server-side apply takes fields from their owner.

    https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/
    """
    annotations = resource.get("metadata.annotations", {})
    return bool(annotations.get("pulumi.com/patchForce") == "true")


def _address(resource: Resource) -> str:
    namespace = resource.get("metadata.namespace")
    return f"{namespace}/{_name(resource)}" if namespace else _name(resource)


def _name(resource: Resource) -> str:
    """The name, or the one that the server generates from ``generateName``."""
    generated = f"{resource.get('metadata.generateName')}{resource.hexadecimal(5, 'name')}"
    return str(resource.get("metadata.name", generated))


def _address_in_same_namespace(resource: Resource) -> str:
    return f"{resource.get('metadata.namespace')}/{resource['name']}"


_NAMESPACE: Final = Reference(
    "metadata.namespace",
    kubernetes.NAMESPACE,
    "parent",
    predefined=frozenset({"default", "kube-system", "kube-public", "kube-node-lease"}),
)


def _references_of_pods(token: str) -> tuple[Reference, ...]:
    """What a pod needs to start; without it the provider waits until its timeout.

    Secrets are not among them, because an operator may create them at any time.
    """
    pod = record_of(token).pod_spec
    if pod is None:
        return ()
    return (
        Reference(
            f"{pod}.serviceAccountName",
            kubernetes.SERVICE_ACCOUNT,
            "must_exist",
            predefined=frozenset({"default"}),
        ),
        Reference(
            f"{pod}.priorityClassName",
            kubernetes.PRIORITY_CLASS,
            "must_exist",
            predefined=frozenset({"system-cluster-critical", "system-node-critical"}),
        ),
        Reference(
            f"{pod}.containers[].envFrom[].configMapRef.name", kubernetes.CONFIG_MAP, "must_exist"
        ),
        Reference(f"{pod}.volumes[].configMap.name", kubernetes.CONFIG_MAP, "must_exist"),
    )


def _unknown_in_preview(token: str) -> Properties:
    unknown: Properties = {
        "metadata": dict.fromkeys(("creationTimestamp", "resourceVersion", "uid"), UNKNOWN)
    }
    if token == kubernetes.SERVICE:
        unknown["spec"] = {"clusterIP": UNKNOWN}
    if token in _STATUSES:
        unknown["status"] = UNKNOWN
    return unknown


def _server_defaults(token: str, resource: Resource) -> Properties:
    version = resource.rng(f"version/{resource.updated}").randint(10**5, 10**9)
    defaults: Properties = {
        "metadata": {
            "creationTimestamp": f"{resource.created[:19]}Z",
            "name": _name(resource),
            "resourceVersion": str(version),
            "uid": resource.uuid("uid"),
        }
    }
    if token == kubernetes.NAMESPACE:
        defaults["metadata"]["labels"] = {"kubernetes.io/metadata.name": _name(resource)}
    if token == kubernetes.SECRET:
        defaults["type"] = "Opaque"
        defaults["data"] = {
            name: value if value == UNKNOWN else base64.b64encode(value.encode()).decode()
            for name, value in resource.get("stringData", {}).items()
        }
    if token in _SPECS:
        defaults["spec"] = _SPECS[token](resource)
    if token in _STATUSES:
        defaults["status"] = _STATUSES[token](resource)
    return defaults


def _pod(spec: Any) -> Properties:
    if not isinstance(spec, Mapping):
        return {}
    defaults: Properties = {
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }
    containers = {
        name: _for_each(spec[name], _container)
        for name in ("containers", "initContainers")
        if name in spec
    }
    if "serviceAccountName" in spec:
        defaults["serviceAccount"] = spec["serviceAccountName"]  # the deprecated name of the field
    return {**defaults, **containers}


def _container(container: Mapping[str, Any]) -> Properties:
    name, _, digest = str(container.get("image", "")).partition("@")
    tag = name.rpartition("/")[2].partition(":")[2] or "latest"
    defaults: Properties = {
        "imagePullPolicy": "Always" if tag == "latest" and not digest else "IfNotPresent",
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe in container:
            defaults[probe] = {
                **({"httpGet": {"scheme": "HTTP"}} if "httpGet" in container[probe] else {}),
                "failureThreshold": 3,
                "periodSeconds": 10,
                "successThreshold": 1,
                "timeoutSeconds": 1,
            }
    if "ports" in container:
        defaults["ports"] = _for_each(container["ports"], lambda _: {"protocol": "TCP"})
    return defaults


def _for_each(
    elements: Any, defaults: Callable[[Mapping[str, Any]], Properties]
) -> list[Properties]:
    """The defaults of each element; none for an element that is not known yet."""
    if not isinstance(elements, list):
        return []
    return [defaults(element) if isinstance(element, Mapping) else {} for element in elements]


def _deployment(resource: Resource) -> Properties:
    return {
        "progressDeadlineSeconds": 600,
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "strategy": _strategy(resource.get("spec.strategy.type", "RollingUpdate")),
        "template": {"spec": _pod(resource.get("spec.template.spec"))},
    }


def _strategy(name: str) -> Properties:
    if name != "RollingUpdate":
        return {"type": name}
    return {"type": name, "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}


def _autoscaler(resource: Resource) -> Properties:
    """Without a behavior, the controller has its own, and the object shows none."""
    if "behavior" not in resource.get("spec", {}):
        return {"minReplicas": 1}
    double = {"type": "Percent", "value": 100, "periodSeconds": 15}
    four_pods = {"type": "Pods", "value": 4, "periodSeconds": 15}
    up = {
        "policies": [four_pods, double],
        "selectPolicy": "Max",
        "stabilizationWindowSeconds": 0,
    }
    down = {"policies": [double], "selectPolicy": "Max"}
    return {"minReplicas": 1, "behavior": {"scaleUp": up, "scaleDown": down}}


def _stateful_set(resource: Resource) -> Properties:
    return {
        "podManagementPolicy": "OrderedReady",
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "template": {"spec": _pod(resource.get("spec.template.spec"))},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    }


def _daemon_set(resource: Resource) -> Properties:
    return {
        "revisionHistoryLimit": 10,
        "template": {"spec": _pod(resource.get("spec.template.spec"))},
        "updateStrategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
        },
    }


def _job(spec: Any) -> Properties:
    template = spec.get("template", {}) if isinstance(spec, Mapping) else {}
    return {
        "backoffLimit": 6,
        "completions": 1,
        "completionMode": "NonIndexed",
        "parallelism": 1,
        "suspend": False,
        "template": {"spec": _pod(template.get("spec"))},
    }


def _cron_job(resource: Resource) -> Properties:
    return {
        "concurrencyPolicy": "Allow",
        "failedJobsHistoryLimit": 1,
        "jobTemplate": {
            "spec": {"template": _job(resource.get("spec.jobTemplate.spec"))["template"]}
        },
        "successfulJobsHistoryLimit": 3,
        "suspend": False,
    }


def _service(resource: Resource) -> Properties:
    # The range that GKE assigns to Services: https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips
    high, low = resource.rng("service").randint(0, 15), resource.rng("low").randint(1, 254)
    address = f"34.118.{224 + high}.{low}"
    return {
        "clusterIP": address,
        "clusterIPs": [resource.get("spec.clusterIP", address)],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": _for_each(
            resource.get("spec.ports"),
            lambda port: {"protocol": "TCP", "targetPort": port.get("port")},
        ),
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }


def _rollout_status(resource: Resource) -> Properties:
    replicas = resource.get("spec.replicas", 1)
    counts = ("availableReplicas", "readyReplicas", "replicas", "updatedReplicas")
    return {
        **dict.fromkeys(counts, replicas),
        "conditions": [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
        ],
    }


def _load_balancer_status(resource: Resource) -> Properties:
    return {"loadBalancer": {"ingress": [{"ip": resource.public_address()}]}}


_SPECS: Final[dict[str, Callable[[Resource], Properties]]] = {
    kubernetes.HORIZONTAL_POD_AUTOSCALER: _autoscaler,
    kubernetes.CRON_JOB: _cron_job,
    kubernetes.DAEMON_SET: _daemon_set,
    kubernetes.DEPLOYMENT: _deployment,
    kubernetes.JOB: lambda resource: _job(resource.get("spec")),
    kubernetes.NAMESPACE: lambda _: {"finalizers": ["kubernetes"]},
    kubernetes.POD: lambda resource: _pod(resource.get("spec")),
    kubernetes.SERVICE: _service,
    kubernetes.STATEFUL_SET: _stateful_set,
}

_STATUSES: Final[dict[str, Callable[[Resource], Properties]]] = {
    kubernetes.DEPLOYMENT: _rollout_status,
    kubernetes.INGRESS: _load_balancer_status,
    kubernetes.JOB: lambda resource: {"succeeded": resource.get("spec.completions", 1)},
    kubernetes.NAMESPACE: lambda _: {"phase": "Active"},
    kubernetes.POD: lambda _: {"phase": "Running"},
    kubernetes.SERVICE: lambda resource: (
        _load_balancer_status(resource)
        if resource.get("spec.type") == "LoadBalancer"
        else {"loadBalancer": {}}
    ),
    kubernetes.STATEFUL_SET: _rollout_status,
}


# -- Helm ------------------------------------------------------------------------------------------


def _release_status(resource: Resource) -> Properties:
    return {
        "chart": resource.get("chart"),
        "name": resource.get("name"),
        "namespace": resource.get("namespace", "default"),
        "revision": 1,
        "status": "deployed",
        "version": resource.get("version", ""),
    }


_RELEASE: Final = ResourceModel(
    address=lambda resource: f"{resource.get('namespace', 'default')}/{resource.get('name')}",
    outputs={"status": _release_status},
    # A release may create its namespace itself, so the namespace need not exist.
)

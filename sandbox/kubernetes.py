"""What the sandbox knows of Kubernetes: one cluster, its objects, and how the provider treats them.

Naming, replacement and the treatment of live objects follow the provider's own source, version 4:
``provider/pkg/provider/{provider,diff}.go`` and ``provider/pkg/metadata/naming.go`` of
https://github.com/pulumi/pulumi-kubernetes. What the API server fills in is that of version 1.34.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

import yaml

from sandbox import admission, rules
from sandbox.model import ResourceModel, Use
from sandbox.resource import Resource
from sandbox.values import UNKNOWN, Properties, fill, is_special, reveal

NAMESPACE: Final = "kubernetes:core/v1:Namespace"
SERVICE_ACCOUNT: Final = "kubernetes:core/v1:ServiceAccount"
CONFIG_MAP: Final = "kubernetes:core/v1:ConfigMap"
SECRET: Final = "kubernetes:core/v1:Secret"
PRIORITY_CLASS: Final = "kubernetes:scheduling.k8s.io/v1:PriorityClass"
DEPLOYMENT: Final = "kubernetes:apps/v1:Deployment"
STATEFUL_SET: Final = "kubernetes:apps/v1:StatefulSet"
DAEMON_SET: Final = "kubernetes:apps/v1:DaemonSet"
JOB: Final = "kubernetes:batch/v1:Job"
CRON_JOB: Final = "kubernetes:batch/v1:CronJob"
POD: Final = "kubernetes:core/v1:Pod"
SERVICE: Final = "kubernetes:core/v1:Service"
INGRESS: Final = "kubernetes:networking.k8s.io/v1:Ingress"
AUTOSCALER: Final = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
RELEASE: Final = "kubernetes:helm.sh/v3:Release"

_CLUSTER_WIDE: Final = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CSINode",
        "CustomResourceDefinition",
        "FlowSchema",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
    }
)

_AUTONAMED: Final = "pulumi.com/autonamed"

_PODS: Final = {
    POD: "spec",
    DEPLOYMENT: "spec.template.spec",
    STATEFUL_SET: "spec.template.spec",
    DAEMON_SET: "spec.template.spec",
    JOB: "spec.template.spec",
    CRON_JOB: "spec.jobTemplate.spec.template.spec",
}
"""Where each kind says what its pods are."""

_REPLACES: Final[dict[str, tuple[str, ...]]] = {
    DEPLOYMENT: ("spec.selector",),
    DAEMON_SET: ("spec.selector",),
    STATEFUL_SET: (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    JOB: ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    SERVICE: ("spec.clusterIP",),
    SECRET: ("type",),
    "kubernetes:core/v1:PersistentVolumeClaim": (
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    "kubernetes:core/v1:ResourceQuota": ("spec.scopes",),
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": ("roleRef",),
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": ("roleRef",),
    "kubernetes:storage.k8s.io/v1:StorageClass": ("parameters", "provisioner"),
    RELEASE: ("name", "namespace"),
}

_FIXED: Final[dict[str, tuple[str, ...]]] = {
    PRIORITY_CLASS: ("value", "preemptionPolicy"),
    "kubernetes:storage.k8s.io/v1:StorageClass": ("reclaimPolicy", "volumeBindingMode"),
    "kubernetes:networking.k8s.io/v1:IngressClass": ("spec.controller",),
}
"""What the API server refuses to change although the provider tries to."""


# -- What the provider does ------------------------------------------------------------------------


def moves(old: Properties, new: Properties) -> tuple[str, ...]:
    """The provider's settings that lead to another cluster, where everything has to be made anew.

    An identifier on both sides decides alone; without it a kubeconfig that is not known yet, or
    whose current cluster looks different, counts as another one.
    """
    if "clusterIdentifier" in old and "clusterIdentifier" in new:
        return (
            () if old["clusterIdentifier"] == new["clusterIdentifier"] else ("clusterIdentifier",)
        )
    before, after = reveal(old.get("kubeconfig")), reveal(new.get("kubeconfig"))
    same = after != UNKNOWN and _current_cluster(before) == _current_cluster(after)
    return () if same else ("kubeconfig",)


def _current_cluster(kubeconfig: str | None) -> Any:
    try:
        config = yaml.safe_load(kubeconfig or "")
        named = {name: {each["name"]: each for each in config[name]} for name in _NAMED}
        context = named["contexts"][config["current-context"]]
        return named["clusters"][context["context"]["cluster"]]
    except (yaml.YAMLError, TypeError, KeyError):
        return kubeconfig


_NAMED: Final = ("clusters", "contexts")


def is_namespaced(token: str) -> bool:
    """Whether objects of the type live in a namespace.

    Of custom resources only their definition would tell; those that are named ``Cluster…`` do not.
    """
    kind = token.rpartition(":")[2].removesuffix("Patch")
    return kind not in _CLUSTER_WIDE and not kind.startswith("Cluster")


def complete(
    token: str, name: str, seed: bytes, old: Properties, inputs: Properties, settings: Properties
) -> Properties:
    """The inputs with the name and the namespace that the provider gives to what has none."""
    if token == RELEASE or inputs.get("metadata") == UNKNOWN:
        return inputs
    given = _metadata(inputs)
    added: Properties = {}
    if "name" not in given and "generateName" not in given:
        digits = hashlib.sha256(seed or secrets.token_bytes(16)).hexdigest()[:8]
        added["name"] = _metadata(old)["name"] if is_autonamed(old) else f"{name}-{digits}"
        added["annotations"] = {_AUTONAMED: "true"}
    if is_namespaced(token) and "namespace" not in given:
        added["namespace"] = settings.get("namespace", "default")
    return {**inputs, "metadata": fill(inputs.get("metadata", {}), added)}


def is_autonamed(inputs: Properties) -> bool:
    """Whether the provider made up the object's name."""
    annotations = _metadata(inputs).get("annotations")
    return isinstance(annotations, Mapping) and annotations.get(_AUTONAMED) == "true"


def keeps_its_name(old: Properties, new: Properties) -> bool:
    """Whether a replacement would collide with what it replaces, unless that is deleted first."""
    before, after = _metadata(old), _metadata(new)
    return not is_autonamed(new) and all(
        before.get(name) == after.get(name) for name in ("name", "namespace")
    )


def _metadata(inputs: Properties) -> Mapping[str, Any]:
    """The metadata without secret marks; empty where it is not known yet."""
    metadata = reveal(inputs.get("metadata", {}))
    return metadata if isinstance(metadata, Mapping) else {}


def replaces(token: str, new: Properties, settings: Properties) -> tuple[str, ...]:
    """The inputs of which a change makes the provider replace the object."""
    paths = ("metadata.name", "metadata.namespace", *_REPLACES.get(token, ()))
    if token == SECRET and (new.get("immutable") or not settings.get("enableSecretMutable")):
        return (*paths, "data", "stringData")
    if token == CONFIG_MAP and (new.get("immutable") or not settings.get("enableConfigMapMutable")):
        return (*paths, "data", "binaryData")
    return paths


def pruned(live: Any, wanted: Any) -> Any:
    """The live inputs without what the program never spoke of: others may set that as they like."""
    if isinstance(live, Mapping) and isinstance(wanted, Mapping) and not is_special(live):
        return {name: pruned(live[name], wanted[name]) for name in wanted if name in live}
    if isinstance(live, list) and isinstance(wanted, list):
        matched = [pruned(*pair) for pair in zip(live, wanted, strict=False)]
        return matched + live[len(matched) :]
    return live


# -- What the API server does ----------------------------------------------------------------------


def model_of(token: str) -> ResourceModel:
    """The kind of a type of Kubernetes' own, or of a custom resource."""
    if token == RELEASE:
        return _RELEASE
    namespaced = is_namespaced(token)
    name = "{name}" if token == NAMESPACE or not namespaced else _beside
    return ResourceModel(
        address=_place,
        bare=name,
        filled=lambda resource: _filled(token, resource),
        unknown=_unknown(token),
        uses=(*((_IN_NAMESPACE,) if namespaced else ()), *_uses_of_pods(token)),
        fixed=_FIXED.get(token, ()),
        insists=_insists,
        refused_late=(
            rules.object_name,
            *((rules.selected_labels,) if token in _PODS else ()),
            *admission.rules_of(token.rpartition(":")[2], _PODS.get(token)),
        ),
    )


def _insists(resource: Resource) -> bool:
    """The provider's leave to take a field from its owner, under server-side apply."""
    annotations = resource.get("metadata.annotations", {})
    return bool(annotations.get("pulumi.com/patchForce") == "true")


def _place(resource: Resource) -> str:
    namespace = resource.get("metadata.namespace")
    return f"{namespace}/{_name(resource)}" if namespace else _name(resource)


def _name(resource: Resource) -> str:
    """The given one, or what the server makes of ``generateName``."""
    made_up = f"{resource.get('metadata.generateName')}{resource.hexadecimal(5, 'name')}"
    return str(resource.get("metadata.name", made_up))


def _beside(resource: Resource) -> str:
    return f"{resource.get('metadata.namespace')}/{resource['name']}"


_IN_NAMESPACE: Final = Use(
    "metadata.namespace",
    NAMESPACE,
    "contained",
    given=frozenset({"default", "kube-system", "kube-public", "kube-node-lease"}),
)


def _uses_of_pods(token: str) -> tuple[Use, ...]:
    """Without these no pod starts, and the provider waits until its patience is at an end.

    Secrets are not among them: an operator may make one at any time.
    """
    pod = _PODS.get(token)
    if pod is None:
        return ()
    classes = frozenset({"system-cluster-critical", "system-node-critical"})
    return (
        Use(f"{pod}.serviceAccountName", SERVICE_ACCOUNT, "needs", given=frozenset({"default"})),
        Use(f"{pod}.priorityClassName", PRIORITY_CLASS, "needs", given=classes),
        Use(f"{pod}.containers[].envFrom[].configMapRef.name", CONFIG_MAP, "needs"),
        Use(f"{pod}.volumes[].configMap.name", CONFIG_MAP, "needs"),
    )


def _unknown(token: str) -> Properties:
    unknown: Properties = {
        "metadata": dict.fromkeys(("creationTimestamp", "resourceVersion", "uid"), UNKNOWN)
    }
    if token == SERVICE:
        unknown["spec"] = {"clusterIP": UNKNOWN}
    if token in _STATUSES:
        unknown["status"] = UNKNOWN
    return unknown


def _filled(token: str, resource: Resource) -> Properties:
    filled: Properties = {
        "metadata": {
            "creationTimestamp": f"{resource.created[:19]}Z",
            "name": _name(resource),
            "resourceVersion": str(
                resource.dice(f"version/{resource.updated}").randint(10**5, 10**9)
            ),
            "uid": resource.uuid("uid"),
        }
    }
    if token == NAMESPACE:
        filled["metadata"]["labels"] = {"kubernetes.io/metadata.name": _name(resource)}
    if token == SECRET:
        filled["type"] = "Opaque"
        filled["data"] = {
            name: value if value == UNKNOWN else base64.b64encode(value.encode()).decode()
            for name, value in resource.get("stringData", {}).items()
        }
    if token in _SPECS:
        filled["spec"] = _SPECS[token](resource)
    if token in _STATUSES:
        filled["status"] = _STATUSES[token](resource)
    return filled


def _pod(spec: Any) -> Properties:
    if not isinstance(spec, Mapping):
        return {}
    filled = {
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }
    containers = {
        name: _each(spec[name], _container)
        for name in ("containers", "initContainers")
        if name in spec
    }
    return {**filled, **containers}


def _container(container: Mapping[str, Any]) -> Properties:
    name, _, digest = str(container.get("image", "")).partition("@")
    tag = name.rpartition("/")[2].partition(":")[2] or "latest"
    filled: Properties = {
        "imagePullPolicy": "Always" if tag == "latest" and not digest else "IfNotPresent",
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe in container:
            filled[probe] = {
                "failureThreshold": 3,
                "periodSeconds": 10,
                "successThreshold": 1,
                "timeoutSeconds": 1,
            }
    if "ports" in container:
        filled["ports"] = _each(container["ports"], lambda _: {"protocol": "TCP"})
    return filled


def _each(values: Any, fill: Callable[[Mapping[str, Any]], Properties]) -> list[Properties]:
    """One for each element; nothing for those that are not known yet."""
    if not isinstance(values, list):
        return []
    return [fill(value) if isinstance(value, Mapping) else {} for value in values]


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
    # The range that GKE gives to services; https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips
    high, low = resource.dice("service").randint(0, 15), resource.dice("low").randint(1, 254)
    address = f"34.118.{224 + high}.{low}"
    return {
        "clusterIP": address,
        "clusterIPs": [resource.get("spec.clusterIP", address)],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": _each(
            resource.get("spec.ports"),
            lambda port: {"protocol": "TCP", "targetPort": port.get("port")},
        ),
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }


def _rolled_out(resource: Resource) -> Properties:
    replicas = resource.get("spec.replicas", 1)
    counts = ("availableReplicas", "readyReplicas", "replicas", "updatedReplicas")
    return {
        **dict.fromkeys(counts, replicas),
        "conditions": [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
        ],
    }


def _balanced(resource: Resource) -> Properties:
    return {"loadBalancer": {"ingress": [{"ip": resource.public_address()}]}}


_SPECS: Final[dict[str, Callable[[Resource], Properties]]] = {
    AUTOSCALER: lambda _: {"minReplicas": 1},
    CRON_JOB: _cron_job,
    DAEMON_SET: _daemon_set,
    DEPLOYMENT: _deployment,
    JOB: lambda resource: _job(resource.get("spec")),
    NAMESPACE: lambda _: {"finalizers": ["kubernetes"]},
    POD: lambda resource: _pod(resource.get("spec")),
    SERVICE: _service,
    STATEFUL_SET: _stateful_set,
}

_STATUSES: Final[dict[str, Callable[[Resource], Properties]]] = {
    DEPLOYMENT: _rolled_out,
    INGRESS: _balanced,
    JOB: lambda resource: {"succeeded": resource.get("spec.completions", 1)},
    NAMESPACE: lambda _: {"phase": "Active"},
    POD: lambda _: {"phase": "Running"},
    SERVICE: lambda resource: (
        _balanced(resource) if resource.get("spec.type") == "LoadBalancer" else {"loadBalancer": {}}
    ),
    STATEFUL_SET: _rolled_out,
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
    # It may make its namespace itself, so that need not be there.
)

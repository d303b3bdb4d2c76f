"""Kubernetes: workloads by the Pod Security Standards, ConfigMaps, and External Secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.framework.credentials import CREDENTIAL, NO_CREDENTIAL
from policies.framework.demands import (
    IMAGE_BY_DIGEST,
    IMAGE_BY_DIGEST_OR_TAG,
    NOT_ALLOWED,
    NOT_EMPTY,
    at_least,
    equal,
    matches,
    none_of,
    one_of,
)
from policies.framework.paths import ABSENT, PROTECT, Finding, View
from policies.framework.rules import Check, Custom, ForEach, Must, ResourceRule, SetValue, Severity
from resource_types import RESOURCE_TYPES, gcp, kubernetes
from resource_types.limits import SECRET_NAME

NAMESPACE: Final = "pull"

ACCOUNT_ANNOTATION: Final = "iam.gke.io/gcp-service-account"
"""The Google service account that a Kubernetes service account acts as.

https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity
"""

EXTERNAL_SECRETS: Final = (kubernetes.EXTERNAL_SECRET, kubernetes.EXTERNAL_SECRET_V1BETA1)
SECRET_STORES: Final = (kubernetes.SECRET_STORE, kubernetes.SECRET_STORE_V1BETA1)
POD_SPECS: Final = {
    token: record.pod_spec
    for token, record in RESOURCE_TYPES.items()
    if record.pod_spec and token.startswith("kubernetes:")
}
"""Workloads, and where each has its pod."""

WORKLOADS: Final = tuple(POD_SPECS)
LONG_RUNNING: Final = (kubernetes.DEPLOYMENT, kubernetes.STATEFUL_SET, kubernetes.DAEMON_SET)

STANDARDS: Final = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
DOCS: Final = "https://kubernetes.io/docs/concepts"


POD_SECURITY: Final = "pod-security.kubernetes.io/"

PROVIDER_ANNOTATIONS: Final = {"pulumi.com/patchForce": "true"}
"""What every object has. https://www.pulumi.com/registry/packages/kubernetes/annotations/"""

_GENERATION: Final = {"pull.com/password-generation": r"[1-9]\d*"}

ANNOTATIONS: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    kubernetes.DEPLOYMENT: {
        "metadata": {},
        "spec.template.metadata": {
            "pull.com/config-checksum": "[0-9a-f]{16}",
            **_GENERATION,
            "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
        },
    },
    kubernetes.EXTERNAL_SECRET: {
        "metadata": {**_GENERATION, "pulumi.com/waitFor": "condition=Ready"}
    },
    kubernetes.INGRESS: {
        "metadata": {
            "kubernetes.io/ingress.class": "gce",
            "kubernetes.io/ingress.allow-http": "false",
            "kubernetes.io/ingress.global-static-ip-name": "pull-[a-z0-9-]+",
            "ingress.gcp.kubernetes.io/pre-shared-cert": "pull-[a-z0-9-]+",
        }
    },
    kubernetes.SERVICE: {"metadata": {"cloud.google.com/neg": r'\{"ingress": true\}'}},
    kubernetes.SERVICE_ACCOUNT: {"metadata": {ACCOUNT_ANNOTATION: r"pull-[a-z0-9-]+@.+"}},
}
"""The annotations of a type, by the path of the metadata, and the patterns of their values."""

OPTIONAL_ANNOTATIONS: Final = ("cluster-autoscaler.kubernetes.io/safe-to-evict",)
"""``stack-cluster-consistent`` knows which pods need it."""

NAMESPACED: Final = (
    kubernetes.CONFIG_MAP,
    kubernetes.DEPLOYMENT,
    kubernetes.EXTERNAL_SECRET,
    kubernetes.HORIZONTAL_POD_AUTOSCALER,
    kubernetes.INGRESS,
    kubernetes.NETWORK_POLICY,
    kubernetes.POD_DISRUPTION_BUDGET,
    kubernetes.SECRET_STORE,
    kubernetes.SERVICE,
    kubernetes.SERVICE_ACCOUNT,
)
"""The types of the objects that the estate creates in its namespace."""

OBJECTS: Final = (kubernetes.NAMESPACE, kubernetes.PRIORITY_CLASS, *NAMESPACED)
"""The types of all objects that the estate creates in the cluster."""


def _pod(*checks: Check) -> tuple[Check, ...]:
    return (ForEach(POD_SPECS, checks),)


def _containers(*checks: Check) -> tuple[Check, ...]:
    """Checks of all containers of a pod, including init containers."""
    return _pod(ForEach("containers[]", checks), ForEach("initContainers[]", checks))


def texts(view: View, path: str) -> set[str]:
    """The values at ``path`` as text."""
    return {str(value) for value in view.all(path)}


def _not_root(view: View) -> Iterator[Finding]:
    pod = view.get("securityContext.runAsNonRoot")
    for group in ("containers", "initContainers"):
        for container in view.parts(f"{group}[]"):
            if container.get("securityContext.runAsNonRoot", pod) is not True:
                yield container.finding("securityContext.runAsNonRoot", "must be true")
            if container.get("securityContext.runAsUser") == 0:
                yield container.finding("securityContext.runAsUser", "must not be 0")


def _seccomp(view: View) -> Iterator[Finding]:
    pod = view.get("securityContext.seccompProfile.type")
    for group in ("containers", "initContainers"):
        for container in view.parts(f"{group}[]"):
            profile = container.get("securityContext.seccompProfile.type", pod)
            if profile not in ("RuntimeDefault", "Localhost"):
                text = "must be RuntimeDefault"
                yield container.finding("securityContext.seccompProfile.type", text)


def _drops_all(view: View) -> Iterator[Finding]:
    if "ALL" not in texts(view, "securityContext.capabilities.drop[]"):
        yield view.finding("securityContext.capabilities.drop", "must contain ALL")
    if texts(view, "securityContext.capabilities.add[]") - {"NET_BIND_SERVICE"}:
        yield view.finding(
            "securityContext.capabilities.add", "must not have more than NET_BIND_SERVICE"
        )


def _plain_variable(view: View) -> Iterator[Finding]:
    if SECRET_NAME.search(str(view.get("name", ""))) and view.get("value") is not None:
        yield view.finding(
            "value", "must come from valueFrom.secretKeyRef, because its name looks like a secret"
        )


def _config_map(view: View) -> Iterator[Finding]:
    data = view.get("data", {})
    for key, value in data.items() if isinstance(data, Mapping) else ():
        if SECRET_NAME.search(key) or CREDENTIAL.search(str(value)):
            yield view.finding("data", "must hold no secret-looking name and no credential")


def _store(view: View) -> Iterator[Finding]:
    allowed = view.config.get("stores", ["pull-gcp-secret-store"])
    if view.get("spec.secretStoreRef.name") not in allowed:
        yield view.finding("spec.secretStoreRef.name", f"must be one of {', '.join(allowed)}")


def _restricted(view: View) -> Iterator[Finding]:
    labels = view.get("metadata.labels", {})
    if not isinstance(labels, Mapping):
        labels = {}
    for mode in ("enforce", "audit", "warn"):
        label = f"{POD_SECURITY}{mode}"
        if labels.get(label) != "restricted":
            yield view.finding("metadata.labels", f"must have {label}: restricted")
        elif not re.fullmatch(r"v1\.\d+", str(labels.get(f"{label}-version"))):
            text = f"must have {label}-version, such as v1.34, which a cluster upgrade keeps"
            yield view.finding("metadata.labels", text)
    for label in labels:
        if not label.startswith((POD_SECURITY, "app.kubernetes.io/")):
            yield view.finding("metadata.labels", f"must not have {label}")


def annotations_of(view: View, path: str = "metadata") -> Mapping[str, Any]:
    """The annotations of an object, or of its pods."""
    found = view.get(f"{path}.annotations")
    return found if isinstance(found, Mapping) else {}


def _annotations(view: View) -> Iterator[Finding]:
    """Annotations that change what the provider, the cluster or an operator does."""
    for path, declared in ANNOTATIONS.get(view.type, {"metadata": {}}).items():
        expected = {**(PROVIDER_ANNOTATIONS if path == "metadata" else {}), **declared}
        found = annotations_of(view, path)
        for name, pattern in expected.items():
            needed = name in found or name not in OPTIONAL_ANNOTATIONS
            if needed and not re.fullmatch(pattern, str(found.get(name))):
                text = f"must have {name} of the form {pattern}"
                yield view.finding(f"{path}.annotations", text)
        for name in sorted(found.keys() - expected.keys()):
            yield view.finding(f"{path}.annotations", f"must not have {name}")


RULES: Final = (
    # -- Pod Security Standards: baseline --------------------------------------------------------
    ResourceRule(
        id="k8s-not-privileged",
        severity=Severity.CRITICAL,
        what="No container is privileged.",
        fix="Remove securityContext.privileged.",
        url=STANDARDS,
        frameworks=("PSS baseline", "CKV_K8S_16", "Trivy KSV-0017"),
        types=WORKLOADS,
        checks=_containers(Must("securityContext.privileged", equal(False), optional=True)),
    ),
    ResourceRule(
        id="k8s-no-host-namespaces",
        severity=Severity.HIGH,
        what="A pod does not share the process, IPC or network namespace of its node.",
        fix="Remove hostPID, hostIPC and hostNetwork.",
        url=STANDARDS,
        frameworks=(
            "PSS baseline",
            *(f"CKV_K8S_{number}" for number in (17, 18, 19)),
            *(f"Trivy KSV-{number}" for number in ("0008", "0009", "0010")),
        ),
        types=WORKLOADS,
        checks=_pod(
            *(Must(name, equal(False), True) for name in ("hostPID", "hostIPC", "hostNetwork"))
        ),
    ),
    ResourceRule(
        id="k8s-no-host-path",
        severity=Severity.HIGH,
        what="No pod mounts the file system of its node.",
        fix="Use another type of volume.",
        url=STANDARDS,
        frameworks=("PSS baseline", "CKV_K8S_27", "Trivy KSV-0023"),
        types=WORKLOADS,
        checks=_pod(
            ForEach(
                "volumes[]",
                (Must("hostPath", NOT_ALLOWED, optional=True),),
            )
        ),
    ),
    ResourceRule(
        id="k8s-no-host-port",
        severity=Severity.MEDIUM,
        what="No container uses a port of its node.",
        fix="Remove hostPort, and use a Service.",
        url=STANDARDS,
        frameworks=("PSS baseline", "CKV_K8S_26", "Trivy KSV-0024"),
        types=WORKLOADS,
        checks=_containers(Must("ports[].hostPort", equal(0, 8080), optional=True)),
    ),
    # -- Pod Security Standards: restricted ------------------------------------------------------
    ResourceRule(
        id="k8s-not-root",
        severity=Severity.HIGH,
        what="No container runs as root.",
        fix="Set securityContext.runAsNonRoot to true in the pod.",
        url=STANDARDS,
        frameworks=("PSS restricted", "CKV_K8S_23", "Trivy KSV-0012"),
        types=WORKLOADS,
        checks=_pod(
            Custom(
                _not_root,
                ("securityContext.runAsNonRoot", "containers[].securityContext.runAsUser"),
                (
                    SetValue("securityContext.runAsNonRoot", ABSENT),
                    SetValue("containers[].securityContext.runAsNonRoot", False),
                    SetValue("containers[].securityContext.runAsUser", 0),
                ),
            )
        ),
    ),
    ResourceRule(
        id="k8s-no-privilege-escalation",
        severity=Severity.HIGH,
        what="No process can gain more privileges than its parent.",
        fix="Set securityContext.allowPrivilegeEscalation to false.",
        url=STANDARDS,
        frameworks=("PSS restricted", "CKV_K8S_20", "Trivy KSV-0001"),
        types=WORKLOADS,
        checks=_containers(Must("securityContext.allowPrivilegeEscalation", equal(False))),
    ),
    ResourceRule(
        id="k8s-no-capabilities",
        severity=Severity.MEDIUM,
        what="A container drops all capabilities.",
        fix='Set securityContext.capabilities.drop to ["ALL"].',
        url=STANDARDS,
        frameworks=("PSS restricted", "CKV_K8S_37", "Trivy KSV-0003"),
        types=WORKLOADS,
        checks=_containers(
            Custom(
                _drops_all,
                ("securityContext.capabilities.drop[]", "securityContext.capabilities.add[]"),
                (
                    SetValue("securityContext.capabilities.drop", ["NET_RAW"]),
                    SetValue("securityContext.capabilities", ABSENT),
                    SetValue("securityContext.capabilities.add", ["SYS_ADMIN"]),
                ),
            )
        ),
    ),
    ResourceRule(
        id="k8s-seccomp",
        severity=Severity.MEDIUM,
        what="A container uses the runtime's default seccomp profile.",
        fix="Set securityContext.seccompProfile.type to RuntimeDefault in the pod.",
        url=STANDARDS,
        frameworks=("PSS restricted", "CKV_K8S_31", "Trivy KSV-0030"),
        types=WORKLOADS,
        checks=_pod(
            Custom(
                _seccomp,
                ("securityContext.seccompProfile.type",),
                (
                    SetValue("securityContext.seccompProfile", ABSENT),
                    SetValue("securityContext.seccompProfile.type", "Unconfined"),
                    SetValue("containers[].securityContext.seccompProfile", {"type": "Unconfined"}),
                ),
            )
        ),
    ),
    # -- operations ------------------------------------------------------------------------------
    ResourceRule(
        id="k8s-resources",
        severity=Severity.MEDIUM,
        what="A container sets resource requests and limits.",
        fix="Set resources.requests and resources.limits for cpu and memory.",
        url=f"{DOCS}/configuration/manage-resources-containers/",
        frameworks=tuple(f"CKV_K8S_{number}" for number in (10, 11, 12, 13)),
        types=WORKLOADS,
        checks=_containers(
            *(
                Must(f"resources.{section}.{resource}", NOT_EMPTY)
                for section in ("requests", "limits")
                for resource in ("cpu", "memory")
            )
        ),
    ),
    ResourceRule(
        id="k8s-read-only-root",
        severity=Severity.MEDIUM,
        what="The root file system of a container is read-only.",
        fix="Set securityContext.readOnlyRootFilesystem, and mount an emptyDir for writable paths.",
        url=f"{DOCS}/security/security-checklist/",
        frameworks=("CKV_K8S_22", "Trivy KSV-0014"),
        types=WORKLOADS,
        checks=_containers(Must("securityContext.readOnlyRootFilesystem", equal(True))),
    ),
    ResourceRule(
        id="k8s-probes",
        severity=Severity.MEDIUM,
        what="A container has a liveness probe and a readiness probe.",
        fix="Set livenessProbe and readinessProbe.",
        url=f"{DOCS}/configuration/liveness-readiness-startup-probes/",
        frameworks=("CKV_K8S_8", "CKV_K8S_9"),
        types=LONG_RUNNING,
        checks=(
            ForEach(
                {token: POD_SPECS[token] for token in LONG_RUNNING},
                (
                    Must("containers[].livenessProbe", NOT_EMPTY),
                    Must("containers[].readinessProbe", NOT_EMPTY),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="k8s-image-tag-or-digest",
        severity=Severity.MEDIUM,
        what="An image is referenced by a digest or by a release tag.",
        fix="Set the image to image@sha256:…, or to a release tag.",
        url=f"{DOCS}/containers/images/",
        frameworks=("CKV_K8S_14", "Trivy KSV-0013"),
        types=WORKLOADS,
        checks=_containers(Must("image", IMAGE_BY_DIGEST_OR_TAG)),
    ),
    ResourceRule(
        id="k8s-image-digest",
        severity=Severity.HIGH,
        what="An image is referenced by its digest, because a tag can move after the review.",
        fix="Set the image to image@sha256:….",
        url=f"{DOCS}/containers/images/",
        frameworks=("CKV_K8S_43",),
        types=WORKLOADS,
        checks=_containers(Must("image", IMAGE_BY_DIGEST)),
    ),
    ResourceRule(
        id="k8s-no-default-namespace",
        severity=Severity.MEDIUM,
        what="No object is in the default namespace.",
        fix="Set metadata.namespace.",
        url=f"{DOCS}/overview/working-with-objects/namespaces/",
        frameworks=("CKV_K8S_21", "Trivy KSV-0110"),
        types=(*WORKLOADS, kubernetes.SECRET, kubernetes.CONFIG_MAP, kubernetes.NETWORK_POLICY),
        checks=(
            Must("metadata.namespace", NOT_EMPTY),
            Must("metadata.namespace", none_of("default")),
        ),
    ),
    ResourceRule(
        id="k8s-no-service-account-token",
        severity=Severity.MEDIUM,
        what="A pod that does not call the Kubernetes API mounts no token.",
        fix="Set automountServiceAccountToken to false.",
        url="https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/",
        frameworks=("CKV_K8S_38", "Trivy KSV-0036"),
        types=WORKLOADS,
        checks=_pod(Must("automountServiceAccountToken", equal(False))),
    ),
    ResourceRule(
        id="k8s-dedicated-service-account",
        severity=Severity.MEDIUM,
        what="A pod has a dedicated service account.",
        fix="Set serviceAccountName.",
        url=f"{DOCS}/security/service-accounts/",
        frameworks=("CKV_K8S_41",),
        types=WORKLOADS,
        checks=_pod(
            Must("serviceAccountName", NOT_EMPTY), Must("serviceAccountName", none_of("default"))
        ),
    ),
    ResourceRule(
        id="k8s-autoscaler-minimum",
        severity=Severity.MEDIUM,
        what="An autoscaler keeps at least two pods.",
        fix="Set spec.minReplicas to 2 or more.",
        url="https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/",
        types=(kubernetes.HORIZONTAL_POD_AUTOSCALER,),
        checks=(Must("spec.minReplicas", at_least(2)), Must("spec.maxReplicas", at_least(2))),
    ),
    ResourceRule(
        id="k8s-no-public-service",
        severity=Severity.HIGH,
        what="No Service has a public address.",
        fix="Use ClusterIP, behind an Ingress.",
        url=f"{DOCS}/services-networking/service/",
        types=(kubernetes.SERVICE,),
        checks=(
            Must(
                "spec.type",
                one_of("ClusterIP", refused=("LoadBalancer", "NodePort", "ExternalName")),
                optional=True,
            ),
            Must("spec.externalIPs", NOT_ALLOWED, optional=True),
        ),
    ),
    # -- secrets ---------------------------------------------------------------------------------
    ResourceRule(
        id="k8s-secrets-by-reference",
        severity=Severity.CRITICAL,
        what="A variable with a secret-looking name comes from a Secret.",
        fix="Use valueFrom.secretKeyRef, or envFrom with the Secret of an ExternalSecret.",
        url=f"{DOCS}/configuration/secret/",
        frameworks=("CKV_K8S_35",),
        types=WORKLOADS,
        checks=_containers(
            ForEach(
                "env[]",
                (
                    Custom(
                        _plain_variable,
                        ("name", "value"),
                        (
                            SetValue("", {"name": "STRIPE_SECRET_KEY", "value": "plain"}),
                            SetValue("", {"name": "REDIS_URL", "value": "plain"}),
                        ),
                    ),
                    Must("value", NO_CREDENTIAL, optional=True),
                ),
            )
        ),
    ),
    ResourceRule(
        id="k8s-config-map-no-secret",
        severity=Severity.CRITICAL,
        what="No ConfigMap holds a secret.",
        fix="Add the variable to the catalogue: an ExternalSecret provides it.",
        url=f"{DOCS}/configuration/configmap/",
        types=(kubernetes.CONFIG_MAP,),
        checks=(
            Custom(
                _config_map,
                ("data",),
                (SetValue("data.JWT_SECRET", "plain"), SetValue("data.DATABASE_URL", "plain")),
            ),
        ),
    ),
    ResourceRule(
        id="eso-store-known",
        severity=Severity.HIGH,
        what="An ExternalSecret uses a known store.",
        fix="Set spec.secretStoreRef to one of the stores in the rule's settings.",
        url="https://external-secrets.io/latest/api/externalsecret/",
        types=EXTERNAL_SECRETS,
        checks=(
            Custom(
                _store,
                ("spec.secretStoreRef.name",),
                (
                    SetValue("spec.secretStoreRef.name", "unknown-store"),
                    SetValue("spec.secretStoreRef", ABSENT),
                ),
            ),
        ),
        settings={
            "stores": {
                "type": "array",
                "items": {"type": "string", "pattern": r"pull-[a-z-]+"},
                "default": ["pull-gcp-secret-store"],
            }
        },
    ),
    ResourceRule(
        id="eso-refresh-interval",
        severity=Severity.HIGH,
        what="An ExternalSecret is refreshed at least every hour.",
        fix='Set spec.refreshInterval to "1h" or less.',
        url="https://external-secrets.io/latest/api/externalsecret/",
        types=EXTERNAL_SECRETS,
        checks=(
            Must(
                "spec.refreshInterval",
                matches(
                    r"1h(0m)?(0s)?|([1-9]|[1-5]\d|60)m(0s)?",
                    "must be a minute to an hour",
                    ("0", "1s", "24h"),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="eso-workload-identity",
        severity=Severity.CRITICAL,
        what="A store authenticates by workload identity, without a key file.",
        fix="Use spec.provider.gcpsm.auth.workloadIdentity.",
        url="https://external-secrets.io/latest/provider/google-secrets-manager/",
        types=SECRET_STORES,
        checks=(
            Must("spec.provider.gcpsm.auth.secretRef", NOT_ALLOWED, optional=True),
            Must("spec.provider.gcpsm.auth.workloadIdentity", NOT_EMPTY),
        ),
    ),
    ResourceRule(
        id="k8s-namespace-restricted",
        severity=Severity.MEDIUM,
        what="A namespace enforces the restricted Pod Security Standard, in a fixed version, and "
        "no label changes its pods.",
        fix="Label it pod-security.kubernetes.io/enforce, audit and warn: restricted, each with "
        "its version.",
        url="https://kubernetes.io/docs/concepts/security/pod-security-admission/",
        types=(kubernetes.NAMESPACE,),
        checks=(
            Custom(
                _restricted,
                ("metadata.labels",),
                (
                    SetValue("metadata.labels", {}),
                    SetValue("metadata.labels", ABSENT),
                    SetValue(
                        "metadata.labels", {"pod-security.kubernetes.io/enforce": "restricted"}
                    ),
                    *(
                        SetValue(
                            "metadata.labels",
                            {
                                "pod-security.kubernetes.io/enforce": level,
                                "pod-security.kubernetes.io/enforce-version": version,
                            },
                        )
                        for level, version in (
                            ("baseline", "v1.34"),
                            ("privileged", "v1.34"),
                            ("restricted", "latest"),
                        )
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="k8s-annotations-declared",
        severity=Severity.HIGH,
        what="An object has the annotations that are declared for its type, and no others: they "
        "switch off waiting, inject containers and change load balancers.",
        fix="Correct the annotation, or declare it in ANNOTATIONS of policies/rules/kubernetes.py.",
        url="https://kubernetes.io/docs/reference/labels-annotations-taints/",
        types=OBJECTS,
        checks=(
            Custom(
                _annotations,
                ("metadata.annotations", "spec.template.metadata.annotations"),
                (
                    SetValue("metadata.annotations", ABSENT),
                    SetValue("metadata.annotations", {"pulumi.com/skipAwait": "true"}),
                    SetValue(
                        "metadata.annotations",
                        {"pulumi.com/patchForce": "true", "sidecar.istio.io/inject": "true"},
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="k8s-protected",
        severity=Severity.HIGH,
        what="The cluster and the namespace are protected from deletion.",
        fix="Set the resource option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        types=(kubernetes.NAMESPACE, gcp.GKE_CLUSTER),
        checks=(Must(PROTECT, equal(True)),),
    ),
)

"""Kubernetes: workloads by the Pod Security Standards, RBAC, External Secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from policies.rule import (
    ABSENT,
    GIVEN,
    NEVER,
    Check,
    Custom,
    Finding,
    ForEach,
    Must,
    ResourceRule,
    SetValue,
    Severity,
    View,
    at_least,
    equal,
    forbidden,
    like,
    none_of,
)
from policies.sensitive import CREDENTIAL, NO_CREDENTIAL, SECRET_NAME

POD: Final = "kubernetes:core/v1:Pod"
DEPLOYMENT: Final = "kubernetes:apps/v1:Deployment"
STATEFUL_SET: Final = "kubernetes:apps/v1:StatefulSet"
DAEMON_SET: Final = "kubernetes:apps/v1:DaemonSet"
JOB: Final = "kubernetes:batch/v1:Job"
CRON_JOB: Final = "kubernetes:batch/v1:CronJob"
SECRET: Final = "kubernetes:core/v1:Secret"
CONFIG_MAP: Final = "kubernetes:core/v1:ConfigMap"
NAMESPACE: Final = "kubernetes:core/v1:Namespace"
NETWORK_POLICY: Final = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
AUTOSCALER: Final = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
ROLES: Final = (
    "kubernetes:rbac.authorization.k8s.io/v1:Role",
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
)
ROLE_BINDINGS: Final = (
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
)
EXTERNAL_SECRETS: Final = tuple(
    f"kubernetes:external-secrets.io/{version}:ExternalSecret" for version in ("v1", "v1beta1")
)
SECRET_STORES: Final = tuple(
    f"kubernetes:external-secrets.io/{version}:{kind}"
    for version in ("v1", "v1beta1")
    for kind in ("ClusterSecretStore", "SecretStore")
)

PODS: Final = {
    POD: "spec",
    DEPLOYMENT: "spec.template.spec",
    STATEFUL_SET: "spec.template.spec",
    DAEMON_SET: "spec.template.spec",
    JOB: "spec.template.spec",
    CRON_JOB: "spec.jobTemplate.spec.template.spec",
}
WORKLOADS: Final = tuple(PODS)
LONG_RUNNING: Final = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET)

STANDARDS: Final = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
DOCS: Final = "https://kubernetes.io/docs/concepts"


def _pod(*checks: Check) -> tuple[Check, ...]:
    return (ForEach(PODS, checks),)


def _containers(*checks: Check) -> tuple[Check, ...]:
    """Checks of all containers of a pod, those that run first included."""
    return _pod(ForEach("containers[]", checks), ForEach("initContainers[]", checks))


def _texts(view: View, path: str) -> set[str]:
    return {str(value) for value in view.all(path)}


def _not_root(view: View) -> Iterator[Finding]:
    pod = view.get("securityContext.runAsNonRoot")
    for kind in ("containers", "initContainers"):
        for container in view.parts(f"{kind}[]"):
            if container.get("securityContext.runAsNonRoot", pod) is not True:
                yield container.finding("securityContext.runAsNonRoot", "must be true")
            if container.get("securityContext.runAsUser") == 0:
                yield container.finding("securityContext.runAsUser", "must not be 0")


def _seccomp(view: View) -> Iterator[Finding]:
    pod = view.get("securityContext.seccompProfile.type")
    for kind in ("containers", "initContainers"):
        for container in view.parts(f"{kind}[]"):
            profile = container.get("securityContext.seccompProfile.type", pod)
            if profile not in ("RuntimeDefault", "Localhost"):
                text = "must be RuntimeDefault"
                yield container.finding("securityContext.seccompProfile.type", text)


def _drops_all(view: View) -> Iterator[Finding]:
    if "ALL" not in _texts(view, "securityContext.capabilities.drop[]"):
        yield view.finding("securityContext.capabilities.drop", "must have ALL")
    if _texts(view, "securityContext.capabilities.add[]") - {"NET_BIND_SERVICE"}:
        yield view.finding("securityContext.capabilities.add", "must have NET_BIND_SERVICE at most")


def _no_wildcard(view: View) -> Iterator[Finding]:
    for path in ("apiGroups", "resources", "verbs"):
        if "*" in view.all(f"{path}[]"):
            yield view.finding(path, "must not be a wildcard")


def _no_secret_reading(view: View) -> Iterator[Finding]:
    reading = {"get", "list", "watch", "*"} & _texts(view, "verbs[]")
    if reading and {"secrets", "*"} & _texts(view, "resources[]"):
        yield view.finding("resources", "must not have secrets beside verbs that read")


def _plain_variable(view: View) -> Iterator[Finding]:
    if SECRET_NAME.search(str(view.get("name", ""))) and view.get("value") is not None:
        yield view.finding("value", "must come from valueFrom.secretKeyRef: the name says secret")


def _config_map(view: View) -> Iterator[Finding]:
    data = view.get("data", {})
    for key, value in data.items() if isinstance(data, Mapping) else ():
        if SECRET_NAME.search(key) or CREDENTIAL.search(str(value)):
            yield view.finding("data", "must have nothing that is secret by its name or its value")


def _literal_secret(view: View) -> Iterator[Finding]:
    """A token that the cluster itself fills is empty here."""
    if view.get("type") != "kubernetes.io/service-account-token":
        for path in ("data", "stringData"):
            if view.get(path):
                yield view.finding(path, "must not be written here")


def _store(view: View) -> Iterator[Finding]:
    allowed = view.config.get("stores", ["pull-gcp-secret-store"])
    if view.get("spec.secretStoreRef.name") not in allowed:
        yield view.finding("spec.secretStoreRef.name", f"must be one of {', '.join(allowed)}")


def _enforced(view: View) -> Iterator[Finding]:
    labels = view.get("metadata.labels", {})
    level = labels.get("pod-security.kubernetes.io/enforce") if isinstance(labels, Mapping) else ""
    if level not in ("restricted", "baseline"):
        yield view.finding("metadata.labels", "must enforce a pod security standard")


RULES: Final = (
    # -- Pod Security Standards: baseline --------------------------------------------------------
    ResourceRule(
        id="k8s-not-privileged",
        severity=Severity.CRITICAL,
        what="No container is privileged.",
        fix="Leave securityContext.privileged out.",
        url=STANDARDS,
        frameworks=("PSS baseline", "CKV_K8S_16", "Trivy KSV-0017"),
        types=WORKLOADS,
        checks=_containers(Must("securityContext.privileged", equal(False), optional=True)),
    ),
    ResourceRule(
        id="k8s-no-host-namespaces",
        severity=Severity.HIGH,
        what="A pod shares neither processes, nor memory, nor network with its node.",
        fix="Leave hostPID, hostIPC and hostNetwork out.",
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
        what="No pod reads the disk of its node, and so not the socket of its containers either.",
        fix="Use a volume of another kind.",
        url=STANDARDS,
        frameworks=("PSS baseline", "CKV_K8S_27", "Trivy KSV-0023"),
        types=WORKLOADS,
        checks=_pod(
            ForEach(
                "volumes[]",
                (Must("hostPath", NEVER, optional=True),),
            )
        ),
    ),
    ResourceRule(
        id="k8s-no-host-port",
        severity=Severity.MEDIUM,
        what="No container takes a port of its node.",
        fix="Leave hostPort out, and use a Service.",
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
        what="No process can have more rights than the one that started it.",
        fix="Set securityContext.allowPrivilegeEscalation to false.",
        url=STANDARDS,
        frameworks=("PSS restricted", "CKV_K8S_20", "Trivy KSV-0001"),
        types=WORKLOADS,
        checks=_containers(Must("securityContext.allowPrivilegeEscalation", equal(False))),
    ),
    ResourceRule(
        id="k8s-no-capabilities",
        severity=Severity.MEDIUM,
        what="A container gives all capabilities up.",
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
        what="A container may make only the system calls that its runtime allows.",
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
        what="A container says what it needs, and what it may take.",
        fix="Set resources.requests and resources.limits for cpu and memory.",
        url=f"{DOCS}/configuration/manage-resources-containers/",
        frameworks=tuple(f"CKV_K8S_{number}" for number in (10, 11, 12, 13)),
        types=WORKLOADS,
        checks=_containers(
            *(
                Must(f"resources.{kind}.{what}", GIVEN)
                for kind in ("requests", "limits")
                for what in ("cpu", "memory")
            )
        ),
    ),
    ResourceRule(
        id="k8s-read-only-root",
        severity=Severity.MEDIUM,
        what="A container cannot change its own image.",
        fix="Set securityContext.readOnlyRootFilesystem, and mount an emptyDir where it writes.",
        url=f"{DOCS}/security/security-checklist/",
        frameworks=("CKV_K8S_22", "Trivy KSV-0014"),
        types=WORKLOADS,
        checks=_containers(Must("securityContext.readOnlyRootFilesystem", equal(True))),
    ),
    ResourceRule(
        id="k8s-probes",
        severity=Severity.MEDIUM,
        what="A container is asked whether it lives and whether it is ready.",
        fix="Give livenessProbe and readinessProbe.",
        url=f"{DOCS}/configuration/liveness-readiness-startup-probes/",
        frameworks=("CKV_K8S_8", "CKV_K8S_9"),
        types=LONG_RUNNING,
        checks=(
            ForEach(
                {kind: PODS[kind] for kind in LONG_RUNNING},
                (
                    Must("containers[].livenessProbe", GIVEN),
                    Must("containers[].readinessProbe", GIVEN),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="k8s-image-said",
        severity=Severity.MEDIUM,
        what="An image is named by a digest or by a tag that stays.",
        fix="Name the image as image@sha256:…, or by the tag of a release.",
        url=f"{DOCS}/containers/images/",
        frameworks=("CKV_K8S_14", "Trivy KSV-0013"),
        types=WORKLOADS,
        checks=_containers(
            Must(
                "image",
                like(
                    r"[^\s@]+(@sha256:[0-9a-f]{64}|:(?!latest$)[\w.-]{1,128})",
                    "must have a digest or a tag other than latest",
                    ("gcr.io/pull/worker", "gcr.io/pull/worker:latest"),
                ),
            )
        ),
    ),
    ResourceRule(
        id="k8s-image-digest",
        severity=Severity.HIGH,
        what="An image is named by its digest: a tag can be moved behind a review.",
        fix="Name the image as image@sha256:….",
        url=f"{DOCS}/containers/images/",
        frameworks=("CKV_K8S_43",),
        types=WORKLOADS,
        checks=_containers(
            Must(
                "image",
                like(
                    r"[^\s@]+@sha256:[0-9a-f]{64}",
                    "must end in @sha256:<digest>",
                    ("gcr.io/pull/worker:3f2c1ab",),
                ),
            )
        ),
    ),
    ResourceRule(
        id="k8s-own-namespace",
        severity=Severity.MEDIUM,
        what="Nothing is in the default namespace.",
        fix="Set metadata.namespace.",
        url=f"{DOCS}/overview/working-with-objects/namespaces/",
        frameworks=("CKV_K8S_21", "Trivy KSV-0110"),
        types=(*WORKLOADS, SECRET, CONFIG_MAP, NETWORK_POLICY),
        checks=(Must("metadata.namespace", GIVEN), Must("metadata.namespace", none_of("default"))),
    ),
    ResourceRule(
        id="k8s-no-token",
        severity=Severity.MEDIUM,
        what="A pod that does not talk to the cluster has no token for it.",
        fix="Set automountServiceAccountToken to false.",
        url="https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/",
        frameworks=("CKV_K8S_38", "Trivy KSV-0036"),
        types=WORKLOADS,
        checks=_pod(Must("automountServiceAccountToken", equal(False))),
    ),
    ResourceRule(
        id="k8s-own-account",
        severity=Severity.MEDIUM,
        what="A pod has a service account of its own.",
        fix="Set serviceAccountName.",
        url=f"{DOCS}/security/service-accounts/",
        frameworks=("CKV_K8S_41",),
        types=WORKLOADS,
        checks=_pod(
            Must("serviceAccountName", GIVEN), Must("serviceAccountName", none_of("default"))
        ),
    ),
    ResourceRule(
        id="k8s-no-bare-pod",
        severity=Severity.LOW,
        what="A pod belongs to something that starts it again.",
        fix="Use a Deployment, or a Job.",
        url=f"{DOCS}/workloads/pods/",
        types=(POD,),
        checks=(forbidden,),
    ),
    ResourceRule(
        id="k8s-autoscaler-keeps-two",
        severity=Severity.MEDIUM,
        what="An autoscaler keeps two pods or more.",
        fix="Set spec.minReplicas to 2 or more.",
        url="https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/",
        types=(AUTOSCALER,),
        checks=(Must("spec.minReplicas", at_least(2)), Must("spec.maxReplicas", at_least(2))),
    ),
    ResourceRule(
        id="k8s-no-public-service",
        severity=Severity.HIGH,
        what="No Service has a public address of its own.",
        fix="Use ClusterIP, behind an Ingress.",
        url=f"{DOCS}/services-networking/service/",
        types=("kubernetes:core/v1:Service",),
        checks=(
            Must("spec.type", none_of("LoadBalancer", "NodePort"), optional=True),
            Must("spec.externalIPs", NEVER, optional=True),
        ),
    ),
    # -- RBAC ------------------------------------------------------------------------------------
    ResourceRule(
        id="k8s-no-wildcard",
        severity=Severity.HIGH,
        what="A role names what it allows.",
        fix="Name groups, resources and verbs.",
        url=f"{DOCS}/security/rbac-good-practices/",
        frameworks=("CKV_K8S_49", "Trivy KSV-0044", "Trivy KSV-0045"),
        types=ROLES,
        checks=(
            ForEach(
                "rules[]",
                (
                    Custom(
                        _no_wildcard,
                        ("apiGroups[]", "resources[]", "verbs[]"),
                        tuple(
                            SetValue(path, ["*"]) for path in ("apiGroups", "resources", "verbs")
                        ),
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="k8s-no-secret-reading",
        severity=Severity.HIGH,
        what="No role reads secrets.",
        fix="Mount the one secret that is needed; External Secrets brings a role of its own.",
        url=f"{DOCS}/security/rbac-good-practices/",
        frameworks=("CKV2_K8S_5", "Trivy KSV-0041"),
        types=ROLES,
        checks=(
            ForEach(
                "rules[]",
                (
                    Custom(
                        _no_secret_reading,
                        ("resources[]", "verbs[]"),
                        (
                            SetValue(
                                "", {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
                            ),
                            SetValue(
                                "", {"apiGroups": [""], "resources": ["*"], "verbs": ["list"]}
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="k8s-no-cluster-admin",
        severity=Severity.CRITICAL,
        what="Nobody is bound to cluster-admin, and nobody unknown to anything.",
        fix="Bind to a role with what is needed, and name the service account.",
        url="https://kubernetes.io/docs/reference/access-authn-authz/rbac/",
        frameworks=("CKV_K8S_155", "Trivy KSV-0111"),
        types=ROLE_BINDINGS,
        checks=(
            Must("roleRef.name", none_of("cluster-admin", "admin", "edit")),
            Must(
                "subjects[].name",
                none_of(
                    "system:anonymous",
                    "system:unauthenticated",
                    "system:authenticated",
                    "system:serviceaccounts",
                    "system:masters",
                ),
            ),
        ),
    ),
    # -- secrets ---------------------------------------------------------------------------------
    ResourceRule(
        id="k8s-secret-from-outside",
        severity=Severity.CRITICAL,
        what="A secret's value comes from Secret Manager, not from this program.",
        fix="Use an ExternalSecret.",
        url="https://external-secrets.io/latest/introduction/overview/",
        types=(SECRET,),
        checks=(
            Custom(
                _literal_secret,
                ("type", "data", "stringData"),
                (SetValue("stringData", {"a": "b"}), SetValue("data", {"a": "Yg=="})),
            ),
        ),
    ),
    ResourceRule(
        id="k8s-secrets-by-reference",
        severity=Severity.CRITICAL,
        what="A variable whose name says secret comes from a secret.",
        fix="Use valueFrom.secretKeyRef, or envFrom the external secret.",
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
        id="k8s-config-map-plain",
        severity=Severity.CRITICAL,
        what="No ConfigMap holds a secret.",
        fix="Put the variable into the catalogue: an external secret brings it.",
        url=f"{DOCS}/configuration/configmap/",
        types=(CONFIG_MAP,),
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
        what="An external secret comes from a store that is known here.",
        fix="Name one of the stores in spec.secretStoreRef.",
        url="https://external-secrets.io/latest/api/externalsecret/",
        types=EXTERNAL_SECRETS,
        checks=(
            Custom(
                _store,
                ("spec.secretStoreRef.name",),
                (
                    SetValue("spec.secretStoreRef.name", "somebodys-vault"),
                    SetValue("spec.secretStoreRef", ABSENT),
                ),
            ),
        ),
        settings={
            "stores": {
                "type": "array",
                "items": {"type": "string"},
                "default": ["pull-gcp-secret-store"],
            }
        },
    ),
    ResourceRule(
        id="eso-refreshed",
        severity=Severity.HIGH,
        what="An external secret follows a rotation by itself, within the hour.",
        fix='Set spec.refreshInterval to "1h" or less.',
        url="https://external-secrets.io/latest/api/externalsecret/",
        types=EXTERNAL_SECRETS,
        checks=(
            Must(
                "spec.refreshInterval",
                like(
                    r"1h(0m)?(0s)?|([1-9]|[1-5]\d|60)m(0s)?|[1-9]\d*s",
                    "must be an hour or less",
                    ("0", "24h"),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="eso-no-key-file",
        severity=Severity.CRITICAL,
        what="The store signs in by workload identity, without a key file.",
        fix="Use spec.provider.gcpsm.auth.workloadIdentity.",
        url="https://external-secrets.io/latest/provider/google-secrets-manager/",
        types=SECRET_STORES,
        checks=(
            Must("spec.provider.gcpsm.auth.secretRef", NEVER, optional=True),
            Must("spec.provider.gcpsm.auth.workloadIdentity", GIVEN),
        ),
    ),
    ResourceRule(
        id="k8s-namespace-restricted",
        severity=Severity.MEDIUM,
        what="A namespace enforces the restricted standard by itself.",
        fix="Label it pod-security.kubernetes.io/enforce: restricted.",
        url="https://kubernetes.io/docs/concepts/security/pod-security-admission/",
        types=(NAMESPACE,),
        checks=(
            Custom(
                _enforced,
                ("metadata.labels",),
                (SetValue("metadata.labels", {}), SetValue("metadata.labels", ABSENT)),
            ),
        ),
    ),
)

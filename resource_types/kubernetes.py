"""Kubernetes: the resource types of pulumi-kubernetes, and the custom resources that we use.

``replace_on`` and ``secret_outputs`` are those of pulumi-kubernetes 4.34.2: ``forceNewProperties``
in ``provider/pkg/provider/diff.go``. A preview shows an object by its logical name, and a
release of a chart by its own name.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from resource_types.record import ACCESS, grant
from resource_types.record import ordinary as _ordinary
from resource_types.record import stateful as _stateful
from resource_types.updates import decreases, gathered, loses, stops, turns_on

ordinary = partial(_ordinary, name_property="")
stateful = partial(_stateful, name_property="")

DAEMON_SET: Final = ordinary(
    "kubernetes:apps/v1:DaemonSet",
    outage="its pods",
    replace_on=("spec.selector",),
    pod_spec="spec.template.spec",
)
DEPLOYMENT: Final = ordinary(
    "kubernetes:apps/v1:Deployment",
    outage="its pods",
    replace_on=("spec.selector",),
    custom_timeouts={"create": 1200, "update": 1200},
    pod_spec="spec.template.spec",
    updates=gathered(loses("its pods", stops, "spec.replicas", unset=1)),
)
STATEFUL_SET: Final = ordinary(
    "kubernetes:apps/v1:StatefulSet",
    outage="its pods",
    replace_on=(
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    pod_spec="spec.template.spec",
    updates=gathered(loses("its pods", stops, "spec.replicas", unset=1)),
)
HORIZONTAL_POD_AUTOSCALER: Final = ordinary(
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
    outage="the scaling of its pods",
    updates=gathered(loses("its pods", stops, "spec.minReplicas", unset=1)),
)
CRON_JOB: Final = ordinary(
    "kubernetes:batch/v1:CronJob",
    outage="its runs",
    pod_spec="spec.jobTemplate.spec.template.spec",
    updates=gathered(loses("its runs", turns_on, "spec.suspend", unset=False)),
)
JOB: Final = ordinary(
    "kubernetes:batch/v1:Job",
    outage=None,
    replace_on=("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    pod_spec="spec.template.spec",
)
CONFIG_MAP: Final = ordinary(
    "kubernetes:core/v1:ConfigMap",
    outage=None,
    manifest="configmaps.yaml",
    variables=("data",),
)
NAMESPACE: Final = stateful(
    "kubernetes:core/v1:Namespace",
    loss="everything in the namespace",
    summary_fields=(),
    manifest="namespace.yaml",
    harmless_updates=("metadata.annotations", "metadata.labels"),
)
PERSISTENT_VOLUME_CLAIM: Final = stateful(
    "kubernetes:core/v1:PersistentVolumeClaim",
    loss="the contents of the volume",
    summary_fields=(),
    replace_on=("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"),
    updates=gathered(loses("space of the volume", decreases, "spec.resources")),
    harmless_updates=("metadata.annotations", "metadata.labels"),
)
POD: Final = ordinary("kubernetes:core/v1:Pod", outage="the pod", pod_spec="spec")
RESOURCE_QUOTA: Final = ordinary(
    "kubernetes:core/v1:ResourceQuota",
    outage="the limit of the namespace",
    replace_on=("spec.scopes",),
)
SECRET: Final = ordinary(
    "kubernetes:core/v1:Secret",
    outage="the pods that read it",
    replace_on=("type",),
    secret_outputs=("data", "stringData"),
)
SERVICE: Final = ordinary(
    "kubernetes:core/v1:Service",
    outage="the requests to its pods",
    manifest="services.yaml",
    replace_on=("spec.clusterIP",),
)
SERVICE_ACCOUNT: Final = ordinary(
    "kubernetes:core/v1:ServiceAccount",
    outage="the identity of its pods",
    manifest="service-accounts.yaml",
)
CLUSTER_SECRET_STORE: Final = ordinary(
    "kubernetes:external-secrets.io/v1:ClusterSecretStore",
    outage="the secrets in the cluster",
)
EXTERNAL_SECRET: Final = ordinary(
    "kubernetes:external-secrets.io/v1:ExternalSecret",
    outage="the secrets that pods read",
    manifest="external-secrets.yaml",
)
SECRET_STORE: Final = ordinary(
    "kubernetes:external-secrets.io/v1:SecretStore",
    outage="the secrets in the namespace",
    manifest="external-secrets.yaml",
)
CLUSTER_SECRET_STORE_V1BETA1: Final = ordinary(
    "kubernetes:external-secrets.io/v1beta1:ClusterSecretStore",
    outage="the secrets in the cluster",
)
EXTERNAL_SECRET_V1BETA1: Final = ordinary(
    "kubernetes:external-secrets.io/v1beta1:ExternalSecret",
    outage="the secrets that pods read",
    manifest="external-secrets.yaml",
)
SECRET_STORE_V1BETA1: Final = ordinary(
    "kubernetes:external-secrets.io/v1beta1:SecretStore",
    outage="the secrets in the namespace",
    manifest="external-secrets.yaml",
)
RELEASE: Final = ordinary(
    "kubernetes:helm.sh/v3:Release",
    outage="everything that the chart installs",
    name_property="name",
    replace_on=("name", "namespace"),
)
INGRESS: Final = ordinary(
    "kubernetes:networking.k8s.io/v1:Ingress",
    outage="the requests from outside",
    exposes_endpoint=True,
    manifest="ingress.yaml",
)
INGRESS_CLASS: Final = ordinary(
    "kubernetes:networking.k8s.io/v1:IngressClass",
    outage="the requests from outside",
    exposes_endpoint=True,
)
NETWORK_POLICY: Final = ordinary(
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    outage="the connections that it denies or allows",
    exposes_endpoint=True,
    manifest="network-policies.yaml",
)
POD_DISRUPTION_BUDGET: Final = ordinary(
    "kubernetes:policy/v1:PodDisruptionBudget",
    outage="the pods that stay during maintenance",
)
CLUSTER_ROLE: Final = grant(
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
    outage=ACCESS,
)
CLUSTER_ROLE_BINDING: Final = grant(
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
    outage=ACCESS,
    replace_on=("roleRef",),
)
ROLE: Final = grant(
    "kubernetes:rbac.authorization.k8s.io/v1:Role",
    outage=ACCESS,
)
ROLE_BINDING: Final = grant(
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", outage=ACCESS, replace_on=("roleRef",)
)
PRIORITY_CLASS: Final = ordinary(
    "kubernetes:scheduling.k8s.io/v1:PriorityClass",
    outage="the order in which pods are evicted",
    manifest="priority-classes.yaml",
)
STORAGE_CLASS: Final = ordinary(
    "kubernetes:storage.k8s.io/v1:StorageClass",
    outage="new volumes of the class",
    replace_on=("parameters", "provisioner"),
)

"""Kubernetes: the resource types of pulumi-kubernetes, and the custom resources that we use.

``replace_on`` and ``secret_outputs`` are those of pulumi-kubernetes 4.34.2: ``forceNewProperties``
in ``provider/pkg/provider/diff.go``. A preview shows an object by its logical name, and a
release of a chart by its own name.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from resource_types.record import grant
from resource_types.record import ordinary as _ordinary
from resource_types.record import stateful as _stateful

ordinary = partial(_ordinary, name_property="")
stateful = partial(_stateful, name_property="")

DAEMON_SET: Final = ordinary(
    "kubernetes:apps/v1:DaemonSet",
    replace_on=("spec.selector",),
    pod_spec="spec.template.spec",
)
DEPLOYMENT: Final = ordinary(
    "kubernetes:apps/v1:Deployment",
    replace_on=("spec.selector",),
    pod_spec="spec.template.spec",
)
STATEFUL_SET: Final = ordinary(
    "kubernetes:apps/v1:StatefulSet",
    replace_on=(
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    pod_spec="spec.template.spec",
)
HORIZONTAL_POD_AUTOSCALER: Final = ordinary("kubernetes:autoscaling/v2:HorizontalPodAutoscaler")
CRON_JOB: Final = ordinary(
    "kubernetes:batch/v1:CronJob", pod_spec="spec.jobTemplate.spec.template.spec"
)
JOB: Final = ordinary(
    "kubernetes:batch/v1:Job",
    replace_on=("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    pod_spec="spec.template.spec",
)
CONFIG_MAP: Final = ordinary(
    "kubernetes:core/v1:ConfigMap", manifest="configmaps.yaml", variables=("data",)
)
NAMESPACE: Final = stateful(
    "kubernetes:core/v1:Namespace",
    loss="everything in the namespace",
    summary_fields=(),
    manifest="namespace.yaml",
)
PERSISTENT_VOLUME_CLAIM: Final = stateful(
    "kubernetes:core/v1:PersistentVolumeClaim",
    loss="the contents of the volume",
    summary_fields=(),
    replace_on=("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"),
)
POD: Final = ordinary("kubernetes:core/v1:Pod", pod_spec="spec")
RESOURCE_QUOTA: Final = ordinary("kubernetes:core/v1:ResourceQuota", replace_on=("spec.scopes",))
SECRET: Final = ordinary(
    "kubernetes:core/v1:Secret",
    replace_on=("type",),
    secret_outputs=("data", "stringData"),
)
SERVICE: Final = ordinary(
    "kubernetes:core/v1:Service",
    manifest="services.yaml",
    replace_on=("spec.clusterIP",),
)
SERVICE_ACCOUNT: Final = ordinary(
    "kubernetes:core/v1:ServiceAccount", manifest="service-accounts.yaml"
)
CLUSTER_SECRET_STORE: Final = ordinary("kubernetes:external-secrets.io/v1:ClusterSecretStore")
EXTERNAL_SECRET: Final = ordinary(
    "kubernetes:external-secrets.io/v1:ExternalSecret",
    manifest="external-secrets.yaml",
)
SECRET_STORE: Final = ordinary(
    "kubernetes:external-secrets.io/v1:SecretStore",
    manifest="external-secrets.yaml",
)
CLUSTER_SECRET_STORE_V1BETA1: Final = ordinary(
    "kubernetes:external-secrets.io/v1beta1:ClusterSecretStore"
)
EXTERNAL_SECRET_V1BETA1: Final = ordinary(
    "kubernetes:external-secrets.io/v1beta1:ExternalSecret",
    manifest="external-secrets.yaml",
)
SECRET_STORE_V1BETA1: Final = ordinary(
    "kubernetes:external-secrets.io/v1beta1:SecretStore",
    manifest="external-secrets.yaml",
)
RELEASE: Final = ordinary(
    "kubernetes:helm.sh/v3:Release", name_property="name", replace_on=("name", "namespace")
)
INGRESS: Final = ordinary(
    "kubernetes:networking.k8s.io/v1:Ingress",
    exposes_endpoint=True,
    manifest="ingress.yaml",
)
INGRESS_CLASS: Final = ordinary(
    "kubernetes:networking.k8s.io/v1:IngressClass", exposes_endpoint=True
)
NETWORK_POLICY: Final = ordinary(
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    exposes_endpoint=True,
    manifest="network-policies.yaml",
)
POD_DISRUPTION_BUDGET: Final = ordinary("kubernetes:policy/v1:PodDisruptionBudget")
CLUSTER_ROLE: Final = grant("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")
CLUSTER_ROLE_BINDING: Final = grant(
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", replace_on=("roleRef",)
)
ROLE: Final = grant("kubernetes:rbac.authorization.k8s.io/v1:Role")
ROLE_BINDING: Final = grant(
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding", replace_on=("roleRef",)
)
PRIORITY_CLASS: Final = ordinary(
    "kubernetes:scheduling.k8s.io/v1:PriorityClass",
    manifest="priority-classes.yaml",
)
STORAGE_CLASS: Final = ordinary(
    "kubernetes:storage.k8s.io/v1:StorageClass",
    replace_on=("parameters", "provisioner"),
)

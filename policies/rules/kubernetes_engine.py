"""The Kubernetes cluster: its nodes, its control plane, and who may use it."""

from __future__ import annotations

from typing import Final

from policies.framework.demands import NOT_ALLOWED, contains_no, equal
from policies.framework.rules import Must, ResourceRule, Severity
from policies.rules.iam import DEFAULT_ACCOUNT
from resource_types import gcp

DOCS: Final = "https://cloud.google.com/kubernetes-engine/docs"

RULES: Final = (
    ResourceRule(
        id="gke-private",
        severity=Severity.CRITICAL,
        what="Nodes have no public address, and the control plane has only its DNS endpoint, which "
        "IAM protects.",
        fix="Set enablePrivateNodes to true and ipEndpointsConfig.enabled to false, and remove "
        "authorized networks.",
        url=f"{DOCS}/concepts/network-isolation",
        frameworks=("CIS-GKE 5.6.4", "CIS-GKE 5.6.5", "CKV_GCP_25"),
        types=(gcp.GKE_CLUSTER,),
        checks=(
            Must("privateClusterConfig.enablePrivateNodes", equal(True)),
            Must("controlPlaneEndpointsConfig.ipEndpointsConfig.enabled", equal(False)),
            Must("masterAuthorizedNetworksConfig", NOT_ALLOWED, optional=True),
        ),
    ),
    ResourceRule(
        id="gke-permissions",
        severity=Severity.HIGH,
        what="IAM and RBAC alone decide who may use the cluster: no certificates, no attributes of "
        "users, and no bindings of everybody.",
        fix="Remove the property.",
        url=f"{DOCS}/how-to/hardening-your-cluster",
        frameworks=("CIS-GKE 5.8.1", "CIS-GKE 5.8.3", "CKV_GCP_7", "CKV_GCP_13"),
        types=(gcp.GKE_CLUSTER,),
        checks=(
            Must("enableLegacyAbac", equal(False), optional=True),
            Must("masterAuth", NOT_ALLOWED, optional=True),
            Must("rbacBindingConfig", NOT_ALLOWED, optional=True),
            Must("identityServiceConfig", NOT_ALLOWED, optional=True),
        ),
    ),
    ResourceRule(
        id="gke-dedicated-account",
        severity=Severity.HIGH,
        what="Nodes have a service account of their own, not the project's default account.",
        fix="Set clusterAutoscaling.autoProvisioningDefaults.serviceAccount.",
        url=f"{DOCS}/how-to/service-accounts",
        frameworks=("CIS-GKE 5.2.1",),
        types=(gcp.GKE_CLUSTER,),
        checks=(
            Must(
                "clusterAutoscaling.autoProvisioningDefaults.serviceAccount",
                contains_no(
                    DEFAULT_ACCOUNT,
                    "must not be a default account",
                    ("default", "1-compute@developer.gserviceaccount.com"),
                ),
            ),
        ),
    ),
)

"""The cluster that is made here, and the ways into it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.recorder import estate

EXISTING = {"cluster": None, "existing": {"context": "gke_pull_us-central1_pull-cluster"}}


def test_cluster() -> None:
    cluster = estate(runtime="kubernetes")["cluster-cluster"]
    assert cluster.type == "gcp:container/cluster:Cluster"
    assert cluster.inputs == {
        "project": "pull-production",
        "location": "us-central1",
        "name": "pull-cluster",
        "enableAutopilot": True,
        "network": "<network-vpc.id>",
        "subnetwork": "<network-cluster-subnet.id>",
        "ipAllocationPolicy": {
            "clusterSecondaryRangeName": "pods",
            "servicesSecondaryRangeName": "services",
        },
        "privateClusterConfig": {"enablePrivateNodes": True},
        "controlPlaneEndpointsConfig": {
            "dnsEndpointConfig": {"allowExternalTraffic": True},
            "ipEndpointsConfig": {"enabled": False},
        },
        "workloadIdentityConfig": {"workloadPool": "pull-production.svc.id.goog"},
        "clusterAutoscaling": {
            "autoProvisioningDefaults": {
                "serviceAccount": "pull-nodes@pull-production.iam.gserviceaccount.com",
                "oauthScopes": ["https://www.googleapis.com/auth/cloud-platform"],
            }
        },
        "databaseEncryption": {"state": "ENCRYPTED", "keyName": "<encryption-key-cluster.id>"},
        "releaseChannel": {"channel": "REGULAR"},
        "maintenancePolicy": {"dailyMaintenanceWindow": {"startTime": "02:00"}},
        "resourceLabels": {"environment": "production"},
        "deletionProtection": True,
    }
    assert cluster.protect
    assert {"encryption-key-cluster-user", "cluster-nodes-run"} <= cluster.waits_for
    assert not estate("staging", runtime="kubernetes")["cluster-cluster"].protect


@pytest.mark.parametrize("existing", [{}, EXISTING], ids=["made here", "existing"])
def test_ci_keeps_its_roles_until_all_that_it_takes_them_for_is_gone(
    existing: dict[str, Any],
) -> None:
    recording = estate(runtime="kubernetes", kubernetes=existing)
    roles = {"identity-deployer-container-admin", "identity-deployer-compute-loadBalancerAdmin"}
    first = "namespace-namespace" if existing else "cluster-cluster"
    assert roles <= recording[first].waits_for
    assert roles <= recording["ingress-certificate"].waits_for


def test_nodes_are_made_by_who_may_act_as_them() -> None:
    cluster = estate(runtime="kubernetes")["cluster-cluster"]
    assert "identity-deployer-acts-as-nodes" in cluster.waits_for


def test_its_subnet_is_its_own() -> None:
    subnet = estate(runtime="kubernetes")["network-cluster-subnet"].inputs
    assert subnet["name"] == "pull-production-cluster"
    assert subnet["ipCidrRange"] == "10.11.0.0/20"
    assert subnet["secondaryIpRanges"] == [
        {"rangeName": "pods", "ipCidrRange": "10.12.0.0/17"},
        {"rangeName": "services", "ipCidrRange": "10.11.16.0/20"},
    ]


def test_nodes_may_run_and_pull_images_and_nothing_else() -> None:
    recording = estate(runtime="kubernetes")
    roles = [
        resource.inputs["role"]
        for resource in recording.resources
        if resource.inputs.get("member") == "<identity-nodes.member>"
    ]
    assert sorted(roles) == [
        "roles/artifactregistry.reader",
        "roles/container.defaultNodeServiceAccount",
    ]


def test_the_kubeconfig_holds_no_credential() -> None:
    provider = estate(runtime="kubernetes")["kubernetes"]
    kubeconfig = json.loads(provider.inputs["kubeconfig"])
    assert kubeconfig["clusters"] == [
        {"name": "pull-cluster", "cluster": {"server": "https://<cluster-cluster.endpoint>"}}
    ]
    (user,) = kubeconfig["users"]
    assert user["user"].keys() == {"exec"}
    assert user["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"
    assert {key: value for key, value in provider.inputs.items() if key != "kubeconfig"} == {
        "enableServerSideApply": "true",
        "enableConfigMapMutable": "true",
        "clusterIdentifier": "pull-cluster",
    }


def test_an_existing_cluster_is_reached_by_its_context_and_nothing_is_made_for_it() -> None:
    recording = estate(runtime="kubernetes", kubernetes=EXISTING)
    assert recording["kubernetes"].inputs == {
        "context": "gke_pull_us-central1_pull-cluster",
        "enableServerSideApply": "true",
        "enableConfigMapMutable": "true",
        "clusterIdentifier": "gke_pull_us-central1_pull-cluster",
    }
    names = {resource.name for resource in recording.resources}
    for absent in (
        "cluster-cluster",
        "network-cluster-subnet",
        "encryption-key-cluster",
        "identity-nodes",
        "project-container",
        "external-secrets-operator",
    ):
        assert absent not in names
    assert "cluster-api-deployment" in names

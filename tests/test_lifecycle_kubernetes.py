"""Staging from the managed services to a cluster and back, through the real engine."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any, Final

from tests.stack_lifecycle import StackLifecycle, changed
from tests.test_lifecycle import (
    FOREVER,
    by_type,
    everything_before,
    needs_without_a_dependency,
)

DEPLOYMENT: Final = "kubernetes:apps/v1:Deployment"
RECORD: Final = "cloudflare:index/dnsRecord:DnsRecord"
CLOUD_RUN: Final = "gcp:cloudrunv2/service:Service"


def addresses(lifecycle: StackLifecycle) -> set[tuple[str, str]]:
    """Type and address of everything in the cloud, without generated ids."""
    return {
        (record.type, re.sub(r"[0-9a-f]{8}[0-9a-f-]{24,28}", "…", record.address))
        for record in lifecycle.cloud()
        if record.type not in FOREVER
    }


def order(lifecycle: StackLifecycle, *names: str) -> None:
    """Assert that each of these resources is created after the previous one."""
    resources = {resource["urn"]: resource for resource in lifecycle.resources()}
    urns = {urn.rpartition("::")[2]: urn for urn in resources}
    for earlier, later in itertools.pairwise(names):
        assert urns[earlier] in everything_before(resources, urns[later]), (earlier, later)


def changed_since_snapshot(lifecycle: StackLifecycle) -> dict[str, str]:
    """What the program changes in a snapshot that is taken now."""
    done = lifecycle.preview_against(lifecycle.snapshot())
    assert done.returncode == 0, done.stdout + done.stderr
    return changed(json.loads(done.stdout))


def test_to_a_cluster_and_back(tmp_path: Path, checkout: Path, engine: Path) -> None:
    assert engine.exists()
    lifecycle = StackLifecycle.begin(checkout, tmp_path / "lifecycle", "staging")
    lifecycle.run("up")
    managed = addresses(lifecycle)
    assert changed_since_snapshot(lifecycle) == {}

    # Both: the Worker serves the users, and the cluster is tested under its own name.
    lifecycle.settings(runtime="both")
    assert lifecycle.refused() == {}
    assert set(changed(lifecycle.run("up")).values()) <= {"create", "update"}
    assert managed <= addresses(lifecycle)
    assert len(by_type(lifecycle)[CLOUD_RUN]) == 1
    assert needs_without_a_dependency(lifecycle, lifecycle.resources()) == []
    order(
        lifecycle,
        "cluster-cluster",
        "namespace-namespace",
        "namespace-priority-pull-api",
        "namespace-account-pull-secrets-sa",
        "config-maps-shared",
        "external-secrets-operator",
        "external-secrets-store",
        "external-secrets-secret",
        "network-policies-default-deny",
        "cluster-api-deployment",
        "web-domain",
        "cluster-worker-all-deployment",
        "ingress-ingress",
        "ingress-dns",
    )
    assert set(lifecycle.run("refresh")["changeSummary"]) == {"same"}
    timeouts = {
        resource["customTimeouts"]["update"]
        for resource in lifecycle.resources()
        if resource["type"] == DEPLOYMENT
    }
    assert timeouts == {1200}, "a large fleet takes longer than the provider's ten minutes"

    assert changed_since_snapshot(lifecycle) == {}

    # The cluster alone: only now the API's DNS name moves to it.
    lifecycle.settings(runtime="kubernetes")
    assert lifecycle.refused() == {
        "api-dns": "replace",
        "api-worker": "delete",
        "identity-deployer-acts-as-all": "delete",
        "worker-all-service": "delete",
    }
    moved = changed(lifecycle.run("up"))
    assert moved["ingress-api-dns"] == "replace"
    assert moved["api-route"] == "delete"
    assert not by_type(lifecycle).get(CLOUD_RUN)
    (front,) = (
        record
        for record in lifecycle.cloud()
        if record.inputs.get("comment", "").endswith("cluster")
    )
    assert front.inputs["name"] == "api-staging.pull.com"
    assert front.inputs["content"] == "api-cluster-staging.pull.com"
    assert {record.inputs["metadata"]["name"] for record in by_type(lifecycle)[DEPLOYMENT]} == {
        "pull-api",
        "pull-temporal-worker",
    }

    # A release, and the rollback to the previous image: each updates a single Deployment.
    before = deployment(lifecycle, "pull-api")
    lifecycle.settings(kubernetes={"api": {"image": "gcr.io/pull-staging/pull-api:4a5b6c7"}})
    assert changed(lifecycle.run("up")) == {"cluster-api-deployment": "update"}
    lifecycle.settings(kubernetes={"api": {"image": "gcr.io/pull-staging/pull-api:3f2c1ab"}})
    assert changed(lifecycle.run("up")) == {"cluster-api-deployment": "update"}
    assert deployment(lifecycle, "pull-api") == before

    # After ``kubectl rollout undo`` the stack file is adapted, and nothing is left to change.
    older = "gcr.io/pull-staging/pull-api:1a2b3c4"
    image = f'spec.template.spec.containers[0].image="{older}"'
    lifecycle.by_hand("edit", f"{DEPLOYMENT} pull/pull-api", image)
    lifecycle.settings(kubernetes={"api": {"image": older}})
    assert changed(lifecycle.run("refresh")) == {"cluster-api-deployment": "update"}
    assert changed(lifecycle.run("preview")) == {}

    # The runbook's edit of a ConfigMap is detected and reverted.
    lifecycle.by_hand("edit", "pull-api-config", 'data.CORS_ORIGINS="*"')
    assert changed(lifecycle.run("refresh")) == {"config-maps-api": "update"}
    assert changed(lifecycle.run("up")) == {"config-maps-api": "update"}

    # Back to the managed services. The approval of the way there is for another URN.
    lifecycle.settings(runtime="managed")
    assert lifecycle.refused() == {
        "ingress-api-dns": "replace",
        "cluster-cluster": "delete",
        "encryption-key-cluster": "delete",
        "identity-api-origin": "delete",
        "identity-deployer-compute-loadBalancerAdmin": "delete",
        "identity-deployer-container-admin": "delete",
        "identity-external-secrets": "delete",
        "identity-nodes": "delete",
        "identity-previewer-container-viewer": "delete",
        "ingress-address": "delete",
        "ingress-certificate": "delete",
        "ingress-dns": "delete",
        "namespace-account-pull-temporal-worker-sa-identity": "delete",
        "namespace-namespace": "delete",
    }
    lifecycle.run("up")
    assert addresses(lifecycle) == managed, "a resource was left behind"


def deployment(lifecycle: StackLifecycle, name: str) -> Any:
    (found,) = (
        record
        for record in by_type(lifecycle)[DEPLOYMENT]
        if record.inputs["metadata"]["name"] == name
    )
    return found.inputs

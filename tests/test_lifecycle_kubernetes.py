"""Staging from the managed services to a cluster and back, through the real engine."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any, Final

from tests.stack_lifecycle import StackLifecycle, changed
from tests.test_lifecycle import (
    FOREVER,
    by_type,
    everything_before,
    needs_that_nobody_waited_for,
)

DEPLOYMENT: Final = "kubernetes:apps/v1:Deployment"
RECORD: Final = "cloudflare:index/dnsRecord:DnsRecord"
CLOUD_RUN: Final = "gcp:cloudrunv2/service:Service"


def things(life: StackLifecycle) -> set[tuple[str, str]]:
    """Everything in the cloud by type and address, whatever ids were thrown for it."""
    return {
        (thing.type, re.sub(r"[0-9a-f]{8}[0-9a-f-]{24,28}", "…", thing.address))
        for thing in life.cloud()
        if thing.type not in FOREVER
    }


def order(life: StackLifecycle, *names: str) -> None:
    """Each of these waits for the one before, whatever lies between."""
    resources = {one["urn"]: one for one in life.resources()}
    urns = {urn.rpartition("::")[2]: urn for urn in resources}
    for earlier, later in itertools.pairwise(names):
        assert urns[earlier] in everything_before(resources, urns[later]), (earlier, later)


def test_to_a_cluster_and_back(tmp_path: Path, checkout: Path, engine: Path) -> None:
    assert engine.exists()
    life = StackLifecycle.begin(checkout, tmp_path / "life", "staging")
    life.run("up")
    managed = things(life)

    # Both: the Worker answers users, and the cluster is tried under its own name.
    life.settings(runtime="both")
    assert life.refused() == {}
    assert set(changed(life.run("up")).values()) <= {"create", "update"}
    assert managed <= things(life)
    assert len(by_type(life)[CLOUD_RUN]) == 1
    assert needs_that_nobody_waited_for(life, life.resources()) == []
    order(
        life,
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
    assert set(life.run("refresh")["changeSummary"]) == {"same"}
    patience = {
        one["customTimeouts"]["update"] for one in life.resources() if one["type"] == DEPLOYMENT
    }
    assert patience == {1200}, "a large fleet takes longer than the provider's ten minutes"

    # The cluster alone: only now the API's name moves, in the place where it was.
    life.settings(runtime="kubernetes")
    assert life.refused() == {"ingress-api-dns": "replace", "api-worker": "delete"}
    moved = changed(life.run("up"))
    assert moved["ingress-api-dns"] == "replace"
    assert moved["api-route"] == "delete"
    assert not by_type(life).get(CLOUD_RUN)
    (front,) = (
        thing for thing in life.cloud() if thing.inputs.get("comment", "").endswith("cluster")
    )
    assert front.inputs["name"] == "api-staging.pull.com"
    assert front.inputs["content"] == "api-cluster-staging.pull.com"
    assert {thing.inputs["metadata"]["name"] for thing in by_type(life)[DEPLOYMENT]} == {
        "pull-api",
        "pull-temporal-worker",
    }

    # A release, and the rollback to the image before: one Deployment each, and nothing else.
    before = deployment(life, "pull-api")
    life.settings(kubernetes={"api": {"image": "gcr.io/pull-staging/pull-api:4a5b6c7"}})
    assert changed(life.run("up")) == {"cluster-api-deployment": "update"}
    life.settings(kubernetes={"api": {"image": "gcr.io/pull-staging/pull-api:3f2c1ab"}})
    assert changed(life.run("up")) == {"cluster-api-deployment": "update"}
    assert deployment(life, "pull-api") == before

    # What ``kubectl rollout undo`` does: the stack file follows, and nothing is left to do.
    older = "gcr.io/pull-staging/pull-api:1a2b3c4"
    image = f'spec.template.spec.containers[0].image="{older}"'
    life.by_hand("edit", f"{DEPLOYMENT} pull/pull-api", image)
    life.settings(kubernetes={"api": {"image": older}})
    assert changed(life.run("refresh")) == {"cluster-api-deployment": "update"}
    assert changed(life.run("preview")) == {}

    # The runbook's edit of a ConfigMap: seen, and taken back.
    life.by_hand("edit", "pull-api-config", 'data.CORS_ORIGINS="*"')
    assert changed(life.run("refresh")) == {"config-maps-api": "update"}
    assert changed(life.run("up")) == {"config-maps-api": "update"}

    # And back.
    life.settings(runtime="managed")
    assert life.refused() == {
        "api-dns": "replace",
        "cluster-cluster": "delete",
        "encryption-key-cluster": "delete",
        "identity-api-origin": "delete",
        "identity-external-secrets": "delete",
        "identity-nodes": "delete",
        "ingress-address": "delete",
        "ingress-dns": "delete",
        "namespace-namespace": "delete",
    }
    life.run("up")
    assert things(life) == managed, "something stayed behind"


def deployment(life: StackLifecycle, name: str) -> Any:
    (found,) = (one for one in by_type(life)[DEPLOYMENT] if one.inputs["metadata"]["name"] == name)
    return found.inputs

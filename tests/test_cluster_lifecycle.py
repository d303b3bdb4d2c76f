"""The Kubernetes runtime with the real provider on a real control plane, from up to destroy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from ops.engine.go_build import GoError
from tests.needs import lacking
from tests.stack_lifecycle import StackLifecycle, changed
from tests.tools.cluster import Cluster, provide_cluster, running_cluster, running_controllers
from tests.tools.gke import HOSTS, gke_access
from tests.tools.kubernetes_plugin import provide_kubernetes_plugin

pytestmark = pytest.mark.cluster

API: Final = "deployment/pull-api"
RELEASE: Final = "gcr.io/pull-staging/pull-api:4a5b6c7"
IMAGE: Final = "--output=jsonpath={.spec.template.spec.containers[0].image}"
READY: Final = "{.metadata.name} {.status.readyReplicas},"
CORS: Final = '{"data": {"CORS_ORIGINS": "*"}}'


class RealKubernetes(StackLifecycle):
    """A stack whose objects in the cluster the real provider manages."""

    def ops(
        self,
        verb: str,
        *options: str,
        module: str = "tests.ops_with_real_kubernetes",
        fault: str = "",
    ) -> subprocess.CompletedProcess[str]:
        return StackLifecycle.ops(self, verb, *options, module=module, fault=fault)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """An empty cluster with controllers, at the address of the stack's own cluster."""
    try:
        programs = provide_cluster(lambda line: print(line, file=sys.stderr))
        plugin = provide_kubernetes_plugin(lambda line: print(line, file=sys.stderr))
    except GoError as error:
        lacking(f"no cluster to test against: {error}")
    folder = tmp_path / "cluster"
    folder.mkdir()
    with (
        running_cluster(programs, folder, HOSTS) as running,
        running_controllers(running, folder),
        gke_access(running, plugin, folder) as path,
    ):
        monkeypatch.setenv("PATH", str(path), prepend=os.pathsep)
        yield running


def kubectl(cluster: Cluster, *arguments: str) -> str:
    """What kubectl prints; it works in the namespace of the estate."""
    done = cluster.kubectl("--namespace=pull", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_whole_life_of_a_cluster(
    cluster: Cluster, tmp_path: Path, checkout: Path, engine: Path
) -> None:
    assert engine.exists()
    lifecycle = RealKubernetes.begin(checkout, tmp_path / "lifecycle", "staging")
    lifecycle.settings(runtime="kubernetes")
    planned = changed(lifecycle.run("preview"))
    assert set(planned.values()) == {"create"}
    assert changed(lifecycle.run("up")) == planned
    assert changed(lifecycle.run("up")) == {}
    assert set(lifecycle.run("refresh")["changeSummary"]) == {"same"}
    running = ("get", "deployments", f"--output=jsonpath={{range .items[*]}}{READY}{{end}}")
    assert kubectl(cluster, *running) == "pull-api 1,pull-temporal-worker 1,"

    # A release, and its rollback by hand as docs/kubernetes.md describes it.
    previous = kubectl(cluster, "get", API, IMAGE)
    lifecycle.settings(kubernetes={"api": {"image": RELEASE}})
    assert changed(lifecycle.run("up")) == {"cluster-api-deployment": "update"}
    assert kubectl(cluster, "get", API, IMAGE) == RELEASE
    kubectl(cluster, "rollout", "undo", API)
    kubectl(cluster, "rollout", "status", API, "--timeout=60s")
    lifecycle.settings(kubernetes={"api": {"image": previous}})
    assert changed(lifecycle.run("refresh")) == {"cluster-api-deployment": "update"}
    assert changed(lifecycle.run("preview")) == {}

    # Changes by hand. Pods are the autoscaler's to count, so their number is no drift.
    kubectl(cluster, "scale", API, "--replicas=2")
    assert lifecycle.ops("drift").returncode == 0
    kubectl(cluster, "set", "image", API, f"api={RELEASE}")
    kubectl(cluster, "patch", "configmap", "pull-api-config", "--patch", CORS)
    kubectl(cluster, "delete", "configmap", "pull-redis-config")
    drift = lifecycle.ops("drift", "--json")
    assert drift.returncode == 1, drift.stdout + drift.stderr
    by_hand = {
        "cluster-api-deployment": "update",
        "config-maps-api": "update",
        "config-maps-redis": "delete",
    }
    assert changed(json.loads(drift.stdout)) == by_hand
    assert changed(lifecycle.run("refresh")) == by_hand
    assert changed(lifecycle.run("up")) == {**by_hand, "config-maps-redis": "create"}
    assert kubectl(cluster, "get", API, IMAGE) == previous
    assert "*" not in kubectl(cluster, "get", "configmap", "pull-api-config", "--output=json")
    assert changed(lifecycle.run("up")) == {}

    lifecycle.run("destroy", "--lift-protection")
    assert lifecycle.resources() == []
    left = kubectl(cluster, "get", "namespaces,priorityclasses", "--output=name").split()
    assert not [name for name in left if "/pull" in name]

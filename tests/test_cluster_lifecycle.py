"""The Kubernetes runtime with the real provider on a real control plane, from up to destroy."""

from __future__ import annotations

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

API: Final = ("deployment/pull-api", "--namespace=pull")


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
    done = cluster.kubectl(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_whole_life_of_a_cluster(
    cluster: Cluster, tmp_path: Path, checkout: Path, engine: Path
) -> None:
    assert engine.exists()
    lifecycle = RealKubernetes.begin(checkout, tmp_path / "lifecycle", "staging")
    lifecycle.settings(runtime="kubernetes")
    planned = changed(lifecycle.run("preview"))
    assert changed(lifecycle.run("up")) == planned
    assert changed(lifecycle.run("preview")) == {}
    assert changed(lifecycle.run("up")) == {}
    assert set(lifecycle.run("refresh")["changeSummary"]) == {"same"}

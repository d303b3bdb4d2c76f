"""The manifests on a real API server: accepted strictly, twice without a change, and restricted."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from components.kubernetes.external_secrets import OPERATOR_VERSION
from ops.engine.go_build import GoError
from ops.review.render import FILES
from tests.needs import lacking
from tests.stack_lifecycle import StackLifecycle
from tests.test_sandbox_admission import GOOD, WRONG
from tests.tools.cluster import (
    EXTERNAL_SECRETS,
    Cluster,
    ClusterError,
    external_secrets_definitions,
    provide_cluster,
    running_cluster,
)

pytestmark = pytest.mark.cluster

NAMESPACE: Final = """\
apiVersion: v1
kind: Namespace
metadata:
  name: pull
  labels: {pod-security.kubernetes.io/enforce: restricted}
"""
SERVICE_ACCOUNT: Final = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: api, namespace: pull}
"""
EXTERNAL_SECRET: Final = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: api, namespace: pull}
spec:
  secretStoreRef: {name: google, kind: SecretStore}
  target: {name: api}
  data:
    - secretKey: JWT_SECRET
      remoteRef: {key: pull-production-jwt-secret}
"""
DEPLOYMENT: Final = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: pull}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      serviceAccountName: api
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: api
          image: registry.example/api@sha256:0123456789abcdef
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: {drop: [ALL]}
"""


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """An API server that knows the resources of the External Secrets operator."""
    try:
        programs = provide_cluster(lambda line: print(line, file=sys.stderr))
        definitions = external_secrets_definitions()
    except GoError as error:
        lacking(f"no API server to test against: {error}")
    with running_cluster(programs, tmp_path_factory.mktemp("cluster")) as running:
        applied = running.kubectl("apply", "--server-side", f"--kustomize={definitions}")
        assert applied.returncode == 0, applied.stderr
        established = running.kubectl(
            "wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"
        )
        assert established.returncode == 0, established.stderr
        yield running


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory, checkout: Path, engine: Path) -> Path:
    """The folder with production's manifests."""
    assert engine.exists()
    lifecycle = StackLifecycle.begin(
        checkout, tmp_path_factory.mktemp("render") / "lifecycle", "production"
    )
    depth = {"metric": "prometheus.googleapis.com|depth|gauge", "tasks_per_instance": 2000}
    lifecycle.settings(runtime="kubernetes", kubernetes={"queue_depth": depth})
    out = lifecycle.folder / "manifests"
    done = lifecycle.render(out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def apply_text(
    cluster: Cluster, text: str, *options: str, verb: str = "apply"
) -> subprocess.CompletedProcess[str]:
    strict = ["--validate=strict", "--filename=-"]
    server_side = ["--server-side"] if verb == "apply" else []
    return cluster.kubectl(verb, *server_side, *strict, *options, text=text)


def apply_all(cluster: Cluster, folder: Path) -> dict[str, dict[str, Any]]:
    """Apply each file in order; every object in them as it is then, by kind and name."""
    live = {}
    for file in (folder / name for name in FILES):
        applied = cluster.kubectl(
            *("apply", "--server-side", "--validate=strict", "--output=json"),
            f"--filename={file}",
        )
        assert applied.returncode == 0, f"{file.name}: {applied.stderr}"
        for manifest in objects(applied.stdout):
            live[f"{manifest['kind']} {manifest['metadata']['name']}"] = manifest
    return live


def other(live: Any, declared: Any, path: str) -> Iterator[str]:
    """Values of the manifest that differ in the live object; it may have additional ones."""
    if isinstance(declared, dict) and isinstance(live, dict):
        for key, value in declared.items():
            yield from other(live.get(key), value, f"{path}.{key}")
    elif isinstance(declared, list) and isinstance(live, list) and len(declared) == len(live):
        for position, pair in enumerate(zip(live, declared, strict=True)):
            yield from other(*pair, f"{path}[{position}]")
    elif live != declared:
        yield f"{path}: {declared!r} has become {live!r}"


def objects(text: str) -> list[dict[str, Any]]:
    document = json.loads(text)
    return list(document["items"]) if document["kind"] == "List" else [document]


def pods(folder: Path) -> Iterator[dict[str, Any]]:
    """A bare pod for each template in the manifests, in the namespace of its workload."""
    for file in sorted(folder.glob("*.yaml")):
        for manifest in yaml.safe_load_all(file.read_text()):
            spec = (manifest or {}).get("spec", {})
            template = spec.get("jobTemplate", {}).get("spec", spec).get("template", {})
            if "containers" in template.get("spec", {}):
                metadata = {"name": manifest["metadata"]["name"], "labels": {}}
                metadata |= template.get("metadata", {})
                metadata["namespace"] = manifest["metadata"]["namespace"]
                yield {**template, "apiVersion": "v1", "kind": "Pod", "metadata": metadata}


def test_the_operator_is_the_one_that_the_program_installs() -> None:
    assert str(EXTERNAL_SECRETS) == OPERATOR_VERSION


def test_it_accepts_every_manifest_and_a_second_time_changes_nothing(
    cluster: Cluster, rendered: Path
) -> None:
    first = apply_all(cluster, rendered)
    assert len(first) >= 20
    assert apply_all(cluster, rendered) == first


def test_it_keeps_every_value_as_it_was_said(cluster: Cluster, rendered: Path) -> None:
    """Whatever it writes in another form is drift to the engine after each refresh."""
    live = apply_all(cluster, rendered)
    declared = {
        f"{one['kind']} {one['metadata']['name']}": one
        for file in rendered.iterdir()
        for one in yaml.safe_load_all(file.read_text("utf-8"))
    }
    assert declared.keys() == live.keys()
    for name, manifest in declared.items():
        assert list(other(live[name], manifest, name)) == []


def test_it_admits_the_pods_of_every_workload(cluster: Cluster, rendered: Path) -> None:
    apply_all(cluster, rendered)
    wanted = list(pods(rendered))
    assert [pod["metadata"]["name"] for pod in wanted] == ["pull-api", "pull-temporal-worker"]
    for pod in wanted:
        # A Deployment whose pods are refused is accepted, with a warning at best.
        made = apply_text(cluster, json.dumps(pod), "--dry-run=server", verb="create")
        assert (made.returncode, made.stderr) == (0, ""), pod["metadata"]["name"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "  selector:",
            "  selektor: 1\n  selector:",
            "spec.selektor: field not declared in schema",
        ),
        ("app: api}}\n  template", "app: web}}\n  template", "does not match template"),
        ("  selector:", "  replicas: two\n  selector:", "failed to create typed patch object"),
    ],
)
def test_it_refuses_a_wrong_manifest(cluster: Cluster, old: str, new: str, reason: str) -> None:
    assert apply_text(cluster, NAMESPACE).returncode == 0
    wrong = DEPLOYMENT.replace(old, new, 1).replace("name: api, name", "name: wrong, name")
    refused = apply_text(cluster, wrong)
    assert refused.returncode != 0
    assert reason in refused.stderr


def test_it_refuses_a_wrong_external_secret(cluster: Cluster) -> None:
    assert apply_text(cluster, NAMESPACE).returncode == 0
    wrong = EXTERNAL_SECRET.replace("secretStoreRef", "secretStore").replace(
        "name: api,", "name: wrong,"
    )
    refused = apply_text(cluster, wrong)
    assert refused.returncode != 0
    assert "spec.secretStore: field not declared in schema" in refused.stderr


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("drop: [ALL]", "drop: []", "unrestricted capabilities"),
        ("allowPrivilegeEscalation: false", "privileged: true", "privileged"),
        ("runAsNonRoot: true, ", "", "runAsNonRoot != true"),
        (
            "serviceAccountName: api",
            "serviceAccountName: nobody",
            'serviceaccount "nobody" not found',
        ),
    ],
)
def test_it_refuses_a_pod_that_is_not_restricted(
    cluster: Cluster, tmp_path: Path, old: str, new: str, reason: str
) -> None:
    for text in (NAMESPACE, SERVICE_ACCOUNT):
        assert apply_text(cluster, text).returncode == 0
    (tmp_path / "deployment.yaml").write_text(DEPLOYMENT.replace(old, new))
    (pod,) = pods(tmp_path)
    refused = apply_text(cluster, json.dumps(pod), "--dry-run=server", verb="create")
    assert refused.returncode != 0
    assert reason in refused.stderr


@pytest.mark.parametrize("kind", GOOD)
def test_it_takes_what_the_sandbox_takes(cluster: Cluster, kind: str) -> None:
    taken = apply_text(cluster, json.dumps(GOOD[kind]), "--dry-run=server")
    assert taken.returncode == 0, taken.stderr


@pytest.mark.parametrize("manifest", WRONG)
def test_it_refuses_what_the_sandbox_refuses(cluster: Cluster, manifest: dict[str, Any]) -> None:
    refused = apply_text(cluster, json.dumps(manifest), "--dry-run=server")
    assert refused.returncode != 0
    why = "is invalid: |duplicate entries for key|quantities must match"
    assert re.search(why, refused.stderr), refused.stderr


def test_nothing_of_it_is_left_when_the_block_ends(cluster: Cluster, tmp_path: Path) -> None:
    def running() -> int:
        command = ["ps", "-axww", "-o", "args="]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return sum(str(tmp_path) in line for line in listed.splitlines())

    with running_cluster(cluster.programs, tmp_path):
        assert running() == 2
    assert running() == 0


def test_one_that_does_not_start_says_why(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "etcd").write_text("a file where its folder belongs")
    with (
        pytest.raises(ClusterError, match=r"(?s)does not get ready.*etcd\.log:.*not a directory"),
        running_cluster(cluster.programs, tmp_path),
    ):
        pass

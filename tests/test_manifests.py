"""The check of manifests finds what a strict API server would refuse for its shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
import yaml

from tests import manifests
from tests.test_cluster import DEPLOYMENT, EXTERNAL_SECRET, NAMESPACE, SERVICE_ACCOUNT

AUTOSCALER: Final = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: pull}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  maxReplicas: 4
"""
SERVICE: Final = """\
apiVersion: v1
kind: Service
metadata: {name: api, namespace: pull}
spec:
  ports: [{port: 80, targetPort: http}, {port: 81, targetPort: 3000}]
"""


Check = Callable[[str], list[str]]


@pytest.fixture
def check(need: Callable[[str, str], str]) -> Check:
    """The check, fed with YAML."""
    need("go", "the schemas come with Go modules; install Go 1.24 or newer")
    return lambda text: manifests.check(yaml.safe_load(text))


@pytest.mark.parametrize(
    "text", [NAMESPACE, SERVICE_ACCOUNT, DEPLOYMENT, EXTERNAL_SECRET, AUTOSCALER, SERVICE]
)
def test_a_good_manifest_has_no_problem(check: Check, text: str) -> None:
    assert check(text) == []


@pytest.mark.parametrize(
    ("text", "old", "new", "problem"),
    [
        (DEPLOYMENT, "  selector", "  selektor: 1\n  selector", "spec: Additional properties"),
        (DEPLOYMENT, "image:", "imag:", "spec.template.spec.containers[0]: Additional properties"),
        (DEPLOYMENT, "  selector", '  replicas: "2"\n  selector', "spec.replicas: '2' is not of"),
        (DEPLOYMENT, "selector: {matchLabels: {app: api}}", "replicas: 2", "spec: 'selector' is"),
        (NAMESPACE, "metadata:", "metadata:\n  lables: {}", "metadata: Additional properties"),
        (AUTOSCALER, "maxReplicas: 4", "minReplicas: 2", "spec: 'maxReplicas' is a required"),
        (EXTERNAL_SECRET, "target:", "traget:", "spec: Additional properties"),
        (EXTERNAL_SECRET, "{key: pull-production-jwt-secret}", "{}", "'key' is a required"),
        (EXTERNAL_SECRET, "kind: SecretStore", "kind: Store", "'Store' is not one of"),
        (EXTERNAL_SECRET, "metadata: {name", "metadata: {nme", "metadata: Additional properties"),
        (EXTERNAL_SECRET, "io/v1\n", "io/v1beta1\n", "kind: neither Kubernetes nor the operator"),
        (SERVICE, "kind: Service", "kind: Servise", "has a Servise in v1"),
    ],
)
def test_it_finds_what_is_wrong(check: Check, text: str, old: str, new: str, problem: str) -> None:
    assert old in text
    (found,) = check(text.replace(old, new, 1))
    assert problem in found


def test_it_finds_everything_at_once(check: Check) -> None:
    wrong: dict[str, Any] = yaml.safe_load(DEPLOYMENT)
    wrong["spec"]["replicas"] = "two"
    wrong["spec"]["template"]["spec"]["containers"][0].pop("name")
    assert [problem.partition(":")[0] for problem in check(yaml.safe_dump(wrong))] == [
        "spec.replicas",
        "spec.template.spec.containers[0]",
    ]

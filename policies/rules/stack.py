"""Rules over the whole stack: administrators, the order of releases, capacity and exposure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from policies.framework.demands import is_number
from policies.framework.graph import Graph, Node, StackRule
from policies.framework.paths import COMPONENT_PREFIX, Finding
from policies.framework.rules import Severity
from policies.rules import cloud_run
from policies.rules.stack_secrets import account_of
from resource_types import cloudflare, gcp, kubernetes, vercel

GUIDE: Final = "docs/runbook-coverage.md"

RELEASES: Final = (
    gcp.SECRET_VERSION,
    cloudflare.WORKERS_DEPLOYMENT,
    vercel.PROJECT_DOMAIN,
    gcp.RUN_SERVICE,
    gcp.RUN_WORKER_POOL,
    kubernetes.DEPLOYMENT,
)
"""Resources that put a release in front of users, and the secrets that releases read."""

ADMINISTRATION: Final = re.compile(r"\.(\w*[aA]dmin)$|^roles/(owner|editor)$")


def _few_administrators(graph: Graph) -> Iterator[Finding]:
    def check(node: Node) -> Iterator[Finding]:
        if ADMINISTRATION.search(str(node.view.get("role"))):
            account = account_of(node).partition("@")[0]
            if account not in graph.config["administrators"]:
                yield node.finding(
                    "role", "is administrative, and the account is not an administrator"
                )

    yield from graph.check_each(check, gcp.PROJECT_IAM.member)


def _separation_of_duties(graph: Graph) -> Iterator[Finding]:
    administrators: set[str] = set()

    def collect(node: Node) -> Iterator[Finding]:
        if node.view.get("role") in ("roles/cloudkms.admin", "roles/owner"):
            administrators.add(account_of(node))
        yield from ()

    def check(node: Node) -> Iterator[Finding]:
        if account_of(node) in administrators:
            yield node.finding("member", "must not administer the keys that it encrypts with")

    yield from graph.check_each(collect, gcp.PROJECT_IAM.member)
    yield from graph.check_each(check, gcp.CRYPTO_KEY_IAM.member)


# -- order -----------------------------------------------------------------------------------------


def _no_backward_dependency(graph: Graph) -> Iterator[Finding]:
    for node in graph.nodes:
        if node.type.startswith(COMPONENT_PREFIX) and not node.stage:
            yield node.finding("stage", "is missing, so the order cannot be checked")
        for earlier in node.dependencies:
            if node.stage and node.stage < earlier.stage:
                text = f"depends on {earlier.name} of a later step: {earlier.stage}"
                yield node.finding("", f"({node.stage}) {text}")


def _releases_in_order(graph: Graph) -> Iterator[Finding]:
    releases = [node for node in graph.of_type(*RELEASES) if node.stage]
    stages = sorted({node.stage for node in releases})
    for previous, stage in pairwise(stages):
        for node in (node for node in releases if node.stage == stage):
            finished = node.ancestors
            for earlier in releases:
                if earlier.stage == previous and earlier not in finished:
                    text = f"({stage}) does not depend on {earlier.name} ({previous})"
                    yield node.finding("", text)


# -- capacity --------------------------------------------------------------------------------------


def _connection_budget(graph: Graph) -> Iterator[Finding]:
    needed, per_instance = 0, graph.config["connectionsPerInstance"]
    for node in graph.of_type(*cloud_run.SCALING):
        if "DATABASE_URL" in node.view.all("template.containers[].envs[].name"):
            scaling = cloud_run.SCALING[node.type]
            maximum = node.view.get(f"{scaling}.maxInstanceCount", 0)
            needed += int(maximum * per_instance) if is_number(maximum) else 0
    # Every workload in the cluster uses the database.
    for node in graph.of_type(kubernetes.HORIZONTAL_POD_AUTOSCALER):
        needed += int(node.view.get("spec.maxReplicas", 0) * per_instance)
    for instance in graph.of_type(gcp.SQL_INSTANCE):
        if instance.view.get("clone"):
            continue  # a recovery clone inherits its flags, and has no clients yet
        limit = instance.view.get("settings.databaseFlags[name=max_connections].value")
        free = int(limit) - int(graph.config["reserved"]) if str(limit).isdigit() else 0
        if needed > free:
            path = "settings.databaseFlags[max_connections]"
            text = f"leaves {free} connections, but all instances together open up to {needed}"
            yield instance.finding(path, text)


# -- exposure --------------------------------------------------------------------------------------


def _load_balancer_not_bypassed(graph: Graph) -> Iterator[Finding]:
    balanced = {
        str(node.view.get("cloudRun.service")) for node in graph.of_type(gcp.NETWORK_ENDPOINT_GROUP)
    }
    for node in graph.of_type(gcp.RUN_SERVICE):
        if node.view.get("name") in balanced and node.view.get("defaultUriDisabled") is not True:
            yield node.finding("defaultUriDisabled", "must be true: a load balancer is in front")


def _namespaces_deny_by_default(graph: Graph) -> Iterator[Finding]:
    closed = {
        node.view.get("metadata.namespace")
        for node in graph.of_type(kubernetes.NETWORK_POLICY)
        if not node.view.get("spec.podSelector")
        and not node.view.get("spec.ingress")
        and not node.view.get("spec.egress")
        and {"Ingress", "Egress"} <= set(node.view.all("spec.policyTypes[]"))
    }
    for node in graph.of_type(kubernetes.NAMESPACE):
        if node.view.get("metadata.name") not in closed:
            yield node.finding(
                "metadata.name", "has no network policy that denies traffic by default"
            )


RULES: Final = (
    StackRule(
        id="stack-few-administrators",
        severity=Severity.HIGH,
        what="Only the account that deploys the estate has administrative roles.",
        fix="Grant a less powerful role, or add the administrator to the rule's settings.",
        url="https://cloud.google.com/iam/docs/using-iam-securely",
        frameworks=("CIS-GCP-4.0 1.5", "CKV_GCP_42", "Trivy GCP-0007"),
        check=_few_administrators,
        paths=("role", "member"),
        settings={
            "administrators": {
                "type": "array",
                "items": {"type": "string", "pattern": r"pull-ci-[a-z-]+"},
                "default": ["pull-ci-deployer", "pull-ci-deployer-stg"],
            }
        },
    ),
    StackRule(
        id="stack-separation-of-duties",
        severity=Severity.HIGH,
        what="No account both administers and uses encryption keys.",
        fix="Grant only one of the two roles.",
        url="https://cloud.google.com/kms/docs/separation-of-duties",
        frameworks=("CIS-GCP-4.0 1.11",),
        check=_separation_of_duties,
        paths=("role", "member"),
        decidable_after_update=True,
    ),
    StackRule(
        id="stack-no-backward-dependency",
        severity=Severity.HIGH,
        what="No resource depends on a later step of the runbook's deployment order.",
        fix="Reverse the dependency.",
        url=GUIDE,
        check=_no_backward_dependency,
        paths=("stage",),
    ),
    StackRule(
        id="stack-releases-in-order",
        severity=Severity.HIGH,
        what="Releases follow the runbook's order: secrets, API, web, workers.",
        fix="Make the release depend on the release of the previous step (`after`).",
        url=GUIDE,
        check=_releases_in_order,
        paths=("stage",),
    ),
    StackRule(
        id="stack-connection-budget",
        severity=Severity.HIGH,
        what="All instances together open no more connections than the database accepts.",
        fix="Raise max_connections, lower max_instances, or add a connection pooler.",
        url="https://cloud.google.com/sql/docs/postgres/manage-connections",
        check=_connection_budget,
        paths=("settings.databaseFlags[name=max_connections].value",),
        settings={
            # The application decides how many connections an instance opens; no resource holds the
            # number. This figure is the agreement with the application.
            "connectionsPerInstance": {
                "type": "number",
                "default": 8,
                "minimum": 8,
                "maximum": 100,
            },
            # For operators, exports, and the superuser.
            "reserved": {"type": "number", "default": 20, "minimum": 20, "maximum": 200},
        },
    ),
    StackRule(
        id="stack-load-balancer-not-bypassed",
        severity=Severity.HIGH,
        what="A service behind a load balancer has no other address.",
        fix="Set defaultUriDisabled to true.",
        url="https://cloud.google.com/run/docs/securing/ingress#disable-url",
        check=_load_balancer_not_bypassed,
        paths=("cloudRun.service", "defaultUriDisabled"),
    ),
    StackRule(
        id="stack-namespace-denies-by-default",
        severity=Severity.MEDIUM,
        what="Every namespace denies traffic that no network policy allows.",
        fix="Add a NetworkPolicy with an empty podSelector, policyTypes Ingress and Egress, and no "
        "rule.",
        url="https://kubernetes.io/docs/concepts/services-networking/network-policies/",
        frameworks=("CKV2_K8S_6",),
        check=_namespaces_deny_by_default,
        paths=("metadata.name", "spec.podSelector", "spec.ingress", "spec.policyTypes[]"),
    ),
)

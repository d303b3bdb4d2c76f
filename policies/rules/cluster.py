"""Rules over the objects in the cluster, which belong together by labels, ports and keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from policies.framework.demands import is_number
from policies.framework.graph import Graph, Node, StackRule
from policies.framework.paths import Finding
from policies.framework.rules import Severity
from policies.rules.flows import API
from policies.rules.grants import KUBERNETES_ACCOUNTS, OPERATOR, members, project_of
from policies.rules.kubernetes import ACCOUNT_ANNOTATION, NAMESPACE, POD_SPECS, annotations_of
from policies.rules.runbook import ENVIRONMENT, environment
from policies.rules.stack_secrets import is_secret_of
from resource_types import gcp, kubernetes

GUIDE: Final = "docs/kubernetes.md"

NAME_LABEL: Final = "app.kubernetes.io/name"

DRAIN_SECONDS: Final = range(10, 61)
"""Time for which the load balancer still sends requests to a pod that terminates.

https://cloud.google.com/kubernetes-engine/docs/how-to/container-native-load-balancing
"""

EVICTION: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict"
MAX_SCALE_DOWN_SECONDS: Final = 600
"""https://cloud.google.com/kubernetes-engine/docs/concepts/cluster-autoscaler"""

_POD: Final = POD_SPECS[kubernetes.DEPLOYMENT]


def _labels(node: Node) -> dict[str, Any]:
    """The labels that select the pods of a Deployment, and nothing else."""
    return {NAME_LABEL: node.view.get("metadata.name")}


def _grace(node: Node) -> float:
    """The seconds that a pod has to terminate."""
    seconds = node.view.get(f"{_POD}.terminationGracePeriodSeconds")
    return float(seconds) if is_number(seconds) else 30


def _selectors(graph: Graph) -> Iterator[Finding]:
    """Selectors find the pods of one Deployment."""
    deployments = graph.of_type(kubernetes.DEPLOYMENT)
    for node in deployments:
        labels = _labels(node)
        constraints = f"{_POD}.topologySpreadConstraints[].labelSelector"
        for path in ("spec.selector", constraints):
            for match in node.view.find(path):
                if match.value != {"matchLabels": labels}:
                    yield node.finding(match.path, f"must be {NAME_LABEL} with the own name")
        pod_labels = node.view.get("spec.template.metadata.labels")
        if not isinstance(pod_labels, dict) or not labels.items() <= pod_labels.items():
            yield node.finding("spec.template.metadata.labels", f"must have {NAME_LABEL}")
    selectable = [_labels(node) for node in deployments]
    for token, path in (
        (kubernetes.POD_DISRUPTION_BUDGET, "spec.selector.matchLabels"),
        (kubernetes.SERVICE, "spec.selector"),
    ):
        for node in graph.of_type(token):
            if node.view.get(path) not in selectable:
                yield node.finding(path, "must select the pods of one Deployment")


def _shutdown(graph: Graph) -> Iterator[Finding]:
    """Pods behind a Service keep answering while the load balancer still sends requests."""
    served = [node.view.get("spec.selector") for node in graph.of_type(kubernetes.SERVICE)]
    guarded = [
        node.view.get("spec.selector.matchLabels")
        for node in graph.of_type(kubernetes.POD_DISRUPTION_BUDGET)
    ]
    for node in graph.of_type(kubernetes.DEPLOYMENT):
        behind_service = _labels(node) in served
        if behind_service and _labels(node) not in guarded:
            yield node.finding("", "needs a PodDisruptionBudget")
        grace = _grace(node)
        for container in node.view.parts(f"{_POD}.containers[]"):
            hook = container.get("lifecycle.preStop", {})
            seconds = container.get("lifecycle.preStop.sleep.seconds")
            if not behind_service and hook:
                yield container.finding("lifecycle.preStop", "must not delay the shutdown")
            elif behind_service and (seconds not in DRAIN_SECONDS or seconds > grace / 2):
                text = f"must be {DRAIN_SECONDS[0]} to {DRAIN_SECONDS[-1]} seconds, and at most "
                text += "half of terminationGracePeriodSeconds"
                yield container.finding("lifecycle.preStop.sleep.seconds", text)


def _secrets(graph: Graph) -> Iterator[Finding]:
    """The operator copies what pods read, each value under its own name."""
    read: set[str] = set()
    for node in graph.of_type(kubernetes.DEPLOYMENT):
        for variable in node.view.parts(f"{_POD}.containers[].env[]"):
            key = variable.get("valueFrom.secretKeyRef.key")
            if key is not None:
                read.add(str(key))
                if key != variable.get("name"):
                    yield variable.finding("valueFrom.secretKeyRef.key", "must be the variable")
    for node in graph.of_type(kubernetes.EXTERNAL_SECRET):
        keys = Counter(str(key) for key in node.view.all("spec.data[].secretKey"))
        if read - keys.keys():
            yield node.finding("spec.data", "must have every key that a pod reads")
        if read and keys.keys() - read:
            yield node.finding("spec.data", "must not have a key that no pod reads")
        if max(keys.values(), default=0) > 1:
            yield node.finding("spec.data", "must have each key once")
        for entry in node.view.parts("spec.data[]"):
            if not is_secret_of(str(entry.get("remoteRef.key")), str(entry.get("secretKey"))):
                yield entry.finding("remoteRef.key", "must be the secret of this variable")


def _accounts(graph: Graph) -> Iterator[Finding]:
    """A Kubernetes service account acts as its own Google service account."""
    holders = members(environment(graph.config), project_of(graph))
    impersonations = {
        str(node.view.get("member")): node
        for node in graph.of_type(gcp.SERVICE_ACCOUNT_IAM.member)
        if ".svc.id.goog[" in str(node.view.value("member"))
    }
    clusters = set(graph.of_type(gcp.GKE_CLUSTER))
    for node in impersonations.values():
        if not clusters <= node.ancestors:
            yield node.finding("", "must depend on the cluster, whose identity pool it uses")
    for node in graph.of_type(kubernetes.SERVICE_ACCOUNT):
        name = str(node.view.get("metadata.name"))
        account = str(annotations_of(node.view).get(ACCOUNT_ANNOTATION))
        holder = holders.get(KUBERNETES_ACCOUNTS.get(name, ""))
        if holder is None or not holder.fullmatch(f"serviceAccount:{account}"):
            text = f"must have {ACCOUNT_ANNOTATION} with the account that it acts as"
            yield node.finding("metadata.annotations", text)
        if not any(member.endswith(f"[{NAMESPACE}/{name}]") for member in impersonations):
            yield node.finding("", "needs a grant to act as its Google service account")
    operator = {name for name, account in KUBERNETES_ACCOUNTS.items() if account == OPERATOR}
    path = "spec.provider.gcpsm.auth.workloadIdentity.serviceAccountRef.name"
    for node in graph.of_type(kubernetes.SECRET_STORE):
        if node.view.get(path) not in operator:
            yield node.finding(path, "must be the account of the External Secrets operator")


def _priorities(graph: Graph) -> Iterator[Finding]:
    """The API displaces workers, whose tasks wait in Temporal meanwhile."""
    values = {
        str(node.view.get("metadata.name")): float(node.view.get("value"))
        for node in graph.of_type(kubernetes.PRIORITY_CLASS)
        if is_number(node.view.get("value"))
    }
    deployments = {
        node.view.get("metadata.name"): values.get(
            str(node.view.get(f"{_POD}.priorityClassName")), 0
        )
        for node in graph.of_type(kubernetes.DEPLOYMENT)
    }
    for node in graph.of_type(kubernetes.DEPLOYMENT):
        name = node.view.get("metadata.name")
        if name != API and deployments[name] >= deployments.get(API, float("inf")):
            yield node.finding(f"{_POD}.priorityClassName", f"must be below that of {API}")


NODE_ROLE: Final = "roles/container.defaultNodeServiceAccount"


def _cluster(graph: Graph) -> Iterator[Finding]:
    """Nodes can start, and the ranges of pods and Services are in the cluster's own subnet."""
    roles = [node.view.get("role") for node in graph.of_type(gcp.PROJECT_IAM.member)]
    for node in graph.of_type(gcp.GKE_CLUSTER):
        if NODE_ROLE not in roles:
            yield node.finding("", f"needs the grant of {NODE_ROLE} to its nodes")
        names = [
            name
            for subnet in node.property_dependencies.get("subnetwork", ())
            for name in subnet.view.all("secondaryIpRanges[].rangeName")
        ]
        for path in ("clusterSecondaryRangeName", "servicesSecondaryRangeName"):
            if node.view.get(f"ipAllocationPolicy.{path}") not in names:
                yield node.finding(f"ipAllocationPolicy.{path}", "must be a range of the subnet")


def _release(graph: Graph) -> Iterator[Finding]:
    """A pod starts again when its variables change."""
    for node in graph.of_type(kubernetes.DEPLOYMENT):
        evictable = annotations_of(node.view, "spec.template.metadata")
        long = _grace(node) > MAX_SCALE_DOWN_SECONDS
        if (evictable.get(EVICTION) == "false") is not long:
            text = f"must have {EVICTION}: false if, and only if, a pod needs longer to terminate "
            text += f"than the {MAX_SCALE_DOWN_SECONDS} seconds for which a node waits"
            yield node.finding("spec.template.metadata.annotations", text)


def _check(graph: Graph) -> Iterator[Finding]:
    for check in (_selectors, _shutdown, _secrets, _accounts, _priorities, _cluster, _release):
        yield from check(graph)


RULES: Final = (
    StackRule(
        id="stack-cluster-consistent",
        severity=Severity.HIGH,
        what="The objects in the cluster fit together: selectors, shutdown, secrets, accounts, "
        "priorities and address ranges.",
        fix="Correct the label, key or name; docs/kubernetes.md explains the objects.",
        url=GUIDE,
        check=_check,
        paths=(
            *("spec.selector", "spec.template.metadata.labels", "spec.data"),
            *("spec.template.spec.containers[].lifecycle.preStop.sleep.seconds", "value"),
            *("metadata.annotations", "spec.template.spec.priorityClassName"),
            "ipAllocationPolicy.clusterSecondaryRangeName",
        ),
        settings=ENVIRONMENT,
    ),
)

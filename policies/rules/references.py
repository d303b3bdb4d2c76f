"""References between resources by name or id, and names that only one resource may have.

A name in a manifest is text: nothing but these rules notices that no ConfigMap has it. An id is
known only after the update, so the graph shows which resource it comes from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from policies.framework.graph import Graph, Node, StackRule
from policies.framework.paths import ABSENT, UNKNOWN, Finding
from policies.framework.rules import Severity
from policies.rules.kubernetes import POD_SPECS
from resource_types import RESOURCE_TYPES, ResourceType, cloudflare, gcp, kubernetes, vercel

GUIDE: Final = "docs/architecture.md"

_POD: Final = POD_SPECS[kubernetes.DEPLOYMENT]


class Reference(NamedTuple):
    """``path`` of a ``type`` is ``property`` of a ``target`` in the stack; "" for its id."""

    type: str
    path: str
    target: str
    property: str = ""


def _named(token: str, path: str, target: str) -> Reference:
    return Reference(token, path, target, "metadata.name")


REFERENCES: Final = (
    Reference(cloudflare.WORKER_VERSION, "workerId", cloudflare.WORKER),
    Reference(cloudflare.WORKERS_DEPLOYMENT, "scriptName", cloudflare.WORKER, "name"),
    Reference(cloudflare.R2_BUCKET_CORS, "bucketName", cloudflare.R2_BUCKET, "name"),
    Reference(cloudflare.R2_BUCKET_LIFECYCLE, "bucketName", cloudflare.R2_BUCKET, "name"),
    Reference(vercel.ENVIRONMENT_VARIABLE, "projectId", vercel.PROJECT),
    Reference(vercel.PROJECT_DOMAIN, "projectId", vercel.PROJECT),
    Reference(vercel.DEPLOYMENT, "projectId", vercel.PROJECT),
    Reference(gcp.GKE_CLUSTER, "network", gcp.NETWORK),
    Reference(gcp.GKE_CLUSTER, "subnetwork", gcp.SUBNETWORK),
    _named(kubernetes.DEPLOYMENT, f"{_POD}.serviceAccountName", kubernetes.SERVICE_ACCOUNT),
    _named(kubernetes.DEPLOYMENT, f"{_POD}.priorityClassName", kubernetes.PRIORITY_CLASS),
    _named(
        kubernetes.DEPLOYMENT,
        f"{_POD}.containers[].envFrom[].configMapRef.name",
        kubernetes.CONFIG_MAP,
    ),
    Reference(
        kubernetes.DEPLOYMENT,
        f"{_POD}.containers[].env[].valueFrom.secretKeyRef.name",
        kubernetes.EXTERNAL_SECRET,
        "spec.target.name",
    ),
    _named(
        kubernetes.SECRET_STORE,
        "spec.provider.gcpsm.auth.workloadIdentity.serviceAccountRef.name",
        kubernetes.SERVICE_ACCOUNT,
    ),
    _named(kubernetes.EXTERNAL_SECRET, "spec.secretStoreRef.name", kubernetes.SECRET_STORE),
    _named(kubernetes.HORIZONTAL_POD_AUTOSCALER, "spec.scaleTargetRef.name", kubernetes.DEPLOYMENT),
    _named(
        kubernetes.INGRESS,
        "spec.rules[].http.paths[].backend.service.name",
        kubernetes.SERVICE,
    ),
)

USED_ONCE: Final = {kubernetes.DEPLOYMENT: "autoscaler"}
"""Types whose every resource has exactly one other that refers to it, and what that is."""

USED: Final = (kubernetes.SERVICE_ACCOUNT,)
"""Types of which nothing may be left over."""


def _references(graph: Graph) -> Iterator[Finding]:
    used: Counter[tuple[str, Any]] = Counter()
    for token, path, target, name in REFERENCES:
        names = {value for node in graph.of_type(target) for value in _values(node, name)}
        for node in graph.of_type(token):
            sources = node.property_dependencies.get(path.partition(".")[0], ())
            from_target = any(source.type == target for source in sources)
            for match in node.view.find(path):
                if not name or match.value is UNKNOWN:
                    found = from_target
                else:
                    found = match.value is ABSENT or match.value in names
                    used[target, match.value] += 1
                if not found:
                    yield node.finding(match.path, f"must be that of a {target} of this stack")
    for token in (*USED_ONCE, *USED):
        for node in graph.of_type(token):
            count = used[token, node.view.get("metadata.name")]
            if count == 0 or (count > 1 and token in USED_ONCE):
                yield node.finding("metadata.name", f"must have one {USED_ONCE.get(token, 'user')}")


def _values(node: Node, path: str) -> Iterator[Any]:
    for match in node.view.find(path) if path else ():
        if match.value not in (ABSENT, UNKNOWN):
            yield match.value


IDENTIFIERS: Final = {
    cloudflare.DNS_RECORD: ("name", "zoneId", "type", "content"),
    cloudflare.WORKERS_ROUTE: ("pattern", "zoneId"),
    vercel.ENVIRONMENT_VARIABLE: ("key", "targets"),
    vercel.PROJECT_DOMAIN: ("domain",),
}
"""The inputs that identify a resource together, where that is not its name alone."""

UNIQUE: Final = ("cloudflare:", "gcp:", "kubernetes:", "vercel:")


def _identifiers(record: ResourceType) -> tuple[str, ...]:
    if record.token in IDENTIFIERS:
        return IDENTIFIERS[record.token]
    if record.token.startswith("kubernetes:"):
        return ("metadata.name",)
    return (record.name_property, "location", "region") if record.name_property else ()


def _unique(graph: Graph) -> Iterator[Finding]:
    seen: dict[tuple[str, ...], Node] = {}
    for node in graph.nodes:
        record = RESOURCE_TYPES.get(node.type)
        if record is None or not node.type.startswith(UNIQUE):
            continue
        paths = _identifiers(record)
        values = [node.view.value(path) for path in paths]
        if not values or values[0] is ABSENT or UNKNOWN in values:
            continue
        first = seen.setdefault((node.type, *map(str, values)), node)
        if first is not node:
            yield node.finding(paths[0], f"must differ from that of {first.name}")


RULES: Final = (
    StackRule(
        id="stack-references-exist",
        severity=Severity.HIGH,
        what="What a resource refers to by name or id is in this stack, and every Deployment has "
        "one autoscaler.",
        fix="Refer to the resource, or add it.",
        url=GUIDE,
        check=_references,
        paths=tuple(sorted({reference.path for reference in REFERENCES})),
    ),
    StackRule(
        id="stack-names-unique",
        severity=Severity.HIGH,
        what="No two resources of a type have the same name.",
        fix="Remove or rename one of them: the second would fail, or overwrite the first.",
        url=GUIDE,
        check=_unique,
        paths=("name", "key", "pattern", "domain", "metadata.name"),
    ),
)

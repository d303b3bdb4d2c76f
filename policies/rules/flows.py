"""Which traffic may flow: every way into, out of and inside the estate. Others are violations.

Three tables list the flows: the host names in :data:`RECORDS` and :data:`HOSTS`, and the traffic of
pods in :func:`pod_flows`. No firewall rule, custom domain or load balancer outside of the cluster
is among them, so a resource that adds one is a violation until it gets a row here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.framework.graph import Graph, Node, StackRule
from policies.framework.paths import UNKNOWN, Finding, Undecided, View, attempt
from policies.framework.rules import Severity
from policies.rules.kubernetes import NAMESPACE, POD_SPECS, WORKLOADS, annotations_of
from policies.rules.runbook import ENVIRONMENT, environment, name_suffix
from resource_types import cloudflare, gcp, kubernetes, vercel

GUIDE: Final = "docs/kubernetes.md"

API: Final = "pull-api"

# -- host names ------------------------------------------------------------------------------------

WEB_ORIGIN: Final = "cname.vercel-dns.com"
NO_ORIGIN: Final = "100::"
"""The address of a name that a Worker answers (the discard prefix of RFC 6666).

https://developers.cloudflare.com/workers/configuration/routing/routes/#set-up-a-route
"""

CLUSTER_HOST: Final = "api-cluster"
HOSTS: Final = ("api", CLUSTER_HOST)
"""Names that the Ingress answers: the API's, and the cluster's own."""

RECORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "api": {"AAAA": NO_ORIGIN, "CNAME": "api-cluster<suffix>.pull.com"},
    CLUSTER_HOST: {"A": "<address>"},
    "app": {"CNAME": WEB_ORIGIN},
}
"""Where each name leads, by the type of the record; ``<address>`` is that of the cluster."""


@dataclass(frozen=True, slots=True)
class Context:
    """The stack that a flow belongs to; names of staging have a suffix."""

    graph: Graph
    suffix: str

    def host(self, name: str) -> str:
        """The full host name."""
        return f"{name}{self.suffix}.pull.com"


def _record(node: Node, context: Context) -> Iterator[Finding]:
    kind, name = node.view.get("type"), node.view.get("name")
    rows = {context.host(host): targets for host, targets in RECORDS.items()}
    target = rows.get(str(name), {}).get(str(kind))
    if target is None:
        yield node.finding("name", "is not a host name of the estate with this type of record")
    elif target == "<address>":
        yield from _cluster_address(node, context)
    elif node.view.get("content") != target.replace("<suffix>", context.suffix):
        yield node.finding("content", "must be the origin of this host name")


def _cluster_address(node: Node, context: Context) -> Iterator[Finding]:
    """The address is unknown until it is reserved; then only its source shows whose it is."""
    sources = node.property_dependencies.get("content", [])
    addresses = context.graph.of_type(gcp.GLOBAL_ADDRESS)
    content = node.view.value("content")
    own = [found for found in addresses if found.view.get("addressType") == "EXTERNAL"]
    if content is UNKNOWN:
        matches = [source in own for source in sources] == [True]
    else:
        matches = any(content == address.view.get("address") for address in own)
    if not matches:
        yield node.finding("content", "must be the address of the cluster's Ingress")


def _route(node: Node, context: Context) -> Iterator[Finding]:
    if node.view.get("pattern") != f"{context.host('api')}/*":
        yield node.finding("pattern", f"must be {context.host('api')}/*")
    if node.view.get("script") != f"{API}{context.suffix}":
        yield node.finding("script", f"must be {API}{context.suffix}")


def _web_domain(node: Node, context: Context) -> Iterator[Finding]:
    if node.view.get("domain") != context.host("app"):
        yield node.finding("domain", f"must be {context.host('app')}")


# -- Google Cloud ----------------------------------------------------------------------------------


def _firewall(node: Node, context: Context) -> Iterator[Finding]:
    if node.view.get("allows"):
        yield node.finding("allows", "must not be set: the estate has no firewall rule that allows")


def _nat(node: Node, context: Context) -> Iterator[Finding]:
    sources = node.property_dependencies.get("natIps", [])
    if not sources or any(source.type != gcp.ADDRESS for source in sources):
        yield node.finding("natIps", "must be the reserved address that partners know")


def _private_services(node: Node, context: Context) -> Iterator[Finding]:
    if node.view.get("service") != "servicenetworking.googleapis.com":
        yield node.finding("service", "must be servicenetworking.googleapis.com")


# -- the cluster -----------------------------------------------------------------------------------

Peer = Mapping[str, Any]
Port = Mapping[str, Any]

PEERS: Final = {"ingress": "from", "egress": "to"}
"""The directions of a network policy, and where each lists its peers."""

EVERY_POD: Final[Mapping[str, Any]] = {}
API_PODS: Final = {"matchLabels": {"app.kubernetes.io/name": API}}

LOAD_BALANCERS: Final = ("130.211.0.0/22", "35.191.0.0/16")
"""https://cloud.google.com/load-balancing/docs/health-checks#firewall_rules"""

COLLECTORS: Final = ("gke-gmp-system", "gmp-system")
"""Namespaces of Managed Service for Prometheus.

https://cloud.google.com/stackdriver/docs/managed-prometheus/setup-managed
"""

METADATA: Final = "169.254.169.254/32"
METADATA_PROXY: Final = "169.254.169.252/32"
"""https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity#metadata-server"""

NODE_DNS: Final = "169.254.20.10/32"
"""https://cloud.google.com/kubernetes-engine/docs/how-to/nodelocal-dns-cache"""

PRIVATE: Final = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
)
"""Private (RFC 1918), shared (RFC 6598) and link-local (RFC 3927) ranges: not the internet."""

API_PORT, POSTGRES_PORT, REDIS_PORT = 3001, 5432, 6378
HTTPS_PORT, TEMPORAL_PORT, CLICKHOUSE_PORT = 443, 7233, 8443


@dataclass(frozen=True, slots=True)
class PodFlow:
    """Pods may exchange packets with any of ``peers`` on any of ``ports``."""

    direction: str
    pods: Mapping[str, Any]
    peers: tuple[Peer, ...]
    ports: tuple[Port, ...]


def pod_flows(services_cidr: str, metrics_port: int) -> tuple[PodFlow, ...]:
    """All flows of pods.

    ``services_cidr`` is the range of Cloud SQL and Memorystore.
    """
    return (
        PodFlow("ingress", API_PODS, _blocks(*LOAD_BALANCERS), _tcp(API_PORT)),
        PodFlow("ingress", EVERY_POD, tuple(map(_namespace, COLLECTORS)), _tcp(metrics_port)),
        PodFlow(
            "egress",
            EVERY_POD,
            (_dns_pods(), *_blocks(NODE_DNS, METADATA)),
            ({"protocol": "UDP", "port": 53}, *_tcp(53)),
        ),
        PodFlow("egress", EVERY_POD, _blocks(METADATA), _tcp(80)),
        PodFlow("egress", EVERY_POD, _blocks(METADATA_PROXY), _tcp(988)),
        PodFlow("egress", EVERY_POD, _blocks(services_cidr), _tcp(POSTGRES_PORT, REDIS_PORT)),
        PodFlow(
            "egress",
            EVERY_POD,
            ({"ipBlock": {"cidr": "0.0.0.0/0", "except": sorted(PRIVATE)}},),
            _tcp(HTTPS_PORT, TEMPORAL_PORT, CLICKHOUSE_PORT),
        ),
    )


def _tcp(*ports: int) -> tuple[Port, ...]:
    return tuple({"protocol": "TCP", "port": port} for port in ports)


def _blocks(*ranges: str) -> tuple[Peer, ...]:
    return tuple({"ipBlock": {"cidr": cidr}} for cidr in ranges)


def _namespace(name: str) -> Peer:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _dns_pods() -> Peer:
    servers = {"key": "k8s-app", "operator": "In", "values": ["kube-dns", "node-local-dns"]}
    return {**_namespace("kube-system"), "podSelector": {"matchExpressions": [servers]}}


def _network_policy(node: Node, context: Context) -> Iterator[Finding]:
    if node.view.get("metadata.namespace") != NAMESPACE:
        yield node.finding("metadata.namespace", f"must be {NAMESPACE}")
    flows = pod_flows(_services_cidr(context.graph), _metrics_port(context.graph))
    pods = node.view.get("spec.podSelector")
    directions = [name for name in PEERS if node.view.get(f"spec.{name}")] or list(PEERS)
    if node.view.get("spec.policyTypes") != [name.capitalize() for name in directions]:
        text = "must be the directions that the policy has rules for, or both if it has none"
        yield node.finding("spec.policyTypes", text)
    for direction, peers in PEERS.items():
        for rule in node.view.parts(f"spec.{direction}[]"):
            _refuse_unknown(rule)
            rule_peers = [_sorted_peer(peer) for peer in rule.get(peers) or []]
            rule_ports = [_with_protocol(port) for port in rule.get("ports") or []]
            declared = any(
                flow.direction == direction
                and flow.pods == pods
                and rule_peers
                and rule_ports
                and all(peer in flow.peers for peer in rule_peers)
                and all(port in flow.ports for port in rule_ports)
                for flow in flows
            )
            if not declared:
                yield rule.finding("", "is not a flow of the estate: these pods, peers and ports")


def _refuse_unknown(view: View) -> None:
    """Raise ``Undecided`` if a value anywhere in ``view`` is not known."""
    pending = [view.inputs]
    while pending:
        value = pending.pop()
        if value is UNKNOWN:
            raise Undecided(view.path, view.urn)
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


def _sorted_peer(peer: Any) -> Any:
    """``peer`` with its exceptions in order."""
    block = peer.get("ipBlock") if isinstance(peer, dict) else None
    if not isinstance(block, dict) or not isinstance(block.get("except"), list):
        return peer
    return {**peer, "ipBlock": {**block, "except": sorted(map(str, block["except"]))}}


def _with_protocol(port: Any) -> Any:
    return {"protocol": "TCP", **port} if isinstance(port, dict) else port


def _services_cidr(graph: Graph) -> str:
    """The range that Cloud SQL and Memorystore take their addresses from."""
    for node in graph.of_type(gcp.GLOBAL_ADDRESS):
        if node.view.get("purpose") == "VPC_PEERING":
            return f"{node.view.get('address')}/{int(node.view.get('prefixLength', 0))}"
    return ""


def _metrics_port(graph: Graph) -> int:
    """The port that containers call ``metrics``."""
    for node in graph.of_type(*WORKLOADS):
        for port in node.view.all(f"{POD_SPECS[node.type]}.containers[].ports[name=metrics]"):
            return int(port.get("containerPort", 0))
    return 0


INGRESS_RESOURCES: Final = {
    "kubernetes.io/ingress.global-static-ip-name": gcp.GLOBAL_ADDRESS,
    "ingress.gcp.kubernetes.io/pre-shared-cert": gcp.MANAGED_SSL_CERTIFICATE,
}
"""The annotations of the Ingress that name a resource on Google Cloud, and its type."""


def _ingress(node: Node, context: Context) -> Iterator[Finding]:
    for name, token in INGRESS_RESOURCES.items():
        names = [found.view.get("name") for found in context.graph.of_type(token)]
        if annotations_of(node.view).get(name) not in names:
            yield node.finding("metadata.annotations", f"must have {name} of this stack")
    if node.view.get("spec.defaultBackend"):
        yield node.finding("spec.defaultBackend", "must not be set: it answers every host name")
    hosts = {context.host(name) for name in HOSTS}
    path = {
        "path": "/",
        "pathType": "Prefix",
        "backend": {"service": {"name": API, "port": {"name": "http"}}},
    }
    if set(node.view.all("spec.rules[].host")) != hosts:
        yield node.finding("spec.rules", f"must be for {' and '.join(sorted(hosts))}")
    for rule in node.view.parts("spec.rules[]"):
        if rule.get("http.paths") != [path]:
            yield rule.finding("http.paths", f"must be one path, / to the port http of {API}")


def _certificate(node: Node, context: Context) -> Iterator[Finding]:
    if node.view.get("managed.domains") != [context.host(CLUSTER_HOST)]:
        yield node.finding("managed.domains", f"must be {context.host(CLUSTER_HOST)} alone")


# -- what is missing -------------------------------------------------------------------------------


def _missing(context: Context) -> Iterator[Finding]:
    """A flow that is meant and that nothing allows."""
    graph = context.graph
    records = {node.view.get("name") for node in graph.of_type(cloudflare.DNS_RECORD)}
    for node in graph.of_type(cloudflare.WORKERS_ROUTE, vercel.PROJECT_DOMAIN, kubernetes.INGRESS):
        for host in hosts_of(node):
            if host not in records:
                yield node.finding("", "answers a host name that has no DNS record")
    policies = graph.of_type(kubernetes.NETWORK_POLICY)
    if not policies:
        return
    allowed = [found for node in policies for found in _allowed(node)]
    for flow in pod_flows(_services_cidr(graph), _metrics_port(graph)):
        # A policy may be narrower than the flow, but must not be missing.
        if not any(
            (flow.direction, flow.pods, peer, port) in allowed
            for peer in flow.peers
            for port in flow.ports
        ):
            text = f"must allow every {flow.direction} flow of the estate"
            yield policies[0].finding(f"spec.{flow.direction}", text)


def hosts_of(node: Node) -> list[str]:
    """The host names that a resource answers."""
    pattern = [str(found).partition("/")[0] for found in node.view.all("pattern")]
    return [*pattern, *node.view.all("domain"), *node.view.all("spec.rules[].host")]


def _allowed(node: Node) -> Iterator[tuple[Any, ...]]:
    """The direction, pods, peer and port of each flow that a network policy allows."""
    for direction, peers in PEERS.items():
        for rule in node.view.parts(f"spec.{direction}[]"):
            _refuse_unknown(rule)
            for peer in rule.get(peers) or []:
                for port in rule.get("ports") or []:
                    pods = node.view.get("spec.podSelector")
                    yield direction, pods, _sorted_peer(peer), _with_protocol(port)


# -- the rule --------------------------------------------------------------------------------------


def _undeclared(node: Node, context: Context) -> Iterator[Finding]:
    yield node.finding("", "opens a way that is not a flow of the estate")


FLOWS: Final[Mapping[str, Callable[[Node, Context], Iterator[Finding]]]] = {
    cloudflare.DNS_RECORD: _record,
    cloudflare.RECORD: _record,
    cloudflare.R2_CUSTOM_DOMAIN: _undeclared,
    cloudflare.WORKERS_CUSTOM_DOMAIN: _undeclared,
    cloudflare.WORKERS_ROUTE: _route,
    gcp.FIREWALL: _firewall,
    gcp.MANAGED_SSL_CERTIFICATE: _certificate,
    gcp.NETWORK_ENDPOINT_GROUP: _undeclared,
    gcp.ROUTER_NAT: _nat,
    gcp.RUN_V1_DOMAIN_MAPPING: _undeclared,
    gcp.SERVICE_NETWORKING_CONNECTION: _private_services,
    kubernetes.INGRESS: _ingress,
    kubernetes.INGRESS_CLASS: _undeclared,
    kubernetes.NETWORK_POLICY: _network_policy,
    vercel.DNS_RECORD: _undeclared,
    vercel.PROJECT_DOMAIN: _web_domain,
}
"""How each type of resource that opens a way is compared with the flows that are meant."""

OPENING: Final = re.compile(
    r"gcp:compute/(\w*firewall\w*|\w*route|\w*peering\w*|\w*vpn\w*|\w*interconnect\w*"
    r"|\w*forwardingrule|\w*target\w*proxy|\w*urlmap|\w*backendservice|\w*backendbucket"
    r"|\w*networkendpoint\w*|serviceattachment|externalvpngateway|packetmirroring):.+"
    r"|gcp:(apigateway|networkconnectivity|networkservices|networksecurity|iap)/.+"
    r"|gcp:cloudrun\w*/domainmapping:.+"
    r"|cloudflare:index/(spectrumapplication|loadbalancer\w*|\w*tunnel\w*|pagerule|\w*customdomain"
    r"|\w*workers?route|customhostname\w*|authenticatedoriginpulls\w*|zerotrust\w*):.+"
    r"|kubernetes:(extensions|gateway\.networking\.k8s\.io|networking\.(gke|istio)\.io"
    r"|networking\.k8s\.io|cilium\.io|crd\.projectcalico\.org)/.+"
    r"|kubernetes:core/v1:(Endpoints|EndpointSlice)|kubernetes:discovery\.k8s\.io/.+",
    re.IGNORECASE,
)
"""Other types that open a way. A resource of such a type needs a row in :data:`FLOWS` first."""


def _declared(graph: Graph) -> Iterator[Finding]:
    suffix = name_suffix(environment(graph.config))
    context = Context(graph, suffix)
    yield from attempt(_missing(context))
    for node in graph.nodes:
        check = FLOWS.get(node.type)
        if check is None and OPENING.fullmatch(node.type):
            check = _undeclared
        if check is not None:
            yield from attempt(check(node, context))


RULES: Final = (
    StackRule(
        id="stack-flows-declared",
        severity=Severity.CRITICAL,
        what="Traffic flows only where it is meant to: host names, origins, routes, firewalls, "
        "peerings, NAT, Ingress and network policies.",
        fix="Remove it, or add the flow to policies/rules/flows.py.",
        url=GUIDE,
        check=_declared,
        paths=(
            *("name", "type", "content", "pattern", "script", "domain", "allows", "natIps"),
            *("service", "spec.podSelector", "spec.ingress[]", "spec.egress[]", "spec.rules[]"),
            *("spec.defaultBackend", "metadata.annotations"),
        ),
        settings=ENVIRONMENT,
    ),
)

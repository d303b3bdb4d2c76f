"""Network policies: a closed namespace, and the flows that are open."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from components.kubernetes.objects import COMPONENT_LABEL, NAME_LABEL
from tests.recorder import estate

PORTS_OF_THE_INTERNET = [443, 7233, 8443]


def tcp(*ports: int) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def block(cidr: str) -> dict[str, Any]:
    return {"ipBlock": {"cidr": cidr}}


def namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def egress(to: list[dict[str, Any]], ports: list[dict[str, Any]]) -> dict[str, Any]:
    return {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": to, "ports": ports}]}


DNS_PODS = {
    **namespace("kube-system"),
    "podSelector": {
        "matchExpressions": [
            {"key": "k8s-app", "operator": "In", "values": ["kube-dns", "node-local-dns"]}
        ]
    },
}

EXPECTED = {
    "pull-default-deny": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    "pull-allow-load-balancer": {
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "pull-api"}},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"from": [block("130.211.0.0/22"), block("35.191.0.0/16")], "ports": tcp(3001)}
        ],
    },
    "pull-allow-metrics": {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"from": [namespace("gke-gmp-system"), namespace("gmp-system")], "ports": tcp(9090)}
        ],
    },
    "pull-allow-dns": egress(
        [DNS_PODS, block("169.254.20.10/32"), block("169.254.169.254/32")],
        [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
    ),
    "pull-allow-metadata": {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [
            {"to": [block("169.254.169.254/32")], "ports": tcp(80)},
            {"to": [block("169.254.169.252/32")], "ports": tcp(988)},
        ],
    },
    "pull-allow-data": egress([block("10.20.0.0/16")], tcp(5432, 6378)),
    "pull-allow-internet": egress(
        [
            {
                "ipBlock": {
                    "cidr": "0.0.0.0/0",
                    "except": [
                        "10.0.0.0/8",
                        "100.64.0.0/10",
                        "169.254.0.0/16",
                        "172.16.0.0/12",
                        "192.168.0.0/16",
                    ],
                }
            }
        ],
        tcp(*PORTS_OF_THE_INTERNET),
    ),
}


def test_exactly_the_flows_that_are_needed() -> None:
    policies = estate(runtime="kubernetes").of_type("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    assert {
        resource.inputs["metadata"]["name"]: resource.inputs["spec"] for resource in policies
    } == EXPECTED
    for resource in policies:
        assert resource.inputs["metadata"]["namespace"] == "pull"
        assert "external-secrets-secret" in resource.waits_for


def test_a_changed_port_of_metrics_is_followed() -> None:
    config = {"observability": {"metrics_port": 9100}}
    recording = estate(runtime="kubernetes", runtime_config=config)
    (rule,) = recording["network-policies-allow-metrics"].inputs["spec"]["ingress"]
    assert rule["ports"] == tcp(9100)


# -- What the policies let through, judged as Kubernetes judges them -------------------------------


Labels = Mapping[str, str]
Pod = tuple[str, Labels]
"""Its namespace and its labels. A pod is never matched by an address."""

API: Final[Pod] = ("pull", {NAME_LABEL: "pull-api", COMPONENT_LABEL: "api"})
WORKER: Final[Pod] = ("pull", {NAME_LABEL: "pull-temporal-worker", COMPONENT_LABEL: "worker"})
COLLECTOR: Final[Pod] = ("gke-gmp-system", {})
KUBE_DNS: Final[Pod] = ("kube-system", {"k8s-app": "kube-dns"})
NODE_DNS: Final[Pod] = ("kube-system", {"k8s-app": "node-local-dns"})


def selects(selector: Mapping[str, Any], labels: Labels) -> bool:
    return all(
        labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()
    ) and (
        all(
            expression["operator"] == "In" and labels.get(expression["key"]) in expression["values"]
            for expression in selector.get("matchExpressions", ())
        )
    )


def is_peer(peer: Mapping[str, Any], other: Pod | str) -> bool:
    if isinstance(other, str):
        inside = peer.get("ipBlock", {"cidr": "0.0.0.0/32"})
        address = ipaddress.ip_address(other)
        return address in ipaddress.ip_network(inside["cidr"]) and not any(
            address in ipaddress.ip_network(cidr) for cidr in inside.get("except", ())
        )
    namespace, labels = other
    if "ipBlock" in peer:
        return False
    of_namespace = {"kubernetes.io/metadata.name": namespace}
    here = (
        selects(peer["namespaceSelector"], of_namespace)
        if "namespaceSelector" in peer
        else namespace == "pull"
    )
    return here and selects(peer.get("podSelector", {}), labels)


def specs() -> Iterator[Mapping[str, Any]]:
    recording = estate(runtime="kubernetes")
    for resource in recording.of_type("kubernetes:networking.k8s.io/v1:NetworkPolicy"):
        yield resource.inputs["spec"]


def passes(direction: str, pod: Pod, other: Pod | str, port: int, protocol: str) -> bool:
    """Whether ``pod`` may be reached by the other, or reach it: nothing that no policy allows."""
    here = [
        spec
        for spec in specs()
        if direction in spec["policyTypes"] and selects(spec["podSelector"], pod[1])
    ]
    assert here, "a pod that no policy selects is open"
    return any(
        any(is_peer(peer, other) for peer in rule["from" if direction == "Ingress" else "to"])
        and {"protocol": protocol, "port": port} in rule["ports"]
        for spec in here
        for rule in spec.get(direction.lower(), ())
    )


@pytest.mark.parametrize(
    ("pod", "source", "port", "open_"),
    [
        (API, "130.211.0.1", 3001, True),  # Google's load balancers and their health checks
        (API, "130.211.3.255", 3001, True),
        (API, "35.191.255.1", 3001, True),
        (API, "130.211.4.0", 3001, False),
        (API, "35.192.0.1", 3001, False),
        (API, "35.191.0.1", 9090, False),
        (API, "203.0.113.9", 3001, False),
        (API, WORKER, 3001, False),
        (API, API, 3001, False),
        (API, ("default", {}), 3001, False),
        (WORKER, "35.191.0.1", 3002, False),
        (WORKER, "35.191.0.1", 3001, False),
        (WORKER, API, 3002, False),
        (API, COLLECTOR, 9090, True),
        (WORKER, COLLECTOR, 9090, True),
        (WORKER, ("gmp-system", {}), 9090, True),
        (WORKER, COLLECTOR, 3002, False),
        (WORKER, ("default", {}), 9090, False),
        (WORKER, API, 9090, False),
    ],
)
def test_who_may_come_in(pod: Pod, source: Pod | str, port: int, open_: bool) -> None:
    assert passes("Ingress", pod, source, port, "TCP") is open_


@pytest.mark.parametrize("pod", [API, WORKER], ids=["api", "worker"])
@pytest.mark.parametrize(
    ("target", "port", "open_"),
    [
        (KUBE_DNS, 53, True),
        (NODE_DNS, 53, True),
        ("169.254.20.10", 53, True),
        ("169.254.169.254", 53, True),  # Cloud DNS, for clusters that have it
        (("kube-system", {"k8s-app": "metrics-server"}), 53, False),
        (("default", {"k8s-app": "kube-dns"}), 53, False),
        (KUBE_DNS, 443, False),
        ("203.0.113.9", 53, False),
        ("169.254.169.254", 80, True),  # tokens of Workload Identity
        ("169.254.169.252", 988, True),
        ("169.254.169.254", 443, False),
        ("10.20.0.3", 5432, True),  # Cloud SQL, and Memorystore with TLS
        ("10.20.0.3", 6378, True),
        ("10.20.0.3", 6379, False),
        ("10.20.0.3", 443, False),
        ("10.10.0.5", 5432, False),
        ("203.0.113.9", 443, True),  # the services outside
        ("203.0.113.9", 7233, True),
        ("203.0.113.9", 8443, True),
        ("203.0.113.9", 80, False),
        ("203.0.113.9", 5432, False),
        ("10.10.0.5", 443, False),
        ("172.20.0.1", 443, False),
        ("192.168.0.1", 443, False),
        ("100.64.0.1", 443, False),
        (API, 3001, False),
        (WORKER, 443, False),
        (("default", {}), 443, False),
    ],
)
def test_what_may_be_reached(pod: Pod, target: Pod | str, port: int, open_: bool) -> None:
    assert passes("Egress", pod, target, port, "TCP") is open_


@pytest.mark.parametrize(("target", "open_"), [(KUBE_DNS, True), ("203.0.113.9", False)])
def test_names_are_asked_for_by_udp_and_nothing_else_is(target: Pod | str, open_: bool) -> None:
    assert passes("Egress", WORKER, target, 53, "UDP") is open_
    assert not passes("Egress", WORKER, target, 443, "UDP")

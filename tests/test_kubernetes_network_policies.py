"""Network policies: a closed namespace, and the flows that are open."""

from __future__ import annotations

from typing import Any

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
                    "except": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"],
                }
            }
        ],
        tcp(*PORTS_OF_THE_INTERNET),
    ),
}


def test_exactly_the_flows_that_are_needed() -> None:
    policies = estate(runtime="kubernetes").of_type("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    assert {one.inputs["metadata"]["name"]: one.inputs["spec"] for one in policies} == EXPECTED
    for one in policies:
        assert one.inputs["metadata"]["namespace"] == "pull"
        assert "external-secrets-secret" in one.waits_for


def test_a_changed_port_of_metrics_is_followed() -> None:
    config = {"observability": {"metrics_port": 9100}}
    recording = estate(runtime="kubernetes", runtime_config=config)
    (rule,) = recording["network-policies-allow-metrics"].inputs["spec"]["ingress"]
    assert rule["ports"] == tcp(9100)

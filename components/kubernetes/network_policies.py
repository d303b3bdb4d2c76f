"""Network policies: everything is denied by default, and each policy allows one flow.

Probes need no policy: traffic between a node and its own pods is always allowed
(https://kubernetes.io/docs/concepts/services-networking/network-policies/).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import ResourceOptions

from components.base import PullComponent, Stage
from components.config.values import API_PORT
from components.data.postgres import PORT as POSTGRES_PORT
from components.external import CLICKHOUSE_PORT
from components.kubernetes.objects import API, NAME_LABEL, metadata
from resource_types import pull

Policy = kubernetes.networking.v1.NetworkPolicySpecArgsDict
Peer = kubernetes.networking.v1.NetworkPolicyPeerArgsDict
Port = kubernetes.networking.v1.NetworkPolicyPortArgsDict

LOAD_BALANCERS: Final = ("130.211.0.0/22", "35.191.0.0/16")
"""Source ranges of Google's load balancers and health checks.

https://cloud.google.com/load-balancing/docs/health-checks#firewall_rules
"""

COLLECTORS: Final = ("gke-gmp-system", "gmp-system")
"""Namespaces of Managed Service for Prometheus: on Autopilot, and on other clusters."""

NODE_DNS: Final = "169.254.20.10/32"
METADATA: Final = "169.254.169.254/32"
"""The metadata server: Workload Identity tokens, and DNS if the cluster uses Cloud DNS."""

METADATA_WITHOUT_DATAPLANE_V2: Final = "169.254.169.252/32"

NOT_THE_INTERNET: Final = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
]
"""Private (RFC 1918), shared (RFC 6598, pods of some clusters) and link-local ranges."""

REDIS_PORT: Final = 6378
"""Memorystore's port with TLS."""

TEMPORAL_PORT: Final = 7233


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPoliciesArgs:
    """Inputs of :class:`NetworkPolicies`.

    Attributes:
        services_cidr: address range of Cloud SQL and Memorystore.
        metrics_port: port of ``/metrics``.
        after: resources that come first in the runbook's order.
    """

    services_cidr: str
    metrics_port: int
    after: list[pulumi.Resource]


class NetworkPolicies(PullComponent):
    """Default deny, and the allowed flows."""

    ready: list[pulumi.Resource]

    def __init__(
        self, name: str, args: NetworkPoliciesArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__(pull.KUBERNETES_NETWORK_POLICIES, name, Stage.CONFIGURATION, opts)
        self.ready = [
            kubernetes.networking.v1.NetworkPolicy(
                self.child(short_name),
                metadata=metadata(f"pull-{short_name}"),
                spec=spec,
                opts=self.options(ResourceOptions(depends_on=args.after)),
            )
            for short_name, spec in _policies(args).items()
        ]
        self.register_outputs({})


def _policies(args: NetworkPoliciesArgs) -> dict[str, Policy]:
    return {
        "default-deny": {"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
        "allow-load-balancer": {
            "pod_selector": {"match_labels": {NAME_LABEL: API}},
            "policy_types": ["Ingress"],
            "ingress": [{"from_": _blocks(*LOAD_BALANCERS), "ports": _tcp(API_PORT)}],
        },
        "allow-metrics": {
            "pod_selector": {},
            "policy_types": ["Ingress"],
            "ingress": [
                {
                    "from_": [_namespace(name) for name in COLLECTORS],
                    "ports": _tcp(args.metrics_port),
                }
            ],
        },
        "allow-dns": _egress(
            [
                {
                    **_namespace("kube-system"),
                    "pod_selector": {
                        "match_expressions": [
                            {
                                "key": "k8s-app",
                                "operator": "In",
                                "values": ["kube-dns", "node-local-dns"],
                            }
                        ]
                    },
                },
                *_blocks(NODE_DNS, METADATA),
            ],
            [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
        ),
        "allow-metadata": {
            "pod_selector": {},
            "policy_types": ["Egress"],
            "egress": [
                {"to": _blocks(METADATA), "ports": _tcp(80)},
                {"to": _blocks(METADATA_WITHOUT_DATAPLANE_V2), "ports": _tcp(988)},
            ],
        },
        "allow-data": _egress(_blocks(args.services_cidr), _tcp(POSTGRES_PORT, REDIS_PORT)),
        "allow-internet": _egress(
            [{"ip_block": {"cidr": "0.0.0.0/0", "except_": NOT_THE_INTERNET}}],
            _tcp(443, TEMPORAL_PORT, CLICKHOUSE_PORT),
        ),
    }


def _egress(to: list[Peer], ports: list[Port]) -> Policy:
    """All pods of the namespace may reach ``to``."""
    return {
        "pod_selector": {},
        "policy_types": ["Egress"],
        "egress": [{"to": to, "ports": ports}],
    }


def _tcp(*ports: int) -> list[Port]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def _blocks(*cidrs: str) -> list[Peer]:
    return [{"ip_block": {"cidr": cidr}} for cidr in cidrs]


def _namespace(name: str) -> Peer:
    return {"namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": name}}}

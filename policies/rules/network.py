"""VPC, firewalls, connectors, gcp.ROUTER_NAT, gcp.SSL_POLICY."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Final

from policies.framework.demands import NOT_ALLOWED, NOT_EMPTY, equal, matches, one_of
from policies.framework.paths import Finding, View
from policies.framework.rules import Custom, Must, ResourceRule, SetValue, Severity, When
from resource_types import gcp

DOCS: Final = "https://cloud.google.com/vpc/docs"

_PRIVATE: Final = tuple(
    map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
)
_MIN_PREFIX: Final = {4: 16, 6: 48}
"""The shortest prefix of a range that still identifies one owner, by IP version."""


def is_wide(cidr: Any) -> bool:
    """Whether a range is too large to identify an owner; two halves cover the whole internet."""
    try:
        network = ipaddress.ip_network(str(cidr).strip(), strict=False)
    except ValueError:
        return True
    if isinstance(network, ipaddress.IPv4Network) and any(map(network.subnet_of, _PRIVATE)):
        return False
    return network.prefixlen < _MIN_PREFIX[network.version]


def _connector_range(view: View) -> Iterator[Finding]:
    try:
        size = ipaddress.IPv4Network(str(view.get("ipCidrRange"))).prefixlen
    except ValueError:
        size = 0
    if size != 28 and view.get("subnet.name") is None:
        yield view.finding("ipCidrRange", "must be a /28")


RULES: Final = (
    ResourceRule(
        id="network-no-automatic-subnets",
        severity=Severity.MEDIUM,
        what="The VPC has no automatically created subnets.",
        fix="Set autoCreateSubnetworks to false.",
        url=f"{DOCS}/subnets#subnet-types",
        frameworks=("CIS-GCP-4.0 3.1", "CKV_GCP_27"),
        types=(gcp.NETWORK,),
        checks=(Must("autoCreateSubnetworks", equal(False)),),
    ),
    ResourceRule(
        id="network-flow-logs",
        severity=Severity.MEDIUM,
        what="Flow logs of every subnet are on.",
        fix="Set logConfig.",
        url=f"{DOCS}/using-flow-logs",
        frameworks=("CIS-GCP-4.0 3.8", "CKV_GCP_26", "Trivy GCP-0029", "Trivy GCP-0076"),
        types=(gcp.SUBNETWORK,),
        checks=(Must("logConfig", NOT_EMPTY),),
    ),
    ResourceRule(
        id="network-private-google-access",
        severity=Severity.MEDIUM,
        what="Google APIs are reached without a public address.",
        fix="Set privateIpGoogleAccess to true.",
        url=f"{DOCS}/private-google-access",
        frameworks=("CKV_GCP_74", "Trivy GCP-0075"),
        types=(gcp.SUBNETWORK,),
        checks=(Must("privateIpGoogleAccess", equal(True)),),
    ),
    ResourceRule(
        id="network-nat-log",
        severity=Severity.LOW,
        what="Cloud NAT logs errors.",
        fix="Set logConfig.enable to true.",
        url="https://cloud.google.com/nat/docs/monitoring",
        types=(gcp.ROUTER_NAT,),
        checks=(Must("logConfig.enable", equal(True)),),
    ),
    ResourceRule(
        id="network-egress-address",
        severity=Severity.MEDIUM,
        what="Outbound traffic has static addresses that partners can put on their allow lists.",
        fix="Set natIpAllocateOption to MANUAL_ONLY, and set natIps.",
        url="https://cloud.google.com/nat/docs/ports-and-addresses",
        types=(gcp.ROUTER_NAT,),
        checks=(
            Must("natIpAllocateOption", one_of("MANUAL_ONLY", refused=("AUTO_ONLY",))),
            Must("natIps", NOT_EMPTY),
            Must("drainNatIps", NOT_ALLOWED, optional=True),
            Must("rules", NOT_ALLOWED, optional=True),
        ),
    ),
    ResourceRule(
        id="network-not-connected",
        severity=Severity.HIGH,
        what="No other network is connected: a router announces no routes, and a subnet is private "
        "and has no IPv6 addresses.",
        fix="Remove the property.",
        url=f"{DOCS}/subnets#ipv6-ranges",
        types=(gcp.ROUTER, gcp.SUBNETWORK),
        checks=(
            When(
                lambda view: view.type == gcp.ROUTER,
                (
                    Must("bgp", NOT_ALLOWED, optional=True),
                    Must("nccGateway", NOT_ALLOWED, optional=True),
                ),
            ),
            When(
                lambda view: view.type == gcp.SUBNETWORK,
                (
                    Must("purpose", equal("PRIVATE", "PRIVATE_SERVICE_CONNECT"), optional=True),
                    Must("stackType", equal("IPV4_ONLY", "IPV4_IPV6"), optional=True),
                    Must("ipv6AccessType", NOT_ALLOWED, optional=True),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="network-peering-protected",
        severity=Severity.HIGH,
        what="Deleting the private connection fails while the database or Redis uses it.",
        fix="Remove deletionPolicy; REMOVE_PEERING is for stacks without protection.",
        url="https://cloud.google.com/sql/docs/postgres/configure-private-services-access",
        types=(gcp.SERVICE_NETWORKING_CONNECTION,),
        checks=(
            Must("deletionPolicy", one_of("ABANDON", refused=("REMOVE_PEERING",)), optional=True),
        ),
    ),
    ResourceRule(
        id="network-connector-range",
        severity=Severity.HIGH,
        what="A VPC connector has a /28 range.",
        fix="Correct ipCidrRange. The provider reports a mistake only during the update.",
        url=f"{DOCS}/configure-serverless-vpc-access",
        types=(gcp.VPC_CONNECTOR,),
        checks=(
            Custom(
                _connector_range,
                ("ipCidrRange", "subnet.name"),
                (SetValue("ipCidrRange", "10.0.0.0/24"), SetValue("ipCidrRange", "10.0.0.1")),
            ),
        ),
    ),
    ResourceRule(
        id="network-subnet-range",
        severity=Severity.HIGH,
        what="A subnet's range is private, and large enough for the instances of Cloud Run.",
        fix="Use a range of /26 or larger in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.",
        url="https://cloud.google.com/run/docs/configuring/vpc-direct-vpc",
        types=(gcp.SUBNETWORK,),
        checks=(
            Must(
                "ipCidrRange",
                matches(
                    r"(10\.|172\.(1[6-9]|2\d|3[01])\.|192\.168\.)[\d.]+/([89]|1\d|2[0-6])",
                    "must be a private range of /26 or larger",
                    ("8.8.8.0/24", "10.0.0.0/27"),
                ),
            ),
        ),
    ),
)

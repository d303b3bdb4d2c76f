"""VPC, firewalls, connectors, NAT, TLS."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Final

from policies.rule import (
    GIVEN,
    Custom,
    Demand,
    Finding,
    Must,
    ResourceRule,
    SetValue,
    Severity,
    View,
    equal,
    like,
    one_of,
)

VPC: Final = "gcp:compute/network:Network"
SUBNET: Final = "gcp:compute/subnetwork:Subnetwork"
FIREWALL: Final = "gcp:compute/firewall:Firewall"
NAT: Final = "gcp:compute/routerNat:RouterNat"
CONNECTOR: Final = "gcp:vpcaccess/connector:Connector"
TLS: Final = "gcp:compute/sSLPolicy:SSLPolicy"

DOCS: Final = "https://cloud.google.com/vpc/docs"

ADMINISTRATION: Final = {22: "SSH", 3389: "RDP", 5432: "PostgreSQL", 6378: "Redis", 6379: "Redis"}


_PRIVATE: Final = tuple(
    map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
)
_LARGEST: Final = {4: 16, 6: 48}
"""The shortest prefix of a range that somebody may call his own, by IP version."""


def is_wide(cidr: Any) -> bool:
    """Whether a range is so large that it names nobody: two halves make the whole internet."""
    try:
        network = ipaddress.ip_network(str(cidr).strip(), strict=False)
    except ValueError:
        return True
    if isinstance(network, ipaddress.IPv4Network) and any(map(network.subnet_of, _PRIVATE)):
        return False
    return network.prefixlen < _LARGEST[network.version]


NARROW: Final = Demand(
    "must be a range of somebody: /16 or smaller, /48 in IPv6",
    lambda found: not is_wide(found),
    ("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "everybody"),
)


def _open_ports(view: View) -> Iterator[Finding]:
    ranges = view.all("sourceRanges[]")
    everybody = not ranges and not view.all("sourceTags[]") + view.all("sourceServiceAccounts[]")
    if view.get("direction", "INGRESS") != "INGRESS" or view.get("disabled", False):
        return
    if not everybody and not any(map(is_wide, ranges)):
        return
    for rule in view.parts("allows[]"):
        ports = rule.all("ports[]") or ["0-65535"]
        if rule.get("protocol") in ("icmp", "esp", "ah"):
            continue
        if any(_covers(str(port), wanted) for port in ports for wanted in ADMINISTRATION):
            names = ", ".join(sorted(set(ADMINISTRATION.values())))
            yield rule.finding("", f"must not open {names} to everybody")


def _covers(ports: str, wanted: int) -> bool:
    first, _, last = ports.partition("-")
    return first.isdigit() and int(first) <= wanted <= int(last or first)


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
        what="The network has the subnets that were planned, and no others.",
        fix="Set autoCreateSubnetworks to false.",
        url=f"{DOCS}/subnets#subnet-types",
        frameworks=("CIS-GCP-4.0 3.1", "CKV_GCP_27"),
        types=(VPC,),
        checks=(Must("autoCreateSubnetworks", equal(False)),),
    ),
    ResourceRule(
        id="network-no-open-administration",
        severity=Severity.CRITICAL,
        what="No firewall opens SSH, RDP or a database to everybody.",
        fix="Name the ranges, tags or accounts that may come in.",
        url=f"{DOCS}/firewalls",
        frameworks=("CIS-GCP-4.0 3.6", "CIS-GCP-4.0 3.7", "CKV_GCP_2", "CKV_GCP_3", "CKV_GCP_88"),
        types=(FIREWALL,),
        checks=(
            Custom(
                _open_ports,
                (
                    "direction",
                    "disabled",
                    "sourceRanges[]",
                    "allows[].protocol",
                    "allows[].ports[]",
                ),
                (
                    SetValue("sourceRanges", ["0.0.0.0/0"]),
                    SetValue("sourceRanges", ["::/0"]),
                    SetValue("sourceRanges", ["0.0.0.0/1", "128.0.0.0/1"]),
                    SetValue("sourceRanges", []),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="network-flow-logs",
        severity=Severity.MEDIUM,
        what="A subnet keeps flow logs.",
        fix="Give logConfig.",
        url=f"{DOCS}/using-flow-logs",
        frameworks=("CIS-GCP-4.0 3.8", "CKV_GCP_26", "Trivy GCP-0029", "Trivy GCP-0076"),
        types=(SUBNET,),
        checks=(Must("logConfig", GIVEN),),
    ),
    ResourceRule(
        id="network-private-google-access",
        severity=Severity.MEDIUM,
        what="Google's services are reached without a public address.",
        fix="Set privateIpGoogleAccess to true.",
        url=f"{DOCS}/private-google-access",
        frameworks=("CKV_GCP_74", "Trivy GCP-0075"),
        types=(SUBNET,),
        checks=(Must("privateIpGoogleAccess", equal(True)),),
    ),
    ResourceRule(
        id="network-nat-log",
        severity=Severity.LOW,
        what="NAT logs what it could not translate.",
        fix="Set logConfig.enable to true.",
        url="https://cloud.google.com/nat/docs/monitoring",
        types=(NAT,),
        checks=(Must("logConfig.enable", equal(True)),),
    ),
    ResourceRule(
        id="network-egress-address",
        severity=Severity.MEDIUM,
        what="What leaves has an address that partners can put on their lists.",
        fix="Set natIpAllocateOption to MANUAL_ONLY, and give natIps.",
        url="https://cloud.google.com/nat/docs/ports-and-addresses",
        types=(NAT,),
        checks=(
            Must("natIpAllocateOption", one_of("MANUAL_ONLY", refused=("AUTO_ONLY",))),
            Must("natIps", GIVEN),
        ),
    ),
    ResourceRule(
        id="network-connector-range",
        severity=Severity.HIGH,
        what="A VPC connector has a /28.",
        fix="Correct ipCidrRange. The provider finds out only in the update.",
        url=f"{DOCS}/configure-serverless-vpc-access",
        types=(CONNECTOR,),
        checks=(
            Custom(
                _connector_range,
                ("ipCidrRange", "subnet.name"),
                (SetValue("ipCidrRange", "10.0.0.0/24"), SetValue("ipCidrRange", "10.0.0.1")),
            ),
        ),
    ),
    ResourceRule(
        id="network-tls-policy",
        severity=Severity.HIGH,
        what="Load balancers speak TLS 1.2 or newer, with good ciphers.",
        fix="Set minTlsVersion to TLS_1_2 and profile to MODERN or RESTRICTED.",
        url="https://cloud.google.com/load-balancing/docs/ssl-policies-concepts",
        frameworks=("CIS-GCP-4.0 3.9", "CKV_GCP_4"),
        types=(TLS,),
        checks=(
            Must("minTlsVersion", one_of("TLS_1_2", "TLS_1_3", refused=("TLS_1_0", "TLS_1_1"))),
            Must("profile", one_of("MODERN", "RESTRICTED", refused=("COMPATIBLE",))),
        ),
    ),
    ResourceRule(
        id="network-subnet-range",
        severity=Severity.HIGH,
        what="A subnet's range is private.",
        fix="Choose a range in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.",
        url=f"{DOCS}/subnets#valid-ranges",
        types=(SUBNET,),
        checks=(
            Must(
                "ipCidrRange",
                like(
                    r"(10\.|172\.(1[6-9]|2\d|3[01])\.|192\.168\.)[\d.]+/([89]|1\d|2[0-9])",
                    "must be a private range",
                    ("8.8.8.0/24", "10.0.0.0/30"),
                ),
            ),
        ),
    ),
)

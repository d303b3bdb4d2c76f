"""Networks: ranges, addresses, ports, certificates and connectors."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Final

from resource_types import gcp
from resource_types.constraints.gcp.shared import ANY_RANGE, COMPUTE_NAME, REGION, lower_case_name
from resource_types.constraints.primitives import (
    Combination,
    Constraint,
    Inputs,
    Rejection,
    Table,
    Values,
    choice,
    each,
    integer,
    ip_range,
    is_number,
    items,
    network_of,
    number,
    text,
    unique,
)

_UNUSABLE: Final = tuple(
    network
    for network in map(
        network_of,
        ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32"),
    )
    if network
)
"""https://cloud.google.com/vpc/docs/subnets#prohibited-ranges"""

_USABLE: Final = Values(
    "a range outside 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16 and 224.0.0.0/4",
    lambda value: (
        not any(
            (network := network_of(value)) and network.overlaps(unusable) for unusable in _UNUSABLE
        )
    ),
    ("127.0.0.0/16", "169.254.0.0/24", "0.0.0.0/8"),
)


def _subnet_ranges(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/vpc/docs/subnets#valid-ranges"""
    found = [
        (path, network)
        for pattern in ("ipCidrRange", "secondaryIpRanges[].ipCidrRange")
        for path, value in inputs.values_at(pattern)
        if (network := network_of(value))
    ]
    for (path, network), (other_path, other) in itertools.combinations(found, 2):
        if network.overlaps(other):
            yield Rejection(other_path, f"a range that does not overlap {path}")


def _reserved_range(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/vpc/docs/configure-private-services-access"""
    address, prefix = inputs.get("address"), inputs.get("prefixLength")
    if inputs.get("purpose") != "VPC_PEERING":
        return
    if inputs.get("addressType", "EXTERNAL") != "INTERNAL":
        yield Rejection("addressType", "INTERNAL for the purpose VPC_PEERING")
    if (
        isinstance(address, str)
        and is_number(prefix)
        and network_of(f"{address}/{int(prefix)}") is None
    ):
        yield Rejection("address", "the first address of the range")


def _nat(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/nat/docs/ports-and-addresses"""
    option = inputs.get("natIpAllocateOption")
    addresses = inputs.get("natIps")
    if option == "MANUAL_ONLY" and not addresses:
        yield Rejection("natIps", "the addresses, with MANUAL_ONLY")
    if option == "AUTO_ONLY" and addresses:
        yield Rejection("natIps", "no addresses with AUTO_ONLY")
    chosen = inputs.get("sourceSubnetworkIpRangesToNat") == "LIST_OF_SUBNETWORKS"
    if chosen != bool(inputs.get("subnetworks")):
        yield Rejection("subnetworks", "subnets with LIST_OF_SUBNETWORKS only")
    least, most = inputs.get("minPortsPerVm"), inputs.get("maxPortsPerVm")
    if inputs.get("enableDynamicPortAllocation"):
        if inputs.get("enableEndpointIndependentMapping"):
            yield Rejection(
                "enableEndpointIndependentMapping", "false with dynamic allocation of ports"
            )
        if is_number(least) and is_number(most) and least >= most:
            yield Rejection("minPortsPerVm", "less than maxPortsPerVm")
        for name, ports in (("minPortsPerVm", least), ("maxPortsPerVm", most)):
            if is_number(ports) and int(ports) & (int(ports) - 1):
                yield Rejection(name, "a power of two with dynamic allocation of ports")


def _firewall(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/compute/docs/reference/rest/v1/firewalls"""
    if bool(inputs.get("allows")) == bool(inputs.get("denies")):
        yield Rejection("allows", "either allows or denies")
    if inputs.get("direction", "INGRESS") == "EGRESS":
        for name in ("sourceRanges", "sourceTags", "sourceServiceAccounts"):
            if inputs.get(name):
                yield Rejection(name, "no sources with the direction EGRESS")
    elif inputs.get("destinationRanges") and not any(
        inputs.get(name) for name in ("sourceRanges", "sourceTags", "sourceServiceAccounts")
    ):
        yield Rejection("sourceRanges", "a source with the direction INGRESS")
    if inputs.get("sourceTags") and inputs.get("sourceServiceAccounts"):
        yield Rejection("sourceTags", "either sourceTags or sourceServiceAccounts")
    for name in ("allows", "denies"):
        for path, rule in inputs.values_at(f"{name}[]"):
            if rule.get("ports") and rule.get("protocol") in ("icmp", "esp", "ah", "all", "ipip"):
                yield Rejection(f"{path}.ports", f"no ports for {rule['protocol']}")


_PEERING_RANGE: Final = {"purpose": "VPC_PEERING", "addressType": "INTERNAL"}
_PORTS: Final = Values(
    'a port or a range of ports, such as "443" or "8000-8999"',
    lambda value: (
        (found := re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", str(value))) is not None
        and int(found[1]) <= int(found[2] or found[1]) <= 65535
    ),
    ("http", "70000", "9000-8000", "22,443"),
)


def _connector(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/vpc/docs/configure-serverless-vpc-access"""
    least, most = inputs.get("minInstances"), inputs.get("maxInstances")
    if is_number(least) and is_number(most) and least >= most:
        yield Rejection("minInstances", "less than maxInstances")
    if inputs.get("ipCidrRange") is not None and inputs.get("subnet") is not None:
        yield Rejection("subnet", "either ipCidrRange or subnet")


CONSTRAINTS: Final[Table] = {
    gcp.NETWORK: (Constraint("name", COMPUTE_NAME), Constraint("mtu", integer(1300, 8896))),
    gcp.SUBNETWORK: (
        Constraint("name", COMPUTE_NAME),
        Constraint("region", REGION),
        Constraint("ipCidrRange", ip_range(4, 29)),
        Constraint("ipCidrRange", _USABLE),
        Constraint("secondaryIpRanges[].ipCidrRange", ip_range(4, 29)),
        Constraint("secondaryIpRanges[].rangeName", COMPUTE_NAME),
        Constraint("logConfig.flowSampling", number(0, 1)),
        unique("secondaryIpRanges", "rangeName"),
        Combination(
            _subnet_ranges,
            ("ipCidrRange", "secondaryIpRanges[].ipCidrRange"),
            (
                (
                    "secondaryIpRanges",
                    [
                        {"rangeName": "a", "ipCidrRange": "10.99.0.0/16"},
                        {"rangeName": "b", "ipCidrRange": "10.99.1.0/24"},
                    ],
                ),
            ),
        ),
    ),
    gcp.GLOBAL_ADDRESS: (
        Constraint("name", COMPUTE_NAME),
        Constraint("address", ANY_RANGE),
        Constraint("prefixLength", integer(8, 30)),
        Constraint("purpose", choice("VPC_PEERING", "PRIVATE_SERVICE_CONNECT")),
        Combination(
            _reserved_range,
            ("address", "prefixLength", "addressType", "purpose"),
            (
                ("", {"purpose": "VPC_PEERING", "addressType": "EXTERNAL"}),
                ("", {**_PEERING_RANGE, "address": "10.20.1.0", "prefixLength": 16}),
            ),
        ),
    ),
    gcp.ADDRESS: (
        Constraint("name", COMPUTE_NAME),
        Constraint("region", REGION),
        Constraint("address", ANY_RANGE),
    ),
    gcp.ROUTER: (
        Constraint("name", COMPUTE_NAME),
        Constraint("region", REGION),
        # https://cloud.google.com/network-connectivity/docs/router/concepts/overview
        Constraint(
            "bgp.asn",
            Values(
                "a private ASN (64512 to 65534, 4200000000 to 4294967294) or 16550",
                lambda value: (
                    is_number(value)
                    and (
                        value == 16550
                        or 64512 <= value <= 65534
                        or 4200000000 <= value <= 4294967294
                    )
                ),
                (64511, 15169, 65535),
            ),
        ),
    ),
    gcp.ROUTER_NAT: (
        Constraint("name", COMPUTE_NAME),
        Constraint("region", REGION),
        Constraint("minPortsPerVm", integer(2, 65536)),
        Constraint("maxPortsPerVm", integer(64, 65536)),
        Constraint("tcpEstablishedIdleTimeoutSec", integer(30, 7200)),
        Combination(
            _nat,
            ("natIpAllocateOption", "natIps", "sourceSubnetworkIpRangesToNat", "subnetworks"),
            (
                ("natIps", []),
                ("natIpAllocateOption", "AUTO_ONLY"),
                ("sourceSubnetworkIpRangesToNat", "LIST_OF_SUBNETWORKS"),
            ),
        ),
    ),
    gcp.FIREWALL: (
        Constraint("name", COMPUTE_NAME),
        Constraint("priority", integer(0, 65535)),
        *each(ANY_RANGE, "sourceRanges[]", "destinationRanges[]"),
        *each(COMPUTE_NAME, "sourceTags[]", "targetTags[]"),
        *each(_PORTS, "allows[].ports[]", "denies[].ports[]"),
        *each(
            text(
                r"tcp|udp|icmp|esp|ah|sctp|ipip|all|\d{1,3}",
                "tcp, udp, icmp, esp, ah, sctp, ipip, all or a protocol's number",
                *("http", "any"),
            ),
            *("allows[].protocol", "denies[].protocol"),
        ),
        Combination(
            _firewall,
            ("allows", "denies", "direction", "sourceRanges", "destinationRanges"),
            (("allows", []), ("direction", "EGRESS")),
        ),
    ),
    gcp.MANAGED_SSL_CERTIFICATE: (
        Constraint("name", COMPUTE_NAME),
        Constraint(
            "managed.domains[]",
            text(
                r"(?=.{1,64}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+\.?",
                "a host name of up to 64 characters without a wildcard",
                *("*.pull.com", "pull", "Api.pull.com", f"{'x' * 60}.pull.com"),
            ),
        ),
    ),
    # https://cloud.google.com/vpc/docs/configure-private-services-access
    gcp.SERVICE_NETWORKING_CONNECTION: (
        Constraint(
            "service",
            text(
                r"[a-z][a-z0-9.-]*\.googleapis\.com",
                "servicenetworking.googleapis.com",
                *("servicenetworking", "https://servicenetworking.googleapis.com"),
            ),
        ),
        Constraint("reservedPeeringRanges", items(1, 100)),
    ),
    gcp.VPC_CONNECTOR: (
        Constraint("name", lower_case_name(25)),
        Constraint("region", REGION),
        Constraint("ipCidrRange", ip_range(28, 28)),
        Constraint("machineType", choice("f1-micro", "e2-micro", "e2-standard-4")),
        Constraint("minThroughput", integer(200, 900)),
        Constraint("maxThroughput", integer(200, 1000)),
        Constraint("minInstances", integer(2, 9)),
        Constraint("maxInstances", integer(3, 10)),
        Combination(
            _connector,
            ("minInstances", "maxInstances", "ipCidrRange", "subnet"),
            (("minInstances", 10), ("subnet", {"name": "s"})),
        ),
    ),
    gcp.DNS_ZONE: each(text(r"([\w-]+\.)+", "a name that ends in a dot", "pull.com"), "dnsName"),
}

"""Rules over the whole stack: locations and address ranges that fit together."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Final

from policies.framework.graph import Graph, Node, StackRule
from policies.framework.paths import Finding
from policies.framework.rules import Severity
from policies.rules.cloud_kms import KEY_INPUTS
from resource_types import gcp
from resource_types.constraints.primitives import network_of

NEIGHBORS: Final[Mapping[str, tuple[str, ...]]] = {
    gcp.GKE_CLUSTER: (gcp.SUBNETWORK,),
    gcp.ROUTER_NAT: (gcp.ROUTER, gcp.ADDRESS),
    gcp.RUN_JOB: (gcp.SUBNETWORK, gcp.VPC_CONNECTOR),
    gcp.RUN_SERVICE: (gcp.SUBNETWORK, gcp.VPC_CONNECTOR),
    gcp.RUN_WORKER_POOL: (gcp.SUBNETWORK,),
    gcp.SQL_INSTANCE: (gcp.SQL_INSTANCE,),
    gcp.VPC_CONNECTOR: (gcp.SUBNETWORK,),
}
"""By type, the regional resources that a resource uses in its own region only."""

_KEY_LOCATIONS: Final = {"eu": "europe"}
"""Locations of data that have another name in Cloud KMS."""


def _location(node: Node) -> str:
    if node.view.get("replication.auto"):
        return "global"  # a secret without a location of its own
    found = node.view.get("region") or node.view.get("location") or ""
    return str(found).lower()


def _same_location(graph: Graph) -> Iterator[Finding]:
    yield from graph.check_each(_uses_its_region, *NEIGHBORS)
    yield from graph.check_each(_uses_a_key_beside_it, *KEY_INPUTS)


def _uses_its_region(node: Node) -> Iterator[Finding]:
    location = _location(node)
    for name, sources in node.property_dependencies.items():
        for source in sources:
            if source.type in NEIGHBORS[node.type]:
                region = _location(source)
                # A cluster may be in a zone of the region.
                if location and region and location != region and location[:-2] != region:
                    yield node.finding(name, f"must be in {location}, where the resource is")


def _uses_a_key_beside_it(node: Node) -> Iterator[Finding]:
    location = _KEY_LOCATIONS.get(_location(node), _location(node))
    name = KEY_INPUTS[node.type]
    for key in node.property_dependencies.get(name, ()):
        for ring in key.property_dependencies.get("keyRing", ()):
            if key.type == gcp.CRYPTO_KEY and location and _location(ring) != location:
                yield node.finding(name, f"must be a key in {location}, where the data is")


def _ranges(node: Node) -> Iterator[tuple[str, str]]:
    """The paths and the address ranges that a resource takes in the network."""
    if node.type == gcp.GLOBAL_ADDRESS:
        address, prefix = node.view.get("address"), node.view.get("prefixLength")
        if node.view.get("purpose") == "VPC_PEERING" and address and prefix:
            yield "address", f"{address}/{int(prefix)}"
        return
    for path in ("ipCidrRange", "secondaryIpRanges[].ipCidrRange"):
        for value in node.view.all(path):
            yield path, str(value)


def _no_overlap(graph: Graph) -> Iterator[Finding]:
    taken = []

    def collect(node: Node) -> Iterator[Finding]:
        for path, text in _ranges(node):
            if network := network_of(text):
                taken.append((node, path, network))
        yield from ()

    yield from graph.check_each(collect, gcp.SUBNETWORK, gcp.VPC_CONNECTOR, gcp.GLOBAL_ADDRESS)
    for (node, _, network), (other, path, range_) in itertools.combinations(taken, 2):
        if node is not other and network.overlaps(range_):
            yield other.finding(path, f"must not overlap the range of {node.name}")


RULES: Final = (
    StackRule(
        id="stack-same-location",
        severity=Severity.HIGH,
        what="A resource is in the region of the subnet, connector, router and addresses that it "
        "uses, and in the location of the key that encrypts its data.",
        fix="Use one region: that of pull:gcp.region. Google Cloud would reject the combination in "
        "the middle of the update.",
        url="https://cloud.google.com/kms/docs/cmek",
        check=_same_location,
        paths=("region", "location", *sorted(set(KEY_INPUTS.values()))),
        decidable_after_update=True,
    ),
    StackRule(
        id="stack-ranges-do-not-overlap",
        severity=Severity.HIGH,
        what="The address ranges of subnets, connectors and peered services do not overlap.",
        fix="Choose free ranges in pull:network and pull:kubernetes.cluster.",
        url="https://cloud.google.com/vpc/docs/subnets#valid-ranges",
        check=_no_overlap,
        paths=("ipCidrRange", "secondaryIpRanges[].ipCidrRange", "address", "prefixLength"),
        decidable_after_update=True,
    ),
)

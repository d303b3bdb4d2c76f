"""The private network, with production's address plan."""

from __future__ import annotations

from components.platform.network import Network, NetworkArgs
from tests.recorder import Neighbours, Recording, record, remembered, side_by_side

CHILDREN = [
    ("gcp:compute/address:Address", "egress-address"),
    ("gcp:compute/globalAddress:GlobalAddress", "services-range"),
    ("gcp:compute/network:Network", "vpc"),
    ("gcp:compute/router:Router", "router"),
    ("gcp:compute/routerNat:RouterNat", "nat"),
    ("gcp:compute/subnetwork:Subnetwork", "subnet"),
    ("gcp:servicenetworking/connection:Connection", "private-services"),
    ("gcp:vpcaccess/connector:Connector", "connector"),
]


@remembered
def recorded() -> Recording:
    return record(lambda: Neighbours().network)


def test_children() -> None:
    def make(name: str, near: Neighbours) -> Network:
        args = NetworkArgs(
            project="pull-production",
            region="us-central1",
            names=near.names,
            settings=near.settings.network,
            protect=False,
            services=near.project,
        )
        return Network(name, args)

    recording = side_by_side(make)
    assert recording.listed("one") == [(token, f"one-{suffix}") for token, suffix in CHILDREN]
    # What nothing protects can be destroyed whole, and at once.
    assert recording["one-private-services"].inputs["deletionPolicy"] == "REMOVE_PEERING"


def test_network_and_subnet() -> None:
    recording = recorded()
    assert recording["network-vpc"].inputs == {
        "project": "pull-production",
        "name": "pull-production",
        "autoCreateSubnetworks": False,
        "routingMode": "REGIONAL",
    }
    assert recording["network-vpc"].waits_for == {"project-compute"}
    assert recording["network-subnet"].inputs == {
        "project": "pull-production",
        "region": "us-central1",
        "name": "pull-production",
        "network": "<network-vpc.id>",
        "ipCidrRange": "10.10.0.0/20",
        "privateIpGoogleAccess": True,
        "logConfig": {
            "aggregationInterval": "INTERVAL_10_MIN",
            "flowSampling": 0.5,
            "metadata": "INCLUDE_ALL_METADATA",
        },
    }


def test_private_services_access_for_sql_and_redis() -> None:
    recording = recorded()
    assert recording["network-services-range"].inputs == {
        "project": "pull-production",
        "name": "pull-production-services",
        "purpose": "VPC_PEERING",
        "addressType": "INTERNAL",
        "address": "10.20.0.0",
        "prefixLength": 16,
        "network": "<network-vpc.id>",
    }
    assert recording["network-private-services"].inputs == {
        "network": "<network-vpc.id>",
        "service": "servicenetworking.googleapis.com",
        "reservedPeeringRanges": ["pull-production-services"],
    }
    assert "project-servicenetworking" in recording["network-private-services"].waits_for


def test_connector() -> None:
    connector = recorded()["network-connector"]
    assert connector.inputs == {
        "project": "pull-production",
        "region": "us-central1",
        "name": "pull-production",
        "network": "pull-production",
        "ipCidrRange": "10.10.16.0/28",
        "machineType": "e2-standard-4",
        "minInstances": 2,
        "maxInstances": 10,
    }
    assert connector.waits_for == {"network-vpc", "project-vpcaccess"}


def test_egress_has_one_fixed_address() -> None:
    recording = recorded()
    assert recording["network-egress-address"].inputs == {
        "project": "pull-production",
        "region": "us-central1",
        "name": "pull-production-egress",
        "addressType": "EXTERNAL",
    }
    assert recording["network-router"].inputs == {
        "project": "pull-production",
        "region": "us-central1",
        "name": "pull-production",
        "network": "<network-vpc.id>",
    }
    assert recording["network-nat"].inputs == {
        "project": "pull-production",
        "region": "us-central1",
        "name": "pull-production",
        "router": "pull-production",
        "natIpAllocateOption": "MANUAL_ONLY",
        "natIps": ["<network-egress-address.selfLink>"],
        "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
        "logConfig": {"enable": True, "filter": "ERRORS_ONLY"},
    }
    assert recording.outputs["network"] == {
        "id": "<network-vpc.id>",
        "egressAddress": "<network-egress-address.address>",
    }


def test_names_that_revisions_hold_are_those_of_the_resources() -> None:
    """A revision's name is a hash of them, so they are composed and not asked for."""
    made: list[Network] = []
    recording = record(lambda: made.append(Neighbours().network))
    (network,) = made
    for full, child in (
        (network.name, "network-vpc"),
        (network.subnet, "network-subnet"),
        (network.connector, "network-connector"),
    ):
        assert full.rpartition("/")[2] == recording[child].inputs["name"]
    assert network.name == "projects/pull-production/global/networks/pull-production"
    assert network.subnet == (
        "projects/pull-production/regions/us-central1/subnetworks/pull-production"
    )
    assert network.connector == (
        "projects/pull-production/locations/us-central1/connectors/pull-production"
    )

"""Google Cloud: networks, addresses, routers, firewalls, certificates and connectors."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final

from resource_types import gcp
from sandbox.models.base import Reference, ResourceModel, created
from sandbox.models.gcp_common import LABEL_OUTPUTS
from sandbox.resource import Resource

_SELF_LINK: Final = "https://www.googleapis.com/compute/v1/{address}"


def _gateway(resource: Resource) -> str:
    network = ipaddress.ip_network(resource.get("ipCidrRange", "10.0.0.0/8"), strict=False)
    return str(network.network_address + 1)


def _reserved_address(resource: Resource) -> str:
    if address := resource.get("address"):
        return str(address)
    if resource.get("addressType", "EXTERNAL") == "EXTERNAL":
        return resource.public_address()
    return resource.private_address().rsplit(".", 1)[0] + ".0"


MODELS: Final[Mapping[str, ResourceModel]] = {
    gcp.NETWORK: ResourceModel(
        address="projects/{project}/global/networks/{name}",
        outputs={
            "selfLink": _SELF_LINK,
            "networkId": "{digits21}",
            "numericId": "{digits21}",
            "gatewayIpv4": "",
        },
    ),
    gcp.SUBNETWORK: ResourceModel(
        address="projects/{project}/regions/{region}/subnetworks/{name}",
        outputs={
            "selfLink": _SELF_LINK,
            "gatewayAddress": _gateway,
            "creationTimestamp": created,
            "subnetworkId": lambda resource: int(resource.format("{digits21}")[:12]),
        },
        references=(Reference("network", gcp.NETWORK, "blocks_deletion"),),
    ),
    gcp.GLOBAL_ADDRESS: ResourceModel(
        address="projects/{project}/global/addresses/{name}",
        outputs={
            "selfLink": _SELF_LINK,
            "address": _reserved_address,
            "creationTimestamp": created,
            **LABEL_OUTPUTS,
        },
        references=(Reference("network", gcp.NETWORK, "blocks_deletion"),),
    ),
    gcp.ADDRESS: ResourceModel(
        address="projects/{project}/regions/{region}/addresses/{name}",
        outputs={
            "selfLink": _SELF_LINK,
            "address": _reserved_address,
            "creationTimestamp": created,
            **LABEL_OUTPUTS,
        },
        references=(
            Reference("network", gcp.NETWORK, "blocks_deletion"),
            Reference("subnetwork", gcp.SUBNETWORK, "blocks_deletion"),
        ),
    ),
    gcp.ROUTER: ResourceModel(
        address="projects/{project}/regions/{region}/routers/{name}",
        outputs={"selfLink": _SELF_LINK, "creationTimestamp": created},
        references=(Reference("network", gcp.NETWORK, "blocks_deletion"),),
    ),
    gcp.ROUTER_NAT: ResourceModel(
        address="{project}/{region}/{router}/{name}",
        references=(
            Reference("router", gcp.ROUTER, "parent"),
            Reference("natIps[]", gcp.ADDRESS, "blocks_deletion"),
        ),
    ),
    gcp.FIREWALL: ResourceModel(
        address="projects/{project}/global/firewalls/{name}",
        outputs={"selfLink": _SELF_LINK, "creationTimestamp": created},
        references=(Reference("network", gcp.NETWORK, "blocks_deletion"),),
    ),
    gcp.MANAGED_SSL_CERTIFICATE: ResourceModel(
        address="projects/{project}/global/sslCertificates/{name}",
        outputs={"selfLink": _SELF_LINK, "creationTimestamp": created},
    ),
    # A network has one connection to a service producer, so its address is the network's.
    # https://cloud.google.com/vpc/docs/configure-private-services-access
    gcp.SERVICE_NETWORKING_CONNECTION: ResourceModel(
        address="{network}",
        name="network",
        id="{network}:{service}",
        outputs={"peering": "servicenetworking-googleapis-com"},
        references=(
            Reference("network", gcp.NETWORK, "blocks_deletion"),
            Reference("reservedPeeringRanges[]", gcp.GLOBAL_ADDRESS, "blocks_deletion"),
        ),
        on_delete=lambda inputs: (
            "remove"
            if inputs.get("deletionPolicy") == "REMOVE_PEERING"
            else "blocked_by_retained_sql"
        ),
    ),
    gcp.VPC_CONNECTOR: ResourceModel(
        address="projects/{project}/locations/{region}/connectors/{name}",
        outputs={
            "selfLink": "{address}",
            "state": "READY",
            "connectedProjects": lambda resource: [resource["project"]],
        },
        references=(
            Reference("network", gcp.NETWORK, "blocks_deletion"),
            Reference("subnet.name", gcp.SUBNETWORK, "blocks_deletion"),
        ),
    ),
}

"""The private network: VPC, subnets, private services access, VPC connector, egress.

Cloud SQL and Memorystore are in a range that is peered with the VPC. Cloud Run reaches them through
the subnet (direct egress) or the connector. Traffic from the VPC to the internet has one source
address, which partners can add to their allow lists.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_gcp as gcp
from pulumi import Output, ResourceOptions

from components.base import PullComponent, Stage
from components.config.kubernetes import Autopilot
from components.config.platform import Network as NetworkSettings
from components.names import Names
from components.platform.project import Project
from resource_types import pull


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkArgs:
    """Inputs of :class:`Network`.

    Attributes:
        cluster: ranges of the cluster that this program creates, if it creates one.
    """

    project: str
    region: str
    names: Names
    settings: NetworkSettings
    protect: bool
    cluster: Autopilot | None = None
    services: Project


FLOW_LOGS: Final[gcp.compute.SubnetworkLogConfigArgsDict] = {
    "aggregation_interval": "INTERVAL_10_MIN",
    "flow_sampling": 0.5,
    "metadata": "INCLUDE_ALL_METADATA",
}

PODS_RANGE: Final = "pods"
SERVICES_RANGE: Final = "services"
"""Names of the secondary ranges of the cluster's subnet."""


class Network(PullComponent):
    """One VPC with one subnet in one region, and a second subnet for a cluster."""

    id: Output[str]
    """``projects/…/global/networks/…``"""
    name: str
    subnet: str
    connector: str
    """Full names, known before anything is created: they are part of a revision's hash."""
    services_range: Output[str]
    """Name of the range from which private services take their addresses."""
    private_services: pulumi.Resource
    """The peering. Cloud SQL and Memorystore depend on it."""
    egress: list[pulumi.Resource]
    """What must exist before a Cloud Run revision can use the network."""
    egress_address: Output[str]
    """The address that partners see."""
    cluster_subnet: gcp.compute.Subnetwork | None
    """The subnet of the cluster's nodes, pods and Services."""

    def __init__(self, name: str, args: NetworkArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(pull.NETWORK, name, Stage.INFRASTRUCTURE, opts)
        project, region, vpc_name = args.project, args.region, args.names.network

        vpc = gcp.compute.Network(
            self.child("vpc"),
            project=project,
            name=vpc_name,
            auto_create_subnetworks=False,
            routing_mode="REGIONAL",
            opts=self.options(args.services.ready("compute")),
        )
        subnet = gcp.compute.Subnetwork(
            self.child("subnet"),
            project=project,
            region=region,
            name=vpc_name,
            network=vpc.id,
            ip_cidr_range=args.settings.subnet_cidr,
            private_ip_google_access=True,
            log_config=FLOW_LOGS,
            opts=self.options(),
        )
        self.cluster_subnet = None
        if args.cluster:
            # A separate subnet, so that it can be deleted together with the cluster.
            self.cluster_subnet = gcp.compute.Subnetwork(
                self.child("cluster-subnet"),
                project=project,
                region=region,
                name=args.names.cluster_subnet,
                network=vpc.id,
                ip_cidr_range=args.cluster.nodes_cidr,
                secondary_ip_ranges=[
                    {"range_name": PODS_RANGE, "ip_cidr_range": args.cluster.pods_cidr},
                    {"range_name": SERVICES_RANGE, "ip_cidr_range": args.cluster.services_cidr},
                ],
                private_ip_google_access=True,
                log_config=FLOW_LOGS,
                opts=self.options(),
            )

        services_cidr = ipaddress.IPv4Network(args.settings.services_cidr)
        services_range = gcp.compute.GlobalAddress(
            self.child("services-range"),
            project=project,
            name=f"{vpc_name}-services",
            purpose="VPC_PEERING",
            address_type="INTERNAL",
            address=str(services_cidr.network_address),
            prefix_length=services_cidr.prefixlen,
            network=vpc.id,
            opts=self.options(),
        )
        private_services = gcp.servicenetworking.Connection(
            self.child("private-services"),
            network=vpc.id,
            service="servicenetworking.googleapis.com",
            reserved_peering_ranges=[services_range.name],
            # Google keeps a deleted database for days, which blocks deleting the connection:
            # https://cloud.google.com/sql/docs/postgres/configure-private-services-access
            deletion_policy=None if args.protect else "REMOVE_PEERING",
            opts=self.options(args.services.ready("servicenetworking")),
        )

        connector = gcp.vpcaccess.Connector(
            self.child("connector"),
            project=project,
            region=region,
            name=args.names.connector,
            network=vpc.name,
            ip_cidr_range=args.settings.connector.cidr,
            machine_type=args.settings.connector.machine_type,
            min_instances=args.settings.connector.min_instances,
            max_instances=args.settings.connector.max_instances,
            opts=self.options(args.services.ready("vpcaccess")),
        )

        address = gcp.compute.Address(
            self.child("egress-address"),
            project=project,
            region=region,
            name=f"{vpc_name}-egress",
            address_type="EXTERNAL",
            opts=self.options(args.services.ready("compute")),
        )
        router = gcp.compute.Router(
            self.child("router"),
            project=project,
            region=region,
            name=vpc_name,
            network=vpc.id,
            opts=self.options(),
        )
        nat = gcp.compute.RouterNat(
            self.child("nat"),
            project=project,
            region=region,
            name=vpc_name,
            router=router.name,
            nat_ip_allocate_option="MANUAL_ONLY",
            nat_ips=[address.self_link],
            source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
            log_config={"enable": True, "filter": "ERRORS_ONLY"},
            opts=self.options(),
        )

        self.id = vpc.id
        self.name = f"projects/{project}/global/networks/{vpc_name}"
        self.subnet = f"projects/{project}/regions/{region}/subnetworks/{vpc_name}"
        self.connector = f"projects/{project}/locations/{region}/connectors/{args.names.connector}"
        self.services_range = services_range.name
        self.private_services = private_services
        self.egress = [subnet, connector, nat]
        self.egress_address = address.address
        self.register_outputs({"id": self.id, "egressAddress": self.egress_address})

"""The cluster: GKE Autopilot with private nodes and a control plane with only a DNS endpoint.

IAM protects that endpoint, so neither a public IP address of the control plane nor authorized
networks are needed (https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation).
The kubeconfig contains no credential: a plug-in gets a token for the user who runs it.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp
from pulumi import Output, ResourceOptions

from components.base import PullComponent, Stage
from components.config.kubernetes import Autopilot
from components.names import Names
from components.platform.encryption import Encryption
from components.platform.identity import ServiceAccount
from components.platform.network import PODS_RANGE, SERVICES_RANGE, Network
from components.platform.project import Project
from components.platform.registry import Registry
from resource_types import pull


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterArgs:
    """Inputs of :class:`Cluster`.

    Attributes:
        nodes: service account of the nodes.
        deployer: CI's permissions on a cluster, which must outlive it.
    """

    project: str
    region: str
    names: Names
    settings: Autopilot
    protect: bool
    nodes: ServiceAccount
    deployer: list[pulumi.Resource]
    network: Network
    encryption: Encryption
    registry: Registry
    services: Project


class Cluster(PullComponent):
    """``pull-cluster``: one regional Autopilot cluster."""

    kubeconfig: Output[str]
    ready: list[pulumi.Resource]
    """What must exist before something can run in it."""

    def __init__(self, name: str, args: ClusterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(pull.KUBERNETES_CLUSTER, name, Stage.INFRASTRUCTURE, opts)
        subnet = args.network.cluster_subnet
        if subnet is None:
            raise ValueError("the network has no subnet for the cluster; set NetworkArgs.cluster")
        grants: list[pulumi.Resource] = [
            gcp.projects.IAMMember(
                self.child("nodes-run"),
                project=args.project,
                role="roles/container.defaultNodeServiceAccount",
                member=args.nodes.member,
                opts=self.options(args.services.ready("cloudresourcemanager")),
            ),
            gcp.artifactregistry.RepositoryIamMember(
                self.child("nodes-pull"),
                project=args.project,
                location=args.registry.location,
                repository=args.registry.name,
                role="roles/artifactregistry.reader",
                member=args.nodes.member,
                opts=self.options(),
            ),
        ]
        cluster = gcp.container.Cluster(
            self.child("cluster"),
            project=args.project,
            location=args.region,
            name=args.names.cluster,
            enable_autopilot=True,
            network=args.network.id,
            subnetwork=subnet.id,
            ip_allocation_policy={
                "cluster_secondary_range_name": PODS_RANGE,
                "services_secondary_range_name": SERVICES_RANGE,
            },
            private_cluster_config={"enable_private_nodes": True},
            control_plane_endpoints_config={
                "dns_endpoint_config": {"allow_external_traffic": True},
                "ip_endpoints_config": {"enabled": False},
            },
            workload_identity_config={"workload_pool": f"{args.project}.svc.id.goog"},
            cluster_autoscaling={
                "auto_provisioning_defaults": {
                    "service_account": args.nodes.email,
                    "oauth_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
                }
            },
            database_encryption={
                "state": "ENCRYPTED",
                "key_name": args.encryption.keys["cluster"],
            },
            release_channel={"channel": args.settings.release_channel},
            # Daily: GKE requires 48 hours in 32 days, which one weekday does not provide:
            # https://cloud.google.com/kubernetes-engine/docs/concepts/maintenance-windows-and-exclusions
            maintenance_policy={
                "daily_maintenance_window": {"start_time": args.settings.maintenance_start}
            },
            resource_labels={"environment": args.names.environment},
            deletion_protection=args.protect,
            opts=self.options(
                args.services.ready("container"),
                args.encryption.usable["cluster"],
                ResourceOptions(
                    depends_on=[*grants, *args.deployer, *args.nodes.ready],
                    protect=args.protect,
                ),
            ),
        )
        self.kubeconfig = _kubeconfig(
            args.names.cluster,
            cluster.control_plane_endpoints_config.dns_endpoint_config.endpoint,
        )
        self.ready = [cluster, *args.network.egress]
        self.register_outputs({"name": args.names.cluster})


def _kubeconfig(name: str, endpoint: Output[str | None]) -> Output[str]:
    """A kubeconfig for ``endpoint``, whose certificate a public authority has signed."""
    return Output.json_dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": name, "cluster": {"server": Output.format("https://{0}", endpoint)}}
            ],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
            "users": [
                {
                    "name": name,
                    "user": {
                        "exec": {
                            "apiVersion": "client.authentication.k8s.io/v1beta1",
                            "command": "gke-gcloud-auth-plugin",
                            "installHint": "gcloud components install gke-gcloud-auth-plugin",
                            "provideClusterInfo": True,
                            "interactiveMode": "IfAvailable",
                        }
                    },
                }
            ],
        }
    )

"""The ingress: one address, a certificate that Google renews, and the DNS records.

It is created last, when everything behind it runs. That is the runbook's order, and it makes the
switch from the managed services safe.

Two names resolve to the ingress. The cluster's own name points directly to Google's load balancer,
because Google issues a certificate only for such a name
(https://cloud.google.com/load-balancing/docs/ssl-certificates/google-managed-certs). If the cluster
is the runtime, the API's name is a proxied CNAME of it: Cloudflare's strict TLS accepts a
certificate for the name of the CNAME's target
(https://developers.cloudflare.com/ssl/origin-configuration/ssl-modes/full-strict/). So the
certificate exists before users arrive, and the address stays hidden from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_cloudflare as cloudflare
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
from pulumi import Output, ResourceOptions

from components.base import PullComponent, Stage, child_of
from components.config.accounts import Cloudflare as CloudflareSettings
from components.kubernetes.objects import API, metadata
from components.names import Names
from components.platform.project import Project
from resource_types import pull


@dataclass(frozen=True, slots=True, kw_only=True)
class IngressArgs:
    """Inputs of :class:`Ingress`.

    Attributes:
        domain: the cluster's own name.
        api_domain: the public name of the API.
        takes_over: whether the API's name resolves to the cluster instead of the Worker.
        deployer: CI's permissions on a certificate, which must outlive it.
        after: resources that come first in the runbook's order.
    """

    project: str
    cloudflare_account: CloudflareSettings
    names: Names
    domain: str
    api_domain: str
    takes_over: bool
    protect: bool
    services: Project
    deployer: list[pulumi.Resource]
    after: list[pulumi.Resource]


class Ingress(PullComponent):
    """``pull-ingress``: HTTPS from anywhere to the API's Service."""

    address: Output[str]

    def __init__(self, name: str, args: IngressArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(pull.KUBERNETES_INGRESS, name, Stage.WORKERS, opts)
        protect = ResourceOptions(protect=args.protect)
        address = gcp.compute.GlobalAddress(
            self.child("address"),
            project=args.project,
            name=args.names.ingress_address,
            address_type="EXTERNAL",
            ip_version="IPV4",
            opts=self.options(args.services.ready("compute")),
        )
        certificate = gcp.compute.ManagedSslCertificate(
            self.child("certificate"),
            project=args.project,
            name=args.names.certificate(args.domain),
            managed={"domains": [args.domain]},
            opts=self.options(
                args.services.ready("compute"), ResourceOptions(depends_on=args.deployer)
            ),
        )
        ingress = kubernetes.networking.v1.Ingress(
            self.child("ingress"),
            metadata=metadata(
                "pull-ingress",
                annotations={
                    "kubernetes.io/ingress.class": "gce",
                    "kubernetes.io/ingress.allow-http": "false",
                    "kubernetes.io/ingress.global-static-ip-name": args.names.ingress_address,
                    "ingress.gcp.kubernetes.io/pre-shared-cert": args.names.certificate(
                        args.domain
                    ),
                },
            ),
            spec={
                "rules": [
                    {
                        "host": host,
                        "http": {
                            "paths": [
                                {
                                    "path": "/",
                                    "path_type": "Prefix",
                                    # GKE derives the health check from the pods' readiness probe.
                                    "backend": {"service": {"name": API, "port": {"name": "http"}}},
                                }
                            ]
                        },
                    }
                    for host in (args.domain, args.api_domain)
                ]
            },
            opts=self.options(ResourceOptions(depends_on=[*args.after, address, certificate])),
        )
        cluster_record = cloudflare.DnsRecord(
            self.child("dns"),
            zone_id=args.cloudflare_account.zone_id,
            name=args.domain,
            type="A",
            content=address.address,
            proxied=False,
            ttl=300,
            comment="API in the cluster, answered by Google's load balancer",
            opts=self.options(protect, ResourceOptions(depends_on=[ingress])),
        )
        if args.takes_over:
            cloudflare.DnsRecord(
                self.child("api-dns"),
                zone_id=args.cloudflare_account.zone_id,
                name=args.api_domain,
                type="CNAME",
                content=args.domain,
                proxied=True,
                ttl=1,
                comment="API, answered by the cluster",
                opts=self.options(
                    protect,
                    ResourceOptions(
                        depends_on=[cluster_record],
                        # The Worker's record has another type; the two records cannot coexist.
                        aliases=[child_of(pull.API, "api", "dns")],
                        delete_before_replace=True,
                    ),
                ),
            )
        self.address = address.address
        self.register_outputs({"address": self.address})

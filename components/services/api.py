"""The API on Cloudflare Workers: Worker, version, deployment, route, DNS record.

A version is immutable and a deployment says which one or two of them answer, so that a canary and
a rollback change percentages and nothing else. Secrets are bound by reference: no value passes
through here.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import pulumi
import pulumi_cloudflare as cloudflare
from pulumi import Output, ResourceOptions

from components.base import PullComponent, Stage, child_of
from components.config.accounts import Cloudflare as CloudflareSettings
from components.config.services import CURRENT, PROJECT_ROOT
from components.config.services import Api as ApiSettings
from components.names import Names
from components.runtime_config import ConfigMaps
from components.secrets.catalogue import secrets_for
from components.workloads import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiArgs:
    """Inputs of :class:`Api`. ``after``: what must be there first, by the runbook's order."""

    account: CloudflareSettings
    names: Names
    settings: ApiSettings
    protect: bool
    config: ConfigMaps
    after: list[pulumi.Resource]


class Api(PullComponent):
    """``https://<domain>/*``, answered by one Worker."""

    url: str
    version: Output[str]
    """Id of the version that this program describes, whether or not it has the traffic."""
    rollout: list[pulumi.Resource]
    """What puts it in front of users: the deployment, and the route."""

    def __init__(self, name: str, args: ApiArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("pull:services:Api", name, Stage.API, opts)
        account_id, settings = args.account.account_id, args.settings
        worker = cloudflare.Worker(
            self.child("worker"),
            account_id=account_id,
            name=args.names.api,
            # Only the domain leads here: a workers.dev address would go round what guards it.
            subdomain={"enabled": False, "previews_enabled": False},
            observability={
                "enabled": True,
                "head_sampling_rate": settings.log_sampling,
                "logs": {
                    "enabled": True,
                    "head_sampling_rate": settings.log_sampling,
                    "invocation_logs": True,
                },
            },
            tags=[args.names.environment],
            opts=self.options(),
        )
        version = cloudflare.WorkerVersion(
            self.child("version"),
            account_id=account_id,
            worker_id=worker.id,
            main_module="worker.js",
            modules=[
                {
                    "name": "worker.js",
                    "content_type": "application/javascript+module",
                    "content_base64": base64.b64encode(
                        (PROJECT_ROOT / settings.bundle).read_bytes()
                    ).decode(),
                }
            ],
            compatibility_date=settings.compatibility_date,
            compatibility_flags=["nodejs_compat"],
            bindings=self._bindings(args),
            opts=self.options(),
        )
        deployment = cloudflare.WorkersDeployment(
            self.child("deployment"),
            account_id=account_id,
            script_name=worker.name,
            strategy="percentage",
            versions=[
                {
                    "version_id": version.id if share.version == CURRENT else share.version,
                    "percentage": share.percentage,
                }
                for share in settings.versions
            ],
            opts=self.options(ResourceOptions(depends_on=args.after)),
        )
        record = cloudflare.DnsRecord(
            self.child("dns"),
            zone_id=args.account.zone_id,
            name=settings.domain,
            type="AAAA",
            # The address that discards: Cloudflare answers in its place, the Worker by the route.
            content="100::",
            proxied=True,
            ttl=1,
            comment="API, answered by the Worker of the route",
            opts=self.options(
                ResourceOptions(
                    protect=args.protect,
                    # The cluster's record under another type, where it was the runtime before.
                    aliases=[child_of("pull:kubernetes:Ingress", "ingress", "api-dns")],
                    delete_before_replace=True,
                )
            ),
        )
        route = cloudflare.WorkersRoute(
            self.child("route"),
            zone_id=args.account.zone_id,
            pattern=f"{settings.domain}/*",
            script=worker.name,
            # A route that points at a Worker without a deployment answers with errors.
            opts=self.options(ResourceOptions(depends_on=[deployment, record])),
        )
        self.url = f"https://{settings.domain}"
        self.version = version.id
        self.rollout = [deployment, route]
        self.register_outputs({"url": self.url, "version": self.version})

    def _bindings(self, args: ApiArgs) -> list[cloudflare.WorkerVersionBindingArgsDict]:
        plain: list[cloudflare.WorkerVersionBindingArgsDict] = [
            {"name": name, "type": "plain_text", "text": value}
            for name, value in args.config.for_api_at_the_edge().items()
        ]
        secret: list[cloudflare.WorkerVersionBindingArgsDict] = [
            {
                "name": variable.name,
                "type": "secrets_store_secret",
                "store_id": args.account.secrets_store_id,
                "secret_name": args.names.secret(variable.name),
            }
            if args.settings.secrets == "store"
            # ``wrangler secret put`` owns the value: each version inherits it from the one before.
            else {"name": variable.name, "type": "inherit"}
            for variable in secrets_for(Service.API)
        ]
        # Sorted, because another order would be another version.
        return sorted([*plain, *secret], key=lambda binding: str(binding["name"]))

"""The API on Cloudflare Workers: Worker, version, deployment, route, DNS record.

A version is immutable, and a deployment splits requests between one or two versions, so a canary or
a rollback changes nothing but percentages. Secrets are bound by reference: no value passes through
this program.
"""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_cloudflare as cloudflare
from pulumi import Output, ResourceOptions

from components import PROJECT_ROOT
from components.base import PullComponent, Stage, child_of
from components.config import SettingError, SettingsError
from components.config.accounts import Cloudflare as CloudflareSettings
from components.config.services import CURRENT
from components.config.services import Api as ApiSettings
from components.names import Names
from components.runtime_config import ConfigMaps
from components.secrets.catalogue import secrets_for
from components.workloads import Service
from resource_types import pull


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiArgs:
    """Inputs of :class:`Api`. ``after``: resources that come first in the runbook's order."""

    cloudflare_account: CloudflareSettings
    names: Names
    settings: ApiSettings
    protect: bool
    config: ConfigMaps
    after: list[pulumi.Resource]


def read_bundle(bundle: str) -> bytes:
    """The code of the Worker; ``bundle`` is its path relative to the project's folder.

    Raises:
        SettingsError: there is no such file, or it exceeds the limits of a Worker
            (https://developers.cloudflare.com/workers/platform/limits/#worker-size).
    """
    path = (PROJECT_ROOT / bundle).resolve()
    if not path.is_relative_to(PROJECT_ROOT) or not path.is_file():
        raise _bundle_error(bundle, "a file below the project's folder")
    code = path.read_bytes()
    if len(code) > 64 * _MIB or len(gzip.compress(code, compresslevel=1)) > 10 * _MIB:
        raise _bundle_error(bundle, "a bundle of at most 64 MiB, 10 MiB when compressed")
    return code


def _bundle_error(bundle: str, expected: str) -> SettingsError:
    source = f"the configuration of stack {pulumi.get_stack()}"
    return SettingsError(source, (SettingError("pull:api.bundle", bundle, expected),))


_MIB: Final = 1024 * 1024


class Api(PullComponent):
    """``https://<domain>/*``, answered by one Worker."""

    url: str
    version: Output[str]
    """Id of the version that this program describes, whether or not it gets traffic."""
    rollout: list[pulumi.Resource]
    """The resources that expose it to users: the deployment and the route."""

    def __init__(self, name: str, args: ApiArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(pull.API, name, Stage.API, opts)
        account_id, settings = args.cloudflare_account.account_id, args.settings
        code = read_bundle(settings.bundle)
        worker = cloudflare.Worker(
            self.child("worker"),
            account_id=account_id,
            name=args.names.api,
            # Only the domain: a workers.dev address would bypass the zone's protection.
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
                    "content_base64": base64.b64encode(code).decode(),
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
            zone_id=args.cloudflare_account.zone_id,
            name=settings.domain,
            type="AAAA",
            # The discard prefix (RFC 6666): Cloudflare proxies the name, and the route answers.
            content="100::",
            proxied=True,
            ttl=1,
            comment="API, answered by the Worker of the route",
            opts=self.options(
                ResourceOptions(
                    protect=args.protect,
                    # If the cluster was the runtime before, its record has another type.
                    aliases=[child_of(pull.KUBERNETES_INGRESS, "ingress", "api-dns")],
                    delete_before_replace=True,
                )
            ),
        )
        route = cloudflare.WorkersRoute(
            self.child("route"),
            zone_id=args.cloudflare_account.zone_id,
            pattern=f"{settings.domain}/*",
            script=worker.name,
            # A route to a Worker without a deployment responds with errors.
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
                "store_id": args.cloudflare_account.secrets_store_id,
                "secret_name": args.names.secret(variable.name),
            }
            if args.settings.secrets == "store"
            # ``wrangler secret put`` sets the value; a version inherits it from the previous one:
            # https://developers.cloudflare.com/workers/configuration/secrets/
            else {"name": variable.name, "type": "inherit"}
            for variable in secrets_for(Service.API)
        ]
        # Sorted, because a different order would create a new version.
        return sorted([*plain, *secret], key=lambda binding: str(binding["name"]))

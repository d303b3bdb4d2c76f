"""The web application on Vercel: project, variables, domain, and a release by git reference.

Vercel deploys pull requests as previews behind its authentication. It also releases the production
branch automatically, unless the stack file configures a release.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_cloudflare as cloudflare
import pulumiverse_vercel as vercel
from pulumi import Output, ResourceOptions

from components.base import PullComponent, Stage
from components.config.accounts import Cloudflare as CloudflareSettings
from components.config.services import Web as WebSettings
from components.names import Names
from resource_types import pull

TARGETS: Final = ("production", "preview", "development")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebArgs:
    """Inputs of :class:`Web`.

    Attributes:
        repository: ``owner/name`` at GitHub.
        values: public variables by name.
        after: resources that come first in the runbook's order.
    """

    cloudflare_account: CloudflareSettings
    repository: str
    names: Names
    settings: WebSettings
    protect: bool
    values: dict[str, str]
    after: list[pulumi.Resource]


class Web(PullComponent):
    """``https://<domain>``: a Next.js 14 application."""

    url: str
    project_id: Output[str]
    rollout: list[pulumi.Resource]
    """The resources that expose it to users: the domain, and the release if there is one."""

    def __init__(self, name: str, args: WebArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(pull.WEB, name, Stage.WEB, opts)
        settings = args.settings
        project = vercel.Project(
            self.child("project"),
            name=args.names.web,
            framework="nextjs",
            root_directory=settings.root_directory,
            node_version="22.x",
            git_repository={
                "type": "github",
                "repo": args.repository,
                "production_branch": settings.production_branch,
            },
            # Everything except the production domain requires a Vercel login.
            vercel_authentication={"deployment_type": "standard_protection_new"},
            git_fork_protection=True,
            directory_listing=False,
            protected_sourcemaps=True,
            # A browser with an older page keeps talking to the deployment that served it.
            skew_protection="12 hours",
            automatically_expose_system_environment_variables=True,
            opts=self.options(ResourceOptions(protect=args.protect)),
        )
        variables = [
            vercel.ProjectEnvironmentVariable(
                self.child(f"{key.lower().replace('_', '-')}-{target}"),
                project_id=project.id,
                key=key,
                value=value,
                targets=[target],
                # The value is public in the bundle; hiding it would only hide a mistake. Vercel has
                # no sensitive variables for development.
                sensitive=settings.sensitive_variables and target != "development",
                # Vercel rejects a second variable with the same key and target.
                opts=self.options(ResourceOptions(delete_before_replace=True)),
            )
            for key, value in sorted(args.values.items())
            for target in TARGETS
        ]
        record = cloudflare.DnsRecord(
            self.child("dns"),
            zone_id=args.cloudflare_account.zone_id,
            name=settings.domain,
            type="CNAME",
            content="cname.vercel-dns.com",
            # Vercel terminates TLS; a proxy in front of it would break its certificates.
            proxied=False,
            ttl=300,
            comment="Web application at Vercel",
            opts=self.options(ResourceOptions(protect=args.protect)),
        )
        domain = vercel.ProjectDomain(
            self.child("domain"),
            project_id=project.id,
            domain=settings.domain,
            opts=self.options(ResourceOptions(depends_on=[*args.after, *variables, record])),
        )
        self.rollout = [domain]
        if settings.release is not None:
            self.rollout.append(
                vercel.Deployment(
                    self.child("release"),
                    project_id=project.id,
                    ref=settings.release.ref,
                    production=True,
                    opts=self.options(ResourceOptions(depends_on=[*args.after, *variables])),
                )
            )
        self.url = f"https://{settings.domain}"
        self.project_id = project.id
        self.register_outputs({"url": self.url, "projectId": self.project_id})

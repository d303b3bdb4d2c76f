"""Pulumi Deployments: how Pulumi Cloud itself previews and releases this stack.

Staging is released with every commit to the branch. Production is only read here: Pulumi Cloud
lends one account to all operations of a stack, so an account that may release would be an account
that any pull request previews with. Its releases stay with the workflow that has approvals and
records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_gcp as gcp
import pulumi_pulumiservice as pulumiservice
import pulumi_random as random
from pulumi import Output, ResourceOptions

from components.base import PullComponent, Stage
from components.config.accounts import PulumiCloud
from components.names import Environment
from components.platform.identity import RELEASE_BRANCH, Identity

ISSUER: Final = "https://api.pulumi.com/oidc"
DRIFT_CRON: Final = "53 6 * * *"
"""Every morning, half an hour after the workflow that looks for drift."""

EVENTS: Final = (
    pulumiservice.WebhookFilters.UPDATE_FAILED,
    pulumiservice.WebhookFilters.DESTROY_FAILED,
    pulumiservice.WebhookFilters.DEPLOYMENT_FAILED,
    pulumiservice.WebhookFilters.DRIFT_DETECTED,
    pulumiservice.WebhookFilters.DRIFT_DETECTION_FAILED,
)
"""What somebody should look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentsArgs:
    """Inputs of :class:`Deployments`. ``repository`` is ``owner/name`` at GitHub."""

    cloud: PulumiCloud
    environment: Environment
    repository: str
    project: str
    project_number: str
    identity: Identity


class Deployments(PullComponent):
    """Settings, sign-in, schedules and events of this stack in Pulumi Cloud.

    A review stack is made by Pulumi Cloud from the settings of its template, and may not change
    them: there, nothing is made but the moment at which it goes.
    """

    events_key: Output[str] | None = None
    """What the events are signed with; secret. None without a receiver."""

    def __init__(
        self, name: str, args: DeploymentsArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("pull:delivery:Deployments", name, Stage.INFRASTRUCTURE, opts)
        self._args = args
        self._stack = {
            "organization": args.cloud.organization,
            "project": pulumi.get_project(),
            "stack": pulumi.get_stack(),
        }
        if self._stack["stack"] == args.environment:
            self._settings()
        elif args.cloud.review_stacks:
            pulumiservice.TtlSchedule(
                self.child("end"),
                **self._stack,
                timestamp=args.cloud.review_stacks.until,
                delete_after_destroy=True,
                opts=self.options(),
            )
        self.register_outputs({})

    def _settings(self) -> None:
        args = self._args
        releases = args.environment == "staging"
        account = args.identity.deployer if releases else args.identity.previewer
        sign_in = self._sign_in(account.resource.name)
        settings = pulumiservice.DeploymentSettings(
            self.child("settings"),
            organization=self._stack["organization"],
            project=self._stack["project"],
            stack=self._stack["stack"],
            source_context={"git": {"branch": f"refs/heads/{RELEASE_BRANCH}"}},
            vcs={
                "provider": "github",
                "repository": args.repository,
                "deploy_commits": releases,
                "preview_pull_requests": True,
                "pull_request_template": args.cloud.review_stacks is not None,
            },
            operation_context={
                "oidc": {
                    "gcp": {
                        "project_id": args.project_number,
                        "workload_pool_id": args.identity.pool.workload_identity_pool_id,
                        "provider_id": sign_in.workload_identity_pool_provider_id,
                        "service_account": account.email,
                        "token_lifetime": "1h0m0s",
                    }
                },
                "options": {"skip_intermediate_deployments": True},
            },
            cache_options={"enable": True},
            opts=self.options(),
        )
        after = self.options(ResourceOptions(depends_on=[settings]))
        pulumiservice.DriftSchedule(
            self.child("drift"),
            **self._stack,
            schedule_cron=DRIFT_CRON,
            auto_remediate=False,
            opts=after,
        )
        pulumiservice.StackTags(
            self.child("tags"),
            **self._stack,
            tags={"environment": args.environment, "repository": args.repository},
            opts=self.options(),
        )
        if args.cloud.events_url:
            key = random.RandomPassword(
                self.child("events-key"), length=32, special=False, opts=self.options()
            )
            self.events_key = key.result
            pulumiservice.Webhook(
                self.child("events"),
                organization_name=self._stack["organization"],
                project_name=self._stack["project"],
                stack_name=self._stack["stack"],
                display_name="What somebody should look at",
                active=True,
                payload_url=args.cloud.events_url,
                format=pulumiservice.WebhookFormat.RAW,
                filters=list(EVENTS),
                secret=key.result,
                opts=self.options(),
            )

    def _sign_in(self, account: Output[str]) -> gcp.iam.WorkloadIdentityPoolProvider:
        """Lend ``account`` to the deployments of this stack, and of its review stacks."""
        args, pool = self._args, self._args.identity.pool
        project = f"org:{args.cloud.organization}:project:{self._stack['project']}"
        provider = gcp.iam.WorkloadIdentityPoolProvider(
            self.child("sign-in"),
            project=args.project,
            workload_identity_pool_id=pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="pulumi",
            # Deployments take the organization itself for the audience.
            oidc={"issuer_uri": ISSUER, "allowed_audiences": [args.cloud.organization]},
            attribute_mapping={
                "google.subject": "assertion.sub",
                "attribute.deployments": "assertion.sub.extract('pulumi:deploy:{project}:stack:')",
                "attribute.stack": "assertion.sub.extract('pulumi:deploy:{stack}:operation:')",
            },
            attribute_condition=f"assertion.sub.startsWith('pulumi:deploy:{project}:stack:')",
            opts=self.options(),
        )
        whom = f"attribute.stack/{project}:stack:{self._stack['stack']}"
        if args.cloud.review_stacks:  # their names are made up by Pulumi Cloud
            whom = f"attribute.deployments/{project}"
        gcp.serviceaccount.IAMMember(
            self.child("lent"),
            service_account_id=account,
            role="roles/iam.workloadIdentityUser",
            member=pulumi.Output.format(
                "principalSet://iam.googleapis.com/{0}/{1}", pool.name, whom
            ),
            opts=self.options(),
        )
        return provider

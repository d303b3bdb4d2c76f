"""Pulumi Deployments: how Pulumi Cloud previews and releases this stack.

Every commit to the branch releases staging. For production, Pulumi Cloud has read access only: it
uses one service account for all operations of a stack, and a person may start any of them. The
workflow with approvals and records releases production.

A pull request is previewed in Pulumi Cloud only in a review stack: the preview of another stack
could decrypt its state. The check of a pull request (docs/delivery.md) needs no account.

Production also declares which version of the policy pack Pulumi Cloud enforces, for both stacks: a
deployment that runs the code of a branch must not be able to change what validates it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, get_args

import pulumi
import pulumi_gcp as gcp
import pulumi_pulumiservice as pulumiservice
import pulumi_random as random
import yaml
from pulumi import Output, ResourceOptions

from components import PROJECT_ROOT
from components.base import PullComponent, Stage
from components.config.accounts import PulumiCloud
from components.names import Environment, Names
from components.platform.identity import RELEASE_BRANCH, Identity
from resource_types import pull

ISSUER: Final = "https://api.pulumi.com/oidc"
DRIFT_CRON: Final = "53 6 * * *"
"""Every morning, half an hour after the drift workflow."""

POLICIES: Final = PROJECT_ROOT / "policies"
POLICY_PACK: Final = "pull-estate"
"""The name of the published pack, which ``policies/__main__.py`` gives it."""

EVENTS: Final = (
    pulumiservice.WebhookFilters.UPDATE_FAILED,
    pulumiservice.WebhookFilters.DESTROY_FAILED,
    pulumiservice.WebhookFilters.DEPLOYMENT_FAILED,
    pulumiservice.WebhookFilters.DRIFT_DETECTED,
    pulumiservice.WebhookFilters.DRIFT_DETECTION_FAILED,
)
"""Events that need attention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentsArgs:
    """Inputs of :class:`Deployments`. ``repository`` is ``owner/name`` at GitHub."""

    settings: PulumiCloud
    environment: Environment
    repository: str
    project: str
    project_number: str
    identity: Identity


class Deployments(PullComponent):
    """Settings, sign-in, schedules and events of this stack in Pulumi Cloud.

    Pulumi Cloud creates a review stack with the settings of its template, and they must not change:
    a review stack only gets the schedule that deletes it.
    """

    events_key: Output[str] | None = None
    """The secret key that signs events; None if no receiver is configured."""

    def __init__(
        self, name: str, args: DeploymentsArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__(pull.DEPLOYMENTS, name, Stage.INFRASTRUCTURE, opts)
        self._args = args
        self._stack = {
            "organization": args.settings.organization,
            "project": pulumi.get_project(),
            "stack": pulumi.get_stack(),
        }
        if self._stack["stack"] == args.environment:
            self._configure()
        elif args.settings.review_stacks:
            pulumiservice.TtlSchedule(
                self.child("end"),
                **self._stack,
                timestamp=args.settings.review_stacks.until,
                delete_after_destroy=True,
                opts=self.options(),
            )
        self.register_outputs({})

    def _configure(self) -> None:
        args = self._args
        releases = args.environment == "staging"
        service_account = args.identity.deployer if releases else args.identity.previewer
        sign_in = self._sign_in(service_account.resource.name)
        deployment_settings = pulumiservice.DeploymentSettings(
            self.child("settings"),
            organization=self._stack["organization"],
            project=self._stack["project"],
            stack=self._stack["stack"],
            source_context={"git": {"branch": f"refs/heads/{RELEASE_BRANCH}"}},
            vcs={
                "provider": "github",
                "repository": args.repository,
                "deploy_commits": releases,
                # A preview can decrypt the state of its stack. Only a review stack, which has
                # accounts and a state of its own, may run the code of a pull request.
                "preview_pull_requests": args.settings.review_stacks is not None,
                "pull_request_template": args.settings.review_stacks is not None,
            },
            operation_context={
                "oidc": {
                    "gcp": {
                        "project_id": args.project_number,
                        "workload_pool_id": args.identity.pool.workload_identity_pool_id,
                        "provider_id": sign_in.workload_identity_pool_provider_id,
                        "service_account": service_account.email,
                        "token_lifetime": "1h0m0s",
                    }
                },
                "options": {"skip_intermediate_deployments": True},
            },
            cache_options={"enable": True},
            opts=self.options(),
        )
        after = self.options(ResourceOptions(depends_on=[deployment_settings]))
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
        if args.settings.events_url:
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
                payload_url=args.settings.events_url,
                format=pulumiservice.WebhookFormat.RAW,
                filters=list(EVENTS),
                secret=key.result,
                opts=self.options(),
            )
        if args.environment == "production":
            self._enforce_policies()

    def _enforce_policies(self) -> None:
        """Bind both stacks to the published policy pack, each with its own levels.

        A deployment of a push or a pull request has a token for its own stack only, and cannot
        change a group: https://www.pulumi.com/docs/deployments/operations/permissions/
        """
        project = POLICIES / "PulumiPolicy.yaml"
        version = yaml.safe_load(project.read_text("utf-8"))["version"]
        for stack in get_args(Environment):
            levels = (POLICIES / f"config.{stack}.json").read_text("utf-8")
            pulumiservice.PolicyGroup(
                self.child(f"policies-{stack}"),
                name=Names(stack).base,
                organization_name=self._stack["organization"],
                entity_type="stacks",
                mode="preventative",
                stacks=[{"name": stack, "routing_project": self._stack["project"]}],
                # A fixed version: the newest one would be enforced before it was reviewed here.
                policy_packs=[
                    {"name": POLICY_PACK, "version_tag": version, "config": json.loads(levels)}
                ],
                opts=self.options(),
            )

    def _sign_in(self, service_account: Output[str]) -> gcp.iam.WorkloadIdentityPoolProvider:
        """Let the deployments of this stack and its review stacks act as ``service_account``."""
        args, pool = self._args, self._args.identity.pool
        project = f"org:{args.settings.organization}:project:{self._stack['project']}"
        provider = gcp.iam.WorkloadIdentityPoolProvider(
            self.child("sign-in"),
            project=args.project,
            workload_identity_pool_id=pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="pulumi",
            # The audience of a token of Pulumi Deployments is the organization:
            # https://www.pulumi.com/docs/administration/access-identity/oidc-client/gcp/
            oidc={"issuer_uri": ISSUER, "allowed_audiences": [args.settings.organization]},
            attribute_mapping={
                "google.subject": "assertion.sub",
                "attribute.deployments": "assertion.sub.extract('pulumi:deploy:{project}:stack:')",
                "attribute.stack": "assertion.sub.extract('pulumi:deploy:{stack}:operation:')",
            },
            attribute_condition=f"assertion.sub.startsWith('pulumi:deploy:{project}:stack:')",
            opts=self.options(),
        )
        principals = f"attribute.stack/{project}:stack:{self._stack['stack']}"
        if args.settings.review_stacks:  # Pulumi Cloud chooses their names
            principals = f"attribute.deployments/{project}"
        gcp.serviceaccount.IAMMember(
            self.child("lent"),  # part of the URN
            service_account_id=service_account,
            role="roles/iam.workloadIdentityUser",
            member=f"{args.identity.principals}/{principals}",
            opts=self.options(ResourceOptions(depends_on=[pool])),
        )
        return provider

"""Identities: one service account for each service, and how CI signs in without a key.

GitHub authenticates with a signed token, which the workload identity pool exchanges for a
short-lived one; this replaces the runbook's key file in GitHub. One workflow in one GitHub
environment may use an account, never a whole repository. Permissions are granted next to the
resource that they apply to; only roles on the whole project, those of the deployer and the
previewer, are granted here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import pulumi
import pulumi_gcp as gcp
from pulumi import Output, ResourceOptions

from components.base import PullComponent, Stage
from components.names import Names
from components.platform.project import Project
from components.workloads import Service, WorkerType
from resource_types import pull

DEPLOYER_ROLES: Final = (
    "roles/artifactregistry.admin",
    "roles/cloudkms.admin",
    "roles/cloudsql.admin",
    "roles/compute.networkAdmin",
    "roles/iam.serviceAccountAdmin",
    "roles/iam.workloadIdentityPoolAdmin",
    "roles/pubsub.admin",
    "roles/redis.admin",
    "roles/resourcemanager.projectIamAdmin",
    "roles/run.admin",
    "roles/secretmanager.admin",
    "roles/serviceusage.serviceUsageAdmin",
    "roles/storage.admin",
    "roles/vpcaccess.admin",
)
"""Roles for ``pulumi up``: administration of each product that the estate uses."""

CLUSTER_DEPLOYER_ROLES: Final = (
    "roles/compute.loadBalancerAdmin",
    "roles/container.admin",
)
"""Additional roles for a cluster: its certificate, the cluster, and its objects."""

PREVIEWER_ROLES: Final = (
    "roles/artifactregistry.reader",
    "roles/cloudkms.viewer",
    "roles/cloudsql.viewer",
    "roles/compute.networkViewer",
    "roles/iam.securityReviewer",
    "roles/pubsub.viewer",
    "roles/redis.viewer",
    "roles/run.viewer",
    "roles/secretmanager.viewer",
    "roles/serviceusage.serviceUsageViewer",
    "roles/vpcaccess.viewer",
)
"""Roles for a preview with refresh. None of them can read the payload of a secret."""

RELEASE_BRANCH: Final = "main"

RELEASES: Final = ("release:reviewed",)
READS: Final = ("release:reviewed", "drift:reviewed")
"""The workflows (``.github/workflows/<name>.yml``) that may use the deployer and the previewer, and
in which version: ``reviewed`` is on the release branch. What a pull request proposes, which is
``proposed``, may use none: it could read the state with its secrets."""

CLUSTER_PREVIEWER_ROLES: Final = ("roles/container.viewer",)
"""Additional roles for a cluster. They exclude the Secrets in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityArgs:
    """Inputs of :class:`Identity`.

    Attributes:
        project_number: of the Google Cloud project; the names of principals contain it.
        repository: ``owner/name`` at GitHub.
        runtimes: what CI deploys with its own service account, on Cloud Run or as a node.
        in_cluster: what has a service account in the cluster, which CI does not act as.
    """

    project: str
    project_number: str
    repository: str
    names: Names
    runtimes: tuple[Service | WorkerType, ...]
    in_cluster: tuple[Service | WorkerType, ...] = ()
    services: Project


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account. Its e-mail address is known before it exists.

    Attributes:
        ready: resources that must exist before something can be deployed with this account.
    """

    email: str
    resource: gcp.serviceaccount.Account
    ready: tuple[pulumi.Resource, ...]

    @property
    def member(self) -> Output[str]:
        return self.resource.member


class Identity(PullComponent):
    """Service accounts of the workloads and of CI."""

    runtimes: Mapping[Service | WorkerType, ServiceAccount]
    deployer: ServiceAccount
    previewer: ServiceAccount
    pool: gcp.iam.WorkloadIdentityPool
    principals: str
    """The start of the name of each principal in the pool. It is known before the pool exists, so
    that a preview shows who may sign in."""
    provider: Output[str]
    """Full name of the identity provider, an input of the workflows' sign-in step."""
    for_cluster: list[pulumi.Resource]
    """The deployer's roles for a cluster, which must exist as long as the cluster."""

    def __init__(self, name: str, args: IdentityArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(pull.IDENTITY, name, Stage.INFRASTRUCTURE, opts)
        self._args = args
        self.deployer = self._service_account("ci-deployer", "CI: releases the estate")
        self.previewer = self._service_account(
            "ci-previewer", "CI: previews the estate, changes nothing"
        )
        self.runtimes = {
            runtime: self._runtime(runtime, deployed=runtime in args.runtimes)
            for runtime in dict.fromkeys((*args.runtimes, *args.in_cluster))
        }

        self.pool = gcp.iam.WorkloadIdentityPool(
            self.child("github"),
            project=args.project,
            workload_identity_pool_id=args.names.identity_pool,
            display_name="GitHub Actions",
            opts=self.options(args.services.ready("iam", "sts", "iamcredentials")),
        )
        # https://cloud.google.com/iam/docs/principal-identifiers
        self.principals = (
            f"principalSet://iam.googleapis.com/projects/{args.project_number}/locations/global"
            f"/workloadIdentityPools/{args.names.identity_pool}"
        )
        provider = gcp.iam.WorkloadIdentityPoolProvider(
            self.child("github-provider"),
            project=args.project,
            workload_identity_pool_id=self.pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="github",
            oidc={"issuer_uri": "https://token.actions.githubusercontent.com"},
            attribute_mapping={
                "google.subject": "assertion.sub",
                "attribute.repository": "assertion.repository",
                # One attribute for all three facts, because a grant checks one attribute. A job
                # without a GitHub environment lacks it and cannot sign in. A pull request can
                # change any workflow, hence the distinction between reviewed and proposed.
                "attribute.job": "assertion.environment + ':' + "
                "assertion.workflow_ref.extract('/.github/workflows/{name}.yml@') + "
                f"(assertion.ref == 'refs/heads/{RELEASE_BRANCH}' ? ':reviewed' : ':proposed')",
            },
            attribute_condition=f"assertion.repository == '{args.repository}'",
            opts=self.options(),
        )
        self.for_cluster = []
        environment = args.names.environment
        in_cluster = bool(args.in_cluster)
        for short_name, service_account, roles, github_environment, workflows in (
            (
                "deployer",
                self.deployer,
                (*DEPLOYER_ROLES, *(CLUSTER_DEPLOYER_ROLES if in_cluster else ())),
                environment,
                RELEASES,
            ),
            (
                "previewer",
                self.previewer,
                (*PREVIEWER_ROLES, *(CLUSTER_PREVIEWER_ROLES if in_cluster else ())),
                f"{environment}-preview",
                READS,
            ),
        ):
            for workflow in workflows:
                gcp.serviceaccount.IAMMember(
                    self.child(f"{short_name}-sign-in-{workflow.partition(':')[0]}"),
                    service_account_id=service_account.resource.name,
                    role="roles/iam.workloadIdentityUser",
                    member=f"{self.principals}/attribute.job/{github_environment}:{workflow}",
                    opts=self.options(ResourceOptions(depends_on=[self.pool])),
                )
            for role in roles:
                granted = gcp.projects.IAMMember(
                    self.child(f"{short_name}-{role.removeprefix('roles/').replace('.', '-')}"),
                    project=args.project,
                    role=role,
                    member=service_account.member,
                    opts=self.options(args.services.ready("cloudresourcemanager")),
                )
                if role in CLUSTER_DEPLOYER_ROLES:
                    self.for_cluster.append(granted)
        self.provider = provider.name
        self.register_outputs(
            {
                "provider": self.provider,
                "deployer": self.deployer.email,
                "previewer": self.previewer.email,
            }
        )

    def _runtime(self, runtime: Service | WorkerType, *, deployed: bool) -> ServiceAccount:
        service_account = self._service_account(
            _account_name(runtime), f"Runs {_description(runtime)}"
        )
        if not deployed:
            return service_account
        # Deploying a service with an account requires permission to act as it:
        # https://cloud.google.com/run/docs/configuring/services/service-identity
        acts = gcp.serviceaccount.IAMMember(
            self.child(f"deployer-acts-as-{runtime}"),
            service_account_id=service_account.resource.name,
            role="roles/iam.serviceAccountUser",
            member=self.deployer.member,
            opts=self.options(),
        )
        return replace(service_account, ready=(*service_account.ready, acts))

    def _service_account(self, service: str, description: str) -> ServiceAccount:
        account_id = self._args.names.service_account(service)
        resource = gcp.serviceaccount.Account(
            self.child(service),
            project=self._args.project,
            account_id=account_id,
            display_name=f"pull {service}",
            description=description,
            opts=self.options(self._args.services.ready("iam")),
        )
        email = f"{account_id}@{self._args.project}.iam.gserviceaccount.com"
        return ServiceAccount(email, resource, (resource,))


def _account_name(runtime: Service | WorkerType) -> str:
    if runtime is WorkerType.ALL:
        return "temporal-worker"
    return f"worker-{runtime}" if isinstance(runtime, WorkerType) else runtime.value


def _description(runtime: Service | WorkerType) -> str:
    if isinstance(runtime, WorkerType):
        return f"the {runtime} workers"
    return {
        Service.EXTERNAL_SECRETS: "the External Secrets Operator",
        Service.NODES: "the nodes of the cluster",
    }.get(runtime, "the API on Cloud Run")

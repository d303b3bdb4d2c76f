"""Identities: one account for each service, and how CI signs in without a key.

GitHub proves who it is by a signed token, which the workload identity pool exchanges for a
short-lived one: the key file that the runbook kept in GitHub is gone. An account is lent to one
workflow in one GitHub environment, never to a repository as a whole. What an account may do is
granted beside the resource that it is done to; only what belongs to the project as a whole, the
deployer's and the previewer's roles, is granted here.
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
"""What ``pulumi up`` needs: to administer each product that the estate uses, and nothing else."""

CLUSTER_DEPLOYER_ROLES: Final = (
    "roles/compute.loadBalancerAdmin",
    "roles/container.admin",
)
"""What it needs besides where a cluster is: its certificate, itself, and what runs in it."""

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
"""What a refreshed preview reads. None of them opens the payload of a secret."""

RELEASE_BRANCH: Final = "main"

RELEASES: Final = ("release:reviewed",)
READS: Final = ("preview:proposed", "release:reviewed", "drift:reviewed")
"""Which workflow (``.github/workflows/<name>.yml``) the deployer and the previewer are lent to, and
whether as it is on the release branch or as a pull request proposes it."""

CLUSTER_PREVIEWER_ROLES: Final = ("roles/container.viewer",)
"""What it reads besides where a cluster is; the Secrets in the cluster are not among it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityArgs:
    """Inputs of :class:`Identity`.

    Attributes:
        repository: ``owner/name`` at GitHub.
        runtimes: what CI deploys under an account of its own, on Cloud Run or as a node.
        in_cluster: what has an account in the cluster, which nobody acts as.
    """

    project: str
    repository: str
    names: Names
    runtimes: tuple[Service | WorkerType, ...]
    in_cluster: tuple[Service | WorkerType, ...] = ()
    services: Project


@dataclass(frozen=True, slots=True)
class Account:
    """A service account. Its e-mail is known before it exists.

    Attributes:
        ready: what waits for these may be deployed as it.
    """

    email: str
    resource: gcp.serviceaccount.Account
    ready: tuple[pulumi.Resource, ...]

    @property
    def member(self) -> Output[str]:
        return self.resource.member


class Identity(PullComponent):
    """Accounts of what runs, and of CI."""

    runtimes: Mapping[Service | WorkerType, Account]
    deployer: Account
    previewer: Account
    pool: gcp.iam.WorkloadIdentityPool
    provider: Output[str]
    """Full name of the federation's provider: what a workflow's sign-in step takes."""
    for_cluster: list[pulumi.Resource]
    """The deployer's roles for a cluster: given before it is made, and kept until it is gone."""

    def __init__(self, name: str, args: IdentityArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("pull:platform:Identity", name, Stage.INFRASTRUCTURE, opts)
        self._args = args
        self.deployer = self._account("ci-deployer", "CI: releases the estate")
        self.previewer = self._account("ci-previewer", "CI: previews the estate, changes nothing")
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
        provider = gcp.iam.WorkloadIdentityPoolProvider(
            self.child("github-provider"),
            project=args.project,
            workload_identity_pool_id=self.pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="github",
            oidc={"issuer_uri": "https://token.actions.githubusercontent.com"},
            attribute_mapping={
                "google.subject": "assertion.sub",
                "attribute.repository": "assertion.repository",
                # One word for all three, because a grant looks at one attribute. A job outside of
                # every GitHub environment has no such word, and cannot sign in at all. A pull
                # request can change any workflow: what it runs is told from what was reviewed.
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
        for short, account, roles, github_environment, workflows in (
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
                    self.child(f"{short}-sign-in-{workflow.partition(':')[0]}"),
                    service_account_id=account.resource.name,
                    role="roles/iam.workloadIdentityUser",
                    member=pulumi.Output.format(
                        "principalSet://iam.googleapis.com/{0}/attribute.job/{1}:{2}",
                        self.pool.name,
                        github_environment,
                        workflow,
                    ),
                    opts=self.options(),
                )
            for role in roles:
                granted = gcp.projects.IAMMember(
                    self.child(f"{short}-{role.removeprefix('roles/').replace('.', '-')}"),
                    project=args.project,
                    role=role,
                    member=account.member,
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

    def _runtime(self, runtime: Service | WorkerType, *, deployed: bool) -> Account:
        account = self._account(_account_name(runtime), f"Runs {_words(runtime)}")
        if not deployed:
            return account
        # Deploying a service as an account needs leave to act as that account, and no other.
        acts = gcp.serviceaccount.IAMMember(
            self.child(f"deployer-acts-as-{runtime}"),
            service_account_id=account.resource.name,
            role="roles/iam.serviceAccountUser",
            member=self.deployer.member,
            opts=self.options(),
        )
        return replace(account, ready=(*account.ready, acts))

    def _account(self, service: str, description: str) -> Account:
        account_id = self._args.names.account(service)
        resource = gcp.serviceaccount.Account(
            self.child(service),
            project=self._args.project,
            account_id=account_id,
            display_name=f"pull {service}",
            description=description,
            opts=self.options(self._args.services.ready("iam")),
        )
        email = f"{account_id}@{self._args.project}.iam.gserviceaccount.com"
        return Account(email, resource, (resource,))


def _account_name(runtime: Service | WorkerType) -> str:
    if runtime is WorkerType.ALL:
        return "temporal-worker"
    return f"worker-{runtime}" if isinstance(runtime, WorkerType) else runtime.value


def _words(runtime: Service | WorkerType) -> str:
    if isinstance(runtime, WorkerType):
        return f"the {runtime} workers"
    return {
        Service.EXTERNAL_SECRETS: "the External Secrets Operator",
        Service.NODES: "the nodes of the cluster",
    }.get(runtime, "the API on Cloud Run")

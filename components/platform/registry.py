"""The image registry: Artifact Registry at the address that the runbook pushes to.

A repository named ``gcr.io`` in the multi-region ``us`` serves ``gcr.io/<project>``
(https://cloud.google.com/artifact-registry/docs/transition/gcr-repositories), so the address of an
image stays ``gcr.io/$PROJECT_ID/pull-temporal-worker``.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp
from pulumi import Input, Output, ResourceOptions

from components.base import PullComponent, Stage
from components.config.platform import Registry as RegistrySettings
from components.platform.encryption import SECONDS_PER_DAY
from components.platform.project import Project
from resource_types import pull


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryArgs:
    """Inputs of :class:`Registry`. ``pusher`` is the IAM member that pushes images from CI."""

    project: str
    settings: RegistrySettings
    protect: bool
    pusher: Input[str]
    services: Project


class Registry(PullComponent):
    """One Docker repository. It keeps every tagged image: a rollback needs it."""

    repository: pulumi.Resource
    name: Output[str]
    location: Output[str]

    def __init__(self, name: str, args: RegistryArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(pull.REGISTRY, name, Stage.INFRASTRUCTURE, opts)
        repository = gcp.artifactregistry.Repository(
            self.child("gcr"),
            project=args.project,
            location="us",
            repository_id="gcr.io",
            format="DOCKER",
            description="Images of the PULL backend",
            cleanup_policies=[
                {
                    "id": "keep-newest",
                    "action": "KEEP",
                    "most_recent_versions": {"keep_count": args.settings.keep_versions},
                },
                {
                    "id": "delete-untagged",
                    "action": "DELETE",
                    "condition": {
                        "tag_state": "UNTAGGED",
                        "older_than": f"{args.settings.delete_untagged_days * SECONDS_PER_DAY}s",
                    },
                },
            ],
            opts=self.options(
                args.services.ready("artifactregistry"), ResourceOptions(protect=args.protect)
            ),
        )
        gcp.artifactregistry.RepositoryIamMember(
            self.child("pusher"),
            project=args.project,
            location=repository.location,
            repository=repository.name,
            role="roles/artifactregistry.writer",
            member=args.pusher,
            opts=self.options(),
        )
        self.repository = repository
        self.name = repository.name
        self.location = repository.location
        self.register_outputs({"address": f"gcr.io/{args.project}"})

"""Secret Manager: a secret for each secret variable of the catalogue, and who may read it.

A value that is issued elsewhere never passes through this program: it creates the secret without a
version, which a person or a job adds. A value that is derived here (a connection string) gets its
version here. Access is granted per secret and identity, never for the project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp
from pulumi import Input, Output, ResourceOptions

from components.base import PullComponent, Stage
from components.config.secrets import Secrets as SecretsSettings
from components.names import Names
from components.platform.encryption import SECONDS_PER_DAY, Encryption
from components.platform.identity import ServiceAccount
from components.platform.project import Project
from components.secrets.catalogue import SECRETS, Consumer, secrets_for
from components.workloads import Service
from resource_types import pull


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretManagerArgs:
    """Inputs of :class:`SecretManager`.

    Attributes:
        derived: secret values that this program derives, by variable.
        readers: service accounts of the consumers that run on Google Cloud.
        in_cluster: consumers in the cluster; the operator there reads on their behalf.
        after: resources that come first in the runbook's order.
    """

    project: str
    names: Names
    settings: SecretsSettings
    protect: bool
    derived: Mapping[str, Input[str]]
    readers: Mapping[Consumer, ServiceAccount]
    in_cluster: tuple[Consumer, ...] = ()
    encryption: Encryption
    services: Project
    after: list[pulumi.Resource]


@dataclass(frozen=True, slots=True)
class SecretReference:
    """A consumer's reference to a secret: its id in Secret Manager, and the version."""

    variable: str
    secret_id: str
    version: str


class SecretManager(PullComponent):
    """All secrets of one environment."""

    versions: list[pulumi.Resource]
    """The versions created here; consumers of a connection string wait for them."""

    def __init__(
        self, name: str, args: SecretManagerArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__(pull.SECRET_MANAGER, name, Stage.CONFIGURATION, opts)
        self._args = args
        self._grants: dict[Consumer, list[pulumi.Resource]] = {}

        topic = gcp.pubsub.Topic(
            self.child("rotation"),
            project=args.project,
            name=args.names.rotation_topic,
            opts=self.options(args.services.ready("pubsub")),
        )
        reminder = gcp.pubsub.TopicIAMMember(
            self.child("rotation-publisher"),
            project=args.project,
            topic=topic.name,
            role="roles/pubsub.publisher",
            member=args.services.agents["secretmanager"],
            opts=self.options(),
        )
        secrets = {
            variable.name: gcp.secretmanager.Secret(
                self.child(_kebab(variable.name)),
                project=args.project,
                secret_id=self._secret_id(variable.name),
                labels={"environment": args.names.environment, "issuer": variable.issuer.value},
                replication={
                    "auto": {
                        "customer_managed_encryption": {
                            "kms_key_name": args.encryption.keys["secrets"]
                        }
                    }
                },
                topics=[{"name": topic.id}],
                rotation={
                    "rotation_period": f"{args.settings.rotation_days * SECONDS_PER_DAY}s",
                    "next_rotation_time": args.settings.first_rotation,
                },
                deletion_protection=args.protect,
                opts=self.options(
                    args.services.ready("secretmanager"),
                    args.encryption.usable["secrets"],
                    ResourceOptions(
                        depends_on=[reminder],
                        protect=args.protect,
                        # Secret Manager advances it at every rotation.
                        ignore_changes=["rotation.nextRotationTime"],
                    ),
                ),
            )
            for variable in SECRETS
        }
        self.versions = [
            gcp.secretmanager.SecretVersion(
                self.child(f"{_kebab(variable)}-version"),
                secret=secrets[variable].id,
                secret_data=Output.secret(value),
                # Disable a superseded version instead of destroying it: a rollback may need it.
                deletion_policy="DISABLE",
                opts=self.options(ResourceOptions(depends_on=args.after)),
            )
            for variable, value in args.derived.items()
        ]
        for consumer, account in args.readers.items():
            consumers = args.in_cluster if consumer is Service.EXTERNAL_SECRETS else (consumer,)
            self._grants[consumer] = [
                gcp.secretmanager.SecretIamMember(
                    self.child(f"{_kebab(variable.name)}-for-{consumer}"),
                    project=args.project,
                    secret_id=secrets[variable.name].secret_id,
                    role="roles/secretmanager.secretAccessor",
                    member=account.member,
                    opts=self.options(),
                )
                for variable in secrets_for(*consumers)
            ]
        self.register_outputs({"count": len(secrets)})

    def references(self, *consumers: Consumer) -> tuple[SecretReference, ...]:
        """The secrets that ``consumers`` read, without duplicates, sorted by variable."""
        return tuple(
            SecretReference(
                variable.name,
                self._secret_id(variable.name),
                self._args.settings.versions.get(variable.name, "latest"),
            )
            for variable in sorted(secrets_for(*consumers), key=lambda variable: variable.name)
        )

    def readable_by(self, consumer: Consumer) -> list[pulumi.Resource]:
        """What ``consumer`` waits for: its grants, and the versions that are created here."""
        return [*self._grants[consumer], *self.versions]

    def _secret_id(self, variable: str) -> str:
        return self._args.settings.ids.get(variable) or self._args.names.secret(variable)


def _kebab(variable: str) -> str:
    return variable.lower().replace("_", "-")

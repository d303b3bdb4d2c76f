"""Secret Manager: a secret for each secret variable, and who may read which."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.secrets.catalogue import SECRETS, secrets_for
from components.secrets.manager import SecretManager, SecretManagerArgs, SecretReference
from components.workloads import Service, WorkerType
from tests.recorder import FLEET, Neighbours, Recording, Secret, record, remembered, side_by_side

SECRET = "gcp:secretmanager/secret:Secret"
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
GRANT = "gcp:secretmanager/secretIamMember:SecretIamMember"


def make(name: str, near: Neighbours) -> SecretManager:
    return SecretManager(
        name,
        SecretManagerArgs(
            project="pull-production",
            names=near.names,
            settings=near.settings.secrets,
            protect=near.settings.protect,
            derived={"DATABASE_URL": pulumi.Output.from_input("postgresql://here")},
            readers=near.identity.runtimes,
            encryption=near.encryption,
            services=near.project,
            after=[near.network.private_services],
        ),
    )


@remembered
def recorded(**sections: Any) -> Recording:
    return record(lambda: make("secrets", Neighbours(**sections)))


def kebab(variable: str) -> str:
    return variable.lower().replace("_", "-")


def test_children() -> None:
    readers = (Service.API_ORIGIN, WorkerType.ALL)
    assert side_by_side(make).listed("one") == sorted(
        [
            ("gcp:pubsub/topic:Topic", "one-rotation"),
            ("gcp:pubsub/topicIAMMember:TopicIAMMember", "one-rotation-publisher"),
            *((SECRET, f"one-{kebab(variable.name)}") for variable in SECRETS),
            (VERSION, "one-database-url-version"),
            *(
                (GRANT, f"one-{kebab(variable.name)}-for-{reader}")
                for reader in readers
                for variable in secrets_for(reader)
            ),
        ]
    )


def test_every_secret_of_the_catalogue_is_there() -> None:
    """``tests/test_catalogue.py`` compares the catalogue with the runbooks."""
    secret_ids = [secret.inputs["secretId"] for secret in recorded().of_type(SECRET)]
    assert sorted(secret_ids) == sorted(
        f"pull-production-{kebab(variable.name)}" for variable in SECRETS
    )


def test_a_secret_without_a_version() -> None:
    secret = recorded()["secrets-jwt-secret"]
    assert secret.inputs == {
        "project": "pull-production",
        "secretId": "pull-production-jwt-secret",
        "labels": {"environment": "production", "issuer": "outside"},
        "replication": {
            "auto": {"customerManagedEncryption": {"kmsKeyName": "<encryption-key-secrets.id>"}}
        },
        "topics": [{"name": "<secrets-rotation.id>"}],
        "rotation": {
            "rotationPeriod": "7776000s",  # 90 days
            "nextRotationTime": "2027-02-20T03:00:00Z",
        },
        "deletionProtection": True,
    }
    assert secret.ignore_changes == ("rotation.nextRotationTime",)
    assert secret.waits_for >= {
        "project-secretmanager",
        "encryption-key-secrets-user",
        "secrets-rotation-publisher",
    }


@pytest.mark.parametrize("protect", [True, False])
def test_the_engine_and_the_platform_protect_a_secret(protect: bool) -> None:
    for secret in recorded(protect=protect).of_type(SECRET):
        assert (secret.protect, secret.inputs["deletionProtection"]) == (protect, protect)


def test_a_derived_value_gets_its_version_here_and_a_label() -> None:
    recording = recorded()
    (version,) = recording.of_type(VERSION)
    assert version.inputs == {
        "secret": "<secrets-database-url.id>",
        "secretData": Secret("postgresql://here"),
        "deletionPolicy": "DISABLE",
    }
    assert recording["secrets-database-url"].inputs["labels"]["issuer"] == "derived"


def test_rotation_is_announced() -> None:
    recording = recorded()
    assert recording["secrets-rotation"].inputs == {
        "project": "pull-production",
        "name": "pull-production-secret-rotation",
    }
    assert recording["secrets-rotation-publisher"].inputs == {
        "project": "pull-production",
        "topic": "pull-production-secret-rotation",
        "role": "roles/pubsub.publisher",
        "member": "<project-secretmanager-agent.member>",
    }


def readable_by(recording: Recording, account: str) -> set[str]:
    member = f"<identity-{account}.member>"
    return {
        grant.inputs["secretId"].removeprefix("pull-production-")
        for grant in recording.of_type(GRANT)
        if grant.inputs["member"] == member
    }


def test_each_worker_reads_exactly_what_it_consumes() -> None:
    recording = recorded(workers={"fleet": FLEET})
    common = {
        "convex-url",
        "database-url",
        "redis-ca-cert",
        "redis-url",
        "sentry-dsn",
        "temporal-address",
        "temporal-tls-cert",
        "temporal-tls-key",
    }
    clickhouse = {"clickhouse-host", "clickhouse-password", "clickhouse-username"}
    kalshi = {"kalshi-api-key", "kalshi-api-secret", "kalshi-api-key-id", "kalshi-private-key"}
    plaid = {"plaid-client-id", "plaid-secret"}
    files = {"s3-access-key-id", "s3-secret-access-key"}
    models = {"anthropic-api-key", "openai-api-key"}
    own = {
        "main": {"stripe-secret-key"},
        "kyc": {"persona-api-key", "checkr-api-key", "chainalysis-api-key", *plaid, *files},
        "trading": {"massive-api-key", "massive-api-secret", "polygon-api-key", *kalshi},
        "rwa": files,
        "rewards": {"stripe-secret-key", "firebase-private-key", *clickhouse},
        "gamification": {"firebase-private-key", *clickhouse},
        "email": {"resend-api-key", "nylas-api-key", *models},
        "messaging": {"firebase-private-key", *models},
        "signals": {"pinecone-api-key", "polygon-api-key", *kalshi, *clickhouse, *models},
        "portfolio": {"polygon-api-key", *kalshi, *clickhouse, *plaid},
    }
    for worker, secrets in own.items():
        assert readable_by(recording, f"worker-{worker}") == common | secrets, worker
    assert readable_by(recording, "temporal-worker") == common.union(*own.values())


def test_the_api_reads_no_key_of_another_service() -> None:
    readable = readable_by(recorded(), "api-origin")
    assert readable == {kebab(variable.name) for variable in secrets_for(Service.API_ORIGIN)}
    assert {"jwt-secret", "clerk-secret-key", "stripe-webhook-secret", "database-url"} <= readable
    never = {"deployer-private-key-mainnet", "polygonscan-api-key", "persona-api-key"}
    assert not readable & never


def test_access_is_granted_for_one_secret_and_one_identity_at_a_time() -> None:
    recording = recorded()
    for grant in recording.of_type(GRANT):
        assert grant.inputs.keys() == {"project", "secretId", "role", "member"}
        assert grant.inputs["role"] == "roles/secretmanager.secretAccessor"
    on_the_project = recording.of_type("gcp:projects/iAMMember:IAMMember")
    assert on_the_project
    assert not [grant for grant in on_the_project if "secretAccessor" in grant.inputs["role"]]


def test_an_existing_id_and_a_pinned_version() -> None:
    managers: list[SecretManager] = []
    section = {"ids": {"CONVEX_URL": "CONVEX_URL_PRODUCTION"}, "versions": {"SENTRY_DSN": "7"}}
    recording = record(lambda: managers.append(make("secrets", Neighbours(secrets=section))))
    # The logical name is part of the state and stays; only the id at Google changes.
    assert recording["secrets-convex-url"].inputs["secretId"] == "CONVEX_URL_PRODUCTION"
    grant = recording["secrets-convex-url-for-all"]
    assert grant.inputs["secretId"] == "CONVEX_URL_PRODUCTION"
    references = {
        reference.variable: reference for reference in managers[0].references(WorkerType.ALL)
    }
    assert list(references) == sorted(references)
    assert references["CONVEX_URL"] == SecretReference(
        "CONVEX_URL", "CONVEX_URL_PRODUCTION", "latest"
    )
    assert references["SENTRY_DSN"] == SecretReference(
        "SENTRY_DSN", "pull-production-sentry-dsn", "7"
    )


def test_a_consumer_waits_for_its_grants_and_the_versions_created_here() -> None:
    waited: list[list[pulumi.Resource]] = []

    def program() -> None:
        secrets = make("secrets", Neighbours())
        waited.append(secrets.readable_by(WorkerType.ALL))

    record(program)
    assert [resource._name for resource in waited[0]] == [
        *(f"secrets-{kebab(variable.name)}-for-all" for variable in secrets_for(WorkerType.ALL)),
        "secrets-database-url-version",
    ]

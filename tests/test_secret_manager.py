"""Secret Manager: a secret for each secret variable, and who may open which."""

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
            *((SECRET, f"one-{kebab(one.name)}") for one in SECRETS),
            (VERSION, "one-database-url-version"),
            *(
                (GRANT, f"one-{kebab(one.name)}-for-{reader}")
                for reader in readers
                for one in secrets_for(reader)
            ),
        ]
    )


def test_every_secret_of_the_runbooks_is_there() -> None:
    assert sorted(one.inputs["secretId"] for one in recorded().of_type(SECRET)) == [
        f"pull-production-{name}"
        for name in (
            "anthropic-api-key",
            "chainalysis-api-key",
            "checkr-api-key",
            "clerk-secret-key",
            "clickhouse-host",
            "clickhouse-password",
            "clickhouse-username",
            "convex-deploy-key",
            "convex-url",
            "database-url",
            "deployer-private-key-mainnet",
            "firebase-private-key",
            "internal-api-key",
            "jwt-secret",
            "kalshi-api-key",
            "kalshi-api-key-id",
            "kalshi-api-secret",
            "kalshi-private-key",
            "massive-api-key",
            "massive-api-secret",
            "nylas-api-key",
            "openai-api-key",
            "persona-api-key",
            "pinecone-api-key",
            "plaid-client-id",
            "plaid-secret",
            "polygon-api-key",
            "polygonscan-api-key",
            "redis-ca-cert",
            "redis-url",
            "resend-api-key",
            "s3-access-key-id",
            "s3-secret-access-key",
            "sentry-dsn",
            "stripe-secret-key",
            "stripe-webhook-secret",
            "temporal-address",
            "temporal-tls-cert",
            "temporal-tls-key",
            "upstash-redis-rest-token",
            "upstash-redis-rest-url",
        )
    ]


def test_a_shell() -> None:
    shell = recorded()["secrets-jwt-secret"]
    assert shell.inputs == {
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
    assert shell.ignore_changes == ("rotation.nextRotationTime",)
    assert shell.waits_for >= {
        "project-secretmanager",
        "encryption-key-secrets-user",
        "secrets-rotation-publisher",
    }


@pytest.mark.parametrize("protect", [True, False])
def test_protected_twice_or_not_at_all(protect: bool) -> None:
    for one in recorded(protect=protect).of_type(SECRET):
        assert (one.protect, one.inputs["deletionProtection"]) == (protect, protect)


def test_a_derived_value_gets_its_version_here_and_is_marked() -> None:
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


def opened_by(recording: Recording, account: str) -> set[str]:
    member = f"<identity-{account}.member>"
    return {
        one.inputs["secretId"].removeprefix("pull-production-")
        for one in recording.of_type(GRANT)
        if one.inputs["member"] == member
    }


def test_each_worker_opens_exactly_what_it_consumes() -> None:
    recording = recorded(workers={"fleet": FLEET})
    every = {
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
        assert opened_by(recording, f"worker-{worker}") == every | secrets, worker
    assert opened_by(recording, "temporal-worker") == every.union(*own.values())


def test_the_api_opens_no_key_of_another_service() -> None:
    opened = opened_by(recorded(), "api-origin")
    assert opened == {kebab(one.name) for one in secrets_for(Service.API_ORIGIN)}
    assert {"jwt-secret", "clerk-secret-key", "stripe-webhook-secret", "database-url"} <= opened
    never = {"deployer-private-key-mainnet", "polygonscan-api-key", "persona-api-key"}
    assert not opened & never


def test_access_is_granted_for_one_secret_and_one_identity_at_a_time() -> None:
    recording = recorded()
    for one in recording.of_type(GRANT):
        assert one.inputs.keys() == {"project", "secretId", "role", "member"}
        assert one.inputs["role"] == "roles/secretmanager.secretAccessor"
    on_the_project = recording.of_type("gcp:projects/iAMMember:IAMMember")
    assert on_the_project
    assert not [one for one in on_the_project if "secretAccessor" in one.inputs["role"]]


def test_an_existing_id_and_a_pinned_version() -> None:
    stores: list[SecretManager] = []
    section = {"ids": {"CONVEX_URL": "CONVEX_URL_PRODUCTION"}, "versions": {"SENTRY_DSN": "7"}}
    recording = record(lambda: stores.append(make("secrets", Neighbours(secrets=section))))
    # The logical name is state and stays; only what Google calls it is another.
    assert recording["secrets-convex-url"].inputs["secretId"] == "CONVEX_URL_PRODUCTION"
    grant = recording["secrets-convex-url-for-all"]
    assert grant.inputs["secretId"] == "CONVEX_URL_PRODUCTION"
    references = {one.variable: one for one in stores[0].references(WorkerType.ALL)}
    assert list(references) == sorted(references)
    assert references["CONVEX_URL"] == SecretReference(
        "CONVEX_URL", "CONVEX_URL_PRODUCTION", "latest"
    )
    assert references["SENTRY_DSN"] == SecretReference(
        "SENTRY_DSN", "pull-production-sentry-dsn", "7"
    )


def test_a_consumer_waits_for_its_grants_and_the_versions_made_here() -> None:
    waited: list[list[pulumi.Resource]] = []

    def program() -> None:
        store = make("secrets", Neighbours())
        waited.append(store.readable_by(WorkerType.ALL))

    record(program)
    assert [one._name for one in waited[0]] == [
        *(f"secrets-{kebab(one.name)}-for-all" for one in secrets_for(WorkerType.ALL)),
        "secrets-database-url-version",
    ]

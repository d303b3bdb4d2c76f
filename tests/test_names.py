"""Physical names: the runbook's, and valid on every platform."""

from __future__ import annotations

import re

import pytest

from components.names import Environment, Names, Rule
from components.secrets.catalogue import SECRETS
from components.workloads import WorkerType

STAGING, PRODUCTION = Names("staging"), Names("production")


def test_the_names_that_the_runbook_uses() -> None:
    assert PRODUCTION.postgres == "pull-production-postgres"
    assert PRODUCTION.postgres_recovery == "pull-production-postgres-recovery"
    assert PRODUCTION.redis == "pull-production-redis"
    assert PRODUCTION.api == "pull-api"
    assert PRODUCTION.assets == "pull-assets"
    assert PRODUCTION.worker(WorkerType.ALL) == "pull-temporal-worker"
    assert STAGING.worker(WorkerType.ALL) == "pull-temporal-worker-staging"
    assert PRODUCTION.secret("CONVEX_URL") == "pull-production-convex-url"


def all_names(names: Names) -> list[str]:
    return [
        names.network,
        names.connector,
        names.key_ring,
        names.identity_pool,
        names.postgres,
        names.postgres_recovery,
        names.redis,
        names.rotation_topic,
        names.api,
        names.web,
        names.assets,
        names.backups(f"pull-{names.environment}"),
        *(names.worker(worker_type) for worker_type in WorkerType),
        *(names.secret(variable.name) for variable in SECRETS),
        *(names.service_account(service) for service in ("api-origin", "deployer", *WorkerType)),
    ]


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_every_name_is_accepted_by_its_platform(environment: Environment) -> None:
    # Each property checks its own rule; this checks what all platforms require.
    for name in all_names(Names(environment)):
        assert re.fullmatch(r"[a-z][a-z0-9-]{2,254}", name), name


def test_environments_share_no_name() -> None:
    shared = set(all_names(STAGING)) & set(all_names(PRODUCTION))
    assert shared == set()


def test_names_of_workers_and_secrets_are_unique() -> None:
    assert len({PRODUCTION.worker(worker_type) for worker_type in WorkerType}) == len(WorkerType)
    assert len({PRODUCTION.secret(variable.name) for variable in SECRETS}) == len(SECRETS)


def test_a_bucket_may_be_named_after_a_project_with_two_hyphens() -> None:
    assert PRODUCTION.backups("pull--production") == "pull--production-backups"


def test_a_bucket_name_has_no_space() -> None:
    """The provider accepts it in a preview."""
    with pytest.raises(ValueError, match="bucket 'pull production-backups' does not match"):
        PRODUCTION.backups("pull production")


RULE = Rule("bucket", re.compile(r"[a-z]+"), max_length=5, min_length=2)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a", "bucket 'a' has 1 characters: 2 to 5 are allowed"),
        ("abcdef", "bucket 'abcdef' has 6 characters: 2 to 5 are allowed"),
        ("ab-c", r"bucket 'ab-c' does not match \[a-z\]\+"),
        ("abc\n", "does not match"),
    ],
)
def test_a_name_that_a_platform_rejects(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RULE.check(name)


def test_a_name_that_a_platform_accepts() -> None:
    assert RULE.check("abc") == "abc"

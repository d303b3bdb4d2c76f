"""Physical names: the runbook's, and never one that a platform refuses."""

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
    assert PRODUCTION.worker("all") == "pull-temporal-worker"
    assert STAGING.worker("all") == "pull-temporal-worker-staging"
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
        *(names.worker(kind) for kind in WorkerType),
        *(names.secret(variable.name) for variable in SECRETS),
        *(names.account(service) for service in ("api-origin", "deployer", *WorkerType)),
    ]


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_every_name_is_accepted_by_its_platform(environment: Environment) -> None:
    # Each accessor checks its rule; what all platforms have in common is checked here.
    for name in all_names(Names(environment)):
        assert re.fullmatch(r"[a-z][a-z0-9-]{2,254}", name), name


def test_environments_share_only_what_lives_in_an_account_of_each() -> None:
    shared = set(all_names(STAGING)) & set(all_names(PRODUCTION))
    assert shared == set()


def test_every_worker_and_every_secret_has_its_own_name() -> None:
    assert len({PRODUCTION.worker(kind) for kind in WorkerType}) == len(WorkerType)
    assert len({PRODUCTION.secret(one.name) for one in SECRETS}) == len(SECRETS)


def test_a_bucket_may_have_a_project_with_two_hyphens() -> None:
    assert PRODUCTION.backups("pull--production") == "pull--production-backups"


def test_no_bucket_has_a_space() -> None:
    """A preview of the provider lets it pass."""
    with pytest.raises(ValueError, match="bucket 'pull production-backups' does not match"):
        PRODUCTION.backups("pull production")


RULE = Rule("thing", re.compile(r"[a-z]+"), longest=5, shortest=2)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a", "thing 'a' has 1 characters: 2 to 5 are allowed"),
        ("abcdef", "thing 'abcdef' has 6 characters: 2 to 5 are allowed"),
        ("ab-c", r"thing 'ab-c' does not match \[a-z\]\+"),
        ("abc\n", "does not match"),
    ],
)
def test_a_name_that_a_platform_refuses(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RULE.check(name)


def test_a_name_that_it_takes() -> None:
    assert RULE.check("abc") == "abc"

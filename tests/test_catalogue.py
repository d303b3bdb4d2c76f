"""The catalogue: every variable of both runbooks, and who reads which."""

from __future__ import annotations

from typing import Final

import pytest

from components import PROJECT_ROOT
from components.config import Settings, read_stack_file
from components.external import contracts
from components.names import Names
from components.runtime_config import browser_values, config_maps
from components.secrets.catalogue import CATALOGUE, SECRETS, Issuer, Kind, Variable, secrets_for
from components.workloads import DEDICATED_WORKER_TYPES, Service, WorkerType

S, C, G, R = Kind.SECRET, Kind.CONFIG, Kind.GITHUB, Kind.RETIRED

# By runbook (R1 is the first, R2 is version 2.0) and section.
RUNBOOKS: Final[dict[str, dict[str, Kind]]] = {
    "R1 critical": {"NODE_ENV": C, "JWT_SECRET": S, "CONVEX_URL": S, "CONVEX_DEPLOY_KEY": S},
    "R1 database connections": {
        "DATABASE_URL": S,
        "UPSTASH_REDIS_REST_URL": S,
        "UPSTASH_REDIS_REST_TOKEN": S,
        "CLICKHOUSE_HOST": S,
        "CLICKHOUSE_PASSWORD": S,
    },
    "R1 temporal": {
        "TEMPORAL_ADDRESS": S,
        "TEMPORAL_NAMESPACE": C,
        "TEMPORAL_TLS": C,
        "TEMPORAL_TLS_CERT": S,
        "TEMPORAL_TLS_KEY": S,
    },
    "R1 trading": {
        "KALSHI_API_KEY": S,
        "KALSHI_API_SECRET": S,
        "MASSIVE_API_KEY": S,
        "MASSIVE_API_SECRET": S,
        "POLYGON_API_KEY": S,
    },
    "R1 identity and compliance": {
        "PERSONA_API_KEY": S,
        "PERSONA_TEMPLATE_ID": C,
        "CHECKR_API_KEY": S,
        "PLAID_CLIENT_ID": S,
        "PLAID_SECRET": S,
        "PLAID_ENV": C,
        "CHAINALYSIS_API_KEY": S,
    },
    "R1 ai": {"ANTHROPIC_API_KEY": S, "OPENAI_API_KEY": S},
    "R1 communication": {
        "RESEND_API_KEY": S,
        "RESEND_FROM_EMAIL": C,
        "NYLAS_API_KEY": S,
        "MATRIX_HOMESERVER_URL": C,
    },
    "R1 payments": {"STRIPE_SECRET_KEY": S, "STRIPE_WEBHOOK_SECRET": S},
    "R1 push notifications": {
        "FIREBASE_PROJECT_ID": C,
        "FIREBASE_PRIVATE_KEY": S,
        "FIREBASE_CLIENT_EMAIL": C,
    },
    "R1 monitoring": {"SENTRY_DSN": S},
    "R1 storage": {
        "S3_BUCKET": C,
        "S3_ENDPOINT": C,
        "S3_ACCESS_KEY_ID": S,
        "S3_SECRET_ACCESS_KEY": S,
    },
    "R1 web": {
        "NEXT_PUBLIC_CONVEX_URL": C,
        "NEXT_PUBLIC_API_URL": C,
        "NEXT_PUBLIC_WALLETCONNECT_PROJECT_ID": C,
    },
    "R1 clickhouse": {
        "CLICKHOUSE_PORT": C,
        "CLICKHOUSE_DATABASE": C,
        "CLICKHOUSE_USERNAME": S,
        "CLICKHOUSE_PROTOCOL": C,
    },
    "R1 worker types": {"WORKER_TYPE": C},
    "R1 contracts": {"DEPLOYER_PRIVATE_KEY_MAINNET": S, "POLYGONSCAN_API_KEY": S},
    "R1 health checks": {"INTERNAL_API_KEY": S},
    "R2 github": {
        "CLOUDFLARE_API_TOKEN": G,
        "CLOUDFLARE_ACCOUNT_ID": G,
        "VERCEL_TOKEN": G,
        "VERCEL_ORG_ID": G,
        "VERCEL_PROJECT_ID": G,
        "GCP_PROJECT_ID": G,
        "GCP_SA_KEY": R,
        "TEMPORAL_ADDRESS_STAGING": R,
        "TEMPORAL_ADDRESS_PRODUCTION": R,
        "TURBO_TOKEN": G,
        "TURBO_TEAM": G,
        "SLACK_WEBHOOK_URL": G,
    },
    "R2 application secrets": {
        "CONVEX_URL": S,
        "KALSHI_API_KEY_ID": S,
        "KALSHI_PRIVATE_KEY": S,
        "PLAID_CLIENT_ID": S,
        "PLAID_SECRET": S,
    },
    "R2 wrangler secrets": {
        "JWT_SECRET": S,
        "CONVEX_URL": S,
        "CLERK_SECRET_KEY": S,
        "UPSTASH_REDIS_REST_URL": S,
        "UPSTASH_REDIS_REST_TOKEN": S,
    },
    "R2 config maps": {
        "NODE_ENV": C,
        "LOG_LEVEL": C,
        "TEMPORAL_NAMESPACE": C,
        "PORT": C,
        "CORS_ORIGINS": C,
        "BODY_LIMIT": C,
        "WORKER_CONCURRENCY": C,
        "PLAID_ENV": C,
        "REDIS_POOL_MIN": C,
        "REDIS_POOL_MAX": C,
        "OTEL_SERVICE_NAME": C,
        "METRICS_PORT": C,
    },
    "R2 activity timeouts": {
        "TEMPORAL_ACTIVITY_START_TO_CLOSE_TIMEOUT": C,
        "TEMPORAL_ACTIVITY_HEARTBEAT_TIMEOUT": C,
    },
    # In no table of the runbooks, but both describe Memorystore and Pinecone.
    "R2 memorystore": {"REDIS_URL": S, "REDIS_CA_CERT": S},
    "R1 pinecone": {"PINECONE_API_KEY": S, "PINECONE_INDEX": C, "PINECONE_DIMENSIONS": C},
}

BY_NAME: Final = {variable.name: variable for variable in CATALOGUE}


@pytest.fixture(scope="module", params=["staging", "production"])
def stack(request: pytest.FixtureRequest) -> Settings:
    return read_stack_file(PROJECT_ROOT / f"Pulumi.{request.param}.yaml")


@pytest.mark.parametrize("section", RUNBOOKS)
def test_every_variable_of_the_runbooks_is_there(section: str) -> None:
    expected = RUNBOOKS[section]
    assert {name: BY_NAME[name].kind for name in expected} == expected


def test_nothing_else_is_there() -> None:
    assert set(BY_NAME) == {name for section in RUNBOOKS.values() for name in section}


def test_names_are_unique() -> None:
    assert len(BY_NAME) == len(CATALOGUE)


@pytest.mark.parametrize("variable", CATALOGUE, ids=lambda variable: variable.name)
def test_every_variable_has_consumers_unless_it_is_retired(variable: Variable) -> None:
    assert bool(variable.consumers) == (variable.kind is not Kind.RETIRED)
    assert WorkerType.ALL not in variable.consumers
    assert variable.description
    assert variable.shape
    if variable.kind is Kind.GITHUB:
        assert variable.consumers == {Service.CI}


def test_this_program_derives_the_connection_strings() -> None:
    derived = {variable.name for variable in CATALOGUE if variable.issuer is Issuer.DERIVED}
    assert derived == {"DATABASE_URL", "REDIS_URL", "REDIS_CA_CERT"}


# -- who reads which ---------------------------------------------------------------------------


def names_for(consumer: Service | WorkerType) -> set[str]:
    return {variable.name for variable in secrets_for(consumer)}


def test_the_five_secrets_of_the_deploy_command_reach_the_worker() -> None:
    assert set(RUNBOOKS["R2 application secrets"]) <= names_for(WorkerType.ALL)


def test_the_five_secrets_of_wrangler_reach_the_api() -> None:
    assert set(RUNBOOKS["R2 wrangler secrets"]) <= names_for(Service.API)


def test_all_reads_what_any_worker_reads_and_no_more() -> None:
    union = {name for worker_type in DEDICATED_WORKER_TYPES for name in names_for(worker_type)}
    assert names_for(WorkerType.ALL) == union


@pytest.mark.parametrize("worker_type", DEDICATED_WORKER_TYPES)
def test_no_type_of_worker_reads_everything(worker_type: WorkerType) -> None:
    common = {
        "CONVEX_URL",
        "DATABASE_URL",
        "REDIS_URL",
        "REDIS_CA_CERT",
        "TEMPORAL_ADDRESS",
        "TEMPORAL_TLS_CERT",
        "TEMPORAL_TLS_KEY",
        "SENTRY_DSN",
    }
    assert common <= names_for(worker_type) < names_for(WorkerType.ALL)


def test_the_worker_reads_nothing_of_the_private_network() -> None:
    private = {"DATABASE_URL", "REDIS_URL", "REDIS_CA_CERT"}
    assert private.isdisjoint(names_for(Service.API))
    assert names_for(Service.API_ORIGIN) == names_for(Service.API) | private


@pytest.mark.parametrize("variable", ["KALSHI_PRIVATE_KEY", "MASSIVE_API_SECRET"])
def test_only_traders_can_trade(variable: str) -> None:
    traders = {
        worker_type for worker_type in DEDICATED_WORKER_TYPES if variable in names_for(worker_type)
    }
    assert WorkerType.TRADING in traders
    assert traders <= {WorkerType.TRADING, WorkerType.PORTFOLIO, WorkerType.SIGNALS}
    assert variable not in names_for(Service.API)


def test_browsers_read_no_secret() -> None:
    assert names_for(Service.WEB) == set()


def test_the_key_that_deploys_contracts_stays_in_ci() -> None:
    assert BY_NAME["DEPLOYER_PRIVATE_KEY_MAINNET"].consumers == {Service.CI}


def test_every_service_that_the_catalogue_names_has_a_contract(stack: Settings) -> None:
    services = {contract.name for contract in contracts(stack.external, stack.chain)}
    for variable in CATALOGUE:
        assert variable.service in {None, *services}, variable.name


# -- values that are not secret ----------------------------------------------------------------

CHAIN: Final = {"CHAIN_ID", "CHAIN_NETWORK"}
"""Derived from the settings of the chain; the runbooks have no names for them."""


def config_for(consumer: Service | WorkerType) -> set[str]:
    return {
        variable.name
        for variable in CATALOGUE
        if variable.kind is Kind.CONFIG and variable.consumed_by(consumer)
    }


def test_every_consumer_gets_its_values(stack: Settings) -> None:
    maps = config_maps(stack, Names(stack.environment))
    # Cloud Run sets PORT from the container's port.
    given: dict[Service | WorkerType, set[str]] = {
        Service.API: set(maps.for_api_at_the_edge()),
        Service.API_ORIGIN: set(maps.for_api_origin("pull-api")) | {"PORT"},
        WorkerType.ALL: set(maps.for_worker(WorkerType.ALL, "pull-temporal-worker")) | {"PORT"},
        Service.WEB: set(browser_values(stack)),
    }
    for consumer, names in given.items():
        assert config_for(consumer) <= names, consumer


@pytest.mark.parametrize("worker_type", DEDICATED_WORKER_TYPES)
def test_every_type_of_worker_gets_its_values(stack: Settings, worker_type: WorkerType) -> None:
    values = config_maps(stack, Names(stack.environment)).for_worker(worker_type, "a-service")
    assert config_for(worker_type) <= {*values, "PORT"}


def test_every_value_is_in_the_catalogue(stack: Settings) -> None:
    maps = config_maps(stack, Names(stack.environment))
    server = {
        name
        for part in (maps.shared, maps.api, maps.worker, maps.redis, maps.observability)
        for name in part
    }
    config = {variable.name for variable in CATALOGUE if variable.kind is Kind.CONFIG}
    browser = set(browser_values(stack))
    assert server | {"WORKER_TYPE"} == config - config_for(Service.WEB) | CHAIN
    assert browser == config_for(Service.WEB) | {f"NEXT_PUBLIC_{name}" for name in CHAIN}


def test_no_secret_is_among_the_plain_values(stack: Settings) -> None:
    maps = config_maps(stack, Names(stack.environment))
    secrets = {variable.name for variable in SECRETS}
    for values in (
        maps.for_api_at_the_edge(),
        maps.for_api_origin("pull-api"),
        maps.for_worker(WorkerType.ALL, "pull-temporal-worker"),
        browser_values(stack),
    ):
        assert secrets.isdisjoint(values)

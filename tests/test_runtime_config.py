"""Values that are not secret: exactly these, from one place, for every consumer."""

from __future__ import annotations

import pytest

from components import PROJECT_ROOT
from components.config import Settings, read_stack_file
from components.names import Names
from components.runtime_config import browser_values, config_maps, convex_values
from components.workloads import WorkerType


@pytest.fixture(scope="module")
def production() -> Settings:
    return read_stack_file(PROJECT_ROOT / "Pulumi.production.yaml")


@pytest.fixture(scope="module")
def staging() -> Settings:
    return read_stack_file(PROJECT_ROOT / "Pulumi.staging.yaml")


SHARED = {
    "NODE_ENV": "production",
    "LOG_LEVEL": "info",
    "TEMPORAL_NAMESPACE": "pull-production",
    "TEMPORAL_TLS": "true",
    "CLICKHOUSE_PORT": "8443",
    "CLICKHOUSE_PROTOCOL": "https",
    "CLICKHOUSE_DATABASE": "pull_analytics",
    "PINECONE_INDEX": "pull-embeddings",
    "PINECONE_DIMENSIONS": "1536",
    "S3_BUCKET": "pull-assets",
    "S3_ENDPOINT": "https://00000000000000000000000000000a11.r2.cloudflarestorage.com",
    "CHAIN_ID": "137",
    "CHAIN_NETWORK": "polygon-mainnet",
}
API = {"CORS_ORIGINS": "https://app.pull.com", "BODY_LIMIT": "10mb", "PLAID_ENV": "production"}
WORKER = {
    "WORKER_CONCURRENCY": "100",
    "PLAID_ENV": "production",
    "TEMPORAL_ACTIVITY_START_TO_CLOSE_TIMEOUT": "600000",
    "TEMPORAL_ACTIVITY_HEARTBEAT_TIMEOUT": "60000",
    "PERSONA_TEMPLATE_ID": "itmpl_production",
    "RESEND_FROM_EMAIL": "noreply@pull.app",
    "MATRIX_HOMESERVER_URL": "https://matrix.pull.app",
    "FIREBASE_PROJECT_ID": "pull-production",
    "FIREBASE_CLIENT_EMAIL": "firebase-adminsdk@pull-production.iam.gserviceaccount.com",
}
PRIVATE = {"REDIS_POOL_MIN": "2", "REDIS_POOL_MAX": "10", "METRICS_PORT": "9090"}


def test_the_five_config_maps(production: Settings) -> None:
    maps = config_maps(production, Names("production"))
    assert maps.shared == SHARED
    assert maps.api == {"PORT": "3001", **API}
    assert maps.worker == {"PORT": "3002", **WORKER}
    assert {**maps.redis, **maps.observability} == {
        **PRIVATE,
        "OTEL_SERVICE_NAME": "pull-production",
    }


def test_what_each_consumer_is_given(production: Settings) -> None:
    maps = config_maps(production, Names("production"))
    assert maps.for_api_at_the_edge() == {**SHARED, **API}
    assert maps.for_api_origin("pull-api") == {
        **SHARED,
        **API,
        **PRIVATE,
        "OTEL_SERVICE_NAME": "pull-api",
    }
    assert maps.for_worker(WorkerType.KYC, "pull-temporal-worker-kyc") == {
        **SHARED,
        **WORKER,
        **PRIVATE,
        "OTEL_SERVICE_NAME": "pull-temporal-worker-kyc",
        "WORKER_TYPE": "kyc",
    }


def test_staging_is_told_that_it_is_staging(staging: Settings) -> None:
    values = config_maps(staging, Names("staging")).for_worker(WorkerType.ALL, "a-service")
    expected = {
        "NODE_ENV": "staging",
        "TEMPORAL_NAMESPACE": "pull-staging",
        "PLAID_ENV": "sandbox",
        "S3_BUCKET": "pull-assets-staging",
        "CHAIN_ID": "80002",
        "CHAIN_NETWORK": "polygon-amoy",
        "WORKER_TYPE": "all",
    }
    assert values.items() >= expected.items()
    assert "pull-production" not in str(values)


def test_what_browsers_may_know(production: Settings) -> None:
    assert browser_values(production) == {
        "NEXT_PUBLIC_API_URL": "https://api.pull.com",
        "NEXT_PUBLIC_CONVEX_URL": "https://pull-production.convex.cloud",
        "NEXT_PUBLIC_WALLETCONNECT_PROJECT_ID": "00000000000000000000000000000c01",
        "NEXT_PUBLIC_CHAIN_ID": "137",
        "NEXT_PUBLIC_CHAIN_NETWORK": "polygon-mainnet",
    }


def test_contracts_reach_the_api_the_workers_the_web_and_convex(staging: Settings) -> None:
    contracts = {"PullToken": "0x" + "1" * 40, "Erc20Vault": "0x" + "2" * 40}
    chain = staging.chain.model_copy(update={"contracts": contracts})
    settings = staging.model_copy(update={"chain": chain})
    maps = config_maps(settings, Names("staging"))
    addresses = {
        "CONTRACT_ERC20_VAULT_ADDRESS": "0x" + "2" * 40,
        "CONTRACT_PULL_TOKEN_ADDRESS": "0x" + "1" * 40,
    }
    network = {"CHAIN_ID": "80002", "CHAIN_NETWORK": "polygon-amoy"}
    assert maps.for_api_at_the_edge().items() >= addresses.items()
    assert maps.for_worker(WorkerType.RWA, "a-service").items() >= addresses.items()
    assert convex_values(settings) == {**network, **addresses}
    public = {f"NEXT_PUBLIC_{name}": value for name, value in addresses.items()}
    assert browser_values(settings).items() >= public.items()


def test_origins_are_one_list(production: Settings) -> None:
    api = production.runtime_config.api.model_copy(
        update={"cors_origins": ("https://app.pull.com", "https://admin.pull.com")}
    )
    config = production.runtime_config.model_copy(update={"api": api})
    maps = config_maps(
        production.model_copy(update={"runtime_config": config}), Names("production")
    )
    assert maps.api["CORS_ORIGINS"] == "https://app.pull.com,https://admin.pull.com"

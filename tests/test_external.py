"""External services: the contract with each, and their components in the graph."""

from __future__ import annotations

from typing import Any

from components.external import Contract, ExternalServices, contracts
from components.secrets.catalogue import SECRETS
from tests.recorder import Neighbours, record, settings, side_by_side

SERVICE = "pull:external:Service"


def agreed(**sections: Any) -> dict[str, Contract]:
    configured = settings(**sections)
    return {
        contract.name: contract for contract in contracts(configured.external, configured.chain)
    }


def make(name: str, near: Neighbours) -> ExternalServices:
    return ExternalServices(name, contracts(near.settings.external, near.settings.chain))


def test_children() -> None:
    names = [
        "anthropic",
        "chainalysis",
        "checkr",
        "clerk",
        "clickhouse",
        "cloudflare",
        "convex",
        "firebase",
        "google-cloud",
        "kalshi",
        "massive",
        "matrix",
        "nylas",
        "openai",
        "persona",
        "pinecone",
        "plaid",
        "polygon-chain",
        "polygon-io",
        "resend",
        "sentry",
        "stripe",
        "temporal",
        "upstash",
        "vercel",
    ]
    assert side_by_side(make).listed("one") == [(SERVICE, f"one-{name}") for name in names]


def test_parameters_of_the_runbook() -> None:
    services = agreed()
    assert services["convex"].critical_for == "primary database, 26+ tables"
    assert services["convex"].endpoint == "https://pull-production.convex.cloud"
    assert services["upstash"].parameters == {"region": "us-east-1"}
    assert services["clickhouse"].parameters == {
        "port": 8443,
        "protocol": "https",
        "database": "pull_analytics",
    }
    assert services["pinecone"].parameters == {
        "index": "pull-embeddings",
        "dimensions": 1536,
        "metric": "cosine",
        "podType": "p1.x1",
    }
    assert services["matrix"].endpoint == "https://matrix.pull.app"


def test_status_pages_of_the_checklist() -> None:
    """The seven of the runbook's pre-deployment checks."""
    services = agreed()
    pages = {
        "convex": "https://status.convex.dev",
        "cloudflare": "https://www.cloudflarestatus.com",
        "vercel": "https://www.vercel-status.com",
        "google-cloud": "https://status.cloud.google.com",
        "temporal": "https://status.temporal.io",
        "plaid": "https://status.plaid.com",
        "polygon-io": "https://polygon.io/system-status",
    }
    assert {name: services[name].status_page for name in pages} == pages


def test_contracts_on_the_chain_by_network() -> None:
    address = "0x" + "12" * 20
    main = agreed()["polygon-chain"].parameters
    test = agreed(chain={"network": "polygon-amoy", "contracts": {"PullToken": address}})
    assert main == {"network": "polygon-mainnet", "chainId": 137, "contracts": {}}
    assert test["polygon-chain"].parameters == {
        "network": "polygon-amoy",
        "chainId": 80002,
        "contracts": {"PullToken": address},
    }


def test_secrets_without_an_external_service_belong_to_the_estate() -> None:
    named = [name for contract in agreed().values() for name in contract.secrets]
    assert len(named) == len(set(named))
    ours = {
        "DATABASE_URL",
        "REDIS_URL",
        "REDIS_CA_CERT",
        "JWT_SECRET",
        "INTERNAL_API_KEY",
        "S3_ACCESS_KEY_ID",  # of the estate's own bucket
        "S3_SECRET_ACCESS_KEY",
    }
    assert {variable.name for variable in SECRETS} - set(named) == ours


def test_a_component_shows_the_contract_and_has_no_resources() -> None:
    recording = record(lambda: make("external", Neighbours()))
    assert recording["external-temporal"].inputs == {
        "criticalFor": "workflow orchestration",
        "variables": ["TEMPORAL_ADDRESS", "TEMPORAL_TLS_CERT", "TEMPORAL_TLS_KEY"],
        "statusPage": "https://status.temporal.io",
    }
    assert not any(resource.custom for resource in recording.resources)

"""Services outside: what the estate relies on and does not make.

Each is a typed contract: where it answers, which secrets it takes, where its status is published,
what stops without it. They stand in the graph as nodes without resources, so that a picture of the
estate shows them, and later checks (status pages before a deployment) read the same list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import ResourceOptions

from components.base import PullComponent, Stage
from components.config.values import Chain, External

CLICKHOUSE_PORT: Final = 8443
CLICKHOUSE_PROTOCOL: Final = "https"
CLICKHOUSE_DATABASE: Final = "pull_analytics"
PINECONE_INDEX: Final = "pull-embeddings"
PINECONE_DIMENSIONS: Final = 1536
"""Length of OpenAI's embeddings."""
CHAIN_IDS: Final = {"polygon-amoy": 80002, "polygon-mainnet": 137}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What is agreed with one service outside.

    Attributes:
        endpoint: where it answers, when that is no secret.
        secrets: names of variables in the catalogue.
        status_page: where the vendor says how it is; None where there is none.
        figures: what must be set at the vendor, which no provider here can do.
    """

    name: str
    critical_for: str
    endpoint: str | None = None
    secrets: tuple[str, ...] = ()
    status_page: str | None = None
    figures: Mapping[str, Any] | None = None


def contracts(external: External, chain: Chain) -> tuple[Contract, ...]:
    """All contracts of one environment."""
    return (
        Contract(
            name="convex",
            critical_for="primary database, 26+ tables",
            endpoint=external.convex_url,
            secrets=("CONVEX_URL", "CONVEX_DEPLOY_KEY"),
            status_page="https://status.convex.dev",
        ),
        Contract(
            name="upstash",
            critical_for="rate limiting and cache of the API",
            secrets=("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"),
            status_page="https://status.upstash.com",
            figures={"region": "us-east-1"},
        ),
        Contract(
            name="clickhouse",
            critical_for="analytics",
            secrets=("CLICKHOUSE_HOST", "CLICKHOUSE_USERNAME", "CLICKHOUSE_PASSWORD"),
            status_page="https://status.clickhouse.com",
            figures={
                "port": CLICKHOUSE_PORT,
                "protocol": CLICKHOUSE_PROTOCOL,
                "database": CLICKHOUSE_DATABASE,
            },
        ),
        Contract(
            name="pinecone",
            critical_for="vector search",
            secrets=("PINECONE_API_KEY",),
            status_page="https://status.pinecone.io",
            figures={
                "index": PINECONE_INDEX,
                "dimensions": PINECONE_DIMENSIONS,
                "metric": "cosine",
                "podType": "p1.x1",
            },
        ),
        Contract(
            name="temporal",
            critical_for="workflow orchestration",
            secrets=("TEMPORAL_ADDRESS", "TEMPORAL_TLS_CERT", "TEMPORAL_TLS_KEY"),
            status_page="https://status.temporal.io",
        ),
        Contract(
            name="cloudflare",
            critical_for="API hosting",
            status_page="https://www.cloudflarestatus.com",
        ),
        Contract(
            name="vercel", critical_for="web hosting", status_page="https://www.vercel-status.com"
        ),
        Contract(
            name="google-cloud",
            critical_for="workers, infrastructure",
            status_page="https://status.cloud.google.com",
        ),
        Contract(
            name="kalshi",
            critical_for="trading API",
            secrets=(
                "KALSHI_API_KEY",
                "KALSHI_API_SECRET",
                "KALSHI_API_KEY_ID",
                "KALSHI_PRIVATE_KEY",
            ),
        ),
        Contract(
            name="massive",
            critical_for="order execution",
            secrets=("MASSIVE_API_KEY", "MASSIVE_API_SECRET"),
        ),
        Contract(
            name="polygon-io",
            critical_for="market data",
            secrets=("POLYGON_API_KEY",),
            status_page="https://polygon.io/system-status",
        ),
        Contract(
            name="plaid",
            critical_for="bank connections",
            secrets=("PLAID_CLIENT_ID", "PLAID_SECRET"),
            status_page="https://status.plaid.com",
        ),
        Contract(
            name="persona",
            critical_for="identity verification",
            secrets=("PERSONA_API_KEY",),
            status_page="https://status.withpersona.com",
        ),
        Contract(
            name="checkr",
            critical_for="background checks",
            secrets=("CHECKR_API_KEY",),
            status_page="https://checkrstatus.com",
        ),
        Contract(
            name="chainalysis",
            critical_for="sanctions screening",
            secrets=("CHAINALYSIS_API_KEY",),
        ),
        Contract(
            name="anthropic",
            critical_for="AI features",
            secrets=("ANTHROPIC_API_KEY",),
            status_page="https://status.anthropic.com",
        ),
        Contract(
            name="openai",
            critical_for="AI features, embeddings",
            secrets=("OPENAI_API_KEY",),
            status_page="https://status.openai.com",
        ),
        Contract(
            name="resend",
            critical_for="outgoing e-mail",
            secrets=("RESEND_API_KEY",),
            status_page="https://resend-status.com",
        ),
        Contract(
            name="nylas",
            critical_for="mailboxes of users",
            secrets=("NYLAS_API_KEY",),
            status_page="https://status.nylas.com",
        ),
        Contract(name="matrix", critical_for="messaging", endpoint=external.matrix_homeserver_url),
        Contract(
            name="stripe",
            critical_for="payments",
            secrets=("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"),
            status_page="https://status.stripe.com",
        ),
        Contract(
            name="clerk",
            critical_for="sign-in",
            secrets=("CLERK_SECRET_KEY",),
            status_page="https://status.clerk.com",
        ),
        Contract(
            name="firebase",
            critical_for="push notifications",
            secrets=("FIREBASE_PRIVATE_KEY",),
            status_page="https://status.firebase.google.com",
        ),
        Contract(
            name="sentry",
            critical_for="error tracking",
            secrets=("SENTRY_DSN",),
            status_page="https://status.sentry.io",
        ),
        Contract(
            name="polygon-chain",
            critical_for="smart contracts; a deployed one cannot be rolled back",
            secrets=("DEPLOYER_PRIVATE_KEY_MAINNET", "POLYGONSCAN_API_KEY"),
            figures={
                "network": chain.network,
                "chainId": CHAIN_IDS[chain.network],
                "contracts": dict(chain.contracts),
            },
        ),
    )


class ExternalServices(PullComponent):
    """The contracts as nodes of the graph. It owns nothing."""

    def __init__(
        self, name: str, services: tuple[Contract, ...], opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("pull:external:Services", name, Stage.INFRASTRUCTURE, opts)
        for contract in services:
            properties = {
                "criticalFor": contract.critical_for,
                "endpoint": contract.endpoint,
                # Names of variables, under a word that does not make a reader expect values.
                "variables": list(contract.secrets),
                "statusPage": contract.status_page,
                "figures": dict(contract.figures) if contract.figures else None,
            }
            pulumi.ComponentResource(
                "pull:external:Service",
                self.child(contract.name),
                {key: value for key, value in properties.items() if value},
                self.options(),
            ).register_outputs({})
        self.register_outputs({"count": len(services)})

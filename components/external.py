"""External services that the estate depends on and does not create.

Each is a typed contract: its endpoint, its secrets, its status page, and what depends on it. In the
graph they are components without resources, so that a picture of the estate shows them and other
checks (status pages before a deployment) can read the same list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi import ResourceOptions

from components.base import PullComponent, Stage
from components.config.values import Chain, External
from components.secrets.catalogue import SECRETS
from resource_types import pull

CLICKHOUSE_PORT: Final = 8443
CLICKHOUSE_PROTOCOL: Final = "https"
CLICKHOUSE_DATABASE: Final = "pull_analytics"
PINECONE_INDEX: Final = "pull-embeddings"
PINECONE_DIMENSIONS: Final = 1536
"""Length of an OpenAI embedding."""
CHAIN_IDS: Final = {"polygon-amoy": 80002, "polygon-mainnet": 137}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What the estate expects of one external service.

    Attributes:
        endpoint: its URL, unless that is a secret.
        status_page: the vendor's status page; None if the vendor has none.
        parameters: what must be configured at the vendor, because no provider here can.
    """

    name: str
    critical_for: str
    endpoint: str | None = None
    status_page: str | None = None
    parameters: Mapping[str, Any] | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The catalogue's variables that hold secrets of this service."""
        return tuple(variable.name for variable in SECRETS if variable.service == self.name)


def contracts(external: External, chain: Chain) -> tuple[Contract, ...]:
    """All contracts of one environment."""
    return (
        Contract(
            name="convex",
            critical_for="primary database, 26+ tables",
            endpoint=external.convex_url,
            status_page="https://status.convex.dev",
        ),
        Contract(
            name="upstash",
            critical_for="rate limiting and cache of the API",
            status_page="https://status.upstash.com",
            parameters={"region": "us-east-1"},
        ),
        Contract(
            name="clickhouse",
            critical_for="analytics",
            status_page="https://status.clickhouse.com",
            parameters={
                "port": CLICKHOUSE_PORT,
                "protocol": CLICKHOUSE_PROTOCOL,
                "database": CLICKHOUSE_DATABASE,
            },
        ),
        Contract(
            name="pinecone",
            critical_for="vector search",
            status_page="https://status.pinecone.io",
            parameters={
                "index": PINECONE_INDEX,
                "dimensions": PINECONE_DIMENSIONS,
                "metric": "cosine",
                "podType": "p1.x1",
            },
        ),
        Contract(
            name="temporal",
            critical_for="workflow orchestration",
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
        ),
        Contract(
            name="massive",
            critical_for="order execution",
        ),
        Contract(
            name="polygon-io",
            critical_for="market data",
            status_page="https://polygon.io/system-status",
        ),
        Contract(
            name="plaid",
            critical_for="bank connections",
            status_page="https://status.plaid.com",
        ),
        Contract(
            name="persona",
            critical_for="identity verification",
            status_page="https://status.withpersona.com",
        ),
        Contract(
            name="checkr",
            critical_for="background checks",
            status_page="https://checkrstatus.com",
        ),
        Contract(
            name="chainalysis",
            critical_for="sanctions screening",
        ),
        Contract(
            name="anthropic",
            critical_for="AI features",
            status_page="https://status.anthropic.com",
        ),
        Contract(
            name="openai",
            critical_for="AI features, embeddings",
            status_page="https://status.openai.com",
        ),
        Contract(
            name="resend",
            critical_for="outgoing e-mail",
            status_page="https://resend-status.com",
        ),
        Contract(
            name="nylas",
            critical_for="mailboxes of users",
            status_page="https://status.nylas.com",
        ),
        Contract(name="matrix", critical_for="messaging", endpoint=external.matrix_homeserver_url),
        Contract(
            name="stripe",
            critical_for="payments",
            status_page="https://status.stripe.com",
        ),
        Contract(
            name="clerk",
            critical_for="sign-in",
            status_page="https://status.clerk.com",
        ),
        Contract(
            name="firebase",
            critical_for="push notifications",
            status_page="https://status.firebase.google.com",
        ),
        Contract(
            name="sentry",
            critical_for="error tracking",
            status_page="https://status.sentry.io",
        ),
        Contract(
            name="polygon-chain",
            critical_for="smart contracts; a deployed one cannot be rolled back",
            parameters={
                "network": chain.network,
                "chainId": CHAIN_IDS[chain.network],
                "contracts": dict(chain.contracts),
            },
        ),
    )


class ExternalServices(PullComponent):
    """The contracts as components of the graph, without any resources."""

    def __init__(
        self, name: str, services: tuple[Contract, ...], opts: ResourceOptions | None = None
    ) -> None:
        super().__init__(pull.EXTERNAL_SERVICES, name, Stage.INFRASTRUCTURE, opts)
        for contract in services:
            properties = {
                "criticalFor": contract.critical_for,
                "endpoint": contract.endpoint,
                # Not called "secrets": these are names of variables and not values.
                "variables": list(contract.secrets),
                "statusPage": contract.status_page,
                "parameters": dict(contract.parameters) if contract.parameters else None,
            }
            pulumi.ComponentResource(
                pull.EXTERNAL_SERVICE,
                self.child(contract.name),
                {key: value for key, value in properties.items() if value},
                self.options(),
            ).register_outputs({})
        self.register_outputs({"count": len(services)})

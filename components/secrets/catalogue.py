"""Every variable of the runbooks: what it is, who issues it, and who consumes it.

This one list makes the Secret Manager secrets, the accessor grants, the secret references of Cloud
Run, the bindings of the Worker, the table in ``docs/secrets.md``, and whatever else needs to know
which variable belongs where. A value is never in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from components.workloads import Service, WorkerType

ROTATION_DAYS: Final = 90
"""The runbook's checklist: rotate a secret that is older than this many days."""


class Kind(StrEnum):
    """Where a variable's value lives."""

    SECRET = "secret"
    """In Secret Manager."""
    CONFIG = "config"
    """Not secret: in the stack file, or composed from it."""
    GITHUB = "github"
    """In the repository's settings at GitHub: only workflows need it."""
    RETIRED = "retired"
    """In the runbook, and needed no longer."""


class Issuer(StrEnum):
    """Who brings a secret's value into being."""

    OUTSIDE = "outside"
    """A vendor or a person. This program makes the shell and never sees the value."""
    DERIVED = "derived"
    """This program, from resources that it makes."""


Consumer = Service | WorkerType


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable of the runbooks.

    Attributes:
        shape: what a value looks like, in words; never a value.
        consumers: exactly who reads it. ``WorkerType.ALL`` is not listed: it is all of them.
    """

    name: str
    group: str
    description: str
    shape: str
    consumers: frozenset[Consumer]
    kind: Kind = Kind.SECRET
    issuer: Issuer = Issuer.OUTSIDE

    def consumed_by(self, consumer: Consumer) -> bool:
        """Whether ``consumer`` reads it: the API's origin reads what the API reads, ``all`` all."""
        if consumer is WorkerType.ALL:
            return any(isinstance(one, WorkerType) for one in self.consumers)
        if consumer is Service.API_ORIGIN and Service.API in self.consumers:
            return True
        return consumer in self.consumers


_API, _ORIGIN, _WEB, _CI = Service.API, Service.API_ORIGIN, Service.WEB, Service.CI
_W = WorkerType
_EVERY_WORKER = tuple(kind for kind in WorkerType if kind is not WorkerType.ALL)


def _group(
    group: str, kind: Kind, rows: Iterable[tuple[str, str, str, Iterable[Consumer]]]
) -> tuple[Variable, ...]:
    return tuple(
        Variable(
            name=name,
            group=group,
            description=description,
            shape=shape,
            consumers=frozenset(consumers),
            kind=kind,
            issuer=Issuer.DERIVED if name in _DERIVED else Issuer.OUTSIDE,
        )
        for name, description, shape, consumers in rows
    )


_DERIVED: Final = frozenset({"DATABASE_URL", "REDIS_URL", "REDIS_CA_CERT"})

_TRADERS = (_W.TRADING, _W.PORTFOLIO, _W.SIGNALS)
_ANALYSTS = (_W.SIGNALS, _W.PORTFOLIO, _W.REWARDS, _W.GAMIFICATION)
_WRITERS = (_W.EMAIL, _W.MESSAGING, _W.SIGNALS)
_NOTIFIERS = (_W.MESSAGING, _W.REWARDS, _W.GAMIFICATION)
_KEEPERS_OF_FILES = (_W.KYC, _W.RWA)

# A table: one variable a line, however long.
# ruff: noqa: E501
# fmt: off
CATALOGUE: Final[tuple[Variable, ...]] = (
    *_group("Critical", Kind.SECRET, (
        ("JWT_SECRET", "JWT signing secret", "at least 32 characters", [_API]),
        ("CONVEX_URL", "Convex deployment URL", "https://….convex.cloud", [_API, *_EVERY_WORKER]),
        ("CONVEX_DEPLOY_KEY", "Convex deployment key", "key of one deployment", [_API, _CI]),
        ("CLERK_SECRET_KEY", "Clerk secret key", "live key in production", [_API]),
        ("INTERNAL_API_KEY", "value of X-Internal-Key for /health/detailed", "at least 32 characters", [_API]),
    )),
    *_group("Critical", Kind.CONFIG, (
        ("NODE_ENV", "runtime environment", "staging or production", [_API, *_EVERY_WORKER]),
        ("LOG_LEVEL", "least severity that is logged", "debug, info, warn or error", [_API, *_EVERY_WORKER]),
    )),
    *_group("Database", Kind.SECRET, (
        ("DATABASE_URL", "PostgreSQL connection string", "postgresql://…?sslmode=require", [_ORIGIN, *_EVERY_WORKER]),
        ("REDIS_URL", "Memorystore connection string", "rediss://…", [_ORIGIN, *_EVERY_WORKER]),
        ("REDIS_CA_CERT", "certificate authority of Memorystore's TLS", "PEM", [_ORIGIN, *_EVERY_WORKER]),
        ("UPSTASH_REDIS_REST_URL", "Upstash Redis URL", "https://….upstash.io", [_API]),
        ("UPSTASH_REDIS_REST_TOKEN", "Upstash Redis token", "token of one database", [_API]),
        ("CLICKHOUSE_HOST", "ClickHouse host name", "….clickhouse.cloud", [_API, *_ANALYSTS]),
        ("CLICKHOUSE_USERNAME", "ClickHouse user", "name", [_API, *_ANALYSTS]),
        ("CLICKHOUSE_PASSWORD", "ClickHouse password", "password", [_API, *_ANALYSTS]),
        ("PINECONE_API_KEY", "Pinecone API key", "key of one project", [_API, _W.SIGNALS]),
    )),
    *_group("Database", Kind.CONFIG, (
        ("CLICKHOUSE_PORT", "ClickHouse port", "8443", [_API, *_ANALYSTS]),
        ("CLICKHOUSE_DATABASE", "ClickHouse database", "pull_analytics", [_API, *_ANALYSTS]),
        ("CLICKHOUSE_PROTOCOL", "ClickHouse protocol", "https", [_API, *_ANALYSTS]),
        ("PINECONE_INDEX", "Pinecone index", "pull-embeddings", [_API, _W.SIGNALS]),
        ("PINECONE_DIMENSIONS", "length of an embedding", "1536", [_API, _W.SIGNALS]),
        ("REDIS_POOL_MIN", "connections kept open", "count", [_ORIGIN, *_EVERY_WORKER]),
        ("REDIS_POOL_MAX", "connections at the most", "count", [_ORIGIN, *_EVERY_WORKER]),
    )),
    *_group("Temporal", Kind.SECRET, (
        ("TEMPORAL_ADDRESS", "Temporal Cloud address", "….tmprl.cloud:7233", [_API, *_EVERY_WORKER]),
        ("TEMPORAL_TLS_CERT", "client certificate", "PEM, base64", [_API, *_EVERY_WORKER]),
        ("TEMPORAL_TLS_KEY", "client key", "PEM, base64", [_API, *_EVERY_WORKER]),
    )),
    *_group("Temporal", Kind.CONFIG, (
        ("TEMPORAL_NAMESPACE", "Temporal namespace", "pull-staging or pull-production", [_API, *_EVERY_WORKER]),
        ("TEMPORAL_TLS", "whether to use TLS", "true", [_API, *_EVERY_WORKER]),
        ("TEMPORAL_ACTIVITY_START_TO_CLOSE_TIMEOUT", "longest activity", "milliseconds", _EVERY_WORKER),
        ("TEMPORAL_ACTIVITY_HEARTBEAT_TIMEOUT", "longest silence of an activity", "milliseconds", _EVERY_WORKER),
        ("WORKER_TYPE", "which task queues a worker polls", "one of the worker types", _EVERY_WORKER),
        ("WORKER_CONCURRENCY", "activities at once in one instance", "count", _EVERY_WORKER),
    )),
    *_group("Trading", Kind.SECRET, (
        ("KALSHI_API_KEY", "Kalshi API key", "key", _TRADERS),
        ("KALSHI_API_SECRET", "Kalshi API secret", "secret", _TRADERS),
        ("KALSHI_API_KEY_ID", "Kalshi key id, of the signed API", "UUID", _TRADERS),
        ("KALSHI_PRIVATE_KEY", "Kalshi private key, of the signed API", "PEM", _TRADERS),
        ("MASSIVE_API_KEY", "Massive API key", "key", [_W.TRADING]),
        ("MASSIVE_API_SECRET", "Massive API secret", "secret", [_W.TRADING]),
        ("POLYGON_API_KEY", "Polygon.io market data", "key", [_API, *_TRADERS]),
    )),
    *_group("Identity and compliance", Kind.SECRET, (
        ("PERSONA_API_KEY", "Persona API key", "key", [_W.KYC]),
        ("CHECKR_API_KEY", "Checkr API key", "key", [_W.KYC]),
        ("PLAID_CLIENT_ID", "Plaid client id", "24 hexadecimal digits", [_API, _W.KYC, _W.PORTFOLIO]),
        ("PLAID_SECRET", "Plaid secret, of the environment in PLAID_ENV", "secret", [_API, _W.KYC, _W.PORTFOLIO]),
        ("CHAINALYSIS_API_KEY", "Chainalysis API key", "key", [_W.KYC]),
    )),
    *_group("Identity and compliance", Kind.CONFIG, (
        ("PERSONA_TEMPLATE_ID", "Persona inquiry template", "tmpl_… or itmpl_…", [_W.KYC]),
        ("PLAID_ENV", "Plaid environment", "sandbox or production", [_API, _W.KYC, _W.PORTFOLIO]),
    )),
    *_group("AI", Kind.SECRET, (
        ("ANTHROPIC_API_KEY", "Claude API key", "key", [_API, *_WRITERS]),
        ("OPENAI_API_KEY", "OpenAI API key", "key", [_API, *_WRITERS]),
    )),
    *_group("Communication", Kind.SECRET, (
        ("RESEND_API_KEY", "Resend API key", "key", [_W.EMAIL]),
        ("NYLAS_API_KEY", "Nylas API key", "key", [_API, _W.EMAIL]),
    )),
    *_group("Communication", Kind.CONFIG, (
        ("RESEND_FROM_EMAIL", "sender address", "e-mail address", [_W.EMAIL]),
        ("MATRIX_HOMESERVER_URL", "Matrix home server", "https://…", [_W.MESSAGING]),
    )),
    *_group("Payments", Kind.SECRET, (
        ("STRIPE_SECRET_KEY", "Stripe secret key", "live key in production", [_API, _W.MAIN, _W.REWARDS]),
        ("STRIPE_WEBHOOK_SECRET", "Stripe webhook signing secret", "secret of one endpoint", [_API]),
    )),
    *_group("Push notifications", Kind.SECRET, (
        ("FIREBASE_PRIVATE_KEY", "Firebase private key", "PEM", _NOTIFIERS),
    )),
    *_group("Push notifications", Kind.CONFIG, (
        ("FIREBASE_PROJECT_ID", "Firebase project", "project id", _NOTIFIERS),
        ("FIREBASE_CLIENT_EMAIL", "Firebase service account", "e-mail address", _NOTIFIERS),
    )),
    *_group("Monitoring", Kind.SECRET, (
        ("SENTRY_DSN", "Sentry DSN", "https://…@sentry.io/…", [_API, *_EVERY_WORKER]),
    )),
    *_group("Monitoring", Kind.CONFIG, (
        ("OTEL_SERVICE_NAME", "name in traces and metrics", "name of the service", [_ORIGIN, *_EVERY_WORKER]),
        ("METRICS_PORT", "Prometheus port", "9090", [_ORIGIN, *_EVERY_WORKER]),
    )),
    *_group("Storage", Kind.SECRET, (
        ("S3_ACCESS_KEY_ID", "R2 access key", "key id", [_API, *_KEEPERS_OF_FILES]),
        ("S3_SECRET_ACCESS_KEY", "R2 secret key", "secret", [_API, *_KEEPERS_OF_FILES]),
    )),
    *_group("Storage", Kind.CONFIG, (
        ("S3_BUCKET", "R2 bucket", "pull-assets", [_API, *_KEEPERS_OF_FILES]),
        ("S3_ENDPOINT", "R2 endpoint", "https://….r2.cloudflarestorage.com", [_API, *_KEEPERS_OF_FILES]),
    )),
    *_group("Service", Kind.CONFIG, (
        ("PORT", "port that the process listens on", "3001 for the API, 3002 for workers", [_ORIGIN, *_EVERY_WORKER]),
        ("CORS_ORIGINS", "origins that browsers may call from", "https://…, separated by commas", [_API]),
        ("BODY_LIMIT", "largest request body", "10mb", [_API]),
    )),
    *_group("Web, public", Kind.CONFIG, (
        ("NEXT_PUBLIC_CONVEX_URL", "Convex URL for browsers", "https://….convex.cloud", [_WEB]),
        ("NEXT_PUBLIC_API_URL", "API URL for browsers", "https://api.pull.com", [_WEB]),
        ("NEXT_PUBLIC_WALLETCONNECT_PROJECT_ID", "WalletConnect project", "32 hexadecimal digits", [_WEB]),
    )),
    *_group("Contracts", Kind.SECRET, (
        ("DEPLOYER_PRIVATE_KEY_MAINNET", "key of the wallet that deploys contracts", "32 bytes, hexadecimal", [_CI]),
        ("POLYGONSCAN_API_KEY", "contract verification", "key", [_CI]),
    )),
    *_group("GitHub", Kind.GITHUB, (
        ("CLOUDFLARE_API_TOKEN", "Workers, DNS and R2 of the account", "token", [_CI]),
        ("CLOUDFLARE_ACCOUNT_ID", "Cloudflare account", "32 hexadecimal digits", [_CI]),
        ("VERCEL_TOKEN", "Vercel API token", "token", [_CI]),
        ("VERCEL_ORG_ID", "Vercel team", "team_…", [_CI]),
        ("VERCEL_PROJECT_ID", "Vercel project", "prj_…", [_CI]),
        ("GCP_PROJECT_ID", "Google Cloud project", "project id", [_CI]),
        ("TURBO_TOKEN", "Turborepo remote cache", "token", [_CI]),
        ("TURBO_TEAM", "Turborepo team", "name", [_CI]),
        ("SLACK_WEBHOOK_URL", "deployment notifications", "https://hooks.slack.com/…", [_CI]),
    )),
    *_group("GitHub", Kind.RETIRED, (
        ("GCP_SA_KEY", "key file: workload identity federation took its place", "none", []),
        ("TEMPORAL_ADDRESS_STAGING", "now TEMPORAL_ADDRESS of the staging stack", "none", []),
        ("TEMPORAL_ADDRESS_PRODUCTION", "now TEMPORAL_ADDRESS of the production stack", "none", []),
    )),
)
# fmt: on


def secrets_for(*consumers: Consumer) -> tuple[Variable, ...]:
    """The secrets that one of ``consumers`` reads, in the catalogue's order."""
    return tuple(one for one in SECRETS if any(map(one.consumed_by, consumers)))


SECRETS: Final = tuple(one for one in CATALOGUE if one.kind is Kind.SECRET)
"""What Secret Manager holds."""

"""Every variable of the runbooks: what it is, who issues it, and who consumes it.

This list determines the Secret Manager secrets, the accessor grants, the secret references of Cloud
Run, the bindings of the Worker, the secrets of each external service, and the table in
``docs/secrets.md``. It never contains a value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from components.workloads import DEDICATED_WORKER_TYPES, Service, WorkerType

ROTATION_DAYS: Final = 90
"""The runbook's checklist: rotate a secret that is older than this, in days."""


class Kind(StrEnum):
    """Where a variable's value is kept."""

    SECRET = "secret"
    """In Secret Manager."""
    CONFIG = "config"
    """Not secret: in the stack file, or derived from it."""
    GITHUB = "github"
    """In the repository's settings at GitHub: only workflows use it."""
    RETIRED = "retired"
    """In the runbook, and no longer needed."""


class Issuer(StrEnum):
    """Who creates the value of a secret."""

    OUTSIDE = "outside"
    """A vendor or a person. This program creates the secret without a version and never sees the
    value."""
    DERIVED = "derived"
    """This program, from resources that it creates."""


Consumer = Service | WorkerType


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable of the runbooks.

    Attributes:
        shape: the format of a value, in words; never a value.
        consumers: exactly who reads it. ``WorkerType.ALL`` is not listed: it reads whatever any
            worker reads.
        service: the external service (``components/external.py``) that the secret belongs to; None
            if it belongs to the estate itself.
    """

    name: str
    group: str
    description: str
    shape: str
    consumers: frozenset[Consumer]
    kind: Kind = Kind.SECRET
    issuer: Issuer = Issuer.OUTSIDE
    service: str | None = None

    def consumed_by(self, consumer: Consumer) -> bool:
        """Whether ``consumer`` reads it.

        The API's origin also reads what the API reads, and ``all`` what any worker reads.
        """
        if consumer is WorkerType.ALL:
            return any(isinstance(listed, WorkerType) for listed in self.consumers)
        if consumer is Service.API_ORIGIN and Service.API in self.consumers:
            return True
        return consumer in self.consumers


_API, _ORIGIN, _WEB, _CI = Service.API, Service.API_ORIGIN, Service.WEB, Service.CI
_W = WorkerType
_EVERY_WORKER = DEDICATED_WORKER_TYPES


def _secrets(
    group: str, rows: Iterable[tuple[str, str, str, Iterable[Consumer], str | None]]
) -> tuple[Variable, ...]:
    return tuple(
        Variable(
            name=name,
            group=group,
            description=description,
            shape=shape,
            consumers=frozenset(consumers),
            issuer=Issuer.DERIVED if name in _DERIVED else Issuer.OUTSIDE,
            service=service,
        )
        for name, description, shape, consumers, service in rows
    )


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
        )
        for name, description, shape, consumers in rows
    )


_DERIVED: Final = frozenset({"DATABASE_URL", "REDIS_URL", "REDIS_CA_CERT"})

_TRADERS = (_W.TRADING, _W.PORTFOLIO, _W.SIGNALS)
_ANALYSTS = (_W.SIGNALS, _W.PORTFOLIO, _W.REWARDS, _W.GAMIFICATION)
_WRITERS = (_W.EMAIL, _W.MESSAGING, _W.SIGNALS)
_NOTIFIERS = (_W.MESSAGING, _W.REWARDS, _W.GAMIFICATION)
_FILE_HANDLERS = (_W.KYC, _W.RWA)

# A table: one variable per line, however long.
# ruff: noqa: E501
# fmt: off
CATALOGUE: Final[tuple[Variable, ...]] = (
    *_secrets("Critical", (
        ("JWT_SECRET", "JWT signing secret", "at least 32 characters", [_API], None),
        ("CONVEX_URL", "Convex deployment URL", "https://….convex.cloud", [_API, *_EVERY_WORKER], "convex"),
        ("CONVEX_DEPLOY_KEY", "Convex deployment key", "key of one deployment", [_API, _CI], "convex"),
        ("CLERK_SECRET_KEY", "Clerk secret key", "live key in production", [_API], "clerk"),
        ("INTERNAL_API_KEY", "value of X-Internal-Key for /health/detailed", "at least 32 characters", [_API], None),
    )),
    *_group("Critical", Kind.CONFIG, (
        ("NODE_ENV", "runtime environment", "staging or production", [_API, *_EVERY_WORKER]),
        ("LOG_LEVEL", "minimum severity that is logged", "debug, info, warn or error", [_API, *_EVERY_WORKER]),
    )),
    *_secrets("Database", (
        ("DATABASE_URL", "PostgreSQL connection string", "postgresql://…?sslmode=require", [_ORIGIN, *_EVERY_WORKER], None),
        ("REDIS_URL", "Memorystore connection string", "rediss://…", [_ORIGIN, *_EVERY_WORKER], None),
        ("REDIS_CA_CERT", "certificate authority of Memorystore's TLS", "PEM", [_ORIGIN, *_EVERY_WORKER], None),
        ("UPSTASH_REDIS_REST_URL", "Upstash Redis URL", "https://….upstash.io", [_API], "upstash"),
        ("UPSTASH_REDIS_REST_TOKEN", "Upstash Redis token", "token of one database", [_API], "upstash"),
        ("CLICKHOUSE_HOST", "ClickHouse host name", "….clickhouse.cloud", [_API, *_ANALYSTS], "clickhouse"),
        ("CLICKHOUSE_USERNAME", "ClickHouse user", "name", [_API, *_ANALYSTS], "clickhouse"),
        ("CLICKHOUSE_PASSWORD", "ClickHouse password", "password", [_API, *_ANALYSTS], "clickhouse"),
        ("PINECONE_API_KEY", "Pinecone API key", "key of one project", [_API, _W.SIGNALS], "pinecone"),
    )),
    *_group("Database", Kind.CONFIG, (
        ("CLICKHOUSE_PORT", "ClickHouse port", "8443", [_API, *_ANALYSTS]),
        ("CLICKHOUSE_DATABASE", "ClickHouse database", "pull_analytics", [_API, *_ANALYSTS]),
        ("CLICKHOUSE_PROTOCOL", "ClickHouse protocol", "https", [_API, *_ANALYSTS]),
        ("PINECONE_INDEX", "Pinecone index", "pull-embeddings", [_API, _W.SIGNALS]),
        ("PINECONE_DIMENSIONS", "length of an embedding", "1536", [_API, _W.SIGNALS]),
        ("REDIS_POOL_MIN", "connections kept open", "count", [_ORIGIN, *_EVERY_WORKER]),
        ("REDIS_POOL_MAX", "maximum number of connections", "count", [_ORIGIN, *_EVERY_WORKER]),
    )),
    *_secrets("Temporal", (
        ("TEMPORAL_ADDRESS", "Temporal Cloud address", "….tmprl.cloud:7233", [_API, *_EVERY_WORKER], "temporal"),
        ("TEMPORAL_TLS_CERT", "client certificate", "PEM, base64", [_API, *_EVERY_WORKER], "temporal"),
        ("TEMPORAL_TLS_KEY", "client key", "PEM, base64", [_API, *_EVERY_WORKER], "temporal"),
    )),
    *_group("Temporal", Kind.CONFIG, (
        ("TEMPORAL_NAMESPACE", "Temporal namespace", "pull-staging or pull-production", [_API, *_EVERY_WORKER]),
        ("TEMPORAL_TLS", "whether to use TLS", "true", [_API, *_EVERY_WORKER]),
        ("TEMPORAL_ACTIVITY_START_TO_CLOSE_TIMEOUT", "maximum duration of an activity", "milliseconds", _EVERY_WORKER),
        ("TEMPORAL_ACTIVITY_HEARTBEAT_TIMEOUT", "maximum time between two heartbeats of an activity", "milliseconds", _EVERY_WORKER),
        ("WORKER_TYPE", "which task queues a worker polls", "one of the worker types", _EVERY_WORKER),
        ("WORKER_CONCURRENCY", "concurrent activities of one instance", "count", _EVERY_WORKER),
    )),
    *_secrets("Trading", (
        ("KALSHI_API_KEY", "Kalshi API key", "key", _TRADERS, "kalshi"),
        ("KALSHI_API_SECRET", "Kalshi API secret", "secret", _TRADERS, "kalshi"),
        ("KALSHI_API_KEY_ID", "Kalshi key id for the signed API", "UUID", _TRADERS, "kalshi"),
        ("KALSHI_PRIVATE_KEY", "Kalshi private key for the signed API", "PEM", _TRADERS, "kalshi"),
        ("MASSIVE_API_KEY", "Massive API key", "key", [_W.TRADING], "massive"),
        ("MASSIVE_API_SECRET", "Massive API secret", "secret", [_W.TRADING], "massive"),
        ("POLYGON_API_KEY", "Polygon.io market data", "key", [_API, *_TRADERS], "polygon-io"),
    )),
    *_secrets("Identity and compliance", (
        ("PERSONA_API_KEY", "Persona API key", "key", [_W.KYC], "persona"),
        ("CHECKR_API_KEY", "Checkr API key", "key", [_W.KYC], "checkr"),
        ("PLAID_CLIENT_ID", "Plaid client id", "24 hexadecimal digits", [_API, _W.KYC, _W.PORTFOLIO], "plaid"),
        ("PLAID_SECRET", "Plaid secret for the environment in PLAID_ENV", "secret", [_API, _W.KYC, _W.PORTFOLIO], "plaid"),
        ("CHAINALYSIS_API_KEY", "Chainalysis API key", "key", [_W.KYC], "chainalysis"),
    )),
    *_group("Identity and compliance", Kind.CONFIG, (
        ("PERSONA_TEMPLATE_ID", "Persona inquiry template", "tmpl_… or itmpl_…", [_W.KYC]),
        ("PLAID_ENV", "Plaid environment", "sandbox or production", [_API, _W.KYC, _W.PORTFOLIO]),
    )),
    *_secrets("AI", (
        ("ANTHROPIC_API_KEY", "Claude API key", "key", [_API, *_WRITERS], "anthropic"),
        ("OPENAI_API_KEY", "OpenAI API key", "key", [_API, *_WRITERS], "openai"),
    )),
    *_secrets("Communication", (
        ("RESEND_API_KEY", "Resend API key", "key", [_W.EMAIL], "resend"),
        ("NYLAS_API_KEY", "Nylas API key", "key", [_API, _W.EMAIL], "nylas"),
    )),
    *_group("Communication", Kind.CONFIG, (
        ("RESEND_FROM_EMAIL", "sender address", "e-mail address", [_W.EMAIL]),
        ("MATRIX_HOMESERVER_URL", "Matrix home server", "https://…", [_W.MESSAGING]),
    )),
    *_secrets("Payments", (
        ("STRIPE_SECRET_KEY", "Stripe secret key", "live key in production", [_API, _W.MAIN, _W.REWARDS], "stripe"),
        ("STRIPE_WEBHOOK_SECRET", "Stripe webhook signing secret", "secret of one endpoint", [_API], "stripe"),
    )),
    *_secrets("Push notifications", (
        ("FIREBASE_PRIVATE_KEY", "Firebase private key", "PEM", _NOTIFIERS, "firebase"),
    )),
    *_group("Push notifications", Kind.CONFIG, (
        ("FIREBASE_PROJECT_ID", "Firebase project", "project id", _NOTIFIERS),
        ("FIREBASE_CLIENT_EMAIL", "Firebase service account", "e-mail address", _NOTIFIERS),
    )),
    *_secrets("Monitoring", (
        ("SENTRY_DSN", "Sentry DSN", "https://…@sentry.io/…", [_API, *_EVERY_WORKER], "sentry"),
    )),
    *_group("Monitoring", Kind.CONFIG, (
        ("OTEL_SERVICE_NAME", "name in traces and metrics", "name of the service", [_ORIGIN, *_EVERY_WORKER]),
        ("METRICS_PORT", "Prometheus port", "9090", [_ORIGIN, *_EVERY_WORKER]),
    )),
    *_secrets("Storage", (
        ("S3_ACCESS_KEY_ID", "R2 access key", "key id", [_API, *_FILE_HANDLERS], None),
        ("S3_SECRET_ACCESS_KEY", "R2 secret key", "secret", [_API, *_FILE_HANDLERS], None),
    )),
    *_group("Storage", Kind.CONFIG, (
        ("S3_BUCKET", "R2 bucket", "pull-assets", [_API, *_FILE_HANDLERS]),
        ("S3_ENDPOINT", "R2 endpoint", "https://….r2.cloudflarestorage.com", [_API, *_FILE_HANDLERS]),
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
    *_secrets("Contracts", (
        ("DEPLOYER_PRIVATE_KEY_MAINNET", "key of the wallet that deploys contracts", "32 bytes, hexadecimal", [_CI], "polygon-chain"),
        ("POLYGONSCAN_API_KEY", "contract verification", "key", [_CI], "polygon-chain"),
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
        ("GCP_SA_KEY", "key file; replaced by workload identity federation", "none", []),
        ("TEMPORAL_ADDRESS_STAGING", "replaced by TEMPORAL_ADDRESS of the staging stack", "none", []),
        ("TEMPORAL_ADDRESS_PRODUCTION", "replaced by TEMPORAL_ADDRESS of the production stack", "none", []),
    )),
)
# fmt: on


def secrets_for(*consumers: Consumer) -> tuple[Variable, ...]:
    """The secrets that any of ``consumers`` reads, in the catalogue's order."""
    return tuple(variable for variable in SECRETS if any(map(variable.consumed_by, consumers)))


SECRETS: Final = tuple(variable for variable in CATALOGUE if variable.kind is Kind.SECRET)
"""The variables that Secret Manager holds."""

"""Values that are not secret: the runbook's five ConfigMaps, and the values for browsers.

Cloud Run, the Worker and Vercel all get their values from here, so they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

from components.config import Settings
from components.config.values import API_PORT, WORKER_PORT, Chain
from components.external import (
    CHAIN_IDS,
    CLICKHOUSE_DATABASE,
    CLICKHOUSE_PORT,
    CLICKHOUSE_PROTOCOL,
    PINECONE_DIMENSIONS,
    PINECONE_INDEX,
)
from components.names import Names
from components.workloads import WorkerType

Values = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigMaps:
    """The five ConfigMaps: values by variable.

    Cloud Run sets ``PORT`` itself and rejects it as a variable of a service
    (https://cloud.google.com/run/docs/container-contract#env-vars). A Worker has neither a port nor
    connections into the private network.
    """

    shared: Values
    api: Values
    worker: Values
    redis: Values
    observability: Values

    def for_api_at_the_edge(self) -> Values:
        return {**self.shared, **_without_port(self.api)}

    def for_api_origin(self, service: str) -> Values:
        return {
            **self.shared,
            **_without_port(self.api),
            **self.redis,
            **self.observability,
            "OTEL_SERVICE_NAME": service,
        }

    def for_worker(self, worker_type: WorkerType, service: str) -> Values:
        return {
            **self.shared,
            **_without_port(self.worker),
            **self.redis,
            **self.observability,
            "OTEL_SERVICE_NAME": service,
            "WORKER_TYPE": worker_type.value,
        }


def config_maps(settings: Settings, names: Names) -> ConfigMaps:
    """The ConfigMaps of one environment."""
    config, external = settings.runtime_config, settings.external
    return ConfigMaps(
        shared={
            "NODE_ENV": settings.environment,
            "LOG_LEVEL": config.shared.log_level,
            "TEMPORAL_NAMESPACE": f"pull-{settings.environment}",
            "TEMPORAL_TLS": "true",
            "CLICKHOUSE_PORT": str(CLICKHOUSE_PORT),
            "CLICKHOUSE_PROTOCOL": CLICKHOUSE_PROTOCOL,
            "CLICKHOUSE_DATABASE": CLICKHOUSE_DATABASE,
            "PINECONE_INDEX": PINECONE_INDEX,
            "PINECONE_DIMENSIONS": str(PINECONE_DIMENSIONS),
            "S3_BUCKET": names.assets,
            "S3_ENDPOINT": f"https://{settings.cloudflare.account_id}.r2.cloudflarestorage.com",
            **_chain(settings.chain),
        },
        api={
            "PORT": str(API_PORT),
            "CORS_ORIGINS": ",".join(config.api.cors_origins),
            "BODY_LIMIT": f"{config.api.body_limit_mib}mb",
            "PLAID_ENV": config.worker.plaid_env,
        },
        worker={
            "PORT": str(WORKER_PORT),
            "WORKER_CONCURRENCY": str(config.worker.concurrency),
            "PLAID_ENV": config.worker.plaid_env,
            "TEMPORAL_ACTIVITY_START_TO_CLOSE_TIMEOUT": str(
                config.worker.activity_start_to_close_timeout_ms
            ),
            "TEMPORAL_ACTIVITY_HEARTBEAT_TIMEOUT": str(config.worker.activity_heartbeat_timeout_ms),
            "PERSONA_TEMPLATE_ID": external.persona_template_id,
            "RESEND_FROM_EMAIL": external.resend_from_email,
            "MATRIX_HOMESERVER_URL": external.matrix_homeserver_url,
            "FIREBASE_PROJECT_ID": external.firebase_project_id,
            "FIREBASE_CLIENT_EMAIL": external.firebase_client_email,
        },
        redis={
            "REDIS_POOL_MIN": str(config.redis.pool_min),
            "REDIS_POOL_MAX": str(config.redis.pool_max),
        },
        observability={
            "OTEL_SERVICE_NAME": names.base,
            "METRICS_PORT": str(config.observability.metrics_port),
        },
    )


def browser_values(settings: Settings) -> Values:
    """Variables that the web application is built with. They are public."""
    return {
        "NEXT_PUBLIC_API_URL": f"https://{settings.api.domain}",
        "NEXT_PUBLIC_CONVEX_URL": settings.external.convex_url,
        "NEXT_PUBLIC_WALLETCONNECT_PROJECT_ID": settings.external.walletconnect_project_id,
        **{f"NEXT_PUBLIC_{key}": value for key, value in _chain(settings.chain).items()},
    }


def convex_values(settings: Settings) -> Values:
    """Variables for Convex, which has no provider: ``npx convex env set NAME VALUE``."""
    return _chain(settings.chain)


def _without_port(values: Values) -> Values:
    return {key: value for key, value in values.items() if key != "PORT"}


def _chain(chain: Chain) -> Values:
    return {
        "CHAIN_ID": str(CHAIN_IDS[chain.network]),
        "CHAIN_NETWORK": chain.network,
        **{
            f"CONTRACT_{_upper_snake(name)}_ADDRESS": address
            for name, address in sorted(chain.contracts.items())
        },
    }


def _upper_snake(name: str) -> str:
    """``PullToken`` becomes ``PULL_TOKEN``."""
    return "".join(
        f"_{letter}" if letter.isupper() and position else letter
        for position, letter in enumerate(name)
    ).upper()

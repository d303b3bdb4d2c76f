"""The API on Cloudflare Workers: one Worker, versions, and who answers."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from components.services.api import Api, ApiArgs
from tests.recorder import ROOT, Neighbours, Recording, record, remembered, side_by_side

ACCOUNT = "00000000000000000000000000000a11"
ZONE = "00000000000000000000000000000d01"
STORE = "000000000000000000000000000005e1"
OLD = "8f14e45f-ceea-467f-a8f5-9c1b7d2e3a40"


def make(name: str, near: Neighbours) -> Api:
    return Api(
        name,
        ApiArgs(
            account=near.settings.cloudflare,
            names=near.names,
            settings=near.settings.api,
            protect=near.settings.protect,
            config=near.config,
            after=[near.project.services["run"]],
        ),
    )


@remembered
def recorded(**sections: Any) -> Recording:
    return record(lambda: make("api", Neighbours(**sections)))


def test_children() -> None:
    assert side_by_side(make).listed("one") == [
        ("cloudflare:index/dnsRecord:DnsRecord", "one-dns"),
        ("cloudflare:index/worker:Worker", "one-worker"),
        ("cloudflare:index/workerVersion:WorkerVersion", "one-version"),
        ("cloudflare:index/workersDeployment:WorkersDeployment", "one-deployment"),
        ("cloudflare:index/workersRoute:WorkersRoute", "one-route"),
    ]


def test_worker_answers_at_its_domain_alone_and_is_observed() -> None:
    assert recorded()["api-worker"].inputs == {
        "accountId": ACCOUNT,
        "name": "pull-api",
        "subdomain": {"enabled": False, "previewsEnabled": False},
        "observability": {
            "enabled": True,
            "headSamplingRate": 1,
            "logs": {"enabled": True, "headSamplingRate": 1, "invocationLogs": True},
        },
        "tags": ["production"],
    }


def test_version() -> None:
    version = dict(recorded()["api-version"].inputs)
    bindings = version.pop("bindings")
    code = (ROOT / "components/services/bootstrap/worker.js").read_bytes()
    assert version == {
        "accountId": ACCOUNT,
        "workerId": "<api-worker.id>",
        "mainModule": "worker.js",
        "modules": [
            {
                "name": "worker.js",
                "contentType": "application/javascript+module",
                "contentBase64": base64.b64encode(code).decode(),
            }
        ],
        "compatibilityDate": "2026-10-01",
        "compatibilityFlags": ["nodejs_compat"],
    }
    names = [binding["name"] for binding in bindings]
    assert names == sorted(set(names))
    plain = {one["name"]: one["text"] for one in bindings if one["type"] == "plain_text"}
    assert plain == {
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
        "S3_ENDPOINT": f"https://{ACCOUNT}.r2.cloudflarestorage.com",
        "CORS_ORIGINS": "https://app.pull.com",
        "BODY_LIMIT": "10mb",
        "PLAID_ENV": "production",
        "CHAIN_ID": "137",
        "CHAIN_NETWORK": "polygon-mainnet",
    }


SECRETS = [
    "ANTHROPIC_API_KEY",
    "CLERK_SECRET_KEY",
    "CLICKHOUSE_HOST",
    "CLICKHOUSE_PASSWORD",
    "CLICKHOUSE_USERNAME",
    "CONVEX_DEPLOY_KEY",
    "CONVEX_URL",
    "INTERNAL_API_KEY",
    "JWT_SECRET",
    "NYLAS_API_KEY",
    "OPENAI_API_KEY",
    "PINECONE_API_KEY",
    "PLAID_CLIENT_ID",
    "PLAID_SECRET",
    "POLYGON_API_KEY",
    "S3_ACCESS_KEY_ID",
    "S3_SECRET_ACCESS_KEY",
    "SENTRY_DSN",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "TEMPORAL_ADDRESS",
    "TEMPORAL_TLS_CERT",
    "TEMPORAL_TLS_KEY",
    "UPSTASH_REDIS_REST_TOKEN",
    "UPSTASH_REDIS_REST_URL",
]


def references(recording: Recording) -> list[Any]:
    bindings = recording["api-version"].inputs["bindings"]
    return [one for one in bindings if one["type"] != "plain_text"]


def test_secrets_are_bound_by_reference() -> None:
    """Nothing that stands inside the private network is among them: a Worker cannot reach it."""
    assert references(recorded()) == [
        {
            "name": name,
            "type": "secrets_store_secret",
            "storeId": STORE,
            "secretName": f"pull-production-{name.lower().replace('_', '-')}",
        }
        for name in SECRETS
    ]


def test_or_taken_over_from_the_version_before() -> None:
    assert references(recorded(api={"secrets": "inherit"})) == [
        {"name": name, "type": "inherit"} for name in SECRETS
    ]


def test_domain_and_route() -> None:
    recording = recorded()
    assert recording["api-dns"].inputs == {
        "zoneId": ZONE,
        "name": "api.pull.com",
        "type": "AAAA",
        "content": "100::",
        "proxied": True,
        "ttl": 1,
        "comment": "API, answered by the Worker of the route",
    }
    assert recording["api-route"].inputs == {
        "zoneId": ZONE,
        "pattern": "api.pull.com/*",
        "script": "pull-api",
    }
    assert recording["api-route"].waits_for == {"api-worker", "api-deployment", "api-dns"}
    assert recording.outputs["api"] == {
        "url": "https://api.pull.com",
        "version": "<api-version.id>",
    }


@pytest.mark.parametrize("protect", [True, False])
def test_the_name_that_users_know_is_protected(protect: bool) -> None:
    recording = recorded(protect=protect)
    protected = [one.name for one in recording.children("api") if one.protect]
    assert protected == (["api-dns"] if protect else [])


@pytest.mark.parametrize(
    ("shares", "versions"),
    [
        ([("current", 100)], [("<api-version.id>", 100)]),
        ([("current", 10), (OLD, 90)], [("<api-version.id>", 10), (OLD, 90)]),
        ([("current", 0.01), (OLD, 99.99)], [("<api-version.id>", 0.01), (OLD, 99.99)]),
        ([(OLD, 100)], [(OLD, 100)]),
    ],
    ids=["release", "canary", "smallest", "rollback"],
)
def test_a_canary_and_a_rollback_change_percentages_alone(
    shares: list[tuple[str, float]], versions: list[tuple[str, float]]
) -> None:
    said = [{"version": version, "percentage": percentage} for version, percentage in shares]
    before, after = recorded(), recorded(api={"versions": said})
    changed = {one.name for one in after.resources if one.inputs != before[one.name].inputs}
    assert changed == (set() if versions == [("<api-version.id>", 100)] else {"api-deployment"})
    assert after["api-deployment"].inputs == {
        "accountId": ACCOUNT,
        "scriptName": "pull-api",
        "strategy": "percentage",
        "versions": [{"versionId": one, "percentage": percentage} for one, percentage in versions],
    }


def test_the_deployment_waits_for_what_comes_first() -> None:
    recording = recorded()
    assert recording["api-deployment"].waits_for == {"project-run", "api-worker", "api-version"}
    # Everything before it can be made at any time.
    assert recording["api-version"].waits_for == {"api-worker"}

"""The API on Cloudflare Workers: one Worker, its versions, and the traffic between them."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest

from components.config import SettingsError
from components.secrets.catalogue import secrets_for
from components.services import api
from components.services.api import Api, ApiArgs
from components.workloads import Service
from tests.recorder import ROOT, Neighbours, Recording, estate, record, remembered, side_by_side

ACCOUNT = "00000000000000000000000000000a11"
ZONE = "00000000000000000000000000000d01"
STORE = "000000000000000000000000000005e1"
OLD = "8f14e45f-ceea-467f-a8f5-9c1b7d2e3a40"


def make(name: str, near: Neighbours) -> Api:
    return Api(
        name,
        ApiArgs(
            cloudflare_account=near.settings.cloudflare,
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


def test_the_worker_is_reachable_at_its_domain_only_and_is_observed() -> None:
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
    plain = {
        binding["name"]: binding["text"] for binding in bindings if binding["type"] == "plain_text"
    }
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


SECRETS = sorted(variable.name for variable in secrets_for(Service.API))


def references(recording: Recording) -> list[Any]:
    bindings = recording["api-version"].inputs["bindings"]
    return [binding for binding in bindings if binding["type"] != "plain_text"]


def test_secrets_are_bound_by_reference() -> None:
    # A Worker cannot reach the private network.
    assert {"DATABASE_URL", "REDIS_URL", "REDIS_CA_CERT"}.isdisjoint(SECRETS)
    assert {"JWT_SECRET", "CLERK_SECRET_KEY", "CONVEX_URL"} <= set(SECRETS)
    assert references(recorded()) == [
        {
            "name": name,
            "type": "secrets_store_secret",
            "storeId": STORE,
            "secretName": f"pull-production-{name.lower().replace('_', '-')}",
        }
        for name in SECRETS
    ]


def test_secrets_may_be_inherited_from_the_previous_version() -> None:
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
def test_the_public_name_is_protected(protect: bool) -> None:
    recording = recorded(protect=protect)
    protected = [child.name for child in recording.children("api") if child.protect]
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
def test_a_canary_and_a_rollback_change_only_percentages(
    shares: list[tuple[str, float]], versions: list[tuple[str, float]]
) -> None:
    section = [{"version": version, "percentage": percentage} for version, percentage in shares]
    before, after = recorded(), recorded(api={"versions": section})
    changed = {
        resource.name
        for resource in after.resources
        if resource.inputs != before[resource.name].inputs
    }
    assert changed == (set() if versions == [("<api-version.id>", 100)] else {"api-deployment"})
    assert after["api-deployment"].inputs == {
        "accountId": ACCOUNT,
        "scriptName": "pull-api",
        "strategy": "percentage",
        "versions": [
            {"versionId": version, "percentage": percentage} for version, percentage in versions
        ],
    }


def test_the_deployment_waits_for_what_comes_first() -> None:
    recording = recorded()
    assert recording["api-deployment"].waits_for == {"project-run", "api-worker", "api-version"}
    # Everything before it can be created at any time.
    assert recording["api-version"].waits_for == {"api-worker"}


# -- the bundle --------------------------------------------------------------------------------


def refused_bundle(bundle: str) -> SettingsError:
    """The error that a bundle causes, with proof that the component creates no resource."""
    errors: list[SettingsError] = []

    def program() -> None:
        with pytest.raises(SettingsError) as caught:
            make("api", Neighbours(api={"bundle": bundle}))
        errors.append(caught.value)

    assert record(program).children("api") == []
    return errors[0]


@pytest.mark.parametrize("bundle", ["../worker.js", "nowhere/worker.js"])
def test_a_bundle_must_be_a_file_of_the_project(bundle: str) -> None:
    (error,) = refused_bundle(bundle).errors
    assert (error.path, error.value) == ("pull:api.bundle", bundle)
    assert error.expected == "a file below the project's folder"


@pytest.mark.parametrize("limit", ["raw", "compressed"])
def test_a_bundle_must_be_within_the_limits_of_a_worker(
    limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = b"0" * (64 * 1024 * 1024 + 1) if limit == "raw" else os.urandom(10 * 1024 * 1024)
    (tmp_path / "worker.js").write_bytes(code)
    monkeypatch.setattr(api, "PROJECT_ROOT", tmp_path)
    (error,) = refused_bundle("worker.js").errors
    assert (error.path, error.value) == ("pull:api.bundle", "worker.js")
    assert error.expected == "a bundle of at most 64 MiB, 10 MiB when compressed"


def test_a_bundle_at_the_limit_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "worker.js").write_bytes(b"0" * (64 * 1024 * 1024))
    monkeypatch.setattr(api, "PROJECT_ROOT", tmp_path)
    assert len(api.read_bundle("worker.js")) == 64 * 1024 * 1024


def test_a_wrong_bundle_stops_the_program_before_anything_is_registered() -> None:
    """The engine receives resources only when the program has ended without an error."""
    with pytest.raises(SettingsError, match=r"1 setting is wrong in the configuration of stack"):
        estate(api={"bundle": "nowhere/worker.js"})

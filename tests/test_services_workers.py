"""Temporal workers: sizes, types, releases, and the two ways to run them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from components.services import cloud_run
from components.services.workers import TemporalWorker, TemporalWorkerArgs
from components.workloads import WorkerType
from tests.recorder import FLEET, Neighbours, Recording, estate, record, remembered, side_by_side

SERVICE = "gcp:cloudrunv2/service:Service"
POOL = "gcp:cloudrunv2/workerPool:WorkerPool"
IMAGE = f"gcr.io/pull-production/pull-temporal-worker@sha256:{1:064}"
OTHER_IMAGE = f"gcr.io/pull-production/pull-temporal-worker@sha256:{2:064}"
OLD = "pull-temporal-worker-1a2b3c4d"


def make(name: str, near: Neighbours, worker_type: WorkerType = WorkerType.ALL) -> TemporalWorker:
    workers = near.settings.workers
    size = workers.fleet[worker_type]
    return TemporalWorker(
        name,
        TemporalWorkerArgs(
            project="pull-production",
            region="us-central1",
            names=near.names,
            worker_type=worker_type,
            settings=size,
            runtime=workers.runtime,
            egress=workers.egress,
            image=size.image or workers.image,
            timeout_seconds=workers.timeout_seconds,
            password_generation=near.settings.postgres.password_generation,
            protect=near.settings.protect,
            service_account=near.identity.runtimes[worker_type],
            network=near.network,
            config=near.config,
            secrets=near.secrets,
            after=[near.project.services["run"]],
        ),
    )


@remembered
def recorded(**sections: Any) -> Recording:
    return record(lambda: make("worker", Neighbours(**sections)))


def all_workers(**size: Any) -> dict[str, Any]:
    """The settings of one worker for all queues."""
    return {"fleet": {"all": size}}


def split_environment(
    envs: list[Mapping[str, Any]],
) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Plain values by name, and references as (secret, version) by name."""
    plain = {variable["name"]: variable["value"] for variable in envs if "value" in variable}
    secret = {
        variable["name"]: tuple(
            variable["valueSource"]["secretKeyRef"][key] for key in ("secret", "version")
        )
        for variable in envs
        if "valueSource" in variable
    }
    assert len(plain) + len(secret) == len(envs), "a variable stands there twice"
    return plain, secret


def test_children() -> None:
    assert side_by_side(make).listed("one") == [(SERVICE, "one-service")]


def test_service_of_production() -> None:
    service = recorded()["worker-service"]
    template = dict(service.inputs["template"])
    (container,) = template.pop("containers")
    container = dict(container)
    envs = container.pop("envs")
    revision = template["revision"]
    assert {**service.inputs, "template": None} == {
        "project": "pull-production",
        "location": "us-central1",
        "name": "pull-temporal-worker",
        "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY",
        "deletionProtection": True,
        "template": None,
        "traffics": [
            {
                "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
                "revision": revision,
                "percent": 100,
            }
        ],
    }
    assert template == {
        "revision": revision,
        "serviceAccount": "pull-temporal-worker@pull-production.iam.gserviceaccount.com",
        "annotations": {"pull.com/password-generation": "1"},
        "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
        "timeout": "3600s",
        "scaling": {"minInstanceCount": 2, "maxInstanceCount": 50},
        "vpcAccess": {
            "networkInterfaces": [
                {
                    "network": "projects/pull-production/global/networks/pull-production",
                    "subnetwork": "projects/pull-production/regions/us-central1/subnetworks/"
                    "pull-production",
                }
            ],
            "egress": "ALL_TRAFFIC",
        },
    }
    assert container == {
        "name": "worker",
        "image": IMAGE,
        "ports": {"containerPort": 3002},
        "resources": {
            "limits": {"cpu": "4", "memory": "4Gi"},
            "cpuIdle": False,
            "startupCpuBoost": True,
        },
        "startupProbe": {
            "httpGet": {"path": "/health", "port": 3002},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 12,
        },
        "livenessProbe": {
            "httpGet": {"path": "/health/live", "port": 3002},
            "periodSeconds": 30,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
    }
    plain, secret = split_environment(envs)
    assert plain == {
        "NODE_ENV": "production",
        "LOG_LEVEL": "info",
        "TEMPORAL_NAMESPACE": "pull-production",
        "TEMPORAL_TLS": "true",
        "TEMPORAL_ACTIVITY_START_TO_CLOSE_TIMEOUT": "600000",
        "TEMPORAL_ACTIVITY_HEARTBEAT_TIMEOUT": "60000",
        "WORKER_TYPE": "all",
        "WORKER_CONCURRENCY": "100",
        "PLAID_ENV": "production",
        "REDIS_POOL_MIN": "2",
        "REDIS_POOL_MAX": "10",
        "OTEL_SERVICE_NAME": "pull-temporal-worker",
        "METRICS_PORT": "9090",
        "CLICKHOUSE_PORT": "8443",
        "CLICKHOUSE_PROTOCOL": "https",
        "CLICKHOUSE_DATABASE": "pull_analytics",
        "PINECONE_INDEX": "pull-embeddings",
        "PINECONE_DIMENSIONS": "1536",
        "S3_BUCKET": "pull-assets",
        "S3_ENDPOINT": "https://00000000000000000000000000000a11.r2.cloudflarestorage.com",
        "CHAIN_ID": "137",
        "CHAIN_NETWORK": "polygon-mainnet",
        "PERSONA_TEMPLATE_ID": "itmpl_production",
        "RESEND_FROM_EMAIL": "noreply@pull.app",
        "MATRIX_HOMESERVER_URL": "https://matrix.pull.app",
        "FIREBASE_PROJECT_ID": "pull-production",
        "FIREBASE_CLIENT_EMAIL": ("firebase-adminsdk@pull-production.iam.gserviceaccount.com"),
    }
    # The five of the runbook's `gcloud run deploy`, under its names.
    for variable, name in {
        "CONVEX_URL": "convex-url",
        "TEMPORAL_ADDRESS": "temporal-address",
        "TEMPORAL_TLS_CERT": "temporal-tls-cert",
        "TEMPORAL_TLS_KEY": "temporal-tls-key",
        "SENTRY_DSN": "sentry-dsn",
    }.items():
        assert secret[variable] == (f"pull-production-{name}", "latest")
    assert len(secret) == 32


def test_waits_for_what_a_revision_needs() -> None:
    service = recorded()["worker-service"]
    assert service.ignore_changes == ("client", "clientVersion")
    assert service.waits_for >= {
        "identity-deployer-acts-as-all",
        "project-run",
        "identity-temporal-worker",
        "network-subnet",
        "network-connector",
        "network-nat",
        "secrets-database-url-version",
        "secrets-database-url-for-all",
        "secrets-sentry-dsn-for-all",
    }


def test_nobody_may_call_a_worker() -> None:
    recording = estate()
    assert not [
        resource for resource in recording.resources if "cloudrunv2/serviceIam" in resource.type
    ]


def test_protection_is_the_platforms_own() -> None:
    """A service holds no data; what it must not do is vanish from the console by mistake."""
    for protect in (True, False):
        assert recorded(protect=protect)["worker-service"].inputs["deletionProtection"] == protect


# -- the fleet ---------------------------------------------------------------------------------


def test_eleven_types_each_with_its_own_size() -> None:
    recording = estate(workers={"fleet": FLEET})
    services = recording.of_type(SERVICE)
    assert sorted(resource.name for resource in services) == sorted(
        f"worker-{worker_type}-service" for worker_type in FLEET
    )
    assert len({resource.inputs["name"] for resource in services}) == 11
    assert len({resource.inputs["template"]["serviceAccount"] for resource in services}) == 11
    for worker_type, size in FLEET.items():
        service = recording[f"worker-{worker_type}-service"].inputs
        template = service["template"]
        (container,) = template["containers"]
        plain, _ = split_environment(container["envs"])
        own = "" if worker_type == "all" else f"-{worker_type}"
        assert service["name"] == f"pull-temporal-worker{own}"
        assert plain["WORKER_TYPE"] == worker_type
        assert plain["OTEL_SERVICE_NAME"] == service["name"]
        assert container["resources"]["limits"] == {
            "cpu": "2",
            "memory": f"{size['memory_gib']}Gi",
        }
        assert template["scaling"] == {
            "minInstanceCount": size["min_instances"],
            "maxInstanceCount": size["max_instances"],
        }


def test_a_type_gets_no_secret_of_another() -> None:
    recording = estate(workers={"fleet": FLEET})
    for worker_type, absent in (("email", "KALSHI_API_KEY"), ("rwa", "STRIPE_SECRET_KEY")):
        (container,) = recording[f"worker-{worker_type}-service"].inputs["template"]["containers"]
        _, secret = split_environment(container["envs"])
        assert "DATABASE_URL" in secret
        assert absent not in secret


def test_a_type_may_run_an_image_of_its_own() -> None:
    fleet = {"all": FLEET["all"], "kyc": {**FLEET["kyc"], "image": OTHER_IMAGE}}
    recording = estate(workers={"fleet": fleet})
    images = {
        worker_type: recording[f"worker-{worker_type}-service"].inputs["template"]["containers"][0][
            "image"
        ]
        for worker_type in fleet
    }
    assert images == {"all": IMAGE, "kyc": OTHER_IMAGE}


# -- the two ways to run and to reach the network ----------------------------------------------


def test_worker_pool() -> None:
    recording = recorded(workers={"runtime": "worker_pool"})
    assert recording.listed("worker") == [(POOL, "worker-pool")]
    pool = recording["worker-pool"]
    template = dict(pool.inputs["template"])
    (container,) = template.pop("containers")
    container = dict(container)
    plain, secret = split_environment(container.pop("envs"))
    revision = template["revision"]
    assert {**pool.inputs, "template": None} == {
        "project": "pull-production",
        "location": "us-central1",
        "name": "pull-temporal-worker",
        "deletionProtection": True,
        "scaling": {
            "scalingMode": "AUTOMATIC",
            "minInstanceCount": 2,
            "maxInstanceCount": 50,
        },
        "template": None,
        "instanceSplits": [
            {
                "type": "INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION",
                "revision": revision,
                "percent": 100,
            }
        ],
    }
    assert template.keys() == {"revision", "serviceAccount", "annotations", "vpcAccess"}
    assert "networkInterfaces" in template["vpcAccess"]
    assert container == {
        "name": "worker",
        "image": IMAGE,
        "resources": {"limits": {"cpu": "4", "memory": "4Gi"}},
        "startupProbe": {
            "httpGet": {"path": "/health", "port": 3002},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 12,
        },
        "livenessProbe": {
            "httpGet": {"path": "/health/live", "port": 3002},
            "periodSeconds": 30,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
    }
    assert plain["PORT"] == "3002"  # a service's platform sets it; a pool's does not
    assert len(secret) == 32
    assert pool.ignore_changes == ("client", "clientVersion")
    assert pool.waits_for >= {"project-run", "secrets-database-url-version", "network-nat"}


def test_connector_egress() -> None:
    template = recorded(workers={"egress": "connector"})["worker-service"].inputs["template"]
    assert template["vpcAccess"] == {
        "connector": "projects/pull-production/locations/us-central1/connectors/pull-production",
        "egress": "ALL_TRAFFIC",
    }


# -- releases ----------------------------------------------------------------------------------

CANARY = [{"revision": "current", "percent": 10}, {"revision": OLD, "percent": 90}]
ROLLBACK = [{"revision": OLD, "percent": 100}]


@pytest.mark.parametrize("traffic", [CANARY, ROLLBACK], ids=["canary", "rollback"])
@pytest.mark.parametrize(
    ("runtime", "child", "shares"),
    [("service", "worker-service", "traffics"), ("worker_pool", "worker-pool", "instanceSplits")],
)
def test_a_canary_and_a_rollback_change_traffic_alone(
    runtime: str, child: str, shares: str, traffic: list[dict[str, Any]]
) -> None:
    before = recorded(workers={"runtime": runtime})[child].inputs
    workers = {"runtime": runtime, **all_workers(traffic=traffic)}
    after = recorded(workers=workers)[child].inputs
    assert {**after, shares: None} == {**before, shares: None}
    current = before["template"]["revision"]
    assert [(share["revision"], share["percent"]) for share in after[shares]] == [
        (share["revision"].replace("current", current), share["percent"]) for share in traffic
    ]


@pytest.mark.parametrize(
    "sections",
    [
        {"workers": {"image": OTHER_IMAGE}},
        {"workers": {"timeout_seconds": 3599}},
        {"workers": {"egress": "connector"}},
        {"workers": all_workers(image=OTHER_IMAGE)},
        {"workers": all_workers(memory_gib=8)},
        {"workers": all_workers(cpu=2)},
        {"workers": all_workers(min_instances=3)},
        {"workers": all_workers(max_instances=51)},
        {"runtime_config": {"shared": {"log_level": "debug"}}},
        {"runtime_config": {"worker": {"concurrency": 101}}},
        {"external": {"matrix_homeserver_url": "https://matrix.example"}},
        {"secrets": {"versions": {"SENTRY_DSN": "7"}}},
        {"secrets": {"ids": {"SENTRY_DSN": "SENTRY_DSN_PRODUCTION"}}},
        {"postgres": {"password_generation": 2}},
    ],
    ids=lambda sections: str(sections).replace(" ", ""),
)
def test_anything_in_the_template_is_another_revision(sections: dict[str, Any]) -> None:
    before, after = (
        recorded(**settings)["worker-service"].inputs["template"] for settings in ({}, sections)
    )
    assert after["revision"] != before["revision"]
    assert {**after, "revision": ""} != {**before, "revision": ""}


@pytest.mark.parametrize("probe", ["startup_probe", "liveness_probe"])
def test_another_probe_is_another_revision(monkeypatch: pytest.MonkeyPatch, probe: str) -> None:
    before = recorded()["worker-service"].inputs["template"]["revision"]
    original: Callable[[int], Any] = getattr(cloud_run, probe)
    monkeypatch.setattr(cloud_run, probe, lambda port: {**original(port), "period_seconds": 11})
    after = record(lambda: make("worker", Neighbours()))
    assert after["worker-service"].inputs["template"]["revision"] != before


def test_what_is_not_in_the_template_is_no_revision() -> None:
    before, after = (
        recorded(protect=protect)["worker-service"].inputs["template"] for protect in (True, False)
    )
    assert after == before


@pytest.mark.parametrize("stack", ["staging", "production"])
def test_revision_names_are_those_that_cloud_run_takes(stack: str) -> None:
    image = f"gcr.io/pull-{stack}/pull-temporal-worker@sha256:{1:064}"
    recording = estate(stack, workers={"fleet": FLEET, "image": image})
    for service in recording.of_type(SERVICE):
        revision = service.inputs["template"]["revision"]
        assert re.fullmatch(r"[a-z](?:-?[a-z0-9])*", revision)
        assert revision.startswith(f"{service.inputs['name']}-")
        assert len(revision) <= 63

"""The API on Cloud Run, inside the private network."""

from __future__ import annotations

from typing import Any

from components.services.api_origin import ApiOrigin, ApiOriginArgs
from components.workloads import Service
from tests.recorder import Neighbours, Recording, estate, record, remembered, side_by_side

SERVICE = "gcp:cloudrunv2/service:Service"
IMAGE = f"gcr.io/pull-production/pull-api@sha256:{3:064}"
SECTION = {
    "cpu": 2,
    "memory_gib": 2,
    "min_instances": 1,
    "max_instances": 20,
    "timeout_seconds": 60,
    "image": IMAGE,
}


def make(name: str, near: Neighbours) -> ApiOrigin:
    section = near.settings.api_origin
    assert section is not None
    return ApiOrigin(
        name,
        ApiOriginArgs(
            project="pull-production",
            region="us-central1",
            names=near.names,
            settings=section,
            egress=near.settings.workers.egress,
            password_generation=near.settings.postgres.password_generation,
            protect=near.settings.protect,
            service_account=near.identity.runtimes[Service.API_ORIGIN],
            network=near.network,
            config=near.config,
            secrets=near.secrets,
            after=[near.project.services["run"]],
        ),
    )


@remembered
def recorded(**section: Any) -> Recording:
    return record(lambda: make("origin", Neighbours(api_origin={**SECTION, **section})))


def test_children() -> None:
    recording = side_by_side(make, api_origin=SECTION)
    assert recording.listed("one") == [(SERVICE, "one-service")]


def test_service() -> None:
    service = recorded()["origin-service"]
    template = dict(service.inputs["template"])
    (container,) = template.pop("containers")
    container = dict(container)
    envs = container.pop("envs")
    revision = template["revision"]
    assert {**service.inputs, "template": None} == {
        "project": "pull-production",
        "location": "us-central1",
        "name": "pull-api",
        "ingress": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
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
        "serviceAccount": "pull-api-origin@pull-production.iam.gserviceaccount.com",
        "annotations": {"pull.com/password-generation": "1"},
        "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
        "timeout": "60s",
        "scaling": {"minInstanceCount": 1, "maxInstanceCount": 20},
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
        "name": "api",
        "image": IMAGE,
        "ports": {"containerPort": 3001},
        "resources": {
            "limits": {"cpu": "2", "memory": "2Gi"},
            "cpuIdle": True,
            "startupCpuBoost": True,
        },
        "startupProbe": {
            "httpGet": {"path": "/health", "port": 3001},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 12,
        },
        "livenessProbe": {
            "httpGet": {"path": "/health/live", "port": 3001},
            "periodSeconds": 30,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
    }
    plain = {variable["name"]: variable["value"] for variable in envs if "value" in variable}
    assert plain["OTEL_SERVICE_NAME"] == "pull-api"
    assert plain["CORS_ORIGINS"] == "https://app.pull.com"
    assert plain["REDIS_POOL_MAX"] == "10"
    assert not {"PORT", "WORKER_TYPE", "WORKER_CONCURRENCY"} & plain.keys()
    secret = {variable["name"] for variable in envs if "valueSource" in variable}
    assert {"DATABASE_URL", "REDIS_URL", "REDIS_CA_CERT", "JWT_SECRET"} <= secret
    assert service.ignore_changes == ("client", "clientVersion")
    assert service.waits_for >= {
        "project-run",
        "identity-api-origin",
        "network-subnet",
        "secrets-database-url-version",
        "secrets-jwt-secret-for-api-origin",
    }


def test_traffic_alone_changes_in_a_rollback() -> None:
    before = recorded()["origin-service"].inputs
    traffic = [{"revision": "pull-api-1a2b3c4d", "percent": 100}]
    after = recorded(traffic=traffic)["origin-service"].inputs
    assert {**after, "traffics": None} == {**before, "traffics": None}
    assert [split["revision"] for split in after["traffics"]] == ["pull-api-1a2b3c4d"]


def test_a_release_is_another_revision() -> None:
    other = IMAGE.replace("3", "4")
    revisions = {
        recorded(**settings)["origin-service"].inputs["template"]["revision"]
        for settings in ({}, {"image": other}, {"memory_gib": 4})
    }
    assert len(revisions) == 3


def test_it_comes_and_goes_with_its_section() -> None:
    without, with_it = estate(), estate(api_origin=SECTION)
    added = {resource.name for resource in with_it.resources} - {
        resource.name for resource in without.resources
    }
    grants = {name for name in added if name.endswith("-for-api-origin")}
    assert added - grants == {
        "api-origin",
        "api-origin-service",
        "identity-api-origin",
        "identity-deployer-acts-as-api-origin",
    }
    assert len(grants) == 28
    assert "api_origin_url" not in without.outputs[""]
    assert with_it.outputs[""]["api_origin_url"] == "<api-origin-service.uri>"

"""Google Cloud: services, worker pools and jobs of Cloud Run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from resource_types import RESOURCE_TYPES, gcp
from sandbox import checks
from sandbox.models.base import (
    Computed,
    Reference,
    RequiredRole,
    ResourceModel,
    created,
    updated,
)
from sandbox.models.gcp_common import LABEL_OUTPUTS, etag, grant_model
from sandbox.resource import Resource


def _latest_revision(resource: Resource) -> str:
    return f"{resource.address}/revisions/{resource.internal['latest']}"


def _generation(resource: Resource) -> str:
    return str(resource.internal.get("generation", 1))


def _url(resource: Resource) -> str:
    return resource.format("https://{name}-{number}.{location}.run.app")


def _traffic_statuses(resource: Resource) -> list[dict[str, Any]]:
    latest = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}
    return [
        {"uri": _url(resource) if not target.get("tag") else "", **target}
        for target in resource.get("traffics") or [latest]
    ]


def _secret(path: str, account: str) -> Reference:
    """A secret that the revision's service account must be able to read.

    Cloud Run checks the access when it creates the revision.
    https://cloud.google.com/run/docs/configuring/services/secrets
    """

    def member(resource: Resource) -> str:
        default = resource.format("{number}-compute@developer.gserviceaccount.com")
        return f"serviceAccount:{resource.get(account, default)}"

    role = RequiredRole(gcp.SECRET_IAM.member, "roles/secretmanager.secretAccessor", member)
    return Reference(path, gcp.SECRET, "blocks_deletion", required_role=role)


def _run_model(token: str, collection: str, **outputs: Computed) -> ResourceModel:
    """What services, worker pools and jobs share: revisions, secrets and a network."""
    template = RESOURCE_TYPES[token].pod_spec
    account = f"{template}.serviceAccount"
    envs, access = f"{template}.containers[].envs[]", f"{template}.vpcAccess"
    interface = f"{access}.networkInterfaces[]"
    return ResourceModel(
        address=f"projects/{{project}}/locations/{{location}}/{collection}/{{name}}",
        outputs={
            "createTime": created,
            "updateTime": updated,
            "uid": "{uuid}",
            "etag": etag,
            "latestCreatedRevision": _latest_revision,
            "latestReadyRevision": _latest_revision,
            "generation": _generation,
            "observedGeneration": _generation,
            "terminalConditions": lambda resource: [
                {
                    "type": "Ready",
                    "state": "CONDITION_SUCCEEDED",
                    "lastTransitionTime": resource.updated,
                }
            ],
            **outputs,
        },
        references=(
            _secret(f"{envs}.valueSource.secretKeyRef.secret", account),
            _secret(f"{template}.volumes[].secret.secret", account),
            Reference(account, gcp.SERVICE_ACCOUNT, "blocks_deletion"),
            Reference(f"{access}.connector", gcp.VPC_CONNECTOR, "blocks_deletion"),
            Reference(f"{interface}.network", gcp.NETWORK, "blocks_deletion"),
            Reference(f"{interface}.subnetwork", gcp.SUBNETWORK, "blocks_deletion"),
        ),
        history="revisions",
        checked_at_apply=(checks.cloud_run_traffic,),
    )


def _job_model() -> ResourceModel:
    """A job has no revisions."""
    model = _run_model(gcp.RUN_JOB, "jobs")
    outputs = {
        name: value for name, value in model.outputs.items() if not name.endswith("Revision")
    }
    return replace(model, outputs=outputs, history=None, checked_at_apply=())


MODELS: Final[Mapping[str, ResourceModel]] = {
    gcp.RUN_SERVICE: _run_model(
        gcp.RUN_SERVICE,
        "services",
        uri=_url,
        urls=lambda resource: [_url(resource)],
        trafficStatuses=_traffic_statuses,
        **LABEL_OUTPUTS,
    ),
    gcp.RUN_SERVICE_IAM.member: grant_model(
        "projects/{project}/locations/{location}/services/{name}",
        Reference("name", gcp.RUN_SERVICE, "parent"),
    ),
    gcp.RUN_WORKER_POOL: _run_model(
        gcp.RUN_WORKER_POOL,
        "workerPools",
        **LABEL_OUTPUTS,
    ),
    gcp.RUN_WORKER_POOL_IAM.member: grant_model(
        "projects/{project}/locations/{location}/workerPools/{name}",
        Reference("name", gcp.RUN_WORKER_POOL, "parent"),
    ),
    gcp.RUN_JOB: _job_model(),
}

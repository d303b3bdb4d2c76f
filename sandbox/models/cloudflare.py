"""Cloudflare: Workers, DNS, zone settings and R2 buckets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from resource_types import cloudflare
from sandbox.models.base import OnDelete, Reference, ResourceModel, created, updated
from sandbox.resource import Resource

_CONFLICTING_RECORDS: Final = {
    "CNAME": ("A", "AAAA", "CNAME"),
    "A": ("CNAME",),
    "AAAA": ("CNAME",),
}
"""Record types that a name cannot have next to a record of the type.

https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/
"""


def _record_address(resource: Resource) -> str:
    content = resource.get("content") or json.dumps(resource.get("data"), sort_keys=True)
    return resource.format("zones/{zoneId}/records/{name}/{type}/") + str(content)


def _conflicting_records(resource: Resource) -> tuple[str, ...]:
    records = resource.format("zones/{zoneId}/records/{name}/").replace("*", "[*]")
    types = _CONFLICTING_RECORDS.get(resource["type"], ())
    return tuple(f"{records}{record_type}/*" for record_type in types)


def _setting_of_bucket(name: str, on_delete: OnDelete = "remove") -> ResourceModel:
    """A setting that each R2 bucket has once."""
    return ResourceModel(
        address=f"accounts/{{accountId}}/r2/{{bucketName}}/{name}",
        id="{bucketName}",
        name="",
        references=(Reference("bucketName", cloudflare.R2_BUCKET, "parent"),),
        idempotent=True,
        on_delete=on_delete,
    )


MODELS: Final[Mapping[str, ResourceModel]] = {
    cloudflare.WORKER: ResourceModel(
        address="workers/{name}",  # without the account, because routes name a Worker without it
        id="{hex32}",
        outputs={"createdOn": created, "updatedOn": updated},
    ),
    cloudflare.WORKER_VERSION: ResourceModel(
        address="workers/{workerId}/versions/{uuid}",
        id="{uuid}",
        name="",
        outputs={
            "createdOn": created,
            "number": lambda resource: resource.internal["number"],
            "source": "api",
        },
        references=(Reference("workerId", cloudflare.WORKER, "parent"),),
        history="number",
        on_delete="abandon",
    ),
    cloudflare.WORKERS_DEPLOYMENT: ResourceModel(
        address="workers/{scriptName}/deployments/{uuid}",
        id="{uuid}",
        name="",
        outputs={"createdOn": created, "source": "api", "authorEmail": "sandbox@example.com"},
        references=(
            Reference("scriptName", cloudflare.WORKER, "parent"),
            Reference("versions[].versionId", cloudflare.WORKER_VERSION, "must_exist"),
        ),
        on_delete="abandon",
    ),
    cloudflare.WORKERS_ROUTE: ResourceModel(
        address="zones/{zoneId}/routes/{pattern}",
        id="{hex32}",
        name="",
        references=(Reference("script", cloudflare.WORKER, "blocks_deletion"),),
    ),
    cloudflare.DNS_RECORD: ResourceModel(
        address=_record_address,
        id="{hex32}",
        name="",
        outputs={
            "createdOn": created,
            "modifiedOn": updated,
            "proxiable": lambda resource: resource.get("type") in ("A", "AAAA", "CNAME"),
        },
        conflicting_addresses=_conflicting_records,
    ),
    cloudflare.R2_BUCKET: ResourceModel(
        address="accounts/{accountId}/r2/{name}",
        id="{name}",
        outputs={"creationDate": created},
    ),
    cloudflare.R2_BUCKET_CORS: _setting_of_bucket("cors"),
    # The provider cannot delete a lifecycle and only warns about it: the function ``Delete`` in
    # ``internal/services/r2_bucket_lifecycle/resource.go`` of terraform-provider-cloudflare.
    cloudflare.R2_BUCKET_LIFECYCLE: _setting_of_bucket("lifecycle", on_delete="abandon"),
    cloudflare.ZONE_SETTING: ResourceModel(
        address="zones/{zoneId}/settings/{settingId}",
        id="{settingId}",
        name="",
        outputs={"editable": lambda _: True, "modifiedOn": updated},
        idempotent=True,
    ),
}

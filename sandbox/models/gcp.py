"""Google Cloud: APIs, keys, data stores, images, identities, secrets and GKE."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from resource_types import gcp
from sandbox import checks
from sandbox.models.base import Reference, RequiredRole, ResourceModel, created, updated
from sandbox.models.gcp_common import (
    LABEL_OUTPUTS,
    address_of_account,
    address_of_agent,
    agent_email,
    encryption_key,
    grant_model,
)
from sandbox.resource import Resource
from sandbox.values import UNKNOWN


def api_of(token: str) -> str | None:
    """The Google API that creates resources of a type, or ``None``.

    Other providers have none. The types that enable APIs need none either, because the API for them
    is enabled in every project (https://cloud.google.com/service-usage/docs/enabled-service).
    """
    provider, module, _ = token.split(":")
    if provider != "gcp" or token in (gcp.PROJECT_SERVICE, gcp.SERVICE_IDENTITY):
        return None
    name = module.partition("/")[0]
    return f"{_APIS.get(name, name)}.googleapis.com"


_APIS: Final = {
    "cloudrun": "run",
    "cloudrunv2": "run",
    "kms": "cloudkms",
    "organizations": "cloudresourcemanager",
    "projects": "cloudresourcemanager",
    "serviceaccount": "iam",
    "sql": "sqladmin",
}
"""APIs whose names differ from the SDK's module."""


def _control_plane_endpoints(resource: Resource) -> dict[str, Any]:
    config = resource.inputs.get("controlPlaneEndpointsConfig", {})
    dns = {
        **config.get("dnsEndpointConfig", {}),
        "endpoint": f"gke-{resource.hexadecimal(40, 'dns')}.{resource['location']}.gke.goog",
    }
    return {**config, "dnsEndpointConfig": dns}


def _master_auth(resource: Resource) -> dict[str, str]:
    return {"clusterCaCertificate": base64.b64encode(resource.certificate().encode()).decode()}


def _account_email(resource: Resource) -> str:
    return resource.format("{accountId}@{project}.iam.gserviceaccount.com")


def _agent_email(resource: Resource) -> str:
    return agent_email(resource["service"], resource.project_number())


def _sql_private(resource: Resource) -> str | None:
    private = resource.get("settings.ipConfiguration.privateNetwork") or resource.get("clone")
    return resource.private_address() if private else None


def _sql_public(resource: Resource) -> str | None:
    return (
        resource.public_address() if resource.get("settings.ipConfiguration.ipv4Enabled") else None
    )


def _sql_addresses(resource: Resource) -> list[dict[str, str]]:
    private, public = _sql_private(resource), _sql_public(resource)
    return [
        {"ipAddress": address, "type": address_type, "timeToRetire": ""}
        for address, address_type in ((public, "PRIMARY"), (private, "PRIVATE"))
        if address
    ]


def _certificates(resource: Resource) -> list[dict[str, str]]:
    return [
        {
            "cert": resource.certificate(),
            "createTime": resource.created,
            "expirationTime": f"{int(resource.created[:4]) + 10}{resource.created[4:]}",
            "sha1Fingerprint": resource.hexadecimal(40, "fingerprint"),
        }
    ]


def _redis_port(resource: Resource) -> int:
    return 6378 if resource.get("transitEncryptionMode") == "SERVER_AUTHENTICATION" else 6379


def _redis_certificates(resource: Resource) -> list[dict[str, str]]:
    return _certificates(resource) if _redis_port(resource) == 6378 else []


def _redis_zone(resource: Resource) -> str:
    return resource.get("locationId") or f"{resource['region']}-a"


_ROTATION_TOPIC_ROLE: Final = RequiredRole(
    gcp.TOPIC_IAM.member,
    "roles/pubsub.publisher",
    f"serviceAccount:{agent_email('secretmanager.googleapis.com', '*')}",
)
"""The role that Secret Manager needs to publish rotations to a topic.

https://cloud.google.com/secret-manager/docs/event-notifications
"""

MODELS: Final[Mapping[str, ResourceModel]] = {
    # APIs and their service agents
    gcp.PROJECT_SERVICE: ResourceModel(
        address="{project}/{service}",
        name="service",
        idempotent=True,
        on_delete=lambda inputs: "remove" if inputs.get("disableOnDestroy") else "abandon",
    ),
    gcp.SERVICE_IDENTITY: ResourceModel(
        address="projects/{project}/services/{service}",
        name="service",
        short_address=address_of_agent,
        idempotent=True,
        outputs={
            "email": _agent_email,
            "member": lambda resource: f"serviceAccount:{_agent_email(resource)}",
        },
        references=(Reference("service", gcp.PROJECT_SERVICE, "must_exist"),),
        on_delete="abandon",
        checked_at_apply=(checks.agent_on_request,),
    ),
    gcp.PROJECT_IAM.member: grant_model("{project}"),
    # Encryption keys. Key rings and keys cannot be deleted.
    # https://cloud.google.com/kms/docs/faq#cannot_delete
    gcp.KEY_RING: ResourceModel(
        address="projects/{project}/locations/{location}/keyRings/{name}", on_delete="abandon"
    ),
    gcp.CRYPTO_KEY: ResourceModel(
        address="{keyRing}/cryptoKeys/{name}",
        outputs={
            "primaries": lambda resource: [
                {"name": f"{resource.address}/cryptoKeyVersions/1", "state": "ENABLED"}
            ],
            **LABEL_OUTPUTS,
        },
        references=(Reference("keyRing", gcp.KEY_RING, "parent"),),
        on_delete="abandon",
    ),
    gcp.CRYPTO_KEY_IAM.member: grant_model(
        "{cryptoKeyId}", Reference("cryptoKeyId", gcp.CRYPTO_KEY, "parent")
    ),
    # Databases, Redis and buckets
    gcp.SQL_INSTANCE: ResourceModel(
        address="projects/{project}/instances/{name}",
        id="{name}",
        outputs={
            "connectionName": "{project}:{region}:{name}",
            "selfLink": "https://sqladmin.googleapis.com/sql/v1beta4/{address}",
            "privateIpAddress": _sql_private,
            "publicIpAddress": _sql_public,
            "firstIpAddress": lambda resource: _sql_public(resource) or _sql_private(resource),
            "ipAddresses": _sql_addresses,
            "serverCaCerts": _certificates,
            "serviceAccountEmailAddress": (
                "p{number}-{hex8}@gcp-sa-cloud-sql.iam.gserviceaccount.com"
            ),
            "instanceType": "CLOUD_SQL_INSTANCE",
        },
        references=(
            Reference("settings.ipConfiguration.privateNetwork", gcp.NETWORK, "blocks_deletion"),
            Reference(
                "settings.ipConfiguration.privateNetwork",
                gcp.SERVICE_NETWORKING_CONNECTION,
                "blocks_deletion",
            ),
            Reference(
                "settings.ipConfiguration.allocatedIpRange", gcp.GLOBAL_ADDRESS, "must_exist"
            ),
            encryption_key("encryptionKeyName", "sqladmin.googleapis.com"),
            Reference("clone.sourceInstanceName", gcp.SQL_INSTANCE, "must_exist"),
        ),
        # https://cloud.google.com/sql/docs/postgres/delete-instance: the name stays reserved.
        on_delete="reserve_address",
        checked_at_apply=(checks.key_beside("encryptionKeyName", "{region}"),),
    ),
    gcp.SQL_DATABASE: ResourceModel(
        address="projects/{project}/instances/{instance}/databases/{name}",
        outputs={
            "selfLink": "https://sqladmin.googleapis.com/sql/v1beta4/{address}",
            "charset": lambda resource: resource.get("charset", "UTF8"),
            "collation": lambda resource: resource.get("collation", "en_US.UTF8"),
        },
        references=(Reference("instance", gcp.SQL_INSTANCE, "parent"),),
    ),
    gcp.SQL_USER: ResourceModel(
        address="projects/{project}/instances/{instance}/users/{name}",
        id="{name}//{instance}",
        references=(Reference("instance", gcp.SQL_INSTANCE, "parent"),),
    ),
    gcp.REDIS_INSTANCE: ResourceModel(
        address="projects/{project}/locations/{region}/instances/{name}",
        outputs={
            "host": Resource.private_address,
            "port": _redis_port,
            "authString": lambda resource: (
                resource.uuid("auth") if resource.get("authEnabled") else None
            ),
            "serverCaCerts": _redis_certificates,
            "createTime": created,
            "currentLocationId": _redis_zone,
            "locationId": _redis_zone,
            "persistenceIamIdentity": (
                "serviceAccount:service-{number}@cloud-redis.iam.gserviceaccount.com"
            ),
            **LABEL_OUTPUTS,
        },
        references=(
            Reference("authorizedNetwork", gcp.NETWORK, "blocks_deletion"),
            Reference("authorizedNetwork", gcp.SERVICE_NETWORKING_CONNECTION, "blocks_deletion"),
            encryption_key("customerManagedKey", "redis.googleapis.com"),
        ),
        checked_at_apply=(checks.key_beside("customerManagedKey", "{region}"),),
    ),
    gcp.BUCKET: ResourceModel(
        address="b/{name}",
        id="{name}",
        outputs={
            "selfLink": "https://www.googleapis.com/storage/v1/b/{name}",
            "url": "gs://{name}",
            "projectNumber": lambda resource: int(resource.project_number()),
            "timeCreated": created,
            "updated": updated,
            "location": lambda resource: resource["location"].upper(),
            **LABEL_OUTPUTS,
        },
        references=(encryption_key("encryption.defaultKmsKeyName", "storage.googleapis.com"),),
        checked_at_apply=(checks.key_beside("encryption.defaultKmsKeyName", "{location}"),),
    ),
    gcp.BUCKET_IAM.member: grant_model("b/{bucket}", Reference("bucket", gcp.BUCKET, "parent")),
    # Images, identities, secrets and topics
    gcp.REPOSITORY: ResourceModel(
        address="projects/{project}/locations/{location}/repositories/{repositoryId}",
        name="repositoryId",
        outputs={
            "name": "{repositoryId}",
            "registryUri": "{location}-docker.pkg.dev/{project}/{repositoryId}",
            "createTime": created,
            "updateTime": updated,
            **LABEL_OUTPUTS,
        },
        references=(encryption_key("kmsKeyName", "artifactregistry.googleapis.com"),),
        checked_at_apply=(checks.key_beside("kmsKeyName", "{location}"),),
    ),
    gcp.REPOSITORY_IAM.member: grant_model(
        "projects/{project}/locations/{location}/repositories/{repository}",
        Reference("repository", gcp.REPOSITORY, "parent"),
    ),
    gcp.SERVICE_ACCOUNT: ResourceModel(
        address="projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
        name="accountId",
        short_address=address_of_account,
        outputs={
            "name": "{address}",
            "email": _account_email,
            "member": lambda resource: f"serviceAccount:{_account_email(resource)}",
            "uniqueId": "{digits21}",
        },
        known_in_preview=("email", "member"),
    ),
    gcp.SERVICE_ACCOUNT_IAM.member: grant_model(
        "{serviceAccountId}", Reference("serviceAccountId", gcp.SERVICE_ACCOUNT, "parent")
    ),
    # A deleted pool keeps its id for 30 days, and so does a provider.
    # https://cloud.google.com/iam/docs/manage-workload-identity-pools-providers
    gcp.WORKLOAD_IDENTITY_POOL: ResourceModel(
        address="projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}",
        name="workloadIdentityPoolId",
        outputs={
            "name": (
                "projects/{number}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
            ),
            "state": "ACTIVE",
        },
        on_delete="reserve_address",
    ),
    gcp.WORKLOAD_IDENTITY_POOL_PROVIDER: ResourceModel(
        address=(
            "projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
            "/providers/{workloadIdentityPoolProviderId}"
        ),
        name="workloadIdentityPoolProviderId",
        outputs={
            "name": (
                "projects/{number}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
                "/providers/{workloadIdentityPoolProviderId}"
            ),
            "state": "ACTIVE",
        },
        references=(Reference("workloadIdentityPoolId", gcp.WORKLOAD_IDENTITY_POOL, "parent"),),
        on_delete="reserve_address",
    ),
    gcp.SECRET: ResourceModel(
        address="projects/{project}/secrets/{secretId}",
        name="secretId",
        outputs={
            "name": "projects/{number}/secrets/{secretId}",
            "createTime": created,
            **LABEL_OUTPUTS,
        },
        references=(
            Reference(
                "topics[].name", gcp.TOPIC, "blocks_deletion", required_role=_ROTATION_TOPIC_ROLE
            ),
            encryption_key(
                "replication.auto.customerManagedEncryption.kmsKeyName",
                "secretmanager.googleapis.com",
            ),
            encryption_key(
                "replication.userManaged.replicas[].customerManagedEncryption.kmsKeyName",
                "secretmanager.googleapis.com",
            ),
        ),
        checked_at_apply=(
            checks.key_beside("replication.auto.customerManagedEncryption.kmsKeyName", "global"),
        ),
    ),
    gcp.SECRET_VERSION: ResourceModel(
        address="{secret}/versions/{uuid}",
        id=lambda resource: f"{resource['secret']}/versions/{resource.internal['number']}",
        name="",
        outputs={
            "name": lambda resource: f"{resource['secret']}/versions/{resource.internal['number']}",
            "version": lambda resource: str(resource.internal["number"]),
            "createTime": created,
        },
        references=(Reference("secret", gcp.SECRET, "parent"),),
        history="number",
    ),
    gcp.SECRET_IAM.member: grant_model(
        "projects/{project}/secrets/{secretId}", Reference("secretId", gcp.SECRET, "parent")
    ),
    gcp.TOPIC: ResourceModel(
        address="projects/{project}/topics/{name}",
        outputs={**LABEL_OUTPUTS},
        references=(encryption_key("kmsKeyName", "pubsub.googleapis.com"),),
    ),
    gcp.TOPIC_IAM.member: grant_model(
        "projects/{project}/topics/{topic}", Reference("topic", gcp.TOPIC, "parent")
    ),
    # Kubernetes Engine
    gcp.GKE_CLUSTER: ResourceModel(
        address="projects/{project}/locations/{location}/clusters/{name}",
        outputs={
            "endpoint": Resource.public_address,
            "controlPlaneEndpointsConfig": _control_plane_endpoints,
            "selfLink": "https://container.googleapis.com/v1/{address}",
            "masterVersion": "1.33.5-gke.1000000",
            **LABEL_OUTPUTS,
            "masterAuth": _master_auth,
        },
        unknown_in_preview={
            "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"endpoint": UNKNOWN}}
        },
        references=(
            Reference("network", gcp.NETWORK, "blocks_deletion"),
            Reference("subnetwork", gcp.SUBNETWORK, "blocks_deletion"),
            Reference(
                "clusterAutoscaling.autoProvisioningDefaults.serviceAccount",
                gcp.SERVICE_ACCOUNT,
                "blocks_deletion",
            ),
            encryption_key("databaseEncryption.keyName", "container.googleapis.com"),
        ),
        checked_at_apply=(checks.key_beside("databaseEncryption.keyName", "{location}"),),
    ),
}

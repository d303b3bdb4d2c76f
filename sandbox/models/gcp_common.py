"""Google Cloud, what several services share: labels, roles, service agents, encryption keys."""

from __future__ import annotations

import base64
from typing import Final

from resource_types import gcp
from sandbox.models.base import Reference, RequiredRole, ResourceModel
from sandbox.resource import Resource

_AGENT_DOMAINS: Final = {
    "artifactregistry.googleapis.com": "gcp-sa-artifactregistry",
    "cloudkms.googleapis.com": "gcp-sa-cloudkms",
    "container.googleapis.com": "container-engine-robot",
    "pubsub.googleapis.com": "gcp-sa-pubsub",
    "redis.googleapis.com": "cloud-redis",
    "run.googleapis.com": "serverless-robot-prod",
    "secretmanager.googleapis.com": "gcp-sa-secretmanager",
    "sqladmin.googleapis.com": "gcp-sa-cloud-sql",
    "storage.googleapis.com": "gs-project-accounts",
}
"""The projects that hold Google's service agents, which are in the agents' e-mail addresses.

https://cloud.google.com/iam/docs/service-agents
"""

_SERVICE_ACCOUNT: Final = (
    r"serviceAccount:((?!service-\d+@|p\d+-)[^@]+@[^@]+\.iam\.gserviceaccount\.com)"
)
# A service identity creates no agent for two services. Cloud Storage creates its agent when it is
# asked for the name: https://cloud.google.com/storage/docs/getting-service-agent. Cloud SQL creates
# one for each instance: https://cloud.google.com/sql/docs/postgres/project-access-control.
_SERVICE_AGENT: Final = (
    r"serviceAccount:(service-\d+@(?!gs-project-accounts\b)[^@]+\.iam\.gserviceaccount\.com)"
)
_IDENTITY_IN_POOL: Final = (
    r"principal(?:Set)?://[^/]+/(projects/[^/]+/locations/global/workloadIdentityPools/[^/]+)/.*"
)


def agent_email(service: str, project_number: str) -> str:
    """The e-mail address of a service agent; ``*`` as the number makes it a pattern."""
    domain = _AGENT_DOMAINS.get(service, f"gcp-sa-{service.partition('.')[0]}")
    return f"service-{project_number}@{domain}.iam.gserviceaccount.com"


def address_of_agent(resource: Resource) -> str:
    """The address of the service identity whose agent has the e-mail address in ``service``."""
    domain = resource["service"].partition("@")[2].partition(".")[0]
    services = {known: service for service, known in _AGENT_DOMAINS.items()}
    service = services.get(domain, f"{domain.removeprefix('gcp-sa-')}.googleapis.com")
    return resource.format("projects/{project}/services/") + service


def address_of_account(resource: Resource) -> str:
    """The address of the service account whose e-mail address is in ``accountId``."""
    email = resource["accountId"]
    project = email.partition("@")[2].partition(".")[0]
    return f"projects/{project}/serviceAccounts/{email}"


def _labels(resource: Resource) -> dict[str, str]:
    return {"goog-pulumi-provisioned": "true", **(resource.get("labels") or {})}


LABEL_OUTPUTS: Final = {"effectiveLabels": _labels, "pulumiLabels": _labels}
"""Outputs of every type with labels."""


def etag(resource: Resource) -> str:
    """A checksum that changes with each update."""
    return base64.b64encode(resource.rng(f"etag/{resource.updated}").randbytes(9)).decode()


def grant_model(address: str, *references: Reference) -> ResourceModel:
    """The model of an ``IAMMember``: one role for one member.

    The API adds a member that has the role already without an error
    (https://cloud.google.com/iam/docs/granting-changing-revoking-access). The member must exist: a
    service account, a service agent, or an identity pool.
    """
    return ResourceModel(
        address=f"{address}/{{role}}/{{member}}{{condition}}",
        name="",
        outputs={"etag": etag},
        references=(
            *references,
            Reference("member", gcp.SERVICE_ACCOUNT, "must_exist", pattern=_SERVICE_ACCOUNT),
            Reference("member", gcp.SERVICE_IDENTITY, "must_exist", pattern=_SERVICE_AGENT),
            Reference(
                "member", gcp.WORKLOAD_IDENTITY_POOL, "must_exist", pattern=_IDENTITY_IN_POOL
            ),
        ),
        idempotent=True,
    )


def encryption_key(path: str, service: str) -> Reference:
    """A customer-managed key, on which the service's agent needs the role to encrypt.

    https://cloud.google.com/kms/docs/cmek
    """
    role = RequiredRole(
        gcp.CRYPTO_KEY_IAM.member,
        "roles/cloudkms.cryptoKeyEncrypterDecrypter",
        f"serviceAccount:{agent_email(service, '*')}",
    )
    return Reference(path, gcp.CRYPTO_KEY, "must_exist", required_role=role)

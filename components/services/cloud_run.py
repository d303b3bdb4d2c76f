"""What all Cloud Run services share: template, environment, probes, network, revisions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pulumi
import pulumi_gcp as gcp
from pulumi import ResourceOptions

from components.config.services import CURRENT, RevisionShare, Size
from components.platform.identity import ServiceAccount
from components.platform.network import Network
from components.secrets.catalogue import Consumer
from components.secrets.manager import SecretManager, SecretReference

TO_REVISION: Final = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"

Shared = Any
"""Part of a template. The SDK has two identical types for it, of services and of worker pools."""


def environment(values: Mapping[str, str], secrets: Iterable[SecretReference]) -> Shared:
    """The environment of a container: values, then references to secrets, each sorted by name."""
    return [
        *({"name": name, "value": value} for name, value in sorted(values.items())),
        *(
            {
                "name": reference.variable,
                "value_source": {
                    "secret_key_ref": {
                        "secret": reference.secret_id,
                        "version": reference.version,
                    }
                },
            }
            for reference in secrets
        ),
    ]


def private_access(network: Network, egress: str) -> Shared:
    """Access to the VPC. All traffic uses it, so that partners see a single egress address."""
    if egress == "connector":
        return {"connector": network.connector, "egress": "ALL_TRAFFIC"}
    return {
        "network_interfaces": [{"network": network.name, "subnetwork": network.subnet}],
        "egress": "ALL_TRAFFIC",
    }


def password_annotation(password_generation: int) -> Mapping[str, str]:
    """Creates a new revision, which reads the new password, when the database password changes."""
    return {"pull.com/password-generation": str(password_generation)}


def limits(size: Size) -> Mapping[str, str]:
    """Resource limits of one instance."""
    return {"cpu": str(size.cpu), "memory": f"{size.memory_gib}Gi"}


def service_template(
    *,
    container: str,
    image: str,
    port: int,
    size: Size,
    timeout_seconds: int,
    cpu_idle: bool,
    service_account: ServiceAccount,
    access: Shared,
    envs: Shared,
    password_generation: int,
) -> gcp.cloudrunv2.ServiceTemplateArgsDict:
    """The template of a service, without the name of its revision.

    ``cpu_idle`` throttles the CPU between requests; ``access`` comes from ``private_access`` and
    ``envs`` from ``environment``.
    """
    return {
        "service_account": service_account.email,
        "annotations": password_annotation(password_generation),
        "execution_environment": "EXECUTION_ENVIRONMENT_GEN2",
        "timeout": f"{timeout_seconds}s",
        "scaling": {
            "min_instance_count": size.min_instances,
            "max_instance_count": size.max_instances,
        },
        "vpc_access": access,
        "containers": [
            {
                "name": container,
                "image": image,
                "ports": {"container_port": port},
                "envs": envs,
                "resources": {
                    "limits": limits(size),
                    "cpu_idle": cpu_idle,
                    "startup_cpu_boost": True,
                },
                "startup_probe": startup_probe(port),
                "liveness_probe": liveness_probe(port),
            }
        ],
    }


def rollout(
    after: Iterable[pulumi.Resource],
    secrets: SecretManager,
    consumer: Consumer,
    network: Network,
    service_account: ServiceAccount,
) -> ResourceOptions:
    """What a service or pool depends on, and which of its properties are ignored."""
    return ResourceOptions(
        depends_on=[
            *after,
            *secrets.readable_by(consumer),
            *network.egress,
            *service_account.ready,
        ],
        # gcloud and the console write their own name and version here.
        ignore_changes=["client", "clientVersion"],
    )


def startup_probe(port: int) -> Shared:
    """Up to two minutes to start: with direct egress, the first connection can take a minute.

    https://cloud.google.com/run/docs/configuring/vpc-direct-vpc
    """
    return {
        "http_get": {"path": "/health", "port": port},
        "period_seconds": 10,
        "timeout_seconds": 5,
        "failure_threshold": 12,
    }


def liveness_probe(port: int) -> Shared:
    """Restarts a container that fails for 90 seconds."""
    return {
        "http_get": {"path": "/health/live", "port": port},
        "period_seconds": 30,
        "timeout_seconds": 5,
        "failure_threshold": 3,
    }


def revision_name(service: str, template: Mapping[str, object]) -> str:
    """``<service>-<hash of the whole template>``.

    Cloud Run rejects the name of an existing revision with a different template, which a hash of
    the whole template rules out. So a template contains only values that are known in advance.
    """
    text = json.dumps(template, sort_keys=True)
    return f"{service}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def traffic(
    shares: Sequence[RevisionShare], revision: str
) -> list[gcp.cloudrunv2.ServiceTrafficArgsDict]:
    """Traffic by revision name: with "latest", every edit would move users."""
    return [
        {
            "type": TO_REVISION,
            "revision": revision if share.revision == CURRENT else share.revision,
            "percent": share.percent,
        }
        for share in shares
    ]

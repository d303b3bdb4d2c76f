"""What everything on Cloud Run has in common: template, environment, probes, network, revisions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pulumi
import pulumi_gcp as gcp
from pulumi import ResourceOptions

from components.config.services import CURRENT, RevisionShare, Size
from components.platform.identity import Account
from components.platform.network import Network
from components.secrets.catalogue import Consumer
from components.secrets.store import SecretReference, SecretStore

TO_REVISION: Final = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"

Shared = Any
"""A part of a template. The SDK types it twice, for services and worker pools, word for word."""


def environment(values: Mapping[str, str], secrets: Iterable[SecretReference]) -> Shared:
    """Environment of a container: plain values, then secrets by reference; sorted by name."""
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
    """The way into the VPC. All traffic takes it, so that partners see the one egress address."""
    if egress == "connector":
        return {"connector": network.connector, "egress": "ALL_TRAFFIC"}
    return {
        "network_interfaces": [{"network": network.name, "subnetwork": network.subnet}],
        "egress": "ALL_TRAFFIC",
    }


def password_annotation(password_generation: int) -> Mapping[str, str]:
    """A new password of the database makes a new revision, which reads it."""
    return {"pull.com/password-generation": str(password_generation)}


def limits(size: Size) -> Mapping[str, str]:
    """What one instance may take."""
    return {"cpu": str(size.cpu), "memory": f"{size.memory_gib}Gi"}


def service_template(
    *,
    container: str,
    image: str,
    port: int,
    size: Size,
    timeout_seconds: int,
    cpu_idle: bool,
    account: Account,
    access: Shared,
    envs: Shared,
    password_generation: int,
) -> gcp.cloudrunv2.ServiceTemplateArgsDict:
    """The template of a service, without the name of its revision.

    ``cpu_idle`` takes the CPU away between requests; ``access`` is of ``private_access`` and
    ``envs`` of ``environment``.
    """
    return {
        "service_account": account.email,
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
    secrets: SecretStore,
    consumer: Consumer,
    network: Network,
    account: Account,
) -> ResourceOptions:
    """What a service or pool waits for, and what of it is nobody's business."""
    return ResourceOptions(
        depends_on=[
            *after,
            *secrets.readable_by(consumer),
            *network.egress,
            *account.ready,
        ],
        # gcloud and the console write their own name here whenever somebody looks around.
        ignore_changes=["client", "clientVersion"],
    )


def startup_probe(port: int) -> Shared:
    """Up to two minutes to start: with direct egress the first connection can take one of them."""
    return {
        "http_get": {"path": "/health", "port": port},
        "period_seconds": 10,
        "timeout_seconds": 5,
        "failure_threshold": 12,
    }


def liveness_probe(port: int) -> Shared:
    """A container that fails for a minute and a half is restarted."""
    return {
        "http_get": {"path": "/health/live", "port": port},
        "period_seconds": 30,
        "timeout_seconds": 5,
        "failure_threshold": 3,
    }


def revision_name(service: str, template: Mapping[str, object]) -> str:
    """``<service>-<hash of the whole template>``.

    Cloud Run refuses a revision name that comes back with another template. A hash of everything
    in the template, which therefore holds only values that are known in advance, cannot.
    """
    text = json.dumps(template, sort_keys=True)
    return f"{service}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def traffic(
    shares: Sequence[RevisionShare], revision: str
) -> list[gcp.cloudrunv2.ServiceTrafficArgsDict]:
    """Always said for each revision by name: "latest" would move users on any edit."""
    return [
        {
            "type": TO_REVISION,
            "revision": revision if share.revision == CURRENT else share.revision,
            "percent": share.percent,
        }
        for share in shares
    ]

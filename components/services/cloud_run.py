"""What every container on Cloud Run has in common: environment, probes, network, revision names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pulumi_gcp as gcp

from components.config import CURRENT, RevisionShare
from components.platform.network import Network
from components.secrets.store import SecretReference

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

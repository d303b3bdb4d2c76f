"""What the objects of the namespace are called, and what all of them say about themselves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

import pulumi_kubernetes as kubernetes

from components.workloads import WorkerType

NAMESPACE: Final = "pull"
API: Final = "pull-api"
SECRETS_ACCOUNT: Final = "pull-secrets-sa"
SECRETS: Final = "pull-secrets"
"""The ExternalSecret, and the Secret that the operator makes of it."""

API_PRIORITY: Final = "pull-api"
WORKER_PRIORITY: Final = "pull-worker"

NAME_LABEL: Final = "app.kubernetes.io/name"
COMPONENT_LABEL: Final = "app.kubernetes.io/component"

_TAKE_BACK: Final = {"pulumi.com/patchForce": "true"}
"""To the provider: a field that somebody changed by hand is ours again with the next change of it.
Without this their ``kubectl edit`` owns it, and the ``up`` that should repair it stops there."""

Metadata = kubernetes.meta.v1.ObjectMetaArgsDict


def deployment_of(worker_type: WorkerType) -> str:
    """``pull-temporal-worker`` polls all queues; a type of its own is named behind it."""
    own = "" if worker_type is WorkerType.ALL else f"-{worker_type}"
    return f"pull-temporal-worker{own}"


def account_of(deployment: str) -> str:
    """Name of the service account that a Deployment's pods run under."""
    return f"{deployment}-sa"


def metadata(
    name: str,
    *,
    namespace: str | None = NAMESPACE,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Metadata:
    """Metadata with the name said: a generated one could not be found again by the runbook.

    The namespace is a literal and not an output, so that a manifest is known in a preview.
    """
    said: Metadata = {
        "name": name,
        "labels": {"app.kubernetes.io/part-of": "pull", **(labels or {})},
        "annotations": {**_TAKE_BACK, **(annotations or {})},
    }
    if namespace:
        said["namespace"] = namespace
    return said


def checksum(*values: Mapping[str, str]) -> str:
    """Changes when one of ``values`` does: as an annotation of a pod it makes pods that read it."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]

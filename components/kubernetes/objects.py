"""Names and common metadata of the objects in the namespace."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

import pulumi_kubernetes as kubernetes

from components.names import API_NAME

NAMESPACE: Final = "pull"
API: Final = API_NAME
SECRETS_ACCOUNT: Final = "pull-secrets-sa"
SECRETS: Final = "pull-secrets"
"""The ExternalSecret, and the Secret that the operator creates from it."""

API_PRIORITY: Final = "pull-api"
WORKER_PRIORITY: Final = "pull-worker"

NAME_LABEL: Final = "app.kubernetes.io/name"
COMPONENT_LABEL: Final = "app.kubernetes.io/component"

_FORCE_OWNERSHIP: Final = {"pulumi.com/patchForce": "true"}
"""Lets the provider take back fields that someone changed by hand. Otherwise ``kubectl edit`` owns
them, and the next ``up`` fails with a conflict of server-side apply.

https://www.pulumi.com/registry/packages/kubernetes/annotations/
"""

Metadata = kubernetes.meta.v1.ObjectMetaArgsDict


def account_of(deployment: str) -> str:
    """Name of the Kubernetes service account of a Deployment's pods."""
    return f"{deployment}-sa"


def metadata(
    name: str,
    *,
    namespace: str | None = NAMESPACE,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Metadata:
    """Metadata with an explicit name, because the runbook refers to objects by name.

    The namespace is a literal and not an output, so that a preview shows the complete manifest.
    """
    result: Metadata = {
        "name": name,
        "labels": {"app.kubernetes.io/part-of": "pull", **(labels or {})},
        "annotations": {**_FORCE_OWNERSHIP, **(annotations or {})},
    }
    if namespace:
        result["namespace"] = namespace
    return result


def checksum(*values: Mapping[str, str]) -> str:
    """A hash of ``values``. As a pod annotation, it replaces the pods when a value changes."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]

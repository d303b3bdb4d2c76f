"""The revisions of a Cloud Run resource: each change of the template creates one.

https://cloud.google.com/run/docs/managing/revisions
"""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from sandbox.resource import Resource
from sandbox.values import Properties


def add(resource: Resource) -> Properties:
    """``Resource.internal`` with the template's revision, which is new if the template changed.

    ``revisions`` has the digest of each template by the name of its revision.
    """
    template = resource.get("template", {})
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()
    revisions = resource.internal.get("revisions", {})
    generation = resource.internal.get("generation", 0) + 1
    latest = resource.internal.get("latest")
    if latest is None or revisions[latest] != digest:
        suffix = resource.rng(str(generation)).randbytes(2).hex()
        generated = f"{resource['name']}-{generation:05}-{suffix}"
        latest = template.get("revision", generated)
    return {"revisions": {**revisions, latest: digest}, "latest": latest, "generation": generation}


def rejection(before: Properties, resource: Resource) -> tuple[Literal[400, 409], str] | None:
    """The HTTP status and the reason for which Cloud Run rejects the latest revision, if any."""
    latest, digests = resource.internal["latest"], resource.internal["revisions"]
    if before.get("revisions", {}).get(latest, digests[latest]) != digests[latest]:
        return 409, f"{resource.address}: revision {latest} already exists with another template"
    if not latest.startswith(f"{resource['name']}-"):
        return 400, f"{resource.address}: revision {latest} must start with {resource['name']}-"
    return None

"""What Google Cloud accepts, by resource type.

A mistake in one of these values passes the provider's own preview, and the API rejects it in the
middle of an ``up``. Names of Google's that may become more, such as regions, are as of 2026-11: add
what is missing. Where a limit is not certain, it is not here.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Final

from resource_types.gcp_constraints import (
    gke,
    iam,
    monitoring,
    network,
    registry,
    run,
    secrets,
    sql,
    storage,
)
from resource_types.gcp_constraints.shared import LABELS, PROJECT, Table, at
from resource_types.record import RESOURCE_TYPES

GROUPS: Final[Mapping[str, Table]] = {
    "google": {
        token: (*at("project", PROJECT), *at("labels", LABELS))
        for token in RESOURCE_TYPES
        if token.startswith("gcp:")
    },
    "iam": iam.CONSTRAINTS,
    "secret": secrets.CONSTRAINTS,
    "sql": sql.CONSTRAINTS,
    "storage": storage.CONSTRAINTS,
    "run": run.CONSTRAINTS,
    "registry": registry.CONSTRAINTS,
    "network": network.CONSTRAINTS,
    "gke": gke.CONSTRAINTS,
    "monitoring": monitoring.CONSTRAINTS,
}
"""What Google Cloud accepts, by subject and type token. ``google`` is about every type."""

CONSTRAINTS: Final[Table] = {
    token: tuple(itertools.chain(*(group.get(token, ()) for group in GROUPS.values())))
    for token in GROUPS["google"]
}
"""What Google Cloud accepts, by type token."""

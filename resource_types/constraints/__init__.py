"""What the platforms accept as inputs, beyond the types of the SDKs.

The API of a platform refuses such an input only in the middle of an ``up``, and its provider
accepts it in a preview. The policy pack evaluates the constraints in every preview, and the sandbox
rejects the same inputs. An input that is not known yet is checked when it is.

The tables hold what is documented or certain. Where a limit depends on the plan of an account, they
hold the largest one. Names of Google's that may become more, such as regions, are as of 2026-11:
add what is missing.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Final

from resource_types.constraints import cloudflare, pulumiservice, vercel
from resource_types.constraints.gcp import (
    gke,
    iam,
    monitoring,
    network,
    registry,
    run,
    secrets,
    shared,
    sql,
    storage,
)
from resource_types.constraints.primitives import Table

GROUPS: Final[Mapping[str, Table]] = {
    "google": shared.CONSTRAINTS,
    "iam": iam.CONSTRAINTS,
    "secret": secrets.CONSTRAINTS,
    "sql": sql.CONSTRAINTS,
    "storage": storage.CONSTRAINTS,
    "run": run.CONSTRAINTS,
    "registry": registry.CONSTRAINTS,
    "network": network.CONSTRAINTS,
    "gke": gke.CONSTRAINTS,
    "monitoring": monitoring.CONSTRAINTS,
    "cloudflare": cloudflare.CONSTRAINTS,
    "vercel": vercel.CONSTRAINTS,
    "pulumi-cloud": pulumiservice.CONSTRAINTS,
}
"""The constraints by product. ``google`` is about every type of Google Cloud."""

CONSTRAINTS: Final[Table] = {
    token: tuple(itertools.chain(*(group.get(token, ()) for group in GROUPS.values())))
    for token in {token: None for group in GROUPS.values() for token in group}
}
"""The constraints by resource type."""

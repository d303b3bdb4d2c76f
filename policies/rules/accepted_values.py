"""Values that the platforms accept: what their APIs would reject in the middle of an update."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from policies.framework.demands import Demand
from policies.framework.paths import UNKNOWN, Finding, View
from policies.framework.rules import (
    Check,
    Custom,
    ForEach,
    Must,
    ResourceRule,
    SetValue,
    Severity,
)
from resource_types.constraints import GROUPS
from resource_types.constraints.primitives import Combination, Constraint, Inputs


def _check(constraint: Constraint | Combination) -> Check:
    if isinstance(constraint, Constraint):
        values = constraint.values
        demand = Demand(f"must be {values.expected}", values.accepts, values.refused)
        return Must(constraint.path, demand, optional=True)

    def findings(view: View) -> Iterator[Finding]:
        for path, expected in constraint.rejections(Inputs(view.inputs, UNKNOWN)):
            yield view.finding(path, f"must be {expected}")

    mutations = tuple(SetValue(path, value) for path, value in constraint.refused)
    return Custom(findings, constraint.paths, mutations)


_WHAT: Final = {
    "google": "Google Cloud accepts the project and the labels of every resource.",
    "iam": "Google Cloud accepts the values of roles, members, conditions, service accounts and "
    "identity pools.",
    "secret": "Google Cloud accepts the values of keys, secrets and topics.",
    "sql": "Google Cloud accepts the values of Cloud SQL: names, versions, tiers, flags, backups.",
    "storage": "Google Cloud accepts the values of Memorystore and Cloud Storage.",
    "run": "Google Cloud accepts the values of Cloud Run: names, sizes, probes, variables, "
    "volumes, traffic.",
    "registry": "Google Cloud accepts the values of Artifact Registry.",
    "network": "Google Cloud accepts the values of networks: ranges, ports, addresses, connectors.",
    "gke": "Google Cloud accepts the values of clusters.",
    "cloudflare": "Cloudflare accepts the values of DNS records, Workers, R2 buckets and settings "
    "of a zone.",
    "vercel": "Vercel accepts the values of projects, domains, variables and deployments.",
}


def _rule(group: str, what: str) -> ResourceRule:
    return ResourceRule(
        id=f"{group}-accepted-values",
        severity=Severity.HIGH,
        what=what,
        fix="Correct the value: the API would reject it in the middle of the update. A name that "
        "the platform added recently belongs in resource_types/constraints.",
        url="docs/sandbox.md",
        types=tuple(GROUPS[group]),
        checks=tuple(
            ForEach({token: ""}, tuple(map(_check, constraints)))
            for token, constraints in GROUPS[group].items()
        ),
        decidable_after_update=True,
    )


RULES: Final = tuple(itertools.starmap(_rule, _WHAT.items()))
UNUSED: Final = (
    _rule(
        "monitoring",
        "Google Cloud accepts the values of alerts, uptime checks, metrics and log buckets.",
    ),
    _rule(
        "pulumi-cloud",
        "Pulumi Cloud accepts the values of schedules, tags, webhooks and the settings of "
        "deployments.",
    ),
)
"""Rules about types that neither stack uses by default."""

"""Values that Google Cloud accepts: what its APIs would reject in the middle of an update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from policies.framework.demands import Demand
from policies.framework.paths import ABSENT, UNKNOWN, Finding, View
from policies.framework.rules import (
    Check,
    Custom,
    ForEach,
    Must,
    ResourceRule,
    SetValue,
    Severity,
)
from resource_types.constraints import Constraint
from resource_types.gcp_constraints import GROUPS
from resource_types.gcp_constraints.shared import Accepted


@dataclass(frozen=True, slots=True)
class _Inputs:
    """A view as a combination of values reads it."""

    view: View

    def get(self, path: str, default: Any = None, /) -> Any:
        return self.view.get(path, default)

    def values_at(self, path: str, /) -> Iterator[tuple[str, Any]]:
        for match in self.view.find(path):
            if match.value is not ABSENT and match.value is not UNKNOWN:
                yield match.path, match.value


def _check(accepted: Accepted) -> Check:
    if isinstance(accepted, Constraint):
        values = accepted.values
        demand = Demand(f"must be {values.expected}", values.accepts, values.refused)
        return Must(accepted.path, demand, optional=True)

    def findings(view: View) -> Iterator[Finding]:
        for path, expected in accepted.rejections(_Inputs(view)):
            yield view.finding(path, f"must be {expected}")

    mutations = tuple(SetValue(path, value) for path, value in accepted.refused)
    return Custom(findings, accepted.paths, mutations)


_SUBJECTS: Final = {
    "google": "every resource: projects and labels",
    "iam": "roles, members, conditions, service accounts and identity pools",
    "secret": "keys, secrets and topics",
    "sql": "Cloud SQL: names, versions, tiers, flags, backups",
    "storage": "Memorystore and Cloud Storage",
    "run": "Cloud Run: names, sizes, probes, variables, volumes, traffic",
    "registry": "Artifact Registry",
    "network": "networks: ranges, ports, addresses, connectors",
    "gke": "clusters",
    "monitoring": "alerts, uptime checks, metrics and log buckets",
}

RULES: Final = tuple(
    ResourceRule(
        id=f"{subject}-accepted-values",
        severity=Severity.HIGH,
        what=f"Google Cloud accepts the values of {what}.",
        fix="Correct the value: the API would reject it in the middle of the update. A name that "
        "Google added recently belongs in resource_types/gcp_constraints.",
        url="docs/sandbox.md",
        types=tuple(GROUPS[subject]),
        checks=tuple(
            ForEach({token: ""}, tuple(map(_check, accepted)))
            for token, accepted in GROUPS[subject].items()
        ),
        decidable_after_update=True,
    )
    for subject, what in _SUBJECTS.items()
)

"""Google Kubernetes Engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from resource_types import gcp, limits
from resource_types.constraints.gcp.shared import ACCOUNT_EMAIL, KEY, LABELS, ZONE, lower_case_name
from resource_types.constraints.primitives import (
    TIME_OF_DAY,
    TIMESTAMP,
    Combination,
    Constraint,
    Inputs,
    Rejection,
    Table,
    choice,
    ip_range,
    member_of,
    text,
)


def _cluster_key(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/kubernetes-engine/docs/how-to/encrypting-secrets"""
    for path, encryption in inputs.parts("databaseEncryption"):
        if (encryption.get("state") == "ENCRYPTED") != encryption.sets("keyName"):
            yield Rejection(f"{path}.keyName", "a key with the state ENCRYPTED only")


def _workload_pool(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity"""
    project = inputs.get("project")
    for path, pool in inputs.values_at("workloadIdentityConfig.workloadPool"):
        if project and pool != f"{project}.svc.id.goog":
            yield Rejection(path, "<project>.svc.id.goog")


CONSTRAINTS: Final[Table] = {
    gcp.GKE_CLUSTER: (
        Constraint("name", lower_case_name(40)),
        Constraint("resourceLabels", LABELS),
        Constraint(
            "location",
            member_of(
                limits.REGIONS | limits.ZONES,
                "a region or a zone",
                *("us", "us-central9", "us-central1-z"),
            ),
        ),
        Constraint("nodeLocations[]", ZONE),
        Constraint(
            "releaseChannel.channel",
            choice("UNSPECIFIED", "RAPID", "REGULAR", "STABLE", "EXTENDED", refused=("FAST",)),
        ),
        Constraint("maintenancePolicy.dailyMaintenanceWindow.startTime", TIME_OF_DAY),
        Constraint("maintenancePolicy.recurringWindow.startTime", TIMESTAMP),
        Constraint("maintenancePolicy.recurringWindow.endTime", TIMESTAMP),
        Constraint("databaseEncryption.keyName", KEY),
        Constraint(
            "minMasterVersion",
            text(r"latest|\d+\.\d+(\.\d+(-gke\.\d+)?)?", "a version such as 1.33", "v1.33", "new"),
        ),
        Constraint(
            "maintenancePolicy.recurringWindow.recurrence",
            text(r"(RRULE:)?FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY).*", "an RRULE (RFC 5545)", "WEEKLY"),
        ),
        Constraint("databaseEncryption.state", choice("ENCRYPTED", "DECRYPTED")),
        Constraint("privateClusterConfig.masterIpv4CidrBlock", ip_range(28, 28)),
        Constraint("clusterAutoscaling.autoProvisioningDefaults.serviceAccount", ACCOUNT_EMAIL),
        Constraint("masterAuthorizedNetworksConfig.cidrBlocks[].cidrBlock", ip_range()),
        Combination(_cluster_key, ("databaseEncryption",), (("databaseEncryption.keyName", None),)),
        Combination(
            _workload_pool,
            ("workloadIdentityConfig.workloadPool", "project"),
            (("workloadIdentityConfig.workloadPool", "another.svc.id.goog"),),
        ),
    ),
}

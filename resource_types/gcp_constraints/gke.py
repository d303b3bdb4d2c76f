"""Google Kubernetes Engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from resource_types import gcp, limits
from resource_types.constraints import (
    TIME_OF_DAY,
    TIMESTAMP,
    Combination,
    Inputs,
    Rejection,
    choice,
    ip_range,
    member_of,
    text,
)
from resource_types.gcp_constraints.shared import (
    ACCOUNT_EMAIL,
    KEY,
    LABELS,
    ZONE,
    Table,
    at,
    lower_case_name,
)


def _cluster_key(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/kubernetes-engine/docs/how-to/encrypting-secrets"""
    for path, encryption in inputs.values_at("databaseEncryption"):
        if (encryption.get("state") == "ENCRYPTED") != bool(encryption.get("keyName")):
            yield Rejection(f"{path}.keyName", "a key with the state ENCRYPTED only")


def _workload_pool(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity"""
    project = inputs.get("project")
    for path, pool in inputs.values_at("workloadIdentityConfig.workloadPool"):
        if project and pool != f"{project}.svc.id.goog":
            yield Rejection(path, "<project>.svc.id.goog")


CONSTRAINTS: Final[Table] = {
    gcp.GKE_CLUSTER: (
        *at("name", lower_case_name(40)),
        *at("resourceLabels", LABELS),
        *at(
            "location",
            member_of(
                limits.REGIONS | limits.ZONES,
                "a region or a zone",
                *("us", "us-central9", "us-central1-z"),
            ),
        ),
        *at("nodeLocations[]", ZONE),
        *at(
            "releaseChannel.channel",
            choice("UNSPECIFIED", "RAPID", "REGULAR", "STABLE", "EXTENDED", refused=("FAST",)),
        ),
        *at("maintenancePolicy.dailyMaintenanceWindow.startTime", TIME_OF_DAY),
        *at("maintenancePolicy.recurringWindow.startTime", TIMESTAMP),
        *at("maintenancePolicy.recurringWindow.endTime", TIMESTAMP),
        *at("databaseEncryption.keyName", KEY),
        *at(
            "minMasterVersion",
            text(r"latest|\d+\.\d+(\.\d+(-gke\.\d+)?)?", "a version such as 1.33", "v1.33", "new"),
        ),
        *at(
            "maintenancePolicy.recurringWindow.recurrence",
            text(r"(RRULE:)?FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY).*", "an RRULE (RFC 5545)", "WEEKLY"),
        ),
        *at("databaseEncryption.state", choice("ENCRYPTED", "DECRYPTED")),
        *at("privateClusterConfig.masterIpv4CidrBlock", ip_range(28, 28)),
        *at("clusterAutoscaling.autoProvisioningDefaults.serviceAccount", ACCOUNT_EMAIL),
        *at("masterAuthorizedNetworksConfig.cidrBlocks[].cidrBlock", ip_range()),
        Combination(_cluster_key, ("databaseEncryption",), (("databaseEncryption.keyName", None),)),
        Combination(
            _workload_pool,
            ("workloadIdentityConfig.workloadPool", "project"),
            (("workloadIdentityConfig.workloadPool", "another.svc.id.goog"),),
        ),
    ),
}

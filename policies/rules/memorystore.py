"""Memorystore for Redis."""

from __future__ import annotations

import re
from typing import Final

from policies.framework.demands import NOT_EMPTY, contains_no, equal, one_of
from policies.framework.paths import PROTECT
from policies.framework.rules import Must, ResourceRule, Severity
from resource_types import gcp

DOCS: Final = "https://cloud.google.com/memorystore/docs/redis"

RULES: Final = (
    ResourceRule(
        id="redis-auth",
        severity=Severity.HIGH,
        what="Redis requires AUTH.",
        fix="Set authEnabled to true.",
        url=f"{DOCS}/about-redis-auth",
        frameworks=("CKV_GCP_95",),
        types=(gcp.REDIS_INSTANCE,),
        checks=(Must("authEnabled", equal(True)),),
    ),
    ResourceRule(
        id="redis-tls",
        severity=Severity.HIGH,
        what="Redis accepts encrypted connections only.",
        fix="Set transitEncryptionMode to SERVER_AUTHENTICATION.",
        url=f"{DOCS}/about-in-transit-encryption",
        frameworks=("CKV_GCP_97",),
        types=(gcp.REDIS_INSTANCE,),
        checks=(
            Must("transitEncryptionMode", one_of("SERVER_AUTHENTICATION", refused=("DISABLED",))),
        ),
    ),
    ResourceRule(
        id="redis-replicated",
        severity=Severity.HIGH,
        what="Redis has a replica in a second zone.",
        fix="Set tier to STANDARD_HA.",
        url=f"{DOCS}/high-availability",
        types=(gcp.REDIS_INSTANCE,),
        checks=(Must("tier", one_of("STANDARD_HA", refused=("BASIC",))),),
    ),
    ResourceRule(
        id="redis-private-services-access",
        severity=Severity.HIGH,
        what="Redis is connected through private services access.",
        fix="Set connectMode to PRIVATE_SERVICE_ACCESS.",
        url=f"{DOCS}/networking",
        types=(gcp.REDIS_INSTANCE,),
        checks=(
            Must("connectMode", one_of("PRIVATE_SERVICE_ACCESS", refused=("DIRECT_PEERING",))),
        ),
    ),
    ResourceRule(
        id="redis-estate-network",
        severity=Severity.HIGH,
        what="Redis is in the estate's VPC.",
        fix="Set authorizedNetwork to the VPC; the default is the default network.",
        url=f"{DOCS}/networking",
        types=(gcp.REDIS_INSTANCE,),
        checks=(
            Must("authorizedNetwork", NOT_EMPTY),
            Must(
                "authorizedNetwork",
                contains_no(
                    re.compile(r"(^|/)default$"), "must not be the default network", ("default",)
                ),
            ),
        ),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="redis-persistence",
        severity=Severity.MEDIUM,
        what="The contents of Redis survive a restart.",
        fix="Set persistenceConfig.persistenceMode to RDB, with an rdbSnapshotPeriod.",
        url=f"{DOCS}/rdb-snapshots",
        types=(gcp.REDIS_INSTANCE,),
        checks=(
            Must("persistenceConfig.persistenceMode", one_of("RDB", refused=("DISABLED",))),
            Must(
                "persistenceConfig.rdbSnapshotPeriod",
                one_of(
                    "ONE_HOUR",
                    "SIX_HOURS",
                    "TWELVE_HOURS",
                    "TWENTY_FOUR_HOURS",
                    refused=("WEEKLY",),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="redis-maintenance-window",
        severity=Severity.LOW,
        what="Redis has a maintenance window.",
        fix="Set maintenancePolicy.weeklyMaintenanceWindows.",
        url=f"{DOCS}/maintenance-policy",
        types=(gcp.REDIS_INSTANCE,),
        checks=(Must("maintenancePolicy.weeklyMaintenanceWindows", NOT_EMPTY),),
    ),
    ResourceRule(
        id="redis-deletion-protection",
        severity=Severity.HIGH,
        what="Redis is protected from deletion.",
        fix="Set deletionProtection and the resource option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        types=(gcp.REDIS_INSTANCE,),
        checks=(Must("deletionProtection", equal(True)), Must(PROTECT, equal(True))),
    ),
)

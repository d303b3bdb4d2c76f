"""Memorystore: for Redis, and the newer one for Valkey that the estate could grow into."""

from __future__ import annotations

import re
from typing import Final

from policies.rule import (
    GIVEN,
    PROTECT,
    Must,
    ResourceRule,
    Severity,
    at_least,
    equal,
    one_of,
    unlike,
)

INSTANCE: Final = "gcp:redis/instance:Instance"
VALKEY: Final = "gcp:memorystore/instance:Instance"

DOCS: Final = "https://cloud.google.com/memorystore/docs/redis"
VALKEY_DOCS: Final = "https://cloud.google.com/memorystore/docs/valkey"

RULES: Final = (
    ResourceRule(
        id="redis-auth",
        severity=Severity.HIGH,
        what="Redis asks for a password.",
        fix="Set authEnabled to true.",
        url=f"{DOCS}/about-redis-auth",
        frameworks=("CKV_GCP_95",),
        types=(INSTANCE,),
        checks=(Must("authEnabled", equal(True)),),
    ),
    ResourceRule(
        id="redis-tls",
        severity=Severity.HIGH,
        what="Redis takes encrypted connections only.",
        fix="Set transitEncryptionMode to SERVER_AUTHENTICATION.",
        url=f"{DOCS}/about-in-transit-encryption",
        frameworks=("CKV_GCP_97",),
        types=(INSTANCE, VALKEY),
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
        types=(INSTANCE,),
        checks=(Must("tier", one_of("STANDARD_HA", refused=("BASIC",))),),
    ),
    ResourceRule(
        id="redis-private",
        severity=Severity.HIGH,
        what="Redis is reached by private services access.",
        fix="Set connectMode to PRIVATE_SERVICE_ACCESS.",
        url=f"{DOCS}/networking",
        types=(INSTANCE,),
        checks=(
            Must("connectMode", one_of("PRIVATE_SERVICE_ACCESS", refused=("DIRECT_PEERING",))),
        ),
    ),
    ResourceRule(
        id="redis-own-network",
        severity=Severity.HIGH,
        what="Redis is in the estate's own network.",
        fix="Set authorizedNetwork to the VPC: without it the default network is taken.",
        url=f"{DOCS}/networking",
        types=(INSTANCE,),
        checks=(
            Must("authorizedNetwork", GIVEN),
            Must(
                "authorizedNetwork",
                unlike(
                    re.compile(r"(^|/)default$"), "must not be the default network", ("default",)
                ),
            ),
        ),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="redis-persistence",
        severity=Severity.MEDIUM,
        what="What is in Redis survives a restart.",
        fix="Set persistenceConfig.persistenceMode to RDB, with an rdbSnapshotPeriod.",
        url=f"{DOCS}/rdb-snapshots",
        types=(INSTANCE,),
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
        what="Redis is maintained at an hour that was chosen.",
        fix="Give maintenancePolicy.weeklyMaintenanceWindows.",
        url=f"{DOCS}/maintenance-policy",
        types=(INSTANCE, VALKEY),
        checks=(Must("maintenancePolicy.weeklyMaintenanceWindows", GIVEN),),
    ),
    ResourceRule(
        id="redis-deletion-protection",
        severity=Severity.HIGH,
        what="Redis cannot be deleted by mistake.",
        fix="Set deletionProtection and the option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        types=(INSTANCE,),
        checks=(Must("deletionProtection", equal(True)), Must(PROTECT, equal(True))),
    ),
    ResourceRule(
        id="valkey-auth",
        severity=Severity.HIGH,
        what="Valkey knows who asks.",
        fix="Set authorizationMode to IAM_AUTH.",
        url=f"{VALKEY_DOCS}/about-iam-auth",
        types=(VALKEY,),
        checks=(Must("authorizationMode", one_of("IAM_AUTH", refused=("AUTH_DISABLED",))),),
    ),
    ResourceRule(
        id="valkey-replicated",
        severity=Severity.HIGH,
        what="Valkey has a replica in a second zone.",
        fix="Set replicaCount to 1 or more, and zoneDistributionConfig.mode to MULTI_ZONE.",
        url=f"{VALKEY_DOCS}/ha-and-replicas",
        types=(VALKEY,),
        checks=(
            Must("replicaCount", at_least(1)),
            Must(
                "zoneDistributionConfig.mode",
                one_of("MULTI_ZONE", refused=("SINGLE_ZONE",)),
                optional=True,
            ),
        ),
    ),
    ResourceRule(
        id="valkey-persistence",
        severity=Severity.MEDIUM,
        what="What is in Valkey survives a restart.",
        fix="Set persistenceConfig.mode to RDB or AOF.",
        url=f"{VALKEY_DOCS}/about-persistence",
        types=(VALKEY,),
        checks=(Must("persistenceConfig.mode", one_of("RDB", "AOF", refused=("DISABLED",))),),
    ),
    ResourceRule(
        id="valkey-deletion-protection",
        severity=Severity.HIGH,
        what="Valkey cannot be deleted by mistake.",
        fix="Set deletionProtectionEnabled and the option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        types=(VALKEY,),
        checks=(Must("deletionProtectionEnabled", equal(True)), Must(PROTECT, equal(True))),
    ),
)

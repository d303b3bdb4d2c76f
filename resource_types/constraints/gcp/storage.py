"""Memorystore and Cloud Storage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from resource_types import gcp, limits
from resource_types.constraints.gcp.shared import KEY, REGION, ZONE, lower_case_name, zones_of
from resource_types.constraints.primitives import (
    TIMESTAMP,
    Combination,
    Constraint,
    Inputs,
    Rejection,
    Table,
    Values,
    choice,
    each,
    integer,
    is_number,
    number,
    text,
)

_EVICTION: Final = (
    *("noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random"),
    *("volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"),
)


def _redis(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/memorystore/docs/redis/read-replicas-overview"""
    standard = inputs.get("tier", "BASIC") == "STANDARD_HA"
    replicas, mode = inputs.get("replicaCount"), inputs.get("readReplicasMode")
    memory, other = inputs.get("memorySizeGb"), inputs.get("alternativeLocationId")
    enabled = mode == "READ_REPLICAS_ENABLED"
    for _, policy in inputs.values_at("redisConfigs.maxmemory-policy"):
        if policy not in _EVICTION:
            yield Rejection("redisConfigs", f"one of {', '.join(_EVICTION)} for maxmemory-policy")
    for path, persistence in inputs.values_at("persistenceConfig"):
        if persistence.get("persistenceMode") == "RDB" and not persistence.get("rdbSnapshotPeriod"):
            yield Rejection(f"{path}.rdbSnapshotPeriod", "a period with the mode RDB")
    if not standard:
        if enabled or (is_number(replicas) and replicas > 0):
            yield Rejection("tier", "STANDARD_HA for read replicas")
        if other is not None:
            yield Rejection("alternativeLocationId", "no second zone in the tier BASIC")
    elif enabled and is_number(memory) and memory < 5:
        yield Rejection("memorySizeGb", "5 GiB or more with read replicas")
    if other is not None and other == inputs.get("locationId"):
        yield Rejection("alternativeLocationId", "a zone that differs from locationId")


_REDIS_CONFIGS: Final = limits.words(
    "activedefrag lazyfree-lazy-eviction lazyfree-lazy-expire lazyfree-lazy-user-del "
    "lazyfree-lazy-user-flush lfu-decay-time lfu-log-factor maxmemory-clients maxmemory-gb "
    "maxmemory-policy notify-keyspace-events stream-node-max-bytes stream-node-max-entries "
    "timeout"
)
"""https://cloud.google.com/memorystore/docs/redis/supported-redis-configurations"""

_BUCKET_NAME: Final = text(
    r"(?!goog)(?!.*g[o0]{2}gle)(?!\d+\.\d+\.\d+\.\d+$)(?!.*(\.\.|\.-|-\.))"
    r"(?=[^.]{1,63}(\.[^.]{1,63})*$)[a-z0-9][-_.a-z0-9]{1,220}[a-z0-9]",
    "3 to 63 of a-z, 0-9, - and _, starting and ending with a letter or digit, without goog at the "
    "start and google anywhere",
    *("Pull-backups", "my-google-backups", "goog-backups", "ab", "x" * 64, "10.0.0.1"),
    *("pull..backups", "-pull", "pull-"),
)
"""https://cloud.google.com/storage/docs/buckets#naming"""

_BUCKET_LOCATIONS: Final = limits.REGIONS | limits.words(
    "us eu asia nam4 eur4 eur5 eur7 eur8 asia1"
)
"""https://cloud.google.com/storage/docs/locations"""

_STORAGE_CLASS: Final = choice(
    *("STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "MULTI_REGIONAL", "REGIONAL"),
    *("DURABLE_REDUCED_AVAILABILITY", ""),
)


def _lifecycle(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/storage/docs/lifecycle"""
    for path, condition in inputs.values_at("lifecycleRules[].condition"):
        if not any(value not in (None, "", [], False) for value in condition.values()):
            yield Rejection(path, "at least one condition")
    for path, action in inputs.parts("lifecycleRules[].action"):
        changes = action.get("type") == "SetStorageClass"
        if changes != bool(action.get("storageClass")):
            yield Rejection(path, "a storageClass with SetStorageClass only")


CONSTRAINTS: Final[Table] = {
    gcp.REDIS_INSTANCE: (
        Constraint("name", lower_case_name(40)),
        Constraint("region", REGION),
        Constraint("tier", choice("BASIC", "STANDARD_HA", refused=("STANDARD", "HA"))),
        Constraint("memorySizeGb", integer(1, 300)),
        Constraint(
            "redisVersion",
            choice(
                *("REDIS_3_2", "REDIS_4_0", "REDIS_5_0", "REDIS_6_X", "REDIS_7_0", "REDIS_7_2"),
                refused=("REDIS_9_9", "REDIS_6_0", "7.2"),
            ),
        ),
        Constraint("connectMode", choice("DIRECT_PEERING", "PRIVATE_SERVICE_ACCESS")),
        Constraint("transitEncryptionMode", choice("SERVER_AUTHENTICATION", "DISABLED")),
        Constraint("customerManagedKey", KEY),
        Constraint("readReplicasMode", choice("READ_REPLICAS_DISABLED", "READ_REPLICAS_ENABLED")),
        Constraint("replicaCount", integer(0, 5)),
        Constraint("locationId", ZONE),
        Constraint("alternativeLocationId", ZONE),
        Constraint("persistenceConfig.persistenceMode", choice("DISABLED", "RDB")),
        Constraint(
            "persistenceConfig.rdbSnapshotPeriod",
            choice("ONE_HOUR", "SIX_HOURS", "TWELVE_HOURS", "TWENTY_FOUR_HOURS"),
        ),
        Constraint("persistenceConfig.rdbSnapshotStartTime", TIMESTAMP),
        Constraint(
            "maintenancePolicy.weeklyMaintenanceWindows[].day",
            choice(*limits.WEEKDAYS, refused=("SUN", "sunday")),
        ),
        Constraint("maintenancePolicy.weeklyMaintenanceWindows[].startTime.hours", integer(0, 23)),
        Constraint(
            "maintenancePolicy.weeklyMaintenanceWindows[].startTime.minutes", integer(0, 59)
        ),
        Constraint(
            "redisConfigs",
            Values(
                "parameters that Memorystore supports, such as maxmemory-policy",
                lambda configs: isinstance(configs, Mapping) and configs.keys() <= _REDIS_CONFIGS,
                ({"maxmemory": "1gb"}, {"appendonly": "yes"}),
            ),
        ),
        zones_of("region", "locationId", "alternativeLocationId"),
        Combination(
            _redis,
            ("tier", "readReplicasMode", "replicaCount", "memorySizeGb", "alternativeLocationId"),
            (
                ("redisConfigs", {"maxmemory-policy": "lru"}),
                ("persistenceConfig", {"persistenceMode": "RDB"}),
            ),
        ),
    ),
    gcp.BUCKET: (
        Constraint("name", _BUCKET_NAME),
        Constraint("logging.logBucket", _BUCKET_NAME),
        Constraint(
            "location",
            Values(
                "US, EU, ASIA, a dual-region or a region",
                lambda value: isinstance(value, str) and value.lower() in _BUCKET_LOCATIONS,
                ("europe", "us-central9", "WORLD"),
            ),
        ),
        Constraint("encryption.defaultKmsKeyName", KEY),
        Constraint("cors[].maxAgeSeconds", integer(0)),
        Constraint("storageClass", _STORAGE_CLASS),
        Constraint("publicAccessPrevention", choice("inherited", "enforced")),
        Constraint("rpo", choice("DEFAULT", "ASYNC_TURBO")),
        Constraint(
            "softDeletePolicy.retentionDurationSeconds",
            Values(
                "0, or 604800 to 7776000 seconds (7 to 90 days)",
                lambda value: value == 0 or (is_number(value) and 604800 <= value <= 7776000),
                (86400, 7776001),
            ),
        ),
        Constraint("retentionPolicy.retentionPeriod", number(1, 3155760000)),
        Constraint(
            "lifecycleRules[].action.type",
            choice("Delete", "SetStorageClass", "AbortIncompleteMultipartUpload"),
        ),
        Constraint("lifecycleRules[].action.storageClass", _STORAGE_CLASS),
        Constraint("lifecycleRules[].condition.age", integer(0)),
        Constraint("lifecycleRules[].condition.daysSinceNoncurrentTime", integer(0)),
        Constraint("lifecycleRules[].condition.numNewerVersions", integer(0)),
        *each(
            text(r"(\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))?", "a day", "soon", "2026-13-01"),
            "lifecycleRules[].condition.createdBefore",
            "lifecycleRules[].condition.customTimeBefore",
            "lifecycleRules[].condition.noncurrentTimeBefore",
        ),
        Constraint("lifecycleRules[].condition.withState", choice("LIVE", "ARCHIVED", "ANY", "")),
        Combination(
            _lifecycle,
            ("lifecycleRules",),
            (
                ("lifecycleRules[].action.type", "SetStorageClass"),
                ("lifecycleRules[].condition", {}),
            ),
        ),
    ),
}

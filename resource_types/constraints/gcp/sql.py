"""Cloud SQL: names, versions, tiers, flags and backups."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from resource_types import gcp, limits
from resource_types.constraints.gcp.shared import (
    ANY_RANGE,
    KEY,
    LABELS,
    REGION,
    ZONE,
    lower_case_name,
    zones_of,
)
from resource_types.constraints.primitives import (
    TIME_OF_DAY,
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
    member_of,
    text,
    unique,
)

DATABASE_VERSION: Final = text(
    r"POSTGRES_(9_6|1[0-8])|MYSQL_(5_6|5_7|8_0(_\d+)?|8_4)"
    r"|SQLSERVER_20(17|19|22|25)_(STANDARD|ENTERPRISE|EXPRESS|WEB)",
    "a version that Cloud SQL has, such as POSTGRES_16",
    *("POSTGRES_99", "POSTGRES_16_1", "postgres_16", "PG16"),
)
"""https://cloud.google.com/sql/docs/postgres/db-versions"""

_WORDS: Final = {
    "level": "debug5 debug4 debug3 debug2 debug1 log notice warning error",
    "server_level": "debug5 debug4 debug3 debug2 debug1 info notice warning error log fatal panic",
}
_ON_OFF: Final = "on off"
_MOST: Final = 2**31 - 1

POSTGRES_FLAGS: Final[Mapping[str, str | tuple[float, float] | None]] = {
    # A text holds the words that are allowed, a pair is a range, and None accepts any text.
    "anon.restrict_to_trusted_schemas": _ON_OFF,
    "auto_explain.log_analyze": _ON_OFF,
    "auto_explain.log_buffers": _ON_OFF,
    "auto_explain.log_format": "text xml json yaml",
    "auto_explain.log_min_duration": (-1, _MOST),
    "auto_explain.log_nested_statements": _ON_OFF,
    "auto_explain.log_timing": _ON_OFF,
    "auto_explain.log_triggers": _ON_OFF,
    "auto_explain.log_verbose": _ON_OFF,
    "auto_explain.sample_rate": (0, 1),
    "autovacuum": _ON_OFF,
    "autovacuum_analyze_scale_factor": (0, 100),
    "autovacuum_analyze_threshold": (0, _MOST),
    "autovacuum_freeze_max_age": (100000, 2000000000),
    "autovacuum_max_workers": (1, 262143),
    "autovacuum_multixact_freeze_max_age": (10000, 2000000000),
    "autovacuum_naptime": (1, 2147483),
    "autovacuum_vacuum_cost_delay": (-1, 100),
    "autovacuum_vacuum_cost_limit": (-1, 10000),
    "autovacuum_vacuum_insert_scale_factor": (0, 100),
    "autovacuum_vacuum_insert_threshold": (-1, _MOST),
    "autovacuum_vacuum_scale_factor": (0, 100),
    "autovacuum_vacuum_threshold": (0, _MOST),
    "autovacuum_work_mem": (-1, _MOST),
    "checkpoint_completion_target": (0, 1),
    "checkpoint_timeout": (30, 86400),
    "checkpoint_warning": (0, _MOST),
    "client_connection_check_interval": (0, _MOST),
    "commit_delay": (0, 100000),
    "commit_siblings": (0, 1000),
    "constraint_exclusion": "partition on off",
    "cpu_index_tuple_cost": (0, 1.8e308),
    "cpu_operator_cost": (0, 1.8e308),
    "cpu_tuple_cost": (0, 1.8e308),
    "cron.database_name": None,
    "cron.log_run": _ON_OFF,
    "cron.log_statement": _ON_OFF,
    "cron.max_running_jobs": (0, 100),
    "cron.timezone": None,
    "cursor_tuple_fraction": (0, 1),
    "deadlock_timeout": (1, _MOST),
    "default_statistics_target": (1, 10000),
    "default_tablespace": None,
    "default_transaction_deferrable": _ON_OFF,
    "default_transaction_isolation": None,
    "default_transaction_read_only": _ON_OFF,
    "effective_cache_size": (1, _MOST),
    "effective_io_concurrency": (0, 1000),
    "force_parallel_mode": "off on regress",
    "from_collapse_limit": (1, _MOST),
    "geqo": _ON_OFF,
    "geqo_effort": (1, 10),
    "geqo_generations": (0, _MOST),
    "geqo_pool_size": (0, _MOST),
    "geqo_seed": (0, 1),
    "geqo_selection_bias": (1.5, 2),
    "geqo_threshold": (2, _MOST),
    "gin_fuzzy_search_limit": (0, _MOST),
    "gin_pending_list_limit": (64, _MOST),
    "hash_mem_multiplier": (1, 1000),
    "hot_standby_feedback": _ON_OFF,
    "huge_pages": "off try on",
    "idle_in_transaction_session_timeout": (0, _MOST),
    "idle_session_timeout": (0, _MOST),
    "jit": _ON_OFF,
    "join_collapse_limit": (1, _MOST),
    "lo_compat_privileges": _ON_OFF,
    "lock_timeout": (0, _MOST),
    "log_autovacuum_min_duration": (-1, _MOST),
    "log_checkpoints": _ON_OFF,
    "log_connections": _ON_OFF,
    "log_disconnections": _ON_OFF,
    "log_duration": _ON_OFF,
    "log_error_verbosity": "terse default verbose",
    "log_executor_stats": _ON_OFF,
    "log_hostname": _ON_OFF,
    "log_line_prefix": None,
    "log_lock_waits": _ON_OFF,
    "log_min_duration_sample": (-1, _MOST),
    "log_min_duration_statement": (-1, _MOST),
    "log_min_error_statement": _WORDS["server_level"],
    "log_min_messages": _WORDS["server_level"],
    "log_parameter_max_length": (-1, _MOST),
    "log_parameter_max_length_on_error": (-1, _MOST),
    "log_parser_stats": _ON_OFF,
    "log_planner_stats": _ON_OFF,
    "log_recovery_conflict_waits": _ON_OFF,
    "log_replication_commands": _ON_OFF,
    "log_statement": "none ddl mod all",
    "log_statement_sample_rate": (0, 1),
    "log_statement_stats": _ON_OFF,
    "log_temp_files": (-1, _MOST),
    "log_timezone": None,
    "log_transaction_sample_rate": (0, 1),
    "logical_decoding_work_mem": (64, _MOST),
    "maintenance_io_concurrency": (0, 1000),
    "maintenance_work_mem": (1024, _MOST),
    "max_connections": (14, 262143),
    "max_files_per_process": (64, _MOST),
    "max_locks_per_transaction": (10, _MOST),
    "max_logical_replication_workers": (0, 262143),
    "max_parallel_maintenance_workers": (0, 1024),
    "max_parallel_workers": (0, 1024),
    "max_parallel_workers_per_gather": (0, 1024),
    "max_pred_locks_per_page": (0, _MOST),
    "max_pred_locks_per_relation": (-_MOST - 1, _MOST),
    "max_pred_locks_per_transaction": (10, _MOST),
    "max_prepared_transactions": (0, 262143),
    "max_replication_slots": (0, 262143),
    "max_slot_wal_keep_size": (-1, _MOST),
    "max_stack_depth": (100, 7680),
    "max_standby_archive_delay": (-1, _MOST),
    "max_standby_streaming_delay": (-1, _MOST),
    "max_sync_workers_per_subscription": (0, 262143),
    "max_wal_senders": (0, 262143),
    "max_wal_size": (2, _MOST),
    "max_worker_processes": (0, 262143),
    "min_parallel_index_scan_size": (0, 715827882),
    "min_parallel_table_scan_size": (0, 715827882),
    "min_wal_size": (2, _MOST),
    "old_snapshot_threshold": (-1, 86400),
    "operator_precedence_warning": _ON_OFF,
    "parallel_leader_participation": _ON_OFF,
    "parallel_setup_cost": (0, 1.8e308),
    "parallel_tuple_cost": (0, 1.8e308),
    "password_encryption": "md5 scram-sha-256",
    "plan_cache_mode": "auto force_custom_plan force_generic_plan",
    "quote_all_identifiers": _ON_OFF,
    "random_page_cost": (0, 1.8e308),
    "rdkit.dice_threshold": (0, 1),
    "rdkit.tanimoto_threshold": (0, 1),
    "replacement_sort_tuples": (0, _MOST),
    "session_replication_role": "origin replica local",
    "seq_page_cost": (0, 1.8e308),
    "shared_buffers": (16, 1073741823),
    "ssl_max_protocol_version": "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
    "ssl_min_protocol_version": "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
    "standard_conforming_strings": _ON_OFF,
    "statement_timeout": (0, _MOST),
    "synchronize_seqscans": _ON_OFF,
    "synchronous_commit": "local on off remote_apply remote_write",
    "tcp_keepalives_count": (0, _MOST),
    "tcp_keepalives_idle": (0, _MOST),
    "tcp_keepalives_interval": (0, _MOST),
    "temp_buffers": (100, 1073741823),
    "temp_file_limit": (-1, _MOST),
    "timezone": None,
    "trace_notify": _ON_OFF,
    "trace_recovery_messages": _WORDS["level"],
    "trace_sort": _ON_OFF,
    "track_activities": _ON_OFF,
    "track_activity_query_size": (100, 1048576),
    "track_commit_timestamp": _ON_OFF,
    "track_counts": _ON_OFF,
    "track_functions": "none pl all",
    "track_io_timing": _ON_OFF,
    "track_wal_io_timing": _ON_OFF,
    "transaction_timeout": (0, _MOST),
    "vacuum_cost_delay": (0, 100),
    "vacuum_cost_limit": (1, 10000),
    "vacuum_cost_page_dirty": (0, 10000),
    "vacuum_cost_page_hit": (0, 10000),
    "vacuum_cost_page_miss": (0, 10000),
    "vacuum_failsafe_age": (0, 2100000000),
    "vacuum_freeze_min_age": (0, 1000000000),
    "vacuum_freeze_table_age": (0, 2000000000),
    "vacuum_multixact_failsafe_age": (0, 2100000000),
    "vacuum_multixact_freeze_min_age": (0, 1000000000),
    "vacuum_multixact_freeze_table_age": (0, 2000000000),
    "wal_buffers": (-1, 262143),
    "wal_compression": "on off pglz lz4 zstd",
    "wal_receiver_timeout": (0, _MOST),
    "wal_sender_timeout": (0, _MOST),
    "work_mem": (64, _MOST),
    "xmlbinary": "base64 hex",
}
"""PostgreSQL's own flags that Cloud SQL supports, and those of some extensions.

The ranges are PostgreSQL's where Google gives none. Some of Google's depend on the size of the
machine, and are not here. https://cloud.google.com/sql/docs/postgres/flags (2026-11)
"""

_FLAG_PREFIXES: Final = tuple(
    limits.words(
        "alloydb. auto_explain. cloudsql. cron. enable_ jit_ anon. pg_bigm. pg_hint_plan. "
        "pg_stat_statements. pg_wait_sampling. pgaudit. pgfincore. pglogical. pgtt. plan_filter. "
        "plpgsql. plv8. rdkit. google_ postgis."
    )
)
"""Flags of extensions, of Cloud SQL itself, and switches of the planner."""


_CLOUD_SQL_FLAGS: Final = limits.words(
    "cloudsql.allow_passwordless_local_connections cloudsql.enable_anon "
    "cloudsql.enable_auto_explain cloudsql.enable_google_ml_integration "
    "cloudsql.enable_index_advisor cloudsql.enable_pg_bigm "
    "cloudsql.enable_pg_cron cloudsql.enable_pg_hint_plan cloudsql.enable_pg_squeeze "
    "cloudsql.enable_pg_wait_sampling cloudsql.enable_pgaudit cloudsql.enable_pglogical "
    "cloudsql.iam_authentication cloudsql.logical_decoding cloudsql.max_failed_attempts_user "
    "cloudsql.pg_authid_select_role cloudsql.pg_shadow_select_role"
)
"""Flags of Cloud SQL's own; there may be more."""

_AUDITED: Final = re.compile(
    r"(all|none|-?(read|write|function|role|ddl|misc|misc_set))"
    r"(,\s*(all|none|-?(read|write|function|role|ddl|misc|misc_set)))*"
)
"""The classes of pgaudit.log (https://github.com/pgaudit/pgaudit#pgauditlog)."""


def _flags(inputs: Inputs) -> Iterator[Rejection]:
    if not str(inputs.get("databaseVersion", "POSTGRES")).startswith("POSTGRES"):
        return
    for path, flag in inputs.values_at("settings.databaseFlags[]"):
        name, value = flag.get("name"), flag.get("value")
        if not isinstance(name, str) or not isinstance(value, str):
            continue
        if name not in POSTGRES_FLAGS:
            if not name.startswith(_FLAG_PREFIXES) or _is_misspelled(name):
                yield Rejection(f"{path}.name", "a flag that Cloud SQL supports")
            elif name == "pgaudit.log" and not _AUDITED.fullmatch(value):
                yield Rejection(f"{path}.value", "classes of statements, such as ddl,role")
            elif name.startswith(("enable_", "cloudsql.enable_")) and value not in ("on", "off"):
                yield Rejection(f"{path}.value", "on or off")
            continue
        allowed = POSTGRES_FLAGS[name]
        if isinstance(allowed, str) and value not in allowed.split():
            yield Rejection(f"{path}.value", f"one of {', '.join(allowed.split())} for {name}")
        elif isinstance(allowed, tuple) and not _is_between(value, *allowed):
            low, high = allowed
            yield Rejection(f"{path}.value", f"a number from {low:g} to {high:g} for {name}")


def _is_misspelled(name: str) -> bool:
    """Whether a name is nearly, but not exactly, that of a flag of Cloud SQL's own."""
    near = difflib.get_close_matches(name, _CLOUD_SQL_FLAGS, n=1, cutoff=0.93)
    return bool(near) and name not in near


def _is_between(value: str, low: float, high: float) -> bool:
    try:
        return low <= float(value) <= high
    except ValueError:
        return False


def _backups(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/sql/docs/postgres/high-availability, .../backup-recovery/pitr"""
    backup = "settings.backupConfiguration"
    postgres = str(inputs.get("databaseVersion", "POSTGRES")).startswith("POSTGRES")
    if inputs.get("clone") is not None or inputs.get("masterInstanceName") is not None:
        return
    if inputs.get(f"{backup}.enabled", False) is True:
        most = 35 if inputs.get("settings.edition") == "ENTERPRISE_PLUS" else 7
        days = inputs.get(f"{backup}.transactionLogRetentionDays", 1)
        if is_number(days) and days > most:
            yield Rejection(
                f"{backup}.transactionLogRetentionDays", f"at most {most} days in this edition"
            )
        return
    if inputs.get(f"{backup}.pointInTimeRecoveryEnabled"):
        yield Rejection(f"{backup}.enabled", "true: point-in-time recovery needs backups")
    if inputs.get("settings.availabilityType") == "REGIONAL" and postgres:
        yield Rejection(f"{backup}.enabled", "true: availabilityType REGIONAL needs backups")


def _sql_network(inputs: Inputs) -> Iterator[Rejection]:
    """An instance has at least one address.

    https://cloud.google.com/sql/docs/postgres/configure-ip
    """
    for path, config in inputs.values_at("settings.ipConfiguration"):
        has_address = config.get("privateNetwork") is not None or config.get("pscConfigs")
        if config.get("ipv4Enabled") is False and not has_address:
            yield Rejection(path, "privateNetwork, if ipv4Enabled is false")


def _sql_tier(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/sql/docs/postgres/machine-series-overview"""
    path = "settings.tier"
    tier, edition = inputs.get(path), inputs.get("settings.edition")
    if not isinstance(tier, str):
        return
    custom = limits.SQL_CUSTOM_TIER.fullmatch(tier)
    if custom is None:
        if not re.fullmatch(r"db-(f1-micro|g1-small|perf-optimized-N-\d+|(n|c4a?)-.+)", tier):
            yield Rejection(path, "a machine tier, such as db-custom-<vCPUs>-<MiB>")
        elif edition == "ENTERPRISE" and tier.startswith("db-perf-optimized"):
            yield Rejection(path, "db-custom-<vCPUs>-<MiB> in the edition ENTERPRISE")
        return
    vcpus, mib = map(int, custom.groups())
    fewest, most = limits.SQL_VCPUS
    if (vcpus != 1 and vcpus % 2) or not fewest <= vcpus <= most:
        yield Rejection(path, f"1 vCPU, or an even number of vCPUs up to {most}")
        return
    step, (smallest, largest) = limits.SQL_MEMORY_STEP_MIB, limits.sql_memory_mib(vcpus)
    if mib % step or not smallest <= mib <= largest:
        yield Rejection(path, f"{smallest} to {largest} MiB of memory in steps of {step} MiB")
    version = re.fullmatch(r"POSTGRES_(\d+)", str(inputs.get("databaseVersion", "")))
    if version and int(version[1]) >= 16 and edition != "ENTERPRISE":
        yield Rejection(
            path,
            "db-perf-optimized-N-<vCPUs> in the edition ENTERPRISE_PLUS, which is the default "
            "since Postgres 16; or settings.edition ENTERPRISE",
        )


def _sql_names(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/sql/docs/postgres/instance-settings"""
    name, project = str(inputs.get("name", "")), str(inputs.get("project", ""))
    if len(f"{project}:{name}") > 98:
        yield Rejection("name", "at most 98 characters together with the project's id and a colon")


def _is_past(value: Any) -> bool:
    if not TIMESTAMP.accepts(value):
        return True  # Its own constraint reports it.
    moment = datetime.fromisoformat(re.sub(r"\.(\d+)", "", value).replace("Z", "+00:00"))
    return moment <= datetime.now(UTC)


CONSTRAINTS: Final[Table] = {
    gcp.SQL_INSTANCE: (
        Constraint("name", lower_case_name(97)),
        Constraint("region", REGION),
        Constraint("databaseVersion", DATABASE_VERSION),
        Constraint("encryptionKeyName", KEY),
        Constraint("settings.userLabels", LABELS),
        Constraint("settings.ipConfiguration.authorizedNetworks[].value", ANY_RANGE),
        *each(
            text(
                r"(\d{4}-)?(0?[1-9]|1[0-2])-(0?[1-9]|[12]\d|3[01])", "a day", "2026-13-01", "soon"
            ),
            "settings.denyMaintenancePeriod.startDate",
            "settings.denyMaintenancePeriod.endDate",
        ),
        Constraint("settings.edition", choice("ENTERPRISE", "ENTERPRISE_PLUS")),
        Constraint("settings.availabilityType", choice("REGIONAL", "ZONAL")),
        Constraint("settings.activationPolicy", choice("ALWAYS", "NEVER", "ON_DEMAND")),
        Constraint("settings.diskType", choice("PD_SSD", "PD_HDD", "HYPERDISK_BALANCED")),
        Constraint("settings.diskSize", integer(10, 65536)),
        Constraint("settings.backupConfiguration.startTime", TIME_OF_DAY),
        Constraint(
            "settings.backupConfiguration.location",
            member_of(
                limits.REGIONS | {"us", "eu", "asia"},
                "us, eu, asia or a region",
                *("US", "europe", "us-central9"),
            ),
        ),
        Constraint(
            "settings.backupConfiguration.backupRetentionSettings.retainedBackups", integer(1, 365)
        ),
        Constraint(
            "settings.backupConfiguration.backupRetentionSettings.retentionUnit", choice("COUNT")
        ),
        Constraint("settings.backupConfiguration.transactionLogRetentionDays", integer(1, 35)),
        Constraint("settings.finalBackupConfig.retentionDays", integer(1, 365)),
        Constraint("settings.maintenanceWindow.day", integer(1, 7)),
        Constraint("settings.maintenanceWindow.hour", integer(0, 23)),
        Constraint("settings.maintenanceWindow.updateTrack", choice("canary", "stable", "week5")),
        Constraint("settings.insightsConfig.queryStringLength", integer(256, 100000)),
        Constraint("settings.insightsConfig.queryPlansPerMinute", integer(0, 200)),
        Constraint("settings.locationPreference.zone", ZONE),
        Constraint("settings.locationPreference.secondaryZone", ZONE),
        Constraint(
            "settings.ipConfiguration.sslMode",
            choice(
                *("ALLOW_UNENCRYPTED_AND_ENCRYPTED", "ENCRYPTED_ONLY"),
                "TRUSTED_CLIENT_CERTIFICATE_REQUIRED",
            ),
        ),
        Constraint(
            "settings.ipConfiguration.serverCaMode",
            choice(
                *("GOOGLE_MANAGED_INTERNAL_CA", "GOOGLE_MANAGED_CAS_CA"),
                "CUSTOMER_MANAGED_CAS_CA",
            ),
        ),
        Constraint("clone.pointInTime", TIMESTAMP),
        Constraint(
            "clone.pointInTime", Values("a time in the past", _is_past, ("2999-01-01T00:00:00Z",))
        ),
        zones_of(
            "region",
            "settings.locationPreference.zone",
            "settings.locationPreference.secondaryZone",
        ),
        unique(
            "settings.databaseFlags",
            "name",
        ),
        Combination(
            _flags,
            ("settings.databaseFlags",),
            tuple(
                ("settings.databaseFlags", [{"name": name, "value": value}])
                for name, value in (
                    ("max_conections", "500"),
                    ("max_connections", "5"),
                    ("max_connections", "many"),
                    ("log_checkpoints", "yes"),
                    ("log_statement", "everything"),
                    ("fsync", "off"),
                    ("cloudsql.enable_pgaudit", "1"),
                )
            ),
        ),
        Combination(
            _backups,
            ("settings.backupConfiguration", "settings.availabilityType"),
            (
                ("", {"settings": {"availabilityType": "REGIONAL"}}),
                ("", {"settings": {"backupConfiguration": {"pointInTimeRecoveryEnabled": True}}}),
                (
                    "",
                    {
                        "settings": {
                            "backupConfiguration": {
                                "enabled": True,
                                "transactionLogRetentionDays": 14,
                            }
                        }
                    },
                ),
            ),
        ),
        Combination(
            _sql_network,
            ("settings.ipConfiguration",),
            (("settings.ipConfiguration", {"ipv4Enabled": False}),),
        ),
        Combination(
            _sql_tier,
            ("settings.tier", "settings.edition", "databaseVersion"),
            tuple(
                ("settings.tier", tier)
                for tier in (
                    *("db-custom-3-8192", "db-custom-4-1024", "db-custom-4-16000"),
                    *("db-custom-98-98304", "db-custom-4-2048", "db-custom-2-15360"),
                    *("db-custom-98-100096", "db-n1-standard-4", "custom-4-16384"),
                )
            ),
        ),
        Combination(_sql_names, ("name", "project"), (("name", "x" * 97),)),
    ),
    gcp.SQL_DATABASE: (
        Constraint(
            "name",
            text(
                r"(?!(cloudsqladmin|template[01]|postgres)$).{1,63}",
                "up to 63 characters, and none of cloudsqladmin, postgres, template0 and "
                "template1, which exist",
                *("cloudsqladmin", "postgres", "template0", "x" * 64),
            ),
        ),
    ),
    gcp.SQL_USER: (
        Constraint(
            "name",
            text(
                r"(?!(cloudsql|pg_)).{1,254}",
                "a name that does not start with cloudsql or pg_, which are reserved",
                *("cloudsqladmin", "pg_read_all_data"),
            ),
        ),
        Constraint(
            "type",
            choice(
                *("BUILT_IN", "CLOUD_IAM_USER", "CLOUD_IAM_SERVICE_ACCOUNT", "CLOUD_IAM_GROUP"),
                *("CLOUD_IAM_GROUP_USER", "CLOUD_IAM_GROUP_SERVICE_ACCOUNT", "ENTRAID_USER"),
                "CLOUD_IAM_WORKFORCE_IDENTITY",
            ),
        ),
    ),
}

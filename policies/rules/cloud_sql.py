"""Cloud SQL."""

from __future__ import annotations

from typing import Final

from policies.framework.demands import NOT_ALLOWED, NOT_EMPTY, at_least, equal, matches, one_of
from policies.framework.paths import PROTECT
from policies.framework.rules import Check, Must, ResourceRule, Severity, When
from resource_types import gcp, limits

DOCS: Final = "https://cloud.google.com/sql/docs/postgres"

# A flag, its allowed values, and a value that loses the log.
LOG_FLAGS: Final = (
    ("log_checkpoints", ("on",), "off"),
    ("log_connections", ("on",), "off"),
    ("log_disconnections", ("on",), "off"),
    ("log_lock_waits", ("on",), "off"),
    ("log_min_duration_statement", ("-1",), "250"),
    ("log_min_error_statement", ("error", "warning", "notice", "info"), "panic"),
    ("log_min_messages", ("warning", "notice", "info"), "panic"),
    # Other values log the data in statements.
    ("log_statement", ("ddl",), "all"),
    ("pgaudit.log", ("ddl,role",), "all"),
)

AUDIT_FLAG: Final = "cloudsql.enable_pgaudit"
FLAGS: Final = (AUDIT_FLAG, "max_connections", *(name for name, _, _ in LOG_FLAGS))
"""Every flag that the estate sets: others can lose data (``fsync``) or stop writes."""


def _flag(name: str) -> str:
    return f"settings.databaseFlags[name={name}].value"


def _own(*checks: Check) -> tuple[Check, ...]:
    """Checks of an instance's own settings: a clone inherits those of its source."""
    return (When(lambda view: view.get("clone") is None, checks),)


RULES: Final = (
    ResourceRule(
        id="sql-no-public-address",
        severity=Severity.CRITICAL,
        what="A database has no public IP address.",
        fix="Set settings.ipConfiguration.ipv4Enabled to false; the default is true.",
        url=f"{DOCS}/configure-private-ip",
        frameworks=("CIS-GCP-4.0 6.6", "CKV_GCP_60", "Trivy GCP-0017"),
        types=(gcp.SQL_INSTANCE,),
        checks=_own(Must("settings.ipConfiguration.ipv4Enabled", equal(False))),
    ),
    ResourceRule(
        id="sql-no-open-network",
        severity=Severity.CRITICAL,
        what="A database accepts connections through the private network only.",
        fix="Remove authorizedNetworks and pscConfigs from settings.ipConfiguration.",
        url=f"{DOCS}/authorize-networks",
        frameworks=("CIS-GCP-4.0 6.5", "CKV_GCP_11"),
        types=(gcp.SQL_INSTANCE,),
        checks=(
            Must("settings.ipConfiguration.authorizedNetworks", NOT_ALLOWED, optional=True),
            Must("settings.ipConfiguration.pscConfigs", NOT_ALLOWED, optional=True),
        ),
    ),
    ResourceRule(
        id="sql-private-network",
        severity=Severity.HIGH,
        what="A database has an address in the estate's VPC.",
        fix="Set settings.ipConfiguration.privateNetwork to the VPC.",
        url=f"{DOCS}/configure-private-ip",
        frameworks=("Prowler cloudsql_instance_private_ip_assignment",),
        types=(gcp.SQL_INSTANCE,),
        checks=_own(Must("settings.ipConfiguration.privateNetwork", NOT_EMPTY)),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="sql-tls",
        severity=Severity.HIGH,
        what="A database accepts encrypted connections only.",
        fix="Set settings.ipConfiguration.sslMode to ENCRYPTED_ONLY.",
        url=f"{DOCS}/configure-ssl-instance",
        frameworks=("CIS-GCP-4.0 6.4", "CKV_GCP_6", "Trivy GCP-0015"),
        types=(gcp.SQL_INSTANCE,),
        checks=_own(
            Must(
                "settings.ipConfiguration.sslMode",
                one_of(
                    "ENCRYPTED_ONLY",
                    "TRUSTED_CLIENT_CERTIFICATE_REQUIRED",
                    refused=("ALLOW_UNENCRYPTED_AND_ENCRYPTED", "ENCRYPTED"),
                ),
            )
        ),
    ),
    ResourceRule(
        id="sql-backups",
        severity=Severity.HIGH,
        what="A database is backed up daily, and backups are kept for at least a week.",
        fix="Set enabled and backupRetentionSettings.retainedBackups in "
        "settings.backupConfiguration.",
        url=f"{DOCS}/backup-recovery/backups",
        frameworks=("CIS-GCP-4.0 6.7", "CKV_GCP_14", "Trivy GCP-0024"),
        types=(gcp.SQL_INSTANCE,),
        checks=_own(
            Must("settings.backupConfiguration.enabled", equal(True)),
            Must(
                "settings.backupConfiguration.backupRetentionSettings.retainedBackups", at_least(7)
            ),
        ),
    ),
    ResourceRule(
        id="sql-point-in-time-recovery",
        severity=Severity.HIGH,
        what="A database supports point-in-time recovery.",
        fix="Set settings.backupConfiguration.pointInTimeRecoveryEnabled to true.",
        url=f"{DOCS}/backup-recovery/pitr",
        frameworks=("CKV2_GCP_20",),
        types=(gcp.SQL_INSTANCE,),
        checks=_own(Must("settings.backupConfiguration.pointInTimeRecoveryEnabled", equal(True))),
    ),
    ResourceRule(
        id="sql-deletion-protection",
        severity=Severity.HIGH,
        what="All three deletion protections of a database are on.",
        fix="Set deletionProtection, settings.deletionProtectionEnabled and the resource option "
        "protect.",
        url=f"{DOCS}/deletion-protection",
        frameworks=("CKV_GCP_79",),
        types=(gcp.SQL_INSTANCE,),
        checks=(
            Must("deletionProtection", equal(True)),
            *_own(Must(PROTECT, equal(True))),
            *_own(Must("settings.deletionProtectionEnabled", equal(True))),
        ),
    ),
    ResourceRule(
        id="sql-contents-protected",
        severity=Severity.HIGH,
        what="Databases and their users are protected from deletion.",
        fix="Set the resource option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        types=(gcp.SQL_DATABASE, gcp.SQL_USER),
        checks=(Must(PROTECT, equal(True)),),
    ),
    ResourceRule(
        id="sql-backups-survive-deletion",
        severity=Severity.MEDIUM,
        what="Backups outlive their database.",
        fix="Set settings.retainBackupsOnDelete and settings.finalBackupConfig.enabled to true.",
        url=f"{DOCS}/backup-recovery/backups#final-backup",
        types=(gcp.SQL_INSTANCE,),
        checks=_own(
            Must("settings.retainBackupsOnDelete", equal(True)),
            Must("settings.finalBackupConfig.enabled", equal(True)),
            Must("settings.finalBackupConfig.retentionDays", at_least(1)),
        ),
    ),
    ResourceRule(
        id="sql-log-flags",
        severity=Severity.MEDIUM,
        what="PostgreSQL logs connections, checkpoints, lock waits, schema changes and errors, no "
        "data, and has no other flags.",
        fix="Correct the flag in settings.databaseFlags; a new one belongs in FLAGS in "
        "policies/rules/cloud_sql.py.",
        url=f"{DOCS}/flags",
        frameworks=(
            "CIS-GCP-4.0 6.2.2",
            "CIS-GCP-4.0 6.2.3",
            "CIS-GCP-4.0 6.2.4",
            "CIS-GCP-4.0 6.2.5",
            "CIS-GCP-4.0 6.2.6",
            "CIS-GCP-4.0 6.2.7",
            *(f"CKV_GCP_{number}" for number in (51, 52, 53, 54, 55, 57, 109, 111)),
        ),
        types=(gcp.SQL_INSTANCE,),
        checks=_own(
            *(
                Must(_flag(name), one_of(*allowed, refused=(refused,)))
                for name, allowed, refused in LOG_FLAGS
            ),
            Must("settings.databaseFlags[].name", one_of(*FLAGS, refused=("fsync",))),
        ),
    ),
    ResourceRule(
        id="sql-audit-log",
        severity=Severity.MEDIUM,
        what="PostgreSQL writes an audit log.",
        fix='Set the flag cloudsql.enable_pgaudit to "on" in settings.databaseFlags.',
        url=f"{DOCS}/pg-audit",
        frameworks=("CIS-GCP-4.0 6.2.8", "CKV_GCP_110"),
        types=(gcp.SQL_INSTANCE,),
        checks=_own(Must(_flag(AUDIT_FLAG), equal("on", "off"))),
    ),
    ResourceRule(
        id="sql-customer-managed-key",
        severity=Severity.MEDIUM,
        what="A database is encrypted with a customer-managed key.",
        fix="Set encryptionKeyName to a Cloud KMS key in the database's region.",
        url=f"{DOCS}/cmek",
        frameworks=("Prowler cloudsql_instance_cmek_encryption_enabled",),
        types=(gcp.SQL_INSTANCE,),
        checks=_own(Must("encryptionKeyName", NOT_EMPTY)),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="sql-edition",
        severity=Severity.HIGH,
        what="A database sets its edition explicitly.",
        fix="Set settings.edition to ENTERPRISE: the default edition of PostgreSQL 16 has no "
        "custom tiers.",
        url=f"{DOCS}/editions-intro",
        types=(gcp.SQL_INSTANCE,),
        checks=_own(Must("settings.edition", equal("ENTERPRISE", "ENTERPRISE_PLUS"))),
    ),
    ResourceRule(
        id="sql-tier",
        severity=Severity.HIGH,
        what="A database has a custom tier, and no shared CPU.",
        fix="Use db-custom-<vCPUs>-<MiB>.",
        url=f"{DOCS}/instance-settings",
        types=(gcp.SQL_INSTANCE,),
        checks=_own(
            Must(
                "settings.tier",
                matches(
                    limits.SQL_CUSTOM_TIER.pattern,
                    "must be db-custom-<vCPUs>-<MiB>",
                    ("db-f1-micro", "db-custom-4-x"),
                ),
            )
        ),
    ),
    ResourceRule(
        id="sql-backup-time",
        severity=Severity.HIGH,
        what="The start time of backups is a time of day.",
        fix='Set settings.backupConfiguration.startTime to a time such as "03:00", in UTC.',
        url=f"{DOCS}/backup-recovery/backing-up",
        types=(gcp.SQL_INSTANCE,),
        checks=_own(
            Must(
                "settings.backupConfiguration.startTime",
                matches(r"([01]\d|2[0-3]):[0-5]\d", "must be HH:MM", ("3am", "24:00")),
            )
        ),
    ),
    ResourceRule(
        id="sql-insights",
        severity=Severity.LOW,
        what="Query Insights is on and does not record client addresses.",
        fix="Set settings.insightsConfig.queryInsightsEnabled to true and leave "
        "recordClientAddress off.",
        url=f"{DOCS}/using-query-insights",
        types=(gcp.SQL_INSTANCE,),
        checks=_own(
            Must("settings.insightsConfig.queryInsightsEnabled", equal(True)),
            Must("settings.insightsConfig.recordClientAddress", equal(False), optional=True),
        ),
    ),
    ResourceRule(
        id="sql-maintenance-window",
        severity=Severity.LOW,
        what="A database has a maintenance window.",
        fix="Set settings.maintenanceWindow.day and settings.maintenanceWindow.hour.",
        url=f"{DOCS}/maintenance",
        types=(gcp.SQL_INSTANCE,),
        checks=_own(
            Must("settings.maintenanceWindow.day", at_least(1)),
            Must("settings.maintenanceWindow.hour", at_least(0)),
        ),
    ),
)

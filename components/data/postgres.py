"""Cloud SQL for PostgreSQL: the instance, its database, its user, and a recovery clone on demand.

Private, TLS only, encrypted with a customer-managed key. Owns the password, which is exported only
within the connection string. Does not own the peering (network.py) or the key (encryption.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random
from pulumi import Output, ResourceOptions

from components.base import PullComponent, Stage
from components.config.data import Postgres as PostgresSettings
from components.names import Names
from components.platform.encryption import Encryption
from components.platform.network import Network
from components.platform.project import Project
from resource_types.limits import WEEKDAYS

DATABASE: Final = "pull"
USER: Final = "pull"
VERSION: Final = "POSTGRES_16"
PORT: Final = 5432

LOG_FLAGS: Final = {
    # CIS Google Cloud Foundation Benchmark, section 6.2, and pgaudit (6.2.8).
    "cloudsql.enable_pgaudit": "on",
    "log_checkpoints": "on",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_lock_waits": "on",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "error",
    "log_min_messages": "warning",
    "log_statement": "ddl",
    "pgaudit.log": "ddl,role",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresArgs:
    """Inputs of :class:`Postgres`."""

    project: str
    region: str
    names: Names
    settings: PostgresSettings
    protect: bool
    network: Network
    encryption: Encryption
    services: Project


class Postgres(PullComponent):
    """One primary instance with the database ``pull`` and the user ``pull``."""

    connection_name: Output[str]
    """``project:region:instance``, the form that the Cloud SQL Auth Proxy accepts."""
    url: Output[str]
    """Connection string. Secret."""
    connectable: list[pulumi.Resource]
    """What must exist before a connection can be opened: the database and the user."""
    exporter: Output[str]
    """IAM member that the instance uses to write exports."""

    def __init__(self, name: str, args: PostgresArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("pull:data:Postgres", name, Stage.INFRASTRUCTURE, opts)
        protect = ResourceOptions(protect=args.protect)
        settings = args.settings
        instance = gcp.sql.DatabaseInstance(
            self.child("instance"),  # its name stays reserved for a week after deletion
            project=args.project,
            region=args.region,
            name=args.names.postgres,
            database_version=VERSION,
            encryption_key_name=args.encryption.keys["postgres"],
            deletion_protection=args.protect,
            settings={
                # The default for PostgreSQL 16 is Enterprise Plus, which has no custom tiers:
                # https://cloud.google.com/sql/docs/postgres/editions-intro
                "edition": "ENTERPRISE",
                "tier": f"db-custom-{settings.cpus}-{settings.memory_mib}",
                "availability_type": settings.availability,
                "disk_type": "PD_SSD",
                "disk_size": settings.disk_gib,
                "disk_autoresize": True,
                "deletion_protection_enabled": args.protect,
                "retain_backups_on_delete": True,
                "final_backup_config": {
                    "enabled": True,
                    "retention_days": settings.final_backup_days,
                },
                "backup_configuration": {
                    "enabled": True,
                    "start_time": settings.backup_start,
                    "location": settings.backup_location,
                    "point_in_time_recovery_enabled": True,
                    "transaction_log_retention_days": settings.transaction_log_days,
                    "backup_retention_settings": {
                        "retained_backups": settings.retained_backups,
                        "retention_unit": "COUNT",
                    },
                },
                "ip_configuration": {
                    "ipv4_enabled": False,
                    "private_network": args.network.id,
                    "allocated_ip_range": args.network.services_range,
                    "enable_private_path_for_google_cloud_services": True,
                    "ssl_mode": "ENCRYPTED_ONLY",
                },
                "insights_config": {
                    "query_insights_enabled": True,
                    "query_plans_per_minute": 5,
                    "query_string_length": 1024,
                    "record_application_tags": True,
                    "record_client_address": False,
                },
                "maintenance_window": {
                    "day": WEEKDAYS.index(settings.maintenance.day) + 1,
                    "hour": settings.maintenance.hour,
                    "update_track": "stable",
                },
                "database_flags": [
                    {"name": flag, "value": value}
                    for flag, value in sorted(
                        {**LOG_FLAGS, "max_connections": str(settings.max_connections)}.items()
                    )
                ],
            },
            opts=self.options(
                args.services.ready("sqladmin"),
                args.encryption.usable["postgres"],
                # The disk grows by itself. The provider then ignores the smaller size here
                # (CustomizeDiff in resource_sql_database_instance.go of its source).
                ResourceOptions(depends_on=[args.network.private_services]),
                protect,
            ),
        )
        database = gcp.sql.Database(
            self.child("database"),
            project=args.project,
            instance=instance.name,
            name=DATABASE,
            opts=self.options(protect),
        )
        password = random.RandomPassword(
            self.child("password"),
            length=32,
            special=False,  # it is part of a URL
            keepers={"generation": str(settings.password_generation)},
            opts=self.options(),
        )
        user = gcp.sql.User(
            self.child("user"),
            project=args.project,
            instance=instance.name,
            name=USER,
            password=password.result,
            # PostgreSQL cannot drop a role that owns tables; deleting the instance deletes it.
            deletion_policy="ABANDON",
            opts=self.options(protect),
        )
        if settings.recovery is not None:
            gcp.sql.DatabaseInstance(
                self.child("recovery"),
                project=args.project,
                region=args.region,
                name=args.names.postgres_recovery,
                database_version=VERSION,
                # A clone takes its settings from the source and rejects others.
                clone={
                    "source_instance_name": instance.name,
                    "point_in_time": settings.recovery.point_in_time,
                },
                deletion_protection=args.protect,
                opts=self.options(ResourceOptions(depends_on=[database, user])),
            )
        self.connection_name = instance.connection_name
        self.url = Output.secret(
            Output.format(
                f"postgresql://{{0}}:{{1}}@{{2}}:{PORT}/{{3}}?sslmode=require",
                user.name,
                password.result,
                instance.private_ip_address,
                database.name,
            )
        )
        self.connectable = [database, user]
        self.exporter = Output.format("serviceAccount:{0}", instance.service_account_email_address)
        self.register_outputs({"connectionName": self.connection_name})

"""Cloud SQL, with production's figures."""

from __future__ import annotations

from typing import Any

import pytest

from components.data.postgres import Postgres, PostgresArgs
from tests.recorder import Neighbours, Probe, Recording, Secret, record, remembered, side_by_side

URL = (
    "postgresql://pull:<postgres-password.result>@<postgres-instance.privateIpAddress>:5432/pull"
    "?sslmode=require"
)


def make(name: str, near: Neighbours) -> Postgres:
    return Postgres(
        name,
        PostgresArgs(
            project="pull-production",
            region="us-central1",
            names=near.names,
            settings=near.settings.postgres,
            protect=near.settings.protect,
            network=near.network,
            encryption=near.encryption,
            services=near.project,
        ),
    )


@remembered
def recorded(**sections: Any) -> Recording:
    return record(lambda: make("postgres", Neighbours(**sections)))


def test_children() -> None:
    assert side_by_side(make).listed("one") == [
        ("gcp:sql/database:Database", "one-database"),
        ("gcp:sql/databaseInstance:DatabaseInstance", "one-instance"),
        ("gcp:sql/user:User", "one-user"),
        ("random:index/randomPassword:RandomPassword", "one-password"),
    ]


def test_instance() -> None:
    instance = recorded()["postgres-instance"]
    assert instance.inputs == {
        "project": "pull-production",
        "region": "us-central1",
        "name": "pull-production-postgres",
        "databaseVersion": "POSTGRES_16",
        "encryptionKeyName": "<encryption-key-postgres.id>",
        "deletionProtection": True,
        "settings": {
            "edition": "ENTERPRISE",
            "tier": "db-custom-4-16384",
            "availabilityType": "REGIONAL",
            "diskType": "PD_SSD",
            "diskSize": 100,
            "diskAutoresize": True,
            "deletionProtectionEnabled": True,
            "retainBackupsOnDelete": True,
            "finalBackupConfig": {"enabled": True, "retentionDays": 30},
            "backupConfiguration": {
                "enabled": True,
                "startTime": "03:00",
                "location": "us",
                "pointInTimeRecoveryEnabled": True,
                "transactionLogRetentionDays": 7,
                "backupRetentionSettings": {"retainedBackups": 30, "retentionUnit": "COUNT"},
            },
            "ipConfiguration": {
                "ipv4Enabled": False,
                "privateNetwork": "<network-vpc.id>",
                "allocatedIpRange": "pull-production-services",
                "enablePrivatePathForGoogleCloudServices": True,
                "sslMode": "ENCRYPTED_ONLY",
            },
            "insightsConfig": {
                "queryInsightsEnabled": True,
                "queryPlansPerMinute": 5,
                "queryStringLength": 1024,
                "recordApplicationTags": True,
                "recordClientAddress": False,
            },
            "maintenanceWindow": {"day": 7, "hour": 4, "updateTrack": "stable"},
            "databaseFlags": [
                {"name": "cloudsql.enable_pgaudit", "value": "on"},
                {"name": "log_checkpoints", "value": "on"},
                {"name": "log_connections", "value": "on"},
                {"name": "log_disconnections", "value": "on"},
                {"name": "log_lock_waits", "value": "on"},
                {"name": "log_min_duration_statement", "value": "-1"},
                {"name": "log_min_error_statement", "value": "error"},
                {"name": "log_min_messages", "value": "warning"},
                {"name": "log_statement", "value": "ddl"},
                {"name": "max_connections", "value": "500"},
                {"name": "pgaudit.log", "value": "ddl,role"},
            ],
        },
    }
    assert instance.ignore_changes == (), "a larger disk has an effect"
    assert instance.waits_for >= {
        "project-sqladmin",
        "network-private-services",
        "encryption-key-postgres-user",
    }


@pytest.mark.parametrize(("day", "number"), [("MONDAY", 1), ("TUESDAY", 2), ("SUNDAY", 7)])
def test_the_week_starts_on_monday(day: str, number: int) -> None:
    inputs = recorded(postgres={"maintenance": {"day": day}})["postgres-instance"].inputs
    assert inputs["settings"]["maintenanceWindow"]["day"] == number


def test_database_user_and_password() -> None:
    recording = recorded()
    assert recording["postgres-database"].inputs == {
        "project": "pull-production",
        "instance": "pull-production-postgres",
        "name": "pull",
    }
    assert recording["postgres-user"].inputs == {
        "project": "pull-production",
        "instance": "pull-production-postgres",
        "name": "pull",
        "password": Secret("<postgres-password.result>"),
        "deletionPolicy": "ABANDON",
    }
    assert recording["postgres-password"].inputs == {
        "length": 32,
        "special": False,
        "keepers": {"generation": "1"},
    }
    assert "result" in recording["postgres-password"].secret_outputs


def test_a_new_generation_is_a_new_password() -> None:
    keepers = recorded(postgres={"password_generation": 2})["postgres-password"].inputs["keepers"]
    assert keepers == {"generation": "2"}


@pytest.mark.parametrize("protect", [True, False])
def test_protected_twice_or_not_at_all(protect: bool) -> None:
    recording = recorded(protect=protect)
    for child in ("instance", "database", "user"):
        assert recording[f"postgres-{child}"].protect == protect, child
    instance = recording["postgres-instance"].inputs
    assert instance["deletionProtection"] == protect
    assert instance["settings"]["deletionProtectionEnabled"] == protect


def test_a_recovery_clone_says_nothing_that_the_source_decides() -> None:
    moment = "2025-01-25T10:00:00.000Z"
    before, after = recorded(), recorded(postgres={"recovery": {"point_in_time": moment}})
    added = {resource.name for resource in after.resources} - {
        resource.name for resource in before.resources
    }
    assert added == {"postgres-recovery"}
    clone = after["postgres-recovery"]
    assert clone.type == "gcp:sql/databaseInstance:DatabaseInstance"
    assert clone.inputs == {
        "project": "pull-production",
        "region": "us-central1",
        "name": "pull-production-postgres-recovery",
        "databaseVersion": "POSTGRES_16",
        "clone": {"sourceInstanceName": "pull-production-postgres", "pointInTime": moment},
        "deletionProtection": True,
    }
    assert clone.waits_for == {"postgres-instance", "postgres-database", "postgres-user"}


def test_the_connection_string_is_a_secret_and_no_output_holds_it() -> None:
    exporters: list[str] = []

    def program() -> None:
        postgres = make("postgres", Neighbours())
        Probe(postgres.url)
        postgres.exporter.apply(exporters.append)

    recording = record(program)
    assert recording["probe"].inputs == {"value": Secret(URL)}
    assert exporters == ["serviceAccount:<postgres-instance.serviceAccountEmailAddress>"]
    assert recording.outputs["postgres"] == {"connectionName": "<postgres-instance.connectionName>"}

"""Data: Cloud SQL and Memorystore, with the sizes that each platform offers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from components.config.errors import SettingError
from components.config.types import Hour, Model, TimeOfDay, Timestamp, expected_error, moment
from resource_types.limits import SQL_MEMORY_STEP_MIB, SQL_VCPUS, Weekday, sql_memory_mib


class Maintenance(Model):
    """When a managed service may restart for its maintenance."""

    day: Weekday
    hour: Hour


def _in_the_past(timestamp: str) -> str:
    if moment(timestamp) > datetime.now(UTC):
        raise expected_error("a time in the past: the database has no later state")
    return timestamp


class Recovery(Model):
    """A clone of the database at a point in time: the runbook's database rollback."""

    point_in_time: Annotated[Timestamp, AfterValidator(_in_the_past)]


def _one_or_even(cpus: int) -> int:
    if cpus != 1 and cpus % 2:
        raise expected_error(f"1, or an even number from 2 to {SQL_VCPUS[1]}")
    return cpus


class Postgres(Model):
    """Cloud SQL, on a custom machine type of the Enterprise edition."""

    cpus: Annotated[
        int,
        Field(ge=SQL_VCPUS[0], le=SQL_VCPUS[1], description="vCPUs"),
        AfterValidator(_one_or_even),
    ]
    memory_mib: Annotated[
        int,
        Field(
            ge=sql_memory_mib(SQL_VCPUS[0])[0],
            le=sql_memory_mib(SQL_VCPUS[1])[1],
            multiple_of=SQL_MEMORY_STEP_MIB,
            description="memory in MiB",
        ),
    ]
    availability: Literal["REGIONAL", "ZONAL"]
    disk_gib: Annotated[int, Field(ge=10, le=65536, description="least size of the disk in GiB")]
    max_connections: Annotated[int, Field(ge=25, le=5000, description="concurrent connections")]
    backup_start: TimeOfDay
    backup_location: Literal["us", "eu", "asia"]
    retained_backups: Annotated[int, Field(ge=1, le=365, description="daily backups kept")]
    transaction_log_days: Annotated[
        int, Field(ge=1, le=7, description="days of point-in-time recovery")
    ]
    final_backup_days: Annotated[
        int,
        Field(
            ge=1,
            le=365,
            description="days that the final backup is kept after the instance is deleted",
        ),
    ]
    maintenance: Maintenance
    password_generation: Annotated[
        int, Field(ge=1, le=9999, description="increase by one to issue a new password")
    ]
    recovery: Recovery | None = None

    def setting_errors(self) -> Iterator[SettingError]:
        minimum, maximum = sql_memory_mib(self.cpus)
        if not minimum <= self.memory_mib <= maximum:
            yield SettingError(
                "memory_mib",
                self.memory_mib,
                f"{minimum} to {maximum} MiB for {self.cpus} vCPUs (0.9 to 6.5 GiB each)",
            )
        if self.max_connections * _MIB_PER_CONNECTION > self.memory_mib:
            yield SettingError(
                "max_connections",
                self.max_connections,
                f"at most {self.memory_mib // _MIB_PER_CONNECTION} for "
                f"memory_mib={self.memory_mib}, {_MIB_PER_CONNECTION} MiB each",
            )
        if self.transaction_log_days > self.retained_backups:
            yield SettingError(
                "transaction_log_days",
                self.transaction_log_days,
                f"at most retained_backups={self.retained_backups}: transaction logs are useful "
                "only from a backup on, and Cloud SQL rejects a longer period",
            )


_MIB_PER_CONNECTION: Final = 10
"""Memory of a busy PostgreSQL backend process; the server needs the rest. An estimate."""


class Redis(Model):
    """Memorystore."""

    tier: Literal["BASIC", "STANDARD_HA"]
    memory_gib: Annotated[int, Field(ge=1, le=300, description="memory in GiB")]
    snapshot_period: Literal["ONE_HOUR", "SIX_HOURS", "TWELVE_HOURS", "TWENTY_FOUR_HOURS"]
    maintenance: Maintenance

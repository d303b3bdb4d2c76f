"""Data: Cloud SQL and Memorystore, with the sizes that each offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from components.config.errors import SettingError
from components.config.words import Hour, Model, TimeOfDay, Timestamp, Weekday, only


class Maintenance(Model):
    """When a managed service may restart for its maintenance."""

    day: Weekday
    hour: Hour


class Recovery(Model):
    """A clone of the database as it was at a moment: the runbook's database rollback."""

    point_in_time: Timestamp


def _one_or_even(cpus: int) -> int:
    if cpus != 1 and cpus % 2:
        raise only("1, or an even number from 2 to 96")
    return cpus


class Postgres(Model):
    """Cloud SQL. Size is a custom machine of the Enterprise edition."""

    cpus: Annotated[int, Field(ge=1, le=96, description="vCPUs"), AfterValidator(_one_or_even)]
    memory_mib: Annotated[
        int, Field(ge=3840, le=638976, multiple_of=256, description="memory in MiB")
    ]
    availability: Literal["REGIONAL", "ZONAL"]
    disk_gib: Annotated[int, Field(ge=10, le=65536, description="first size of the disk in GiB")]
    max_connections: Annotated[int, Field(ge=25, le=5000, description="connections at once")]
    backup_start: TimeOfDay
    backup_location: Literal["us", "eu", "asia"]
    retained_backups: Annotated[int, Field(ge=1, le=365, description="daily backups kept")]
    transaction_log_days: Annotated[
        int, Field(ge=1, le=7, description="days of point-in-time recovery")
    ]
    final_backup_days: Annotated[
        int, Field(ge=1, le=365, description="days that the last backup outlives the instance")
    ]
    maintenance: Maintenance
    password_generation: Annotated[
        int, Field(ge=1, le=9999, description="raise it by one to issue a new password")
    ]
    recovery: Recovery | None = None

    def wrong(self) -> Iterator[SettingError]:
        least, most = max(3840, self.cpus * 922), self.cpus * 6656
        if not least <= self.memory_mib <= most:
            yield SettingError(
                "memory_mib",
                self.memory_mib,
                f"{least} to {most} MiB beside {self.cpus} vCPUs (0.9 to 6.5 GiB each)",
            )
        if self.max_connections * _MIB_OF_A_CONNECTION > self.memory_mib:
            yield SettingError(
                "max_connections",
                self.max_connections,
                f"at most {self.memory_mib // _MIB_OF_A_CONNECTION} beside "
                f"memory_mib={self.memory_mib}, {_MIB_OF_A_CONNECTION} MiB each",
            )
        if self.transaction_log_days > self.retained_backups:
            yield SettingError(
                "transaction_log_days",
                self.transaction_log_days,
                f"at most retained_backups={self.retained_backups}: a log is of use only after "
                "a backup, and Cloud SQL refuses more",
            )


_MIB_OF_A_CONNECTION: Final = 10
"""What a busy process of PostgreSQL takes; the server itself needs the rest."""


class Redis(Model):
    """Memorystore."""

    tier: Literal["BASIC", "STANDARD_HA"]
    memory_gib: Annotated[int, Field(ge=1, le=300, description="memory in GiB")]
    snapshot_period: Literal["ONE_HOUR", "SIX_HOURS", "TWELVE_HOURS", "TWENTY_FOUR_HOURS"]
    maintenance: Maintenance

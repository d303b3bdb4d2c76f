"""Limits and patterns of the platforms that more than one part of the project has to know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, get_args

CLOUD_RUN_MEMORY_GIB_BY_CPU: Final[Mapping[int, tuple[float, float]]] = {
    1: (0.125, 4),
    2: (0.125, 8),
    4: (2, 16),
    6: (4, 24),
    8: (4, 32),
}
"""CPUs of a Cloud Run container, and the least and the most memory beside them in GiB.

https://cloud.google.com/run/docs/configuring/services/memory-limits
"""

SQL_CUSTOM_TIER: Final = re.compile(r"db-custom-(\d+)-(\d+)")
"""A custom machine of Cloud SQL: ``db-custom-<vCPUs>-<MiB>``.

https://cloud.google.com/sql/docs/postgres/create-instance#machine-types
"""

SQL_VCPUS: Final = (1, 96)
"""The fewest and the most vCPUs of a custom machine; more than one must be an even number."""

SQL_MEMORY_STEP_MIB: Final = 256
SQL_MEMORY_LEAST_MIB: Final = 3840
SQL_MEMORY_GIB_PER_VCPU: Final = (0.9, 6.5)


def sql_memory_mib(vcpus: int) -> tuple[int, int]:
    """The least and the most memory of a custom machine of Cloud SQL, in MiB."""
    least, most = (round(vcpus * gib * 1024) for gib in SQL_MEMORY_GIB_PER_VCPU)
    return max(SQL_MEMORY_LEAST_MIB, least), most


Weekday = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)
"""Days as Memorystore names them; Cloud SQL counts them from Monday, which is 1.

https://cloud.google.com/sql/docs/postgres/admin-api/rest/v1/instances#MaintenanceWindow
"""

IMAGE_DIGEST: Final = r"@sha256:[0-9a-f]{64}"
"""The end of an image that is named by its digest (OCI image specification)."""

SECRET_NAME: Final = re.compile(
    r"^(?!(NEXT_PUBLIC_)?CONTRACT_\w+_ADDRESS$)"  # the address of a PullToken is public
    r".*(SECRET|PASSWORD|PASSWD|PASSPHRASE|(^|_)(PASS|PWD)$|MNEMONIC|TOKEN|CREDENTIAL|APIKEY"
    r"|PRIVATEKEY|(?<!PUBLIC)(?<!PUBLISHABLE)(^|_)KEY(_|$)|_TLS_CERT$|_DSN$|WEBHOOK_URL$"
    r"|(DATABASE|POSTGRES|REDIS|MONGO)_UR[IL]$)",
    re.IGNORECASE,
)
"""Names of variables whose values are secret."""

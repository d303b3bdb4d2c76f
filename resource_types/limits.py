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


def words(text: str) -> frozenset[str]:
    """The words of a text, for tables of names."""
    return frozenset(text.split())


REGIONS: Final = words(
    """
    africa-south1 asia-east1 asia-east2 asia-northeast1 asia-northeast2 asia-northeast3 asia-south1
    asia-south2 asia-southeast1 asia-southeast2 asia-southeast3 australia-southeast1
    australia-southeast2 europe-central2 europe-north1 europe-north2 europe-southwest1 europe-west1
    europe-west2 europe-west3 europe-west4 europe-west6 europe-west8 europe-west9 europe-west10
    europe-west12 me-central1 me-central2 me-west1 northamerica-northeast1 northamerica-northeast2
    northamerica-south1 southamerica-east1 southamerica-west1 us-central1 us-east1 us-east4 us-east5
    us-south1 us-west1 us-west2 us-west3 us-west4
    """
)
"""The regions of Google Cloud, as of 2026-11.

https://cloud.google.com/compute/docs/regions-zones#available
"""

_ZONES: Final[Mapping[str, str]] = {
    "europe-west1": "bcd",
    "us-central1": "abcf",
    "us-east1": "bcd",
}
"""The zones of the regions that do not have a, b and c."""

ZONES: Final = frozenset(
    f"{region}-{letter}" for region in REGIONS for letter in _ZONES.get(region, "abc")
)
"""The zones of these regions."""

MIN_SECRET_LENGTH: Final = 8
"""The characters that a secret value needs to be looked for in a text.

A shorter one may be there by chance: a secret ``prod`` would remove every "prod". GitLab masks from
the same length on (https://docs.gitlab.com/ci/variables/#mask-a-cicd-variable).
"""

"""What the constraints of several types share: locations, names, labels, keys and helpers."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final

from resource_types import limits
from resource_types.cel import is_expression
from resource_types.constraints.primitives import (
    Combination,
    Constraint,
    Inputs,
    Rejection,
    Table,
    Values,
    map_of,
    member_of,
    text,
)
from resource_types.record import RESOURCE_TYPES

DAY: Final = 86400
"""Seconds."""

REGION: Final = member_of(
    limits.REGIONS, "a region of Google Cloud, such as us-central1", "us-central9", "US-CENTRAL1"
)
ZONE: Final = member_of(
    limits.ZONES, "a zone of Google Cloud, such as us-central1-a", "us-central1-d", "us-central1"
)

EMAIL: Final = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
PROJECT_ID: Final = r"([a-z0-9.-]+:)?[a-z][-a-z0-9]{4,28}[a-z0-9]"

PROJECT: Final = text(
    PROJECT_ID,
    "a project id: 6 to 30 of a-z, 0-9 and -, starting with a letter and not ending in -",
    *("Pull-Production", "pull", "pull_production", "pull-production-"),
)

# https://cloud.google.com/resource-manager/docs/labels-overview#requirements
_LABEL_CHARACTER: Final = r"(?:[^\WA-Z]|-)"
LABELS: Final = map_of(
    rf"(?!goog|[\d_-]){_LABEL_CHARACTER}{{1,63}}",
    rf"{_LABEL_CHARACTER}{{0,63}}",
    "up to 64 labels: keys of 1 to 63 lower-case letters, digits, _ and -, starting with a letter "
    "and not with goog; values of up to 63 of the same characters",
    *({"Team": "x"}, {"team": "Pull Backend"}, {"goog-team": "x"}, {"1": "x"}, {"a": "x" * 64}),
)

# https://cloud.google.com/compute/docs/naming-resources
COMPUTE_NAME: Final = text(
    r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?",
    "up to 63 of a-z, 0-9 and -, starting with a letter and not ending in -",
    *("Pull", "1pull", "pull_production", "pull-", "x" * 64),
)


def lower_case_name(maximum: int) -> Values:
    return text(
        rf"[a-z](?:[-a-z0-9]{{0,{maximum - 2}}}[a-z0-9])?",
        f"up to {maximum} of a-z, 0-9 and -, starting with a letter and not ending in -",
        *("Pull", "1pull", "pull_production", "pull-", "x" * (maximum + 1)),
    )


CEL: Final = Values(
    "an expression in the Common Expression Language (CEL)",
    is_expression,
    ("assertion.repository = 'pull/pull'", "assertion.repository ==", "'pull", "a && && b"),
)

KEY: Final = text(
    r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+(/cryptoKeyVersions/\d+)?",
    "a key: projects/<project>/locations/<location>/keyRings/<ring>/cryptoKeys/<key>",
    *("backups", "projects/p/locations/us/keyRings/r"),
)

ACCOUNT_EMAIL: Final = text(
    r"[a-z0-9][-a-z0-9.]*@[-a-z0-9.]+\.gserviceaccount\.com|default",
    "the e-mail address of a service account",
    *("pull-api", "serviceAccount:a@pull.iam.gserviceaccount.com", "person@pull.com"),
)


def _is_range(value: Any) -> bool:
    try:
        ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        return False
    return True


ANY_RANGE: Final = Values(
    "an address or a range of addresses in CIDR notation",
    _is_range,
    ("0.0.0.0/33", "10.0.0.999", "everyone"),
)


def exclusive(path: str, names: tuple[str, ...], refused: Any) -> Combination:
    """Exactly one of ``names`` is set at ``path``."""
    expected = f"exactly one of {', '.join(names)}"

    def check(inputs: Inputs) -> Iterator[Rejection]:
        for found_path, found in inputs.values_at(path):
            if (
                isinstance(found, Mapping)
                and sum(found.get(name) is not None for name in names) != 1
            ):
                yield Rejection(found_path, expected)

    return Combination(
        check, tuple(f"{path}.{name}".strip(".") for name in names), ((path, refused),)
    )


def zones_of(region: str, *zones: str) -> Combination:
    """The zones are in the region."""

    def check(inputs: Inputs) -> Iterator[Rejection]:
        own = inputs.get(region)
        for pattern in zones:
            for path, zone in inputs.values_at(pattern):
                if own and not str(zone).startswith(f"{own}-"):
                    yield Rejection(path, f"a zone of the region that is in {region}")

    return Combination(check, (region, *zones), tuple((zone, "asia-east2-a") for zone in zones))


CONSTRAINTS: Final[Table] = {
    token: (Constraint("project", PROJECT), Constraint("labels", LABELS))
    for token in RESOURCE_TYPES
    if token.startswith("gcp:")
}

"""Artifact Registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from resource_types import gcp, limits
from resource_types.constraints.gcp.shared import KEY
from resource_types.constraints.primitives import (
    Combination,
    Constraint,
    Inputs,
    Rejection,
    Table,
    choice,
    integer,
    member_of,
    text,
    unique,
)


def _cleanup(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy"""
    for path, policy in inputs.values_at("cleanupPolicies[]"):
        by_condition, by_count = policy.get("condition"), policy.get("mostRecentVersions")
        if (by_condition is None) == (by_count is None):
            yield Rejection(path, "either condition or mostRecentVersions")
        if by_count is not None and policy.get("action") == "DELETE":
            yield Rejection(f"{path}.action", "KEEP with mostRecentVersions")


_AGE: Final = text(
    r"(\d+(\.\d{1,9})?[smhd])?", 'an age such as "2592000s" or "30d"', "30", "a month"
)
CONSTRAINTS: Final[Table] = {
    gcp.REPOSITORY: (
        Constraint(
            "repositoryId",
            text(
                r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?|([a-z]+\.)?gcr\.io",
                "up to 63 of a-z, 0-9 and -, starting with a letter, or the name of a registry of "
                "gcr.io",
                *("Images", "pull_images", "pull.images", "x" * 64),
            ),
        ),
        Constraint(
            "location",
            member_of(
                limits.REGIONS | {"us", "europe", "asia"},
                "us, europe, asia or a region",
                *("global", "eu", "US", "us-central9"),
            ),
        ),
        Constraint(
            "format",
            choice(
                *("DOCKER", "MAVEN", "NPM", "PYTHON", "APT", "YUM", "GO", "KFP", "GENERIC"),
                *("GOOGET", "RUBY"),
                refused=("docker", "OCI", "HELM"),
            ),
        ),
        Constraint("kmsKeyName", KEY),
        Constraint("cleanupPolicies[].condition.olderThan", _AGE),
        Constraint("cleanupPolicies[].condition.newerThan", _AGE),
        Constraint("cleanupPolicies[].mostRecentVersions.keepCount", integer(1)),
        Constraint(
            "cleanupPolicies[].id",
            text(r"[a-z](?:[-a-z0-9]{0,126}[a-z0-9])?", "a name in lower case", "Keep newest"),
        ),
        unique(
            "cleanupPolicies",
            "id",
        ),
        Combination(
            _cleanup,
            ("cleanupPolicies",),
            (
                ("cleanupPolicies", [{"id": "a", "action": "DELETE"}]),
                (
                    "cleanupPolicies",
                    [{"id": "a", "action": "DELETE", "mostRecentVersions": {"keepCount": 1}}],
                ),
            ),
        ),
    ),
}

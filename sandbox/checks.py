"""What providers reject during a preview, and what only the clouds reject in the middle of an up.

A check looks at a resource and yields what is wrong. It skips inputs that are not known yet.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from resource_types.constraints import Constraint
from resource_types.gcp_constraints import CONSTRAINTS
from sandbox.resource import Resource
from sandbox.schema import CheckFailure, record_of

Check = Callable[[Resource], Iterator[CheckFailure]]


def _one_of(resource: Resource, pattern: str, expected: tuple[str, ...]) -> Iterator[CheckFailure]:
    for path, value in resource.values_at(pattern):
        if value not in expected:
            yield CheckFailure(
                path, f"{value!r} is not allowed; possible values are {', '.join(expected)}"
            )


# -- During a preview ------------------------------------------------------------------------------


def accepted(token: str, *paths: str) -> Check:
    """Google Cloud: the values that it accepts in a type; with ``paths``, only those there."""
    constraints = [
        constraint
        for constraint in CONSTRAINTS.get(token, ())
        if not paths or (isinstance(constraint, Constraint) and constraint.path in paths)
    ]
    secret = record_of(token).secret_outputs

    def check(resource: Resource) -> Iterator[CheckFailure]:
        for constraint in constraints:
            for path, expected in constraint.rejections(resource):
                value = dict(resource.values_at(re.sub(r"\[\d+\]", "[]", path))).get(path)
                shown = "[secret]" if path in secret else repr(value)
                yield CheckFailure(path, f"{shown}: expected {expected}")

    return check


def password_length(resource: Resource) -> Iterator[CheckFailure]:
    """Random: a password is at least as long as the sum of its minimums.

    https://github.com/hashicorp/terraform-provider-random, internal/provider/resource_password.go
    """
    length = resource.get("length", 1)
    minimums = (resource.get(f"min{name}", 0) for name in ("Lower", "Upper", "Numeric", "Special"))
    least = max(1, sum(minimums))
    if length < least:
        yield CheckFailure("length", f"{length} is less than {least}, the sum of the minimums")


def vercel_protection(resource: Resource) -> Iterator[CheckFailure]:
    """Vercel: which deployments are protected (vercel/terraform-provider-vercel, project)."""
    yield from _one_of(
        resource,
        "vercelAuthentication.deploymentType",
        (
            "standard_protection_new",
            "standard_protection",
            "all_deployments",
            "only_preview_deployments",
            "none",
        ),
    )


# -- In the middle of an up ------------------------------------------------------------------------


_KEY_LOCATIONS: Final = {"us": "us", "eu": "europe", "asia": "asia"}
"""The KMS location for data in a multi-region."""


def key_beside(pattern: str, location: str) -> Check:
    """The input names a KMS key, which must be in the location of the data that it encrypts.

    ``location`` is a template for ``Resource.format``. https://cloud.google.com/kms/docs/cmek
    """

    def check(resource: Resource) -> Iterator[CheckFailure]:
        data_location = resource.format(location).lower()
        expected = _KEY_LOCATIONS.get(data_location, data_location)
        for path, value in resource.values_at(pattern):
            if f"/locations/{expected}/" not in value:
                yield CheckFailure(
                    path, f"{value!r}: data in {data_location} needs a key in {expected}"
                )

    return check


def agent_on_request(resource: Resource) -> Iterator[CheckFailure]:
    """Cloud Storage: its service agent cannot be created as a service identity.

    https://cloud.google.com/storage/docs/getting-service-agent
    """
    if resource.get("service") == "storage.googleapis.com":
        yield CheckFailure(
            "service",
            "Cloud Storage has no service identity; create its agent with gcloud storage "
            "service-agent",
        )


def r2_bucket_name(resource: Resource) -> Iterator[CheckFailure]:
    """R2: names of buckets (https://developers.cloudflare.com/r2/buckets/create-buckets/)."""
    name = resource.get("name", "")
    if not re.fullmatch(r"[a-z0-9][-a-z0-9]{1,61}[a-z0-9]", name):
        yield CheckFailure(
            "name", f"{name!r} is not a bucket name; expected 3 to 63 of a-z, 0-9 and -"
        )


def cloud_run_traffic(resource: Resource) -> Iterator[CheckFailure]:
    """Cloud Run: traffic goes to revisions that exist.

    https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration
    """
    for name in ("traffics", "instanceSplits"):
        for path, revision in resource.values_at(f"{name}[].revision"):
            if revision not in resource.internal["revisions"]:
                yield CheckFailure(path, f"there is no revision {revision!r}")


def deployment_shares(resource: Resource) -> Iterator[CheckFailure]:
    """Cloudflare Workers: one or two versions, whose percentages sum to 100.

    https://developers.cloudflare.com/workers/configuration/versions-and-deployments/
    """
    versions = resource.get("versions", [])
    total = sum(version.get("percentage", 0) for version in versions)
    if total != 100:
        yield CheckFailure("versions", f"the percentages sum to {total:g}, not to 100")
    if len(versions) > 2:
        yield CheckFailure("versions", f"expected one or two versions, got {len(versions)}")
    counts = Counter(version.get("versionId") for version in versions)
    for version, count in counts.most_common(1):
        if count > 1:
            yield CheckFailure("versions", f"version {version} is listed twice")

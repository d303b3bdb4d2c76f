"""What providers reject during a preview, and what only the clouds reject in the middle of an up.

A check looks at a resource and yields what is wrong. It skips inputs that are not known yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from sandbox.resource import Resource
from sandbox.schema import CheckFailure

Check = Callable[[Resource], Iterator[CheckFailure]]


# -- During a preview ------------------------------------------------------------------------------


def password_length(resource: Resource) -> Iterator[CheckFailure]:
    """Random: a password is at least as long as the sum of its minimums.

    https://github.com/hashicorp/terraform-provider-random, internal/provider/resource_password.go
    """
    length = resource.get("length", 1)
    minimums = (resource.get(f"min{name}", 0) for name in ("Lower", "Upper", "Numeric", "Special"))
    least = max(1, sum(minimums))
    if length < least:
        yield CheckFailure("length", f"{length} is less than {least}, the sum of the minimums")


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


def cloud_run_traffic(resource: Resource) -> Iterator[CheckFailure]:
    """Cloud Run: traffic goes to revisions that exist.

    https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration
    """
    for name in ("traffics", "instanceSplits"):
        for path, revision in resource.values_at(f"{name}[].revision"):
            if revision not in resource.internal["revisions"]:
                yield CheckFailure(path, f"there is no revision {revision!r}")

"""What providers reject during a preview, and what only the clouds reject in the middle of an up.

A check looks at a resource and yields what is wrong. It skips inputs that are not known yet.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from resource_types import limits
from sandbox.resource import Resource
from sandbox.schema import CheckFailure

Check = Callable[[Resource], Iterator[CheckFailure]]


def _one_of(resource: Resource, pattern: str, expected: tuple[str, ...]) -> Iterator[CheckFailure]:
    for path, value in resource.values_at(pattern):
        if value not in expected:
            yield CheckFailure(
                path, f"{value!r} is not allowed; possible values are {', '.join(expected)}"
            )


# -- During a preview ------------------------------------------------------------------------------


def seconds(pattern: str) -> Check:
    """The input is a duration in Google's notation, such as ``3600s``.

    https://protobuf.dev/reference/protobuf/google.protobuf/#duration
    """

    def check(resource: Resource) -> Iterator[CheckFailure]:
        for path, value in resource.values_at(pattern):
            if not re.fullmatch(r"\d+(\.\d{1,9})?s", value):
                yield CheckFailure(
                    path, f'{value!r} is not a duration; expected seconds, such as "3600s"'
                )

    return check


def key_rotation(resource: Resource) -> Iterator[CheckFailure]:
    """Cloud KMS: a rotation period of at least one day.

    https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys
    """
    yield from seconds("rotationPeriod")(resource)
    for path, value in resource.values_at("rotationPeriod"):
        if re.fullmatch(r"\d+s", value) and int(value[:-1]) < 86400:
            yield CheckFailure(
                path, f"{value!r} is less than one day; expected 86400s or more for rotation"
            )


def account_id(resource: Resource) -> Iterator[CheckFailure]:
    """IAM: the id of a service account.

    https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/create
    """
    for path, value in resource.values_at("accountId"):
        if not re.fullmatch(r"[a-z](?:[-a-z0-9]{4,28}[a-z0-9])", value):
            yield CheckFailure(
                path,
                f"{value!r}: expected 6 to 30 of a-z, 0-9 and -, starting with a letter and not "
                "ending in -",
            )


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


def compute_name(resource: Resource) -> Iterator[CheckFailure]:
    """Compute Engine: names of resources.

    https://cloud.google.com/compute/docs/naming-resources
    """
    name = resource.get("name", "")
    if not re.fullmatch(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?", name):
        yield CheckFailure(
            "name",
            f"{name!r}: expected up to 63 of a-z, 0-9 and -, starting with a letter and not ending "
            "in -",
        )


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


def bucket_name(resource: Resource) -> Iterator[CheckFailure]:
    """Cloud Storage: names of buckets (https://cloud.google.com/storage/docs/buckets#naming)."""
    name = resource.get("name", "")
    if not re.fullmatch(r"[a-z0-9][-_.a-z0-9]{1,61}[a-z0-9]", name) or name.startswith("goog"):
        yield CheckFailure(
            "name", f"{name!r} is not a bucket name; expected 3 to 63 of a-z, 0-9, -, _ and ."
        )


def r2_bucket_name(resource: Resource) -> Iterator[CheckFailure]:
    """R2: names of buckets (https://developers.cloudflare.com/r2/buckets/create-buckets/)."""
    name = resource.get("name", "")
    if not re.fullmatch(r"[a-z0-9][-a-z0-9]{1,61}[a-z0-9]", name):
        yield CheckFailure(
            "name", f"{name!r} is not a bucket name; expected 3 to 63 of a-z, 0-9 and -"
        )


def connector_range(resource: Resource) -> Iterator[CheckFailure]:
    """Serverless VPC Access: the IP range of a connector.

    https://cloud.google.com/vpc/docs/configure-serverless-vpc-access#create-connector
    """
    for path, value in resource.values_at("ipCidrRange"):
        if ipaddress.ip_network(value, strict=False).prefixlen != 28:
            yield CheckFailure(path, f"{value!r}: expected a /28 for a connector")


def sql_instance(resource: Resource) -> Iterator[CheckFailure]:
    """Cloud SQL: the time of backups, the TLS mode, and the machine with its edition.

    https://cloud.google.com/sql/docs/postgres/admin-api/rest/v1/instances
    """
    for path, value in resource.values_at("settings.backupConfiguration.startTime"):
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            yield CheckFailure(
                path, f'{value!r} is not a time; expected hours and minutes, such as "03:00"'
            )
    yield from _one_of(
        resource,
        "settings.ipConfiguration.sslMode",
        (
            "ALLOW_UNENCRYPTED_AND_ENCRYPTED",
            "ENCRYPTED_ONLY",
            "TRUSTED_CLIENT_CERTIFICATE_REQUIRED",
        ),
    )
    for path, value in resource.values_at("settings.tier"):
        yield from _sql_tier(resource, path, value)


def _sql_tier(resource: Resource, path: str, tier: str) -> Iterator[CheckFailure]:
    custom = limits.SQL_CUSTOM_TIER.fullmatch(tier)
    if custom is None:
        if not re.fullmatch(r"db-(f1-micro|g1-small|perf-optimized-N-\d+|c4a-highmem-\d+)", tier):
            yield CheckFailure(
                path, f"{tier!r} is not a machine tier; a custom one is db-custom-CPUS-MIB"
            )
        return
    vcpus, mib = map(int, custom.groups())
    fewest, most = limits.SQL_VCPUS
    if (vcpus != 1 and vcpus % 2) or not fewest <= vcpus <= most:
        yield CheckFailure(
            path, f"{tier!r}: expected 1 CPU, or an even number of CPUs up to {most}"
        )
    step, (smallest, largest) = limits.SQL_MEMORY_STEP_MIB, limits.sql_memory_mib(vcpus)
    if mib % step or not smallest <= mib <= largest:
        yield CheckFailure(
            path,
            f"{tier!r}: expected {smallest} to {largest} MiB of memory in steps of {step} MiB",
        )
    version = re.fullmatch(r"POSTGRES_(\d+)", resource.get("databaseVersion", ""))
    if version and int(version[1]) >= 16 and resource.get("settings.edition") != "ENTERPRISE":
        yield CheckFailure(
            path,
            f"{tier!r} does not exist in the edition ENTERPRISE_PLUS, which is the default since "
            "Postgres 16",
        )


_GIB: Final = 2**30
_UNITS: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "K": 10**3, "M": 10**6, "G": 10**9, "": 1}


def cloud_run_sizes(resource: Resource) -> Iterator[CheckFailure]:
    """Cloud Run: the CPUs that exist, and the memory that goes with them.

    https://cloud.google.com/run/docs/configuring/services/memory-limits
    """
    memory_by_cpu = limits.CLOUD_RUN_MEMORY_GIB_BY_CPU
    for path, sizes in resource.values_at("template.containers[].resources.limits"):
        cpu, memory = _quantity(sizes.get("cpu", "1")), _quantity(sizes.get("memory", "512Mi"))
        if cpu is None or memory is None:
            yield CheckFailure(
                path, f"{sizes}: expected CPU such as 4 or 500m, and memory such as 4Gi or 512Mi"
            )
        elif cpu < 1:
            if memory > _GIB:
                yield CheckFailure(
                    f"{path}.memory",
                    f"{sizes.get('memory')!r}: expected up to 1 GiB with less than 1 CPU",
                )
        elif cpu not in memory_by_cpu:
            counts = ", ".join(str(count) for count in memory_by_cpu)
            yield CheckFailure(
                f"{path}.cpu", f"{sizes['cpu']!r}: expected less than 1, or one of {counts}"
            )
        else:
            least, most = memory_by_cpu[int(cpu)]
            if not least * _GIB <= memory <= most * _GIB:
                yield CheckFailure(
                    f"{path}.memory",
                    f"{sizes.get('memory')!r}: expected {least:g} to {most:g} GiB with {cpu:g} CPU",
                )


def _quantity(text: str) -> float | None:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(m|Ki|Mi|Gi|K|M|G|)", str(text))
    if found is None:
        return None
    number, unit = float(found[1]), found[2]
    return number / 1000 if unit == "m" else number * _UNITS[unit]


def cloud_run_scaling(resource: Resource) -> Iterator[CheckFailure]:
    """Cloud Run: the minimum of instances is not above the maximum, whose default is 100.

    https://cloud.google.com/run/docs/configuring/max-instances
    """
    for pattern in ("template.scaling", "scaling"):
        for path, scaling in resource.values_at(pattern):
            least, most = scaling.get("minInstanceCount", 0), scaling.get("maxInstanceCount", 100)
            if least > most:
                yield CheckFailure(
                    f"{path}.minInstanceCount", f"{least} is more than the maximum, {most}"
                )


def cloud_run_traffic(resource: Resource) -> Iterator[CheckFailure]:
    """Cloud Run: percentages that sum to 100, of revisions that exist.

    https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration
    """
    for name in ("traffics", "instanceSplits"):
        shares = resource.get(name)
        if not shares:
            continue
        total = sum(share.get("percent", 0) for share in shares)
        if total != 100:
            yield CheckFailure(name, f"the percentages sum to {total}, not to 100")
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

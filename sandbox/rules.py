"""What providers refuse during a preview, and what only the clouds refuse, amid an ``up``.

A rule sees a thing and names what is wrong with it. Inputs that are not known yet are never judged.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from sandbox.resource import Resource
from sandbox.schema import CheckFailure

Rule = Callable[[Resource], Iterator[CheckFailure]]

_UNITS: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "K": 10**3, "M": 10**6, "G": 10**9, "": 1}
_GIB: Final = 2**30

# CPU of a Cloud Run container: the least and the most memory beside it, in GiB.
# https://cloud.google.com/run/docs/configuring/services/memory-limits
_MEMORY_BESIDE_CPU: Final = {1: (0.125, 4), 2: (0.125, 8), 4: (2, 16), 6: (4, 24), 8: (4, 32)}


def seconds(path: str) -> Rule:
    """The input is a duration as Google writes it: ``3600s``."""

    def rule(resource: Resource) -> Iterator[CheckFailure]:
        for where, value in resource.each(path):
            if not re.fullmatch(r"\d+(\.\d{1,9})?s", value):
                yield CheckFailure(
                    where, f'{value!r} is not a duration: give seconds, such as "3600s"'
                )

    return rule


def key_rotation(resource: Resource) -> Iterator[CheckFailure]:
    """KMS: a rotation period of a day or more."""
    yield from seconds("rotationPeriod")(resource)
    for where, value in resource.each("rotationPeriod"):
        if re.fullmatch(r"\d+s", value) and int(value[:-1]) < 86400:
            yield CheckFailure(
                where, f"{value!r} is less than one day: rotation needs 86400s or more"
            )


def account_id(resource: Resource) -> Iterator[CheckFailure]:
    """IAM: the grammar of service account ids."""
    for where, value in resource.each("accountId"):
        if not re.fullmatch(r"[a-z](?:[-a-z0-9]{4,28}[a-z0-9])", value):
            yield CheckFailure(
                where, f"{value!r}: 6 to 30 of a-z, 0-9 and -, a letter first, no - at the end"
            )


def password_length(resource: Resource) -> Iterator[CheckFailure]:
    """Random: no more characters of each class than characters in all."""
    length = resource.get("length", 1)
    least = sum(resource.get(f"min{name}", 0) for name in ("Lower", "Upper", "Numeric", "Special"))
    if length < max(1, least):
        yield CheckFailure(
            "length", f"{length} is less than the {max(1, least)} characters asked for"
        )


def vercel_protection(resource: Resource) -> Iterator[CheckFailure]:
    """Vercel: which deployments are protected."""
    kinds = ("standard_protection_new", "standard_protection", "all_deployments")
    yield from _one_of(
        resource,
        "vercelAuthentication.deploymentType",
        (*kinds, "only_preview_deployments", "none"),
    )


def vercel_targets(resource: Resource) -> Iterator[CheckFailure]:
    """Vercel: the environments of a variable."""
    yield from _one_of(resource, "targets[]", ("production", "preview", "development"))


def _one_of(resource: Resource, path: str, allowed: tuple[str, ...]) -> Iterator[CheckFailure]:
    for where, value in resource.each(path):
        if value not in allowed:
            yield CheckFailure(
                where, f"{value!r} is not allowed; possible values are {', '.join(allowed)}"
            )


# -- Only the cloud refuses what follows -----------------------------------------------------------


_KEYS_OF_MULTI_REGIONS: Final = {"us": "us", "eu": "europe", "asia": "asia"}


def key_beside(path: str, location: str) -> Rule:
    """The input names a KMS key, which must be where its data is; multi-regions have their own.

    ``location`` is a template for ``Thing.text``.
    """

    def rule(resource: Resource) -> Iterator[CheckFailure]:
        place = resource.text(location).lower()
        wanted = _KEYS_OF_MULTI_REGIONS.get(place, place)
        for where, value in resource.each(path):
            if f"/locations/{wanted}/" not in value:
                yield CheckFailure(where, f"{value!r}: what is in {place} takes a key in {wanted}")

    return rule


def compute_name(resource: Resource) -> Iterator[CheckFailure]:
    """Compute: the grammar of names."""
    name = resource.get("name", "")
    if not re.fullmatch(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?", name):
        yield CheckFailure(
            "name", f"{name!r}: up to 63 of a-z, 0-9 and -, a letter first, no - at the end"
        )


def agent_on_request(resource: Resource) -> Iterator[CheckFailure]:
    """Service agents: the one that comes when somebody asks for its name, and in no other way."""
    if resource.get("service") == "storage.googleapis.com":
        yield CheckFailure("service", "Cloud Storage has none before gcloud storage service-agent")


def bucket_name(resource: Resource) -> Iterator[CheckFailure]:
    """Cloud Storage: the grammar of bucket names."""
    name = resource.get("name", "")
    if not re.fullmatch(r"[a-z0-9][-_.a-z0-9]{1,61}[a-z0-9]", name) or name.startswith("goog"):
        yield CheckFailure("name", f"{name!r} is no bucket name: 3 to 63 of a-z, 0-9, -, _ and .")


def r2_bucket_name(resource: Resource) -> Iterator[CheckFailure]:
    """R2: the grammar of bucket names."""
    name = resource.get("name", "")
    if not re.fullmatch(r"[a-z0-9][-a-z0-9]{1,61}[a-z0-9]", name):
        yield CheckFailure("name", f"{name!r} is no bucket name: 3 to 63 of a-z, 0-9 and -")


def record_ttl(resource: Resource) -> Iterator[CheckFailure]:
    """Cloudflare DNS: how long a record may be kept."""
    ttl = resource.get("ttl", 1)
    if ttl != 1 and not 30 <= ttl <= 86400:
        yield CheckFailure("ttl", f"{ttl}: 1 for automatic, or 30 to 86400 seconds")


def connector_range(resource: Resource) -> Iterator[CheckFailure]:
    """VPC access: the size of the range of a connector."""
    for where, value in resource.each("ipCidrRange"):
        if ipaddress.ip_network(value, strict=False).prefixlen != 28:
            yield CheckFailure(where, f"{value!r}: a connector takes a /28")


def sql_instance(resource: Resource) -> Iterator[CheckFailure]:
    """Cloud SQL: the time of backups, the TLS mode, and the machine with its edition."""
    for where, value in resource.each("settings.backupConfiguration.startTime"):
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            yield CheckFailure(
                where, f'{value!r} is no time of day: give hours and minutes, such as "03:00"'
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
    for where, value in resource.each("settings.tier"):
        yield from _sql_tier(resource, where, value)


def _sql_tier(resource: Resource, where: str, tier: str) -> Iterator[CheckFailure]:
    custom = re.fullmatch(r"db-custom-(\d+)-(\d+)", tier)
    if custom is None:
        if not re.fullmatch(r"db-(f1-micro|g1-small|perf-optimized-N-\d+|c4a-highmem-\d+)", tier):
            yield CheckFailure(
                where, f"{tier!r} is no machine tier; a custom one is db-custom-CPUS-MIB"
            )
        return
    cpus, mib = map(int, custom.groups())
    if (cpus != 1 and cpus % 2) or not 1 <= cpus <= 96:
        yield CheckFailure(where, f"{tier!r}: 1 or an even number of CPUs, up to 96")
    if mib % 256 or mib < 3840 or not 0.9 * 1024 <= mib / cpus <= 6.5 * 1024:
        yield CheckFailure(
            where, f"{tier!r}: memory in steps of 256 MiB, 3840 MiB or more, 0.9-6.5 GiB per CPU"
        )
    version = re.fullmatch(r"POSTGRES_(\d+)", resource.get("databaseVersion", ""))
    if version and int(version[1]) >= 16 and resource.get("settings.edition") != "ENTERPRISE":
        yield CheckFailure(
            where, f"{tier!r} is not of the edition ENTERPRISE_PLUS, the default since Postgres 16"
        )


def cloud_run_sizes(resource: Resource) -> Iterator[CheckFailure]:
    """Cloud Run: CPUs that there are, and the memory that goes with them."""
    for where, limits in resource.each("template.containers[].resources.limits"):
        cpu, memory = _quantity(limits.get("cpu", "1")), _quantity(limits.get("memory", "512Mi"))
        if cpu is None or memory is None:
            yield CheckFailure(
                where, f"{limits}: CPU such as 4 or 500m, memory such as 4Gi or 512Mi"
            )
        elif cpu >= 1:
            if cpu not in _MEMORY_BESIDE_CPU:
                yield CheckFailure(
                    f"{where}.cpu", f"{limits['cpu']!r}: less than 1, or 1, 2, 4, 6 or 8"
                )
                continue
            least, most = _MEMORY_BESIDE_CPU[int(cpu)]
            if not least * _GIB <= memory <= most * _GIB:
                reason = f"{limits.get('memory')!r}: beside {cpu:g} CPU {least:g} to {most:g} GiB"
                yield CheckFailure(f"{where}.memory", reason)
        elif memory > _GIB:
            yield CheckFailure(
                f"{where}.memory", f"{limits.get('memory')!r}: less than 1 CPU takes up to 1 GiB"
            )


def _quantity(text: str) -> float | None:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(m|Ki|Mi|Gi|K|M|G|)", str(text))
    if found is None:
        return None
    number, unit = float(found[1]), found[2]
    return number / 1000 if unit == "m" else number * _UNITS[unit]


def cloud_run_scaling(resource: Resource) -> Iterator[CheckFailure]:
    """Cloud Run: no more instances at least than at most."""
    for where, scaling in (*resource.each("template.scaling"), *resource.each("scaling")):
        least, most = scaling.get("minInstanceCount", 0), scaling.get("maxInstanceCount", 100)
        if least > most:
            yield CheckFailure(
                f"{where}.minInstanceCount", f"{least} is more than the maximum, {most}"
            )


def cloud_run_traffic(resource: Resource) -> Iterator[CheckFailure]:
    """Cloud Run: shares that sum to 100, of revisions that there are."""
    for name in ("traffics", "instanceSplits"):
        shares = resource.get(name)
        if not shares:
            continue
        total = sum(share.get("percent", 0) for share in shares)
        if total != 100:
            yield CheckFailure(name, f"the percentages sum to {total}, not to 100")
        for where, revision in resource.each(f"{name}[].revision"):
            if revision not in resource.memory["revisions"]:
                yield CheckFailure(where, f"there is no revision {revision!r}")


def deployment_shares(resource: Resource) -> Iterator[CheckFailure]:
    """Cloudflare Workers: one or two versions whose shares sum to 100."""
    versions = resource.get("versions", [])
    total = sum(version.get("percentage", 0) for version in versions)
    if total != 100:
        yield CheckFailure("versions", f"the percentages sum to {total:g}, not to 100")
    if len(versions) > 2:
        yield CheckFailure("versions", f"{len(versions)} versions: a deployment takes one or two")
    twice = Counter(version.get("versionId") for version in versions).most_common(1)
    if twice and twice[0][1] > 1:
        yield CheckFailure("versions", f"version {twice[0][0]} stands there twice")


def object_name(resource: Resource) -> Iterator[CheckFailure]:
    """Kubernetes: the grammar of the names of objects, a DNS subdomain (RFC 1123)."""
    for where, name in resource.each("metadata.name"):
        label = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
        if len(name) > 253 or not re.fullmatch(rf"{label}(\.{label})*", name):
            yield CheckFailure(
                where, f"{name!r}: up to 253 of a-z, 0-9, - and ., no - or . at either end"
            )


def selected_labels(resource: Resource) -> Iterator[CheckFailure]:
    """Kubernetes: a workload selects the pods that it makes."""
    labels = resource.get("spec.template.metadata.labels", {})
    for where, wanted in resource.each("spec.selector.matchLabels"):
        if any(labels.get(name) != value for name, value in wanted.items()):
            yield CheckFailure(
                where, f"{wanted} does not match the labels of the template, {labels}"
            )

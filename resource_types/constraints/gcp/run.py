"""Cloud Run: services, worker pools and jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from resource_types import gcp, limits
from resource_types.constraints.gcp.shared import (
    ACCOUNT_EMAIL,
    COMPUTE_NAME,
    LABELS,
    REGION,
    exclusive,
    lower_case_name,
)
from resource_types.constraints.primitives import (
    Combination,
    Constraint,
    Inputs,
    Rejection,
    Table,
    choice,
    duration,
    integer,
    is_number,
    length,
    map_of,
    text,
    unique,
)
from resource_types.record import RESOURCE_TYPES

_GIB: Final = 2**30
_UNITS: Final = {
    "m": 0.001,
    "": 1,
    "k": 10**3,
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
}
_RESERVED_VARIABLES: Final = (
    "K_SERVICE|K_REVISION|K_CONFIGURATION|CLOUD_RUN_(JOB|EXECUTION|TASK_(INDEX|ATTEMPT|COUNT))"
)
"""https://cloud.google.com/run/docs/container-contract#env-vars"""


def quantity(value: Any) -> float | None:
    """A quantity of Kubernetes, such as ``500m`` or ``4Gi``, as a number."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(m|k|Ki|Mi|Gi|K|M|G|)", str(value))
    return float(found[1]) * _UNITS[found[2]] if found else None


def _sizes(container: str) -> Combination:
    """https://cloud.google.com/run/docs/configuring/services/memory-limits"""
    memory_by_cpu = limits.CLOUD_RUN_MEMORY_GIB_BY_CPU

    def check(inputs: Inputs) -> Iterator[Rejection]:
        for path, sizes in inputs.values_at(f"{container}.resources.limits"):
            if not all(isinstance(size, str | int | float) for size in sizes.values()):
                continue
            if sizes.keys() - {"cpu", "memory", "nvidia.com/gpu"}:
                yield Rejection(path, "cpu, memory and nvidia.com/gpu only")
            cpu, memory = quantity(sizes.get("cpu", "1")), quantity(sizes.get("memory", "512Mi"))
            if cpu is None or memory is None:
                yield Rejection(path, "CPU such as 4 or 500m, and memory such as 4Gi or 512Mi")
            elif cpu < 1:
                if not cpu >= 0.08 or not 0.125 * _GIB <= memory <= _GIB:
                    yield Rejection(f"{path}.memory", "up to 1 GiB with 0.08 to 1 CPU")
            elif cpu not in memory_by_cpu:
                counts = ", ".join(str(count) for count in memory_by_cpu)
                yield Rejection(f"{path}.cpu", f"less than 1, or one of {counts}")
            else:
                least, most = memory_by_cpu[int(cpu)]
                if not least * _GIB <= memory <= most * _GIB:
                    yield Rejection(f"{path}.memory", f"{least:g} to {most:g} GiB with {cpu:g} CPU")

    return Combination(
        check,
        (f"{container}.resources.limits",),
        tuple(
            (f"{container}.resources.limits", {"cpu": cpu, "memory": memory})
            for cpu, memory in (
                *(("3", "4Gi"), ("8", "1Gi"), ("1", "8Gi"), ("500m", "2Gi"), ("four", "4Gi")),
                *(("4", "4 GB"), ("16", "16Gi")),
            )
        ),
    )


def _probe(probe: str, longest: int) -> Iterator[Constraint | Combination]:
    """https://cloud.google.com/run/docs/configuring/healthchecks"""
    yield Constraint(f"{probe}.initialDelaySeconds", integer(0, longest))
    yield Constraint(f"{probe}.periodSeconds", integer(0, longest))
    yield Constraint(f"{probe}.timeoutSeconds", integer(0, longest))
    yield Constraint(f"{probe}.failureThreshold", integer(0))
    for handler in ("httpGet", "tcpSocket", "grpc"):
        yield Constraint(f"{probe}.{handler}.port", integer(0, 65535))
    yield Constraint(
        f"{probe}.httpGet.path", text(r"(/[!-~]*)?", "a path that starts with /", "health")
    )
    yield exclusive(
        probe, ("httpGet", "tcpSocket", "grpc"), {"httpGet": {}, "tcpSocket": {"port": 80}}
    )
    yield _probe_timeout(probe)


def _probe_timeout(probe: str) -> Combination:
    def check(inputs: Inputs) -> Iterator[Rejection]:
        for path, found in inputs.values_at(probe):
            timeout, period = found.get("timeoutSeconds") or 1, found.get("periodSeconds") or 10
            if is_number(timeout) and is_number(period) and timeout > period:
                yield Rejection(f"{path}.timeoutSeconds", "at most periodSeconds")

    return Combination(
        check,
        (f"{probe}.timeoutSeconds", f"{probe}.periodSeconds"),
        ((f"{probe}.timeoutSeconds", 120),),
    )


def _volumes(template: str) -> Combination:
    """https://cloud.google.com/run/docs/reference/rest/v2/Container#VolumeMount"""

    def check(inputs: Inputs) -> Iterator[Rejection]:
        volumes = [volume.get("name") for volume in inputs.get(f"{template}.volumes", [])]
        if all(isinstance(name, str) for name in volumes):
            for path, name in inputs.values_at(f"{template}.containers[].volumeMounts[].name"):
                if name not in volumes:
                    yield Rejection(path, "a volume that is declared in volumes")

    mounts = f"{template}.containers[].volumeMounts"
    return Combination(
        check,
        (f"{template}.volumes[].name", f"{mounts}[].name"),
        ((mounts, [{"name": "nowhere", "mountPath": "/x"}]),),
    )


def _order(template: str) -> Combination:
    """https://cloud.google.com/run/docs/configuring/services/containers"""

    def check(inputs: Inputs) -> Iterator[Rejection]:
        containers = dict(inputs.values_at(f"{template}.containers[]"))
        names = [container.get("name") for container in containers.values()]
        for path, container in containers.items():
            for name in container.get("dependsOns") or ():
                if inputs.is_known(names) and isinstance(name, str) and name not in names:
                    yield Rejection(f"{path}.dependsOns", "names of containers in this template")
        with_ports = [path for path, container in containers.items() if container.get("ports")]
        for path in with_ports[1:]:
            yield Rejection(f"{path}.ports", "ports in one container only")

    return Combination(
        check,
        (f"{template}.containers[].dependsOns",),
        ((f"{template}.containers[].dependsOns", ["nowhere"]),),
    )


def _network_of_run(template: str) -> Combination:
    """https://cloud.google.com/run/docs/configuring/vpc-direct-vpc#limitations"""
    access = f"{template}.vpcAccess"

    def check(inputs: Inputs) -> Iterator[Rejection]:
        region = inputs.get("location")
        for pattern in (f"{access}.connector", f"{access}.networkInterfaces[].subnetwork"):
            for path, value in inputs.values_at(pattern):
                found = re.search(r"/(?:regions|locations)/([^/]+)/", str(value))
                if found and found[1] != region:
                    yield Rejection(path, "a resource in the location of this one")
        if inputs.get(f"{access}.connector") and inputs.get(f"{access}.networkInterfaces"):
            yield Rejection(access, "either connector or networkInterfaces")

    elsewhere = "projects/p/regions/asia-east2/subnetworks/s"
    return Combination(
        check,
        ("location", f"{access}.connector", f"{access}.networkInterfaces"),
        ((f"{access}.networkInterfaces", [{"subnetwork": elsewhere}]),),
    )


def _revision(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services"""
    name = inputs.get("name")
    for path, revision in inputs.values_at("template.revision"):
        if name and not str(revision).startswith(f"{name}-"):
            yield Rejection(path, "a name that starts with the name of the resource and -")


def _instances(path: str) -> Combination:
    """https://cloud.google.com/run/docs/configuring/max-instances"""

    def check(inputs: Inputs) -> Iterator[Rejection]:
        for found_path, scaling in inputs.values_at(path):
            least, most = scaling.get("minInstanceCount") or 0, scaling.get("maxInstanceCount")
            most = 100 if most is None else most
            if is_number(least) and is_number(most) and least > most:
                yield Rejection(
                    f"{found_path}.minInstanceCount",
                    "at most maxInstanceCount, which is 100 by default",
                )

    return Combination(
        check,
        (f"{path}.minInstanceCount", f"{path}.maxInstanceCount"),
        ((f"{path}.minInstanceCount", 900),),
    )


def _cpu_below_one(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/run/docs/configuring/services/cpu#cpu-less-than-1"""
    for path, resources in inputs.values_at("template.containers[].resources"):
        cpu = quantity((resources.get("limits") or {}).get("cpu", "1"))
        if cpu is None or cpu >= 1:
            continue
        concurrency = inputs.get("template.maxInstanceRequestConcurrency")
        if is_number(concurrency) and concurrency > 1:
            yield Rejection("template.maxInstanceRequestConcurrency", "1 with less than 1 CPU")
        if resources.get("cpuIdle") is False:
            yield Rejection(f"{path}.cpuIdle", "true with less than 1 CPU")


def _shares(name: str) -> Combination:
    """https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration"""

    def check(inputs: Inputs) -> Iterator[Rejection]:
        total = 0.0
        for path, shares in inputs.values_at(name):
            for index, share in enumerate(shares):
                if not isinstance(share, Mapping) or not is_number(share.get("percent") or 0):
                    return
                total += share.get("percent") or 0
                latest = str(share.get("type")).endswith("_LATEST")
                if share.get("revision") and latest:
                    yield Rejection(f"{path}[{index}].revision", "no revision with the type LATEST")
                if not share.get("revision") and str(share.get("type")).endswith("_REVISION"):
                    yield Rejection(f"{path}[{index}].revision", "a revision")
            if shares and total != 100:
                yield Rejection(path, f"percentages that sum to 100; these sum to {total:g}")

    return Combination(
        check,
        (f"{name}[].percent", f"{name}[].revision"),
        ((f"{name}[].percent", 40), (f"{name}[].revision", None)),
    )


_ANNOTATIONS: Final = map_of(
    r"(?!(run|cloud)\.googleapis\.com/|(serving|autoscaling)\.knative\.dev/).+",
    r".*",
    "annotations outside run.googleapis.com, cloud.googleapis.com, serving.knative.dev and "
    "autoscaling.knative.dev, which are reserved",
    *({"run.googleapis.com/ingress": "all"}, {"autoscaling.knative.dev/minScale": "1"}),
)
"""https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services#Service"""

_IMAGE: Final = text(
    r"(([a-z]+\.)?gcr\.io|[a-z0-9-]+-docker\.pkg\.dev|(index\.)?docker\.io)(/[a-z0-9._-]+)+"
    r"(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?|[a-z0-9_-]+(/[a-z0-9._-]+)*"
    r"(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?",
    "an image in Artifact Registry, gcr.io or Docker Hub, with a tag or a digest",
    *("ghcr.io/pull/worker:1", "gcr.io/Pull/worker:1", "gcr.io/pull/worker@sha256:12"),
    *("registry.gitlab.com/pull/worker:1", "gcr.io/pull/worker:", "https://gcr.io/pull/worker"),
)
"""https://cloud.google.com/run/docs/deploying#images"""


def _revision_template(token: str) -> Iterator[Constraint | Combination]:
    """What services, worker pools and jobs have in common."""
    template = str(RESOURCE_TYPES[token].pod_spec)
    container = f"{template}.containers[]"
    # A worker pool has no port.
    reserved = _RESERVED_VARIABLES + ("|PORT" if token == gcp.RUN_SERVICE else "")
    yield Constraint("location", REGION)
    yield Constraint("annotations", _ANNOTATIONS)
    yield Constraint("template.annotations", _ANNOTATIONS)
    yield Constraint("template.labels", LABELS)
    if token != gcp.RUN_WORKER_POOL:
        longest = 604800 if token == gcp.RUN_JOB else 3600
        yield Constraint(f"{template}.timeout", duration(1, longest))
    yield Constraint(f"{template}.serviceAccount", ACCOUNT_EMAIL)
    yield Constraint(f"{container}.image", _IMAGE)
    yield Constraint(f"{container}.name", COMPUTE_NAME)
    yield Constraint(f"{template}.volumes[].name", COMPUTE_NAME)
    yield Constraint(
        f"{container}.volumeMounts[].mountPath",
        text(
            r"/(?!(dev|proc|sys)(/|$))[^:]*",
            "an absolute path without a colon, outside /dev, /proc and /sys",
            *("secrets", "/dev/x", "/a:b"),
        ),
    )
    yield Constraint(
        f"{container}.envs[].name",
        text(
            rf"(?!({reserved})$)(?!X_GOOGLE_)[^=\0]+",
            "a variable's name without =, and not one that Cloud Run sets itself, such as PORT, "
            "K_SERVICE or X_GOOGLE_...",
            *("K_REVISION", "X_GOOGLE_LOG", "A=B", ""),
        ),
    )
    yield Constraint(f"{container}.envs[].value", length(32768, unit="bytes"))
    yield unique(f"{container}.envs", "name")
    yield unique(f"{template}.volumes", "name")
    yield Constraint(
        f"{container}.envs[].valueSource.secretKeyRef.version",
        text(r"latest|[1-9]\d*|[A-Za-z][\w-]*", "latest, a number or an alias", "0", "newest!"),
    )
    yield exclusive(
        f"{template}.volumes[]",
        ("cloudSqlInstance", "emptyDir", "gcs", "nfs", "secret"),
        {"name": "a"},
    )
    yield _sizes(container)
    yield _order(template)
    yield from _probe(f"{container}.startupProbe", 240)
    if token != gcp.RUN_JOB:
        yield from _probe(f"{container}.livenessProbe", 3600)
    yield _volumes(template)
    yield _network_of_run(template)


_REVISION_NAME: Final = Constraint("template.revision", COMPUTE_NAME)

CONSTRAINTS: Final[Table] = {
    gcp.RUN_SERVICE: (
        *_revision_template(gcp.RUN_SERVICE),
        _REVISION_NAME,
        Constraint("name", lower_case_name(49)),
        Constraint("template.maxInstanceRequestConcurrency", integer(0, 1000)),
        Constraint("template.scaling.minInstanceCount", integer(0)),
        Constraint("template.scaling.maxInstanceCount", integer(0)),
        Constraint("scaling.minInstanceCount", integer(0)),
        Constraint("template.containers[].ports.containerPort", integer(0, 65535)),
        Constraint("template.containers[].ports.name", choice("http1", "h2c", "")),
        Constraint("traffics[].percent", integer(0, 100)),
        Constraint(
            "traffics[].tag", text(r"([a-z](?:[-a-z0-9]{0,44}[a-z0-9])?)?", "a tag", "Green")
        ),
        Combination(_revision, ("name", "template.revision"), (("template.revision", "api-1"),)),
        Combination(
            _cpu_below_one,
            ("template.containers[].resources",),
            (
                (
                    "template.containers[].resources",
                    {"cpuIdle": False, "limits": {"cpu": "500m", "memory": "512Mi"}},
                ),
            ),
        ),
        _instances("template.scaling"),
        _instances("scaling"),
        _shares("traffics"),
    ),
    gcp.RUN_WORKER_POOL: (
        *_revision_template(gcp.RUN_WORKER_POOL),
        _REVISION_NAME,
        Constraint("name", lower_case_name(49)),
        Constraint("scaling.manualInstanceCount", integer(0)),
        Constraint("instanceSplits[].percent", integer(0, 100)),
        Combination(_revision, ("name", "template.revision"), ()),
        _instances("scaling"),
        _shares("instanceSplits"),
    ),
    gcp.RUN_JOB: (
        *_revision_template(gcp.RUN_JOB),
        Constraint("name", COMPUTE_NAME),
        Constraint("template.taskCount", integer(0, 10000)),
        Constraint("template.template.maxRetries", integer(0, 10)),
    ),
}

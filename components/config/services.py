"""Services: workers, API, web and assets, and how traffic is split between their versions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from components.config.errors import SettingError
from components.config.types import Date, GitRef, Host, Model, expected_error
from components.workloads import WorkerType
from resource_types.limits import CLOUD_RUN_MEMORY_GIB_BY_CPU, IMAGE_DIGEST

_MEMORY_GIB_BY_CPU: Final = {
    cpu: (math.ceil(minimum), math.floor(maximum))
    for cpu, (minimum, maximum) in CLOUD_RUN_MEMORY_GIB_BY_CPU.items()
}
"""Minimum and maximum memory by CPUs, in whole GiB."""

_MIN_MEMORY_GIB: Final = min(minimum for minimum, _ in _MEMORY_GIB_BY_CPU.values())
_MAX_MEMORY_GIB: Final = max(maximum for _, maximum in _MEMORY_GIB_BY_CPU.values())


def _offered_cpu(cpu: int) -> int:
    if cpu not in _MEMORY_GIB_BY_CPU:
        raise expected_error(f"one of {', '.join(map(str, _MEMORY_GIB_BY_CPU))}")
    return cpu


def _offered_memory(memory_gib: int, info: ValidationInfo) -> int:
    cpu: int = info.data.get("cpu", 0)  # absent if it is wrong itself
    minimum, maximum = _MEMORY_GIB_BY_CPU.get(cpu, (_MIN_MEMORY_GIB, _MAX_MEMORY_GIB))
    if not minimum <= memory_gib <= maximum:
        condition = f" for {cpu} CPU{'' if cpu == 1 else 's'}" if cpu else ""
        raise expected_error(f"{minimum} to {maximum} GiB{condition}")
    return memory_gib


class Size(Model):
    """CPU and memory of an instance, and the number of instances."""

    # Not a Literal, which would accept ``true`` for 1.
    cpu: Annotated[
        int,
        AfterValidator(_offered_cpu),
        Field(json_schema_extra={"enum": list(_MEMORY_GIB_BY_CPU)}),
    ]
    memory_gib: Annotated[
        int,
        AfterValidator(_offered_memory),
        Field(
            description="memory in GiB",
            json_schema_extra={"minimum": _MIN_MEMORY_GIB, "maximum": _MAX_MEMORY_GIB},
        ),
    ]
    min_instances: Annotated[int, Field(ge=0, le=1000, description="instances that always run")]
    max_instances: Annotated[int, Field(ge=1, le=1000, description="maximum number of instances")]

    def setting_errors(self) -> Iterator[SettingError]:
        if self.min_instances > self.max_instances:
            expected = f"at most max_instances={self.max_instances}"
            yield SettingError("min_instances", self.min_instances, expected)


CURRENT: Final = "current"
"""In a traffic list: the revision or version that this program describes."""


class RevisionShare(Model):
    """A share of the traffic of a Cloud Run service."""

    revision: Annotated[
        str,
        Field(
            pattern=r"^[a-z](?:-?[a-z0-9])*$",
            max_length=63,
            description=f"name of a revision, at most 63 characters, or {CURRENT} for the one that "
            "this program describes",
        ),
    ]
    percent: Annotated[int, Field(ge=1, le=100, description="percent")]


def _sum_to_100(shares: tuple[RevisionShare, ...]) -> tuple[RevisionShare, ...]:
    total = sum(share.percent for share in shares)
    if total != 100:
        raise expected_error(f"percentages that sum to 100; these sum to {total}")
    if len({share.revision for share in shares}) < len(shares):
        raise expected_error("each revision once")
    return shares


RevisionShares = Annotated[
    tuple[RevisionShare, ...],
    AfterValidator(_sum_to_100),
    Field(description="how traffic is split; percentages sum to 100"),
]
ALL_TO_CURRENT: Final = (RevisionShare(revision=CURRENT, percent=100),)

Image = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9.-]+(?:/[a-z0-9._-]+)+"
        rf"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}|{IMAGE_DIGEST})$",
        description="image with a tag or a digest: gcr.io/<project>/<name>@sha256:…",
    ),
]


class Worker(Size):
    """One worker service: its size and, if it differs from the others, its own release."""

    # Cloud Run starts instances for requests, and a worker receives none: it polls Temporal.
    min_instances: Annotated[int, Field(ge=1, le=1000, description="instances that always run")]
    image: Image | None = None
    traffic: RevisionShares = ALL_TO_CURRENT


class Workers(Model):
    """The Temporal workers."""

    runtime: Literal["service", "worker_pool"]
    egress: Literal["direct", "connector"]
    image: Image
    timeout_seconds: Annotated[int, Field(ge=1, le=3600, description="seconds")]
    fleet: Annotated[
        dict[WorkerType, Worker],
        Field(
            description="one service per worker type listed here; {} until the registry that this "
            "program creates holds an image"
        ),
    ]

    def setting_errors(self) -> Iterator[SettingError]:
        if self.runtime == "worker_pool" and self.egress == "connector":
            yield SettingError(
                "egress", self.egress, "direct: a worker pool cannot use the VPC connector"
            )


class VersionShare(Model):
    """A share of the requests to the Worker."""

    version: Annotated[
        str,
        Field(
            pattern=r"^(?:current|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
            description=f"id of a Worker version, or {CURRENT} for the one that this program "
            "describes",
        ),
    ]
    percentage: Annotated[float, Field(ge=0.01, le=100, description="percent")]


def _versions_sum_to_100(shares: tuple[VersionShare, ...]) -> tuple[VersionShare, ...]:
    total = sum(round(share.percentage * 100) for share in shares)
    if any(abs(share.percentage * 100 - round(share.percentage * 100)) > 1e-6 for share in shares):
        raise expected_error("percentages with at most two decimals")
    if total != 10000:
        raise expected_error(f"percentages that sum to 100; these sum to {total / 100:g}")
    if len({share.version for share in shares}) < len(shares):
        raise expected_error("each version once")
    return shares


def _supported_date(text: str) -> str:
    # https://developers.cloudflare.com/workers/configuration/compatibility-dates/
    if text < "2021-11-02":
        raise expected_error("2021-11-02 or later: Workers support no earlier date")
    if text > datetime.now(UTC).date().isoformat():
        raise expected_error("today or earlier: Workers accept no date in the future")
    return text


class Api(Model):
    """The API on Cloudflare Workers."""

    domain: Host
    bundle: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_.-][A-Za-z0-9_./-]*\.m?js$",
            max_length=250,
            description="path of the built ES module, relative to the project's folder",
        ),
    ]
    compatibility_date: Annotated[Date, AfterValidator(_supported_date)]
    secrets: Literal["store", "inherit"]
    log_sampling: Annotated[
        float, Field(ge=0, le=1, description="share of requests that are logged")
    ]
    versions: Annotated[
        tuple[VersionShare, ...],
        Field(
            min_length=1, max_length=2, description="one or two versions; percentages sum to 100"
        ),
        AfterValidator(_versions_sum_to_100),
    ] = (VersionShare(version=CURRENT, percentage=100),)


class ApiOrigin(Size):
    """The same API on Cloud Run, in the private network; not created if the section is absent."""

    image: Image
    timeout_seconds: Annotated[int, Field(ge=1, le=3600, description="seconds")]
    traffic: RevisionShares = ALL_TO_CURRENT


class WebRelease(Model):
    """A production deployment that this program creates."""

    ref: GitRef


class Web(Model):
    """The web application on Vercel."""

    domain: Host
    production_branch: GitRef
    root_directory: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_@-][A-Za-z0-9_@-]*(?:[./][A-Za-z0-9_@-]+)*$",
            max_length=256,
            description="folder of the application, relative to the repository's root",
        ),
    ]
    sensitive_variables: Annotated[
        bool,
        Field(description="true where the Vercel team enforces sensitive environment variables"),
    ] = False
    release: WebRelease | None = None


class Assets(Model):
    """The R2 bucket of uploaded files."""

    location: Literal["apac", "eeur", "enam", "weur", "wnam", "oc"]

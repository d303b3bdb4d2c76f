"""Services: workers, API, web and assets, and who gets which share of the traffic."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from components.config.errors import SettingError
from components.config.words import Date, GitRef, Host, Model, only
from components.workloads import WorkerType

PROJECT_ROOT: Final = Path(__file__).resolve().parents[2]


_MEMORY_GIB_BY_CPU: Final = {1: (1, 4), 2: (1, 8), 4: (2, 16), 6: (4, 24), 8: (4, 32)}
"""Cloud Run's documentation, "Configure CPU limits" and "Configure memory limits"."""


def _offered_cpu(cpu: int) -> int:
    if cpu not in _MEMORY_GIB_BY_CPU:
        raise only(f"one of {', '.join(map(str, _MEMORY_GIB_BY_CPU))}")
    return cpu


def _offered_memory(memory_gib: int, info: ValidationInfo) -> int:
    cpu: int = info.data.get("cpu", 0)  # absent when it is wrong itself
    least, most = _MEMORY_GIB_BY_CPU.get(cpu, (1, 32))
    if not least <= memory_gib <= most:
        beside = f" beside {cpu} CPU{'' if cpu == 1 else 's'}" if cpu else ""
        raise only(f"{least} to {most} GiB{beside}")
    return memory_gib


class Size(Model):
    """CPU, memory and count of a Cloud Run service's instances."""

    # Not a Literal: that takes ``true`` for 1.
    cpu: Annotated[
        int,
        AfterValidator(_offered_cpu),
        Field(json_schema_extra={"enum": list(_MEMORY_GIB_BY_CPU)}),
    ]
    memory_gib: Annotated[
        int,
        AfterValidator(_offered_memory),
        Field(description="memory in GiB", json_schema_extra={"minimum": 1, "maximum": 32}),
    ]
    min_instances: Annotated[int, Field(ge=0, le=1000, description="instances that always run")]
    max_instances: Annotated[int, Field(ge=1, le=1000, description="instances at the most")]

    def wrong(self) -> Iterator[SettingError]:
        if self.min_instances > self.max_instances:
            expected = f"at most max_instances={self.max_instances}"
            yield SettingError("min_instances", self.min_instances, expected)


CURRENT: Final = "current"
"""In a list of traffic: the revision, or version, that this very program describes."""


class RevisionShare(Model):
    """A share of the traffic of a Cloud Run service."""

    revision: Annotated[
        str,
        Field(
            pattern=r"^[a-z](?:-?[a-z0-9])*$",
            max_length=63,
            description=f"name of a revision, at most 63 characters, or {CURRENT} for the one here",
        ),
    ]
    percent: Annotated[int, Field(ge=1, le=100, description="percent")]


def _whole(shares: tuple[RevisionShare, ...]) -> tuple[RevisionShare, ...]:
    total = sum(share.percent for share in shares)
    if total != 100:
        raise only(f"percentages that sum to 100; these sum to {total}")
    if len({share.revision for share in shares}) < len(shares):
        raise only("each revision once")
    return shares


RevisionShares = Annotated[
    tuple[RevisionShare, ...],
    AfterValidator(_whole),
    Field(description="who gets the traffic; percentages sum to 100"),
]
ALL_TO_CURRENT: Final = (RevisionShare(revision=CURRENT, percent=100),)

Image = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9.-]+(?:/[a-z0-9._-]+)+(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})$",
        description="image with a tag or a digest: gcr.io/<project>/<name>@sha256:…",
    ),
]


class Worker(Size):
    """One worker service: a size and, where it differs, a release of its own."""

    # Nobody calls a poller, so one that is scaled to zero would never wake again.
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
            description="a service for each worker type that is named; {} until the registry that "
            "this program makes holds an image"
        ),
    ]

    def wrong(self) -> Iterator[SettingError]:
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
            description=f"id of a Worker version, or {CURRENT} for the one described here",
        ),
    ]
    percentage: Annotated[float, Field(ge=0.01, le=100, description="percent")]


def _whole_versions(shares: tuple[VersionShare, ...]) -> tuple[VersionShare, ...]:
    total = sum(round(share.percentage * 100) for share in shares)
    if any(abs(share.percentage * 100 - round(share.percentage * 100)) > 1e-6 for share in shares):
        raise only("percentages with at most two decimals")
    if total != 10000:
        raise only(f"percentages that sum to 100; these sum to {total / 100:g}")
    if len({share.version for share in shares}) < len(shares):
        raise only("each version once")
    return shares


def _since_there_are_dates(text: str) -> str:
    if text < "2021-11-02":
        raise only("2021-11-02 or later: Workers know no earlier date")
    return text


class Api(Model):
    """The API on Cloudflare Workers."""

    domain: Host
    bundle: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_.-][A-Za-z0-9_./-]*\.m?js$",
            max_length=250,
            description="path of the built ES module, from the project's folder",
        ),
    ]
    compatibility_date: Annotated[Date, AfterValidator(_since_there_are_dates)]
    secrets: Literal["store", "inherit"]
    log_sampling: Annotated[
        float, Field(ge=0, le=1, description="share of requests that are logged")
    ]
    versions: Annotated[
        tuple[VersionShare, ...],
        Field(
            min_length=1, max_length=2, description="one or two versions; percentages sum to 100"
        ),
        AfterValidator(_whole_versions),
    ] = (VersionShare(version=CURRENT, percentage=100),)

    def wrong(self) -> Iterator[SettingError]:
        path = (PROJECT_ROOT / self.bundle).resolve()
        if not path.is_relative_to(PROJECT_ROOT) or not path.is_file():
            yield SettingError("bundle", self.bundle, "a file below the project's folder")
            return
        code = path.read_bytes()
        if len(code) > 64 * _MIB or len(gzip.compress(code, compresslevel=1)) > 10 * _MIB:
            expected = "a bundle of at most 64 MiB, 10 MiB when compressed"
            yield SettingError("bundle", self.bundle, expected)


_MIB: Final = 1024 * 1024


class ApiOrigin(Size):
    """The same API on Cloud Run, inside the private network; made only when it is in the file."""

    image: Image
    timeout_seconds: Annotated[int, Field(ge=1, le=3600, description="seconds")]
    traffic: RevisionShares = ALL_TO_CURRENT


class WebRelease(Model):
    """A production deployment that this program makes."""

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
            description="folder of the application, from the repository's root",
        ),
    ]
    release: WebRelease | None = None


class Assets(Model):
    """The R2 bucket of uploaded files."""

    location: Literal["apac", "eeur", "enam", "weur", "wnam", "oc"]

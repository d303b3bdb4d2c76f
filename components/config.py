"""Settings: the typed form of a stack file, and the only reader of configuration.

``read_stack_file`` serves the command line and ``read_engine_config`` the program; both end in the
same parser. Nothing else decides what the estate is: no environment variable, no clock. Wrong
settings raise :class:`SettingsError`, which holds every problem at once, each with its path.

What a platform accepts at preview and refuses in the middle of an ``up`` is refused here: sizes
that are not offered, percentages that do not sum to 100, address ranges that overlap.
"""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from components.names import WORKER_IMAGE, Environment, Names
from components.problems import (
    HIDDEN,
    allowed_at,
    judge,
    one_of,
    place,
    section,
)
from components.problems import Problem as Problem
from components.problems import SettingsError as SettingsError
from components.secrets.catalogue import SECRETS
from components.stack_file import DEFAULT_PROVIDERS, ENCRYPTED, StackFile
from components.workloads import WorkerType

PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent

# -- words that several settings share ---------------------------------------------------------


class Model(BaseModel):
    """Frozen and strict; an unknown key is an error, because a typo must not be a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        wrong = tuple(self.wrong())
        if wrong:
            raise PydanticCustomError("rules", "fields do not fit together", {"wrong": wrong})
        return self

    def wrong(self) -> Iterator[Problem]:
        """What is wrong with fields that are right one by one. Paths start at this model."""
        yield from ()


def _only(allowed: str) -> PydanticCustomError:
    """One field is wrong by itself; ``allowed`` says what it may be."""
    return PydanticCustomError("allowed", "{allowed}", {"allowed": allowed})


_PRIVATE_RANGES: Final = tuple(
    ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
_DOCKER_BRIDGE: Final = ipaddress.IPv4Network("172.17.0.0/16")


def _network(text: str) -> str:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise _only(
            "an IPv4 range with its size, its first address in front: 10.10.0.0/20"
        ) from error
    if not any(network.subnet_of(private) for private in _PRIVATE_RANGES):
        raise _only("a private range (RFC 1918), such as 10.10.0.0/20")
    if network.overlaps(_DOCKER_BRIDGE):
        raise _only(f"a range outside {_DOCKER_BRIDGE}: nothing there can talk to Cloud SQL")
    return text


def _sized(least: int, most: int, why: str) -> AfterValidator:
    """Length of a range's prefix, ``least`` being the larger range."""

    def check(text: str) -> str:
        if not least <= ipaddress.IPv4Network(text).prefixlen <= most:
            sizes = f"a /{most}" if least == most else f"a /{least} to /{most}"
            raise _only(f"{sizes}: {why}")
        return text

    return AfterValidator(check)


def _calendar_day(text: str) -> str:
    try:
        datetime.date.fromisoformat(text[:10])
    except ValueError as error:
        raise _only("a day that is in the calendar") from error
    return text


def _url(text: str) -> str:
    try:
        port = urlsplit(text).port
    except ValueError as error:
        raise _only("a port from 1 to 65535") from error
    if port == 443:
        raise _only("the URL without :443: browsers leave it out, and compare letter by letter")
    return text


_HOST: Final = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"
_DAY: Final = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"

Cidr = Annotated[
    str, AfterValidator(_network), Field(description="private IPv4 range, as 10.10.0.0/20")
]
Hex32 = Annotated[
    str, Field(pattern=r"^[0-9a-f]{32}$", description="32 hexadecimal digits, lower case, quoted")
]
Host = Annotated[
    str,
    Field(
        pattern=rf"^{_HOST}$",
        max_length=253,
        description="host name, lower case, at most 253 characters",
    ),
]
HttpsUrl = Annotated[
    str,
    Field(
        pattern=rf"^https://{_HOST}(?::[1-9][0-9]{{0,4}})?(?:/[!-~]*)?$",
        max_length=2048,
        description="an https:// URL without a user, host in lower case",
    ),
    AfterValidator(_url),
]
Origin = Annotated[
    str,
    Field(
        pattern=rf"^https://{_HOST}(?::[1-9][0-9]{{0,4}})?$",
        max_length=253,
        description="an https:// origin with a whole host name, without a path or a closing slash",
    ),
    AfterValidator(_url),
]
Email = Annotated[
    str,
    Field(
        pattern=rf"^[A-Za-z0-9._%+-]{{1,64}}@{_HOST}$",
        max_length=254,
        description="an e-mail address",
    ),
]
TimeOfDay = Annotated[
    str,
    Field(
        pattern=r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]$",
        description='a time of day in UTC, 00:00 to 23:59, quoted: "03:00"',
    ),
]
Timestamp = Annotated[
    str,
    Field(
        pattern=(rf"^{_DAY}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{{1,9}})?Z$"),
        description='a moment in UTC, quoted: "2025-01-25T10:00:00.000Z"',
    ),
    AfterValidator(_calendar_day),
]
Date = Annotated[
    str,
    Field(pattern=rf"^{_DAY}$", description='a date, quoted: "2025-01-25"'),
    AfterValidator(_calendar_day),
]
Hour = Annotated[int, Field(ge=0, le=23, description="hour of the day in UTC")]
Weekday = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
GitRef = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_](?:[./]?[A-Za-z0-9_-])*$",
        max_length=250,
        description="branch, tag or commit",
    ),
]


# -- accounts ----------------------------------------------------------------------------------


class Gcp(Model):
    """The Google Cloud project: one for each environment."""

    project: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$",
            description="project id: 6 to 30 lower-case letters, digits and hyphens",
        ),
    ]
    project_number: Annotated[
        str, Field(pattern=r"^[0-9]{6,16}$", description="project number, quoted")
    ]
    region: Annotated[
        str,
        Field(pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}$", description="region, such as us-central1"),
    ]


class Cloudflare(Model):
    """The Cloudflare account and the zone that all host names are in."""

    account_id: Hex32
    zone: Host
    zone_id: Hex32
    secrets_store_id: Hex32


class Vercel(Model):
    """The Vercel team."""

    team: Annotated[
        str, Field(pattern=r"^[a-z0-9][a-zA-Z0-9_-]{1,99}$", description="team slug or team_… id")
    ]


class Github(Model):
    """The repository whose workflows may sign in."""

    repository: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", description="owner/name of the repository"
        ),
    ]


class ReviewStacks(Model):
    """A stack for each pull request, made by Pulumi Cloud from this one. Staging only."""

    until: Timestamp


class PulumiCloud(Model):
    """Pulumi Deployments; set up only when it is in the file."""

    organization: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38}[A-Za-z0-9])?$",
            description="organization in Pulumi Cloud",
        ),
    ]
    events_url: HttpsUrl | None = None
    review_stacks: ReviewStacks | None = None


# -- platform ----------------------------------------------------------------------------------


class Connector(Model):
    """Serverless VPC Access connector. It takes a /28 of its own, and cannot shrink."""

    cidr: Annotated[Cidr, _sized(28, 28, "a connector takes no other size")]
    machine_type: Literal["f1-micro", "e2-micro", "e2-standard-4"]
    min_instances: Annotated[int, Field(ge=2, le=9, description="instances that always run")]
    max_instances: Annotated[int, Field(ge=3, le=10, description="instances at the most")]

    def wrong(self) -> Iterator[Problem]:
        if self.min_instances >= self.max_instances:
            allowed = f"less than max_instances={self.max_instances}"
            yield Problem("min_instances", self.min_instances, allowed)


class Network(Model):
    """Address plan of the private network."""

    subnet_cidr: Annotated[Cidr, _sized(8, 26, "Cloud Run reserves blocks of it")]
    services_cidr: Annotated[Cidr, _sized(8, 24, "Cloud SQL takes a /24 of it for itself")]
    connector: Connector

    def wrong(self) -> Iterator[Problem]:
        ranges = {
            "subnet_cidr": ipaddress.IPv4Network(self.subnet_cidr),
            "services_cidr": ipaddress.IPv4Network(self.services_cidr),
            "connector.cidr": ipaddress.IPv4Network(self.connector.cidr),
        }
        for (name, one), (other, two) in itertools.combinations(ranges.items(), 2):
            if one.overlaps(two):
                yield Problem(other, str(two), f"a range that does not overlap {name}={one}")


class Encryption(Model):
    """Customer-managed keys."""

    rotation_days: Annotated[
        int, Field(ge=1, le=365, description="days after which a key gets a new version")
    ]


class Backups(Model):
    """The bucket for exports."""

    location: Literal["US", "EU", "ASIA"]
    keep_noncurrent_days: Annotated[
        int, Field(ge=1, le=3650, description="days that a replaced object is kept")
    ]
    delete_after_days: Annotated[
        int, Field(ge=1, le=36500, description="days after which an export is deleted")
    ]


class Registry(Model):
    """The image registry."""

    keep_versions: Annotated[
        int, Field(ge=1, le=1000, description="newest versions that are never cleaned up")
    ]
    delete_untagged_days: Annotated[
        int, Field(ge=1, le=3650, description="days after which an untagged version may go")
    ]


# -- data --------------------------------------------------------------------------------------


class Maintenance(Model):
    """When a managed service may restart for its maintenance."""

    day: Weekday
    hour: Hour


class Recovery(Model):
    """A clone of the database as it was at a moment: the runbook's database rollback."""

    point_in_time: Timestamp


def _one_or_even(cpus: int) -> int:
    if cpus != 1 and cpus % 2:
        raise _only("1, or an even number from 2 to 96")
    return cpus


class Postgres(Model):
    """Cloud SQL. Size is a custom machine of the Enterprise edition."""

    cpus: Annotated[int, Field(ge=1, le=96, description="vCPUs"), AfterValidator(_one_or_even)]
    memory_mib: Annotated[
        int, Field(ge=3840, le=638976, multiple_of=256, description="memory in MiB")
    ]
    availability: Literal["REGIONAL", "ZONAL"]
    disk_gib: Annotated[int, Field(ge=10, le=65536, description="first size of the disk in GiB")]
    max_connections: Annotated[int, Field(ge=25, le=5000, description="connections at once")]
    backup_start: TimeOfDay
    backup_location: Literal["us", "eu", "asia"]
    retained_backups: Annotated[int, Field(ge=1, le=365, description="daily backups kept")]
    transaction_log_days: Annotated[
        int, Field(ge=1, le=7, description="days of point-in-time recovery")
    ]
    final_backup_days: Annotated[
        int, Field(ge=1, le=365, description="days that the last backup outlives the instance")
    ]
    maintenance: Maintenance
    password_generation: Annotated[
        int, Field(ge=1, le=9999, description="raise it by one to issue a new password")
    ]
    recovery: Recovery | None = None

    def wrong(self) -> Iterator[Problem]:
        least, most = max(3840, self.cpus * 922), self.cpus * 6656
        if not least <= self.memory_mib <= most:
            yield Problem(
                "memory_mib",
                self.memory_mib,
                f"{least} to {most} MiB beside {self.cpus} vCPUs (0.9 to 6.5 GiB each)",
            )
        if self.max_connections * _MIB_OF_A_CONNECTION > self.memory_mib:
            yield Problem(
                "max_connections",
                self.max_connections,
                f"at most {self.memory_mib // _MIB_OF_A_CONNECTION} beside "
                f"memory_mib={self.memory_mib}, {_MIB_OF_A_CONNECTION} MiB each",
            )
        if self.transaction_log_days > self.retained_backups:
            yield Problem(
                "transaction_log_days",
                self.transaction_log_days,
                f"at most retained_backups={self.retained_backups}: a log is of use only after "
                "a backup, and Cloud SQL refuses more",
            )


_MIB_OF_A_CONNECTION: Final = 10
"""What a busy process of PostgreSQL takes; the server itself needs the rest."""


class Redis(Model):
    """Memorystore."""

    tier: Literal["BASIC", "STANDARD_HA"]
    memory_gib: Annotated[int, Field(ge=1, le=300, description="memory in GiB")]
    snapshot_period: Literal["ONE_HOUR", "SIX_HOURS", "TWELVE_HOURS", "TWENTY_FOUR_HOURS"]
    maintenance: Maintenance


# -- secrets -----------------------------------------------------------------------------------


def _in_the_catalogue(name: str) -> str:
    known = [variable.name for variable in SECRETS]
    if name not in known:
        raise _only(one_of(name, known))
    return name


SecretName = Annotated[str, AfterValidator(_in_the_catalogue)]
SecretId = Annotated[
    str,
    Field(
        pattern=r"^[a-zA-Z0-9_-]{1,255}$",
        description="id of a secret: 1 to 255 letters, digits, hyphens and underscores",
    ),
]
SecretVersion = Annotated[
    str, Field(pattern=r"^(?:latest|[1-9][0-9]{0,8})$", description="latest, or a number, quoted")
]


class Secrets(Model):
    """How the catalogue is kept in Secret Manager."""

    rotation_days: Annotated[
        int, Field(ge=1, le=365, description="days after which a rotation is due")
    ]
    first_rotation: Timestamp
    ids: dict[SecretName, SecretId] = Field(
        default_factory=dict,
        description="Secret Manager id by variable, where it is not pull-<environment>-<name>",
    )
    versions: dict[SecretName, SecretVersion] = Field(
        default_factory=dict,
        description='version by variable, quoted, where it is not "latest"',
    )


# -- values that are not secret ----------------------------------------------------------------


def _each_once(texts: tuple[str, ...]) -> tuple[str, ...]:
    twice = [text for text, count in Counter(texts).items() if count > 1]
    if twice:
        raise _only(f"each once, which {', '.join(twice)} is not")
    return texts


class SharedConfig(Model):
    log_level: Literal["debug", "info", "warn", "error"]


class ApiConfig(Model):
    cors_origins: Annotated[
        tuple[Origin, ...],
        Field(min_length=1, max_length=16, description="origins that browsers may call from"),
        AfterValidator(_each_once),
    ]
    body_limit_mib: Annotated[int, Field(ge=1, le=100, description="largest request body in MiB")]


class WorkerConfig(Model):
    concurrency: Annotated[
        int, Field(ge=1, le=1000, description="activities at once in one instance")
    ]
    plaid_env: Literal["sandbox", "production"]
    activity_start_to_close_timeout_ms: Annotated[
        int, Field(ge=1000, le=2**31 - 1, description="longest activity in milliseconds")
    ]
    activity_heartbeat_timeout_ms: Annotated[
        int,
        Field(ge=1000, le=2**31 - 1, description="longest silence of an activity in milliseconds"),
    ]

    def wrong(self) -> Iterator[Problem]:
        if self.activity_heartbeat_timeout_ms > self.activity_start_to_close_timeout_ms:
            yield Problem(
                "activity_heartbeat_timeout_ms",
                self.activity_heartbeat_timeout_ms,
                "at most activity_start_to_close_timeout_ms="
                f"{self.activity_start_to_close_timeout_ms}",
            )


class RedisPoolConfig(Model):
    pool_min: Annotated[int, Field(ge=0, le=1000, description="connections kept open")]
    pool_max: Annotated[int, Field(ge=1, le=1000, description="connections at the most")]

    def wrong(self) -> Iterator[Problem]:
        if self.pool_min > self.pool_max:
            yield Problem("pool_min", self.pool_min, f"at most pool_max={self.pool_max}")


class ObservabilityConfig(Model):
    metrics_port: Annotated[int, Field(ge=1024, le=65535, description="port of /metrics")]

    def wrong(self) -> Iterator[Problem]:
        if self.metrics_port in (API_PORT, WORKER_PORT):
            yield Problem("metrics_port", self.metrics_port, "a port that no service listens on")


API_PORT: Final = 3001
WORKER_PORT: Final = 3002


class RuntimeConfig(Model):
    """The runbook's five ConfigMaps, one section each."""

    shared: SharedConfig
    api: ApiConfig
    worker: WorkerConfig
    redis: RedisPoolConfig
    observability: ObservabilityConfig


class External(Model):
    """What differs between environments at the services outside."""

    convex_url: HttpsUrl
    matrix_homeserver_url: HttpsUrl
    resend_from_email: Email
    persona_template_id: Annotated[
        str, Field(pattern=r"^i?tmpl_[A-Za-z0-9]+$", description="tmpl_… or itmpl_…")
    ]
    firebase_project_id: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$", description="Firebase project id")
    ]
    firebase_client_email: Email
    walletconnect_project_id: Hex32


Address = Annotated[
    str,
    Field(pattern=r"^0x[0-9a-fA-F]{40}$", description="address of a contract: 0x and 40 digits"),
]


def _pascal_case(name: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]{0,62}", name):
        raise _only("a contract's name in PascalCase, at most 63 characters: PullToken")
    return name


ContractName = Annotated[str, AfterValidator(_pascal_case)]


def _two_people(names: tuple[str, ...]) -> tuple[str, ...]:
    if len({name.casefold() for name in names}) < 2:
        raise _only("at least two different engineers")
    return names


class Approval(Model):
    """Two engineers agreed to an address on mainnet: contracts cannot be rolled back."""

    contract: ContractName
    address: Address
    approved_by: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[!-~](?:[ -~]{0,98}[!-~])?$")], ...],
        Field(min_length=2, description="engineers"),
        AfterValidator(_two_people),
    ]


class Chain(Model):
    """The contracts on Polygon."""

    network: Literal["polygon-amoy", "polygon-mainnet"]
    contracts: Annotated[
        dict[ContractName, Address],
        # Each is a variable of the Worker, which takes 128 variables and secrets in all.
        Field(max_length=50, description="address by name of a contract, at most 50"),
    ]
    approvals: tuple[Approval, ...] = ()

    def wrong(self) -> Iterator[Problem]:
        approved = {(one.contract, one.address.lower()) for one in self.approvals}
        for contract, address in self.contracts.items():
            if int(address, 16) == 0:
                yield Problem(f"contracts.{contract}", address, "an address that is not zero")
            if self.network == "polygon-mainnet" and (contract, address.lower()) not in approved:
                yield Problem(
                    f"contracts.{contract}",
                    address,
                    "an address with an entry in approvals that names it and two engineers: "
                    "a contract on mainnet cannot be rolled back",
                )


# -- services ----------------------------------------------------------------------------------


_MEMORY_GIB_BY_CPU: Final = {1: (1, 4), 2: (1, 8), 4: (2, 16), 6: (4, 24), 8: (4, 32)}
"""Cloud Run's documentation, "Configure CPU limits" and "Configure memory limits"."""


def _offered_cpu(cpu: int) -> int:
    if cpu not in _MEMORY_GIB_BY_CPU:
        raise _only(f"one of {', '.join(map(str, _MEMORY_GIB_BY_CPU))}")
    return cpu


def _offered_memory(memory_gib: int, info: ValidationInfo) -> int:
    cpu: int = info.data.get("cpu", 0)  # absent when it is wrong itself
    least, most = _MEMORY_GIB_BY_CPU.get(cpu, (1, 32))
    if not least <= memory_gib <= most:
        beside = f" beside {cpu} CPU{'' if cpu == 1 else 's'}" if cpu else ""
        raise _only(f"{least} to {most} GiB{beside}")
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

    def wrong(self) -> Iterator[Problem]:
        if self.min_instances > self.max_instances:
            allowed = f"at most max_instances={self.max_instances}"
            yield Problem("min_instances", self.min_instances, allowed)


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
        raise _only(f"percentages that sum to 100; these sum to {total}")
    if len({share.revision for share in shares}) < len(shares):
        raise _only("each revision once")
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

    def wrong(self) -> Iterator[Problem]:
        if self.runtime == "worker_pool" and self.egress == "connector":
            yield Problem(
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
        raise _only("percentages with at most two decimals")
    if total != 10000:
        raise _only(f"percentages that sum to 100; these sum to {total / 100:g}")
    if len({share.version for share in shares}) < len(shares):
        raise _only("each version once")
    return shares


def _since_there_are_dates(text: str) -> str:
    if text < "2021-11-02":
        raise _only("2021-11-02 or later: Workers know no earlier date")
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

    def wrong(self) -> Iterator[Problem]:
        path = (PROJECT_ROOT / self.bundle).resolve()
        if not path.is_relative_to(PROJECT_ROOT) or not path.is_file():
            yield Problem("bundle", self.bundle, "a file below the project's folder")
            return
        code = path.read_bytes()
        if len(code) > 64 * _MIB or len(gzip.compress(code, compresslevel=1)) > 10 * _MIB:
            allowed = "a bundle of at most 64 MiB, 10 MiB when compressed"
            yield Problem("bundle", self.bundle, allowed)


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


# -- the alternative runtime -------------------------------------------------------------------


class Autopilot(Model):
    """A GKE Autopilot cluster that is made here, with a subnet of its own."""

    nodes_cidr: Annotated[Cidr, _sized(8, 28, "each node takes an address of it")]
    pods_cidr: Annotated[Cidr, _sized(9, 21, "Autopilot gives each node a /26 of it")]
    services_cidr: Annotated[Cidr, _sized(16, 27, "GKE takes no other size for Services")]
    release_channel: Literal["RAPID", "REGULAR", "STABLE"]
    maintenance_start: TimeOfDay


class ExistingCluster(Model):
    """A GKE cluster that others look after: ``docs/kubernetes.md`` says what it must have."""

    context: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:/@-]{0,252}$",
            description="context of the kubeconfig that the environment names",
        ),
    ]


class ClusterApi(Size):
    """The API in the cluster."""

    # An autoscaler cannot wake what it has put to sleep.
    min_instances: Annotated[int, Field(ge=1, le=1000, description="instances that always run")]
    image: Image
    domain: Host


class QueueDepth(Model):
    """An external metric of Cloud Monitoring that scales the workers."""

    metric: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9][A-Za-z0-9._|/-]{0,199}$",
            description="name of a metric that counts waiting tasks, with a label task_queue",
        ),
    ]
    tasks_per_instance: Annotated[
        int, Field(ge=1, le=100000, description="waiting tasks that one more instance is worth")
    ]


class Kubernetes(Model):
    """The API and the workers on Kubernetes; the workers' sizes and images are ``workers.fleet``.

    It may stay in the file while the runtime is managed, so that moving is one word.
    """

    cluster: Autopilot | None = None
    existing: ExistingCluster | None = None
    api: ClusterApi
    queue_depth: QueueDepth | None = None

    def wrong(self) -> Iterator[Problem]:
        if (self.cluster is None) == (self.existing is None):
            said = None if self.cluster is None else "beside cluster"
            allowed = "either a section cluster (made here) or a section existing (a context)"
            yield Problem("existing", said, allowed)


class Assets(Model):
    """The R2 bucket of uploaded files."""

    location: Literal["apac", "eeur", "enam", "weur", "wnam", "oc"]


# -- the whole ---------------------------------------------------------------------------------


class Settings(Model):
    """Everything that a stack file says, one section for each part of the estate."""

    environment: Environment
    protect: bool = Field(
        description="whether what holds data or identity is protected from deletion"
    )
    runtime: Literal["managed", "kubernetes", "both"] = Field(
        description="where API and workers run: Cloudflare and Cloud Run, a cluster, or both"
    )
    gcp: Gcp
    cloudflare: Cloudflare
    vercel: Vercel
    github: Github
    pulumi_cloud: PulumiCloud | None = None
    network: Network
    encryption: Encryption
    backups: Backups
    registry: Registry
    postgres: Postgres
    redis: Redis
    secrets: Secrets
    runtime_config: RuntimeConfig
    external: External
    chain: Chain
    api: Api
    api_origin: ApiOrigin | None = None
    web: Web
    assets: Assets
    workers: Workers
    kubernetes: Kubernetes | None = None

    @property
    def managed(self) -> bool:
        """Whether the API runs on Cloudflare and the workers on Cloud Run."""
        return self.runtime != "kubernetes"

    @property
    def in_cluster(self) -> Kubernetes | None:
        """The cluster's settings where the runtime has one; the parser sees that they are there."""
        return None if self.runtime == "managed" else self.kubernetes


_S = TypeVar("_S")


@dataclass(frozen=True, slots=True)
class _Sections:
    """The sections that are right by themselves, for the rules that compare two of them."""

    valid: Mapping[str, Any]

    def get(self, name: str, kind: type[_S]) -> _S | None:
        found = self.valid.get(name)
        return found if isinstance(found, kind) else None

    @property
    def in_cluster(self) -> Kubernetes | None:
        """The cluster's settings, where the runtime has one."""
        runtime = self.valid.get("runtime", "managed")
        return None if runtime == "managed" else self.get("kubernetes", Kubernetes)

    @property
    def names(self) -> Names | None:
        environment = self.valid.get("environment")
        return Names(environment) if environment else None


def _domains_are_in_the_zone(sections: _Sections) -> Iterator[Problem]:
    cloudflare = sections.get("cloudflare", Cloudflare)
    api, web = sections.get("api", Api), sections.get("web", Web)
    kubernetes = sections.get("kubernetes", Kubernetes)
    cluster_api = kubernetes.api if kubernetes else None
    parts = {"api": api, "web": web, "kubernetes.api": cluster_api}
    hosts = {f"pull:{name}.domain": part.domain for name, part in parts.items() if part}
    for path, host in hosts.items():
        if cloudflare and not host.endswith(f".{cloudflare.zone}"):
            yield Problem(path, host, f"a host name below {cloudflare.zone}")
    for (path, host), (other_path, other) in itertools.combinations(hosts.items(), 2):
        if host == other:
            yield Problem(other_path, other, f"another host name than {path}")


def _images_are_ours_and_fixed(sections: _Sections) -> Iterator[Problem]:
    gcp = sections.get("gcp", Gcp)
    production = sections.valid.get("environment") == "production"
    images: dict[str, str] = {}
    if workers := sections.get("workers", Workers):
        images["pull:workers.image"] = workers.image
        images |= {
            f"pull:workers.fleet.{kind}.image": worker.image
            for kind, worker in workers.fleet.items()
            if worker.image
        }
    if origin := sections.get("api_origin", ApiOrigin):
        images["pull:api_origin.image"] = origin.image
    if kubernetes := sections.get("kubernetes", Kubernetes):
        images["pull:kubernetes.api.image"] = kubernetes.api.image
    for path, image in images.items():
        if image.endswith(":latest"):
            yield Problem(
                path, image, "a tag of one build, or a digest: latest moves without a release"
            )
        elif production and "@sha256:" not in image:
            yield Problem(path, image, "an image by its digest (@sha256:…) in production")
        if gcp and not image.startswith(f"gcr.io/{gcp.project}/"):
            yield Problem(
                path, image, f"an image of this project's registry, gcr.io/{gcp.project}/…"
            )
        if path.startswith("pull:workers") and re.split("[@:]", image)[0].rsplit("/", 1)[-1] != (
            WORKER_IMAGE
        ):
            yield Problem(path, image, f"the workers' image, named {WORKER_IMAGE}")


def _subnet_holds_the_fleet(sections: _Sections) -> Iterator[Problem]:
    """Direct egress takes two addresses for each instance (Cloud Run, "Direct VPC egress")."""
    network, workers = sections.get("network", Network), sections.get("workers", Workers)
    if not network or not workers or workers.egress != "direct":
        return
    origin = sections.get("api_origin", ApiOrigin)
    instances = sum(worker.max_instances for worker in workers.fleet.values())
    instances += origin.max_instances if origin else 0
    # Google keeps four addresses of every subnet for itself.
    usable = ipaddress.IPv4Network(network.subnet_cidr).num_addresses - 4
    if 2 * instances > usable:
        yield Problem(
            "pull:network.subnet_cidr",
            network.subnet_cidr,
            f"a range of at least {2 * instances} usable addresses, two for each of the "
            f"{instances} instances that may run; this one has {usable}",
        )


def _traffic_names_revisions_of_its_service(sections: _Sections) -> Iterator[Problem]:
    names = sections.names
    if names is None:
        return
    traffic: dict[str, tuple[str, RevisionShares]] = {}
    if workers := sections.get("workers", Workers):
        for kind, worker in workers.fleet.items():
            traffic[f"pull:workers.fleet.{kind}"] = names.worker(kind), worker.traffic
    if origin := sections.get("api_origin", ApiOrigin):
        traffic["pull:api_origin"] = names.api, origin.traffic
    for path, (service, shares) in traffic.items():
        for position, share in enumerate(shares):
            if share.revision != CURRENT and not share.revision.startswith(f"{service}-"):
                yield Problem(
                    place(path, "traffic", position, "revision"),
                    share.revision,
                    f"{CURRENT}, or a revision of {service}: its name starts with {service}-",
                )


def _each_secret_has_its_own_id(sections: _Sections) -> Iterator[Problem]:
    secrets, names = sections.get("secrets", Secrets), sections.names
    if secrets is None or names is None:
        return
    ids = {one.name: secrets.ids.get(one.name) or names.secret(one.name) for one in SECRETS}
    for variable, secret_id in secrets.ids.items():
        others = [name for name, other in ids.items() if other == secret_id and name != variable]
        if others:
            allowed = f"an id of its own: this one belongs to {', '.join(others)}"
            yield Problem(place("pull:secrets.ids", variable), secret_id, allowed)


def _review_stacks_are_copies_of_staging(sections: _Sections) -> Iterator[Problem]:
    cloud = sections.get("pulumi_cloud", PulumiCloud)
    production = sections.valid.get("environment") == "production"
    if cloud and cloud.review_stacks and (production or sections.valid.get("protect")):
        allowed = "nothing here: only staging, unprotected, can be copied and thrown away"
        yield Problem("pull:pulumi_cloud.review_stacks", cloud.review_stacks.until, allowed)


def _mainnet_is_for_production(sections: _Sections) -> Iterator[Problem]:
    chain = sections.get("chain", Chain)
    staging = sections.valid.get("environment") == "staging"
    if staging and chain and chain.network == "polygon-mainnet":
        yield Problem("pull:chain.network", chain.network, "polygon-amoy outside production")


def _a_cluster_has_its_section(sections: _Sections) -> Iterator[Problem]:
    runtime = sections.valid.get("runtime", "managed")
    if runtime != "managed" and sections.valid.get("kubernetes", ...) is None:
        allowed = f"a section with cluster or existing, and api, beside pull:runtime={runtime}"
        yield Problem("pull:kubernetes", None, allowed)


def _a_cluster_has_ranges_of_its_own(sections: _Sections) -> Iterator[Problem]:
    network, kubernetes = sections.get("network", Network), sections.get("kubernetes", Kubernetes)
    if not network or not kubernetes or not kubernetes.cluster:
        return
    cluster = kubernetes.cluster
    ranges = {
        "pull:network.subnet_cidr": network.subnet_cidr,
        "pull:network.services_cidr": network.services_cidr,
        "pull:network.connector.cidr": network.connector.cidr,
        "pull:kubernetes.cluster.nodes_cidr": cluster.nodes_cidr,
        "pull:kubernetes.cluster.pods_cidr": cluster.pods_cidr,
        "pull:kubernetes.cluster.services_cidr": cluster.services_cidr,
    }
    for (path, one), (other_path, other) in itertools.combinations(ranges.items(), 2):
        overlap = ipaddress.IPv4Network(one).overlaps(ipaddress.IPv4Network(other))
        if overlap and other_path.startswith("pull:kubernetes"):
            allowed = f"a range that does not overlap {path.removeprefix('pull:')}={one}"
            yield Problem(other_path, other, allowed)


_ADDRESSES_OF_A_NODE: Final = 64
"""Autopilot runs up to 32 pods on a node and gives it twice as many addresses: a /26."""


def _a_cluster_holds_the_fleet(sections: _Sections) -> Iterator[Problem]:
    """Spread over zones and nodes, each pod may have a node to itself."""
    kubernetes, workers = sections.in_cluster, sections.get("workers", Workers)
    if not kubernetes or not kubernetes.cluster or not workers:
        return
    pods = kubernetes.api.max_instances
    pods += sum(worker.max_instances for worker in workers.fleet.values())
    for name, cidr, needed, what in (
        # Google keeps four addresses of every subnet for itself.
        ("nodes_cidr", kubernetes.cluster.nodes_cidr, pods + 4, "an address"),
        ("pods_cidr", kubernetes.cluster.pods_cidr, pods * _ADDRESSES_OF_A_NODE, "a /26"),
    ):
        if ipaddress.IPv4Network(cidr).num_addresses < needed:
            allowed = f"a range of at least {needed} addresses: {what} for the node of each of the "
            yield Problem(
                f"pull:kubernetes.cluster.{name}", cidr, f"{allowed}{pods} instances that may run"
            )


def _autopilot_offers_the_sizes(sections: _Sections) -> Iterator[Problem]:
    """Autopilot raises memory below 1 GiB for each CPU by itself, and bills it."""
    kubernetes, workers = sections.in_cluster, sections.get("workers", Workers)
    if not kubernetes or not kubernetes.cluster:
        return
    sizes: dict[str, Size] = {"pull:kubernetes.api": kubernetes.api}
    if workers:
        sizes |= {f"pull:workers.fleet.{kind}": size for kind, size in workers.fleet.items()}
    for path, size in sizes.items():
        if size.memory_gib < size.cpu:
            allowed = f"at least {size.cpu} GiB beside {size.cpu} CPUs on Autopilot"
            yield Problem(f"{path}.memory_gib", size.memory_gib, allowed)


GRACE_SECONDS: Final = 30
"""What a worker is given to say good-bye after its last activity has ended."""


def _an_activity_ends_before_its_node(sections: _Sections) -> Iterator[Problem]:
    """An upgrade of a node waits an hour for its pods and no longer (GKE, "Node upgrades")."""
    config = sections.get("runtime_config", RuntimeConfig)
    longest = 3600 - GRACE_SECONDS
    if sections.in_cluster and config:
        timeout = config.worker.activity_start_to_close_timeout_ms
        if timeout > longest * 1000:
            yield Problem(
                "pull:runtime_config.worker.activity_start_to_close_timeout_ms",
                timeout,
                f"at most {longest * 1000}: Kubernetes ends a worker an hour after it was asked to "
                "end, whatever it is doing",
            )


_RULES: Final[tuple[Callable[[_Sections], Iterator[Problem]], ...]] = (
    _domains_are_in_the_zone,
    _images_are_ours_and_fixed,
    _subnet_holds_the_fleet,
    _traffic_names_revisions_of_its_service,
    _each_secret_has_its_own_id,
    _mainnet_is_for_production,
    _review_stacks_are_copies_of_staging,
    _a_cluster_has_its_section,
    _a_cluster_has_ranges_of_its_own,
    _a_cluster_holds_the_fleet,
    _autopilot_offers_the_sizes,
    _an_activity_ends_before_its_node,
)


# -- reading -----------------------------------------------------------------------------------


def parse(raw: Mapping[str, object], source: str, known: Sequence[Problem] = ()) -> Settings:
    """Settings from the values of the ``pull:`` keys, without that prefix.

    ``known`` are problems that the reader of ``source`` has found already.

    Raises:
        SettingsError: something is wrong. Sections are judged one by one, so that a mistake in one
            does not hide those in the others.
    """
    problems: list[Problem] = []
    valid: dict[str, Any] = {}
    for name in raw:
        if name not in Settings.model_fields:
            allowed = one_of(name, Settings.model_fields)
            problems.append(Problem(section(name), raw[name], allowed))
    for name, field in Settings.model_fields.items():
        if name in raw:
            value, wrong = judge(name, field.annotation, raw[name])
        elif field.is_required():
            value, wrong = None, [Problem(section(name), None, allowed_at(field.annotation, ()))]
        else:
            value, wrong = field.get_default(), []
        problems += wrong
        if not wrong:
            valid[name] = value
    sections = _Sections(valid)
    for rule in _RULES:
        problems += rule(sections)
    places = tuple(problem.path for problem in known)
    problems = [*known, *(one for one in problems if not _is_at_or_below(one.path, places))]
    if problems:
        raise SettingsError(source, tuple(problems))
    return Settings.model_validate(valid)


def _is_at_or_below(path: str, places: tuple[str, ...]) -> bool:
    return path in places or path.startswith(tuple(f"{place}." for place in places))


def read_stack_file(path: Path) -> Settings:
    """Settings of a ``Pulumi.<stack>.yaml``.

    Raises:
        SettingsError: the file cannot be read as YAML, or its settings are wrong.
    """
    file = StackFile(path)
    problems = list(file.problems)
    default_providers = file.config.get(DEFAULT_PROVIDERS)
    if default_providers != ["*"]:
        # The engine keeps this key to itself, so that the program cannot look after it.
        allowed = '["*"]: a resource without an explicit provider must fail, not escape'
        problems.append(Problem(place("config", DEFAULT_PROVIDERS), default_providers, allowed))
    stack = path.name.removeprefix("Pulumi.").removesuffix(".yaml")
    return _read(file.config, stack, path.name, problems)


def read_engine_config() -> Settings:
    """Settings as the Pulumi engine gives them to the running program.

    Raises:
        SettingsError: the settings are wrong.
    """
    import pulumi
    from pulumi.runtime import config as engine

    given: dict[str, str] = {**engine.get_config_env(), **engine.CONFIG.get()}
    secret = {*engine.get_config_secret_keys_env(), *filter(engine.is_config_secret, given)}
    problems = [
        Problem(section(key.removeprefix("pull:")), HIDDEN, ENCRYPTED)
        for key in given
        if key in secret and key.startswith("pull:")
    ]
    config = {key: _from_engine(text) for key, text in given.items()}
    stack = pulumi.get_stack()
    return _read(config, stack, f"the configuration of stack {stack}", problems)


def _read(
    config: Mapping[str, object], stack: str, source: str, problems: Sequence[Problem]
) -> Settings:
    ours = {
        key.removeprefix("pull:"): value for key, value in config.items() if key.startswith("pull:")
    }
    environment = ours.get("environment")
    if environment != stack and {environment, stack} == {*get_args(Environment)}:
        mixed_up = Problem("pull:environment", environment, f"{stack}, as the stack is named")
        problems = [*problems, mixed_up]
    return parse(ours, source, [*problems, *_lost_keys(config)])


def _lost_keys(config: Mapping[str, object]) -> Iterator[Problem]:
    """Keys that look as if they had an effect, and have none."""
    for key, value in config.items():
        namespace, colon, _ = key.partition(":")
        if not colon:
            allowed = f"a key with its namespace: pull:{key}"
        elif namespace in ("gcp", "cloudflare", "vercel"):
            allowed = (
                "nothing: the providers here are explicit and ignore it; accounts are settings "
                f"(pull:{namespace}), and credentials come from the environment"
            )
        else:
            continue
        yield Problem(place("config", key), value, allowed)


def _from_engine(text: str) -> object:
    """The engine hands everything over as text: sections as JSON, plain words as they are."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text

"""Settings: the typed form of a stack file, and the only reader of configuration.

``read_stack_file`` serves the command line and ``read_engine_config`` the program; both end in the
same parser. Nothing else decides what the estate is: no environment variable, no clock. Wrong
settings raise :class:`SettingsError`, which holds every problem at once, each with its path.

What a platform accepts at preview and refuses in the middle of an ``up`` is refused here: sizes
that are not offered, percentages that do not sum to 100, address ranges that overlap.
"""

from __future__ import annotations

import difflib
import gzip
import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from components.names import WORKER_IMAGE, Environment
from components.secrets.catalogue import SECRETS
from components.workloads import WorkerType

PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent

# -- problems ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong setting: where it is, what stands there, and what may stand there."""

    path: str
    value: object
    allowed: str

    def __str__(self) -> str:
        shown = "nothing" if self.value is None else json.dumps(self.value, default=str)
        return f"{self.path}\n    is       {shown}\n    allowed  {self.allowed}"


class SettingsError(Exception):
    """The settings cannot be used. ``problems`` holds all that is wrong with them."""

    def __init__(self, source: str, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        count = "1 setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        listed = "\n\n".join(f"  {problem}".replace("\n", "\n  ") for problem in problems)
        super().__init__(f"{count} wrong in {source}; nothing was started.\n\n{listed}")


def _wrong(path: str, value: object, allowed: str) -> PydanticCustomError:
    """A problem found by a rule of ours; ``path`` is relative to the model that the rule is in."""
    return PydanticCustomError(
        "rule", "{allowed}", {"path": path, "value": value, "allowed": allowed}
    )


# -- words that several settings share ---------------------------------------------------------


class Model(BaseModel):
    """Frozen and strict; an unknown key is an error, because a typo must not be a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _network(text: str) -> str:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise PydanticCustomError("cidr", "an IPv4 range such as 10.10.0.0/20") from error
    if not any(network.subnet_of(private) for private in _PRIVATE_RANGES):
        raise PydanticCustomError("cidr", "a private range (RFC 1918), such as 10.10.0.0/20")
    return text


_PRIVATE_RANGES: Final = tuple(
    ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)

Cidr = Annotated[
    str, AfterValidator(_network), Field(description="private IPv4 range, as 10.10.0.0/20")
]
Hex32 = Annotated[
    str, Field(pattern=r"^[0-9a-f]{32}$", description="32 hexadecimal digits, lower case, quoted")
]
Host = Annotated[
    str,
    Field(
        pattern=r"^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$",
        max_length=253,
        description="host name, lower case",
    ),
]
HttpsUrl = Annotated[
    str,
    Field(pattern=r"^https://[a-zA-Z0-9.-]+(?::\d+)?(?:/\S*)?$", description="an https:// URL"),
]
Origin = Annotated[
    str,
    Field(
        pattern=r"^https://[a-zA-Z0-9.-]+(?::\d+)?$",
        description="an https:// origin, without a path or a closing slash",
    ),
]
Email = Annotated[
    str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", description="an e-mail address")
]
TimeOfDay = Annotated[
    str,
    Field(
        pattern=r"^(?:[01]\d|2[0-3]):[0-5]\d$", description='a time of day in UTC, quoted: "03:00"'
    ),
]
Timestamp = Annotated[
    str,
    Field(
        pattern=(
            r"^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
            r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$"
        ),
        description='a moment in UTC, quoted: "2025-01-25T10:00:00.000Z"',
    ),
]
Date = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$",
        description='a date, quoted: "2025-01-25"',
    ),
]
Hour = Annotated[int, Field(ge=0, le=23, description="hour of the day in UTC, 0 to 23")]
Weekday = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]


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
        str, Field(pattern=r"^\d{6,16}$", description="project number, quoted")
    ]
    region: Annotated[
        str, Field(pattern=r"^[a-z]+-[a-z]+\d+$", description="region, such as us-central1")
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
        str, Field(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", description="owner/name of the repository")
    ]


# -- platform ----------------------------------------------------------------------------------


class Connector(Model):
    """Serverless VPC Access connector. It takes a /28 of its own, and cannot shrink."""

    cidr: Cidr
    machine_type: Literal["f1-micro", "e2-micro", "e2-standard-4"]
    min_instances: Annotated[int, Field(ge=2, le=9, description="instances, 2 to 9")]
    max_instances: Annotated[int, Field(ge=3, le=10, description="instances, 3 to 10")]

    @model_validator(mode="after")
    def _sizes(self) -> Connector:
        if ipaddress.IPv4Network(self.cidr).prefixlen != 28:
            raise _wrong("cidr", self.cidr, "a /28: a connector takes no other size")
        if self.min_instances >= self.max_instances:
            raise _wrong(
                "min_instances", self.min_instances, f"less than max_instances={self.max_instances}"
            )
        return self


class Network(Model):
    """Address plan of the private network."""

    subnet_cidr: Cidr
    services_cidr: Cidr
    connector: Connector

    @model_validator(mode="after")
    def _ranges(self) -> Network:
        ranges = {
            "subnet_cidr": ipaddress.IPv4Network(self.subnet_cidr),
            "services_cidr": ipaddress.IPv4Network(self.services_cidr),
            "connector.cidr": ipaddress.IPv4Network(self.connector.cidr),
        }
        if ranges["subnet_cidr"].prefixlen > 26:
            raise _wrong(
                "subnet_cidr", self.subnet_cidr, "a /26 or larger: Cloud Run reserves blocks of it"
            )
        if ranges["services_cidr"].prefixlen > 24:
            raise _wrong(
                "services_cidr", self.services_cidr, "a /24 or larger: Cloud SQL takes a /24 of it"
            )
        if ranges["services_cidr"].overlaps(_DOCKER_BRIDGE):
            raise _wrong(
                "services_cidr",
                self.services_cidr,
                f"a range outside {_DOCKER_BRIDGE}: Cloud SQL cannot be reached there",
            )
        names = list(ranges)
        for position, name in enumerate(names):
            for other in names[position + 1 :]:
                if ranges[name].overlaps(ranges[other]):
                    raise _wrong(
                        other, str(ranges[other]), f"a range that {name}={ranges[name]} does not overlap"
                    )
        return self


_DOCKER_BRIDGE: Final = ipaddress.IPv4Network("172.17.0.0/16")


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


class Postgres(Model):
    """Cloud SQL. Size is a custom machine of the Enterprise edition."""

    cpus: Annotated[int, Field(ge=1, le=96, description="vCPUs: 1, or an even number up to 96")]
    memory_mib: Annotated[int, Field(ge=3840, description="memory in MiB, a multiple of 256")]
    availability: Literal["REGIONAL", "ZONAL"]
    disk_gib: Annotated[int, Field(ge=10, le=65536, description="first size of the disk in GiB")]
    max_connections: Annotated[
        int, Field(ge=25, le=5000, description="connections at once, 25 to 5000")
    ]
    backup_start: TimeOfDay
    backup_location: Literal["us", "eu", "asia"]
    retained_backups: Annotated[int, Field(ge=1, le=365, description="daily backups kept")]
    transaction_log_days: Annotated[
        int, Field(ge=1, le=7, description="days of point-in-time recovery, 1 to 7")
    ]
    final_backup_days: Annotated[
        int, Field(ge=1, le=365, description="days that the last backup outlives the instance")
    ]
    maintenance: Maintenance
    password_generation: Annotated[
        int, Field(ge=1, description="raise it by one to issue a new password")
    ]
    recovery: Recovery | None = None

    @model_validator(mode="after")
    def _machine(self) -> Postgres:
        if self.cpus != 1 and self.cpus % 2:
            raise _wrong("cpus", self.cpus, "1, or an even number up to 96")
        if self.memory_mib % 256:
            raise _wrong("memory_mib", self.memory_mib, "a multiple of 256 MiB")
        least, most = max(3840, self.cpus * 922), self.cpus * 6656
        if not least <= self.memory_mib <= most:
            raise _wrong(
                "memory_mib",
                self.memory_mib,
                f"{least} to {most} MiB beside {self.cpus} vCPUs (0.9 to 6.5 GiB each)",
            )
        return self


class Redis(Model):
    """Memorystore."""

    tier: Literal["BASIC", "STANDARD_HA"]
    memory_gib: Annotated[int, Field(ge=1, le=300, description="memory in GiB, 1 to 300")]
    snapshot_period: Literal["ONE_HOUR", "SIX_HOURS", "TWELVE_HOURS", "TWENTY_FOUR_HOURS"]
    maintenance: Maintenance


# -- secrets -----------------------------------------------------------------------------------


class Secrets(Model):
    """How the catalogue is kept in Secret Manager."""

    rotation_days: Annotated[
        int, Field(ge=1, le=365, description="days after which a rotation is due")
    ]
    first_rotation: Timestamp
    ids: dict[str, Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,255}$")]] = Field(
        default_factory=dict,
        description="Secret Manager id by variable, where it is not pull-<environment>-<name>",
    )
    versions: dict[str, Annotated[str, Field(pattern=r"^(?:latest|[1-9]\d*)$")]] = Field(
        default_factory=dict,
        description='version by variable, quoted, where it is not "latest"',
    )

    @model_validator(mode="after")
    def _known(self) -> Secrets:
        known = [variable.name for variable in SECRETS]
        for field, names in (("ids", self.ids), ("versions", self.versions)):
            for name in names:
                if name not in known:
                    raise _wrong(f"{field}.{name}", name, _one_of(name, known))
        return self


# -- values that are not secret ----------------------------------------------------------------


class SharedConfig(Model):
    log_level: Literal["debug", "info", "warn", "error"]


class ApiConfig(Model):
    cors_origins: Annotated[
        tuple[Origin, ...], Field(min_length=1, description="origins that browsers may call from")
    ]
    body_limit_mib: Annotated[
        int, Field(ge=1, le=100, description="largest request body in MiB, 1 to 100")
    ]


class WorkerConfig(Model):
    concurrency: Annotated[
        int, Field(ge=1, le=1000, description="activities at once in one instance")
    ]
    plaid_env: Literal["sandbox", "production"]
    activity_start_to_close_timeout_ms: Annotated[
        int, Field(ge=1000, description="longest activity in milliseconds")
    ]
    activity_heartbeat_timeout_ms: Annotated[
        int, Field(ge=1000, description="longest silence of an activity in milliseconds")
    ]

    @model_validator(mode="after")
    def _timeouts(self) -> WorkerConfig:
        if self.activity_heartbeat_timeout_ms > self.activity_start_to_close_timeout_ms:
            raise _wrong(
                "activity_heartbeat_timeout_ms",
                self.activity_heartbeat_timeout_ms,
                "at most activity_start_to_close_timeout_ms="
                f"{self.activity_start_to_close_timeout_ms}",
            )
        return self


class RedisPoolConfig(Model):
    pool_min: Annotated[int, Field(ge=0, le=1000, description="connections kept open")]
    pool_max: Annotated[int, Field(ge=1, le=1000, description="connections at the most")]

    @model_validator(mode="after")
    def _order(self) -> RedisPoolConfig:
        if self.pool_min > self.pool_max:
            raise _wrong("pool_min", self.pool_min, f"at most pool_max={self.pool_max}")
        return self


class ObservabilityConfig(Model):
    metrics_port: Annotated[
        int, Field(ge=1024, le=65535, description="port of /metrics, 1024 to 65535")
    ]

    @model_validator(mode="after")
    def _free(self) -> ObservabilityConfig:
        if self.metrics_port in (API_PORT, WORKER_PORT):
            raise _wrong("metrics_port", self.metrics_port, "a port that no service listens on")
        return self


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
ContractName = Annotated[
    str, Field(pattern=r"^[A-Z][A-Za-z0-9]{0,62}$", description="PascalCase, such as PullToken")
]


class Approval(Model):
    """Two engineers agreed to an address on mainnet: contracts cannot be rolled back."""

    contract: ContractName
    address: Address
    approved_by: Annotated[
        tuple[str, ...], Field(min_length=2, description="at least two engineers")
    ]


class Chain(Model):
    """The contracts on Polygon."""

    network: Literal["polygon-amoy", "polygon-mainnet"]
    contracts: dict[ContractName, Address]
    approvals: tuple[Approval, ...] = ()

    @model_validator(mode="after")
    def _approved(self) -> Chain:
        approved = {(one.contract, one.address.lower()) for one in self.approvals}
        for contract, address in self.contracts.items():
            if int(address, 16) == 0:
                raise _wrong(f"contracts.{contract}", address, "an address that is not zero")
            if self.network == "polygon-mainnet" and (contract, address.lower()) not in approved:
                raise _wrong(
                    f"contracts.{contract}",
                    address,
                    "an address with an entry in approvals that names it and two engineers: "
                    "a contract on mainnet cannot be rolled back",
                )
        for position, one in enumerate(self.approvals):
            if len(set(one.approved_by)) < 2:
                raise _wrong(
                    f"approvals.{position}.approved_by", one.approved_by, "two different engineers"
                )
        return self


# -- services ----------------------------------------------------------------------------------


class Size(Model):
    """CPU, memory and count of a Cloud Run service's instances.

    Source of the pairs: Cloud Run's documentation, "Configure CPU limits", table of vCPU and memory.
    """

    cpu: Literal[1, 2, 4, 6, 8]
    memory_gib: Annotated[int, Field(ge=1, le=32, description="memory in GiB")]
    min_instances: Annotated[int, Field(ge=0, le=1000, description="instances that always run")]
    max_instances: Annotated[int, Field(ge=1, le=1000, description="instances at the most")]

    @model_validator(mode="after")
    def _offered(self) -> Size:
        least, most = _CLOUD_RUN_MEMORY_GIB[self.cpu]
        if not least <= self.memory_gib <= most:
            raise _wrong(
                "memory_gib", self.memory_gib, f"{least} to {most} GiB beside {self.cpu} CPUs"
            )
        if self.min_instances > self.max_instances:
            raise _wrong(
                "min_instances", self.min_instances, f"at most max_instances={self.max_instances}"
            )
        return self


_CLOUD_RUN_MEMORY_GIB: Final = {1: (1, 4), 2: (1, 8), 4: (2, 16), 6: (4, 24), 8: (4, 32)}

CURRENT: Final = "current"
"""In a list of traffic: the revision, or version, that this very program describes."""


class RevisionShare(Model):
    """A share of the traffic of a Cloud Run service."""

    revision: Annotated[
        str,
        Field(
            pattern=r"^[a-z](?:-?[a-z0-9]){0,62}$",
            description=f"name of a revision, or {CURRENT} for the one described here",
        ),
    ]
    percent: Annotated[int, Field(ge=1, le=100, description="whole percent, 1 to 100")]


def _whole(shares: tuple[RevisionShare, ...]) -> tuple[RevisionShare, ...]:
    total = sum(share.percent for share in shares)
    if total != 100:
        raise PydanticCustomError("shares", f"percentages that sum to 100; these sum to {total}")
    if len({share.revision for share in shares}) < len(shares):
        raise PydanticCustomError("shares", "each revision once")
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
    """One worker service: a type of worker with a size and, when it differs, a release of its own."""

    image: Image | None = None
    traffic: RevisionShares = ALL_TO_CURRENT


class Workers(Model):
    """The Temporal workers."""

    runtime: Literal["service", "worker_pool"]
    egress: Literal["direct", "connector"]
    image: Image
    timeout_seconds: Annotated[int, Field(ge=1, le=3600, description="seconds, 1 to 3600")]
    fleet: Annotated[
        dict[WorkerType, Worker],
        Field(min_length=1, description="a service for each worker type that is named"),
    ]

    @model_validator(mode="after")
    def _pools(self) -> Workers:
        if self.runtime == "worker_pool" and self.egress == "connector":
            raise _wrong(
                "egress", self.egress, "direct: a worker pool cannot use the VPC connector"
            )
        return self


class VersionShare(Model):
    """A share of the requests to the Worker."""

    version: Annotated[
        str,
        Field(
            pattern=r"^(?:current|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
            description=f"id of a Worker version, or {CURRENT} for the one described here",
        ),
    ]
    percentage: Annotated[float, Field(ge=0.01, le=100, description="percent, 0.01 to 100")]


def _whole_versions(shares: tuple[VersionShare, ...]) -> tuple[VersionShare, ...]:
    total = sum(round(share.percentage * 100) for share in shares)
    if any(abs(share.percentage * 100 - round(share.percentage * 100)) > 1e-6 for share in shares):
        raise PydanticCustomError("shares", "percentages with at most two decimals")
    if total != 10000:
        raise PydanticCustomError(
            "shares", f"percentages that sum to 100; these sum to {total / 100:g}"
        )
    if len({share.version for share in shares}) < len(shares):
        raise PydanticCustomError("shares", "each version once")
    return shares


class Api(Model):
    """The API on Cloudflare Workers."""

    domain: Host
    bundle: Annotated[
        str,
        Field(
            pattern=r"^[^/\\][^\\]*\.m?js$",
            description="path of the built ES module, from the project's folder",
        ),
    ]
    compatibility_date: Date
    secrets: Literal["store", "inherit"]
    log_sampling: Annotated[
        float, Field(ge=0, le=1, description="share of requests that are logged, 0 to 1")
    ]
    versions: Annotated[
        tuple[VersionShare, ...],
        AfterValidator(_whole_versions),
        Field(
            min_length=1, max_length=2, description="one or two versions; percentages sum to 100"
        ),
    ] = (VersionShare(version=CURRENT, percentage=100),)

    @model_validator(mode="after")
    def _bundle(self) -> Api:
        path = (PROJECT_ROOT / self.bundle).resolve()
        if not path.is_relative_to(PROJECT_ROOT) or not path.is_file():
            raise _wrong("bundle", self.bundle, "a file below the project's folder")
        code = path.read_bytes()
        if len(code) > 64 * _MIB or len(gzip.compress(code, compresslevel=1)) > 10 * _MIB:
            raise _wrong("bundle", self.bundle, "a bundle of at most 64 MiB, 10 MiB when compressed")
        return self


_MIB: Final = 1024 * 1024


class ApiOrigin(Size):
    """The same API on Cloud Run, inside the private network; made only when it is in the file."""

    image: Image
    timeout_seconds: Annotated[int, Field(ge=1, le=3600, description="seconds, 1 to 3600")]
    traffic: RevisionShares = ALL_TO_CURRENT


class WebRelease(Model):
    """A production deployment that this program makes."""

    ref: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$", description="branch, tag or commit to build")
    ]


class Web(Model):
    """The web application on Vercel."""

    domain: Host
    production_branch: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$", description="branch that goes live")
    ]
    root_directory: str
    release: WebRelease | None = None


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
    gcp: Gcp
    cloudflare: Cloudflare
    vercel: Vercel
    github: Github
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


_S = TypeVar("_S")


@dataclass(frozen=True, slots=True)
class _Sections:
    """The sections that are right by themselves, for the rules that compare two of them."""

    valid: Mapping[str, Any]

    def get(self, name: str, kind: type[_S]) -> _S | None:
        section = self.valid.get(name)
        return section if isinstance(section, kind) else None


def _domains_are_in_the_zone(sections: _Sections) -> Iterator[Problem]:
    cloudflare = sections.get("cloudflare", Cloudflare)
    for name, section in (("api", sections.get("api", Api)), ("web", sections.get("web", Web))):
        if cloudflare and section and not section.domain.endswith(f".{cloudflare.zone}"):
            yield Problem(
                f"pull:{name}.domain", section.domain, f"a host name below {cloudflare.zone}"
            )


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
    for path, image in images.items():
        if image.endswith(":latest"):
            yield Problem(
                path, image, "a tag of one build, or a digest: latest moves without a release"
            )
        elif production and "@sha256:" not in image:
            yield Problem(path, image, "an image by its digest (@sha256:…) in production")
        if gcp and not image.startswith(f"gcr.io/{gcp.project}/"):
            yield Problem(path, image, f"an image of this project's registry, gcr.io/{gcp.project}/…")
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
    from components.names import Names

    environment = sections.valid.get("environment")
    workers = sections.get("workers", Workers)
    if not workers or environment not in ("staging", "production"):
        return
    names = Names(environment)
    for kind, worker in workers.fleet.items():
        service = names.worker(kind)
        for position, share in enumerate(worker.traffic):
            if share.revision != CURRENT and not share.revision.startswith(f"{service}-"):
                yield Problem(
                    f"pull:workers.fleet.{kind}.traffic.{position}.revision",
                    share.revision,
                    f"{CURRENT}, or a revision of {service}: its name starts with {service}-",
                )


def _mainnet_is_for_production(sections: _Sections) -> Iterator[Problem]:
    chain = sections.get("chain", Chain)
    if chain and sections.valid.get("environment") == "staging":
        if chain.network == "polygon-mainnet":
            yield Problem("pull:chain.network", chain.network, "polygon-amoy outside production")


_RULES: Final[tuple[Callable[[_Sections], Iterator[Problem]], ...]] = (
    _domains_are_in_the_zone,
    _images_are_ours_and_fixed,
    _subnet_holds_the_fleet,
    _traffic_names_revisions_of_its_service,
    _mainnet_is_for_production,
)


# -- reading -----------------------------------------------------------------------------------


def parse(raw: Mapping[str, object], source: str) -> Settings:
    """Settings from the values of the ``pull:`` keys, without that prefix.

    Raises:
        SettingsError: something is wrong. Sections are judged one by one, so that a mistake in one
            does not hide those in the others.
    """
    problems: list[Problem] = []
    valid: dict[str, Any] = {}
    for name in raw:
        if name not in Settings.model_fields:
            path = f"pull:{name}"
            allowed = _one_of(name, list(Settings.model_fields))
            problems.append(Problem(path, _masked(path, raw[name]), allowed))
    for name, field in Settings.model_fields.items():
        if name not in raw:
            if field.is_required():
                problems.append(Problem(f"pull:{name}", None, _describe(field.annotation)))
            else:
                valid[name] = field.get_default()
            continue
        section, wrong = _parse_section(name, field.annotation, raw[name])
        problems += wrong
        if not wrong:
            valid[name] = section
    sections = _Sections(valid)
    for rule in _RULES:
        problems += rule(sections)
    if problems:
        raise SettingsError(source, tuple(problems))
    return Settings.model_validate(valid)


def _parse_section(name: str, kind: Any, value: object) -> tuple[object, list[Problem]]:
    try:
        # Through JSON, because strict mode takes a list for a tuple there and nowhere else.
        text = json.dumps(value, default=str)
        return TypeAdapter(kind).validate_json(text), []
    except ValidationError as error:
        found = [_problem(name, kind, dict(one)) for one in error.errors(include_url=False)]
        surplus = [one["loc"] for one in error.errors() if one["type"] == "extra_forbidden"]
        if surplus and len(surplus) == len(found):
            # Unknown keys alone would hide what the rules of the model have to say.
            found += _parse_section(name, kind, _without(value, surplus))[1]
        return None, found


def _without(value: object, surplus: list[tuple[int | str, ...]]) -> object:
    copy = json.loads(json.dumps(value, default=str))
    for *parents, key in surplus:
        place = copy
        for step in parents:
            place = place[step]
        del place[key]
    return copy


def _problem(section: str, kind: object, error: dict[str, Any]) -> Problem:
    location = [str(step) for step in error["loc"] if step != "[key]"]
    context = error.get("ctx") or {}
    if error["type"] == "rule":
        location += context["path"].split(".")
        return Problem(
            ".".join([f"pull:{section}", *location]), context["value"], context["allowed"]
        )
    path = ".".join([f"pull:{section}", *location])
    described = _description_at(kind, location)
    value = None if error["type"] == "missing" else error["input"]
    match error["type"]:
        case "missing":
            allowed = f"a value: {described}" if described else "a value: it is required"
        case "extra_forbidden":
            allowed = _one_of(location[-1], _keys_at(kind, location[:-1]))
        case "enum" | "literal_error":
            allowed = f"one of {context['expected']}"
        case "model_type" | "model_attributes_type" | "dict_type":
            allowed = "a section of settings"
        case "string_pattern_mismatch" if described:
            allowed = described
        case "cidr" | "shares":
            allowed = str(error["msg"])
        case _:
            allowed = described or str(error["msg"])
            if described:
                allowed += f" ({str(error['msg']).removeprefix('Input should be ')})"
    return Problem(path, _masked(path, value), allowed)


_SECRETIVE: Final = re.compile(r"secret|token|password|private|credential|key|dsn|cert", re.I)


def _masked(path: str, value: object) -> object:
    """A value put under a secret's name by mistake must not reach a log."""
    name = path.rsplit(".", 1)[-1]
    secretive = _SECRETIVE.search(name) and not name.endswith("_id")
    return "[secret]" if value is not None and secretive else value


def _one_of(given: str, known: list[str]) -> str:
    near = difflib.get_close_matches(given, known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"no such setting: {hint}known are {', '.join(known)}" if known else "no such setting"


def _schema_at(kind: Any, location: list[str]) -> Mapping[str, Any]:
    """The JSON Schema node of a setting: where its description and its neighbours are found."""
    root = TypeAdapter(kind).json_schema()
    node: Mapping[str, Any] = root
    for step in location:
        node = _resolve(root, node)
        if step.isdigit() and "items" in node:
            node = node["items"]
        else:
            node = node.get("properties", {}).get(step) or node.get("additionalProperties") or {}
        if not isinstance(node, Mapping):
            return {}
    return {**_resolve(root, node), **{k: v for k, v in node.items() if k == "description"}}


def _resolve(root: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    for choice in node.get("anyOf", ()):
        if choice.get("type") != "null":
            node = choice
            break
    if "$ref" in node:
        found = root
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return found
    return node


def _description_at(kind: object, location: list[str]) -> str:
    return str(_schema_at(kind, location).get("description", ""))


def _keys_at(kind: object, location: list[str]) -> list[str]:
    return list(_schema_at(kind, location).get("properties", {}))


def _describe(kind: object) -> str:
    keys = _keys_at(kind, [])
    return f"a section with {', '.join(keys)}" if keys else "a value: it is required"


def read_stack_file(path: Path) -> Settings:
    """Settings of a ``Pulumi.<stack>.yaml``.

    Raises:
        SettingsError: the file cannot be read as YAML, or its settings are wrong.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        config = document["config"]
        keys = {str(key): value for key, value in config.items()}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise SettingsError(
            path.name, (Problem("config", reason, "a YAML file with a config: section"),)
        ) from error
    return parse(_ours(keys), path.name)


def read_engine_config() -> Settings:
    """Settings as the Pulumi engine gives them to the running program.

    Raises:
        SettingsError: the settings are wrong.
    """
    import pulumi
    from pulumi.runtime.config import CONFIG, get_config_env

    given: dict[str, str] = {**get_config_env(), **CONFIG.get()}
    return parse(
        _ours({key: _from_engine(value) for key, value in given.items()}),
        f"the configuration of stack {pulumi.get_stack()}",
    )


def _ours(config: Mapping[str, object]) -> dict[str, object]:
    return {
        key.removeprefix("pull:"): value for key, value in config.items() if key.startswith("pull:")
    }


def _from_engine(text: str) -> object:
    """The engine hands everything over as text: sections as JSON, plain words as they are."""
    try:
        return json.loads(text)
    except ValueError:
        return text

"""Settings: what the two stack files configure, and what the parser rejects."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from components import PROJECT_ROOT
from components.config import (
    SettingError,
    Settings,
    SettingsError,
    parse,
    read_engine_config,
    read_stack_file,
)
from components.config.stack_file import StackFile
from components.workloads import DEDICATED_WORKER_TYPES, WorkerType
from ops.generate import stack_schema

STACKS: Final = ("staging", "production")
FILES: Final = {stack: PROJECT_ROOT / f"Pulumi.{stack}.yaml" for stack in STACKS}

SHA: Final = "@sha256:" + "0" * 63 + "1"
CANARY: Final = "8f14e45f-ceea-467f-a8f5-9c1b7d2e3a40"
SIZE: Final = {"cpu": 1, "memory_gib": 1, "min_instances": 1, "max_instances": 2}

Raw = dict[str, Any]


def raw(stack: str) -> Raw:
    """Values of the ``pull:`` keys of a stack file, which a test may change."""
    config = StackFile(FILES[stack]).config
    return {key[5:]: value for key, value in config.items() if key.startswith("pull:")}


def put(settings: Raw, path: str, value: object) -> None:
    *parents, last = path.split(".")
    node: Any = settings
    for step in parents:
        node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
    node[last] = value


def errors_in(settings: Mapping[str, object]) -> tuple[SettingError, ...]:
    with pytest.raises(SettingsError) as caught:
        parse(settings, "a test")
    return caught.value.errors


def errors_in_file(path: Path) -> tuple[SettingError, ...]:
    with pytest.raises(SettingsError) as caught:
        read_stack_file(path)
    return caught.value.errors


# -- the stack files ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def staging() -> Settings:
    return read_stack_file(FILES["staging"])


@pytest.fixture(scope="module")
def production() -> Settings:
    return read_stack_file(FILES["production"])


def test_both_stacks_set_the_same_keys() -> None:
    def keys(value: object, path: str = "") -> set[str]:
        if not isinstance(value, dict):
            return {path}
        return {key for name in value for key in keys(value[name], f"{path}.{name}")} | {path}

    assert keys(raw("staging")) == keys(raw("production"))


RUNBOOK: Final[dict[str, tuple[object, object]]] = {
    # setting: (staging, production)
    "environment": ("staging", "production"),
    "protect": (False, True),
    "gcp.region": ("us-central1", "us-central1"),
    "cloudflare.zone": ("pull.com", "pull.com"),
    "workers.fleet.all.memory_gib": (2, 4),
    "workers.fleet.all.cpu": (2, 4),
    "workers.fleet.all.min_instances": (1, 2),
    "workers.fleet.all.max_instances": (10, 50),
    "workers.timeout_seconds": (3600, 3600),
    "workers.runtime": ("service", "service"),
    "postgres.availability": ("ZONAL", "REGIONAL"),
    "postgres.backup_start": ("03:00", "03:00"),
    "postgres.transaction_log_days": (7, 7),
    "redis.snapshot_period": ("TWELVE_HOURS", "TWELVE_HOURS"),
    "encryption.rotation_days": (90, 90),
    "secrets.rotation_days": (90, 90),
    "api.domain": ("api-staging.pull.com", "api.pull.com"),
    "web.domain": ("app-staging.pull.com", "app.pull.com"),
    "web.production_branch": ("main", "main"),
    "runtime_config.observability.metrics_port": (9090, 9090),
    "runtime_config.worker.activity_start_to_close_timeout_ms": (600_000, 600_000),
    "runtime_config.worker.activity_heartbeat_timeout_ms": (60_000, 60_000),
    "runtime_config.worker.plaid_env": ("sandbox", "production"),
    "external.resend_from_email": ("noreply@pull.app", "noreply@pull.app"),
    "external.matrix_homeserver_url": ("https://matrix.pull.app", "https://matrix.pull.app"),
    "chain.network": ("polygon-amoy", "polygon-mainnet"),
}


@pytest.mark.parametrize("setting", RUNBOOK)
def test_values_of_the_runbook(setting: str, staging: Settings, production: Settings) -> None:
    def at(value: Any) -> object:
        for step in setting.split("."):
            value = value[step] if isinstance(value, dict) else getattr(value, step)
        return value

    assert (at(staging), at(production)) == RUNBOOK[setting]


def test_both_stacks_run_one_fleet_of_all_queues(staging: Settings, production: Settings) -> None:
    assert list(staging.workers.fleet) == list(production.workers.fleet) == [WorkerType.ALL]
    queues = {f"pull-{worker_type}" for worker_type in DEDICATED_WORKER_TYPES}
    assert set(WorkerType.ALL.task_queues) == queues | {"pull-main-queue"}


def test_the_two_networks_can_be_peered(staging: Settings, production: Settings) -> None:
    ranges = [
        text
        for network in (staging.network, production.network)
        for text in (network.subnet_cidr, network.services_cidr, network.connector.cidr)
    ]
    assert len(set(ranges)) == 6


@pytest.mark.parametrize("worker_type", WorkerType)
def test_every_type_of_worker_can_have_its_own_service(worker_type: WorkerType) -> None:
    settings = raw("production")
    settings["workers"]["fleet"] = {worker_type.value: SIZE}
    assert list(parse(settings, "a test").workers.fleet) == [worker_type]


CHECKSUMMED: Final = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
"""The first example of https://eips.ethereum.org/EIPS/eip-55"""


ACCEPTED: Final[dict[str, object]] = {
    "api_origin": {
        **SIZE,
        "min_instances": 0,
        "image": f"gcr.io/pull-production/pull-api{SHA}",
        "timeout_seconds": 300,
    },
    "api.versions": [
        {"version": "current", "percentage": 0.01},
        {"version": CANARY, "percentage": 99.99},
    ],
    "workers.fleet.all.traffic": [
        {"revision": "current", "percent": 10},
        {"revision": "pull-temporal-worker-1a2b3c4d", "percent": 90},
    ],
    "workers.fleet.all.memory_gib": 8,
    "gcp.region": "europe-west4",
    "workers.runtime": "worker_pool",
    "postgres.recovery": {"point_in_time": "2024-02-29T10:00:00.000Z"},
    "secrets.ids": {"CONVEX_URL": "CONVEX_URL_PRODUCTION"},
    "secrets.versions": {"CONVEX_URL": "7"},
    "web.release": {"ref": "3f2c1ab"},
    "chain": {
        "network": "polygon-mainnet",
        "contracts": {"PullToken": CHECKSUMMED},
        "approvals": [
            {"contract": "PullToken", "address": CHECKSUMMED, "approved_by": ["ada", "grace"]}
        ],
    },
}


@pytest.mark.parametrize("setting", ACCEPTED)
def test_releases_rollbacks_and_recoveries_are_settings(setting: str) -> None:
    settings = raw("production")
    put(settings, setting, ACCEPTED[setting])
    assert parse(settings, "a test")


def test_the_schema_for_editors_knows_every_key_and_no_other() -> None:
    schema = json.loads(stack_schema())

    def check(value: object, node: Mapping[str, Any], path: str) -> None:
        if "anyOf" in node:
            (node,) = (choice for choice in node["anyOf"] if choice.get("type") != "null")
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
        if isinstance(value, dict):
            known = node.get("properties", {})
            others = node["additionalProperties"]
            assert set(node.get("required", ())) <= set(value), path
            for key, child in value.items():
                assert key in known or others, f"{path}.{key}"
                check(child, known.get(key) or others, f"{path}.{key}")
        elif isinstance(value, list):
            for item in value:
                check(item, node["items"], path)
        else:
            assert "enum" not in node or value in node["enum"], path
            assert "pattern" not in node or re.search(node["pattern"], str(value)), path
            assert "minimum" not in node or node["minimum"] <= float(str(value)), path
            assert "maximum" not in node or node["maximum"] >= float(str(value)), path

    sections = schema["properties"]["config"]
    assert sections["additionalProperties"] is False
    for stack in STACKS:
        settings = raw(stack)
        assert set(sections["required"]) <= {f"pull:{name}" for name in settings}
        for name, value in settings.items():
            check(value, sections["properties"][f"pull:{name}"], name)
    models = schema["$defs"].values()
    assert all(model["additionalProperties"] is False for model in models if "properties" in model)


# -- one mistake at a time ---------------------------------------------------------------------

WRONG: Final[list[tuple[str, object, str | None, object, str]]] = [
    # setting and value; then the error: its path if it is another setting, value, expectation
    ("environment", "prod", None, ..., "staging, production"),
    ("protect", "yes", None, ..., "true or false"),
    ("protect", 1, None, ..., "true or false"),
    ("protcet", True, None, ..., "did you mean protect?"),
    (
        "web.[key]",
        1,
        'web."[key]"',
        "[secret]",
        "a known name: domain",
    ),  # pydantic uses this word itself
    ("gcp", [], None, ..., "a section with project, project_number, region"),
    ("gcp", None, None, ..., "a section with project"),
    ("gcp.project", "Pull", None, ..., "6 to 30"),
    ("gcp.project_number", 100000000001, None, ..., "quoted"),
    ("gcp.region", "us-central1-a", None, ..., "us-central1"),
    ("gcp.region", "us-central9", None, ..., "did you mean us-central1?"),
    ("gcp.region", "europe-west5", None, ..., "did you mean europe-west"),
    ("cloudflare.zone_id", 50, None, ..., "32 hexadecimal digits"),
    ("cloudflare.account_id", "0" * 31, None, ..., "32 hexadecimal digits"),
    ("cloudflare.zone", "pull", None, ..., "host name"),
    ("cloudflare.zone", "pull.con", None, ..., "public suffix"),
    ("cloudflare.zone", "co.uk", None, ..., "public suffix"),
    ("vercel.team", "", None, ..., "team slug"),
    ("github.repository", "pull", None, ..., "owner/name"),
    # network
    ("network.subnet_cidr", "10.10.0.0/27", None, ..., "a /8 to /26"),
    ("network.subnet_cidr", "10.10.0.1/20", None, ..., "an IPv4 range"),
    ("network.subnet_cidr", "8.8.8.0/24", None, ..., "RFC 1918"),
    ("network.subnet_cidr", "172.17.4.0/24", None, ..., "outside 172.17.0.0/16"),
    ("network.services_cidr", "10.20.0.0/25", None, ..., "a /8 to /24"),
    ("network.services_cidr", "172.16.0.0/12", None, ..., "outside 172.17.0.0/16"),
    ("network.services_cidr", "10.10.8.0/21", None, ..., "does not overlap subnet_cidr=10.10.0.0"),
    ("network.connector.cidr", "10.10.15.0/28", None, ..., "overlap subnet_cidr=10.10.0.0/20"),
    ("network.connector.cidr", "10.20.0.0/28", None, ..., "overlap services_cidr=10.20.0.0/16"),
    ("network.connector.cidr", "10.10.16.0/24", None, ..., "a /28"),
    ("network.connector.min_instances", 10, None, ..., "2 to 9"),
    ("network.connector.max_instances", 11, None, ..., "3 to 10"),
    ("network.connector.min_instances", 1, None, ..., "2 to 9"),
    (
        "network.subnet_cidr",
        "10.10.0.0/26",
        None,
        ...,
        "100 usable addresses, two for each of the 50",
    ),
    (
        "network.connector",
        {
            "cidr": "10.10.16.0/28",
            "machine_type": "e2-micro",
            "min_instances": 4,
            "max_instances": 4,
        },
        "network.connector.min_instances",
        4,
        "less than max_instances=4",
    ),
    ("network.connector.machine_type", "n1-standard-1", None, ..., "e2-micro, e2-standard-4"),
    # data
    ("encryption.rotation_days", 0, None, ..., "1 to 365"),
    ("backups.location", "us-central1", None, ..., "US, EU, ASIA"),
    ("registry.keep_versions", "50", None, ..., "a whole number, 1 to 1000"),
    ("postgres.cpus", 3, None, ..., "1, or an even number from 2 to 96"),
    ("postgres.cpus", 98, None, ..., "1 to 96"),
    ("postgres.memory_mib", "16GB", None, ..., "3840 to 638976, in steps of 256"),
    ("postgres.memory_mib", 16000, None, ..., "in steps of 256"),
    ("postgres.memory_mib", 3584, None, ..., "3840 to 638976"),
    ("postgres.memory_mib", 32768, None, ..., "3840 to 26624 MiB for 4 vCPUs"),
    ("postgres.memory_gib", 16, None, ..., "did you mean memory_mib?"),
    ("postgres.availability", "MULTI", None, ..., "REGIONAL, ZONAL"),
    ("postgres.disk_gib", 5, None, ..., "10 to 65536"),
    ("postgres.max_connections", 24, None, ..., "25 to 5000"),
    ("postgres.max_connections", 5000, None, ..., "at most 1638 for memory_mib=16384"),
    ("postgres.backup_start", "3am", None, ..., '"03:00"'),
    ("postgres.backup_start", 180, None, ..., '"03:00"'),
    ("postgres.backup_start", "24:00", None, ..., "00:00 to 23:59"),
    ("postgres.backup_start", "03:00\n", None, ..., "00:00 to 23:59"),
    ("postgres.transaction_log_days", 8, None, ..., "1 to 7"),
    ("postgres.retained_backups", 6, "postgres.transaction_log_days", 7, "retained_backups=6"),
    ("postgres.maintenance.hour", 24, None, ..., "0 to 23"),
    ("postgres.maintenance.day", "Sunday", None, ..., "SATURDAY, SUNDAY"),
    ("postgres.password_generation", 0, None, "[secret]", "1 to 9999"),
    (
        "postgres.recovery",
        {"point_in_time": "2025-02-29T10:00:00Z"},
        "postgres.recovery.point_in_time",
        "2025-02-29T10:00:00Z",
        "exists in the calendar",
    ),
    (
        "postgres.recovery",
        {"point_in_time": "2025-01-25 10:00"},
        "postgres.recovery.point_in_time",
        "2025-01-25 10:00",
        "2025-01-25T10:00:00.000Z",
    ),
    (
        "postgres.recovery",
        {"point_in_time": "2999-01-01T00:00:00Z"},
        "postgres.recovery.point_in_time",
        "2999-01-01T00:00:00Z",
        "a time in the past",
    ),
    ("redis.tier", "STANDARD", None, ..., "BASIC, STANDARD_HA"),
    ("redis.memory_gib", 0, None, ..., "1 to 300"),
    ("redis.memory_gib", 4.5, None, ..., "a whole number, 1 to 300"),
    ("redis.snapshot_period", "12h", None, ..., "TWELVE_HOURS"),
    # secrets: the value below the name of a variable is never shown
    ("secrets.rotation_days", 366, None, ..., "1 to 365"),
    ("secrets.first_rotation", "2026-11-31T00:00:00Z", None, ..., "in the calendar"),
    ("secrets.first_rotation", "2001-01-01T00:00:00Z", None, ..., "from 2026 on"),
    ("secrets.first_rotation", "2999-01-01T00:00:00Z", None, ..., "the next two years"),
    ("secrets.ids", {"JWT_SECRT": "a"}, "secrets.ids.JWT_SECRT", "[secret]", "JWT_SECRET?"),
    ("secrets.ids", {"SENTRY_DSN": "a b"}, "secrets.ids.SENTRY_DSN", "[secret]", "1 to 255"),
    ("secrets.versions", {"SENTRY_DSN": 7}, "secrets.versions.SENTRY_DSN", "[secret]", "quoted"),
    (
        "secrets.ids",
        {"CONVEX_URL": "pull-production-jwt-secret"},
        "secrets.ids.CONVEX_URL",
        "[secret]",
        "belongs to JWT_SECRET",
    ),
    # the alternative runtime
    ("runtime", "k8s", None, ..., "one of managed, kubernetes, both"),
    ("kubernetes.cluster", None, "kubernetes.existing", None, "either cluster"),
    (
        "kubernetes.existing",
        {"context": "gke"},
        None,
        "set together with cluster",
        "either cluster (created here) or existing (a context), and not both",
    ),
    ("kubernetes.existing", {"context": "a b"}, "kubernetes.existing.context", "a b", "context in"),
    ("kubernetes.cluster.nodes_cidr", "10.11.0.0/29", None, ..., "a /8 to /28"),
    ("kubernetes.cluster.pods_cidr", "10.12.0.0/22", None, ..., "gives each node a /26"),
    ("kubernetes.cluster.services_cidr", "10.11.16.0/28", None, ..., "a /16 to /27"),
    ("kubernetes.cluster.pods_cidr", "10.20.0.0/17", None, ..., "overlap network.services_cidr="),
    (
        "kubernetes.cluster.services_cidr",
        "10.12.16.0/20",
        None,
        ...,
        "overlap kubernetes.cluster.pods_cidr=10.12.0.0/17",
    ),
    ("kubernetes.cluster.release_channel", "NONE", None, ..., "RAPID, REGULAR, STABLE"),
    ("kubernetes.cluster.maintenance_start", "2am", None, ..., '"03:00"'),
    ("kubernetes.api.min_instances", 0, None, ..., "1 to 1000"),
    ("kubernetes.api.domain", "api.pull.dev", None, ..., "a host name below pull.com"),
    ("kubernetes.api.domain", "api.pull.com", None, ..., "differs from pull:api.domain"),
    ("kubernetes.api.domain", f"{'a' * 55}.pull.com", None, ..., "at most 63 characters"),
    ("kubernetes.api.image", "gcr.io/pull-production/pull-api:1", None, ..., "with a digest"),
    ("kubernetes.api.image", f"gcr.io/other/pull-api{SHA}", None, ..., "this project's registry"),
    (
        "kubernetes.queue_depth",
        {"metric": "a b", "tasks_per_instance": 5},
        "kubernetes.queue_depth.metric",
        "a b",
        "counts waiting tasks",
    ),
    (
        "kubernetes.queue_depth",
        {"metric": "custom.googleapis.com/depth", "tasks_per_instance": 5},
        "kubernetes.queue_depth.metric",
        "custom.googleapis.com/depth",
        "| instead of /",
    ),
    # runtime configuration
    ("runtime_config.shared.log_level", "verbose", None, ..., "debug, info, warn, error"),
    ("runtime_config.api.cors_origins", [], None, ..., "1 to 16"),
    ("runtime_config.api.cors_origins", ["*"], "runtime_config.api.cors_origins.0", "*", "https"),
    (
        "runtime_config.api.cors_origins",
        ["https://app.pull.com/"],
        "runtime_config.api.cors_origins.0",
        "https://app.pull.com/",
        "trailing slash",
    ),
    (
        "runtime_config.api.cors_origins",
        ["https://app.pull.com:443"],
        "runtime_config.api.cors_origins.0",
        "https://app.pull.com:443",
        "without :443",
    ),
    (
        "runtime_config.api.cors_origins",
        ["https://app.pull.com:70000"],
        "runtime_config.api.cors_origins.0",
        "https://app.pull.com:70000",
        "1 to 65535",
    ),
    (
        "runtime_config.api.cors_origins",
        ["https://app.pull.com", "https://app.pull.com"],
        None,
        ...,
        "no duplicates: https://app.pull.com",
    ),
    ("runtime_config.api.body_limit_mib", "10mb", None, ..., "1 to 100"),
    ("runtime_config.worker.activity_heartbeat_timeout_ms", 600001, None, ..., "_ms=600000"),
    ("runtime_config.redis.pool_min", 11, None, ..., "pool_max=10"),
    ("runtime_config.observability.metrics_port", 3002, None, ..., "a port other than 3001"),
    ("runtime_config.observability.metrics_port", 80, None, ..., "1024 to 65535"),
    # outside
    ("external.convex_url", "http://pull.convex.cloud", None, ..., "https://"),
    (
        "external.convex_url",
        "https://ada:x@pull.convex.cloud",
        None,
        "[secret]",
        "without user information",
    ),
    ("external.resend_from_email", "pull.app", None, ..., "e-mail"),
    ("external.persona_template_id", "template", None, ..., "itmpl_"),
    ("chain.network", "polygon", None, ..., "polygon-amoy, polygon-mainnet"),
    ("chain.contracts", {"PullToken": "0x12"}, "chain.contracts.PullToken", "0x12", "40 digits"),
    *(
        ("chain.contracts", {"PullToken": wrong}, "chain.contracts.PullToken", wrong, "EIP-55")
        for wrong in (
            CHECKSUMMED.lower(),
            "0x" + CHECKSUMMED[2:].upper(),
            CHECKSUMMED.replace("5aAeb", "5aAed"),
            CHECKSUMMED[:-1] + "D",
        )
    ),
    ("chain.contracts", {"pull": "0x" + "1" * 40}, "chain.contracts.pull", "pull", "PascalCase"),
    (
        "chain.contracts",
        {"PullToken": "0x" + "1" * 40},
        "chain.contracts.PullToken",
        "0x" + "1" * 40,
        "two engineers",
    ),
    # api
    ("api.domain", "api.pull.app", None, ..., "below pull.com"),
    ("api.domain", "notpull.com", None, ..., "below pull.com"),
    ("api.domain", "API.pull.com", None, ..., "lower case"),
    (
        "api.domain",
        f"{'a.' * 125}pull.com",
        None,
        "a." * 100 + "... (258 characters)",
        "at most 253",
    ),
    ("api.domain", "app.pull.com", "web.domain", "app.pull.com", "differs from pull:api.domain"),
    ("api.bundle", "/etc/worker.js", None, ..., "relative to the project's folder"),
    ("api.compatibility_date", "2021-11-01", None, ..., "2021-11-02 or later"),
    ("api.compatibility_date", "2026-02-30", None, ..., "in the calendar"),
    ("api.log_sampling", 2, None, ..., "0 to 1"),
    ("api.log_sampling", float("inf"), None, float("inf"), "0 to 1"),
    ("api.versions", [], None, ..., "a list, 1 to 2"),
    ("api.versions", [{"version": "current", "percentage": 20}] * 3, None, ..., "a list, 1 to 2"),
    ("api.versions", [{"version": "current", "percentage": 99.9}], None, ..., "these sum to 99.9"),
    (
        "api.versions",
        [{"version": "current", "percentage": 33.333}, {"version": CANARY, "percentage": 66.667}],
        None,
        ...,
        "two decimals",
    ),
    (
        "api.versions",
        [{"version": "v1", "percentage": 100}],
        "api.versions.0.version",
        "v1",
        "id of a Worker version",
    ),
    # workers
    (
        "workers.image",
        "gcr.io/pull-production/pull-temporal-worker:latest",
        None,
        ...,
        "latest changes",
    ),
    ("workers.image", "gcr.io/pull-production/pull-temporal-worker:3f2c1ab", None, ..., "digest"),
    ("workers.image", f"gcr.io/pull-staging/pull-temporal-worker{SHA}", None, ..., "gcr.io/pull-p"),
    ("workers.image", f"gcr.io/pull-production/pull-api{SHA}", None, ..., "pull-temporal-worker"),
    ("workers.image", "pull-temporal-worker", None, ..., "with a tag or a digest"),
    ("workers.timeout_seconds", 3601, None, ..., "1 to 3600"),
    ("workers.fleet", [], None, ..., "one service per worker type"),
    ("workers.fleet.settlement", SIZE, None, "settlement", "'all', 'main', 'kyc'"),
    ("workers.fleet.all.cpu", 3, None, ..., "1, 2, 4, 6, 8"),
    ("workers.fleet.all.cpu", "4", None, ..., "1, 2, 4, 6, 8"),
    ("workers.fleet.all.cpu", True, None, ..., "1, 2, 4, 6, 8"),
    ("workers.fleet.all.memory_gib", 64, None, ..., "2 to 16 GiB for 4 CPUs"),
    ("workers.fleet.all.memory_gib", 1, None, ..., "2 to 16 GiB for 4 CPUs"),
    ("workers.fleet.all.memory_gib", "64Gi", None, ..., "1 to 32"),
    ("workers.fleet.all.memory", "4Gi", None, ..., "did you mean memory_gib?"),
    ("workers.fleet.all.min_instances", 51, None, ..., "at most max_instances=50"),
    ("workers.fleet.all.min_instances", 0, None, ..., "1 to 1000"),
    ("workers.fleet.all.max_instances", 1001, None, ..., "1 to 1000"),
    (
        "workers.fleet.all.traffic",
        [{"revision": "current", "percent": 100}, {"revision": "current", "percent": 5}],
        None,
        ...,
        "these sum to 105",
    ),
    (
        "workers.fleet.all.traffic",
        [{"revision": "current", "percent": 50}, {"revision": "current", "percent": 50}],
        None,
        ...,
        "each revision once",
    ),
    (
        "workers.fleet.all.traffic",
        [{"revision": "pull-api-1a2b3c4d", "percent": 100}],
        "workers.fleet.all.traffic.0.revision",
        "pull-api-1a2b3c4d",
        "starts with pull-temporal-worker-",
    ),
    (
        "workers.fleet.all.traffic",
        [{"revision": "pull-temporal-worker-" + "a" * 43, "percent": 100}],
        "workers.fleet.all.traffic.0.revision",
        "pull-temporal-worker-" + "a" * 43,
        "63",
    ),
    # web and assets
    ("web.production_branch", "../main", None, ..., "branch"),
    ("web.root_directory", "/apps/web", None, ..., "relative to the repository's root"),
    ("web.root_directory", "apps/../web", None, ..., "relative to the repository's root"),
    ("assets.location", "us", None, ..., "enam"),
]


@pytest.mark.parametrize(
    ("setting", "value", "path", "shown", "expected"),
    WRONG,
    ids=[f"{row[0]}={str(row[1])[:40]}" for row in WRONG],
)
def test_one_mistake_is_one_error(
    setting: str, value: object, path: str | None, shown: object, expected: str
) -> None:
    settings = raw("production")
    put(settings, setting, value)
    (error,) = errors_in(settings)
    assert error.path == f"pull:{path or setting}"
    assert error.value == (value if shown is ... else shown)
    assert expected in error.expected


ON_KUBERNETES: Final[list[tuple[str, object, str, object, str]]] = [
    # setting and value; then the error that only a cluster runtime reports
    ("kubernetes", None, "kubernetes", None, "a section with api and either cluster or existing"),
    (
        "workers.fleet.all.memory_gib",
        2,
        "workers.fleet.all.memory_gib",
        2,
        "at least 4 GiB for 4 CPUs on Autopilot",
    ),
    (
        "kubernetes.api",
        {
            "image": f"gcr.io/pull-production/pull-api{SHA}",
            "domain": "api-cluster.pull.com",
            **SIZE,
            "cpu": 4,
            "memory_gib": 2,
        },
        "kubernetes.api.memory_gib",
        2,
        "at least 4 GiB",
    ),
    (
        "runtime_config.worker.activity_start_to_close_timeout_ms",
        3_600_000,
        "runtime_config.worker.activity_start_to_close_timeout_ms",
        3_600_000,
        "at most 3570000",
    ),
    (
        "kubernetes.cluster.nodes_cidr",
        "10.11.0.0/27",
        "kubernetes.cluster.nodes_cidr",
        "10.11.0.0/27",
        "at least 64 addresses: one address for the node of each of the 60 instances",
    ),
    (
        "kubernetes.cluster.pods_cidr",
        "10.12.0.0/21",
        "kubernetes.cluster.pods_cidr",
        "10.12.0.0/21",
        "at least 3840 addresses: a /26",
    ),
]


@pytest.mark.parametrize(("path", "value", "where", "shown", "expected"), ON_KUBERNETES)
@pytest.mark.parametrize("runtime", ["kubernetes", "both"])
def test_values_that_only_a_cluster_rejects(
    runtime: str, path: str, value: object, where: str, shown: object, expected: str
) -> None:
    settings = raw("production")
    put(settings, path, value)
    if path != "kubernetes":
        parse(settings, "the managed runtime accepts it")
    settings["runtime"] = runtime
    (error,) = errors_in(settings)
    assert (error.path, error.value) == (f"pull:{where}", shown)
    assert expected in error.expected


def test_an_existing_cluster_replaces_one_created_here() -> None:
    settings = raw("production") | {"runtime": "kubernetes"}
    put(settings, "kubernetes.cluster", None)
    put(
        settings, "kubernetes.existing", {"context": "gke_pull-production_us-central1_pull-cluster"}
    )
    # The rules for addresses and sizes do not apply to it.
    put(settings, "workers.fleet.all.memory_gib", 2)
    parsed = parse(settings, "a test")
    assert parsed.in_cluster is not None
    assert not parsed.managed


def test_a_missing_setting_is_described() -> None:
    settings = raw("production")
    del settings["redis"]
    del settings["workers"]["fleet"]["all"]["cpu"]
    assert [(error.path, error.value, error.expected) for error in errors_in(settings)] == [
        (
            "pull:redis",
            None,
            "a section with tier, memory_gib, snapshot_period, maintenance",
        ),
        ("pull:workers.fleet.all.cpu", None, "one of 1, 2, 4, 6, 8"),
    ]


def test_contracts_on_mainnet_stay_out_of_staging() -> None:
    settings = raw("staging")
    put(settings, "chain.network", "polygon-mainnet")
    assert [error.path for error in errors_in(settings)] == ["pull:chain.network"]


def test_a_floating_tag_is_refused_in_staging_and_a_fixed_one_is_not() -> None:
    settings = raw("staging")
    image = "gcr.io/pull-staging/pull-temporal-worker"
    put(settings, "workers.image", f"{image}:3f2c1ab")
    assert parse(settings, "a test").workers.image == f"{image}:3f2c1ab"
    put(settings, "workers.image", f"{image}:latest")
    assert [error.path for error in errors_in(settings)] == ["pull:workers.image"]


def test_unknown_types_of_worker_are_rejected() -> None:
    settings = raw("production")
    unknown = ("settlement", "webhooks")
    settings["workers"]["fleet"] = {name: dict(SIZE) for name in (*map(str, WorkerType), *unknown)}
    assert [(error.path, error.value) for error in errors_in(settings)] == [
        (f"pull:workers.fleet.{name}", name) for name in unknown
    ]


def test_a_worker_pool_cannot_use_the_connector() -> None:
    settings = raw("production")
    settings["workers"] |= {"runtime": "worker_pool", "egress": "connector"}
    assert [error.path for error in errors_in(settings)] == ["pull:workers.egress"]


# -- all mistakes at once ----------------------------------------------------------------------


def test_ten_mistakes_are_ten_errors() -> None:
    mistakes: dict[str, object] = {
        "protect": "yes",
        "gcp.region": "Iowa",
        "network.connector.cidr": "10.10.16.0/24",
        "encryption.rotation_days": "90 days",
        "postgres.backup_start": "3am",
        "redis.memory_gib": 301,
        "api.domain": "api.pull.app",
        "web.release": {"ref": "a..b"},
        "workers.fleet.all.memory_gib": 64,
        "workres": {},
    }
    settings = raw("production")
    for setting, value in mistakes.items():
        put(settings, setting, value)
    found = {error.path for error in errors_in(settings)}
    assert found == {f"pull:{name}" for name in mistakes if name != "web.release"} | {
        "pull:web.release.ref"
    }


def test_mistakes_side_by_side_do_not_hide_each_other() -> None:
    settings = raw("production")
    worker = settings["workers"]["fleet"]["all"]
    worker |= {"min_instances": 51, "memory": "4Gi"}
    settings["workers"]["fleet"]["kyc"] = {**SIZE, "cpu": 3, "memory_gib": 64}
    settings["workers"]["image"] = "worker"
    assert {error.path for error in errors_in(settings)} == {
        "pull:workers.fleet.all.memory",
        "pull:workers.fleet.all.min_instances",
        "pull:workers.fleet.kyc.cpu",
        "pull:workers.fleet.kyc.memory_gib",
        "pull:workers.image",
    }


def test_a_model_reports_all_fields_that_do_not_agree() -> None:
    settings = raw("production")
    put(settings, "network.subnet_cidr", "10.10.0.0/16")
    put(settings, "network.services_cidr", "10.10.16.0/20")
    assert [error.path for error in errors_in(settings)] == [
        "pull:network.services_cidr",
        "pull:network.connector.cidr",
        "pull:network.connector.cidr",
    ]


def test_the_text_is_for_people() -> None:
    settings = raw("production")
    put(settings, "redis.memory_gib", 500)
    with pytest.raises(SettingsError) as caught:
        parse(settings, "Pulumi.production.yaml")
    assert str(caught.value) == (
        "1 setting is wrong in Pulumi.production.yaml; nothing was started.\n\n"
        "  pull:redis.memory_gib\n"
        "      is        500\n"
        "      expected  memory in GiB: a whole number, 1 to 300"
    )


# -- secrets in logs ---------------------------------------------------------------------------

PLANTED: Final = "hunter2-planted"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("jwt_secret", PLANTED),
        ("api.secrets", PLANTED),
        ("secrets", PLANTED),
        ("secrets.ids", {"JWT_SECRET": f"{PLANTED} "}),
        ("api.jwt", {"private_key": PLANTED}),
        ("api.tokens", [PLANTED]),
        ("chain.contracts", {"PullToken": PLANTED}),
        ("postgres.password", PLANTED),
        ("postgres.password_generation", PLANTED),
        ("database_url", f"postgresql://pull:{PLANTED}@10.0.0.1/pull"),
        ("deep", {"a": [{"b": {"apiToken": {"c": PLANTED}}}]}),
        ("pem", f"-----BEGIN PRIVATE KEY-----{PLANTED}"),
    ],
)
def test_a_secret_in_the_wrong_place_is_not_shown(setting: str, value: object) -> None:
    settings = raw("production")
    put(settings, setting, value)
    with pytest.raises(SettingsError) as caught:
        parse(settings, "a test")
    assert PLANTED not in str(caught.value)
    assert PLANTED not in json.dumps([error.value for error in caught.value.errors])
    assert "[secret]" in str(caught.value)


def test_a_long_value_is_cut() -> None:
    settings = raw("production")
    put(settings, "web.domain", "a" * 100_000)
    (error,) = errors_in(settings)
    assert error.value == "a" * 200 + "... (100000 characters)"


# -- files -------------------------------------------------------------------------------------


def write(folder: Path, text: str | bytes, name: str = "Pulumi.production.yaml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def edited(folder: Path, old: str, new: str) -> Path:
    text = FILES["production"].read_text(encoding="utf-8")
    assert text.count(old) == 1
    return write(folder, text.replace(old, new))


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("", None),
        ("just words", None),
        ("config:", None),
        ("config: []", None),
        ("- config", None),
        ("config:\n  a: 'b", "while scanning a quoted scalar"),
        ("config: {}\n---\nconfig: {}", "but found another document in line 2"),
        ("config: *hunter2", "found undefined alias in line 1"),
        ("config:\n\ta: 1", "found character that cannot start any token in line 2"),
        (b"config: \xff", "not UTF-8"),
        (b"config: \x00", "not text: it contains control characters"),
        ("config: " + "[" * 5000, "nested too deeply"),
    ],
)
def test_a_file_that_is_not_a_stack_file(
    tmp_path: Path, content: str | bytes, value: object
) -> None:
    (error,) = errors_in_file(write(tmp_path, content))
    assert error.path == "config"
    assert error.expected == "a YAML file in UTF-8 with a config: section"
    if value is None or "while" not in str(value):
        assert error.value == value


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    (missing,) = errors_in_file(tmp_path / "Pulumi.production.yaml")
    (folder,) = errors_in_file(tmp_path)
    assert (missing.path, missing.value) == ("config", "No such file or directory")
    assert (folder.path, folder.value) == ("config", "Is a directory")


YAML: Final[list[tuple[str, str, str, object, str]]] = [
    # a line of the file, its replacement, the path, the value, the expectation
    (
        'zone_id: "00000000000000000000000000000d01"',
        "zone_id: 000000000000000000000000000005e1",
        "pull:cloudflare.zone_id",
        50.0,
        "quoted",
    ),
    (
        'zone_id: "00000000000000000000000000000d01"',
        "zone_id: 00000000000000000000000000000001",
        "pull:cloudflare.zone_id",
        1,
        "quoted",
    ),
    (
        'compatibility_date: "2026-10-01"',
        "compatibility_date: 2026-10-01",
        "pull:api.compatibility_date",
        "2026-10-01",
        "in quotes",
    ),
    (
        'first_rotation: "2027-02-20T03:00:00Z"',
        "first_rotation: 2027-02-20T03:00:00Z",
        "pull:secrets.first_rotation",
        "2027-02-20T03:00:00Z",
        "in quotes",
    ),
    ("pull:protect: true", "pull:protect: yes", "pull:protect", "yes", "true or false"),
    ("log_sampling: 1", "log_sampling: .nan", "pull:api.log_sampling", ".nan", "0 to 1"),
    ("log_sampling: 1", "log_sampling: 1e999", "pull:api.log_sampling", float("inf"), "0 to 1"),
    (
        "password_generation: 1",
        f"password_generation: {'9' * 5000}",
        "pull:postgres.password_generation",
        "[secret]",
        "1 to 9999",
    ),
    ("team: pull", "team: !!binary cHVsbA==", "pull:vercel.team", "cHVsbA==", "without a tag"),
    ("team: pull", "team: &a [*a]", "pull:vercel.team.0", None, "without anchors"),
    ("team: pull", "team: pull\n    team: pull", "pull:vercel.team", None, "only once"),
    ("team: pull", "team: pull\n    [a]: b", "pull:vercel", None, "a plain word as the key"),
    ("team: pull", "team: {secure: AAABhunter2}", "pull:vercel.team", "[secret]", "encrypted"),
    ("pull:protect: true", "pull:protect: {secure: AAAB}", "pull:protect", "[secret]", "encrypted"),
    ("pull:protect: true", "protect: true", "config.protect", "true", "pull:protect"),
    (
        "pull:environment: production",
        "pull:environment: staging",
        "pull:environment",
        "staging",
        "production, the name of the stack",
    ),
]


@pytest.mark.parametrize(("old", "new", "path", "value", "expected"), YAML)
def test_values_that_yaml_changes(
    tmp_path: Path, old: str, new: str, path: str, value: object, expected: str
) -> None:
    found = errors_in_file(edited(tmp_path, old, new))
    first = next(error for error in found if error.path == path)
    assert first.value == value
    assert expected in first.expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('backup_start: "03:00"', "backup_start: 13:00"),  # 780 in YAML 1.1
        ("log_sampling: 1", "log_sampling: 1e-1"),  # text in YAML 1.1
        ("concurrency: 100", "concurrency: 0x64"),
    ],
)
def test_values_are_read_as_the_engine_reads_them(tmp_path: Path, old: str, new: str) -> None:
    assert read_stack_file(edited(tmp_path, old, new))


def test_tags_of_the_stack_are_accepted(tmp_path: Path) -> None:
    line = "  pull:environment: production"
    assert read_stack_file(edited(tmp_path, line, f"{line}\n  pulumi:tags: {{a: 2020-01-01}}"))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("Pull:protect", "false", "in lower case: pull:protect"),
        ("PULL:protect", "false", "in lower case: pull:protect"),
        ("other:token", "{secure: AAABhunter2}", "not encrypted"),
        ("other:name", "value", "in the namespace pull"),
        ("other:name", "[a]", "in the namespace pull"),
        ("pulumi:autonaming", "{mode: verbatim}", "in the namespace pull"),
        ("<<", "{pull:protect: false}", "with its namespace"),
    ],
)
def test_keys_of_other_namespaces_are_rejected(
    tmp_path: Path, key: str, value: str, expected: str
) -> None:
    line = "  pull:environment: production"
    (error,) = errors_in_file(edited(tmp_path, line, f"{line}\n  {key}: {value}"))
    assert error.path == f"config.{json.dumps(key)}"
    assert expected in error.expected
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("more", "path", "expected"),
    [
        ("config:\n  pull:protect: false", "config", "only once"),
        ("config: {}", "config", "only once"),
        ("environment:\n  imports: [production]", "environment", "no environments of Pulumi ESC"),
        ("environment: [production]", "environment", "no environments of Pulumi ESC"),
        ("Config: {}", "Config", "did you mean config?"),
        ("encryptionSalt: v1:AAAB", "encryptionSalt", "did you mean encryptionsalt?"),
        ("x-base: &base {a: b}", "x-base", "a known name: config"),
        ("[a]: b", "the file", "a plain word as the key"),
    ],
)
def test_a_stack_file_has_one_section_of_settings(
    tmp_path: Path, more: str, path: str, expected: str
) -> None:
    text = FILES["production"].read_text(encoding="utf-8")
    (error,) = errors_in_file(write(tmp_path, f"{text}\n{more}\n"))
    assert error.path == path
    assert expected in error.expected


def test_the_keys_of_a_secrets_provider_are_accepted(tmp_path: Path) -> None:
    text = FILES["production"].read_text(encoding="utf-8")
    more = "secretsprovider: gcpkms://a\nencryptedkey: AAAB\nencryptionsalt: v1:AAAB\n"
    assert read_stack_file(write(tmp_path, more + text))


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("github.repository", "-pull/pull", "an owner"),
        ("github.repository", f"{'a' * 40}/pull", "an owner"),
        ("github.repository", "pull/pull.git", "without .git"),
        ("github.repository", "pull/..", "a name"),
        ("api.compatibility_date", "2999-01-01", "today or earlier"),
        ("external.resend_from_email", ".noreply@pull.app", "without a dot"),
        ("external.resend_from_email", "no..reply@pull.app", "without a dot"),
        ("web.production_branch", "main.lock", "not ending in .lock"),
        ("web.production_branch", "refs/heads/main", "without refs/"),
    ],
)
def test_a_value_that_a_platform_refuses(path: str, value: str, expected: str) -> None:
    settings = raw("production")
    put(settings, path, value)
    (error,) = errors_in(settings)
    assert error.path == f"pull:{path}"
    assert expected in error.expected


@pytest.mark.parametrize("value", ["[production]", "{a: b}", "[[production]]"])
def test_an_environment_that_is_no_word(tmp_path: Path, value: str) -> None:
    old = "pull:environment: production"
    (error,) = errors_in_file(edited(tmp_path, old, f"pull:environment: {value}"))
    assert (error.path, error.expected) == ("pull:environment", "one of staging, production")


@pytest.mark.parametrize("indent", ["  pull:wrong{}: 1", "    wrong{}: 1"])
def test_thousands_of_errors_are_counted_in_seconds(tmp_path: Path, indent: str) -> None:
    line = "  pull:github:" if indent.startswith("    ") else "config:"
    more = "\n".join(indent.format(number) for number in range(30_000))
    path = edited(tmp_path, f"\n{line}\n", f"\n{line}\n{more}\n")
    start = time.process_time()
    with pytest.raises(SettingsError) as caught:
        read_stack_file(path)
    # Seconds of a processor; a quadratic step would take minutes.
    assert time.process_time() - start < 10
    text = str(caught.value)
    assert text.count("expected  ") == 20
    assert text.startswith("30000 settings are wrong")
    assert text.endswith("... and 29980 more.")


@pytest.mark.parametrize("key", ["gcp:project", "cloudflare:apiToken", "vercel:team"])
def test_settings_of_a_provider_are_rejected(tmp_path: Path, key: str) -> None:
    line = "  pull:environment: production"
    (error,) = errors_in_file(edited(tmp_path, line, f"{line}\n  {key}: hunter2"))
    assert error.path == f'config."{key}"'
    assert error.value == ("[secret]" if "Token" in key else "hunter2")
    assert f"pull:{key.split(':')[0]}" in error.expected


@pytest.mark.parametrize("instead", ["", '- "gcp"', '- "*"\n    - "gcp"', "[]"])
def test_default_providers_stay_off(tmp_path: Path, instead: str) -> None:
    (error,) = errors_in_file(edited(tmp_path, '- "*"', instead))
    assert error.path == 'config."pulumi:disable-default-providers"'
    assert error.expected.startswith('["*"]')


def test_an_error_in_the_file_does_not_hide_errors_in_the_settings(tmp_path: Path) -> None:
    path = edited(tmp_path, 'compatibility_date: "2026-10-01"', "compatibility_date: 2026-10-01")
    text = path.read_text(encoding="utf-8").replace("domain: api.pull.com", "domain: api.pull.app")
    found = errors_in_file(write(tmp_path, text.replace("memory_gib: 5", "memory_gib: 500")))
    assert [error.path for error in found] == [
        "pull:api.compatibility_date",
        "pull:redis.memory_gib",
        "pull:api.domain",
    ]


# -- the engine --------------------------------------------------------------------------------


@pytest.fixture
def engine_config(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The configuration of the production stack as the engine passes it."""
    given = {
        f"pull:{name}": value if isinstance(value, str) else json.dumps(value)
        for name, value in raw("production").items()
    }
    monkeypatch.setattr("pulumi.runtime.config.get_config_env", lambda: given)
    monkeypatch.setattr("pulumi.get_stack", lambda: "production")
    return given


def test_the_program_sees_what_the_command_line_sees(
    engine_config: dict[str, str], production: Settings
) -> None:
    assert engine_config
    assert read_engine_config() == production


def test_a_secret_from_the_engine_is_rejected(
    engine_config: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine_config["pull:vercel"] = '{"team": "hunter2 planted"}'
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", '["pull:vercel"]')
    with pytest.raises(SettingsError) as caught:
        read_engine_config()
    (error,) = caught.value.errors
    assert (error.path, error.value) == ("pull:vercel", "[secret]")
    assert "hunter2" not in str(caught.value)


def test_a_secret_of_another_namespace_is_rejected(
    engine_config: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine_config["other:token"] = "hunter2 planted"
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", '["other:token"]')
    with pytest.raises(SettingsError) as caught:
        read_engine_config()
    (error,) = caught.value.errors
    assert (error.path, error.value) == ('config."other:token"', "[secret]")
    assert "hunter2" not in str(caught.value)


def test_the_settings_of_another_stack_are_rejected(
    engine_config: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert engine_config
    monkeypatch.setattr("pulumi.get_stack", lambda: "staging")
    with pytest.raises(SettingsError) as caught:
        read_engine_config()
    assert [error.path for error in caught.value.errors] == ["pull:environment"]
    assert "the configuration of stack staging" in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "NaN", "9" * 5000, '"\\ud800"'])
def test_any_text_from_the_engine_is_validated(engine_config: dict[str, str], text: str) -> None:
    engine_config["pull:redis"] = text
    with pytest.raises(SettingsError) as caught:
        read_engine_config()
    assert [error.path for error in caught.value.errors] == ["pull:redis"]

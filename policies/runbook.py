"""The runbooks' figures and names: what production must be, word for word."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from policies import cloud_run, kubernetes, redis, registry, secrets, storage, vercel, workers
from policies.graph import Graph, PutIn, StackRule
from policies.rule import (
    ABSENT,
    OURS,
    PARENT,
    UNKNOWN,
    Custom,
    Finding,
    ForEach,
    Must,
    ResourceRule,
    SetValue,
    Severity,
    Undecided,
    View,
    When,
    at_least,
    equal,
    like,
    one_of,
)
from policies.sql import INSTANCE as SQL

GUIDE: Final = "docs/runbook-coverage.md"

REGION: Final = "us-central1"
REGIONAL: Final = {
    SQL: "region",
    redis.INSTANCE: "region",
    "gcp:compute/subnetwork:Subnetwork": "region",
    "gcp:compute/router:Router": "region",
    "gcp:compute/address:Address": "region",
    "gcp:container/cluster:Cluster": "location",
    "gcp:vpcaccess/connector:Connector": "region",
    cloud_run.SERVICE: "location",
    cloud_run.POOL: "location",
    cloud_run.JOB: "location",
}

ENVIRONMENT: Final[Mapping[str, Mapping[str, Any]]] = {
    "environment": {"type": "string", "enum": ["production", "staging"], "default": "production"}
}
"""The setting of rules that must know which environment the stack is."""

# Physical names, by type: where the name is, and what it is in an environment with a suffix that
# only staging has.
NAMES: Final[Mapping[str, tuple[str, str]]] = {
    SQL: ("name", r"pull-{env}-postgres(-recovery)?"),
    redis.INSTANCE: ("name", r"pull-{env}-redis"),
    "gcp:compute/network:Network": ("name", r"pull-{env}"),
    cloud_run.SERVICE: ("name", r"pull-(api|temporal-worker(-[a-z]+)?){suffix}"),
    cloud_run.POOL: ("name", r"pull-temporal-worker(-[a-z]+)?{suffix}"),
    secrets.SECRET: ("secretId", r"pull-{env}-[a-z0-9]+(-[a-z0-9]+)*|[A-Z][A-Z0-9_]*_{ENV}"),
    storage.BUCKET: ("name", r".*{env}.*-backups"),
    registry.REPOSITORY: ("repositoryId", r"gcr\.io"),
    workers.WORKER: ("name", r"pull-api{suffix}"),
    vercel.PROJECT: ("name", r"pull-web{suffix}"),
    "cloudflare:index/r2Bucket:R2Bucket": ("name", r"pull-assets{suffix}"),
    "kubernetes:core/v1:Namespace": ("metadata.name", r"pull"),
}


def environment(config: Mapping[str, Any]) -> str:
    """The environment that the pack's configuration says the stack is."""
    return str(config.get("environment", "production"))


def _stands_alone(view: View) -> bool:
    """A component inside of another one belongs to its step."""
    parent = str(view.get(PARENT, "")).split("::")
    return len(parent) < 3 or not parent[2].rpartition("$")[2].startswith(OURS)


def _name(view: View) -> Iterator[Finding]:
    env = environment(view.config)
    suffix = "-staging" if env == "staging" else ""
    path, pattern = NAMES[view.type]
    expected = pattern.format(env=env, ENV=env.upper(), suffix=suffix)
    if not re.fullmatch(expected, str(view.get(path, ""))):
        yield view.finding(path, f"must be {expected}")


def _variables(view: View) -> dict[str, Any]:
    """The plain variables of whatever has some; ``ABSENT`` in the place of what is a reference."""
    items = [*view.parts("envs[]"), *view.parts("env[]"), *view.parts("bindings[]")]
    found = {
        str(item.get("name", "")): item.get("value", item.get("text", ABSENT)) for item in items
    }
    if view.type == kubernetes.CONFIG_MAP:
        data = view.get("data", {})
        found |= data if isinstance(data, Mapping) else {}
        if UNKNOWN in found.values():
            raise Undecided(view.full("data"), view.urn)
    if view.type == vercel.VARIABLE:
        found[str(view.get("key", ""))] = view.get("value", ABSENT)
    return found


def _agrees(view: View) -> Iterator[Finding]:
    env, found = environment(view.config), _variables(view)
    expected = {"NODE_ENV": env, "TEMPORAL_NAMESPACE": f"pull-{env}"}
    for name, value in expected.items():
        if found.get(name, value) != value:
            yield view.finding("", f"has a {name} that is not {value}")
    (other,) = {"production", "staging"} - {env}
    for name in _naming(rf"(?<![a-z]){other}(?![a-z])", found):
        yield view.finding("", f"has a {name} that names {other}")


def _live(view: View) -> Iterator[Finding]:
    found = _variables(view)
    if found.get("PLAID_ENV", "production") != "production":
        yield view.finding("", "has a PLAID_ENV that is not production")
    for name in _naming(r"(?<![a-z])(sandbox|localhost)(?![a-z])|127\.0\.0\.1", found):
        yield view.finding("", f"has a {name} that is for tests")


def _naming(pattern: str, variables: Mapping[str, Any]) -> Iterator[str]:
    """The variables in whose values ``pattern`` is found; some have a check of their own."""
    for name in sorted(variables.keys() - {"NODE_ENV", "TEMPORAL_NAMESPACE", "PLAID_ENV"}):
        if re.search(pattern, str(variables[name])):
            yield name


def _quiet(view: View) -> Iterator[Finding]:
    if _variables(view).get("LOG_LEVEL", "info") not in ("info", "warn", "error"):
        yield view.finding("", "has a LOG_LEVEL that is not info, warn or error")


def _real_chain(view: View) -> Iterator[Finding]:
    network = str(_variables(view).get("CHAIN_NETWORK", "polygon-mainnet"))
    if not network.endswith("-mainnet"):
        yield view.finding("", "has a CHAIN_NETWORK that is a test network")


def _addresses(graph: Graph) -> Iterator[Finding]:
    """Others may be beside them; where the runtime is another one there is no route at all."""
    suffix = "-staging" if environment(graph.config) == "staging" else ""
    for kind, path, expected in (
        (workers.ROUTE, "pattern", f"api{suffix}.pull.com/*"),
        (vercel.DOMAIN, "domain", f"app{suffix}.pull.com"),
    ):
        nodes = graph.of(kind)
        if nodes and expected not in [node.view.get(path) for node in nodes]:
            yield nodes[0].finding(path, f"must be {expected}, or that of another one")


# Where variables stand: what holds them, how one is found there, and the property with its value.
_PLACES: Final = (
    (cloud_run.CONTAINERS, "envs[name={}].value"),
    ({workers.VERSION: ""}, "bindings[name={}].text"),
    ({kind: f"{pod}.containers[]" for kind, pod in kubernetes.PODS.items()}, "env[name={}].value"),
    ({kubernetes.CONFIG_MAP: ""}, "data.{}"),
)


def _in_variables(
    function: Callable[[View], Iterator[Finding]], wrong: Mapping[str, str]
) -> tuple[ForEach, ...]:
    """A check over the variables of whatever runs."""
    return tuple(
        ForEach(
            holders,
            (
                Custom(
                    function,
                    tuple(place.format(name) for name in wrong),
                    tuple(SetValue(place.format(name), value) for name, value in wrong.items()),
                ),
            ),
        )
        for holders, place in _PLACES
    )


def _in_the_web(function: Callable[[View], Iterator[Finding]], wrong: str) -> When:
    """A check over a variable that the web's production is built with; previews may have others."""
    return When(
        lambda view: view.type == vercel.VARIABLE and "production" in view.all("targets[]"),
        (Custom(function, ("key", "value"), (SetValue("value", wrong),)),),
    )


_RUNNING: Final = (
    *cloud_run.ALL,
    workers.VERSION,
    *kubernetes.WORKLOADS,
    kubernetes.CONFIG_MAP,
    vercel.VARIABLE,
)


STAGE: Final = ResourceRule(
    id="runbook-stage",
    severity=Severity.HIGH,
    what="Every component says which step of the runbook's deployment order it belongs to.",
    fix="Derive the component from PullComponent.",
    url=GUIDE,
    types=(OURS,),
    checks=(
        When(
            _stands_alone,
            (Must("stage", like(r"[1-5] [a-z ]+", "must be a step, 1 to 5", ("later",))),),
        ),
    ),
)

RULES: Final = (
    STAGE,
    ResourceRule(
        id="runbook-names",
        severity=Severity.HIGH,
        what="Everything is called what the runbooks call it, in its own environment.",
        fix="Take the name from components/names.py.",
        url=GUIDE,
        types=tuple(NAMES),
        checks=tuple(
            When(
                lambda view, kind=kind: view.type == kind,  # type: ignore[misc]
                (
                    Custom(
                        _name,
                        (path,),
                        (SetValue(path, "my-thing"), SetValue(path, "pull-elsewhere-postgres")),
                    ),
                ),
            )
            for kind, (path, _) in NAMES.items()
        ),
        settings=ENVIRONMENT,
    ),
    ResourceRule(
        id="runbook-environment",
        severity=Severity.CRITICAL,
        what="What runs is told the environment that it runs in.",
        fix="Correct pull:environment, or the setting that names the other environment.",
        url=GUIDE,
        types=_RUNNING,
        checks=(
            *_in_variables(
                _agrees, {"NODE_ENV": "development", "TEMPORAL_NAMESPACE": "pull-elsewhere"}
            ),
            _in_the_web(_agrees, "https://pull-staging-and-production.convex.cloud"),
        ),
        settings=ENVIRONMENT,
    ),
    ResourceRule(
        id="runbook-live-plaid",
        severity=Severity.CRITICAL,
        what="Production never works with a vendor's sandbox.",
        fix="Set pull:runtime_config.worker.plaid_env to production, and name no host for tests.",
        url=GUIDE,
        types=_RUNNING,
        checks=(
            *_in_variables(_live, {"PLAID_ENV": "sandbox", "CORS_ORIGINS": "https://localhost"}),
            _in_the_web(_live, "https://sandbox.example.com"),
        ),
    ),
    ResourceRule(
        id="runbook-no-debug-log",
        severity=Severity.HIGH,
        what="Production does not log for debugging: such a log holds what users have sent.",
        fix="Set pull:runtime_config.shared.log_level to info.",
        url=GUIDE,
        types=_RUNNING,
        checks=_in_variables(_quiet, {"LOG_LEVEL": "debug"}),
    ),
    ResourceRule(
        id="runbook-real-chain",
        severity=Severity.CRITICAL,
        what="Production works with the real chain.",
        fix="Set pull:chain.network to polygon-mainnet.",
        url=GUIDE,
        types=_RUNNING,
        checks=_in_variables(_real_chain, {"CHAIN_NETWORK": "polygon-amoy"}),
    ),
    ResourceRule(
        id="runbook-region",
        severity=Severity.HIGH,
        what=f"Everything regional is in {REGION}, and buckets are in the United States.",
        fix=f"Set pull:gcp.region to {REGION}.",
        url=GUIDE,
        types=(*REGIONAL, storage.BUCKET),
        checks=(
            *(
                When(
                    lambda view, path=path: REGIONAL.get(view.type) == path,  # type: ignore[misc]
                    (Must(path, equal(REGION, "europe-west1")),),
                )
                for path in ("region", "location")
            ),
            When(
                lambda view: view.type == storage.BUCKET,
                (Must("location", equal("US", "EU")),),
            ),
        ),
    ),
    ResourceRule(
        id="runbook-postgres",
        severity=Severity.HIGH,
        what="The database survives a zone, is backed up at 03:00 in the United States, and keeps "
        "7 days of its log.",
        fix="Set availabilityType, backupConfiguration.startTime and transactionLogRetentionDays.",
        url=GUIDE,
        frameworks=("Prowler cloudsql_instance_high_availability_enabled",),
        types=(SQL,),
        checks=(
            When(
                lambda view: view.get("clone") is None,
                (
                    Must("settings.availabilityType", one_of("REGIONAL", refused=("ZONAL",))),
                    Must("settings.backupConfiguration.startTime", equal("03:00", "15:00")),
                    Must("settings.backupConfiguration.transactionLogRetentionDays", equal(7, 3)),
                    Must("settings.backupConfiguration.location", equal("us", "eu")),
                    Must("databaseVersion", equal("POSTGRES_16", "POSTGRES_13")),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="runbook-redis",
        severity=Severity.HIGH,
        what="Redis takes a snapshot every 12 hours.",
        fix="Set persistenceConfig.rdbSnapshotPeriod to TWELVE_HOURS.",
        url=GUIDE,
        types=(redis.INSTANCE,),
        checks=(
            Must("persistenceConfig.rdbSnapshotPeriod", equal("TWELVE_HOURS", "TWENTY_FOUR_HOURS")),
        ),
    ),
    ResourceRule(
        id="runbook-instances",
        severity=Severity.HIGH,
        what="Two instances of each service are always ready.",
        fix="Set min_instances to 2 or more.",
        url=GUIDE,
        types=(cloud_run.SERVICE, cloud_run.POOL),
        checks=(
            ForEach(
                {cloud_run.SERVICE: "template.scaling", cloud_run.POOL: "scaling"},
                (Must("minInstanceCount", at_least(2)),),
            ),
        ),
    ),
    ResourceRule(
        id="runbook-web-branch",
        severity=Severity.HIGH,
        what="Production's web is built from main.",
        fix="Set pull:web.production_branch to main.",
        url=GUIDE,
        types=(vercel.PROJECT,),
        checks=(Must("gitRepository.productionBranch", equal("main", "develop")),),
    ),
    StackRule(
        id="runbook-addresses",
        severity=Severity.HIGH,
        what="The API and the web answer under the names of the runbook.",
        fix="Set pull:api.domain and pull:web.domain to the runbook's names.",
        url=GUIDE,
        check=_addresses,
        mutations=(
            PutIn(workers.ROUTE, "pattern", "api.pull.example/*"),
            PutIn(vercel.DOMAIN, "domain", "web.pull.com"),
        ),
        paths=("pattern", "domain"),
        settings=ENVIRONMENT,
    ),
)

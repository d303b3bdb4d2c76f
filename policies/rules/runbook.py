"""The figures and names of the runbooks, which production must match exactly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from policies.framework.demands import at_least, equal, matches, one_of
from policies.framework.graph import Graph, StackRule
from policies.framework.paths import (
    ABSENT,
    COMPONENT_PREFIX,
    PARENT,
    UNKNOWN,
    Finding,
    Undecided,
    View,
)
from policies.framework.rules import Custom, ForEach, Must, ResourceRule, SetValue, Severity, When
from policies.rules import cloud_run
from policies.rules.kubernetes import POD_SPECS, WORKLOADS
from resource_types import (
    RESOURCE_TYPES,
    cloudflare,
    gcp,
    kubernetes,
    pulumiservice,
    vercel,
)
from resource_types.estate import PROVIDER_PREFIX

GUIDE: Final = "docs/runbook-coverage.md"

REGION: Final = "us-central1"
REGIONAL: Final = {
    gcp.SQL_INSTANCE: "region",
    gcp.REDIS_INSTANCE: "region",
    gcp.SUBNETWORK: "region",
    gcp.ROUTER: "region",
    gcp.ADDRESS: "region",
    gcp.GKE_CLUSTER: "location",
    gcp.VPC_CONNECTOR: "region",
    gcp.RUN_SERVICE: "location",
    gcp.RUN_WORKER_POOL: "location",
    gcp.RUN_JOB: "location",
    f"{PROVIDER_PREFIX}gcp": "region",
}

ENVIRONMENT: Final[Mapping[str, Mapping[str, Any]]] = {
    "environment": {"type": "string", "enum": ["production", "staging"], "default": "production"}
}
"""The setting of rules that depend on the environment of the stack."""

# What each resource is called, as a pattern. Only staging has a suffix, ``-staging`` or ``-stg``.
NAMES: Final[Mapping[str, str]] = {
    gcp.SQL_INSTANCE: r"pull-{env}-postgres(-recovery)?",
    gcp.REDIS_INSTANCE: r"pull-{env}-redis",
    gcp.NETWORK: r"pull-{env}",
    gcp.SUBNETWORK: r"pull-{env}(-cluster)?",
    gcp.ROUTER: r"pull-{env}",
    gcp.ROUTER_NAT: r"pull-{env}",
    gcp.VPC_CONNECTOR: r"pull-{env}",
    gcp.ADDRESS: r"pull-{env}-egress",
    gcp.GLOBAL_ADDRESS: r"pull-{env}-(services|api)",
    gcp.KEY_RING: r"pull-{env}",
    gcp.CRYPTO_KEY: r"backups|cluster|postgres|secrets",
    gcp.SQL_DATABASE: r"pull",
    gcp.SQL_USER: r"pull",
    gcp.SERVICE_ACCOUNT: r"pull-(api-origin|ci-deployer|ci-previewer|external-secrets|nodes"
    r"|temporal-worker|worker-[a-z]+){stg}",
    gcp.TOPIC: r"pull-{env}-secret-rotation",
    gcp.RUN_SERVICE: r"pull-(api|temporal-worker(-[a-z]+)?){suffix}",
    gcp.RUN_WORKER_POOL: r"pull-temporal-worker(-[a-z]+)?{suffix}",
    gcp.SECRET: r"pull-{env}-[a-z0-9]+(-[a-z0-9]+)*|[A-Z][A-Z0-9_]*_{ENV}",
    gcp.BUCKET: r".*{env}.*-backups",
    gcp.GKE_CLUSTER: r"pull-cluster",
    gcp.REPOSITORY: r"gcr\.io",
    cloudflare.WORKER: r"pull-api{suffix}",
    vercel.PROJECT: r"pull-web{suffix}",
    cloudflare.R2_BUCKET: r"pull-assets{suffix}",
    kubernetes.NAMESPACE: r"pull",
}


LABELS: Final[Mapping[str, str]] = {
    gcp.SECRET: "labels.environment",
    pulumiservice.STACK_TAGS: "tags.environment",
}
"""Where a resource has the name of its environment beside its own name."""


def _name_path(token: str) -> str:
    return RESOURCE_TYPES[token].name_property or "metadata.name"


def environment(config: Mapping[str, Any]) -> str:
    """The environment of the stack, from the pack's configuration."""
    return str(config.get("environment", "production"))


def name_suffix(env: str) -> str:
    """The end of names in an environment: only staging has one."""
    return "-staging" if env == "staging" else ""


def account_suffix(env: str) -> str:
    """The same for service accounts, whose names have at most 30 characters."""
    return "-stg" if env == "staging" else ""


def _is_top_level(view: View) -> bool:
    """Whether a component is not part of another component, whose step it would share."""
    parent = str(view.get(PARENT, "")).split("::")
    return len(parent) < 3 or not parent[2].rpartition("$")[2].startswith(COMPONENT_PREFIX)


def _name(view: View) -> Iterator[Finding]:
    env = environment(view.config)
    path = _name_path(view.type)
    expected = NAMES[view.type].format(
        env=env, ENV=env.upper(), suffix=name_suffix(env), stg=account_suffix(env)
    )
    if not re.fullmatch(expected, str(view.get(path, ""))):
        yield view.finding(path, f"must be {expected}")


def _label(view: View) -> Iterator[Finding]:
    path = LABELS[view.type]
    if view.get(path) != environment(view.config):
        yield view.finding(path, f"must be {environment(view.config)}")


def _variables(view: View) -> dict[str, Any]:
    """The plain variables of a resource by name; ``ABSENT`` for one that is a reference."""
    items = [*view.parts("envs[]"), *view.parts("env[]"), *view.parts("bindings[]")]
    variables = {
        str(item.get("name", "")): item.get("value", item.get("text", ABSENT)) for item in items
    }
    if view.type == kubernetes.CONFIG_MAP:
        data = view.get("data", {})
        variables |= data if isinstance(data, Mapping) else {}
        if UNKNOWN in variables.values():
            raise Undecided(view.full_path("data"), view.urn)
    if view.type == vercel.ENVIRONMENT_VARIABLE:
        variables[str(view.get("key", ""))] = view.get("value", ABSENT)
    return variables


def _matches_environment(view: View) -> Iterator[Finding]:
    env, variables = environment(view.config), _variables(view)
    expected = {"NODE_ENV": env, "TEMPORAL_NAMESPACE": f"pull-{env}"}
    for name, value in expected.items():
        if variables.get(name, value) != value:
            yield view.finding("", f"has a {name} that is not {value}")
    (other,) = {"production", "staging"} - {env}
    for name in _variables_containing(rf"(?<![a-z]){other}(?![a-z])", variables):
        yield view.finding("", f"has a {name} that refers to {other}")


def _tags(view: View) -> Iterator[Finding]:
    if view.get("tags") != [environment(view.config)]:
        yield view.finding("tags", "must be the environment alone")


def _no_vendor_sandbox(view: View) -> Iterator[Finding]:
    variables = _variables(view)
    if variables.get("PLAID_ENV", "production") != "production":
        yield view.finding("", "has a PLAID_ENV that is not production")
    for name in _variables_containing(
        r"(?<![a-z])(sandbox|localhost)(?![a-z])|127\.0\.0\.1", variables
    ):
        yield view.finding("", f"has a {name} that is a test host")


def _variables_containing(pattern: str, variables: Mapping[str, Any]) -> Iterator[str]:
    """The variables whose values contain ``pattern``, except those with checks of their own."""
    for name in sorted(variables.keys() - {"NODE_ENV", "TEMPORAL_NAMESPACE", "PLAID_ENV"}):
        if re.search(pattern, str(variables[name])):
            yield name


def _no_debug_log(view: View) -> Iterator[Finding]:
    if _variables(view).get("LOG_LEVEL", "info") not in ("info", "warn", "error"):
        yield view.finding("", "has a LOG_LEVEL that is not info, warn or error")


def _mainnet(view: View) -> Iterator[Finding]:
    network = str(_variables(view).get("CHAIN_NETWORK", "polygon-mainnet"))
    if not network.endswith("-mainnet"):
        yield view.finding("", "has a CHAIN_NETWORK that is a test network")


def _addresses(graph: Graph) -> Iterator[Finding]:
    """Other names may exist beside them; a stack without Workers has no route at all."""
    suffix = name_suffix(environment(graph.config))
    for token, path, expected in (
        (cloudflare.WORKERS_ROUTE, "pattern", f"api{suffix}.pull.com/*"),
        (vercel.PROJECT_DOMAIN, "domain", f"app{suffix}.pull.com"),
    ):
        nodes = graph.of_type(token)
        if nodes and expected not in [node.view.get(path) for node in nodes]:
            text = f"must be {expected}, unless another resource of the type has it"
            yield nodes[0].finding(path, text)


# Where plain variables are: the parts that hold them by type, and the path of a variable there.
_VARIABLE_PATHS: Final = (
    (cloud_run.CONTAINERS, "envs[name={}].value"),
    ({cloudflare.WORKER_VERSION: ""}, "bindings[name={}].text"),
    ({token: f"{pod}.containers[]" for token, pod in POD_SPECS.items()}, "env[name={}].value"),
    ({kubernetes.CONFIG_MAP: ""}, "data.{}"),
)


def _in_variables(
    function: Callable[[View], Iterator[Finding]], mutations: Mapping[str, str]
) -> tuple[ForEach, ...]:
    """A check over the variables of every runtime."""
    return tuple(
        ForEach(
            holders,
            (
                Custom(
                    function,
                    tuple(path.format(name) for name in mutations),
                    tuple(SetValue(path.format(name), value) for name, value in mutations.items()),
                ),
            ),
        )
        for holders, path in _VARIABLE_PATHS
    )


def _in_web_build(function: Callable[[View], Iterator[Finding]], mutation: str) -> When:
    """A check over the variables that the web application is built with for production."""
    return When(
        lambda view: (
            view.type == vercel.ENVIRONMENT_VARIABLE and "production" in view.all("targets[]")
        ),
        (Custom(function, ("key", "value"), (SetValue("value", mutation),)),),
    )


_RUNNING: Final = (
    *cloud_run.WORKLOADS,
    cloudflare.WORKER_VERSION,
    *WORKLOADS,
    kubernetes.CONFIG_MAP,
    vercel.ENVIRONMENT_VARIABLE,
)


STAGE: Final = ResourceRule(
    id="runbook-stage",
    severity=Severity.HIGH,
    what="Every component states its step in the runbook's deployment order.",
    fix="Derive the component from PullComponent.",
    url=GUIDE,
    types=(COMPONENT_PREFIX,),
    checks=(
        When(
            _is_top_level,
            (Must("stage", matches(r"[1-5] [a-z ]+", "must be a step such as 3 api", ("later",))),),
        ),
    ),
)

RULES: Final = (
    STAGE,
    ResourceRule(
        id="runbook-names",
        severity=Severity.HIGH,
        what="Every resource has the name that the runbooks give it in its environment, and the "
        "label of that environment.",
        fix="Use the name from components/names.py.",
        url=GUIDE,
        types=tuple(dict.fromkeys((*NAMES, *LABELS))),
        checks=(
            *(
                When(
                    lambda view, token=token: view.type == token,  # type: ignore[misc]
                    (
                        Custom(
                            _label,
                            (path,),
                            (SetValue(path, "elsewhere"), SetValue(path, ABSENT)),
                        ),
                    ),
                )
                for token, path in LABELS.items()
            ),
            *(
                When(
                    lambda view, token=token: view.type == token,  # type: ignore[misc]
                    (
                        Custom(
                            _name,
                            (_name_path(token),),
                            tuple(
                                SetValue(_name_path(token), name)
                                for name in ("my-database", "pull-elsewhere-postgres")
                            ),
                        ),
                    ),
                )
                for token in NAMES
            ),
        ),
        settings=ENVIRONMENT,
    ),
    ResourceRule(
        id="runbook-environment",
        severity=Severity.CRITICAL,
        what="Every runtime has the variables and the tag of its own environment.",
        fix="Correct pull:environment, or the setting that names the other environment.",
        url=GUIDE,
        types=(*_RUNNING, cloudflare.WORKER),
        checks=(
            When(
                lambda view: view.type == cloudflare.WORKER,
                (Custom(_tags, ("tags",), (SetValue("tags", []), SetValue("tags", ["other"]))),),
            ),
            *_in_variables(
                _matches_environment,
                {"NODE_ENV": "development", "TEMPORAL_NAMESPACE": "pull-elsewhere"},
            ),
            _in_web_build(_matches_environment, "https://pull-staging-and-production.convex.cloud"),
        ),
        settings=ENVIRONMENT,
    ),
    ResourceRule(
        id="runbook-no-vendor-sandbox",
        severity=Severity.CRITICAL,
        what="Production never uses a vendor's sandbox.",
        fix="Set pull:runtime_config.worker.plaid_env to production, and remove test hosts.",
        url=GUIDE,
        types=_RUNNING,
        checks=(
            *_in_variables(
                _no_vendor_sandbox, {"PLAID_ENV": "sandbox", "CORS_ORIGINS": "https://localhost"}
            ),
            _in_web_build(_no_vendor_sandbox, "https://sandbox.example.com"),
        ),
    ),
    ResourceRule(
        id="runbook-no-debug-log",
        severity=Severity.HIGH,
        what="Production does not log at debug level, because such logs hold user data.",
        fix="Set pull:runtime_config.shared.log_level to info.",
        url=GUIDE,
        types=_RUNNING,
        checks=_in_variables(_no_debug_log, {"LOG_LEVEL": "debug"}),
    ),
    ResourceRule(
        id="runbook-mainnet",
        severity=Severity.CRITICAL,
        what="Production uses a mainnet chain.",
        fix="Set pull:chain.network to polygon-mainnet.",
        url=GUIDE,
        types=_RUNNING,
        checks=_in_variables(_mainnet, {"CHAIN_NETWORK": "polygon-amoy"}),
    ),
    ResourceRule(
        id="runbook-region",
        severity=Severity.HIGH,
        what=f"Every regional resource is in {REGION}, and buckets are in the United States.",
        fix=f"Set pull:gcp.region to {REGION}.",
        url=GUIDE,
        types=(*REGIONAL, gcp.BUCKET),
        checks=(
            *(
                When(
                    lambda view, path=path: REGIONAL.get(view.type) == path,  # type: ignore[misc]
                    (Must(path, equal(REGION, "europe-west1")),),
                )
                for path in ("region", "location")
            ),
            When(
                lambda view: view.type == gcp.BUCKET,
                (Must("location", equal("US", "EU")),),
            ),
        ),
    ),
    ResourceRule(
        id="runbook-postgres",
        severity=Severity.HIGH,
        what="The database survives the loss of a zone, is backed up at 03:00 in the United "
        "States, and keeps 7 days of its transaction log.",
        fix="Set availabilityType, backupConfiguration.startTime and transactionLogRetentionDays.",
        url=GUIDE,
        frameworks=("Prowler cloudsql_instance_high_availability_enabled",),
        types=(gcp.SQL_INSTANCE,),
        checks=(
            When(
                lambda view: view.get("clone") is None,
                (
                    Must("settings.availabilityType", one_of("REGIONAL", refused=("ZONAL",))),
                    Must("settings.backupConfiguration.startTime", equal("03:00", "15:00")),
                    Must("settings.backupConfiguration.transactionLogRetentionDays", equal(7, 3)),
                    Must("settings.backupConfiguration.location", equal("us", "eu")),
                ),
            ),
            Must("databaseVersion", equal("POSTGRES_16", "POSTGRES_13")),
        ),
    ),
    ResourceRule(
        id="runbook-redis",
        severity=Severity.HIGH,
        what="Redis takes a snapshot every 12 hours.",
        fix="Set persistenceConfig.rdbSnapshotPeriod to TWELVE_HOURS.",
        url=GUIDE,
        types=(gcp.REDIS_INSTANCE,),
        checks=(
            Must("persistenceConfig.rdbSnapshotPeriod", equal("TWELVE_HOURS", "TWENTY_FOUR_HOURS")),
        ),
    ),
    ResourceRule(
        id="runbook-instances",
        severity=Severity.HIGH,
        what="At least two instances of each service are always running.",
        fix="Set min_instances to 2 or more.",
        url=GUIDE,
        types=tuple(cloud_run.SCALING),
        checks=(
            ForEach(
                cloud_run.SCALING,
                (Must("minInstanceCount", at_least(2)),),
            ),
        ),
    ),
    ResourceRule(
        id="runbook-web-branch",
        severity=Severity.HIGH,
        what="Production's web application is built from main.",
        fix="Set pull:web.production_branch to main.",
        url=GUIDE,
        types=(vercel.PROJECT,),
        checks=(Must("gitRepository.productionBranch", equal("main", "develop")),),
    ),
    StackRule(
        id="runbook-addresses",
        severity=Severity.HIGH,
        what="The API and the web application use the host names of the runbook.",
        fix="Set pull:api.domain and pull:web.domain to the runbook's names.",
        url=GUIDE,
        check=_addresses,
        paths=("pattern", "domain"),
        settings=ENVIRONMENT,
    ),
)

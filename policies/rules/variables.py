"""The variables of every runtime: exactly those that it reads, with values that fit together.

``ops.generate`` writes the readers of each variable from the catalogue into ``secret_readers.json``
and ``config_readers.json``. A runtime without a variable fails at its first request, and a variable
that nothing in the catalogue describes may switch off a protection, as
``NODE_TLS_REJECT_UNAUTHORIZED`` does.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from policies.framework.demands import is_number
from policies.framework.graph import Graph, Node, StackRule
from policies.framework.paths import ABSENT, UNKNOWN, Finding, attempt
from policies.framework.rules import Severity
from policies.rules import cloud_run, flows
from policies.rules.grants import EDGE, SECRET_READERS
from policies.rules.kubernetes import POD_SPECS
from policies.rules.runbook import ENVIRONMENT, environment, name_suffix
from resource_types import cloudflare, gcp, kubernetes, vercel

CONFIG_READERS: Final[Mapping[str, list[str]]] = json.loads(
    Path(__file__).with_name("config_readers.json").read_text("utf-8")
)
"""The consumers that read each variable that is not secret."""

CHAIN: Final = ("CHAIN_ID", "CHAIN_NETWORK")
CONTRACT: Final = re.compile(r"CONTRACT_[A-Z0-9_]+_ADDRESS")
"""The chain and its contracts: every runtime knows them."""

CHAIN_IDS: Final = {"polygon-mainnet": "137", "polygon-amoy": "80002"}
"""https://docs.polygon.technology/pos/reference/rpc-endpoints/"""

WEB: Final = "web"
"""The consumer in browsers."""

BROWSER: Final = "NEXT_PUBLIC_"
WEB_TARGETS: Final = ("production", "preview", "development")

_URL: Final = r"https://[^\s/:]+(:\d+)?"
_MILLISECONDS: Final = r"[1-9]\d{3,9}"

VALUES: Final = {
    "BODY_LIMIT": r"([1-9]\d?|100)mb",
    "CLICKHOUSE_PORT": str(flows.CLICKHOUSE_PORT),
    "CLICKHOUSE_PROTOCOL": "https",
    "CORS_ORIGINS": rf"{_URL}(,{_URL})*",
    "FIREBASE_CLIENT_EMAIL": r"[^@\s]+@[^@\s]+",
    "MATRIX_HOMESERVER_URL": rf"{_URL}/?.*",
    "NEXT_PUBLIC_CONVEX_URL": rf"{_URL}/?",
    "NEXT_PUBLIC_WALLETCONNECT_PROJECT_ID": r"[0-9a-f]{32}",
    "PINECONE_DIMENSIONS": r"[1-9]\d*",
    "REDIS_POOL_MAX": r"[1-9]\d*",
    "REDIS_POOL_MIN": r"\d+",
    "RESEND_FROM_EMAIL": r"[^@\s]+@[^@\s]+",
    "TEMPORAL_ACTIVITY_HEARTBEAT_TIMEOUT": _MILLISECONDS,
    "TEMPORAL_ACTIVITY_START_TO_CLOSE_TIMEOUT": _MILLISECONDS,
    "TEMPORAL_TLS": "true",
    "WORKER_CONCURRENCY": r"[1-9]\d{0,2}|1000",
}
"""Patterns of values, where a wrong one breaks a runtime or its encryption."""

AT_MOST: Final = {
    "REDIS_POOL_MIN": "REDIS_POOL_MAX",
    "TEMPORAL_ACTIVITY_HEARTBEAT_TIMEOUT": "TEMPORAL_ACTIVITY_START_TO_CLOSE_TIMEOUT",
}
"""Variables with a number that is not above that of another variable."""


@dataclass(slots=True)
class Runtime:
    """What runs with variables.

    Attributes:
        consumer: its name in the catalogue.
        name: its physical name.
        plain: value by variable, ``UNKNOWN`` included.
        secret: the variables that it gets by reference.
        repeated: the variables that it has twice.
        ports: container ports by name, where the runtime sets ``PORT`` from them.
    """

    node: Node
    consumer: str
    name: str
    plain: dict[str, Any] = field(default_factory=dict)
    secret: set[str] = field(default_factory=set)
    repeated: set[str] = field(default_factory=set)
    ports: dict[str, str] = field(default_factory=dict)

    def add(self, path: str, value: str) -> None:
        """The variables in the list at ``path``, whose plain values are at ``value``."""
        names: Counter[str] = Counter()
        for item in self.node.view.parts(path):
            name = str(item.get("name", ""))
            names[name] += 1
            found = item.value(value)
            if found is ABSENT:
                self.secret.add(name)
            else:
                self.plain[name] = found
        self.repeated |= {name for name, count in names.items() if count > 1}


def consumer_of(name: str, suffix: str) -> str:
    """The consumer in the catalogue of a container's service: ``kyc``, or ``all`` for all."""
    service = name.removesuffix(suffix)
    if service == flows.API:
        return "api-origin"
    return service.removeprefix("pull-temporal-worker").removeprefix("-") or "all"


def _runtimes(graph: Graph, suffix: str) -> Iterator[Runtime]:
    for node in graph.of_type(cloudflare.WORKER_VERSION):
        runtime = Runtime(node, EDGE, f"{flows.API}{suffix}")
        runtime.add("bindings[]", "text")
        yield runtime
    for node in graph.of_type(gcp.RUN_SERVICE, gcp.RUN_WORKER_POOL):
        name = str(node.view.get("name"))
        runtime = Runtime(node, consumer_of(name, suffix), name)
        runtime.add(f"{cloud_run.CONTAINERS[node.type]}.envs[]", "value")
        yield runtime
    config_maps = {
        str(node.view.get("metadata.name")): node.view.get("data")
        for node in graph.of_type(kubernetes.CONFIG_MAP)
    }
    for node in graph.of_type(kubernetes.DEPLOYMENT):
        name = str(node.view.get("metadata.name"))
        runtime = Runtime(node, consumer_of(name, ""), f"{name}{suffix}")
        container = f"{POD_SPECS[node.type]}.containers[]"
        for config_map in node.view.all(f"{container}.envFrom[].configMapRef.name"):
            data = config_maps.get(str(config_map))
            runtime.plain |= data if isinstance(data, dict) else {}
        runtime.add(f"{container}.env[]", "value")
        for port in node.view.parts(f"{container}.ports[]"):
            number = port.get("containerPort")
            runtime.ports[str(port.get("name"))] = f"{number:g}" if is_number(number) else ""
        yield runtime


def _shown(name: str) -> str:
    """A variable's name for a message, unless it could be a value that is in the wrong place."""
    return name if re.fullmatch(r"[A-Z][A-Z0-9_]{1,63}", name) else "a variable"


def _names(runtime: Runtime) -> Iterator[str]:
    """What is wrong with the names of the variables."""
    secret = {name for name, readers in SECRET_READERS.items() if runtime.consumer in readers}
    for name in sorted(secret - runtime.secret):
        yield f"must have the variable {name} by reference"
    for name in sorted(runtime.secret - secret):
        yield f"must not have {_shown(name)} by reference"
    plain = {name for name, readers in CONFIG_READERS.items() if runtime.consumer in readers}
    if runtime.node.type != kubernetes.DEPLOYMENT:
        plain.discard("PORT")  # Cloud Run sets it, and a Worker has none
    for name in sorted({*plain, *CHAIN} - runtime.plain.keys()):
        yield f"must have the variable {name}"
    # A worker of one type gets the ConfigMap of all workers.
    described = {name for name, readers in CONFIG_READERS.items() if readers != [WEB]}
    for name in sorted(runtime.plain.keys() - described - set(CHAIN)):
        if not CONTRACT.fullmatch(name):
            yield f"must not have {_shown(name)}, which is not in the catalogue"
    for name in sorted(runtime.repeated):
        yield f"must have {_shown(name)} once"


def _values(plain: Mapping[str, Any], expected: Mapping[str, str | None]) -> Iterator[str]:
    """What is wrong with the values that are known."""
    known = {name: str(value) for name, value in plain.items() if value is not UNKNOWN}
    for name, value in sorted(known.items()):
        if name in VALUES and not re.fullmatch(VALUES[name], value):
            yield f"must have another value of {name}, of the form {VALUES[name]}"
        if expected.get(name) not in (None, value):
            yield f"must have {name} as the rest of the stack has it"
    for name, limit in AT_MOST.items():
        numbers = [known.get(name, ""), known.get(limit, "")]
        if all(map(str.isdigit, numbers)) and int(numbers[0]) > int(numbers[1]):
            yield f"must not have a {name} above {limit}"
    for prefix in ("", BROWSER):
        network, chain = (known.get(f"{prefix}{name}") for name in reversed(CHAIN))
        if network is not None and chain is not None and CHAIN_IDS.get(network) != chain:
            yield f"must have the {prefix}CHAIN_ID of its {prefix}CHAIN_NETWORK"


def _stores(graph: Graph) -> Iterator[Finding]:
    """A Worker gets all secrets from one store, or all from its previous version."""
    for node in graph.of_type(cloudflare.WORKER_VERSION):
        stores = {
            (binding.get("type"), binding.get("storeId"))
            for binding in node.view.parts("bindings[]")
            if binding.get("name") in SECRET_READERS
        }
        if len(stores) > 1:
            yield node.finding("bindings", "must bind every secret in the same way")


def _storage(graph: Graph) -> Mapping[str, str | None]:
    """The bucket for files, its address, and the origins that may use it."""
    for node in graph.of_type(cloudflare.R2_BUCKET):
        account = node.view.get("accountId")
        origins = [
            str(origin)
            for cors in graph.of_type(cloudflare.R2_BUCKET_CORS)
            for origin in cors.view.all("rules[].allowed.origins[]")
        ]
        return {
            "S3_BUCKET": node.view.get("name"),
            "S3_ENDPOINT": f"https://{account}.r2.cloudflarestorage.com",
            "CORS_ORIGINS": ",".join(origins),
        }
    return {}


def _web(graph: Graph, suffix: str) -> Iterator[Finding]:
    """Every target has the same variables; each is one resource."""
    projects = graph.of_type(vercel.PROJECT)
    nodes = graph.of_type(vercel.ENVIRONMENT_VARIABLE)
    needed = {name for name, readers in CONFIG_READERS.items() if WEB in readers}
    needed |= {f"{BROWSER}{name}" for name in CHAIN}
    found = Counter(
        (str(node.view.get("key")), target)
        for node in nodes
        for target in node.view.all("targets[]")
    )
    for project in projects:
        for name in sorted(needed):
            for target in WEB_TARGETS:
                if found[name, target] != 1:
                    yield project.finding("", f"must have one variable {name} for {target}")
    values: dict[str, dict[str, Any]] = {target: {} for target in WEB_TARGETS}
    for node in nodes:
        name = str(node.view.get("key"))
        contract = CONTRACT.fullmatch(name.removeprefix(BROWSER))
        if name not in needed and not (name.startswith(BROWSER) and contract):
            yield node.finding("key", "must be a variable of the catalogue that browsers read")
        for target in node.view.all("targets[]"):
            values.setdefault(target, {})[name] = node.view.value("value")
    expected = {f"{BROWSER}API_URL": f"https://api{suffix}.pull.com"}
    for project in projects:
        for plain in values.values():
            for text in _values(plain, expected):
                yield project.finding("", text)


def _check(graph: Graph) -> Iterator[Finding]:
    suffix = name_suffix(environment(graph.config))
    storage = _storage(graph)
    for runtime in _runtimes(graph, suffix):
        expected = {
            **storage,
            "OTEL_SERVICE_NAME": runtime.name,
            "WORKER_TYPE": runtime.consumer,
            "PORT": runtime.ports.get("http"),
            "METRICS_PORT": runtime.ports.get("metrics"),
        }
        for text in (*_names(runtime), *_values(runtime.plain, expected)):
            yield runtime.node.finding("", text)
    yield from attempt(_stores(graph))
    yield from attempt(_web(graph, suffix))


RULES: Final = (
    StackRule(
        id="stack-variables-declared",
        severity=Severity.HIGH,
        what="Every runtime, and every target of the web application, has exactly the variables "
        "that it reads, and their values fit together.",
        fix="Correct the variable, or describe it and its consumers in the catalogue "
        "(components/secrets/catalogue.py).",
        url="docs/secrets.md",
        check=_check,
        paths=(
            *("bindings[].name", "template.containers[].envs[].name", "data", "key", "targets[]"),
            *("spec.template.spec.containers[].env[].name", "value"),
        ),
        settings=ENVIRONMENT,
    ),
)

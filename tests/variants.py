"""Every shape that the settings can give the estate. Each passes the policies, and is mutated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.recorder import FLEET, Recorded, Recording, Secret, estate

UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine sends for a value that is not known yet."""

OLD_REVISION: Final = "pull-temporal-worker-1a2b3c4d"
OLD_VERSION: Final = "8f14e45f-ceea-467f-a8f5-9c1b7d2e3a40"
LARGE_POSTGRES: Final = {"cpus": 4, "memory_mib": 16384, "max_connections": 1000}
"""Accepts the connections of everything at its largest."""


def api_origin(stack: str) -> dict[str, Any]:
    """The API as a container of ``stack``: on Cloud Run behind the Worker, or in the cluster."""
    return {
        "cpu": 1,
        "memory_gib": 1,
        "min_instances": 2,
        "max_instances": 4,
        "timeout_seconds": 60,
        "image": f"gcr.io/pull-{stack}/pull-api@sha256:{4:064}",
    }


@dataclass(frozen=True, slots=True)
class Variant:
    """A stack with other settings than those in its file."""

    name: str
    stack: str = "production"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def recording(self) -> Recording:
        """What the program registers, without an engine."""
        return estate(self.stack, **self.settings)

    def resources(self) -> list[Recorded]:
        """The resources, without providers."""
        made = self.recording().resources
        return [resource for resource in made if not resource.type.startswith("pulumi:")]


PRODUCTION: Final = Variant("production")
EVERYTHING: Final = Variant(
    "everything",
    "production",
    {
        "runtime": "both",
        "workers": {
            "fleet": {
                "all": {
                    "max_instances": 10,
                    "traffic": [
                        {"revision": "current", "percent": 10},
                        {"revision": OLD_REVISION, "percent": 90},
                    ],
                },
                "kyc": FLEET["kyc"],
            }
        },
        "api": {
            "versions": [
                {"version": "current", "percentage": 10},
                {"version": OLD_VERSION, "percentage": 90},
            ]
        },
        "api_origin": api_origin("production"),
        "web": {"release": {"ref": "3f2c1ab"}},
        "postgres": {
            "max_connections": 1000,
            "recovery": {"point_in_time": "2026-01-25T10:00:00.000Z"},
        },
        "pulumi_cloud": {
            "organization": "pull",
            "events_url": "https://events.pull.com/pulumi",
        },
    },
)
"""Both runtimes with every optional part, in the middle of a canary."""

POOLS: Final = Variant(
    "pools",
    "production",
    {
        "workers": {
            "runtime": "worker_pool",
            "fleet": {"all": {"max_instances": 10}, "kyc": FLEET["kyc"]},
        }
    },
)
EXISTING_CLUSTER: Final = Variant(
    "existing cluster",
    "production",
    {
        "runtime": "kubernetes",
        "kubernetes": {"cluster": None, "existing": {"context": "gke_pull"}},
    },
)

PREVIEWED: Final = (
    PRODUCTION,
    Variant("staging", "staging"),
    EVERYTHING,
    Variant(
        "rollback",
        "production",
        {
            "workers": {
                "fleet": {"all": {"traffic": [{"revision": OLD_REVISION, "percent": 100}]}}
            },
            "api": {"versions": [{"version": OLD_VERSION, "percentage": 100}]},
            "web": {"release": {"ref": "0a1b2c3"}},
        },
    ),
    POOLS,
    Variant(
        "kubernetes",
        "staging",
        {
            "runtime": "kubernetes",
            "api_origin": api_origin("staging"),
            "postgres": LARGE_POSTGRES,
        },
    ),
)
"""The variants that the real engine previews for the policy tests."""

VARIANTS: Final = (
    *PREVIEWED,
    EXISTING_CLUSTER,
    Variant("first deployment", "production", {"workers": {"fleet": {"all": None}}}),
    Variant("connector", "production", {"workers": {"egress": "connector"}}),
    Variant(
        "queue depth",
        "production",
        {
            "runtime": "kubernetes",
            "kubernetes": {"queue_depth": {"metric": "tasks", "tasks_per_instance": 50}},
        },
    ),
    Variant("wrangler", "production", {"api": {"secrets": "inherit"}}),
)


def as_sent(value: Any) -> Any:
    """As the engine sends it in a preview: a value that a resource computes is not known."""
    if isinstance(value, Secret):
        return as_sent(value.value)
    if isinstance(value, Mapping):
        return {key: as_sent(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_sent(item) for item in value]
    computed = isinstance(value, str) and re.search(r"<[a-z0-9-]+\.\w+>", value)
    return UNKNOWN_TEXT if computed else value

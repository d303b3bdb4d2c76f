"""The estate with what its settings can add: a canary, a rollback, another runtime, a clone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.recorder import FLEET

OLD_REVISION: Final = "pull-temporal-worker-1a2b3c4d"
OLD_VERSION: Final = "8f14e45f-ceea-467f-a8f5-9c1b7d2e3a40"
RECOVERY: Final = {"recovery": {"point_in_time": "2026-01-25T10:00:00.000Z"}}
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
    """A stack file with other settings than those in the checkout."""

    name: str
    stack: str
    settings: Mapping[str, Any] = field(default_factory=dict)


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
        "postgres": {"max_connections": 1000, **RECOVERY},
        "pulumi_cloud": {
            "organization": "pull",
            "events_url": "https://events.pull.com/pulumi",
        },
    },
)
"""Both runtimes with every optional part, in the middle of a canary."""

VARIANTS: Final = (
    Variant("production", "production"),
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
    Variant(
        "pools",
        "staging",
        {"workers": {"runtime": "worker_pool", "fleet": FLEET}, "postgres": LARGE_POSTGRES},
    ),
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
"""Every shape of the estate: each must pass the policies, and each is mutated."""

"""The variants of production that its settings allow, as the program registers them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from tests.policy_harness import UNKNOWN_TEXT
from tests.recorder import Recorded, Secret, estate

API: Final = {
    "image": "gcr.io/pull-production/pull-api@sha256:" + "0" * 64,
    "cpu": 2,
    "memory_gib": 2,
    "min_instances": 2,
    "max_instances": 4,
    "timeout_seconds": 60,
}
CANARY: Final = [
    {"revision": "current", "percent": 10},
    {"revision": "pull-temporal-worker-1a2b3c4d", "percent": 90},
]
WORKER: Final = {"cpu": 2, "memory_gib": 4, "min_instances": 2, "max_instances": 4}

VARIANTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "managed": {},
    "kubernetes": {"runtime": "kubernetes"},
    "both": {
        "runtime": "both",
        "api_origin": API,
        "workers": {"fleet": {"all": WORKER, "kyc": WORKER}},
        "postgres": {"recovery": {"point_in_time": "2026-11-20T10:00:00.000Z"}},
        "pulumi_cloud": {"organization": "pull", "events_url": "https://events.pull.com"},
    },
    "existing cluster": {
        "runtime": "kubernetes",
        "kubernetes": {"cluster": None, "existing": {"context": "gke_pull"}},
    },
    "pools": {"workers": {"runtime": "worker_pool", "fleet": {"all": WORKER, "kyc": WORKER}}},
    "connector": {"workers": {"egress": "connector"}},
    "canary": {"workers": {"fleet": {"all": {**WORKER, "traffic": CANARY}}}},
    "web release": {"web": {"release": {"ref": "3f2c1ab"}}},
    "queue depth": {
        "runtime": "kubernetes",
        "kubernetes": {"queue_depth": {"metric": "tasks", "tasks_per_instance": 50}},
    },
    "wrangler": {"api": {"secrets": "inherit"}},
}


@cache
def rows(variant: str) -> list[Recorded]:
    """The resources of a variant, without providers."""
    made = estate("production", **VARIANTS[variant]).resources
    return [row for row in made if not row.type.startswith("pulumi:")]


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

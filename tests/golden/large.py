"""A change to 5,000 resources: larger than anything that this estate will ever hold."""

from __future__ import annotations

from typing import Any, Final

STAGES: Final = (
    "1 infrastructure",
    "2 secrets and configuration",
    "3 api",
    "4 web",
    "5 workers",
)
COMPONENTS: Final = 10
"""In each stage."""
RESOURCES: Final = 99
"""In each component, beside itself."""

_KINDS: Final = (
    "gcp:storage/bucket:Bucket",
    "gcp:pubsub/topic:Topic",
    "gcp:cloudrunv2/service:Service",
    "gcp:secretmanager/secret:Secret",
)


def five_thousand() -> dict[str, Any]:
    """A preview that deletes, replaces, updates and creates much of 5,000 resources."""
    resources: list[dict[str, Any]] = []
    dependencies: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    before = ""
    for stage in STAGES:
        for number in range(COMPONENTS):
            name = f"{stage[2:].split()[0]}-{number}"
            component = f"urn:pulumi:large::pull::pull:large:Part::{name}"
            resources.append(_resource(component, "pull:large:Part", stage, component))
            for index in range(RESOURCES):
                kind = _KINDS[index % len(_KINDS)]
                urn = f"urn:pulumi:large::pull::pull:large:Part${kind}::{name}-{index:02}"
                resources.append(_resource(urn, kind, stage, component))
                if before:
                    dependencies.append({"from": urn, "to": before, "onlyOrder": False})
                before = urn if index == 0 else before
                step = _step(urn, kind, index)
                steps += [step] if step else []
    return {
        "stack": "large",
        "operation": "preview",
        "result": "succeeded",
        "changeSummary": {},
        "steps": steps,
        "diagnostics": [],
        "outputs": {},
        "policies": {
            "passed": True,
            "pack": "pull-estate",
            "rules": 200,
            "violations": [],
            "refusals": [],
        },
        "graph": {"stack": "large", "resources": resources, "dependencies": dependencies},
    }


def _resource(urn: str, kind: str, stage: str, component: str) -> dict[str, Any]:
    name = urn.rpartition("::")[2]
    return {
        "urn": urn,
        "type": kind,
        "name": name,
        "parent": "" if urn == component else component,
        "stage": stage,
        "component": component,
    }


def _step(urn: str, kind: str, index: int) -> dict[str, Any] | None:
    """What happens to a resource: a replacement, deletions, many updates and creations."""
    name = urn.rpartition("::")[2]
    old = {"name": name, "location": "US", "labels": {"owner": "core"}}
    state = {"urn": urn, "type": kind, "custom": True, "id": name}
    step: dict[str, Any] = {"urn": urn, "oldState": {**state, "inputs": old}}
    match index:
        case 0:
            step["newState"] = {**state, "inputs": {**old, "location": "EU"}}
            detail = {"location": {"kind": "update-replace", "inputDiff": True}}
            return {"op": "replace", **step, "detailedDiff": detail}
        case 1 | 2:
            return {"op": "delete", **step, "detailedDiff": None}
        case _ if index < 50:
            step["newState"] = {**state, "inputs": {**old, "labels": {"owner": "data"}}}
            detail = {"labels.owner": {"kind": "update", "inputDiff": True}}
            return {"op": "update", **step, "detailedDiff": detail}
        case _ if index < 75:
            created = {**state, "inputs": old}
            return {"op": "create", "urn": urn, "newState": created, "detailedDiff": None}
        case _:
            return None

"""The name lock: every resource of a stack with its type, name, parent and protection.

A logical name is state: where it changes, the engine deletes the resource and makes another. So
the names are kept in ``<name>.json``, and a test fails when the program disagrees.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tests.recorder import estate

FOLDER = Path(__file__).resolve().parent


NAMES: Final = ("staging", "production", "production-kubernetes")
"""The stacks as their files have them, and one of them with the alternative runtime."""


def present(name: str) -> list[dict[str, Any]]:
    """What the program makes today."""
    stack, _, runtime = name.partition("-")
    recording = estate(stack, runtime=runtime) if runtime else estate(stack)
    rows = [
        {
            "type": resource.type,
            "name": resource.name,
            "parent": resource.parent,
            "protect": resource.protect,
        }
        for resource in recording.resources
    ]
    return sorted(rows, key=lambda row: (row["parent"], row["type"], row["name"]))


def kept(name: str) -> list[dict[str, Any]]:
    """What it made when the inventory was last written."""
    rows: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return rows


def write(name: str) -> None:
    """Make what there is today the inventory."""
    rows = ",\n".join(f"  {json.dumps(row)}" for row in present(name))
    (FOLDER / f"{name}.json").write_text(f"[\n{rows}\n]\n", "utf-8")

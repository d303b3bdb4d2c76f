"""What a JSON Schema accepts, in words, and how its references resolve.

Serves the messages about wrong settings and the generated table in ``docs/settings.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Node = Mapping[str, Any]


def resolve(root: Node, node: Node) -> Node:
    """The node that a ``$ref`` points to. Of a choice between a type and null, the type.

    The description at the place of use takes precedence over the one at the target.
    """
    description = {key: value for key, value in node.items() if key == "description"}
    for choice in node.get("anyOf", ()):
        if choice.get("type") != "null":
            return resolve(root, {**choice, **description})
    if "$ref" not in node:
        return node
    return {**root["$defs"][node["$ref"].removeprefix("#/$defs/")], **description}


def node_at(root: Node, location: Sequence[int | str]) -> Node:
    """The node that describes the value at ``location``; empty where the schema has none."""
    node = resolve(root, root)
    for step in location:
        if isinstance(step, int):
            child = node.get("items")
        else:
            child = node.get("properties", {}).get(step) or node.get("additionalProperties")
        node = resolve(root, child or {})
    return node


def describe(node: Node) -> str:
    """What a node accepts: its description, its choices or its range."""
    description = str(node.get("description", ""))
    match node:
        case {"enum": choices}:
            accepted = f"one of {', '.join(map(str, choices))}"
        case {"type": "integer"}:
            accepted = f"a whole number{_range(node, 'minimum', 'maximum')}"
        case {"type": "number"}:
            accepted = f"a number{_range(node, 'minimum', 'maximum')}"
        case {"type": "boolean"}:
            accepted = "true or false"
        case {"type": "array"}:
            accepted = f"a list{_range(node, 'minItems', 'maxItems')}"
        case {"properties": properties}:
            return f"a section with {', '.join(properties)}"
        case {"type": "object"}:
            accepted = "a section of settings"
        case _:
            return description or "text"
    return f"{description}: {accepted}" if description else accepted


def _range(node: Node, minimum_key: str, maximum_key: str) -> str:
    match node.get(minimum_key), node.get(maximum_key):
        case None, None:
            text = ""
        case minimum, None:
            text = f", at least {minimum}"
        case None, maximum:
            text = f", at most {maximum}"
        case minimum, maximum:
            text = f", {minimum} to {maximum}"
    return f"{text}, in steps of {node['multipleOf']}" if "multipleOf" in node else text

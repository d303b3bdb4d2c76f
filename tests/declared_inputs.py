"""The inputs that the estate sets in any variant: ``policies/rules/declared_inputs.json``."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any, Final

from policies.rules.declared_inputs import FILE
from sandbox.schema import Shape, UnknownType, schema_of
from tests.recorder import Secret
from tests.variants import VARIANTS

PROVIDERS: Final = ("gcp:", "cloudflare:", "vercel:", "random:", "kubernetes:", "pulumiservice:")
HELM: Final = "kubernetes:helm.sh"
"""A chart's values have no schema; the rule eso-operator-scoped decides about them."""

ANY: Final = Shape("any")

Tree = dict[str, Any]


def declared_inputs() -> Tree:
    """The names by type."""
    found: Tree = {}
    for row in chain.from_iterable(variant.resources() for variant in VARIANTS):
        if row.type.startswith(PROVIDERS) and not row.type.startswith(HELM):
            found[row.type] = _merged(found.get(row.type), row.inputs, _shape(row.type))
    return found


def write() -> None:
    """Make what the estate sets today the list."""
    FILE.write_text(json.dumps(declared_inputs(), indent=1, sort_keys=True) + "\n", "utf-8")


def _shape(token: str) -> Shape:
    try:
        return schema_of(token).inputs
    except UnknownType:
        return ANY


def _merged(names: Tree | None, value: Any, shape: Shape) -> Tree | None:
    """``names`` and those in ``value``; None for a value, and for a map with free keys."""
    if isinstance(value, Secret):
        return _merged(names, value.value, shape)
    if isinstance(value, list):
        for item in value:
            names = _merged(names, item, shape.element or ANY)
    elif isinstance(value, dict) and shape.kind != "map":
        names = names or {}
        for name, item in value.items():
            names[name] = _merged(names.get(name), item, shape.fields.get(name, ANY))
    return names

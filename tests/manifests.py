"""Manifests against the schemas of Kubernetes and of the External Secrets operator, strictly.

The schemas are those that the versions in ``tests/tools/cluster.py`` publish in their Go modules.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator

from tests.tools.cluster import external_secrets_definitions, openapi

Schema = dict[str, Any]

_PREFIX: Final = "#/definitions/"
_OBJECT_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

# The document calls both of them strings; the server takes numbers, too.
_LOOSE: Final[dict[str, Schema]] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": ["string", "number"]},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["string", "integer"]},
}


def check(manifest: Mapping[str, Any]) -> list[str]:
    """Everything in a manifest that its schema does not allow, as ``spec.replicas: ...``.

    A field that the schema does not have is a problem; so is a kind that nobody defines.

    Raises:
        GoError: there is no Go, or the modules with the schemas cannot be had.
    """
    api_version, kind = str(manifest.get("apiVersion")), str(manifest.get("kind"))
    validator = _validator(api_version, kind)
    if validator is None:
        return [f"kind: neither Kubernetes nor the operator has a {kind} in {api_version}"]
    errors = sorted(validator.iter_errors(manifest), key=lambda error: error.json_path)
    return [f"{error.json_path.removeprefix('$.')}: {error.message}" for error in errors]


@functools.cache
def _validator(api_version: str, kind: str) -> Draft202012Validator | None:
    found = _built_in().get((api_version, kind)) or _custom().get((api_version, kind))
    if found is None:
        return None
    return Draft202012Validator({**found, "definitions": _definitions()})


@functools.cache
def _definitions() -> dict[str, Schema]:
    document = json.loads(openapi().read_text("utf-8"))
    return {name: _strict(schema) for name, schema in document["definitions"].items()} | _LOOSE


@functools.cache
def _built_in() -> dict[tuple[str, str], Schema]:
    return {
        (f"{entry['group']}/{entry['version']}".removeprefix("/"), entry["kind"]): {
            "$ref": _PREFIX + name
        }
        for name, schema in _definitions().items()
        for entry in schema.get("x-kubernetes-group-version-kind", ())
    }


@functools.cache
def _custom() -> dict[tuple[str, str], Schema]:
    found = {}
    for file in external_secrets_definitions().glob("*external-secrets.io_*.yaml"):
        spec = yaml.safe_load(file.read_text("utf-8"))["spec"]
        for version in spec["versions"]:
            if version["served"]:
                schema = _strict(version["schema"]["openAPIV3Schema"])
                schema["properties"]["metadata"] = {"$ref": _PREFIX + _OBJECT_META}
                found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def _strict(schema: Schema) -> Schema:
    """The schema with its objects closed, wherever it does not say itself what else may be there.

    The branches of ``anyOf`` and the like stay as they are: they only add conditions.
    """
    strict = dict(schema)
    if "properties" in schema:
        strict["properties"] = {
            name: _strict(inside) for name, inside in schema["properties"].items()
        }
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            strict.setdefault("additionalProperties", False)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            strict[name] = _strict(schema[name])
    if schema.get("x-kubernetes-int-or-string"):
        strict["type"] = ["string", "integer"]
    return strict

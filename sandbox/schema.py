"""The resource types of the providers, read from the installed SDKs and the registry.

A type's ``Schema`` is built on first use: the shapes of its inputs, and the names and types of its
outputs. ``check`` compares inputs with it and converts scalars as Pulumi's Terraform bridge does:
"5" becomes 5 where the type is a number.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import inspect
import re
import sys
import threading
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal

from pulumi import _types
from pulumi.runtime.rpc import get_resource_module

from resource_types import RESOURCE_TYPES, ResourceType
from sandbox.schema_cache import cached
from sandbox.values import (
    DEFAULTS,
    UNKNOWN,
    Properties,
    is_secret,
    is_special,
    join,
    reveal,
    secret,
)

SDKS: Final = {
    "gcp": "pulumi_gcp",
    "cloudflare": "pulumi_cloudflare",
    "vercel": "pulumiverse_vercel",
    "kubernetes": "pulumi_kubernetes",
    "random": "pulumi_random",
    "pulumiservice": "pulumi_pulumiservice",
}
"""The Python package of each provider, by the provider's name."""

# The two forms in which the SDK generators write a list of values into a docstring.
_VALUE_LISTS: Final = (
    re.compile(r"Possible values are: ((?:`[^`\s]+`, )*`[^`\s]+`)\.(?=\s|$)"),
    re.compile(r'Available values: ((?:"[^"\s]+", )*"[^"\s]+")\.(?=\s|$)'),
)

_COMPUTED: Final = re.compile(r"^\s*\((?:Output|Computed)\b")
"""The mark of a field that only the provider sets, in the documentation of Google's provider."""


@dataclass(frozen=True, slots=True)
class CheckFailure:
    """An input that is not valid: its property path, and the reason."""

    path: str
    reason: str


@dataclass(slots=True)
class Shape:
    """The type of a value.

    Attributes:
        kind: the JSON type.
        element: the shape of the elements of a list or a map. An object that has it accepts fields
            besides ``fields``.
        fields: the shapes of an object's fields.
        required: the names of the fields that an object must have.
        computed: the names of the fields that only the provider sets, although the SDK lists them
            among the inputs.
        allowed: the only values that a string may have; empty for no limit.
    """

    kind: Literal["any", "string", "integer", "number", "boolean", "list", "map", "object"]
    element: Shape | None = None
    fields: dict[str, Shape] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()
    allowed: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """The inputs and the outputs of a type; ``outputs.computed`` are those that are always set."""

    inputs: Shape
    outputs: Shape


class UnknownType(Exception):
    """The installed SDK of the provider does not contain the resource type."""


@functools.cache
def version(provider: str) -> str:
    """The version of the installed SDK, which the engine expects of the provider."""
    return _installed(SDKS[provider])


@functools.cache
def _installed(package: str) -> str:
    return importlib.metadata.version(package.replace("_", "-"))


def schema_of(token: str) -> Schema:
    """The schema of a resource type such as ``gcp:sql/databaseInstance:DatabaseInstance``.

    Raises:
        UnknownType: the SDK does not contain the type.
    """
    with _IMPORT_LOCK:
        return _schema_of(token)


_IMPORT_LOCK: Final = threading.Lock()
"""The SDKs import their modules lazily, and a second thread would see a half imported module."""


@functools.cache
def _schema_of(token: str) -> Schema:
    return cached(token, _versions(token.partition(":")[0]), lambda: _read_schema(token))


def _versions(provider: str) -> str:
    """The versions of all that a provider's schemas are read with."""
    return f"{SDKS[provider]} {version(provider)}, pulumi {_installed('pulumi')}"


def record_of(token: str) -> ResourceType:
    """The registry's record of a type; an empty one for a type that is not in the registry."""
    return RESOURCE_TYPES.get(token) or ResourceType(token=token)


def _read_schema(token: str) -> Schema:
    provider, module_name, _ = token.split(":")
    importlib.import_module(SDKS[provider])
    module: Any = get_resource_module(provider, module_name, "")
    if module is None and provider == "kubernetes" and "." in module_name:
        return _custom_resource()
    if module is None or token not in module.mod_info["classes"]:
        raise UnknownType(f"{SDKS[provider]} {version(provider)} has no resource type {token}")
    name = module.mod_info["classes"][token]
    resource = getattr(importlib.import_module(module.mod_info["fqn"]), name)
    module_names = vars(sys.modules[resource.__module__])
    # The Kubernetes SDK uses the name InitArgs where Args is the nested type of the same name.
    arguments = module_names.get(f"{name}InitArgs") or module_names[f"{name}Args"]
    inputs = _object(arguments)
    return Schema(inputs, outputs=_outputs(resource, inputs))


def _custom_resource() -> Schema:
    """What every Kubernetes object has; the rest is only in the definition in the cluster."""
    from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

    anything = Shape("any")
    fields = {
        "apiVersion": Shape("string"),
        "kind": Shape("string"),
        "metadata": _object(ObjectMetaArgs),
        "spec": anything,
    }
    required = frozenset({"apiVersion", "kind"})
    return Schema(Shape("object", anything, fields, required), outputs=Shape("object"))


@functools.cache
def provider_settings(provider: str) -> frozenset[str]:
    """The names of the provider's own settings."""

    def read() -> frozenset[str]:
        module = importlib.import_module(f"{SDKS[provider]}.provider")
        return frozenset(_types.input_type_py_to_pulumi_names(module.ProviderArgs).values())

    with _IMPORT_LOCK:
        return cached(provider, _versions(provider), read)


def _object(arguments: type) -> Shape:
    """The shape of an ``...Args`` class.

    The shape is cached before it has fields, because some classes contain themselves.
    """
    shape = _SHAPES.get(arguments)
    if shape is not None:
        return shape
    shape = _SHAPES[arguments] = Shape("object")
    wire_names = _types.input_type_py_to_pulumi_names(arguments)
    hints = _types.input_type_types(arguments)
    computed = []
    for python_name, wire_name in wire_names.items():
        documentation = getattr(arguments, python_name).fget.__doc__ or ""
        shape.fields[wire_name] = _shape(hints[wire_name], _listed_values(documentation))
        if _COMPUTED.search(documentation):
            computed.append(wire_name)
    shape.computed = frozenset(computed)
    parameters = inspect.signature(arguments.__init__).parameters  # type: ignore[misc]
    shape.required = frozenset(
        wire_names[name]
        for name, parameter in parameters.items()
        if name in wire_names and parameter.default is inspect.Parameter.empty
    )
    return shape


_SHAPES: dict[type, Shape] = {}
_SCALARS: Final[dict[Any, Literal["string", "integer", "number", "boolean"]]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
}


def _shape(hint: Any, allowed: tuple[str, ...] = ()) -> Shape:
    hint = _types.unwrap_type(hint)
    if hint in _SCALARS:
        return Shape(_SCALARS[hint], allowed=allowed if hint is str else ())
    if isinstance(hint, type):
        if _types.is_input_type(hint):
            return _object(hint)
        if issubclass(hint, Enum):
            return Shape("string", allowed=tuple(member.value for member in hint))
        return Shape("any")
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return Shape("string", allowed=parts)
    if origin in (list, Sequence):
        return Shape("list", element=_shape(parts[0], allowed))
    if origin in (dict, Mapping):
        return Shape("map", element=_shape(parts[1]))
    return Shape("any")


def _listed_values(documentation: str) -> tuple[str, ...]:
    """The values that a generated docstring lists; empty if it has no list or several."""
    found = [match for pattern in _VALUE_LISTS for match in pattern.findall(documentation)]
    if len(found) != 1:
        return ()
    # The generator of Cloudflare's SDK reads the underscore in a_b as emphasis and writes a*b.
    return tuple(value.replace("*", "_") for value in re.findall(r'[`"]([^`"]+)[`"]', found[0]))


def _outputs(resource: type, inputs: Shape) -> Shape:
    """The outputs; those that are inputs too have the input's shape, which knows nested fields."""
    names = _types.resource_py_to_pulumi_names(resource)
    hints = _types.resource_types(resource)
    fields, computed = {}, []
    for python_name, wire_name in names.items():
        annotation = getattr(resource, python_name).fget.__annotations__["return"]
        (content,) = typing.get_args(annotation)
        if type(None) not in typing.get_args(content):
            computed.append(wire_name)
        fields[wire_name] = inputs.fields.get(wire_name) or _shape(hints[wire_name])
    return Shape("object", fields=fields, computed=frozenset(computed))


def check(inputs: Properties, shape: Shape) -> tuple[Properties, list[CheckFailure]]:
    """The inputs with scalars converted to the types of the SDK, and every failure."""
    failures: list[CheckFailure] = []
    checked = _check(inputs, shape, "", failures)
    return typing.cast(Properties, checked), failures


def _check(value: Any, shape: Shape, path: str, failures: list[CheckFailure]) -> Any:
    if value == UNKNOWN or value is None or shape.kind == "any":
        return value
    if is_secret(value):
        return secret(_check(value["value"], shape, path, failures))
    if isinstance(value, Mapping) and is_special(value):
        value = reveal(value)
    match shape.kind:
        case "list":
            return _check_list(value, shape, path, failures)
        case "map" | "object":
            return _check_mapping(value, shape, path, failures)
        case _:
            return _check_scalar(value, shape, path, failures)


def _check_list(value: Any, shape: Shape, path: str, failures: list[CheckFailure]) -> Any:
    if not isinstance(value, list):
        failures.append(CheckFailure(path, f"expected a list, got {_describe(value)}"))
        return value
    assert shape.element is not None
    return [
        _check(element, shape.element, join(path, index), failures)
        for index, element in enumerate(value)
    ]


def _check_mapping(value: Any, shape: Shape, path: str, failures: list[CheckFailure]) -> Any:
    if not isinstance(value, Mapping):
        failures.append(CheckFailure(path, f"expected an object, got {_describe(value)}"))
        return value
    for name in sorted(shape.required - value.keys()):
        failures.append(CheckFailure(join(path, name), "missing required property"))
    checked = {}
    for name, element in value.items():
        expected = shape.fields.get(name) or shape.element
        if expected is not None:
            checked[name] = _check(element, expected, join(path, name), failures)
        elif name == DEFAULTS:
            checked[name] = element
        else:
            known = ", ".join(_nearest(name, shape.fields))
            failures.append(CheckFailure(join(path, name), f"no such property; there is {known}"))
    return checked


def _nearest(name: str, fields: Mapping[str, Shape]) -> Iterator[str]:
    import difflib  # needed only for an error

    yield from difflib.get_close_matches(name, fields, n=3, cutoff=0.5) or sorted(fields)[:8]


def _check_scalar(value: Any, shape: Shape, path: str, failures: list[CheckFailure]) -> Any:
    try:
        value = _CONVERSIONS[shape.kind](value)
    except ValueError:
        failures.append(
            CheckFailure(path, f"expected {_TYPE_NAMES[shape.kind]}, got {_describe(value)}")
        )
        return value
    if shape.allowed and value not in shape.allowed:
        allowed = ", ".join(str(choice) for choice in shape.allowed)
        failures.append(
            CheckFailure(path, f"{value!r} is not allowed; possible values are {allowed}")
        )
    return value


def _string(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case _:
            raise ValueError


def _boolean(value: Any) -> bool:
    match value:
        case bool():
            return value
        case "true" | "false":
            return bool(value == "true")
        case _:
            raise ValueError


def _integer(value: Any) -> int:
    number = _number(value)
    if isinstance(number, float):
        raise ValueError
    return number


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    number = float(value)
    return int(number) if number.is_integer() else number


_CONVERSIONS: Final = {
    "string": _string,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
}
_TYPE_NAMES: Final = {
    "string": "a string",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
}


def _describe(value: Any) -> str:
    match value:
        case Mapping():
            return "an object"
        case list():
            return "a list"
        case bool():
            return "true" if value else "false"
        case _:
            return repr(value)

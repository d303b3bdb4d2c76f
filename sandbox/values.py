"""Property values, as the engine and a provider exchange them.

In this package a value is plain JSON data with two markers: ``UNKNOWN`` for a value that is not
known yet, and a mapping with a signature around a secret value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.protobuf.struct_pb2 import NULL_VALUE, Struct, Value
from pulumi.runtime import rpc

Properties = dict[str, Any]

UNKNOWN: Final[str] = rpc.UNKNOWN
DEFAULTS: Final = "__defaults"
"""The input in which a bridged provider lists the inputs that it set itself."""

# The SDK has no public names for these constants of the protocol.
_SIGNATURE: Final = rpc._special_sig_key
_SECRET: Final = rpc._special_secret_sig
_RESOURCE: Final = rpc._special_resource_sig
_REDACTED: Final = "[secret]"
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][\w$-]*")


def decode(struct: Struct) -> Properties:
    """The data of a message, without nulls in mappings; whole numbers become integers."""
    decoded = ((name, _decode(value)) for name, value in struct.fields.items())
    return {name: value for name, value in decoded if value is not None}


def _decode(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "struct_value":
            content = decode(value.struct_value)
            # The engine marks an output as secret even if it is null.
            return None if is_secret(content) and "value" not in content else content
        case "list_value":
            return [_decode(element) for element in value.list_value.values]
        case _:
            return None


def encode(properties: Mapping[str, Any]) -> Struct:
    """The message for the data."""
    struct = Struct()
    _fill(struct, properties)
    return struct


def _fill(struct: Struct, properties: Mapping[str, Any]) -> None:
    for name, value in properties.items():
        _assign(struct.fields[name], value)


def _assign(target: Value, value: Any) -> None:
    match value:
        case None:
            target.null_value = NULL_VALUE
        case bool():
            target.bool_value = value
        case int() | float():
            target.number_value = value
        case str():
            target.string_value = value
        case Mapping():
            target.struct_value.SetInParent()
            _fill(target.struct_value, value)
        case _:
            target.list_value.SetInParent()
            for element in value:
                _assign(target.list_value.values.add(), element)


def secret(value: Any) -> Properties:
    """The value marked as a secret, without the marks inside it."""
    return {_SIGNATURE: _SECRET, "value": reveal(value)}


def is_secret(value: Any) -> bool:
    """Whether the value itself is marked, and not only a value inside it."""
    return isinstance(value, Mapping) and value.get(_SIGNATURE) == _SECRET


def reveal(value: Any) -> Any:
    """The value without secret marks, and with the id in the place of a resource."""
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            return reveal(value["value"])
        if value.get(_SIGNATURE) == _RESOURCE:
            return value.get("id", UNKNOWN)
        return {name: reveal(element) for name, element in value.items()}
    if isinstance(value, list):
        return [reveal(element) for element in value]
    return value


def mark_secret(value: Any, pattern: str) -> Any:
    """The value with a secret mark on each value that matches a pattern, as of ``values_at``."""
    if value is None or is_secret(value):
        return value
    if not pattern:
        return secret(value)
    if pattern.startswith("[]"):
        rest = pattern[2:].removeprefix(".")
        is_list = isinstance(value, list)
        return [mark_secret(element, rest) for element in value] if is_list else value
    key, rest = _first_step(pattern)
    if not isinstance(value, Mapping) or key not in value:
        return value
    return {**value, key: mark_secret(value[key], rest)}


def redact(value: Any) -> Any:
    """The value with a fixed text in the place of every secret, for printing."""
    if is_secret(value):
        return _REDACTED
    if isinstance(value, Mapping):
        return {name: redact(element) for name, element in value.items()}
    if isinstance(value, list):
        return [redact(element) for element in value]
    return value


def fill(value: Any, defaults: Any) -> Any:
    """The value with defaults for what it does not set, at any depth; secrets stay marked."""
    if is_secret(value):
        return secret(fill(value["value"], defaults))
    if isinstance(value, Mapping) and isinstance(defaults, Mapping) and not is_special(value):
        filled = {name: fill(element, defaults.get(name)) for name, element in value.items()}
        return {**defaults, **filled}
    if isinstance(value, list) and isinstance(defaults, list) and len(value) == len(defaults):
        return [fill(*pair) for pair in zip(value, defaults, strict=True)]
    return value


def from_state(value: Any) -> Any:
    """A value of the engine's deployment with its secrets in plain text, as this package has it."""
    if is_secret(value):
        return secret(from_state(json.loads(value["plaintext"])))
    if isinstance(value, Mapping):
        return {name: from_state(element) for name, element in value.items()}
    if isinstance(value, list):
        return [from_state(element) for element in value]
    return value


def is_special(value: Mapping[str, Any]) -> bool:
    """Whether the mapping has a signature, as a secret or an asset has."""
    return _SIGNATURE in value


def join(path: str, key: str | int) -> str:
    """The property path of an element: ``a.b``, ``a[0]``, ``a["x.y"]``."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not _PLAIN_KEY.fullmatch(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def values_at(value: Any, pattern: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """The path and value of every known value that matches a pattern.

    A pattern is a property path such as ``template.containers[].image``. Values that are not set or
    not known yet are skipped, so that no check sees them.
    """
    if value is None or value == UNKNOWN:
        return
    if not pattern:
        yield path, value
    elif pattern.startswith("[]"):
        for index, element in enumerate(value):
            yield from values_at(element, pattern[2:].removeprefix("."), join(path, index))
    else:
        key, rest = _first_step(pattern)
        yield from values_at(value.get(key), rest, join(path, key))


def _first_step(pattern: str) -> tuple[str, str]:
    """The first name of a pattern, and what follows it."""
    key, rest = re.fullmatch(r"([^.\[]+)\.?(.*)", pattern).groups()  # type: ignore[union-attr]
    return key, rest

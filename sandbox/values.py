"""Property values as they travel between the engine and a provider.

Inside this package a value is plain JSON data. Two things travel in it as markers: a value that is
not known yet (``UNKNOWN``) and a secret (a mapping with a signature around the value).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.protobuf.struct_pb2 import NULL_VALUE, Struct, Value
from pulumi.runtime import rpc

Properties = dict[str, Any]

UNKNOWN: Final[str] = rpc.UNKNOWN
DEFAULTS: Final = "__defaults"
"""The input in which a bridged provider notes which other inputs it filled in itself."""

# The SDK has these constants of the wire, but no public names for them.
_SIGNATURE: Final = rpc._special_sig_key
_SECRET: Final = rpc._special_secret_sig
_RESOURCE: Final = rpc._special_resource_sig
_MASK: Final = "[secret]"
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][\w$-]*")


def decode(struct: Struct) -> Properties:
    """Plain data of a message; nulls in mappings are left out, whole numbers become integers."""
    return {
        name: _decode(value)
        for name, value in struct.fields.items()
        if value.WhichOneof("kind") != "null_value"
    }


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
            return decode(value.struct_value)
        case "list_value":
            return [_decode(element) for element in value.list_value.values]
        case _:
            return None


def encode(properties: Mapping[str, Any]) -> Struct:
    """The message for plain data."""
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
    """The value marked as a secret; marks inside it are dropped, as the outer one covers them."""
    return {_SIGNATURE: _SECRET, "value": reveal(value)}


def is_secret(value: Any) -> bool:
    """Whether the value itself is marked; a mapping that only holds secrets is not."""
    return isinstance(value, Mapping) and value.get(_SIGNATURE) == _SECRET


def reveal(value: Any) -> Any:
    """The value with every secret inside it bare, and a resource in it replaced by its id."""
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            return reveal(value["value"])
        if value.get(_SIGNATURE) == _RESOURCE:
            return value.get("id", UNKNOWN)
        return {name: reveal(element) for name, element in value.items()}
    if isinstance(value, list):
        return [reveal(element) for element in value]
    return value


def mask(value: Any) -> Any:
    """The value with every secret inside it replaced by a fixed word, fit to be printed."""
    if is_secret(value):
        return _MASK
    if isinstance(value, Mapping):
        return {name: mask(element) for name, element in value.items()}
    if isinstance(value, list):
        return [mask(element) for element in value]
    return value


def fill(value: Any, filled: Any) -> Any:
    """The value with what is filled in where it says nothing, at any depth; secrets stay marked."""
    if is_secret(value):
        return secret(fill(value["value"], filled))
    if isinstance(value, Mapping) and isinstance(filled, Mapping) and not is_special(value):
        inside = {name: fill(element, filled.get(name)) for name, element in value.items()}
        return {**filled, **inside}
    if isinstance(value, list) and isinstance(filled, list) and len(value) == len(filled):
        return [fill(*pair) for pair in zip(value, filled, strict=True)]
    return value


def is_special(value: Mapping[str, Any]) -> bool:
    """Whether the mapping is a marked value, such as an asset, and no plain mapping."""
    return _SIGNATURE in value


def join(path: str, key: str | int) -> str:
    """The property path one step further: ``a.b``, ``a[0]``, ``a["x.y"]``."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not _PLAIN_KEY.fullmatch(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def each(value: Any, pattern: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every known value under a pattern such as ``template.containers[].image``, with its path.

    Values that are absent or not known yet are passed over, so that a rule never judges them.
    """
    if value is None or value == UNKNOWN:
        return
    if not pattern:
        yield path, value
    elif pattern.startswith("[]"):
        for index, element in enumerate(value):
            yield from each(element, pattern[2:].removeprefix("."), join(path, index))
    else:
        key, rest = re.fullmatch(r"([^.\[]+)\.?(.*)", pattern).groups()  # type: ignore[union-attr]
        yield from each(value.get(key), rest, join(path, key))

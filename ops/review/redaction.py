"""Property values as the engine sends them: secrets redacted, unknown values, property paths."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

SECRET: Final = "[secret]"
KNOWN_AFTER_APPLY: Final = "(known after apply)"
"""How a value is shown that the provider decides."""

# Signatures of the engine's wire format (sdk/go/common/resource/sig, plugin/rpc.go).
_SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"
_UNKNOWN: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # any value
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)

_PATH_ELEMENT: Final = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[\]]+)')


def is_unknown(value: object) -> bool:
    """Whether the provider decides the value, so that a preview does not know it."""
    return isinstance(value, str) and value in _UNKNOWN


def is_marked_secret(value: Mapping[str, Any]) -> bool:
    """Whether the engine marks the value itself as secret, and not only a value inside it."""
    return bool(value.get(_SIGNATURE_KEY) == _SECRET_SIGNATURE)


def redacted(value: Any) -> Any:
    """``value`` with every secret in it replaced by ``[secret]``."""
    if isinstance(value, Mapping):
        if is_marked_secret(value):
            return SECRET
        return {key: redacted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return value


def secret_values(value: Any) -> Iterator[Any]:
    """The secrets in a deployment that was exported with its secrets in plain text."""
    if isinstance(value, Mapping):
        if is_marked_secret(value):
            yield json.loads(value["plaintext"])
        else:
            for item in value.values():
                yield from secret_values(item)
    elif isinstance(value, list):
        for item in value:
            yield from secret_values(item)


def redacted_like(value: Any, *others: Any) -> Any:
    """``value`` with ``[secret]`` wherever one of ``others`` has it.

    A value that was secret before the operation stays redacted after it. An item of a list is
    compared with every item of the other lists, because its position may have changed.
    """
    if value is not None and SECRET in others:
        return SECRET
    if isinstance(value, Mapping):
        mappings = [other for other in others if isinstance(other, Mapping)]
        return {
            key: redacted_like(item, *(other[key] for other in mappings if key in other))
            for key, item in value.items()
        }
    if isinstance(value, list):
        items = [item for other in others if isinstance(other, list) for item in other]
        return [redacted_like(item, *items) for item in value]
    return value


def at_path(value: Any, path: str) -> Any:
    """The item of ``value`` at an engine's property path (``a.b[0]["c.d"]``), or None.

    Everything inside a secret is secret as well.
    """
    for element in path_elements(path):
        if value == SECRET:
            return SECRET
        if isinstance(element, int):
            items = value if isinstance(value, list) else []
            value = items[element] if element < len(items) else None
        else:
            value = value.get(element) if isinstance(value, Mapping) else None
    return value


def path_elements(path: str) -> Iterator[str | int]:
    """The keys and the indices of an engine's property path."""
    for quoted, index, key in _PATH_ELEMENT.findall(path):
        yield int(index) if index else quoted or key


def differing_paths(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """The engine's property paths at which two values differ."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            step = f".{key}" if re.fullmatch(r"[A-Za-z_]\w*", key) else f'["{key}"]'
            yield from differing_paths(old.get(key), new.get(key), f"{path}{step}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from differing_paths(before, after, f"{path}[{index}]")
    elif old != new:
        yield path

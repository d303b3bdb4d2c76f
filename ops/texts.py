"""The texts in a value: what may be read where the value ends up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a value, and the items of JSON and the password of a URL in a text."""
    match value:
        case bool() | None:
            return
        case str():
            yield value
            yield from _inner(value)
        case bytes():
            yield from texts_in(value.decode("utf-8", "replace"))
        case int():
            yield str(value)
        case Mapping():
            for item in value.values():
                yield from texts_in(item)
        case list() | tuple() | set() | frozenset():
            for item in value:
                yield from texts_in(item)


def _inner(text: str) -> Iterator[str]:
    if text.lstrip().startswith(("{", "[")):
        try:
            yield from texts_in(json.loads(text))
        except (ValueError, RecursionError):
            return
    elif "://" in text and "@" in text:
        try:
            yield urlsplit(text).password or ""
        except ValueError:
            return

"""Errors in settings, each with what a person needs to correct it.

``validate`` is the one way from a raw value to a typed one. It turns what pydantic reports into
:class:`SettingError` objects: the full path, the value in a form that a log may show, and what is
expected instead.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pulumi import RunError
from pydantic import TypeAdapter, ValidationError

from components.config.json_schema import Node, describe, node_at

HIDDEN: Final = "[secret]"
"""Replaces a value that may be a secret in the wrong place."""

MAX_VALUE_LENGTH: Final = 200
"""Characters of a value that are shown."""

MAX_ERRORS: Final = 20
"""Errors that a message shows; it counts the others."""


@dataclass(frozen=True, slots=True)
class SettingError:
    """One wrong setting.

    Attributes:
        path: dotted path, such as ``pull:redis.memory_gib``.
        value: safe to log: a possible secret is hidden and a long value is cut.
        expected: what the setting accepts, in words.
    """

    path: str
    value: object
    expected: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _loggable(self.path, self.value))

    def __str__(self) -> str:
        shown = "nothing" if self.value is None else json.dumps(self.value, default=str)
        return f"{self.path}\n    is        {shown}\n    expected  {self.expected}"


class SettingsError(RunError):
    """The settings cannot be used. ``errors`` lists everything that is wrong with them.

    ``shown`` has the first of them.

    The language host prints a ``RunError`` without a stack trace.
    """

    def __init__(self, source: str, errors: tuple[SettingError, ...]) -> None:
        self.errors = errors
        self.shown = errors[:MAX_ERRORS]
        count = "1 setting is" if len(errors) == 1 else f"{len(errors)} settings are"
        lines = [f"  {error}".replace("\n", "\n  ") for error in self.shown]
        if len(errors) > MAX_ERRORS:
            lines.append(f"  ... and {len(errors) - MAX_ERRORS} more.")
        listed = "\n\n".join(lines)
        super().__init__(f"{count} wrong in {source}; nothing was started.\n\n{listed}")


# -- paths and values --------------------------------------------------------------------------


def setting_path(parent: str, *steps: int | str) -> str:
    """The path of a setting below ``parent``."""
    return ".".join([parent, *map(quoted_key, steps)])


def section_path(name: str) -> str:
    """The path of the section ``name``."""
    return f"pull:{quoted_key(name)}"


def quoted_key(key: int | str) -> str:
    """A key as it appears in a path: in quotes unless it is a plain word."""
    text = str(key)
    return text if _PLAIN_KEY.fullmatch(text) else json.dumps(text[:MAX_VALUE_LENGTH])


_PLAIN_KEY: Final = re.compile(r"[\w-]{1,200}", re.ASCII)

# Deliberately broader than resource_types.limits.SECRET_NAME, which decides what *is* a secret:
# hiding too much in an error message costs nothing.
_SUSPICIOUS_KEY: Final = re.compile(
    r"(?i:secret|secure|token|passw|passphrase|pwd|private|credential|auth|key|dsn|cert)"
    # The name of a variable: the value below it is probably the variable's value.
    r"|^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$"
)
_SECRET_IN_TEXT: Final = re.compile(r"://[^/\s]*@|-----BEGIN")
_CONTRACT_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{0,40}")


def _loggable(path: str, value: object) -> object:
    # The section "secrets" holds settings of Secret Manager and no values; its keys decide.
    steps = path.removeprefix("pull:").removeprefix("secrets.").split(".")
    # The name PullToken looks suspicious, but the address of a contract is public.
    public = "contracts" in steps and isinstance(value, str) and _CONTRACT_ADDRESS.fullmatch(value)
    if value is not None and not public and any(map(_SUSPICIOUS_KEY.search, steps)):
        return HIDDEN
    shown = _without_secrets(value)
    text = shown if isinstance(shown, str) else json.dumps(shown, default=str)
    if len(text) <= MAX_VALUE_LENGTH:
        return shown
    return f"{text[:MAX_VALUE_LENGTH]}... ({len(text)} characters)"


def _without_secrets(value: object, depth: int = 0) -> object:
    if isinstance(value, str):
        return HIDDEN if _SECRET_IN_TEXT.search(value) else value
    if isinstance(value, Mapping | list | tuple) and depth == 8:
        return "..."
    if isinstance(value, Mapping):
        return {
            str(key): HIDDEN
            if _SUSPICIOUS_KEY.search(str(key))
            else _without_secrets(child, depth + 1)
            for key, child in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(item, depth + 1) for item in value]
    return value


def known_name(given: str, known: Iterable[str], position: int = 0) -> str:
    """What is expected instead of the unknown name ``given``.

    A name at a ``position`` that no message shows gets no suggestion, because the search for one
    takes most of the time where thousands of names are unknown.
    """
    names = list(known)
    similar = (
        difflib.get_close_matches(given[:MAX_VALUE_LENGTH], names, n=1)
        if position < MAX_ERRORS
        else []
    )
    hint = f" (did you mean {similar[0]}?)" if similar else ""
    return f"a known name{hint}: {', '.join(names)}"


# -- validation --------------------------------------------------------------------------------


def validate(name: str, expected_type: Any, value: object) -> tuple[object, list[SettingError]]:
    """The section ``name`` as an ``expected_type``, or all errors in it."""
    path = section_path(name)
    try:
        # Through JSON, because strict mode accepts a list for a tuple only there.
        text = json.dumps(value, default=str)
    except (TypeError, ValueError, RecursionError):
        return None, [SettingError(path, "...", expected_at(expected_type, ()))]
    try:
        return _adapter(expected_type).validate_json(text, strict=True), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    if details[0]["type"] == "json_invalid":  # a lone surrogate, or too deeply nested lists
        return None, [SettingError(path, value, expected_at(expected_type, ()))]
    # pydantic also reports a list as too short if only its invalid entries are missing from it.
    locations = [detail["loc"] for detail in details]
    details = [
        detail
        for detail in details
        if detail["type"] != "too_short"
        or not any(other[: len(detail["loc"])] == detail["loc"] != other for other in locations)
    ]
    unknown = [detail["loc"] for detail in details if detail["type"] == "extra_forbidden"]
    errors = [
        error
        for position, detail in enumerate(details)
        if not unknown or detail["type"] == "extra_forbidden"
        for error in _errors(name, expected_type, dict(detail), position)
    ]
    if unknown:
        # pydantic runs the validators of a whole model only if the model has no unknown key.
        errors += validate(name, expected_type, _without(json.loads(text), unknown))[1]
    return None, errors


@functools.cache
def _adapter(expected_type: Any) -> TypeAdapter[Any]:
    return TypeAdapter(expected_type)


def _without(document: Any, locations: Iterable[tuple[int | str, ...]]) -> object:
    for *parents, key in locations:
        functools.reduce(lambda node, step: node[step], parents, document).pop(key)
    return document


def _errors(
    name: str, expected_type: object, detail: dict[str, Any], position: int
) -> Iterator[SettingError]:
    location = detail["loc"]
    if location[-1:] == ("[key]",) and detail["type"] != "extra_forbidden":
        location = location[:-1]  # pydantic's marker for an error in the key of a mapping
    path = setting_path(section_path(name), *location)
    value = None if detail["type"] == "missing" else detail["input"]
    context = detail.get("ctx") or {}
    match detail["type"]:
        case "rules":
            for error in context["errors"]:
                yield SettingError(f"{path}.{error.path}", error.value, error.expected)
            return
        case "expected":
            expected = context["expected"]
        case "extra_forbidden":
            known = node_at(_schema(expected_type), location[:-1])["properties"]
            expected = known_name(str(location[-1]), known, position)
        case "enum":  # the key of a mapping, which JSON Schema does not describe
            expected = f"one of {context['expected']}"
        case _:
            expected = expected_at(expected_type, location)
    yield SettingError(path, value, expected)


def expected_at(expected_type: object, location: Sequence[int | str]) -> str:
    """What ``expected_type`` accepts at ``location``, in words."""
    return describe(node_at(_schema(expected_type), location))


@functools.cache
def _schema(expected_type: object) -> Node:
    return _adapter(expected_type).json_schema()

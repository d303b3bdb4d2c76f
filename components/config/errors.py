"""Problems: what is wrong with settings, said so that a person can put it right.

``judge`` is the one way from a raw value to a typed one. It turns what pydantic reports into
problems, each with the full path, the value as a log may show it, and what is allowed.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

HIDDEN: Final = "[secret]"
"""Stands for a value that may be a secret put in the wrong place."""

LONGEST: Final = 200
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class SettingError:
    """One wrong setting: where it is, what stands there, and what may stand there.

    Attributes:
        value: fit for a log, whatever was given: a possible secret is hidden, a long value cut.
    """

    path: str
    value: object
    expected: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _presentable(self.path, self.value))

    def __str__(self) -> str:
        shown = "nothing" if self.value is None else json.dumps(self.value, default=str)
        return f"{self.path}\n    is        {shown}\n    expected  {self.expected}"


class SettingsError(Exception):
    """The settings cannot be used. ``problems`` holds all that is wrong with them."""

    def __init__(self, source: str, errors: tuple[SettingError, ...]) -> None:
        self.errors = errors
        count = "1 setting is" if len(errors) == 1 else f"{len(errors)} settings are"
        listed = "\n\n".join(f"  {problem}".replace("\n", "\n  ") for problem in errors)
        super().__init__(f"{count} wrong in {source}; nothing was started.\n\n{listed}")


# -- places and values -------------------------------------------------------------------------


def place(parent: str, *steps: int | str) -> str:
    """The path of a setting below ``parent``."""
    return ".".join([parent, *map(word, steps)])


def section(name: str) -> str:
    """The path of the section ``name``."""
    return f"pull:{word(name)}"


def word(key: int | str) -> str:
    """A key as it stands in a path: in quotes when it is more than a plain word."""
    text = str(key)
    return text if _WORD.fullmatch(text) else json.dumps(text[:LONGEST])


_WORD: Final = re.compile(r"[\w-]{1,200}", re.ASCII)

_SECRETIVE: Final = re.compile(
    r"(?i:secret|secure|token|passw|passphrase|pwd|private|credential|auth|key|dsn|cert)"
    # A variable's name: what stands under it is probably the variable's value.
    r"|^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$"
)
_SECRET_IN_TEXT: Final = re.compile(r"://[^/\s]*@|-----BEGIN")


_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{0,40}")


def _presentable(path: str, value: object) -> object:
    # The section "secrets" says how secrets are kept; what is below it speaks for itself.
    steps = path.removeprefix("pull:").removeprefix("secrets.").split(".")
    # The address of a PullToken is as public as a token gets.
    public = "contracts" in steps and isinstance(value, str) and _ADDRESS.fullmatch(value)
    if value is not None and not public and any(map(_SECRETIVE.search, steps)):
        return HIDDEN
    shown = _without_secrets(value)
    text = shown if isinstance(shown, str) else json.dumps(shown, default=str)
    return shown if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"


def _without_secrets(value: object, depth: int = 0) -> object:
    if isinstance(value, str):
        return HIDDEN if _SECRET_IN_TEXT.search(value) else value
    if isinstance(value, Mapping | list | tuple) and depth == 8:
        return "..."
    if isinstance(value, Mapping):
        return {
            str(key): HIDDEN if _SECRETIVE.search(str(key)) else _without_secrets(below, depth + 1)
            for key, below in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(below, depth + 1) for below in value]
    return value


def one_of(given: str, known: Iterable[str]) -> str:
    """What may stand in the place of a name that nobody knows."""
    names = list(known)
    near = difflib.get_close_matches(given[:LONGEST], names, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"no such setting: {hint}known are {', '.join(names)}"


# -- judging -----------------------------------------------------------------------------------


def judge(name: str, kind: Any, value: object) -> tuple[object, list[SettingError]]:
    """The section ``name`` as a ``kind``, or everything that is wrong with it."""
    try:
        # Through JSON, because strict mode takes a list for a tuple there and nowhere else.
        text = json.dumps(value, default=str)
    except (TypeError, ValueError, RecursionError):
        return None, [SettingError(section(name), "...", expected_at(kind, ()))]
    try:
        return _adapter(kind).validate_json(text, strict=True), []
    except ValidationError as error:
        found = error.errors(include_url=False)
    if found[0]["type"] == "json_invalid":  # half a character, or lists in lists in lists
        return None, [SettingError(section(name), value, expected_at(kind, ()))]
    # A list is also called too short when it only lacks the entries that are wrong.
    places = [one["loc"] for one in found]
    found = [
        one
        for one in found
        if one["type"] != "too_short"
        or not any(other[: len(one["loc"])] == one["loc"] != other for other in places)
    ]
    surplus = [one["loc"] for one in found if one["type"] == "extra_forbidden"]
    errors = [
        problem
        for one in found
        if not surplus or one["type"] == "extra_forbidden"
        for problem in _errors(name, kind, dict(one))
    ]
    if surplus:
        # A model judges its fields together only when it has no unknown key.
        errors += judge(name, kind, _without(json.loads(text), surplus))[1]
    return None, errors


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _without(document: Any, surplus: Iterable[tuple[int | str, ...]]) -> object:
    for *parents, key in surplus:
        functools.reduce(lambda node, step: node[step], parents, document).pop(key)
    return document


def _errors(name: str, kind: object, error: dict[str, Any]) -> Iterable[SettingError]:
    location = error["loc"]
    if location[-1:] == ("[key]",) and error["type"] != "extra_forbidden":
        location = location[:-1]  # pydantic's mark for the key of a mapping, which is at fault
    path = place(section(name), *location)
    value = None if error["type"] == "missing" else error["input"]
    context = error.get("ctx") or {}
    match error["type"]:
        case "rules":
            for wrong in context["wrong"]:
                yield SettingError(f"{path}.{wrong.path}", wrong.value, wrong.expected)
            return
        case "expected":
            expected = context["expected"]
        case "extra_forbidden":
            expected = one_of(str(location[-1]), _schema_at(kind, location[:-1])["properties"])
        case "enum":  # the key of a mapping, which has no place in the schema
            expected = f"one of {context['expected']}"
        case _:
            expected = expected_at(kind, location)
    yield SettingError(path, value, expected)


# -- what is allowed, from the JSON Schema -----------------------------------------------------


def expected_at(kind: object, location: Sequence[int | str]) -> str:
    """What may stand at ``location`` below a ``kind``, in words."""
    return in_words(_schema_at(kind, location))


def in_words(node: Mapping[str, Any]) -> str:
    """What a node of a JSON Schema allows: its description, its choices or its range."""
    description = str(node.get("description", ""))
    match node:
        case {"enum": choices}:
            words = f"one of {', '.join(map(str, choices))}"
        case {"type": "integer"}:
            words = f"a whole number{_range(node, 'minimum', 'maximum')}"
        case {"type": "number"}:
            words = f"a number{_range(node, 'minimum', 'maximum')}"
        case {"type": "boolean"}:
            words = "true or false"
        case {"type": "array"}:
            words = f"a list{_range(node, 'minItems', 'maxItems')}"
        case {"properties": properties}:
            return f"a section with {', '.join(properties)}"
        case {"type": "object"}:
            words = "a section of settings"
        case _:
            return description or "text"
    return f"{description}: {words}" if description else words


def _range(node: Mapping[str, Any], least: str, most: str) -> str:
    match node.get(least), node.get(most):
        case None, None:
            words = ""
        case low, None:
            words = f", at least {low}"
        case None, high:
            words = f", at most {high}"
        case low, high:
            words = f", {low} to {high}"
    return f"{words}, in steps of {node['multipleOf']}" if "multipleOf" in node else words


def _schema_at(kind: object, location: Sequence[int | str]) -> Mapping[str, Any]:
    root = _schema(kind)
    node = _resolved(root, root)
    for step in location:
        if isinstance(step, int):
            below = node.get("items")
        else:
            below = node.get("properties", {}).get(step) or node.get("additionalProperties")
        node = _resolved(root, below or {})
    return node


@functools.cache
def _schema(kind: object) -> Mapping[str, Any]:
    return _adapter(kind).json_schema()


def _resolved(root: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """``node`` with its reference followed; of "this or null", this."""
    for choice in node.get("anyOf", ()):
        if choice.get("type") != "null":
            return _resolved(
                root, {**choice, **{k: v for k, v in node.items() if k == "description"}}
            )
    if "$ref" not in node:
        return node
    target = root["$defs"][node["$ref"].removeprefix("#/$defs/")]
    return {**target, **{k: v for k, v in node.items() if k == "description"}}

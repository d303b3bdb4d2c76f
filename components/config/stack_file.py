"""A stack file as YAML, with the values that the engine will read from it.

The engine reads YAML 1.2 and passes settings to the program as JSON; PyYAML reads YAML 1.1. Where
the two disagree (``5e1`` is a number in YAML 1.2 and text in 1.1, ``13:00`` is the reverse), this
module follows the engine. A value that the engine would change is an error: an unquoted date, for
example, would reach the program as ``2026-10-01 00:00:00 +0000 UTC``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import yaml
from yaml.composer import Composer

from components.config.errors import (
    HIDDEN,
    SettingError,
    SettingsError,
    known_name,
    quoted_key,
    section_path,
    setting_path,
)

_TAG: Final = "tag:yaml.org,2002:"


class _Loader(Composer, yaml.CSafeLoader):
    """Resolves plain scalars as the engine's reader does.

    libyaml parses, which is five times as fast as Python for a large file. Its composer would crash
    the process on a deeply nested file, and the one in Python raises ``RecursionError``.
    """

    yaml_implicit_resolvers = {}  # noqa: RUF012 (PyYAML reads this attribute)

    def __init__(self, text: str) -> None:
        yaml.CSafeLoader.__init__(self, text)
        Composer.__init__(self)


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    (
        "int",
        r"^[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|0|[1-9][0-9_]*)$",
        list("-+0123456789"),
    ),
    (
        "float",
        r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$",
        list("-+.0123456789"),
    ),
    ("timestamp", r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?$", list("0123456789")),
):
    _Loader.add_implicit_resolver(f"{_TAG}{_tag}", re.compile(_pattern), _first)


DEFAULT_PROVIDERS: Final = "pulumi:disable-default-providers"

ENCRYPTED: Final = (
    "a value that is not encrypted: no setting is a secret; store secrets in Secret Manager"
)

SECTIONS: Final = ("config", "encryptedkey", "encryptionsalt", "secretsprovider")
"""The sections that a stack file may have: the settings, and how the engine encrypts its state."""


class StackFile:
    """The ``config:`` section of a ``Pulumi.<stack>.yaml``.

    Attributes:
        config: values by their full keys, such as ``pull:protect``.
        errors: sections and keys that a stack file cannot have, and values that the engine would
            read differently from what is written.

    Raises:
        SettingsError: the file cannot be read, or has no ``config:`` section.
    """

    def __init__(self, path: Path) -> None:
        self.errors: list[SettingError] = []
        self._seen: set[int] = set()
        reason: str | None = None
        try:
            root = _Loader(path.read_text(encoding="utf-8")).get_single_node()
            if isinstance(root, yaml.MappingNode):
                sections: dict[str, yaml.Node] = {}
                for name, _, node in self._items(root, ""):
                    sections.setdefault(name, node)
                self.errors += _unknown_sections(sections)
                if isinstance(config := sections.get("config"), yaml.MappingNode):
                    self.config = dict(self._config(config))
                    return
        except OSError as error:
            reason = error.strerror
        except UnicodeDecodeError:
            reason = "not UTF-8"
        except RecursionError:
            reason = "nested too deeply"
        except yaml.MarkedYAMLError as error:
            # Without the text that PyYAML quotes from the file: that may be a secret.
            mark = error.problem_mark
            reason = re.sub(r" '[^'<][^']+'", "", error.problem or "")
            if mark:
                reason = f"{reason} in line {mark.line + 1}"
        except yaml.YAMLError:
            reason = "not text: it contains control characters"
        expected = "a YAML file in UTF-8 with a config: section"
        raise SettingsError(path.name, (*self.errors, SettingError("config", reason, expected)))

    def _config(self, node: yaml.MappingNode) -> Iterator[tuple[str, object]]:
        for key, path, child in self._items(node, "config"):
            if key.startswith("pull:") or key == DEFAULT_PROVIDERS:
                yield key, self._value(child, path)
            elif _is_encrypted(child):
                self.errors.append(SettingError(path, HIDDEN, ENCRYPTED))
            else:
                yield key, child.value if isinstance(child, yaml.ScalarNode) else "..."

    def _items(self, node: yaml.MappingNode, path: str) -> Iterator[tuple[str, str, yaml.Node]]:
        lines: dict[str, int] = {}
        for key, child in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                expected = f"a plain word as the key in line {line}"
                self.errors.append(SettingError(path or "the file", None, expected))
                continue
            name: str = key.value
            if path == "config" and name.startswith("pull:"):
                inner = section_path(name.removeprefix("pull:"))
            else:
                inner = setting_path(path, name) if path else quoted_key(name)
            if name in lines:
                expected = f"this key only once; it is in line {lines[name]} and in line {line}"
                self.errors.append(SettingError(inner, None, expected))
            lines[name] = line
            yield name, inner, child

    def _value(self, node: yaml.Node, path: str) -> object:
        if id(node) in self._seen:
            expected = "the value itself, without anchors and aliases"
            self.errors.append(SettingError(path, None, expected))
            return None
        self._seen.add(id(node))
        match node.tag.removeprefix(_TAG), node:
            case "map", yaml.MappingNode():
                if _is_encrypted(node):
                    self.errors.append(SettingError(path, HIDDEN, ENCRYPTED))
                    return None
                items = {key: (inner, child) for key, inner, child in self._items(node, path)}
                return {key: self._value(child, inner) for key, (inner, child) in items.items()}
            case "seq", yaml.SequenceNode():
                return [
                    self._value(item, setting_path(path, index))
                    for index, item in enumerate(node.value)
                ]
            case "str" | "null" | "bool" | "int" | "float" as kind, yaml.ScalarNode():
                return _scalar(kind, node.value)
            case "timestamp", _:
                expected = "the same value in quotes: without them, the engine changes it"
            case _:
                expected = "a plain value, without a tag"
        shown = node.value if isinstance(node, yaml.ScalarNode) else None
        self.errors.append(SettingError(path, shown, expected))
        return shown


def _unknown_sections(names: Iterable[str]) -> Iterator[SettingError]:
    for name in names:
        if name == "environment":
            yield SettingError(
                name,
                "...",
                "no environments of Pulumi ESC: the stack file is the only configuration, and "
                "nothing would check their values",
            )
        elif name not in SECTIONS:
            yield SettingError(quoted_key(name), "...", known_name(name, SECTIONS))


def _is_encrypted(node: yaml.Node) -> bool:
    """Whether the engine would decrypt the node: a section whose only key is ``secure``."""
    match node:
        case yaml.MappingNode(value=[(yaml.ScalarNode(value="secure"), _)]):
            return True
        case _:
            return False


def _scalar(kind: str, text: str) -> object:
    """The value of a plain scalar; text that does not fit its tag stays text."""
    digits = text.replace("_", "")
    try:
        match kind:
            case "null":
                return None
            case "bool":
                return {"true": True, "false": False}[text.lower()]
            case "int" if _OCTAL.fullmatch(digits):
                return int(digits, 8)
            case "int":
                return int(digits, 0)
            case "float":
                return float(digits)
    except (KeyError, ValueError):
        pass
    return text


_OCTAL: Final = re.compile(r"[-+]?0[0-7]+")

"""A stack file as YAML, with the values that the engine will read from it.

The engine reads YAML 1.2 and passes settings to the program as JSON; PyYAML reads YAML 1.1. Where
the two disagree (``5e1`` is a number in YAML 1.2 and text in 1.1, ``13:00`` is the reverse), this
module follows the engine. A value that the engine would change is an error: an unquoted date, for
example, would reach the program as ``2026-10-01 00:00:00 +0000 UTC``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from components.config.errors import HIDDEN, SettingError, SettingsError, section_path, setting_path

_TAG: Final = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """Resolves plain scalars as the engine's reader does."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 (PyYAML reads this attribute)


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


class StackFile:
    """The ``config:`` section of a ``Pulumi.<stack>.yaml``.

    Attributes:
        config: values by their full keys, such as ``pull:protect``.
        errors: values that the engine would read differently from what is written.

    Raises:
        SettingsError: the file cannot be read, or has no ``config:`` section.
    """

    def __init__(self, path: Path) -> None:
        self.errors: list[SettingError] = []
        self._seen: set[int] = set()
        reason: str | None = None
        try:
            root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
            for name, node in root.value if isinstance(root, yaml.MappingNode) else ():
                if name.value == "config" and isinstance(node, yaml.MappingNode):
                    self.config = dict(self._config(node))
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
        raise SettingsError(path.name, (SettingError("config", reason, expected),))

    def _config(self, node: yaml.MappingNode) -> Iterator[tuple[str, object]]:
        for key, path, child in self._items(node, "config"):
            if key.startswith("pull:") or key == DEFAULT_PROVIDERS:
                yield key, self._value(child, path)
            else:
                yield key, child.value if isinstance(child, yaml.ScalarNode) else None

    def _items(self, node: yaml.MappingNode, path: str) -> Iterator[tuple[str, str, yaml.Node]]:
        lines: dict[str, int] = {}
        for key, child in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.errors.append(
                    SettingError(path, None, f"a plain word as the key in line {line}")
                )
                continue
            name: str = key.value
            ours = path == "config" and name.startswith("pull:")
            inner = section_path(name.removeprefix("pull:")) if ours else setting_path(path, name)
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
                items = {key: (inner, child) for key, inner, child in self._items(node, path)}
                if list(items) == ["secure"]:
                    self.errors.append(SettingError(path, HIDDEN, ENCRYPTED))
                    return None
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

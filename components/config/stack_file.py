"""A stack file as YAML: the values that the engine will read in it, and where it will not.

The engine reads YAML 1.2 and hands settings to the program as JSON; PyYAML reads YAML 1.1. Where
the two disagree (``5e1`` is a number there and a word here, ``13:00`` the other way round) this
module follows the engine. What does not survive that way is a problem: an unquoted date, for
one, would reach the program as ``2026-10-01 00:00:00 +0000 UTC``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from components.config.errors import HIDDEN, SettingError, SettingsError, place, section

_TAG: Final = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    """Plain words as the engine's reader resolves them."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 (PyYAML's own way to say it)


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

ENCRYPTED: Final = "a value that is not encrypted: no setting is a secret; put it in Secret Manager"


class StackFile:
    """The ``config:`` section of a ``Pulumi.<stack>.yaml``.

    Attributes:
        config: values by their keys, with the namespaces that these start with.
        problems: places where a value is not what it seems to be.

    Raises:
        SettingsError: the file cannot be read, or has no such section.
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
            reason = "nested too deep"
        except yaml.MarkedYAMLError as error:
            # Without what it quotes from the file: that may be anything.
            mark = error.problem_mark
            what = re.sub(r" '[^'<][^']+'", "", error.problem or "")
            reason = f"{what} in line {mark.line + 1}" if mark else what
        except yaml.YAMLError:
            reason = "no text: it has control characters"
        expected = "a YAML file in UTF-8 with a config: section"
        raise SettingsError(path.name, (SettingError("config", reason, expected),))

    def _config(self, node: yaml.MappingNode) -> Iterator[tuple[str, object]]:
        for key, path, below in self._items(node, "config"):
            if key.startswith("pull:") or key == DEFAULT_PROVIDERS:
                yield key, self._value(below, path)
            else:
                yield key, below.value if isinstance(below, yaml.ScalarNode) else None

    def _items(self, node: yaml.MappingNode, path: str) -> Iterator[tuple[str, str, yaml.Node]]:
        lines: dict[str, int] = {}
        for key, below in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.errors.append(SettingError(path, None, f"words as keys, also in line {line}"))
                continue
            name: str = key.value
            ours = path == "config" and name.startswith("pull:")
            inner = section(name.removeprefix("pull:")) if ours else place(path, name)
            if name in lines:
                expected = f"this once; it stands in line {lines[name]} and in line {line}"
                self.errors.append(SettingError(inner, None, expected))
            lines[name] = line
            yield name, inner, below

    def _value(self, node: yaml.Node, path: str) -> object:
        if id(node) in self._seen:
            expected = "the value itself, without anchors and aliases"
            self.errors.append(SettingError(path, None, expected))
            return None
        self._seen.add(id(node))
        match node.tag.removeprefix(_TAG), node:
            case "map", yaml.MappingNode():
                items = {key: (inner, below) for key, inner, below in self._items(node, path)}
                if list(items) == ["secure"]:
                    self.errors.append(SettingError(path, HIDDEN, ENCRYPTED))
                    return None
                return {key: self._value(below, inner) for key, (inner, below) in items.items()}
            case "seq", yaml.SequenceNode():
                return [self._value(one, place(path, at)) for at, one in enumerate(node.value)]
            case "str" | "null" | "bool" | "int" | "float" as kind, yaml.ScalarNode():
                return _scalar(kind, node.value)
            case "timestamp", _:
                expected = "the same in quotes: without them, the engine makes something else of it"
            case _:
                expected = "a plain value, without a tag"
        shown = node.value if isinstance(node, yaml.ScalarNode) else None
        self.errors.append(SettingError(path, shown, expected))
        return shown


def _scalar(kind: str, text: str) -> object:
    """The value of a plain word; one that is not what its tag says stays the text that it is."""
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

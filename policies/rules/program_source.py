"""A rule over the program's own source: what ``__main__.py`` and ``components`` may use.

A policy sees resources, and neither a value that the program prints, nor a secret that it makes
public, nor most resource options. So the source is checked against lists of what it may use.
"""

from __future__ import annotations

import ast
import builtins
import importlib.machinery
import inspect
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path, PurePath
from typing import Final

from policies.framework.graph import Graph, StackRule
from policies.framework.paths import Finding
from policies.framework.rules import Severity
from resource_types.estate import PROVIDERS, STACK

SUFFIXES: Final = tuple(importlib.machinery.all_suffixes())
"""Of the files that Python imports: source, byte code and extension modules."""

ROOT: Final = Path(__file__).resolve().parents[2]

PROGRAM_FOLDER: Final = "PULL_PROGRAM_FOLDER"
"""The variable with the folder of the program, if that is another checkout than the pack's."""

SDKS: Final = frozenset(provider.sdk.replace("-", "_") for provider in PROVIDERS.values())
"""The modules of the providers' SDKs."""

OWN: Final = frozenset({"components", "resource_types"})
"""The packages of this project that the program consists of."""

MODULES: Final = frozenset(
    {
        *("Crypto.Hash.keccak", "__future__", "abc", "base64", "collections", "dataclasses"),
        *("datetime", "difflib", "publicsuffixlist"),
        *("enum", "functools", "gzip", "hashlib", "ipaddress", "itertools", "json", "math"),
        *("pathlib", "pydantic", "pydantic_core", "re", "typing", "urllib.parse", "yaml"),
        *("pulumi", *SDKS, *OWN),
    }
)
"""The modules that the program may import, with the modules in them, except in the SDKs."""

PULUMI: Final = frozenset(
    {
        *("Alias", "ComponentResource", "CustomTimeouts", "Input", "Output", "ProviderResource"),
        *("Resource", "ResourceOptions", "RunError", "create_urn", "get_project", "get_stack"),
    }
)
"""The names of the Pulumi SDK that the program may use."""

PLACES: Final = frozenset(
    {
        ("components/estate.py", "pulumi.export"),
        ("components/config/read.py", "pulumi.runtime"),  # the configuration from the engine
        ("components/config/errors.py", "__setattr__"),  # of a frozen dataclass
    }
)
"""More names, each for one file."""

OPTIONS: Final = frozenset(
    {
        *("aliases", "custom_timeouts", "delete_before_replace", "depends_on", "ignore_changes"),
        *("parent", "protect", "provider", "providers"),
    }
)
"""The options of ``ResourceOptions`` that the program may set. The rules ``declared-options`` and
``declared-provider`` compare them with the record of the type."""


@cache
def other_options() -> frozenset[str]:
    """The options of ``ResourceOptions`` that the program may not set."""
    import pulumi  # late, because the command line reads the rules and needs no SDK for that

    all_options = frozenset(inspect.signature(pulumi.ResourceOptions.__init__).parameters)
    return all_options - OPTIONS - {"self", "id", "urn", "version"}  # also names of other arguments


BUILTINS: Final = frozenset(
    {
        *("__name__", "abs", "all", "any", "bool", "bytes", "dict", "enumerate", "filter", "float"),
        *("frozenset", "id", "int", "isinstance", "issubclass", "iter", "len", "list", "map"),
        *("max", "min", "next", "object", "property", "range", "repr", "reversed", "round", "set"),
        *("sorted", "staticmethod", "str", "sum", "super", "tuple", "type", "zip", "classmethod"),
        *("False", "None", "NotImplementedError", "True", "KeyError", "OSError", "RecursionError"),
        *("TypeError", "UnicodeDecodeError", "ValueError"),
    }
)
"""The built-in names that the program may use."""


@cache
def restricted() -> frozenset[str]:
    """Attributes that the program may not use.

    They take an output apart, such as ``unsecret``, or write to the disk, such as ``write_text``.
    """
    import pulumi  # late, as above

    of_outputs = frozenset(name for name in dir(pulumi.Output) if name[0] != "_")
    of_files = frozenset(dir(Path)) - frozenset((*dir(PurePath), *dir(str), *dir(dict)))
    return (of_outputs - {"all", "apply", "concat", "format", "get", "json_dumps", "secret"}) | (
        of_files - {"exists", "group", "is_file", "owner", "read_bytes", "read_text", "resolve"}
    )


def program_folder() -> Path:
    """The folder of the program: the checkout of this pack, or the one that ops names.

    A pack that was published to Pulumi Cloud has no checkout. The engine runs every pack in the
    folder of the program that it previews (``pkg/resource/plugin/analyzer_plugin.go``).
    """
    named = os.environ.get(PROGRAM_FOLDER)
    if named:
        return Path(named)
    return ROOT if (ROOT / "components").is_dir() else Path.cwd()


@cache
def sources() -> Mapping[str, bytes]:
    """The program's files: content by path from the folder of the program.

    With what Python imports as well, compiled files, which are no valid source.

    The pack reads them when it starts: a program could change its files while it runs. There are
    none if there is no program, as while a pack is published.
    """
    folder = program_folder()
    if not (folder / "components").is_dir():
        return {}
    files = (
        folder / "__main__.py",
        *sorted(
            file
            for file in (folder / "components").rglob("*")
            if file.name.endswith(SUFFIXES) and file.parent.name != "__pycache__"
        ),
    )
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def mistakes(file: str, source: str | bytes) -> Iterator[tuple[int, str]]:
    """What the source of ``file`` may not contain: line and text.

    In bytes, a comment may name an encoding, in which another comment is code.
    """
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        yield 1, "is not valid Python"
        return
    imported, defined = _imported(nodes), _defined(nodes)
    inner = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        for text in _mistakes_of(node, file, imported, defined, id(node) in inner):
            yield getattr(node, "lineno", 1), text


def _mistakes_of(
    node: ast.AST, file: str, imported: Mapping[str, str], defined: Collection[str], inner: bool
) -> Iterator[str]:
    """What is wrong with a node; ``inner``: it is the left side of an attribute."""
    match node:
        case ast.Import() | ast.ImportFrom():
            for name in _modules(node):
                if not _may_import(name, file):
                    yield f"must not import {name}"
        case ast.Attribute(attr=attribute, value=owner, ctx=context):
            name = "" if inner else _full_name(node, imported)
            if not _may_use(name, file):
                yield f"must not use {name}"
            special = attribute.startswith("__") and attribute != "__init__"
            if (special or attribute in restricted()) and (file, attribute) not in PLACES:
                yield f"must not use {attribute}"
            if isinstance(context, ast.Store) and ast.unparse(owner) != "self":
                yield f"must not set {attribute} of another object"
        case ast.Name(id=name, ctx=ast.Load()):
            if name in vars(builtins) and name not in BUILTINS and name not in defined:
                yield f"must not use {name}"
            if imported.get(name) in MODULES and not inner:
                yield f"must not use the module {name} as a value"
        case ast.Call(func=function, args=arguments, keywords=keywords):
            makes_options = _full_name(function, imported).endswith(".ResourceOptions")
            for keyword in keywords:
                if keyword.arg in other_options() or (makes_options and keyword.arg not in OPTIONS):
                    yield f"must not set the option {keyword.arg or '**'}"
            if makes_options and arguments:
                yield "must name the options that it sets"
        case ast.ExceptHandler(type=None):
            yield "must name the exceptions that it handles"


def _modules(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The full names of what a statement imports."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield alias.name
        else:
            yield f"{'.' * node.level}{node.module or ''}.{alias.name}"


def _imported(nodes: list[ast.AST]) -> dict[str, str]:
    """What the names that a file imports stand for."""
    found = {}
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias, name in zip(node.names, _modules(node), strict=True):
                if isinstance(node, ast.Import) and not alias.asname:
                    name = name.partition(".")[0]
                found[alias.asname or name.rpartition(".")[2]] = name
    return found


def _defined(nodes: list[ast.AST]) -> set[str]:
    """The names that a file defines itself."""
    return {
        name
        for node in nodes
        for name in (
            node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else None,
            node.arg if isinstance(node, ast.arg) else None,
            node.name if isinstance(node, ast.FunctionDef | ast.ClassDef) else None,
        )
        if name
    }


def _full_name(node: ast.expr, imported: Mapping[str, str]) -> str:
    """The full name of an attribute or a name; it starts with a dot unless it is imported."""
    if isinstance(node, ast.Attribute):
        return f"{_full_name(node.value, imported)}.{node.attr}"
    return imported.get(node.id, "." + node.id) if isinstance(node, ast.Name) else ""


def _may_import(name: str, file: str) -> bool:
    package, _, inner = name.partition(".")
    allowed = name in MODULES or package in MODULES or name.rpartition(".")[0] in MODULES
    return allowed and (not inner or _may_use(name, file))


def _may_use(name: str, file: str) -> bool:
    """Whether a file may use a full name. Only those of the SDKs are limited."""
    package, *parts = name.split(".")
    if package == "pulumi" and parts:
        return parts[0] in PULUMI or (file, f"pulumi.{parts[0]}") in PLACES
    if package in ("", *OWN):
        return True
    if package not in SDKS:
        # A module is no way to the modules that it imports itself.
        return not parts or parts[0] in MODULES or parts[0] not in sys.stdlib_module_names
    # A class, and members of an enumeration; no function of a provider and no `get` of a class.
    after = [part for part in parts if not part.islower() or "_" in part or part == "get"]
    return bool(after) and after[0][0].isupper() and all(part.isupper() for part in after[1:])


def _uses_only_what_it_may(graph: Graph) -> Iterator[Finding]:
    for stack in graph.of_type(STACK):
        if not sources():
            yield stack.finding("components", "is missing: the program's source was not checked")
            return
        for file, source in sources().items():
            for line, text in mistakes(file, source):
                yield stack.finding(f"{file}:{line}", text)


RULES: Final = (
    StackRule(
        id="program-source",
        severity=Severity.CRITICAL,
        what="The program's source uses only what it needs: it prints nothing, reads nothing from "
        "the clouds, makes no secret public and does not end early.",
        fix="Remove it, or allow it in policies/rules/program_source.py after review.",
        url="docs/policies.md",
        check=_uses_only_what_it_may,
        paths=(),
    ),
)

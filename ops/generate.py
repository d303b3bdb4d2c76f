"""Writes the files that are generated from the program; ``--check`` only compares them.

* ``bin/completion.bash``: completes the commands and options of ``bin/ops`` in a shell
* ``components/stack.schema.json``: completes and checks the stack files in an editor
* ``docs/settings.md``: every setting, its allowed values, and its value in both stacks
* ``docs/secrets.md``: every variable of the catalogue, who issues it and who uses it
* ``policies/rules/provider_inputs.json``: the inputs of the types that a rule of the pack may name
* ``policies/rules/secret_readers.json``: who reads each secret of the catalogue
* ``policies/rules/config_readers.json``: who reads each variable of it that is not secret
* ``docs/policies.md``: every rule of the policy pack
* ``docs/reports.md``: an example, one of the golden reports
* ``docs/architecture.md``: the diagram of production, drawn by ``bin/ops graph``
"""

from __future__ import annotations

import difflib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from components import PROJECT_ROOT
from components.config import Settings
from components.config.json_schema import describe, resolve
from components.secrets.catalogue import CATALOGUE, SECRETS, Kind, Variable
from components.workloads import Service, WorkerType
from ops.command_line.cli import app
from ops.command_line.completion import completion_script
from policies.rules import provider_inputs
from policies.table import table
from sandbox.schema import Shape, schema_of


class GenerateError(Exception):
    """A file cannot be generated. The text says why."""


BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"


# -- the schema of the stack files ---------------------------------------------------------------


def stack_schema() -> str:
    """JSON Schema of a whole stack file, as text."""
    inner = Settings.model_json_schema(ref_template="#/$defs/{model}")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack file of the PULL estate",
        "type": "object",
        "required": ["config"],
        "properties": {
            "config": {
                "type": "object",
                "required": [f"pull:{name}" for name in inner["required"]],
                "properties": {
                    f"pull:{name}": section for name, section in inner["properties"].items()
                },
                "patternProperties": {"^(?!pull:).": {}},
                "additionalProperties": False,
            }
        },
        "$defs": inner["$defs"],
    }
    return json.dumps(schema, indent=2) + "\n"


# -- the inputs of types, for the policies ---------------------------------------------------------


def inputs_tree() -> str:
    """The names of all inputs, at any depth, of the types that a rule wants to know."""
    trees = {token: _names(schema_of(token).inputs) for token in provider_inputs.TYPES}
    lines = (
        f"{json.dumps(token)}: {json.dumps(tree, sort_keys=True)}" for token, tree in trees.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _names(shape: Shape) -> dict[str, Any] | None:
    if shape.element and shape.kind == "list":
        return _names(shape.element)
    if shape.kind != "object":
        return None
    return {name: _names(inner) for name, inner in shape.fields.items()}


# -- the readers of secrets, for the policies ------------------------------------------------------


def readers(kind: Kind) -> str:
    """The consumers that read each variable of a kind, one line for each variable."""
    lines = (
        f"{json.dumps(variable.name)}: "
        + json.dumps(
            [
                consumer.value
                for consumer in (Service.API, Service.API_ORIGIN, Service.WEB, *WorkerType)
                if variable.consumed_by(consumer)
            ]
        )
        for variable in CATALOGUE
        if variable.kind is kind
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


# -- tables --------------------------------------------------------------------------------------


def settings_table() -> str:
    """One row for each setting: path, allowed values, staging's value, production's value."""
    stacks = {
        stack: yaml.safe_load((PROJECT_ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
        for stack in ("staging", "production")
    }
    schema = Settings.model_json_schema()
    rows = ["| setting | allowed | staging | production |", "| --- | --- | --- | --- |"]
    for path, node in _leaves(schema, schema, ()):
        shown = [
            f"`{'.'.join(('pull:' + path[0], *path[1:]))}`",
            describe(node).replace("|", "\\|"),
        ]
        shown += [_cell(_at(config, path)) for config in stacks.values()]
        rows.append(f"| {' | '.join(shown)} |")
    return "\n".join(rows)


def _leaves(
    root: Mapping[str, Any], node: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    target = resolve(root, node)
    if "properties" in target:
        for name, child in target["properties"].items():
            yield from _leaves(root, child, (*path, name))
    elif isinstance(target.get("additionalProperties"), Mapping):
        yield from _leaves(root, target["additionalProperties"], (*path, "<name>"))
    elif "properties" in resolve(root, target.get("items", {})):
        yield from _leaves(root, target["items"], (*path, "<n>"))
    else:
        yield path, target


def _at(config: Mapping[str, Any], path: tuple[str, ...]) -> object:
    value: object = config.get(f"pull:{path[0]}")
    for step in path[1:]:
        if step == "<name>" and isinstance(value, Mapping):
            value = next(iter(value.values()), None)
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _cell(value: object) -> str:
    if value is None or value == {}:
        return ""
    text = ", ".join(map(str, value)) if isinstance(value, list) else json.dumps(value).strip('"')
    return f"`{text}`"


def secrets_table() -> str:
    """One row for each variable of the catalogue."""
    rows = [
        f"{len(CATALOGUE)} variables, {len(SECRETS)} of them in Secret Manager.",
        "",
        "| variable | what it is | shape | kept | issued | consumed by |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for variable in CATALOGUE:
        issued = variable.issuer.value if variable.kind is Kind.SECRET else ""
        rows.append(
            f"| `{variable.name}` | {variable.description} | {variable.shape} "
            f"| {variable.kind.value} | {issued} | {_consumers(variable)} |"
        )
    return "\n".join(rows)


def _consumers(variable: Variable) -> str:
    services = sorted(str(user) for user in variable.consumers if isinstance(user, Service))
    workers = sorted(str(user) for user in variable.consumers if isinstance(user, WorkerType))
    if len(workers) == len(WorkerType) - 1:
        workers = ["every worker"]
    return ", ".join([*services, *workers])


def architecture_picture() -> str:
    """The production graph as Mermaid, drawn by ``bin/ops graph``.

    Raises:
        GenerateError: the command failed.
    """
    command = [sys.executable, "-m", "ops", "graph", "--stack", "production", "--sandbox"]
    drawn = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    if drawn.returncode != 0:
        raise GenerateError(f"bin/ops graph failed:\n{drawn.stderr.strip()}")
    return f"```mermaid\n{drawn.stdout.strip()}\n```"


def example_report() -> str:
    """A golden report in Markdown, as in a comment at GitHub."""
    text = (PROJECT_ROOT / "tests" / "golden" / "secret-rotation.md").read_text("utf-8")
    return f"````markdown\n{text.strip()}\n````"


# -- files ---------------------------------------------------------------------------------------


def _between_marks(path: Path, body: str) -> str:
    """The file with ``body`` between its marks; the text around them is kept."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{body}\n{END}{after}"


FILES: Final[Mapping[str, Callable[[Path], str]]] = {
    "bin/completion.bash": lambda path: completion_script(app),
    "components/stack.schema.json": lambda path: stack_schema(),
    "policies/rules/provider_inputs.json": lambda path: inputs_tree(),
    "policies/rules/secret_readers.json": lambda path: readers(Kind.SECRET),
    "policies/rules/config_readers.json": lambda path: readers(Kind.CONFIG),
    "docs/settings.md": lambda path: _between_marks(path, settings_table()),
    "docs/secrets.md": lambda path: _between_marks(path, secrets_table()),
    "docs/policies.md": lambda path: _between_marks(path, table()),
    "docs/reports.md": lambda path: _between_marks(path, example_report()),
    "docs/architecture.md": lambda path: _between_marks(path, architecture_picture()),
}


def main(arguments: list[str]) -> int:
    """Write the files, or with ``--check`` compare them.

    Returns:
        0: all files are current; 1: a file is out of date or cannot be generated; 2: usage.
    """
    if arguments not in ([], ["--check"]):
        print("usage: make generate, or make generated-check", file=sys.stderr)
        return 2
    stale = 0
    for name, make in FILES.items():
        path = PROJECT_ROOT / name
        try:
            made = make(path)
        except GenerateError as error:
            print(f"{name} cannot be generated: {error}", file=sys.stderr)
            return 1
        current = path.read_text(encoding="utf-8") if path.exists() else ""
        if made == current:
            continue
        stale += 1
        if arguments:
            difference = difflib.unified_diff(
                current.splitlines(),
                made.splitlines(),
                name,
                f"{name}, generated now",
                lineterm="",
                n=1,
            )
            print("\n".join(difference))
        else:
            path.write_text(made, encoding="utf-8")
            print(f"wrote {name}")
    if arguments and stale:
        print(f"{stale} generated files are out of date. Run make generate.")
    return 1 if arguments and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

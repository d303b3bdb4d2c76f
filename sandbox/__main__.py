"""Run the sandbox without ops, list its cloud, and change the cloud by hand."""

from __future__ import annotations

import json
import os
import shlex
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from ops.engine.environment import language_host_variables, sandbox_variables
from ops.engine.install import provide_engine
from sandbox.cloud import ApiError, Cloud
from sandbox.server import Sandbox
from sandbox.store import FILE_NAME, Record

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=__doc__,
)

Directory = Annotated[
    Path,
    typer.Option(
        "--dir", help=f"The directory with the cloud's file, {FILE_NAME}.", file_okay=False
    ),
]
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME-OR-ID",
        help="Its id, its address, the last part of its address, or its type and address.",
    ),
]


@app.command()
def serve(directory: Directory) -> None:
    """Run the providers until Ctrl-C, and print the variables with which pulumi works on them.

    The state is kept in the same directory. In a copy of the checkout, with the printed lines
    executed in the shell, start with: pulumi stack init production
    """
    # A shell that starts a command in the background makes it ignore SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    engine = provide_engine(lambda line: typer.echo(line, err=True))
    state, home = directory / "state", directory / "home"
    for folder in (state, home):
        folder.mkdir(parents=True, exist_ok=True)
    with Sandbox(directory) as cloud:
        variables = {
            **cloud.environment,
            **sandbox_variables(state.resolve(), home.resolve()),
            **language_host_variables(),
        }
        variables["PATH"] = os.pathsep.join([str(engine.parent), variables["PATH"]])
        try:
            for name, value in variables.items():
                typer.echo(f"export {name}={shlex.quote(value)}")
            threading.Event().wait()
        except KeyboardInterrupt:
            typer.echo("stopped", err=True)


@app.command("list")
def list_(
    directory: Directory,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON list, with the outputs.")
    ] = False,
) -> None:
    """List what is in the cloud, with secrets redacted."""
    cloud = _open(directory)
    summaries = [record.summary() for record in cloud.resources()]
    cloud.close()
    if as_json:
        typer.echo(json.dumps(summaries, indent=2))
        return
    for summary in summaries:
        typer.echo(f"{summary['type']}  {summary['address']}  ({summary['id']})")
    typer.echo(f"{len(summaries)} resources in the cloud")


@app.command()
def edit(
    directory: Directory,
    name: Name,
    change: Annotated[str, typer.Argument(metavar="PROPERTY.PATH=JSON")],
) -> None:
    """Change a property as somebody does in the console, bypassing the program."""
    path, equals, text = change.partition("=")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(
            f"{text!r} is not JSON (a text needs double quotes): {error}",
            param_hint="PROPERTY.PATH=JSON",
        ) from None
    if not (path and equals):
        raise typer.BadParameter(
            "expected PROPERTY.PATH=JSON, such as settings.tier='\"db-f1-micro\"'"
        )
    cloud = _open(directory)
    record = _only(cloud, name)
    try:
        cloud.edit(record, path, value)
    except ApiError as error:
        raise typer.BadParameter(str(error), param_hint="PROPERTY.PATH=JSON") from None
    finally:
        cloud.close()
    typer.echo(f"changed {path} of {record.type} {record.address}")


@app.command()
def remove(directory: Directory, name: Name) -> None:
    """Delete a resource as somebody does in the console, whatever uses or protects it."""
    cloud = _open(directory)
    record = _only(cloud, name)
    cloud.remove(record)
    cloud.close()
    typer.echo(f"removed {record.type} {record.address}")


def _open(directory: Path) -> Cloud:
    if not (directory / FILE_NAME).exists():
        raise typer.BadParameter(
            f"there is no cloud in {directory}: {FILE_NAME} is missing", param_hint="--dir"
        )
    return Cloud(directory)


def _only(cloud: Cloud, name: str) -> Record:
    found = cloud.named(name)
    if len(found) == 1:
        return found[0]
    if found:
        choices = "\n".join(f"  {record.type} {record.address}" for record in found)
        message = f"{name!r} is the name of {len(found)} resources. Use one of these:\n{choices}"
    else:
        message = f"there is no {name!r}. python -m sandbox list shows the resources."
    raise typer.BadParameter(message, param_hint="NAME-OR-ID")


if __name__ == "__main__":
    app(prog_name="python -m sandbox")

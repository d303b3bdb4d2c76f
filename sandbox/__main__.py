"""Run the sandbox by itself, look into its cloud, and change the cloud by hand."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Annotated

import typer

from sandbox.cloud import FILE_NAME, Cloud, Record, Refusal
from sandbox.server import Sandbox

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=__doc__,
)

Directory = Annotated[
    Path, typer.Option("--dir", help="The folder that holds the cloud's memory.", file_okay=False)
]
Name = Annotated[
    str,
    typer.Argument(metavar="NAME-OR-ID", help="Its id, address, last name, or type and address."),
]


@app.command()
def serve(directory: Directory) -> None:
    """Run the providers until Ctrl-C; the printed line goes into the environment of the engine."""
    with Sandbox(directory) as cloud:
        try:
            for name, value in cloud.environment.items():
                typer.echo(f"{name}={value}")
            threading.Event().wait()
        except KeyboardInterrupt:
            typer.echo("stopped", err=True)


@app.command("list")
def list_(
    directory: Directory,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as one JSON list.")] = False,
) -> None:
    """Show what is in the cloud; secrets are masked."""
    cloud = _open(directory)
    summaries = [record.summary() for record in cloud.resources()]
    cloud.close()
    if as_json:
        typer.echo(json.dumps(summaries, indent=2))
        return
    for summary in summaries:
        typer.echo(f"{summary['type']}  {summary['address']}  ({summary['id']})")
    typer.echo(f"{len(summaries)} in the cloud")


@app.command()
def edit(
    directory: Directory,
    name: Name,
    change: Annotated[str, typer.Argument(metavar="PROPERTY.PATH=JSON")],
) -> None:
    """Change a property as somebody does in the console, without telling the program."""
    path, equals, text = change.partition("=")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(
            f"{text!r} is not JSON (text stands in double quotes): {error}",
            param_hint="PROPERTY.PATH=JSON",
        ) from None
    if not (path and equals):
        raise typer.BadParameter("give PROPERTY.PATH=JSON, such as settings.tier='\"db-f1-micro\"'")
    cloud = _open(directory)
    record = _only(cloud, name)
    try:
        cloud.edit(record, path, value)
    except Refusal as refusal:
        raise typer.BadParameter(str(refusal), param_hint="PROPERTY.PATH=JSON") from None
    finally:
        cloud.close()
    typer.echo(f"changed {path} of {record.type} {record.address}")


@app.command()
def remove(directory: Directory, name: Name) -> None:
    """Delete a thing as somebody does in the console, whatever uses or protects it."""
    cloud = _open(directory)
    record = _only(cloud, name)
    cloud.remove(record)
    cloud.close()
    typer.echo(f"removed {record.type} {record.address}")


def _open(directory: Path) -> Cloud:
    if not (directory / FILE_NAME).exists():
        raise typer.BadParameter(
            f"there is no cloud in {directory}: no {FILE_NAME}", param_hint="--dir"
        )
    return Cloud(directory)


def _only(cloud: Cloud, name: str) -> Record:
    found = cloud.named(name)
    if len(found) == 1:
        return found[0]
    if found:
        choices = "\n".join(f"  {record.type} {record.address}" for record in found)
        message = f"{name!r} is the name of {len(found)} things; give one of these:\n{choices}"
    else:
        message = f"there is no {name!r}; python -m sandbox list shows what there is"
    raise typer.BadParameter(message, param_hint="NAME-OR-ID")


if __name__ == "__main__":
    app(prog_name="python -m sandbox")

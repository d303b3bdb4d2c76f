"""The completion of ``bin/ops`` in bash, as the shell calls it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from ops.command_line.cli import app
from ops.command_line.completion import completion_script


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "completion.bash"
    path.write_text(completion_script(app), "utf-8")
    for name in ("Pulumi.yaml", "Pulumi.production.yaml", "Pulumi.staging.yaml"):
        (tmp_path / name).touch()
    return path


def completed(script: Path, *words: str) -> list[str]:
    """What bash offers for the last of ``words``."""
    bash = shutil.which("bash")
    assert bash
    command = (
        'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pull_ops; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        [bash, "-c", command, "bash", str(script), *words],
        cwd=script.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["pre"], ["preview"]),
        (["re"], ["report", "refresh", "recover", "render"]),
        (["preview", "--stack", ""], ["production", "staging"]),
        (["preview", "--stack", "p"], ["production"]),
        (["preview", "--stack", "=", "s"], ["staging"]),
        (["preview", "--stack", "="], ["production", "staging"]),
        (["up", "--stack", "production", "--sandbox-"], ["--sandbox-dir"]),
        (["report", "--form", "m"], ["markdown"]),
        (["up", "--record", ""], []),
        (["nonsense", "--"], []),
    ],
)
def test_bash_offers(script: Path, words: list[str], offered: list[str]) -> None:
    assert completed(script, "bin/ops", *words) == offered


def test_every_verb_is_offered_with_its_options(script: Path) -> None:
    verbs = completed(script, "bin/ops", "")
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    assert verbs == [*group.commands, "--help"]
    for verb in verbs[:-1]:
        assert completed(script, "bin/ops", verb, "--h") == ["--help"]


def test_no_stack_is_offered_outside_of_a_checkout(script: Path) -> None:
    for stack_file in script.parent.glob("Pulumi.*"):
        stack_file.unlink()
    assert completed(script, "bin/ops", "preview", "--stack", "") == []

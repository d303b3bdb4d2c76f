"""The users' own commands, word for word: plain ``pulumi`` in a checkout, on the sandbox.

Where the official CLI is not installed, the project's own language host runs the program.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

LAST_VARIABLE = "no_grpc_proxy"
"""What ``python -m sandbox serve`` prints last."""


@dataclass(frozen=True)
class Shell:
    """A shell in ``folder`` with the variables of a sandbox."""

    folder: Path
    variables: dict[str, str]

    def run(self, command: str, expected: int = 0) -> str:
        """The output of a command, which has to exit with the code ``expected``."""
        done = subprocess.run(
            shlex.split(command),
            cwd=self.folder,
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
        )
        assert done.returncode == expected, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def variables(
    checkout: Path, engine: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The variables that ``python -m sandbox serve`` prints, while it runs."""
    folder = tmp_path_factory.mktemp("sandbox")
    command = [sys.executable, "-m", "sandbox", "serve", "--dir", str(folder)]
    with subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        printed: dict[str, str] = {}
        while LAST_VARIABLE not in printed:
            export, assignment = shlex.split(served.stdout.readline())
            assert export == "export"
            name, _, printed[name] = assignment.partition("=")
        yield printed
        served.send_signal(signal.SIGINT)


@pytest.fixture
def clone(checkout: Path, tmp_path: Path, variables: dict[str, str]) -> Shell:
    """A copy of the checkout, and a state of its own."""
    folder = tmp_path / "clone"
    shutil.copytree(checkout, folder, ignore=shutil.ignore_patterns(".git", ".venv"))
    state = tmp_path / "state"
    state.mkdir()
    return Shell(folder, {**variables, "PULUMI_BACKEND_URL": f"{state.as_uri()}?metadata=skip"})


@pytest.fixture
def small(tmp_path: Path, clone: Shell) -> Shell:
    """A project without settings, whose program a test writes."""
    folder = tmp_path / "small"
    folder.mkdir()
    shutil.copy(clone.folder / "Pulumi.yaml", folder)
    (folder / "requirements.txt").touch()
    return Shell(folder, clone.variables)


def test_preview_and_up_with_the_policy_pack(clone: Shell, checkout: Path, tmp_path: Path) -> None:
    clone.run("pulumi stack init production")
    previewed = clone.run("pulumi preview --stack production --policy-pack policies")
    assert "pull-estate@v1.0.0 (local: policies)" in previewed
    assert "226 to create" in previewed
    assert "Traceback" not in previewed

    document = tmp_path / "preview.json"
    document.write_text(clone.run("pulumi preview --stack production --json"))
    report = Shell(checkout, {}).run(f"{sys.executable} -m ops report --from {document} --json")
    stages = {change["stage"] for change in json.loads(report)["stacks"][0]["changes"]}
    assert {stage[0] for stage in stages} >= {"1", "2", "3", "4", "5"}

    applied = clone.run("pulumi up --stack production --yes --skip-preview --policy-pack policies")
    assert "226 created" in applied
    again = clone.run("pulumi preview --stack production --policy-pack policies")
    assert "226 unchanged" in again


def test_a_violation_of_a_mandatory_policy_fails_the_preview(clone: Shell) -> None:
    clone.run("pulumi stack init production")
    clone.run("pulumi config set pull:protect false --stack production")
    command = "pulumi preview --stack production --policy-pack policies"
    assert "sql-deletion-protection" in clone.run(command, expected=1)


def test_wrong_settings_are_listed_without_a_stack_trace(clone: Shell) -> None:
    clone.run("pulumi stack init production")
    clone.run("pulumi config set pull:protect maybe --stack production")
    printed = clone.run("pulumi preview --stack production", expected=1)
    assert "1 setting is wrong in the configuration of stack production" in printed
    assert "expected  true or false" in printed
    assert "Traceback" not in printed
    assert 'File "' not in printed


@pytest.mark.parametrize(
    ("program", "printed"),
    [
        ("import os; os._exit(7)", "The program exited with code 7 before it had finished."),
        (
            "import os; os.kill(os.getpid(), 9)",
            "The program was killed by signal 9 before it had finished.",
        ),
        ("import os; os._exit(0)", "The program exited with code 0 before it had finished."),
        ("raise KeyError('no such worker')", "KeyError: 'no such worker'"),
        ("import pulumi; raise pulumi.RunError('no quota')", "error: no quota"),
    ],
)
def test_a_program_that_fails_fails_the_preview(small: Shell, program: str, printed: str) -> None:
    (small.folder / "__main__.py").write_text(program)
    small.run("pulumi stack init dev")
    assert printed in small.run("pulumi preview --stack dev", expected=1)


def test_install_makes_the_virtual_environment_in_which_the_program_runs(small: Shell) -> None:
    small.run("pulumi install")
    assert (small.folder / ".venv" / "bin" / "python").exists()
    (small.folder / "__main__.py").touch()
    small.run("pulumi stack init dev")
    # The requirements of this project are empty.
    assert "No module named 'pulumi'" in small.run("pulumi preview --stack dev", expected=1)


def test_about_names_the_providers_that_the_program_needs(clone: Shell) -> None:
    plugins = json.loads(clone.run("pulumi about --json"))["plugins"]
    assert {plugin["name"] for plugin in plugins if plugin["kind"] == "resource"} == {
        *("gcp", "cloudflare", "vercel", "kubernetes", "random", "pulumiservice")
    }

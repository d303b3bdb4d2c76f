"""The users' own commands, word for word: plain ``pulumi`` in a checkout, on the sandbox.

Where the official CLI is not installed, the project's own language host runs the program.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.policy_pack import assemble
from tests.pulumi_cloud import PACKS, pulumi_cloud

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


@pytest.fixture
def published(tmp_path: Path, variables: dict[str, str]) -> Path:
    """The pack as the engine unpacks it from Pulumi Cloud, with the packages of this Python."""
    pack = tmp_path / "pack"
    assemble(pack)
    (pack / "venv").symlink_to(sys.prefix)
    with pulumi_cloud() as cloud:
        account = {
            "PULUMI_API": cloud.url,
            "PULUMI_BACKEND_URL": cloud.url,
            "PULUMI_ACCESS_TOKEN": "a token",
            "PULUMI_HOME": str(tmp_path / "home"),
            "no_proxy": "127.0.0.1",
        }
        Shell(pack, {**variables, **account}).run("pulumi policy publish pull --non-interactive")
    assert cloud.completed == [f"{PACKS}/pull-estate/versions/1.0.0/complete"]
    with tarfile.open(fileobj=io.BytesIO(cloud.archive)) as archive:
        assert not [name for name in archive.getnames() if name.startswith("package/venv")]
        archive.extractall(tmp_path / "published", filter="data")
    unpacked = tmp_path / "published" / "package"
    (unpacked / "venv").symlink_to(sys.prefix)
    return unpacked


def test_a_published_pack_validates_a_pull_request_that_breaks_the_rules(
    clone: Shell, published: Path
) -> None:
    clone.run("pulumi stack init production")
    (clone.folder / "policies/rules/__init__.py").write_text("raise SystemExit(0)\n")
    command = f"pulumi preview --stack production --policy-pack {published}"
    assert "pull-estate@v1.0.0" in clone.run(command)

    with (clone.folder / "components/estate.py").open("a") as source:
        source.write("print('hello')\n")
    clone.run("pulumi config set pull:protect false --stack production")
    printed = clone.run(command, expected=1)
    assert "components/estate.py" in printed
    assert "must not use print" in printed
    assert "sql-deletion-protection" in printed


def test_a_published_pack_fails_where_it_cannot_find_the_program(
    small: Shell, published: Path
) -> None:
    (small.folder / "__main__.py").touch()
    small.run("pulumi stack init dev")
    printed = small.run(f"pulumi preview --stack dev --policy-pack {published}", expected=1)
    assert "the program's source was not checked" in printed
    assert "Traceback" not in printed


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

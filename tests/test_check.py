"""The check of a pull request: whatever it proposes, the target branch judges it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ops.engine.checkout import Checkout
from ops.errors import WrongInput
from ops.review.judges import changed_judges
from ops.review.report.model import Report
from ops.review.report.previews import run_verb
from ops.review.report.risk import Risk
from tests.mini_project import SOON, MiniProject

APPROVAL = {
    "operation": "replace",
    "reason": "nothing in it is kept",
    "approved_by": ["mallory@pull.com", "eve@pull.com"],
    "expires": SOON,
}


@dataclass(slots=True)
class PullRequest:
    """A copy of a deployed project that a test changes.

    Attributes:
        target: the project as it is on the target branch.
        snapshots: the folder with the snapshot of its stack.
        out: the folder for the reports.
    """

    target: MiniProject
    root: Path
    snapshots: Path
    out: Path
    report: dict[str, Any] = field(default_factory=dict)

    def check(self, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the check and keep its report."""
        done = self.target.ops(
            *("check", "--program", str(self.root), "--snapshots", str(self.snapshots)),
            *("--out", str(self.out), "--json", *options),
            variables=variables,
        )
        self.report = json.loads(done.stdout)
        return done

    @property
    def stack(self) -> dict[str, Any]:
        (stack,) = self.report["stacks"]
        found: dict[str, Any] = stack
        return found

    @property
    def comment(self) -> str:
        return (self.out / "report.md").read_text("utf-8")

    def settings(self, old: str, new: str) -> None:
        """Replace a text in the stack file."""
        file = self.root / "Pulumi.production.yaml"
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")

    def begin_program_with(self, code: str) -> None:
        program = self.root / "__main__.py"
        program.write_text(f"{code}\n{program.read_text('utf-8')}", "utf-8")


@pytest.fixture(scope="module")
def deployed(
    tmp_path_factory: pytest.TempPathFactory, checkout: Path, engine: Path
) -> tuple[MiniProject, Path]:
    """A project whose approvals are not on the target branch, and its snapshots."""
    assert engine.exists()
    folder = tmp_path_factory.mktemp("check")
    project = MiniProject(folder / "tiny", checkout)
    (project.root / "Pulumi.staging.yaml").unlink()
    (project.root / "approvals" / "production.yaml").unlink()
    project.run("up")
    snapshots = folder / "snapshots"
    snapshots.mkdir()
    done = project.ops("snapshot", *project.here(), "--out", str(snapshots / "production.json"))
    assert done.returncode == 0, done.stderr
    return project, snapshots


@pytest.fixture
def pull_request(deployed: tuple[MiniProject, Path], tmp_path: Path) -> PullRequest:
    project, snapshots = deployed
    shutil.copytree(project.root, tmp_path / "head")
    (tmp_path / "out").mkdir()
    return PullRequest(project, tmp_path / "head", snapshots, tmp_path / "out")


def test_an_unchanged_program_changes_nothing(pull_request: PullRequest) -> None:
    done = pull_request.check()
    assert done.returncode == 0, done.stdout + done.stderr
    assert pull_request.report["verdict"] == "safe"
    assert pull_request.report["judges"] == {"changed": [], "own": {}}
    assert pull_request.stack["changes"] == []
    assert "Compared with the snapshot of 20" in pull_request.comment
    assert (pull_request.out / "report.html").stat().st_size > 10_000


def test_the_target_branch_judges_whatever_the_pull_request_changes(
    pull_request: PullRequest,
) -> None:
    """It moves the buckets to where the pack forbids them, and rewrites everything that objects."""
    pull_request.settings('"US"', '"ASIA"')
    root = pull_request.root
    shutil.rmtree(root / "policies")
    urns = [pull_request.target.urn(store, "bucket") for store in ("alpha", "beta")]
    (root / "approvals" / "production.yaml").write_text(
        json.dumps({"approvals": [{"urn": urn, **APPROVAL} for urn in urns]})
    )
    (root / "ops" / "review" / "report").mkdir(parents=True)
    (root / "ops" / "__init__.py").touch()
    (root / "ops" / "__main__.py").write_text("raise SystemExit(0)\n")
    (root / "ops" / "review" / "report" / "risk.py").write_text("lost = lambda step: ''\n")

    done = pull_request.check()
    assert done.returncode == 1
    assert pull_request.report["verdict"] == "blocked"
    assert {found["rule"] for found in pull_request.stack["policies"]["violations"]} == {
        "tiny-location"
    }
    refused = {each["urn"]: each["reason"] for each in pull_request.stack["policies"]["refusals"]}
    assert set(refused) == set(urns)
    for reason in refused.values():
        assert "Not approved." in reason
        assert "adds an approval, which counts once it is on the target branch" in reason
        assert "mallory@pull.com and eve@pull.com" in reason
    assert pull_request.report["judges"]["changed"] == [
        "approvals/production.yaml",
        "ops/__init__.py",
        "ops/__main__.py",
        "ops/review/report/risk.py",
        "policies/PulumiPolicy.yaml",
        "policies/__main__.py",
        "policies/config.production.json",
    ]
    verdict = pull_request.comment.index("## production: blocked")
    judges = pull_request.comment.index("**This pull request changes what judges it:**")
    loss = pull_request.comment.index("would be lost")
    assert verdict < judges < loss
    assert "The pull request's own rules give no verdict on production." in pull_request.comment


def test_what_its_own_rules_say_is_shown_beside_the_verdict(
    pull_request: PullRequest, checkout: Path
) -> None:
    """A whole command line of its own, which finds every change safe."""
    pull_request.settings('"US"', '"EU"')
    root = pull_request.root
    for package in ("ops", "resource_types", "sandbox"):
        shutil.copytree(checkout / package, root / package)
    shutil.copytree(checkout / "policies", root / "policies", dirs_exist_ok=True)
    for name in ("PulumiPolicy.yaml", "__main__.py", "config.production.json"):
        shutil.copy(pull_request.target.root / "policies" / name, root / "policies")
    for file, old, new in (
        ("guard.py", "refusals.append(", "str("),
        ("report/risk.py", "    destroyed = [step", "    return\n    destroyed = [step"),
    ):
        path = root / "ops" / "review" / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    done = pull_request.check()
    assert done.returncode == 1
    assert pull_request.stack["verdict"] == "blocked"
    assert pull_request.report["judges"]["own"]["production"]["verdict"] == "safe"
    assert (
        "By the pull request's own rules, production would be safe instead of blocked"
        in pull_request.comment
    )


def test_an_approval_on_the_target_branch_counts_and_says_who_gave_it(
    pull_request: PullRequest,
) -> None:
    pull_request.settings('"US"', '"EU"')
    assert pull_request.check().returncode == 1
    losses = [each["loss"] for each in pull_request.stack["policies"]["refusals"]]
    approvals = pull_request.target.root / "approvals" / "production.yaml"
    urns = [pull_request.target.urn(store, "bucket") for store in ("alpha", "beta")]
    text = json.dumps({"approvals": [{"urn": urn, **APPROVAL} for urn in urns]})
    try:
        approvals.write_text(text)
        (pull_request.root / "approvals" / "production.yaml").write_text(text)
        assert pull_request.check().returncode == 0
    finally:
        approvals.unlink()
    assert pull_request.stack["verdict"] == "needs review"
    approved = pull_request.stack["policies"]["approvals"]
    assert [each["loss"] for each in approved] == losses, "an approval hides nothing"
    assert "By mallory@pull.com and eve@pull.com, until" in pull_request.comment
    assert "nothing in it is kept" in pull_request.comment


@pytest.mark.parametrize("end", ["os._exit(0)", "os._exit(33)", "raise SystemExit(0)"])
def test_a_program_that_ends_early_is_blocked(pull_request: PullRequest, end: str) -> None:
    pull_request.begin_program_with(f"import os\n{end}")
    assert pull_request.check().returncode == 1
    assert pull_request.stack["verdict"] == "blocked"


@pytest.mark.parametrize(
    "code", ["import time\ntime.sleep(1000)", "while True: print('x' * 10_000)"]
)
def test_a_program_that_does_not_end_is_stopped(
    pull_request: PullRequest, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    pull_request.begin_program_with(code)
    target = pull_request.target
    monkeypatch.chdir(target.root)
    monkeypatch.setenv("PYTHONPATH", str(target.repository))
    options = ["--against", str(pull_request.snapshots / "production.json")]
    options += ["--program", str(pull_request.root)]
    (stack,) = Report([run_verb("preview", "production", options, seconds=10)]).stacks
    assert stack.risk is Risk.BLOCKED
    assert stack.failure
    assert "did not end within 10 seconds" in stack.failure.message


@pytest.fixture
def listener() -> Iterator[int]:
    """The port of a server on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_program_runs_confined(pull_request: PullRequest, listener: int) -> None:
    """It can neither change the judge nor itself, read the user's files or reach the network."""
    rules = pull_request.target.root / "policies" / "__main__.py"
    private = pull_request.out / "private"
    private.write_text("of the user")
    attempts = {
        "rewrite a rule": f"open({str(rules)!r}, 'a').write('#')",
        "rewrite itself": "open('__main__.py', 'a').write('#')",
        "delete a rule": f"os.unlink({str(rules)!r})",
        "write a temporary file": "tempfile.TemporaryFile()",
        "read a file": f"open({str(private)!r}).read()",
        "read a process": "open(f'/proc/{os.getppid()}/environ').read()",
        "connect": f"socket.create_connection(('127.0.0.1', {listener}))",
        "serve": "socket.create_server(('127.0.0.1', 0))",
        "read a variable": "os.environ['CLOUDFLARE_API_TOKEN']",
        "read any variable": "os.environ['PLAIN_NAME']",
        "run a program that writes": (
            "subprocess.run(['/bin/sh', '-c', 'echo >> __main__.py'], check=True)"
        ),
    }
    lines = ["import os, socket, subprocess, tempfile", "succeeded = []"]
    for name, code in attempts.items():
        lines += ["try:", f"    {code}", f"    succeeded.append({name!r})"]
        lines += ["except (OSError, KeyError, subprocess.CalledProcessError): pass"]
    lines += ["import pulumi", "pulumi.export('succeeded', succeeded)"]
    pull_request.begin_program_with("\n".join(lines))
    before = rules.read_bytes()
    pull_request.check(CLOUDFLARE_API_TOKEN="planted", PLAIN_NAME="planted")
    (output,) = pull_request.stack["outputs"]
    assert output["name"] == "succeeded"
    assert [each["new"] for each in output["properties"]] == ["[]"], output
    assert rules.read_bytes() == before


def test_a_dynamic_provider_does_not_run(pull_request: PullRequest) -> None:
    """The engine would start the plugin, which runs the program's code, without any limits."""
    plugin = pull_request.out / "pulumi-resource-pulumi-python"
    plugin.write_text(f"#!/bin/sh\ntouch {pull_request.out}/ran\n")
    plugin.chmod(0o755)
    pull_request.begin_program_with(
        "import pulumi\npulumi.CustomResource('pulumi-python:dynamic:Resource', 'a', {'x': 1})"
    )
    done = pull_request.check(PATH=f"{pull_request.out}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert pull_request.stack["verdict"] == "blocked"
    assert not (pull_request.out / "ran").exists()


REPORTED_BY_THE_PROGRAM = (
    '{"message": "", "errors": [], "count": 0, "exitCode": 256}',
    '{"message": "", "errors": [1], "count": 0}',
    "no JSON",
)


@pytest.mark.parametrize("line", REPORTED_BY_THE_PROGRAM)
def test_a_program_does_not_choose_how_the_check_ends(pull_request: PullRequest, line: str) -> None:
    """It can write what it wants into the file in which it reports wrong settings."""
    pull_request.begin_program_with(
        f"import os, sys\nos.write(int(sys.argv[2]), {line.encode()!r})\nos._exit(32)"
    )
    assert pull_request.check().returncode == 2
    assert pull_request.stack["failure"]["message"].startswith("The program refuses its settings")


def test_a_removed_stack_is_blocked(pull_request: PullRequest) -> None:
    (pull_request.root / "Pulumi.production.yaml").unlink()
    assert pull_request.check().returncode == 2
    assert pull_request.stack["verdict"] == "blocked"
    assert "There is no stack 'production'" in pull_request.stack["failure"]["message"]


def test_the_project_file_is_that_of_the_target_branch(pull_request: PullRequest) -> None:
    """A project file can name plugins, which the engine would run, unconfined."""
    evil = pull_request.root / "pulumi-resource-gcp"
    evil.write_text(f"#!/bin/sh\ntouch {pull_request.out}/ran\n")
    evil.chmod(0o755)
    (pull_request.root / "Pulumi.yaml").write_text(
        "name: other\nruntime: python\nplugins:\n  providers:\n"
        f"    - {{name: gcp, path: {pull_request.root}}}\n"
    )
    assert pull_request.check().returncode == 0
    assert pull_request.stack["changes"] == []
    assert pull_request.report["judges"]["changed"] == ["Pulumi.yaml", "pulumi-resource-gcp"]
    assert not (pull_request.out / "ran").exists()


def test_a_stack_file_is_no_link_to_another_file(pull_request: PullRequest) -> None:
    file = pull_request.root / "Pulumi.production.yaml"
    file.unlink()
    file.symlink_to("/etc/passwd")
    assert pull_request.check().returncode == 2
    assert "must be a plain file" in pull_request.stack["failure"]["message"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"'secretsprovider': azurekeyvault://attacker.example/keys/a\nconfig: {}", "no other key"),
        (b"{secretsprovider: passphrase, config: {}}", "no other key"),
        (b"environment: [attacker]\nconfig: {}", "no other key"),
        (b"- config", "no other key"),
        (b"", "no other key"),
        (b"config: {a: \xff}", "cannot be read"),
        (b"config: [", "cannot be read"),
        (b"config: {}\n---\nconfig: {}", "cannot be read"),
    ],
)
def test_a_stack_file_is_nothing_but_settings(tmp_path: Path, text: bytes, message: str) -> None:
    """The engine, which is not confined, reads it."""
    (tmp_path / "Pulumi.production.yaml").write_bytes(text)
    with pytest.raises(WrongInput, match=message):
        Checkout(tmp_path / "target", tmp_path).stack_file("production")


def test_its_own_settings_are_validated_by_its_own_program(pull_request: PullRequest) -> None:
    pull_request.settings("pull:stores: [", "pull:fail: settings\n  pull:stores: [")
    assert pull_request.check().returncode == 2
    assert pull_request.stack["failure"]["errors"] == [
        {"path": "pull:x", "value": "1", "expected": "must be 2"}
    ]


def test_without_a_snapshot_the_target_branch_is_applied_first(
    tmp_path: Path, checkout: Path, engine: Path
) -> None:
    assert engine.exists()
    project = MiniProject(tmp_path / "tiny", checkout)
    (project.root / "Pulumi.staging.yaml").unlink()
    program = project.root / "__main__.py"
    program.write_text(
        "import pulumi, pulumi_random\n"
        "from components.config import SettingsError\n"
        "keepers = pulumi.Config('pull').require_object('owners')\n"
        "pulumi_random.RandomPassword('a', length=20, keepers={'owner': keepers[0]})\n"
    )
    shutil.copytree(project.root, tmp_path / "head")
    pull_request = PullRequest(project, tmp_path / "head", tmp_path, tmp_path)
    pull_request.settings('"core"', '"data"')
    done = pull_request.check()
    assert done.returncode == 0, done.stdout + done.stderr
    assert {change["operation"] for change in pull_request.stack["changes"]} == {"replace"}
    assert "applying the target branch to a sandbox" in done.stderr
    assert "Compared with a sandbox to which the target branch was applied" in pull_request.comment


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--against", "x", "--sandbox"], "--against and --sandbox exclude each other"),
        (["--against", "x", "--record", "/tmp/x"], "--against and --record exclude each other"),
        (["--program", ".", "--sandbox", "--record", "/tmp/x"], "--program and --record exclude"),
        (["--program", ".."], "gets no account"),
        (["--program", ".", "--sandbox"], "is this checkout"),
        (["--program", "/nowhere", "--sandbox"], "there is no Pulumi.yaml in it"),
    ],
)
def test_options_that_exclude_each_other(
    deployed: tuple[MiniProject, Path], options: list[str], message: str
) -> None:
    project, _ = deployed
    done = project.ops("preview", "--stack", "production", *options)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_every_file_but_the_program_judges(tmp_path: Path) -> None:
    target, proposed = tmp_path / "target", tmp_path / "proposed"
    for folder in (target, proposed):
        for path in ("ops/guard.py", "components/api.py", "docs/a.md", ".git/config", "bin/ops"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text("same")
    assert changed_judges(target, proposed) == ()
    (proposed / "components" / "api.py").write_text("other")
    (proposed / "docs" / "a.md").write_text("other")
    (proposed / "Pulumi.review.yaml").touch()
    (proposed / "README.md").touch()
    (target / "ops" / "__pycache__").mkdir()
    (target / "ops" / "__pycache__" / "guard.cpython-311.pyc").touch()  # of its own commands
    (proposed / ".git" / "config").write_text("other")
    assert changed_judges(target, proposed) == ()
    (proposed / "ops" / "guard.py").unlink()
    (proposed / "bin" / "ops").chmod(0o755)
    (proposed / "sitecustomize.py").touch()
    for package in ("ops", "components"):
        (proposed / package / "__pycache__").mkdir()
        (proposed / package / "__pycache__" / "guard.cpython-311.pyc").touch()
    (proposed / "approvals").symlink_to(target / "docs")
    (proposed / ".github" / "workflows").mkdir(parents=True)
    (proposed / ".github" / "workflows" / "check.yml").touch()
    assert changed_judges(target, proposed) == (
        ".github/workflows/check.yml",
        "approvals",
        "bin/ops",
        "components/__pycache__/guard.cpython-311.pyc",
        "ops/__pycache__/guard.cpython-311.pyc",
        "ops/guard.py",
        "sitecustomize.py",
    )

"""The commands, as a user types them, on a small project with the real engine."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.mini_project import PLANTED, MiniProject, plain


@pytest.fixture
def project(tmp_path: Path, checkout: Path, engine: Path) -> MiniProject:
    assert engine.exists()
    return MiniProject(tmp_path / "tiny", checkout)


def test_preview_reads_well_and_does_not_change_the_checkout(project: MiniProject) -> None:
    before = project.fingerprint()
    done = project.ops("preview", *project.here(), variables={"COLUMNS": "80"})
    assert done.returncode == 0, done.stderr
    assert plain(done.stdout)
    lines = done.stdout.splitlines()
    stages = [line for line in lines if line[:1].isdigit()]
    assert stages == ["0 providers and stack", "1 infrastructure", "3 api"]
    assert "  +  alpha  pull:data:Store" in lines
    assert "    +  gcp:storage:Bucket               pull-tiny-alpha  location US" in lines
    assert lines.index("  +  alpha  pull:data:Store") < lines.index("3 api")
    assert "Resources:" in lines
    assert "    + 12 to create" in lines
    assert "noise of the program" not in done.stdout
    assert "noise of the program" in done.stderr
    assert project.fingerprint() == before


def test_life_cycle(project: MiniProject) -> None:
    before = project.fingerprint()
    planned = project.run("preview")
    made = project.run("up")
    assert made["changeSummary"] == planned["changeSummary"] == {"create": 12}
    assert {step["urn"] for step in made["steps"]} == {step["urn"] for step in planned["steps"]}
    assert made["outputs"] == {"last": "pull-tiny-beta"}
    assert len(project.cloud()) == 8

    again = project.run("up")
    assert again["changeSummary"] == {"same": 12}
    assert again["steps"] == []

    project.write(owners=["data"], stores=["alpha"])
    changed = project.run("up")
    assert changed["changeSummary"] == {"delete": 5, "same": 6, "update": 1}
    (update,) = (step for step in changed["steps"] if step["op"] == "update")
    assert update["oldState"]["inputs"]["labels"] == {"owner": "core"}
    assert update["newState"]["inputs"]["labels"] == {"owner": "data"}

    assert project.run("refresh")["changeSummary"] == {"same": 7}
    assert project.run("destroy")["changeSummary"] == {"delete": 7}
    assert project.cloud() == []
    project.write(owners=["core"], stores=["alpha", "beta"])
    assert project.fingerprint() == before


def test_an_up_shows_its_plan_first_and_all_its_numbers_agree(project: MiniProject) -> None:
    done = project.ops("up", *project.here(), "--yes", variables={"COLUMNS": "80"})
    assert done.returncode == 0, done.stderr
    plan, _, progress = done.stdout.partition("\nCarrying out 12 changes; the program runs again")
    assert "    + 12 to create" in plan.splitlines()
    lines = progress.splitlines()
    assert [line[:8] for line in lines if line.startswith("[")][-1] == "[12/12] "
    headings = [line for line in lines if line.startswith("--")]
    assert [line[3] for line in headings if line.endswith(" to do")] == ["0", "1", "3"]
    assert [line[3] for line in headings if line.endswith("finished")] == ["1", "3"]
    assert sum(int(line.split()[-3]) for line in headings if line.endswith(" to do")) == 12
    assert "    + 12 created" in lines


def test_the_progress_of_a_preview_is_beside_the_document(project: MiniProject) -> None:
    done = project.ops("preview", *project.here(), "--json")
    assert json.loads(done.stdout)["changeSummary"] == {"create": 12}
    assert re.search(r"^preview of production: .* \(\d+s\)$", done.stderr, re.MULTILINE)
    assert "\x1b" not in done.stderr


def test_drift_is_detected_and_reverted(project: MiniProject) -> None:
    project.run("up")
    edited = project.ops(
        *("edit", "--dir", str(project.sandbox / "cloud"), "b/pull-tiny-alpha"),
        'labels.owner="somebody"',
        module="sandbox",
    )
    assert edited.returncode == 0, edited.stderr
    found = project.ops("drift", *project.here(), "--json")
    assert found.returncode == 1
    assert json.loads(found.stdout)["result"] == "failed"
    assert [step["urn"] for step in json.loads(found.stdout)["steps"]] == [
        project.urn("alpha", "bucket")
    ]
    seen = project.ops("refresh", *project.here(), variables={"COLUMNS": "200"})
    assert seen.returncode == 0, seen.stderr
    assert "core -> somebody" in seen.stdout
    assert project.run("up")["changeSummary"]["update"] == 1
    assert project.run("drift")["changeSummary"] == {"same": 12}


def test_replacements_and_deletions_are_printed_first(project: MiniProject) -> None:
    project.run("up")
    project.write(location="EU", owners=["data"], stores=["alpha", "gamma"])
    done = project.ops("preview", *project.here(), variables={"COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    worst = lines.index("Replaced or deleted")
    assert worst < lines.index("3 api")
    assert lines[worst + 1].startswith("    +- gcp:storage:Bucket               pull-tiny-alpha")
    assert "         location  US -> EU  forces the replacement" in lines
    assert "    +- 1 to replace" in lines
    assert "    - 5 to delete" in lines


def test_no_secret_anywhere(project: MiniProject) -> None:
    printed = [project.ops("preview", *project.here()), project.ops("up", *project.here(), "--yes")]
    printed.append(project.ops("up", *project.here(), "--yes", "--json"))
    project.write(location="EU")
    printed.append(project.ops("preview", *project.here(), "--json"))
    for done in printed:
        assert done.returncode == 0, done.stderr
        assert PLANTED not in done.stdout + done.stderr
    state = [path for path in (project.sandbox / "state").rglob("*.json*") if path.is_file()]
    assert state
    for path in state:
        assert PLANTED not in path.read_text(), path


def test_no_real_account_reaches_the_sandbox(project: MiniProject) -> None:
    done = project.ops(
        *("up", *project.here(), "--yes", "--json"),
        variables={
            "PULUMI_ACCESS_TOKEN": "pul-leak",
            "PULUMI_BACKEND_URL": "https://leak.invalid",
            "PULUMI_STACK": "leak",
            "PULUMI_CONFIG_PASSPHRASE": "leak",
            "GOOGLE_PROJECT": "leak-project",
            "CLOUDFLARE_API_TOKEN": "leak-token",
        },
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["changeSummary"] == {"create": 12}
    for path in project.sandbox.rglob("*"):
        assert not path.is_file() or b"leak" not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["preview", "--stack", "prod", "--sandbox"], "The stacks are: production, staging."),
        (["preview", "--stack", "production", "--sandbox-dir", "/x"], "without --sandbox"),
        (["up", "--stack", "production", "--sandbox"], "add --yes"),
        (["up", "--stack", "production", "--sandbox", "--json"], "needs --yes"),
        (["destroy", "--stack", "production", "--yes", "--lift-protection"], "reviewed change"),
        (["recover", "--stack", "production", "--yes", "--exists", "urn"], "URN=ID"),
        (["preview"], "--stack"),
        (
            ["up", "--stack", "production", "--sandbox", "--yes", "--outside-window", "fire"],
            "no effect without --window",
        ),
        (
            ["up", "--stack", "production", "--sandbox", "--yes", "--window", "2-4"],
            "write it as 02:00-04:00",
        ),
        (
            ["up", "--stack", "production", "--sandbox", "--yes", "--record", "absent.json"],
            "is not a release record",
        ),
        (
            ["preview", "--stack", "production", "--sandbox", "--sandbox-dir", "x"],
            "in the checkout",
        ),
        (
            ["preview", "--stack", "production", "--sandbox", "--sandbox-dir", "../file"],
            "is a file",
        ),
        (
            ["preview", "--stack", "production", "--sandbox", "--sandbox-dir", "../file/inside"],
            "Not a directory",
        ),
    ],
)
def test_wrong_usage_starts_nothing(
    project: MiniProject, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "file").touch()
    done = project.ops(*arguments, variables=_tripwire(tmp_path))
    assert done.returncode == 2, done.stdout + done.stderr
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "tripped").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["up", "--json", "--yes"], "Missing option '--stack'"),
        (["preview", "--json", "--stack", "production", "--colour"], "No such option: --colour"),
        (["preview", "--json", "--stack", "a", "--valid-hours", "99999999999"], "--valid-hours"),
    ],
)
def test_wrong_usage_is_json_with_json(
    project: MiniProject, arguments: list[str], message: str
) -> None:
    done = project.ops(*arguments)
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert (error["kind"], error["exitCode"]) == ("usage", 2)
    assert message in error["message"]


def test_an_interrupt_before_the_engine_runs_is_reported(
    project: MiniProject, tmp_path: Path
) -> None:
    engine = tmp_path / "bin" / "pulumi"
    engine.parent.mkdir()
    engine.write_text("#!/bin/sh\nkill -INT $PPID\nexec sleep 5\n")
    engine.chmod(0o755)
    done = project.ops(
        "preview", *project.here(), "--json", variables={"PATH": f"{engine.parent}:/usr/bin:/bin"}
    )
    assert done.returncode == 130
    error = json.loads(done.stdout)["error"]
    assert (error["kind"], error["exitCode"]) == ("interrupted", 130)
    assert "Traceback" not in done.stderr


def test_wrong_settings_are_all_told_at_once(project: MiniProject, tmp_path: Path) -> None:
    project.write(stores="alpha", owners=7)
    for_people = project.ops("preview", *project.here(), variables=_tripwire(tmp_path))
    assert for_people.returncode == 2
    assert "pull:stores must be a list of names; pull:owners must be" in for_people.stderr
    assert "Traceback" not in for_people.stderr
    for_machines = project.ops("preview", *project.here(), "--json", variables=_tripwire(tmp_path))
    assert for_machines.returncode == 2
    assert json.loads(for_machines.stdout)["error"]["kind"] == "settings"
    assert json.loads(for_machines.stdout)["error"]["errors"] == [
        {"path": "pull:stores", "value": "alpha", "expected": "must be a list of names"},
        {"path": "pull:owners", "value": 7, "expected": "must be a list of names"},
    ]
    assert not (tmp_path / "tripped").exists()


def test_settings_that_the_program_finds_wrong_are_wrong_input(project: MiniProject) -> None:
    project.write(fail="settings")
    done = project.ops("preview", *project.here())
    assert done.returncode == 2
    assert done.stderr.count("the program: pull:x must be 2") == 1
    assert "Traceback" not in done.stdout + done.stderr
    document = json.loads(project.ops("preview", *project.here(), "--json").stdout)
    assert document["error"]["kind"] == "settings"
    assert document["error"]["errors"] == [{"path": "pull:x", "value": 1, "expected": "must be 2"}]


def test_program_errors_are_readable(project: MiniProject) -> None:
    message = "The program failed: KeyError: 'no such worker'\n      at __main__.py:"
    project.write(fail="error")
    done = project.ops("preview", *project.here())
    assert done.returncode == 1
    assert message in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stdout.count(message) == 1
    assert "nothing was changed" in done.stderr
    document = json.loads(project.ops("preview", *project.here(), "--json").stdout)
    assert document["result"] == "failed"
    assert document["error"]["kind"] == "engine"


def test_a_graph_that_a_policy_blocks_names_the_rule(project: MiniProject) -> None:
    project.write(location="ASIA")
    done = project.ops("graph", *project.here())
    assert done.returncode == 1
    assert done.stdout == ""
    assert "tiny-location  alpha-bucket" in done.stderr
    assert "a bucket must not be in Asia" in done.stderr


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "preview of production in the local sandbox, not real accounts: "),
        (["--json"], "preview of production in the local sandbox, not real accounts: "),
    ],
)
def test_the_first_line_names_the_sandbox(
    project: MiniProject, options: list[str], expected: str
) -> None:
    done = project.ops("preview", *project.here(), *options)
    assert (done.stderr if options else done.stdout).startswith(expected), done.stderr


def test_help_names_the_commands_in_the_order_of_use(project: MiniProject) -> None:
    done = project.ops("--help", variables={"COLUMNS": "80"})
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: bin/ops [OPTIONS] COMMAND")
    listed = done.stdout.partition("Commands:\n")[2]
    assert "..." not in listed, "a summary is too long for its line"
    verbs = [line.split()[0] for line in listed.splitlines()]
    assert verbs == [
        *("preview", "check", "snapshot", "report", "sign", "up", "drift", "refresh", "recover"),
        *("destroy", "graph", "render", "engine"),
    ]


def test_an_error_of_the_cloud_names_the_resource(project: MiniProject) -> None:
    done = project.ops(
        *("up", *project.here(), "--yes"),
        variables={**_tests_on_path(project), "FAULT": "3:error:before"},
        module="tests.ops_with_faults",
    )
    assert done.returncode == 1, done.stderr
    assert "no quota" in done.stdout
    assert "error: gcp:" in done.stdout
    assert "code: 255" not in done.stdout + done.stderr
    assert "run the same command again" in done.stderr
    stages = done.stdout.partition("\nStages:\n")[2]
    assert re.search(r"^    failed     (1 infrastructure|3 api)  \d of 5$", stages, re.MULTILINE)
    assert "finished   3 api" not in stages
    repaired = project.run("up")
    assert repaired["result"] == "succeeded"
    assert {stage["state"] for stage in repaired["stages"]} == {"finished"}
    assert len(project.cloud()) == 8


def test_protected_resources_are_destroyed_in_two_steps(project: MiniProject) -> None:
    project.write(protect=True)
    project.run("up")
    refused = project.ops("destroy", *project.here(), "--yes", "--json")
    assert refused.returncode == 1
    error = json.loads(refused.stdout)["error"]
    assert error["kind"] == "protected"
    assert [urn.rpartition("::")[2] for urn in error["resources"]] == [
        "alpha-bucket",
        "beta-bucket",
    ]
    assert "--lift-protection" in error["message"]
    assert len(project.cloud()) == 8
    assert project.run("destroy", "--lift-protection")["changeSummary"] == {"delete": 12}
    assert project.cloud() == []
    assert "true" in (project.root / "Pulumi.production.yaml").read_text()


def test_an_interrupt_reaches_the_engine_and_loses_nothing(project: MiniProject) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.ops_with_faults", "up", *project.here(), "--yes"],
        cwd=project.root,
        env={**project.environment(), **_tests_on_path(project), "FAULT": "3:delay:after"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "created" in line and "RandomPassword" in line:
                break
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 130, output + errors
    assert "was interrupted" in errors
    assert "Traceback" not in errors
    if (
        project.ops("up", *project.here(), "--yes").returncode == 1
    ):  # the delayed operation is pending
        project.run("recover")
    project.run("up")
    assert len(project.cloud()) == 8
    assert project.run("up")["changeSummary"] == {"same": 12}


def test_engine_prints_the_path_of_the_cli(project: MiniProject, engine: Path) -> None:
    done = project.ops("engine")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == str(engine)


def _tests_on_path(project: MiniProject) -> dict[str, str]:
    return {"PYTHONPATH": str(project.repository)}


def _tripwire(folder: Path) -> dict[str, str]:
    """Variables with a PATH on which a start of the engine creates a file."""
    wire = folder / "bin" / "pulumi"
    wire.parent.mkdir(exist_ok=True)
    wire.write_text(f"#!/bin/sh\ntouch {folder / 'tripped'}\n")
    wire.chmod(wire.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{wire.parent}:{os.environ['PATH']}"}

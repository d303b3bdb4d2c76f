"""The workflows: both linters, and what no linter knows about this repository."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from typer.main import get_command

from ops.command_line.cli import app
from ops.review.report.markdown import MARKER
from ops.review.window import Window
from tests import golden
from tests.recorder import ROOT
from tests.tools.workflow_lint import provide_actionlint

FOLDER: Final = ROOT / ".github" / "workflows"
WORKFLOWS: Final = {path.stem: path for path in sorted(FOLDER.glob("*.yml"))}

PINNED: Final = {
    "actions/attest": ("59d89421af93a897026c735860bf21b6eb4f7b26", "v4.1.0"),
    "actions/cache/restore": ("55cc8345863c7cc4c66a329aec7e433d2d1c52a9", "v6.1.0"),
    "actions/cache/save": ("55cc8345863c7cc4c66a329aec7e433d2d1c52a9", "v6.1.0"),
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/download-artifact": ("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
    "actions/upload-artifact": ("043fb46d1a93c77aae656e7c1c64a875d1fc6a0a", "v7.0.1"),
    "google-github-actions/auth": ("7c6bc770dae815cd3e89ee6cdf493a5fab2cc093", "v3.0.0"),
}
"""Every action that may be used, with the commit of its release."""

TOKENS: Final = {
    "CLOUDFLARE_API_TOKEN",
    "PULUMI_ACCESS_TOKEN",
    "RECORD_SIGNING_KEY",
    "SLACK_WEBHOOK_URL",
    "VERCEL_API_TOKEN",
}
"""Secrets of GitHub environments: the key that signs records, and credentials of platforms without
workload identity federation."""

each = pytest.mark.parametrize("name", WORKFLOWS)


def read(name: str) -> dict[str, Any]:
    """A workflow with all scalars as text: YAML 1.1 reads the key ``on`` as a boolean."""
    loader = yaml.BaseLoader  # safe: it makes text, lists and mappings, and nothing else
    document: dict[str, Any] = yaml.load(WORKFLOWS[name].read_text("utf-8"), loader)  # noqa: S506
    return document


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every job as ``workflow.job``."""
    for name in WORKFLOWS:
        for job, body in read(name)["jobs"].items():
            yield f"{name}.{job}", body


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every step, with the job that it is in."""
    for job, body in jobs():
        for step in body["steps"]:
            yield job, step


def test_the_workflows() -> None:
    assert list(WORKFLOWS) == ["cache", "check", "drift", "release"]


def test_actionlint_finds_nothing(need: Callable[[str, str], str]) -> None:
    go = need("go", "install Go 1.25 or newer")
    done = subprocess.run(
        [provide_actionlint(go), "-no-color", "-shellcheck=", "-pyflakes=", *WORKFLOWS.values()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_actionlint_is_at_work(need: Callable[[str, str], str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOWS["drift"].read_text("utf-8").replace("matrix.stack", "matrix.stak"))
    linter = provide_actionlint(need("go", "install Go 1.25 or newer"))
    done = subprocess.run(
        [linter, "-no-color", broken], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert '"stak" is not defined' in done.stdout


def zizmor(path: Path) -> subprocess.CompletedProcess[str]:
    """Run the security linter, offline: by default it looks up tags at GitHub."""
    program = Path(sys.executable).parent / "zizmor"
    return subprocess.run(
        [program, "--offline", "--no-progress", "--color=never", path],
        capture_output=True,
        text=True,
        check=False,
    )


def test_zizmor_finds_nothing() -> None:
    done = zizmor(FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_is_at_work(tmp_path: Path) -> None:
    text = WORKFLOWS["check"].read_text("utf-8")
    broken = tmp_path / "broken.yml"
    broken.write_text(text.replace("--program ../proposed", '--program "${{ github.head_ref }}"'))
    done = zizmor(broken)
    assert done.returncode != 0
    assert "template-injection" in done.stdout


def test_every_action_is_pinned_to_the_commit_of_a_known_release() -> None:
    used = set()
    for path in WORKFLOWS.values():
        for line in path.read_text("utf-8").splitlines():
            if "uses:" in line:
                found = re.search(r"uses: ([\w./-]+)@([0-9a-f]{40}) # (v[\d.]+)$", line)
                assert found, line
                assert PINNED[found[1]] == (found[2], found[3])
                used.add(found[1])
    assert used == set(PINNED)


@each
def test_permissions_are_granted_to_jobs_only(name: str) -> None:
    assert read(name)["permissions"] == {}


def test_each_job_has_the_permissions_that_it_needs() -> None:
    signs_in = {"contents": "read", "id-token": "write"}
    reads = {"contents": "read"}
    assert {job: body["permissions"] for job, body in jobs()} == {
        "cache.save": reads,
        "check.check": {**reads, "actions": "read"},
        "check.comment": {"pull-requests": "write"},
        "check.overrule": {},
        "check.verdict": {},
        "drift.look": signs_in,
        "drift.report": reads,
        "drift.tell": {"issues": "write"},
        "release.staging": signs_in,
        "release.review": signs_in,
        "release.approve": {**signs_in, "attestations": "write"},
        "release.find": {"actions": "read", "contents": "read"},
        "release.production": {**signs_in, "actions": "read", "attestations": "read"},
    }


def test_jobs_that_may_write_at_github_run_no_code_of_the_checkout() -> None:
    for job, body in jobs():
        if set(body["permissions"]) & {"issues", "pull-requests"}:
            assert not [step for step in body["steps"] if "checkout" in step.get("uses", "")], job
            assert "ops" not in "".join(step.get("run", "") for step in body["steps"]), job


def test_jobs_that_sign_in_run_in_the_environment_that_the_identity_trusts() -> None:
    signing = {
        job: body["environment"]
        for job, body in jobs()
        if body["permissions"].get("id-token") == "write"
    }
    assert signing == {
        "drift.look": "${{ matrix.stack }}-preview",
        "release.staging": "staging",
        "release.review": "production-preview",
        # Only for the attestation: no service account can be used from this environment.
        "release.approve": "production-approval",
        "release.production": "production",
    }


def test_a_checkout_keeps_no_credentials() -> None:
    checkouts = [step for _, step in steps() if "checkout" in step.get("uses", "")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] == "false" for step in checkouts)


def test_no_command_holds_an_expression() -> None:
    """GitHub would insert its value before the shell parses the command, whatever it contains."""
    for job, step in steps():
        assert "${{" not in step.get("run", ""), job


def test_there_is_no_long_lived_key() -> None:
    for path in WORKFLOWS.values():
        text = path.read_text("utf-8")
        assert set(re.findall(r"secrets\.(\w+)", text)) <= TOKENS, path.name
        assert "credentials_json" not in text
        assert ("pull_request" in read(path.stem)["on"]) is False, (
            "its jobs run the head's workflow"
        )
        assert ("pull_request_target" in text) is (path.stem == "check")


def test_secrets_reach_one_step_of_a_job_in_an_environment() -> None:
    for name, body in jobs():
        assert "secrets." not in str(body.get("env", {})), name
        for step in body["steps"]:
            if "secrets." in str(step):
                assert "environment" in body, name
                assert "secrets." not in str({**step, "env": {}}), name


def test_the_check_runs_nothing_of_the_pull_request_itself() -> None:
    """Its commands, and whatever they run by path, come from the target branch."""
    check = read("check")["jobs"]["check"]
    checkouts = {
        step["with"]["path"]: step["with"]["ref"]
        for step in check["steps"]
        if "checkout" in step.get("uses", "")
    }
    assert checkouts == {
        "target": "${{ github.event.pull_request.base.sha }}",
        "proposed": "refs/pull/${{ github.event.pull_request.number }}/merge",
    }
    for step in check["steps"]:
        if re.search(r"\b(make|bin/ops|python)\b", step.get("run", "")):
            assert step["working-directory"] == "target", step
        used = step.get("run", "").replace("--program ../proposed", "")
        assert "proposed" not in used
        if "--program" in step.get("run", ""):
            assert "GH_TOKEN" not in step["env"], "the program of the pull request gets no token"
    assert "secrets." not in WORKFLOWS["check"].read_text("utf-8")
    assert check["permissions"].keys().isdisjoint({"id-token"})
    assert "cache/save" not in WORKFLOWS["check"].read_text("utf-8")


def test_only_the_target_branch_writes_the_cache() -> None:
    assert read("cache")["on"] == {"push": {"branches": ["main"]}}
    keys = [
        re.sub("target/", "", step["with"]["key"])
        for _, step in steps()
        if "cache/restore" in step.get("uses", "")
    ]
    assert len(keys) == 2
    assert len(set(keys)) == 1, "the check would not find what cache.yml saved"


@pytest.mark.parametrize(
    ("check", "overruled", "code"),
    [("success", "skipped", 0), ("failure", "success", 0), ("failure", "skipped", 1)],
)
def test_the_owners_of_the_rules_can_overrule_a_verdict(
    tmp_path: Path, check: str, overruled: str, code: int
) -> None:
    done = run_step("check.verdict.Verdict", tmp_path, CHECK=check, OVERRULED=overruled)
    assert done.returncode == code


@pytest.mark.parametrize(
    ("own", "accepted"),
    [({}, False), ({"a": "safe", "b": "release"}, True), ({"a": "safe", "b": ""}, False)],
)
def test_only_a_pull_request_that_passes_its_own_rules_can_be_overruled(
    tmp_path: Path, own: dict[str, str], accepted: bool
) -> None:
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "report.md").write_text("the report\n")
    verdicts = {stack: {"verdict": verdict} for stack, verdict in own.items()}
    document = {"verdict": "blocked", "judges": {"own": verdicts}}
    (tmp_path / "report" / "report.json").write_text(json.dumps(document))
    output = tmp_path / "output"
    done = run_step("check.check.Result", tmp_path, GITHUB_OUTPUT=str(output))
    assert done.returncode == 0, done.stderr
    assert output.read_text() == f"verdict=blocked\nown={str(accepted).lower()}\n"
    assert (tmp_path / "summary").read_text() == "the report\n"


def test_production_comes_after_staging_and_by_the_record_alone() -> None:
    found = read("release")["jobs"]
    assert found["review"]["needs"] == ["staging"]
    assert found["approve"]["needs"] == ["review"]
    assert found["production"]["needs"] == ["find"]
    (release,) = (step["run"] for step in found["production"]["steps"] if "ops up" in str(step))
    assert "--record" in release
    window = re.search(r"--window (\S+)", release)
    assert window
    assert Window.read(window[1]) == Window.read("02:00-04:00")


@pytest.mark.parametrize(
    ("event", "inputs", "staging", "jobs_run"),
    [
        ("push", {}, "success", ["staging", "review"]),
        ("push", {}, "failure", ["staging"]),
        ("schedule", {}, "skipped", ["find"]),
        ("workflow_dispatch", {"action": "release", "reason": ""}, "skipped", ["find"]),
        ("workflow_dispatch", {"action": "release", "reason": "down"}, "skipped", ["find"]),
        ("workflow_dispatch", {"action": "review", "reason": ""}, "success", ["staging", "review"]),
        ("workflow_dispatch", {"action": "review", "reason": ""}, "failure", ["staging"]),
        ("workflow_dispatch", {"action": "review", "reason": "broken"}, "skipped", ["review"]),
    ],
)
def test_each_event_starts_its_jobs(
    event: str, inputs: dict[str, str], staging: str, jobs_run: list[str]
) -> None:
    """A broken staging is passed only by hand and with a reason."""
    values = {
        "github.ref": "refs/heads/main",
        "github.event_name": event,
        "vars.RELEASES": "on",
        "needs.staging.result": staging,
        "inputs.action": inputs.get("action", ""),
        "inputs.reason": inputs.get("reason", ""),
    }

    def holds(condition: str, **others: str) -> bool:
        for name, value in {**values, **others}.items():
            condition = condition.replace(name, repr(value))
        condition = condition.replace("!cancelled()", "True")
        return bool(eval(condition.replace("&&", " and ").replace("||", " or ")))  # noqa: S307

    found = read("release")["jobs"]
    names = ("staging", "review", "find")
    assert [name for name in names if holds(found[name]["if"])] == jobs_run
    branch = {"github.ref": "refs/heads/attack"}
    assert not any(holds(found[name]["if"], **branch) for name in names)


def test_the_key_that_signs_is_where_no_program_runs() -> None:
    assert {job for job, step in steps() if "RECORD_SIGNING_KEY" in str(step)} == {
        "release.approve"
    }
    verbs = re.findall(r"bin/ops (\w+)", str(read("release")["jobs"]["approve"]))
    assert verbs == ["sign"]


def test_runs_do_not_block_each_other() -> None:
    assert read("check")["concurrency"]["cancel-in-progress"] == "true"
    assert read("drift")["concurrency"]["group"] == "drift"
    for stack in ("staging", "production"):
        # One group for both would let a release that waits for approval block staging.
        assert read("release")["jobs"][stack]["concurrency"] == {
            "group": f"release-{stack}",
            "cancel-in-progress": "false",
        }
    for job in ("review", "approve"):
        assert read("release")["jobs"][job]["concurrency"] == {
            "group": "review-production",
            "cancel-in-progress": "true",
        }


def test_every_option_in_a_workflow_exists() -> None:
    """The workflows cannot run here, but their commands can be parsed."""
    commands: dict[str, Any] = vars(get_command(app))["commands"]
    for job, step in steps():
        for verb, rest in re.findall(r"bin/ops (\w+)([^|>]*)", step.get("run", "")):
            known = {name for param in commands[verb].params for name in param.opts}
            used = set(re.findall(r"(?<=\s)--[\w-]+", rest))
            assert used <= known, f"{job}: {verb} has no {used - known}"


# -- the steps' scripts, run as GitHub runs them -----------------------------------------------

OPS: Final = f"""\
#!/bin/sh
PYTHONPATH={ROOT} exec {sys.executable} -m ops "$@"
"""
GH: Final = """\
#!/bin/sh
for argument; do printf '%s ' "$argument"; done >> "$RUNNER_TEMP/calls"
echo >> "$RUNNER_TEMP/calls"
case "$*" in
  *--paginate* | "issue list"* | "run list"*) printf "$FOUND_AT_GITHUB"; exit "${FAILS:-0}" ;;
  *"/compare/main-0...commit-of-666 "*) echo diverged ;;
  */compare/*) echo behind ;;
  *actions/artifacts*) cat "$RUNNER_TEMP/artifacts-at-github.json" ;;
esac
"""


def run_step(name: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the step ``workflow.job.title`` in ``folder``, with a ``gh`` that records its calls."""
    workflow, job, title = name.split(".")
    (script,) = (
        step["run"] for step in read(workflow)["jobs"][job]["steps"] if step.get("name") == title
    )
    for path, text in ((folder / "bin" / "ops", OPS), (folder / "bin" / "gh", GH)):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    return subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env={
            "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "RUNNER_TEMP": str(folder),
            "RUN": "https://ci.example/1",
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "FOUND_AT_GITHUB": "",
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def calls(folder: Path) -> list[str]:
    """The recorded calls of ``gh``; clears the record."""
    path = folder / "calls"
    made = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return [call.strip() for call in made]


def test_a_missing_document_does_not_hide_the_other_stack(tmp_path: Path) -> None:
    (tmp_path / "drift").mkdir()
    (tmp_path / "drift" / "production.json").write_text(json.dumps(golden.recorded("drift")))
    done = run_step("drift.report.Report", tmp_path)
    assert done.returncode == 0, done.stderr
    made = (tmp_path / "drift.markdown").read_text()
    assert "## staging: blocked, production: needs review" in made
    assert "The check for drift did not finish: https://ci.example/1" in made


def test_there_is_a_single_comment(tmp_path: Path) -> None:
    step = "check.comment.Write or update the comment"
    github = {"GITHUB_REPOSITORY": "pull/pull", "NUMBER": "7", "MARKER": MARKER}
    assert read("check")["jobs"]["comment"]["steps"][-1]["env"]["MARKER"] == MARKER
    body = f"--field body=@{tmp_path}/report.md"

    assert run_step(step, tmp_path, **github).returncode == 0
    (_, written) = calls(tmp_path)
    assert written == f"api --silent --method POST repos/pull/pull/issues/7/comments {body}"
    # A replacement for the report that is missing.
    report = (tmp_path / "report.md").read_text()
    assert report.startswith(MARKER)
    assert "https://ci.example/1" in report

    assert run_step(step, tmp_path, **github, FOUND_AT_GITHUB="11\\n12\\n").returncode == 0
    (_, written) = calls(tmp_path)
    assert written == f"api --silent --method PATCH repos/pull/pull/issues/comments/11 {body}"

    # If the search fails, nothing is posted: it would be a second comment.
    assert run_step(step, tmp_path, **github, FAILS="1").returncode != 0
    assert len(calls(tmp_path)) == 1


@pytest.mark.parametrize(
    ("found", "issue", "does"),
    [
        ("true", "", "issue create --title Drift detected --label drift --body-file"),
        ("true", "5", "issue edit 5 --body-file"),
        ("false", "5", "issue close 5 --comment"),
        ("false", "", None),
    ],
)
def test_there_is_a_single_issue(tmp_path: Path, found: str, issue: str, does: str | None) -> None:
    step = "drift.tell.Open, update or close the issue"
    done = run_step(step, tmp_path, FOUND=found, TITLE="Drift detected", FOUND_AT_GITHUB=issue)
    assert done.returncode == 0, done.stderr
    made = [call for call in calls(tmp_path) if not call.startswith(("label", "issue list"))]
    assert [call.startswith(str(does)) for call in made] == [True] * bool(does)
    assert "https://ci.example/1" in (tmp_path / "drift.markdown").read_text()


def artifact(name: str, run: int, **changes: Any) -> dict[str, Any]:
    """An artifact as GitHub's API lists it."""
    values = {"branch": "main", "repository": 42, "expired": False, "hour": 9, **changes}
    return {
        "name": name,
        "expired": values["expired"],
        "created_at": f"2026-11-25T{values['hour']:02}:00:00Z",
        "workflow_run": {
            "id": run,
            "head_branch": values["branch"],
            "head_repository_id": values["repository"],
            "head_sha": f"commit-of-{run}",
        },
    }


APPROVED, NOTHING = "approved-record", "nothing-to-release"


@pytest.mark.parametrize(
    ("artifacts", "run", "why"),
    [
        ([artifact(APPROVED, 7)], 7, ""),
        # The newest review, not the newest approval.
        ([artifact(APPROVED, 8, hour=9), artifact(APPROVED, 7, hour=18)], 8, ""),
        ([artifact(NOTHING, 7), artifact(APPROVED, 8)], 8, ""),
        (
            [artifact(NOTHING, 8), artifact(APPROVED, 7)],
            None,
            "of commit commit-of-8, has no changes",
        ),
        # A second attempt of the same run.
        ([artifact(NOTHING, 7, hour=10), artifact(APPROVED, 7, hour=9)], None, "has no changes"),
        ([artifact(APPROVED, 7), artifact(APPROVED, 9, branch="attack")], 7, ""),
        ([artifact(APPROVED, 7), artifact(APPROVED, 9, repository=666)], 7, ""),
        (
            [artifact(NOTHING, 6), artifact(APPROVED, 7, expired=True)],
            None,
            "no review of production was approved",
        ),
        ([], None, "no review of production was approved"),
    ],
)
def test_the_newest_approved_record_is_released_or_the_summary_says_why_not(
    tmp_path: Path,
    need: Callable[[str, str], str],
    artifacts: list[dict[str, Any]],
    run: int | None,
    why: str,
) -> None:
    need("jq", "install jq")
    (tmp_path / "artifacts-at-github.json").write_text(json.dumps({"artifacts": artifacts}))
    output = tmp_path / "output"
    done = run_step(
        "release.find.Find the newest approved record",
        tmp_path,
        GH_REPO="pull/pull",
        GITHUB_SHA="main-0",
        GITHUB_OUTPUT=str(output),
        REPOSITORY_ID="42",
        FOUND_AT_GITHUB="A review waits for approval: https://ci.example/2\n",
    )
    assert done.returncode == 0, done.stderr
    summary = (tmp_path / "summary").read_text() if why else ""
    assert why in summary
    assert ("waits for approval" in summary) is ("no review" in why)
    found = output.read_text() if output.exists() else ""
    assert found == (f"run={run}\ncommit=commit-of-{run}\n" if run else "")


def test_a_record_of_a_commit_that_is_not_on_main_is_not_released(
    tmp_path: Path, need: Callable[[str, str], str]
) -> None:
    """Whoever can push a tag can call it ``main``, and its commit has its own public key."""
    need("jq", "install jq")
    (tmp_path / "artifacts-at-github.json").write_text(
        json.dumps({"artifacts": [artifact(APPROVED, 666)]})
    )
    step = "release.find.Find the newest approved record"
    github = {"GH_REPO": "pull/pull", "GITHUB_SHA": "main-0", "REPOSITORY_ID": "42"}
    done = run_step(step, tmp_path, **github, GITHUB_OUTPUT=str(tmp_path / "output"))
    assert done.returncode == 1
    assert "which is not on main" in (tmp_path / "summary").read_text()
    assert not (tmp_path / "output").exists()


def test_a_snapshot_is_of_a_release_of_main(tmp_path: Path) -> None:
    step = "check.check.Download the snapshots of the last release"
    github = {"GH_REPO": "pull/pull", "GITHUB_SHA": "main-0"}
    found = "8 commit-of-666\n7 commit-of-7\n6 commit-of-6\n"
    done = run_step(step, tmp_path, **github, FOUND_AT_GITHUB=found)
    assert done.returncode == 0, done.stderr
    downloads = [call for call in calls(tmp_path) if call.startswith("run download")]
    assert [call.split()[2] for call in downloads] == ["7", "7"]


def test_an_issue_is_closed_only_after_every_stack_was_checked() -> None:
    """A job that timed out has the result ``cancelled``, and has checked nothing."""
    assert read("drift")["jobs"]["tell"]["env"]["FOUND"] == "${{ needs.look.result != 'success' }}"


def test_the_snippet_for_another_ci_uses_known_options() -> None:
    text = (ROOT / "docs" / "delivery.md").read_text("utf-8")
    (snippet,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    pipeline = yaml.safe_load(snippet)
    commands = vars(get_command(app))["commands"]
    lines = [
        line
        for job in pipeline.values()
        for line in (*job["script"], *job.get("after_script", ()))
        if "bin/ops" in line
    ]
    assert {line.split()[1] for line in lines} == {
        *("check", "preview", "report", "sign", "snapshot", "up"),
    }
    for line in lines:
        _, verb, *rest = line.split()
        known = {name for param in commands[verb].params for name in param.opts}
        assert {word for word in rest if word.startswith("--")} <= known, line
    # A new file in the checkout would make it differ from the reviewed one.
    assert not [line for line in lines if re.search(r"(--record|>) (?!/tmp/)", line)]

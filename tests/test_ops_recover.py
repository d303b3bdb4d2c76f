"""The engine is killed with SIGKILL in the middle of its work; nothing is lost or made twice."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops.errors import Refused
from ops.recovery import plan_recovery, recover
from tests.mini_project import MiniProject
from tests.stack_lifecycle import running_for

CREATIONS = 8
"""How many operations change the cloud in an up of the tiny program from nothing."""
CHANGES = 6
"""And in the up after ``Tiny.write(**CHANGED)``: both halves of a replacement, four deletions."""
CHANGED = {"location": "EU", "stores": ["alpha"]}

SAMPLE = [(1, "before"), (4, "after"), (8, "after")]
CHANGE_SAMPLE = [(1, "after"), (2, "after"), (4, "after")]


def every(operations: int, sample: list[tuple[int, str]]) -> list[object]:
    """All points at which an engine can be killed; all but the sample are for the soak."""
    return [
        pytest.param(at, moment, marks=() if (at, moment) in sample else pytest.mark.soak)
        for at in range(1, operations + 1)
        for moment in ("before", "after")
    ]


@pytest.fixture
def tiny(tmp_path: Path, checkout: Path, engine: Path) -> Iterator[MiniProject]:
    assert engine.exists()
    yield MiniProject(tmp_path / "tiny", checkout)
    assert running_for(tmp_path) == [], "a killed engine left its policy pack running"


def crash(tiny: MiniProject, verb: str, at: int, moment: str) -> None:
    """Run a verb whose engine is killed at the given operation."""
    done = tiny.ops(
        *(verb, *tiny.here(), "--yes"),
        variables={"FAULT": f"{at}:crash:{moment}"},
        module="tests.ops_with_faults",
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "The engine was killed (signal 9)" in done.stdout
    assert "bin/ops recover --stack production" in done.stdout
    assert "Traceback" not in done.stderr


def refused(tiny: MiniProject, verb: str) -> dict[str, object]:
    done = tiny.ops(verb, *tiny.here(), "--yes", "--json")
    assert done.returncode == 1, done.stdout
    error: dict[str, object] = json.loads(done.stdout)["error"]
    assert error["kind"] == "interrupted", error
    assert "bin/ops recover --stack production" in str(error["message"])
    return error


@pytest.mark.parametrize(("at", "moment"), every(CREATIONS, SAMPLE))
def test_a_crash_while_creating(tiny: MiniProject, at: int, moment: str) -> None:
    crash(tiny, "up", at, moment)
    error = refused(tiny, "up")
    assert "creating" in str(error["found"])
    tiny.run("recover")
    tiny.run("up")
    expected = [
        ("gcp:secretmanager/secret:Secret", 2),
        ("gcp:secretmanager/secretVersion:SecretVersion", 2),
        ("gcp:storage/bucket:Bucket", 2),
        ("random:index/randomPassword:RandomPassword", 2),
    ]
    types = [type_ for type_, _ in tiny.cloud()]
    assert [(type_, types.count(type_)) for type_ in sorted(set(types))] == expected
    assert tiny.run("refresh")["changeSummary"] == {"same": 12}
    assert tiny.run("up")["changeSummary"] == {"same": 12}


@pytest.mark.parametrize(("at", "moment"), every(CHANGES, CHANGE_SAMPLE))
def test_a_crash_while_changing(tiny: MiniProject, at: int, moment: str) -> None:
    tiny.run("up")
    tiny.write(**CHANGED)
    crash(tiny, "up", at, moment)
    refused(tiny, "up")
    tiny.run("recover")
    tiny.run("up")
    assert [address for type_, address in tiny.cloud() if "bucket" in type_] == [
        "b/pull-tiny-alpha"
    ]
    assert len(tiny.cloud()) == 4
    assert tiny.run("refresh")["changeSummary"] == {"same": 7}
    assert tiny.run("up")["changeSummary"] == {"same": 7}


@pytest.mark.parametrize(("at", "moment"), every(CREATIONS, [(3, "after")]))
def test_a_crash_while_destroying(tiny: MiniProject, at: int, moment: str) -> None:
    tiny.run("up")
    crash(tiny, "destroy", at, moment)
    refused(tiny, "destroy")
    tiny.run("recover")
    tiny.run("destroy")
    assert tiny.cloud() == []


def test_a_crash_of_the_recovery_itself(tiny: MiniProject) -> None:
    """The refresh after the import is what a killed recovery has not done."""
    crash(tiny, "up", 4, "after")
    script = (
        "import sys; sys.path.insert(0, '.')\n"
        "import ops.engine.stack\n"
        "ops.engine.stack.OpenStack.refresh = lambda self: sys.exit(9)\n"
        "from ops.command_line.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "recover", *tiny.here(), "--yes"],
        cwd=tiny.root,
        env=tiny.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 9, done.stdout + done.stderr
    tiny.run("up")
    assert len(tiny.cloud()) == CREATIONS
    assert tiny.run("up")["changeSummary"] == {"same": 12}


def test_recovery_with_nothing_to_settle_is_a_refresh(tiny: MiniProject) -> None:
    tiny.run("up")
    assert tiny.run("recover")["changeSummary"] == {"same": 12}


def test_a_lock_is_broken_only_when_its_engine_is_gone(tiny: MiniProject) -> None:
    tiny.run("up")
    folder = tiny.sandbox / "state" / ".pulumi" / "locks" / "organization" / "tiny" / "production"
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / "0b7c6f2e-0000-4000-8000-000000000000.json"
    since = {"username": "somebody", "timestamp": "2026-01-01T00:00:00Z"}

    lock.write_text(json.dumps({"pid": 1, "hostname": "elsewhere", **since}))
    held = tiny.ops("recover", *tiny.here(), "--yes", "--json")
    assert held.returncode == 1
    assert json.loads(held.stdout)["error"]["kind"] == "running"
    assert "process 1 on elsewhere" in json.loads(held.stdout)["error"]["message"]
    assert lock.exists()

    lock.write_text(json.dumps({"pid": 2**22 + 1, "hostname": socket.gethostname(), **since}))
    refused(tiny, "up")
    tiny.run("recover")
    assert not lock.exists()


def test_what_is_not_pending_cannot_be_found_or_gone(tiny: MiniProject) -> None:
    tiny.run("up")
    done = tiny.ops("recover", *tiny.here(), "--yes", "--gone", "urn:pulumi:x")
    assert done.returncode == 2
    assert "urn:pulumi:x" in done.stderr


def real_accounts(*noted: str) -> Any:
    """A stack on real accounts in whose state creations of the given names are pending."""
    resources = [
        {"urn": f"urn:{name}", "type": "gcp:storage/bucket:Bucket", "inputs": {"name": name}}
        for name in noted
    ]
    state = {
        "resources": [{"urn": "urn:old", "id": "old"}],
        "pending_operations": [{"type": "creating", "resource": one} for one in resources],
    }
    return SimpleNamespace(
        name="production",
        environment=SimpleNamespace(state=None),
        cloud=None,
        state=lambda: state,
        replace_state=state.update,
        break_lock=lambda: state.update(lock="broken"),
        recover_command="bin/ops recover --stack production",
    )


def test_on_real_accounts_somebody_has_to_look() -> None:
    with pytest.raises(Refused) as refusal:
        plan_recovery(real_accounts("a", "b"), {"urn:a": "a"}, [])
    assert "gcp:storage:Bucket  name b\n    urn:b" in str(refusal.value)
    assert "urn:a" not in str(refusal.value)
    assert "--found 'URN=ID'" in str(refusal.value)


def test_on_real_accounts_what_was_found_is_taken_over() -> None:
    opened = real_accounts("a", "b", "old")
    recovery = plan_recovery(opened, {"urn:a": "a-id", "urn:old": "new"}, ["urn:b"])
    assert recovery.lines() == [
        "creating  gcp:storage:Bucket  urn:a: it exists as a-id; take it over",
        "creating  gcp:storage:Bucket  urn:b: it does not exist; forget it",
        "creating  gcp:storage:Bucket  urn:old: it exists as new; take it over",
    ]
    recover(opened, recovery)
    after = opened.state()
    assert after["lock"] == "broken"
    assert after["pending_operations"] == []
    known = [(one["urn"], one["id"], one.get("delete", False)) for one in after["resources"]]
    assert known == [("urn:old", "new", False), ("urn:old", "old", True), ("urn:a", "a-id", False)]

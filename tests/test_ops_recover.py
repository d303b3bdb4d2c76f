"""The engine is killed with SIGKILL in the middle of its work; nothing is lost or created twice."""

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

from ops.errors import Refused, WrongInput
from ops.recovery import UNREAD, adopt, find_existing, plan_recovery, recover
from ops.review.steps import Step
from tests.mini_project import MiniProject
from tests.stack_lifecycle import running_for

CREATIONS = 8
"""How many operations change the cloud in the first up of the mini project."""
CHANGES = 6
"""And in the up after ``project.write(**CHANGED)``: a replacement in two steps, four deletions."""
CHANGED = {"location": "EU", "stores": ["alpha"]}

SAMPLE = [(1, "before"), (4, "after"), (8, "after")]
CHANGE_SAMPLE = [(1, "after"), (2, "after"), (4, "after")]


def every(operations: int, sample: list[tuple[int, str]]) -> list[object]:
    """All points at which an engine can be killed; all except the sample run in the soak only."""
    return [
        pytest.param(at, moment, marks=() if (at, moment) in sample else pytest.mark.soak)
        for at in range(1, operations + 1)
        for moment in ("before", "after")
    ]


@pytest.fixture
def project(tmp_path: Path, checkout: Path, engine: Path) -> Iterator[MiniProject]:
    assert engine.exists()
    yield MiniProject(tmp_path / "tiny", checkout)
    assert running_for(tmp_path) == [], "a killed engine left its policy pack running"


def crash(project: MiniProject, verb: str, at: int, moment: str) -> None:
    """Run a command whose engine is killed at the given operation."""
    done = project.ops(
        *(verb, *project.here(), "--yes"),
        variables={"FAULT": f"{at}:crash:{moment}"},
        module="tests.ops_with_faults",
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "The engine was killed (signal 9)" in done.stdout
    assert "bin/ops recover --stack production" in done.stdout
    assert "Traceback" not in done.stderr


def refused(project: MiniProject, verb: str) -> dict[str, object]:
    done = project.ops(verb, *project.here(), "--yes", "--json")
    assert done.returncode == 1, done.stdout
    error: dict[str, object] = json.loads(done.stdout)["error"]
    assert error["kind"] == "interrupted", error
    assert "bin/ops recover --stack production" in str(error["message"])
    return error


@pytest.mark.parametrize(("at", "moment"), every(CREATIONS, SAMPLE))
def test_a_crash_while_creating(project: MiniProject, at: int, moment: str) -> None:
    crash(project, "up", at, moment)
    error = refused(project, "up")
    assert "creating" in str(error["found"])
    project.run("recover")
    project.run("up")
    expected = [
        ("gcp:secretmanager/secret:Secret", 2),
        ("gcp:secretmanager/secretVersion:SecretVersion", 2),
        ("gcp:storage/bucket:Bucket", 2),
        ("random:index/randomPassword:RandomPassword", 2),
    ]
    types = [type_ for type_, _ in project.cloud()]
    assert [(type_, types.count(type_)) for type_ in sorted(set(types))] == expected
    assert project.run("refresh")["changeSummary"] == {"same": 12}
    assert project.run("up")["changeSummary"] == {"same": 12}


@pytest.mark.parametrize(("at", "moment"), every(CHANGES, CHANGE_SAMPLE))
def test_a_crash_while_changing(project: MiniProject, at: int, moment: str) -> None:
    project.run("up")
    project.write(**CHANGED)
    crash(project, "up", at, moment)
    refused(project, "up")
    project.run("recover")
    project.run("up")
    assert [address for type_, address in project.cloud() if "bucket" in type_] == [
        "b/pull-tiny-alpha"
    ]
    assert len(project.cloud()) == 4
    assert project.run("refresh")["changeSummary"] == {"same": 7}
    assert project.run("up")["changeSummary"] == {"same": 7}


@pytest.mark.parametrize(("at", "moment"), every(CREATIONS, [(3, "after")]))
def test_a_crash_while_destroying(project: MiniProject, at: int, moment: str) -> None:
    project.run("up")
    crash(project, "destroy", at, moment)
    refused(project, "destroy")
    project.run("recover")
    project.run("destroy")
    assert project.cloud() == []


def test_a_crash_of_the_recovery_itself(project: MiniProject) -> None:
    """The recovery is killed after its import and before its refresh."""
    crash(project, "up", 4, "after")
    script = (
        "import sys; sys.path.insert(0, '.')\n"
        "import ops.engine.stack\n"
        "ops.engine.stack.OpenStack.refresh = lambda self: sys.exit(9)\n"
        "from ops.command_line.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "recover", *project.here(), "--yes"],
        cwd=project.root,
        env=project.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 9, done.stdout + done.stderr
    project.run("up")
    assert len(project.cloud()) == CREATIONS
    assert project.run("up")["changeSummary"] == {"same": 12}


def test_recovery_with_nothing_to_repair_is_a_refresh(project: MiniProject) -> None:
    project.run("up")
    assert project.run("recover")["changeSummary"] == {"same": 12}


def test_a_creation_that_was_answered_with_an_error_is_adopted(project: MiniProject) -> None:
    failed = project.ops(
        *("up", *project.here(), "--yes"),
        variables={"FAULT": "4:error:after"},
        module="tests.ops_with_faults",
    )
    assert failed.returncode == 1
    made = project.cloud()
    known = [resource for resource in project.resources() if resource["custom"]]
    providers = [resource for resource in known if resource["type"].startswith("pulumi:")]
    assert len(known) - len(providers) == len(made) - 1

    project.run("recover", "--adopt-existing")
    assert project.cloud() == made
    project.run("up")
    assert len(project.cloud()) == CREATIONS
    assert project.run("up")["changeSummary"] == {"same": 12}


def test_a_damaged_state_file_is_restored(project: MiniProject) -> None:
    """As after a full disk: the file and its backup end in the middle."""
    project.run("up")
    folder = project.sandbox / "state" / ".pulumi" / "stacks" / "tiny"
    good = (folder / "production.json").read_text("utf-8")
    for name in ("production.json", "production.json.bak"):
        (folder / name).write_text(good[: len(good) // 2], "utf-8")
    refused_up = project.ops("up", *project.here(), "--yes", "--json")
    assert refused_up.returncode == 1
    error = json.loads(refused_up.stdout)["error"]
    assert error["kind"] == "state"
    assert "ends in the middle" in error["message"]
    assert "bin/ops recover --stack production --sandbox" in error["message"]

    assert project.run("recover")["changeSummary"] == {"same": 12}
    assert project.run("up")["changeSummary"] == {"same": 12}


class Adopting:
    """A stack whose program declares a component with two buckets; ``known`` are in the state."""

    cloud = None
    recover_command = "bin/ops recover --stack production"

    def __init__(self, known: list[dict[str, Any]]) -> None:
        self.deployment: Any = {"resources": known}

    def state(self) -> Any:
        return self.deployment

    def replace_state(self, deployment: Any) -> None:
        self.deployment = deployment

    def preview(self) -> Any:
        provider = "urn:pulumi:p::t::pulumi:providers:gcp::gcp"
        rows = [
            ("urn:component", "pull:data:Store", False, "urn:stack", ""),
            ("urn:a", "gcp:storage/bucket:Bucket", True, "urn:component", f"{provider}::1"),
            ("urn:b", "gcp:storage/bucket:Bucket", True, "urn:component", f"{provider}::1"),
            ("urn:c", "gcp:storage/bucket:Bucket", True, "urn:component", "urn:new::2"),
        ]
        inputs = {
            "name": "a",
            "labels": {"key": "x[secret]"},
            "location": "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        }
        steps = [
            Step.parse(
                {
                    "op": "create",
                    "urn": urn,
                    "newState": {
                        "urn": urn,
                        "type": type_,
                        "custom": custom,
                        "parent": parent,
                        "provider": by,
                        "inputs": inputs if custom else {},
                    },
                }
            )
            for urn, type_, custom, parent, by in rows
        ]
        return SimpleNamespace(succeeded=True, steps=steps)


STACK: list[dict[str, Any]] = [
    {"urn": "urn:stack", "type": "pulumi:pulumi:Stack", "custom": False},
    {"urn": "urn:pulumi:p::t::pulumi:providers:gcp::gcp", "id": "1", "custom": True},
]


def test_real_accounts_name_what_exists() -> None:
    opened: Any = Adopting(STACK)
    with pytest.raises(Refused, match="--adopt-existing\nwith --exists 'URN=ID'") as refusal:
        find_existing(opened, {})
    assert refusal.value.details["found"] == ["urn:a", "urn:b"]
    with pytest.raises(WrongInput, match="urn:c"):
        find_existing(opened, {"urn:c": "c"})

    found = find_existing(opened, {"urn:a": "bucket-a", "urn:b": "bucket-b"})
    assert [str(existing) for existing in found] == [
        "gcp:storage:Bucket  urn:a: exists as bucket-a; add it to the state",
        "gcp:storage:Bucket  urn:b: exists as bucket-b; add it to the state",
    ]
    adopt(opened, found)
    *_, component, first, second = opened.deployment["resources"]
    assert [component["urn"], first["urn"], second["urn"]] == ["urn:component", "urn:a", "urn:b"]
    assert (component["custom"], "id" in component) == (False, False)
    assert (first["id"], first["inputs"]) == ("bucket-a", {"name": "a"})
    assert first["initErrors"] == [UNREAD]


def test_nothing_to_adopt_leaves_the_state_alone() -> None:
    opened: Any = Adopting(STACK)
    before = opened.deployment
    adopt(opened, [])
    assert opened.deployment is before


def test_a_lock_is_removed_only_when_its_engine_has_ended(project: MiniProject) -> None:
    project.run("up")
    folder = (
        project.sandbox / "state" / ".pulumi" / "locks" / "organization" / "tiny" / "production"
    )
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / "0b7c6f2e-0000-4000-8000-000000000000.json"
    since = {"username": "somebody", "timestamp": "2026-01-01T00:00:00Z"}

    lock.write_text(json.dumps({"pid": 1, "hostname": "elsewhere", **since}))
    held = project.ops("recover", *project.here(), "--yes", "--json")
    assert held.returncode == 1
    assert json.loads(held.stdout)["error"]["kind"] == "running"
    assert "process 1 on elsewhere" in json.loads(held.stdout)["error"]["message"]
    assert lock.exists()

    lock.write_text(json.dumps({"pid": 2**22 + 1, "hostname": socket.gethostname(), **since}))
    refused(project, "up")
    project.run("recover")
    assert not lock.exists()


def test_exists_and_missing_take_pending_resources_only(project: MiniProject) -> None:
    project.run("up")
    done = project.ops("recover", *project.here(), "--yes", "--missing", "urn:pulumi:x")
    assert done.returncode == 2
    assert "urn:pulumi:x" in done.stderr


def real_accounts(*pending: str) -> Any:
    """A stack on real accounts in whose state creations of the given names are pending."""
    resources = [
        {"urn": f"urn:{name}", "type": "gcp:storage/bucket:Bucket", "inputs": {"name": name}}
        for name in pending
    ]
    state = {
        "resources": [{"urn": "urn:old", "id": "old"}],
        "pending_operations": [
            {"type": "creating", "resource": resource} for resource in resources
        ],
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


def test_on_real_accounts_the_user_names_what_exists() -> None:
    with pytest.raises(Refused) as refusal:
        plan_recovery(real_accounts("a", "b"), {"urn:a": "a"}, [])
    assert "gcp:storage:Bucket  name b\n    urn:b" in str(refusal.value)
    assert "urn:a" not in str(refusal.value)
    assert "--exists 'URN=ID'" in str(refusal.value)


def test_on_real_accounts_existing_resources_are_adopted() -> None:
    opened = real_accounts("a", "b", "old")
    recovery = plan_recovery(opened, {"urn:a": "a-id", "urn:old": "new"}, ["urn:b"])
    assert recovery.lines() == [
        "creating  gcp:storage:Bucket  urn:a: exists as a-id; add it to the state",
        "creating  gcp:storage:Bucket  urn:b: does not exist; drop it",
        "creating  gcp:storage:Bucket  urn:old: exists as new; add it to the state",
    ]
    recover(opened, recovery)
    after = opened.state()
    assert after["lock"] == "broken"
    assert after["pending_operations"] == []
    known = [
        (resource["urn"], resource["id"], resource.get("delete", False))
        for resource in after["resources"]
    ]
    assert known == [("urn:old", "new", False), ("urn:old", "old", True), ("urn:a", "a-id", False)]

"""Steps as the engine reports them: redacted, compared, and in the engine's own JSON."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from pulumi.automation import EngineEvent, OpType
from pulumi.automation.events import ResourcePreEvent

from ops.review.outcome import Diagnostic, Outcome
from ops.review.recorder import Recorder
from ops.review.redaction import at_path, redacted
from ops.review.steps import Change, Step, short_type
from tests.mini_project import PLANTED, MiniProject

SECRET = {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    "plaintext": f'"{PLANTED}"',
}
URN = "urn:pulumi:production::pull::pull:data:Store$gcp:storage/bucket:Bucket::alpha-bucket"


def state(inputs: dict[str, Any], outputs: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "urn": URN,
        "type": "gcp:storage/bucket:Bucket",
        "id": "x",
        "parent": "urn:parent",
        "provider": "urn:provider",
        "custom": True,
        "inputs": inputs,
        "outputs": outputs or {},
    }


def finished(op: str, urn: str = URN, **metadata: Any) -> EngineEvent:
    head = {"op": op, "urn": urn, "type": "gcp:storage/bucket:Bucket", "provider": "urn:provider"}
    event = {"metadata": {**head, "old": None, "new": None, "detailedDiff": None, **metadata}}
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, "resOutputsEvent": event})


def recorded_step(event: EngineEvent) -> Step:
    recorder = Recorder()
    recorder(event)
    (step,) = recorder.steps
    return step


def test_secrets_are_redacted_wherever_they_are() -> None:
    value = {"a": [{"b": SECRET}], "c": SECRET, "d": "open"}
    assert redacted(value) == {"a": [{"b": "[secret]"}], "c": "[secret]", "d": "open"}
    step = recorded_step(finished("create", new=state({"k": [SECRET]}, {"out": SECRET})))
    assert PLANTED not in json.dumps(step.to_dict())


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b[1].c", 2),
        ('labels["team.name"]', "core"),
        ("a.b[7].c", None),
        ("a.missing.c", None),
        ("a.b.c", None),
    ],
)
def test_values_at_the_engines_paths(path: str, found: object) -> None:
    assert at_path({"a": {"b": [{}, {"c": 2}]}, "labels": {"team.name": "core"}}, path) == found


def test_short_types() -> None:
    assert short_type("gcp:sql/databaseInstance:DatabaseInstance") == "gcp:sql:DatabaseInstance"
    assert short_type("pull:data:Postgres") == "pull:data:Postgres"


def test_changes_compare_inputs_or_the_state_as_the_engine_reports() -> None:
    step = recorded_step(
        finished(
            "replace",
            old=state({"location": "US", "size": 1}, {"size": 7}),
            new=state({"location": "EU", "size": 2}),
            keys=["location"],
            diffs=["location", "size"],
            detailedDiff={
                "location": {"diffKind": "update-replace", "inputDiff": True},
                "size": {"diffKind": "update", "inputDiff": False},
            },
        )
    )
    assert list(step.changes()) == [
        Change(path="location", old="US", new="EU", replaces=True),
        Change(path="size", old=7, new=2, replaces=False),
    ]


def test_a_component_that_finishes_twice_counts_once() -> None:
    watch = Mock()
    recorder = Recorder(watch)
    recorder(finished("create", new=state({})))
    recorder(finished("create", new=state({}, {"late": 1})))
    assert [call.args[0].urn for call in watch.call_args_list] == [URN]
    assert [step.state.outputs for step in recorder.steps] == [{"late": 1}]


def test_a_watch_is_notified_of_what_is_running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.review.recorder.SILENCE", 0.02)
    notified: list[list[str]] = []
    again = threading.Event()

    def waiting(running: dict[str, float]) -> None:
        notified.append(list(running))
        again.set()

    watch = Mock(waiting=waiting)
    recorder = Recorder(watch)
    event = finished("create", new=state({})).res_outputs_event
    assert event
    started = EngineEvent(1, 1, resource_pre_event=ResourcePreEvent(event.metadata))
    with recorder.listening():
        recorder(started)
        again.clear()
        assert again.wait(10)
        assert notified[-1] == [URN]
        recorder(finished("create", new=state({})))
        again.clear()
        notified.clear()
        assert again.wait(10)
        assert notified[-1] == []


def test_a_replacement_is_one_step() -> None:
    recorder = Recorder()
    for op in ("create-replacement", "replace", "delete-replaced"):
        recorder(finished(op, old=state({}), new=state({})))
    assert [step.op for step in recorder.steps] == [OpType.REPLACE]


def test_an_edit_without_effect_is_a_fact_of_its_diagnostic() -> None:
    recorder = Recorder()
    recorder(finished("same", old=state({"size": 5}), new=state({"size": 4})))
    (diagnostic,) = recorder.diagnostics
    assert diagnostic.edit_without_effect
    assert Diagnostic.parse(diagnostic.to_dict()) == diagnostic


def test_a_failure_is_recorded_once() -> None:
    recorder = Recorder()
    for message in ("no quota\n", "update failed\n", "an unhandled error occurred: no quota\n"):
        diagnostic = {"message": message, "color": "never", "severity": "error"}
        recorder(
            EngineEvent.from_json({"sequence": 1, "timestamp": 1, "diagnosticEvent": diagnostic})
        )
    assert [item.message for item in recorder.diagnostics] == ["no quota"]


def test_the_document_leaves_unchanged_steps_and_secret_outputs_out() -> None:
    outcome = Outcome(
        stack="production",
        operation="up",
        succeeded=True,
        interrupted=False,
        steps=(recorded_step(finished("same", old=state({}), new=state({}))),),
        diagnostics=(),
        violations=(),
        packs=(),
        summary={"same": 1},
        outputs={"url": "https://x", "password": "[secret]"},
        duration_seconds=1.26,
    )
    assert outcome.to_dict() == {
        "stack": "production",
        "operation": "up",
        "result": "succeeded",
        "changeSummary": {"same": 1},
        "steps": [],
        "diagnostics": [],
        "outputs": {"url": "https://x"},
        "durationSeconds": 1.3,
    }


def test_steps_are_those_of_the_engines_own_json(
    tmp_path: Path, checkout: Path, engine: Path
) -> None:
    """``pulumi preview --json`` over an update, a replacement, deletions and creations."""
    project = MiniProject(tmp_path / "tiny", checkout)
    project.run("up")
    project.write(location="EU", owners=["data"], stores=["alpha", "gamma"])
    ours = project.run("preview")
    script = (
        "import sys; sys.path.insert(0, '.')\n"
        "from pathlib import Path\n"
        "from ops.engine.checkout import Checkout\n"
        "from ops.engine.environment import sandboxed\n"
        "from ops.engine.stack import open_stack\n"
        "checkout = Checkout.here()\n"
        "environment = sandboxed(checkout, 'production', Path(sys.argv[1]))\n"
        "with open_stack(checkout, 'production', environment, lambda line: None) as opened:\n"
        "    print('JSON' + opened._stack.preview(json=True).stdout)\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script, str(project.sandbox)],
        cwd=project.root,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    theirs = json.loads(printed.partition("JSON")[2])
    assert engine.exists()
    assert ours["changeSummary"] == theirs["changeSummary"]
    steps = {step["urn"]: step for step in theirs["steps"] if step["op"] != "same"}
    assert {step["urn"] for step in ours["steps"]} == set(steps)
    for step in ours["steps"]:
        engines = steps[step["urn"]]
        for key in ("op", "detailedDiff", "provider"):
            assert step.get(key) == engines.get(key), step["urn"]
        for key in ("diffReasons", "replaceReasons"):
            assert sorted(step.get(key, [])) == sorted(engines.get(key, [])), step["urn"]
        for key in ("oldState", "newState"):
            for part in ("type", "inputs", "parent", "custom", "protect"):
                assert step.get(key, {}).get(part) == engines.get(key, {}).get(part), step["urn"]

"""What people read, at any width, with and without a terminal."""

from __future__ import annotations

import io
import re
import time
from dataclasses import replace
from typing import Any

import pytest
from pulumi.automation import OpType
from rich.console import Console
from rich.text import Text

from ops.command_line.output import Output
from ops.command_line.progress import Progress, ResourceCount, counted
from ops.command_line.terminal import Printer, folded
from ops.review.graph import Stages
from ops.review.outcome import Diagnostic, Outcome
from ops.review.steps import State, Step
from resource_types.estate import STACK
from tests.golden import SCENARIOS, recorded

ROOT = f"urn:pulumi:production::pull::{STACK}::pull-production"
REDIS = "urn:pulumi:production::pull::pull:data:Redis::redis"


def step(op: OpType, type_: str, logical: str, parent: str = REDIS, /, **inputs: Any) -> Step:
    urn = f"urn:pulumi:production::pull::{type_}::{logical}"
    state = State(
        urn=urn,
        type=type_,
        id="",
        parent=parent,
        provider="",
        custom=not type_.startswith("pull:"),
        protect=False,
        inputs=inputs,
        outputs={},
    )
    return Step(
        op=op,
        urn=urn,
        type=type_,
        provider="",
        old=None if op is OpType.CREATE else state,
        new=None if op is OpType.DELETE else state,
        diff_reasons=(),
        replace_reasons=(),
        detailed_diff={},
    )


def outcome(*steps: Step, operation: str = "preview", **changes: Any) -> Outcome:
    summary: dict[str, int] = {}
    for done in steps:
        summary[done.op.value] = summary.get(done.op.value, 0) + 1
    values: dict[str, Any] = {
        "stack": "production",
        "operation": operation,
        "succeeded": True,
        "interrupted": False,
        "steps": steps,
        "diagnostics": (),
        "violations": (),
        "packs": (),
        "summary": summary,
        "outputs": {},
        "duration_seconds": 3.2,
    }
    return Outcome(**{**values, **changes})


COMPONENT = step(OpType.CREATE, "pull:data:Redis", "redis", ROOT, stage="1 infrastructure")
INSTANCE = step(
    OpType.CREATE,
    "gcp:redis/instance:Instance",
    "redis-instance",
    name="pull-production-redis",
    redisVersion="REDIS_7_2",
    tier="STANDARD_HA",
    memorySizeGb=5.0,
    authEnabled=True,
    transitEncryptionMode="04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    persistenceConfig={"rdbSnapshotPeriod": "TWELVE_HOURS"},
)


def printed(found: Outcome, *, width: int = 80, colour: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, highlight=False, force_terminal=colour)
    Printer(console).steps(found)
    Printer(console).diagnostics(found.diagnostics)
    Printer(console).summary(found, planned=True)
    return stream.getvalue()


def test_a_creation_shows_its_figures_under_its_component() -> None:
    assert printed(outcome(COMPONENT, INSTANCE)) == (
        "\n1 infrastructure\n"
        "  +  redis  pull:data:Redis\n"
        "    +  gcp:redis:Instance               pull-production-redis\n"
        "         redisVersion REDIS_7_2, tier STANDARD_HA, memorySizeGb 5,\n"
        "         authEnabled true, rdbSnapshotPeriod TWELVE_HOURS\n"
        "\nResources:\n"
        "    + 2 to create\n"
        "\nDuration: 3s\n"
    )


@pytest.mark.parametrize("width", [30, 40, 60, 80, 200])
def test_no_word_is_torn_at_any_width(width: int) -> None:
    words = printed(outcome(COMPONENT, INSTANCE), width=width).split()
    for word in ("pull-production-redis", "STANDARD_HA,", "TWELVE_HOURS", "gcp:redis:Instance"):
        assert word in words


def test_colours_are_for_terminals() -> None:
    assert "\x1b[" not in printed(outcome(COMPONENT, INSTANCE))
    assert "\x1b[" in printed(outcome(COMPONENT, INSTANCE), colour=True)


def test_many_alike_share_a_row() -> None:
    secrets = [
        step(
            OpType.CREATE,
            "gcp:secretmanager/secret:Secret",
            f"secret-{letter}",
            secretId=f"pull-{letter}",
            rotation={"rotationPeriod": "7776000s"},
        )
        for letter in "dacb"
    ]
    lines = printed(outcome(COMPONENT, *secrets)).splitlines()
    assert lines[3:5] == [
        "    +  gcp:secretmanager:Secret         4 of them  rotationPeriod 7776000s",
        "         pull-a, pull-b, pull-c, pull-d",
    ]


def test_replacements_come_before_deletions_and_both_before_the_rest() -> None:
    gone = step(OpType.DELETE, "gcp:sql/user:User", "a-user", name="reader")
    again = step(OpType.REPLACE, "gcp:sql/user:User", "b-user", name="writer")
    lines = printed(outcome(COMPONENT, gone, again)).splitlines()
    assert lines[1:4] == [
        "Replaced or deleted",
        "    +- gcp:sql:User                     writer  (1 infrastructure, redis)",
        "    -  gcp:sql:User                     reader  (1 infrastructure, redis)",
    ]
    assert lines.index("1 infrastructure") > 3


@pytest.mark.parametrize("message", ["Error 409: bucket b already exists", "no quota"])
def test_an_up_that_meets_what_exists_names_the_command(
    message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = outcome(
        operation="up",
        succeeded=False,
        diagnostics=(Diagnostic(severity="error", message=message, urn=""),),
    )
    with pytest.raises(SystemExit):
        Output(as_json=False).finish(failed)
    named = "recover with --adopt-existing" in capsys.readouterr().err
    assert named == ("already exists" in message)


def test_diagnostics_name_their_resource() -> None:
    diagnostic = Diagnostic(severity="error", message="no quota\nask for it", urn=INSTANCE.urn)
    lines = printed(outcome(COMPONENT, succeeded=False, diagnostics=(diagnostic,))).splitlines()
    at = lines.index("error: gcp:redis:Instance  redis-instance")
    assert lines[at + 1 : at + 3] == ["    no quota", "    ask for it"]


def test_progress_counts_to_the_planned_total_and_frames_each_stage() -> None:
    stream = io.StringIO()
    same = step(OpType.SAME, "gcp:sql/user:User", "c-user", name="same")
    progress = Progress(Console(file=stream, width=80), outcome(COMPONENT, INSTANCE, same))
    progress(COMPONENT, 0.0)
    progress(same, 0.1)
    progress(INSTANCE, 0.25)
    assert stream.getvalue().splitlines() == [
        "",
        "Carrying out 2 changes; the program runs again first",
        "[1/2] 1 created    0.0s pull:data:Redis redis",
        "-- 1 infrastructure: 2 to do",
        "[2/2] 1 created    0.2s gcp:redis:Instance pull-production-redis",
        "-- 1 infrastructure: finished",
    ]


def test_progress_says_what_it_waits_for() -> None:
    stream = io.StringIO()
    progress = Progress(Console(file=stream, width=80), outcome(COMPONENT, INSTANCE))
    progress.waiting({INSTANCE.urn: 600.4, COMPONENT.urn: 2.0})
    progress.waiting({})
    assert stream.getvalue().splitlines()[2:] == [
        "   still waiting for redis-instance (600s) and 1 more",
        "   still waiting for the engine",
    ]


def test_the_headings_of_an_up_are_in_the_order_of_the_stages() -> None:
    stream = io.StringIO()
    progress = Progress(
        Console(file=stream, width=80), outcome(COMPONENT, INSTANCE, API, *IN_API, WEB, IN_WEB)
    )
    for done in (API, WEB, IN_WEB, COMPONENT, *IN_API, INSTANCE):
        progress(done, 0.0)
    headings = [line for line in stream.getvalue().splitlines() if line.startswith("--")]
    assert headings == [
        "-- 1 infrastructure: 2 to do",
        "-- 3 api: 3 to do",
        "-- 4 web: 2 to do",
        "-- 1 infrastructure: finished",
        "-- 3 api: finished",
        "-- 4 web: finished",
    ]
    assert "[7/7]" in stream.getvalue()


def test_a_destroy_goes_through_the_stages_backwards() -> None:
    stream = io.StringIO()
    deleted = [
        replace(one, op=OpType.DELETE, old=one.new, new=None)
        for one in (COMPONENT, INSTANCE, WEB, IN_WEB)
    ]
    progress = Progress(Console(file=stream, width=80), outcome(*deleted, operation="destroy"))
    for done in reversed(deleted):
        progress(done, 0.0)
    headings = [line for line in stream.getvalue().splitlines() if line.startswith("--")]
    assert headings == [
        "-- 4 web: 2 to do",
        "-- 4 web: finished",
        "-- 1 infrastructure: 2 to do",
        "-- 1 infrastructure: finished",
    ]


def test_the_count_of_a_preview_names_the_stage_of_the_latest_resource() -> None:
    count = ResourceCount("preview of production")
    assert count.text() == "preview of production: no resources yet (0s)"
    assert COMPONENT.new
    count.registered(COMPONENT.new)
    count(INSTANCE, 0.1)
    assert count.text() == "preview of production: 1 resource so far, stage 1 infrastructure (0s)"
    count(COMPONENT, 0.1)
    assert count.text() == "preview of production: 2 resources so far, stage 1 infrastructure (0s)"


def test_a_log_gets_a_line_when_the_number_of_resources_has_changed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr("ops.command_line.progress.QUIET", 0.05)
    monkeypatch.setattr("ops.command_line.progress.INTERVAL", 0.05)
    with counted("preview of staging") as count:
        count(INSTANCE, 0.1)
        time.sleep(0.4)
        count(INSTANCE, 0.1)
        time.sleep(0.4)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "preview of staging: 1 resource so far (0s)",
        "preview of staging: 2 resources so far (0s)",
    ]


def test_a_fast_preview_shows_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with counted("preview of staging") as count:
        count(INSTANCE, 0.1)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("name", SCENARIOS)
def test_lines_of_every_recorded_operation_break_between_words(name: str) -> None:
    document = recorded(name)
    found = outcome(
        *map(Step.parse, document.get("steps", ())),
        diagnostics=tuple(map(Diagnostic.parse, document.get("diagnostics", ()))),
        outputs=document.get("outputs", {}),
    )
    stream = io.StringIO()
    console = Console(file=stream, width=80)
    printer = Printer(console)
    printer.steps(found)
    printer.diagnostics(found.diagnostics)
    printer.outputs(found)
    progress = Progress(console, found)
    for done in found.steps:
        progress(done, 1.0)
    for line in stream.getvalue().splitlines():
        assert len(line) <= 80 or len(line.split()) == 1, line


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("    a long line of words", ["    a long line", "    of words"]),
        ("    " + "n" * 30, ["    " + "n" * 30]),
        ("  bin/ops recover --stack production", ["  bin/ops recover --stack production"]),
        ("one " + "n" * 30 + " two", ["one", "n" * 30, "two"]),
        ("", [""]),
    ],
)
def test_a_long_line_breaks_between_words(text: str, parts: list[str]) -> None:
    assert [part.plain for part in folded(Text(text), 16)] == parts


@pytest.mark.parametrize("name", ["rollback", "canary-step"])
def test_a_move_of_traffic_is_headed_as_one(name: str) -> None:
    lines = printed(outcome(*map(Step.parse, recorded(name)["steps"])), width=200).splitlines()
    assert lines[1] == "Only traffic moves; the same setting moves it back"
    assert lines[2].startswith("    traffic of api-deployment: 10 % ")
    assert "Replaced or deleted" not in lines


def test_nothing_that_is_printed_controls_a_terminal() -> None:
    hostile = "\x1b[31m\x9b31m\u202e\x07\r"
    diagnostic = Diagnostic(severity="error", message=hostile, urn="")
    named = step(OpType.CREATE, "gcp:sql/user:User", "a-user", name=f"a{hostile}b")
    changed = replace(
        step(OpType.UPDATE, "gcp:sql/user:User", "b-user", name=hostile), diff_reasons=("name",)
    )
    lines = printed(outcome(COMPONENT, named, changed, diagnostics=(diagnostic,)))
    assert "a\N{REPLACEMENT CHARACTER}[31m" in lines
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", lines)


API = step(OpType.CREATE, "pull:services:Api", "api", ROOT, stage="3 api")
WEB = step(OpType.CREATE, "pull:services:Web", "web", ROOT, stage="4 web")
IN_API = [step(OpType.CREATE, "gcp:sql/user:User", f"api-{n}", API.urn) for n in range(2)]
IN_WEB = step(OpType.CREATE, "gcp:sql/user:User", "web-1", WEB.urn)


def test_a_failure_leaves_every_stage_accounted_for() -> None:
    second = step(OpType.CREATE, "gcp:sql/user:User", "redis-user")
    plan = outcome(COMPONENT, INSTANCE, second, API, *IN_API, WEB, IN_WEB)
    stages = Stages(plan)
    for one in (COMPONENT, API, WEB, IN_API[0], IN_API[1], second):
        stages.finish(one)
    failure = Diagnostic(severity="error", message="no quota", urn=INSTANCE.urn)
    ends = stages.ends([failure])
    assert [(one.stage, one.done, one.planned, one.state) for one in ends] == [
        ("1 infrastructure", 2, 3, "failed"),
        ("3 api", 3, 3, "finished"),
        ("4 web", 1, 2, "not begun"),
    ]
    stream = io.StringIO()
    Printer(Console(file=stream, width=80)).stages(ends)
    assert stream.getvalue().splitlines()[1:] == [
        "Stages:",
        "    failed     1 infrastructure  2 of 3",
        "    finished   3 api  3 of 3",
        "    not begun  4 web  1 of 2, components alone",
    ]


def test_a_stage_that_had_begun_when_another_failed_is_stopped() -> None:
    stages = Stages(outcome(COMPONENT, INSTANCE, API, *IN_API))
    assert stages.finish(IN_API[0])
    failure = Diagnostic(severity="error", message="no quota", urn=INSTANCE.urn)
    assert [one.state for one in stages.ends([failure])] == ["failed", "stopped"]


def test_a_stage_is_finished_by_its_last_planned_resource_alone() -> None:
    stages = Stages(outcome(COMPONENT, INSTANCE))
    unchanged = step(OpType.SAME, "gcp:sql/user:User", "another")
    assert stages.finish(COMPONENT)
    assert not stages.finish(unchanged)
    assert not stages.begun("1 infrastructure")
    assert not stages.finished("1 infrastructure")
    assert stages.finish(INSTANCE)
    assert stages.finished("1 infrastructure")
    assert (stages.done, stages.total) == (2, 2)


def test_a_change_that_was_not_planned_counts_in_both_numbers() -> None:
    stages = Stages(outcome(COMPONENT, INSTANCE))
    assert stages.finish(step(OpType.CREATE, "gcp:sql/user:User", "another"))
    assert (stages.done, stages.total) == (1, 3)


def test_a_planned_change_that_turns_out_to_be_none_counts_as_done() -> None:
    stages = Stages(outcome(COMPONENT, INSTANCE))
    assert stages.finish(replace(INSTANCE, op=OpType.SAME, old=INSTANCE.new))
    assert (stages.done, stages.total) == (1, 2)

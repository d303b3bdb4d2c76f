"""Records of reviews and release windows, without an engine."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import OpType

from ops.command_line.consent import require_window
from ops.errors import Refused, WrongInput
from ops.review.fingerprint import planned_change, state_digests
from ops.review.record import SHOWN, Record
from ops.review.steps import State, Step
from ops.review.window import Window

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
URN = "urn:pulumi:production::pull::gcp:redis/instance:Instance::redis-instance"


def record(**changes: Any) -> Record:
    values: dict[str, Any] = {
        "format": 1,
        "stack": "production",
        "sandbox": False,
        "made": "2026-11-22T01:00:00+00:00",
        "expires": "2999-01-01T00:00:00+00:00",
        "commit": "a" * 40,
        "settings": "s1",
        "versions": {"engine": "3.230.0", "pulumi-gcp": "10.2.0"},
        "state": {URN: {"tier": "t1", "other": "o1"}},
        "plan": {URN: {"op": "update", "properties": {"memorySizeGb": [5, 8]}}},
        "verdict": {"passed": True},
    }
    return Record(**{**values, **changes})


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record().write(tmp_path / "record.json")
    assert Record.read(tmp_path / "record.json") == record()


def test_an_edited_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    record().write(path)
    document = json.loads(path.read_text())
    document["plan"] = {}
    path.write_text(json.dumps(document))
    with pytest.raises(WrongInput, match="edited since"):
        Record.read(path)


def test_a_record_that_people_and_programs_read_differently_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    record().write(path)
    text = path.read_text()
    for edited in (
        text.replace('"stack"', '"stack": "staging",\n "stack"', 1),
        text.replace('"commit"', '"comment": "looks fine",\n "commit"', 1),
        text.replace('"format": 1', '"format": 1.0'),
        text.replace('"format": 1', '"format": true'),
    ):
        assert edited != text
        path.write_text(edited)
        with pytest.raises(WrongInput, match=r"edited since|is not a release record"):
            Record.read(path)
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert Record.read(path) == record()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "[" * 100_000, '{"digest": "x", "stack": "production"}']
)
def test_a_file_that_is_not_a_record_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "record.json"
    path.write_text(text)
    with pytest.raises(WrongInput, match="is not a release record"):
        Record.read(path)
    with pytest.raises(WrongInput, match="is not a release record"):
        Record.read(tmp_path / "absent.json")


def test_a_record_is_valid_for_one_stack_one_environment_and_a_limited_time() -> None:
    record().refuse_unfit("production", sandbox=False)
    with pytest.raises(WrongInput, match="for production on real accounts; this is staging on"):
        record().refuse_unfit("staging", sandbox=False)
    with pytest.raises(WrongInput, match="this is production in a sandbox"):
        record().refuse_unfit("production", sandbox=True)
    with pytest.raises(Refused, match="was valid until 2020") as refusal:
        record(expires="2020-01-01T00:00:00+00:00").refuse_unfit("production", sandbox=False)
    assert refusal.value.kind == "record"


def test_an_unchanged_stack_passes_whenever_the_record_was_made() -> None:
    record().refuse_moved(record(made="2026-11-22T03:00:00+00:00", expires="2026-11-23"))


@pytest.mark.parametrize(
    ("now", "line"),
    [
        (record(commit="b" * 40), "commit: aaaaaaaaaaaa was reviewed, now it is bbbbbbbbbbbb"),
        (record(settings="s2"), "settings: Pulumi.yaml or Pulumi.production.yaml changed"),
        (
            record(versions={"engine": "3.230.0", "pulumi-gcp": "10.3.0"}),
            "pulumi-gcp: 10.2.0 was reviewed, now it is 10.3.0",
        ),
        (
            record(versions={"engine": "3.230.0"}),
            "pulumi-gcp: 10.2.0 was reviewed, now it is none",
        ),
        (
            record(state={URN: {"tier": "t2", "other": "o1"}}),
            "redis-instance: its state changed (tier)",
        ),
        (record(state={}), "redis-instance: it is no longer in the state"),
        (
            record(plan={URN: {"op": "replace", "properties": {"memorySizeGb": [5, 8]}}}),
            "redis-instance: update was reviewed, now it would be replace",
        ),
        (record(plan={}), "redis-instance: update was reviewed, now it would be no change"),
        (
            record(plan={URN: {"op": "update", "properties": {"memorySizeGb": [5, 9]}}}),
            "redis-instance memorySizeGb: [5, 8] was reviewed, now it is [5, 9]",
        ),
    ],
)
def test_each_change_since_the_review_is_named(now: Record, line: str) -> None:
    with pytest.raises(Refused) as refusal:
        record().refuse_moved(now)
    assert f"  {line}" in str(refusal.value).splitlines()
    assert refusal.value.kind == "record"
    assert refusal.value.details["moved"] == [line.partition(":")[0]]


def test_a_long_list_is_cut_and_counted() -> None:
    many = {f"{URN}-{number}": {"other": "o"} for number in range(SHOWN + 3)}
    with pytest.raises(Refused) as refusal:
        record().refuse_moved(record(state={**record().state, **many}))
    assert "  and 3 more" in str(refusal.value).splitlines()
    assert len(refusal.value.details["moved"]) == SHOWN + 3


def test_a_secret_with_a_new_ciphertext_alone_is_unchanged() -> None:
    def state(ciphertext: str, modified: str) -> dict[str, dict[str, str]]:
        resource = {
            "urn": URN,
            "inputs": {"auth": {**SECRET, "ciphertext": ciphertext}},
            "modified": modified,
            "sourcePosition": f"project:///__main__.py#{ciphertext}",
        }
        return state_digests({"resources": [resource]})

    assert state("v1:a", "monday") == state("v1:b", "monday")
    assert state("v1:a", "monday") != state("v1:a", "tuesday")


def test_a_plan_has_new_values_pairs_and_a_text_for_unknown_values() -> None:
    def state(**inputs: Any) -> State:
        return State(
            urn=URN,
            type="gcp:redis/instance:Instance",
            id="",
            parent="",
            provider="",
            custom=True,
            protect=False,
            inputs=inputs,
            outputs={},
        )

    def step(op: OpType, old: State | None, new: State | None, *changed: str) -> Step:
        return Step(
            op=op,
            urn=URN,
            type="gcp:redis/instance:Instance",
            provider="",
            old=old,
            new=new,
            diff_reasons=changed,
            replace_reasons=(),
            detailed_diff={},
        )

    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    created = step(OpType.CREATE, None, state(tier="BASIC", labels={"of": [unknown]}))
    assert planned_change(created) == {
        "op": "create",
        "properties": {"tier": "BASIC", "labels": {"of": ["(known after apply)"]}},
    }
    changed = step(OpType.UPDATE, state(tier="BASIC"), state(tier=unknown), "tier")
    assert planned_change(changed) == {
        "op": "update",
        "properties": {"tier": ["BASIC", "(known after apply)"]},
    }
    deleted = step(OpType.DELETE, state(tier="BASIC"), None)
    assert planned_change(deleted) == {"op": "delete", "properties": {}}


def test_a_resource_that_awaits_deletion_is_not_its_successor() -> None:
    old = {"urn": URN, "inputs": {"tier": "BASIC"}, "delete": True}
    assert len(state_digests({"resources": [old, {"urn": URN, "inputs": {"tier": "HA"}}]})) == 2


def _at(hour: int, minute: int = 0) -> datetime.datetime:
    return datetime.datetime(2026, 11, 22, hour, minute, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ("02:00-04:00", [_at(2), _at(3, 59)], [_at(1, 59), _at(4), _at(14)]),
        ("22:00-02:00", [_at(22), _at(0), _at(1, 59)], [_at(2), _at(21, 59)]),
    ],
)
def test_a_window_includes_its_begin_and_excludes_its_end(
    window: str, inside: list[datetime.datetime], outside: list[datetime.datetime]
) -> None:
    for moment in inside:
        Window.read(window).refuse_outside(moment)
    for moment in outside:
        with pytest.raises(Refused, match="--outside-window REASON") as refusal:
            Window.read(window).refuse_outside(moment)
        assert refusal.value.kind == "window"


def test_a_window_is_in_utc() -> None:
    east = datetime.timezone(datetime.timedelta(hours=5))
    Window.read("02:00-04:00").refuse_outside(_at(3).astimezone(east))


@pytest.mark.parametrize(
    "text",
    [
        "2-4",
        "02:00",
        "25:00-26:00",
        "02:00-24:00",
        "02:00-02:00",
        "02:00-04:00 ",
        "a-b",
        "\u0660\u0662:00-04:00",
    ],
)
def test_a_window_has_one_notation(text: str) -> None:
    with pytest.raises(WrongInput, match="02:00-04:00"):
        Window.read(text)


@pytest.mark.parametrize("reason", [None, "", "  \t"])
def test_an_empty_reason_does_not_count(reason: str | None) -> None:
    now = datetime.datetime.now(datetime.UTC)
    begin, end = (now + datetime.timedelta(hours=hours) for hours in (6, 8))
    with pytest.raises(Refused):
        require_window(f"{begin:%H:%M}-{end:%H:%M}", reason)


def test_different_records_have_different_digests() -> None:
    assert record().digest != replace(record(), commit="c" * 40).digest

"""A release from its review to its end, and one that comes too late, with the real engine."""

from __future__ import annotations

import datetime
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.cloud import Cloud
from tests.mini_project import PLANTED, MiniProject


@pytest.fixture
def tiny(tmp_path: Path, checkout: Path, engine: Path) -> MiniProject:
    assert engine.exists()
    return MiniProject(tmp_path / "tiny", checkout)


def kept(tiny: MiniProject) -> tuple[object, bytes]:
    """All that an ``up`` could change: the cloud and the state."""
    cloud = Cloud(tiny.sandbox / "cloud")
    things = cloud.resources()
    cloud.close()
    state = tiny.sandbox / "state" / ".pulumi" / "stacks" / "tiny" / "production.json"
    return things, state.read_bytes()


def refused(tiny: MiniProject, *options: str) -> dict[str, object]:
    """The error of an ``up`` that must change nothing."""
    before = kept(tiny)
    done = tiny.ops("up", *tiny.here(), "--yes", "--json", *options)
    assert done.returncode == 1, done.stdout + done.stderr
    assert kept(tiny) == before
    error: dict[str, object] = json.loads(done.stdout)["error"]
    return error


def test_what_was_reviewed_is_released_and_nothing_else(tiny: MiniProject, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    tiny.run("up")

    tiny.write(owners=["data"])
    tiny.commit()
    before = tiny.fingerprint()
    tiny.run("preview", "--record", str(first))
    assert PLANTED not in first.read_text()
    released = tiny.run("up", "--record", str(first))
    assert released["changeSummary"] == {"same": 10, "update": 2}
    assert tiny.fingerprint() == before

    # The next release is reviewed ...
    tiny.write(owners=["web"])
    tiny.commit()
    tiny.run("preview", "--record", str(second))
    # ... and before it is made, somebody else's hands are on the stack.
    tiny.write(owners=["somebody"], stores=["alpha"])
    tiny.run("up")
    tiny.write(owners=["web"], stores=["alpha", "beta"])

    error = refused(tiny, "--record", str(second))
    assert error["kind"] == "record"
    message = str(error["message"])
    assert "alpha-bucket: changed in the state since (kept, labels)" in message
    assert "beta-bucket: vanished from the state since" in message
    assert (
        'alpha-bucket labels.owner: ["data", "web"] was reviewed, this is ["somebody", "web"]'
        in message
    )

    # A record of what came before is no better: it is of another commit.
    error = refused(tiny, "--record", str(first))
    assert "commit" in error["moved"]  # type: ignore[operator]
    assert "settings" in error["moved"]  # type: ignore[operator]


def test_no_record_without_a_commit(tiny: MiniProject, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    engine = _no_engine(tmp_path)
    options = ["preview", *tiny.here(), "--json", "--record", str(path)]
    done = tiny.ops(*options, variables=engine)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["kind"] == "record"
    tiny.commit()
    tiny.write(owners=["data"])
    done = tiny.ops(*options, variables=engine)
    assert done.returncode == 1
    assert "M Pulumi.production.yaml" in json.loads(done.stdout)["error"]["message"]
    inside = tiny.ops(*options[:-1], str(tiny.root / "record.json"), variables=engine)
    assert inside.returncode == 2
    assert "lies in the checkout" in inside.stdout
    for nowhere in (tmp_path, tmp_path / "nowhere" / "record.json"):
        done = tiny.ops(*options[:-1], str(nowhere), variables=engine)
        assert done.returncode == 2
        assert "name a file in a folder that is there" in done.stdout
    assert not path.exists()
    assert not (tmp_path / "tripped").exists()


def test_a_record_and_a_graph_take_one_look_at_the_state(
    tiny: MiniProject, tmp_path: Path, engine_calls: Callable[[], list[str]]
) -> None:
    tiny.run("up")
    tiny.write(owners=["data"])
    tiny.commit()
    before = len(engine_calls())
    tiny.run("preview", "--record", str(tmp_path / "record.json"))
    assert len([call for call in engine_calls()[before:] if "stack export" in call]) == 1


def test_a_release_that_failed_half_way_takes_a_new_record(
    tiny: MiniProject, tmp_path: Path
) -> None:
    first, rest = tmp_path / "first.json", tmp_path / "rest.json"
    tiny.commit()
    tiny.run("preview", "--record", str(first))
    options = ["up", *tiny.here(), "--yes"]
    faulty = {"module": "tests.ops_with_faults", "variables": {"FAULT": "4:error:before"}}
    failed = tiny.ops(*options, "--record", str(first), **faulty)  # type: ignore[arg-type]
    assert failed.returncode == 1
    assert "preview again with --record, and run this with the new record" in failed.stderr
    assert "run the same command again" not in failed.stderr

    again = refused(tiny, "--record", str(first))
    assert again["kind"] == "record"
    assert "Preview again with --record" in str(again["message"])

    tiny.run("preview", "--record", str(rest))
    assert tiny.run("up", "--record", str(rest))["result"] == "succeeded"
    assert tiny.run("preview")["steps"] == []


def test_a_preview_that_fails_leaves_no_record(tiny: MiniProject, tmp_path: Path) -> None:
    tiny.write(location="MOON")
    tiny.commit()
    done = tiny.ops("preview", *tiny.here(), "--record", str(tmp_path / "record.json"))
    assert done.returncode == 1
    assert "a bucket must be on earth" in done.stdout
    assert not (tmp_path / "record.json").exists()


def test_another_hour_is_refused_before_anything_starts_unless_there_is_a_reason(
    tiny: MiniProject, tmp_path: Path
) -> None:
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=6)
    window = f"{later:%H:%M}-{later + datetime.timedelta(hours=2):%H:%M}"
    options = ["up", *tiny.here(), "--yes", "--json", "--window", window, "--outside-window"]
    engine = _no_engine(tmp_path)
    done = tiny.ops(*options, "", variables=engine)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["error"]["kind"] == "window"
    # With a reason it goes on, to the next thing that is wrong.
    done = tiny.ops(*options, "the API is down", "--record", "absent.json", variables=engine)
    assert done.returncode == 2
    assert "the API is down" in done.stderr
    assert not (tmp_path / "tripped").exists()


def _no_engine(folder: Path) -> dict[str, str]:
    """A PATH on which starting the engine leaves a trace; git stays where it is."""
    wire = folder / "bin" / "pulumi"
    wire.parent.mkdir()
    wire.write_text(f"#!/bin/sh\ntouch {folder / 'tripped'}\n")
    wire.chmod(wire.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{wire.parent}:/usr/bin:/bin"}

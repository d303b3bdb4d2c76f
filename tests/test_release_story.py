"""Releases with a record, from the review to the end, with the real engine."""

from __future__ import annotations

import datetime
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from Crypto.PublicKey import ECC

from ops.review.envelope import PUBLIC_KEY, SIGNING_KEY, Envelope
from sandbox.cloud import Cloud
from tests.mini_project import PLANTED, MiniProject


@pytest.fixture
def project(tmp_path: Path, checkout: Path, engine: Path) -> MiniProject:
    assert engine.exists()
    return MiniProject(tmp_path / "tiny", checkout)


def kept(project: MiniProject) -> tuple[object, bytes]:
    """Everything that an ``up`` can change: the cloud and the state."""
    cloud = Cloud(project.sandbox / "cloud")
    resources = cloud.resources()
    cloud.close()
    state = project.sandbox / "state" / ".pulumi" / "stacks" / "tiny" / "production.json"
    return resources, state.read_bytes()


def refused(project: MiniProject, *options: str) -> dict[str, object]:
    """The error of an ``up`` that must not change anything."""
    before = kept(project)
    done = project.ops("up", *project.here(), "--yes", "--json", *options)
    assert done.returncode == 1, done.stdout + done.stderr
    assert kept(project) == before
    error: dict[str, object] = json.loads(done.stdout)["error"]
    return error


def test_exactly_what_was_reviewed_is_released(project: MiniProject, tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    project.run("up")

    project.write(owners=["data"])
    project.commit()
    before = project.fingerprint()
    project.run("preview", "--record", str(first))
    assert PLANTED not in Envelope.read(first).content.decode()
    released = project.run("up", "--record", str(first))
    assert released["changeSummary"] == {"same": 10, "update": 2}
    assert project.fingerprint() == before

    # The next release is reviewed.
    project.write(owners=["web"])
    project.commit()
    project.run("preview", "--record", str(second))
    # Before it is made, another person changes the stack.
    project.write(owners=["somebody"], stores=["alpha"])
    project.run("up")
    project.write(owners=["web"], stores=["alpha", "beta"])

    error = refused(project, "--record", str(second))
    assert error["kind"] == "record"
    message = str(error["message"])
    # What would be done differently comes first.
    assert message.index("now it is") < message.index("its state changed")
    assert "beta-bucket: update was reviewed, now it would be create" in message
    assert "alpha-bucket: its state changed (labels, other)" in message
    assert "beta-bucket: it is no longer in the state" in message
    assert (
        'alpha-bucket labels.owner: ["data", "web"] was reviewed, now it is ["somebody", "web"]'
        in message
    )

    # An earlier record is refused as well: it is of another commit.
    error = refused(project, "--record", str(first))
    assert "commit" in error["moved"]  # type: ignore[operator]
    assert "settings" in error["moved"]  # type: ignore[operator]


def test_a_forged_record_is_refused_before_anything_starts(
    project: MiniProject, tmp_path: Path
) -> None:
    path = tmp_path / "record.json"
    key = ECC.generate(curve="Ed25519")
    mine = {SIGNING_KEY: key.export_key(format="PEM")}
    foreign = {SIGNING_KEY: ECC.generate(curve="Ed25519").export_key(format="PEM")}
    up = ["up", "--stack", "production", "--yes", "--record", str(path)]
    in_sandbox = ["up", *project.here(), "--yes", "--json", "--record", str(path)]
    sign = ["sign", "--record", str(path)]
    public = project.root / "approvals" / PUBLIC_KEY
    public.write_text(key.public_key().export_key(format="PEM"))
    project.commit()
    project.run("preview", "--record", str(path))
    engine = _no_engine(tmp_path)

    def refusal(code: int, *command: str, **variables: str) -> str:
        done = project.ops(*command, variables={**engine, **variables})
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    assert "is not signed" in refusal(1, *up)
    override = ["preview", *project.here(), "--staging-override"]
    assert "needs a reason, and --record" in refusal(2, *override, "staging is down")
    assert "needs a reason, and --record" in refusal(2, *override, " ", "--record", str(path))
    assert "Set RECORD_SIGNING_KEY to a private" in refusal(2, *sign)
    assert "Set RECORD_SIGNING_KEY to a private" in refusal(2, *sign, **{SIGNING_KEY: "x"})
    assert "is not the public key of RECORD_SIGNING_KEY" in refusal(2, *sign, **foreign)

    text = public.read_text()
    public.unlink()
    assert project.ops(*sign, variables=foreign).returncode == 0
    assert "no approvals/record.pub" in refusal(1, *up)
    public.write_text(text)
    assert "No signature of the record was made" in refusal(1, *up)
    assert "No signature of the record was made" in refusal(1, *in_sandbox)
    signed = project.ops(*sign, variables=mine)
    assert "Signed with the key" in signed.stderr
    assert "this is production on real accounts" in refusal(2, *up)
    assert not (tmp_path / "tripped").exists()
    assert project.ops(*in_sandbox).returncode == 0


def test_nothing_is_started_when_nothing_changes(project: MiniProject, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    project.commit()
    project.run("preview", "--record", str(path), "--staging-override", "staging is down")
    project.run("up", "--record", str(path))
    before = kept(project)
    # The same record again: what it releases is there.
    done = project.ops("up", *project.here(), "--yes", "--record", str(path))
    assert done.returncode == 0, done.stderr
    assert "Reviewed although staging was broken: staging is down" in done.stderr
    assert "There is nothing to change, so nothing was started." in done.stderr
    assert kept(project) == before
    # The engine calls a changed protection the same, but writes it into the state.
    project.write(protect=True)
    project.run("up")
    assert len(project.protected()) == 2


def test_no_record_without_a_commit(project: MiniProject, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    engine = _no_engine(tmp_path)
    options = ["preview", *project.here(), "--json", "--record", str(path)]
    done = project.ops(*options, variables=engine)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["kind"] == "record"
    project.commit()
    project.write(owners=["data"])
    done = project.ops(*options, variables=engine)
    assert done.returncode == 1
    assert "M Pulumi.production.yaml" in json.loads(done.stdout)["error"]["message"]
    inside = project.ops(*options[:-1], str(project.root / "record.json"), variables=engine)
    assert inside.returncode == 2
    assert "is in the checkout" in inside.stdout
    for nowhere in (tmp_path, tmp_path / "nowhere" / "record.json"):
        done = project.ops(*options[:-1], str(nowhere), variables=engine)
        assert done.returncode == 2
        assert "name a file in a folder that exists" in done.stdout
    assert not path.exists()
    assert not (tmp_path / "tripped").exists()


def test_a_record_and_a_graph_export_the_state_once(
    project: MiniProject, tmp_path: Path, engine_calls: Callable[[], list[str]]
) -> None:
    project.run("up")
    project.write(owners=["data"])
    project.commit()
    before = len(engine_calls())
    project.run("preview", "--record", str(tmp_path / "record.json"))
    assert len([call for call in engine_calls()[before:] if "stack export" in call]) == 1


def test_a_release_that_failed_half_way_takes_a_new_record(
    project: MiniProject, tmp_path: Path
) -> None:
    first, rest = tmp_path / "first.json", tmp_path / "rest.json"
    project.commit()
    project.run("preview", "--record", str(first))
    options = ["up", *project.here(), "--yes"]
    faulty = {"module": "tests.ops_with_faults", "variables": {"FAULT": "4:error:before"}}
    failed = project.ops(*options, "--record", str(first), **faulty)  # type: ignore[arg-type]
    assert failed.returncode == 1
    assert "preview again with --record, then run this command with the new record" in failed.stderr
    assert "run the same command again" not in failed.stderr

    again = refused(project, "--record", str(first))
    assert again["kind"] == "record"
    assert "Preview again with --record" in str(again["message"])

    project.run("preview", "--record", str(rest))
    assert project.run("up", "--record", str(rest))["result"] == "succeeded"
    assert project.run("preview")["steps"] == []


def test_a_preview_that_fails_leaves_no_record(project: MiniProject, tmp_path: Path) -> None:
    project.write(location="ASIA")
    project.commit()
    done = project.ops("preview", *project.here(), "--record", str(tmp_path / "record.json"))
    assert done.returncode == 1
    assert "a bucket must not be in Asia" in done.stdout
    assert not (tmp_path / "record.json").exists()


def test_another_hour_is_refused_before_anything_starts_unless_there_is_a_reason(
    project: MiniProject, tmp_path: Path
) -> None:
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=6)
    window = f"{later:%H:%M}-{later + datetime.timedelta(hours=2):%H:%M}"
    options = ["up", *project.here(), "--yes", "--json", "--window", window, "--outside-window"]
    engine = _no_engine(tmp_path)
    done = project.ops(*options, "", variables=engine)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["error"]["kind"] == "window"
    # With a reason it continues to the next error.
    done = project.ops(*options, "the API is down", "--record", "absent.json", variables=engine)
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

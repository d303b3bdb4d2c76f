"""The policy pack and the guard over operations, as somebody meets them on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import Tiny


@pytest.fixture
def tiny(tmp_path: Path, checkout: Path, engine: Path) -> Tiny:
    assert engine.exists()
    return Tiny(tmp_path / "tiny", checkout)


def policies(tiny: Tiny, verb: str) -> tuple[int, dict[str, Any]]:
    """Exit code and verdict of a verb."""
    consent = ["--yes"] if verb == "up" else []
    done = tiny.ops(verb, *tiny.here(), "--json", *consent)
    document = json.loads(done.stdout)
    assert document["result"] == ("succeeded" if done.returncode == 0 else "failed")
    verdict: dict[str, Any] = document["policies"]
    return done.returncode, verdict


def test_what_holds_data_goes_only_with_an_approval(tiny: Tiny) -> None:
    tiny.run("up")
    before = tiny.cloud()
    (tiny.root / "approvals" / "production.yaml").unlink()

    tiny.write(stores=["alpha"])
    code, verdict = policies(tiny, "up")
    assert code == 1
    assert not verdict["passed"]
    refused = {(one["urn"], one["operation"]) for one in verdict["refusals"]}
    assert refused == {(tiny.urn("beta", kind), "delete") for kind in ("bucket", "secret")}
    assert tiny.cloud() == before, "a refused up changed the cloud"

    tiny.write(stores=["alpha", "beta"], location="EU")
    done = tiny.ops("preview", *tiny.here())
    assert done.returncode == 1
    assert "replace of alpha-bucket, forced by location" in done.stdout
    # What was made after it waits for it: the report names what a replacement would touch.
    assert "depends on it: beta-bucket" in done.stdout

    tiny.approve(until="2020-01-01")
    _, verdict = policies(tiny, "preview")
    assert {one["because"] for one in verdict["refusals"]} == {"its approval expired on 2020-01-01"}

    tiny.approve()
    code, verdict = policies(tiny, "up")
    assert (code, verdict["refusals"] if verdict else []) == (0, [])


def test_an_approval_opens_the_engine_s_protection_too(tiny: Tiny) -> None:
    tiny.write(protect=True)
    tiny.run("up")
    before = tiny.cloud()
    (tiny.root / "approvals" / "production.yaml").unlink()
    tiny.write(location="EU")
    code, verdict = policies(tiny, "up")
    assert code == 1
    refused = {one["urn"]: one for one in verdict["refusals"]}
    # Both would have to go; the engine by itself stops at the first, and does not say why.
    assert refused.keys() == {tiny.urn(store, "bucket") for store in ("alpha", "beta")}
    assert all(one["forcedBy"] == ["location"] for one in refused.values())
    assert tiny.cloud() == before

    tiny.approve()
    code, verdict = policies(tiny, "preview")
    assert (code, verdict["refusals"]) == (0, [])
    tiny.run("up")
    assert tiny.protected() == [tiny.urn(store, "bucket") for store in ("alpha", "beta")]
    assert tiny.run("preview")["changeSummary"].keys() == {"same"}


def test_a_broken_rule_stops_a_preview_and_an_up(tiny: Tiny) -> None:
    tiny.write(location="MOON")
    for verb in ("preview", "up"):
        code, verdict = policies(tiny, verb)
        assert code == 1
        assert {(one["rule"], one["level"]) for one in verdict["violations"]} == {
            ("tiny-earth", "mandatory")
        }
    assert tiny.cloud() == []


def test_a_pack_that_cannot_run_passes_nothing(tiny: Tiny) -> None:
    (tiny.root / "policies" / "__main__.py").write_text("raise SystemExit(3)\n")
    done = tiny.ops("preview", *tiny.here())
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("approvals: [{urn: x, operation: burn}]", "approvals.0.operation"),
        ("approvals: [{urn: x, operation: delete, reason: short}]", "approvals.0.expires"),
        ("approval: []", "approval: Extra inputs are not permitted"),
        ("approvals: [", "while parsing"),
    ],
)
def test_approvals_that_cannot_be_read_start_nothing(tiny: Tiny, text: str, says: str) -> None:
    (tiny.root / "approvals" / "production.yaml").write_text(text)
    done = tiny.ops("preview", *tiny.here())
    assert done.returncode == 2
    assert says in done.stderr
    assert "nothing was started" in done.stderr
    assert not (tiny.sandbox / "state").exists()

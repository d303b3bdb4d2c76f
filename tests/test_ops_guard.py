"""The policy pack and the guard over operations, on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from pulumi.automation import OpType

from ops.errors import WrongInput
from ops.review.approvals import read_approvals
from ops.review.guard import CHAIN, UNDESCRIBED, evaluate
from ops.review.steps import State, Step
from resource_types import gcp
from tests.mini_project import SOON, MiniProject

SECRET: Final = {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    "ciphertext": "x",
}


@pytest.fixture
def project(tmp_path: Path, checkout: Path, engine: Path) -> MiniProject:
    assert engine.exists()
    return MiniProject(tmp_path / "tiny", checkout)


def policies(project: MiniProject, verb: str) -> tuple[int, dict[str, Any]]:
    """Exit code and verdict of a verb."""
    consent = [] if verb == "preview" else ["--yes"]
    done = project.ops(verb, *project.here(), "--json", *consent)
    document = json.loads(done.stdout)
    assert document["result"] == ("succeeded" if done.returncode == 0 else "failed")
    verdict: dict[str, Any] = document["policies"]
    return done.returncode, verdict


def test_a_stateful_resource_is_deleted_only_with_an_approval(project: MiniProject) -> None:
    project.run("up")
    before = project.cloud()
    (project.root / "approvals" / "production.yaml").unlink()

    project.write(stores=["alpha"])
    code, verdict = policies(project, "up")
    assert code == 1
    assert not verdict["passed"]
    refused = {(refusal["urn"], refusal["operation"]) for refusal in verdict["refusals"]}
    assert refused == {(project.urn("beta", kind), "delete") for kind in ("bucket", "secret")}
    assert project.cloud() == before, "a refused up changed the cloud"

    project.write(stores=["alpha", "beta"], location="EU")
    done = project.ops("preview", *project.here())
    assert done.returncode == 1
    assert "replace of alpha-bucket, forced by location" in done.stdout
    # beta-bucket depends on it, so a replacement may affect it.
    assert "dependents: beta-bucket" in done.stdout
    assert (
        "Not approved. Add an entry with URN, operation, reason, approvers and expiry to "
        "approvals/production.yaml." in done.stdout
    )

    project.approve(until="2020-01-01")
    _, verdict = policies(project, "preview")
    assert {refusal["reason"] for refusal in verdict["refusals"]} == {
        "The approval expired on 2020-01-01."
    }

    far = datetime.now(UTC).date() + timedelta(days=91)
    project.approve(until=str(far))
    _, verdict = policies(project, "preview")
    assert {refusal["reason"] for refusal in verdict["refusals"]} == {
        f"The approval expires on {far}; it may run for at most 90 days."
    }

    project.approve()
    code, verdict = policies(project, "up")
    assert (code, verdict["refusals"]) == (0, [])


@pytest.mark.parametrize(
    ("token", "loss"),
    [
        (gcp.SQL_INSTANCE, "the database would be lost"),
        ("gcp:example/store:Store", UNDESCRIBED),
        (gcp.RUN_SERVICE, "this ends the service"),
        (gcp.SECRET_VERSION, None),
        ("pulumi:providers:gcp", None),
    ],
)
def test_a_type_without_a_record_counts_as_stateful(token: str, loss: str | None) -> None:
    urn = f"urn:pulumi:production::pull::{token}::example"
    state = State.parse({"urn": urn, "type": token, "custom": True})
    step = Step(
        op=OpType.DELETE,
        urn=urn,
        type=token,
        provider="",
        old=state,
        new=None,
        diff_reasons=(),
        replace_reasons=(),
        detailed_diff={},
    )
    refusals = evaluate("production", [step], [], dict, datetime.now(UTC).date()).refusals
    assert [refusal.loss for refusal in refusals] == ([loss] if loss else [])


def test_a_stateful_resource_is_not_destroyed_without_an_approval(project: MiniProject) -> None:
    project.run("up")
    before = project.cloud()
    (project.root / "approvals" / "production.yaml").unlink()
    code, verdict = policies(project, "destroy")
    assert code == 1
    refused = {(refusal["urn"], refusal["operation"]) for refusal in verdict["refusals"]}
    assert refused == {
        (project.urn(store, kind), "delete")
        for store in ("alpha", "beta")
        for kind in ("bucket", "secret")
    }
    assert project.cloud() == before

    project.run("destroy", "--lift-protection")
    assert project.cloud() == []

    project.run("up")
    project.approve()
    code, verdict = policies(project, "destroy")
    assert (code, verdict["refusals"]) == (0, [])
    assert project.cloud() == []


def test_the_rest_of_an_interrupted_replacement_is_shown_and_evaluated(
    project: MiniProject,
) -> None:
    """The engine leaves it out of its count; it deletes the bucket that held the files."""
    program = project.root / "__main__.py"
    named = 'name=f"pull-tiny-{name}-" + config.require("location").lower()'
    program.write_text(program.read_text().replace('name=f"pull-tiny-{name}"', named, 1))
    project.write(stores=["alpha"])
    project.run("up")
    project.write(location="EU")
    killed = project.ops(
        *("up", *project.here(), "--yes"),
        module="tests.ops_with_faults",
        variables={"FAULT": "2:crash:before"},
    )
    assert killed.returncode == 1
    project.run("recover")
    buckets = [address for kind, address in project.cloud() if "bucket" in kind]
    assert buckets == ["b/pull-tiny-alpha-eu", "b/pull-tiny-alpha-us"]

    (project.root / "approvals" / "production.yaml").unlink()
    code, verdict = policies(project, "up")
    (refusal,) = verdict["refusals"]
    assert (code, refusal["urn"]) == (1, project.urn("alpha", "bucket"))
    assert refusal["operation"] == "replace", "the approval of the replacement covers it"
    assert [address for kind, address in project.cloud() if "bucket" in kind] == buckets

    project.approve()
    assert [(step["op"], step["urn"]) for step in project.run("up")["steps"]] == [
        ("delete", project.urn("alpha", "bucket"))
    ]
    assert [address for kind, address in project.cloud() if "bucket" in kind] == buckets[:1]


def test_an_up_that_fails_restores_the_protection(project: MiniProject) -> None:
    """At once when it fails, or in the next ``up`` when its engine was killed."""
    project.write(stores=["alpha"], protect=True)
    project.run("up")
    protected = [project.urn("alpha", "bucket")]
    for fault, left in (("1:error:before", protected), ("1:crash:before", [])):
        project.write(location="EU")
        failed = project.ops(
            *("up", *project.here(), "--yes"),
            module="tests.ops_with_faults",
            variables={"FAULT": fault},
        )
        assert failed.returncode == 1
        assert project.protected() == left
    project.run("recover")
    project.write(location="US")
    project.run("up")
    assert project.protected() == protected


def test_an_approval_lifts_the_engine_s_protection_too(
    project: MiniProject, engine_calls: Callable[[], list[str]]
) -> None:
    project.write(protect=True)
    project.run("up")
    before = project.cloud()
    (project.root / "approvals" / "production.yaml").unlink()
    project.write(location="EU")
    code, verdict = policies(project, "up")
    assert code == 1
    refused = {refusal["urn"]: refusal for refusal in verdict["refusals"]}
    # Both would be replaced; the engine alone stops at the first and gives no reason.
    assert refused.keys() == {project.urn(store, "bucket") for store in ("alpha", "beta")}
    assert all(refusal["forcedBy"] == ["location"] for refusal in refused.values())
    assert project.cloud() == before
    # The preview used an unprotected copy of the state; its steps still show the protection.
    document = json.loads(project.ops("preview", *project.here(), "--json").stdout)
    assert {step["urn"] for step in document["steps"]} == refused.keys()
    assert all(step["oldState"]["protect"] for step in document["steps"])

    project.approve()
    code, verdict = policies(project, "preview")
    assert (code, verdict["refusals"]) == (0, [])
    project.run("up")
    assert project.protected() == [project.urn(store, "bucket") for store in ("alpha", "beta")]
    assert project.run("preview")["changeSummary"].keys() == {"same"}
    # The state was imported from a file with encrypted secrets. In plain text they come through a
    # pipe only, to redact them.
    assert any("stack import" in call for call in engine_calls())
    assert not any("--show-secrets" in call and "--file" in call for call in engine_calls())
    assert not any("stack import" in call and "--show-secrets" in call for call in engine_calls())


def test_a_broken_rule_stops_a_preview_and_an_up(project: MiniProject) -> None:
    project.write(location="ASIA")
    for verb in ("preview", "up"):
        code, verdict = policies(project, verb)
        assert code == 1
        assert {(violation["rule"], violation["level"]) for violation in verdict["violations"]} == {
            ("tiny-location", "mandatory")
        }
    assert project.cloud() == []


def test_a_change_under_an_exception_is_reported(project: MiniProject) -> None:
    project.run("up")
    entries = "".join(
        f"- {{rule: storage-log-bucket-locked, urn: {json.dumps(project.urn('alpha', kind))}, "
        f"reason: a test of exceptions, owner: tests, expires: {SOON}}}\n"
        for kind in ("bucket", "secret")
    )
    (project.root / "approvals" / "exceptions.yaml").write_text(entries)
    project.write(owners=["data"])
    _, verdict = policies(project, "preview")
    assert verdict["exceptions"] == [
        {"urn": project.urn("alpha", "bucket"), "rule": "storage-log-bucket-locked"}
    ]
    assert (
        "excepted: storage-log-bucket-locked  alpha-bucket"
        in project.ops("preview", *project.here()).stdout
    )


def test_a_pack_that_cannot_run_passes_nothing(project: MiniProject) -> None:
    (project.root / "policies" / "__main__.py").write_text("raise SystemExit(3)\n")
    done = project.ops("preview", *project.here())
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("approvals: [{urn: x, operation: burn}]", "approvals.0.operation"),
        ("approvals: [{urn: x, operation: delete, reason: short}]", "approvals.0.expires"),
        ("approval: []", "approval: Extra inputs are not permitted"),
        ("approvals: [", "while parsing"),
    ],
)
def test_approvals_that_cannot_be_read_start_nothing(
    project: MiniProject, text: str, message: str
) -> None:
    (project.root / "approvals" / "production.yaml").write_text(text)
    done = project.ops("preview", *project.here())
    assert done.returncode == 2
    assert message in done.stderr
    assert "nothing was started" in done.stderr
    assert not (project.sandbox / "state").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("approvals: [{urn: x, expires: 2027-02-30}]", "day is out of range"),
        ("approvals: [{urn: x, expires: 20270230}]", "approvals.0.expires"),
        (f"approvals: [{{urn: x, reason: {' ' * 12!r}}}]", "approvals.0.reason"),
        ("approvals: [{urn: x, approved_by: ['']}]", "approvals.0.approved_by.0"),
        (
            "approvals: [{urn: x, approved_by: [ada]}]",
            "approvals.0.approved_by: expected at least 2",
        ),
        ("approvals: &all [*all]", "approvals.0"),
        ("approvals: " + "[" * 3000, "recursion"),
        ("approvals: [é]".encode("latin-1"), "can't decode"),
        ("approvals: []\napprovals: []", "the key 'approvals' is there twice"),
        ("approvals: [{urn: x, urn: y}]", "the key 'urn' is there twice"),
        ("", "Input should be"),
        ("{}", "approvals: Field required"),
        ("approvals:", "approvals: Input should be"),
        ("approvals: []\n---\napprovals: []", "single document"),
        ("approvals: [{urn: redis-instance}]", "approvals.0.urn"),
        ("approvals: [{ticket: 7}]", "approvals.0.ticket: Extra inputs are not permitted"),
        ("approvals: [{expires: 1800000000}]", "1800000000 is not a date, such as 2027-01-31"),
        ("approvals: [{expires: '1800000000'}]", "is not a date"),
        ("approvals: [{expires: 2027-01-31T00:00:00Z}]", "is not a date"),
        ("approvals: [{expires: '2027-01-31T00:00:00'}]", "is not a date"),
        ("approvals: [{expires: 20270131}]", "is not a date"),
        ("approvals: [{expires: '2027-1-31'}]", "is not a date"),
        ("approvals: [{expires: '\uff12\uff10\uff12\uff17-01-31'}]", "is not a date"),
    ],
)
def test_invalid_approvals_are_reported_and_approve_nothing(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    (tmp_path / "production.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(WrongInput, match=message):
        read_approvals(tmp_path, "production")


@pytest.mark.parametrize(
    ("approvers", "people"),
    [
        ([], 0),
        (["ada@pull.com"], 1),
        (["ada@pull.com", "Ada@pull.com "], 1),
        (["Ada Lovelace", "ada  lovelace"], 1),
        (["@ada", "ada"], 1),
        (["Ada Lovelace <ada@pull.com>", "ada@pull.com"], 1),
        (["ada@pull.com", "@ada"], 1),
        (["ada@pull.com", "@"], 1),
        (["ada@pull.com", "ADA+ops@pull.com"], 1),
        (["ada@pull.com", "ada@pull.example"], 1),
        (["ada.lovelace@pull.com", "Ada Lovelace"], 1),
        (["ada@pull.com", "\uff41\uff44\uff41@pull.com"], 1),
        (["ada@pull.com", "\u0430da@pull.com"], 1),
        (["ada@pull.com", "ad\u200ba@pull.com"], 1),
        (["ada@pull.com", "grace@pull.com"], 2),
        (["@ada", "grace@pull.com", "ada"], 2),
    ],
)
def test_an_approval_takes_two_different_people(
    tmp_path: Path, approvers: list[str], people: int
) -> None:
    approval = {
        "urn": "urn:pulumi:production::pull::gcp:redis/instance:Instance::redis-instance",
        "operation": "replace",
        "reason": "a larger tier",
        "approved_by": approvers,
        "expires": SOON,
    }
    (tmp_path / "production.yaml").write_text(json.dumps({"approvals": [approval]}))
    if people == 2:
        assert len(read_approvals(tmp_path, "production")) == 1
        return
    with pytest.raises(WrongInput) as error:
        read_approvals(tmp_path, "production")
    assert (
        f"approvals.0.approved_by: expected at least 2 different people, found {people}. "
        "Add the e-mail address or handle of a second engineer"
    ) in str(error.value)


def test_invalid_levels_start_nothing(project: MiniProject) -> None:
    (project.root / "policies" / "config.production.json").write_text('{"all": "disabled"}')
    done = project.ops("preview", *project.here())
    assert done.returncode == 2
    assert "config.production.json is not valid; nothing was started.\n  all: must" in done.stderr
    assert not (project.sandbox / "state").exists()


TOKEN: Final = "0x" + "aB" * 20
OTHER: Final = "0x" + "cd" * 20


@pytest.mark.parametrize(
    ("network", "after", "refused"),
    [
        ("polygon-mainnet", {"PullToken": OTHER}, True),
        ("polygon-mainnet", {"PullVault": TOKEN}, True),
        ("polygon-mainnet", {}, True),
        ("polygon-amoy", {"PullToken": TOKEN}, True),
        ("polygon-mainnet", {"PullToken": TOKEN, "PullVault": OTHER}, False),
        ("polygon-mainnet", {"PullToken": TOKEN.lower()}, False),
    ],
)
def test_a_contract_on_mainnet_stays_where_it_is(
    network: str, after: dict[str, str], refused: bool
) -> None:
    """An additional contract is allowed; two engineers approved its address in the settings."""
    urn = f"urn:pulumi:production::pull::pull:external:Services$pull:external:Service::{CHAIN}"

    def state(network: str, contracts: dict[str, str]) -> State:
        parameters = {"network": network, "contracts": contracts}
        return State.parse(
            {"urn": urn, "type": "pull:external:Service", "inputs": {"parameters": parameters}}
        )

    step = Step(
        op=OpType.UPDATE,
        urn=urn,
        type="pull:external:Service",
        provider="",
        old=state("polygon-mainnet", {"PullToken": TOKEN}),
        new=state(network, after),
        diff_reasons=(),
        replace_reasons=(),
        detailed_diff={},
    )
    refusals = evaluate("production", [step], [], dict, datetime.now(UTC).date()).refusals
    assert [refusal.operation for refusal in refusals] == ["change"] * refused


@pytest.mark.parametrize(
    ("after", "path"),
    [
        ({"enabled": SECRET}, "settings.backupConfiguration.enabled"),
        (SECRET, "settings.backupConfiguration.enabled"),
        (SECRET, "settings.backupConfiguration"),
    ],
)
def test_a_loss_is_not_hidden_by_marking_its_cause_as_secret(after: Any, path: str) -> None:
    """Both values are then redacted, and look the same."""

    def state(backups: Any) -> dict[str, Any]:
        inputs = {"settings": {"backupConfiguration": backups}}
        return {"urn": urn, "type": gcp.SQL_INSTANCE, "custom": True, "inputs": inputs}

    urn = f"urn:pulumi:production::pull::{gcp.SQL_INSTANCE}::database"
    step = Step.parse(
        {
            "op": "update",
            "urn": urn,
            "oldState": state({"enabled": True}),
            "newState": state(after),
            "detailedDiff": {path: {"kind": "update", "inputDiff": True}},
        }
    )
    decision = evaluate("production", [step], (), dict, datetime.now(UTC).date())
    (refusal,) = decision.refusals
    assert "backups" in refusal.loss

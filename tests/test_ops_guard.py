"""The policy pack and the guard over operations, as somebody meets them on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from pulumi.automation import OpType

from ops.errors import WrongInput
from ops.review.events import State, Step
from ops.review.guard import CHAIN, HOLDS, judge, read_approvals
from tests import inventory
from tests.mini_project import SOON, MiniProject

LOSES_NOTHING: Final = frozenset(
    {
        # Settings, routes and grants, which the program makes again as they were.
        "cloudflare:index/r2BucketCors:R2BucketCors",
        "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle",
        "cloudflare:index/workersRoute:WorkersRoute",
        "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
        "gcp:compute/managedSslCertificate:ManagedSslCertificate",
        "gcp:compute/router:Router",
        "gcp:compute/routerNat:RouterNat",
        "gcp:compute/subnetwork:Subnetwork",
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        "gcp:projects/iAMMember:IAMMember",
        "gcp:projects/service:Service",
        "gcp:projects/serviceIdentity:ServiceIdentity",
        "gcp:pubsub/topic:Topic",
        "gcp:pubsub/topicIAMMember:TopicIAMMember",
        "gcp:secretmanager/secretIamMember:SecretIamMember",
        "gcp:serviceaccount/iAMMember:IAMMember",
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        "gcp:vpcaccess/connector:Connector",
        "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable",
        # Releases: an image, a bundle or a commit brings each back.
        "cloudflare:index/workerVersion:WorkerVersion",
        "cloudflare:index/workersDeployment:WorkersDeployment",
        "gcp:cloudrunv2/service:Service",
        # Values that are replaced by design; the old one stays in Secret Manager, switched off.
        "gcp:secretmanager/secretVersion:SecretVersion",
        "random:index/randomPassword:RandomPassword",
        # What is in the cluster and keeps nothing.
        "kubernetes:apps/v1:Deployment",
        "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
        "kubernetes:core/v1:ConfigMap",
        "kubernetes:core/v1:Service",
        "kubernetes:core/v1:ServiceAccount",
        "kubernetes:external-secrets.io/v1:ExternalSecret",
        "kubernetes:external-secrets.io/v1:SecretStore",
        "kubernetes:helm.sh/v3:Release",
        "kubernetes:networking.k8s.io/v1:Ingress",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
        "kubernetes:policy/v1:PodDisruptionBudget",
        "kubernetes:scheduling.k8s.io/v1:PriorityClass",
    }
)
"""What may go without an approval, where the engine's protection does not say otherwise."""


@pytest.fixture
def tiny(tmp_path: Path, checkout: Path, engine: Path) -> MiniProject:
    assert engine.exists()
    return MiniProject(tmp_path / "tiny", checkout)


def policies(tiny: MiniProject, verb: str) -> tuple[int, dict[str, Any]]:
    """Exit code and verdict of a verb."""
    consent = [] if verb == "preview" else ["--yes"]
    done = tiny.ops(verb, *tiny.here(), "--json", *consent)
    document = json.loads(done.stdout)
    assert document["result"] == ("succeeded" if done.returncode == 0 else "failed")
    verdict: dict[str, Any] = document["policies"]
    return done.returncode, verdict


def test_what_holds_data_goes_only_with_an_approval(tiny: MiniProject) -> None:
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

    far = datetime.now(UTC).date() + timedelta(days=91)
    tiny.approve(until=str(far))
    _, verdict = policies(tiny, "preview")
    assert {one["because"] for one in verdict["refusals"]} == {
        f"its approval runs until {far}: 90 days at the most"
    }

    tiny.approve()
    code, verdict = policies(tiny, "up")
    assert (code, verdict["refusals"]) == (0, [])


@pytest.mark.parametrize("name", inventory.NAMES)
def test_of_every_type_it_is_decided_what_would_be_lost(name: str) -> None:
    """A type that is new to the estate is either held, or said here to lose nothing."""
    types = {row["type"] for row in inventory.kept(name)}
    custom = {one for one in types if not one.startswith(("pull:", "pulumi:providers:"))}
    assert custom <= HOLDS.keys() | LOSES_NOTHING
    assert not HOLDS.keys() & LOSES_NOTHING


def test_what_holds_data_is_not_destroyed_without_an_approval(tiny: MiniProject) -> None:
    tiny.run("up")
    before = tiny.cloud()
    (tiny.root / "approvals" / "production.yaml").unlink()
    code, verdict = policies(tiny, "destroy")
    assert code == 1
    refused = {(one["urn"], one["operation"]) for one in verdict["refusals"]}
    assert refused == {
        (tiny.urn(store, kind), "delete")
        for store in ("alpha", "beta")
        for kind in ("bucket", "secret")
    }
    assert tiny.cloud() == before

    tiny.run("destroy", "--lift-protection")
    assert tiny.cloud() == []

    tiny.run("up")
    tiny.approve()
    code, verdict = policies(tiny, "destroy")
    assert (code, verdict["refusals"]) == (0, [])
    assert tiny.cloud() == []


def test_the_rest_of_a_stopped_replacement_is_shown_and_judged(tiny: MiniProject) -> None:
    """The engine counts it as nothing; it deletes the bucket that the files were in."""
    program = tiny.root / "__main__.py"
    named = 'name=f"pull-tiny-{name}-" + config.require("location").lower()'
    program.write_text(program.read_text().replace('name=f"pull-tiny-{name}"', named, 1))
    tiny.write(stores=["alpha"])
    tiny.run("up")
    tiny.write(location="EU")
    killed = tiny.ops(
        *("up", *tiny.here(), "--yes"),
        module="tests.ops_with_faults",
        variables={"FAULT": "2:crash:before"},
    )
    assert killed.returncode == 1
    tiny.run("recover")
    buckets = [address for kind, address in tiny.cloud() if "bucket" in kind]
    assert buckets == ["b/pull-tiny-alpha-eu", "b/pull-tiny-alpha-us"]

    (tiny.root / "approvals" / "production.yaml").unlink()
    code, verdict = policies(tiny, "up")
    (refusal,) = verdict["refusals"]
    assert (code, refusal["urn"]) == (1, tiny.urn("alpha", "bucket"))
    assert refusal["operation"] == "replace", "the approval of the whole replacement is enough"
    assert [address for kind, address in tiny.cloud() if "bucket" in kind] == buckets

    tiny.approve()
    assert [(one["op"], one["urn"]) for one in tiny.run("up")["steps"]] == [
        ("delete", tiny.urn("alpha", "bucket"))
    ]
    assert [address for kind, address in tiny.cloud() if "bucket" in kind] == buckets[:1]


def test_an_up_that_fails_gives_protection_back(tiny: MiniProject) -> None:
    """At once where it fails, and in the next ``up`` where its engine was killed."""
    tiny.write(stores=["alpha"], protect=True)
    tiny.run("up")
    protected = [tiny.urn("alpha", "bucket")]
    for fault, left in (("1:error:before", protected), ("1:crash:before", [])):
        tiny.write(location="EU")
        failed = tiny.ops(
            *("up", *tiny.here(), "--yes"),
            module="tests.ops_with_faults",
            variables={"FAULT": fault},
        )
        assert failed.returncode == 1
        assert tiny.protected() == left
    tiny.run("recover")
    tiny.write(location="US")
    tiny.run("up")
    assert tiny.protected() == protected


def test_an_approval_opens_the_engine_s_protection_too(
    tiny: MiniProject, engine_calls: Callable[[], list[str]]
) -> None:
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
    # It looked at a copy without any protection, and tells nothing of that.
    document = json.loads(tiny.ops("preview", *tiny.here(), "--json").stdout)
    assert {step["urn"] for step in document["steps"]} == refused.keys()
    assert all(step["oldState"]["protect"] for step in document["steps"])

    tiny.approve()
    code, verdict = policies(tiny, "preview")
    assert (code, verdict["refusals"]) == (0, [])
    tiny.run("up")
    assert tiny.protected() == [tiny.urn(store, "bucket") for store in ("alpha", "beta")]
    assert tiny.run("preview")["changeSummary"].keys() == {"same"}
    # The state went through files on the way, to be edited and to be looked at.
    assert any("stack import" in call for call in engine_calls())
    assert not any("--show-secrets" in call for call in engine_calls())


def test_a_broken_rule_stops_a_preview_and_an_up(tiny: MiniProject) -> None:
    tiny.write(location="MOON")
    for verb in ("preview", "up"):
        code, verdict = policies(tiny, verb)
        assert code == 1
        assert {(one["rule"], one["level"]) for one in verdict["violations"]} == {
            ("tiny-earth", "mandatory")
        }
    assert tiny.cloud() == []


def test_what_changes_under_an_exception_is_said(tiny: MiniProject) -> None:
    tiny.run("up")
    entries = "".join(
        f"- {{rule: storage-log-bucket-locked, urn: {json.dumps(tiny.urn('alpha', kind))}, "
        f"reason: a test of exceptions, owner: tests, expires: {SOON}}}\n"
        for kind in ("bucket", "secret")
    )
    (tiny.root / "approvals" / "exceptions.yaml").write_text(entries)
    tiny.write(owners=["data"])
    _, verdict = policies(tiny, "preview")
    assert verdict["exceptions"] == [
        {"urn": tiny.urn("alpha", "bucket"), "rule": "storage-log-bucket-locked"}
    ]
    assert (
        "excepted: storage-log-bucket-locked  alpha-bucket"
        in tiny.ops("preview", *tiny.here()).stdout
    )


def test_a_pack_that_cannot_run_passes_nothing(tiny: MiniProject) -> None:
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
def test_approvals_that_cannot_be_read_start_nothing(
    tiny: MiniProject, text: str, says: str
) -> None:
    (tiny.root / "approvals" / "production.yaml").write_text(text)
    done = tiny.ops("preview", *tiny.here())
    assert done.returncode == 2
    assert says in done.stderr
    assert "nothing was started" in done.stderr
    assert not (tiny.sandbox / "state").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("approvals: [{urn: x, expires: 2027-02-30}]", "day is out of range"),
        ("approvals: [{urn: x, expires: 20270230}]", "approvals.0.expires"),
        (f"approvals: [{{urn: x, reason: {' ' * 12!r}}}]", "approvals.0.reason"),
        ("approvals: [{urn: x, approved_by: ['']}]", "approvals.0.approved_by.0"),
        ("approvals: &all [*all]", "approvals.0"),
        ("approvals: " + "[" * 3000, "recursion"),
        ("approvals: [é]".encode("latin-1"), "can't decode"),
    ],
)
def test_odd_approvals_are_told_and_approve_nothing(
    tmp_path: Path, text: str | bytes, says: str
) -> None:
    (tmp_path / "production.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(WrongInput, match=says):
        read_approvals(tmp_path, "production")


def test_levels_that_cannot_be_used_start_nothing(tiny: MiniProject) -> None:
    (tiny.root / "policies" / "config.production.json").write_text('{"all": "disabled"}')
    done = tiny.ops("preview", *tiny.here())
    assert done.returncode == 2
    assert "config.production.json cannot be used; nothing was started.\n  all: must" in done.stderr
    assert not (tiny.sandbox / "state").exists()


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
    """Another one beside it takes nothing away; two engineers have approved it in the settings."""
    urn = f"urn:pulumi:production::pull::pull:external:Services$pull:external:Service::{CHAIN}"

    def state(network: str, contracts: dict[str, str]) -> State:
        figures = {"network": network, "contracts": contracts}
        return State.parse(
            {"urn": urn, "type": "pull:external:Service", "inputs": {"figures": figures}}
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
    refusals = judge([step], [], dict, datetime.now(UTC).date())
    assert [one.operation for one in refusals] == ["change"] * refused

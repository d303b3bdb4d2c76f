"""Production and staging through the real engine, from nothing to nothing, in the sandbox."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pytest

from sandbox.cloud import Cloud
from sandbox.store import Record
from sandbox.values import reveal
from tests.recorder import FLEET
from tests.stack_lifecycle import StackLifecycle, changed, production_life

OTHER_IMAGE: Final = f"gcr.io/pull-production/pull-temporal-worker@sha256:{2:064}"
API_ORIGIN: Final = {
    "cpu": 1,
    "memory_gib": 1,
    "min_instances": 0,
    "max_instances": 2,
    "timeout_seconds": 60,
    "image": "gcr.io/pull-staging/pull-api:3f2c1ab",
}

STACK: Final = "pulumi:pulumi:Stack"
SERVICE: Final = "gcp:cloudrunv2/service:Service"
POOL: Final = "gcp:cloudrunv2/workerPool:WorkerPool"

GATES: Final = (
    {
        "gcp:redis/instance:Instance",
        "gcp:sql/database:Database",
        "gcp:sql/user:User",
    },
    {"gcp:secretmanager/secretVersion:SecretVersion"},
    {
        "cloudflare:index/workersDeployment:WorkersDeployment",
        "cloudflare:index/workersRoute:WorkersRoute",
    },
    {"vercel:index/projectDomain:ProjectDomain"},
    {SERVICE},
)
"""What each of the runbook's five steps ends with."""


@pytest.fixture(scope="session")
def production(
    tmp_path_factory: pytest.TempPathFactory, checkout: Path, engine: Path
) -> StackLifecycle:
    assert engine.exists()
    return production_life(tmp_path_factory, checkout)


@pytest.fixture
def fork(production: StackLifecycle, tmp_path: Path) -> StackLifecycle:
    return production.fork(tmp_path / "fork")


def document(life: StackLifecycle, name: str) -> Any:
    """What was written down when production was made."""
    return json.loads((life.folder / f"{name}.json").read_text("utf-8"))


def same_things(one: Iterable[Record], other: Iterable[Record]) -> bool:
    """Whether two clouds hold the same, nothing made anew."""
    return {(thing.key, thing.id): reveal(thing.inputs) for thing in one} == {
        (thing.key, thing.id): reveal(thing.inputs) for thing in other
    }


# -- the first up ------------------------------------------------------------------------------


def test_preview_says_what_up_does(production: StackLifecycle) -> None:
    preview, up = document(production, "preview"), document(production, "up")
    assert preview["changeSummary"] == up["changeSummary"]
    assert changed(preview) == changed(up)
    custom = [one for one in production.resources() if one["custom"]]
    assert len(custom) >= 120
    assert len(production.cloud()) == sum(
        not one["type"].startswith("pulumi:providers:") for one in custom
    )


def test_preview_and_up_leave_the_checkout_as_it_is(production: StackLifecycle) -> None:
    before, after = document(production, "checkouts")
    assert after == before


def test_nothing_waits_for_a_later_step_of_the_runbook(production: StackLifecycle) -> None:
    resources = {one["urn"]: one for one in production.resources()}
    edges = 0
    for urn in resources:
        for other in waits_for(resources, urn):
            mine, before = stage(resources, urn), stage(resources, other)
            if mine and before:
                edges += 1
                assert before <= mine, f"{urn} waits for {other}"
    assert edges > 300


def test_each_step_of_the_runbook_ends_before_the_next_goes_live(
    production: StackLifecycle,
) -> None:
    resources = {one["urn"]: one for one in production.resources()}
    gates = [[urn for urn, one in resources.items() if one["type"] in types] for types in GATES]
    assert [len(gate) for gate in gates] == [3, 3, 2, 1, 1]
    for earlier, later in itertools.pairwise(gates):
        for urn in later:
            assert set(earlier) <= everything_before(resources, urn), urn


def test_the_database_and_the_cache_are_made_side_by_side(production: StackLifecycle) -> None:
    """Narrow edges: an order between whole components would make everything wait."""
    resources = {one["urn"]: one for one in production.resources()}
    named = {urn.rpartition("::")[2]: urn for urn in resources}
    assert named["redis-instance"] not in everything_before(resources, named["postgres-instance"])
    assert named["postgres-instance"] not in everything_before(resources, named["redis-instance"])
    for early in ("web-project", "api-version", "secrets-jwt-secret"):
        assert named["postgres-instance"] not in everything_before(resources, named[early])


def test_what_the_clouds_needed_was_waited_for(production: StackLifecycle) -> None:
    resources = production.resources()
    assert needs_that_nobody_waited_for(production, resources) == []

    # Without one edge the same up could come to the same end, and only this would tell.
    (bucket,) = (one for one in resources if one["urn"].endswith("::backups-bucket"))
    (grant,) = (
        one for one in bucket["dependencies"] if one.endswith("::encryption-key-backups-user")
    )
    bucket["dependencies"].remove(grant)
    assert needs_that_nobody_waited_for(production, resources) == [(bucket["urn"], grant)]


def needs_that_nobody_waited_for(
    life: StackLifecycle, listed: Iterable[dict[str, Any]]
) -> list[tuple[str, str]]:
    """What had to be there before something else, and was by chance: no edge says so.

    An ``up`` that came to its end proves one order of many. This proves them all: APIs, agents,
    roles, keys and whatever an input names come before what needs them, and go after it.
    """
    resources = {one["urn"]: one for one in listed}
    cloud = Cloud(life.sandbox / "cloud")
    needs = {(user.urn, used.urn) for user, used in cloud.dependencies()}
    cloud.close()
    known = [(user, used) for user, used in needs if user in resources and used in resources]
    assert len(known) > 300
    before = {user: everything_before(resources, user) for user, _ in known}
    return sorted((user, used) for user, used in known if used not in before[user])


def stage(resources: dict[str, dict[str, Any]], urn: str) -> str:
    """The step of the runbook that a resource belongs to, from its nearest ancestor."""
    one: dict[str, Any] | None = resources[urn]
    while one is not None:
        if "stage" in one.get("inputs", {}) and not one["custom"]:
            return str(one["inputs"]["stage"])
        one = resources.get(one.get("parent", ""))
    return ""


def waits_for(resources: dict[str, dict[str, Any]], urn: str) -> set[str]:
    """All that the engine keeps as a reason to come later."""
    one = resources[urn]
    found = {*one.get("dependencies", ()), one.get("parent"), one.get("deletedWith")}
    found.add(one.get("provider", "").rpartition("::")[0])
    for urns in (one.get("propertyDependencies") or {}).values():
        found |= set(urns or ())
    return {other for other in found if other in resources}


def everything_before(resources: dict[str, dict[str, Any]], urn: str) -> set[str]:
    found: set[str] = set()
    ahead = [urn]
    while ahead:
        for other in waits_for(resources, ahead.pop()) - found:
            found.add(other)
            ahead.append(other)
    return found


def test_no_default_provider(production: StackLifecycle) -> None:
    resources = production.resources()
    providers = [one for one in resources if one["type"].startswith("pulumi:providers:")]
    assert sorted(one["urn"].rpartition("::")[2] for one in providers) == [
        "cloudflare",
        "gcp",
        "random",
        "vercel",
    ]
    references = {f"{one['urn']}::{one['id']}" for one in providers}
    for one in resources:
        if one["custom"] and one not in providers:
            assert one["provider"] in references


def test_outputs_are_what_people_need_and_hold_no_secret(production: StackLifecycle) -> None:
    (root,) = (one for one in production.resources() if one["type"] == STACK)
    assert "ciphertext" not in json.dumps(root["outputs"])
    outputs = document(production, "up")["outputs"]
    assert outputs == root["outputs"]
    assert outputs["api_url"] == "https://api.pull.com"
    assert outputs["postgres_connection_name"] == (
        "pull-production:us-central1:pull-production-postgres"
    )
    worker = outputs["workers"]["pull-temporal-worker"]
    assert worker["ready"].endswith(worker["described"])


# -- again, and when somebody else was there ---------------------------------------------------


def test_a_second_up_and_a_refresh_change_nothing(fork: StackLifecycle) -> None:
    before = fork.cloud()
    assert set(fork.run("up")["changeSummary"]) == {"same"}
    assert set(fork.run("refresh")["changeSummary"]) == {"same"}
    assert same_things(fork.cloud(), before)


def test_what_somebody_changed_by_hand_is_seen_and_repaired(fork: StackLifecycle) -> None:
    before = {thing.address: reveal(thing.inputs) for thing in fork.cloud()}
    fork.by_hand("edit", "pull-production-redis", "memorySizeGb=1")
    fork.by_hand("edit", "pull-production-postgres", 'settings.availabilityType="ZONAL"')
    (route,) = (thing.id for thing in fork.cloud() if thing.type.endswith(":WorkersRoute"))
    fork.by_hand("remove", route)

    seen = changed(fork.run("refresh"))
    assert seen == {
        "redis-instance": "update",
        "postgres-instance": "update",
        "api-route": "delete",
    }
    repaired = changed(fork.run("up"))
    assert repaired == {
        "redis-instance": "update",
        "postgres-instance": "update",
        "api-route": "create",
    }
    assert {thing.address: reveal(thing.inputs) for thing in fork.cloud()} == before


# -- secrets -----------------------------------------------------------------------------------


def generated_secrets(life: StackLifecycle) -> dict[str, str]:
    """The values that the sandbox's cloud made up, from its memory."""
    found = {}
    for thing in life.cloud():
        outputs = reveal(thing.outputs)
        if thing.type.endswith(":RandomPassword"):
            found[f"password {thing.id} {outputs['keepers']}"] = outputs["result"]
        elif thing.type.endswith("redis/instance:Instance"):
            found["auth string"] = outputs["authString"]
    return found


def test_a_new_password_reaches_its_readers_and_is_nowhere_in_the_clear(
    fork: StackLifecycle,
) -> None:
    secrets = generated_secrets(fork)
    fork.settings(postgres={"password_generation": 2})
    assert fork.ops("preview").returncode == 0
    assert changed(fork.run("preview")) == {
        "postgres-password": "replace",
        "postgres-user": "update",
        "secrets-database-url-version": "replace",
        "worker-all-service": "update",
    }
    up = fork.ops("up")
    assert up.returncode == 0, up.stdout
    secrets |= generated_secrets(fork)
    assert len(set(secrets.values())) == 3, "two passwords and one auth string"

    # They reach whom they are for, so the search below looks for what is really there.
    (url,) = (
        reveal(thing.inputs)["secretData"]
        for thing in fork.cloud()
        if thing.type.endswith(":SecretVersion") and "database-url" in thing.address
    )
    assert any(secret in url for secret in secrets.values())

    memory = fork.sandbox / "cloud"
    texts = {"standard streams": "\n".join(fork.printed).encode()}
    for file in fork.folder.rglob("*"):
        if file.is_file() and not file.is_relative_to(memory):
            texts[str(file)] = file.read_bytes()
    assert len(texts) > 20
    for name, secret in secrets.items():
        leaks = [where for where, text in texts.items() if secret.encode() in text]
        assert not leaks, f"{name} is in {leaks}"
    assert not list((fork.folder / "tmp").iterdir()), "a command left something behind"


# -- releases and rollbacks --------------------------------------------------------------------


def paths(document: dict[str, Any], name: str) -> set[str]:
    """The top-level inputs that a step changes."""
    (step,) = (step for step in document["steps"] if step["urn"].endswith(f"::{name}"))
    return set(step["diffReasons"])


def test_releases_and_rollbacks_move_traffic_and_nothing_else(fork: StackLifecycle) -> None:
    outputs = document(fork, "up")["outputs"]
    old = {
        "revision": outputs["workers"]["pull-temporal-worker"]["described"],
        "version": outputs["api_version"],
    }
    fork.settings(workers={"image": OTHER_IMAGE})
    release = changed(fork.run("preview"))
    assert release == {"worker-all-service": "update"}

    canary = [{"revision": "current", "percent": 10}, {"revision": old["revision"], "percent": 90}]
    versions = [
        {"version": "current", "percentage": 10},
        {"version": old["version"], "percentage": 90},
    ]
    fork.settings(
        workers={"fleet": {"all": {"traffic": canary}}},
        api={"versions": versions, "log_sampling": 0.5, "compatibility_date": "2026-10-02"},
        web={"release": {"ref": "3f2c1ab"}},
    )
    assert fork.run("up")["result"] == "succeeded"

    fork.settings(
        workers={"fleet": {"all": {"traffic": [{"revision": old["revision"], "percent": 100}]}}},
        api={"versions": [{"version": old["version"], "percentage": 100}]},
        web={"release": {"ref": "0a1b2c3"}},
    )
    rollback = fork.run("up")
    assert changed(rollback) == {
        "worker-all-service": "update",
        "api-deployment": "replace",
        "web-release": "replace",
    }
    assert paths(rollback, "worker-all-service") == {"traffics"}
    assert paths(rollback, "api-deployment") == {"versions"}
    assert paths(rollback, "web-release") == {"ref"}


def test_moving_the_database_is_a_replacement_that_the_guard_refuses(fork: StackLifecycle) -> None:
    before = fork.cloud()
    fork.settings(gcp={"region": "us-east1"})
    refused = fork.ops("up", "--json")
    assert refused.returncode == 1
    said = json.loads(refused.stdout)
    assert said["error"]["kind"] == "policies"
    refusals = {one["urn"].rpartition("::")[2]: one for one in said["policies"]["refusals"]}
    instance = refusals["postgres-instance"]
    assert instance["operation"] == "replace"
    assert "region" in instance["forcedBy"]
    names = {urn.rpartition("::")[2] for urn in instance["dependents"]}
    assert {"postgres-database", "secrets-database-url-version", "worker-all-service"} <= names
    assert refusals["postgres-database"]["forcedBy"] == ["the replacement of postgres-instance"]
    assert refusals["redis-instance"]["forcedBy"] == ["region"]
    assert same_things(fork.cloud(), before)


def test_a_service_goes_only_with_an_approval(fork: StackLifecycle) -> None:
    """The provider would refuse it in the middle of an ``up``, and the sandbox does so too."""
    fork.settings(workers={"runtime": "worker_pool"})
    before = fork.cloud()
    assert fork.ops("up").returncode == 1
    assert same_things(fork.cloud(), before)
    assert fork.refused() == {"worker-all-service": "delete"}
    done = changed(fork.run("up"))
    assert (done["worker-all-service"], done["worker-all-pool"]) == ("delete", "create")


def test_a_recovery_clone_is_one_new_resource(fork: StackLifecycle) -> None:
    fork.settings(postgres={"recovery": {"point_in_time": "2025-01-25T10:00:00.000Z"}})
    up = fork.run("up")
    assert changed(up) == {"postgres-recovery": "create"}
    (clone,) = (thing for thing in fork.cloud() if thing.address.endswith("-postgres-recovery"))
    assert reveal(clone.inputs)["clone"] == {
        "sourceInstanceName": "pull-production-postgres",
        "pointInTime": "2025-01-25T10:00:00.000Z",
    }


# -- the other shapes of the estate, and the end -----------------------------------------------


@pytest.mark.parametrize(
    "types",
    [
        pytest.param(["all", "kyc", "email"], id="three"),
        pytest.param(list(FLEET), id="eleven", marks=pytest.mark.soak),
    ],
)
def test_staging_with_everything_switched_on_and_off_again(
    types: list[str], tmp_path: Path, checkout: Path, engine: Path
) -> None:
    assert engine.exists()
    life = StackLifecycle.begin(checkout, tmp_path / "life", "staging")
    settings = life.root / "Pulumi.staging.yaml"
    plain = settings.read_bytes()
    fleet = {kind: FLEET[kind] for kind in types}
    life.settings(
        workers={"runtime": "worker_pool", "fleet": fleet},
        api_origin=API_ORIGIN,
        pulumi_cloud={
            "organization": "pull-org",
            "events_url": "https://events.pull.com/pulumi",
            "review_stacks": {"until": "2027-01-01T00:00:00Z"},
        },
    )
    life.run("up")
    assert needs_that_nobody_waited_for(life, life.resources()) == []
    of_type = by_type(life)
    (deployments,) = of_type["pulumiservice:index:DeploymentSettings"]
    assert deployments.address == "pull-org/pull/staging"
    assert len(of_type[POOL]) == len(types)
    assert [thing.address.rpartition("/")[2] for thing in of_type[SERVICE]] == ["pull-api-staging"]
    accounts = {
        address.rpartition("/")[2].partition("@")[0]
        for address in (thing.address for thing in of_type["gcp:serviceaccount/account:Account"])
    }
    assert "pull-api-origin-stg" in accounts
    assert len(accounts) == 1 + len(types) + 2

    settings.write_bytes(plain)
    gone = {"identity-api-origin", "deployments-sign-in"}
    gone |= {f"identity-worker-{kind}" for kind in types if kind != "all"}
    assert life.refused() == dict.fromkeys(gone, "delete")
    life.run("up")
    assert not by_type(life).get(POOL)
    assert not [kind for kind in by_type(life) if kind.startswith("pulumiservice:")]
    orphans = [
        thing.address
        for thing in life.cloud()
        if "api-origin" in thing.address or "worker-kyc" in thing.address
    ]
    assert orphans == []
    assert [thing.address.rpartition("/")[2] for thing in by_type(life)[SERVICE]] == [
        "pull-temporal-worker-staging"
    ]

    assert "postgres-instance" in life.refused("destroy")
    life.run("destroy")
    assert life.resources() == []
    assert set(by_type(life)) == FOREVER


FOREVER: Final = {
    "gcp:kms/keyRing:KeyRing",
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:projects/service:Service",
    "gcp:projects/serviceIdentity:ServiceIdentity",
}
"""What no cloud ever deletes, and what others may use and therefore stays switched on."""


def by_type(life: StackLifecycle) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for thing in life.cloud():
        found.setdefault(thing.type, []).append(thing)
    return found


def test_production_is_destroyed_only_by_those_who_mean_it(fork: StackLifecycle) -> None:
    before = fork.cloud()
    refused = fork.ops("destroy", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["error"]["kind"] == "protected"
    assert same_things(fork.cloud(), before)

    fork.run("destroy", "--lift-protection")
    assert fork.resources() == []
    assert set(by_type(fork)) == FOREVER

"""Production and staging in the sandbox, from the first up to destroy, with the real engine."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pytest

from ops.snapshot import Snapshot
from sandbox.cloud import Cloud
from sandbox.store import Record
from sandbox.values import reveal
from tests.recorder import FLEET
from tests.stack_lifecycle import StackLifecycle, changed, production_lifecycle

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
"""The resources with which each of the runbook's five steps ends."""


@pytest.fixture(scope="session")
def production(
    tmp_path_factory: pytest.TempPathFactory, checkout: Path, engine: Path
) -> StackLifecycle:
    assert engine.exists()
    return production_lifecycle(tmp_path_factory, checkout)


@pytest.fixture
def fork(production: StackLifecycle, tmp_path: Path) -> StackLifecycle:
    return production.fork(tmp_path / "fork")


def document(lifecycle: StackLifecycle, name: str) -> Any:
    """A document that was recorded when production was created."""
    return json.loads((lifecycle.folder / f"{name}.json").read_text("utf-8"))


def same_records(found: Iterable[Record], expected: Iterable[Record]) -> bool:
    """Whether two clouds hold the same resources, none of them recreated."""
    return {(record.key, record.id): reveal(record.inputs) for record in found} == {
        (record.key, record.id): reveal(record.inputs) for record in expected
    }


# -- the first up ------------------------------------------------------------------------------


def test_preview_shows_what_up_does(production: StackLifecycle) -> None:
    preview, up = document(production, "preview"), document(production, "up")
    assert preview["changeSummary"] == up["changeSummary"]
    assert changed(preview) == changed(up)
    custom = [resource for resource in production.resources() if resource["custom"]]
    assert len(custom) >= 120
    assert len(production.cloud()) == sum(
        not resource["type"].startswith("pulumi:providers:") for resource in custom
    )


def test_preview_and_up_do_not_change_the_checkout(production: StackLifecycle) -> None:
    before, after = document(production, "checkouts")
    assert after == before


def test_nothing_waits_for_a_later_step_of_the_runbook(production: StackLifecycle) -> None:
    resources = {resource["urn"]: resource for resource in production.resources()}
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
    resources = {resource["urn"]: resource for resource in production.resources()}
    gates = [
        [urn for urn, resource in resources.items() if resource["type"] in types] for types in GATES
    ]
    assert [len(gate) for gate in gates] == [3, 3, 2, 1, 1]
    for earlier, later in itertools.pairwise(gates):
        for urn in later:
            assert set(earlier) <= everything_before(resources, urn), urn


def test_the_database_and_the_cache_are_created_in_parallel(production: StackLifecycle) -> None:
    """Dependencies between whole components would make unrelated resources wait."""
    resources = {resource["urn"]: resource for resource in production.resources()}
    named = {urn.rpartition("::")[2]: urn for urn in resources}
    assert named["redis-instance"] not in everything_before(resources, named["postgres-instance"])
    assert named["postgres-instance"] not in everything_before(resources, named["redis-instance"])
    for early in ("web-project", "api-version", "secrets-jwt-secret"):
        assert named["postgres-instance"] not in everything_before(resources, named[early])


def test_every_need_of_the_clouds_has_a_dependency(production: StackLifecycle) -> None:
    resources = production.resources()
    assert needs_without_a_dependency(production, resources) == []

    # Without this dependency the same up could still succeed; only this test would fail.
    (bucket,) = (resource for resource in resources if resource["urn"].endswith("::backups-bucket"))
    (grant,) = (
        urn for urn in bucket["dependencies"] if urn.endswith("::encryption-key-backups-user")
    )
    bucket["dependencies"].remove(grant)
    assert needs_without_a_dependency(production, resources) == [(bucket["urn"], grant)]


def needs_without_a_dependency(
    lifecycle: StackLifecycle, listed: Iterable[dict[str, Any]]
) -> list[tuple[str, str]]:
    """Pairs of a resource and another that it needs, without a dependency between them.

    A successful ``up`` proves a single order of many. This proves all of them: APIs, service
    agents, roles, keys and everything that an input names are created before, and deleted after,
    the resources that need them.
    """
    resources = {resource["urn"]: resource for resource in listed}
    cloud = Cloud(lifecycle.sandbox / "cloud")
    needs = {(user.urn, used.urn) for user, used in cloud.dependencies()}
    cloud.close()
    known = [(user, used) for user, used in needs if user in resources and used in resources]
    assert len(known) > 300
    before = {user: everything_before(resources, user) for user, _ in known}
    return sorted((user, used) for user, used in known if used not in before[user])


def stage(resources: dict[str, dict[str, Any]], urn: str) -> str:
    """The step of the runbook that a resource belongs to, from its nearest ancestor."""
    resource: dict[str, Any] | None = resources[urn]
    while resource is not None:
        if "stage" in resource.get("inputs", {}) and not resource["custom"]:
            return str(resource["inputs"]["stage"])
        resource = resources.get(resource.get("parent", ""))
    return ""


def waits_for(resources: dict[str, dict[str, Any]], urn: str) -> set[str]:
    """The resources that the engine creates before this resource."""
    resource = resources[urn]
    found = {*resource.get("dependencies", ()), resource.get("parent"), resource.get("deletedWith")}
    found.add(resource.get("provider", "").rpartition("::")[0])
    for urns in (resource.get("propertyDependencies") or {}).values():
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
    providers = [
        resource for resource in resources if resource["type"].startswith("pulumi:providers:")
    ]
    assert sorted(resource["urn"].rpartition("::")[2] for resource in providers) == [
        "cloudflare",
        "gcp",
        "random",
        "vercel",
    ]
    references = {f"{resource['urn']}::{resource['id']}" for resource in providers}
    for resource in resources:
        if resource["custom"] and resource not in providers:
            assert resource["provider"] in references


def test_outputs_contain_no_secret(production: StackLifecycle) -> None:
    (root,) = (resource for resource in production.resources() if resource["type"] == STACK)
    assert "ciphertext" not in json.dumps(root["outputs"])
    outputs = document(production, "up")["outputs"]
    assert outputs == root["outputs"]
    assert outputs["api_url"] == "https://api.pull.com"
    assert outputs["postgres_connection_name"] == (
        "pull-production:us-central1:pull-production-postgres"
    )
    worker = outputs["workers"]["pull-temporal-worker"]
    assert worker["ready"].endswith(worker["described"])


# -- a second up, and changes by hand ----------------------------------------------------------


def test_a_second_up_and_a_refresh_change_nothing(fork: StackLifecycle) -> None:
    before = fork.cloud()
    assert set(fork.run("up")["changeSummary"]) == {"same"}
    assert set(fork.run("refresh")["changeSummary"]) == {"same"}
    assert same_records(fork.cloud(), before)


def test_changes_by_hand_are_detected_and_reverted(fork: StackLifecycle) -> None:
    before = {record.address: reveal(record.inputs) for record in fork.cloud()}
    fork.by_hand("edit", "pull-production-redis", "memorySizeGb=1")
    fork.by_hand("edit", "pull-production-postgres", 'settings.availabilityType="ZONAL"')
    (route,) = (record.id for record in fork.cloud() if record.type.endswith(":WorkersRoute"))
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
    assert {record.address: reveal(record.inputs) for record in fork.cloud()} == before


# -- secrets -----------------------------------------------------------------------------------


def generated_secrets(lifecycle: StackLifecycle) -> dict[str, str]:
    """The values that the sandbox's cloud generated, from its memory."""
    found = {}
    for record in lifecycle.cloud():
        outputs = reveal(record.outputs)
        if record.type.endswith(":RandomPassword"):
            found[f"password {record.id} {outputs['keepers']}"] = outputs["result"]
        elif record.type.endswith("redis/instance:Instance"):
            found["auth string"] = outputs["authString"]
    return found


def test_a_new_password_reaches_its_readers_and_is_nowhere_in_plain_text(
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

    # The password is really in use, so the search below can find it.
    (url,) = (
        reveal(record.inputs)["secretData"]
        for record in fork.cloud()
        if record.type.endswith(":SecretVersion") and "database-url" in record.address
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


# -- snapshots ---------------------------------------------------------------------------------

WITHOUT_SENTRY: Final = """\
from components.secrets import catalogue
catalogue.CATALOGUE = tuple(v for v in catalogue.CATALOGUE if v.name != "SENTRY_DSN")
catalogue.SECRETS = tuple(v for v in catalogue.SECRETS if v.name != "SENTRY_DSN")
"""


def planned(printed: str) -> dict[str, Any]:
    """What a preview says of each change, down to the properties, and what its verdict is."""
    document = json.loads(printed)
    verdict = document["policies"]
    assert verdict["rules"]
    # A rule about the whole stack reports some resource of it.
    violations = sorted((found["rule"], found["message"]) for found in verdict["violations"])
    return {"verdict": (violations, verdict["refusals"])} | {
        step["urn"].rpartition("::")[2]: (
            *(step["op"], step.get("diffReasons"), step.get("replaceReasons")),
            step["detailedDiff"],
        )
        for step in document["steps"]
    }


def as_real_providers_write(deployment: dict[str, Any]) -> dict[str, Any]:
    """A state as the real providers write it: with their defaults, and outputs of their own."""

    def with_defaults(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: with_defaults(item) for name, item in value.items()} | {"__defaults": []}
        return [with_defaults(item) for item in value] if isinstance(value, list) else value

    for resource in deployment["resources"]:
        if not resource["custom"] or resource["type"].startswith("pulumi:"):
            continue
        inputs, outputs = resource["inputs"], resource["outputs"]
        if "4dabf18193072939515e22adb298388d" not in json.dumps(inputs):
            resource["inputs"] = with_defaults(inputs)
        resource["inputs"]["__defaults"] = ["deletionPolicy"]
        resource["inputs"].setdefault("deletionPolicy", "DELETE")
        outputs["__meta"] = '{"schema_version": "1"}'
        outputs["onlyTheRealProviderHasThis"] = {"etag": "3c5f"}
        for name, value in (("etag", "3c5f"), ("uid", "11d8"), ("currentLocationId", "us-east1-b")):
            if name in outputs:
                outputs[name] = value
    return deployment


def test_a_preview_against_a_snapshot_shows_what_up_would_do_without_a_secret(
    fork: StackLifecycle,
) -> None:
    file = fork.snapshot()
    text = file.read_text("utf-8")
    for name, secret in generated_secrets(fork).items():
        for encoded in (secret, base64.b64encode(secret.encode()).decode()[:-4]):
            assert encoded not in text, name

    assert planned(fork.preview_against(file).stdout) == {"verdict": ([], [])}
    fork.settings(
        postgres={"password_generation": 2},
        redis={"memory_gib": 6},
        workers={"fleet": {"all": {"max_instances": 7}, "kyc": FLEET["kyc"]}},
    )
    program = fork.root / "__main__.py"
    program.write_text(WITHOUT_SENTRY + program.read_text("utf-8"), "utf-8")
    live = planned(fork.ops("preview", "--json").stdout)
    assert live["redis-instance"][1] == ["memorySizeGb"]
    assert live["worker-kyc-service"][0] == "create"
    assert live["secrets-sentry-dsn"][0] == "delete"
    assert live["verdict"][1], "the guard refuses to delete the secret"
    assert planned(fork.preview_against(file).stdout) == live

    file.write_text(text.replace('"stack": "production"', '"stack": "staging"'), "utf-8")
    done = fork.preview_against(file)
    assert (done.returncode, "was edited" in done.stdout) == (2, True)


def test_a_snapshot_of_the_real_providers_shows_no_change(
    fork: StackLifecycle,
) -> None:
    file = fork.snapshot()
    taken = Snapshot.read(file)
    deployment = as_real_providers_write(json.loads(json.dumps(taken.deployment)))
    taken.model_copy(update={"deployment": deployment}).write(file)
    done = fork.preview_against(file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert planned(done.stdout) == {"verdict": ([], [])}


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
    result = json.loads(refused.stdout)
    assert result["error"]["kind"] == "policies"
    refusals = {
        resource["urn"].rpartition("::")[2]: resource for resource in result["policies"]["refusals"]
    }
    instance = refusals["postgres-instance"]
    assert instance["operation"] == "replace"
    assert "region" in instance["forcedBy"]
    names = {urn.rpartition("::")[2] for urn in instance["dependents"]}
    assert {"postgres-database", "secrets-database-url-version", "worker-all-service"} <= names
    assert refusals["postgres-database"]["forcedBy"] == ["the replacement of postgres-instance"]
    assert refusals["redis-instance"]["forcedBy"] == ["region"]
    assert same_records(fork.cloud(), before)


def test_a_service_is_deleted_only_with_an_approval(fork: StackLifecycle) -> None:
    """The provider refuses it in the middle of an ``up``, and so does the sandbox."""
    fork.settings(workers={"runtime": "worker_pool"})
    before = fork.cloud()
    assert fork.ops("up").returncode == 1
    assert same_records(fork.cloud(), before)
    assert fork.refused() == {"worker-all-service": "delete"}
    done = changed(fork.run("up"))
    assert (done["worker-all-service"], done["worker-all-pool"]) == ("delete", "create")


def test_a_recovery_clone_is_a_single_new_resource(fork: StackLifecycle) -> None:
    fork.settings(postgres={"recovery": {"point_in_time": "2025-01-25T10:00:00.000Z"}})
    up = fork.run("up")
    assert changed(up) == {"postgres-recovery": "create"}
    (clone,) = (record for record in fork.cloud() if record.address.endswith("-postgres-recovery"))
    assert reveal(clone.inputs)["clone"] == {
        "sourceInstanceName": "pull-production-postgres",
        "pointInTime": "2025-01-25T10:00:00.000Z",
    }


# -- other settings, and destroy ---------------------------------------------------------------


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
    lifecycle = StackLifecycle.begin(checkout, tmp_path / "lifecycle", "staging")
    settings = lifecycle.root / "Pulumi.staging.yaml"
    plain = settings.read_bytes()
    fleet = {kind: FLEET[kind] for kind in types}
    lifecycle.settings(
        workers={"runtime": "worker_pool", "fleet": fleet},
        api_origin=API_ORIGIN,
        pulumi_cloud={
            "organization": "pull-org",
            "events_url": "https://events.pull.com/pulumi",
            "review_stacks": {"until": "2027-01-01T00:00:00Z"},
        },
    )
    lifecycle.run("up")
    assert needs_without_a_dependency(lifecycle, lifecycle.resources()) == []
    of_type = by_type(lifecycle)
    (deployments,) = of_type["pulumiservice:index:DeploymentSettings"]
    assert deployments.address == "pull-org/pull/staging"
    assert len(of_type[POOL]) == len(types)
    assert [record.address.rpartition("/")[2] for record in of_type[SERVICE]] == [
        "pull-api-staging"
    ]
    accounts = {
        address.rpartition("/")[2].partition("@")[0]
        for address in (record.address for record in of_type["gcp:serviceaccount/account:Account"])
    }
    assert "pull-api-origin-stg" in accounts
    assert len(accounts) == 1 + len(types) + 2

    settings.write_bytes(plain)
    deleted = {"identity-api-origin", "api-origin-service"}
    deleted |= {"deployments-sign-in", "deployments-lent"}
    deleted |= {f"identity-worker-{kind}" for kind in types if kind != "all"}
    deleted |= {f"worker-{kind}-pool" for kind in types}
    assert lifecycle.refused() == dict.fromkeys(deleted, "delete")
    lifecycle.run("up")
    assert not by_type(lifecycle).get(POOL)
    assert not [kind for kind in by_type(lifecycle) if kind.startswith("pulumiservice:")]
    orphans = [
        record.address
        for record in lifecycle.cloud()
        if "api-origin" in record.address or "worker-kyc" in record.address
    ]
    assert orphans == []
    assert [record.address.rpartition("/")[2] for record in by_type(lifecycle)[SERVICE]] == [
        "pull-temporal-worker-staging"
    ]

    assert "postgres-instance" in lifecycle.refused("destroy")
    lifecycle.run("destroy")
    assert lifecycle.resources() == []
    assert set(by_type(lifecycle)) == FOREVER


FOREVER: Final = {
    "gcp:kms/keyRing:KeyRing",
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:projects/service:Service",
    "gcp:projects/serviceIdentity:ServiceIdentity",
}
"""Types that the clouds never delete, or that stay enabled because others may use them."""


def by_type(lifecycle: StackLifecycle) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in lifecycle.cloud():
        found.setdefault(record.type, []).append(record)
    return found


def test_production_is_destroyed_only_with_lift_protection(fork: StackLifecycle) -> None:
    before = fork.cloud()
    refused = fork.ops("destroy", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["error"]["kind"] == "protected"
    assert same_records(fork.cloud(), before)

    fork.run("destroy", "--lift-protection")
    assert fork.resources() == []
    assert set(by_type(fork)) == FOREVER

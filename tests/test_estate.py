"""The whole estate, in both environments."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_gcp as gcp
import pytest

from components.platform.project import CLUSTER_SERVICE, SERVICES
from tests import inventory
from tests.recorder import STACKS, Recording, Secret, estate, record

RUNTIMES: Final = ("managed", "kubernetes", "both")

both_stacks = pytest.mark.parametrize("stack", STACKS)

STATEFUL: Final = {
    "cloudflare:index/dnsRecord:DnsRecord",
    "cloudflare:index/r2Bucket:R2Bucket",
    "gcp:artifactregistry/repository:Repository",
    "gcp:container/cluster:Cluster",
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:kms/keyRing:KeyRing",
    "gcp:redis/instance:Instance",
    "gcp:secretmanager/secret:Secret",
    "gcp:sql/database:Database",
    "gcp:sql/databaseInstance:DatabaseInstance",
    "gcp:sql/user:User",
    "gcp:storage/bucket:Bucket",
    "kubernetes:core/v1:Namespace",
    "vercel:index/project:Project",
}
"""What holds data, identity or a name that users know."""

ORIGIN: Final = {
    "cpu": 1,
    "memory_gib": 1,
    "min_instances": 0,
    "max_instances": 2,
    "timeout_seconds": 60,
}

NEEDED_API: Final = {
    "gcp:artifactregistry/": "artifactregistry",
    "gcp:cloudrunv2/": "run",
    "gcp:compute/": "compute",
    "gcp:container/": "container",
    "gcp:iam/": "iam",
    "gcp:kms/": "cloudkms",
    "gcp:projects/iAMMember": "cloudresourcemanager",
    "gcp:pubsub/": "pubsub",
    "gcp:redis/": "redis",
    "gcp:secretmanager/": "secretmanager",
    "gcp:serviceaccount/": "iam",
    "gcp:servicenetworking/": "servicenetworking",
    "gcp:sql/": "sqladmin",
    "gcp:storage/": "storage",
    "gcp:vpcaccess/": "vpcaccess",
}
"""The service of Google Cloud that a type is made through."""


@both_stacks
def test_no_two_resources_share_a_type_and_a_name(stack: str) -> None:
    """A URN holds the types of the parents and not their names."""
    made = Counter((resource.type, resource.name) for resource in estate(stack).resources)
    assert [pair for pair, count in made.items() if count > 1] == []


@both_stacks
def test_every_child_bears_its_components_name(stack: str) -> None:
    for resource in estate(stack).resources:
        if resource.parent:
            assert resource.name.startswith(f"{resource.parent}-"), resource.name


@both_stacks
def test_no_resource_uses_a_default_provider(stack: str) -> None:
    recording = estate(stack)
    for resource in recording.resources:
        if resource.custom and not resource.type.startswith("pulumi:providers:"):
            assert resource.provider == resource.type.partition(":")[0], resource.name


@both_stacks
def test_credentials_never_enter_the_state(stack: str) -> None:
    providers = {
        resource.type.rpartition(":")[2]: resource.inputs
        for resource in estate(stack).resources
        if resource.type.startswith("pulumi:providers:")
    }
    assert providers == {
        "gcp": {
            "project": f"pull-{stack}",
            "region": "us-central1",
            "addPulumiAttributionLabel": "false",
        },
        "cloudflare": {},
        "vercel": {"team": "pull"},
        "random": {},
    }


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_production_protects_everything_stateful_and_nothing_else(runtime: str) -> None:
    for resource in estate("production", runtime=runtime).resources:
        assert resource.protect == (resource.type in STATEFUL), resource.name


def test_staging_can_be_thrown_away() -> None:
    recording = estate("staging")
    assert not [resource.name for resource in recording.resources if resource.protect]
    assert not [resource.name for resource in recording.resources if _switched_on(resource.inputs)]


def test_production_is_protected_by_the_platforms_too() -> None:
    switches = {
        resource.type: _switched_on(resource.inputs)
        for resource in estate("production").resources
        if _switched_on(resource.inputs)
    }
    assert switches == {
        "gcp:cloudrunv2/service:Service": ["deletionProtection"],
        "gcp:redis/instance:Instance": ["deletionProtection"],
        "gcp:secretmanager/secret:Secret": ["deletionProtection"],
        "gcp:sql/databaseInstance:DatabaseInstance": [
            "deletionProtection",
            "settings.deletionProtectionEnabled",
        ],
    }


def _switched_on(inputs: Mapping[str, Any]) -> list[str]:
    """The deletion switches that are on."""
    paths = ("deletionProtection", "settings.deletionProtectionEnabled")
    on = []
    for path in paths:
        value: Any = inputs
        for step in path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if value:
            on.append(path)
    return on


@pytest.mark.parametrize("name", inventory.NAMES)
def test_names_are_locked(name: str) -> None:
    before = {(row["type"], row["name"]): row for row in inventory.kept(name)}
    after = {(row["type"], row["name"]): row for row in inventory.present(name)}
    lost = [before[key] for key in before.keys() - after.keys()]
    added = [after[key] for key in after.keys() - before.keys()]
    lines = [f"{row['type']} {row['name']} is new" for row in added]
    for row in lost:
        lines.append(
            f"{row['type']} {row['name']} is gone: the engine would delete it. If it has another "
            "name now, its options owe\n"
            f'    aliases=[pulumi.Alias(name="{row["name"]}")]'
        )
    for key in before.keys() & after.keys():
        old, new = before[key], after[key]
        if old["parent"] != new["parent"]:
            lines.append(
                f"{key[0]} {key[1]} moved from {old['parent'] or 'the stack'} to "
                f"{new['parent'] or 'the stack'}: its options owe pulumi.Alias(parent=...)"
            )
        if old["protect"] != new["protect"]:
            lines.append(f"{key[0]} {key[1]}: protect was {old['protect']}, is {new['protect']}")
    assert not lines, "\n".join(
        [
            f"{name} is not what its inventory says:",
            *sorted(lines),
            "Once this is what you want, and every alias is there, write the inventory anew:",
            f"    {sys.executable} -m tests.inventory",
        ]
    )


CLUSTER_ONLY: Final = ("kubernetes:", "pulumi:providers:kubernetes", "pull:kubernetes:")


@both_stacks
def test_a_managed_stack_has_no_trace_of_a_cluster(stack: str) -> None:
    recording = estate(stack)
    assert not [
        resource.name for resource in recording.resources if resource.type.startswith(CLUSTER_ONLY)
    ]
    # The section may stay in the file, so that moving is one word; what it says makes nothing.
    without = estate(stack, kubernetes=None)
    assert {resource.name: resource for resource in recording.resources} == {
        resource.name: resource for resource in without.resources
    }


@both_stacks
def test_a_cluster_alone_takes_the_place_of_cloud_run_and_of_the_worker(stack: str) -> None:
    origin = {**ORIGIN, "image": f"gcr.io/pull-{stack}/pull-api@sha256:{4:064}"}
    recording = estate(stack, runtime="kubernetes", api_origin=origin)
    types = {resource.type for resource in recording.resources}
    assert not [
        type_ for type_ in types if type_.startswith(("gcp:cloudrunv2/", "pull:services:Api"))
    ]
    assert not [type_ for type_ in types if re.match("cloudflare:index/worker", type_)]
    assert recording.outputs[""]["ingress_address"] == "<ingress-address.address>"
    assert "workers" not in recording.outputs[""]


@both_stacks
def test_both_is_the_managed_estate_and_the_cluster_beside_it(stack: str) -> None:
    managed, both = estate(stack), estate(stack, runtime="both")
    names = {resource.name for resource in both.resources}
    assert {resource.name for resource in managed.resources} < names
    for name in ("worker-all-service", "api-deployment", "api-dns"):
        assert both[name].inputs == managed[name].inputs
        assert managed[name].waits_for <= both[name].waits_for


@both_stacks
def test_outputs_tell_what_people_need_and_no_secret(stack: str) -> None:
    recording = estate(stack)
    outputs = recording.outputs[""]
    suffix = "-staging" if stack == "staging" else ""
    assert {**outputs, "workers": None} == {
        "api_url": f"https://api{suffix}.pull.com",
        "api_version": "<api-version.id>",
        "web_url": f"https://app{suffix}.pull.com",
        "web_project_id": "<web-project.id>",
        "postgres_connection_name": "<postgres-instance.connectionName>",
        "redis_host": "<redis-instance.host>",
        "egress_address": "<network-egress-address.address>",
        "image_registry": f"gcr.io/pull-{stack}",
        "backup_bucket": f"pull-{stack}-backups",
        "assets_bucket": f"pull-assets{suffix}",
        "ci_identity_provider": "<identity-github-provider.name>",
        "ci_deployer": recording.outputs["identity"]["deployer"],
        "ci_previewer": recording.outputs["identity"]["previewer"],
        "convex_variables": {
            "CHAIN_ID": "137" if stack == "production" else "80002",
            "CHAIN_NETWORK": "polygon-mainnet" if stack == "production" else "polygon-amoy",
        },
        "workers": None,
    }
    template = recording["worker-all-service"].inputs["template"]
    assert outputs["workers"] == {
        f"pull-temporal-worker{suffix}": {
            "described": template["revision"],
            "ready": "<worker-all-service.latestReadyRevision>",
        }
    }


@both_stacks
def test_no_component_puts_a_secret_among_its_outputs(stack: str) -> None:
    """A component cannot mark its outputs: what is a secret here is one in a log tomorrow."""
    assert not [name for name, outputs in estate(stack).outputs.items() if _holds_secret(outputs)]


def _holds_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_secret, value.values()))
    if isinstance(value, list):
        return any(map(_holds_secret, value))
    return isinstance(value, Secret)


def reached(recording: Recording, name: str) -> set[str]:
    """Everything that is finished before this resource begins."""
    waits = {resource.name: resource.waits_for for resource in recording.resources}
    found: set[str] = set()
    ahead = [name]
    while ahead:
        for other in waits[ahead.pop()] - found:
            found.add(other)
            ahead.append(other)
    return found


@pytest.mark.parametrize("runtime", ["managed", "both"])
def test_everything_waits_for_the_service_it_is_made_through(runtime: str) -> None:
    recording = estate(runtime=runtime)
    used = set()
    for resource in recording.resources:
        if not resource.type.startswith("gcp:") or resource.type.startswith("gcp:projects/service"):
            continue
        (api,) = (api for prefix, api in NEEDED_API.items() if resource.type.startswith(prefix))
        assert f"project-{api}" in reached(recording, resource.name), resource.name
        used.add(api)
    # Signing in exchanges tokens at these two; no resource is made through them.
    more = {CLUSTER_SERVICE} if runtime == "both" else set()
    assert {*SERVICES, *more} == used | {"sts", "iamcredentials"}


def test_a_program_that_asks_a_cloud_fails_here() -> None:
    """Or the tests of the estate would prove nothing about what it reads."""
    with pytest.raises(AssertionError, match="must read nothing"):
        record(lambda: gcp.organizations.get_project())
    with pytest.raises(AssertionError, match="the program reads gcp:compute/network:Network"):
        record(lambda: gcp.compute.Network.get("network", "id"))


def test_a_secret_is_seen_here() -> None:
    """Or no test could tell that an output holds one."""

    def program() -> None:
        pulumi.ComponentResource("test:index:Leak", "leak").register_outputs(
            {"nested": [{"url": pulumi.Output.secret("x")}]}
        )

    assert _holds_secret(record(program).outputs["leak"])

"""The guard on updates and on the absence of resources. The cases are made from the registry."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pytest
from pulumi.automation import OpType

from ops.review.approvals import Approval
from ops.review.guard import Refusal, evaluate
from ops.review.steps import State, Step
from resource_types import RESOURCE_TYPES, ResourceType, cloudflare, gcp, kubernetes, pulumi_random
from resource_types.updates import Update
from sandbox.diff import compare
from sandbox.schema import Shape, UnknownType, schema_of
from tests.recorder import Recording, estate

TODAY: Final = datetime.datetime.now(datetime.UTC).date()

VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, 5, 900, "0s", "60s", "7776000s"),
    *("ALWAYS", "NEVER", "REGIONAL", "ZONAL", "PD_SSD", "PD_HDD", "ABANDON", "DELETE", "enforced"),
    *("RDB", "DISABLED", "ONE_HOUR", "TWENTY_FOUR_HOURS", "READ_REPLICAS_ENABLED", "inherited"),
    *("REDIS_6_X", "REDIS_7_0", "10.0.0.0/20", "10.0.0.0/24", "active", "weur", "WEUR"),
    *(["a"], ["a", "b"], [], {"a": 1}, {}),
)
"""Values of which some pair has each effect."""

RECORDS: Final = tuple(RESOURCE_TYPES.values())
UPDATES: Final = [(record, update) for record in RECORDS for update in record.decided_updates]


def nested(path: str, value: Any) -> dict[str, Any]:
    """Inputs with ``value`` at ``path``; ``None`` is not set."""
    inputs: dict[str, Any] = {}
    *blocks, name = path.split(".")
    inside = inputs
    for block in blocks:
        inside = inside.setdefault(block, {})
    if value is not None:
        inside[name] = value
    return inputs


def merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
            result[key] = merged(result[key], value) if both else value
    return result


def urn(token: str, name: str = "example") -> str:
    return f"urn:pulumi:production::pull::{token}::{name}"


def step(
    op: OpType,
    token: str,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
    *,
    new_type: str = "",
    name: str = "example",
) -> Step:
    def state(kind: str, inputs: Mapping[str, Any]) -> State:
        return State.parse({"urn": urn(kind, name), "type": kind, "custom": True, "inputs": inputs})

    after = None if new is None else state(new_type or token, new)
    return Step(
        op=op,
        urn=urn(new_type or token, name),
        type=new_type or token,
        provider="",
        old=None if old is None else state(token, old),
        new=after,
        diff_reasons=(),
        replace_reasons=(),
        detailed_diff={},
    )


def refusals(
    *steps: Step,
    resources: Sequence[Mapping[str, Any]] = (),
    approvals: Sequence[Approval] = (),
) -> tuple[Refusal, ...]:
    state = {"resources": resources}
    return evaluate("production", steps, approvals, lambda: state, TODAY).refusals


def approval(token: str, operation: str) -> Approval:
    return Approval.model_validate(
        {
            "urn": urn(token),
            "operation": operation,
            "reason": "a test of approvals",
            "approved_by": ["ada", "grace"],
            "expires": TODAY,
        }
    )


def cases(update: Update) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Old and new inputs that have the effect of ``update``."""
    given = merged(*(nested(path, values[0]) for path, values in update.given.items()))
    for before, after in itertools.permutations(VALUES, 2):
        old, new = (merged(given, nested(update.path, value)) for value in (before, after))
        if update.applies(old, new):
            yield old, new


def label(pair: tuple[ResourceType, Update]) -> str:
    return f"{pair[0].token.rpartition(':')[2]}-{pair[1].effect}-{pair[1].path or 'inputs'}"


@pytest.mark.parametrize("pair", [pair for pair in UPDATES if pair[1].path], ids=label)
def test_every_update_has_its_effect(pair: tuple[ResourceType, Update]) -> None:
    record, update = pair
    found = list(cases(update))
    assert found, "no pair of VALUES has this effect"
    for old, new in found:
        (*refused,) = refusals(step(OpType.UPDATE, record.token, old, new))
        changes = compare(old, new, record.replace_on, record.updates)
        match update.effect:
            case "loses":
                assert len(refused) == 1
                assert refused[0].operation in ("change", "replace")
            case "replaces":
                assert all(change.replaces for change in changes)
                assert bool(refused) == bool(record.loss or record.outage)
            case "ignored":
                assert changes == []
    if update.effect == "loses":
        old, new = found[0]
        change = step(OpType.UPDATE, record.token, old, new)
        for operation in ("change", "delete", "replace"):
            permitted = not refusals(change, approvals=[approval(record.token, operation)])
            assert permitted == (
                refusals(change)[0].operation == operation
                or (operation == "delete" and refusals(change)[0].operation == "change")
            )


@pytest.mark.parametrize("pair", UPDATES, ids=label)
def test_what_a_provider_decides_by_value_names_its_source(
    pair: tuple[ResourceType, Update],
) -> None:
    _, update = pair
    assert bool(update.source) == (update.effect != "loses")
    assert bool(update.text) == (update.effect in ("loses", "refused"))


def paths(shape: Shape, path: str = "", depth: int = 4) -> Iterator[str]:
    """The paths of the single values in a shape, without list items."""
    inside = shape.fields or (shape.element.fields if shape.element else {})
    if not inside or not depth:
        yield path
    for name, field in inside.items():
        yield from paths(field, f"{path}.{name}" if path else name, depth - 1)


@pytest.mark.parametrize(
    "record", [record for record in RECORDS if record.loss], ids=lambda record: record.token
)
def test_an_update_that_is_not_decided_is_refused(record: ResourceType) -> None:
    """Every property of the SDK is decided or refused."""
    for path in paths(schema_of(record.token).inputs):
        if not record.decides_update(path):
            change = step(OpType.UPDATE, record.token, nested(path, "a"), nested(path, "b"))
            (refusal,) = refusals(change)
            assert refusal.loss == f"resource_types does not decide what {path} loses"


@pytest.mark.parametrize(
    "record", [record for record in RECORDS if record.loss], ids=lambda record: record.token
)
def test_a_harmless_update_passes(record: ResourceType) -> None:
    lossy = tuple(update.path for update in record.decided_updates)
    for path in paths(schema_of(record.token).inputs):
        overlaps = any(update.covers(path) for update in record.decided_updates)
        if path.startswith(record.harmless_updates) and path not in lossy and not overlaps:
            change = step(OpType.UPDATE, record.token, nested(path, "a"), nested(path, "b"))
            assert refusals(change) == (), path


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.token)
def test_harmless_updates_are_inputs_of_the_sdk(record: ResourceType) -> None:
    try:
        known = schema_of(record.token).inputs
    except UnknownType:
        assert not record.harmless_updates
        return
    for path in (*record.harmless_updates, *(update.path for update in record.updates)):
        shape = known
        for name in filter(None, path.split(".")):
            assert name in shape.fields, f"{record.token} has no input {path}"
            shape = shape.fields[name]


def test_a_new_generation_of_a_password_passes_and_another_form_alone_does_not() -> None:
    password = {"length": 32, "keepers": {"generation": "1"}}
    token = pulumi_random.RANDOM_PASSWORD
    rotated = {**password, "keepers": {"generation": "2"}}
    assert refusals(step(OpType.REPLACE, token, password, rotated)) == ()
    longer = {**password, "length": 40}
    (refusal,) = refusals(step(OpType.REPLACE, token, password, longer))
    assert (refusal.operation, "running revisions" in refusal.loss) == ("replace", True)


KEPT: Final = {"kubernetes:core/v1:Namespace": ("apiVersion", "kind", "metadata.name")}
"""What identifies a Kubernetes object; another one is another object."""


@pytest.mark.parametrize(
    "recording",
    [estate("production"), estate("staging"), estate("staging", runtime="both")],
    ids=["production", "staging", "both"],
)
def test_every_input_that_the_estate_sets_is_decided(recording: Recording) -> None:
    undecided = set()
    for resource in recording.resources:
        record = RESOURCE_TYPES.get(resource.type)
        if record is not None and record.loss is not None:
            undecided |= {
                f"{record.token}: {path}"
                for path in leaves(resource.inputs)
                if not (record.decides_update(path) or path in KEPT.get(record.token, ()))
            }
    assert not undecided, "decide in updates or harmless_updates:\n" + "\n".join(sorted(undecided))


def leaves(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for item in value:
            yield from leaves(item, path)
    else:
        yield path


# -- deletions and replacements --------------------------------------------------------------------


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.token)
def test_a_deletion_is_refused_unless_nothing_ends_with_it(record: ResourceType) -> None:
    deleted = refusals(step(OpType.DELETE, record.token, {}))
    assert bool(deleted) == bool(record.loss or record.outage)
    replaced = refusals(step(OpType.REPLACE, record.token, {}, {}))
    keeps_working = record.permissions == "grants" or record.replaced_by_design
    assert bool(replaced) == bool(record.loss or (record.outage and not keeps_working))


@pytest.mark.parametrize(
    "record", [record for record in RECORDS if record.loss], ids=lambda record: record.token
)
def test_another_type_takes_nothing_out_of_sight(record: ResourceType) -> None:
    """An alias can make one type of another."""
    for op in (OpType.UPDATE, OpType.REPLACE):
        for other in (cloudflare.WORKERS_KV_NAMESPACE, "gcp:example/other:Other"):
            (refusal,) = refusals(step(op, record.token, {}, {}, new_type=other))
            assert refusal.operation == "replace"
            assert refusal.urn == urn(record.token), "the approval names the resource in the state"


def test_an_update_of_a_type_without_a_record_is_refused() -> None:
    (refusal,) = refusals(step(OpType.UPDATE, "gcp:kms/cryptoKeyVersion:CryptoKeyVersion", {}, {}))
    assert refusal.operation == "change"


def used(token: str, name: str, *users: str) -> dict[str, Any]:
    """A resource of the state that has values of the resources ``users``."""
    return {"urn": urn(token, name), "type": token, "propertyDependencies": {"x": list(users)}}


def test_what_ends_with_an_approved_loss_needs_no_approval_of_its_own() -> None:
    account, grant = urn(gcp.SERVICE_ACCOUNT, "a"), urn(gcp.PROJECT_IAM.member, "g")
    resources = [
        used(gcp.SERVICE_ACCOUNT, "a"),
        used(gcp.PROJECT_IAM.member, "g", account),
        used(gcp.NETWORK, "n"),
        used(gcp.ROUTER, "r", urn(gcp.NETWORK, "n")),
        used(gcp.ROUTER_NAT, "t", urn(gcp.ROUTER, "r")),
        used(gcp.SUBNETWORK, "s", urn(gcp.NETWORK, "n")),
        used(gcp.GKE_CLUSTER, "c", urn(gcp.SUBNETWORK, "s")),
        {
            **used(kubernetes.DEPLOYMENT, "d"),
            "provider": "urn:pulumi:production::pull::pulumi:providers:kubernetes::k::id",
        },
        used("pulumi:providers:kubernetes", "k", urn(gcp.GKE_CLUSTER, "c")),
    ]

    def refused(*deleted: tuple[str, str]) -> list[str]:
        steps = [step(OpType.DELETE, token, {}, name=name) for token, name in deleted]
        return [item.urn for item in refusals(*steps, resources=resources)]

    assert refused((gcp.PROJECT_IAM.member, "g")) == [grant]
    assert refused((gcp.PROJECT_IAM.member, "g"), (gcp.SERVICE_ACCOUNT, "a")) == [account]
    # Nothing with a loss goes: the router needs an approval, and the NAT goes with it.
    assert refused((gcp.ROUTER_NAT, "t"), (gcp.ROUTER, "r")) == [urn(gcp.ROUTER, "r")]
    assert refused((gcp.SUBNETWORK, "s")) == [urn(gcp.SUBNETWORK, "s")]
    assert refused((kubernetes.DEPLOYMENT, "d"), (gcp.SUBNETWORK, "s"), (gcp.GKE_CLUSTER, "c")) == [
        urn(gcp.GKE_CLUSTER, "c")
    ]


# -- edits without effect --------------------------------------------------------------------------


def test_an_edit_that_the_provider_ignores_is_named() -> None:
    smaller = {"settings": {"diskSize": 50, "diskAutoresize": True}}
    larger = {"settings": {"diskSize": 100, "diskAutoresize": True}}
    assert compare(larger, smaller, updates=RESOURCE_TYPES[gcp.SQL_INSTANCE].updates) == []
    for op in (OpType.SAME, OpType.UPDATE):
        (change,) = step(op, gcp.SQL_INSTANCE, larger, smaller).without_effect()
        assert (change.path, change.old, change.new) == ("settings.diskSize", 100, 50)
    assert not list(step(OpType.UPDATE, gcp.SQL_INSTANCE, smaller, larger).without_effect())


# -- values that providers decide by -------------------------------------------


@pytest.mark.parametrize(
    ("token", "old", "new", "replaces"),
    [
        (gcp.SUBNETWORK, {"ipCidrRange": "10.0.0.0/24"}, {"ipCidrRange": "10.0.0.0/20"}, False),
        (gcp.SUBNETWORK, {"ipCidrRange": "10.0.0.0/20"}, {"ipCidrRange": "10.0.0.0/24"}, True),
        (gcp.SUBNETWORK, {"ipCidrRange": "10.0.0.0/24"}, {"ipCidrRange": "10.1.0.0/20"}, True),
        (gcp.VPC_CONNECTOR, {"maxInstances": 3}, {"maxInstances": 4}, False),
        (gcp.VPC_CONNECTOR, {"maxInstances": 4}, {"maxInstances": 3}, True),
        (gcp.REDIS_INSTANCE, {"redisVersion": "REDIS_6_X"}, {"redisVersion": "REDIS_7_2"}, False),
        (gcp.REDIS_INSTANCE, {"redisVersion": "REDIS_7_2"}, {"redisVersion": "REDIS_7_0"}, True),
        (gcp.SQL_INSTANCE, {"settings": {"diskSize": 5}}, {"settings": {"diskSize": 9}}, False),
        (
            gcp.SQL_INSTANCE,
            {"settings": {"diskSize": 9, "diskAutoresize": False}},
            {"settings": {"diskSize": 5, "diskAutoresize": False}},
            True,
        ),
        (
            gcp.SQL_INSTANCE,
            {"settings": {"ipConfiguration": {"privateNetwork": "n"}}},
            {"settings": {}},
            True,
        ),
        (
            gcp.SQL_INSTANCE,
            {"settings": {"ipConfiguration": {"privateNetwork": "n"}}},
            {"settings": {"ipConfiguration": {"privateNetwork": "m"}}},
            False,
        ),
        (gcp.GKE_CLUSTER, {"enableL4IlbSubsetting": True}, {}, True),
        (gcp.GKE_CLUSTER, {}, {"enableL4IlbSubsetting": True}, False),
        (
            gcp.BUCKET,
            {"retentionPolicy": {"isLocked": True}},
            {"retentionPolicy": {"isLocked": False}},
            True,
        ),
    ],
)
def test_a_replacement_by_value(
    token: str, old: dict[str, Any], new: dict[str, Any], replaces: bool
) -> None:
    record = RESOURCE_TYPES[token]
    changes = compare(old, new, record.replace_on, record.updates)
    assert any(change.replaces for change in changes) == replaces


@pytest.mark.parametrize(
    ("token", "old", "new"),
    [
        (gcp.ROUTER_NAT, {}, {"natIps": ["a"], "drainNatIps": ["a"]}),
        (gcp.ROUTER_NAT, {"natIps": ["a"]}, {"natIps": ["a"], "drainNatIps": ["b"]}),
        (
            gcp.NOTIFICATION_CHANNEL,
            {},
            {"labels": {"auth_token": "x"}, "sensitiveLabels": {"authToken": "y"}},
        ),
        (
            gcp.SQL_INSTANCE,
            {},
            {
                "databaseVersion": "MYSQL_8_0",
                "settings": {"backupConfiguration": {"pointInTimeRecoveryEnabled": True}},
            },
        ),
    ],
)
def test_what_the_provider_refuses_by_value(
    token: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    updates = [update for update in RESOURCE_TYPES[token].updates if update.effect == "refused"]
    assert any(update.applies(old, new) for update in updates)
    assert not any(update.applies(old, old) for update in updates)

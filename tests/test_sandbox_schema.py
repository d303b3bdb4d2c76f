"""Inputs are checked against the types of the SDKs, and compared as the providers do."""

from __future__ import annotations

from typing import Any

import pytest

from resource_types import cloudflare, gcp
from sandbox.diff import compare
from sandbox.schema import UnknownType, check, record_of, schema_of
from sandbox.values import UNKNOWN, decode, encode, reveal, secret

# The SDKs warn about deprecated names while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of")


def failures(token: str, inputs: dict[str, Any]) -> dict[str, str]:
    _, found = check(inputs, schema_of(token).inputs)
    return {failure.path: failure.reason for failure in found}


def test_every_failure_is_reported_with_its_path() -> None:
    wrong = {
        "settings": {
            "ipConfiguration": {"ipv4Enabled": "no", "sslMod": "ENCRYPTED_ONLY"},
            "databaseFlags": [{"name": "cloudsql.enable_pgaudit"}],
            "userLabels": ["a"],
        }
    }
    assert failures(gcp.SQL_INSTANCE, wrong) == {
        "databaseVersion": "missing required property",
        "settings.tier": "missing required property",
        "settings.ipConfiguration.ipv4Enabled": "expected true or false, got 'no'",
        "settings.ipConfiguration.sslMod": "no such property; there is sslMode",
        "settings.databaseFlags[0].value": "missing required property",
        "settings.userLabels": "expected an object, got a list",
    }


@pytest.mark.parametrize(
    ("token", "inputs", "path", "allowed"),
    [
        (gcp.REDIS_INSTANCE, {"memorySizeGb": 1, "tier": "SILVER"}, "tier", "BASIC, STANDARD_HA"),
        (
            cloudflare.R2_BUCKET,
            {"accountId": "a", "name": "n", "location": "mars"},
            "location",
            "apac, eeur",
        ),
        (
            cloudflare.WORKER_VERSION,
            {"accountId": "a", "workerId": "w", "bindings": [{"name": "X", "type": "plain"}]},
            "bindings[0].type",
            "plain_text",
        ),
    ],
)
def test_values_outside_a_documented_list_are_rejected(
    token: str, inputs: dict[str, Any], path: str, allowed: str
) -> None:
    assert allowed in failures(token, inputs)[path]


def test_a_docstring_without_a_list_allows_every_value() -> None:
    # The docstring describes the modes in prose, and the real provider accepts any value.
    inputs = {
        "databaseVersion": "POSTGRES_16",
        "settings": {"tier": "t", "ipConfiguration": {"sslMode": "NO_SUCH_MODE"}},
    }
    assert failures(gcp.SQL_INSTANCE, inputs) == {}


def test_scalars_are_converted_as_the_bridge_does() -> None:
    template = {
        "containers": [{"image": "i", "resources": {"limits": {"cpu": 4}}}],
        "timeout": "60s",
    }
    given = {"location": "l", "template": template, "deletionProtection": "false"}
    checked, found = check(given, schema_of(gcp.RUN_SERVICE).inputs)
    assert found == []
    assert checked["template"]["containers"][0]["resources"]["limits"]["cpu"] == "4"
    assert checked["deletionProtection"] is False
    assert check({"memorySizeGb": "5"}, schema_of(gcp.REDIS_INSTANCE).inputs) == (
        {"memorySizeGb": 5},
        [],
    )
    assert failures(gcp.REDIS_INSTANCE, {"memorySizeGb": "five"}) == {
        "memorySizeGb": "expected a whole number, got 'five'"
    }
    assert "memorySizeGb" in failures(gcp.REDIS_INSTANCE, {"memorySizeGb": 1.5})
    assert "memorySizeGb" in failures(gcp.REDIS_INSTANCE, {"memorySizeGb": True})


def test_unknown_and_secret_values_are_accepted_everywhere() -> None:
    inputs = {
        "databaseVersion": UNKNOWN,
        "settings": secret({"tier": UNKNOWN, "databaseFlags": UNKNOWN}),
        "rootPassword": secret("x"),
    }
    checked, found = check(inputs, schema_of(gcp.SQL_INSTANCE).inputs)
    assert found == []
    assert checked == inputs
    assert failures(gcp.SQL_INSTANCE, {**inputs, "settings": secret({"tier": ["t"]})}) == {
        "settings.tier": "expected a string, got a list"
    }


def test_a_type_that_the_sdk_does_not_contain_is_named() -> None:
    with pytest.raises(UnknownType, match=r"pulumi_gcp .* gcp:sql/nothing:Nothing"):
        schema_of("gcp:sql/nothing:Nothing")


def test_values_survive_encoding() -> None:
    values = {"a": 1, "b": 1.5, "c": [True, "x", {"d": secret({"e": [2]})}], "f": {}, "g": []}
    assert decode(encode(values)) == values
    assert reveal(values["c"]) == [True, "x", {"d": {"e": [2]}}]


def changes(token: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    return {
        change.path: (change.kind, change.replaces)
        for change in compare(old, new, record_of(token).replace_on)
    }


def test_changes_have_nested_paths() -> None:
    old = {
        "location": "l",
        "template": {"containers": [{"image": "a", "resources": {"limits": {"memory": "4Gi"}}}]},
        "labels": {"a.b": "1", "gone": "1"},
    }
    new = {
        "location": "l",
        "template": {
            "containers": [
                {"image": "a", "resources": {"limits": {"memory": "8Gi"}}},
                {"image": "b"},
            ]
        },
        "labels": {"a.b": "2"},
        "ingress": UNKNOWN,
    }
    assert changes(gcp.RUN_SERVICE, old, old) == {}
    assert changes(gcp.RUN_SERVICE, old, new) == {
        "template.containers[0].resources.limits.memory": ("update", False),
        "template.containers[1]": ("add", False),
        'labels["a.b"]': ("update", False),
        "labels.gone": ("delete", False),
        "ingress": ("add", False),
    }


def test_replacement_follows_the_real_provider() -> None:
    assert changes(gcp.RUN_SERVICE, {"location": "a"}, {"location": "b"}) == {
        "location": ("update", True)
    }
    container = {"image": "a"}
    after = {"template": {"containers": [{**container, "dependsOns": ["b"]}]}}
    assert changes(gcp.RUN_WORKER_POOL, {"template": {"containers": [container]}}, after) == {
        "template.containers[0].dependsOns": ("add", True)
    }
    # A block that is added as a whole replaces if one of its inputs does.
    assert changes(gcp.SQL_INSTANCE, {}, {"replicaConfiguration": {"username": "u"}}) == {
        "replicaConfiguration": ("add", True)
    }
    assert changes(gcp.SQL_INSTANCE, {}, {"settings": {"tier": "t"}}) == {
        "settings": ("add", False)
    }
    assert changes(cloudflare.WORKER_VERSION, {"mainModule": "a"}, {"mainModule": "b"}) == {
        "mainModule": ("update", True)
    }


def test_the_same_value_as_a_secret_is_no_change() -> None:
    assert changes(gcp.SQL_USER, {"password": "x"}, {"password": secret("x")}) == {}
    assert "password" in record_of(gcp.SQL_USER).secret_outputs

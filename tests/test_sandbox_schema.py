"""Inputs are held against the types of the SDKs, and compared as the providers compare."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.diff import compare, traits_of
from sandbox.schema import UnknownType, check, schema_of
from sandbox.values import UNKNOWN, decode, encode, reveal, secret

# The SDKs warn of old names while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of")

SQL = "gcp:sql/databaseInstance:DatabaseInstance"
REDIS = "gcp:redis/instance:Instance"
RUN = "gcp:cloudrunv2/service:Service"
R2_BUCKET = "cloudflare:index/r2Bucket:R2Bucket"
VERSION = "cloudflare:index/workerVersion:WorkerVersion"


def problems(token: str, inputs: dict[str, Any]) -> dict[str, str]:
    _, found = check(inputs, schema_of(token).inputs)
    return {problem.path: problem.reason for problem in found}


def test_every_problem_is_reported_at_once_with_its_path() -> None:
    wrong = {
        "settings": {
            "ipConfiguration": {"ipv4Enabled": "no", "sslMod": "ENCRYPTED_ONLY"},
            "databaseFlags": [{"name": "cloudsql.enable_pgaudit"}],
            "userLabels": ["a"],
        }
    }
    assert problems(SQL, wrong) == {
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
        (REDIS, {"memorySizeGb": 1, "tier": "SILVER"}, "tier", "BASIC, STANDARD_HA"),
        (R2_BUCKET, {"accountId": "a", "name": "n", "location": "mars"}, "location", "apac, eeur"),
        (
            VERSION,
            {"accountId": "a", "workerId": "w", "bindings": [{"name": "X", "type": "plain"}]},
            "bindings[0].type",
            "plain_text",
        ),
    ],
)
def test_values_outside_a_documented_list_are_refused(
    token: str, inputs: dict[str, Any], path: str, allowed: str
) -> None:
    assert allowed in problems(token, inputs)[path]


def test_prose_about_values_is_not_taken_for_a_closed_list() -> None:
    # Its docstring describes the modes in sentences, and the real provider lets anything pass.
    inputs = {
        "databaseVersion": "POSTGRES_16",
        "settings": {"tier": "t", "ipConfiguration": {"sslMode": "NO_SUCH_MODE"}},
    }
    assert problems(SQL, inputs) == {}


def test_scalars_are_coerced_as_the_bridge_does() -> None:
    template = {
        "containers": [{"image": "i", "resources": {"limits": {"cpu": 4}}}],
        "timeout": "60s",
    }
    given = {"location": "l", "template": template, "deletionProtection": "false"}
    checked, found = check(given, schema_of(RUN).inputs)
    assert found == []
    assert checked["template"]["containers"][0]["resources"]["limits"]["cpu"] == "4"
    assert checked["deletionProtection"] is False
    assert check({"memorySizeGb": "5"}, schema_of(REDIS).inputs) == ({"memorySizeGb": 5}, [])
    assert problems(REDIS, {"memorySizeGb": "five"}) == {
        "memorySizeGb": "expected a whole number, got 'five'"
    }
    assert "memorySizeGb" in problems(REDIS, {"memorySizeGb": 1.5})
    assert "memorySizeGb" in problems(REDIS, {"memorySizeGb": True})


def test_unknown_and_secret_values_fit_anywhere() -> None:
    inputs = {
        "databaseVersion": UNKNOWN,
        "settings": secret({"tier": UNKNOWN, "databaseFlags": UNKNOWN}),
        "rootPassword": secret("x"),
    }
    checked, found = check(inputs, schema_of(SQL).inputs)
    assert found == []
    assert checked == inputs
    assert problems(SQL, {**inputs, "settings": secret({"tier": ["t"]})}) == {
        "settings.tier": "expected a string, got a list"
    }


def test_a_type_that_the_sdk_does_not_have_is_named() -> None:
    with pytest.raises(UnknownType, match=r"pulumi_gcp .* gcp:sql/nothing:Nothing"):
        schema_of("gcp:sql/nothing:Nothing")


def test_values_survive_the_wire() -> None:
    values = {"a": 1, "b": 1.5, "c": [True, "x", {"d": secret({"e": [2]})}], "f": {}, "g": []}
    assert decode(encode(values)) == values
    assert reveal(values["c"]) == [True, "x", {"d": {"e": [2]}}]


def changes(token: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    return {change.path: (change.kind, change.replaces) for change in compare(token, old, new)}


def test_differences_carry_their_nested_paths() -> None:
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
    assert changes(RUN, old, old) == {}
    assert changes(RUN, old, new) == {
        "template.containers[0].resources.limits.memory": ("update", False),
        "template.containers[1]": ("add", False),
        'labels["a.b"]': ("update", False),
        "labels.gone": ("delete", False),
        "ingress": ("add", False),
    }


def test_replacement_follows_the_real_provider() -> None:
    assert changes(RUN, {"location": "a"}, {"location": "b"}) == {"location": ("update", True)}
    pool = "gcp:cloudrunv2/workerPool:WorkerPool"
    container = {"image": "a"}
    after = {"template": {"containers": [{**container, "dependsOns": ["b"]}]}}
    assert changes(pool, {"template": {"containers": [container]}}, after) == {
        "template.containers[0].dependsOns": ("add", True)
    }
    # A block that comes as a whole counts by what is in it; one above a listed path does not.
    assert changes(SQL, {}, {"replicaConfiguration": {"username": "u"}}) == {
        "replicaConfiguration": ("add", True)
    }
    assert changes(SQL, {}, {"settings": {"tier": "t"}}) == {"settings": ("add", False)}
    assert changes(VERSION, {"mainModule": "a"}, {"mainModule": "b"}) == {
        "mainModule": ("update", True)
    }


def test_the_same_value_as_a_secret_is_no_change() -> None:
    user = "gcp:sql/user:User"
    assert changes(user, {"password": "x"}, {"password": secret("x")}) == {}
    assert "password" in traits_of(user).secret_outputs

"""The outputs in a preview of the sandbox, compared with those of the real providers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from resource_types import cloudflare, gcp, vercel
from sandbox.outputs import outputs_of, preview_creation
from sandbox.resource import Resource
from sandbox.values import UNKNOWN, is_secret
from tests import policy_harness as harness
from tests.variants import PRODUCTION

FACTS: Final = harness.ROOT / "tests" / "provider_outputs.json"

NEWER_SDK: Final = "the installed SDK is newer than the recorded plugin"
AGREED: Final = {
    (cloudflare.DNS_RECORD, "includeShadowMetadata"): NEWER_SDK,
    (cloudflare.WORKER, "previewsBaseConfig"): NEWER_SDK,
    (cloudflare.WORKER_VERSION, "authorEmail"): NEWER_SDK,
    (cloudflare.WORKER_VERSION, "authorId"): NEWER_SDK,
    (cloudflare.WORKER_VERSION, "cacheOptions"): NEWER_SDK,
    (cloudflare.WORKER_VERSION, "exportsReconciliation"): NEWER_SDK,
    (cloudflare.WORKER_VERSION, "modules[].contentSha256"): "the sandbox computes no checksum",
    (gcp.RUN_SERVICE, "functionalType"): NEWER_SDK,
    (gcp.RUN_SERVICE, "sshEnabled"): NEWER_SDK,
    (gcp.RUN_SERVICE, "template.workloadIdentityConfig"): NEWER_SDK,
    (gcp.SECRET, "effectiveLabels"): "the sandbox computes labels when it creates the secret",
    (gcp.SECRET, "effectiveLabels.environment"): "see effectiveLabels",
    (gcp.SECRET, "effectiveLabels.issuer"): "see effectiveLabels",
    (gcp.SECRET, "pulumiLabels"): "see effectiveLabels",
    (gcp.SECRET, "pulumiLabels.environment"): "see effectiveLabels",
    (gcp.SECRET, "pulumiLabels.issuer"): "see effectiveLabels",
    (gcp.SECRET, "secretType"): NEWER_SDK,
    (gcp.SECRET_VERSION, "project"): "the provider reads it from the secret, which is unknown",
    (gcp.SQL_INSTANCE, "blueGreenDeployment"): NEWER_SDK,
    (gcp.SQL_INSTANCE, "encryptionConfidentialMode"): NEWER_SDK,
    (gcp.SQL_INSTANCE, "settings.replicationLagMaxSeconds"): NEWER_SDK,
    (gcp.SERVICE_ACCOUNT_IAM.member, "member"): "its name was unknown when it was recorded",
    (gcp.ROUTER_NAT, "natIps"): "a set with an unknown element is unknown as a whole",
    (gcp.ROUTER_NAT, "natIps[]"): "see natIps",
    (vercel.PROJECT, "passport"): NEWER_SDK,
    (vercel.PROJECT, "publicSource"): "the program set it when the outputs were recorded",
    (vercel.ENVIRONMENT_VARIABLE, "visibility"): NEWER_SDK,
}
"""Differences that are known, each with its reason."""


def kinds(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The kind and path of every value: ``unknown``, ``null``, ``empty`` or ``value``."""
    if value == UNKNOWN:
        yield "unknown", path
    elif value is None:
        yield "null", path
    elif isinstance(value, dict) and value:
        for name, item in value.items():
            yield from kinds(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for item in value:
            yield from kinds(item, f"{path}[]")
    else:
        yield "value" if value else "empty", path


@pytest.fixture(scope="module")
def sandbox_outputs(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[tuple[str, str], dict[str, Any]]:
    """The outputs in a preview of production, by type and logical name."""
    recording = harness.record(PRODUCTION, harness.shared_folder(tmp_path_factory))
    return {
        (node.type, node.name): harness.plain_properties(node) for node in recording.whole.resources
    }


def test_a_preview_shows_what_the_real_providers_show(
    sandbox_outputs: dict[tuple[str, str], dict[str, Any]],
) -> None:
    facts = json.loads(FACTS.read_text())
    del facts["source"]
    differences = {}
    for token, fact in facts.items():
        name = fact.pop("name")
        real = {(kind, path) for kind, paths in fact.items() for path in paths.split()}
        found = set(kinds(sandbox_outputs[token, name]))
        for path in {path for _, path in real ^ found}:
            real_kinds = sorted(kind for kind, where in real if where == path)
            found_kinds = sorted(kind for kind, where in found if where == path)
            differences[token, path] = f"real {real_kinds}, sandbox {found_kinds}"
    assert {key: differences[key] for key in differences.keys() - AGREED.keys()} == {}
    assert AGREED.keys() - differences.keys() == set(), "these differences are gone"


def test_values_that_the_schema_makes_secret_are_secret_at_any_depth() -> None:
    inputs = {
        "accountId": "a",
        "workerId": "w",
        "bindings": [
            {"name": "LOG_LEVEL", "type": "plain_text", "text": "info"},
            {"name": "JWT_SECRET", "type": "secrets_store_secret", "secretName": "s"},
        ],
    }
    text, reference = preview_creation(cloudflare.WORKER_VERSION, inputs, {})["bindings"]
    assert is_secret(text["text"])
    assert not is_secret(text["name"])
    assert "text" not in reference


def test_nothing_is_unknown_after_an_update() -> None:
    inputs = {
        "name": "pull",
        "databaseVersion": "POSTGRES_16",
        "settings": {"tier": "db-f1-micro", "ipConfiguration": {"ipv4Enabled": False}},
    }
    settings = {"project": "p", "region": "us-central1"}
    resource = Resource(inputs, settings, seed="seed", created="2026-01-01T00:00:00Z")
    outputs = outputs_of(gcp.SQL_INSTANCE, resource, inputs, "pull")
    assert "unknown" not in {kind for kind, _ in kinds(outputs)}
    assert outputs["settings"]["activationPolicy"] == "ALWAYS"
    assert outputs["settings"]["ipConfiguration"]["authorizedNetworks"] == []
    assert outputs["id"] == "pull"

"""What all containers on Cloud Run have in common."""

from __future__ import annotations

import re
from typing import Any

import pytest

from components.config.services import RevisionShare
from components.names import CLOUD_RUN
from components.secrets.manager import SecretReference
from components.services import cloud_run
from tests.recorder import Neighbours, record


def test_environment_is_plain_values_then_references_both_sorted() -> None:
    secrets = (SecretReference("KEY", "pull-production-key", "3"),)
    assert cloud_run.environment({"b": "2", "a": "1"}, secrets) == [
        {"name": "a", "value": "1"},
        {"name": "b", "value": "2"},
        {
            "name": "KEY",
            "value_source": {
                "secret_key_ref": {"secret": "pull-production-key", "version": "3"},
            },
        },
    ]


@pytest.mark.parametrize(
    ("egress", "access"),
    [
        (
            "direct",
            {
                "network_interfaces": [
                    {
                        "network": "projects/pull-production/global/networks/pull-production",
                        "subnetwork": "projects/pull-production/regions/us-central1/subnetworks/"
                        "pull-production",
                    }
                ],
                "egress": "ALL_TRAFFIC",
            },
        ),
        (
            "connector",
            {
                "connector": "projects/pull-production/locations/us-central1/connectors/"
                "pull-production",
                "egress": "ALL_TRAFFIC",
            },
        ),
    ],
)
def test_way_into_the_network(egress: str, access: dict[str, Any]) -> None:
    found: list[Any] = []
    record(lambda: found.append(cloud_run.private_access(Neighbours().network, egress)))
    assert found == [access]


def test_probes() -> None:
    assert cloud_run.startup_probe(3002) == {
        "http_get": {"path": "/health", "port": 3002},
        "period_seconds": 10,
        "timeout_seconds": 5,
        "failure_threshold": 12,
    }
    assert cloud_run.liveness_probe(3002) == {
        "http_get": {"path": "/health/live", "port": 3002},
        "period_seconds": 30,
        "timeout_seconds": 5,
        "failure_threshold": 3,
    }


def test_a_revision_is_named_by_its_template() -> None:
    template = {"containers": [{"image": "one", "envs": [{"name": "a", "value": "1"}]}]}
    reordered = {"containers": [{"envs": [{"value": "1", "name": "a"}], "image": "one"}]}
    other = {"containers": [{"image": "one", "envs": [{"name": "a", "value": "2"}]}]}
    name = cloud_run.revision_name("pull-api", template)
    assert name == cloud_run.revision_name("pull-api", reordered)
    assert name != cloud_run.revision_name("pull-api", other)
    assert re.fullmatch(r"pull-api-[0-9a-f]{8}", name)


def test_the_longest_service_still_has_revisions() -> None:
    """https://cloud.google.com/run/docs/deploying: up to 63 of a-z, 0-9 and -, a letter first."""
    service = CLOUD_RUN.check("a" * CLOUD_RUN.max_length)
    assert len(cloud_run.revision_name(service, {})) <= 63


def test_a_template_with_what_is_not_known_in_advance_is_refused() -> None:
    def program() -> None:
        cloud_run.revision_name("pull-api", {"account": Neighbours().identity.deployer.member})

    with pytest.raises(TypeError, match="not JSON serializable"):
        record(program)


def test_traffic_names_every_revision() -> None:
    shares = (
        RevisionShare(revision="current", percent=10),
        RevisionShare(revision="pull-api-00000001", percent=90),
    )
    kind = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
    assert cloud_run.traffic(shares, "pull-api-ffffffff") == [
        {"type": kind, "revision": "pull-api-ffffffff", "percent": 10},
        {"type": kind, "revision": "pull-api-00000001", "percent": 90},
    ]

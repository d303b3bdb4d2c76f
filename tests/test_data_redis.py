"""Memorystore, with production's figures."""

from __future__ import annotations

from typing import Any

import pytest

from components.data.redis import Redis, RedisArgs
from tests.recorder import Neighbours, Probe, Recording, Secret, record, remembered, side_by_side


def make(name: str, near: Neighbours) -> Redis:
    return Redis(
        name,
        RedisArgs(
            project="pull-production",
            region="us-central1",
            names=near.names,
            settings=near.settings.redis,
            protect=near.settings.protect,
            network=near.network,
            services=near.project,
        ),
    )


@remembered
def recorded(**sections: Any) -> Recording:
    return record(lambda: make("redis", Neighbours(**sections)))


def test_children() -> None:
    assert side_by_side(make).listed("one") == [("gcp:redis/instance:Instance", "one-instance")]


def test_instance() -> None:
    instance = recorded()["redis-instance"]
    assert instance.inputs == {
        "project": "pull-production",
        "region": "us-central1",
        "name": "pull-production-redis",
        "tier": "STANDARD_HA",
        "memorySizeGb": 5,
        "redisVersion": "REDIS_7_2",
        "authorizedNetwork": "<network-vpc.id>",
        "connectMode": "PRIVATE_SERVICE_ACCESS",
        "authEnabled": True,
        "transitEncryptionMode": "SERVER_AUTHENTICATION",
        "persistenceConfig": {"persistenceMode": "RDB", "rdbSnapshotPeriod": "TWELVE_HOURS"},
        "maintenancePolicy": {
            "weeklyMaintenanceWindows": [
                {
                    "day": "SUNDAY",
                    "startTime": {"hours": 5, "minutes": 0, "seconds": 0, "nanos": 0},
                }
            ]
        },
        "deletionProtection": True,
    }
    assert instance.waits_for == {"project-redis", "network-vpc", "network-private-services"}
    assert "authString" in instance.secret_outputs


@pytest.mark.parametrize("protect", [True, False])
def test_protected_twice_or_not_at_all(protect: bool) -> None:
    instance = recorded(protect=protect)["redis-instance"]
    assert (instance.protect, instance.inputs["deletionProtection"]) == (protect, protect)


def test_a_small_one_has_no_replica() -> None:
    inputs = recorded(redis={"tier": "BASIC", "memory_gib": 1})["redis-instance"].inputs
    assert (inputs["tier"], inputs["memorySizeGb"]) == ("BASIC", 1)


def test_the_connection_string_is_a_secret_and_no_output_holds_it() -> None:
    recording = record(lambda: Probe(make("redis", Neighbours()).url))
    url = "rediss://:<redis-instance.authString>@<redis-instance.host>:6378"
    assert recording["probe"].inputs == {"value": Secret(url)}
    assert recording.outputs["redis"] == {"host": "<redis-instance.host>"}


def test_the_certificate_is_the_instances_own() -> None:
    recording = record(lambda: Probe(make("redis", Neighbours()).ca_cert))
    assert recording["probe"].inputs == {"value": "<redis-instance.cert>"}

"""Memorystore for Redis: one private instance with AUTH, TLS and snapshots.

Does not own the peering (network.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp
from pulumi import Output, ResourceOptions

from components.base import PullComponent, Stage
from components.config.data import Redis as RedisSettings
from components.names import Names
from components.platform.network import Network
from components.platform.project import Project
from resource_types import pull


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisArgs:
    """Inputs of :class:`Redis`."""

    project: str
    region: str
    names: Names
    settings: RedisSettings
    protect: bool
    network: Network
    services: Project


class Redis(PullComponent):
    """One instance; the tier ``STANDARD_HA`` has a replica in a second zone."""

    host: Output[str]
    """Private IPv4 address."""
    url: Output[str]
    """Connection string, which contains the AUTH string. Secret."""
    ca_cert: Output[str]
    """PEM certificate of the authority that signed the instance's certificate."""
    connectable: list[pulumi.Resource]
    """What must exist before a connection can be opened: the instance."""

    def __init__(self, name: str, args: RedisArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(pull.REDIS, name, Stage.INFRASTRUCTURE, opts)
        instance = gcp.redis.Instance(
            self.child("instance"),
            project=args.project,
            region=args.region,
            name=args.names.redis,
            tier=args.settings.tier,
            memory_size_gb=args.settings.memory_gib,
            redis_version="REDIS_7_2",
            authorized_network=args.network.id,
            connect_mode="PRIVATE_SERVICE_ACCESS",
            auth_enabled=True,
            transit_encryption_mode="SERVER_AUTHENTICATION",
            persistence_config={
                "persistence_mode": "RDB",
                "rdb_snapshot_period": args.settings.snapshot_period,
            },
            maintenance_policy={
                "weekly_maintenance_windows": [
                    {
                        "day": args.settings.maintenance.day,
                        # The API returns unset parts as zeros, which would be a difference.
                        "start_time": {
                            "hours": args.settings.maintenance.hour,
                            "minutes": 0,
                            "seconds": 0,
                            "nanos": 0,
                        },
                    }
                ]
            },
            deletion_protection=args.protect,
            opts=self.options(
                args.services.ready("redis"),
                ResourceOptions(depends_on=[args.network.private_services], protect=args.protect),
            ),
        )
        self.host = instance.host
        self.connectable = [instance]
        self.url = Output.secret(
            Output.format(
                "rediss://:{0}@{1}:{2}", instance.auth_string, instance.host, instance.port
            )
        )
        self.ca_cert = instance.server_ca_certs.apply(lambda certs: certs[0].cert or "")
        self.register_outputs({"host": self.host})

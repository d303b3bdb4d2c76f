"""Platform: the address plan, keys, backups and the image registry."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from components.config.errors import SettingError
from components.config.types import Cidr, Model, prefix_length


class Connector(Model):
    """Serverless VPC Access connector. It needs its own /28 and cannot scale in.

    https://cloud.google.com/vpc/docs/serverless-vpc-access
    """

    cidr: Annotated[Cidr, prefix_length(28, 28, "a connector accepts no other size")]
    machine_type: Literal["f1-micro", "e2-micro", "e2-standard-4"]
    min_instances: Annotated[int, Field(ge=2, le=9, description="minimum number of instances")]
    max_instances: Annotated[int, Field(ge=3, le=10, description="maximum number of instances")]

    def setting_errors(self) -> Iterator[SettingError]:
        if self.min_instances >= self.max_instances:
            expected = f"less than max_instances={self.max_instances}"
            yield SettingError("min_instances", self.min_instances, expected)


class Network(Model):
    """Address plan of the private network."""

    subnet_cidr: Annotated[Cidr, prefix_length(8, 26, "Cloud Run reserves blocks of it")]
    services_cidr: Annotated[Cidr, prefix_length(8, 24, "Cloud SQL takes a /24 of it")]
    connector: Connector

    def setting_errors(self) -> Iterator[SettingError]:
        ranges = {
            "subnet_cidr": ipaddress.IPv4Network(self.subnet_cidr),
            "services_cidr": ipaddress.IPv4Network(self.services_cidr),
            "connector.cidr": ipaddress.IPv4Network(self.connector.cidr),
        }
        for (path, range_), (other_path, other) in itertools.combinations(ranges.items(), 2):
            if range_.overlaps(other):
                expected = f"a range that does not overlap {path}={range_}"
                yield SettingError(other_path, str(other), expected)


class Encryption(Model):
    """Customer-managed keys."""

    rotation_days: Annotated[
        int, Field(ge=1, le=365, description="days after which a key gets a new version")
    ]


class Backups(Model):
    """The bucket for database exports."""

    location: Literal["US", "EU", "ASIA"]
    keep_noncurrent_days: Annotated[
        int, Field(ge=1, le=3650, description="days that a replaced object is kept")
    ]
    delete_after_days: Annotated[
        int, Field(ge=1, le=36500, description="days after which an export is deleted")
    ]


class Registry(Model):
    """The image registry."""

    keep_versions: Annotated[
        int, Field(ge=1, le=1000, description="number of newest versions that are never deleted")
    ]
    delete_untagged_days: Annotated[
        int, Field(ge=1, le=3650, description="days after which an untagged version is deleted")
    ]

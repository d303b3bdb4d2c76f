"""The runbook's five ConfigMaps, with the values that Cloud Run and the Worker also get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import ResourceOptions

from components import runtime_config
from components.base import PullComponent, Stage
from components.kubernetes.objects import metadata
from components.runtime_config import Values
from resource_types import pull


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigMapsArgs:
    """Inputs of :class:`ConfigMaps`. ``after``: resources that come first in the runbook."""

    config: runtime_config.ConfigMaps
    after: list[pulumi.Resource]


class ConfigMaps(PullComponent):
    """``pull-<name>-config`` for each of the five."""

    ready: list[pulumi.Resource]

    def __init__(
        self, name: str, args: ConfigMapsArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__(pull.KUBERNETES_CONFIG_MAPS, name, Stage.CONFIGURATION, opts)
        self.ready = [
            kubernetes.core.v1.ConfigMap(
                self.child(short_name),
                metadata=metadata(config_map_of(short_name)),
                data=values,
                opts=self.options(ResourceOptions(depends_on=args.after)),
            )
            for short_name, values in contents(args.config).items()
        ]
        self.register_outputs({})


def config_map_of(short_name: str) -> str:
    """The ConfigMap of ``shared`` is ``pull-shared-config``."""
    return f"pull-{short_name}-config"


def contents(config: runtime_config.ConfigMaps) -> Mapping[str, Values]:
    """The contents of the five ConfigMaps, by short name."""
    return {
        "shared": config.shared,
        "api": config.api,
        "worker": config.worker,
        "redis": config.redis,
        "observability": config.observability,
    }

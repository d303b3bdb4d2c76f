"""The base of every component: its type token, prefixed child names, and merged options."""

from __future__ import annotations

from enum import StrEnum

import pulumi
from pulumi import Alias, ResourceOptions


class Stage(StrEnum):
    """The five steps of the runbook's deployment order."""

    INFRASTRUCTURE = "1 infrastructure"
    CONFIGURATION = "2 secrets and configuration"
    API = "3 api"
    WEB = "4 web"
    WORKERS = "5 workers"


def child_of(token: str, component: str, suffix: str) -> Alias:
    """The alias for a child that moves here from another component."""
    return Alias(name=f"{component}-{suffix}", parent=pulumi.create_urn(component, token))


class PullComponent(pulumi.ComponentResource):
    """The parent of all resources that it creates. It does not pass its own options on to them.

    The stage is an input, so that whatever reads the state or a preview (the graph, the report, a
    policy) knows it without importing this program.
    """

    def __init__(
        self, token: str, name: str, stage: Stage, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__(token, name, {"stage": stage.value}, opts)
        self._name = name

    def child(self, suffix: str) -> str:
        """The logical name of a child.

        It is part of the state: a rename needs an alias in the same commit. The prefix is needed
        because a URN contains the types of its parents and not their names, so two workers would
        otherwise collide.
        """
        return f"{self._name}-{suffix}"

    def options(self, *layers: ResourceOptions) -> ResourceOptions:
        """Options of a child: ``layers`` merged in order, with this component as the parent."""
        merged = ResourceOptions()
        for layer in (*layers, ResourceOptions(parent=self)):
            merged = ResourceOptions.merge(merged, layer)
        return merged

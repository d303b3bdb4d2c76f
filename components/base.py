"""The base of every component: one type token, prefixed child names, one way to merge options."""

from __future__ import annotations

from enum import StrEnum

import pulumi
from pulumi import Alias, ResourceOptions


class Stage(StrEnum):
    """The five steps of the runbook's deployment order; a later one never comes first."""

    INFRASTRUCTURE = "1 infrastructure"
    CONFIGURATION = "2 secrets and configuration"
    API = "3 api"
    WEB = "4 web"
    WORKERS = "5 workers"


def child_of(token: str, component: str, suffix: str) -> Alias:
    """The child of another component, for the one that takes its place: one thing, two homes."""
    return Alias(name=f"{component}-{suffix}", parent=pulumi.create_urn(component, token))


class PullComponent(pulumi.ComponentResource):
    """Parent of everything that it makes; it never hands its own options on to its children.

    The stage is recorded as an input, so that whoever reads the state or a preview (the picture,
    the report, a policy) knows it without importing this program.
    """

    def __init__(
        self, token: str, name: str, stage: Stage, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__(token, name, {"stage": stage.value}, opts)
        self._name = name

    def child(self, suffix: str) -> str:
        """The logical name of a child.

        It is state: renaming one needs an alias in the same commit. The prefix matters because a
        URN holds its parents' types and not their names, so two workers would otherwise collide.
        """
        return f"{self._name}-{suffix}"

    def options(self, *layers: ResourceOptions) -> ResourceOptions:
        """Options of a child: ``layers`` from left to right, and this component as its parent."""
        merged = ResourceOptions()
        for layer in (*layers, ResourceOptions(parent=self)):
            merged = ResourceOptions.merge(merged, layer)
        return merged

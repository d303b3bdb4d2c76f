"""Which policies Pulumi Cloud enforces, and who may change that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.framework.graph import Graph, Node, StackRule
from policies.framework.paths import Finding
from policies.framework.rules import Severity
from policies.rules.runbook import ENVIRONMENT, environment
from resource_types import pulumiservice

PACK: Final = "pull-estate"
"""The name of the pack in the engine and in Pulumi Cloud."""

MANDATORY: Final = "mandatory"

STACKS: Final = ("production", "staging")


def _enforced(graph: Graph) -> Iterator[Finding]:
    groups = list(graph.of_type(pulumiservice.POLICY_GROUP))
    if environment(graph.config) != "production":
        for group in groups:
            yield group.finding("", "must be declared by production, whose releases are reviewed")
        return
    for group in groups:
        yield from _mistakes(group)
    enforced = {str(name) for group in groups for name in group.view.all("stacks[].name")}
    for settings in graph.of_type(pulumiservice.DEPLOYMENT_SETTINGS):
        for stack in STACKS:
            if stack not in enforced:
                yield settings.finding("", f"needs a policy group for the stack {stack}")


def _mistakes(group: Node) -> Iterator[Finding]:
    project = group.urn.split("::")[1]
    for name in group.view.all("stacks[].routingProject"):
        if name != project:
            yield group.finding("stacks[].routingProject", f"must be {project}")
    packs = group.view.value("policyPacks")
    own = [pack for pack in packs if pack.get("name") == PACK] if isinstance(packs, list) else []
    if len(own) != 1:
        yield group.finding("policyPacks", f"must contain the pack {PACK} once")
    for pack in own:
        if not pack.get("versionTag"):
            yield group.finding("policyPacks[].versionTag", "must be a reviewed version")
        levels = pack.get("config") or {}
        if levels.get("all") != MANDATORY:
            yield group.finding("policyPacks[].config.all", f"must be {MANDATORY}")
        if "production" in group.view.all("stacks[].name"):
            yield from _loosened(group, levels)


def _loosened(group: Node, levels: Mapping[str, Any]) -> Iterator[Finding]:
    """Rules that are not enforced, as in ``policies/levels.py``.

    The levels are not compared with the files of this pack: the version that is enforced now must
    accept the version and the levels that follow it.
    """
    # Imported here, because the table of rules needs this module.
    from policies.rules import RULES as ALL_RULES

    for rule in ALL_RULES:
        value = levels.get(rule.id, MANDATORY)
        level = value.get("enforcementLevel", MANDATORY) if isinstance(value, Mapping) else value
        if rule.adopted and level != MANDATORY:
            text = "must be mandatory in production; exceptions go to approvals/exceptions.yaml"
            yield group.finding(f"policyPacks[].config.{rule.id}", text)


RULES: Final = (
    StackRule(
        id="stack-policies-enforced",
        severity=Severity.CRITICAL,
        what="If Pulumi Cloud runs this stack, production declares a policy group for each stack, "
        "with a fixed version of this pack and mandatory rules, and staging declares none.",
        fix="Restore the groups in components/delivery/deployments.py.",
        url="https://www.pulumi.com/docs/discovery-governance/policy/policy-groups/",
        check=_enforced,
        paths=(
            "policyPacks[].config",
            "policyPacks[].name",
            "policyPacks[].versionTag",
            "stacks[].name",
            "stacks[].routingProject",
        ),
        settings=ENVIRONMENT,
    ),
)

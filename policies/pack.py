"""Turns the rules into the policies that the engine evaluates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import Severity as EngineSeverity

from policies.exceptions import Exceptions, exceptions_rule, read
from policies.framework.graph import Graph, Node, StackRule
from policies.framework.paths import (
    ALIASES,
    CUSTOM_TIMEOUTS,
    DELETE_BEFORE_REPLACE,
    IGNORE_CHANGES,
    PARENT,
    PROTECT,
    PROVIDER,
    SECRET_OUTPUTS,
    View,
)
from policies.framework.rules import ResourceRule, Rule
from policies.rules import CONCERNS, RULES, program_source

LEVEL: Final = EnforcementLevel.MANDATORY
"""The level of every adopted rule unless the configuration changes it, as in production."""


def policies(exceptions: Exceptions | None = None, today: date | None = None) -> list[Policy]:
    """The pack's policies. ``today`` is for rules about age; the default is the date in UTC."""
    day = today or datetime.now(UTC).date()
    program_source.sources()  # read now, before the program runs
    known = exceptions or read(frozenset(rule.id for rule in RULES))
    made: list[Policy] = [
        _resource_policy(rule, concern, known, day)
        if isinstance(rule, ResourceRule)
        else _stack_policy(rule, concern, known, day)
        for concern, rules in CONCERNS.items()
        for rule in rules
    ]
    return [*made, _stack_policy(exceptions_rule(known, day), "Exceptions", known, day)]


def _resource_policy(
    rule: ResourceRule, concern: str, exceptions: Exceptions, today: date
) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        view = View(
            type=args.resource_type,
            urn=args.urn,
            inputs={**args.props, **_options(args)},
            config=_settings(rule, args.get_config()),
            today=today,
        )
        for finding in rule.findings(view):
            if not exceptions.cover(rule.id, finding.urn, today):
                report(rule.message(finding), None)

    return ResourceValidationPolicy(validate=validate, **_description(rule, concern))


def _options(args: ResourceValidationArgs) -> dict[str, Any]:
    """The resource options that the engine shows to a policy."""
    options, timeouts = args.opts, args.opts.custom_timeouts
    seconds = {
        "create": timeouts.create_seconds,
        "update": timeouts.update_seconds,
        "delete": timeouts.delete_seconds,
    }
    return {
        ALIASES: list(options.aliases),
        CUSTOM_TIMEOUTS: {name: value for name, value in seconds.items() if value},
        DELETE_BEFORE_REPLACE: bool(options.delete_before_replace),
        IGNORE_CHANGES: list(options.ignore_changes),
        PARENT: options.parent,
        PROTECT: options.protect,
        PROVIDER: args.provider.urn if args.provider else None,
        SECRET_OUTPUTS: list(options.additional_secret_outputs),
    }


def _stack_policy(
    rule: StackRule, concern: str, exceptions: Exceptions, today: date
) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        nodes = _nodes(tuple(args.resources), today)
        graph = Graph(nodes, _settings(rule, args.get_config()))
        for finding in rule.findings(graph):
            if not exceptions.cover(rule.id, finding.urn, today):
                report(rule.message(finding), finding.urn or None)

    return StackValidationPolicy(validate=validate, **_description(rule, concern))


def _description(rule: Rule, concern: str) -> dict[str, Any]:
    catalogue, _, number = rule.frameworks[0].partition(" ") if rule.frameworks else ("", "", "")
    return {
        "name": rule.id,
        "description": rule.what,
        "enforcement_level": LEVEL if rule.adopted else EnforcementLevel.DISABLED,
        "severity": EngineSeverity(rule.severity.value),
        "framework": PolicyComplianceFramework(name=catalogue, reference=number)
        if catalogue
        else None,
        "tags": [concern, *rule.frameworks],
        "remediation_steps": rule.fix,
        "url": rule.url,
        "config_schema": PolicyConfigSchema(
            {name: dict(schema) for name, schema in rule.settings.items()}
        )
        if rule.settings
        else None,
    }


def _settings(rule: Rule, configured: Mapping[str, Any]) -> dict[str, Any]:
    """The rule's settings. The engine adds the defaults, but `pulumi policy analyze` does not."""
    defaults = {name: schema["default"] for name, schema in rule.settings.items()}
    return {**defaults, **configured}


@lru_cache(maxsize=1)
def _nodes(resources: tuple[PolicyResource, ...], today: date) -> list[Node]:
    """The nodes of a stack, made once for all rules."""
    nodes = {
        resource.urn: Node(
            name=resource.name,
            type=resource.resource_type,
            urn=resource.urn,
            view=View(
                type=resource.resource_type, urn=resource.urn, inputs=resource.props, today=today
            ),
        )
        for resource in resources
    }
    for resource in resources:
        node = nodes[resource.urn]
        node.parent = nodes.get(resource.parent.urn) if resource.parent else None
        node.dependencies = [nodes[source.urn] for source in resource.dependencies]
        node.property_dependencies = {
            name: [nodes[source.urn] for source in sources]
            for name, sources in resource.property_dependencies.items()
        }
    return list(nodes.values())

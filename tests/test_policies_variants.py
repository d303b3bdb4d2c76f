"""The pack on every variant of the estate, as the program registers it, without an engine.

A switch or mode that a variant sets has to be settled by a rule, and an edge that a rule needs has
to be missed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import pytest

from policies.framework.graph import Graph, Node, StackRule
from policies.framework.paths import (
    CUSTOM_TIMEOUTS,
    DELETE_BEFORE_REPLACE,
    IGNORE_CHANGES,
    PARENT,
    PROTECT,
    PROVIDER,
    SECRET_OUTPUTS,
    Keys,
    View,
)
from policies.framework.rules import ResourceRule, Rule
from policies.rules import RULES, stack_edges
from policies.rules.declared_inputs import INPUTS
from resource_types import gcp
from resource_types.estate import PROVIDER_PREFIX
from sandbox.schema import Shape, schema_of
from tests import policy_harness as harness
from tests.declared_inputs import declared_inputs
from tests.policy_harness import TODAY
from tests.recorder import Recorded
from tests.variants import EVERYTHING, EXISTING_CLUSTER, POOLS, VARIANTS, Variant, as_sent


@cache
def _active(stack: str) -> list[Rule]:
    disabled = harness.disabled(stack)
    return [rule for rule in RULES if rule.id not in disabled]


def _stack_rules(stack: str) -> list[StackRule]:
    return [rule for rule in _active(stack) if isinstance(rule, StackRule)]


def _known(inputs: Mapping[str, Any]) -> Any:
    """As a rule sees them in a preview."""
    return harness.marked(as_sent(inputs))


def _urn(row: Recorded, stack: str) -> str:
    return f"urn:pulumi:{stack}::pull::{row.type}::{row.name}"


def _view(row: Recorded, stack: str, inputs: Any, config: Mapping[str, Any]) -> View:
    return View(type=row.type, urn=_urn(row, stack), inputs=inputs, config=config, today=TODAY)


def _config(rule: Rule, stack: str) -> dict[str, Any]:
    defaults = {name: schema["default"] for name, schema in rule.settings.items()}
    return {**defaults, **harness.config_of(stack)}


@cache
def _rules_of(token: str, stack: str) -> list[ResourceRule]:
    return [
        rule for rule in _active(stack) if isinstance(rule, ResourceRule) and rule.applies_to(token)
    ]


def _violations(row: Recorded, inputs: Mapping[str, Any], stack: str) -> Iterator[str]:
    package = row.type.partition(":")[0]
    full = {
        **inputs,
        PROTECT: row.protect,
        PARENT: f"a::b::pull:x:Y::{row.parent}",
        PROVIDER: f"a::b::{PROVIDER_PREFIX}{package}::{row.provider}",
        IGNORE_CHANGES: list(row.ignore_changes),
        DELETE_BEFORE_REPLACE: row.delete_before_replace,
        CUSTOM_TIMEOUTS: dict(row.custom_timeouts),
        SECRET_OUTPUTS: sorted(row.secret_outputs),
    }
    for rule in _rules_of(row.type, stack):
        for finding in rule.findings(_view(row, stack, full, _config(rule, stack))):
            yield f"{row.name}: {rule.id}: {finding.path} {finding.text}"


def _graph(
    rule: Rule, rows: list[Recorded], stack: str, without: Callable[[str, str], bool]
) -> Graph:
    """The stack of ``rows``; ``without`` says which dependencies between types are missing."""
    nodes = {
        row.name: Node(
            name=row.name,
            type=row.type,
            urn=_urn(row, stack),
            view=_view(row, stack, _known(row.inputs), {}),
        )
        for row in rows
    }
    for row in rows:
        node = nodes[row.name]
        node.parent = nodes.get(row.parent)
        node.dependencies = [
            nodes[name]
            for name in row.waits_for
            if name in nodes and not without(row.type, nodes[name].type)
        ]
        node.property_dependencies = {
            key: [nodes[name] for name in names if name in nodes]
            for key, names in row.made_from.items()
        }
    return Graph(list(nodes.values()), _config(rule, stack))


def _all_edges(later: str, earlier: str) -> bool:
    return False


def _without(removed: str) -> Callable[[str, str], bool]:
    return lambda later, earlier: earlier == removed


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_variant_is_clean(variant: Variant) -> None:
    made = variant.resources()
    found = [text for row in made for text in _violations(row, _known(row.inputs), variant.stack)]
    for rule in _stack_rules(variant.stack):
        findings = rule.findings(_graph(rule, made, variant.stack, _all_edges))
        found += [f"{finding.urn}: {rule.id}: {finding.text}" for finding in findings]
    assert not found, "\n".join(found)


def test_the_declared_inputs_are_those_of_the_variants() -> None:
    """``python -m tests.inventory`` writes the file anew."""
    assert declared_inputs() == INPUTS


# -- switches and modes ----------------------------------------------------------------------------

FREE: Final = {
    # Billing, convenience and documentation: neither value is wrong.
    "resources.cpuIdle",
    "operationContext.options.skipIntermediateDeployments",
    "cacheOptions.enable",
    "vcs.pullRequestTemplate",
    "vcs.deployCommits",  # each environment has its own
    "sensitive",  # a public value, and the setting pull:web.sensitive_variables
}
"""Ends of the paths of switches and modes that may have any value."""

# A switch, or a mode as platforms write it: PD_SSD.
_MODE: Final = re.compile(r"[A-Z][A-Z0-9]+(_[A-Z0-9]+)+|ENTERPRISE|STANDARD|DOCKER|REGIONAL|RDB")
_VARIABLES: Final = re.compile(r"\b(envs?|data|bindings|tags|labels|annotations|key|variables)\b")
"""Values of the application, and labels: other rules decide about their names."""


def _leaves(value: Any, keys: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*keys, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*keys, index))
    else:
        yield keys, value


def _other_values(value: Any) -> tuple[Any, ...]:
    if isinstance(value, bool):
        return (not value,)
    return ("SOMETHING_ELSE",) if isinstance(value, str) and _MODE.fullmatch(value) else ()


@pytest.mark.parametrize("variant", [EVERYTHING, POOLS], ids=str)
def test_every_switch_and_mode_is_settled(variant: Variant) -> None:
    one_of_each = {row.type: row for row in variant.resources()}
    tried, survived = 0, set()
    for row in one_of_each.values():
        inputs = _known(row.inputs)
        for keys, value in _leaves(inputs):
            path = ".".join(str(key) for key in keys if isinstance(key, str))
            if _VARIABLES.search(path) or path.endswith(tuple(FREE)):
                continue
            for other in _other_values(value):
                tried += 1
                mutant = harness.put(inputs, keys, other)
                assert mutant is not None
                if not any(_violations(row, mutant, variant.stack)):
                    survived.add(f"{row.type} {path}: {value} -> {other}")
    assert not survived, "\n".join(sorted(survived))
    assert tried > 50


KEY: Final = re.compile(r"(kms_?key(_name)?|encryption_?key_?name|customer_?managed_?key)$", re.I)
"""Inputs for a key of ours."""


def test_every_type_that_can_have_our_key_has_one_or_is_listed() -> None:
    can_have = {
        row.type
        for row in EVERYTHING.resources()
        if row.type.startswith("gcp:") and any(_keys(schema_of(row.type).inputs, 4))
    }
    without = {gcp.TOPIC, gcp.REDIS_INSTANCE, gcp.REPOSITORY, gcp.RUN_SERVICE}
    assert can_have - without <= set(stack_edges.KEYS)


def _keys(shape: Shape, depth: int) -> Iterator[str]:
    for name, inner in shape.fields.items():
        if KEY.search(name):
            yield name
        element = inner.element or inner
        if depth:
            yield from _keys(element, depth - 1)


# -- what must exist, and before what --------------------------------------------------------------


def _rule(identity: str) -> StackRule:
    return next(rule for rule in _stack_rules("production") if rule.id == identity)


@pytest.mark.parametrize("variant", [EVERYTHING, POOLS], ids=str)
def test_every_missing_edge_is_noticed(variant: Variant) -> None:
    made, rule = variant.resources(), _rule("stack-order")
    present = {row.type for row in made}
    for later, types in (*stack_edges.BEFORE.items(), *stack_edges.BEFORE_ANY.items()):
        for earlier in types:
            if {later, earlier} <= present:
                graph = _graph(rule, made, variant.stack, _without(earlier))
                assert any(rule.findings(graph)), f"{later} no longer depends on {earlier}"


@pytest.mark.parametrize("variant", [EVERYTHING, EXISTING_CLUSTER], ids=str)
def test_every_missing_type_is_noticed(variant: Variant) -> None:
    made, rule = variant.resources(), _rule("stack-complete")
    present = {row.type for row in made}
    for anchor, types in stack_edges.REQUIRED.items():
        for removed in types if not anchor or anchor in present else ():
            assert removed in present
            kept = [row for row in made if row.type != removed]
            graph = _graph(rule, kept, variant.stack, _all_edges)
            assert any(rule.findings(graph)), removed

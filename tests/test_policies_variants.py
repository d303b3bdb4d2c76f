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
from policies.framework.paths import PARENT, PROTECT, Keys, View
from policies.framework.rules import ResourceRule, Rule
from policies.rules import RULES, stack_edges
from policies.rules.declared_inputs import INPUTS
from resource_types import gcp
from sandbox.schema import Shape, schema_of
from tests import policy_harness as harness
from tests.declared_inputs import declared_inputs
from tests.policy_harness import TODAY
from tests.recorder import Recorded
from tests.variants import VARIANTS, as_sent, rows

CONFIG: Final = {**harness.config_of("production"), "origins": ["api-cluster.pull.com"]}
ACTIVE: Final = [rule for rule in RULES if rule.id not in harness.disabled("production")]
STACK_RULES: Final = [rule for rule in ACTIVE if isinstance(rule, StackRule)]


def _known(inputs: Mapping[str, Any]) -> Any:
    """As a rule sees them in a preview."""
    return harness.marked(as_sent(inputs))


def _view(row: Recorded, inputs: Any, config: Mapping[str, Any]) -> View:
    return View(type=row.type, urn=row.name, inputs=inputs, config=config, today=TODAY)


def _config(rule: Rule) -> dict[str, Any]:
    return {**{name: schema["default"] for name, schema in rule.settings.items()}, **CONFIG}


@cache
def _rules_of(token: str) -> list[ResourceRule]:
    return [rule for rule in ACTIVE if isinstance(rule, ResourceRule) and rule.applies_to(token)]


def _violations(row: Recorded, inputs: Mapping[str, Any]) -> Iterator[str]:
    full = {**inputs, PROTECT: row.protect, PARENT: f"a::b::pull:x:Y::{row.parent}"}
    for rule in _rules_of(row.type):
        for finding in rule.findings(_view(row, full, _config(rule))):
            yield f"{row.name}: {rule.id}: {finding.path} {finding.text}"


def _graph(rule: Rule, rows: list[Recorded], without: Callable[[str, str], bool]) -> Graph:
    """The stack of ``rows``; ``without`` says which dependencies between types are missing."""
    nodes = {
        row.name: Node(
            name=row.name,
            type=row.type,
            urn=row.name,
            read=lambda row=row: _view(row, _known(row.inputs), {}),  # type: ignore[misc]
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
    return Graph(list(nodes.values()), _config(rule))


def _all_edges(later: str, earlier: str) -> bool:
    return False


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_clean(variant: str) -> None:
    made = rows(variant)
    found = [text for row in made for text in _violations(row, _known(row.inputs))]
    for rule in STACK_RULES:
        findings = rule.findings(_graph(rule, made, _all_edges))
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


@pytest.mark.parametrize("variant", ["both", "pools"])
def test_every_switch_and_mode_is_settled(variant: str) -> None:
    one_of_each = {row.type: row for row in rows(variant)}
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
                if not any(_violations(row, mutant)):
                    survived.add(f"{row.type} {path}: {value} -> {other}")
    assert not survived, "\n".join(sorted(survived))
    assert tried > 50


KEY: Final = re.compile(r"(kms_?key(_name)?|encryption_?key_?name|customer_?managed_?key)$", re.I)
"""Inputs for a key of ours."""


def test_every_type_that_can_have_our_key_has_one_or_is_listed() -> None:
    can_have = {
        row.type
        for row in rows("both")
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
    return next(rule for rule in STACK_RULES if rule.id == identity)


@pytest.mark.parametrize("variant", ["both", "pools"])
def test_every_missing_edge_is_noticed(variant: str) -> None:
    made, rule = rows(variant), _rule("stack-order")
    present = {row.type for row in made}
    for later, types in (*stack_edges.BEFORE.items(), *stack_edges.BEFORE_ANY.items()):
        for earlier in types:
            if {later, earlier} <= present:
                graph = _graph(rule, made, lambda _, other, removed=earlier: other == removed)
                assert any(rule.findings(graph)), f"{later} no longer depends on {earlier}"


@pytest.mark.parametrize("variant", ["both", "existing cluster"])
def test_every_missing_type_is_noticed(variant: str) -> None:
    made, rule = rows(variant), _rule("stack-complete")
    present = {row.type for row in made}
    for anchor, types in stack_edges.REQUIRED.items():
        for removed in types if not anchor or anchor in present else ():
            assert removed in present
            graph = _graph(rule, [row for row in made if row.type != removed], _all_edges)
            assert any(rule.findings(graph)), removed

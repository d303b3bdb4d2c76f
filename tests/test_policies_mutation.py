"""Every way in which a rule says that a stack can be wrong, tried on the stacks themselves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final
from unittest.mock import patch

import pytest
from pulumi.runtime.proto import analyzer_pb2

from policies.framework.graph import StackRule
from policies.framework.paths import find
from policies.framework.rules import ResourceRule, forbidden
from policies.rules import RULES, program_source
from resource_types import gcp
from tests import policy_harness as harness
from tests.conftest import MUTANTS
from tests.policy_fixtures import fixtures
from tests.policy_harness import Recording, Resource
from tests.policy_mutations import (
    STACK_MUTATIONS,
    AddDependency,
    AddResource,
    AddResources,
    AddSource,
    Mutation,
    RemoveDependencies,
    RemoveType,
    SetProperty,
    SetSource,
    StackMutation,
    mutations,
)
from tests.variants import PREVIEWED, Variant

RESOURCE_RULES: Final = [rule for rule in RULES if isinstance(rule, ResourceRule)]
STACK_RULES: Final = [rule for rule in RULES if isinstance(rule, StackRule)]


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Recording]:
    shared = harness.shared_folder(tmp_path_factory)
    return [harness.record(variant, shared) for variant in PREVIEWED]


@pytest.fixture(scope="session")
def resources(recordings: list[Recording]) -> list[Resource]:
    """Every resource of every variant; those that are the same as in an earlier one only once."""
    recorded: list[Resource] = []
    for recording in recordings:
        for resource in harness.resources_of(recording):
            if not any(same(resource, other) for other in recorded):
                recorded.append(resource)
    return [*recorded, *fixtures()]


def same(resource: Resource, other: Resource) -> bool:
    return resource.urn == other.urn and resource.inputs == other.inputs


def resource_mutants(
    rule: ResourceRule, resources: list[Resource]
) -> Iterator[tuple[str, Any, Resource]]:
    """What is mutated, the servicer that evaluates it, and the mutant."""
    if forbidden in rule.checks:
        for token in rule.types:
            urn = f"urn:pulumi:production::pull::{token}::x"
            serving = harness.servicer(rule)
            yield token, serving, Resource(token, urn, {}, True, "fixture")
        return
    for serving, resource in harness.candidates(rule, resources):
        seen: Counter[str] = Counter()
        for mutation in mutations(rule.checks, resource.view):
            # Two items of a list are enough: the same mutation of forty shows nothing more.
            path = ".".join("*" if isinstance(key, int) else key for key in mutation.keys)
            what = f"{path} = {mutation.value!r}"
            mutant = resource.mutated(mutation) if seen[what] < 2 else None
            if mutant is not None:
                seen[what] += 1
                yield f"{resource.source} {resource.urn} {what}", serving, mutant


def stack_mutants(mutation: StackMutation, recording: Recording) -> Iterator[tuple[str, Any]]:
    """Up to three mutants of a stack: other inputs of one resource, another stack, or source."""
    nodes = sorted(recording.whole.resources, key=lambda node: str(node.urn))
    match mutation:
        case SetProperty(token, path, value):
            present = [
                resource
                for resource in harness.resources_of(recording)
                # A clone has the settings of its source.
                if token in (resource.type, resource.urn.rpartition("::")[2])
                and not resource.inputs.get("clone")
            ]
            for resource in present[:3]:
                for match in list(find(resource.view.inputs, path))[:3]:
                    mutant = resource.mutated(Mutation(match.keys, value))
                    if mutant is not None:
                        yield resource.urn, mutant.request()
        case RemoveType(token):
            request = _copy(recording)
            kept = [node for node in nodes if token not in (node.type, node.name)]
            request.ClearField("resources")
            request.resources.extend(kept)
            if len(kept) < len(nodes):
                yield f"no {token}", request
        case AddResource(token, beside=beside):
            if beside and not any(node.type == beside for node in nodes):
                return
            request = _copy(recording)
            _add(request, mutation, recording.stack, nodes)
            yield token, request
        case AddResources(added):
            request = _copy(recording)
            for addition in added:
                _add(request, addition, recording.stack, nodes)
            yield " and ".join(addition.type for addition in added), request
        case AddDependency(token, other):
            for later in [node for node in nodes if node.type == other][:1]:
                for node in [node for node in nodes if node.type == token][:3]:
                    request = _copy(recording)
                    _of(request, node.urn).dependencies.append(later.urn)
                    yield f"{node.name} depends on {later.name}", request
        case RemoveDependencies(token, other):
            request = _copy(recording)
            removed = {node.urn for node in nodes if node.type == other}
            if not removed or not any(node.type == token for node in nodes):
                return
            for node in request.resources:
                kept = [urn for urn in node.dependencies if urn not in removed]
                node.ClearField("dependencies")
                node.dependencies.extend(kept)
            yield f"{token} no longer depends on {other}", request
        case SetSource(token, name, source):
            for node in [node for node in nodes if token in (node.type, node.name)][:3]:
                if harness.plain_properties(node).get("clone"):
                    continue
                request = _copy(recording)
                edges = _of(request, node.urn).propertyDependencies
                edges[name].ClearField("urns")
                if source is not None:
                    first = next((x.urn for x in nodes if x.type == source), "")
                    edges[name].urns.append(first)
                yield f"{node.name}.{name} from {source}", request

        case AddSource(text):
            yield text, text


def _add(request: Any, resource: AddResource, stack: str, nodes: list[Any]) -> None:
    added = request.resources.add(
        type=resource.type,
        name="mutant",
        urn=f"urn:pulumi:{stack}::pull::{resource.type}::mutant",
    )
    suffix = "-staging" if stack == "staging" else ""
    text = json.dumps({**dict.fromkeys(resource.sources, "?"), **resource.inputs})
    text = text.replace("{environment}", stack).replace("{suffix}", suffix)
    added.properties.update(json.loads(text))
    for name, source in resource.sources.items():
        first = next(node for node in nodes if source in (node.type, node.name))
        added.propertyDependencies[name].urns.append(first.urn)
        added.dependencies.append(first.urn)


def _copy(recording: Recording) -> Any:
    request = analyzer_pb2.AnalyzeStackRequest()
    request.CopyFrom(recording.whole)
    return request


def _of(request: Any, urn: str) -> Any:
    return next(node for node in request.resources if node.urn == urn)


def test_every_mutant_of_a_resource_is_caught(
    resources: list[Resource], record_property: Callable[[str, Any], None]
) -> None:
    killed: Counter[str] = Counter()
    survived: list[str] = []
    for rule in RESOURCE_RULES:
        for what, serving, mutant in resource_mutants(rule, resources):
            if any(found.policyName == rule.id for found in harness.evaluate(serving, mutant)):
                killed[rule.id] += 1
            else:
                survived.append(f"{rule.id}: {what}")
    record_property(MUTANTS, _count(killed, survived, RESOURCE_RULES))
    assert killed.total() >= 300


def test_every_mutant_of_a_stack_is_caught(
    recordings: list[Recording], record_property: Callable[[str, Any], None]
) -> None:
    killed: Counter[str] = Counter()
    survived: list[str] = []
    for rule in STACK_RULES:
        for recording in recordings:
            serving = harness.servicer_of_stack(rule, recording)
            assert not harness.evaluate_stack(serving, recording.whole), rule.id
            for mutation in STACK_MUTATIONS[rule.id]:
                for what, mutant in stack_mutants(mutation, recording):
                    if _findings(serving, recording, mutant):
                        killed[rule.id] += 1
                    else:
                        survived.append(f"{rule.id}: {recording.variant} {mutation} {what}")
    record_property(MUTANTS, _count(killed, survived, STACK_RULES))


def _findings(serving: Any, recording: Recording, mutant: Any) -> list[Any]:
    if isinstance(mutant, str):
        with patch.object(program_source, "sources", lambda: {"components/mutant.py": mutant}):
            return harness.evaluate_stack(serving, recording.whole)
    if isinstance(mutant, analyzer_pb2.AnalyzeStackRequest):
        return harness.evaluate_stack(serving, mutant)
    return harness.evaluate_with_inputs(serving, recording, mutant)


def test_defaults_of_a_provider_are_not_what_the_program_sets(recordings: list[Recording]) -> None:
    """Google's provider writes ``value: ""`` beside each reference of a Cloud Run variable."""
    rule = next(rule for rule in STACK_RULES if rule.id == "stack-secret-by-reference")
    for recording in recordings:
        if not any(node.type == gcp.RUN_SERVICE for node in recording.whole.resources):
            continue
        defaults = [
            variable
            for node in recording.whole.resources
            if node.type == gcp.RUN_SERVICE
            for container in harness.plain_properties(node)["template"]["containers"]
            for variable in container["envs"]
            if variable["value"] == "" and variable["valueSource"] is not None
        ]
        assert defaults
        # The outputs alone would be violations, so the rule reads the inputs.
        assert harness.evaluate_stack(harness.servicer(rule), recording.whole)
        serving = harness.servicer_of_stack(rule, recording)
        assert not harness.evaluate_stack(serving, recording.whole)


def _count(killed: Counter[str], survived: list[str], rules: Any) -> dict[str, int]:
    """The number of killed mutants by rule; none may survive, and every rule needs one."""
    assert not survived, f"{len(survived)} survived:\n" + "\n".join(survived)
    assert not [rule.id for rule in rules if not killed[rule.id]], "rules without a mutant"
    return {rule.id: killed[rule.id] for rule in rules}


@pytest.mark.parametrize("variant", PREVIEWED, ids=str)
def test_the_clean_stack_is_clean(
    variant: Variant, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With the levels of the stack's own configuration."""
    recording = harness.record(variant, harness.shared_folder(tmp_path_factory))
    on = [rule for rule in RULES if rule.id not in harness.disabled(variant.stack)]
    serving = harness.servicer(*on, config=harness.config_of(variant.stack))
    found = [
        f"{diagnostic.policyName}: {diagnostic.message}"
        for request in recording.resources
        for diagnostic in serving.Analyze(request, None).diagnostics
    ]
    found += [diagnostic.message for diagnostic in harness.evaluate_stack(serving, recording.whole)]
    assert not found, "\n".join(found)

"""Inputs that a platform refuses in the middle of an ``up`` are refused in a preview."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from policies.rules.accepted_inputs import RULES
from resource_types.accepted import ACCEPTED
from resource_types.accepted.checks import Acceptance, Inputs
from sandbox.accepted import refusals
from sandbox.models import model_of
from sandbox.resource import Resource
from sandbox.schema import CheckFailure, check, schema_of
from sandbox.values import UNKNOWN
from tests.late_failures import GOOD, MISTAKES, VARIANTS, changed, label
from tests.policy_fixtures import GOOD as POLICY_FIXTURES
from tests.policy_harness import put
from tests.recorder import estate

# The SDKs warn about deprecated names while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of")

SETTINGS: Final = {"project": "pull", "region": "us-central1"}


def failures(token: str, inputs: dict[str, Any]) -> Iterator[CheckFailure]:
    """What the sandbox answers in a preview or in the middle of an ``up``."""
    model = model_of(token)
    checked, wrong = check(inputs, schema_of(token).inputs)
    yield from wrong
    if not wrong:
        resource = Resource(checked, SETTINGS)
        yield from refusals(token, resource)
        for check_inputs in (*model.checked_at_preview, *model.checked_at_apply):
            yield from check_inputs(resource)


@pytest.mark.parametrize("mistake", MISTAKES, ids=label)
def test_a_mistake_is_refused(mistake: tuple[str, str, Any]) -> None:
    assert list(failures(*changed(*mistake)))


@pytest.mark.parametrize("name", GOOD)
def test_a_good_resource_is_accepted(name: str) -> None:
    assert not list(failures(*GOOD[name]))


@pytest.mark.parametrize("variant", VARIANTS, ids=label)
def test_another_right_value_is_accepted(variant: tuple[str, str, Any]) -> None:
    assert not list(failures(*changed(*variant)))


TABLE: Final = [
    pytest.param(token, acceptance, path, value, id=f"{token.split(':')[2]}-{path}-{value}"[:60])
    for token, acceptances in ACCEPTED.items()
    for acceptance in acceptances
    for path, value in acceptance.mutations()
]


@pytest.mark.parametrize(("token", "acceptance", "path", "value"), TABLE)
def test_every_refused_value_is_refused(
    token: str, acceptance: Acceptance, path: str, value: Any
) -> None:
    good = next(inputs for other, inputs in _all_good() if other == token)
    keys: tuple[str | int, ...] = ()
    for step in filter(None, path.replace("[]", ".[]").split(".")):
        keys = (*keys, 0 if step == "[]" else step)
        if step == "[]" and not list(Inputs(good).at(f"{_pattern(keys[:-1])}[]")):
            good = put(good, keys[:-1], [{}]) or good
    mutant = put(good, keys, value)
    assert mutant is not None
    assert list(acceptance.refusals(Inputs(mutant)))


def _pattern(keys: tuple[str | int, ...]) -> str:
    return ".".join(map(str, keys)).replace(".0", "[]")


def _all_good() -> Iterator[tuple[str, dict[str, Any]]]:
    yield from GOOD.values()
    yield from POLICY_FIXTURES


@pytest.mark.parametrize(("token", "inputs"), POLICY_FIXTURES)
def test_the_resources_of_other_tests_are_accepted(token: str, inputs: dict[str, Any]) -> None:
    for acceptance in ACCEPTED.get(token, ()):
        assert not list(acceptance.refusals(Inputs(inputs, UNKNOWN)))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"runtime": "both"},
        {
            "pulumi_cloud": {
                "organization": "pull",
                "events_url": "https://api.pull.com/hooks/pulumi",
            }
        },
        {
            "api": {"secrets": "inherit"},
            "web": {"release": {"ref": "3f2c1ab"}, "sensitive_variables": True},
        },
    ],
    ids=str,
)
@pytest.mark.parametrize("stack", ["staging", "production"])
def test_the_estate_is_accepted(stack: Any, settings: dict[str, Any]) -> None:
    for resource in estate(stack, **settings).resources:
        for acceptance in ACCEPTED.get(resource.type, ()):
            inputs = Inputs(_computed(resource.inputs), UNKNOWN)
            assert not list(acceptance.refusals(inputs)), resource.name


def _computed(value: Any) -> Any:
    """The inputs with ``UNKNOWN`` for the recorder's placeholders of computed outputs."""
    if isinstance(value, Mapping):
        return {name: _computed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_computed(item) for item in value]
    return UNKNOWN if isinstance(value, str) and re.search(r"<.+\..+>", value) else value


def test_nothing_is_required_of_values_that_are_not_known() -> None:
    for token, inputs in GOOD.values():
        for name in inputs:
            unknown = {**inputs, name: UNKNOWN}
            assert not list(refusals(token, Resource(unknown, SETTINGS))), (token, name)


@pytest.mark.parametrize("odd", [None, 7, "", [], {}, [[]], {"a": None}, True, [None]], ids=repr)
def test_no_shape_of_a_value_breaks_a_check(odd: Any) -> None:
    def replace_each(node: Any, token: str, root: dict[str, Any]) -> None:
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in list(items):
            node[key] = odd
            for acceptance in ACCEPTED.get(token, ()):
                list(acceptance.refusals(Inputs(root)))
            node[key] = value
            if isinstance(value, dict | list):
                replace_each(value, token, root)

    for token, inputs in copy.deepcopy(list(GOOD.values())):
        replace_each(inputs, token, inputs)


def test_no_text_contains_a_value() -> None:
    for token, acceptances in ACCEPTED.items():
        for acceptance in acceptances:
            for path, _ in acceptance.mutations():
                inputs = (
                    put({}, tuple(path.replace("[]", "").split(".")), "hunter2") if path else {}
                )
                found = list(acceptance.refusals(Inputs(inputs)))
                assert "hunter2" not in str(found), token


def test_each_type_has_a_policy() -> None:
    assert {token for rule in RULES for token in rule.types} == ACCEPTED.keys()

"""The contract with the internals of the policy SDK, which an upgrade may change without notice."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any, Final

import pulumi_policy
import pytest
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy import (
    EnforcementLevel,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)
from pulumi_policy import policy as sdk
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY

from policies import sdk_internals
from policies.exceptions import Exceptions
from policies.framework.paths import UNKNOWN
from policies.pack import LEVEL, policies
from policies.sdk_internals import Servicer
from tests.policy_harness import TODAY
from tests.variants import UNKNOWN_TEXT

ADVICE: Final = (
    "pulumi-policy has changed. Compare pulumi_policy/policy.py with the list in"
    " policies/sdk_internals.py, correct that module, and set its VERSION."
)


def test_the_version_is_the_one_that_was_checked() -> None:
    assert version("pulumi-policy") == sdk_internals.VERSION, ADVICE


def test_the_servicer_takes_name_version_and_policies_first() -> None:
    parameters = list(inspect.signature(sdk._PolicyAnalyzerServicer).parameters)
    assert parameters[:4] == ["name", "version", "policies", "enforcement_level"], ADVICE


def test_the_servicer_evaluates_and_configures() -> None:
    assert issubclass(sdk._PolicyAnalyzerServicer, analyzer_pb2_grpc.AnalyzerServicer), ADVICE
    for method in (
        *("Analyze", "AnalyzeStack", "Configure", "_create_report_violation"),
        *("_get_enforcement_level", "_get_policy_config"),
        *("_get_provider_resource", "_get_resource_options"),
    ):
        assert method in vars(sdk._PolicyAnalyzerServicer), f"{method} is missing. {ADVICE}"


def test_a_pack_looks_the_servicer_up_in_its_module() -> None:
    assert "_PolicyAnalyzerServicer(" in inspect.getsource(pulumi_policy.PolicyPack), ADVICE
    assert pulumi_policy.PolicyPack.__module__ == sdk.__name__, ADVICE


def test_every_policy_is_evaluated_for_its_types_only() -> None:
    serving = Servicer("pull", "1.0.0", policies(Exceptions(), TODAY), LEVEL)
    request = analyzer_pb2.AnalyzeRequest(type="gcp:unknown/type:Type", urn="u", name="n")
    found = serving.Analyze(request, None).diagnostics
    assert [x.policyName for x in found] == ["declared-type", "declared-provider"], ADVICE
    request = analyzer_pb2.AnalyzeRequest(type="pull:data:Postgres", urn="u", name="n")
    (diagnostic,) = serving.Analyze(request, None).diagnostics
    assert diagnostic.policyName == "runbook-stage", ADVICE


def _resource_request(**inputs: object) -> Any:
    request = analyzer_pb2.AnalyzeRequest(type="gcp:unknown/type:Type", urn="u", name="n")
    request.properties.update(inputs)
    return request


def test_a_rule_sees_plain_values_and_markers_of_unknown_values() -> None:
    inputs = {"a": {"b": [UNKNOWN_TEXT, {"c": UNKNOWN_TEXT, "d": 1, "e": True, "f": None}]}}
    args = _arguments(_resource_request(**inputs))
    assert args.props == {"a": {"b": [UNKNOWN, {"c": UNKNOWN, "d": 1, "e": True, "f": None}]}}


def test_a_rule_sees_a_secret_in_plain_text() -> None:
    secret = {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": {"password": UNKNOWN_TEXT}}
    assert _arguments(_resource_request(a=secret)).props == {"a": {"password": UNKNOWN}}


def test_a_rule_at_the_level_of_remediation_is_mandatory() -> None:
    serving = Servicer("pull", "1.0.0", policies(Exceptions(), TODAY), EnforcementLevel.REMEDIATE)
    request = analyzer_pb2.ConfigureAnalyzerRequest()
    request.policyConfig["declared-type"].enforcementLevel = analyzer_pb2.REMEDIATE
    serving.Configure(request, None)  # type: ignore[no-untyped-call]
    found = serving.Analyze(_resource_request(), None).diagnostics
    assert {x.enforcementLevel for x in found} == {analyzer_pb2.MANDATORY}


def test_a_rule_that_fails_is_not_passed() -> None:
    def fail(args: ResourceValidationArgs, report: ReportViolation) -> None:
        raise ZeroDivisionError

    broken = ResourceValidationPolicy("declared-type", "fails", fail)
    serving = Servicer("pull", "1.0.0", [broken], LEVEL)
    with pytest.raises(ZeroDivisionError):
        serving.Analyze(_resource_request(), None)


def _arguments(request: Any) -> ResourceValidationArgs:
    """What a rule sees of a resource."""
    seen: list[ResourceValidationArgs] = []
    policy = ResourceValidationPolicy(
        "declared-type", "sees", lambda args, report: seen.append(args)
    )
    Servicer("pull", "1.0.0", [policy], LEVEL).Analyze(request, None)
    (args,) = seen
    return args

"""The contract with the internals of the policy SDK, which an upgrade may change without notice."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Final

import pulumi_policy
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy import policy as sdk

from policies import sdk_internals
from policies.exceptions import Exceptions
from policies.pack import LEVEL, policies
from policies.sdk_internals import Servicer
from tests.policy_harness import TODAY

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
    for method in ("Analyze", "AnalyzeStack", "Configure"):
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

"""Everything that the pack uses of the policy SDK beyond its documented interface.

Checked against pulumi-policy 1.21.0; ``tests/test_sdk_internals.py`` fails when the SDK changes.
The pack relies on:

* ``pulumi_policy.policy._PolicyAnalyzerServicer``, the gRPC servicer of a pack: its constructor
  takes the pack's name, its version and its policies first, and it answers ``Analyze`` (one
  resource) and ``AnalyzeStack``. ``PolicyPack`` looks the class up in that module when it starts to
  serve, so that a subclass can take its place.
* The methods of the servicer that read a policy's level and settings, a resource's options and its
  provider, and that make the function with which a policy reports a violation.
* ``pulumi_policy.proxy._is_unknown``: whether the engine does not know a value yet.
* ``pulumi_policy.deserialize``: ``deserialize_properties``, which the tests use to read recordings
  as well, and the signature of a secret value, which it removes.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct, Value
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ResourceValidationArgs,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import policy as sdk
from pulumi_policy.deserialize import (
    SPECIAL_SECRET_SIG,
    SPECIAL_SIG_KEY,
    deserialize_properties,
)
from pulumi_policy.policy import _PolicyAnalyzerServicer
from pulumi_policy.proxy import _is_unknown

from policies.framework.paths import MARKED_SECRET, UNKNOWN
from policies.framework.rules import ResourceRule
from policies.rules import RULES
from resource_types.estate import STACK

__all__ = ["Servicer", "deserialize_properties", "serve_with_own_servicer"]

VERSION: Final = "1.21.0"
"""The version of pulumi-policy that this module was checked against."""

_RESOURCE_RULES: Final = {rule.id: rule for rule in RULES if isinstance(rule, ResourceRule)}


class Servicer(_PolicyAnalyzerServicer):
    """The SDK's servicer, which reads a resource once, and only for the rules of its type.

    The SDK deserializes a resource's properties again for every policy of a pack, and all resources
    again for every policy about the stack. That took three quarters of the time of the policies.

    Properties are plain dicts and lists, with ``UNKNOWN`` for each value that is not known yet.

    Rules about the whole stack see more than from the SDK: inputs, and secrecy. The engine sends
    the outputs for them. A provider's outputs have its defaults beside what the program sets, such
    as ``value: ""`` beside a variable's ``valueSource``, and values that its schema makes secret.
    In the preview that creates a cluster, the objects in it have no outputs at all. So a property
    that the program sets is what the program sets, and outputs add the rest. Values are in plain
    text, so ``MARKED_SECRET`` names the outputs of the stack that are secret.
    """

    def __init__(self, name: str, version: str, policies: list[Policy], *others: Any) -> None:
        super().__init__(name, version, policies, *others)
        self._inputs: dict[str, Struct] = {}
        self._by_type: dict[str, list[Policy]] = {}
        self._of_stack = [
            policy for policy in policies if isinstance(policy, StackValidationPolicy)
        ]
        self._of_resources = [policy for policy in policies if policy not in self._of_stack]

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        self._inputs[request.urn] = request.properties
        arguments = (
            request.type,
            _plain_properties(request),
            request.urn,
            request.name,
            self._get_resource_options(request),
            self._get_provider_resource(request),
        )
        response = analyzer_pb2.AnalyzeResponse()
        for policy in self._applying_to(request.type):
            config = self._get_policy_config(policy.name)
            self._evaluate(policy, ResourceValidationArgs(*arguments, config), response)
        return response

    def _applying_to(self, token: str) -> list[Policy]:
        if token not in self._by_type:
            self._by_type[token] = [
                policy
                for policy in self._of_resources
                if _RESOURCE_RULES[policy.name].applies_to(token)
            ]
        return self._by_type[token]

    def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        merged = analyzer_pb2.AnalyzeStackRequest()
        merged.CopyFrom(request)
        for resource in merged.resources:
            outputs = resource.properties.fields
            for name in [name for name, value in outputs.items() if _is_null(value)]:
                del outputs[name]
            for name, value in self._inputs.get(resource.urn, Struct()).fields.items():
                outputs[name].CopyFrom(value)
            if resource.type == STACK:
                marked = [name for name, value in outputs.items() if _has_secret(value)]
                outputs[MARKED_SECRET].list_value.extend(marked)
        resources = self._resources(merged)
        response = analyzer_pb2.AnalyzeResponse()
        for policy in self._of_stack:
            config = self._get_policy_config(policy.name)
            self._evaluate(policy, StackValidationArgs(resources, config), response)
        return response

    def _evaluate(self, policy: Any, arguments: Any, response: Any) -> None:
        level = self._get_enforcement_level(policy)
        if level is EnforcementLevel.DISABLED:
            return
        if level is EnforcementLevel.REMEDIATE:  # no rule can
            level = EnforcementLevel.MANDATORY
        report = self._create_report_violation(
            response, policy.name, policy.description, level, policy.severity
        )
        policy.validate(arguments, report)

    def _resources(self, request: Any) -> list[PolicyResource]:
        resources = {
            found.urn: PolicyResource(
                found.type,
                _plain_properties(found),
                found.urn,
                found.name,
                self._get_resource_options(found),
                self._get_provider_resource(found),
                None,
                [],
                {},
            )
            for found in request.resources
        }

        def known(urns: Any) -> list[PolicyResource]:
            return [resources[urn] for urn in urns if urn in resources]

        for found in request.resources:
            resource = resources[found.urn]
            resource.parent = resources.get(found.parent)
            resource.dependencies = known(found.dependencies)
            resource.property_dependencies = {
                name: known(sources.urns) for name, sources in found.propertyDependencies.items()
            }
        return list(resources.values())


def _plain_properties(message: Any) -> Any:
    return _plain(deserialize_properties(MessageToDict(message.properties)))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return UNKNOWN if _is_unknown(value) else value


def _is_null(value: Value) -> bool:
    return bool(value.WhichOneof("kind") == "null_value")


def _has_secret(value: Value) -> bool:
    """Whether the engine has a part of the value as a secret; the SDK shows plain values."""
    if value.WhichOneof("kind") == "list_value":
        return any(map(_has_secret, value.list_value.values))
    fields = value.struct_value.fields
    signature = fields[SPECIAL_SIG_KEY].string_value if SPECIAL_SIG_KEY in fields else ""
    return signature == SPECIAL_SECRET_SIG or any(map(_has_secret, fields.values()))


def serve_with_own_servicer() -> None:
    """Make the next pack of this process serve with ``Servicer``."""
    sdk._PolicyAnalyzerServicer = Servicer  # type: ignore[assignment, misc]

"""Everything that the pack uses of the policy SDK beyond its documented interface.

Checked against pulumi-policy 1.21.0; ``tests/test_sdk_internals.py`` fails when the SDK changes.
The pack relies on:

* ``pulumi_policy.policy._PolicyAnalyzerServicer``, the gRPC servicer of a pack: its constructor
  takes the pack's name, its version and its policies first, and it answers ``Analyze`` (one
  resource), ``AnalyzeStack`` and ``Configure``. ``PolicyPack`` looks the class up in that module
  when it starts to serve, so that a subclass can take its place.
* ``pulumi_policy.proxy.UnknownValueError``, raised when a policy reads a value that is not known.
* ``pulumi_policy.deserialize``: ``deserialize_properties``, which the tests use to read recordings,
  and the signature of a secret value, which it removes.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.struct_pb2 import Struct, Value
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import Policy
from pulumi_policy import policy as sdk
from pulumi_policy.deserialize import (
    SPECIAL_SECRET_SIG,
    SPECIAL_SIG_KEY,
    deserialize_properties,
)
from pulumi_policy.policy import _PolicyAnalyzerServicer
from pulumi_policy.proxy import UnknownValueError

from policies.framework.paths import COMPONENT_PREFIX, EVERY_TYPE, MARKED_SECRET
from policies.framework.rules import ResourceRule
from policies.rules import RULES
from resource_types.estate import STACK

__all__ = ["Servicer", "ServicerByType", "UnknownValueError", "deserialize_properties"]

VERSION: Final = "1.21.0"
"""The version of pulumi-policy that this module was checked against."""

_RESOURCE_RULES: Final = [rule for rule in RULES if isinstance(rule, ResourceRule)]


class Servicer(_PolicyAnalyzerServicer):
    """The SDK's servicer, which shows more to rules about the whole stack: inputs, and secrecy.

    The engine sends the outputs for those rules. A provider's outputs have its defaults beside what
    the program sets, such as ``value: ""`` beside a variable's ``valueSource``, and values that its
    schema makes secret. In the preview that creates a cluster, the objects in it have no outputs at
    all. So a property that the program sets is what the program sets, and outputs add the rest.
    Values are in plain text, so ``MARKED_SECRET`` names the outputs of the stack that are secret.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._inputs: dict[str, Struct] = {}

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        self._inputs[request.urn] = request.properties
        return super().Analyze(request, context)  # type: ignore[no-untyped-call]

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
        return super().AnalyzeStack(merged, context)  # type: ignore[no-untyped-call]


def _is_null(value: Value) -> bool:
    return bool(value.WhichOneof("kind") == "null_value")


def _has_secret(value: Value) -> bool:
    """Whether the engine has a part of the value as a secret; the SDK shows plain values."""
    if value.WhichOneof("kind") == "list_value":
        return any(map(_has_secret, value.list_value.values))
    fields = value.struct_value.fields
    signature = fields[SPECIAL_SIG_KEY].string_value if SPECIAL_SIG_KEY in fields else ""
    return signature == SPECIAL_SECRET_SIG or any(map(_has_secret, fields.values()))


class ServicerByType(Servicer):
    """The servicer of this pack, with one more servicer for each type that has rules.

    The SDK deserializes a resource's properties again for every policy of a pack. All rules for all
    resources take 1.5 seconds of every preview, for rules that look at the type and return. The SDK
    has no public way to state the types of a policy.
    """

    def __init__(self, name: str, version: str, policies: list[Policy], *others: Any) -> None:
        super().__init__(name, version, policies, *others)
        types = {EVERY_TYPE, *(token for rule in _RESOURCE_RULES for token in rule.types)}
        self._by_type = {
            token: _PolicyAnalyzerServicer(name, version, _applying_to(token, policies), *others)
            for token in types
        }

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        self._inputs[request.urn] = request.properties
        is_component = request.type.startswith(COMPONENT_PREFIX)
        token = COMPONENT_PREFIX if is_component else request.type
        servicer = self._by_type.get(token, self._by_type[EVERY_TYPE])
        return servicer.Analyze(request, context)  # type: ignore[no-untyped-call]

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        for servicer in self._by_type.values():
            servicer.Configure(request, context)  # type: ignore[no-untyped-call]
        return super().Configure(request, context)  # type: ignore[no-untyped-call]


def _applying_to(token: str, policies: list[Policy]) -> list[Policy]:
    ids = {rule.id for rule in _RESOURCE_RULES if rule.applies_to(token)}
    return [policy for policy in policies if policy.name in ids]


def evaluate_by_type() -> None:
    """Make the next pack of this process evaluate only the rules of a resource's type."""
    sdk._PolicyAnalyzerServicer = ServicerByType  # type: ignore[assignment, misc]

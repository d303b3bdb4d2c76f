"""Asks only the rules of a resource's type.

The SDK unpacks a resource's properties anew for every policy of a pack. With all rules for all
resources that is a second and a half of every preview, spent on rules that look at the type and
return. It has no public way to say which types a policy is about, so its servicer is replaced.
"""

from __future__ import annotations

from typing import Any, Final

from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import Policy
from pulumi_policy import policy as sdk

from policies.rule import OURS, ResourceRule
from policies.rules import RULES

_Original: Final = sdk._PolicyAnalyzerServicer


class Servicer(sdk._PolicyAnalyzerServicer):
    """The SDK's servicer, with one more of them for each type that rules are about."""

    def __init__(self, name: str, version: str, policies: list[Policy], *others: Any) -> None:
        super().__init__(name, version, policies, *others)
        types = {kind for rule in RULES if isinstance(rule, ResourceRule) for kind in rule.types}
        self._by_type = {
            kind: _Original(name, version, _about(kind, policies), *others) for kind in types
        }

    def Analyze(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        kind = OURS if request.type.startswith(OURS) else request.type
        servicer = self._by_type.get(kind)
        if servicer is None:
            return analyzer_pb2.AnalyzeResponse()
        return servicer.Analyze(request, context)  # type: ignore[no-untyped-call]

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        for servicer in self._by_type.values():
            servicer.Configure(request, context)  # type: ignore[no-untyped-call]
        return super().Configure(request, context)  # type: ignore[no-untyped-call]


def _about(kind: str, policies: list[Policy]) -> list[Policy]:
    ids = {rule.id for rule in RULES if isinstance(rule, ResourceRule) and rule.is_about(kind)}
    return [policy for policy in policies if policy.name in ids]


def ask_by_type() -> None:
    """Let the next pack of this process be served this way."""
    sdk._PolicyAnalyzerServicer = Servicer  # type: ignore[assignment, misc]

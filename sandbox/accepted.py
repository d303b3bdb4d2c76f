"""The answer of a platform to inputs that it does not accept.

A platform gives it in the middle of an ``up``. The sandbox also gives it in a preview, so that a
mistake stops a program before anything is changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from resource_types.constraints import CONSTRAINTS
from resource_types.constraints.primitives import Inputs
from sandbox import admission
from sandbox.resource import Resource
from sandbox.schema import CheckFailure
from sandbox.values import UNKNOWN

_UNKNOWN: Final = object()
"""What an unknown value is to the constraints. ``UNKNOWN`` is a text, which they would check."""


def rejections(token: str, resource: Resource) -> Iterator[CheckFailure]:
    """The inputs that the platform of the type rejects; values that are not known are skipped.

    A failure holds no value, which could be a secret.
    """
    if token.startswith("kubernetes:"):
        for check in admission.checks_of(token):
            yield from check(resource)
    inputs = Inputs(_marked(resource.inputs), _UNKNOWN)
    for constraint in CONSTRAINTS.get(token, ()):
        for path, expected in constraint.rejections(inputs):
            yield CheckFailure(path, f"expected {expected}")


def _marked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _marked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_marked(item) for item in value]
    return _UNKNOWN if value == UNKNOWN else value

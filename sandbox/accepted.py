"""The answer of a platform to inputs that it does not accept.

A platform gives it in the middle of an ``up``. The sandbox also gives it in a preview, so that a
mistake stops a program before anything is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from resource_types.accepted import ACCEPTED
from resource_types.accepted.checks import Inputs
from sandbox import admission
from sandbox.resource import Resource
from sandbox.schema import CheckFailure, record_of
from sandbox.values import UNKNOWN


def refusals(token: str, resource: Resource) -> Iterator[CheckFailure]:
    """The inputs that the platform of the type refuses; values that are not known are skipped."""
    if token.startswith("kubernetes:"):
        for check in admission.checks_of(token):
            yield from check(resource)
    secret = record_of(token).secret_outputs
    for acceptance in ACCEPTED.get(token, ()):
        for refusal in acceptance.refusals(Inputs(resource.inputs, UNKNOWN)):
            pattern = re.sub(r"\[\d+\]", "[]", refusal.path)
            value = dict(resource.values_at(pattern)).get(refusal.path)
            shown = "[secret]" if pattern in secret else repr(value)[:200]
            yield CheckFailure(
                refusal.path, f"{shown} is not accepted; expected {refusal.expected}"
            )

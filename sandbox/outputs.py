"""The outputs that a provider reports: after a change, and in a preview."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox import recorded
from sandbox.models import model_of
from sandbox.models.base import evaluate
from sandbox.resource import Resource
from sandbox.schema import Shape, record_of, schema_of
from sandbox.values import (
    DEFAULTS,
    UNKNOWN,
    Properties,
    fill,
    is_secret,
    is_special,
    join,
    mark_secret,
    reveal,
    secret,
)

_PROVIDER_SETTINGS: Final = ("project", "region", "zone")
"""Outputs that come from the provider's own settings, known even in a preview."""

_EMPTY_VALUES: Final[dict[str, Any]] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "list": [],
    "map": {},
}


def outputs_of(token: str, resource: Resource, inputs: Properties, identity: str) -> Properties:
    """All outputs of a resource that exists: its inputs, the provider's values, the model's."""
    model = model_of(token)
    if model.server_defaults is not None:
        return _mark_secrets(token, fill(inputs, model.server_defaults(resource)))
    outputs = _Provider(token, resource.settings, applied=True).outputs(inputs, identity)
    for name, computed in model.outputs.items():
        value = evaluate(computed, resource)
        if value is not None:
            outputs[name] = value
    return _mark_secrets(token, outputs)


def preview_creation(token: str, inputs: Properties, settings: Properties) -> Properties:
    """The outputs in the preview of a creation: the inputs, defaults, and unknown values."""
    model = model_of(token)
    if model.server_defaults is not None:
        return _mark_secrets(token, fill(inputs, model.unknown_in_preview))
    outputs = dict.fromkeys(model.outputs, UNKNOWN)
    outputs |= _Provider(token, settings, applied=False).outputs(inputs, UNKNOWN)
    resource = Resource(reveal(inputs), settings)
    outputs |= {name: evaluate(model.outputs[name], resource) for name in model.known_in_preview}
    return _mark_secrets(token, fill(outputs, model.unknown_in_preview))


@dataclass(frozen=True, slots=True)
class _Provider:
    """What a provider adds to the inputs of a resource.

    Attributes:
        token: the resource's type.
        settings: the provider's settings.
        applied: whether the resource exists; in a preview, computed values are unknown.
    """

    token: str
    settings: Properties
    applied: bool

    def outputs(self, inputs: Properties, identity: str) -> Properties:
        """The inputs with everything that the provider adds."""
        program = {name: value for name, value in inputs.items() if name != DEFAULTS}
        outputs: Properties = self._complete(program, schema_of(self.token).outputs, "")
        if self._name in recorded.BRIDGED and self.token not in recorded.WITHOUT_ID:
            outputs["id"] = identity
        return outputs

    @property
    def _name(self) -> str:
        return self.token.partition(":")[0]

    def _complete(self, value: Any, shape: Shape, path: str) -> Any:
        """The value with the properties that nobody sets, at any depth."""
        if is_secret(value):
            return secret(self._complete(value["value"], shape, path))
        if isinstance(value, list) and shape.element is not None:
            return [self._complete(element, shape.element, f"{path}[]") for element in value]
        if not isinstance(value, Mapping) or is_special(value):
            return value
        completed = dict(value)
        for name, field in shape.fields.items():
            inner = join(path, name)
            if name in value:
                completed[name] = self._complete(value[name], field, inner)
            else:
                completed |= self._unset(name, field, inner, name in shape.computed)
        return completed

    def _unset(self, name: str, shape: Shape, path: str, computed: bool) -> Properties:
        """A property that the program does not set; empty if the provider leaves it out."""
        defaults = recorded.DEFAULTS.get(self.token, {})
        if path in defaults:
            value = defaults[path]
        elif computed and path in recorded.PROVIDER_DEFAULTS.get(self._name, {}):
            value = recorded.PROVIDER_DEFAULTS[self._name][path]
        elif computed:
            value = self.settings.get(path, UNKNOWN) if path in _PROVIDER_SETTINGS else UNKNOWN
        elif self._name in recorded.EXPLICIT_NULLS:
            value = [] if _is_repeated_block(shape) else None
        else:
            return {}
        if value == UNKNOWN and self.applied:
            value = _EMPTY_VALUES.get(shape.kind)
        return {name: self._complete(value, shape, path)}


def _is_repeated_block(shape: Shape) -> bool:
    return shape.kind == "list" and shape.element is not None and shape.element.kind == "object"


def preview_update(
    present: Properties, before: Properties, after: Properties, inputs: Properties
) -> Properties:
    """The outputs in the preview of an update: those of today, with what it changes unknown.

    Args:
        present: the outputs of today. Another provider may have made them, with other values than
            the sandbox's, and more of them.
        before, after: the sandbox's outputs for the inputs of today, and for the new ones.
        inputs: the new ones.
    """
    more = {name: value for name, value in present.items() if name not in {*before, *after}}
    changed = {
        name: _preview_value(present.get(name), before.get(name), value, inputs.get(name))
        for name, value in after.items()
    }
    return {**more, **changed}


def _preview_value(present: Any, before: Any, after: Any, value: Any) -> Any:
    """The output of today if it stays, the new one if an input sets it; unknown otherwise."""
    if after == before:
        return after if present is None else present
    if isinstance(after, Mapping) and isinstance(value, Mapping) and not is_special(after):
        today, old = (each if isinstance(each, Mapping) else {} for each in (present, before))
        return preview_update({**today}, {**old}, {**after}, {**value})
    return after if value is not None else UNKNOWN


def _mark_secrets(token: str, outputs: Properties) -> Properties:
    for pattern in record_of(token).secret_outputs:
        outputs = mark_secret(outputs, pattern)
    return outputs

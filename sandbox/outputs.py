"""The outputs that a provider reports: after a change, and in a preview."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.models import model_of
from sandbox.models.base import evaluate
from sandbox.resource import Resource
from sandbox.schema import Output, record_of, schema_of
from sandbox.values import DEFAULTS, UNKNOWN, Properties, fill, is_secret, is_special, secret

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


def outputs_of(token: str, resource: Resource, inputs: Properties) -> Properties:
    """All outputs: empty values, then the inputs, then the outputs of the type's model."""
    model = model_of(token)
    if model.server_defaults is not None:
        return _mark_secrets(token, fill(inputs, model.server_defaults(resource)))
    outputs: Properties = {
        name: value
        for name, output in schema_of(token).outputs.items()
        if output.always_set and (value := _unset_value(name, output, resource)) is not None
    }
    outputs |= {name: value for name, value in inputs.items() if name != DEFAULTS}
    for name, computed in model.outputs.items():
        value = evaluate(computed, resource)
        if value is not None:
            outputs[name] = value
    return _mark_secrets(token, outputs)


def _unset_value(name: str, output: Output, resource: Resource) -> Any:
    """The value of an output that nothing sets: the provider's setting, or an empty value."""
    setting = resource.settings.get(name) if name in _PROVIDER_SETTINGS else None
    return setting or _EMPTY_VALUES.get(output.kind)


def preview_creation(token: str, inputs: Properties, settings: Properties) -> Properties:
    """The outputs in the preview of a creation: the inputs, and unknown values."""
    model = model_of(token)
    if model.server_defaults is not None:
        return _mark_secrets(token, fill(inputs, model.unknown_in_preview))
    computed = {name for name, output in schema_of(token).outputs.items() if output.always_set}
    outputs: Properties = dict.fromkeys(sorted(computed | model.outputs.keys()), UNKNOWN)
    outputs |= {
        name: settings[name] for name in _PROVIDER_SETTINGS if name in computed & settings.keys()
    }
    outputs |= {name: value for name, value in inputs.items() if name != DEFAULTS}
    return _mark_secrets(token, fill(outputs, model.unknown_in_preview))


def preview_update(before: Properties, after: Properties, inputs: Properties) -> Properties:
    """The outputs in the preview of an update: ``after``, with what the update changes unknown."""
    return {
        name: _preview_value(value, before.get(name), inputs.get(name))
        for name, value in after.items()
    }


def _preview_value(after: Any, before: Any, value: Any) -> Any:
    """The output if an input sets it or if it stays the same; unknown otherwise."""
    if isinstance(after, Mapping) and isinstance(value, Mapping) and not is_special(after):
        old = before if isinstance(before, Mapping) else {}
        return {
            name: _preview_value(element, old.get(name), value.get(name))
            for name, element in after.items()
        }
    return after if value is not None or after == before else UNKNOWN


def _mark_secrets(token: str, outputs: Properties) -> Properties:
    for name in record_of(token).secret_outputs:
        if name in outputs and not is_secret(outputs[name]):
            outputs[name] = secret(outputs[name])
    return outputs

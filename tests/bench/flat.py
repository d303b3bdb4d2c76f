"""The floor of a preview: only registers the estate's resources, one after the other.

``record`` keeps what a program sends to the engine, resource by resource. ``register`` sends it
again from a program without components or settings: each resource through its typed class of the
SDK, with the same inputs, options, provider and dependencies. A generic ``CustomResource`` would be
faster, but skips work that no real program can skip.
"""

from __future__ import annotations

import importlib
import itertools
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pulumi import CustomResource, Output, ProviderResource, ResourceOptions
from pulumi.runtime import rpc, settings
from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest

from sandbox.schema import SDKS
from sandbox.values import UNKNOWN, decode, is_secret

PROVIDERS: Final = "pulumi:providers:"

Key = tuple[str, str]
"""Type and logical name. Unlike a URN, it does not depend on the parent."""

Made = Mapping[Key, CustomResource]


def record(folder: Path) -> None:
    """From now on, keep every custom resource that this program registers in ``folder``."""
    monitor = settings.get_monitor()
    assert monitor is not None, "this runs inside a program, to which the engine listens"
    send = monitor.RegisterResource
    positions = itertools.count()

    def keep(request: RegisterResourceRequest) -> Any:
        response = send(request)
        if request.custom:
            # Numbered by reply: a resource that depends on another is sent after its reply.
            (folder / f"{next(positions):05}").write_bytes(request.SerializeToString())
        return response

    monitor.RegisterResource = keep


def recorded(folder: Path) -> list[RegisterResourceRequest]:
    """The requests that ``record`` kept, each after those of its dependencies."""
    files = sorted(folder.iterdir())
    return [RegisterResourceRequest.FromString(file.read_bytes()) for file in files]


def essence(request: RegisterResourceRequest) -> tuple[Key, object]:
    """The part of a request that is equal in two programs that register the same resource."""
    edges = {name: _keys(edge.urns) for name, edge in request.propertyDependencies.items()}
    return (request.type, request.name), (
        request.object,
        _keys([request.provider] if request.provider else []),
        request.protect,
        request.deleteBeforeReplace,
        sorted(request.ignoreChanges),
        sorted(request.additionalSecretOutputs),
        _keys(request.dependencies),
        {name: edge for name, edge in edges.items() if edge},
    )


def register(folder: Path) -> None:
    """Register the resources that ``record`` kept in ``folder``."""
    made: dict[Key, CustomResource] = {}
    for request in recorded(folder):
        make = _class_of(request.type)
        made[request.type, request.name] = make(
            request.name, **_inputs(request, made), opts=_options(request, made)
        )


def _class_of(token: str) -> Any:
    """The typed class of the SDK for a resource type."""
    if token.startswith(PROVIDERS):
        return importlib.import_module(SDKS[token.removeprefix(PROVIDERS)]).Provider
    provider, module_name, _ = token.split(":")
    importlib.import_module(SDKS[provider])  # makes its modules known
    module: Any = rpc.get_resource_module(provider, module_name, "")
    home = importlib.import_module(module.mod_info["fqn"])
    return getattr(home, module.mod_info["classes"][token])


def _options(request: RegisterResourceRequest, made: Made) -> ResourceOptions:
    provider = made[_key(request.provider)] if request.provider else None
    assert provider is None or isinstance(provider, ProviderResource)
    implied = {urn for edge in request.propertyDependencies.values() for urn in edge.urns}
    return ResourceOptions(
        provider=provider,
        depends_on=[made[_key(urn)] for urn in request.dependencies if urn not in implied],
        protect=request.protect or None,
        ignore_changes=list(request.ignoreChanges),
        delete_before_replace=request.deleteBeforeReplace or None,
    )


def _inputs(request: RegisterResourceRequest, made: Made) -> dict[str, Any]:
    inputs = {}
    for name, sent in decode(request.object).items():
        sources = [made[_key(urn)] for urn in request.propertyDependencies[name].urns]
        value = _given(sent, sources)
        if request.type.startswith(PROVIDERS) and sent in ("true", "false"):
            value = sent == "true"  # provider settings travel as text
        elif sources and UNKNOWN not in json.dumps(sent):
            # The value is known, but in the estate only after its sources are registered.
            value = Output.all(value, *(source.urn for source in sources)).apply(_first)
        inputs[re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()] = value
    return inputs


def _given(sent: Any, sources: list[CustomResource]) -> Any:
    """The input for which the SDK sends ``sent``."""
    if sent == UNKNOWN:
        return Output.all(*(source.id for source in sources)).apply(_first)
    if is_secret(sent):
        return Output.secret(_given(sent["value"], sources))
    if isinstance(sent, Mapping):
        return {name: _given(element, sources) for name, element in sent.items()}
    if isinstance(sent, list):
        return [_given(element, sources) for element in sent]
    return sent


def _first(answers: list[Any]) -> Any:
    return answers[0]


def _key(reference: str) -> Key:
    """The key of a URN, or of a provider's reference ``URN::id``."""
    _, _, types, name, *_ = reference.split("::")
    return types.rpartition("$")[2], name


def _keys(references: Iterable[str]) -> list[Key]:
    return sorted({_key(reference) for reference in references})

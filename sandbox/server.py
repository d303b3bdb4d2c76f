"""The providers: one gRPC server each, in threads of this process.

The engine attaches to a running provider instead of starting a plugin when the variable
``PULUMI_DEBUG_PROVIDERS`` contains its port.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import re
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox import kubernetes, schema
from sandbox.accepted import rejections
from sandbox.cloud import ApiError, Cloud
from sandbox.diff import Change, compare
from sandbox.models import model_of
from sandbox.outputs import preview_creation
from sandbox.resource import Resource
from sandbox.schema import CheckFailure, UnknownType
from sandbox.values import DEFAULTS, Properties, decode, encode, reveal

_STATUS_CODES: Final = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    403: grpc.StatusCode.FAILED_PRECONDITION,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ALREADY_EXISTS,
}
_OPTIONS: Final = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.so_reuseport", 0),
)
_THREADS: Final = 128  # a delayed or crashed operation occupies one; they start on demand

_Reply = TypeVar("_Reply")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault in one of the operations that change the cloud.

    Attributes:
        at: the number of the operation. The first create, update or delete after the start of the
            sandbox is 1.
        effect: ``error`` replies with an error, ``delay`` waits, ``crash`` calls the sandbox's
            ``crash`` and never replies.
        moment: ``before`` the change of the cloud, or ``after`` the change is stored.
        seconds: the length of a delay.
        message: the message of an error.
    """

    at: int
    effect: Literal["error", "delay", "crash"]
    moment: Literal["before", "after"] = "after"
    seconds: float = 0
    message: str = ""


DYNAMIC: Final = ("pulumi-nodejs", "pulumi-python")
"""The providers that run code from the inputs of a resource (``pulumi.dynamic``).

The official CLI brings them along, and a preview would run that code. Here they serve nothing.
Source: ``IsPluginBundled`` in ``sdk/go/common/workspace/plugins.go`` of pulumi/pulumi.
"""


class Sandbox:
    """A cloud with its providers, which run while the ``with`` block runs.

    Args:
        directory: the directory of the cloud's file, ``cloud.sqlite``; created if it is missing.
        faults: the faults to inject.
        crash: what a ``crash`` fault calls, such as a function that kills the engine.

    Attributes:
        environment: the variables that make the engine attach to the providers.
    """

    def __init__(
        self,
        directory: Path,
        faults: Sequence[Fault] = (),
        crash: Callable[[], None] | None = None,
    ) -> None:
        self.environment: dict[str, str] = {}
        self._directory = directory
        self._faults = _Faults(faults, crash)
        self._servers: list[grpc.Server] = []
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sandbox")

    def __enter__(self) -> Self:
        self._cloud = Cloud(self._directory)
        ports = []
        for name in schema.SDKS:
            server = grpc.server(self._threads, options=_OPTIONS)
            provider_pb2_grpc.add_ResourceProviderServicer_to_server(
                _Provider(name, self._cloud, self._faults), server
            )
            ports.append(f"{name}:{server.add_insecure_port('127.0.0.1:0')}")
            server.start()
            self._servers.append(server)
        nothing = grpc.server(self._threads)
        port = nothing.add_insecure_port("127.0.0.1:0")
        nothing.start()
        self._servers.append(nothing)
        ports += [f"{name}:{port}" for name in DYNAMIC]
        self.environment = {"PULUMI_DEBUG_PROVIDERS": ",".join(ports)}
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        stopped = [server.stop(grace=None) for server in self._servers]
        for event in stopped:
            event.wait()
        self._threads.shutdown()  # running operations still change the cloud, as in a real one
        self._servers.clear()
        self.environment = {}
        self._cloud.close()

    def take_over(self, resources: Sequence[Properties]) -> None:
        """Hold what a state names, as if it had been created here."""
        self._cloud.take_over(resources)

    def ids_of(self, urn: str) -> list[str]:
        """The ids of what a resource of the program created and did not delete, newest first.

        After a crash they show whether an interrupted creation was completed.
        """
        return self._cloud.ids_of(urn)


class _Faults:
    """Counts the operations that change the cloud, and injects the faults."""

    def __init__(self, faults: Sequence[Fault], crash: Callable[[], None] | None) -> None:
        self._faults = faults
        self._crash = crash
        self._numbers = itertools.count(1)

    def around(self, change: Callable[[], _Reply], context: grpc.ServicerContext) -> _Reply:
        number = next(self._numbers)
        faults = [fault for fault in self._faults if fault.at == number]
        self._inject(faults, "before", context)
        reply = change()
        self._inject(faults, "after", context)
        return reply

    def _inject(self, faults: Sequence[Fault], moment: str, context: grpc.ServicerContext) -> None:
        for fault in faults:
            if fault.moment != moment:
                continue
            match fault.effect:
                case "delay":
                    time.sleep(fault.seconds)
                case "error":
                    message = fault.message or f"injected fault at operation {fault.at}"
                    context.abort(grpc.StatusCode.UNAVAILABLE, message)
                case "crash":
                    disconnected = threading.Event()
                    context.add_callback(disconnected.set)
                    if self._crash is not None:
                        self._crash()
                    disconnected.wait()  # so that the engine never gets a reply
                    context.abort(grpc.StatusCode.CANCELLED, "crashed")


def _reports_errors(method: Callable[..., Any]) -> Callable[..., Any]:
    """Reply with a gRPC error, which the engine shows, when the cloud rejects the request."""

    @functools.wraps(method)
    def reporting(self: _Provider, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except ApiError as error:
            context.abort(_STATUS_CODES[error.code], str(error))
        except UnknownType as error:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))

    return reporting


class _Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One provider. Every explicit provider of a program connects to it separately."""

    def __init__(self, name: str, cloud: Cloud, faults: _Faults) -> None:
        self._name = name
        self._cloud = cloud
        self._faults = faults
        # By connection, because two explicit providers of a program can have different projects.
        self._settings: dict[str, Properties] = {}

    # -- The provider itself -----------------------------------------------------------------------

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Empty:
        return Empty()

    def Handshake(
        self, request: Any, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True)

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=schema.version(self._name))

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Empty:
        return Empty()

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        known = schema.provider_settings(self._name) | {"version", "pluginDownloadURL"}
        unknown = [name for name in request.news.fields if name not in known]
        return provider_pb2.CheckResponse(
            inputs=request.news,
            failures=_failures(
                [CheckFailure(name, "no such provider setting") for name in unknown]
            ),
        )

    def DiffConfig(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        old, new = decode(request.old_inputs), decode(request.news)
        is_kubernetes = self._name == "kubernetes"
        replace_on = kubernetes.config_replacements(old, new) if is_kubernetes else ()
        return _difference(compare(old, new, replace_on), delete_first=False)

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        self._settings[context.peer()] = reveal(decode(request.args))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=True
        )

    @_reports_errors
    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> Any:
        raise ApiError(403, f"{request.tok}: the sandbox has no data sources")

    # -- Resources ---------------------------------------------------------------------------------

    @_reports_errors
    def Check(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        shape = schema.schema_of(request.type).inputs
        inputs, failures = schema.check(decode(request.news), shape)
        if not failures:
            settings = self._settings_of(context)
            if self._name == "kubernetes":
                inputs = kubernetes.complete(
                    *(request.type, request.name, request.randomSeed),
                    *(decode(request.olds), inputs, settings),
                )
            _autoname(inputs, request)
            resource = Resource(reveal(inputs), settings)
            checks = model_of(request.type).checked_at_preview
            failures = [failure for check in checks for failure in check(resource)]
            failures += rejections(request.type, resource)
            old = reveal(decode(request.olds))
            failures += [
                CheckFailure(update.path, update.text)
                for update in schema.record_of(request.type).updates
                if update.effect == "refused" and update.applies(old, resource.inputs)
            ]
            has_project = "project" in shape.fields and self._name == "gcp"
            if has_project and not (inputs.get("project") or settings.get("project")):
                failures.append(
                    CheckFailure("project", "neither the resource nor its provider sets it")
                )
        return provider_pb2.CheckResponse(inputs=encode(inputs), failures=_failures(failures))

    @_reports_errors
    def Diff(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        old, new = decode(request.old_inputs), decode(request.news)
        record = schema.record_of(request.type)
        if self._name == "kubernetes":
            replace_on = kubernetes.replace_on(request.type, new, self._settings_of(context))
            delete_first = kubernetes.keeps_its_name(old, new)
        else:
            replace_on = record.replace_on
            delete_first = _keeps_its_name(request.type, old, new)
        return _difference(compare(old, new, replace_on, record.updates), delete_first)

    @_reports_errors
    def Create(
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        inputs, settings = decode(request.properties), self._settings_of(context)
        if request.preview:
            outputs = preview_creation(request.type, inputs, settings)
            return provider_pb2.CreateResponse(properties=encode(outputs))
        record = self._faults.around(
            lambda: self._cloud.create(request.urn, request.type, inputs, settings), context
        )
        return provider_pb2.CreateResponse(id=record.id, properties=encode(record.outputs))

    @_reports_errors
    def Read(
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        record = self._cloud.read(request.type, request.id)
        if record is None:
            return provider_pb2.ReadResponse()
        inputs = record.inputs
        if self._name == "kubernetes" and request.inputs.fields:
            inputs = kubernetes.prune(inputs, decode(request.inputs))
        return provider_pb2.ReadResponse(
            id=record.id, inputs=encode(inputs), properties=encode(record.outputs)
        )

    @_reports_errors
    def Update(
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        inputs, settings = decode(request.news), self._settings_of(context)
        if request.preview:
            record = self._cloud.read(request.type, request.id)
            if record is None:
                outputs = preview_creation(request.type, inputs, settings)
            else:
                outputs = self._cloud.plan(record, inputs, settings)
            return provider_pb2.UpdateResponse(properties=encode(outputs))
        record = self._faults.around(
            lambda: self._cloud.update(request.type, request.id, inputs, settings), context
        )
        return provider_pb2.UpdateResponse(properties=encode(record.outputs))

    @_reports_errors
    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> Empty:
        state = decode(request.properties)
        self._faults.around(lambda: self._cloud.delete(request.type, request.id, state), context)
        return Empty()

    def _settings_of(self, context: grpc.ServicerContext) -> Properties:
        return self._settings.get(context.peer(), {})


def _failures(failures: Sequence[CheckFailure]) -> list[provider_pb2.CheckFailure]:
    return [
        provider_pb2.CheckFailure(property=failure.path, reason=failure.reason)
        for failure in failures
    ]


def _autonamed_input(token: str) -> str | None:
    """The input for which the provider generates a name when the program sets none, if any."""
    name = model_of(token).name
    inputs = schema.schema_of(token).inputs
    return name if name in inputs.fields and name not in inputs.required else None


def _autoname(inputs: Properties, request: provider_pb2.CheckRequest) -> None:
    """Set a physical name that is not set: the logical name and seven hexadecimal digits.

    https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming
    """
    name = _autonamed_input(request.type)
    if name is None or name in inputs:
        return
    old = decode(request.olds)
    if name in old.get(DEFAULTS, ()):
        inputs[name] = old[name]
    else:
        digits = hashlib.sha256(request.randomSeed or secrets.token_bytes(16)).hexdigest()[:7]
        stem = re.sub(r"[^a-z0-9-]", "-", request.name.lower())
        inputs[name] = f"{stem[:22]}-{digits}"  # at most 30 characters, as in a service account
    inputs[DEFAULTS] = [name]


def _keeps_its_name(token: str, old: Properties, new: Properties) -> bool:
    """Whether the replacement has the same name, so that Google's provider deletes first.

    ``nameRequiresDeleteBeforeReplace`` in ``pkg/tfbridge`` of pulumi-terraform-bridge.
    """
    name = _autonamed_input(token) if token.startswith("gcp:") else None
    if name is None or name in new.get(DEFAULTS, ()):
        return False
    return name in new and reveal(old.get(name)) == reveal(new[name])


_DIFF_KINDS: Final = {
    ("add", False): provider_pb2.PropertyDiff.ADD,
    ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
    ("update", False): provider_pb2.PropertyDiff.UPDATE,
    ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
    ("delete", False): provider_pb2.PropertyDiff.DELETE,
    ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
}


def _difference(changes: Sequence[Change], delete_first: bool) -> provider_pb2.DiffResponse:
    response = provider_pb2.DiffResponse
    replaces = sorted({_top(change.path) for change in changes if change.replaces})
    return response(
        changes=response.DIFF_SOME if changes else response.DIFF_NONE,
        diffs=sorted({_top(change.path) for change in changes}),
        replaces=replaces,
        deleteBeforeReplace=bool(replaces) and delete_first,
        detailedDiff={
            change.path: provider_pb2.PropertyDiff(
                kind=_DIFF_KINDS[change.kind, change.replaces], inputDiff=True
            )
            for change in changes
        },
        hasDetailedDiff=True,
    )


def _top(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]

"""The five providers as the engine meets them: one gRPC server each, in threads of this process.

The engine attaches to running providers when ``PULUMI_DEBUG_PROVIDERS`` names their ports, and
starts no plugin then.
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
from sandbox.catalogue import model_of
from sandbox.cloud import Cloud, Refusal, preview
from sandbox.diff import Change, compare
from sandbox.resource import Resource
from sandbox.schema import CheckFailure, UnknownType
from sandbox.values import DEFAULTS, Properties, decode, encode, reveal

_CODES: Final = {
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
_THREADS: Final = 128  # a delayed or crashed operation holds one; they start only when needed

_Reply = TypeVar("_Reply")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong at one of the operations that change the cloud.

    Attributes:
        at: which one: the first create, update or delete since the sandbox started is 1.
        effect: ``error`` refuses, ``delay`` waits, ``crash`` calls the sandbox's ``crash`` and
            never replies.
        moment: ``before`` the cloud changes, or ``after`` it has changed and remembered it.
        seconds: how long a delay is.
        message: what an error says.
    """

    at: int
    effect: Literal["error", "delay", "crash"]
    moment: Literal["before", "after"] = "after"
    seconds: float = 0
    message: str = ""


class Sandbox:
    """A cloud with its five providers, running while the ``with`` block runs.

    Args:
        directory: holds the cloud's memory, ``cloud.sqlite``; made when it is not there.
        faults: what goes wrong, and when.
        crash: what a ``crash`` fault calls, such as the killing of the engine.
    """

    def __init__(
        self,
        directory: Path,
        faults: Sequence[Fault] = (),
        crash: Callable[[], None] | None = None,
    ) -> None:
        self.environment: dict[str, str] = {}
        self._directory = directory
        self._mishaps = _Mishaps(faults, crash)
        self._servers: list[grpc.Server] = []
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sandbox")

    def __enter__(self) -> Self:
        self._cloud = Cloud(self._directory)
        ports = []
        for name in schema.SDKS:
            server = grpc.server(self._threads, options=_OPTIONS)
            provider_pb2_grpc.add_ResourceProviderServicer_to_server(
                _Provider(name, self._cloud, self._mishaps), server
            )
            ports.append(f"{name}:{server.add_insecure_port('127.0.0.1:0')}")
            server.start()
            self._servers.append(server)
        self.environment = {"PULUMI_DEBUG_PROVIDERS": ",".join(ports)}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stopped = [server.stop(grace=None) for server in self._servers]
        for event in stopped:
            event.wait()
        self._threads.shutdown()  # what is under way still changes the cloud, as in a real one
        self._servers.clear()
        self.environment = {}
        self._cloud.close()

    def ids_of(self, urn: str) -> list[str]:
        """The ids of what the cloud made for a resource that has not deleted it, the newest first.

        After a crash it tells whether an interrupted creation had come to its end.
        """
        return self._cloud.ids_of(urn)


class _Mishaps:
    """Counts the operations that change the cloud, and lets go wrong what shall go wrong."""

    def __init__(self, faults: Sequence[Fault], crash: Callable[[], None] | None) -> None:
        self._faults = faults
        self._crash = crash
        self._numbers = itertools.count(1)

    def around(self, change: Callable[[], _Reply], context: grpc.ServicerContext) -> _Reply:
        number = next(self._numbers)
        mine = [fault for fault in self._faults if fault.at == number]
        self._strike(mine, "before", context)
        reply = change()
        self._strike(mine, "after", context)
        return reply

    def _strike(self, faults: Sequence[Fault], moment: str, context: grpc.ServicerContext) -> None:
        for fault in faults:
            if fault.moment != moment:
                continue
            match fault.effect:
                case "delay":
                    time.sleep(fault.seconds)
                case "error":
                    message = fault.message or f"the fault asked for at operation {fault.at}"
                    context.abort(grpc.StatusCode.UNAVAILABLE, message)
                case "crash":
                    gone = threading.Event()
                    context.add_callback(gone.set)
                    if self._crash is not None:
                        self._crash()
                    gone.wait()  # until the engine has hung up: no reply is ever sent
                    context.abort(grpc.StatusCode.CANCELLED, "crashed")


def _refusing(method: Callable[..., Any]) -> Callable[..., Any]:
    """Turns what the cloud refuses into the error that the engine shows."""

    @functools.wraps(method)
    def guarded(self: _Provider, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except Refusal as refusal:
            context.abort(_CODES[refusal.code], str(refusal))
        except UnknownType as unknown:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, str(unknown))

    return guarded


class _Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One provider; every explicit provider of a program attaches to it on its own connection."""

    def __init__(self, name: str, cloud: Cloud, mishaps: _Mishaps) -> None:
        self._name = name
        self._cloud = cloud
        self._mishaps = mishaps
        # By connection: two explicit providers of one program may have different projects.
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
        moves = kubernetes.moves(old, new) if self._name == "kubernetes" else ()
        return _difference(compare("", old, new, moves), delete_first=False)

    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        self._settings[context.peer()] = reveal(decode(request.args))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=True
        )

    @_refusing
    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> Any:
        raise Refusal(403, f"{request.tok}: the program reads nothing from the clouds")

    # -- Resources ---------------------------------------------------------------------------------

    @_refusing
    def Check(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        shape = schema.schema_of(request.type)
        inputs, problems = schema.check(decode(request.news), shape.inputs)
        if not problems:
            settings = self._settings_of(context)
            if self._name == "kubernetes":
                inputs = kubernetes.complete(
                    *(request.type, request.name, request.randomSeed),
                    *(decode(request.olds), inputs, settings),
                )
            _name_when_unnamed(inputs, request)
            problems = _refused_early(request.type, inputs, settings)
            wants_project = "project" in shape.inputs.fields and self._name == "gcp"
            if wants_project and not (inputs.get("project") or settings.get("project")):
                problems.append(
                    CheckFailure("project", "neither the resource nor its provider has one")
                )
        return provider_pb2.CheckResponse(inputs=encode(inputs), failures=_failures(problems))

    @_refusing
    def Diff(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        old, new = decode(request.old_inputs), decode(request.news)
        if self._name == "kubernetes":
            replaces = kubernetes.replaces(request.type, new, self._settings_of(context))
            changes = compare(request.type, old, new, replaces)
            return _difference(changes, delete_first=kubernetes.keeps_its_name(old, new))
        changes = compare(request.type, old, new)
        return _difference(changes, delete_first=_keeps_its_given_name(request.type, old, new))

    @_refusing
    def Create(
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        inputs, settings = decode(request.properties), self._settings_of(context)
        if request.preview:
            outputs = preview(request.type, inputs, settings)
            return provider_pb2.CreateResponse(properties=encode(outputs))
        record = self._mishaps.around(
            lambda: self._cloud.create(request.urn, request.type, inputs, settings), context
        )
        return provider_pb2.CreateResponse(id=record.id, properties=encode(record.outputs))

    @_refusing
    def Read(
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        record = self._cloud.read(request.type, request.id)
        if record is None:
            return provider_pb2.ReadResponse()
        inputs = record.inputs
        if self._name == "kubernetes" and request.inputs.fields:
            inputs = kubernetes.pruned(inputs, decode(request.inputs))
        return provider_pb2.ReadResponse(
            id=record.id, inputs=encode(inputs), properties=encode(record.outputs)
        )

    @_refusing
    def Update(
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        inputs, settings = decode(request.news), self._settings_of(context)
        if request.preview:
            record = self._cloud.read(request.type, request.id)
            if record is None:
                outputs = preview(request.type, inputs, settings)
            else:
                outputs = self._cloud.plan(record, inputs, settings)
            return provider_pb2.UpdateResponse(properties=encode(outputs))
        record = self._mishaps.around(
            lambda: self._cloud.update(request.type, request.id, inputs, settings), context
        )
        return provider_pb2.UpdateResponse(properties=encode(record.outputs))

    @_refusing
    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> Empty:
        state = decode(request.properties)
        self._mishaps.around(lambda: self._cloud.delete(request.type, request.id, state), context)
        return Empty()

    def _settings_of(self, context: grpc.ServicerContext) -> Properties:
        return self._settings.get(context.peer(), {})


def _failures(problems: Sequence[CheckFailure]) -> list[provider_pb2.CheckFailure]:
    return [
        provider_pb2.CheckFailure(property=problem.path, reason=problem.reason)
        for problem in problems
    ]


def _refused_early(token: str, inputs: Properties, settings: Properties) -> list[CheckFailure]:
    resource = Resource(inputs=reveal(inputs), settings=settings, seed="", created="", updated="")
    return [problem for rule in model_of(token).refused_early for problem in rule(resource)]


def _named_by(token: str) -> str | None:
    """The input that the provider fills in when the program gives no name, if there is one."""
    name = model_of(token).name
    inputs = schema.schema_of(token).inputs
    return name if name in inputs.fields and name not in inputs.required else None


def _name_when_unnamed(inputs: Properties, request: provider_pb2.CheckRequest) -> None:
    """Fill in a physical name as the bridge does: the logical one and seven hexadecimal digits."""
    name = _named_by(request.type)
    if name is None or name in inputs:
        return
    old = decode(request.olds)
    if name in old.get(DEFAULTS, ()):
        inputs[name] = old[name]
    else:
        digits = hashlib.sha256(request.randomSeed or secrets.token_bytes(16)).hexdigest()[:7]
        stem = re.sub(r"[^a-z0-9-]", "-", request.name.lower())
        inputs[name] = f"{stem[:22]}-{digits}"  # within the 30 characters of the strictest type
    inputs[DEFAULTS] = [name]


def _keeps_its_given_name(token: str, old: Properties, new: Properties) -> bool:
    """Whether a replacement would collide with what it replaces, as Google's provider sees it."""
    name = _named_by(token) if token.startswith("gcp:") else None
    if name is None or name in new.get(DEFAULTS, ()):
        return False
    return name in new and reveal(old.get(name)) == reveal(new[name])


_KINDS: Final = {
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
                kind=_KINDS[change.kind, change.replaces], inputDiff=True
            )
            for change in changes
        },
        hasDetailedDiff=True,
    )


def _top(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]

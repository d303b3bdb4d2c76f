"""Records what a program registers, without an engine, and runs the estate and its components so.

The monitor records exactly what the engine would receive: inputs in the wire format, parent,
provider, dependencies, protection. It knows no platform: a computed output is ``<name.output>``. A
program that reads anything from a cloud fails.
"""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, Final, NoReturn, ParamSpec

import pulumi
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import get_root_resource
from pulumi.runtime.stack import Stack

from components.config import Settings, parse, read_stack_file
from components.estate import Estate, export
from components.names import Environment, Names
from components.platform.encryption import Encryption, EncryptionArgs, KeyArgs
from components.platform.identity import Identity, IdentityArgs
from components.platform.network import Network, NetworkArgs
from components.platform.project import Project
from components.runtime_config import ConfigMaps, config_maps
from components.secrets.manager import SecretManager, SecretManagerArgs
from components.workloads import Service, WorkerType
from tests.merge import merged

_P = ParamSpec("_P")

ROOT: Final = Path(__file__).resolve().parent.parent
STACKS: Final[tuple[Environment, ...]] = ("staging", "production")

STACK_TYPE: Final = "pulumi:pulumi:Stack"

# Signatures of the engine's wire format.
_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"

COMPUTED: Final[Mapping[str, tuple[str, ...]]] = {
    "cloudflare:index/worker:Worker": ("id",),
    "gcp:artifactregistry/repository:Repository": ("name",),
    "gcp:cloudrunv2/service:Service": ("uri", "latestReadyRevision"),
    "gcp:cloudrunv2/workerPool:WorkerPool": ("latestReadyRevision",),
    "gcp:compute/address:Address": ("address", "selfLink"),
    "gcp:compute/globalAddress:GlobalAddress": ("address",),
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": ("name",),
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": ("name",),
    "gcp:projects/serviceIdentity:ServiceIdentity": ("member",),
    "gcp:redis/instance:Instance": ("host", "authString"),
    "gcp:serviceaccount/account:Account": ("name", "member", "email"),
    "gcp:sql/databaseInstance:DatabaseInstance": (
        "connectionName",
        "privateIpAddress",
        "serviceAccountEmailAddress",
    ),
    "random:index/randomPassword:RandomPassword": ("result",),
}
"""Outputs that the program reads, and that no input of the same name gives."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that was marked as secret on the wire."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One registration, by logical names where the wire has URNs.

    Attributes:
        parent: logical name; empty for a child of the stack itself.
        provider: logical name of a resource's provider; empty for the default provider.
        waits_for: logical names of its dependencies.
        made_from: by property, the logical names of the resources that it is made from.
        secret_outputs: outputs that the engine will mark.
        custom_timeouts: seconds by operation.
    """

    type: str
    name: str
    custom: bool
    inputs: Mapping[str, Any]
    parent: str
    provider: str
    protect: bool
    waits_for: frozenset[str]
    made_from: Mapping[str, frozenset[str]]
    ignore_changes: tuple[str, ...]
    delete_before_replace: bool
    secret_outputs: frozenset[str]
    custom_timeouts: Mapping[str, int]


@dataclass(slots=True)
class Recording:
    """All that a program registered, in order, and the outputs of its components by name.

    The outputs under the empty name are the stack's.
    """

    resources: list[Recorded] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Recorded:
        (found,) = (row for row in self.resources if row.name == name)
        return found

    def of_type(self, token: str) -> list[Recorded]:
        """The resources of a type."""
        return [row for row in self.resources if row.type == token]

    def children(self, parent: str) -> list[Recorded]:
        """The children of a component, sorted by type and name."""
        found = [row for row in self.resources if row.parent == parent]
        return sorted(found, key=lambda row: (row.type, row.name))

    def listed(self, parent: str) -> list[tuple[str, str]]:
        """Type and logical name of a component's children."""
        return [(row.type, row.name) for row in self.children(parent)]


class _NoCloud(mocks.Mocks):
    def call(self, args: mocks.MockCallArgs) -> NoReturn:
        raise AssertionError(f"the program invokes {args.token}: it must read nothing")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[Any, Any]]:
        computed = COMPUTED.get(args.typ, ())
        outputs: dict[str, Any] = {name: f"<{args.name}.{name}>" for name in computed}
        if args.typ == "gcp:redis/instance:Instance":
            outputs |= {"port": 6378, "serverCaCerts": [{"cert": f"<{args.name}.cert>"}]}
        if args.typ == "gcp:container/cluster:Cluster":
            endpoint = {"endpoint": f"<{args.name}.endpoint>"}
            outputs["controlPlaneEndpointsConfig"] = {"dnsEndpointConfig": endpoint}
        return f"<{args.name}.id>", {**args.inputs, **outputs}


class _Monitor(mocks.MockMonitor):
    """Keeps the requests: mocks receive only inputs, and without their secret marks."""

    def __init__(self) -> None:
        super().__init__(_NoCloud())
        self.recording = Recording()

    def RegisterResource(
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        if request.type != STACK_TYPE:
            self.recording.resources.append(_recorded(request))
        register: Callable[..., resource_pb2.RegisterResourceResponse] = super().RegisterResource
        response = register(request)
        for output in request.additionalSecretOutputs:
            # The engine would mark them; mocks know no secrets.
            value = response.object.fields[output]
            marked = {_SIGNATURE: _SECRET, "value": MessageToDict(value)}
            response.object.update({output: marked})
        return response

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> Any:
        outputs = _revealed(MessageToDict(request.outputs))
        self.recording.outputs[_name_of(request.urn)] = outputs
        return empty_pb2.Empty()

    def ReadResource(self, request: resource_pb2.ReadResourceRequest) -> NoReturn:
        raise AssertionError(f"the program reads {request.type} {request.name}")


def record(program: Callable[[], object], stack: str = "production") -> Recording:
    """Run a program as the engine's language host would, and return what it registered."""
    monitor = _Monitor()
    # A test that ran the Automation API in this process may have left the thread without a loop.
    try:
        asyncio.get_event_loop()
    except RuntimeError:
        asyncio.set_event_loop(asyncio.new_event_loop())
    mocks.set_mocks(monitor.mocks, project="pull", stack=stack, preview=False, monitor=monitor)
    test: Callable[[Callable[[], object]], Callable[[], None]] = mocks.test
    gc.disable()  # scanning the SDKs' million permanent objects takes a third of the time
    try:
        test(program)()
    finally:
        gc.enable()
    return monitor.recording


def _recorded(request: resource_pb2.RegisterResourceRequest) -> Recorded:
    return Recorded(
        type=request.type,
        name=request.name,
        custom=request.custom,
        inputs=_revealed(MessageToDict(request.object)),
        parent=_name_of(request.parent),
        provider=_name_of(request.provider.rpartition("::")[0]),
        protect=request.protect,
        waits_for=frozenset(map(_name_of, request.dependencies)),
        made_from={
            name: frozenset(map(_name_of, sources.urns))
            for name, sources in request.propertyDependencies.items()
        },
        ignore_changes=tuple(request.ignoreChanges),
        delete_before_replace=request.deleteBeforeReplace,
        secret_outputs=frozenset(request.additionalSecretOutputs),
        custom_timeouts={
            operation: int(minutes.removesuffix("m")) * 60
            for operation, minutes in MessageToDict(request.customTimeouts).items()
        },
    )


def _name_of(urn: str) -> str:
    """The logical name in a URN; the stack has none."""
    *_, kind, name = ("", "", *urn.split("::"))
    return "" if kind == STACK_TYPE else name


def _revealed(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return Secret(_revealed(value["value"]))
        return {key: _revealed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_revealed(item) for item in value]
    return value


def remembered(recorded: Callable[_P, Recording]) -> Callable[_P, Recording]:
    """Run a recording function once for each set of arguments, which are settings and so JSON."""
    known: dict[str, Recording] = {}

    @wraps(recorded)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> Recording:
        key = json.dumps([args, kwargs], sort_keys=True)
        if key not in known:
            known[key] = recorded(*args, **kwargs)
        return known[key]

    return wrapper


# -- what to run -------------------------------------------------------------------------------


def settings(stack: str = "production", **sections: Any) -> Settings:
    """A stack's settings; ``sections`` are merged into the stack file's, None takes a key out."""
    configured = read_stack_file(ROOT / f"Pulumi.{stack}.yaml").model_dump(mode="json")
    return parse(merged(configured, sections), "a test")


@remembered
def estate(stack: str = "production", **sections: Any) -> Recording:
    """A recording of everything, with some settings other than the stack file's."""
    configured = settings(stack, **sections)

    def program() -> None:
        root = get_root_resource()
        assert isinstance(root, Stack)
        root.outputs.clear()  # all recordings of a process share one stack
        export(Estate(configured).outputs())
        root.register_outputs(root.outputs)

    return record(program, stack)


def side_by_side(make: Callable[[str, Neighbours], object], **sections: Any) -> Recording:
    """A recording of a component made twice, after proving that neither is in the other's way."""

    def program() -> None:
        near = Neighbours(**sections)
        make("one", near)
        make("two", near)

    recording = record(program)
    made = [(row.type, row.name) for row in recording.resources]
    assert len(set(made)) == len(made), "two resources have one type and one name"
    first, second = recording.listed("one"), recording.listed("two")
    assert first
    assert all(name.startswith("one-") for _, name in first)
    assert second == [(kind, f"two-{name.removeprefix('one-')}") for kind, name in first]
    return recording


FLEET: Final[Mapping[str, Mapping[str, int]]] = {
    kind.value: {
        "cpu": 2,
        "memory_gib": 1 + position % 8,
        "min_instances": 1 + position,
        "max_instances": 2 + position,
    }
    for position, kind in enumerate(WorkerType)
}
"""A worker of each type, no two of one size."""


class Probe(pulumi.ComponentResource):
    """Shows how a value goes over the wire: ``recording["probe"].inputs["value"]``."""

    def __init__(self, value: pulumi.Input[Any]) -> None:
        super().__init__("test:index:Probe", "probe", {"value": value})


class Neighbours:
    """What a component is wired to, made when a test first names it.

    Figures are production's, unless a test gives other ``sections`` of the settings.
    """

    def __init__(self, **sections: Any) -> None:
        self.settings = settings(**sections)
        self.names = Names("production")

    @cached_property
    def project(self) -> Project:
        return Project("project", "pull-production")

    @cached_property
    def network(self) -> Network:
        return Network(
            "network",
            NetworkArgs(
                project="pull-production",
                region="us-central1",
                names=self.names,
                settings=self.settings.network,
                protect=True,
                services=self.project,
            ),
        )

    @cached_property
    def encryption(self) -> Encryption:
        return Encryption(
            "encryption",
            EncryptionArgs(
                project="pull-production",
                ring="pull-production",
                settings=self.settings.encryption,
                protect=True,
                keys={
                    purpose: KeyArgs(location="us-central1", agent="serviceAccount:agent")
                    for purpose in ("postgres", "backups", "secrets")
                },
                services=self.project,
            ),
        )

    @cached_property
    def identity(self) -> Identity:
        return Identity(
            "identity",
            IdentityArgs(
                project="pull-production",
                project_number="100000000001",
                repository="pull/pull",
                names=self.names,
                runtimes=(Service.API_ORIGIN, *self.settings.workers.fleet),
                services=self.project,
            ),
        )

    @cached_property
    def secrets(self) -> SecretManager:
        return SecretManager(
            "secrets",
            SecretManagerArgs(
                project="pull-production",
                names=self.names,
                settings=self.settings.secrets,
                protect=True,
                derived={"DATABASE_URL": pulumi.Output.secret("postgresql://…")},
                readers=self.identity.runtimes,
                encryption=self.encryption,
                services=self.project,
                after=[self.network.private_services],
            ),
        )

    @cached_property
    def config(self) -> ConfigMaps:
        return config_maps(self.settings, self.names)

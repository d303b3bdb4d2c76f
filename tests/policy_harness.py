"""Shared by the policy tests: the real engine with a pack, recordings of its requests, mutants.

A recording holds the messages that the engine itself sends to a pack during a preview of a stack:
the inputs, options and edges of every resource. The SDK's own servicer evaluates the rules, so that
proxies, unknown values and levels are the real ones.
"""

from __future__ import annotations

import base64
import copy
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel

from policies.exceptions import Exceptions
from policies.framework.graph import StackRule
from policies.framework.paths import (
    ABSENT,
    ALIASES,
    CUSTOM_TIMEOUTS,
    DELETE_BEFORE_REPLACE,
    IGNORE_CHANGES,
    NOT_FOUND,
    PARENT,
    PROTECT,
    PROVIDER,
    SECRET_OUTPUTS,
    TYPE,
    UNKNOWN,
    Keys,
    View,
)
from policies.framework.rules import ResourceRule, Rule
from policies.pack import policies
from policies.sdk_internals import Servicer, deserialize_properties
from tests.policy_mutations import Mutation
from tests.stack_lifecycle import StackLifecycle
from tests.variants import UNKNOWN_TEXT, Variant

ROOT: Final = Path(__file__).resolve().parent.parent
TODAY: Final = datetime.now(UTC).date()

RECORDER: Final = """
import base64
from pathlib import Path
from pulumi_policy import PolicyPack, ResourceValidationPolicy
from pulumi_policy import policy as sdk

RECORDING = Path(__file__).resolve().with_name("recording")

class Recorder(sdk._PolicyAnalyzerServicer):
    def Analyze(self, request, context):
        return self.keep("resource", request) or super().Analyze(request, context)

    def AnalyzeStack(self, request, context):
        return self.keep("stack", request) or super().AnalyzeStack(request, context)

    def keep(self, kind, request):
        with open(RECORDING, "a") as file:
            file.write(f"{kind} {base64.b64encode(request.SerializeToString()).decode()}\\n")

sdk._PolicyAnalyzerServicer = Recorder
nothing = ResourceValidationPolicy("nothing", "records", validate=lambda args, report: None)
PolicyPack("recorder", [nothing])
"""


# -- the real engine -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """One operation: whether it succeeded, the engine's events as JSON, and the engine's error."""

    succeeded: bool
    events: Sequence[Mapping[str, Any]]
    error: str

    def violations(self) -> list[Mapping[str, Any]]:
        return [event["policyEvent"] for event in self.events if "policyEvent" in event]

    def evaluated(self) -> tuple[set[str], set[str]]:
        """The policies that passed or failed for a resource, and for the stack."""
        found: tuple[set[str], set[str]] = (set(), set())
        for event in self.events:
            for index, name in enumerate(("Summary", "StackSummary")):
                summary = event.get(f"policyAnalyze{name}Event", {})
                found[index].update(summary.get("passed", ()), summary.get("failed", ()))
        return found


def run(
    stack: str,
    folder: Path,
    pack: Path,
    config: Path | None,
    *operations: str,
    project: Path = ROOT,
) -> list[Run]:
    """Carry out ``operations`` with a pack, one after the other, in a sandbox in ``folder``."""
    arguments = [stack, str(folder), str(pack), str(config or "-"), *operations]
    done = subprocess.run(
        [sys.executable, "-m", "tests.policy_engine", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [Run(not line["error"], line["events"], line["error"]) for line in lines]


# -- recordings ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recording:
    """The requests of the engine to a pack about one variant of the estate."""

    variant: str
    stack: str
    resources: Sequence[Any]
    whole: Any


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this test run share."""
    base = factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


def record(variant: Variant, shared: Path) -> Recording:
    """The recording of ``variant``, made once for all processes of this test run."""
    home = shared / f"recording-{variant.name}"
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "done").exists():
            pack = home / "pack"
            pack.mkdir()
            (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")
            (pack / "__main__.py").write_text(RECORDER)
            project = StackLifecycle.begin(ROOT, home / "stack", variant.stack)
            project.settings(**variant.settings)
            (preview,) = run(
                variant.stack, project.sandbox, pack, None, "preview", project=project.root
            )
            assert preview.succeeded, preview.error
            (home / "done").touch()
    lines = (home / "pack" / "recording").read_text().splitlines()
    decoded = [
        (kind, base64.b64decode(data)) for kind, _, data in (x.partition(" ") for x in lines)
    ]
    resources = [analyzer_pb2.AnalyzeRequest.FromString(d) for k, d in decoded if k == "resource"]
    (whole,) = (analyzer_pb2.AnalyzeStackRequest.FromString(d) for k, d in decoded if k == "stack")
    return Recording(variant.name, variant.stack, resources, whole)


# -- one resource ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as plain data, from which mutants are made.

    ``source`` is the variant of the estate that it is from, or ``fixture``. ``options`` has the
    options beside ``protect`` and ``parent``, by their paths in a view.
    """

    type: str
    urn: str
    inputs: Mapping[str, Any]
    protect: bool
    source: str
    parent: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stack(self) -> str:
        return self.urn.split(":")[2]

    @property
    def view(self) -> View:
        options = {**self.options, PROTECT: self.protect, PARENT: self.parent}
        return View(
            type=self.type, urn=self.urn, inputs={**marked(self.inputs), **options}, today=TODAY
        )

    def request(self) -> Any:
        struct = struct_pb2.Struct()
        struct.update(self.inputs)
        provider = self.options.get(PROVIDER)
        return analyzer_pb2.AnalyzeRequest(
            type=self.type,
            urn=self.urn,
            name=self.urn.rpartition("::")[2],
            properties=struct,
            options=analyzer_pb2.AnalyzerResourceOptions(
                protect=self.protect,
                parent=self.parent,
                aliases=self.options.get(ALIASES),
                customTimeouts=analyzer_pb2.AnalyzerResourceOptions.CustomTimeouts(
                    **self.options.get(CUSTOM_TIMEOUTS, {})
                ),
                deleteBeforeReplace=self.options.get(DELETE_BEFORE_REPLACE, False),
                deleteBeforeReplaceDefined=DELETE_BEFORE_REPLACE in self.options,
                ignoreChanges=self.options.get(IGNORE_CHANGES),
                additionalSecretOutputs=self.options.get(SECRET_OUTPUTS),
            ),
            provider=analyzer_pb2.AnalyzerProviderResource(urn=provider) if provider else None,
        )

    def mutated(self, mutation: Mutation) -> Resource | None:
        """This resource with ``mutation``; None if it changes nothing."""
        changed: Resource | None
        match mutation:
            case Mutation((path,), value) if path == PROTECT:
                changed = replace(self, protect=value is True)
            case Mutation((path,), value) if path == TYPE:
                changed = replace(self, type=value)
            case Mutation((path, *_), value) if str(path).startswith("@"):
                changed = replace(self, options=put(self.options, mutation.keys, value) or {})
            case _:
                inputs = put(self.inputs, mutation.keys, mutation.value)
                changed = None if inputs is None else replace(self, inputs=inputs)
        return None if changed == self else changed


def marked(value: Any) -> Any:
    """``value`` with ``UNKNOWN`` for each value that is not known, as rules see it."""
    if isinstance(value, Mapping):
        return {key: marked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [marked(item) for item in value]
    return UNKNOWN if value == UNKNOWN_TEXT else value


def put(document: Mapping[str, Any], keys: Keys, value: Any) -> dict[str, Any] | None:
    """A copy of ``document`` with ``value`` at ``keys``; None if the location cannot exist."""
    changed: Any = copy.deepcopy(dict(document))
    if not keys:
        return copy.deepcopy(dict(value))
    place = changed
    for key, following in pairwise(keys):
        if key == NOT_FOUND:
            return None
        if isinstance(key, str):
            if place.get(key) == UNKNOWN_TEXT:
                return None
            place.setdefault(key, [] if isinstance(following, int) else {})
        place = place[key]
    last: Any = keys[-1]
    if last == NOT_FOUND:
        return None
    if value is not ABSENT:
        place[last] = copy.deepcopy(value)
    elif isinstance(place, list) or last in place:
        del place[last]
    changed_document: dict[str, Any] = changed
    return changed_document


def resources_of(recording: Recording) -> list[Resource]:
    """Its resources as plain data. Secrets are in plain text, as a policy sees them."""
    return [
        Resource(
            type=request.type,
            urn=request.urn,
            inputs=plain_properties(request),
            protect=request.options.protect,
            source=recording.variant,
            parent=request.options.parent,
            options=_options(request),
        )
        for request in sorted(recording.resources, key=lambda request: str(request.urn))
    ]


def _options(request: Any) -> dict[str, Any]:
    options = request.options
    return {
        ALIASES: list(options.aliases),
        CUSTOM_TIMEOUTS: json_format.MessageToDict(options.customTimeouts),
        DELETE_BEFORE_REPLACE: options.deleteBeforeReplace,
        IGNORE_CHANGES: list(options.ignoreChanges),
        PROVIDER: request.provider.urn,
        SECRET_OUTPUTS: list(options.additionalSecretOutputs),
    }


def plain_properties(node: Any) -> dict[str, Any]:
    """The properties of a message as plain data."""
    properties: dict[str, Any] = deserialize_properties(json_format.MessageToDict(node.properties))
    return properties


# -- evaluation ------------------------------------------------------------------------------------


def servicer(
    *rules: Rule, config: Mapping[str, Any] | None = None, exceptions: Exceptions | None = None
) -> Any:
    """The SDK's servicer with these rules, all mandatory; with every rule if none is given."""
    ids = {rule.id for rule in rules}
    made = [
        policy
        for policy in policies(exceptions or Exceptions(), TODAY)
        if not rules or policy.name in ids
    ]
    serving = Servicer("pull", "1.0.0", made, EnforcementLevel.MANDATORY)
    request = analyzer_pb2.ConfigureAnalyzerRequest()
    for policy in made:
        settings = request.policyConfig[policy.name]
        settings.enforcementLevel = analyzer_pb2.MANDATORY
        properties = {
            key: value
            for key, value in (config or {}).items()
            if policy.config_schema and key in policy.config_schema.properties
        }
        settings.properties.update(properties)
    serving.Configure(request, None)  # type: ignore[no-untyped-call]
    return serving


def servicer_of_stack(rule: StackRule, recording: Recording) -> Any:
    """A servicer that has seen the inputs of the stack, which the engine sends first."""
    serving = servicer(rule, config=config_of(recording.stack))
    for request in recording.resources:
        serving.Analyze(request, None)
    return serving


def evaluate(serving: Any, resource: Resource) -> list[Any]:
    """The diagnostics about one resource."""
    return list(serving.Analyze(resource.request(), None).diagnostics)


def evaluate_stack(serving: Any, request: Any) -> list[Any]:
    """The diagnostics about a whole stack."""
    return list(serving.AnalyzeStack(request, None).diagnostics)


def evaluate_with_inputs(serving: Any, recording: Recording, mutant: Any) -> list[Any]:
    """The diagnostics about a stack in which one resource has the inputs of ``mutant``."""
    serving.Analyze(mutant, None)
    found = evaluate_stack(serving, recording.whole)
    serving.Analyze(next(x for x in recording.resources if x.urn == mutant.urn), None)
    return found


def config_of(stack: str) -> dict[str, Any]:
    """The rules' settings for the stack that a resource is from, by name."""
    return {
        name: value
        for settings in _configuration(stack).values()
        if isinstance(settings, dict)
        for name, value in settings.items()
    }


def disabled(stack: str) -> set[str]:
    """The rules that the stack's configuration disables."""
    return {rule for rule, level in _configuration(stack).items() if level == "disabled"}


def _configuration(stack: str) -> dict[str, Any]:
    configured: dict[str, Any] = json.loads(
        (ROOT / "policies" / f"config.{stack}.json").read_text("utf-8")
    )
    return configured


def candidates(
    rule: ResourceRule, resources: Sequence[Resource], limit: int = 3
) -> Iterator[tuple[Any, Resource]]:
    """Up to ``limit`` compliant resources of each type and source, each with its servicer."""
    serving = {name: servicer(rule, config=config_of(name)) for name in ("production", "staging")}
    taken: dict[tuple[str, str], int] = {}
    for resource in resources:
        key = (resource.type, resource.source)
        enough = taken.get(key, 0) == limit and resource.source != "fixture"
        if not rule.applies_to(resource.type) or enough:
            continue
        if not evaluate(serving[resource.stack], resource):
            taken[key] = taken.get(key, 0) + 1
            yield serving[resource.stack], resource

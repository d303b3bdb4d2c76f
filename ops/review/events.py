"""What the engine said during one operation: typed steps and diagnostics, secrets masked.

The engine's own events are the only source. Their JSON form is the one that the engine prints for
``pulumi preview --json``, so that a tool which reads that can read ours.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol, Self

from pulumi.automation import EngineEvent, OpType
from pulumi.automation.events import (
    DiagnosticEvent,
    PolicyEvent,
    StepEventMetadata,
    StepEventStateMetadata,
)

STACK_TYPE: Final = "pulumi:pulumi:Stack"
SECRET: Final = "[secret]"

# Signatures of the engine's wire format (sdk/go/common/resource/sig, plugin/rpc.go).
_SIGNATURE_KEY: Final = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"
_UNKNOWN: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # any value
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)

# Halves of a replacement, which the engine reports besides the replacement itself.
REPLACEMENT_STEPS: Final = frozenset(
    {
        OpType.CREATE_REPLACEMENT,
        OpType.DELETE_REPLACED,
        OpType.READ_REPLACEMENT,
        OpType.DISCARD_REPLACED,
        OpType.IMPORT_REPLACEMENT,
        OpType.REMOVE_PENDING_REPLACE,
    }
)

# What an engine without the official CLI's helpers says of the one that it found on the path.
_ANALYZER: Final = re.compile(r"using pulumi-analyzer-policy-python from \$PATH")

# How the engine says once more that something failed, after it said what.
_ECHO: Final = re.compile(r"(preview|update|refresh|destroy) failed$|an unhandled error occurred:")

_PATH_ELEMENT: Final = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[\]]+)')


def is_unknown(value: object) -> bool:
    """Whether the value is decided by the provider, and so not known before the ``up``."""
    return isinstance(value, str) and value in _UNKNOWN


def redacted(value: Any) -> Any:
    """``value`` with every secret in it replaced by ``[secret]``."""
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE_KEY) == _SECRET_SIGNATURE:
            return SECRET
        return {key: redacted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return value


def redacted_like(value: Any, *others: Any) -> Any:
    """``value`` with ``[secret]`` wherever one of ``others`` has it.

    What was secret a moment ago must not be shown because it no longer is. Any item of a list may
    have come from any other one.
    """
    if value is not None and SECRET in others:
        return SECRET
    if isinstance(value, Mapping):
        held = [other for other in others if isinstance(other, Mapping)]
        return {
            key: redacted_like(item, *(other[key] for other in held if key in other))
            for key, item in value.items()
        }
    if isinstance(value, list):
        items = [item for other in others if isinstance(other, list) for item in other]
        return [redacted_like(item, *items) for item in value]
    return value


def at_path(value: Any, path: str) -> Any:
    """The item of ``value`` at an engine's property path (``a.b[0]["c.d"]``), or None.

    Whatever lies within a secret is as secret.
    """
    for quoted, index, key in _PATH_ELEMENT.findall(path):
        if value == SECRET:
            return SECRET
        if index:
            items = value if isinstance(value, list) else []
            value = items[int(index)] if int(index) < len(items) else None
        else:
            value = value.get(quoted or key) if isinstance(value, Mapping) else None
    return value


def _differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """The engine's paths of what differs between two values."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            step = f".{key}" if re.fullmatch(r"[A-Za-z_]\w*", key) else f'["{key}"]'
            yield from _differences(old.get(key), new.get(key), f"{path}{step}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _differences(before, after, f"{path}[{index}]")
    elif old != new:
        yield path


def short_type(token: str) -> str:
    """``gcp:sql/databaseInstance:DatabaseInstance`` as ``gcp:sql:DatabaseInstance``."""
    return re.sub(r"/\w+:", ":", token)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A resource before or after a step."""

    urn: str
    type: str
    id: str
    parent: str
    provider: str
    custom: bool
    protect: bool
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]

    @classmethod
    def read(cls, state: StepEventStateMetadata) -> Self:
        return cls(
            urn=state.urn,
            type=state.type,
            id=state.id,
            parent=state.parent,
            provider=state.provider,
            custom=bool(state.custom),
            protect=bool(state.protect),
            inputs=redacted(state.inputs or {}),
            outputs=redacted(state.outputs or {}),
        )

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """The state that ``document`` wrote, or a resource of the engine's deployment."""
        return cls(
            urn=document["urn"],
            type=document["type"],
            id=document.get("id", ""),
            parent=document.get("parent", ""),
            provider=document.get("provider", ""),
            custom=bool(document.get("custom")),
            protect=bool(document.get("protect")),
            inputs=redacted(document.get("inputs") or {}),
            outputs=redacted(document.get("outputs") or {}),
        )

    def redacted_like(self, other: State) -> State:
        """The state without what is secret in ``other``."""
        return replace(
            self,
            inputs=redacted_like(self.inputs, other.inputs),
            outputs=redacted_like(self.outputs, other.outputs),
        )

    def to_dict(self) -> dict[str, Any]:
        """The state as the engine's JSON has it: what is empty is left out."""
        found = {
            "urn": self.urn,
            "custom": self.custom,
            "id": self.id,
            "type": self.type,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "parent": self.parent,
            "provider": self.provider,
            "protect": self.protect,
        }
        return {key: value for key, value in found.items() if value or key == "custom"}


def _pair(old: State | None, new: State | None) -> tuple[State | None, State | None]:
    """Both states, what is secret in one of them secret in the other one, too."""
    if old is None or new is None or (old.inputs, old.outputs) == (new.inputs, new.outputs):
        return old, new
    return old.redacted_like(new), new.redacted_like(old)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One property that a step changes; ``None`` where it is not there."""

    path: str
    old: Any
    new: Any
    replaces: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One resource and what the operation does to it."""

    op: OpType
    urn: str
    type: str
    provider: str
    old: State | None
    new: State | None
    diff_reasons: tuple[str, ...]
    replace_reasons: tuple[str, ...]
    detailed_diff: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, metadata: StepEventMetadata) -> Self:
        old, new = _pair(
            State.read(metadata.old) if metadata.old else None,
            State.read(metadata.new) if metadata.new else None,
        )
        op = OpType(metadata.op)
        if op is OpType.SAME and old and new and old.protect != new.protect:
            op = OpType.UPDATE  # the engine asks no provider, and so calls it the same
        return cls(
            op=op,
            urn=metadata.urn,
            type=metadata.type,
            provider=metadata.provider,
            old=old,
            new=new,
            diff_reasons=tuple(metadata.diffs or ()),
            replace_reasons=tuple(metadata.keys or ()),
            detailed_diff={
                path: {"kind": diff.diff_kind.value, "inputDiff": diff.input_diff}
                for path, diff in (metadata.detailed_diff or {}).items()
            },
        )

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """The step that ``document`` wrote."""
        before, after = document.get("oldState"), document.get("newState")
        old, new = _pair(
            State.parse(before) if before else None, State.parse(after) if after else None
        )
        return cls(
            op=OpType(document["op"]),
            urn=document["urn"],
            type=(after or document["oldState"])["type"],
            provider=document.get("provider", ""),
            old=old,
            new=new,
            diff_reasons=tuple(document.get("diffReasons") or ()),
            replace_reasons=tuple(document.get("replaceReasons") or ()),
            detailed_diff=document.get("detailedDiff") or {},
        )

    @property
    def name(self) -> str:
        """The logical name: the end of the URN."""
        return self.urn.rpartition("::")[2]

    @property
    def state(self) -> State:
        """The state that the step leads to, or leads away from where it deletes."""
        state = self.new or self.old
        assert state is not None, f"the engine sent a step without a state: {self.urn}"
        return state

    def changes(self) -> Iterator[Change]:
        """The properties that differ, in the engine's own words where it gave any."""
        old, new = self.old, self.new
        if old is None or new is None:
            return
        if old.protect != new.protect:
            yield Change(path="protect", old=old.protect, new=new.protect, replaces=False)
        details = self.detailed_diff or {
            path: {"kind": "update", "inputDiff": True}
            for path in self.diff_reasons or _differences(old.inputs, new.inputs)
        }
        for path, detail in sorted(details.items()):
            yield Change(
                path=path,
                old=at_path(old.inputs if detail["inputDiff"] else old.outputs, path),
                new=at_path(new.inputs, path),
                replaces=detail["kind"].endswith("-replace") or path in self.replace_reasons,
            )

    def from_protected(self) -> Step:
        """The step as it is where the resource was protected before it."""
        if self.old is None:
            return self
        step = replace(self, old=replace(self.old, protect=True))
        unchanged = self.op is OpType.UPDATE and not any(step.changes())
        return replace(step, op=OpType.SAME) if unchanged else step

    @property
    def forced_by(self) -> tuple[str, ...]:
        """The properties that force a replacement.

        The engine compares nothing where something that this depends on is replaced, and has to
        outlive it; then every property that differs may have forced it.
        """
        if self.op is not OpType.REPLACE:
            return ()
        return self.replace_reasons or tuple(change.path for change in self.changes())

    def to_dict(self) -> dict[str, Any]:
        """The step as ``pulumi preview --json`` prints it."""
        document: dict[str, Any] = {"op": self.op.value, "urn": self.urn}
        if self.provider:
            document["provider"] = self.provider
        if self.old:
            document["oldState"] = self.old.to_dict()
        if self.new:
            document["newState"] = self.new.to_dict()
        if self.diff_reasons:
            document["diffReasons"] = list(self.diff_reasons)
        if self.replace_reasons:
            document["replaceReasons"] = list(self.replace_reasons)
        return {**document, "detailedDiff": self.detailed_diff or None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """A message of the engine, of a provider or of the program; ``urn`` may be empty."""

    severity: str
    message: str
    urn: str

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """The diagnostic that ``document`` wrote, or one of the official CLI's."""
        return cls(
            severity=document["severity"],
            message=document["message"].strip(),
            urn=document.get("urn") or "",
        )

    def to_dict(self) -> dict[str, str]:
        return {"severity": self.severity, "message": self.message, "urn": self.urn}


# Marks where a terminal would change its colour.
_COLOUR: Final = re.compile(r"<\{%.*?%\}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What a rule of a policy pack has against a resource; ``urn`` is the stack's for stack rules.

    Attributes:
        level: ``mandatory`` stops the operation, ``advisory`` does not.
    """

    rule: str
    level: str
    urn: str
    message: str

    @classmethod
    def read(cls, event: PolicyEvent) -> Self:
        return cls(
            rule=event.policy_name,
            level=event.enforcement_level,
            urn=event.resource_urn or "",
            message=_COLOUR.sub("", event.message).strip(),
        )

    def to_dict(self) -> dict[str, str]:
        return {"rule": self.rule, "level": self.level, "urn": self.urn, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One finished operation.

    Attributes:
        steps: what was done, or in a preview would be done, with unchanged resources too.
        summary: the engine's own count per kind of step.
        outputs: the stack's outputs, secret ones masked.
        packs: the policy packs that the engine says it applied.
        interrupted: somebody stopped it.
    """

    stack: str
    operation: str
    succeeded: bool
    interrupted: bool
    steps: tuple[Step, ...]
    diagnostics: tuple[Diagnostic, ...]
    violations: tuple[Violation, ...]
    packs: tuple[str, ...]
    summary: Mapping[str, int]
    outputs: Mapping[str, Any]
    duration_seconds: float

    @property
    def blocked_by_protect(self) -> bool:
        """Whether the engine ended because something protected would have to go."""
        words = ("marked for protection", "because it is protected")
        return any(word in item.message for item in self.diagnostics for word in words)

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.op is not OpType.SAME)

    def to_dict(self) -> dict[str, Any]:
        """The one JSON document that ``--json`` prints."""
        document = {
            "stack": self.stack,
            "operation": self.operation,
            "result": "succeeded" if self.succeeded else "failed",
            "changeSummary": dict(self.summary),
            "steps": [step.to_dict() for step in self.changes],
            "diagnostics": [diagnostic.to_dict() for diagnostic in self.diagnostics],
            "outputs": {key: value for key, value in self.outputs.items() if value != SECRET},
            "durationSeconds": round(self.duration_seconds, 1),
        }
        if not self.succeeded:
            kind = "interrupted" if self.interrupted else "engine"
            messages = [item.message for item in self.diagnostics if item.severity == "error"]
            document["error"] = {"kind": kind, "message": "\n".join(messages)}
        return document


class Watch(Protocol):
    """Follows an operation."""

    def __call__(self, step: Step, seconds: float, /) -> None:
        """``step`` is finished, and took so many seconds."""

    def waiting(self, running: Mapping[str, float], /) -> None:
        """Nothing was finished for a while; ``running`` are the URNs that are worked on, and since
        how many seconds."""


SILENCE: Final = 30.0
"""After so many seconds a watcher hears what is waited for: a database takes a quarter of an hour,
and some CI systems end a job that says nothing for ten minutes."""


@dataclass(slots=True)
class Recorder:
    """Listens to the engine's events of one operation."""

    watch: Watch | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    violations: dict[Violation, None] = field(default_factory=dict)
    packs: tuple[str, ...] = ()
    summary: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    _steps: dict[tuple[str, OpType], Step] = field(default_factory=dict)
    _replaced: dict[str, Step] = field(default_factory=dict)
    _started: dict[str, float] = field(default_factory=dict)
    _running: dict[str, float] = field(default_factory=dict)
    _heard: float = field(default_factory=time.monotonic)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """While this lasts, the watcher hears something now and then."""
        if self.watch is None:
            yield
            return
        over = threading.Event()
        beat = threading.Thread(target=self._beat, args=(self.watch, over))
        beat.start()
        try:
            yield
        finally:
            over.set()
            beat.join()

    def _beat(self, watch: Watch, over: threading.Event) -> None:
        while not over.wait(max(0.0, self._heard + SILENCE - time.monotonic())):
            now = time.monotonic()
            if now - self._heard >= SILENCE:
                self._heard = now
                watch.waiting({urn: now - began for urn, began in [*self._running.items()]})

    @property
    def steps(self) -> tuple[Step, ...]:
        """The finished steps, in the order in which they first finished."""
        return tuple(self._steps.values())

    @property
    def said_why(self) -> bool:
        """Whether an event said why an operation failed."""
        return any(item.severity == "error" for item in self.diagnostics) or any(
            one.level == "mandatory" for one in self.violations
        )

    def __call__(self, event: EngineEvent) -> None:
        if event.resource_pre_event:
            urn = event.resource_pre_event.metadata.urn
            self._running[urn] = self._started.setdefault(urn, time.monotonic())
        elif event.res_outputs_event:
            self._running.pop(event.res_outputs_event.metadata.urn, None)
            self._finish(event.res_outputs_event.metadata)
        elif event.res_op_failed_event:
            self._running.pop(event.res_op_failed_event.metadata.urn, None)
        elif event.diagnostic_event:
            self._diagnose(event.diagnostic_event)
        elif event.policy_event:
            self.violations[Violation.read(event.policy_event)] = None
        elif event.summary_event:
            # The engine adds to a pack's name where it found it: ``pull-estate|local|/…``.
            packs = event.summary_event.policy_packs
            self.packs = tuple(name.partition("|")[0] for name in packs)
            counts = event.summary_event.resource_changes
            self.summary = {str(op): count for op, count in sorted(counts.items())}
            self._keep_what_was_left()

    def _diagnose(self, event: DiagnosticEvent) -> None:
        message = event.message.strip()
        told = event.severity in ("warning", "error") and not _ANALYZER.match(message)
        if told and not _ECHO.match(message):
            self.diagnostics.append(
                Diagnostic(severity=event.severity, message=message, urn=event.urn or "")
            )

    def _finish(self, metadata: StepEventMetadata) -> None:
        step = Step.read(metadata)
        if step.op is OpType.DELETE_REPLACED:
            self._replaced[step.urn] = step
        elif step.op not in REPLACEMENT_STEPS:
            self._keep(step)

    def _keep(self, step: Step) -> None:
        key = (step.urn, step.op)
        seen = key in self._steps  # a component registers its outputs after its creation
        self._steps[key] = step
        if step.type == STACK_TYPE and step.new:
            self.outputs = dict(step.new.outputs)
        if self.watch and not seen:
            began = self._started.get(step.urn, time.monotonic())
            self._heard = time.monotonic()
            self.watch(step, self._heard - began)

    def _keep_what_was_left(self) -> None:
        """Keep the deletions that end no replacement of this operation, but one that was stopped.

        The engine tells them with the same word, and counts nothing of them.
        """
        replaced = {
            step.old.urn  # by its name before, where an alias gives it another one
            for step in self.steps
            if step.op is OpType.REPLACE and step.old
        }
        for urn, step in self._replaced.items():
            if urn not in replaced:
                self._keep(replace(step, op=OpType.DELETE))

"""Steps of an operation as the engine reports them: typed, with secrets redacted.

The JSON form is the one that ``pulumi preview --json`` prints, so that other tools can read it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from pulumi.automation import OpType
from pulumi.automation.events import StepEventMetadata, StepEventStateMetadata

from ops.review.redaction import SECRET, at_path, differing_paths, redacted, redacted_like
from ops.secret_values import SecretValues
from resource_types import RESOURCE_TYPES

_DEFAULTS: Final = "__defaults"
"""The input in which a bridged provider lists the inputs that it set itself."""

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
"""Parts of a replacement, which the engine reports in addition to the ``replace`` step."""


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
        """The state from its JSON form, or a resource of an exported deployment."""
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

    def without(self, values: SecretValues) -> State:
        """The state without secret values that the engine has not marked."""
        return replace(
            self,
            id=values.redact(self.id),
            inputs=values.redact_all(self.inputs),
            outputs=values.redact_all(self.outputs),
        )

    def redacted_like(self, other: State) -> State:
        """The state with everything redacted that is secret in ``other``."""
        return replace(
            self,
            inputs=redacted_like(self.inputs, other.inputs),
            outputs=redacted_like(self.outputs, other.outputs),
        )

    def to_dict(self) -> dict[str, Any]:
        """The state in the engine's JSON form, without empty values."""
        document = {
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
        return {key: value for key, value in document.items() if value or key == "custom"}


def _pair(old: State | None, new: State | None) -> tuple[State | None, State | None]:
    """Both states; whatever is secret in either is redacted in both."""
    if old is None or new is None or (old.inputs, old.outputs) == (new.inputs, new.outputs):
        return old, new
    return old.redacted_like(new), new.redacted_like(old)


def _differ_outside_inputs(old: State, new: State) -> bool:
    return (old.protect, old.type) != (new.protect, new.type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A property that a step changes; ``None`` where the property is absent."""

    path: str
    old: Any
    new: Any
    replaces: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What an operation does to a resource."""

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
        if op is OpType.SAME and old and new and _differ_outside_inputs(old, new):
            op = OpType.UPDATE  # the engine asks no provider here, and reports ``same``
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
        """The step from its JSON form."""
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

    def without(self, values: SecretValues) -> Step:
        """The step without secret values that the engine has not marked."""
        return replace(
            self,
            old=self.old and self.old.without(values),
            new=self.new and self.new.without(values),
        )

    @property
    def name(self) -> str:
        """The logical name: the end of the URN."""
        return self.urn.rpartition("::")[2]

    @property
    def counts(self) -> bool:
        """Whether the step is in the engine's totals: that of a default provider is not.

        Source: ``isDefaultProviderStep`` in ``pkg/engine/deployment.go`` of pulumi/pulumi.
        """
        return not (self.type.startswith("pulumi:providers:") and self.name.startswith("default"))

    @property
    def old_urn(self) -> str:
        """The URN in the state before the step; an alias may have renamed the resource."""
        return self.old.urn if self.old else self.urn

    @property
    def state(self) -> State:
        """The state after the step, or before it where it deletes."""
        state = self.new or self.old
        assert state is not None, f"the engine sent a step without a state: {self.urn}"
        return state

    def changes(self) -> Iterator[Change]:
        """The properties that differ: those that the engine names, if it names any."""
        old, new = self.old, self.new
        if old is None or new is None:
            return
        if old.protect != new.protect:
            yield Change(path="protect", old=old.protect, new=new.protect, replaces=False)
        details = self.detailed_diff or {
            path: {"kind": "update", "inputDiff": True}
            for path in self.diff_reasons or differing_paths(old.inputs, new.inputs)
        }
        for path, detail in sorted(details.items()):
            yield Change(
                path=path,
                old=at_path(old.inputs if detail["inputDiff"] else old.outputs, path),
                new=at_path(new.inputs, path),
                replaces=detail["kind"].endswith("-replace") or path in self.replace_reasons,
            )

    def output_changes(self) -> list[dict[str, Any]]:
        """The outputs that differ, by name: ``old`` and ``new``, without the one that is absent."""
        old = self.old.outputs if self.old else {}
        new = self.new.outputs if self.new else {}
        return [
            {
                "name": name,
                **({"old": old[name]} if name in old else {}),
                **({"new": new[name]} if name in new else {}),
            }
            for name in sorted({*old, *new})
            if name not in old or name not in new or old[name] != new[name]
        ]

    def from_protected(self) -> Step:
        """The step for a resource that was protected before it."""
        if self.old is None:
            return self
        step = replace(self, old=replace(self.old, protect=True))
        renamed = step.new is not None and self.old.type != step.new.type
        unchanged = self.op is OpType.UPDATE and not renamed and not any(step.changes())
        return replace(step, op=OpType.SAME) if unchanged else step

    def without_effect(self) -> Iterator[Change]:
        """The inputs that differ although the provider changes nothing: it ignores the new value.

        Secrets are left out, because only their encryption may differ.
        """
        old, new = self.old, self.new
        if self.op not in (OpType.SAME, OpType.UPDATE) or not (old and new and new.custom):
            return
        record = RESOURCE_TYPES.get(self.type)
        ignored = [
            update
            for update in (record.updates if record else ())
            if update.effect == "ignored" and update.applies(old.inputs, new.inputs)
        ]
        for path in differing_paths(old.inputs, new.inputs):
            before, after = at_path(old.inputs, path), at_path(new.inputs, path)
            shown = not (path.startswith(_DEFAULTS) or SECRET in (before, after))
            if shown and (self.op is OpType.SAME or any(item.covers(path) for item in ignored)):
                yield Change(path=path, old=before, new=after, replaces=False)

    @property
    def forced_by(self) -> tuple[str, ...]:
        """The properties that force a replacement.

        When a dependency is replaced and its old resource must be deleted last, the engine does
        not compare properties; then every property that differs may be the cause.
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


def totals(steps: Iterable[Step]) -> dict[str, int]:
    """The number of steps for each operation, as in the engine's totals."""
    return dict(sorted(Counter(step.op.value for step in steps if step.counts).items()))

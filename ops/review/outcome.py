"""The outcome of an operation: its steps, diagnostics, policy violations and stack outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from pulumi.automation import OpType
from pulumi.automation.events import PolicyEvent

from ops.review.redaction import SECRET
from ops.review.steps import Step
from ops.secret_values import SecretValues
from resource_types.estate import STACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """A message of the engine, of a provider or of the program.

    Attributes:
        urn: of the resource that the message is about; empty for none.
        edit_without_effect: the message says that the engine or a provider drops an edit.
    """

    severity: str
    message: str
    urn: str
    edit_without_effect: bool = False

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """The diagnostic from its JSON form, which is also the official CLI's."""
        return cls(
            severity=document["severity"],
            message=document["message"].strip(),
            urn=document.get("urn") or "",
            edit_without_effect=bool(document.get("editWithoutEffect")),
        )

    def to_dict(self) -> dict[str, Any]:
        document = {"severity": self.severity, "message": self.message, "urn": self.urn}
        return {**document, "editWithoutEffect": True} if self.edit_without_effect else document


# Where a terminal would change its colour.
_COLOUR: Final = re.compile(r"<\{%.*?%\}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A broken policy rule; ``urn`` is the resource's, or the stack's for a rule about the stack.

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
    """A finished operation.

    Attributes:
        steps: what was done, or in a preview would be done, including unchanged resources.
        summary: the number of steps for each operation; empty if the engine was killed.
        outputs: the stack's outputs, with secrets redacted.
        packs: the policy packs that the engine reports as applied.
        interrupted: a person stopped it.
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

    def redacted(self, values: SecretValues) -> Outcome:
        """The outcome without the secret values that the engine has not marked.

        They are in messages, and in properties that a program or a provider derived from a secret.
        """
        if not values.occur_in(
            [
                [step.to_dict() for step in self.changes],
                [item.message for item in self.diagnostics],
                [violation.message for violation in self.violations],
                self.outputs,
            ]
        ):
            return self
        return replace(
            self,
            steps=tuple(step.without(values) for step in self.steps),
            diagnostics=tuple(
                replace(item, message=values.redact(item.message)) for item in self.diagnostics
            ),
            violations=tuple(
                replace(item, message=values.redact(item.message)) for item in self.violations
            ),
            outputs=values.redact_all(self.outputs),
        )

    @property
    def blocked_by_protect(self) -> bool:
        """Whether the engine stopped because a protected resource would have to be deleted."""
        texts = ("marked for protection", "because it is protected")
        return any(text in item.message for item in self.diagnostics for text in texts)

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.op is not OpType.SAME)

    @property
    def unchanged(self) -> bool:
        """Whether the operation finds nothing to change, in the clouds or in the state.

        The engine does not reveal whether a secret output of the stack has another value.
        """
        moved = any(
            (step.old_urn, step.old.parent, step.old.provider)
            != (step.urn, step.state.parent, step.state.provider)
            for step in self.steps
            if step.old
        )
        return self.succeeded and not (self.changes or self.output_changes or moved)

    @property
    def counted_changes(self) -> tuple[Step, ...]:
        """Those of the changes that are in the totals."""
        return tuple(step for step in self.changes if step.counts)

    @property
    def output_changes(self) -> list[dict[str, Any]]:
        """The stack outputs that differ, each with its old and its new value if it has them."""
        return [
            change for step in self.steps if step.type == STACK for change in step.output_changes()
        ]

    @property
    def errors(self) -> str:
        """The error messages of the engine, of providers and of the program."""
        return "\n".join(item.message for item in self.diagnostics if item.severity == "error")

    @property
    def causes(self) -> str:
        """Why the operation failed: the diagnostics, and the policy rules that block it."""
        blocking = [
            f"{violation.rule}  {violation.urn.rpartition('::')[2]}\n{violation.message}"
            for violation in self.violations
            if violation.level == "mandatory"
        ]
        return "\n".join([*(item.message for item in self.diagnostics), *blocking])

    def to_dict(self) -> dict[str, Any]:
        """The JSON document that ``--json`` prints."""
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
        if self.output_changes:
            document["outputChanges"] = self.output_changes
        if not self.succeeded:
            kind = "interrupted" if self.interrupted else "engine"
            document["error"] = {"kind": kind, "message": self.errors}
        return document

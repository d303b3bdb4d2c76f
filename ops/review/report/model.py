"""The data of a report, made from the JSON documents of previews. Every form renders this."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, Final

from pulumi.automation import OpType

from ops.review.graph import OUTSIDE_STAGES, ComponentIndex, ComponentRef
from ops.review.outcome import Diagnostic, Violation
from ops.review.rendering import Property, value_text
from ops.review.report.risk import Reason, Risk, is_destructive, reasons_to_review
from ops.review.report.traffic import Move, moves
from ops.review.steps import REPLACEMENT_STEPS, STACK_TYPE, Change, State, Step, short_type
from ops.review.summary import physical_name, summary_fields
from ops.review.traversal import reachable

OPERATIONS: Final[Mapping[OpType, str]] = {
    OpType.REPLACE: "replace",
    OpType.DELETE: "delete",
    OpType.UPDATE: "update",
    OpType.CREATE: "create",
    OpType.IMPORT: "import",
    OpType.READ: "read",
}
"""The kinds of change, the worst first."""

QUIET: Final = (OpType.SAME, OpType.REFRESH)
"""Steps that change nothing. What a refresh finds is also reported as an update."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A resource or component of the graph, whether or not it changes."""

    urn: str
    type: str
    physical: str
    component: ComponentRef

    @property
    def name(self) -> str:
        """The logical name, which is unique; approvals and the program use it."""
        return self.urn.rpartition("::")[2]

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Node:
        component = document["component"]
        return cls(
            urn=document["urn"],
            type=document["type"],
            physical=document["name"],
            component=ComponentRef(
                stage=document["stage"],
                name=component.rpartition("::")[2],
                urn=component,
            ),
        )

    @classmethod
    def of(cls, state: State, component: ComponentRef) -> Node:
        return cls(
            urn=state.urn, type=state.type, physical=physical_name(state), component=component
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An operation that the guard refuses."""

    urn: str
    operation: str
    loss: str
    forced_by: tuple[str, ...]
    reason: str

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Refused:
        return cls(
            urn=document["urn"],
            operation=document["operation"],
            loss=document["loss"],
            forced_by=tuple(document["forcedBy"]),
            reason=document["reason"],
        )

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A resource that changes.

    Attributes:
        downstream: its dependents, nearest first, if it is deleted or replaced.
        follows: its dependencies that are deleted or replaced too, if no property of its own
            forces its replacement.
        refused: the guard's refusal, if there is one.
    """

    step: Step
    component: ComponentRef
    properties: tuple[Property, ...]
    downstream: tuple[Node, ...]
    follows: tuple[Node, ...]
    refused: Refused | None

    @property
    def name(self) -> str:
        return self.step.name

    @property
    def physical(self) -> str:
        """What the platform's console calls it."""
        return physical_name(self.step.state)

    @property
    def type(self) -> str:
        return short_type(self.step.type)

    @property
    def operation(self) -> str:
        """What happens to it, such as ``replace``."""
        return OPERATIONS.get(self.step.op, self.step.op.value)

    @property
    def summary(self) -> str:
        """The summary fields of a new resource, in one line."""
        return ", ".join(
            f"{label} {value_text(value)}" for label, value in summary_fields(self.step.state)
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "urn": self.step.urn,
            "type": self.step.type,
            "name": self.name,
            "physicalName": self.physical,
            "operation": self.operation,
            "stage": self.component.stage,
            "component": self.component.name,
            "properties": [changed.to_dict() for changed in self.properties],
            "downstream": [node.urn for node in self.downstream],
            "follows": [node.urn for node in self.follows],
            "refused": self.refused.reason if self.refused else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingError:
    """A setting that is wrong."""

    path: str
    value: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why there is no complete preview.

    Attributes:
        kind: ``settings`` and other names of wrong input; ``engine``, ``policies``,
            ``interrupted``, ``crash``.
        exit_code: of the command that failed.
        message: the text for people; for settings, ``errors`` has the details.
    """

    kind: str
    message: str
    exit_code: int
    errors: tuple[SettingError, ...]

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Failure:
        return cls(
            kind=document["kind"],
            message=document["message"],
            exit_code=document.get("exitCode", 1),
            errors=tuple(
                SettingError(
                    path=error["path"],
                    value=value_text(error["value"]),
                    expected=str(error["expected"]),
                )
                for error in document.get("errors", ())
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "message": self.message,
            "errors": [
                {"path": error.path, "value": error.value, "expected": error.expected}
                for error in self.errors
            ],
        }

    def reason(self) -> Reason:
        match self.kind, len(self.errors):
            case "settings", 1:
                text = "a setting is wrong; nothing was started"
            case "settings", count:
                text = f"{count} settings are wrong; nothing was started"
            case "interrupted", _:
                text = "the preview was interrupted"
            case "engine" | "policies", _:
                text = "the preview failed"
            case _:
                text = "the preview could not start"
        return Reason(risk=Risk.BLOCKED, text=text)


class StackReport:
    """The report on one stack.

    Args:
        document: the output of ``ops preview --json`` or ``ops refresh --json``.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        error = document.get("error")
        stack = document.get("stack") or (error or {}).get("stack") or self._stack_of_urns
        self.stack = str(stack)
        self.operation: str = document.get("operation", "preview")
        policies: Mapping[str, Any] = document.get("policies") or {}
        self.rules = int(policies.get("rules", 0))
        self.violations = tuple(
            Violation(**row) for row in sorted(policies.get("violations", ()), key=_by_level)
        )
        self.refusals = tuple(
            Refused.parse(row) for row in sorted(policies.get("refusals", ()), key=_by_operation)
        )
        self.excepted = tuple(row["urn"] for row in policies.get("exceptions", ()))
        self._evaluated = bool(policies)
        self._policies_passed: bool = policies.get("passed", True)
        self.diagnostics = tuple(
            sorted(map(Diagnostic.parse, document.get("diagnostics") or ()), key=_by_severity)
        )
        self.failure = None
        if error is not None and not self._fails_evaluation:
            self.failure = Failure.parse(error)

    @property
    def _stack_of_urns(self) -> str:
        """The stack in the URNs: the official CLI's document names it nowhere else."""
        urns = (step["urn"] for step in self._document.get("steps") or ())
        return next(urns, "::").partition("::")[0].rpartition(":")[2] or "unknown"

    @property
    def _fails_evaluation(self) -> bool:
        """Whether the preview failed by the policies or the guard, which report the details."""
        errors = any(diagnostic.severity == "error" for diagnostic in self.diagnostics)
        return bool(self.refusals) or (self._document["error"]["kind"] == "policies" and not errors)

    # -- the graph -----------------------------------------------------------------------------

    @cached_property
    def nodes(self) -> Mapping[str, Node]:
        """All resources before and after the change, by URN; empty if there was no preview.

        The official CLI's document has no graph, only the resources in the steps.
        """
        graph = self._document.get("graph")
        if graph:
            return {row["urn"]: Node.parse(row) for row in graph["resources"]}
        states = {step.urn: step.state for step in self._reported}
        components = ComponentIndex(states.values())
        return {urn: Node.of(state, components.of(urn)) for urn, state in states.items()}

    @cached_property
    def edges(self) -> Sequence[tuple[str, str]]:
        """Pairs of URNs; the first needs the second."""
        edges = (self._document.get("graph") or {}).get("dependencies", ())
        return [
            (edge["from"], edge["to"])
            for edge in edges
            if edge["from"] in self.nodes and edge["to"] in self.nodes
        ]

    @cached_property
    def _dependents(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for needing, needed in self.edges:
            found[needed].append(needing)
        return found

    @cached_property
    def _needs(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for needing, needed in self.edges:
            found[needing].append(needed)
        return found

    def downstream(self, urn: str) -> Iterator[Node]:
        """The direct and indirect dependents of a resource, nearest first."""
        return (self.nodes[dependent] for dependent in reachable(urn, self._dependents))

    # -- what changes --------------------------------------------------------------------------

    @cached_property
    def steps(self) -> Sequence[Step]:
        """The steps that change more than the stack's outputs, in the runbook's order.

        The engine works in parallel, so its own order differs in every run.
        """
        steps = (step for step in self._reported if step.type != STACK_TYPE)
        found = [step for step in steps if step.op not in QUIET]
        return sorted(found, key=lambda step: (self._component(step.urn), step.urn))

    @cached_property
    def _reported(self) -> Sequence[Step]:
        """All steps of the document except the two steps of a replacement, which the official CLI
        reports beside the replacement itself."""
        steps = map(Step.parse, self._document.get("steps") or ())
        return [step for step in steps if step.op not in REPLACEMENT_STEPS]

    @property
    def is_bare_refresh(self) -> bool:
        """Whether it is a refresh of the official CLI, which reports no differences."""
        return bool(self._reported) and all(step.op is OpType.REFRESH for step in self._reported)

    @cached_property
    def changes(self) -> Sequence[Changed]:
        """All changes, in the runbook's order; within a component, the worst first."""
        order = list(OPERATIONS)

        def rank(changed: Changed) -> tuple[ComponentRef, int, str, str, str]:
            worst_first = order.index(changed.step.op) if changed.step.op in order else len(order)
            return changed.component, worst_first, changed.type, changed.summary, changed.physical

        return sorted(map(self._change, self.steps), key=rank)

    def _change(self, step: Step) -> Changed:
        lost = is_destructive(step)
        properties = tuple(map(Property.of, _changed_properties(step)))
        follows: tuple[Node, ...] = ()
        forced = any(changed.replaces for changed in properties)
        if lost and step.op is OpType.REPLACE and not forced:
            needed = self._needs.get(step.urn, ())
            follows = tuple(self.nodes[urn] for urn in needed if urn in self._destroyed_urns)
        return Changed(
            step=step,
            component=self._component(step.urn),
            properties=properties,
            downstream=tuple(self.downstream(step.urn)) if lost else (),
            follows=follows,
            refused=next((refusal for refusal in self.refusals if refusal.urn == step.urn), None),
        )

    @cached_property
    def _destroyed_urns(self) -> set[str]:
        return {step.urn for step in self.steps if is_destructive(step)}

    def _component(self, urn: str) -> ComponentRef:
        node = self.nodes.get(urn)
        return node.component if node else ComponentRef(stage=OUTSIDE_STAGES, name="", urn="")

    @cached_property
    def destroyed(self) -> Sequence[Changed]:
        """The replaced and deleted resources: refused ones first, then by number of dependents."""
        found = [changed for changed in self.changes if is_destructive(changed.step)]
        return sorted(
            found,
            key=lambda changed: (
                changed.refused is None,
                -len(changed.downstream),
                changed.step.urn,
            ),
        )

    @cached_property
    def changed(self) -> Sequence[Changed]:
        """The resources that change in place."""
        return [
            changed
            for changed in self.changes
            if not is_destructive(changed.step) and changed.step.op is not OpType.CREATE
        ]

    @cached_property
    def created(self) -> Sequence[Changed]:
        """The new resources."""
        return [changed for changed in self.changes if changed.step.op is OpType.CREATE]

    @cached_property
    def moves(self) -> tuple[Move, ...]:
        """The moves of traffic, if the change does nothing else."""
        return moves(self.steps)

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of resources per operation, the worst operation first."""
        found = [changed.step.op for changed in self.changes]
        return {name: found.count(op) for op, name in OPERATIONS.items() if op in found}

    # -- the verdict ---------------------------------------------------------------------------

    @cached_property
    def reasons(self) -> Sequence[Reason]:
        """The reasons for the verdict, the worst first."""
        found = [*self._blocking()]
        if self.drift and self.steps:
            names = tuple(changed.name for changed in self.changes)
            return [*found, Reason(risk=Risk.REVIEW, text="drift detected", names=names)]
        if not (self._evaluated or self.failure):
            text = "neither the policies nor the guard evaluated the change"
            found.append(Reason(risk=Risk.REVIEW, text=text))
        advice = tuple(found.rule for found in self.violations if found.level != "mandatory")
        if advice:
            found.append(Reason(risk=Risk.REVIEW, text="violates advisory policies", names=advice))
        if self.excepted:
            text = "passes the policies by an exception"
            names = tuple(dict.fromkeys(urn.rpartition("::")[2] for urn in self.excepted))
            found.append(Reason(risk=Risk.REVIEW, text=text, names=names))
        refused = {refusal.urn for refusal in self.refusals}
        found += reasons_to_review([step for step in self.steps if step.urn not in refused])
        return found or [Reason(risk=Risk.SAFE, text=self._harmless())]

    @property
    def risk(self) -> Risk:
        """The verdict."""
        return max((reason.risk for reason in self.reasons), key=lambda risk: risk.rank)

    def _blocking(self) -> Iterator[Reason]:
        if self.failure:
            yield self.failure.reason()
        for operation, refusals in groupby(self.refusals, key=lambda refusal: refusal.operation):
            names = tuple(refusal.name for refusal in refusals)
            yield Reason(risk=Risk.BLOCKED, text=f"the guard refuses to {operation}", names=names)
        broken = tuple(
            dict.fromkeys(found.rule for found in self.violations if found.level == "mandatory")
        )
        if broken:
            yield Reason(risk=Risk.BLOCKED, text="violates mandatory policies", names=broken)
        if not (self._policies_passed or self.failure or self.refusals or broken):
            yield Reason(risk=Risk.BLOCKED, text="the policies did not run")

    def _harmless(self) -> str:
        if not self.steps:
            return "no drift" if self.drift else "nothing changes"
        if self.moves:
            return "only traffic moves; the same setting moves it back"
        counts = [
            f"{len(found)} {operation}"
            for operation, found in (("created", self.created), ("changed in place", self.changed))
            if found
        ]
        return f"{' and '.join(counts)}; nothing is deleted or replaced"

    @property
    def drift(self) -> bool:
        """Whether the differences were found by a refresh, and are not the plan of an ``up``."""
        return self.operation == "refresh"

    def to_dict(self) -> dict[str, Any]:
        """This stack's part of the JSON form."""
        return {
            "stack": self.stack,
            "operation": self.operation,
            "verdict": self.risk.value,
            "reasons": [reason.to_dict() for reason in self.reasons],
            "counts": dict(self.counts),
            "failure": self.failure.to_dict() if self.failure else None,
            "traffic": [move.to_dict() for move in self.moves],
            "changes": [changed.to_dict() for changed in self.changes],
            "policies": self._document.get("policies"),
            "diagnostics": [diagnostic.to_dict() for diagnostic in self.diagnostics],
        }


class Report:
    """One or more stacks. The worst verdict is that of the report."""

    def __init__(self, documents: Sequence[Mapping[str, Any]]) -> None:
        self.stacks = [StackReport(document) for document in documents]

    @property
    def risk(self) -> Risk:
        return max((stack.risk for stack in self.stacks), key=lambda risk: risk.rank)

    @property
    def exit_code(self) -> int:
        """The exit code of the previews: 2 if one could not start, 1 if blocked, otherwise 0."""
        failed = max((stack.failure.exit_code for stack in self.stacks if stack.failure), default=0)
        return max(failed, int(self.risk is Risk.BLOCKED))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "verdict": self.risk.value,
            "stacks": [stack.to_dict() for stack in self.stacks],
        }


def _changed_properties(step: Step) -> Iterator[Change]:
    """The changed properties, those that force a replacement first."""
    return iter(sorted(step.changes(), key=lambda change: not change.replaces))


def _by_level(violation: Mapping[str, Any]) -> tuple[bool, str, str, str]:
    """Sorts mandatory rules first, and equal messages together."""
    level, rule = violation["level"], violation["rule"]
    return level != "mandatory", rule, violation["message"], violation["urn"]


def _by_operation(refusal: Mapping[str, Any]) -> tuple[str, str]:
    return refusal["operation"], refusal["urn"]


def _by_severity(diagnostic: Diagnostic) -> tuple[bool, str, str]:
    return diagnostic.severity != "error", diagnostic.urn, diagnostic.message

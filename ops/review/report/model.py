"""The data of a report, made from the JSON documents of previews. Every form renders this."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, Final, Literal

from pulumi.automation import OpType

from ops.review.differences import Difference, compare, differences
from ops.review.graph import OUTSIDE_STAGES, ComponentIndex, ComponentRef
from ops.review.guard import UNDESCRIBED, loss_of
from ops.review.judges import Judges
from ops.review.outcome import Diagnostic, Violation
from ops.review.rendering import Property, value_text
from ops.review.report.risk import (
    Reason,
    Risk,
    is_destructive,
    is_new_version,
    lost,
    reasons_to_review,
)
from ops.review.report.traffic import Move, moves, without_traffic
from ops.review.steps import REPLACEMENT_STEPS, State, Step, short_type
from ops.review.summary import physical_name, summary_fields
from ops.review.traversal import reachable
from policies.rules import RULES
from resource_types import RESOURCE_TYPES
from resource_types.estate import OUTPUTS, STACK

OPERATIONS: Final[Mapping[OpType, str]] = {
    OpType.REPLACE: "replace",
    OpType.DELETE: "delete",
    OpType.UPDATE: "update",
    OpType.CREATE: "create",
    OpType.IMPORT: "import",
    OpType.READ: "read",
}
"""The kinds of change, the worst first."""

RELEASE: Final = "release"
"""What happens to an immutable record of a release, which the engine calls a replacement."""

ALIKE: Final = 4
"""From this many, resources to which the same happens share a line."""

SEVERITIES: Final[Mapping[str, str]] = {rule.id: rule.severity.value for rule in RULES}
"""The severity of each policy rule."""

_WORST_FIRST: Final = ("", "critical", "high", "medium", "low")

_SENTENCES: Final[Mapping[Risk, str]] = {
    Risk.SAFE: "Nothing in this change needs a decision.",
    Risk.RELEASE: "New versions start to run. The platform keeps the ones before them.",
    Risk.REVIEW: "A person has to decide, because the next change cannot simply undo this one.",
    Risk.BLOCKED: "This change cannot be released as it is.",
}

_PROGRAMS: Final[Mapping[str, str]] = {"Api": "the API", "Web": "the web application"}
"""The programs of components, by the last part of the component's type."""

_IN_PROGRAM: Final = re.compile(
    r"^ *at ([\w./-]+\.py:\d+) in |^ *File \"(?:[^\"\n]*/)?([\w.-]+\.py)\", line (\d+)",
    re.MULTILINE,
)
"""A place in the program, in the text of an error: the frames of a trace, outermost first."""

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
class Approved:
    """An operation that the guard would refuse without its approval."""

    urn: str
    operation: str
    loss: str
    approval: str

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Approved:
        people = " and ".join(document["approvedBy"])
        return cls(
            urn=document["urn"],
            operation=document["operation"],
            loss=document["loss"],
            approval=f"By {people}, until {document['expires']}: {document['reason']}",
        )

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A resource that changes.

    Attributes:
        properties: what differs, except for ``dropped_variables``.
        dropped_variables: the variables that its program no longer gets.
        downstream: its dependents, nearest first, if it is deleted or replaced. What only comes
            after it in the order of deployment is not among them.
        follows: its dependencies that are deleted or replaced too, if no property of its own
            forces its replacement.
        refused: the guard's refusal, if there is one.
        approved: the approval without which the guard would refuse it, if there is one.
    """

    step: Step
    component: ComponentRef
    properties: tuple[Property, ...]
    dropped_variables: tuple[str, ...]
    downstream: tuple[Node, ...]
    follows: tuple[Node, ...]
    refused: Refused | None
    approved: Approved | None

    @property
    def name(self) -> str:
        return self.step.name

    @property
    def physical(self) -> str:
        """What the platform's console calls it today, or is going to call a new resource."""
        return physical_name(self.step.old or self.step.state)

    @property
    def type(self) -> str:
        return short_type(self.step.type)

    @property
    def operation(self) -> str:
        """What happens to it, such as ``replace``."""
        if self.step.op is OpType.REPLACE and is_new_version(self.step):
            return RELEASE
        return OPERATIONS.get(self.step.op, self.step.op.value)

    @property
    def subject(self) -> str:
        """The program that it runs, as people call it, or else the name of its component."""
        kind = self.component.urn.split("::")[-2:-1]
        return _PROGRAMS.get("".join(kind).rpartition(":")[2], self.component.name or self.name)

    @property
    def loss(self) -> str:
        """What its deletion or replacement loses; empty for nothing."""
        return (loss_of(self.step) or "") if is_destructive(self.step) else ""

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
            "loss": self.loss or None,
            "properties": [changed.to_dict() for changed in self.properties],
            "droppedVariables": list(self.dropped_variables),
            "downstream": [node.urn for node in self.downstream],
            "follows": [node.urn for node in self.follows],
            "refused": self.refused.reason if self.refused else None,
            "approved": self.approved.approval if self.approved else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Resources to which the same happens, at least ``ALIKE`` of them."""

    changes: tuple[Changed, ...]

    @property
    def types(self) -> Mapping[str, int]:
        """The number of resources of each type."""
        types = [changed.type for changed in self.changes]
        return {type_: types.count(type_) for type_ in sorted(set(types))}

    @property
    def properties(self) -> Iterator[Property]:
        """The properties that all of them change. Where the values differ, those of the first."""
        for alike in zip(*(changed.properties for changed in self.changes), strict=True):
            first = alike[0]
            same = len({(each.old, each.new) for each in alike}) == 1
            path = first.path if same else f"{first.path} (the first of different values)"
            yield Property(path=path, old=first.old, new=first.new, replaces=first.replaces)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputChange:
    """A stack output that is new, changed or removed.

    Attributes:
        kind: who may see it (``resource_types/estate.py``).
        properties: what differs in it.
    """

    name: str
    kind: str
    change: Literal["new", "changed", "removed"]
    properties: tuple[Property, ...]

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> OutputChange:
        name, old, new = document["name"], document.get("old"), document.get("new")
        both: Literal["new", "changed"] = "changed" if "old" in document else "new"
        whole = Difference(path=name, old=old, new=new, replaces=False)
        return cls(
            name=name,
            kind=OUTPUTS.get(name, "not declared"),
            change=both if "new" in document else "removed",
            properties=tuple(map(Property.of, list(compare(old, new, name)) or [whole])),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "change": self.change,
            "properties": [changed.to_dict() for changed in self.properties],
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

    @property
    def place(self) -> str:
        """The file and the line of the program that failed; empty if it is not the program."""
        frames = _IN_PROGRAM.findall(self.message)
        return next((here or f"{file}:{line}" for here, file, line in reversed(frames)), "")

    def reason(self, stack: str) -> Reason:
        names: tuple[str, ...] = ()
        action = "Correct the cause below, then run the preview again."
        match self.kind, len(self.errors):
            case "settings", count:
                text = "a setting is wrong" if count == 1 else f"{count} settings are wrong"
                text = f"{text}; nothing was started"
                names = tuple(error.path for error in self.errors)
                action = f"Correct Pulumi.{stack}.yaml."
            case "interrupted", _:
                text = "the preview was interrupted"
                action = "Run the preview again."
            case "engine" | "policies", _ if self.place:
                text, names = "the program failed", (self.place,)
                action = "Correct the program."
            case "engine" | "policies", _:
                text = "the preview failed"
            case _:
                text = "the preview could not start"
        return Reason(risk=Risk.BLOCKED, text=text, names=names, action=action)


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
        violations = (Violation(**row) for row in policies.get("violations", ()))
        self.violations = tuple(sorted(dict.fromkeys(violations), key=_by_severity_of_rule))
        self.refusals = tuple(
            Refused.parse(row) for row in sorted(policies.get("refusals", ()), key=_by_operation)
        )
        self.approved = tuple(
            Approved.parse(row) for row in sorted(policies.get("approvals", ()), key=_by_operation)
        )
        self.compared_with = str(document.get("comparedWith") or "")
        self.excepted = tuple(row["urn"] for row in policies.get("exceptions", ()))
        self._evaluated = bool(policies)
        self._policies_passed: bool = policies.get("passed", True)
        diagnostics = map(Diagnostic.parse, document.get("diagnostics") or ())
        self.diagnostics = tuple(sorted(dict.fromkeys(diagnostics), key=_by_severity))
        self.outputs = tuple(map(OutputChange.parse, self._output_changes))
        self.failure = None
        if error is not None and not self._fails_evaluation:
            self.failure = Failure.parse(error)
        elif error is None and self._official_preview_failed:
            errors = [item.message for item in self.diagnostics if item.severity == "error"]
            message = "\n".join(errors) or "The preview of the official CLI did not finish."
            self.failure = Failure(kind="engine", message=message, exit_code=1, errors=())

    @property
    def _stack_of_urns(self) -> str:
        """The stack in the URNs: the official CLI's document names it nowhere else."""
        urns = (step["urn"] for step in self._document.get("steps") or ())
        return next(urns, "::").partition("::")[0].rpartition(":")[2] or "unknown"

    @property
    def _official_preview_failed(self) -> bool:
        """Whether ``pulumi preview --json`` failed. It says so in no field of its document.

        It prints the errors, and neither a duration nor a summary of the changes
        (``pkg/backend/display/json.go`` of the Pulumi CLI).
        """
        document = self._document
        errors = any(item.severity == "error" for item in self.diagnostics)
        unfinished = not {"duration", "changeSummary"} & document.keys()
        return "result" not in document and (errors or unfinished)

    @property
    def _output_changes(self) -> Sequence[Mapping[str, Any]]:
        """The changed stack outputs: the official CLI has them in the step of the stack."""
        if "outputChanges" in self._document:
            changes: Sequence[Mapping[str, Any]] = self._document["outputChanges"]
            return changes
        steps = (row for row in self._document.get("steps") or () if f"::{STACK}::" in row["urn"])
        return [change for step in map(Step.parse, steps) for change in step.output_changes()]

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
        """Pairs of URNs; the first comes after the second."""
        edges = (self._document.get("graph") or {}).get("dependencies", ())
        return [
            (edge["from"], edge["to"])
            for edge in edges
            if edge["from"] in self.nodes and edge["to"] in self.nodes
        ]

    @cached_property
    def uses(self) -> Sequence[tuple[str, str]]:
        """Those of ``edges`` where the first uses a value of the second."""
        graph = self._document.get("graph") or {}
        only_order = {
            (edge["from"], edge["to"])
            for edge in graph.get("dependencies", ())
            if edge.get("onlyOrder")
        }
        return [edge for edge in self.edges if edge not in only_order]

    @cached_property
    def _dependents(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for using, used in self.uses:
            found[used].append(using)
        return found

    @cached_property
    def _needs(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for using, used in self.uses:
            found[using].append(used)
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
        steps = (step for step in self._reported if step.type != STACK)
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
        different = without_traffic(step, differences(step))
        dropped = [found for found in different if _drops_variable(step, found)]
        follows: tuple[Node, ...] = ()
        forced = any(found.replaces for found in different)
        if lost and step.op is OpType.REPLACE and not forced:
            needed = self._needs.get(step.urn, ())
            follows = tuple(self.nodes[urn] for urn in needed if urn in self._destroyed_urns)
        return Changed(
            step=step,
            component=self._component(step.urn),
            properties=tuple(Property.of(found) for found in different if found not in dropped),
            dropped_variables=tuple(found.entry for found in dropped),
            downstream=tuple(self.downstream(step.urn)) if lost else (),
            follows=follows,
            refused=next((each for each in self.refusals if each.urn == step.old_urn), None),
            approved=next((each for each in self.approved if each.urn == step.old_urn), None),
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

    def loss_text(self, changed: Changed) -> tuple[str, str]:
        """What becomes of a deletion or replacement, and what is lost; empty for no loss."""
        if changed.refused:
            return "Refused", changed.refused.loss
        if changed.approved:
            return "Approved", changed.approved.loss
        if self.drift:
            status, verb = "Lost", "is"
        elif self._evaluated:
            status, verb = "Approved", "will be"
        else:
            status, verb = "Not evaluated", "would be"
        if not changed.loss:
            return "", ""
        return (
            status,
            changed.loss if changed.loss is UNDESCRIBED else f"{changed.loss} {verb} lost",
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
    def alike(self) -> Sequence[Alike]:
        """Those of ``changed`` to which the same happens, the largest group first."""
        groups: dict[object, list[Changed]] = defaultdict(list)
        for changed in self.changed:
            if changed.refused or changed.approved:
                continue
            paths = tuple((each.path, each.replaces) for each in changed.properties)
            groups[changed.operation, paths, changed.dropped_variables].append(changed)
        found = [Alike(changes=tuple(group)) for group in groups.values() if len(group) >= ALIKE]
        return sorted(found, key=lambda group: -len(group.changes))

    @cached_property
    def changed_alone(self) -> Sequence[Changed]:
        """Those of ``changed`` that are in no group."""
        grouped = {changed.step.urn for group in self.alike for changed in group.changes}
        return [changed for changed in self.changed if changed.step.urn not in grouped]

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
        found = [changed.operation for changed in self.changes]
        names = dict.fromkeys([*OPERATIONS.values(), RELEASE, *found])
        return {name: found.count(name) for name in names if name in found}

    # -- the verdict ---------------------------------------------------------------------------

    @cached_property
    def reasons(self) -> Sequence[Reason]:
        """The reasons for the verdict, the worst first."""
        found = [*self._blocking()]
        if self.drift and self.steps:
            names = tuple(changed.name for changed in self.changes)
            action = (
                "Find out who changed it. The next up reverts it, unless the program is changed."
            )
            drift = Reason(risk=Risk.REVIEW, text="drift detected", names=names, action=action)
            return [*found, drift]
        if not (self._evaluated or self.failure):
            text = "neither the policies nor the guard evaluated the change"
            action = f"Run bin/ops preview --stack {self.stack}."
            found.append(Reason(risk=Risk.REVIEW, text=text, action=action))
        refused = {refusal.urn for refusal in self.refusals}
        steps = [step for step in self.steps if step.urn not in refused]
        found += self._approvals()
        found += () if self.moves else reasons_to_review(steps)
        found += self._dropped_variables()
        found += self._edits_without_effect()
        found += self._policies()
        found = found or [Reason(risk=Risk.SAFE, text=self._harmless())]
        return sorted([*found, *self._outputs()], key=lambda reason: -reason.risk.rank)

    @property
    def sentence(self) -> str:
        """What the verdict means."""
        return _SENTENCES[self.risk]

    @property
    def totals(self) -> str:
        """The number of resources per operation, as a sentence; empty for none."""
        if self.drift or self.moves or not self.counts:
            return ""
        counts = (f"{count:,} to {operation}" for operation, count in self.counts.items())
        return f"{', '.join(counts).capitalize()}."

    @property
    def actions(self) -> Sequence[str]:
        """What a reviewer has to do, the most important first."""
        return list(
            dict.fromkeys(
                reason.action
                for reason in self.reasons
                if reason.action and reason.risk is self.risk
            )
        )

    @property
    def risk(self) -> Risk:
        """The verdict."""
        return max((reason.risk for reason in self.reasons), key=lambda risk: risk.rank)

    def _blocking(self) -> Iterator[Reason]:
        if self.failure:
            yield self.failure.reason(self.stack)
        losses = {refusal.name: refusal.loss for refusal in self.refusals}
        losses |= {step.name: lost(step) for step in self.steps if lost(step)}
        for operation, refusals in groupby(self.refusals, key=lambda refusal: refusal.operation):
            names = tuple(refusal.name for refusal in refusals)
            yield Reason(
                risk=Risk.BLOCKED,
                text=f"the guard refuses to {operation}",
                names=names,
                details={name: losses[name] for name in names if name in losses},
                action=f"Keep the resource, or get an approval in approvals/{self.stack}.yaml.",
            )
        violated = self._violated(mandatory=True)
        if violated:
            yield Reason(
                risk=Risk.BLOCKED,
                text="violates mandatory policies",
                names=violated,
                action="Correct what the policies name, or request an exception in "
                "approvals/exceptions.yaml.",
            )
        if not (self._policies_passed or self.failure or self.refusals or violated):
            yield Reason(
                risk=Risk.BLOCKED,
                text="the policies did not run",
                action="Find out why the engine did not start the policy pack.",
            )

    def _violated(self, *, mandatory: bool) -> tuple[str, ...]:
        found = (each.rule for each in self.violations if (each.level == "mandatory") is mandatory)
        return tuple(dict.fromkeys(found))

    def _policies(self) -> Iterator[Reason]:
        advice = self._violated(mandatory=False)
        if advice:
            yield Reason(
                risk=Risk.REVIEW,
                text="violates advisory policies",
                names=advice,
                action="Decide whether to follow the advice.",
            )
        if self.excepted:
            yield Reason(
                risk=Risk.REVIEW,
                text="passes the policies by an exception",
                names=tuple(dict.fromkeys(urn.rpartition("::")[2] for urn in self.excepted)),
                action="Check that the exception still applies.",
            )

    def _approvals(self) -> Iterator[Reason]:
        if self.approved:
            yield Reason(
                risk=Risk.REVIEW,
                text="passes the guard by an approval",
                names=tuple(approved.name for approved in self.approved),
                details={each.name: f"{each.loss}. {each.approval}" for each in self.approved},
                action="Check that the approval still applies.",
            )

    def _dropped_variables(self) -> Iterator[Reason]:
        for changed in self.changes:
            if changed.dropped_variables:
                yield Reason(
                    risk=Risk.RELEASE,
                    text=f"{changed.subject} no longer gets",
                    names=changed.dropped_variables,
                    action="Check that the program does not need the variable.",
                )

    def _edits_without_effect(self) -> Iterator[Reason]:
        """The edits that the engine or a provider drops."""
        warnings = [each for each in self.diagnostics if each.edit_without_effect]
        if warnings:
            yield Reason(
                risk=Risk.REVIEW,
                text="an edit has no effect",
                names=tuple(dict.fromkeys(each.urn.rpartition("::")[2] for each in warnings)),
                action="Read the message below, and revert the edit.",
            )

    def _outputs(self) -> Iterator[Reason]:
        for change, risk, action in (
            ("removed", Risk.REVIEW, "Check that nothing reads the output."),
            ("changed", Risk.SAFE, ""),
            ("new", Risk.SAFE, ""),
        ):
            names = tuple(output.name for output in self.outputs if output.change == change)
            if names:
                text = f"{change} stack output{'s'[: len(names) > 1]}"
                yield Reason(risk=risk, text=text, names=names, action=action)

    def _harmless(self) -> str:
        if not self.steps:
            nothing = "no resource changes" if self.outputs else "nothing changes"
            return "no drift" if self.drift else nothing
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
            "summary": self.sentence,
            "reasons": [reason.to_dict() for reason in self.reasons],
            "actions": list(self.actions),
            "comparedWith": self.compared_with or None,
            "counts": dict(self.counts),
            "failure": self.failure.to_dict() if self.failure else None,
            "traffic": [move.to_dict() for move in self.moves],
            "changes": [changed.to_dict() for changed in self.changes],
            "outputs": [output.to_dict() for output in self.outputs],
            "policies": self._document.get("policies"),
            "diagnostics": [diagnostic.to_dict() for diagnostic in self.diagnostics],
        }


class Report:
    """One or more stacks, the worst first. The worst verdict is that of the report.

    Attributes:
        judges: what a pull request changes of what judges it.
    """

    def __init__(
        self, documents: Sequence[Mapping[str, Any]], judges: Judges | None = None
    ) -> None:
        self.stacks = sorted(map(StackReport, documents), key=_worst_first)
        self.judges = judges or Judges()

    @property
    def risk(self) -> Risk:
        own = Risk.REVIEW if self.judges.changed else Risk.SAFE
        return max((own, *(stack.risk for stack in self.stacks)), key=lambda risk: risk.rank)

    def differing_verdicts(self) -> Iterator[str]:
        """What the pull request's own rules say where that differs, as sentences."""
        for stack in self.stacks:
            own = self.judges.own.get(stack.stack)
            if own is None or own.risk == stack.risk:
                continue
            if not own.risk:
                yield f"The pull request's own rules give no verdict on {stack.stack}."
                continue
            reasons = f" ({'; '.join(own.reasons)})" if own.reasons else ""
            yield (
                f"By the pull request's own rules, {stack.stack} would be {own.risk} instead of "
                f"{stack.risk}{reasons}."
            )

    @property
    def exit_code(self) -> int:
        """The exit code of the previews: 2 if one could not start, 1 if blocked, otherwise 0."""
        failed = max((stack.failure.exit_code for stack in self.stacks if stack.failure), default=0)
        return max(failed, int(self.risk is Risk.BLOCKED))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "verdict": self.risk.value,
            "judges": self.judges.to_dict(),
            "stacks": [stack.to_dict() for stack in self.stacks],
        }


def _worst_first(stack: StackReport) -> tuple[int, int, int]:
    """Sorts by verdict; of two stacks with the same one, the one that loses more comes first."""
    losses = [changed for changed in stack.changes if stack.loss_text(changed)[1]]
    return -stack.risk.rank, -len(losses), -len(stack.destroyed)


def _drops_variable(step: Step, found: Difference) -> bool:
    record = RESOURCE_TYPES.get(step.type)
    variables = record.all_variables if record else ()
    return found.new is None and bool(found.entry) and found.collection in variables


def severity(violation: Violation) -> str:
    """The severity of the violated rule; empty for a rule of another pack."""
    return SEVERITIES.get(violation.rule, "")


def _by_severity_of_rule(violation: Violation) -> tuple[bool, int, str, str, str]:
    """Sorts mandatory rules first, the most severe first, and equal messages together."""
    return (
        violation.level != "mandatory",
        _WORST_FIRST.index(severity(violation)),
        violation.rule,
        violation.message,
        violation.urn,
    )


def _by_operation(refusal: Mapping[str, Any]) -> tuple[str, str]:
    return refusal["operation"], refusal["urn"]


def _by_severity(diagnostic: Diagnostic) -> tuple[bool, str, str]:
    return diagnostic.severity != "error", diagnostic.urn, diagnostic.message

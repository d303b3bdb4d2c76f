"""The report as data, made from previews' JSON documents; every form is drawn from this."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, Final

from pulumi.automation import OpType

from ops.review.graph import OUTSIDE_STAGES, ComponentIndex, ComponentRef
from ops.review.outcome import Diagnostic, Violation
from ops.review.report.risk import Reason, Risk, loses_something, reasons_to_review
from ops.review.report.traffic import Move, moves
from ops.review.report.values import Property, shown
from ops.review.steps import REPLACEMENT_STEPS, STACK_TYPE, Change, State, Step, short_type
from ops.review.summary import physical_name, summary_fields

WORDS: Final[Mapping[OpType, str]] = {
    OpType.REPLACE: "replace",
    OpType.DELETE: "delete",
    OpType.UPDATE: "update",
    OpType.CREATE: "create",
    OpType.IMPORT: "import",
    OpType.READ: "read",
}
"""The kinds of change, the worst first."""

QUIET: Final = (OpType.SAME, OpType.REFRESH)
"""What changes nothing. What a preview finds by its refresh, it tells again as an update."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A resource or component of the graph, whether or not it changes."""

    urn: str
    type: str
    physical: str
    component: ComponentRef

    @property
    def name(self) -> str:
        """The logical name, which is unique and what approvals and the code go by."""
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
    """What the guard says against an operation."""

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
        downstream: what depends on it, nearest first; known of what is deleted or replaced.
        follows: what it needs and is lost as well, where no property of its own forces its
            replacement.
        refused: the guard does not let it pass.
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
    def word(self) -> str:
        """What happens to it."""
        return WORDS.get(self.step.op, self.step.op.value)

    @property
    def figures(self) -> str:
        """What is worth knowing of a new resource, in one line."""
        return ", ".join(
            f"{label} {shown(value)}" for label, value in summary_fields(self.step.state)
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "urn": self.step.urn,
            "type": self.step.type,
            "name": self.name,
            "physicalName": self.physical,
            "operation": self.word,
            "stage": self.component.stage,
            "component": self.component.name,
            "properties": [one.to_dict() for one in self.properties],
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
    """Why there is no whole preview.

    Attributes:
        kind: ``settings`` and other names of wrong input; ``engine``, ``policies``,
            ``interrupted``, ``crash``.
        exit_code: of the command that failed.
        message: the text for people; of settings the errors tell it better.
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
                    path=one["path"], value=shown(one["value"]), expected=str(one["expected"])
                )
                for one in document.get("errors", ())
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "message": self.message,
            "errors": [
                {"path": one.path, "value": one.value, "expected": one.expected}
                for one in self.errors
            ],
        }

    def reason(self) -> Reason:
        match self.kind, len(self.errors):
            case "settings", 1:
                words = "a setting is wrong; nothing was started"
            case "settings", count:
                words = f"{count} settings are wrong; nothing was started"
            case "interrupted", _:
                words = "the preview was interrupted"
            case "engine" | "policies", _:
                words = "the preview failed"
            case _:
                words = "the preview could not start"
        return Reason(risk=Risk.BLOCKED, words=words)


class StackReport:
    """What is to be said of one stack.

    Args:
        document: what ``ops preview --json`` or ``ops refresh --json`` printed.
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
            Violation(**one) for one in sorted(policies.get("violations", ()), key=_by_level)
        )
        self.refusals = tuple(
            Refused.parse(one) for one in sorted(policies.get("refusals", ()), key=_by_operation)
        )
        self.excepted = tuple(one["urn"] for one in policies.get("exceptions", ()))
        self._seen_by_policies = bool(policies)
        self._policies_passed: bool = policies.get("passed", True)
        self.diagnostics = tuple(
            sorted(map(Diagnostic.parse, document.get("diagnostics") or ()), key=_by_severity)
        )
        self.failure = Failure.parse(error) if error is not None and not self._judged else None

    @property
    def _stack_of_urns(self) -> str:
        """The official CLI names the stack nowhere else."""
        urns = (one["urn"] for one in self._document.get("steps") or ())
        return next(urns, "::").partition("::")[0].rpartition(":")[2] or "unknown"

    @property
    def _judged(self) -> bool:
        """Whether policies or guard are what the preview failed by, and so say it better."""
        errors = any(one.severity == "error" for one in self.diagnostics)
        return bool(self.refusals) or (self._document["error"]["kind"] == "policies" and not errors)

    # -- the graph -----------------------------------------------------------------------------

    @cached_property
    def nodes(self) -> Mapping[str, Node]:
        """Everything that was there or is to be, by URN; empty where there was no preview.

        The official CLI tells of no graph, only of the resources.
        """
        graph = self._document.get("graph")
        if graph:
            return {one["urn"]: Node.parse(one) for one in graph["resources"]}
        states = {step.urn: step.state for step in self._told}
        components = ComponentIndex(states.values())
        return {urn: Node.of(state, components.of(urn)) for urn, state in states.items()}

    @cached_property
    def edges(self) -> Sequence[tuple[str, str]]:
        """Pairs of URNs; the first needs the second."""
        edges = (self._document.get("graph") or {}).get("dependencies", ())
        return [
            (one["from"], one["to"])
            for one in edges
            if one["from"] in self.nodes and one["to"] in self.nodes
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
        """What depends on a resource, directly or not, nearest first."""
        seen = {urn}
        ahead = deque([urn])
        while ahead:
            for one in self._dependents.get(ahead.popleft(), ()):
                if one not in seen:
                    seen.add(one)
                    ahead.append(one)
                    yield self.nodes[one]

    # -- what changes --------------------------------------------------------------------------

    @cached_property
    def steps(self) -> Sequence[Step]:
        """The steps that change something other than the stack's outputs, in the runbook's order.

        The engine works on much at once, so that its own order is another one every time.
        """
        found = [step for step in self._told if step.op not in QUIET and step.type != STACK_TYPE]
        return sorted(found, key=lambda step: (self._component(step.urn), step.urn))

    @cached_property
    def _told(self) -> Sequence[Step]:
        """All steps of the document but the halves of a replacement, which the official CLI tells
        besides the replacement itself."""
        steps = map(Step.parse, self._document.get("steps") or ())
        return [step for step in steps if step.op not in REPLACEMENT_STEPS]

    @property
    def says_nothing(self) -> bool:
        """Whether it is a refresh of the official CLI, which tells only what was looked at."""
        return bool(self._told) and all(step.op is OpType.REFRESH for step in self._told)

    @cached_property
    def changes(self) -> Sequence[Changed]:
        """All changes, in the runbook's order; in a component the worst first."""
        order = list(WORDS)

        def place(changed: Changed) -> tuple[ComponentRef, int, str, str, str]:
            rank = order.index(changed.step.op) if changed.step.op in order else len(order)
            return changed.component, rank, changed.type, changed.figures, changed.physical

        return sorted(map(self._change, self.steps), key=place)

    def _change(self, step: Step) -> Changed:
        lost = loses_something(step)
        properties = tuple(map(Property.of, _telling(step)))
        follows: tuple[Node, ...] = ()
        forced = any(one.replaces for one in properties)
        if lost and step.op is OpType.REPLACE and not forced:
            needed = self._needs.get(step.urn, ())
            follows = tuple(self.nodes[urn] for urn in needed if urn in self._lost)
        return Changed(
            step=step,
            component=self._component(step.urn),
            properties=properties,
            downstream=tuple(self.downstream(step.urn)) if lost else (),
            follows=follows,
            refused=next((one for one in self.refusals if one.urn == step.urn), None),
        )

    @cached_property
    def _lost(self) -> set[str]:
        return {step.urn for step in self.steps if loses_something(step)}

    def _component(self, urn: str) -> ComponentRef:
        node = self.nodes.get(urn)
        return node.component if node else ComponentRef(stage=OUTSIDE_STAGES, name="", urn="")

    @cached_property
    def worst(self) -> Sequence[Changed]:
        """What is replaced or deleted and lost by that, refused and far-reaching first."""
        found = [one for one in self.changes if loses_something(one.step)]
        return sorted(
            found, key=lambda one: (one.refused is None, -len(one.downstream), one.step.urn)
        )

    @cached_property
    def changed(self) -> Sequence[Changed]:
        """What changes and stays."""
        return [
            one
            for one in self.changes
            if not loses_something(one.step) and one.step.op is not OpType.CREATE
        ]

    @cached_property
    def created(self) -> Sequence[Changed]:
        """What is new."""
        return [one for one in self.changes if one.step.op is OpType.CREATE]

    @cached_property
    def moves(self) -> tuple[Move, ...]:
        """What traffic moves, if nothing else happens."""
        return moves(self.steps)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many resources each kind of change is about, the worst kind first."""
        of = [one.step.op for one in self.changes]
        return {word: of.count(op) for op, word in WORDS.items() if op in of}

    # -- the verdict ---------------------------------------------------------------------------

    @cached_property
    def reasons(self) -> Sequence[Reason]:
        """Why the verdict is what it is, the worst first."""
        found = [*self._blocking()]
        if self.drift and self.steps:
            words = "the cloud is not as the state says: somebody changed it by other means"
            names = tuple(one.name for one in self.changes)
            return [*found, Reason(risk=Risk.REVIEW, words=words, names=names)]
        if not (self._seen_by_policies or self.failure):
            words = "neither the policies nor the guard have looked at it"
            found.append(Reason(risk=Risk.REVIEW, words=words))
        advice = tuple(one.rule for one in self.violations if one.level != "mandatory")
        if advice:
            found.append(Reason(risk=Risk.REVIEW, words="advice of the policies", names=advice))
        if self.excepted:
            words = "passes the policies by an exception"
            names = tuple(dict.fromkeys(urn.rpartition("::")[2] for urn in self.excepted))
            found.append(Reason(risk=Risk.REVIEW, words=words, names=names))
        refused = {one.urn for one in self.refusals}
        found += reasons_to_review([step for step in self.steps if step.urn not in refused])
        return found or [Reason(risk=Risk.SAFE, words=self._harmless())]

    @property
    def risk(self) -> Risk:
        """The verdict."""
        return max((reason.risk for reason in self.reasons), key=lambda risk: risk.rank)

    def _blocking(self) -> Iterator[Reason]:
        if self.failure:
            yield self.failure.reason()
        for word, same in groupby(self.refusals, key=lambda one: one.operation):
            names = tuple(one.name for one in same)
            yield Reason(risk=Risk.BLOCKED, words=f"the guard refuses to {word}", names=names)
        broken = tuple(
            dict.fromkeys(one.rule for one in self.violations if one.level == "mandatory")
        )
        if broken:
            words = "a mandatory policy is broken" if len(broken) == 1 else "policies are broken"
            yield Reason(risk=Risk.BLOCKED, words=words, names=broken)
        if not (self._policies_passed or self.failure or self.refusals or broken):
            yield Reason(risk=Risk.BLOCKED, words="the policies did not run")

    def _harmless(self) -> str:
        if not self.steps:
            return "the cloud is as the state says" if self.drift else "nothing changes"
        if self.moves:
            return "only traffic moves; the same line undoes it"
        told = [
            f"{len(found)} {word}"
            for word, found in (("created", self.created), ("changed in place", self.changed))
            if found
        ]
        return f"{' and '.join(told)}; nothing is deleted or replaced"

    @property
    def drift(self) -> bool:
        """Whether the differences are what a refresh has found, and not what an ``up`` would do."""
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
            "changes": [one.to_dict() for one in self.changes],
            "policies": self._document.get("policies"),
            "diagnostics": [one.to_dict() for one in self.diagnostics],
        }


class Report:
    """One or more stacks, the worst verdict of which is the whole's."""

    def __init__(self, documents: Sequence[Mapping[str, Any]]) -> None:
        self.stacks = [StackReport(document) for document in documents]

    @property
    def risk(self) -> Risk:
        return max((one.risk for one in self.stacks), key=lambda risk: risk.rank)

    @property
    def exit_code(self) -> int:
        """That of the previews: 2 where something was wrong before they began, 1 if blocked."""
        failed = max((one.failure.exit_code for one in self.stacks if one.failure), default=0)
        return max(failed, int(self.risk is Risk.BLOCKED))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "verdict": self.risk.value,
            "stacks": [one.to_dict() for one in self.stacks],
        }


def _telling(step: Step) -> Iterator[Change]:
    """The changed properties, those that force a replacement first."""
    return iter(sorted(step.changes(), key=lambda change: not change.replaces))


def _by_level(violation: Mapping[str, Any]) -> tuple[bool, str, str, str]:
    """Sorts the worst first, and what is said of several resources together."""
    told = (violation["rule"], violation["message"], violation["urn"])
    return violation["level"] != "mandatory", *told


def _by_operation(refusal: Mapping[str, Any]) -> tuple[str, str]:
    return refusal["operation"], refusal["urn"]


def _by_severity(diagnostic: Diagnostic) -> tuple[bool, str, str]:
    return diagnostic.severity != "error", diagnostic.urn, diagnostic.message

"""The verdict of the policy pack and the guard on a preview, before anything is changed."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.engine.checkout import Checkout
from ops.engine.stack import OpenStack
from ops.errors import WrongInput
from ops.review.approvals import Approval, read_approvals
from ops.review.guard import Approved, Refusal, evaluate
from ops.review.outcome import Outcome, Violation
from policies.exceptions import FILE, read
from policies.levels import OFF, LevelsError, file_of, read_levels
from policies.rules import PACK, RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The result of the policy pack and the guard for an operation.

    Attributes:
        rules: the number of rules evaluated; 0 for a ``destroy``, to which no rule applies.
        complete: the operation succeeded, so every rule was evaluated on every resource.
        skipped: the engine finished without running the pack.
        approved: what the guard would refuse without an approval.
        excepted: pairs of a URN that changes and the rule that an exception covers.
    """

    rules: int
    complete: bool
    skipped: bool
    violations: tuple[Violation, ...]
    refusals: tuple[Refusal, ...]
    approved: tuple[Approved, ...]
    excepted: tuple[tuple[str, str], ...]

    @property
    def passed(self) -> bool:
        """Whether the operation may run. A pack that did not run to its end passes nothing."""
        return self.complete and not self.blocks

    @property
    def blocks(self) -> bool:
        """Whether the pack or the guard is the reason why the operation may not run."""
        mandatory = any(violation.level == "mandatory" for violation in self.violations)
        return bool(self.skipped or mandatory or self.refusals)

    def to_dict(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "pack": PACK,
            "rules": self.rules,
            "violations": [violation.to_dict() for violation in self.violations],
            "refusals": [refusal.to_dict() for refusal in self.refusals],
            "approvals": [approved.to_dict() for approved in self.approved],
            "exceptions": [{"urn": urn, "rule": rule} for urn, rule in self.excepted],
        }

    def lines(self) -> Iterator[str]:
        """The verdict as text, refusals first."""
        for refusal in self.refusals:
            yield from refusal.lines()
        for violation in self.violations:
            yield f"{violation.level}: {violation.rule}  {violation.urn.rpartition('::')[2]}"
            yield from (f"  {line}" for line in violation.message.splitlines())
        if self.skipped:
            yield f"The engine did not run the policy pack {PACK}, so nothing was checked."
        for approved in self.approved:
            yield from approved.lines()
        for urn, rule in self.excepted:
            yield f"excepted: {rule}  {urn.rpartition('::')[2]}"
        broken = len({violation.rule for violation in self.violations})
        if self.rules and (self.complete or broken):
            yield f"{self.rules} rules, {broken or 'none'} broken"
        elif self.rules:
            yield f"The preview failed, so not all of the {self.rules} rules were evaluated."
        count = len(self.refusals)
        yield f"{count or 'no'} operation{'' if count == 1 else 's'} refused by the guard"


def rules_in_force(checkout: Checkout, stack: str) -> int:
    """The number of policy rules that are in force for ``stack``.

    Raises:
        WrongInput: the file of enforcement levels is not valid; the text lists every error.
    """
    file = file_of(stack, checkout.policies)
    try:
        levels = read_levels(file)
    except LevelsError as error:
        raise WrongInput(
            "policies", f"policies/{file.name} is not valid; nothing was started.\n{error}"
        ) from error
    return sum(level != OFF for level in levels.values())


def verdict_on(
    opened: OpenStack,
    outcome: Outcome,
    approvals: Sequence[Approval],
    rules: int,
    state: Callable[[], Mapping[str, Any]],
) -> Verdict:
    """The verdict on the preview of an operation; ``rules`` of the pack are in force.

    ``state`` returns the deployment before the operation, if the guard needs it.
    """
    evaluated = outcome.operation != "destroy"
    today = datetime.datetime.now(datetime.UTC).date()
    exceptions = read(frozenset(rule.id for rule in RULES), opened.checkout.approvals / FILE.name)
    changing = {step.urn for step in outcome.changes if evaluated}
    decision = evaluate(
        opened.name,
        outcome.changes,
        approvals,
        state,
        today,
        proposed=_proposed(opened.checkout, opened.name),
    )
    return Verdict(
        rules=rules if evaluated else 0,
        complete=outcome.succeeded,
        skipped=evaluated and outcome.succeeded and PACK not in outcome.packs,
        violations=outcome.violations,
        refusals=decision.refusals,
        approved=decision.approved,
        excepted=tuple(
            sorted(
                (urn, rule)
                for rule, urn in exceptions.valid
                if urn in changing and exceptions.cover(rule, urn, today)
            )
        ),
    )


def _proposed(checkout: Checkout, stack: str) -> Sequence[Approval]:
    """The approvals of a proposed program; none if their file is not valid."""
    if checkout.proposed is None:
        return ()
    try:
        return read_approvals(checkout.proposed / "approvals", stack)
    except WrongInput:
        return ()

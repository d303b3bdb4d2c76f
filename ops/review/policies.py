"""The policy pack and the guard: one verdict on a preview, before anything is changed."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ops.engine.checkout import Checkout
from ops.engine.stack import OpenStack
from ops.errors import WrongInput
from ops.review.events import Outcome, Violation
from ops.review.guard import Approval, Refusal, judge
from policies.exceptions import FILE, read
from policies.levels import OFF, LevelsError, file_of, read_levels
from policies.rules import PACK, RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the pack and the guard say of an operation.

    Attributes:
        rules: how many rules of the pack were asked; none of a destruction, which makes nothing.
        skipped: the engine came to its end without having run the pack.
        excepted: URNs of what changes and is excepted from a rule, each with the rule's name.
    """

    rules: int
    skipped: bool
    violations: tuple[Violation, ...]
    refusals: tuple[Refusal, ...]
    excepted: tuple[tuple[str, str], ...]

    @property
    def passed(self) -> bool:
        """Whether nothing stands against the operation. A pack that did not run passes nothing."""
        mandatory = any(one.level == "mandatory" for one in self.violations)
        return not (self.skipped or mandatory or self.refusals)

    def to_dict(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "pack": PACK,
            "rules": self.rules,
            "violations": [one.to_dict() for one in self.violations],
            "refusals": [one.to_dict() for one in self.refusals],
            "exceptions": [{"urn": urn, "rule": rule} for urn, rule in self.excepted],
        }

    def lines(self) -> Iterator[str]:
        """The verdict for people, the worst first."""
        for refusal in self.refusals:
            yield from refusal.lines()
        for violation in self.violations:
            yield f"{violation.level}: {violation.rule}  {violation.urn.rpartition('::')[2]}"
            yield from (f"  {line}" for line in violation.message.splitlines())
        if self.skipped:
            yield f"The engine did not run the pack {PACK}; nothing is known to be right."
        for urn, rule in self.excepted:
            yield f"excepted: {rule}  {urn.rpartition('::')[2]}"
        broken = len({one.rule for one in self.violations})
        if self.rules:
            yield f"{self.rules} rules, {broken or 'none'} broken"
        count = len(self.refusals)
        yield f"{count or 'no'} operation{'' if count == 1 else 's'} refused by the guard"


def rules_in_force(checkout: Checkout, stack: str) -> int:
    """How many rules of the pack are asked about ``stack``.

    Raises:
        WrongInput: the file that says so is not what it should be; the text names each mistake.
    """
    file = file_of(stack, checkout.policies)
    try:
        levels = read_levels(file)
    except LevelsError as error:
        raise WrongInput(
            "policies", f"policies/{file.name} cannot be used; nothing was started.\n{error}"
        ) from error
    return sum(level != OFF for level in levels.values())


def verdict_on(
    opened: OpenStack, outcome: Outcome, approvals: Sequence[Approval], rules: int
) -> Verdict:
    """Judge the preview of an operation; ``rules`` of the pack are in force."""
    made = outcome.operation != "destroy"
    today = datetime.datetime.now(datetime.UTC).date()
    exceptions = read(frozenset(rule.id for rule in RULES), opened.checkout.approvals / FILE.name)
    changing = {step.urn for step in outcome.changes if made}
    return Verdict(
        rules=rules if made else 0,
        skipped=made and outcome.succeeded and PACK not in outcome.packs,
        violations=outcome.violations,
        refusals=judge(outcome.changes, approvals, opened.state, today),
        excepted=tuple(
            sorted(
                (urn, rule)
                for rule, urn in exceptions.valid
                if urn in changing and exceptions.cover(rule, urn, today)
            )
        ),
    )

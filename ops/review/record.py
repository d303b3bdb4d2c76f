"""The record of a review: what a preview showed, and whether an ``up`` would still do the same.

``preview --record FILE`` writes it. ``up --record FILE`` previews again, and refuses if anything
that was reviewed has changed: state, commit, settings, versions or planned changes. The engine's
update plans cannot replace it: they do not bind the state that they start from.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from ops.engine.checkout import Checkout
from ops.engine.stack import OpenStack
from ops.errors import Refused, WrongInput
from ops.review.fingerprint import (
    commit_of,
    planned_change,
    settings_digest,
    state_digests,
    versions,
)
from ops.review.outcome import Outcome
from ops.review.policies import Verdict
from ops.review.sealed import SealedDocument
from ops.secret_values import HANDLED

VALID_HOURS: Final = 24
"""A release is reviewed by day and made in the next window at night."""

MAX_VALID_HOURS: Final = 168
"""A week; after that, nobody remembers what was reviewed."""

SHOWN: Final = 12
"""So many differences are listed; the rest are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(SealedDocument):
    """A review. Times are in UTC, in ISO 8601; the record holds no secret.

    Attributes:
        sandbox: whether the preview ran in a sandbox.
        commit: the id of the reviewed commit, from which no file of the checkout differed.
        made: when the preview ran.
        expires: when the record stops being valid.
        settings: digest of the project's and the stack's settings files.
        versions: of the engine, of Python, of each SDK (a provider has its SDK's version), and a
            digest of the policy pack.
        state: for each URN in the state, digests of its inputs and of the rest of its state.
        plan: for each URN that changes, the operation and the properties that it changes.
        verdict: the verdict of the policy pack and the guard.
    """

    FORMAT = 1
    KIND = "record"
    NAME = "a release record"
    READ_OPTION = WRITE_OPTION = "--record"
    MADE_BY = "bin/ops preview --record FILE"
    AGAIN = "Preview again."

    sandbox: bool
    made: str
    expires: str
    commit: str
    settings: str
    versions: Mapping[str, str]
    state: Mapping[str, Mapping[str, str]]
    plan: Mapping[str, Mapping[str, Any]]
    verdict: Mapping[str, Any]

    @classmethod
    def make(
        cls,
        opened: OpenStack,
        preview: Outcome,
        verdict: Verdict,
        state: Mapping[str, Any],
        hours: int = VALID_HOURS,
    ) -> Self:
        """The record of a preview that passed; ``state`` is the deployment before the operation.

        Raises:
            Refused: the checkout is not a commit.
        """
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        return cls(
            format=cls.FORMAT,
            stack=opened.name,
            sandbox=opened.cloud is not None,
            made=now.isoformat(),
            expires=(now + datetime.timedelta(hours=hours)).isoformat(),
            commit=commit_of(opened.checkout),
            settings=settings_digest(opened),
            versions=versions(opened),
            state=state_digests(state),
            plan=HANDLED.redact_all(
                {
                    step.urn: planned_change(step)
                    for step in sorted(preview.changes, key=lambda step: step.urn)
                }
            ),
            verdict=HANDLED.redact_all(verdict.to_dict()),
        )

    def refuse_unfit(self, stack: str, *, sandbox: bool) -> None:
        """Refuse a record that cannot apply, before any preview.

        Raises:
            WrongInput: the record is for another stack, or for a sandbox instead of real accounts.
            Refused: the record has expired.
        """
        if (self.stack, self.sandbox) != (stack, sandbox):
            reviewed, current = (
                f"{name} {'in a sandbox' if local else 'on real accounts'}"
                for name, local in ((self.stack, self.sandbox), (stack, sandbox))
            )
            raise WrongInput("record", f"The record is for {reviewed}; this is {current}.")
        if datetime.datetime.now(datetime.UTC) > datetime.datetime.fromisoformat(self.expires):
            raise Refused(
                "record",
                f"The review of {self.made} was valid until {self.expires}. Preview again.",
                moved=["time"],
            )

    def refuse_moved(self, now: Record) -> None:
        """Refuse to start anything other than what was reviewed; ``now`` is the current record.

        Raises:
            Refused: something changed since the review; the text lists it.
        """
        moved = list(_moved(self, now))
        if not moved:
            return
        lines = [f"  {what}: {how}" for what, how in moved[:SHOWN]]
        if len(moved) > SHOWN:
            lines.append(f"  and {len(moved) - SHOWN} more")
        raise Refused(
            "record",
            f"This is not what was reviewed at {self.made}; nothing was changed.\n"
            + "\n".join(lines)
            + "\nPreview again with --record, and have the new record reviewed.",
            moved=[what for what, _ in moved],
        )


def refuse_unrecordable(checkout: Checkout, path: Path) -> None:
    """Refuse, before a preview, to record it where that is not possible.

    Raises:
        WrongInput: ``path`` is in the checkout, which would then differ from its commit, or its
            folder does not exist.
        Refused: the checkout is not a commit.
    """
    if path.resolve().is_relative_to(checkout.root):
        raise WrongInput(
            "record",
            f"--record {path} is in the checkout, which no command may change. Name a file "
            "outside of it.",
        )
    if path.is_dir() or not path.parent.is_dir():
        raise WrongInput("record", f"--record {path}: name a file in a folder that exists.")
    commit_of(checkout)


def _moved(then: Record, now: Record) -> Iterator[tuple[str, str]]:
    """Pairs of what changed and how; causes come before their effects."""
    if then.commit != now.commit:
        yield "commit", f"{then.commit[:12]} was reviewed, now it is {now.commit[:12]}"
    if then.settings != now.settings:
        yield "settings", f"Pulumi.yaml or Pulumi.{now.stack}.yaml changed"
    for name, old, new in _differences(then.versions, now.versions):
        yield name, f"{old or 'none'} was reviewed, now it is {new or 'none'}"
    state = {urn: (old, new) for urn, old, new in _differences(then.state, now.state)}
    for urn, (old, new) in state.items():
        if old and new:
            changed = ", ".join(key for key, *_ in _differences(old, new))
            yield _name(urn), f"its state changed ({changed})"
        else:
            yield _name(urn), f"it is {'new in' if new else 'no longer in'} the state"
    for urn, before, after in _differences(then.plan, now.plan):
        if not all(state.get(urn, (True, True))):
            continue  # its appearance or disappearance, reported above, explains the new plan
        if not before or not after or before["op"] != after["op"]:
            ops = [planned["op"] if planned else "no change" for planned in (before, after)]
            yield _name(urn), f"{ops[0]} was reviewed, now it would be {ops[1]}"
            continue
        for path, old, new in _differences(before["properties"], after["properties"]):
            yield f"{_name(urn)} {path}", f"{_short(old)} was reviewed, now it is {_short(new)}"


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield key, before.get(key), after.get(key)


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:56]} ..."

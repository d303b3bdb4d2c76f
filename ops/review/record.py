"""The record of a review: what a preview showed, and whether an ``up`` would still do the same.

``preview --record FILE`` writes it, ``sign --record FILE`` signs it after the review, and
``up --record FILE`` previews again, and refuses if anything that was reviewed has changed: state,
commit, settings, versions or planned changes. The engine's update plans cannot replace it: they do
not bind the state that they start from.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from ops.engine.checkout import Checkout
from ops.engine.stack import OpenStack
from ops.errors import Refused, WrongInput
from ops.review.envelope import PUBLIC_KEY, Envelope, PublicKey, first_error, not_a_record
from ops.review.fingerprint import (
    SHORT,
    commit_of,
    digest,
    planned_change,
    settings_digest,
    state_digests,
    versions,
)
from ops.review.outcome import Outcome
from ops.review.policies import Verdict
from ops.secret_values import HANDLED

VALID_HOURS: Final = 24
"""A release is reviewed by day and made in the next window at night."""

MAX_VALID_HOURS: Final = 168
"""A week; after that, nobody remembers what was reviewed."""

SHOWN: Final = 12
"""So many differences are listed; the rest are counted."""


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        serialize_by_alias=True,
    )


class PlannedChange(_Model):
    """An operation and the properties that it changes."""

    op: str
    properties: dict[str, Any]


class Record(_Model):
    """A review. It holds no secret.

    Attributes:
        sandbox: whether the preview ran in a sandbox.
        made: when the preview ran.
        expires: when the record stops being valid.
        staging_override: why production was reviewed although staging is broken; usually empty.
        commit: the id of the reviewed commit, from which no file of the checkout differed.
        settings: digest of the project's and the stack's settings files.
        versions: of the engine, of Python, of each SDK (a provider has its SDK's version), and a
            digest of the policy pack.
        state: for each URN in the state, digests of its inputs and of the rest of its state.
        plan: for each URN that changes, the operation and the properties that it changes.
        verdict: the verdict of the policy pack and the guard.
    """

    stack: str
    sandbox: bool
    made: AwareDatetime
    expires: AwareDatetime
    staging_override: str = ""
    commit: str
    settings: str
    versions: dict[str, str]
    state: dict[str, dict[str, str]]
    plan: dict[str, PlannedChange]
    verdict: dict[str, Any]

    @classmethod
    def make(
        cls,
        opened: OpenStack,
        preview: Outcome,
        verdict: Verdict,
        state: Mapping[str, Any],
        hours: int = VALID_HOURS,
        staging_override: str = "",
    ) -> Record:
        """The record of a preview that passed; ``state`` is the deployment before the operation.

        Raises:
            Refused: the checkout is not a commit.
        """
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        return cls(
            stack=opened.name,
            sandbox=opened.cloud is not None,
            made=now,
            expires=now + datetime.timedelta(hours=hours),
            staging_override=staging_override,
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

    @classmethod
    def read(cls, path: Path, stack: str, key: PublicKey | None, *, sandbox: bool) -> Record:
        """The record in a file, if it may be carried out on a stack now.

        On real accounts it must have a signature, which ``key`` verifies.

        Raises:
            WrongInput: the file is not a record, or is for another stack or environment.
            Refused: the record is not signed, or is not valid now.
        """
        envelope = Envelope.read(path)
        if not envelope.signatures and not sandbox:
            raise Refused(
                "record",
                "The record is not signed, so anybody may have written it. After its review, sign "
                "it with\n  bin/ops sign --record FILE",
            )
        if key is None and not sandbox:
            raise Refused(
                "record",
                f"There is no approvals/{PUBLIC_KEY} to verify the record with: the public key of "
                "the key that signs records.",
            )
        if envelope.signatures and key:
            envelope.require_signature(key)
        record = cls.from_envelope(envelope, path)
        record.refuse_unfit(stack, sandbox=sandbox)
        return record

    @classmethod
    def from_envelope(cls, envelope: Envelope, path: Path) -> Record:
        """The record in an envelope, whoever signed it; ``path`` is for errors.

        Raises:
            WrongInput: the payload is not a record, or its digests do not match.
        """
        try:
            statement = _Statement.model_validate_json(envelope.content, strict=True)
        except ValidationError as error:
            raise not_a_record(path, first_error(error)) from None
        record = statement.predicate
        # Compare the text: of a key that occurs twice, a person may read the other value.
        if record.envelope().content != envelope.content:
            raise WrongInput(
                "record",
                f"--record {path} was edited since, or written by another version. Preview again.",
            )
        return record

    def envelope(self) -> Envelope:
        """The record as an in-toto statement in an envelope."""
        document = self.model_dump(mode="json")
        digests = {
            "commit": {"gitCommit": self.commit},
            "plan": {"sha256": digest(document["plan"])},
            "policies": {"sha256": self.versions.get("policies", "")},
            "settings": {"sha256": self.settings},
            "state": {"sha256": digest(document["state"])},
            "versions": {"sha256": digest(document["versions"])},
        }
        statement = _Statement(
            subject=[_Subject(name=name, digest=value) for name, value in digests.items()],
            predicate=self,
        )
        return Envelope.of(json.dumps(statement.model_dump(mode="json")).encode())

    def refuse_unfit(self, stack: str, *, sandbox: bool) -> None:
        """Refuse a record that cannot apply, before any preview.

        Raises:
            WrongInput: the record is for another stack, or for a sandbox instead of real accounts.
            Refused: the record is not valid now.
        """
        if (self.stack, self.sandbox) != (stack, sandbox):
            reviewed, current = (
                f"{name} {'in a sandbox' if local else 'on real accounts'}"
                for name, local in ((self.stack, self.sandbox), (stack, sandbox))
            )
            raise WrongInput("record", f"The record is for {reviewed}; this is {current}.")
        self.refuse_untimely()

    def refuse_untimely(self) -> None:
        """Refuse a record that is not valid now.

        Raises:
            Refused: it has expired, or was made in the future, or is valid for too long.
        """
        now = datetime.datetime.now(datetime.UTC)
        made, expires = self.made.isoformat(), self.expires.isoformat()
        if self.made > now:
            why = f"The review was made at {made}, which is in the future. Check the clocks"
        elif self.expires - self.made > datetime.timedelta(hours=MAX_VALID_HOURS):
            why = (
                f"The review of {made} is valid until {expires}. A review may be valid for at most "
                f"{MAX_VALID_HOURS} hours"
            )
        elif now > self.expires:
            why = f"The review of {made} was valid until {expires}"
        else:
            return
        raise Refused("record", f"{why}. Preview again.", moved=["time"])

    def refuse_moved(self, now: Record) -> None:
        """Refuse to start anything other than what was reviewed; ``now`` is the current record.

        Raises:
            Refused: something changed since the review; the text lists it.
        """
        moved = [*_planned_differently(self, now), *_moved(self, now)]
        if not moved:
            return
        lines = [f"  {what}: {how}" for what, how in moved[:SHOWN]]
        if len(moved) > SHOWN:
            lines.append(f"  and {len(moved) - SHOWN} more")
        raise Refused(
            "record",
            f"This is not what was reviewed at {self.made.isoformat()}; nothing was changed.\n"
            + "\n".join(lines)
            + "\nPreview again with --record, and have the new record reviewed.",
            moved=[what for what, _ in moved],
        )


class _Subject(_Model):
    """What a statement is about."""

    name: str
    digest: dict[str, str]


class _Statement(_Model):
    """https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md"""

    type: Literal["https://in-toto.io/Statement/v1"] = Field(
        default="https://in-toto.io/Statement/v1", alias="_type"
    )
    subject: list[_Subject]
    predicate_type: Literal["https://pull.com/attestations/release-review/v1"] = (
        "https://pull.com/attestations/release-review/v1"
    )
    predicate: Record


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


def _planned_differently(then: Record, now: Record) -> Iterator[tuple[str, str]]:
    """Pairs of a resource, or one of its properties, and how its plan differs."""
    for urn, before, after in _differences(then.plan, now.plan):
        if not before or not after or before.op != after.op:
            ops = [planned.op if planned else "no change" for planned in (before, after)]
            yield _name(urn), f"{ops[0]} was reviewed, now it would be {ops[1]}"
            continue
        for path, old, new in _differences(before.properties, after.properties):
            yield f"{_name(urn)} {path}", f"{_short(old)} was reviewed, now it is {_short(new)}"


def _moved(then: Record, now: Record) -> Iterator[tuple[str, str]]:
    """Pairs of what changed and how.

    A ``refresh`` may rewrite more of a resource's state than its inputs, and may do so for each
    resource. Those are counted, because a list of them would hide the others.
    """
    if then.commit != now.commit:
        yield "commit", f"{then.commit[:SHORT]} was reviewed, now it is {now.commit[:SHORT]}"
    if then.settings != now.settings:
        yield "settings", f"Pulumi.yaml or Pulumi.{now.stack}.yaml changed"
    for name, old, new in _differences(then.versions, now.versions):
        if name == "policies":
            yield name, "the rules or their exceptions changed"
        else:
            yield name, f"{old or 'none'} was reviewed, now it is {new or 'none'}"
    rewritten = []
    for urn, old, new in _differences(then.state, now.state):
        if not old or not new:
            yield _name(urn), f"it is {'new in' if new else 'no longer in'} the state"
            continue
        changed = [key for key, *_ in _differences(old, new)]
        if changed == ["other"]:
            rewritten.append(_name(urn))
        else:
            yield _name(urn), f"its state changed ({', '.join(changed)})"
    if rewritten:
        count = rewritten[0] if len(rewritten) == 1 else f"{len(rewritten)} resources"
        yield count, "the state changed, but no input, as after a refresh"


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

"""A snapshot: the state of a stack without its secrets.

``snapshot`` writes one after a release. ``preview --against`` previews the program against it, with
the sandbox's providers: no account and no secret is needed, and the result is what the program
would do to what is really there.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
)

import components
import resource_types
from ops.engine.checkout import Checkout
from ops.engine.stack import OpenStack
from ops.errors import Refused, WrongInput
from ops.placeholders import SecretLeft, without_secrets
from ops.review.envelope import first_error
from ops.review.fingerprint import digest, head_of, versions


def _past(moment: datetime.datetime) -> datetime.datetime:
    try:
        moment = moment.astimezone(datetime.UTC)
    except OverflowError:
        raise ValueError("it is no moment") from None
    if moment > _now():
        raise ValueError("it is in the future; check the clocks")
    return moment


class Snapshot(BaseModel):
    """The state of a stack at a time.

    Attributes:
        taken: when, in UTC.
        commit: the id of the commit that was checked out; empty if there was none.
        versions: of the engine, of Python, of each SDK, and a digest of the policy pack.
        deployment: what the engine keeps, with a placeholder for each secret.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    stack: str
    taken: Annotated[AwareDatetime, AfterValidator(_past)]
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]*$")]
    versions: dict[str, str]
    deployment: dict[str, Any]

    @classmethod
    def take(cls, opened: OpenStack) -> Snapshot:
        """The snapshot of an open stack.

        Raises:
            Refused: the stack is empty or waits for a repair, the backend does not return its
                state, or a secret is encoded in a way that has no placeholder.
        """
        deployment = dict(opened.revealed_state())
        if not deployment.get("resources"):
            raise Refused("snapshot", f"The state of {opened.name} is empty. Run up first.")
        if deployment.get("pending_operations"):
            raise Refused(
                "snapshot",
                f"An operation on {opened.name} was interrupted. Repair the state first, with\n"
                f"  {opened.recover_command}",
            )
        # The key of another backend encrypts nothing here.
        deployment.pop("secrets_providers", None)
        try:
            deployment = without_secrets(
                deployment, "\0".join(_public(opened.checkout, opened.name))
            )
        except SecretLeft:
            raise Refused(
                "snapshot",
                "The state holds a secret in an encoding that a snapshot cannot replace, outside "
                "of what the engine marks as secret. Nothing was written.",
            ) from None
        return cls(
            stack=opened.name,
            taken=_now(),
            commit=head_of(opened.checkout),
            versions=versions(opened),
            deployment=deployment,
        )

    @classmethod
    def read(cls, path: Path) -> Snapshot:
        """The snapshot in a file.

        Raises:
            WrongInput: the file cannot be read, or is not a snapshot, or was edited.
        """
        try:
            text = path.read_text("utf-8")
            fields = json.loads(text)
            fields.pop("digest")
            snapshot = cls.model_validate_json(json.dumps(fields), strict=True)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            why = error.strerror if isinstance(error, OSError) else "it has another form"
            if isinstance(error, ValidationError):
                why = first_error(error)
            raise WrongInput(
                "snapshot",
                f"--against {path} is not a snapshot ({why}). `bin/ops snapshot --out FILE` writes "
                "one.",
            ) from None
        # Compare the text: of a key that occurs twice, a person may read the other value.
        if text != snapshot._text():
            raise WrongInput(
                "snapshot",
                f"--against {path} was edited since, or written by another version. Take another.",
            )
        return snapshot

    def write(self, path: Path) -> None:
        """Write the snapshot as JSON, with a digest of it.

        Raises:
            WrongInput: the file cannot be written.
        """
        try:
            path.write_text(self._text(), "utf-8")
        except OSError as error:
            raise WrongInput("snapshot", f"--out {path}: {error.strerror}.") from None

    def _text(self) -> str:
        document = self.model_dump(mode="json")
        return f"{json.dumps({'digest': digest(document), **document}, indent=1)}\n"

    def refuse_other(self, stack: str) -> None:
        """Refuse to preview another stack against this snapshot.

        Raises:
            WrongInput: the snapshot is of another stack.
        """
        if self.stack != stack:
            raise WrongInput("snapshot", f"The snapshot is of {self.stack}; this is {stack}.")

    def age(self) -> datetime.timedelta:
        """How long ago it was taken."""
        return _now() - self.taken

    def description(self) -> str:
        """The time, the age and the commit, in one line."""
        age = self.age()
        hours = age.days * 24 + age.seconds // 3600
        old = f"{age.days} days" if age.days > 1 else f"{hours} hours" if hours else "under an hour"
        commit = self.commit[:12] or "none"
        return f"the snapshot of {self.taken:%Y-%m-%d %H:%M} UTC ({old} old), commit {commit}"


def _public(checkout: Checkout, stack: str) -> Iterator[str]:
    """The texts whose words are no secrets: the settings and the source of the program."""
    files = [
        *(checkout.root / name for name in ("Pulumi.yaml", f"Pulumi.{stack}.yaml", "__main__.py")),
        *(
            file
            for package in (components, resource_types)
            for folder in package.__path__
            for file in sorted(Path(folder).rglob("*.py"))
        ),
    ]
    for file in files:
        yield file.read_text("utf-8")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)

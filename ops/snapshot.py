"""A snapshot: the state of a stack without its secrets.

``snapshot`` writes one after a release. ``preview --against`` previews the program against it, with
the sandbox's providers: no account and no secret is needed, and the result is what the program
would do to what is really there.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import components
import resource_types
from ops.engine.checkout import Checkout
from ops.engine.stack import OpenStack
from ops.errors import Refused, WrongInput
from ops.placeholders import SecretLeft, without_secrets
from ops.review.fingerprint import head_of, versions
from ops.review.sealed import SealedDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(SealedDocument):
    """The state of a stack at a time.

    Attributes:
        taken: when, in ISO 8601, UTC.
        commit: the id of the commit that was checked out; empty if there was none.
        versions: of the engine, of Python, of each SDK, and a digest of the policy pack.
        deployment: what the engine keeps, with a placeholder for each secret.
    """

    FORMAT = 1
    KIND = "snapshot"
    NAME = "a snapshot"
    READ_OPTION = "--against"
    WRITE_OPTION = "--out"
    MADE_BY = "bin/ops snapshot --out FILE"
    AGAIN = "Take another."

    taken: str
    commit: str
    versions: Mapping[str, str]
    deployment: Mapping[str, Any]

    @classmethod
    def take(cls, opened: OpenStack) -> Self:
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
            format=cls.FORMAT,
            stack=opened.name,
            taken=_now().isoformat(),
            commit=head_of(opened.checkout),
            versions=versions(opened),
            deployment=deployment,
        )

    def check_values(self) -> None:
        self.age()

    def refuse_other(self, stack: str) -> None:
        """Refuse to preview another stack against this snapshot.

        Raises:
            WrongInput: the snapshot is of another stack.
        """
        if self.stack != stack:
            raise WrongInput("snapshot", f"The snapshot is of {self.stack}; this is {stack}.")

    def age(self) -> datetime.timedelta:
        """How long ago it was taken."""
        return _now() - datetime.datetime.fromisoformat(self.taken)

    def description(self) -> str:
        """The time, the age and the commit, in one line."""
        age = self.age()
        hours = age.days * 24 + age.seconds // 3600
        old = f"{age.days} days" if age.days > 1 else f"{hours} hours" if hours else "under an hour"
        commit = self.commit[:12] or "none"
        taken = datetime.datetime.fromisoformat(self.taken)
        return f"the snapshot of {taken:%Y-%m-%d %H:%M} UTC ({old} old), commit {commit}"


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

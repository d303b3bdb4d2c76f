"""What a command can end with besides success: its text, and its exit code."""

from __future__ import annotations

from typing import Any


class OpsError(Exception):
    """Base of all. ``kind`` names the error for machines, ``details`` add what they may need."""

    exit_code = 1

    def __init__(self, kind: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.details = details

    def to_dict(self) -> dict[str, Any]:
        """The error as the JSON document holds it."""
        return {
            "kind": self.kind,
            "message": str(self),
            "exitCode": self.exit_code,
            **self.details,
        }


class WrongInput(OpsError):
    """The command or the settings are wrong. Nothing was started."""

    exit_code = 2


class Refused(OpsError):
    """The input is right, but the estate's state forbids the operation. Nothing was changed."""


class Interrupted(OpsError):
    """Somebody stopped the command while no engine was at work."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__(
            "interrupted", "Interrupted while no engine was at work: nothing is half done."
        )

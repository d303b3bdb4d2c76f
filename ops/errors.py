"""The errors of the command line, each with its exit code."""

from __future__ import annotations

from typing import Any


class OpsError(Exception):
    """Base class. ``kind`` identifies the error for programs; ``details`` are added to its JSON."""

    exit_code = 1

    def __init__(self, kind: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.details = details

    def to_dict(self) -> dict[str, Any]:
        """The error as JSON."""
        return {
            "kind": self.kind,
            "message": str(self),
            "exitCode": self.exit_code,
            **self.details,
        }


class WrongInput(OpsError):
    """The command or the settings are wrong. Nothing was started."""

    exit_code = 2

    @classmethod
    def settings(cls, error: Any) -> WrongInput:
        """The error for a ``SettingsError``, of which each checkout has its own class."""
        errors = [
            {"path": wrong.path, "value": wrong.value, "expected": wrong.expected}
            for wrong in error.shown
        ]
        return cls("settings", str(error), errors=errors, count=len(error.errors))


class Refused(OpsError):
    """The command is valid, but the current state forbids it. Nothing was changed."""


class Interrupted(OpsError):
    """The command was interrupted while no engine was running."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__(
            "interrupted", "Interrupted while no engine was running; nothing was changed."
        )

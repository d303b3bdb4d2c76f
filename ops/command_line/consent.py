"""What has to be true before a command may change anything: somebody agreed, and it is time."""

from __future__ import annotations

import datetime
import sys

import typer

from ops.command_line.output import say
from ops.errors import Refused, WrongInput
from ops.review.window import Window


def require_consent(operation: str, *, yes: bool, as_json: bool) -> None:
    """Fail at once if the command would have to ask and nobody can answer.

    Raises:
        WrongInput: ``--yes`` is missing and there is no terminal, or the result is JSON.
    """
    if yes:
        return
    if as_json:
        raise WrongInput("consent", f"{operation} --json needs --yes: it cannot ask.")
    if not sys.stdin.isatty():
        raise WrongInput(
            "consent",
            f"{operation} asks before it changes anything, and there is no terminal to ask on. "
            "Check the preview, then add --yes.",
        )


def confirm(operation: str) -> None:
    """Ask whether to go on.

    Raises:
        Refused: the answer is no.
    """
    if not typer.confirm(f"\n{operation}?"):
        raise Refused("consent", "Nothing was changed.")


def require_window(window: str | None, reason: str | None) -> None:
    """Refuse to start outside the hours of ``window``, unless there is a ``reason`` not to wait.

    Raises:
        WrongInput: ``window`` is malformed, or there is a reason and no window.
        Refused: it is outside the window.
    """
    if window is None:
        if reason is not None:
            raise WrongInput("window", "--outside-window has no effect without --window.")
        return
    hours = Window.read(window)
    if not (reason or "").strip():
        hours.refuse_outside(datetime.datetime.now(datetime.UTC))
    else:
        say(f"The window {window} UTC does not apply: {reason}")

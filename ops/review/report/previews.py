"""Where a report's previews come from: files, or engines of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ops.errors import WrongInput
from ops.review.report.model import Report

REPORTED: Final = ("preview", "refresh")
"""The operations of which there are reports: of what would be done, and of drift."""


def read_preview(path: Path) -> dict[str, Any]:
    """What ``preview --json``, ``drift --json`` or ``refresh --json`` has printed into a file.

    Raises:
        WrongInput: the file is not there, or holds something else.
    """
    try:
        text = path.read_text("utf-8")
        if not text.strip():
            raise WrongInput("report", f"--from {path} is empty: its preview had no result.")
        document = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise WrongInput("report", f"--from {path} cannot be read: {error}") from None
    refusal = WrongInput("report", f"--from {path} is not what 'preview --json' prints.")
    if not isinstance(document, dict) or not ("steps" in document or "error" in document):
        raise refusal
    if document.get("operation", "preview") not in REPORTED:
        raise refusal
    try:
        (made,) = Report([document]).stacks
        made.to_dict()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        raise refusal from None  # it has the outer form only
    if made.says_nothing:
        raise WrongInput(
            "report",
            f"--from {path} is a refresh of the official CLI, which does not say what it found; "
            "'bin/ops drift --json' does.",
        )
    return document


def run_preview(stack: str, place: Sequence[str]) -> dict[str, Any]:
    """Preview a stack in a process of its own, so that whatever happens to it can be reported."""
    command = [sys.executable, "-m", "ops", "preview", "--stack", stack, *place, "--json"]
    # A session of its own, or the terminal's ^C would reach it besides the one that is passed on.
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            printed, _ = process.communicate()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            printed, _ = process.communicate()
    try:
        document: dict[str, Any] = json.loads(printed)
    except ValueError:
        message = f"The preview ended with code {process.returncode} and printed no result."
        return {"stack": stack, "error": {"kind": "crash", "message": message}}
    return {"stack": stack, **document}

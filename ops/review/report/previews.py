"""Reads the previews of a report from files, or runs them."""

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
"""The operations that a report can show: a plan, and drift."""

SECONDS_TO_STOP: Final = 30


def read_preview(path: Path) -> dict[str, Any]:
    """The document that ``preview --json``, ``drift --json`` or ``refresh --json`` printed.

    Raises:
        WrongInput: the file cannot be read, or holds another document.
    """
    try:
        text = path.read_text("utf-8")
        if not text.strip():
            raise WrongInput("report", f"--from {path} is empty: its preview printed no result.")
        document = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise WrongInput("report", f"--from {path} cannot be read: {error}") from None
    refusal = WrongInput("report", f"--from {path} is not a document of 'bin/ops preview --json'.")
    if not isinstance(document, dict) or not ("steps" in document or "error" in document):
        raise refusal
    if document.get("operation", "preview") not in REPORTED:
        raise refusal
    try:
        (stack,) = Report([document]).stacks
        stack.to_dict()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        raise refusal from None  # only its outermost keys are right
    if stack.is_bare_refresh:
        raise WrongInput(
            "report",
            f"--from {path} is a refresh of the official CLI, which reports no differences; "
            "use 'bin/ops drift --json'.",
        )
    return document


def run_verb(
    verb: str,
    stack: str,
    options: Sequence[str],
    *,
    quiet: bool = False,
    seconds: float | None = None,
) -> dict[str, Any]:
    """The document of a command, run in another process, so that even a crash can be reported.

    ``quiet`` drops its progress. ``seconds`` is the time after which the command is stopped, and
    reported as failed.
    """
    # In its own session: the terminal would otherwise send it a second SIGINT beside ours.
    with subprocess.Popen(
        [sys.executable, "-m", "ops", verb, "--stack", stack, *options, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
        start_new_session=True,
    ) as process:
        try:
            printed, _ = process.communicate(timeout=seconds)
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            printed, _ = process.communicate()
        except subprocess.TimeoutExpired:
            _stop(process)
            message = f"The preview did not end within {seconds:.0f} seconds and was stopped."
            return {"stack": stack, "error": {"kind": "timeout", "message": message}}
    try:
        document: dict[str, Any] = json.loads(printed)
    except ValueError:
        message = f"The {verb} ended with code {process.returncode} and printed no result."
        return {"stack": stack, "error": {"kind": "crash", "message": message}}
    return {"stack": stack, **document}


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a preview, which ends its engine and its program, if it still can."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()

"""Runs the program of a checkout in this process, which ``program.py`` starts.

    PYTHONPATH=<the folder of ops> python -P -m ops.engine.run_estate ENGINE REPORT SECRETS [PATH]

gets a serialized ``RunRequest`` on standard input, and runs the program in the current directory.
``ENGINE`` is the engine's address. ``REPORT`` and ``SECRETS`` are file descriptors, for settings
that the program finds wrong, and for the secret values that it handles: ops redacts them in
everything that the program prints and that ops reports. ``PATH`` is the program's ``PYTHONPATH``;
without it, the program belongs to another checkout, and runs confined.

The program may come from another checkout than this file. So this process imports nothing from
``components`` and ``resource_types`` itself: the program would get the wrong ones.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi.runtime.proto import language_pb2

from ops.engine.confinement import confine
from ops.engine.run_program import run
from ops.errors import WrongInput
from ops.sdk_internals import report_secret_settings, report_secrets
from ops.texts import texts_in

OPS: Final = str(Path(__file__).resolve().parents[2])
"""The folder of the package ``ops``."""

PROGRAM_FRAMES: Final = 16
"""More than the depth of the program, and less than its depth together with its runner."""

Send = Callable[[Any], None]


def senders(descriptor: int) -> tuple[Send, Send]:
    """Functions that send a secret that the program marks, and the value of a secret output."""
    lock = threading.Lock()

    def send(texts: list[str], *, structured: bool) -> None:
        line = json.dumps([texts, structured]).encode() + b"\n"
        with lock:
            while line:
                line = line[os.write(descriptor, line) :]

    def secret(value: Any) -> None:
        send([*texts_in(value)], structured=False)

    def output(value: Any) -> None:
        send([*texts_in(value)], structured=not isinstance(value, str))

    return secret, output


def run_program(folder: Path, reject: Callable[[Any], None]) -> None:
    """Run ``__main__.py`` in ``folder`` in this process; ``reject`` gets its ``SettingsError``.

    Raises:
        pulumi.RunError: the program failed; the text is for people. Any other exception type
            would reach them as a stack trace through the Automation API.
    """
    settings_errors: tuple[type[Exception], ...] = ()
    try:
        with _short_traces():
            # If it cannot be imported, the program reports why.
            with contextlib.suppress(Exception):
                from components.config import SettingsError  # the program's own

                settings_errors = (SettingsError,)
            runpy.run_path(str(folder / "__main__.py"), run_name="__main__")
    except settings_errors as error:
        reject(error)
        raise pulumi.RunError(str(error)) from error
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [
            f"  at {Path(frame.filename).relative_to(folder)}:{frame.lineno} in {frame.name}"
            for frame in frames
            if Path(frame.filename).is_relative_to(folder)
        ]
        raise pulumi.RunError(
            "\n".join([f"The program failed: {type(error).__name__}: {error}", *ours])
        ) from error


@contextlib.contextmanager
def _short_traces() -> Iterator[None]:
    """Keep the frames of this runner out of the state.

    The SDK sends a stack trace with every resource, and the engine stores it: 27 frames each, of
    which only the innermost are the program's. The others were half of the state, and half of the
    time to write it.
    """
    sys.tracebacklimit = PROGRAM_FRAMES
    try:
        yield
    finally:
        del sys.tracebacklimit


def main(engine: str, report: str, secrets: str, path: str | None = None) -> int:
    """Run the program for the request on standard input, and return the exit code."""
    os.dup2(sys.stdout.fileno(), sys.stderr.fileno())
    report_secrets(*senders(int(secrets)))
    # The SDKs make a million objects that stay alive; repeated garbage collections of them took a
    # third of a preview.
    gc.disable()
    request = language_pb2.RunRequest.FromString(sys.stdin.buffer.read())
    folder = Path.cwd()
    # What is still to be imported is the program's.
    sys.path.remove(OPS)
    sys.path[:0] = [str(folder), *filter(None, (path or "").split(os.pathsep))]
    if path is None:
        confine(
            [folder, Path(OPS, "ops")],
            ports=[int(each.rpartition(":")[2]) for each in (engine, request.monitor_address)],
        )

    def reject(error: Any) -> None:
        wrong = WrongInput.settings(error)
        document = {"message": str(wrong), **wrong.details}
        os.write(int(report), json.dumps(document, default=str).encode() + b"\n")

    def program() -> None:
        report_secret_settings()
        run_program(folder, reject)

    return run(request, engine, program)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

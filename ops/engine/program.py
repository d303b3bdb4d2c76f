"""The program of a checkout, in a process of its own.

In the process of ``ops``, a program could end the review with ``os._exit(0)``, replace a function
of the guard, or leave threads and exit handlers behind. In its own process it can only fail.

    python -m ops.engine.program ENGINE-ADDRESS REPORT < a serialized RunRequest

runs the program of the checkout in the current directory. ``REPORT`` is a file descriptor, for the
settings that the program finds wrong.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime.proto import language_pb2

from ops.engine.checkout import Checkout
from ops.engine.language_host import LanguageHost, run_response
from ops.engine.run_program import run
from ops.errors import WrongInput


@dataclass(frozen=True, slots=True)
class Program:
    """The program of ``checkout``, which the engine runs through the Automation API.

    Attributes:
        rejected: settings that the program found wrong, such as a bundle that does not exist.
    """

    checkout: Checkout
    rejected: list[WrongInput] = field(default_factory=list)

    def __call__(self, request: Any, context: Any) -> language_pb2.RunResponse:
        """Serve the engine's ``RunRequest``; its first argument is the engine's address."""
        (engine,) = request.args
        with tempfile.TemporaryFile() as report:
            descriptor = report.fileno()
            with LanguageHost(engine).started(
                [sys.executable, "-m", __name__, engine, str(descriptor)],
                context,
                cwd=self.checkout.root,
                stdin=subprocess.PIPE,
                stdout=sys.stderr.fileno(),  # standard output belongs to the result
                pass_fds=(descriptor,),
            ) as process:
                process.communicate(request.SerializeToString())
            report.seek(0)
            self.rejected.extend(WrongInput("settings", **json.loads(line)) for line in report)
        return run_response(process.returncode)


def main(engine: str, report: int) -> int:
    """Run the program for the request on standard input, and return the exit code."""
    # The SDKs make a million objects that stay alive; repeated garbage collections of them took a
    # third of a preview.
    gc.disable()
    checkout = Checkout.here()
    request = language_pb2.RunRequest.FromString(sys.stdin.buffer.read())

    def program() -> None:
        try:
            checkout.program()
        finally:
            for error in checkout.rejected:
                document = {"message": str(error), **error.details}
                os.write(report, json.dumps(document, default=str).encode() + b"\n")

    return run(request, engine, program)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))

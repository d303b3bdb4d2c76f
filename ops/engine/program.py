"""The program of a checkout, in a process of its own.

In the process of ``ops``, a program could end the review with ``os._exit(0)``, replace a function
of the guard, or leave threads and exit handlers behind. In its own process it can only fail.

    python -m ops.engine.program ENGINE-ADDRESS REPORT SECRETS < a serialized RunRequest

runs the program of the checkout in the current directory. ``REPORT`` and ``SECRETS`` are file
descriptors, for the settings that the program finds wrong, and for the secret values that it
handles: ops redacts them in everything that the program prints and that ops reports.
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
from ops.engine.relay import Relay, senders
from ops.engine.run_program import run
from ops.errors import WrongInput
from ops.sdk_internals import report_secret_settings, report_secrets


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
        with tempfile.TemporaryFile() as report, Relay() as relay:
            descriptors = (report.fileno(), relay.secrets)
            with LanguageHost(engine).started(
                [sys.executable, "-m", __name__, engine, *map(str, descriptors)],
                context,
                cwd=self.checkout.root,
                stdin=subprocess.PIPE,
                stdout=relay.printed,
                pass_fds=descriptors,
            ) as process:
                relay.started()
                process.communicate(request.SerializeToString())
            report.seek(0)
            self.rejected.extend(WrongInput("settings", **json.loads(line)) for line in report)
        return run_response(process.returncode)


def main(engine: str, report: int, secrets: int) -> int:
    """Run the program for the request on standard input, and return the exit code."""
    os.dup2(sys.stdout.fileno(), sys.stderr.fileno())
    report_secrets(*senders(secrets))
    # The SDKs make a million objects that stay alive; repeated garbage collections of them took a
    # third of a preview.
    gc.disable()
    checkout = Checkout.here()
    request = language_pb2.RunRequest.FromString(sys.stdin.buffer.read())

    def program() -> None:
        report_secret_settings()
        try:
            checkout.program()
        finally:
            for error in checkout.rejected:
                document = {"message": str(error), **error.details}
                os.write(report, json.dumps(document, default=str).encode() + b"\n")

    return run(request, engine, program)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))

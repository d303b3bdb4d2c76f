"""The program of a checkout, in a process of its own.

In the process of ``ops``, a program could end the review with ``os._exit(0)``, replace a function
of the guard, or leave threads and exit handlers behind. In its own process it can only fail.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi.runtime.proto import language_pb2
from pydantic import BaseModel, ConfigDict, ValidationError

from ops.engine import run_estate
from ops.engine.checkout import Checkout
from ops.engine.language_host import LanguageHost, run_response
from ops.engine.relay import Relay
from ops.errors import WrongInput

MAX_REPORT: Final = 1 << 20
"""Bytes that are read of what the program reports. Errors of settings are a few thousand."""


class _Error(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: str
    value: Any
    expected: str


class _Rejection(BaseModel):
    """What the program reports about its settings, and nothing else: it may not be trusted."""

    model_config = ConfigDict(extra="forbid")

    message: str
    errors: list[_Error]
    count: int

    @classmethod
    def read(cls, line: bytes) -> WrongInput:
        """The error in a line of the report."""
        try:
            rejection = cls.model_validate_json(line, strict=True)
        except ValidationError:
            return WrongInput("settings", "The program refuses its settings and does not say why.")
        return WrongInput("settings", **rejection.model_dump())


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
        # A proposed program must not find the packages of this checkout.
        path = () if self.checkout.proposed else (os.environ.get("PYTHONPATH", ""),)
        with tempfile.TemporaryFile() as report, Relay(trusted=not self.checkout.proposed) as relay:
            descriptors = (report.fileno(), relay.secrets)
            with LanguageHost(engine).started(
                [
                    *(sys.executable, "-P", "-m", run_estate.__name__),
                    *(engine, *map(str, descriptors), *path),
                ],
                context,
                cwd=self.checkout.program,
                stdin=subprocess.PIPE,
                stdout=relay.printed,
                variables={**os.environ, "PYTHONPATH": run_estate.OPS},
                pass_fds=descriptors,
            ) as process:
                relay.started()
                process.communicate(request.SerializeToString())
            report.seek(0)
            lines = report.read(MAX_REPORT).splitlines()
            self.rejected.extend(map(_Rejection.read, lines))
        return run_response(process.returncode)

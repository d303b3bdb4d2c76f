"""The Pulumi CLI as a child process that an interrupt stops gracefully."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import IO, Any

from pulumi.automation import CommandResult, OnOutput

from ops.engine.install import VERSION
from ops.sdk_internals import KnownCommand, command_error


class Engine(KnownCommand):
    """Runs the CLI in its own process group and forwards interrupts to it.

    The Automation API's own command shares the terminal with the engine and forwards nothing: a ^C
    would reach the engine and abort the reader of its output, and an interrupt sent to this process
    alone would never reach the engine.

    Attributes:
        process: the engine that is running, or that ran last.
        interrupted: whether an interrupt was forwarded.
    """

    def __init__(self, executable: Path) -> None:
        super().__init__(executable, VERSION)
        self.interrupted = False
        self.process: subprocess.Popen[str] | None = None

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,
        on_error: OnOutput | None = None,
    ) -> CommandResult:
        """Run a command to its end and return what it printed.

        Raises:
            pulumi.automation.CommandError: the command failed.
        """
        output: list[str] = []
        errors: list[str] = []
        with subprocess.Popen(
            [self.command, "--non-interactive", *args],
            cwd=cwd,
            env={
                **os.environ,
                **additional_env,
                "PATH": os.pathsep.join([str(Path(self.command).parent), os.environ["PATH"]]),
                "PULUMI_AUTOMATION_API": "true",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            process_group=0,
        ) as process:
            self.process = process
            readers = [
                Thread(target=_read, args=(process.stdout, output, on_output)),
                Thread(target=_read, args=(process.stderr, errors, on_error)),
            ]
            for reader in readers:
                reader.start()
            while process.returncode is None or any(reader.is_alive() for reader in readers):
                try:
                    process.wait()
                    for reader in readers:
                        reader.join()
                except KeyboardInterrupt:
                    self.interrupted = True
                    process.send_signal(signal.SIGINT)
        result = CommandResult("\n".join(output), "\n".join(errors), process.returncode)
        if result.code != 0:
            raise command_error(result)
        return result


def _read(stream: IO[str], lines: list[str], callback: OnOutput | None) -> Any:
    for line in stream:
        lines.append(line.rstrip())
        if callback:
            callback(lines[-1])

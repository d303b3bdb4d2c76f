"""The command line with a fault in the sandbox; the tests run it as a module.

``FAULT=<n>:<effect>:<moment>`` is the number of the operation, what happens to it, and whether it
happens before or after the operation changes the cloud. A crash kills the engine.
"""

from __future__ import annotations

import functools
import os
import signal
from pathlib import Path
from typing import Any, cast

import ops.engine.stack
import sandbox.server
from ops.command_line.cli import main
from ops.engine.command import Engine
from sandbox.server import Fault, Sandbox

engines: list[Engine] = []


class KilledEngine(Engine):
    """An engine that ``kill`` can find."""

    def __init__(self, executable: Path) -> None:
        super().__init__(executable)
        engines.append(self)


def kill() -> None:
    """End the engine as the kernel does when memory runs out."""
    process = engines[-1].process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    at, effect, moment = os.environ.pop("FAULT").split(":")
    fault = Fault(
        at=int(at),
        effect=cast(Any, effect),
        moment=cast(Any, moment),
        seconds=8,
        message="no quota",
    )
    cast(Any, ops.engine.stack).Engine = KilledEngine
    cast(Any, sandbox.server).Sandbox = functools.partial(Sandbox, faults=[fault], crash=kill)
    main()

"""Runs a Pulumi program, as the official ``pulumi-language-python-exec`` does.

    python -P run_program.py ENGINE-ADDRESS < a serialized RunRequest

The language host starts it with the program's own Python, so it imports nothing of the project.

The exit code 0 is no success here: a program can end its process with ``os._exit(0)`` before it has
registered its resources. Only a program that ran to its end exits with ``COMPLETED``.
"""

from __future__ import annotations

import asyncio
import logging
import runpy
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from pulumi import RunError, log, runtime
from pulumi.runtime.proto import language_pb2

# language_host.py has the same two codes.
REPORTED: Final = 32
COMPLETED: Final = 33


def main(engine: str) -> int:
    """Run the program of the request on standard input, and return the exit code."""
    request = language_pb2.RunRequest.FromString(sys.stdin.buffer.read())
    folder = request.info.program_directory
    program = str(Path(folder, request.info.entry_point))
    sys.argv = [program, *request.args]
    sys.path.insert(0, folder)
    return run(request, engine, lambda: runpy.run_path(program, run_name="__main__"))


def run(request: Any, engine: str, program: Callable[[], object]) -> int:
    """Run ``program`` for a ``RunRequest``, report why it failed, and return the exit code."""
    runtime.set_all_config(dict(request.config), list(request.configSecretKeys))
    runtime.configure(
        runtime.Settings(
            monitor=request.monitor_address,
            engine=engine,
            project=request.project,
            stack=request.stack,
            parallel=request.parallel,
            dry_run=request.dryRun,
            organization=request.organization,
            root_directory=request.info.root_directory,
        )
    )
    # asyncio would log every task that a failed program leaves behind.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        asyncio.run(_run(program, threads=max(request.parallel, 1) * 4))
    except RunError as error:
        log.error(str(error))
    except SystemExit as error:
        log.error(f"The program called sys.exit({error.code!r}) before it had finished.")
    except BaseException:
        log.error(f"The program failed with an unhandled exception:\n{traceback.format_exc()}")
    else:
        return COMPLETED
    return REPORTED


async def _run(program: Callable[[], object], threads: int) -> None:
    # The SDK waits for the engine in threads.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(threads))

    def run() -> None:
        program()

    await runtime.run_in_stack(run)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""Runs a Pulumi program, as the official ``pulumi-language-python-exec`` does.

    python -P run_program.py ENGINE-ADDRESS < a serialized RunRequest

The language host starts it with the program's own Python, so it imports nothing of the project.
"""

from __future__ import annotations

import asyncio
import logging
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pulumi import RunError, log, runtime
from pulumi.runtime.proto import language_pb2

REPORTED = 32  # language_host.py knows it, too


def main(engine: str) -> int:
    """Run the program of the request on standard input, and return the exit code."""
    request = language_pb2.RunRequest.FromString(sys.stdin.buffer.read())
    folder = request.info.program_directory
    program = str(Path(folder, request.info.entry_point))
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
    sys.argv = [program, *request.args]
    sys.path.insert(0, folder)
    # asyncio would log every task that a failed program leaves behind.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        asyncio.run(_run(program, threads=max(request.parallel, 1) * 4))
    except RunError as error:
        log.error(str(error))
        return REPORTED
    except Exception:
        log.error(f"The program failed with an unhandled exception:\n{traceback.format_exc()}")
        return REPORTED
    return 0


async def _run(program: str, threads: int) -> None:
    # The SDK waits for the engine in threads.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(threads))

    def run() -> None:
        runpy.run_path(program, run_name="__main__")

    await runtime.run_in_stack(run)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

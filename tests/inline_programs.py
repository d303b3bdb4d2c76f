"""Programs of tests that run in the test's own process, through the Automation API.

``ops`` runs programs in processes of their own instead (``ops/engine/program.py``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pulumi.automation import _server, _stack
from pulumi.runtime import _grpc_settings


class LanguageServer(_server.LanguageServer):
    """Runs the program, and always closes the event loop that the program ran in.

    The SDK cancels the tasks that are left and closes the loop after that. A task that has already
    failed, because the engine ended while the program was running, raises its error there, and the
    loop stays open. Source: ``LanguageServer.Run`` in ``pulumi/automation/_server.py``.
    """

    def __init__(self, program: Callable[[], Any]) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

        def run() -> Any:
            self._loop = asyncio.get_running_loop()
            return program()

        super().__init__(run)

    def Run(self, request: Any, context: Any) -> Any:
        try:
            return super().Run(request, context)  # type: ignore[no-untyped-call]
        finally:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.run_until_complete(_end_tasks())
                self._loop.close()


async def _end_tasks() -> None:
    """Cancel the tasks that are left, and wait for their threads: they report to the open loop."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()


def close_event_loops() -> None:
    """Let every operation of this process close the event loop that its program ran in."""
    _stack.LanguageServer = LanguageServer  # type: ignore[attr-defined]


def connect_afresh() -> None:
    """Let every operation of this process have connections of its own to its engine.

    gRPC shares a connection between all channels of a process to one address, and with it the wait
    after a refused attempt. An engine that got the port of an engine that had ended was then
    "unavailable", and its operation failed. Source: ``GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL`` in
    ``grpc/impl/channel_arg_names.h``.
    """
    _grpc_settings._GRPC_CHANNEL_OPTIONS.append(("grpc.use_local_subchannel_pool", 1))

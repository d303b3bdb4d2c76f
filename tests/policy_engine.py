"""Operations of the real engine with a policy pack, in a separate process.

    python -m tests.policy_engine STACK FOLDER PACK CONFIG|- OPERATION ...

Prints a line of JSON for each operation. The process is separate because it replaces its
environment and the SDK's reader of events.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation.errors import CommandError

from ops.engine.checkout import Checkout
from ops.engine.command import Engine
from ops.engine.environment import language_host_variables, sandboxed
from ops.engine.install import provide_engine
from ops.engine.run_estate import run_program
from ops.engine.stack import runnable_pack
from sandbox.server import Sandbox

Events = list[dict[str, Any]]


def keep_events() -> Events:
    """The list of the engine's raw events: the SDK drops those about evaluated policies."""
    events: Events = []
    read = automation.EngineEvent.from_json

    def keep(data: dict[str, Any]) -> automation.EngineEvent:
        events.append(data)
        return read(data)

    automation.EngineEvent.from_json = keep  # type: ignore[method-assign]
    return events


def main(stack: str, folder: Path, pack: str, config: str, operations: list[str]) -> None:
    """Carry the operations out, one after the other, in a sandbox in ``folder``."""
    checkout = Checkout.here()
    environment = sandboxed(checkout, stack, folder)
    events = keep_events()
    with Sandbox(folder / "cloud") as cloud, runnable_pack(Path(pack)) as runnable:
        variables = {**environment.variables, **cloud.environment, **language_host_variables()}
        os.environ.clear()
        os.environ.update(variables)
        workspace = automation.LocalWorkspace(
            work_dir=str(environment.work_dir),
            program=lambda: run_program(checkout.program, lambda error: None),
            pulumi_command=Engine(provide_engine(lambda line: print(line, file=sys.stderr))),
        )
        opened = automation.Stack.create_or_select(stack, workspace)
        for operation in operations:
            events.clear()
            failure = ""
            try:
                getattr(opened, operation)(
                    on_event=lambda event: None,
                    policy_packs=[str(runnable)],
                    policy_pack_configs=None if config == "-" else [config],
                )
            except CommandError as error:
                failure = str(error)
            print(json.dumps({"error": failure, "events": events}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:])

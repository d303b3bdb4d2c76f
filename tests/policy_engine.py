"""Operations of the real engine with a policy pack, in a separate process.

    python -m tests.policy_engine STACK SETTINGS FOLDER PACK CONFIG|- OPERATION ...

SETTINGS is JSON that is merged into those of the stack file. Prints a line of JSON for each
operation. The process is separate because it replaces its environment and the SDK's reader of
events.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation
from pulumi.automation.errors import CommandError

from ops.engine.checkout import Checkout
from ops.engine.command import Engine
from ops.engine.environment import language_host_variables, sandboxed
from ops.engine.install import provide_engine
from ops.engine.stack import runnable_pack
from sandbox.server import Sandbox
from tests.merge import merged

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


def main(
    stack: str,
    settings: Mapping[str, Any],
    folder: Path,
    pack: str,
    config: str,
    operations: list[str],
) -> None:
    """Carry the operations out, one after the other, in a sandbox in ``folder``."""
    checkout = Checkout.here()
    environment = sandboxed(checkout, stack, folder)
    stack_file = environment.work_dir / f"Pulumi.{stack}.yaml"
    changes = {f"pull:{name}": section for name, section in settings.items()}
    document = merged(yaml.safe_load(stack_file.read_text("utf-8")), {"config": changes})
    stack_file.write_text(json.dumps(document), "utf-8")
    events = keep_events()
    with Sandbox(folder / "cloud") as cloud, runnable_pack(Path(pack)) as runnable:
        variables = {**environment.variables, **cloud.environment, **language_host_variables()}
        os.environ.clear()
        os.environ.update(variables)
        workspace = automation.LocalWorkspace(
            work_dir=str(environment.work_dir),
            program=checkout.program,
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
    _, stack, settings, folder, pack, config, *operations = sys.argv
    main(stack, json.loads(settings), Path(folder), pack, config, operations)

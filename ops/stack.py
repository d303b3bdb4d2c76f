"""One stack, opened for operations by the real engine."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pulumi import automation
from pulumi.automation import Deployment
from pulumi.automation.errors import CommandError, StackNotFoundError

from ops.checkout import Checkout
from ops.engine import Engine
from ops.errors import Refused
from ops.events import Diagnostic, Outcome, Recorder, Watch
from ops.place import Place
from sandbox.server import Sandbox
from tools.engine import provide_engine

STATE_VERSION: Final = 3
"""Of the engine's deployment format."""

# A killed engine ends its stream of events early; that it was killed is reported in other words.
warnings.filterwarnings("ignore", message="Error in event stream", category=UserWarning)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStack:
    """What can be done to a stack. Failures of the engine are outcomes, not exceptions.

    Attributes:
        cloud: the sandbox's cloud; ``None`` stands for real accounts.
        engine: the CLI that carries the operations out.
    """

    name: str
    place: Place
    cloud: Sandbox | None
    engine: Engine
    _stack: automation.Stack

    def preview(self, plan: Path | None = None) -> Outcome:
        """What an ``up`` would do. ``plan`` is where the engine writes its plan file."""
        path = str(plan) if plan else None
        return self._record(
            "preview", Recorder(), lambda on: self._stack.preview(on_event=on, plan=path)
        )

    def up(self, watch: Watch | None = None) -> Outcome:
        """Make the cloud as the program says."""
        return self._record(
            "up", Recorder(watch), lambda on: self._stack.up(on_event=on, show_secrets=False)
        )

    def refresh(self) -> Outcome:
        """Make the state as the cloud is."""
        return self._record(
            "refresh", Recorder(), lambda on: self._stack.refresh(on_event=on, show_secrets=False)
        )

    def preview_destroy(self) -> Outcome:
        """What a ``destroy`` would do."""
        return self._record(
            "destroy", Recorder(), lambda on: self._stack.preview_destroy(on_event=on)
        )

    def destroy(self, watch: Watch | None = None) -> Outcome:
        """Delete everything that the state knows."""
        return self._record(
            "destroy",
            Recorder(watch),
            lambda on: self._stack.destroy(on_event=on, show_secrets=False),
        )

    def state(self) -> Mapping[str, Any]:
        """The deployment that the engine keeps, secrets encrypted."""
        return self._stack.export_stack().deployment or {}

    def replace_state(self, deployment: Mapping[str, Any]) -> None:
        """Put an edited deployment in the place of the one that ``state`` gave."""
        self._stack.import_stack(Deployment(version=STATE_VERSION, deployment=dict(deployment)))

    def break_lock(self) -> None:
        """Take away the engine's lock on the stack, whoever holds it.

        Raises:
            Refused: the backend does not do so.
        """
        try:
            self.engine.run(["cancel", "--yes", "--stack", self.name], str(self.place.work_dir), {})
        except CommandError as error:
            raise Refused("engine", _printed_error(error)) from None

    @property
    def recover_command(self) -> str:
        """What to type to settle what a killed engine left on this stack."""
        sandbox = f" --sandbox --sandbox-dir {self.place.sandbox}" if self.place.sandbox else ""
        return f"python -m ops recover --stack {self.name}{sandbox}"

    def _record(
        self, operation: str, recorder: Recorder, run: Callable[[Recorder], object]
    ) -> Outcome:
        started = time.monotonic()
        succeeded = True
        # The SDKs make a million objects that all stay: looking through them for garbage, again and
        # again, took a third of a preview.
        gc.disable()
        try:
            # The program may print; standard output belongs to the result.
            with contextlib.redirect_stdout(sys.stderr):
                run(recorder)
        except CommandError as error:
            succeeded = False
            if not any(item.severity == "error" for item in recorder.diagnostics):
                recorder.diagnostics.append(self._last_words(error))
        finally:
            gc.enable()
        return Outcome(
            stack=self.name,
            operation=operation,
            succeeded=succeeded,
            interrupted=self.engine.interrupted,
            steps=recorder.steps,
            diagnostics=tuple(recorder.diagnostics),
            summary=recorder.summary,
            outputs=recorder.outputs,
            duration_seconds=time.monotonic() - started,
        )

    def _last_words(self, error: CommandError) -> Diagnostic:
        """Why the engine failed where no event says so."""
        code = self.engine.process.returncode if self.engine.process else 0
        if code < 0:
            message = (
                f"The engine was killed (signal {-code}) in the middle of its work. Settle what it "
                f"left behind with\n  {self.recover_command}"
            )
        else:
            message = _printed_error(error) or "The engine failed and did not say why."
        return Diagnostic(severity="error", message=message, urn="")


@contextlib.contextmanager
def open_stack(
    checkout: Checkout, stack: str, place: Place, say: Callable[[str], None]
) -> Iterator[OpenStack]:
    """Open ``stack`` at ``place``. A sandbox makes a stack that it does not know yet.

    Raises:
        tools.engine.EngineError: there is no Pulumi CLI and none can be had.
        Refused: the user's backend does not have the stack, or cannot be reached.
    """
    engine = Engine(provide_engine(say))
    with contextlib.ExitStack() as stacked:
        stacked.enter_context(_environment(place.environment))
        cloud = None
        if place.sandbox:
            cloud = stacked.enter_context(Sandbox(place.sandbox / "cloud"))
            os.environ.update(cloud.environment)
        workspace = automation.LocalWorkspace(
            work_dir=str(place.work_dir),
            program=checkout.program,
            pulumi_command=engine,
        )
        select = automation.Stack.create_or_select if cloud else automation.Stack.select
        try:
            selected = select(stack, workspace)
        except StackNotFoundError:
            raise Refused(
                "stack",
                f"Your Pulumi backend has no stack '{stack}' yet. Make it once with\n"
                f"  pulumi stack init {stack}\n"
                "or add --sandbox to try everything without an account.",
            ) from None
        except CommandError as error:
            raise Refused("engine", _printed_error(error)) from None
        yield OpenStack(name=stack, place=place, cloud=cloud, engine=engine, _stack=selected)


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Give this process exactly ``variables``: the program runs in it, and the SDKs read them."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _printed_error(error: CommandError) -> str:
    """What the CLI itself printed, out of the Automation API's dump of the whole command."""
    return re.sub(r"^error: ", "", str(error).rpartition("\n stderr: ")[2].strip())

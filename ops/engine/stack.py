"""One stack, opened for operations by the real engine."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import yaml
from pulumi import automation
from pulumi.automation.errors import CommandError, StackNotFoundError

from ops.engine.checkout import Checkout
from ops.engine.command import Engine
from ops.engine.environment import Environment, language_host_variables
from ops.engine.install import provide_engine
from ops.engine.last_good_state import StateFile
from ops.engine.program import Program
from ops.errors import Refused
from ops.review.guard import is_locked, relocked, unlocked
from ops.review.outcome import Diagnostic, Outcome
from ops.review.recorder import Recorder, Watch, unwatched
from ops.review.redaction import secret_values
from ops.review.steps import totals
from ops.sdk_internals import Workspace, serve_processes
from ops.secret_values import HANDLED
from policies.levels import file_of
from policies.rules.program_source import PROGRAM_FOLDER

if TYPE_CHECKING:
    from sandbox.server import Sandbox

STATE_VERSION: Final = 3
"""The version of the engine's deployment format."""

Watched = Callable[[str], contextlib.AbstractContextManager[Watch | None]]
"""Opens a watch for an operation, such as ``preview of production``."""

CREDENTIAL: Final = re.compile(
    r"(TOKEN|SECRET|PASSWORD|PASSPHRASE|API_KEY|SIGNING_KEY|GOOGLE_CREDENTIALS)$"
)
"""The names of environment variables whose values a provider's error may contain."""

# A killed engine ends its stream of events early; `_last_words` reports that it was killed.
warnings.filterwarnings("ignore", message="Error in event stream", category=UserWarning)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStack:
    """The operations on a stack. Failures of the engine are outcomes, not exceptions.

    Attributes:
        checkout: holds the program and its policies.
        pack: the folder of the policy pack that every preview and up applies, if any.
        cloud: the sandbox's cloud; ``None`` stands for real accounts.
        engine: the CLI that carries out the operations.
        program: the program of the checkout, which runs in a process of its own.
        watched: opens a watch for an operation that was given none.
    """

    name: str
    checkout: Checkout
    environment: Environment
    cloud: Sandbox | None
    engine: Engine
    pack: Path | None
    program: Program
    watched: Watched
    _stack: automation.Stack

    def preview(self, plan: Path | None = None) -> Outcome:
        """What an ``up`` would do, including to protected resources.

        ``plan`` is the path to which the engine writes its plan file.

        The engine stops a preview at the first protected resource that would have to be deleted,
        and does not report what requires it. The preview is then repeated on a copy of the state
        in which nothing is protected.

        Raises:
            WrongInput: the program found a setting wrong.
        """
        outcome = self._preview(plan)
        if self.program.rejected:
            raise self.program.rejected.pop()
        return self._preview_unprotected() if outcome.blocked_by_protect else outcome

    def _preview(self, plan: Path | None = None) -> Outcome:
        path = str(plan) if plan else None
        return self._record(
            "preview",
            Recorder(),
            lambda on: self._stack.preview(
                on_event=on,
                plan=path,
                **self._packs,
            ),
        )

    def _preview_unprotected(self) -> Outcome:
        deployment = dict(self.state())
        resources = deployment.get("resources", ())
        protected = {resource["urn"] for resource in resources if resource.get("protect")}
        deployment["resources"] = [{**resource, "protect": False} for resource in resources]
        with (
            tempfile.TemporaryDirectory(prefix="pull-unprotected-") as folder,
            self._copied(Path(folder), deployment) as copy,
        ):
            outcome = copy._preview()
        steps = tuple(
            step.from_protected() if step.urn in protected else step for step in outcome.steps
        )
        return replace(outcome, steps=steps, summary=totals(steps) if outcome.summary else {})

    @contextlib.contextmanager
    def _copied(self, folder: Path, deployment: Mapping[str, Any]) -> Iterator[OpenStack]:
        """This stack with ``deployment`` as its state, in a file backend in ``folder``."""
        for name in ("Pulumi.yaml", f"Pulumi.{self.name}.yaml"):
            shutil.copy(self.environment.work_dir / name, folder)
        state = folder / "state"
        state.mkdir()
        variables = {**os.environ, "PULUMI_BACKEND_URL": state.as_uri()}
        if not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & variables.keys():
            # Pulumi Cloud needs no passphrase to encrypt secrets; a file backend does.
            variables["PULUMI_CONFIG_PASSPHRASE"] = token_hex()
        with _variables(variables):
            workspace = _workspace(folder, self.program, self.engine)
            copy = replace(
                self,
                environment=Environment(work_dir=folder, variables={}),
                _stack=automation.Stack.create_or_select(self.name, workspace),
            )
            copy.replace_state(deployment)
            yield copy

    def up(self, watch: Watch | None = None) -> Outcome:
        """Apply the program to the clouds."""
        return self._record(
            "up",
            Recorder(watch),
            lambda on: self._stack.up(
                on_event=on,
                show_secrets=False,
                **self._packs,
            ),
        )

    def refresh(self) -> Outcome:
        """Update the state to match the clouds."""
        return self._record(
            "refresh", Recorder(), lambda on: self._stack.refresh(on_event=on, show_secrets=False)
        )

    def preview_refresh(self) -> Outcome:
        """What a ``refresh`` would change: what somebody changed in the clouds by hand.

        The program does not run: a change that is merged and not yet released is no drift.
        """
        return self._record(
            "refresh", Recorder(), lambda on: self._stack.preview_refresh(on_event=on)
        )

    def preview_destroy(self) -> Outcome:
        """What a ``destroy`` would do."""
        return self._record(
            "destroy", Recorder(), lambda on: self._stack.preview_destroy(on_event=on)
        )

    def destroy(self, watch: Watch | None = None) -> Outcome:
        """Delete every resource in the state."""
        return self._record(
            "destroy",
            Recorder(watch),
            lambda on: self._stack.destroy(on_event=on, show_secrets=False),
        )

    def state(self) -> Mapping[str, Any]:
        """The deployment that the engine keeps, secrets encrypted.

        Raises:
            Refused: the backend does not return it.
        """
        # The Automation API would export the secrets in plain text.
        return self._exported()

    def revealed_state(self) -> Mapping[str, Any]:
        """The deployment that the engine keeps, with its secrets in plain text, in memory only.

        Raises:
            Refused: the backend does not return it, or its secrets cannot be decrypted.
        """
        return self._exported("--show-secrets")

    def _exported(self, *options: str) -> Mapping[str, Any]:
        exported: Mapping[str, Any] = json.loads(self._ask("stack", "export", *options))
        return exported.get("deployment") or {}

    def replace_state(self, deployment: Mapping[str, Any]) -> None:
        """Replace the deployment that ``state`` returned with an edited one.

        Raises:
            Refused: the backend does not accept it.
        """
        with tempfile.NamedTemporaryFile("w", prefix="pull-state-", suffix=".json") as file:
            json.dump({"version": STATE_VERSION, "deployment": deployment}, file)
            file.flush()
            self._ask("stack", "import", "--file", file.name)

    def take_over(self, deployment: Mapping[str, Any]) -> None:
        """Give the sandbox the state and the resources of a snapshot.

        Raises:
            Refused: the backend does not accept it.
        """
        assert self.cloud, "only a sandbox takes over a snapshot"
        # The engine encrypts the secrets of the snapshot with the key of this stack.
        own_key = {"secrets_providers": self.state()["secrets_providers"]}
        self.replace_state({**deployment, **own_key})
        self.cloud.take_over(deployment["resources"])

    def _remember_secrets(self) -> None:
        """Remember the secrets in the state and the settings, to redact them in every text.

        They come through a pipe; no file holds them in plain text.
        """
        settings = self.environment.work_dir / f"Pulumi.{self.name}.yaml"
        with contextlib.suppress(Refused):  # then the engine cannot decrypt them either
            for value in secret_values(self.revealed_state()):
                HANDLED.add_output(value)
            if "secure:" in settings.read_text("utf-8"):
                config = json.loads(self._ask("config", "--show-secrets", "--json"))
                HANDLED.add([entry.get("value") for entry in config.values() if entry["secret"]])

    def _ask(self, *command: str) -> str:
        """What the CLI prints for a command on this stack.

        Raises:
            Refused: the command failed.
        """
        try:
            folder = str(self.environment.work_dir)
            return self.engine.run([*command, "--stack", self.name], folder, {}).stdout
        except CommandError as error:
            raise Refused("engine", _printed_error(error)) from None

    @contextlib.contextmanager
    def unlocked(self, urns: Collection[str]) -> Iterator[None]:
        """While this lasts, the state has no deletion locks on the resources ``urns``.

        Resources that still exist afterwards get their locks back. After an engine was killed the
        state cannot be replaced; then the next ``up`` restores the locks.
        """
        locked: dict[tuple[str, str], Mapping[str, Any]] = {}

        def without(resource: Mapping[str, Any]) -> Mapping[str, Any]:
            if resource["urn"] not in urns or not is_locked(resource):
                return resource
            locked[resource["urn"], resource["id"]] = resource
            return unlocked(resource)

        def again(resource: Mapping[str, Any]) -> Mapping[str, Any]:
            before = locked.get((resource["urn"], resource.get("id", "")))
            deleted = resource.get("delete") or resource.get("pendingReplacement")
            return resource if before is None or deleted else relocked(resource, before)

        if urns:
            self._change_state(without)
        try:
            yield
        finally:
            if locked:
                with contextlib.suppress(Refused):
                    self._change_state(again)

    def _change_state(self, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        deployment = self.state()
        resources = deployment.get("resources", [])
        changed = [change(resource) for resource in resources]
        if changed != resources:
            self.replace_state({**deployment, "resources": changed})

    def break_lock(self) -> None:
        """Remove the engine's lock on the stack, whoever holds it.

        Raises:
            Refused: the backend does not remove it.
        """
        self._ask("cancel", "--yes")

    @property
    def policy_config(self) -> Path:
        """The file with the levels of the rules: the stack's own, or production's by default."""
        return file_of(self.name, self.checkout.policies)

    @property
    def _packs(self) -> dict[str, Any]:
        """The policy pack, as arguments of a preview or an up."""
        if self.pack is None:
            return {}
        return {
            "policy_packs": [str(self.pack)],
            "policy_pack_configs": [str(self.policy_config)],
        }

    @property
    def recover_command(self) -> str:
        """The command that repairs this stack after its engine was killed."""
        return recover_command(self.name, self.environment)

    def _record(
        self, operation: str, recorder: Recorder, run: Callable[[Recorder], object]
    ) -> Outcome:
        started = time.monotonic()
        succeeded = True
        watch = recorder.watch
        title = f"{operation} of {self.name}"
        watched = contextlib.nullcontext(watch) if watch else self.watched(title)
        if operation in ("refresh", "destroy"):  # without the program, which would handle them
            self._remember_secrets()
        # The sandbox's SDKs make a million objects that stay alive; repeated garbage collections of
        # them took a third of a preview.
        gc.disable()
        try:
            with self._state_file_watched(), watched as recorder.watch, recorder.listening():
                run(recorder)
        except CommandError as error:
            succeeded = False
            if not recorder.reported_cause:
                recorder.diagnostics.append(self._last_words(error))
        finally:
            gc.enable()
        if recorder.diagnostics:
            self._remember_secrets()
        file = self.environment.state_file(self.name)
        if file and file.damaged:
            recorder.diagnostics.append(
                Diagnostic(severity="error", message=_damaged(file, self.recover_command), urn="")
            )
        outcome = Outcome(
            stack=self.name,
            operation=operation,
            succeeded=succeeded,
            interrupted=self.engine.interrupted,
            steps=recorder.steps,
            diagnostics=tuple(recorder.diagnostics),
            violations=tuple(recorder.violations),
            packs=recorder.packs,
            summary=recorder.summary,
            outputs=recorder.outputs,
            duration_seconds=time.monotonic() - started,
        )
        return outcome.redacted(HANDLED)

    def _state_file_watched(self) -> contextlib.AbstractContextManager[None]:
        file = self.environment.state_file(self.name)
        return file.watched() if file else contextlib.nullcontext()

    def _last_words(self, error: CommandError) -> Diagnostic:
        """Why the engine failed, if no event reported it."""
        code = self.engine.process.returncode if self.engine.process else 0
        if code < 0:
            message = (
                f"The engine was killed (signal {-code}) in the middle of its work. Repair the "
                f"state with\n  {self.recover_command}"
            )
        else:
            message = _printed_error(error) or "The engine failed without reporting a reason."
        return Diagnostic(severity="error", message=message, urn="")


def _workspace(folder: Path, program: Program, engine: Engine) -> Workspace:
    """The project in ``folder`` with ``program``."""
    # Our server calls it with the engine's request (ops/sdk_internals.py).
    served: Any = program
    return Workspace(work_dir=str(folder), program=served, pulumi_command=engine)


@contextlib.contextmanager
def open_stack(
    checkout: Checkout,
    stack: str,
    environment: Environment,
    say: Callable[[str], None],
    *,
    watched: Watched = unwatched,
    policed: bool = True,
    repair: bool = False,
) -> Iterator[OpenStack]:
    """Open ``stack`` in ``environment``. A sandbox creates a stack that does not exist yet.

    ``repair`` replaces a damaged state file with its last good version.

    Raises:
        ops.engine.install.EngineError: there is no Pulumi CLI and it cannot be installed.
        Refused: the user's backend does not have the stack, or cannot be reached; or the state file
            is damaged.
    """
    _require_readable_state(stack, environment, say, repair=repair)
    serve_processes()
    for settings in (checkout.root / "Pulumi.yaml", checkout.program / f"Pulumi.{stack}.yaml"):
        HANDLED.publish(settings.read_text("utf-8"))
    HANDLED.add([value for name, value in os.environ.items() if CREDENTIAL.search(name)])
    engine = Engine(provide_engine(say))
    with contextlib.ExitStack() as stacked:
        variables = {**environment.variables, **language_host_variables()}
        # For a program beside the pack, nobody may name another folder.
        variables[PROGRAM_FOLDER] = str(checkout.proposed or "")
        stacked.enter_context(_variables(variables))
        cloud = None
        if environment.sandbox:
            # Imported late: without --sandbox nothing of the sandbox is loaded.
            from sandbox.server import Sandbox

            cloud = stacked.enter_context(Sandbox(environment.sandbox / "cloud"))
            os.environ.update(cloud.environment)
        pack = stacked.enter_context(runnable_pack(checkout.policies)) if policed else None
        program = Program(checkout)
        workspace = _workspace(environment.work_dir, program, engine)
        select = automation.Stack.create_or_select if cloud else automation.Stack.select
        try:
            selected = select(stack, workspace)
        except StackNotFoundError:
            raise Refused(
                "stack",
                f"Your Pulumi backend has no stack '{stack}' yet. Create it once with\n"
                f"  pulumi stack init {stack}\n"
                "or add --sandbox to try everything without an account.",
            ) from None
        except CommandError as error:
            raise Refused("engine", _printed_error(error)) from None
        yield OpenStack(
            name=stack,
            checkout=checkout,
            environment=environment,
            cloud=cloud,
            engine=engine,
            pack=pack,
            program=program,
            watched=watched,
            _stack=selected,
        )


def recover_command(stack: str, environment: Environment) -> str:
    """The command that repairs a stack in an environment."""
    sandbox = f" --sandbox --sandbox-dir {environment.sandbox}" if environment.sandbox else ""
    return f"bin/ops recover --stack {stack}{sandbox}"


def _require_readable_state(
    stack: str, environment: Environment, say: Callable[[str], None], *, repair: bool
) -> None:
    """Refuse a damaged state file, or with ``repair`` put its last good version in place.

    Raises:
        Refused: the state file is damaged, and is not to be repaired or cannot be.
    """
    file = environment.state_file(stack)
    if file is None or not file.damaged:
        return
    command = recover_command(stack, environment)
    if not repair:
        raise Refused("state", _damaged(file, command))
    try:
        file.restore()
    except OSError as error:
        raise Refused(
            "state",
            f"The state file {file.path} is damaged, and its last good version "
            f"{file.last_good.name} cannot be put in place: {error.strerror}.",
        ) from None
    say(
        f"The state file was damaged; its last good version is in place again, and the damaged one "
        f"is {file.path.name}.damaged beside it. What was created after that version is in the "
        f"cloud only. Add it to the state with\n  {command} --adopt-existing"
    )


def _damaged(file: StateFile, command: str) -> str:
    return (
        f"The state file {file.path} ends in the middle, as after a full disk. Free some space, "
        f"then put its last good version in place with\n  {command}"
    )


@contextlib.contextmanager
def runnable_pack(policies: Path) -> Iterator[Path]:
    """The policy pack in ``policies``, in a folder from which it runs in this Python.

    Its own ``PulumiPolicy.yaml`` names the virtual environment that ``pulumi install`` creates in
    the checkout; without it, the official language host would not start the pack.
    """
    with tempfile.TemporaryDirectory(prefix="pull-policies-") as folder:
        project = yaml.safe_load((policies / "PulumiPolicy.yaml").read_text("utf-8"))
        copy = Path(folder, "PulumiPolicy.yaml")
        copy.write_text(yaml.safe_dump({**project, "runtime": "python"}), "utf-8")
        Path(folder, "__main__.py").symlink_to(policies / "__main__.py")
        yield Path(folder)


@contextlib.contextmanager
def _variables(variables: Mapping[str, str]) -> Iterator[None]:
    """Give this process exactly ``variables``, which the engine and the program inherit."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _printed_error(error: CommandError) -> str:
    """What the CLI itself printed, taken from the Automation API's dump of the whole command."""
    return re.sub(r"^error: ", "", str(error).rpartition("\n stderr: ")[2].strip())

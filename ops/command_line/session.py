"""One command on one stack: opens it, evaluates a plan, and carries the plan out."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ops.command_line.consent import confirm, require_consent
from ops.command_line.output import Output, say
from ops.command_line.progress import Progress, counted
from ops.engine.checkout import Checkout
from ops.engine.environment import Environment, default_sandbox, real_accounts, sandboxed
from ops.engine.stack import OpenStack, open_stack
from ops.errors import WrongInput
from ops.review.approvals import read_approvals
from ops.review.outcome import Outcome
from ops.review.policies import Verdict, rules_in_force, verdict_on
from ops.snapshot import Snapshot


class Session:
    """A command while it runs.

    Attributes:
        output: where it prints, and how it ends.
    """

    def __init__(self, operation: str, *, as_json: bool, yes: bool = False) -> None:
        self._operation = operation
        self._yes = yes
        self.output = Output(as_json=as_json)

    def require_consent(self) -> None:
        """Fail at once if this command would have to ask and nobody can answer.

        Raises:
            WrongInput: ``--yes`` is missing and there is no terminal, or the result is JSON.
        """
        require_consent(self._operation, yes=self._yes, as_json=self.output.as_json)

    @contextlib.contextmanager
    def open(
        self,
        stack: str,
        sandbox: bool,
        sandbox_dir: Path | None,
        *,
        protect: bool | None = None,
        repair: bool = False,
        program: Path | None = None,
        place: str = "",
    ) -> Iterator[OpenStack]:
        """Open the stack, after checking everything that can be checked without an engine.

        ``protect`` replaces the setting ``pull:protect``, in a sandbox only. The policy pack, which
        demands protection, is then not applied. ``repair`` replaces a damaged state file.
        ``program`` is another checkout, whose program this one judges. ``place`` is the text that
        says where this is.

        Raises:
            WrongInput: the options, settings, approvals or policy levels are wrong.
        """
        checkout = Checkout.here(program)
        try:
            checkout.stack_file(stack)
        except WrongInput as error:
            error.details["stack"] = stack
            raise
        self._approvals = read_approvals(checkout.approvals, stack)
        self._rules = rules_in_force(checkout, stack)
        environment = _environment(checkout, stack, sandbox, sandbox_dir, protect)
        where = place or (
            f"the local sandbox, not real accounts: {environment.sandbox}"
            if environment.sandbox
            else "real accounts"
        )
        self.output.printer.title(f"{self._operation} of {stack} in {where}")
        with open_stack(
            checkout,
            stack,
            environment,
            say,
            watched=counted,
            policed=protect is None,
            repair=repair,
        ) as opened:
            yield opened

    @contextlib.contextmanager
    def open_snapshot(self, snapshot: Snapshot, program: Path | None = None) -> Iterator[OpenStack]:
        """Open the stack of a snapshot, in a sandbox of its own that holds what the snapshot names.

        Raises:
            WrongInput: the settings, approvals or policy levels are wrong, or the snapshot holds
                something else than a state.
            Refused: the engine does not accept the snapshot.
        """
        self.output.compared_with = snapshot.description()
        with (
            tempfile.TemporaryDirectory(prefix="pull-snapshot-") as folder,
            self.open(
                snapshot.stack, True, Path(folder), program=program, place=snapshot.description()
            ) as opened,
        ):
            try:
                opened.take_over(snapshot.deployment)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                raise WrongInput(
                    "snapshot", f"The snapshot holds no state of this engine ({error!r})."
                ) from None
            yield opened

    def evaluate(
        self, opened: OpenStack, plan: Outcome, state: Callable[[], Mapping[str, Any]]
    ) -> Verdict:
        """The verdict of the policy pack and of the guard on a preview.

        ``state`` returns the deployment before the operation, if the verdict depends on it.
        """
        return verdict_on(opened, plan, self._approvals, self._rules, state)

    def confirm(self, intentions: Sequence[str]) -> None:
        """Print what is going to be done and, without ``--yes``, ask whether to go on."""
        self.output.printer.intentions(intentions)
        if not self._yes:
            confirm(self._operation)

    def carry_out(
        self,
        plan: Outcome,
        run: Callable[[Progress], Outcome],
        verdict: Verdict | None = None,
        *,
        recorded: bool = False,
    ) -> NoReturn:
        """Show a plan that passes, carry it out, and exit. Without ``--yes``, ask first.

        ``recorded`` says that the plan had to match the record of a review.
        """
        if not plan.succeeded or (verdict and not verdict.passed):
            self.output.finish(plan, verdict, planned=True)
        self.output.plan(plan)
        if not self._yes:
            confirm(self._operation)
        progress = Progress(self.output.console, plan)
        outcome = run(progress)
        ends = progress.stages.ends(outcome.diagnostics)
        self.output.finish(outcome, verdict, stages=ends, recorded=recorded)


def _environment(
    checkout: Checkout, stack: str, sandbox: bool, sandbox_dir: Path | None, protect: bool | None
) -> Environment:
    if sandbox:
        folder = sandbox_dir or default_sandbox(checkout)
        return sandboxed(checkout, stack, folder, protect=protect)
    if sandbox_dir:
        raise WrongInput("sandbox-dir", "--sandbox-dir has no effect without --sandbox.")
    if protect is not None:
        raise WrongInput(
            "protection",
            "--lift-protection works in a sandbox only. For real accounts, set "
            f"'pull:protect: false' in Pulumi.{stack}.yaml in a reviewed change, run up, then "
            "destroy.",
        )
    return real_accounts(checkout)

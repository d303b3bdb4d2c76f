"""One command, from its options to its exit code: what is checked, shown, asked and printed."""

from __future__ import annotations

import contextlib
import datetime
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import typer
from rich.console import Console

from ops.command_line.terminal import Printer, Progress
from ops.engine.checkout import Checkout
from ops.engine.environment import Environment, default_sandbox, real_accounts, sandboxed
from ops.engine.stack import OpenStack, open_stack
from ops.errors import Refused, WrongInput
from ops.review.approvals import read_approvals
from ops.review.graph import Graph, StageEnd
from ops.review.outcome import Outcome
from ops.review.policies import Verdict, rules_in_force, verdict_on
from ops.review.window import Window
from ops.sanitize import printable_lines


class Session:
    """One command: where its result goes, and how it ends."""

    def __init__(self, operation: str, as_json: bool) -> None:
        self._operation = operation
        self._as_json = as_json
        # The stream of now: while the program runs, its own prints go to standard error.
        self._console = Console(file=sys.stderr if as_json else sys.stdout, highlight=False)
        self._printer = Printer(self._console)

    def require_consent(self, yes: bool) -> None:
        """Refuse at once what would have to ask somebody who is not there.

        Raises:
            WrongInput: ``--yes`` is missing and nobody can be asked.
        """
        if yes:
            return
        if self._as_json:
            raise WrongInput("consent", f"{self._operation} --json needs --yes: it cannot ask.")
        if not sys.stdin.isatty():
            raise WrongInput(
                "consent",
                f"{self._operation} asks before it changes anything, and there is no terminal to "
                "ask on. Look at the preview, then add --yes.",
            )

    def keep_window(self, window: str | None, reason: str | None) -> None:
        """Refuse another hour than those of ``window``, unless there is a reason to go on.

        Raises:
            WrongInput: the window is not one, or there is a reason and no window.
            Refused: it is another hour.
        """
        if window is None:
            if reason is not None:
                raise WrongInput("window", "--outside-window means nothing without --window.")
            return
        hours = Window.read(window)
        if not (reason or "").strip():
            hours.refuse_outside(datetime.datetime.now(datetime.UTC))
        else:
            say(f"Not held to the window {window} UTC: {reason}")

    @contextlib.contextmanager
    def open(
        self,
        stack: str,
        sandbox: bool,
        sandbox_dir: Path | None,
        *,
        protect: bool | None = None,
    ) -> Iterator[OpenStack]:
        """Open the stack after everything that can be wrong without an engine was checked."""
        checkout = Checkout.here()
        try:
            checkout.stack_file(stack)
        except WrongInput as error:
            error.details["stack"] = stack
            raise
        self._approvals = read_approvals(checkout.approvals, stack)
        self._rules = rules_in_force(checkout, stack)
        environment = self._environment(checkout, stack, sandbox, sandbox_dir, protect)
        where = f"sandbox {environment.sandbox}" if environment.sandbox else "real accounts"
        self._printer.title(f"{self._operation} of {stack} ({where})")
        # The policies demand protection: without it they have nothing to say.
        policed = protect is None
        with open_stack(checkout, stack, environment, say, policed=policed) as opened:
            yield opened

    def _environment(
        self,
        checkout: Checkout,
        stack: str,
        sandbox: bool,
        sandbox_dir: Path | None,
        protect: bool | None,
    ) -> Environment:
        if sandbox:
            folder = sandbox_dir or default_sandbox(checkout)
            return sandboxed(checkout, stack, folder, protect=protect)
        if sandbox_dir:
            raise WrongInput("sandbox-dir", "--sandbox-dir means nothing without --sandbox.")
        if protect is not None:
            raise WrongInput(
                "protection",
                "--lift-protection works in a sandbox only. For real accounts set "
                f"'pull:protect: false' in Pulumi.{stack}.yaml in a reviewed change, run up, "
                "then destroy.",
            )
        return real_accounts(checkout)

    def carry_out(
        self,
        plan: Outcome,
        run: Callable[[Progress], Outcome],
        yes: bool,
        verdict: Verdict | None = None,
        *,
        recorded: bool = False,
    ) -> NoReturn:
        """Show the plan, ask if need be, run it and end the command; or end it at the verdict.

        ``recorded`` is what was held to the record of a review.
        """
        if not plan.succeeded or (verdict and not verdict.passed):
            self.finish(plan, verdict, planned=True)
        if not yes:
            self._printer.steps(plan)
            self._printer.summary(plan, planned=True)
            self._ask()
        progress = Progress(self._console, plan)
        outcome = run(progress)
        ends = progress.stages.ends(outcome.diagnostics)
        self.finish(outcome, verdict, stages=ends, recorded=recorded)

    def judge(self, opened: OpenStack, plan: Outcome) -> Verdict:
        """The verdict of the policy pack and of the guard on a preview."""
        return verdict_on(opened, plan, self._approvals, self._rules)

    def consent(self, lines: Sequence[str], yes: bool) -> None:
        """Say what is going to be done, and ask if need be."""
        self._printer.intentions(lines)
        if not yes:
            self._ask()

    def _ask(self) -> None:
        if not typer.confirm(f"\n{self._operation}?"):
            raise Refused("consent", "Nothing was changed.")

    def finish(
        self,
        outcome: Outcome,
        verdict: Verdict | None = None,
        graph: Graph | None = None,
        *,
        planned: bool = False,
        stages: Sequence[StageEnd] = (),
        expect_same: bool = False,
        recorded: bool = False,
    ) -> NoReturn:
        """Print the outcome, what was said of it, and end the command with its exit code.

        ``expect_same`` makes any change a failure.
        """
        drifted = expect_same and bool(outcome.changes)
        succeeded = outcome.succeeded and not drifted and (verdict is None or verdict.passed)
        if self._as_json:
            document = outcome.to_dict()
            if verdict:
                document["policies"] = verdict.to_dict()
                if not verdict.passed:
                    message = "\n".join(verdict.lines())
                    document["error"] = {"kind": "policies", "message": message}
            if graph:
                document["graph"] = graph.to_dict()
            if stages:
                document["stages"] = [stage.to_dict() for stage in stages]
            print_json({**document, "result": "succeeded" if succeeded else "failed"})
        else:
            if planned or outcome.operation in ("refresh", "recover"):
                self._printer.steps(outcome)
            self._printer.diagnostics(outcome.diagnostics)
            if outcome.succeeded:
                self._printer.outputs(outcome)
            if verdict:
                self._printer.verdict(verdict.lines(), passed=verdict.passed)
            self._printer.summary(outcome, planned=planned)
            if stages and not succeeded:
                self._printer.stages(stages)
        if not succeeded:
            told = advice(outcome, planned=planned, recorded=recorded)
            say(f"\n{DRIFTED if drifted else told}")
        sys.exit(0 if succeeded else 130 if outcome.interrupted else 1)


DRIFTED: Final = (
    "The clouds are not as the state says; nothing was changed. Put the change into the program if "
    "it is\nright; otherwise a refresh and the up after it take it back."
)


def advice(outcome: Outcome, *, planned: bool, recorded: bool) -> str:
    """What to do after a failure."""
    if planned:
        return "The preview failed and nothing was changed. Correct the above, then preview again."
    if outcome.interrupted:
        begin = f"The {outcome.operation} was interrupted. What it had finished is in the state."
    else:
        begin = f"The {outcome.operation} failed. What it had finished is in the state."
    if recorded and outcome.changes:
        go_on = (
            "Correct the above. The state has moved, so what is left takes a review of its own:\n"
            "preview again with --record, and run this with the new record."
        )
    else:
        go_on = "Correct the above and run the same command again: it goes on where this one ended."
    return (
        f"{begin}\n{go_on}\nWhere it refuses, because the engine was stopped in the middle of "
        "something, it names the command that settles that."
    )


def say(line: str) -> None:
    """Progress goes to standard error: standard output belongs to the result."""
    print(printable_lines(line), file=sys.stderr, flush=True)


def print_json(document: dict[str, Any]) -> None:
    """Print the one document that standard output carries; in ASCII, which controls no terminal."""
    print(json.dumps(document, indent=2))

"""What a command prints: progress for people, one result on standard output, and the exit code."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from rich.console import Console
from rich.text import Text

from ops.command_line.terminal import Printer, folded
from ops.review.graph import Graph, StageEnd
from ops.review.outcome import Outcome
from ops.review.policies import Verdict
from ops.sanitize import printable_lines
from ops.secret_values import HANDLED, RedactedStream

DRIFTED: Final = (
    "Drift detected; nothing was changed. If the change is right, put it into the program.\n"
    "Otherwise run refresh and then up, which reverts it."
)
ALREADY_EXISTS: Final = (
    "\nWhat exists already may come from an earlier attempt that was answered with an error: run\n"
    "recover with --adopt-existing, which adds it to the state."
)


class Output:
    """Where a command prints. With ``--json``, standard output carries the JSON document alone.

    Attributes:
        compared_with: what a preview compares the program with, if that is a snapshot.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.compared_with = ""
        # The current streams: while the program runs, its own prints go to standard error.
        self.console = Console(file=sys.stderr if as_json else sys.stdout, highlight=False)
        self.printer = Printer(self.console, text_width())

    def plan(self, plan: Outcome) -> None:
        """Print what an operation would do, for somebody who is about to confirm it."""
        self.printer.steps(plan)
        self.printer.summary(plan, planned=True)

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
        """Print the result of an operation and exit: 0 succeeded, 1 failed, 130 interrupted.

        Args:
            planned: the operation was a preview.
            stages: how far each stage came.
            expect_same: any change is a failure.
            recorded: the operation had to match the record of a review.
        """
        drifted = expect_same and bool(outcome.changes)
        succeeded = outcome.succeeded and not drifted and (verdict is None or verdict.passed)
        if self.as_json:
            document = _document(outcome, verdict, graph, stages, succeeded=succeeded)
            if self.compared_with:
                document["comparedWith"] = self.compared_with
            print_json(document)
        else:
            if planned or outcome.operation in ("refresh", "recover"):
                self.printer.steps(outcome)
            self.printer.diagnostics(outcome.diagnostics)
            if outcome.succeeded:
                self.printer.outputs(outcome)
            if verdict:
                self.printer.verdict(verdict.lines(), passed=verdict.passed)
            self.printer.summary(outcome, planned=planned)
            if stages and not succeeded:
                self.printer.stages(stages)
        if not succeeded:
            say(f"\n{DRIFTED if drifted else _advice(outcome, planned, recorded)}")
        sys.exit(0 if succeeded else 130 if outcome.interrupted else 1)


def text_width() -> int:
    """Where texts break: at the width of the terminal. In a log they stay whole, to be searched."""
    return shutil.get_terminal_size((0, 0)).columns or sys.maxsize


def say(line: str) -> None:
    """Print progress to standard error: standard output belongs to the result."""
    lines = printable_lines(line).splitlines()
    parts = [part.plain for text in lines for part in folded(Text(text), text_width())]
    print("\n".join(parts), file=sys.stderr, flush=True)


def print_json(document: dict[str, Any]) -> None:
    """Print the one document on standard output, in ASCII, which controls no terminal."""
    # Redacted before it is encoded: the stream could replace quotes between two texts.
    out = sys.stdout.unredacted if isinstance(sys.stdout, RedactedStream) else sys.stdout
    print(json.dumps(HANDLED.redact_all(document), indent=2), file=out)


def _document(
    outcome: Outcome,
    verdict: Verdict | None,
    graph: Graph | None,
    stages: Sequence[StageEnd],
    *,
    succeeded: bool,
) -> dict[str, Any]:
    document = outcome.to_dict()
    if verdict:
        document["policies"] = verdict.to_dict()
        if verdict.blocks:
            document["error"] = {"kind": "policies", "message": "\n".join(verdict.lines())}
    if graph:
        document["graph"] = graph.to_dict()
    if stages:
        document["stages"] = [stage.to_dict() for stage in stages]
    return {**document, "result": "succeeded" if succeeded else "failed"}


def _advice(outcome: Outcome, planned: bool, recorded: bool) -> str:
    """What to do after a failure."""
    ended = "was interrupted" if outcome.interrupted else "failed"
    if planned:
        fix = "" if outcome.interrupted else " Fix the errors above, then preview again."
        return f"The preview {ended}; nothing was changed.{fix}"
    if recorded and outcome.changes:
        next_step = (
            "Fix the errors above. The state has changed, so the rest needs a review of its own:\n"
            "preview again with --record, then run this command with the new record."
        )
    else:
        next_step = (
            "Fix the errors above, then run the same command again: it continues where this run "
            "ended."
        )
    return (
        f"The {outcome.operation} {ended}. Everything it finished is in the state.\n{next_step}\n"
        "If it then refuses because the engine was killed, it prints the command that repairs the "
        f"state.{ALREADY_EXISTS if 'already exists' in outcome.errors else ''}"
    )

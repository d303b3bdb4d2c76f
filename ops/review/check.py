"""The check of a pull request: its program, judged by the checkout of the target branch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ops.engine import confinement
from ops.engine.checkout import Checkout, stacks_in
from ops.engine.environment import harmless_variables
from ops.review.judges import Judges, OwnVerdict, changed_judges
from ops.review.report.model import Report
from ops.review.report.previews import run_verb
from ops.review.report.risk import Risk

REASONS: Final = 6
"""Reasons that are kept of a verdict of the pull request's own rules."""

MAX_SECONDS: Final = 300
"""For each command that runs code of the pull request. A preview takes 10 seconds."""


@dataclass(frozen=True, slots=True)
class Check:
    """The previews of a proposed program, all stacks side by side.

    Attributes:
        checkout: that of the target branch, with the proposed program.
        snapshots: the folder with a snapshot ``<stack>.json`` of each stack; a stack without one
            is compared with the program of the target branch, applied to a sandbox.
        folder: for the sandboxes.
        say: reports progress.
    """

    checkout: Checkout
    snapshots: Path | None
    folder: Path
    say: Callable[[str], None]

    def run(self) -> Report:
        """The report of all stacks of both checkouts.

        A preview that fails, or does not even start, is in the report, and blocks.
        """
        assert self.checkout.proposed
        changed = changed_judges(self.checkout.root, self.checkout.proposed)
        stacks = sorted({*stacks_in(self.checkout.root), *self.checkout.stacks()})
        with ThreadPoolExecutor(len(stacks)) as threads:
            documents = list(threads.map(self._preview, stacks))
            # Only now does anything run that the pull request itself judges with.
            verdicts = threads.map(self._own_verdict, stacks) if changed else ()
            own = dict(zip(stacks, verdicts, strict=False))
        return Report(documents, Judges(changed=changed, own=own))

    def _preview(self, stack: str) -> dict[str, Any]:
        against = self._against(stack)
        compared_with = self._applied_target(stack, against) if "--sandbox" in against else ""
        program = ["--program", str(self.checkout.proposed)]
        document = run_verb("preview", stack, [*against, *program], seconds=MAX_SECONDS)
        return {**document, "comparedWith": compared_with} if compared_with else document

    def _against(self, stack: str) -> list[str]:
        """The options that name what the program is compared with."""
        snapshot = self.snapshots / f"{stack}.json" if self.snapshots else None
        if snapshot and snapshot.exists():
            return ["--against", str(snapshot)]
        return ["--sandbox", "--sandbox-dir", str(self.folder / stack)]

    def _applied_target(self, stack: str, sandbox: Sequence[str]) -> str:
        """Apply the program of the target branch to a sandbox; return what the sandbox then is."""
        if stack not in stacks_in(self.checkout.root):
            return "an empty sandbox: the target branch has no such stack"
        self.say(f"{stack} has no snapshot: applying the target branch to a sandbox")
        applied = run_verb("up", stack, [*sandbox, "--yes"], quiet=True)
        if "error" not in applied:
            return "a sandbox to which the target branch was applied: there is no snapshot"
        self.say(f"{stack}: the target branch cannot be applied: {applied['error']['message']}")
        return "what is left in a sandbox to which the target branch could not be applied"

    def _own_verdict(self, stack: str) -> OwnVerdict:
        """The verdict of the pull request's own command line, confined to a folder of its own."""
        if not Path(self._against(stack)[-1]).exists():
            return OwnVerdict(risk="", reasons=())  # its preview did not get that far
        self.say(f"{stack}: asking the rules of the pull request, which differ")
        with tempfile.TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as folder:
            against = self._against(stack)
            # A copy, because the folder is all that it may read and write.
            copy = shutil.copytree if "--sandbox" in against else shutil.copy
            against[-1] = str(copy(against[-1], Path(folder, "compared-with")))
            preview = Path(folder, "preview.json")
            preview.write_bytes(
                self._run_own(folder, "preview", "--stack", stack, *against, "--json")
            )
            printed = self._run_own(folder, "report", "--from", str(preview), "--json")
        return _verdict(printed)

    def _run_own(self, folder: str, *command: str) -> bytes:
        """What a command of the pull request prints; nothing if it does not end."""
        limits = [sys.executable, "-m", confinement.__name__, folder, str(self.checkout.proposed)]
        try:
            return subprocess.run(
                [*limits, sys.executable, "-P", "-m", "ops", *command],
                env={**harmless_variables(), "TMPDIR": folder},
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=MAX_SECONDS,
                check=False,
            ).stdout
        except subprocess.TimeoutExpired:
            return b""


def _verdict(printed: bytes) -> OwnVerdict:
    """What an untrusted report says about its only stack."""
    try:
        (stack,) = json.loads(printed)["stacks"]
        reasons = [f"{reason['text']}: {', '.join(reason['names'])}" for reason in stack["reasons"]]
        return OwnVerdict(
            risk=Risk(stack["verdict"]).value,
            reasons=tuple(reason.removesuffix(": ") for reason in reasons[:REASONS]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return OwnVerdict(risk="", reasons=())

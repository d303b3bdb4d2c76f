"""A program that ends early, or changes the review, fails its preview: it never passes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.mini_project import MiniProject

ENDS_EARLY = {
    "os._exit": "import os; os._exit(0)",
    "sys.exit": "import sys; sys.exit(0)",
    "sys.exit with the code of a program that completed": "import sys; sys.exit(33)",
    "quit": "raise SystemExit",
    "a thread": "import os, threading; threading.Thread(target=os._exit, args=(0,)).start()",
    "an exit handler": "import atexit, os; atexit.register(os._exit, 0)",
    "an exit in an apply": (
        "import os, pulumi; pulumi.Output.from_input(0).apply(lambda code: os._exit(code))"
    ),
    "a cancelled task": "import asyncio; raise asyncio.CancelledError",
    "another program": "import os, sys; os.execv(sys.executable, [sys.executable, '-c', ''])",
    "a signal": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "a signal to ops": "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
}


@pytest.fixture
def project(tmp_path: Path, checkout: Path, engine: Path) -> MiniProject:
    assert engine.exists()
    return MiniProject(tmp_path / "tiny", checkout)


def begin_program_with(project: MiniProject, code: str) -> None:
    program = project.root / "__main__.py"
    program.write_text(f"{code}\n{program.read_text()}")


@pytest.mark.parametrize("code", ENDS_EARLY.values(), ids=ENDS_EARLY)
def test_a_program_that_ends_early_fails_the_preview(project: MiniProject, code: str) -> None:
    begin_program_with(project, code)
    done = project.ops("preview", *project.here(), "--json")
    assert done.returncode not in (0, 2)
    assert '"passed": true' not in done.stdout or '"result": "failed"' in done.stdout


def test_the_end_of_a_program_is_reported(project: MiniProject) -> None:
    begin_program_with(project, "import os; os._exit(0)")
    done = project.ops("preview", *project.here())
    assert done.returncode == 1
    assert "The program exited with code 0 before it had finished." in done.stdout


def test_a_program_cannot_change_the_review(project: MiniProject) -> None:
    """The bucket's location is against the pack, and its replacement needs an approval."""
    project.run("up")
    (project.root / "approvals" / "production.yaml").unlink()
    project.write(location="ASIA")
    begin_program_with(
        project,
        "import ops.review.guard, ops.review.policies, ops.review.outcome\n"
        "ops.review.guard.evaluate = ops.review.policies.evaluate = lambda *_: ()\n"
        "ops.review.policies.Verdict.passed = property(lambda self: True)\n"
        "ops.review.outcome.Outcome.succeeded = True\n",
    )
    done = project.ops("preview", *project.here(), "--json")
    assert done.returncode == 1
    verdict = json.loads(done.stdout)["policies"]
    assert not verdict["passed"]
    assert verdict["violations"]

"""What every test may ask for."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from ops.engine.install import provide_engine
from ops.sdk_internals import close_event_loops
from tests.needs import lacking

MUTANTS: Final = "mutants"
"""A test's property: how many mutants each rule of the policies has killed."""

LIVES: Final = ("test_lifecycle", "test_crash", "test_ops_recover", "test_release_story")
"""Files of the tests that take a stack through many operations."""

CHECKOUT = Path(__file__).resolve().parent.parent

# Some tests use the Automation API directly; a loop left open would fail whatever test runs next.
close_event_loops()


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of this checkout. No test may change anything in it."""
    return CHECKOUT


@pytest.fixture(scope="session")
def engine() -> Path:
    """A Pulumi CLI, which is fetched or built when there is none."""
    return provide_engine(lambda line: print(line, file=sys.stderr))


@pytest.fixture
def engine_calls(
    engine: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[str]]:
    """What the engine is asked from now on, a command line each."""
    folder = tmp_path_factory.mktemp("overheard")
    wrapped = folder / "pulumi"
    wrapped.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\nexec {engine} "$@"\n')
    wrapped.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return lambda: (folder / "calls").read_text("utf-8").splitlines()


@pytest.fixture(scope="session")
def need() -> Callable[[str, str], str]:
    """``need("node", "install Node.js 20")`` is the path of a program that a test has to have.

    Where it is missing the test is skipped and says how to get it; in CI it fails.
    """

    def find(tool: str, how: str) -> str:
        return shutil.which(tool) or lacking(f"{tool} is not on PATH: {how}")

    return find


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole lives come first: one that began last would leave the other processes idle."""
    items.sort(key=lambda item: not item.path.stem.startswith(LIVES))


def pytest_sessionfinish() -> None:
    """Collect now what the programs under test left in circles.

    CPython 3.11 fails to parse (``AST constructor recursion depth mismatch``) when a collection
    comes in between, and plugins parse in what follows.
    """
    gc.collect()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many mutants each rule has killed, whichever process of the run has tried them."""
    killed: dict[str, int] = {}
    for report in terminalreporter.getreports("passed"):
        killed |= dict(report.user_properties).get(MUTANTS, {})
    if killed:
        total = f"{sum(killed.values())} mutants killed by {len(killed)} rules, none survived"
        terminalreporter.section(total)
        words = [f"{rule} {count}" for rule, count in sorted(killed.items())]
        terminalreporter.write_line(textwrap.fill(", ".join(words), 100, break_on_hyphens=False))

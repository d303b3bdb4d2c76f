"""Fixtures and hooks of all tests."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

import pytest

from ops.engine.install import provide_engine
from ops.sdk_internals import report_secrets
from ops.secret_values import HANDLED
from tests.inline_programs import close_event_loops, connect_afresh
from tests.mini_project import PLANTED
from tests.needs import lacking

MUTANTS: Final = "mutants"
"""A test's property: how many mutants each policy rule has killed."""

LIFECYCLES: Final = ("test_lifecycle", "test_crash", "test_ops_recover", "test_release_story")
"""Files of the tests that take a stack through many operations."""

CHECKOUT = Path(__file__).resolve().parent.parent

# Some tests use the Automation API directly; a loop left open would fail whatever test runs next.
close_event_loops()
connect_afresh()

# The output of a failing test is public in CI; what a test plants stands for a real secret.
HANDLED.add(PLANTED)
report_secrets(HANDLED.add, HANDLED.add_output)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of this checkout. No test may change anything in it."""
    return CHECKOUT


@pytest.fixture(scope="session")
def engine() -> Path:
    """A Pulumi CLI, installed or built if it is missing."""
    return provide_engine(lambda line: print(line, file=sys.stderr))


@pytest.fixture
def engine_calls(
    engine: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[str]]:
    """The command lines of the engine from now on."""
    folder = tmp_path_factory.mktemp("calls")
    wrapped = folder / "pulumi"
    wrapped.write_text(f'#!/bin/sh\necho "$@" >> {folder}/calls\nexec {engine} "$@"\n')
    wrapped.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return lambda: (folder / "calls").read_text("utf-8").splitlines()


@pytest.fixture(scope="session")
def need() -> Callable[[str, str], str]:
    """``need("node", "install Node.js 20")`` is the path of a program that a test needs.

    If it is missing, the test is skipped with that hint; in CI it fails.
    """

    def find(tool: str, how: str) -> str:
        return shutil.which(tool) or lacking(f"{tool} is not on PATH: {how}")

    return find


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest tests first: starting one last would leave the other processes idle."""
    items.sort(key=lambda item: not item.path.stem.startswith(LIFECYCLES))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Redact secrets in the traceback of a failed test, and in what it printed and logged."""
    report = yield
    report.sections = [(title, HANDLED.redact(text)) for title, text in report.sections]
    shown = report.longreprtext
    redacted = HANDLED.redact(shown)
    if redacted != shown:
        report.longrepr = redacted
    return report


def pytest_sessionfinish() -> None:
    """Collect garbage now, before plugins parse source code.

    CPython 3.11 fails to parse (``AST constructor recursion depth mismatch``) if a collection of
    deep reference cycles, which the programs under test leave behind, happens while it parses.
    """
    gc.collect()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many mutants each rule has killed, in all processes of the run."""
    killed: dict[str, int] = {}
    for report in terminalreporter.getreports("passed"):
        killed |= dict(report.user_properties).get(MUTANTS, {})
    if killed:
        total = f"{sum(killed.values())} mutants killed by {len(killed)} rules, none survived"
        terminalreporter.section(total)
        words = [f"{rule} {count}" for rule, count in sorted(killed.items())]
        terminalreporter.write_line(textwrap.fill(", ".join(words), 100, break_on_hyphens=False))

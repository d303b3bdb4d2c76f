"""What every test may ask for."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.needs import lacking
from tools.engine import provide_engine

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of this checkout. No test may change anything in it."""
    return CHECKOUT


@pytest.fixture(scope="session")
def engine() -> Path:
    """A Pulumi CLI, which is fetched or built when there is none."""
    return provide_engine(lambda line: print(line, file=sys.stderr))


@pytest.fixture(scope="session")
def need() -> Callable[[str, str], str]:
    """``need("node", "install Node.js 20")`` is the path of a program that a test has to have.

    Where it is missing the test is skipped and says how to get it; in CI it fails.
    """

    def find(tool: str, how: str) -> str:
        return shutil.which(tool) or lacking(f"{tool} is not on PATH: {how}")

    return find

"""The locked requirements belong to the lists that people edit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_the_lock_has_every_listed_package_with_a_checksum(name: str) -> None:
    listed = [
        line
        for line in (ROOT / f"{name}.in").read_text("utf-8").splitlines()
        if line and not line.startswith(("#", "-c "))
    ]
    locked = re.findall(
        r"^(\S+==\S+)(?: ;.*)? \\\n +--hash=sha256:",
        (ROOT / f"{name}.txt").read_text("utf-8"),
        re.M,
    )
    assert listed
    missing = {re.sub("[-_.]+", "-", pin).lower() for pin in listed} - {
        re.sub("[-_.]+", "-", pin).lower() for pin in locked
    }
    assert not missing, "run make requirements"

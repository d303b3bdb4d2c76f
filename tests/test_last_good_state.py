"""A state file that ends in the middle is restored from its last good version."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from ops.engine.last_good_state import INTERVAL_SECONDS, StateFile


@pytest.fixture
def file(tmp_path: Path) -> StateFile:
    return StateFile(tmp_path / "production.json")


def write(file: StateFile, text: str) -> None:
    """Replace the file, as the engine does."""
    fresh = file.path.with_name("fresh")
    fresh.write_text(text, "utf-8")
    fresh.replace(file.path)


def wait(file: StateFile, text: str) -> None:
    deadline = time.monotonic() + 50 * INTERVAL_SECONDS
    while not file.last_good.exists() or file.last_good.read_text("utf-8") != text:
        assert time.monotonic() < deadline, "the version was not kept"
        time.sleep(INTERVAL_SECONDS / 4)


def state(number: int) -> str:
    return json.dumps({"version": 3, "checkpoint": {"latest": {"resources": [number]}}})


def test_the_last_complete_version_is_kept_and_restored(file: StateFile) -> None:
    with file.watched():
        assert not file.damaged
        for number in range(3):
            write(file, state(number))
            wait(file, state(number))
        # The engine copies the file over its backup, and then writes as much as the disk takes.
        for end in (40, 20, 0):
            write(file, state(3)[:end])
            time.sleep(INTERVAL_SECONDS * 1.5)
            assert file.damaged
    assert file.last_good.read_text("utf-8") == state(2)
    file.restore()
    assert file.path.read_text("utf-8") == state(2)
    assert file.path.with_name("production.json.damaged").read_text("utf-8") == ""
    assert not file.damaged


def test_a_copy_is_kept_and_not_the_file_itself(file: StateFile) -> None:
    """Somebody may truncate the file in place."""
    write(file, state(1))
    with file.watched():
        pass
    file.path.write_text("{", "utf-8")
    assert file.damaged
    file.restore()
    assert file.path.read_text("utf-8") == state(1)


def test_a_version_at_the_very_end_is_kept_too(file: StateFile) -> None:
    with file.watched():
        write(file, state(1))
    assert file.last_good.read_text("utf-8") == state(1)


def test_a_watch_without_a_state_keeps_nothing(file: StateFile) -> None:
    with file.watched():
        pass
    assert list(file.path.parent.iterdir()) == []


def test_without_a_good_version_nothing_is_replaced(file: StateFile) -> None:
    file.path.write_text("{", "utf-8")
    with pytest.raises(FileNotFoundError):
        file.restore()
    assert file.path.read_text("utf-8") == "{"

"""The temporary files of a run, in one folder that does not outlive it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PREFIX: Final = "pull-run-"


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Let this process, and all that it starts, keep their temporary files in a new folder.

    The folder is deleted at the end. A killed run leaves it behind; then the next run deletes it.
    The lock on the folder tells which is which: the kernel releases it when its process ends.
    """
    parent = Path(tempfile.gettempdir())
    for folder in parent.glob(f"{PREFIX}*"):
        _delete_abandoned(folder)
    folder, lock = _locked_folder()
    before = os.environ.get("TMPDIR")
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = str(parent)
        del os.environ["TMPDIR"]
        if before is not None:
            os.environ["TMPDIR"] = before
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked_folder() -> tuple[Path, int]:
    """A new folder, and the descriptor that holds the lock on it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)  # another run took it for abandoned before it was locked


def _delete_abandoned(folder: Path) -> None:
    with contextlib.suppress(OSError):  # it belongs to another user, or another run deletes it
        lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(lock)

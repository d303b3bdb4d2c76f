"""Keeps the last readable version of a sandbox's state file.

The engine replaces its state file atomically, but not only with complete files: on a full disk, its
write fails, and closing the half-written file still moves it into place (``Bucket.WriteAll`` and
``writer.Close`` of ``gocloud.dev/blob``, ``saveCheckpoint`` in ``pkg/backend/diy/state.go``). The
next attempt copies that over the backup. So each complete version is copied. A copy for which there
is no space is not complete, and the one before stays.

Only sandboxes keep their state in a file. A bucket in Google Cloud keeps versions of it
(``docs/delivery.md``).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

INTERVAL_SECONDS: Final = 0.2
"""The engine needs longer for an operation, and writes the state before and after it."""


@dataclass(frozen=True, slots=True)
class StateFile:
    """The state file of a stack, and its last good version beside it."""

    path: Path

    @property
    def last_good(self) -> Path:
        """The last version that was complete."""
        return self.path.with_name(f"{self.path.name}.last-good")

    @property
    def damaged(self) -> bool:
        """Whether the file exists and cannot be read."""
        return self.path.exists() and not _is_complete(self.path)

    def restore(self) -> None:
        """Put the last good version in place; the damaged one stays beside it.

        Raises:
            OSError: there is no last good version, or the file system refuses.
        """
        fresh = self.path.with_name(f".{self.path.name}.restored")
        shutil.copyfile(self.last_good, fresh)
        _sync(fresh)
        self.path.replace(self.path.with_name(f"{self.path.name}.damaged"))
        fresh.replace(self.path)
        _sync(self.path.parent)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Keep each complete version while an engine may write the file."""
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(over,))
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()

    def _watch(self, over: threading.Event) -> None:
        seen = None
        while True:
            last = over.is_set()
            with contextlib.suppress(OSError):  # such as no state yet; then there is none to keep
                stat = self.path.stat()
                # A file system may give the number of a replaced file to the next but one.
                current = stat.st_ino, stat.st_mtime_ns, stat.st_size
                if current != seen:
                    self._keep()
                    seen = current
            if last:
                return
            over.wait(INTERVAL_SECONDS)

    def _keep(self) -> None:
        fresh = self.path.with_name(f".{self.path.name}.fresh")
        try:
            shutil.copyfile(self.path, fresh)
            if _is_complete(fresh):
                _sync(fresh)
                fresh.replace(self.last_good)
                _sync(self.path.parent)
        finally:
            fresh.unlink(missing_ok=True)


def _is_complete(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except ValueError:
        return False


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

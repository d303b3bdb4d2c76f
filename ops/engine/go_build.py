"""Programs that are built from Go modules, once for each version, into the user's cache."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PROGRESS_EVERY_SECONDS: Final = 10.0

Say = Callable[[str], None]
"""Takes one line of progress."""


class GoError(Exception):
    """Go is missing, is too old, or did not do it. The text says which, and why."""


def find_go(oldest: tuple[int, int]) -> str:
    """The path of a Go that is at least the given version.

    Raises:
        GoError: there is none.
    """
    wanted = ".".join(map(str, oldest))
    found = shutil.which("go")
    if found is None:
        raise GoError(f"there is no Go here; needed is {wanted} or newer (https://go.dev/dl)")
    printed = subprocess.run([found, "version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"go(\d+)\.(\d+)", printed)
    if version is None or (int(version[1]), int(version[2])) < oldest:
        raise GoError(
            f"{found} is too old: {printed.strip() or 'no version'}, needed is {wanted} or newer "
            "(https://go.dev/dl)"
        )
    return found


def build(go: str, folder: Path, package: str, executable: Path, ldflags: str, say: Say) -> None:
    """Build a package that the ``go.mod`` in the folder pins; ``say`` hears how far it is.

    Raises:
        GoError: Go could not.
    """
    command = [
        *(go, "build", "-v", "-trimpath", "-mod=readonly", "-o", str(executable)),
        *("-ldflags", f"-s -w {ldflags}".rstrip(), package),
    ]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        lines: list[str] = []
        stream = process.stderr
        assert stream is not None
        reader = threading.Thread(target=lambda: lines.extend(line.rstrip() for line in stream))
        reader.start()
        started = time.monotonic()
        while True:
            try:
                process.wait(PROGRESS_EVERY_SECONDS)
                break
            except subprocess.TimeoutExpired:
                say(f"  {time.monotonic() - started:4.0f} s  {_progress(lines)}")
            except KeyboardInterrupt:
                process.terminate()
                raise
        reader.join()
    if process.returncode != 0:
        listed = "\n".join(f"  {line}" for line in lines[-15:])
        raise GoError(f"Go ended with {process.returncode}:\n{listed}")
    say(f"  {time.monotonic() - started:4.0f} s  done")


def module(go: str, path: str, version: str) -> Path:
    """The folder of a module's source in Go's own cache, downloaded and verified if need be.

    Raises:
        GoError: Go could not.
    """
    done = subprocess.run(
        [go, "mod", "download", "-json", f"{path}@{version}"],
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise GoError(f"go mod download {path}@{version} failed:\n{done.stdout}{done.stderr}")
    return Path(json.loads(done.stdout)["Dir"])


@contextmanager
def alone(home: Path, what: str, say: Say) -> Iterator[None]:
    """One process at a time; the kernel frees the lock even when its holder is killed."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_name(f"{home.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another process is providing {what}; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _environment() -> dict[str, str]:
    """Neither a C compiler nor the user's workspace or flags may decide what is built."""
    return {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}


def _progress(lines: list[str]) -> str:
    downloads = sum(line.startswith("go: downloading") for line in lines)
    compiled = len(lines) - downloads
    if compiled == 0:
        return f"downloading modules, {downloads} so far"
    return f"compiling, {compiled} packages so far"

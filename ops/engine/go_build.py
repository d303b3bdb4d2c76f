"""Builds programs from Go modules into the user's cache, once for each version."""

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

SWITCHES_TOOLCHAINS: Final = (1, 21)
"""The first Go that downloads and verifies the newer Go that a module's ``go.mod`` asks for
(https://go.dev/doc/toolchain)."""

Say = Callable[[str], None]
"""Takes one line of progress."""


class GoError(Exception):
    """Go is missing, too old, or failed. The text says which, and why."""


def find_go() -> str:
    """The path of a Go that can build any of the modules.

    Raises:
        GoError: there is none.
    """
    wanted = ".".join(map(str, SWITCHES_TOOLCHAINS))
    found = shutil.which("go")
    if found is None:
        raise GoError(f"Go is not installed; {wanted} or newer is required (https://go.dev/dl)")
    printed = subprocess.run([found, "version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"go(\d+)\.(\d+)", printed)
    if version is None or (int(version[1]), int(version[2])) < SWITCHES_TOOLCHAINS:
        raise GoError(
            f"{found} is too old: {printed.strip() or 'no version'}; {wanted} or newer is required "
            "(https://go.dev/dl)"
        )
    return found


def build(go: str, folder: Path, package: str, executable: Path, ldflags: str, say: Say) -> None:
    """Build a package that the ``go.mod`` in ``folder`` pins; ``say`` receives the progress.

    Raises:
        GoError: the build failed.
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
        raise GoError(f"go build failed with exit code {process.returncode}:\n{listed}")
    say(f"  {time.monotonic() - started:4.0f} s  done")


def module(go: str, path: str, version: str) -> Path:
    """The folder of a module's source in Go's cache, downloaded and verified if necessary.

    Raises:
        GoError: the download failed.
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
def exclusively(home: Path, what: str, say: Say) -> Iterator[None]:
    """One process at a time. The kernel releases the lock even if its holder is killed."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_name(f"{home.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another process is installing {what}; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _environment() -> dict[str, str]:
    """No C compiler, workspace or flags of the user may influence the build."""
    return {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}


def _progress(lines: list[str]) -> str:
    downloads = sum(line.startswith("go: downloading") for line in lines)
    compiled = len(lines) - downloads
    if compiled == 0:
        return f"downloading modules, {downloads} so far"
    return f"compiling, {compiled} packages so far"

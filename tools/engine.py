"""The Pulumi CLI: from PATH, from the cache, from its official installer, or built from source.

The release archives of the CLI are not to be had behind every firewall, but its Go module is on
every module proxy. A binary built from that module has no language host and needs none: ``ops``
runs the program itself, through the Automation API.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from semver import VersionInfo

from tools.cache import cache_folder

HELPERS: Final = Path(__file__).resolve().parent / "bin"
"""Programs that the engine looks for on the PATH, and that only the official CLI brings along."""

VERSION: Final = VersionInfo.parse("3.230.0")
"""The oldest CLI that will do, and the one that is installed or built (see ``pulumi/go.mod``)."""

GO_MINIMUM: Final = (1, 25)
"""The oldest Go that compiles that CLI (``pulumi/go.mod``)."""

MODULE: Final = Path(__file__).parent / "pulumi"
PACKAGE: Final = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_SYMBOL: Final = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
INSTALLER_TIMEOUT_SECONDS: Final = 5.0
PROGRESS_EVERY_SECONDS: Final = 10.0

Say = Callable[[str], None]
"""Takes one line of progress."""


class EngineError(Exception):
    """The engine cannot be had. The text says what was tried and what to install."""


def provide_engine(say: Say) -> Path:
    """The path of a Pulumi CLI that is at least ``VERSION``, which is fetched or built if need be.

    ``say`` hears what happens whenever it takes longer than a moment. Several processes may ask
    at once: one provides, the others wait for it.

    Raises:
        EngineError: there is no CLI, and neither its installer nor Go can provide one.
    """
    installed = _on_path(say)
    if installed is not None:
        return installed
    home = cache_folder() / f"pulumi-{VERSION}"
    executable = home / "bin" / "pulumi"
    if executable.exists():
        return executable
    with _alone(home, say):
        if executable.exists():
            return executable
        with tempfile.TemporaryDirectory(prefix=f"{home.name}-", dir=home.parent) as scratch:
            fresh = Path(scratch) / "fresh"
            if not _install(fresh, say):
                _build(fresh, say)
            fresh.rename(home)  # so that an interrupted attempt never looks like a finished one
    return executable


def _on_path(say: Say) -> Path | None:
    found = shutil.which("pulumi")
    if found is None:
        return None
    printed = subprocess.run(
        [found, "version"],
        env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    try:
        usable = VersionInfo.parse(printed.removeprefix("v")) >= VERSION
    except ValueError:
        usable = False
    if not usable:
        say(f"{found} is {printed or 'broken'}; this program needs {VERSION} or newer.")
        return None
    return Path(found)


@contextmanager
def _alone(home: Path, say: Say) -> Iterator[None]:
    """One process at a time; the kernel frees the lock even when its holder is killed."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_name(f"{home.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another process is providing the Pulumi CLI; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(home: Path, say: Say) -> bool:
    """Try the official installer; being offline is a normal case and not an error."""
    # Imported late: it takes a third of a second, and only an installation needs it.
    from pulumi.automation import PulumiCommand

    say(f"Pulumi CLI {VERSION}: asking the official installer ...")
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(INSTALLER_TIMEOUT_SECONDS)
    try:
        PulumiCommand.install(root=str(home), version=VERSION)
    except (OSError, urllib.error.URLError, subprocess.CalledProcessError) as error:
        say(f"The installer cannot be reached or does not work here ({_first_line(error)}).")
        shutil.rmtree(home, ignore_errors=True)
        return False
    finally:
        socket.setdefaulttimeout(before)
    return True


def _build(home: Path, say: Say) -> None:
    go = _go()
    say(
        f"Pulumi CLI {VERSION}: building it from its Go module, once. Two cores take about "
        "3 minutes, and a download of 300 MB comes first if Go has not seen the module yet."
    )
    executable = home / "bin" / "pulumi"
    executable.parent.mkdir(parents=True)
    command = [
        *(go, "build", "-v", "-trimpath", "-mod=readonly", "-o", str(executable)),
        *("-ldflags", f"-s -w -X {VERSION_SYMBOL}=v{VERSION}", PACKAGE),
    ]
    # Neither a C compiler nor the user's workspace or flags may decide what is built.
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}
    with subprocess.Popen(
        command,
        cwd=MODULE,
        env=environment,
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
        raise EngineError(
            f"Building the Pulumi CLI failed; Go ended with {process.returncode}:\n{listed}\n"
            f"Put a Pulumi CLI {VERSION} or newer on PATH (https://www.pulumi.com/docs/install), "
            "or let Go reach its module proxy (`go env GOPROXY`)."
        )
    say(f"  {time.monotonic() - started:4.0f} s  done")


def _progress(lines: list[str]) -> str:
    downloads = sum(line.startswith("go: downloading") for line in lines)
    compiled = len(lines) - downloads
    if compiled == 0:
        return f"downloading modules, {downloads} so far"
    return f"compiling, {compiled} packages so far"


def _go() -> str:
    """The path of a Go that is new enough.

    Raises:
        EngineError: there is none.
    """
    found = shutil.which("go")
    wanted = ".".join(map(str, GO_MINIMUM))
    remedy = (
        "Install one of these, then run the command again:\n"
        f"  the Pulumi CLI {VERSION} or newer   https://www.pulumi.com/docs/install\n"
        f"  Go {wanted} or newer                https://go.dev/dl"
    )
    if found is None:
        raise EngineError(f"There is no Pulumi CLI here and no Go to build one.\n{remedy}")
    printed = subprocess.run([found, "version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"go(\d+)\.(\d+)", printed)
    if version is None or (int(version[1]), int(version[2])) < GO_MINIMUM:
        raise EngineError(
            f"There is no Pulumi CLI here, and {found} is too old to build one: "
            f"{printed.strip() or 'no version'}, needed is {wanted}.\n{remedy}"
        )
    return found


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]

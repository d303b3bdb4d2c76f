"""Installs the Pulumi CLI: from PATH, the cache, its official installer, or built from source.

Some firewalls block the release archives of the CLI, but its Go module is on every module proxy. A
binary that is built from that module has no language host, so ``language_host.py`` takes its place.

What is built is verified: ``pulumi/go.sum`` has the checksum of every module. What the official
installer downloads is as trustworthy as its TLS connection.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import urllib.error
from pathlib import Path
from typing import Final

from semver import VersionInfo

from ops.engine.cache import cache_folder
from ops.engine.go_build import GoError, Say, build, exclusively, find_go

LANGUAGE_HOST: Final = Path(__file__).resolve().parent / "bin" / "pulumi-language-python"
"""Stands in for the program of that name in the official CLI, if it is the last on PATH."""

VERSION: Final = VersionInfo.parse("3.274.1")
"""The oldest CLI that works, and the version that is installed or built (``pulumi/go.mod``)."""

GO_MINIMUM: Final = (1, 26)
"""The oldest Go that compiles that CLI (``pulumi/go.mod``)."""

MODULE: Final = Path(__file__).parent / "pulumi"
PACKAGE: Final = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_SYMBOL: Final = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
INSTALLER_TIMEOUT_SECONDS: Final = 5.0


class EngineError(Exception):
    """The engine cannot be installed. The text says what was tried and what to install."""


def provide_engine(say: Say) -> Path:
    """The path of a Pulumi CLI that is at least ``VERSION``, installed or built if necessary.

    ``say`` receives the progress of an installation. Several processes may call this at the same
    time: the first installs the CLI, the others wait for it.

    Raises:
        EngineError: there is no CLI, and neither its installer nor Go can provide it.
    """
    installed = _on_path(say)
    if installed is not None:
        return installed
    home = cache_folder() / f"pulumi-{VERSION}"
    executable = home / "bin" / "pulumi"
    if executable.exists():
        return executable
    with exclusively(home, "the Pulumi CLI", say):
        if executable.exists():
            return executable
        with tempfile.TemporaryDirectory(prefix=f"{home.name}-", dir=home.parent) as scratch:
            fresh = Path(scratch) / "fresh"
            if not _install(fresh, say):
                _build(fresh, say)
            fresh.rename(home)  # an interrupted installation never looks finished
    return executable


def describe(executable: Path) -> str:
    """Where a CLI that ``provide_engine`` returned comes from, and its version."""
    if not executable.is_relative_to(cache_folder()):
        origin = "found on PATH"
    elif executable.with_name(LANGUAGE_HOST.name).exists():
        origin = "installed by the official installer"
    else:
        origin = f"built from its Go module, which {MODULE / 'go.sum'} verifies"
    return f"Pulumi CLI {_printed_version(executable)}, {origin}"


def _printed_version(executable: Path) -> str:
    """What ``pulumi version`` prints; empty if it does not run."""
    return subprocess.run(
        [executable, "version"],
        env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()


def _on_path(say: Say) -> Path | None:
    found = shutil.which("pulumi")
    if found is None:
        return None
    printed = _printed_version(Path(found))
    try:
        usable = VersionInfo.parse(printed.removeprefix("v")) >= VERSION
    except ValueError:
        usable = False
    if not usable:
        say(f"{found} is {printed or 'broken'}; {VERSION} or newer is required.")
        return None
    return Path(found)


def _install(home: Path, say: Say) -> bool:
    """Try the official installer; being offline is not an error."""
    # Imported late: it takes a third of a second, and only the installation needs it.
    from pulumi.automation import PulumiCommand

    say(f"Pulumi CLI {VERSION}: running the official installer ...")
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(INSTALLER_TIMEOUT_SECONDS)
    try:
        PulumiCommand.install(root=str(home), version=VERSION)
    except (OSError, urllib.error.URLError, subprocess.CalledProcessError) as error:
        say(f"The installer cannot be reached or failed ({_first_line(error)}).")
        shutil.rmtree(home, ignore_errors=True)
        return False
    finally:
        socket.setdefaulttimeout(before)
    return True


def _build(home: Path, say: Say) -> None:
    executable = home / "bin" / "pulumi"
    executable.parent.mkdir(parents=True)
    try:
        go = find_go(GO_MINIMUM)
        say(
            f"Pulumi CLI {VERSION}: building it from its Go module, once. This takes about 5 "
            "minutes on two cores, after a download of 300 MB if the module is not in Go's cache."
        )
        build(go, MODULE, PACKAGE, executable, f"-X {VERSION_SYMBOL}=v{VERSION}", say)
    except GoError as error:
        raise EngineError(
            f"The Pulumi CLI is not installed and cannot be built: {error}\n"
            f"Put Pulumi CLI {VERSION} or newer on PATH (https://www.pulumi.com/docs/install), "
            "or give Go access to its module proxy (`go env GOPROXY`)."
        ) from None


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]

"""The Pulumi CLI: from PATH, from the cache, from its official installer, or built from source.

The release archives of the CLI are not to be had behind every firewall, but its Go module is on
every module proxy. A binary built from that module has no language host and needs none: ``ops``
runs the program itself, through the Automation API.
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
from ops.engine.go_build import GoError, Say, alone, build, find_go

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
    with alone(home, "the Pulumi CLI", say):
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
    executable = home / "bin" / "pulumi"
    executable.parent.mkdir(parents=True)
    try:
        go = find_go(GO_MINIMUM)
        say(
            f"Pulumi CLI {VERSION}: building it from its Go module, once. Two cores take about "
            "3 minutes, and a download of 300 MB comes first if Go has not seen the module yet."
        )
        build(go, MODULE, PACKAGE, executable, f"-X {VERSION_SYMBOL}=v{VERSION}", say)
    except GoError as error:
        raise EngineError(
            f"There is no Pulumi CLI here, and it cannot be built: {error}\n"
            f"Put a Pulumi CLI {VERSION} or newer on PATH (https://www.pulumi.com/docs/install), "
            "or let Go reach its module proxy (`go env GOPROXY`)."
        ) from None


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]

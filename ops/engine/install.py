"""Provides the Pulumi CLI: the one on PATH, or one that is built once from its Go module.

The official CLI is for its user to install and to verify. This module downloads no release archive:
the project has no checksum to compare one with. What it builds is verified, because
``pulumi/go.sum`` has the checksum of every module. Such a binary has no language host, so
``language_host.py`` takes its place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from semver import VersionInfo

from ops.engine.cache import cache_folder
from ops.engine.go_build import GoError, Say, build, exclusively, find_go

LANGUAGE_HOST: Final = Path(__file__).resolve().parent / "bin" / "pulumi-language-python"
"""Stands in for the program of that name in the official CLI, if it is the last on PATH."""

VERSION: Final = VersionInfo.parse("3.274.1")
"""The oldest CLI that works, and the version that is built (``pulumi/go.mod``)."""

MODULE: Final = Path(__file__).parent / "pulumi"
PACKAGE: Final = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_SYMBOL: Final = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"


class EngineError(Exception):
    """There is no engine. The text says what was tried and what to install."""


def provide_engine(say: Say) -> Path:
    """The path of a Pulumi CLI that is at least ``VERSION``, built if necessary.

    In CI it is exactly ``VERSION``, whatever CLI the runner has.

    ``say`` receives the progress of the build. Several processes may call this at the same time:
    the first builds the CLI, the others wait for it.

    Raises:
        EngineError: there is no CLI, and Go cannot build it.
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
            _build(fresh, say)
            fresh.rename(home)  # an interrupted build never looks finished
    return executable


def describe(executable: Path) -> str:
    """Where a CLI that ``provide_engine`` returned comes from, and its version."""
    if executable.is_relative_to(cache_folder()):
        origin = f"built from its Go module, which {MODULE / 'go.sum'} verifies"
    else:
        origin = "found on PATH"
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
    pinned = bool(os.environ.get("CI"))
    try:
        version = VersionInfo.parse(printed.removeprefix("v"))
        usable = version == VERSION if pinned else version >= VERSION
    except ValueError:
        usable = False
    if not usable:
        required = f"{VERSION} is required in CI" if pinned else f"{VERSION} or newer is required"
        say(f"{found} is {printed or 'broken'}; {required}.")
        return None
    return Path(found)


def _build(home: Path, say: Say) -> None:
    executable = home / "bin" / "pulumi"
    executable.parent.mkdir(parents=True)
    try:
        go = find_go()
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

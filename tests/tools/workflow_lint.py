"""actionlint, the linter of GitHub workflows, built from its Go module (``actionlint/go.mod``)."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from ops.engine.cache import cache_folder

MODULE: Final = Path(__file__).parent / "actionlint"
PACKAGE: Final = "github.com/rhysd/actionlint"


def provide_actionlint(go: str) -> Path:
    """The path of actionlint, which is built once with ``go`` (ten seconds on two cores).

    Raises:
        subprocess.CalledProcessError: Go cannot build it; its output holds the reason.
    """
    version = re.search(rf"{PACKAGE} v(\S+)", (MODULE / "go.mod").read_text("utf-8"))
    assert version, "tests/tools/actionlint/go.mod does not name actionlint"
    executable = cache_folder() / f"actionlint-{version[1]}"
    if executable.exists():
        return executable
    executable.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="actionlint-", dir=executable.parent) as scratch:
        fresh = Path(scratch) / "actionlint"
        build = [
            "build",
            "-trimpath",
            "-mod=readonly",
            "-o",
            str(fresh),
            f"{PACKAGE}/cmd/actionlint",
        ]
        subprocess.run(
            [go, *build],
            cwd=MODULE,
            env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        fresh.rename(executable)  # at once: several processes may build it at the same time
    return executable

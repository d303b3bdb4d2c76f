"""Pulumi's real Kubernetes provider, built from its Go module (``kubernetes_provider/go.mod``).

The Go proxy has no release of this module, only commits of it, and its own command lacks two
generated files. ``kubernetes_provider/main.go`` takes their place.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

from ops.engine.cache import cache_folder
from ops.engine.go_build import Say, build, exclusively, find_go, module

MODULE: Final = Path(__file__).parent / "kubernetes_provider"
PACKAGE: Final = "github.com/pulumi/pulumi-kubernetes/provider/v4"
VERSION: Final = "4.25.0"
"""The latest release before the commit in ``go.mod``; a build from source does not know it."""

EXECUTABLE: Final = "pulumi-resource-kubernetes"


def provide_kubernetes_plugin(say: Say) -> Path:
    """The path of the plugin, which is built if need be.

    Raises:
        GoError: there is no Go, or the build failed.
    """
    pinned = re.search(rf"{PACKAGE} (v\S+-(\w+))", (MODULE / "go.mod").read_text("utf-8"))
    assert pinned, f"{MODULE}/go.mod does not name {PACKAGE}"
    executable = cache_folder() / f"kubernetes-provider-{pinned[2]}" / EXECUTABLE
    if executable.exists():
        return executable
    with exclusively(executable.parent, "the Kubernetes provider", say):
        if executable.exists():
            return executable
        go = find_go()
        say(
            f"Kubernetes provider {VERSION}: building it, once. Two cores take about 7 minutes, "
            "and a download of 150 MB comes first if Go has not seen it."
        )
        cache = executable.parent.parent
        with tempfile.TemporaryDirectory(prefix="kubernetes-provider-", dir=cache) as scratch:
            source, fresh = Path(scratch) / "source", Path(scratch) / "fresh"
            shutil.copytree(MODULE, source)
            own = module(go, PACKAGE, pinned[1]) / "cmd" / EXECUTABLE
            shutil.copyfile(own / "terraform-mapping.json", source / "terraform-mapping.json")
            schema = json.loads((own / "schema.json").read_text("utf-8"))
            (source / "schema.json").write_text(json.dumps({**schema, "version": VERSION}), "utf-8")
            build(go, source, ".", fresh / EXECUTABLE, f"-X main.version={VERSION}", say)
            fresh.rename(executable.parent)  # an interrupted build never looks finished
    return executable

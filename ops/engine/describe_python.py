"""Prints, as JSON, what the language host needs to know about the Python that runs it."""

from __future__ import annotations

import json
import platform
import sys
from importlib import metadata
from pathlib import Path

packages = {package.name: package.version for package in metadata.distributions()}
declared = [
    json.loads(file.read_text("utf-8"))
    for folder in sys.path
    for file in sorted(Path(folder).glob("*/pulumi-plugin.json"))
]
print(
    json.dumps(
        {
            "executable": sys.executable,
            "version": platform.python_version(),
            "packages": packages,
            # Each SDK declares the provider plugin that it needs.
            "plugins": [plugin for plugin in declared if plugin.get("resource")],
        }
    )
)

"""The folder for everything that the project installs or generates: the user's cache."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/pull-estate``, or ``~/.cache/pull-estate``.

    ``bin/ops`` and the Makefile have the same rule. The folder may not exist yet. A relative
    ``XDG_CACHE_HOME`` is ignored, as the XDG Base Directory Specification requires.
    """
    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (configured if configured.is_absolute() else Path.home() / ".cache") / "pull-estate"

"""Where this project keeps what it makes: outside of the checkout, in the user's cache."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/pull-estate``, or ``~/.cache/pull-estate``; the Makefile has the same rule.

    The folder may not exist yet. A relative ``XDG_CACHE_HOME`` does not count, as its
    specification demands: it would put the cache into the checkout.
    """
    stated = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (stated if stated.is_absolute() else Path.home() / ".cache") / "pull-estate"

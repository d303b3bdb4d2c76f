"""Keeps what was read from the provider SDKs in the user's cache.

Importing the SDKs of Google Cloud and Cloudflare takes about five seconds of CPU time (measured on
a preview of production), and what a version of them contains does not change. An entry is for one
version of an SDK, of Python, and of the source code that reads the SDK; none can be out of date.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ops.engine.cache import cache_folder

T = TypeVar("T")


def cached(name: str, version: str, read: Callable[[], T]) -> T:
    """The result of ``read`` for this name and version, from the cache if it is there.

    A cache that cannot be read or written is no error.
    """
    digest = hashlib.sha256(f"{name} {version} {sys.version} {_source()}".encode()).hexdigest()
    path = cache_folder() / "schemas" / digest
    with contextlib.suppress(OSError, EOFError, pickle.UnpicklingError):
        # As trusted as Python's byte code, which is in the same folder.
        found: T = pickle.loads(path.read_bytes())  # noqa: S301
        return found
    result = read()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{digest}.{os.getpid()}")
        try:
            fresh.write_bytes(pickle.dumps(result))
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    return result


@functools.cache
def _source() -> str:
    """A digest of the source code that makes and reads the entries."""
    files = [Path(__file__), Path(__file__).with_name("schema.py")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()

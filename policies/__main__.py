"""Starts the pack. Nothing else may be here: the constructor serves the engine for ever."""

from __future__ import annotations

import sys
from pathlib import Path

# The engine runs this folder as a program, so that it comes first in the path, where our secrets.py
# would hide the standard library's. The rules are a package of the folder above it.
HERE = Path(__file__).resolve().parent
sys.path[:] = [str(HERE.parent), *(path for path in sys.path if Path(path).resolve() != HERE)]

from pulumi_policy import PolicyPack  # noqa: E402

from policies.by_type import ask_by_type  # noqa: E402
from policies.lifetime import end_with_the_engine  # noqa: E402
from policies.pack import LEVEL, policies  # noqa: E402
from policies.rules import PACK  # noqa: E402

ask_by_type()
end_with_the_engine()
PolicyPack(name=PACK, policies=policies(), enforcement_level=LEVEL)

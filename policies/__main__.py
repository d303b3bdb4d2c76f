"""Starts the pack. Nothing follows the constructor: it serves the engine until the engine ends."""

from __future__ import annotations

import sys
from pathlib import Path

# The engine runs this folder as a program; the package is in the folder above it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pulumi_policy import PolicyPack

from policies.lifetime import end_with_the_engine
from policies.pack import LEVEL, policies
from policies.rules import PACK
from policies.sdk_internals import serve_with_own_servicer

serve_with_own_servicer()
end_with_the_engine()
PolicyPack(name=PACK, policies=policies(), enforcement_level=LEVEL)

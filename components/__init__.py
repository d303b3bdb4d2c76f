"""The PULL estate: one typed graph of components."""

from pathlib import Path
from typing import Final

PROJECT_ROOT: Final = Path(__file__).resolve().parents[1]
"""The folder with ``Pulumi.yaml``."""

"""``python -m tests.inventory`` writes the inventories anew."""

from __future__ import annotations

from tests import inventory

for name in inventory.NAMES:
    inventory.write(name)

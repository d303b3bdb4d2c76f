"""``python -m tests.inventory`` writes both inventories anew."""

from __future__ import annotations

from tests import inventory
from tests.recorder import STACKS

for stack in STACKS:
    inventory.write(stack)

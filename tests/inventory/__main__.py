"""``python -m tests.inventory`` writes the inventories and the list of declared inputs anew."""

from __future__ import annotations

from tests import declared_inputs, inventory

for name in inventory.NAMES:
    inventory.write(name)
declared_inputs.write()

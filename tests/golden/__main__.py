"""``python -m tests.golden`` writes the golden reports; ``record`` runs the scenarios first."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests import golden
from tests.conftest import CHECKOUT


def record_all(folder: Path) -> None:
    """Run all scenarios in ``folder``."""
    stacks = {
        "new": golden.begin(CHECKOUT, folder / "new", "production"),
        "staging": golden.begin(CHECKOUT, folder / "staging", "staging"),
    }
    stacks["deployed"] = stacks["new"].fork(folder / "deployed")
    golden.deploy(stacks["deployed"])
    stacks["released"] = stacks["deployed"].fork(folder / "released")
    golden.release(stacks["released"])
    for name, scenario in golden.SCENARIOS.items():
        print(name, flush=True)
        golden.record(name, scenario.run(stacks[scenario.base].fork(folder / name)))


if sys.argv[1:] == ["record"]:
    with tempfile.TemporaryDirectory(prefix="pull-golden-") as scratch:
        record_all(Path(scratch))
for name in golden.REPORTS:
    (golden.FOLDER / f"{name}.md").write_text(golden.made(name), "utf-8")

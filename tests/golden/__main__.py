"""``python -m tests.golden`` writes the golden reports; ``record`` asks the engine first."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests import golden
from tests.conftest import CHECKOUT
from tests.stack_lifecycle import StackLifecycle


def record_all(folder: Path) -> None:
    """Live through all scenarios in ``folder``."""
    lives = {"first": StackLifecycle.begin(CHECKOUT, folder / "first", "production")}
    lives["staging"] = StackLifecycle.begin(CHECKOUT, folder / "staging", "staging")
    lives["made"] = lives["first"].fork(folder / "made")
    (lives["made"].folder / "up.json").write_text(json.dumps(lives["made"].run("up")), "utf-8")
    lives["released"] = lives["made"].fork(folder / "released")
    golden.release(lives["released"])
    for name, scenario in golden.SCENARIOS.items():
        print(name, flush=True)
        fork = lives[scenario.base].fork(folder / name)
        golden.record(name, scenario.to_dict(fork))


if sys.argv[1:] == ["record"]:
    with tempfile.TemporaryDirectory(prefix="pull-golden-") as scratch:
        record_all(Path(scratch))
for name in golden.REPORTS:
    (golden.FOLDER / f"{name}.md").write_text(golden.made(name), "utf-8")

"""``make bench``: how the durations of the estate compare, measured in turn in the same run.

A ratio above its target is reported, but is no failure: the machine may be busy.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final

import typer

from ops.engine.checkout import stacks_in
from ops.engine.install import provide_engine
from tests.bench import programs
from tests.bench.flat import essence, recorded
from tests.bench.programs import CHECKOUT, STACK
from tests.bench.rounds import Comparison, rounds

FLOOR_AIM: Final = 1.15
POLICIES_AIM: Final = 1.15
POLICIES_SECONDS: Final = 1.0
"""What the policy pack may add to a preview, in addition to the factor."""
START_AIM: Final = 1.2
CHECK_SECONDS: Final = 25.0
"""For the check of a pull request: it leaves 35 seconds of a minute to the steps of the CI."""
FLEET_AIM: Final = 1.6
"""A worker costs more than most resources, so the cost per resource of a large fleet is 1.3 to 1.5
times as high. With a cost that grows with the square of the number it would be twice as high."""
FLEETS: Final = (1, 11, 110)

# How long each part continues to measure after its minimum number of rounds.
PREVIEW_SECONDS: Final = 80
START_SECONDS: Final = 25
CHECK_WINDOW: Final = 60
FLEET_SECONDS: Final = {"preview": 45, "up": 60}

START: Final = f"""
from pathlib import Path
from components.config import read_engine_config, read_stack_file
from components.estate import Estate, export
read_stack_file(Path("Pulumi.{STACK}.yaml"))
"""
"""Everything before ``Estate(settings)``."""

SDKS_OF_START: Final = f"""{START}
import sys
print(*(name for name in sys.modules if name.startswith("pulumi") and "." not in name), sep=",")
"""


def main(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compare the estate with its floor, with its start, and with itself at other sizes."""
    provide_engine(say)
    with tempfile.TemporaryDirectory(prefix="pull-bench-") as folder:
        scratch = Path(folder)
        found = [
            compare_with_floor(scratch),
            compare_policies(scratch),
            compare_start(),
            compare_check(scratch),
            *compare_fleets("preview", scratch / "previewed"),
            *compare_fleets("up", scratch / "made"),
        ]
    if as_json:
        print(json.dumps([comparison.to_dict() for comparison in found], indent=2))
    else:
        print("\nMedian (least-most) of all rounds\n")
        print("\n\n".join(map(str, found)))


def compare_with_floor(scratch: Path) -> Comparison:
    """Preview of production against the same resources without components."""
    say("floor: recording what production registers")
    sandbox, requests, again = scratch / "sandbox", scratch / "requests", scratch / "again"
    preview(programs.recording(scratch / "recorded", requests, CHECKOUT), sandbox)
    floor = programs.flat(scratch / "floor", requests)
    preview(programs.recording(scratch / "recorded-floor", again, floor), sandbox)
    estate = dict(map(essence, recorded(requests)))
    if estate != dict(map(essence, recorded(again))):
        sys.exit("The floor does not register what the estate registers; see tests/bench/flat.py.")
    cost, base = [], []
    for number in rounds(PREVIEW_SECONDS, least=3):
        cost.append(preview(CHECKOUT, sandbox))
        base.append(preview(floor, sandbox))
        say(f"floor: round {number + 1}, estate {cost[-1]:.1f} s, floor {base[-1]:.1f} s")
    return Comparison(
        what=f"preview of {STACK}, {len(estate)} custom resources",
        against="the same resources without components",
        unit="s",
        cost=cost,
        base=base,
        aim=FLOOR_AIM,
    )


def compare_policies(scratch: Path) -> Comparison:
    """Preview of production with the policy pack against the same without it."""
    sandbox = scratch / "policed"
    cost, base = [], []
    for number in rounds(PREVIEW_SECONDS, least=3):
        base.append(preview(CHECKOUT, sandbox))
        cost.append(preview(CHECKOUT, sandbox, "policed"))
        say(f"policies: round {number + 1}, with {cost[-1]:.1f} s, without {base[-1]:.1f} s")
    return Comparison(
        what=f"preview of {STACK} with the policy pack",
        against="the same without it",
        unit="s",
        cost=cost,
        base=base,
        aim=POLICIES_AIM + POLICIES_SECONDS / median(base),
    )


def compare_start() -> Comparison:
    """Start of the program against the imports of its SDKs alone."""
    names = python("-c", SDKS_OF_START).strip()
    cost, base = [], []
    for number in rounds(START_SECONDS, least=3):
        cost.append(seconds("-c", START))
        base.append(seconds("-c", f"import {names}"))
        say(f"start: round {number + 1}, program {cost[-1]:.2f} s, SDKs {base[-1]:.2f} s")
    return Comparison(
        what="start of the program, settings read",
        against=f"import {names.replace(',', ', ')}",
        unit="s",
        cost=cost,
        base=base,
        aim=START_AIM,
    )


def compare_check(scratch: Path) -> Comparison:
    """The check of a pull request, both stacks and its reports, against a preview of one stack."""
    proposed, snapshots, out = scratch / "proposed", scratch / "snapshots", scratch / "report"
    shutil.copytree(CHECKOUT, proposed, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    snapshots.mkdir()
    out.mkdir()
    for stack in stacks_in(CHECKOUT):
        say(f"check: taking the snapshot of {stack}")
        sandbox = ("--stack", stack, "--sandbox", "--sandbox-dir", str(scratch / f"of-{stack}"))
        python("-m", "ops", "up", *sandbox, "--yes")
        python("-m", "ops", "snapshot", *sandbox, "--out", str(snapshots / f"{stack}.json"))
    check = ("check", "--program", str(proposed), "--snapshots", str(snapshots), "--out", str(out))
    against = ("--against", str(snapshots / f"{STACK}.json"))
    cost, base = [], []
    for number in rounds(CHECK_WINDOW, least=3):
        cost.append(seconds("-m", "ops", *check))
        base.append(seconds("-m", "ops", "preview", "--stack", STACK, *against))
        say(f"check: round {number + 1}, check {cost[-1]:.1f} s, preview {base[-1]:.1f} s")
    return Comparison(
        what="check of a pull request, all stacks, three reports",
        against=f"preview of {STACK} against its snapshot",
        unit="s",
        cost=cost,
        base=base,
        aim=CHECK_SECONDS / median(base),
    )


def compare_fleets(operation: str, scratch: Path) -> list[Comparison]:
    """The cost per resource in larger fleets, against the smallest."""
    scratch.mkdir()
    roots = [str(programs.fleet(scratch / str(count), count)) for count in FLEETS]
    cost: dict[str, list[float]] = defaultdict(list)
    sizes: dict[str, int] = {}
    for measured in warm(operation, *roots):
        fleet = measured["program"]
        sizes[fleet] = measured["resources"]
        cost[fleet].append(1000 * measured["seconds"] / measured["resources"])
        say(f"fleet: {operation} with {fleet} workers, {measured['seconds']:.1f} s")
    smallest, *larger = map(str, FLEETS)
    named = f"{operation} without checkpoints" if operation == "up" else operation
    return [
        Comparison(
            what=f"{named}, {fleet} workers, {sizes[fleet]} resources",
            against=f"{smallest} worker, {sizes[smallest]} resources",
            unit="ms per resource",
            cost=cost[fleet],
            base=cost[smallest],
            aim=FLEET_AIM,
        )
        for fleet in larger
    ]


def preview(root: Path, sandbox: Path, *policed: str) -> float:
    """Seconds of a preview of the program in ``root``, from the start of Python to its end."""
    return seconds("-m", "tests.bench.cold", str(root), str(sandbox), *policed, root=root)


def seconds(*arguments: str, root: Path = CHECKOUT) -> float:
    """How long Python takes from its start to its end."""
    started = time.monotonic()
    python(*arguments, root=root)
    return time.monotonic() - started


def python(*arguments: str, root: Path = CHECKOUT) -> str:
    """What Python prints; it runs in ``root`` with the packages of the checkout."""
    finished = subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        printed = f"{finished.stdout}{finished.stderr}"
        sys.exit(f"python {' '.join(arguments)} failed in {root}:\n{printed}")
    return finished.stdout


def warm(operation: str, *roots: str) -> Iterator[dict[str, Any]]:
    """Measurements of ``tests.bench.warm``, as it prints them."""
    command = [
        sys.executable,
        "-m",
        "tests.bench.warm",
        operation,
        str(FLEET_SECONDS[operation]),
        *roots,
    ]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield from map(json.loads, process.stdout)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed.")


def say(line: str) -> None:
    """Progress goes to standard error: standard output belongs to the result."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    typer.run(main)

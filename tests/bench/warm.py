"""An operation on several programs in turn, in a process that has loaded the SDKs.

Prints a JSON line for each measurement.

    python -m tests.bench.warm preview|up SECONDS PROGRAM ...
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from ops.engine.checkout import Checkout
from ops.engine.environment import sandboxed
from ops.engine.stack import open_stack
from ops.review.outcome import Outcome
from tests.bench.programs import STACK
from tests.bench.rounds import rounds

NO_CHECKPOINTS: Final = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
"""In an ``up`` the file backend writes the whole state twice for each resource. That grows with the
square of the number of resources in any program, and would hide the cost of the program itself."""


def carry_out(operation: str, root: Path) -> Outcome:
    """Run ``preview`` or ``up`` in a new sandbox.

    Raises:
        SystemExit: the operation failed.
    """
    checkout = Checkout(root)
    with tempfile.TemporaryDirectory(prefix="pull-bench-") as folder:
        environment = sandboxed(checkout, STACK, Path(folder))
        variables = {**environment.variables, **NO_CHECKPOINTS}
        environment = replace(environment, variables=variables)
        with open_stack(checkout, STACK, environment, say, policed=False) as stack:
            outcome = stack.up() if operation == "up" else stack.preview()
    if not outcome.succeeded:
        sys.exit("\n".join(diagnostic.message for diagnostic in outcome.diagnostics))
    return outcome


def say(line: str) -> None:
    """Progress goes to standard error: standard output belongs to the measurements."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    operation, budget, *paths = sys.argv[1:]
    roots = [Path(path) for path in paths]
    carry_out("preview", roots[0])
    for _ in rounds(float(budget), least=2):
        for root in roots:
            outcome = carry_out(operation, root)
            measured = {
                "program": root.name,
                "seconds": outcome.duration_seconds,
                "resources": sum(outcome.summary.values()),
            }
            print(json.dumps(measured), flush=True)


if __name__ == "__main__":
    main()

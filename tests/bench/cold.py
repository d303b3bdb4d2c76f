"""A preview in a separate process, in an existing or a new sandbox.

``python -m tests.bench.cold PROGRAM SANDBOX [policed]``
"""

from __future__ import annotations

import sys
from pathlib import Path

from ops.engine.checkout import Checkout
from ops.engine.environment import sandboxed
from ops.engine.stack import open_stack
from tests.bench.programs import STACK
from tests.bench.warm import say


def main(program: str, sandbox: str, policed: str = "") -> None:
    """Preview the program.

    Raises:
        SystemExit: the preview failed.
    """
    checkout = Checkout(Path(program))
    environment = sandboxed(checkout, STACK, Path(sandbox))
    with open_stack(checkout, STACK, environment, say, policed=bool(policed)) as stack:
        outcome = stack.preview()
    if not outcome.succeeded:
        sys.exit("\n".join(diagnostic.message for diagnostic in outcome.diagnostics))


if __name__ == "__main__":
    main(*sys.argv[1:])

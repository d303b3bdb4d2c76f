"""One preview in a process of its own, in an existing sandbox or a new one.

``python -m bench.cold PROGRAM SANDBOX [policed]``
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.programs import STACK
from bench.warm import say
from ops.checkout import Checkout
from ops.place import sandboxed
from ops.stack import open_stack


def main(program: str, sandbox: str, policed: str = "") -> None:
    """Preview the program.

    Raises:
        SystemExit: it failed.
    """
    checkout = Checkout(Path(program))
    place = sandboxed(checkout, STACK, Path(sandbox))
    with open_stack(checkout, STACK, place, say, policed=bool(policed)) as stack:
        outcome = stack.preview()
    if not outcome.succeeded:
        sys.exit("\n".join(diagnostic.message for diagnostic in outcome.diagnostics))


if __name__ == "__main__":
    main(*sys.argv[1:])

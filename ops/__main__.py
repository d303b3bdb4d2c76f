"""Entry point of the command line; ``bin/ops`` calls it."""

from __future__ import annotations

from ops.command_line.cli import main

if __name__ == "__main__":
    main()

"""Entry point of ``python -m ops``."""

from __future__ import annotations

from ops.command_line.cli import main

if __name__ == "__main__":
    main()

"""The command line with the real Kubernetes provider; the tests run it as a module.

The sandbox serves all other providers. The engine starts the one for Kubernetes itself, from PATH.
"""

from __future__ import annotations

from typing import Any, Final, Self, cast

import sandbox.server
from ops.command_line.cli import main
from sandbox.server import Sandbox

VARIABLE: Final = "PULUMI_DEBUG_PROVIDERS"


class WithoutKubernetes(Sandbox):
    """A sandbox to which the engine does not attach for Kubernetes."""

    def __enter__(self) -> Self:
        super().__enter__()
        ports = self.environment[VARIABLE].split(",")
        others = [port for port in ports if not port.startswith("kubernetes:")]
        self.environment[VARIABLE] = ",".join(others)
        return self


if __name__ == "__main__":
    cast(Any, sandbox.server).Sandbox = WithoutKubernetes
    main()

"""Everything in ``ops`` that relies on internals of the Pulumi SDK instead of its documented API.

``tests/test_sdk_internals_pulumi.py`` checks each assumption that is made here. If it fails after
an upgrade of the SDK, its message names what to look at.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation import CommandError, CommandResult, OutputMap, PulumiCommand, _server, _stack
from pulumi.automation.errors import create_command_error
from semver import VersionInfo


class KnownCommand(PulumiCommand):
    """A command whose version is known. The SDK's constructor starts the CLI to ask for it.

    Source: ``PulumiCommand.__init__`` in ``pulumi/automation/_cmd.py``.
    """

    def __init__(self, executable: Path, version: VersionInfo) -> None:
        # Without super().__init__(): it only sets these two attributes.
        self.command = str(executable)
        self.version = version


class Workspace(automation.LocalWorkspace):
    """A workspace that does not read the outputs after each ``up``; the events contain them.

    The SDK runs ``pulumi stack output`` twice, once with all secrets in plain text. Source:
    ``Stack.up`` and ``LocalWorkspace.stack_outputs`` in ``pulumi/automation``.
    """

    def stack_outputs(self, stack_name: str) -> OutputMap:
        return {}


class LanguageServer(_server.LanguageServer):
    """Serves a program that takes the engine's request and runs in a process of its own.

    The SDK's server would run it in this process. Source: ``LanguageServer.Run`` in
    ``pulumi/automation/_server.py``.
    """

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's name
        return self.program(request, context)  # type: ignore[call-arg]


def serve_processes() -> None:
    """Let every operation of this process run its program in a process of its own."""
    _stack.LanguageServer = LanguageServer  # type: ignore[attr-defined]


def command_error(result: CommandResult) -> CommandError:
    """The error that the SDK raises for the result of a command that failed."""
    return create_command_error(result)

"""Everything in ``ops`` that relies on internals of the Pulumi SDK instead of its documented API.

``tests/test_sdk_internals_pulumi.py`` checks each assumption that is made here. If it fails after
an upgrade of the SDK, its message names what to look at.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pulumi import Output, automation, output, runtime
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


def _ignore(value: Any) -> None: ...


_report_secret: Callable[[Any], None] = _ignore
_report_output: Callable[[Any], None] = _ignore
_post_init = output._OutputData.__post_init__
_secret = Output.secret


def report_secrets(secret: Callable[[Any], None], output_: Callable[[Any], None]) -> None:
    """Report every value that a program of this process handles as secret.

    ``secret`` gets what the program marks with ``Output.secret``, and secret settings. ``output_``
    gets the value of every secret output, computed ones included: each keeps its value in an
    ``_OutputData`` with the mark ``is_secret``. Source: ``pulumi/output.py``.
    """
    global _report_secret, _report_output
    _report_secret, _report_output = secret, output_
    output._OutputData.__post_init__ = _reporting_post_init  # type: ignore[method-assign,assignment]
    Output.secret = staticmethod(_reporting_secret)  # type: ignore[method-assign,assignment]


def _reporting_post_init(data: output._OutputData[Any]) -> None:
    _post_init(data)
    if data.is_secret:
        _report_output(data.value)


def _reporting_secret(value: Any) -> Output[Any]:
    _report_secret(value)
    return _secret(value)


def report_secret_settings() -> None:
    """A program can read a secret setting with ``Config.get``, which does not mark it."""
    for key, value in runtime.config.CONFIG.get().items():
        if runtime.is_config_secret(key):
            _report_secret(value)


def command_error(result: CommandResult) -> CommandError:
    """The error that the SDK raises for the result of a command that failed."""
    return create_command_error(result)

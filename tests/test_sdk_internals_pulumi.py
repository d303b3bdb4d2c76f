"""The internals of the Pulumi SDK that the project relies on are as it expects.

A failure here after an upgrade of ``pulumi`` names the module to adapt. For ``pulumi-policy`` see
``tests/test_sdk_internals.py``.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from pulumi import Output, _types, automation, runtime
from pulumi.automation import CommandResult, PulumiCommand, _server, _stack
from pulumi.automation.errors import StackNotFoundError
from pulumi.runtime import _grpc_settings, settings
from semver import VersionInfo

from ops import sdk_internals
from ops.sdk_internals import KnownCommand, command_error, report_secrets, serve_processes
from ops.sdk_internals import LanguageServer as ProcessServer
from ops.secret_values import HANDLED
from tests.inline_programs import LanguageServer
from tests.recorder import ROOT

SEAMS: Final = {
    "ops/sdk_internals.py": "the Automation API, and the values of secret outputs",
    "policies/sdk_internals.py": "the server of a policy pack",
    "sandbox/schema.py": "the types of a resource's inputs and outputs",
    "sandbox/values.py": "the signatures of secrets, assets and unknown values",
    "tests/inline_programs.py": "the Automation API, in tests",
    "tests/policy_harness.py": "the server of a policy pack, in tests",
    "tests/test_sdk_internals.py": "the server of a policy pack, to check it",
    "tests/test_sdk_internals_pulumi.py": "all of them, to check them",
}
"""The modules that may use private names of the SDKs, and what each uses. Policy packs and the
sandbox do not share a module with ops: each of the three can run without the others."""


def private_names(module: ast.Module) -> set[str]:
    """The private names of the SDKs that a module imports or reads."""
    found: set[str] = set()
    bound: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom | ast.Import):
            origin = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                path = f"{origin}.{alias.name}".strip(".")
                if path.startswith("pulumi"):
                    bound.add(alias.asname or alias.name.partition(".")[0])
                    found |= {part for part in path.split(".") if part.startswith("_")}
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and re.match(r"_[^_]", node.attr):
            owner = node.value
            while isinstance(owner, ast.Attribute):
                owner = owner.value
            if isinstance(owner, ast.Name) and owner.id in bound:
                found.add(node.attr)
    return found


def source(function: Any) -> str:
    return inspect.getsource(function)


def test_private_names_of_the_sdks_are_used_in_few_modules() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    using = {path for path in listed if private_names(ast.parse((ROOT / path).read_text("utf-8")))}
    assert using <= SEAMS.keys(), (
        "move the private names into ops/sdk_internals.py, or use the documented API"
    )


def test_a_command_has_two_attributes() -> None:
    text = source(PulumiCommand.__init__)
    assert set(re.findall(r"self\.(\w+) =", text)) == {"command", "version"}, (
        "ops.sdk_internals.KnownCommand has to set every attribute that this constructor sets"
    )
    version = VersionInfo.parse("3.274.1")
    known = KnownCommand(Path("/bin/pulumi"), version)
    assert (known.command, known.version) == ("/bin/pulumi", version)
    assert inspect.signature(PulumiCommand.run).parameters.keys() == {
        *("self", "args", "cwd", "additional_env", "on_output", "on_error")
    }, "ops.engine.command.Engine.run overrides this method"


def test_up_reads_the_outputs_through_the_workspace() -> None:
    look = "ops.sdk_internals.Workspace overrides stack_outputs, so that up does not read them"
    assert "self.outputs()" in source(automation.Stack.up), look
    assert "self.workspace.stack_outputs(" in source(automation.Stack.outputs), look


@pytest.mark.parametrize("operation", ["up", "preview"])
def test_an_operation_serves_its_program_by_the_class_of_its_module(operation: str) -> None:
    assert "LanguageServer(program)" in source(getattr(automation.Stack, operation)), (
        "ops.sdk_internals.serve_processes replaces pulumi.automation._stack.LanguageServer"
    )
    assert vars(_stack)["LanguageServer"] is LanguageServer  # tests/conftest.py has replaced it


def test_ops_serves_a_program_that_takes_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stack, "LanguageServer", None)
    serve_processes()
    server = vars(_stack)["LanguageServer"](lambda *arguments: arguments)
    assert isinstance(server, ProcessServer)
    assert server.Run("request", "context") == ("request", "context")


def test_the_program_runs_in_the_loop_that_run_makes() -> None:
    text = source(_server.LanguageServer.Run)
    look = "tests.inline_programs.LanguageServer closes the loop in which the program runs"
    assert "loop.run_until_complete(run_in_stack(self.program))" in text, look
    assert inspect.signature(_server.LanguageServer.__init__).parameters.keys() == {
        *("self", "program")
    }, look


def test_an_engine_on_the_port_of_one_that_has_ended_is_reached() -> None:
    look = "tests.inline_programs.connect_afresh changes the options of this module"
    assert "options=_GRPC_CHANNEL_OPTIONS" in source(settings.Settings.__init__), look

    def serve(port: int) -> tuple[grpc.Server, int]:
        server = grpc.server(ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 0)])
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        return server, bound

    def code(port: int) -> grpc.StatusCode:
        channel = grpc.insecure_channel(
            f"127.0.0.1:{port}", options=_grpc_settings._GRPC_CHANNEL_OPTIONS
        )
        channels.append(channel)
        with pytest.raises(grpc.RpcError) as error:
            channel.unary_unary("/any/Method")(b"", timeout=30)
        return error.value.code()

    channels: list[grpc.Channel] = []
    server, port = serve(0)
    server.stop(None).wait()
    assert code(port) is grpc.StatusCode.UNAVAILABLE
    server, _ = serve(port)
    assert code(port) is grpc.StatusCode.UNIMPLEMENTED  # it answers: it has no such method
    server.stop(None).wait()
    for channel in channels:
        channel.close()


def test_a_loop_that_the_sdk_leaves_open_is_closed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also one with calls of the engine in other threads, which would report to a closed loop."""
    loops: list[asyncio.AbstractEventLoop] = []
    calls: list[asyncio.Task[None]] = []

    def run(server: _server.LanguageServer, request: Any, context: Any) -> None:
        loop = asyncio.new_event_loop()
        loops.append(loop)

        async def program() -> None:
            server.program()
            calls.append(asyncio.create_task(asyncio.to_thread(time.sleep, 0.2)))
            await asyncio.sleep(0.05)

        loop.run_until_complete(program())
        raise RuntimeError("a task that had failed before")

    monkeypatch.setattr(_server.LanguageServer, "Run", run)
    with pytest.raises(RuntimeError, match="had failed"):
        LanguageServer(lambda: None).Run(None, None)
    (loop,) = loops
    assert loop.is_closed()
    time.sleep(0.4)
    assert caplog.records == []


def test_every_secret_value_of_a_program_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marked, computed from a marked one, and a secret setting that is read without its mark."""
    marked: list[Any] = []
    computed: list[Any] = []
    monkeypatch.setattr(sdk_internals, "_report_secret", None)
    monkeypatch.setattr(sdk_internals, "_report_output", None)
    report_secrets(marked.append, computed.append)

    async def program() -> None:
        runtime.set_all_config({"p:key": "in the settings", "p:open": "public"}, ["p:key"])
        sdk_internals.report_secret_settings()
        secret = Output.secret("marked")
        assert marked == ["in the settings", "marked"], "before the event loop goes on"
        derived = Output.all("plain", secret).apply(lambda both: " ".join(both))
        assert await derived.future() == "plain marked"
        assert await Output.from_input("public").future() == "public"

    asyncio.run(program())
    report_secrets(HANDLED.add, HANDLED.add_output)
    assert {"marked", "plain marked"} <= {value for value in computed if isinstance(value, str)}
    assert "public" not in [*marked, *computed]


def test_a_failed_command_is_classified_by_its_output() -> None:
    result = CommandResult("", "error: no stack named 'x' found", 255)
    assert isinstance(command_error(result), StackNotFoundError), (
        "ops.engine.stack.open_stack relies on the class of this error, "
        "and ops.engine.stack._printed_error on its text"
    )
    assert str(command_error(result)).endswith("\n stderr: error: no stack named 'x' found")


def test_the_sandbox_can_read_the_types_of_inputs() -> None:
    names = (
        *("input_type_py_to_pulumi_names", "input_type_types", "unwrap_type", "is_input_type"),
        "resource_py_to_pulumi_names",
    )
    absent = [name for name in names if not callable(getattr(_types, name, None))]
    assert not absent, f"sandbox/schema.py uses {absent} of pulumi._types"


def test_the_sandbox_is_not_loaded_without_sandbox() -> None:
    """Production needs neither the sandbox nor what only the sandbox uses."""
    script = (
        "import sys, ops.command_line.cli\n"
        "print(*sorted(name for name in sys.modules if name.partition('.')[0] == 'sandbox'))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == ""

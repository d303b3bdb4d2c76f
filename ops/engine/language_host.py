"""The Python language host: runs programs and policy packs for an engine without the official host.

The official CLI brings ``pulumi-language-python`` along. No package registry has it, so an engine
that was built from its Go module finds this one on PATH under that name
(``bin/pulumi-language-python``). It serves what the engine needs for ``preview``, ``up``,
``refresh``, ``destroy``, ``about`` and ``install``; it generates no code.

Protocol: ``proto/pulumi/language.proto`` of the Pulumi CLI 3.274.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

RUN_PROGRAM: Final = Path(__file__).with_name("run_program.py")
DESCRIBE_PYTHON: Final = Path(__file__).with_name("describe_python.py")

REPORTED: Final = 32
"""The exit code of a program that failed and has reported why (``run_program.py``)."""

COMPLETED: Final = 33
"""The exit code of a program that ran to its end. Every other one is a failure, 0 included."""

# The engine is on this machine; no proxy may come between.
LOOPBACK: Final = {"no_grpc_proxy": "127.0.0.1"}

_OPTIONS: Final = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
)


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The service. Everything that it runs is a process of its own, whose failure it reports."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._running: set[subprocess.Popen[bytes]] = set()

    def Handshake(
        self, request: Any, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    def About(self, request: Any, context: grpc.ServicerContext) -> language_pb2.AboutResponse:
        described = _describe(request.info)
        return language_pb2.AboutResponse(
            executable=described["executable"], version=described["version"]
        )

    def GetProgramDependencies(
        self, request: Any, context: grpc.ServicerContext
    ) -> language_pb2.GetProgramDependenciesResponse:
        installed = _describe(request.info)["packages"]
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=name, version=version)
                for name, version in installed.items()
            ]
        )

    def GetRequiredPackages(
        self, request: Any, context: grpc.ServicerContext
    ) -> language_pb2.GetRequiredPackagesResponse:
        return language_pb2.GetRequiredPackagesResponse(
            packages=[
                plugin_pb2.PackageDependency(
                    name=plugin["name"],
                    kind="resource",
                    version=plugin["version"],
                    server=plugin.get("server", ""),
                )
                for plugin in _describe(request.info)["plugins"]
            ]
        )

    def InstallDependencies(
        self, request: Any, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Make the program's virtual environment, and install its ``requirements.txt``."""
        commands = []
        virtualenv = _virtualenv(request.info)
        if virtualenv and not _executable(virtualenv).exists():
            commands.append([_default_python(), "-m", "venv", str(virtualenv)])
        folder = Path(request.info.program_directory)
        if (folder / "requirements.txt").is_file():
            python = str(_executable(virtualenv)) if virtualenv else _default_python()
            commands.append([python, "-m", "pip", "install", "-r", "requirements.txt"])
        for command in commands:
            with self.started(command, context, cwd=folder, stdout=subprocess.PIPE) as process:
                for line in _lines(process):
                    yield language_pb2.InstallDependenciesResponse(stdout=line)
            if process.returncode != 0:
                context.abort(
                    grpc.StatusCode.UNKNOWN,
                    f"{' '.join(command)} failed with exit code {process.returncode}",
                )

    def Run(self, request: Any, context: grpc.ServicerContext) -> language_pb2.RunResponse:
        command = [_python(request.info), "-P", "-u", str(RUN_PROGRAM), self._engine]
        with self.started(
            command, context, cwd=request.info.program_directory, stdin=subprocess.PIPE
        ) as process:
            process.communicate(request.SerializeToString())
        return run_response(process.returncode)

    def RunPlugin(
        self, request: Any, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.RunPluginResponse]:
        folder = request.info.program_directory
        # As the official host does: the policy SDK runs a pack; any other plugin is a program.
        program = ["-m", "pulumi.policy"] if request.kind == "analyzer" else [folder]
        pack = [folder] if request.kind == "analyzer" else []
        with self.started(
            [_python(request.info), "-u", *program, *request.args, *pack],
            context,
            cwd=request.pwd,
            stdout=subprocess.PIPE,
            variables=dict(pair.split("=", 1) for pair in request.env),
        ) as process:
            for line in _lines(process):
                yield language_pb2.RunPluginResponse(stdout=line)
        yield language_pb2.RunPluginResponse(exitcode=process.returncode)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Empty:
        self.stop()
        return Empty()

    def stop(self) -> None:
        """Stop everything that is running."""
        for process in [*self._running]:
            process.terminate()

    @contextlib.contextmanager
    def started(
        self,
        command: list[str],
        context: grpc.ServicerContext,
        *,
        cwd: str | Path,
        stdin: int = subprocess.DEVNULL,
        stdout: int | None = None,
        variables: Mapping[str, str] | None = None,
        pass_fds: Collection[int] = (),
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A process that ends, at the latest, with the engine's request."""
        environment = {**(os.environ if variables is None else variables), **LOOPBACK}
        with subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=stdin,
            stdout=stdout,
            pass_fds=pass_fds,
            process_group=0,  # Ctrl-C is for the engine, which then ends the process
        ) as process:
            self._running.add(process)
            context.add_callback(process.kill)
            try:
                yield process
            finally:
                process.wait()
                self._running.discard(process)


def run_response(exit_code: int) -> language_pb2.RunResponse:
    """What the engine hears about a program whose process ended with ``exit_code``."""
    if exit_code == COMPLETED:
        return language_pb2.RunResponse()
    if exit_code == REPORTED:
        return language_pb2.RunResponse(bail=True)
    end = f"was killed by signal {-exit_code}" if exit_code < 0 else f"exited with code {exit_code}"
    return language_pb2.RunResponse(error=f"The program {end} before it had finished.")


def _virtualenv(info: Any) -> Path | None:
    """The virtual environment in the options of the program's ``runtime``."""
    configured = info.options.fields["virtualenv"].string_value
    return Path(info.root_directory, configured) if configured else None


def _python(info: Any) -> str:
    """The Python that runs a program: its virtual environment's, or the default one."""
    virtualenv = _virtualenv(info)
    if virtualenv and _executable(virtualenv).exists():
        return str(_executable(virtualenv))
    return _default_python()


def _executable(virtualenv: Path) -> Path:
    return virtualenv / "bin" / "python"


def _default_python() -> str:
    return os.environ.get("PULUMI_PYTHON_CMD") or sys.executable


def _describe(info: Any) -> dict[str, Any]:
    """What ``describe_python.py`` prints about the Python of a program."""
    printed = subprocess.run(
        [_python(info), "-P", str(DESCRIBE_PYTHON)], stdout=subprocess.PIPE, check=True
    ).stdout
    described: dict[str, Any] = json.loads(printed)
    return described


def _lines(process: subprocess.Popen[bytes]) -> Iterable[bytes]:
    assert process.stdout is not None
    return process.stdout


def main() -> None:
    """Serve until the engine ends. It passes its address as the last argument."""
    engine = os.getppid()
    host = LanguageHost(sys.argv[-1])
    server = grpc.server(ThreadPoolExecutor(), options=_OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    # The engine interrupts its plugins when it ends; one that is killed does not.
    with contextlib.suppress(KeyboardInterrupt):
        while os.getppid() == engine:
            server.wait_for_termination(timeout=1)
    host.stop()


if __name__ == "__main__":
    main()

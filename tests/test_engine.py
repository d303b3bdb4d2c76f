"""Where the engine comes from: PATH, cache, Go module. A script stands for the build."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from ops.engine import go_build
from ops.engine.cache import cache_folder
from ops.engine.install import MODULE, VERSION, EngineError, provide_engine


class Machine:
    """A machine with its own PATH and cache."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.cached = folder / "cache" / "pull-estate" / f"pulumi-{VERSION}" / "bin" / "pulumi"
        self.progress: list[str] = []

    def program(self, name: str, *lines: str) -> Path:
        path = self.bin / name
        path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        path.chmod(0o755)
        return path

    def go(self, *build: str, version: str = "go version go1.26.0 linux/amd64") -> None:
        """A Go whose build runs the given lines; ``$out`` is where the executable belongs."""
        self.program(
            "go",
            f'if [ "$1" = version ]; then echo "{version}"; exit; fi',
            'while [ "$1" != -o ]; do shift; done; out=$2',
            *build,
        )

    def provide(self) -> Path:
        return provide_engine(self.progress.append)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine(tmp_path)
    monkeypatch.setenv("PATH", f"{found.bin}:/bin:/usr/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CI", raising=False)

    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: which(name, path=str(found.bin)))
    return found


def test_an_installed_engine_is_used(machine: Machine) -> None:
    installed = machine.program("pulumi", f"echo v{VERSION.bump_minor()}")
    assert machine.provide() == installed
    assert machine.progress == []


def test_ci_uses_the_pinned_engine_alone(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    machine.program("pulumi", f"echo v{VERSION.bump_minor()}")
    machine.cached.parent.mkdir(parents=True)
    machine.cached.touch()
    assert machine.provide() == machine.cached
    assert f"{VERSION} is required in CI" in machine.progress[0]
    installed = machine.program("pulumi", f"echo v{VERSION}")
    assert machine.provide() == installed


@pytest.mark.parametrize("printed", ["v3.100.0", "what?", ""])
def test_an_engine_that_is_too_old_or_broken_is_not_used(machine: Machine, printed: str) -> None:
    machine.program("pulumi", f"echo {printed}")
    machine.cached.parent.mkdir(parents=True)
    machine.cached.touch()
    assert machine.provide() == machine.cached
    assert f"is {printed or 'broken'}; {VERSION} or newer is required" in machine.progress[0]


def test_the_cached_engine_is_used_silently(machine: Machine) -> None:
    machine.cached.parent.mkdir(parents=True)
    machine.cached.touch()
    assert machine.provide() == machine.cached
    assert machine.progress == []


def test_it_is_built_once_by_the_first_of_several_processes(
    machine: Machine, tmp_path: Path
) -> None:
    machine.go("sleep 1", f"echo built >> {tmp_path}/builds", 'echo engine > "$out"')
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(machine.provide())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [machine.cached] * 3
    assert machine.cached.read_text() == "engine\n"
    assert (tmp_path / "builds").read_text() == "built\n"
    assert (
        machine.progress.count("Another process is installing the Pulumi CLI; waiting for it.") == 2
    )
    assert machine.provide() == machine.cached
    assert sorted(path.name for path in machine.cached.parent.parent.parent.iterdir()) == [
        f"pulumi-{VERSION}",
        f"pulumi-{VERSION}.lock",
    ]


def test_the_build_prints_its_progress(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(go_build, "PROGRESS_EVERY_SECONDS", 0.2)
    machine.go(
        "echo go: downloading x >&2; sleep 0.5",
        "echo a/b >&2; echo c/d >&2; sleep 0.5",
        'echo engine > "$out"',
    )
    machine.provide()
    text = "\n".join(machine.progress)
    assert "5 minutes" in text
    assert re.search(r" 0 s  downloading modules, 1 so far", text)
    assert re.search(r" 1 s  compiling, 2 packages so far", text)
    assert machine.progress[-1].endswith("done")


def test_a_failed_build_leaves_nothing_and_prints_the_reason(machine: Machine) -> None:
    machine.go("echo go: proxy.invalid: no such host >&2", 'echo half > "$out"; exit 3')
    with pytest.raises(EngineError, match=r"(?s)failed with exit code 3.*no such host.*GOPROXY"):
        machine.provide()
    assert not machine.cached.parent.parent.exists()
    machine.go('echo whole > "$out"')
    assert machine.provide().read_text() == "whole\n"


def test_without_go_the_error_names_what_to_install(machine: Machine) -> None:
    with pytest.raises(EngineError) as error:
        machine.provide()
    assert "https://www.pulumi.com/docs/install" in str(error.value)
    assert "https://go.dev/dl" in str(error.value)


def test_an_old_go_is_named_in_the_error(machine: Machine) -> None:
    machine.go(version="go version go1.20.3 linux/amd64")
    with pytest.raises(EngineError, match=r"go1\.20\.3 linux/amd64; 1\.21 or newer is required"):
        machine.provide()


def test_the_go_module_has_the_version_of_the_code() -> None:
    module = (MODULE / "go.mod").read_text()
    assert f"require github.com/pulumi/pulumi/pkg/v3 v{VERSION}" in module


def make_variables(checkout: Path) -> dict[str, str]:
    """The variables of the Makefile in the current environment."""
    database = subprocess.run(
        ["make", "--print-data-base", "--question", "--no-print-directory"],
        cwd=checkout,
        env=os.environ,
        capture_output=True,
        text=True,
    ).stdout
    return dict(re.findall(r"^(\w+) := (.*)$", database, re.MULTILINE))


@pytest.mark.parametrize("configured", ["/somewhere/else", "relative", "", None])
def test_the_makefile_has_the_same_cache(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, configured: str | None
) -> None:
    if configured is None:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", configured)
    assert make_variables(checkout)["CACHE"] == str(cache_folder())


@pytest.mark.parametrize("configured", ["cache", None])
def test_bin_ops_runs_the_python_that_make_installs(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configured: str | None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if configured:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / configured))
    venv = Path(make_variables(checkout)["VENV"])
    assert venv.is_relative_to(tmp_path)
    (venv / "bin").mkdir(parents=True)
    programs = tmp_path / "bin"
    programs.mkdir()
    for path, lines in (
        (venv / "bin" / "python", 'echo "$PWD" "$@"; exit 7'),
        (programs / "make", f'echo "$@" >> {tmp_path}/made; touch {venv}/ready'),
    ):
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    for _ in range(2):
        done = subprocess.run(
            [checkout / "bin" / "ops", "preview", "--stack", "a b"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 7, done.stderr
        assert done.stdout == f"{tmp_path} -m ops preview --stack a b\n"
    # Installed once, with the Makefile of the script's own checkout.
    (made,) = (tmp_path / "made").read_text().splitlines()
    assert made == f"--no-print-directory -C {checkout} {venv}/ready"

"""A run leaves no temporary file behind, and the next run deletes those of a killed one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ops.scratch import PREFIX, scratch_folder


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def start(parent: Path) -> subprocess.Popen[str]:
    """A run in another process, after it has made its temporary files."""
    script = (
        "import tempfile, time\n"
        "from ops.scratch import scratch_folder\n"
        "with scratch_folder() as folder:\n"
        "    tempfile.mkdtemp(prefix='pull-policies-')\n"
        "    print(folder, flush=True)\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "TMPDIR": str(parent)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert Path(process.stdout.readline().strip()).parent == parent
    return process


def test_everything_temporary_is_in_one_folder_that_goes(parent: Path) -> None:
    with scratch_folder() as folder:
        assert folder.parent == parent
        assert Path(tempfile.mkdtemp()).parent == folder
        command = [sys.executable, "-c", "import tempfile; print(tempfile.mkdtemp())"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert Path(printed.strip()).parent == folder
    assert list(parent.iterdir()) == []
    assert tempfile.gettempdir() == os.environ["TMPDIR"] == str(parent)


def test_the_folder_goes_when_the_run_fails(parent: Path) -> None:
    with pytest.raises(SystemExit), scratch_folder():
        sys.exit(Path(tempfile.mkdtemp()).name)
    assert list(parent.iterdir()) == []


def test_the_next_run_deletes_the_folder_of_a_killed_one_only(parent: Path) -> None:
    with start(parent) as alive, start(parent) as killed:
        killed.kill()
        killed.wait()
        for name in ("foreign", f"{PREFIX}file"):
            (parent / name).touch()
        (parent / f"{PREFIX}link").symlink_to(parent)
        with scratch_folder() as folder:
            left = {path.name for path in parent.iterdir()} - {folder.name}
            assert left > {"foreign", f"{PREFIX}file", f"{PREFIX}link"}
            (running,) = left - {"foreign", f"{PREFIX}file", f"{PREFIX}link"}
            assert [path.name[:14] for path in (parent / running).iterdir()] == ["pull-policies-"]
        alive.kill()
    with scratch_folder():
        assert not (parent / running).exists()

"""Generated files: a failure names the file and its cause. `make generated-check` compares them."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from components import PROJECT_ROOT
from ops import generate


def test_a_file_that_cannot_be_generated_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert "graph" in command
        return subprocess.CompletedProcess(command, 1, "", "The preview failed.\n")

    name = "docs/architecture.md"
    monkeypatch.setattr("subprocess.run", failing)
    monkeypatch.setattr(generate, "FILES", {name: generate.FILES[name]})
    before = (PROJECT_ROOT / name).read_bytes()
    assert generate.main([]) == 1
    assert capsys.readouterr().err == (
        f"{name} cannot be generated: bin/ops graph failed:\nThe preview failed.\n"
    )
    assert (PROJECT_ROOT / name).read_bytes() == before

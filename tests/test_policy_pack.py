"""The folder that is published to Pulumi Cloud. ``test_plain_pulumi.py`` runs it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ops.errors import WrongInput
from ops.policy_pack import ROOT, assemble


def lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines()


def test_it_has_what_the_engine_needs(tmp_path: Path) -> None:
    assemble(tmp_path / "pack")
    own = yaml.safe_load((ROOT / "policies/PulumiPolicy.yaml").read_text("utf-8"))
    published = yaml.safe_load((tmp_path / "pack/PulumiPolicy.yaml").read_text("utf-8"))
    assert published["version"] == own["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", published["version"])
    assert published["runtime"]["options"]["virtualenv"] == "venv"
    assert {path.name for path in (tmp_path / "pack").iterdir()} == {
        *(".gitignore", "PulumiPolicy.yaml", "__main__.py", "requirements.txt"),
        *("approvals", "policies", "resource_types"),
    }
    assert not list((tmp_path / "pack").rglob("__pycache__"))


def test_its_packages_are_those_of_the_checkout_without_the_sdks(tmp_path: Path) -> None:
    assemble(tmp_path)
    locked, published = lines(ROOT / "requirements.txt"), lines(tmp_path / "requirements.txt")
    assert set(published) < set(locked)
    names = {line.partition("==")[0] for line in published if "==" in line}
    assert {"pulumi", "pulumi-policy", "pyyaml", "common-expression-language"} <= names
    assert not {"pulumi-gcp", "pulumi-cloudflare", "pulumi-kubernetes"} & names
    assert all("--hash" in line for line in published if line.startswith("    --"))


def test_it_imports_nothing_but_its_own_packages(tmp_path: Path) -> None:
    """The rules load in a Python that has no other folder of the checkout on its path."""
    assemble(tmp_path)
    program = (
        "import sys; import policies.pack; policies.pack.policies(); "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert not {"components", "ops", "sandbox", "pulumi_gcp"} & set(loaded.stdout.split())


def test_a_folder_with_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(WrongInput, match="must be a new or an empty folder"):
        assemble(tmp_path)

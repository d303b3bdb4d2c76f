"""Where an operation happens: folders, copies of the settings, environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.engine.checkout import Checkout
from ops.engine.environment import default_sandbox, real_accounts, sandboxed
from ops.errors import WrongInput

SALT = "encryptionsalt: v1:abc=:v1:def\n"


@pytest.fixture
def small(tmp_path: Path) -> Checkout:
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: pull\n")
    (root / "Pulumi.production.yaml").write_text("config:\n  pull:protect: true\n  pull:size: 1\n")
    return Checkout(root)


def copied(folder: Path) -> str:
    return (folder / "workspace" / "Pulumi.production.yaml").read_text()


def test_the_engines_salt_survives_and_the_settings_are_fresh(
    small: Checkout, tmp_path: Path
) -> None:
    folder = tmp_path / "sandbox"
    sandboxed(small, "production", folder)
    engines = folder / "workspace" / "Pulumi.production.yaml"
    engines.write_text(f"config:\n  pull:size: 1\n{SALT}")
    settings = small.root / "Pulumi.production.yaml"
    settings.write_text("config:\n  pull:protect: true\n  pull:size: 2\n")
    for _ in range(3):
        sandboxed(small, "production", folder)
    assert copied(folder) == f"config:\n  pull:protect: true\n  pull:size: 2\n\n{SALT}"


def test_the_real_stacks_keys_do_not_enter_the_sandbox(small: Checkout, tmp_path: Path) -> None:
    settings = small.root / "Pulumi.production.yaml"
    settings.write_text(
        f"secretsprovider: gcpkms://key\nencryptedkey: abc\n{SALT}config:\n  pull:size: 2\n"
    )
    sandboxed(small, "production", tmp_path / "sandbox")
    assert copied(tmp_path / "sandbox") == "config:\n  pull:size: 2\n"


def test_protection_is_lifted_in_the_copy_alone(small: Checkout, tmp_path: Path) -> None:
    before = (small.root / "Pulumi.production.yaml").read_text()
    sandboxed(small, "production", tmp_path / "sandbox", protect=False)
    assert copied(tmp_path / "sandbox") == before.replace("true", "false")
    assert (small.root / "Pulumi.production.yaml").read_text() == before


def test_protection_that_no_line_sets_cannot_be_lifted(small: Checkout, tmp_path: Path) -> None:
    (small.root / "Pulumi.production.yaml").write_text("config: {}\n")
    with pytest.raises(WrongInput, match="no line 'pull:protect:'"):
        sandboxed(small, "production", tmp_path / "sandbox", protect=False)


def test_accounts_stay_outside(
    small: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "x")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "x")
    monkeypatch.setenv("VERCEL_API_TOKEN", "x")
    monkeypatch.setenv("LANG", "C.UTF-8")
    environment = sandboxed(small, "production", tmp_path / "sandbox")
    assert "x" not in environment.variables.values()
    assert environment.variables["LANG"] == "C.UTF-8"
    assert (
        environment.variables["PULUMI_BACKEND_URL"]
        == f"file://{tmp_path}/sandbox/state?metadata=skip"
    )
    real = real_accounts(small)
    assert real.variables["PULUMI_ACCESS_TOKEN"] == "x"
    assert real.work_dir == small.root


def test_two_clones_have_two_sandboxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one, two = default_sandbox(Checkout(Path("/a"))), default_sandbox(Checkout(Path("/b")))
    assert one != two
    assert one.parent == two.parent == tmp_path / "pull-estate" / "sandbox"
    assert default_sandbox(Checkout(Path("/a"))) == one

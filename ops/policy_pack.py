"""Assembles the policy pack for ``pulumi policy publish``: ``python -m ops.policy_pack FOLDER``.

The command uploads one folder, and ``policies/`` does not run alone: it imports ``resource_types``
and reads ``approvals/exceptions.yaml``. Before the engine runs the published pack, it creates a
virtual environment in it from ``requirements.txt`` (``pkg/backend/httpstate/policypack.go``).
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Final

import yaml

from ops.errors import WrongInput
from resource_types.estate import PROVIDERS

ROOT: Final = Path(__file__).resolve().parent.parent

PARTS: Final = ("policies", "resource_types", "approvals/exceptions.yaml")
"""What a pack reads, by path from the root of the checkout."""

ENTRY_POINT: Final = '''\
"""Starts the pack."""

import policies.__main__  # noqa: F401
'''


def assemble(folder: Path) -> None:
    """Write the pack into ``folder``, which must not exist or be empty.

    Raises:
        WrongInput: the folder is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WrongInput("folder", f"{folder} must be a new or an empty folder.")
    for part in PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    (folder / "__main__.py").write_text(ENTRY_POINT, "utf-8")
    # The engine installs the packages into the folder, and uploads what Git does not ignore.
    (folder / ".gitignore").write_text("venv/\n", "utf-8")
    project = yaml.safe_load((folder / "policies/PulumiPolicy.yaml").read_text("utf-8"))
    project["runtime"]["options"]["virtualenv"] = "venv"
    (folder / "PulumiPolicy.yaml").write_text(yaml.safe_dump(project, sort_keys=False), "utf-8")
    requirements = (ROOT / "requirements.txt").read_text("utf-8")
    (folder / "requirements.txt").write_text(_without_sdks(requirements), "utf-8")


def _without_sdks(requirements: str) -> str:
    """The locked requirements without the SDKs of the providers, which no policy imports."""
    sdks = {provider.sdk for provider in PROVIDERS.values()}
    kept, skipped = [], False
    for line in requirements.splitlines(keepends=True):
        if not line.startswith((" ", "#")):
            skipped = line.partition("==")[0] in sdks
        if not skipped:
            kept.append(line)
    return "".join(kept)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make policy-pack DIR=FOLDER", usage="%(prog)s")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    try:
        assemble(parser.parse_args().folder)
    except WrongInput as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()

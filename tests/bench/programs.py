"""The programs that are compared: folders on which every command of ``ops`` works."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

STACK: Final = "production"
CHECKOUT: Final = Path(__file__).resolve().parent.parent.parent


def program(folder: Path, text: str) -> Path:
    """A program with the project and settings of the checkout, and ``text`` as its main file."""
    folder.mkdir()
    for name in ("Pulumi.yaml", f"Pulumi.{STACK}.yaml"):
        shutil.copy(CHECKOUT / name, folder)
    (folder / "__main__.py").write_text(text, encoding="utf-8")
    return folder


def recording(folder: Path, requests: Path, original: Path) -> Path:
    """The program in ``original``, which also records its requests in ``requests``."""
    requests.mkdir()
    return program(
        folder,
        "from pathlib import Path\n"
        "import runpy\n"
        "from tests.bench.flat import record\n"
        f"record(Path({str(requests)!r}))\n"
        f"runpy.run_path({str(original / '__main__.py')!r})\n",
    )


def flat(folder: Path, requests: Path) -> Path:
    """The program that only registers the resources in ``requests``."""
    return program(
        folder,
        "from pathlib import Path\n"
        "from tests.bench.flat import register\n"
        f"register(Path({str(requests)!r}))\n",
    )


def fleet(folder: Path, count: int) -> Path:
    """The estate with ``count`` workers."""
    return program(folder, f"from tests.bench.fleet import Fleet\nFleet({count})\n")

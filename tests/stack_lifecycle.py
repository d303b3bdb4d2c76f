"""A copy of the project's files with a sandbox beside it, and the commands as a user types them."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import pytest
import yaml

from sandbox.cloud import Cloud
from sandbox.store import Record
from tests.merge import merged
from tests.mini_project import SOON

PROJECT: Final = ("Pulumi.yaml", "Pulumi.staging.yaml", "Pulumi.production.yaml", "__main__.py")
"""What the engine reads beside the policies. All else is imported from the checkout itself."""

TOOLS: Final = ("__pycache__", "node_modules")


@dataclass(slots=True)
class StackLifecycle:
    """One stack's life in a folder of its own; everything that it makes is below ``folder``.

    Attributes:
        printed: all that the commands wrote to both streams.
    """

    folder: Path
    stack: str
    checkout: Path
    printed: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, checkout: Path, folder: Path, stack: str) -> Self:
        """A stack that is not there yet."""
        for inside in ("project", "tmp"):
            (folder / inside).mkdir(parents=True)
        for name in PROJECT:
            shutil.copy(checkout / name, folder / "project")
        (folder / "project" / "policies").symlink_to(checkout / "policies")
        return cls(folder, stack, checkout)

    def fork(self, folder: Path) -> StackLifecycle:
        """The same life from here on, in another folder."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return StackLifecycle(folder, self.stack, self.checkout)

    @property
    def root(self) -> Path:
        return self.folder / "project"

    @property
    def sandbox(self) -> Path:
        return self.folder / "sandbox"

    # -- commands ------------------------------------------------------------------------------

    def ops(
        self, verb: str, *options: str, module: str = "ops", fault: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python -m ops``; consent is given where it is asked for."""
        consent = [] if verb in ("preview", "refresh", "drift") else ["--yes"]
        where = ["--stack", self.stack, "--sandbox", "--sandbox-dir", str(self.sandbox)]
        variables = {"FAULT": fault} if fault else {}
        return self._run([module, verb, *where, *consent, *options], variables)

    def run(self, verb: str, *options: str) -> dict[str, Any]:
        """Run a verb that has to succeed; give its JSON document."""
        done = self.ops(verb, "--json", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def render(self, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
        """Run ``python -m ops render``, which has no sandbox of one's own."""
        return self._run(["ops", "render", "--stack", self.stack, "--out", str(out), *options], {})

    def refused(self, verb: str = "preview") -> dict[str, str]:
        """What the guard refuses of an ``up``, by logical name; and its leave for all of that.

        ``verb`` may be destroy, which does nothing while it is refused.
        """
        done = self.ops(verb, "--json")
        refusals = json.loads(done.stdout)["policies"]["refusals"]
        folder = self.root / "approvals"
        folder.mkdir(exist_ok=True)
        leave = {"reason": "as planned", "approved_by": ["a", "b"], "expires": SOON}
        approvals = [
            {"urn": one["urn"], "operation": one["operation"], **leave} for one in refusals
        ]
        document = json.dumps({"approvals": approvals})
        (folder / f"{self.stack}.yaml").write_text(document, "utf-8")
        return {one["urn"].rpartition("::")[2]: one["operation"] for one in refusals}

    def by_hand(self, verb: str, *arguments: str) -> None:
        """Change the cloud as somebody does in the console."""
        done = self._run(["sandbox", verb, "--dir", str(self.sandbox / "cloud"), *arguments], {})
        assert done.returncode == 0, done.stderr

    def _run(
        self, arguments: list[str], variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.root,
            env={
                **os.environ,
                **variables,
                "COLUMNS": "200",
                "PYTHONPATH": str(self.checkout),
                "TMPDIR": str(self.folder / "tmp"),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )
        self.printed += [done.stdout, done.stderr]
        return done

    # -- what is there -------------------------------------------------------------------------

    def settings(self, **sections: Any) -> None:
        """Merge sections into the stack file; None takes a key out."""
        path = self.root / f"Pulumi.{self.stack}.yaml"
        said = {f"pull:{name}": section for name, section in sections.items()}
        config = merged(yaml.safe_load(path.read_text("utf-8"))["config"], said)
        # JSON, because an id such as 05e1 is a number to some readers of YAML when it is bare.
        lines = [f"  {key}: {json.dumps(value)}" for key, value in config.items()]
        path.write_text("\n".join(["config:", *lines, ""]), "utf-8")

    def state(self) -> dict[str, Any]:
        """The engine's own deployment, from its file."""
        path = self.sandbox / "state" / ".pulumi" / "stacks" / "pull" / f"{self.stack}.json"
        latest: dict[str, Any] = json.loads(path.read_text("utf-8"))["checkpoint"]["latest"]
        return latest

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the state."""
        found: list[dict[str, Any]] = self.state().get("resources") or []
        return found

    def cloud(self) -> list[Record]:
        """Everything in the cloud, with its secrets."""
        cloud = Cloud(self.sandbox / "cloud")
        records = cloud.resources()
        cloud.close()
        return records


def running_for(folder: Path) -> list[str]:
    """The commands with ``folder`` in their environment that do not end within some seconds."""
    for _ in range(50):
        listed = subprocess.run(
            ["ps", "axeww", "-o", "pid=,command="], capture_output=True, text=True, check=True
        )
        left = [line for line in listed.stdout.splitlines() if str(folder) in line]
        if not left:
            break
        time.sleep(0.1)
    return left


def changed(document: Mapping[str, Any]) -> dict[str, str]:
    """What an operation does to which resource, by logical name."""
    return {step["urn"].rpartition("::")[2]: step["op"] for step in document["steps"]}


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the test processes of one run share: the first to ask makes it, others wait."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / name).exists():
            unfinished = shared / f"{name}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            make(unfinished)
            unfinished.rename(shared / name)
    return shared / name


def fingerprint(folder: Path) -> str:
    """A hash over the files in a folder and their content, but for what tools keep there."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if not any(part.startswith(".") or part in TOOLS for part in inside.parts):
            digest.update(str(inside).encode())
            digest.update(path.read_bytes() if path.is_file() else b"/")
    return digest.hexdigest()


def production_life(factory: pytest.TempPathFactory, checkout: Path) -> StackLifecycle:
    """Production after its first ``up``, made once in a run; to go on with it, fork it.

    Beside the sandbox lie ``preview.json`` and ``up.json``, what these two commands said, and
    ``checkouts.json``, the fingerprints of the checkout and of the project before and after them.
    """

    def make(folder: Path) -> None:
        life = StackLifecycle.begin(checkout, folder, "production")
        fingerprints = [[fingerprint(place) for place in (checkout, life.root)]]
        for verb in ("preview", "up"):
            (folder / f"{verb}.json").write_text(json.dumps(life.run(verb)), "utf-8")
        fingerprints.append([fingerprint(place) for place in (checkout, life.root)])
        (folder / "checkouts.json").write_text(json.dumps(fingerprints), "utf-8")

    return StackLifecycle(made_once(factory, "production", make), "production", checkout)

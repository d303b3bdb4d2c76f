"""A copy of the project with its own sandbox, on which tests run commands as a user does."""

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
"""The files that the engine reads, besides the policies. The rest is imported from the checkout."""

TOOLS: Final = ("__pycache__", "node_modules")


@dataclass(slots=True)
class StackLifecycle:
    """A stack in a folder of its own; everything that it creates is below ``folder``.

    Attributes:
        printed: everything that the commands wrote to both streams.
    """

    folder: Path
    stack: str
    checkout: Path
    printed: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, checkout: Path, folder: Path, stack: str) -> Self:
        """A stack that does not exist yet."""
        for inside in ("project", "tmp"):
            (folder / inside).mkdir(parents=True)
        for name in PROJECT:
            shutil.copy(checkout / name, folder / "project")
        (folder / "project" / "policies").symlink_to(checkout / "policies")
        return cls(folder, stack, checkout)

    def fork(self, folder: Path) -> StackLifecycle:
        """A copy of this stack in another folder, from which it continues."""
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
        """Run a command, with ``--yes`` where it asks."""
        consent = ["--yes"] if verb in ("up", "destroy", "recover") else []
        where = ["--stack", self.stack, "--sandbox", "--sandbox-dir", str(self.sandbox)]
        variables = {"FAULT": fault} if fault else {}
        return self._run([module, verb, *where, *consent, *options], variables)

    def run(self, verb: str, *options: str) -> dict[str, Any]:
        """Run a command that has to succeed; return its JSON document."""
        done = self.ops(verb, "--json", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def render(self, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
        """Run ``render``, which takes no sandbox."""
        return self._run(["ops", "render", "--stack", self.stack, "--out", str(out), *options], {})

    def snapshot(self) -> Path:
        """Take a snapshot; return its file."""
        file = self.folder / "snapshot.json"
        done = self.ops("snapshot", "--out", str(file))
        assert done.returncode == 0, done.stderr
        return file

    def preview_against(self, snapshot: Path) -> subprocess.CompletedProcess[str]:
        """Run ``preview --against``, which takes no sandbox."""
        return self._run(
            ["ops", "preview", "--stack", self.stack, "--against", str(snapshot), "--json"], {}
        )

    def refused(self, verb: str = "preview") -> dict[str, str]:
        """The operations that the guard refuses, by logical name. Also approves all of them.

        ``verb`` may be destroy, which changes nothing while it is refused.
        """
        done = self.ops(verb, "--json")
        refusals = json.loads(done.stdout)["policies"]["refusals"]
        folder = self.root / "approvals"
        folder.mkdir(exist_ok=True)
        approval = {"reason": "as planned", "approved_by": ["a", "b"], "expires": SOON}
        approvals = [
            {"urn": refusal["urn"], "operation": refusal["operation"], **approval}
            for refusal in refusals
        ]
        document = json.dumps({"approvals": approvals})
        (folder / f"{self.stack}.yaml").write_text(document, "utf-8")
        return {refusal["urn"].rpartition("::")[2]: refusal["operation"] for refusal in refusals}

    def by_hand(self, verb: str, *arguments: str) -> None:
        """Change the cloud as somebody would in its console."""
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

    # -- settings, state and cloud -------------------------------------------------------------

    def settings(self, **sections: Any) -> None:
        """Merge sections into the stack file; None removes a key."""
        path = self.root / f"Pulumi.{self.stack}.yaml"
        changes = {f"pull:{name}": section for name, section in sections.items()}
        config = merged(yaml.safe_load(path.read_text("utf-8"))["config"], changes)
        # JSON, because an id such as 05e1 is a number to some readers of YAML when it is bare.
        lines = [f"  {key}: {json.dumps(value)}" for key, value in config.items()]
        path.write_text("\n".join(["config:", *lines, ""]), "utf-8")

    def state(self) -> dict[str, Any]:
        """The engine's deployment, from its file."""
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
    """The processes with ``folder`` in their environment that do not end within five seconds."""
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
    """A folder that all test processes of a run share: the first creates it, the others wait."""
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
    """A hash over the files in a folder and their content, without those of tools."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if not any(part.startswith(".") or part in TOOLS for part in inside.parts):
            digest.update(str(inside).encode())
            digest.update(path.read_bytes() if path.is_file() else b"/")
    return digest.hexdigest()


def production_lifecycle(factory: pytest.TempPathFactory, checkout: Path) -> StackLifecycle:
    """Production after its first ``up``, created once in a run. To change it, fork it.

    Beside the sandbox are ``preview.json`` and ``up.json``, the output of these two commands, and
    ``checkouts.json``, the fingerprints of the checkout and of the project before and after them.
    """

    def make(folder: Path) -> None:
        lifecycle = StackLifecycle.begin(checkout, folder, "production")
        fingerprints = [[fingerprint(root) for root in (checkout, lifecycle.root)]]
        for verb in ("preview", "up"):
            (folder / f"{verb}.json").write_text(json.dumps(lifecycle.run(verb)), "utf-8")
        fingerprints.append([fingerprint(root) for root in (checkout, lifecycle.root)])
        (folder / "checkouts.json").write_text(json.dumps(fingerprints), "utf-8")

    return StackLifecycle(made_once(factory, "production", make), "production", checkout)

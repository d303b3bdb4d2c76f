"""A small project for the tests of ``ops``: three stages, every kind of step, a planted secret."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from resource_types import gcp
from tests.console import enable_apis

SOON: Final = str(datetime.now(UTC).date() + timedelta(days=30))
"""A valid expiry date of an approval."""

PLANTED: Final = "planted-7f3a9c"
"""A secret that must not appear anywhere but encrypted."""

_CONFIG: Final = '''\
"""Stands for the estate's settings, from which ops imports these three names."""

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class SettingError:
    path: str
    value: object
    expected: str


class SettingsError(Exception):
    def __init__(self, source, errors):
        self.errors = self.shown = errors
        super().__init__(f"{source}: " + "; ".join(f"{p.path} {p.expected}" for p in errors))


def read_stack_file(path: Path):
    config = yaml.safe_load(path.read_text())["config"]
    errors = tuple(
        SettingError(key, config[key], "must be a list of names")
        for key in ("pull:stores", "pull:owners")
        if not isinstance(config[key], list)
    )
    if errors:
        raise SettingsError(path.name, errors)
'''

_PROGRAM: Final = f'''\
import pulumi
import pulumi_gcp as gcp
import pulumi_random as random
from components.config import SettingError, SettingsError
from pulumi import ResourceOptions

config = pulumi.Config("pull")
match config.get("fail"):
    case "settings":
        raise SettingsError("the program", (SettingError("pull:x", 1, "must be 2"),))
    case "error":
        raise KeyError("no such worker")
provider = gcp.Provider("gcp", project="pull-tiny", region="us-central1")


class Store(pulumi.ComponentResource):
    def __init__(self, name, stage, after):
        super().__init__("pull:data:Store", name, {{"stage": stage}})
        options = ResourceOptions(parent=self, provider=provider)
        password = random.RandomPassword(
            f"{{name}}-password", length=20, opts=ResourceOptions(parent=self)
        )
        self.bucket = gcp.storage.Bucket(
            f"{{name}}-bucket",
            name=f"pull-tiny-{{name}}",
            location=config.require("location"),
            labels={{"owner": config.require_object("owners")[0]}},
            opts=ResourceOptions.merge(
                options,
                ResourceOptions(protect=config.require_bool("protect"), depends_on=after),
            ),
        )
        secret = gcp.secretmanager.Secret(
            f"{{name}}-secret",
            secret_id=f"pull-tiny-{{name}}",
            replication={{"auto": {{}}}},
            opts=options,
        )
        gcp.secretmanager.SecretVersion(
            f"{{name}}-version",
            secret=secret.id,
            secret_data=pulumi.Output.format("{PLANTED}-{{0}}", password.result),
            opts=options,
        )
        self.register_outputs({{}})


print("noise of the program")
stages = ["1 infrastructure", "3 api", "5 workers"]
after = []
for name, stage in zip(config.require_object("stores"), stages):
    after = [Store(name, stage, after).bucket]
pulumi.export("last", after[0].name)
pulumi.export("password", pulumi.Output.secret("{PLANTED}"))
'''


_PACK: Final = """\
from policies.lifetime import end_with_the_engine
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy


def validate(args, report):
    if args.resource_type == "gcp:storage/bucket:Bucket" and args.props["location"] == "ASIA":
        report("a bucket must not be in Asia")


rule = ResourceValidationPolicy("tiny-location", "No bucket is in Asia.", validate=validate)
end_with_the_engine()
PolicyPack("pull-estate", [rule], enforcement_level=EnforcementLevel.MANDATORY)
"""

_HELD: Final = {
    "bucket": "gcp:storage/bucket:Bucket",
    "secret": "gcp:secretmanager/secret:Secret",
}


@dataclass(slots=True)
class MiniProject:
    """A checkout in ``root``, and its sandbox beside it.

    Attributes:
        settings: the content of the stack file; ``write`` changes it.
    """

    root: Path
    repository: Path
    settings: dict[str, Any] = field(
        default_factory=lambda: {
            "pull:stores": ["alpha", "beta"],
            "pull:owners": ["core"],
            "pull:location": "US",
            "pull:protect": False,
        }
    )

    def __post_init__(self) -> None:
        (self.root / "components").mkdir(parents=True)
        (self.root / "components" / "__init__.py").touch()
        (self.root / "components" / "config.py").write_text(_CONFIG)
        (self.root / "__main__.py").write_text(_PROGRAM)
        (self.root / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
        (self.root / "Pulumi.staging.yaml").write_text("config:\n  pull:protect: false\n")
        (self.root / "policies").mkdir()
        (self.root / "policies" / "PulumiPolicy.yaml").write_text("runtime: python\n")
        (self.root / "policies" / "__main__.py").write_text(_PACK)
        (self.root / "policies" / "config.production.json").write_text('{"all": "mandatory"}')
        self.write()
        self.approve()
        enable_apis(self.sandbox / "cloud", "pull-tiny", "secretmanager", "storage")

    @property
    def sandbox(self) -> Path:
        return self.root.with_name(f"{self.root.name}-sandbox")

    def write(self, **changes: Any) -> None:
        """Change settings, as in ``write(location="EU")``."""
        self.settings.update({f"pull:{key}": value for key, value in changes.items()})
        lines = [f"  {key}: {json.dumps(value)}" for key, value in self.settings.items()]
        (self.root / "Pulumi.production.yaml").write_text("\n".join(["config:", *lines, ""]))

    def urn(self, store: str, kind: str) -> str:
        """The URN of a store's ``bucket`` or ``secret``."""
        path = f"pull:data:Store${_HELD[kind]}"
        return f"urn:pulumi:production::tiny::{path}::{store}-{kind}"

    def approve(self, until: str = SOON) -> None:
        """Let the guard pass whatever the tests do to what holds data, until a day."""
        entry = {
            "reason": "tests replace and delete",
            "approved_by": ["ada@pull.com", "grace@pull.com"],
            "expires": until,
        }
        approvals = [
            {"urn": self.urn(store, kind), "operation": operation, **entry}
            for store in ("alpha", "beta", "gamma")
            for kind in _HELD
            for operation in ("delete", "replace")
        ]
        (self.root / "approvals").mkdir(exist_ok=True)
        path = self.root / "approvals" / "production.yaml"
        path.write_text(json.dumps({"approvals": approvals}))

    def commit(self) -> None:
        """Commit the project, so that a record can name the commit."""
        me = ["-c", "user.name=tests", "-c", "user.email=tests@invalid"]
        for command in (["init", "--quiet"], ["add", "."], [*me, "commit", "--quiet", "-m", "x"]):
            subprocess.run(["git", *command], cwd=self.root, check=True)

    def ops(
        self, *arguments: str, variables: dict[str, str] | None = None, module: str = "ops"
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the project."""
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.root,
            env={**self.environment(), **(variables or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def environment(self) -> dict[str, str]:
        """The environment of a command: it imports this repository and writes no byte code.

        Its lines are long, so that no message breaks at a path, whose length differs.
        """
        return {
            **os.environ,
            "COLUMNS": "1000",
            "PYTHONPATH": str(self.repository),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def here(self) -> list[str]:
        """The options that name the stack and the sandbox."""
        return ["--stack", "production", "--sandbox", "--sandbox-dir", str(self.sandbox)]

    def run(self, verb: str, *options: str) -> dict[str, Any]:
        """Run a command that has to succeed; return its JSON document."""
        consent = [] if verb in ("preview", "refresh", "drift") else ["--yes"]
        done = self.ops(verb, *self.here(), "--json", *consent, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def cloud(self) -> list[tuple[str, str]]:
        """Type and address of everything in the sandbox's cloud except its APIs."""
        listed = self.ops("list", "--dir", str(self.sandbox / "cloud"), "--json", module="sandbox")
        assert listed.returncode == 0, listed.stderr
        records = [(record["type"], record["address"]) for record in json.loads(listed.stdout)]
        return sorted(record for record in records if record[0] != gcp.PROJECT_SERVICE)

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the state."""
        path = self.sandbox / "state" / ".pulumi" / "stacks" / "tiny" / "production.json"
        latest = json.loads(path.read_text("utf-8"))["checkpoint"]["latest"]
        resources: list[dict[str, Any]] = latest["resources"]
        return resources

    def protected(self) -> list[str]:
        """URNs of the protected resources in the state, sorted."""
        return sorted(resource["urn"] for resource in self.resources() if resource.get("protect"))

    def fingerprint(self) -> str:
        """A hash over the checkout's files and their content."""
        digest = hashlib.sha256()
        for path in sorted(self.root.rglob("*")):
            digest.update(str(path.relative_to(self.root)).encode())
            digest.update(path.read_bytes() if path.is_file() else b"/")
        return digest.hexdigest()


def plain(text: str) -> bool:
    """Whether the text is free of terminal control sequences."""
    return re.search(r"\x1b", text) is None

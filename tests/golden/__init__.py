"""Golden reports: what a reviewer reads of each kind of change, kept word for word.

``<name>.json`` is what ``ops preview --json`` said of the scenario through the real engine, and
``<name>.md`` is the report that is made of it. After a change of the reports,

    python -m tests.golden

writes the reports anew, for a reader to look through their differences. After a change of the
estate, of its policies or of the preview's document,

    python -m tests.golden record

asks the engine first (some minutes). ``tests/test_report_golden.py`` compares, and asks the engine
about some of the scenarios in every run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ops.review.report.markdown import markdown
from ops.review.report.model import Report
from tests.golden.large import five_thousand
from tests.stack_lifecycle import StackLifecycle

FOLDER: Final = Path(__file__).resolve().parent
NEW_IMAGE: Final = f"gcr.io/pull-production/pull-temporal-worker@sha256:{2:064}"
_ID: Final = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(?<=-)[0-9a-f]{8}(?=@gcp-sa-)"
)
"""What the sandbox makes up: UUIDs, and the end of a service agent's name."""

_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A change to production, and how it is looked at.

    Attributes:
        change: what is done to the stack before it is looked at.
        base: what it is done to; ``first`` is before, ``made`` after the first deployment,
            ``released`` after a release on top of that, ``staging`` another stack.
    """

    change: Callable[[StackLifecycle], None]
    verb: str = "preview"
    base: str = "made"

    def to_dict(self, life: StackLifecycle) -> dict[str, Any]:
        """Make the change to ``life`` and ask the engine."""
        self.change(life)
        done = life.ops(self.verb, "--json")
        return normalised({"stack": life.stack, **json.loads(done.stdout)})


def nothing(_: StackLifecycle) -> None:
    """No change."""


def release(life: StackLifecycle) -> None:
    """A release: a canary of the API at 10 %, and a new image of the worker for everybody."""
    up = json.loads((life.folder / "up.json").read_text("utf-8"))
    stable = up["outputs"]["api_version"]
    life.settings(
        workers={"image": NEW_IMAGE},
        api={
            "compatibility_date": "2026-11-01",
            "versions": [
                {"version": "current", "percentage": 10},
                {"version": stable, "percentage": 90},
            ],
        },
    )
    life.run("up")


def canary_step(life: StackLifecycle) -> None:
    stable = json.loads((life.folder / "up.json").read_text("utf-8"))["outputs"]["api_version"]
    versions = [
        {"version": "current", "percentage": 50},
        {"version": stable, "percentage": 50},
    ]
    life.settings(api={"versions": versions})


def rollback(life: StackLifecycle) -> None:
    outputs = json.loads((life.folder / "up.json").read_text("utf-8"))["outputs"]
    revision = outputs["workers"]["pull-temporal-worker"]["described"]
    life.settings(
        workers={"fleet": {"all": {"traffic": [{"revision": revision, "percent": 100}]}}},
        api={"versions": [{"version": outputs["api_version"], "percentage": 100}]},
    )


def appended(text: str) -> Callable[[StackLifecycle], None]:
    """The program with more at its end."""

    def change(life: StackLifecycle) -> None:
        with (life.root / "__main__.py").open("a", encoding="utf-8") as program:
            program.write(text)

    return change


def without_assets(life: StackLifecycle) -> None:
    """A program that no longer makes the bucket for uploads."""
    program = life.root / "__main__.py"
    dropped = (
        "from unittest import mock\n"
        "mock.patch('components.estate.Assets', mock.Mock(return_value=mock.Mock(bucket=''))"
        ").start()\n"
    )
    text = program.read_text("utf-8")
    program.write_text(text.replace("estate = ", f"{dropped}estate = "), "utf-8")


def settings(**sections: Any) -> Callable[[StackLifecycle], None]:
    """The stack file with other settings."""
    return lambda life: life.settings(**sections)


def by_hand(life: StackLifecycle) -> None:
    """What somebody changed in the console."""
    life.by_hand("edit", "pull-production-redis", "memorySizeGb=1")
    life.by_hand("edit", "pull-production-postgres", 'settings.availabilityType="ZONAL"')
    (route,) = (thing.id for thing in life.cloud() if thing.type.endswith(":WorkersRoute"))
    life.by_hand("remove", route)


_NEW_BUCKET: Final = """
import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

password = random.RandomPassword(
    "exports-password", length=32, opts=pulumi.ResourceOptions(parent=estate.backups)
)
gcp.storage.Bucket(
    "exports-bucket",
    name="pull-production-exports-backups",
    location="US",
    uniform_bucket_level_access=True,
    public_access_prevention=password.id.apply(lambda _: "enforced"),
    versioning={"enabled": True},
    soft_delete_policy={"retention_duration_seconds": 2592000},
    encryption={"default_kms_key_name": estate.encryption.keys["backups"]},
    lifecycle_rules=[
        {"action": {"type": "Delete"}, "condition": {"age": 365, "with_state": "LIVE"}},
    ],
    opts=pulumi.ResourceOptions(parent=estate.backups, protect=True),
)
"""

SCENARIOS: Final[Mapping[str, Scenario]] = {
    "first-deployment": Scenario(change=nothing, base="first"),
    "image-bump": Scenario(change=settings(workers={"image": NEW_IMAGE})),
    "canary-step": Scenario(change=canary_step, base="released"),
    "rollback": Scenario(change=rollback, base="released"),
    "sql-tier": Scenario(change=settings(postgres={"cpus": 8, "memory_mib": 32768})),
    "sql-region": Scenario(change=settings(gcp={"region": "us-east1"})),
    "secret-rotation": Scenario(change=settings(postgres={"password_generation": 2})),
    "deleted-bucket": Scenario(change=without_assets),
    "policy-violation": Scenario(change=settings(postgres={"availability": "ZONAL"})),
    "unknown-property": Scenario(change=appended(_NEW_BUCKET)),
    "settings-error": Scenario(
        change=settings(postgres={"backup_start": "3am"}, redis={"tier": "HA"}), base="staging"
    ),
    "broken-program": Scenario(change=appended("\nestate.cache.resize()\n")),
    "drift": Scenario(change=by_hand, verb="refresh"),
    "no-change": Scenario(change=nothing),
}
"""What is recorded through the real engine."""

REPORTS: Final = (*SCENARIOS, "both-stacks", "five-thousand")
"""All golden reports: two are not of one recorded document each."""

RULES: Final = 200
"""Stands for the number of rules, which grows without changing any report's meaning."""


def normalised(document: dict[str, Any]) -> dict[str, Any]:
    """The document without what is another one in every run."""
    document.pop("durationSeconds", None)
    if "policies" in document:
        document["policies"]["rules"] = RULES
    for key in ("steps", "diagnostics"):
        document.get(key, []).sort(key=lambda one: (one["urn"], one.get("op", one.get("message"))))
    ids: dict[str, str] = {_UNKNOWN: _UNKNOWN}

    def stable(found: re.Match[str]) -> str:
        number = len(ids)
        whole = f"{number:08}-0000-4000-8000-{number:012}"
        return ids.setdefault(found[0], whole[: len(found[0])])

    made: dict[str, Any] = json.loads(_ID.sub(stable, json.dumps(document)))
    return made


# -- files -------------------------------------------------------------------------------------


def made(name: str) -> str:
    """A golden report, as it is made today of what was recorded."""
    match name:
        case "both-stacks":
            return report(recorded("settings-error"), recorded("image-bump"))
        case "five-thousand":
            return report(five_thousand())
        case _:
            return report(recorded(name))


def report(*documents: Mapping[str, Any]) -> str:
    """The golden form of a report."""
    return f"{markdown(Report(documents), 'https://ci.example/run/1')}\n"


def kept(name: str) -> str:
    """A golden report, as somebody has read it."""
    return (FOLDER / f"{name}.md").read_text("utf-8")


def recorded(name: str) -> dict[str, Any]:
    """What the engine said of a scenario when it was last asked."""
    file = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    urns = file["urns"]

    def whole(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: whole(item) for key, item in value.items()}
        if isinstance(value, list):
            return [whole(item) for item in value]
        return urns[int(value[1:])] if isinstance(value, str) and value[:1] == "$" else value

    document: dict[str, Any] = whole(file["document"])
    return document


def record(name: str, document: Mapping[str, Any]) -> None:
    """Write down what the engine says of a scenario; a URN that comes again, by its number."""
    urns: dict[str, int] = {}

    def packed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: packed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [packed(item) for item in value]
        if isinstance(value, str) and value.startswith("urn:pulumi:"):
            return f"${urns.setdefault(value, len(urns))}"
        return value

    file = {"document": packed(document), "urns": list(urns)}
    (FOLDER / f"{name}.json").write_text(json.dumps(file, indent=1) + "\n", "utf-8")

"""Golden reports: the report that a reviewer reads of each kind of change, kept word for word.

``<name>.json`` is the document that ``ops preview --json`` printed for a scenario, run through the
real engine on the small estate of ``program.py``. ``<name>.md`` is the report of that document.

After a change to the reports, write the Markdown files again and read their differences::

    python -m tests.golden

After a change to the preview's document, to a rule in ``pack.py``, to ``program.py`` or to a
scenario, record the documents as well. This takes about three minutes::

    python -m tests.golden record

To add a scenario, add it to ``SCENARIOS`` and its verdict to ``tests/test_report_golden.py``, and
record. That test compares every report, and runs some of the scenarios again.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ops.review.report.markdown import markdown
from ops.review.report.model import Report
from tests.console import enable_apis
from tests.golden.large import five_thousand
from tests.stack_lifecycle import StackLifecycle

FOLDER: Final = Path(__file__).resolve().parent
NEW_IMAGE: Final = f"gcr.io/pull-production/pull-temporal-worker@sha256:{2:064}"
APIS: Final = ("cloudkms", "redis", "run", "secretmanager", "sqladmin", "storage")

_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""The engine's sign for a value that is not known before an ``up``."""

_ID: Final = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(?<=-)[0-9a-f]{8}(?=@gcp-sa-)"
)
"""Random ids of the sandbox: UUIDs, and the end of a service agent's name."""

_FLAT: Final = re.compile(r"\{[^][{}]*\}")
"""An object that holds no other one, such as a row of the graph. It is written on one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A change to the small estate, and the command that looks at it.

    Attributes:
        change: what happens to the stack before the command runs.
        base: the stack before the change: ``new`` is before and ``deployed`` is after the first
            deployment, ``released`` is after a release on top of it, ``staging`` is another stack.
    """

    change: Callable[[StackLifecycle], None]
    verb: str = "preview"
    base: str = "deployed"

    def run(self, stack: StackLifecycle) -> dict[str, Any]:
        """Make the change to ``stack`` and return the command's document."""
        self.change(stack)
        done = stack.ops(self.verb, "--json")
        return normalised({"stack": stack.stack, **json.loads(done.stdout)})


def begin(checkout: Path, folder: Path, stack: str) -> StackLifecycle:
    """The small estate in ``folder``, before its first deployment."""
    created = StackLifecycle.begin(checkout, folder, stack)
    shutil.copy(FOLDER / "program.py", created.root / "__main__.py")
    policies = created.root / "policies"
    policies.unlink()
    policies.mkdir()
    shutil.copy(checkout / "policies" / "PulumiPolicy.yaml", policies)
    shutil.copy(FOLDER / "pack.py", policies / "__main__.py")
    (policies / f"config.{stack}.json").write_text('{"all": "mandatory"}', "utf-8")
    enable_apis(created.sandbox / "cloud", f"pull-{stack}", *APIS)
    return created


def deploy(stack: StackLifecycle) -> None:
    """The first deployment; its outputs are kept for the scenarios."""
    (stack.folder / "up.json").write_text(json.dumps(stack.run("up")), "utf-8")


def outputs(stack: StackLifecycle) -> dict[str, Any]:
    """The stack outputs of the first deployment."""
    document: dict[str, dict[str, Any]] = json.loads((stack.folder / "up.json").read_text("utf-8"))
    return document["outputs"]


def nothing(_: StackLifecycle) -> None:
    """No change."""


def release(stack: StackLifecycle) -> None:
    """A release: a canary of the API with 10 % of the traffic, and a new image of the worker."""
    stack.settings(
        workers={"image": NEW_IMAGE},
        api={"compatibility_date": "2026-11-01", "versions": _canary(stack, 10)},
    )
    stack.run("up")


def canary_step(stack: StackLifecycle) -> None:
    """The next step of the canary: half of the traffic."""
    stack.settings(api={"versions": _canary(stack, 50)})


def _canary(stack: StackLifecycle, percentage: int) -> list[dict[str, Any]]:
    return [
        {"version": "current", "percentage": percentage},
        {"version": outputs(stack)["api_version"], "percentage": 100 - percentage},
    ]


def rollback(stack: StackLifecycle) -> None:
    """All traffic back to the version and the revision of the first deployment."""
    before = outputs(stack)
    revision = before["workers"]["pull-temporal-worker"]["described"]
    stack.settings(
        workers={"fleet": {"all": {"traffic": [{"revision": revision, "percent": 100}]}}},
        api={"versions": [{"version": before["api_version"], "percentage": 100}]},
    )


def settings(**sections: Any) -> Callable[[StackLifecycle], None]:
    """Other settings in the stack file."""
    return lambda stack: stack.settings(**sections)


def appended(text: str) -> Callable[[StackLifecycle], None]:
    """The program with ``text`` at its end."""

    def change(stack: StackLifecycle) -> None:
        with (stack.root / "__main__.py").open("a", encoding="utf-8") as program:
            program.write(text)

    return change


def without_assets(stack: StackLifecycle) -> None:
    """A program that no longer declares the bucket for uploads."""
    program = stack.root / "__main__.py"
    before, _, rest = program.read_text("utf-8").partition("# -- assets")
    program.write_text(before + rest[rest.index("# -- 2 ") :], "utf-8")


def edited_in_the_console(stack: StackLifecycle) -> None:
    """Changes by hand: a smaller Redis, a database in one zone, and a deleted route."""
    stack.by_hand("edit", "pull-production-redis", "memorySizeGb=1")
    stack.by_hand("edit", "pull-production-postgres", 'settings.availabilityType="ZONAL"')
    (route,) = (record.id for record in stack.cloud() if record.type.endswith(":WorkersRoute"))
    stack.by_hand("remove", route)


_NEW_BUCKET: Final = """
secret = random.RandomPassword("exports-password", length=32, opts=backups.options())
gcp.storage.Bucket(
    "exports-bucket",
    name="pull-production-exports-backups",
    location="US",
    uniform_bucket_level_access=True,
    public_access_prevention=secret.id.apply(lambda _: "enforced"),
    versioning={"enabled": True},
    opts=backups.options(protect),
)
"""

SCENARIOS: Final[Mapping[str, Scenario]] = {
    "first-deployment": Scenario(change=nothing, base="new"),
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
    "broken-program": Scenario(change=appended("\ncache.resize()\n")),
    "drift": Scenario(change=edited_in_the_console, verb="refresh"),
    "no-change": Scenario(change=nothing),
}
"""What is recorded through the real engine."""

REPORTS: Final = (*SCENARIOS, "both-stacks", "five-thousand")
"""All golden reports. The last two are not made from one recorded document each."""

SHOWN: Final = 60
"""So many lines of the report on 5,000 resources are kept; its length and its cuts are asserted."""

RULES: Final = 200
"""Stands for the number of rules, which grows without changing any report's meaning."""


def normalised(document: dict[str, Any]) -> dict[str, Any]:
    """The document without what differs in every run: durations, order, random ids."""
    document.pop("durationSeconds", None)
    if "policies" in document:
        document["policies"]["rules"] = RULES
    for key in ("steps", "diagnostics"):
        document.get(key, []).sort(key=lambda row: (row["urn"], row.get("op", row.get("message"))))
    ids: dict[str, str] = {_UNKNOWN: _UNKNOWN}

    def stable(found: re.Match[str]) -> str:
        number = len(ids)
        uuid = f"{number:08}-0000-4000-8000-{number:012}"
        return ids.setdefault(found[0], uuid[: len(found[0])])

    stable_document: dict[str, Any] = json.loads(_ID.sub(stable, json.dumps(document)))
    return stable_document


# -- files -------------------------------------------------------------------------------------


def made(name: str) -> str:
    """A golden report, made today from the recorded document."""
    match name:
        case "both-stacks":
            return report(recorded("settings-error"), recorded("image-bump"))
        case "five-thousand":
            return "".join(report(five_thousand()).splitlines(keepends=True)[:SHOWN])
        case _:
            return report(recorded(name))


def report(*documents: Mapping[str, Any]) -> str:
    """The golden form of a report."""
    return f"{markdown(Report(documents), 'https://ci.example/run/1')}\n"


def kept(name: str) -> str:
    """A golden report, as it was last reviewed."""
    return (FOLDER / f"{name}.md").read_text("utf-8")


def recorded(name: str) -> dict[str, Any]:
    """The document of a scenario, as it was last recorded."""
    file = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    urns = file["urns"]

    def expanded(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: expanded(item) for key, item in value.items()}
        if isinstance(value, list):
            return [expanded(item) for item in value]
        return urns[int(value[1:])] if isinstance(value, str) and value[:1] == "$" else value

    document: dict[str, Any] = expanded(file["document"])
    return document


def record(name: str, document: Mapping[str, Any]) -> None:
    """Write the document of a scenario. Each URN is written once and referred to by number."""
    urns: dict[str, int] = {}

    def packed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: packed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [packed(item) for item in value]
        if isinstance(value, str) and value.startswith("urn:pulumi:"):
            return f"${urns.setdefault(value, len(urns))}"
        return value

    text = json.dumps({"document": packed(document), "urns": list(urns)}, indent=1)
    rows = _FLAT.sub(lambda flat: re.sub(r"\s*\n\s*", " ", flat[0]), text)
    (FOLDER / f"{name}.json").write_text(f"{rows}\n", "utf-8")

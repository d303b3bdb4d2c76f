"""Golden reports: word for word what was reviewed, and still what the engine reports."""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ops.review.report.markdown import LIMIT, MARKER, markdown
from ops.review.report.model import Report
from tests import golden
from tests.golden.large import five_thousand
from tests.stack_lifecycle import StackLifecycle, made_once, production_lifecycle

VERDICTS = {
    "first-deployment": "needs review",
    "image-bump": "release",
    "canary-step": "safe",
    "rollback": "safe",
    "sql-tier": "needs review",
    "sql-region": "blocked",
    "secret-rotation": "needs review",
    "deleted-bucket": "blocked",
    "policy-violation": "blocked",
    "unknown-property": "blocked",
    "settings-error": "blocked",
    "broken-program": "blocked",
    "drift": "needs review",
    "no-change": "safe",
}


@pytest.fixture(scope="session")
def deployed(
    tmp_path_factory: pytest.TempPathFactory, checkout: Path, engine: Path
) -> StackLifecycle:
    """The small estate after its first deployment."""
    assert engine.exists()

    def make(folder: Path) -> None:
        golden.deploy(golden.begin(checkout, folder, "production"))

    folder = made_once(tmp_path_factory, "golden", make)
    return StackLifecycle(folder, "production", checkout)


@pytest.fixture(scope="session")
def first_deployment(
    tmp_path_factory: pytest.TempPathFactory, checkout: Path, engine: Path
) -> dict[str, Any]:
    """The preview of the whole estate's first deployment to production."""
    assert engine.exists()
    folder = production_lifecycle(tmp_path_factory, checkout).folder
    document = json.loads((folder / "preview.json").read_text("utf-8"))
    return golden.normalised({"stack": "production", **document})


@pytest.mark.parametrize("name", golden.REPORTS)
def test_every_report_is_the_reviewed_one(name: str) -> None:
    made, kept = golden.made(name), golden.kept(name)
    difference = "\n".join(difflib.unified_diff(kept.split("\n"), made.split("\n"), lineterm=""))
    assert made == kept, f"{difference}\nRun `python -m tests.golden`, then review the differences."


def test_no_golden_report_is_forgotten() -> None:
    assert {path.stem for path in golden.FOLDER.glob("*.md")} == set(golden.REPORTS)
    assert {path.stem for path in golden.FOLDER.glob("*.json")} == set(golden.SCENARIOS)
    assert set(VERDICTS) == set(golden.SCENARIOS)


@pytest.mark.parametrize(("name", "verdict"), VERDICTS.items())
def test_every_kind_of_change_has_its_risk(name: str, verdict: str) -> None:
    report = Report([golden.recorded(name)])
    assert report.risk == verdict
    assert report.exit_code == {"settings-error": 2}.get(name, int(verdict == "blocked"))


@pytest.mark.parametrize("name", golden.REPORTS)
def test_every_report_is_a_comment(name: str) -> None:
    assert_comment(golden.report(five_thousand()) if name == "five-thousand" else golden.made(name))


def assert_comment(text: str) -> None:
    assert text.startswith(MARKER + "\n")
    assert len(text) <= LIMIT
    assert text.count("<details") == text.count("</details>")
    assert "04da6b54" not in text


@pytest.mark.parametrize(
    "name", ["image-bump", "sql-region", "deleted-bucket", "unknown-property", "drift"]
)
def test_the_engine_still_reports_what_was_recorded(
    name: str, deployed: StackLifecycle, tmp_path: Path
) -> None:
    document = golden.SCENARIOS[name].run(deployed.fork(tmp_path / name))
    assert golden.report(document) == golden.kept(name), (
        "the small estate, its rules or the preview changed: run `python -m tests.golden record`"
    )


def test_the_recorded_documents_have_todays_form(first_deployment: dict[str, Any]) -> None:
    assert form(golden.recorded("first-deployment")) == form(first_deployment)
    assert form(five_thousand()["graph"]) == form(first_deployment["graph"])


def test_the_report_of_the_estates_first_deployment(first_deployment: dict[str, Any]) -> None:
    report = Report([first_deployment])
    (stack,) = report.stacks
    text = markdown(report)
    assert_comment(text)
    assert report.risk == "needs review"
    assert set(stack.counts) == {"create"}
    assert len(re.findall(r"^- \d [\w ]+, \*\*.+\*\*$", text, re.MULTILINE)) == len(
        {changed.component for changed in stack.created if changed.component.name}
    )
    assert re.search(r"^  - \d+ `gcp:secretmanager:Secret`.*: `pull-", text, re.MULTILINE)
    assert text.endswith("\n</details>"), "nothing is cut"


def form(document: dict[str, Any]) -> dict[str, Any]:
    """The keys of a document and of the objects in its lists, without the resources' properties."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, list):
            rows = [set(row) for row in value if isinstance(row, dict)]
            found[key] = sorted(set().union(*rows)) if rows else []
        elif key in ("policies", "graph"):
            found[key] = form(value)
        else:
            found[key] = ""
    return found

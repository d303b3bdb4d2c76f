"""Golden reports: word for word what somebody has read, and still what the engine says."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

import pytest

from ops.review.report.markdown import LIMIT, MARKER
from ops.review.report.model import Report
from tests import golden
from tests.golden.large import five_thousand
from tests.stack_lifecycle import StackLifecycle, production_lifecycle

VERDICTS = {
    "first-deployment": "needs review",
    "image-bump": "safe",
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
def production(
    tmp_path_factory: pytest.TempPathFactory, checkout: Path, engine: Path
) -> StackLifecycle:
    assert engine.exists()
    return production_lifecycle(tmp_path_factory, checkout)


@pytest.mark.parametrize("name", golden.REPORTS)
def test_every_report_is_the_one_that_was_read(name: str) -> None:
    made, kept = golden.made(name), golden.kept(name)
    difference = "\n".join(difflib.unified_diff(kept.split("\n"), made.split("\n"), lineterm=""))
    assert made == kept, f"{difference}\n`python -m tests.golden` writes it anew; read it then"


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
    text = golden.kept(name)
    assert text.startswith(MARKER + "\n")
    assert len(text) <= LIMIT
    assert text.count("<details") == text.count("</details>")
    assert "04da6b54" not in text


@pytest.mark.parametrize("name", ["image-bump", "deleted-bucket", "drift"])
def test_the_engine_still_says_what_was_recorded(
    name: str, production: StackLifecycle, tmp_path: Path
) -> None:
    document = golden.SCENARIOS[name].to_dict(production.fork(tmp_path / name))
    assert golden.report(document) == golden.kept(name), (
        "the estate, its policies or the preview have changed: `python -m tests.golden record`"
    )


def test_the_recorded_documents_have_the_form_of_todays(production: StackLifecycle) -> None:
    today = json.loads((production.folder / "preview.json").read_text("utf-8"))
    today = golden.normalised({"stack": "production", **today})
    assert form(golden.recorded("first-deployment")) == form(today)
    assert form(five_thousand()["graph"]) == form(today["graph"])


def form(document: dict[str, Any]) -> dict[str, Any]:
    """The keys of a document and of what is in its lists; nothing of what a resource holds."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, list):
            rows = [set(one) for one in value if isinstance(one, dict)]
            found[key] = sorted(set().union(*rows)) if rows else []
        elif key in ("policies", "graph"):
            found[key] = form(value)
        else:
            found[key] = ""
    return found

"""The page, in a real browser."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ops.review.report.html import html
from ops.review.report.model import Report
from tests import golden
from tests.chromium import Page, browse
from tests.golden.large import five_thousand

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


@pytest.fixture(scope="session")
def browser(
    need: Callable[[str, str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    chromium = need("chromium", "install Debian's package chromium")
    with browse(chromium, tmp_path_factory.mktemp("chromium")) as page:
        yield page


def show(page: Page, folder: Path, *documents: Mapping[str, Any]) -> None:
    """Open the page of a report."""
    path = folder / "report.html"
    path.write_text(html(Report(documents)), "utf-8")
    page.events.clear()
    page.open(path)


def errors(page: Page) -> list[Any]:
    return [
        event["params"]
        for event in page.events
        if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")
    ]


def row(page: Page, name: str) -> str:
    """A selector of the row of a resource; the row is marked on the way."""
    page.run(
        "for (const row of document.querySelectorAll('.row'))"
        f" if (row.querySelector('.name').textContent === {json.dumps(name)}) row.id = 'it'"
    )
    assert page.run("document.querySelectorAll('#it').length") == 1, name
    return "#it"


def test_it_shows_the_stages_and_what_changes(browser: Page, tmp_path: Path) -> None:
    show(browser, tmp_path, golden.recorded("secret-rotation"))
    assert browser.texts("h1")[0] == "production: needs review"
    assert browser.texts("h2") == [
        "0 providers and stack",
        "1 infrastructure",
        "2 secrets and configuration",
        "3 api",
        "4 web",
        "5 workers",
    ]
    assert browser.texts(".row .name") == [
        "postgres-password",
        "postgres-user",
        "secrets-database-url-version",
        "worker-all-service",
    ]
    assert browser.texts(".row .sign") == ["+-", "~", "+-", "~"]
    assert errors(browser) == []


def test_a_click_shows_the_difference_and_the_neighbours(browser: Page, tmp_path: Path) -> None:
    show(browser, tmp_path, golden.recorded("sql-region"))
    assert browser.texts("aside") == []
    browser.click(row(browser, "redis-instance"))
    (detail,) = browser.texts("aside")
    assert "replace redis-instance" in detail
    assert "Refused" in detail
    assert browser.texts("aside td") == [
        "region\nforces the replacement",
        "us-central1",
        "us-east1",
    ]
    assert "secrets-redis-url-version" in detail
    assert browser.run("document.querySelectorAll('.board path').length") > 0

    # A neighbour that the filter hides is brought onto the board.
    browser.run("[...document.querySelectorAll('aside .link')].at(0).id = 'link'")
    (name,) = browser.texts("#link")
    browser.click("#link")
    assert browser.texts(".row[aria-current] .name") == [name]
    assert errors(browser) == []


def test_it_can_be_used_from_the_keyboard(browser: Page, tmp_path: Path) -> None:
    document = golden.recorded("no-change")
    resources = len(document["graph"]["resources"])
    show(browser, tmp_path, document)
    browser.press("/")
    assert browser.run("document.activeElement.id") == "search"
    browser.type("sql databaseinstance")
    assert browser.texts(".row .name") == ["postgres-instance"]
    assert browser.texts("#count") == [f"1 of {resources} resources"]
    browser.press("ArrowDown")
    browser.press("ArrowDown")
    browser.press("Enter", "\r")
    assert browser.texts("aside h1") == ["postgres-instance"]
    browser.press("Escape")
    assert browser.texts("aside") == []
    assert browser.run("document.activeElement.querySelector('.name').innerText") == (
        "postgres-instance"
    )
    browser.press("Escape")
    assert browser.texts("#count") == [f"{resources} of {resources} resources"]


def test_the_filter(browser: Page, tmp_path: Path) -> None:
    document = golden.recorded("sql-region")
    resources = len(document["graph"]["resources"])
    steps = Counter(step["op"] for step in document["steps"])
    assert set(steps) == {"create", "update", "replace", "delete"}
    show(browser, tmp_path, document)
    shown = {}
    for choice in ("all", "changed", "destroyed", "created"):
        browser.run(
            f"filter.value = '{choice}'; filter.dispatchEvent(new Event('change')); undefined"
        )
        (shown[choice],) = browser.texts("#count")
    assert shown == {
        "all": f"{resources} of {resources} resources",
        "changed": f"{steps.total()} of {resources} resources",
        "destroyed": f"{steps['replace'] + steps['delete']} of {resources} resources",
        "created": f"{steps['create']} of {resources} resources",
    }


def test_both_stacks_and_a_failure(browser: Page, tmp_path: Path) -> None:
    show(browser, tmp_path, golden.recorded("image-bump"), golden.recorded("settings-error"))
    assert browser.texts("h1") == ["staging: blocked, production: release"]
    assert "3am" in browser.texts("#verdict")[0]
    browser.click(".tabs button:last-child")
    assert browser.texts(".row .name") == ["worker-all-service"]
    assert errors(browser) == []


def test_nothing_in_a_report_is_ever_run(browser: Page, tmp_path: Path) -> None:
    text = json.dumps(golden.recorded("policy-violation"))
    for word in ("postgres-instance", "ZONAL", "The database survives"):
        text = text.replace(word, json.dumps(HOSTILE)[1:-1])
    show(browser, tmp_path, json.loads(text))
    browser.click(".row")
    assert HOSTILE in browser.texts("aside")[0]
    assert browser.run("window.hacked") is None
    assert errors(browser) == []


def test_it_loads_nothing_and_its_policy_lets_nothing_in(browser: Page, tmp_path: Path) -> None:
    show(browser, tmp_path, golden.recorded("image-bump"))
    asked = [
        event["params"]["request"]["url"]
        for event in browser.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert asked == [(tmp_path / "report.html").as_uri()]
    browser.run(
        "const evil = document.createElement('script');"
        "evil.textContent = 'window.hacked = 1'; document.body.append(evil);"
        "const image = document.createElement('img');"
        "image.src = 'http://127.0.0.1:9/x'; document.body.append(image); undefined"
    )
    assert browser.run("window.hacked") is None
    refused = [error["entry"]["text"] for error in errors(browser)]
    assert any("script-src" in text for text in refused)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_readable_in_light_and_dark(browser: Page, tmp_path: Path, scheme: str) -> None:
    browser.ask(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
    )
    show(browser, tmp_path, golden.recorded("sql-region"))
    browser.click(row(browser, "redis-instance"))
    for selector in ("body", ".soft", ".row .sign", "td.old", "td.new", ".row[aria-current] .name"):
        ratio = browser.run(f"{CONTRAST}({json.dumps(selector)})")
        assert ratio >= 4.5, f"{selector} in {scheme}: {ratio:.1f}"


CONTRAST = """(selector => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const element = document.querySelector(selector);
  let behind = element;
  const clear = (layer) => getComputedStyle(layer).backgroundColor === 'rgba(0, 0, 0, 0)';
  while (behind.parentElement && clear(behind)) behind = behind.parentElement;
  const pair = [light(getComputedStyle(element).color),
    light(getComputedStyle(behind).backgroundColor)].sort((a, b) => b - a);
  return (pair[0] + 0.05) / (pair[1] + 0.05);
})"""
"""The contrast of a text with what is behind it, by WCAG 2.2; 4.5 is enough for small text."""


def test_it_is_quick_with_five_thousand_resources(browser: Page, tmp_path: Path) -> None:
    show(browser, tmp_path, five_thousand())
    assert browser.texts("#count") == ["3,750 of 5,000 resources"]
    milliseconds = browser.run(
        "(() => { const start = performance.now(); filter.value = 'all'; search.value = 'web-3';"
        " draw(); document.body.offsetHeight; return performance.now() - start; })()"
    )
    assert browser.texts("#count") == ["100 of 5,000 resources"]
    assert milliseconds < 500

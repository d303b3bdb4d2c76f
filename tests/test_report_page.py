"""The page, in a real browser."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ops.review.judges import Judges, OwnVerdict
from ops.review.report.html import html
from ops.review.report.model import Report
from ops.review.report.violations import by_rule
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


def show(
    page: Page, folder: Path, *documents: Mapping[str, Any], judges: Judges | None = None
) -> None:
    """Open the page of a report."""
    path = folder / "report.html"
    path.write_text(html(Report(documents, judges)), "utf-8")
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
    for selector in (
        "body",
        ".soft",
        ".row .sign",
        ".row .old",
        ".row .new",
        "td.old",
        "td.new",
        ".row[aria-current] .name",
    ):
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


@pytest.mark.parametrize("name", ["infrastructure-0-00", "web-3-20", "workers-9-98"])
def test_a_selection_is_quick_with_five_thousand_resources(
    browser: Page, tmp_path: Path, name: str
) -> None:
    show(browser, tmp_path, five_thousand())
    milliseconds = browser.run(
        "(() => { const start = performance.now();"
        f" select(stack.nodes.find((node) => node.name === {json.dumps(name)}));"
        " document.body.offsetHeight; return performance.now() - start; })()"
    )
    assert browser.texts(".row[aria-current] .name") == [name]
    assert milliseconds < 1000


def test_a_line_to_many_neighbours_ends_at_their_component(browser: Page, tmp_path: Path) -> None:
    document = five_thousand()
    urns = [resource["urn"] for resource in document["graph"]["resources"]]
    (hub,) = (urn for urn in urns if urn.endswith("::workers-9-98"))
    document["graph"]["dependencies"] = [
        {"from": urn, "to": hub, "onlyOrder": False} for urn in urns if "::web-9-" in urn
    ]
    show(browser, tmp_path, document)
    select(browser, "workers-9-98")
    web = "[data-component='web-9'] summary"
    assert browser.texts(web) == ["web-9 75 of 100 change, 99 neighbours"]
    assert [ends(browser, line) for line in lines(browser)] == [["workers-9-98", web]]
    browser.click(web)
    wait(browser, "document.querySelectorAll('.board path').length === 99")


# -- the selected resource ------------------------------------------------------------------------


def select(page: Page, name: str) -> None:
    """Select a resource, as a link to it does."""
    page.run(f"select(stack.nodes.find((node) => node.name === {json.dumps(name)}))")


def lines(page: Page) -> list[dict[str, str]]:
    """The lines on the board."""
    found: list[dict[str, str]] = page.run(
        "[...document.querySelectorAll('.board path')].map((path) =>"
        " ({ kind: path.getAttribute('class'), d: path.getAttribute('d'), ...path.dataset }))"
    )
    return found


def ends(page: Page, line: Mapping[str, str]) -> list[str]:
    """Where a line begins and ends: the name of the row, or a selector of the component's head."""
    found: list[str] = page.run(
        """((d) => {
          const numbers = d.match(/-?[\\d.]+/g).map(Number);
          const board = document.querySelector('.board').getBoundingClientRect();
          const touches = ([x, y]) => (element) => {
            const box = element.getBoundingClientRect();
            const away = [box.left, box.right].map((side) => Math.abs(x + board.left - side));
            return Math.min(...away) < 1 && y + board.top > box.top && y + board.top < box.bottom;
          };
          return [numbers.slice(0, 2), numbers.slice(6, 8)].map((point) => {
            const element = [...document.querySelectorAll('.row, .component > summary')]
              .filter((element) => element.checkVisibility()).find(touches(point));
            const component = element?.parentElement.dataset.component;
            return element?.querySelector('.name')?.textContent
              ?? `[data-component='${component}'] summary`;
          });
        })"""
        + f"({json.dumps(line['d'])})"
    )
    return found


def test_a_selection_draws_what_the_resource_needs_and_what_needs_it(
    browser: Page, tmp_path: Path
) -> None:
    show(browser, tmp_path, golden.recorded("sql-region"))
    assert lines(browser) == []
    browser.click(row(browser, "postgres-user"))
    direct = [line for line in lines(browser) if line["kind"] != "far"]
    assert [(line["kind"], *ends(browser, line)) for line in direct] == [
        ("needs", "postgres-instance", "postgres-user"),
        ("needs", "postgres-password", "postgres-user"),
        ("needed-by", "postgres-user", "secrets-database-url-version"),
    ]
    assert browser.texts("aside h3") == ["Dependencies 2", "Dependents 1"]
    # The filter hides what does not change; a neighbour is shown nevertheless.
    assert "postgres-password" in browser.texts(".row.near .name")
    assert browser.texts("#count") == ["11 of 36 resources"]
    browser.press("Escape")
    assert lines(browser) == []
    assert "postgres-password" not in browser.texts(".row .name")


@pytest.mark.parametrize("choice", ["changed", "created", "all"])
def test_the_lines_of_every_resource_are_those_of_the_graph(
    browser: Page, tmp_path: Path, choice: str
) -> None:
    document = golden.recorded("sql-region")
    show(browser, tmp_path, document)
    browser.run(f"filter.value = '{choice}'; filter.dispatchEvent(new Event('change')); undefined")
    edges = {
        (edge["to"].rpartition("::")[2], edge["from"].rpartition("::")[2], edge["onlyOrder"])
        for edge in document["graph"]["dependencies"]
    }
    for resource in document["graph"]["resources"]:
        name = resource["urn"].rpartition("::")[2]
        select(browser, name)
        direct = [line for line in lines(browser) if line["kind"] != "far"]
        drawn = {(*ends(browser, line), line["kind"] == "order") for line in direct}
        assert drawn == {edge for edge in edges if name in edge[:2]}
    assert errors(browser) == []


def test_a_line_ends_at_a_closed_component(browser: Page, tmp_path: Path) -> None:
    show(browser, tmp_path, golden.recorded("sql-region"))
    browser.click(row(browser, "redis-instance"))
    (line,) = lines(browser)
    assert ends(browser, line) == ["redis-instance", "secrets-redis-url-version"]
    secrets = "[data-component='secrets'] summary"
    before = line["d"]
    browser.click(secrets)
    wait(browser, f"document.querySelector('.board path').getAttribute('d') !== '{before}'")
    (line,) = lines(browser)
    assert ends(browser, line) == ["redis-instance", secrets]


def test_indirect_dependents_are_on_the_board(browser: Page, tmp_path: Path) -> None:
    document = golden.recorded("no-change")
    document["graph"]["dependencies"] = [
        {"from": f"{worker}", "to": f"{user}", "onlyOrder": False}
        for user, worker in pairwise(
            resource["urn"]
            for resource in document["graph"]["resources"]
            for name in ("postgres-instance", "secrets-database-url-version", "api-version")
            if resource["urn"].endswith(f"::{name}")
        )
    ]
    show(browser, tmp_path, document)
    browser.press("/")
    browser.type("postgres-instance")
    select(browser, "postgres-instance")
    assert browser.texts("aside h3") == ["Dependents 1, 2 including indirect ones"]
    assert [(line["kind"], *ends(browser, line)) for line in lines(browser)] == [
        ("needed-by", "postgres-instance", "secrets-database-url-version"),
        ("far", "[data-component='secrets'] summary", "[data-component='api'] summary"),
    ]


def test_the_way_back_of_the_browser_leads_back(browser: Page, tmp_path: Path) -> None:
    show(browser, tmp_path, golden.recorded("image-bump"), golden.recorded("settings-error"))
    browser.click(".tabs button:last-child")
    browser.click(row(browser, "worker-all-service"))
    address = browser.run("location.href")
    browser.click("aside .link")
    assert browser.texts("aside h1") == ["web-domain"]
    browser.run("new Promise((done) => { addEventListener('hashchange', done); history.back(); })")
    wait(browser, "selected?.name === 'worker-all-service'")

    # A link leads to the resource of the stack that it names.
    browser.ask("Page.navigate", url="about:blank")
    browser.ask("Page.navigate", url=address)
    wait(browser, "typeof selected !== 'undefined' && selected?.name === 'worker-all-service'")
    assert browser.texts(".tabs [aria-pressed=true]") == ["production"]
    browser.run("location.hash = '#/%'; undefined")
    wait(browser, "stack.stack === 'staging' && selected === null")
    assert errors(browser) == []


def wait(page: Page, condition: str) -> None:
    """Wait up to five seconds until a JavaScript expression is true."""
    for _ in range(100):
        if page.run(condition):
            return
        time.sleep(0.05)
    raise AssertionError(condition)


# -- values, search, messages ---------------------------------------------------------------------


def test_old_and_new_values_are_on_the_board(browser: Page, tmp_path: Path) -> None:
    show(browser, tmp_path, golden.recorded("sql-region"))
    assert browser.texts("aside") == []
    assert browser.texts(f"{row(browser, 'redis-instance')} .line") == [
        "Refused: the contents of Redis would be lost.",
        "region: us-central1 → us-east1 forces the replacement",
    ]
    show(browser, tmp_path, golden.recorded("secret-rotation"))
    assert browser.texts(f"{row(browser, 'postgres-user')} .line") == ["password: [secret changed]"]
    show(browser, tmp_path, golden.recorded("canary-step"))
    (line,) = browser.texts(".row .line")
    assert line.startswith("versions: 10 % ")
    assert "forces the replacement" not in line
    show(browser, tmp_path, golden.recorded("unknown-property"))
    browser.click(".component summary")
    assert any("versioning.enabled true" in line for line in browser.texts(".row .line"))


def test_an_approved_loss_is_on_the_board_with_its_approval_in_the_detail(
    browser: Page, tmp_path: Path
) -> None:
    document = golden.recorded("policy-violation")
    (refusal,) = document["policies"].pop("refusals")
    document["policies"]["refusals"] = []
    document["policies"]["approvals"] = [
        {
            **{key: refusal[key] for key in ("urn", "operation", "loss")},
            "approvedBy": ["ada", "grace"],
            "expires": "2026-12-01",
            "reason": "a cheaper database",
        }
    ]
    show(browser, tmp_path, document)
    assert browser.texts(".row .line")[0] == "Approved: this loses failover to another zone."
    browser.press("/")
    browser.type("grace")
    browser.click(row(browser, "postgres-instance"))
    assert "By ada and grace, until 2026-12-01: a cheaper database" in browser.texts("aside")[0]


def test_what_changes_the_judges_comes_first(browser: Page, tmp_path: Path) -> None:
    judges = Judges(
        changed=("policies/sql.py", "requirements.txt", HOSTILE),
        own={"production": OwnVerdict(risk="safe", reasons=("nothing changes",))},
    )
    show(browser, tmp_path, golden.recorded("sql-tier"), judges=judges)
    (text,) = browser.texts("#judges")
    assert "changes what judges it: policies/sql.py, requirements.txt, " in text
    assert HOSTILE in text
    assert judges.note in text
    assert "production would be safe instead of needs review (nothing changes)" in text
    assert browser.texts("header b")[0].startswith("This pull request")
    show(browser, tmp_path, golden.recorded("no-change"), judges=Judges(changed=("bin/ops",)))
    assert browser.texts("#count") == ["35 of 35 resources"], "the page opens without a worse stack"
    assert errors(browser) == []


def test_many_values_are_counted_and_the_one_that_a_search_finds_is_shown(
    browser: Page, tmp_path: Path
) -> None:
    document = golden.recorded("sql-tier")
    (step,) = document["steps"]
    for number in range(20):
        step["oldState"]["inputs"][f"setting{number}"] = f"before{number}"
        step["newState"]["inputs"][f"setting{number}"] = f"after{number}"
        step["detailedDiff"][f"setting{number}"] = {"kind": "update", "inputDiff": True}
    show(browser, tmp_path, document)
    assert len(browser.texts(".row .line")) == 9
    assert browser.texts(".row .line")[-1] == "and 13 more"
    browser.press("/")
    browser.type("before17")
    assert browser.texts(".row .line")[0] == "setting17: before17 → after17"


@pytest.mark.parametrize(
    ("name", "words", "rows", "above"),
    [
        ("sql-region", "us-east1 gcp:redis", {"redis-instance"}, ""),
        ("sql-region", "us-central1 → us-east1", 4, ""),
        ("sql-region", "contents of Redis would be lost", {"redis-instance"}, ""),
        ("sql-region", "cloudflare:index/workersRoute", {"api-route"}, ""),
        ("sql-region", "pull-production-redis-url", {"secrets-redis-url"}, ""),
        ("sql-region", "Set pull:gcp.region", 4, "1 match above"),
        ("secret-rotation", "keepers.generation", {"postgres-password"}, ""),
        ("secret-rotation", "E7C0935A", {"worker-all-service"}, "1 match above"),
        ("settings-error", "3am", set(), "1 match above"),
        ("settings-error", "STANDARD_HA", set(), "1 match above"),
        ("broken-program", "resize", set(), "1 match above"),
        ("first-deployment", "transactionLogRetentionDays", {"postgres-instance"}, ""),
        ("canary-step", "50 %", {"api-deployment"}, "1 match above"),
        ("image-bump", "nowhere", set(), ""),
    ],
)
def test_the_search_finds(
    browser: Page, tmp_path: Path, name: str, words: str, rows: set[str] | int, above: str
) -> None:
    show(browser, tmp_path, golden.recorded(name))
    browser.press("/")
    browser.type(words)
    found = browser.texts(".row .name")
    assert (len(found) if isinstance(rows, int) else set(found)) == rows
    assert browser.texts("#above") == ([above] if above else [""])
    assert len(browser.texts(".entry")) == (1 if above else 0)
    browser.press("Escape")
    assert browser.texts("#above") == [""]


def test_the_search_looks_at_every_stack(browser: Page, tmp_path: Path) -> None:
    show(browser, tmp_path, golden.recorded("image-bump"), golden.recorded("settings-error"))
    browser.press("/")
    browser.type("e7c0935a")
    assert browser.texts(".tabs button") == ["staging (0)", "production (2)"]


@pytest.mark.parametrize("name", ["sql-region", "policy-violation", "unknown-property"])
def test_messages_are_grouped_as_in_the_comment(browser: Page, tmp_path: Path, name: str) -> None:
    document = golden.recorded(name)
    (stack,) = Report([document]).stacks
    show(browser, tmp_path, document)
    entries = browser.texts(".entry")
    groups = list(by_rule(stack.violations))
    assert len(entries) == len(groups) == len({found.rule for found in stack.violations})
    for entry, group in zip(entries, groups, strict=True):
        shown = entry.split()
        assert set(group.names) <= set(shown)
        assert all(entry.count(line.strip()) == 1 for line in group.shared.splitlines())


def test_a_name_in_a_message_selects_the_resource(browser: Page, tmp_path: Path) -> None:
    show(browser, tmp_path, golden.recorded("policy-violation"))
    browser.click(".entry .link")
    assert browser.texts("aside h1") == ["update postgres-instance"]
    assert "runbook-postgres" in browser.texts("aside .entry")[0]


@pytest.mark.parametrize("names", [("deleted-bucket", "sql-region"), ("sql-region", "no-change")])
def test_the_worst_stack_opens_first(browser: Page, tmp_path: Path, names: tuple[str, str]) -> None:
    documents = [golden.recorded(name) for name in names]
    documents[1] = json.loads(
        json.dumps(documents[1]).replace("pulumi:production", "pulumi:staging")
    )
    documents[1]["stack"] = "staging"
    worst = "staging" if "deleted-bucket" in names else "production"
    for order in (documents, documents[::-1]):
        show(browser, tmp_path, *order)
        assert browser.texts(".tabs button")[0] == worst
        assert browser.texts(".tabs [aria-pressed=true]") == [worst]


# -- a phone --------------------------------------------------------------------------------------


@pytest.fixture
def phone(browser: Page) -> Iterator[Page]:
    """The browser with the screen of a phone."""
    common = {"deviceScaleFactor": 1, "mobile": True}
    browser.ask("Emulation.setDeviceMetricsOverride", width=390, height=844, **common)
    yield browser
    common["mobile"] = False
    browser.ask("Emulation.setDeviceMetricsOverride", width=1500, height=950, **common)


SMALL = """[...document.querySelectorAll('button, summary, input, select, a')]
  .filter((element) => element.checkVisibility())
  .map((element) => [element.textContent, element.getBoundingClientRect()])
  .filter(([, box]) => box.height < 40 || box.width < 40).map(([text]) => text)"""
"""What a finger misses, because it is smaller than 40 pixels."""


@pytest.mark.parametrize("name", golden.SCENARIOS)
def test_a_phone_shows_every_report_without_scrolling_sideways(
    phone: Page, tmp_path: Path, name: str
) -> None:
    show(phone, tmp_path, golden.recorded(name), golden.recorded("sql-region"))
    phone.click(f".tabs button:nth-child({1 if name == 'sql-region' else 2})")
    for resource in ("", "worker-all-service", "postgres-instance"):
        if resource and phone.run(f"stack.nodes.some((node) => node.name === '{resource}')"):
            select(phone, resource)
        width = phone.run("Math.max(document.documentElement.scrollWidth, innerWidth)")
        assert width == 390, resource
        assert phone.run(SMALL) == []


def test_on_a_phone_a_resource_opens_over_the_board_and_closes(phone: Page, tmp_path: Path) -> None:
    show(phone, tmp_path, golden.recorded("sql-region"))
    phone.click(row(phone, "redis-instance"))
    sheet, selected = (
        phone.run(
            f"(({{ left, top, right, bottom }}) => [left, top, right, bottom])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        for selector in ("aside", ".row[aria-current]")
    )
    assert (sheet[0], *sheet[2:]) == (0, 390, 844)
    assert 0 <= selected[1] < selected[3] <= sheet[1], "the sheet hides the selected row"
    assert lines(phone)
    phone.click("aside .close")
    assert phone.texts("aside") == []
    assert phone.run("document.activeElement.querySelector('.name').innerText") == "redis-instance"

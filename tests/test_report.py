"""Reports: secrets, outside text, size, verdict; and the command."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops.errors import WrongInput
from ops.review.redaction import at_path
from ops.review.report.forms import Form, render
from ops.review.report.html import html
from ops.review.report.markdown import LIMIT, block, code, label, markdown
from ops.review.report.model import Report
from ops.review.report.picture import picture
from ops.review.report.previews import read_preview
from ops.review.report.text import text
from tests import golden
from tests.golden.large import five_thousand
from tests.mini_project import PLANTED, MiniProject, plain

BUCKET = "gcp:storage/bucket:Bucket"
HOSTILE = "`x` | <script>alert(1)</script> @everyone \x1b[31m **b** [l](http://x) \u202e ```"


def urn(name: str, kind: str = BUCKET) -> str:
    return f"urn:pulumi:production::pull::{kind}::{name}"


def step(
    op: str,
    name: str,
    kind: str = BUCKET,
    *,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    **differences: str,
) -> dict[str, Any]:
    """A step of a preview's document; ``differences`` are the engine's word for each property."""
    state = {"urn": urn(name, kind), "type": kind, "custom": True, "id": name}
    document: dict[str, Any] = {"op": op, "urn": urn(name, kind)}
    if op != "create":
        document["oldState"] = {**state, "protect": True, "inputs": old or {}}
    if op != "delete":
        document["newState"] = {**state, "protect": True, "inputs": new or {}}
    document["detailedDiff"] = {
        path: {"kind": word, "inputDiff": True} for path, word in differences.items()
    }
    return document


def preview(*steps: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A preview's document."""
    graph = {
        "resources": [
            {
                "urn": changed["urn"],
                "type": changed["urn"].split("::")[-2],
                "name": changed["urn"].rpartition("::")[2],
                "parent": "",
                "stage": "1 infrastructure",
                "component": urn("part", "pull:x:Part"),
            }
            for changed in steps
        ],
        "dependencies": [],
    }
    policies = {"passed": True, "rules": 3, "violations": [], "refusals": []}
    document = {"stack": "production", "operation": "preview", "result": "succeeded"}
    return {
        **document,
        "steps": list(steps),
        "diagnostics": [],
        "policies": policies,
        "graph": graph,
        **changes,
    }


# -- secrets -----------------------------------------------------------------------------------


def test_what_lies_in_a_secret_is_secret() -> None:
    assert at_path({"a": "[secret]"}, "a.b[0]") == "[secret]"
    assert at_path({"a": {"b": ["[secret]"]}}, "a.b[0]") == "[secret]"
    assert at_path({"a": {"b": 1}}, "a.b") == 1


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("[secret]", "[secret]", "`[secret changed]`"),
        ("[secret]", "hunter2", "`[secret changed]`"),
        ("hunter2", "[secret]", "`[secret changed]`"),
        (None, "[secret]", "`(none)` → `[secret]`"),
        ("[secret]", None, "`[secret]` → `(none)`"),
        ({"k": "[secret]"}, {"k": "[secret]"}, "`[secret changed]`"),
        (1.0, 2.5, "`1` → `2.5`"),
        (True, "", '`true` → `""`'),
    ],
)
def test_a_value_is_shown_without_its_secret(old: object, new: object, shown: str) -> None:
    changed = step("update", "one", old={"p": old}, new={"p": new}, p="update")
    made = markdown(Report([preview(changed)]))
    assert f"- `p`: {shown}\n" in made
    assert "hunter2" not in made


@pytest.mark.parametrize("form", list(Form))
def test_an_old_or_new_secret_is_shown_in_no_form(form: Form) -> None:
    known = {"name": "KEY", "value": PLANTED}
    hidden = {"name": "KEY", "value": "[secret]"}
    other = {"name": "OTHER", "value": "[secret]"}
    for old, new in (
        ({"envs": [hidden]}, {"envs": [known]}),
        ({"envs": [known]}, {"envs": [hidden]}),
        ({"envs": [other, hidden]}, {"envs": [known]}),
        ({"a": {"b": "[secret]"}}, {"a": {"b": PLANTED}}),
        ({"a": "[secret]"}, {"a": {"b": [PLANTED]}}),
    ):
        for key in old:
            changed = step("update", "one", old=old, new=new, **{key: "update"})
            made = render(Report([preview(changed)]), form)
            assert PLANTED not in made
            assert "[secret changed]" in made or "OTHER" in made


def test_a_new_value_of_a_secret_is_to_be_reviewed() -> None:
    changed = step("update", "one", old={"p": "[secret]"}, new={"p": "[secret]"}, p="update")
    reasons = Report([preview(changed)]).stacks[0].reasons
    assert ("changes the value of a secret", ("one",)) in [
        (reason.text, reason.names) for reason in reasons
    ]


# -- foreign text ------------------------------------------------------------------------------


def test_foreign_text_does_no_harm_in_markdown() -> None:
    changed = step(
        "update",
        HOSTILE.replace("::", ""),
        old={"p": "a"},
        new={"p": HOSTILE},
        p="update",
    )
    violation = {"rule": HOSTILE, "level": "advisory", "urn": changed["urn"], "message": HOSTILE}
    document = preview(changed, diagnostics=[{"severity": "error", "message": HOSTILE, "urn": ""}])
    document["policies"]["violations"] = [violation]
    document["stack"] = HOSTILE
    made = markdown(Report([document]))
    assert "<script>" not in outside_of_code(made)
    assert "@everyone" not in outside_of_code(made)
    assert "http://x" not in outside_of_code(made)
    assert "\x1b" not in made
    assert "\u202e" not in made


ESCAPES = "\x1b[31m \x9b31m \u202e \u2066 \u200b \x00 \x07 \r\n \t \ud800"


@pytest.mark.parametrize("form", list(Form))
def test_no_form_holds_what_a_terminal_or_a_browser_obeys(form: Form) -> None:
    text = json.dumps(golden.recorded("policy-violation"))
    for word in ("postgres-instance", "ZONAL", "The database survives", "mandatory", "3 data"):
        text = text.replace(word, json.dumps(word + ESCAPES)[1:-1])
    document = json.loads(text)
    document["diagnostics"] = [{"severity": ESCAPES, "message": ESCAPES, "urn": ESCAPES}]
    made = render(Report([document]), form)
    assert made.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", made)


def test_an_operation_that_a_file_names_is_no_markdown() -> None:
    refusal = {"urn": urn("a"), "operation": "@everyone <b>", "loss": "x", "reason": "y"}
    document = preview(step("delete", "a"))
    document["policies"] |= {"passed": False, "refusals": [{**refusal, "forcedBy": []}]}
    made = markdown(Report([document]))
    assert "the guard refuses to everyone b: `a`" in made


def without_blocks(made: str) -> str:
    """The text without its code blocks, each from its fence to the next one as long."""
    return re.sub(r"^( *)(`{3,})\w*\n.*?^\1\2$", "", made, flags=re.DOTALL | re.MULTILINE)


def outside_of_code(made: str) -> str:
    """What Markdown gives a meaning: the text without its code blocks and code spans."""
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", without_blocks(made))


def test_the_test_for_foreign_text_can_fail() -> None:
    assert "@everyone" in outside_of_code("a `b` @everyone\n\n```text\nc\n```\n")
    assert "```" in without_blocks("````text\n```\n````\n```text\nc\n")


@pytest.mark.parametrize(
    ("foreign", "safe"),
    [
        ("plain", "`plain`"),
        ("a`b", "``a`b``"),
        ("`a", "`` `a ``"),
        ("a``b`", "``` a``b` ```"),
        ("a\nb\tc", "`a b c`"),
        ("", "` `"),
    ],
)
def test_code_spans(foreign: str, safe: str) -> None:
    assert code(foreign) == safe


def test_code_blocks_hold_any_fence() -> None:
    assert block("```\n````") == "`````text\n```\n````\n`````"
    assert label("<b>_x_|`#@y") == r"b\_x\_y"
    assert label("see www.x.com, GH-12, https://x.com") == "see x.com, 12, https:x.com"


def test_foreign_text_does_no_harm_in_a_picture_and_in_a_terminal() -> None:
    document = preview(step("delete", HOSTILE), step("update", "two", p="update"))
    document["graph"]["resources"][1]["component"] = urn('ot"her</script>', "pull:x:Part")
    report = Report([document])
    drawn = picture(report.stacks[0])
    assert "#60;script#62;" in drawn
    assert not re.search(r"[`<>](?!b>|/b>|br/>)", re.sub(r"</?b>|<br/>|-->", "", drawn))
    assert "\x1b" not in text(report)


# -- verdicts ----------------------------------------------------------------------------------

SQL = "gcp:sql/databaseInstance:DatabaseInstance"
TOPIC = "gcp:pubsub/topic:Topic"
RUN = "gcp:cloudrunv2/service:Service"
UNKNOWN = "gcp:new/service:Service"
UNDESCRIBED = "is of a type that resource_types does not describe"
OPENS = ("needs review", "exposes an endpoint")


@pytest.mark.parametrize(
    ("changed", "risk", "words"),
    [
        (step("create", "a", UNKNOWN), "needs review", UNDESCRIBED),
        (step("update", "a", UNKNOWN), "needs review", UNDESCRIBED),
        (step("delete", "a", UNKNOWN), "needs review", "deletes a stateful or identity resource"),
        (step("create", "a", TOPIC), "safe", "1 created; nothing is deleted or replaced"),
        (step("update", "a", TOPIC), "safe", "1 changed in place; nothing is deleted or replaced"),
        (
            step("update", "a", SQL),
            "needs review",
            "modifies a stateful or identity resource in place",
        ),
        (step("delete", "a", TOPIC), "needs review", "deletes"),
        (step("replace", "a", TOPIC), "needs review", "replaces"),
        (step("replace", "a", SQL), "needs review", "replaces a stateful or identity resource"),
        (step("delete", "a", SQL), "needs review", "deletes a stateful or identity resource"),
        (
            step("create", "a", "gcp:projects/iAMMember:IAMMember"),
            "needs review",
            "changes permissions",
        ),
        (
            step("update", "a", "gcp:compute/firewall:Firewall"),
            "needs review",
            "changes the exposure of an endpoint",
        ),
        (step("create", "a", "gcp:compute/firewall:Firewall"), *OPENS),
        (step("create", "a", TOPIC, new={"binding": [{"members": ["allUsers"]}]}), *OPENS),
        (step("create", "a", TOPIC, new={"x": {"invokerIamDisabled": True}}), *OPENS),
        (step("create", "a", "cloudflare:index/dnsRecord:DnsRecord"), *OPENS),
        (
            step(
                "update", "a", TOPIC, old={"x": ["a"]}, new={"x": ["a", "::/0"]}, **{"x[1]": "add"}
            ),
            "needs review",
            "changes the exposure of an endpoint",
        ),
        (
            step("create", "a", "gcp:serviceaccount/key:Key"),
            "needs review",
            "changes permissions",
        ),
        (
            step("update", "a", "pulumi:providers:gcp", version="update"),
            "needs review",
            "changes a provider",
        ),
        (
            step("update", "a", RUN, old={"ingress": 1}, new={"ingress": 2}, ingress="update"),
            "needs review",
            "changes the exposure of an endpoint",
        ),
        (
            step("replace", "a", "random:index/randomPassword:RandomPassword"),
            "needs review",
            "changes the value of a secret",
        ),
        (
            step("replace", "a", "cloudflare:index/workerVersion:WorkerVersion"),
            "release",
            "releases a new version",
        ),
    ],
)
def test_the_table_of_risks(changed: dict[str, Any], risk: str, words: str) -> None:
    report = Report([preview(changed)])
    assert report.risk == risk
    assert [reason.text for reason in report.stacks[0].reasons] == [words]


def test_taking_protection_away_is_to_be_reviewed() -> None:
    changed = step("update", "a", TOPIC)
    changed["newState"]["protect"] = False
    report = Report([preview(changed)])
    assert report.stacks[0].reasons[0].text == "removes protection"
    assert "- `protect`: `true` → `false`" in markdown(report)


def test_a_pack_that_did_not_run_blocks() -> None:
    document = preview()
    document["policies"]["passed"] = False
    report = Report([document])
    assert (report.risk, report.exit_code) == ("blocked", 1)
    assert report.stacks[0].reasons[0].text == "the policies did not run"


def test_advice_is_to_be_reviewed_and_blocks_nothing() -> None:
    document = preview()
    document["policies"]["violations"] = [
        {"rule": "r", "level": "advisory", "urn": urn("a"), "message": "m"}
    ]
    report = Report([document])
    assert (report.risk, report.exit_code) == ("needs review", 0)


def test_an_exception_from_the_policies_is_to_be_reviewed() -> None:
    document = preview(step("update", "a", TOPIC))
    document["policies"]["exceptions"] = [{"urn": urn("a", TOPIC), "rule": "r"}]
    (reason,) = Report([document]).stacks[0].reasons
    assert (reason.text, reason.names) == ("passes the policies by an exception", ("a",))


def test_the_worst_stack_decides() -> None:
    report = Report([golden.recorded("no-change"), golden.recorded("settings-error")])
    assert (report.risk, report.exit_code) == ("blocked", 2)
    assert [stack.risk for stack in report.stacks] == ["blocked", "safe"]


def test_traffic_with_anything_else_is_no_mere_move() -> None:
    kind = "gcp:cloudrunv2/service:Service"
    old = {"traffics": [{"percent": 100.0, "revision": "a"}]}
    new = {"traffics": [{"percent": 100.0}]}
    moved = step("update", "s", kind, old=old, new=new, traffics="update")
    (move,) = Report([preview(moved)]).stacks[0].moves
    assert (move.old, move.new) == (("100 % a",), ("100 % the newest",))
    assert Report([preview(moved, step("update", "t", TOPIC))]).stacks[0].moves == ()
    # A replacement that follows from another one has no other property that differs.
    assert Report([preview({**moved, "op": "replace"})]).stacks[0].moves == ()
    moved["detailedDiff"]["template.timeout"] = {"kind": "update", "inputDiff": True}
    assert Report([preview(moved)]).stacks[0].moves == ()


# -- size, and being the same ------------------------------------------------------------------


def test_a_comment_is_cut_by_priority_and_between_blocks() -> None:
    document = five_thousand()
    for number, row in enumerate(document["steps"]):
        if row["op"] == "update":  # updates that are alike would share a line
            row["newState"]["inputs"] = {**row["oldState"]["inputs"], f"p{number}": "data"}
            row["detailedDiff"] = {f"p{number}": {"kind": "add", "inputDiff": True}}
    made = markdown(Report([document]), "https://ci.example/1")
    assert LIMIT - 2_000 < len(made) <= LIMIT
    assert len(re.findall("^#### (?:replace|delete)", made, re.MULTILINE)) == 150
    assert made.endswith("See the [full report](<https://ci.example/1>).*")
    left = [int(count.replace(",", "")) for count in re.findall(r"\*([\d,]+) more changes\*", made)]
    shown = len(re.findall(r"^- \*\*update\*\*", made, re.MULTILINE))
    assert len(left) == 5, "every stage says something"
    assert shown + sum(left) == 47 * 50
    # Each change is there with the property that changes.
    assert shown == len(re.findall(r"\n  - `p\d+`: `\(none\)` → `data`", made))


SIGNS = st.characters(exclude_categories=["Cs"]) | st.sampled_from(list("`<>@|#*_[]()~\n\r"))
FOREIGN = st.text(SIGNS, max_size=12) | st.sampled_from(
    ["</details>", "```", "<!-- x -->", "@org/team", "#123", "![x](y)", "\N{RAINBOW}", HOSTILE]
)
"""Outside text."""


@st.composite
def previews(draw: st.DrawFn) -> dict[str, Any]:
    """Previews of up to thousands of steps with hostile names and values, some very long."""
    steps = []
    for at in range(draw(st.integers(0, 6))):
        op = draw(st.sampled_from(["create", "update", "replace", "delete"]))
        name, value = draw(FOREIGN), draw(FOREIGN) * draw(st.sampled_from([1, 2_000]))
        kind = draw(st.sampled_from([BUCKET, "gcp:pubsub/topic:Topic"]))
        long = draw(st.sampled_from([1, 500]))
        word = draw(st.sampled_from(["update", "update-replace"]))
        for copy in range(draw(st.sampled_from([1, 7, 200]))):
            called = f"{name * long}{at}-{copy}".replace("::", "")
            steps.append(step(op, called, kind, old={"p": value}, new={"p": name}, p=word))
    message = draw(FOREIGN) * draw(st.sampled_from([1, 2_000]))
    errors = [{"severity": "error", "message": message, "urn": row["urn"]} for row in steps[:40]]
    broken = [
        {"rule": draw(FOREIGN), "level": "advisory", "urn": row["urn"], "message": message}
        for row in steps[: draw(st.sampled_from([0, 30]))]
    ]
    document = preview(*steps, diagnostics=errors, stack=draw(FOREIGN) or "x")
    document["policies"]["violations"] = broken
    return document


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(previews(), min_size=1, max_size=2))
def test_whatever_is_previewed_makes_a_comment(documents: list[dict[str, Any]]) -> None:
    report = Report(documents)
    made = markdown(report)
    assert len(made) <= LIMIT
    assert len(made.encode()) <= 4 * 65_536
    assert not re.search(r"^ *`{3,}", without_blocks(made), re.MULTILINE), "a block stays open"
    assert made.index("> [!") < made.find("### Replaced or deleted") % 10**9
    left = outside_of_code(made)
    assert left.count("<details") == left.count("</details>")
    assert not re.search(r"[@#](?=\w)|!\[|<(?!/?details|/?summary|/?b>|!-- pull)", left)
    lost = sum(len(stack.destroyed) for stack in report.stacks)
    shown = len(re.findall("^#### (?:replace|delete)", left, re.MULTILINE))
    new = re.findall(r"^- .*(?=\n  - )", made.partition("<b>New:</b>")[2], re.MULTILINE)
    assert shown == lost or not new, "new resources are shown while a loss is not"
    if shown < lost:
        assert "Full report: `bin/ops report" in made


@pytest.mark.parametrize("limit", range(3_000, 60_000, 7_000))
def test_no_limit_breaks_a_block(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.review.report.markdown.LIMIT", limit)
    for documents in ([golden.recorded("sql-region")], [five_thousand()] * 2):
        made = markdown(Report(documents))
        assert len(made) <= limit
        assert made.count("<details") == made.count("</details>")
        assert len(re.findall("^ *```", made, re.MULTILINE)) % 2 == 0


def test_one_huge_resource_does_not_fill_the_comment() -> None:
    many = {f"p{number:04}": "update" for number in range(1_000)}
    values = dict.fromkeys(many, "x" * 10000)
    changed = step("update", "one", old=values, new={**values, "p0000": "y"}, **many)
    made = markdown(Report([preview(changed)]))
    assert len(made) < 20_000
    assert "and 970 more properties" in made


def test_long_values_are_shown_where_they_differ() -> None:
    old, new = f"{'a' * 500}before{'b' * 500}", f"{'a' * 500}after{'b' * 500}"
    changed = step("update", "one", old={"p": old}, new={"p": new}, p="update")
    made = markdown(Report([preview(changed)]))
    assert "aaabefore" in made
    assert "aaaafter" in made
    assert "(1006 characters)" in made


@pytest.mark.parametrize("form", list(Form))
def test_a_report_is_the_same_every_time_and_quick(form: Form) -> None:
    document = five_thousand()
    started = time.process_time()
    first = render(Report([document]), form)
    seconds = time.process_time() - started
    document["steps"].reverse()  # the engine's order differs in every run
    assert render(Report([document]), form) == first
    assert seconds < 2


def test_the_page_is_one_file_that_names_no_other() -> None:
    made = html(Report([golden.recorded("sql-tier")]))
    head = made.partition("</head>")[0]
    assert re.search(r'Content-Security-Policy" content="default-src \'none\';', head)
    assert "unsafe" not in head
    assert not re.search(r'(src|href)="', made)


# -- the command -------------------------------------------------------------------------------


@pytest.fixture
def tiny(tmp_path: Path, checkout: Path, engine: Path) -> MiniProject:
    assert engine.exists()
    return MiniProject(tmp_path / "tiny", checkout)


def test_one_preview_serves_every_form(tiny: MiniProject, tmp_path: Path) -> None:
    tiny.run("up")
    tiny.write(location="EU", owners=["data"], stores=["alpha", "gamma"])
    before = tiny.fingerprint()
    saved = tmp_path / "preview.json"
    saved.write_text(json.dumps(tiny.run("preview")))
    made = {form: tiny.ops("report", "--from", str(saved), "--form", form) for form in Form}
    for form, done in made.items():
        assert done.returncode == 0, done.stderr
        assert done.stderr == "", form
        assert plain(done.stdout)
        assert PLANTED not in done.stdout
    comment = made[Form.MARKDOWN].stdout
    assert "`location`: `US` → `EU` **forces the replacement**" in comment
    assert "1 dependent</summary>" in comment, "the order of buckets is no dependency"
    assert comment.index("#### replace") < comment.index("### Policies") < comment.index("New:")
    document = json.loads(made[Form.JSON].stdout)
    assert document["verdict"] == "needs review"
    assert tiny.fingerprint() == before

    out = tmp_path / "report.md"
    written = tiny.ops("report", *tiny.here(), "--form", "markdown", "--out", str(out))
    assert written.returncode == 0, written.stderr
    assert out.read_text() == comment
    assert "needs review: the report is in" in written.stderr


def test_protection_alone_is_a_change(tiny: MiniProject) -> None:
    """The engine calls it none; a release that is skipped for it would never make it."""
    tiny.write(protect=True)
    tiny.run("up")
    tiny.write(protect=False)
    document = tiny.run("preview")
    assert [(step["op"], step["urn"].rpartition("::")[2]) for step in document["steps"]] == [
        ("update", "alpha-bucket"),
        ("update", "beta-bucket"),
    ]
    (made,) = Report([document]).stacks
    assert made.reasons[0].text == "removes protection"
    tiny.run("up")
    assert tiny.protected() == []
    assert tiny.run("preview")["steps"] == []


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (lambda tiny: tiny.write(owners="core"), 2, "a setting is wrong; nothing was started"),
        (lambda tiny: tiny.write(fail="error"), 1, "KeyError: 'no such worker'"),
        (lambda tiny: tiny.write(location="ASIA"), 1, "a bucket must not be in Asia"),
        (lambda tiny: tiny.write(stores=["beta"]), 1, "the guard refuses to delete"),
    ],
    ids=["settings", "program", "policy", "guard"],
)
def test_a_failure_is_reported_too(
    tiny: MiniProject, tmp_path: Path, spoil: Callable[[MiniProject], None], code: int, words: str
) -> None:
    if words == "the guard refuses to delete":
        tiny.run("up")
        (tiny.root / "approvals" / "production.yaml").unlink()
    spoil(tiny)
    out = tmp_path / "report.md"
    done = tiny.ops("report", *tiny.here(), "--form", "markdown", "--out", str(out))
    assert done.returncode == code, done.stderr
    made = out.read_text()
    assert "## production: blocked" in made
    assert words in made
    assert "Traceback" not in made + done.stderr


def test_any_encoding_of_the_terminal_will_do(tiny: MiniProject, tmp_path: Path) -> None:
    path = tmp_path / "preview.json"
    path.write_text(json.dumps(golden.recorded("image-bump")))
    options = ["report", "--from", str(path), "--form", "markdown"]
    done = tiny.ops(*options, variables={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert "\\u2192" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give either --stack or --from"),
        (["--stack", "production", "--from", "x"], "Give either --stack or --from"),
        (["--from", "nowhere.json"], "cannot be read"),
        (["--from", "Pulumi.yaml"], "cannot be read"),
        (
            ["--from", "policies/config.production.json"],
            "is not a document of 'bin/ops preview --json'",
        ),
        (["--from", "policies"], "cannot be read"),
    ],
)
def test_wrong_input(tiny: MiniProject, arguments: list[str], message: str) -> None:
    done = tiny.ops("report", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert "Traceback" not in done.stderr


URN = "urn:pulumi:production::tiny::t:m:T::one"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty: its preview printed no result"),
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("[1]", "is not a document"),
        ('{"format_version": "1.2", "resource_changes": []}', "is not a document"),
        ('{"steps": 5}', "is not a document"),
        ('{"error": "x"}', "is not a document"),
        ('{"steps": [{"op": "explode", "urn": "u"}]}', "is not a document"),
        ('{"steps": [], "operation": "up"}', "is not a document"),
        ('{"steps": [], "policies": {"rules": "many"}}', "is not a document"),
        (
            json.dumps(
                {"steps": [{"op": "refresh", "urn": URN, "oldState": {"urn": URN, "type": "t"}}]}
            ),
            "use 'bin/ops drift --json'",
        ),
    ],
)
def test_what_is_no_preview_is_refused_in_words(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "preview.json"
    path.write_text(text)
    with pytest.raises(WrongInput, match=re.escape(message)):
        read_preview(path)


def test_the_official_cli_s_preview_can_be_read(tmp_path: Path) -> None:
    """It has no stack, no graph and no policies; a refresh and halves of replacements it has."""
    changed = step("update", "one", old={"p": 1}, new={"p": 2}, p="update")
    replaced = step("replace", "two", old={"p": 1}, new={"p": 2}, p="update-replace")
    document = {
        "config": {},
        "steps": [
            {**changed, "op": "refresh", "detailedDiff": None},
            {**replaced, "op": "create-replacement"},
            replaced,
            {**replaced, "op": "delete-replaced"},
            changed,
        ],
        "diagnostics": [{"prefix": "warning: ", "message": "old\n", "severity": "warning"}],
        "duration": 1,
    }
    path = tmp_path / "preview.json"
    path.write_text(json.dumps(document))
    (made,) = Report([read_preview(path)]).stacks
    assert made.stack == "production"
    assert made.counts == {"replace": 1, "update": 1}
    assert made.reasons[0].text == "neither the policies nor the guard evaluated the change"
    assert made.diagnostics[0].message == "old"
    assert {node["name"] for node in page_data(html(Report([document])))["nodes"]} == {"one", "two"}


def page_data(made: str) -> Any:
    """The data in a page on one stack."""
    found = re.search(r'<script type="application/json" id="report">(.*)</script>', made)
    assert found
    return json.loads(found[1])["stacks"][0]


def test_a_stack_that_is_not_there_is_reported_with_the_others(tiny: MiniProject) -> None:
    done = tiny.ops("report", *tiny.here(), "--stack", "nowhere", "--json")
    assert done.returncode == 2
    stacks = json.loads(done.stdout)["stacks"]
    assert [(stack["stack"], stack["verdict"]) for stack in stacks] == [
        ("nowhere", "blocked"),
        ("production", "safe"),
    ]

"""The summary on top of a report, for a person who has 20 seconds; and what needs a review."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ops.review.report.forms import Form, render
from ops.review.report.markdown import markdown
from ops.review.report.model import Report, StackReport
from ops.review.report.previews import read_preview
from policies.rules import RULES
from resource_types import RESOURCE_TYPES, cloudflare, gcp, kubernetes
from tests import golden
from tests.golden.large import five_thousand
from tests.test_report import BUCKET, SQL, TOPIC, preview, step, urn

LINES = 12
"""So many lines has a summary at most."""

GRANTS = sorted(token for token, record in RESOURCE_TYPES.items() if record.permissions == "grants")
IMMUTABLE = sorted(token for token, record in RESOURCE_TYPES.items() if record.replaced_by_design)
WORKLOADS = sorted(token for token, record in RESOURCE_TYPES.items() if record.pod_template)
STATEFUL = sorted(token for token, record in RESOURCE_TYPES.items() if record.loss)


def reported(*steps: dict[str, Any], **changes: Any) -> StackReport:
    """The report on one stack."""
    (stack,) = Report([preview(*steps, **changes)]).stacks
    return stack


def summary(made: str) -> list[str]:
    """The lines of the summaries of a comment."""
    return [line for line in made.splitlines() if line.startswith(">")]


@pytest.mark.parametrize("name", golden.REPORTS)
def test_every_summary_is_short_and_comes_first(name: str) -> None:
    made = golden.report(five_thousand()) if name == "five-thousand" else golden.made(name)
    stacks = 2 if name == "both-stacks" else 1
    assert 3 < len(summary(made)) <= LINES * stacks
    assert made.splitlines()[4].startswith("> [!")
    if "needs review" in made.splitlines()[2] or "blocked" in made.splitlines()[2]:
        assert "**To do:**" in made


def test_the_worst_summary_is_short_too() -> None:
    kinds = [*STATEFUL, *GRANTS, *WORKLOADS, "gcp:new/service:Service"]
    steps = [
        step(op, f"{op}-{number}", kind, old={"name": "x" * 200}, new={"template": {"x": 1}})
        for op in ("delete", "replace", "update", "create")
        for number, kind in enumerate(kinds)
    ]
    document = preview(*steps)
    document["policies"]["violations"] = [
        {"rule": rule.id, "level": "mandatory", "urn": steps[0]["urn"], "message": "m"}
        for rule in RULES
    ]
    assert len(summary(markdown(Report([document])))) <= LINES


@pytest.mark.parametrize("form", [Form.TEXT, Form.MARKDOWN, Form.HTML])
def test_every_form_has_the_summary(form: Form) -> None:
    made = render(Report([golden.recorded("sql-region")]), form)
    assert "This change cannot be released as it is." in made
    assert "the database, pull-production-postgres" in made
    assert "Keep the resource, or get an approval in approvals/production.yaml." in made


@pytest.mark.parametrize("token", IMMUTABLE)
def test_a_new_version_is_a_release_and_no_replacement(token: str) -> None:
    stack = reported(step("replace", "a", token), step("update", "b", TOPIC))
    made = markdown(Report([preview(step("replace", "a", token))]))
    assert stack.risk == "release"
    assert stack.counts == {"update": 1, "release": 1}
    assert "to replace" not in made
    assert "nothing is deleted" not in made


@pytest.mark.parametrize("token", WORKLOADS)
def test_another_template_is_a_release(token: str) -> None:
    template = RESOURCE_TYPES[token].pod_template
    inputs: Any = {"annotations": {"a": "b"}}
    for name in reversed(template.split(".")):
        inputs = {name: inputs}
    changed = step("update", "a", token, old={}, new=inputs, **{f"{template}.annotations.a": "add"})
    reasons = [reason.text for reason in reported(changed).reasons]
    assert "releases a new version" in reasons


@pytest.mark.parametrize("token", STATEFUL)
def test_an_approved_loss_is_as_loud_as_a_refused_one(token: str) -> None:
    loss = str(RESOURCE_TYPES[token].loss)
    old = {RESOURCE_TYPES[token].name_property or "x": "the-old-name"}
    deleted = step("delete", "a", token, old=old)
    approved = markdown(Report([preview(deleted)]))
    document = preview(deleted)
    document["policies"] |= {
        "passed": False,
        "refusals": [
            {
                "urn": urn("a", token),
                "operation": "delete",
                "loss": f"{loss} would be lost",
                "forcedBy": [],
                "reason": "Not approved.",
            }
        ],
    }
    refused = markdown(Report([document]))
    for made in (approved, refused):
        assert "> [!CAUTION]" in made
        assert re.search(rf"> - .*`a` \({re.escape(loss[:20])}", made)
    assert "**Approved**: " in approved
    assert "**Refused**: " in refused


def test_a_replacement_names_what_is_lost() -> None:
    replaced = step("replace", "a", SQL, old={"name": "before"}, new={"name": "after"})
    stack = reported(replaced)
    assert stack.changes[0].physical == "before"
    assert stack.reasons[0].details == {"a": "the database, before"}


@pytest.mark.parametrize("token", GRANTS)
@pytest.mark.parametrize("op", ["create", "update", "replace"])
def test_a_public_grant_names_everybody_and_the_role(token: str, op: str) -> None:
    policy = {"bindings": [{"members": ["allUsers"], "role": "roles/x"}]}
    for inputs in (
        {"bucket": "exports", "role": "roles/viewer", "member": "allUsers"},
        {"bucket": "exports", "role": "roles/viewer", "members": ["user:a@x.y", "allUsers"]},
        {"bucket": "exports", "policyData": json.dumps(policy)},
        {"roleRef": {"name": "viewer"}, "subjects": [{"name": "system:unauthenticated"}]},
    ):
        reasons = {
            reason.text: reason for reason in reported(step(op, "a", token, new=inputs)).reasons
        }
        detail = reasons["grants a role to everybody on the internet"].details["a"]
        assert re.match(r"(allUsers|system:unauthenticated): ", detail)
        assert str(inputs.get("role", "")) in detail
        assert str(inputs.get("bucket", "")) in detail


EXPOSURES = [
    (cloudflare.R2_BUCKET_CORS, {"rules": [{"allowed": {"origins": ["https://x.com"]}}]}),
    (gcp.SUBNETWORK, {"ipCidrRange": "10.9.0.0/20"}),
    (gcp.VPC_CONNECTOR, {"ipCidrRange": "10.8.0.0/28"}),
    (gcp.FIREWALL, {"sourceRanges": ["10.0.0.0/8"]}),
    (gcp.ROUTER_NAT, {"natIps": ["a"]}),
    (gcp.RUN_SERVICE, {"ingress": "INGRESS_TRAFFIC_ALL"}),
    (gcp.RUN_SERVICE, {"template": {"vpcAccess": {"egress": "ALL_TRAFFIC"}}}),
    (gcp.SQL_INSTANCE, {"settings": {"ipConfiguration": {"ipv4Enabled": True}}}),
    (
        gcp.SQL_INSTANCE,
        {"settings": {"ipConfiguration": {"authorizedNetworks": [{"value": "1.2.3.4/32"}]}}},
    ),
    (gcp.BUCKET, {"publicAccessPrevention": "inherited"}),
    (gcp.BUCKET, {"cors": [{"origins": ["*"]}]}),
    (kubernetes.SERVICE, {"spec": {"type": "LoadBalancer"}}),
    (kubernetes.SERVICE, {"spec": {"loadBalancerSourceRanges": ["1.0.0.0/8"]}}),
    (kubernetes.CONFIG_MAP, {"data": {"CORS_ORIGINS": "https://x.com"}}),
    (kubernetes.NETWORK_POLICY, {"spec": {"policyTypes": ["Egress"]}}),
    (kubernetes.DEPLOYMENT, {"spec": {"template": {"spec": {"hostNetwork": True}}}}),
    (cloudflare.WORKER_VERSION, {"bindings": [{"name": "CORS_ORIGINS", "text": "https://x"}]}),
    (cloudflare.ZONE_SETTING, {"value": "1.0"}),
    (gcp.SSL_POLICY, {"minTlsVersion": "TLS_1_0"}),
    (kubernetes.SERVICE, {"spec": {"externalIPs": ["8.8.8.8"]}}),
    (cloudflare.RULESET, {"rules": [{"action": "skip"}]}),
]


@pytest.mark.parametrize(("token", "inputs"), EXPOSURES)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_change_of_exposure_needs_a_review(
    token: str, inputs: dict[str, Any], backwards: bool
) -> None:
    old, new = (inputs, {}) if backwards else ({}, inputs)
    (root,) = inputs
    op = "replace" if RESOURCE_TYPES[token].replaced_by_design else "update"
    stack = reported(step(op, "a", token, old=old, new=new, **{root: "update"}))
    assert stack.risk == "needs review"
    assert "changes the exposure of an endpoint" in [reason.text for reason in stack.reasons]


@pytest.mark.parametrize("op", ["import", "read-replacement-of-a-new-engine", "refresh"])
def test_an_operation_is_safe_only_if_it_is_known(op: str) -> None:
    changed = step("update", "a", TOPIC)
    if op == "import":
        assert reported({**changed, "op": op}).risk == "needs review"
    elif op == "refresh":
        assert reported({**changed, "op": op}).steps == []
    else:
        with pytest.raises(ValueError, match="not a valid OpType"):
            _ = reported({**changed, "op": op}).risk


def test_a_dropped_variable_is_one_line_in_words() -> None:
    bindings = [{"name": "JWT_SECRET", "type": "secret_text"}] + [
        {"name": f"V{number}", "type": "plain_text", "text": str(number)} for number in range(80)
    ]
    paths = {f"bindings[{index}].name": "update-replace" for index in range(80)}
    changed = step(
        "replace",
        "api-version",
        cloudflare.WORKER_VERSION,
        old={"bindings": bindings},
        new={"bindings": bindings[1:]},
        **paths,
        **{"bindings[80]": "delete-replace"},
    )
    document = preview(changed)
    document["graph"]["resources"][0]["component"] = urn("api", "pull:services:Api")
    for form in (Form.TEXT, Form.MARKDOWN, Form.HTML):
        made = render(Report([document]), form).replace("`", "")
        assert "the API no longer gets JWT_SECRET" in made
        assert "bindings[" not in made


def test_a_hundred_updates_that_are_alike_are_one_line_after_the_policies() -> None:
    steps = [
        step("update", f"t{number}", TOPIC, old={"l": number}, new={"l": number + 1}, l="update")
        for number in range(100)
    ]
    document = preview(*steps)
    document["policies"]["violations"] = [
        {"rule": "r", "level": "advisory", "urn": steps[0]["urn"], "message": "m"}
    ]
    made = markdown(Report([document]))
    assert len(re.findall(r"^- \*\*update\*\*", made, re.MULTILINE)) == 1
    assert "- **update** 100 `gcp:pubsub:Topic`: " in made
    assert made.index("### Policies") < made.index("### Changed")


def test_policies_are_sorted_by_severity_and_not_repeated() -> None:
    by_severity = {rule.severity.value: rule.id for rule in RULES}
    document = preview(step("update", "a", TOPIC), step("update", "b", TOPIC))
    document["policies"]["violations"] = [
        {"rule": by_severity[name], "level": "mandatory", "urn": urn(at, TOPIC), "message": "x\ny"}
        for name in ("low", "medium", "critical", "high")
        if name in by_severity
        for at in ("a", "b", "a")
    ]
    document["diagnostics"] = [{"severity": "warning", "message": "once", "urn": ""}] * 3
    made = markdown(Report([document]))
    found = re.findall(r"^- \*\*mandatory, (\w+)\*\*", made, re.MULTILINE)
    assert found == [name for name in ("critical", "high", "medium", "low") if name in by_severity]
    assert made.count("once") == 1


def test_what_only_comes_later_does_not_depend_on_it() -> None:
    document = preview(step("delete", "a", SQL), step("update", "b"), step("update", "c"))
    document["graph"]["dependencies"] = [
        {"from": urn("b"), "to": urn("a", SQL), "onlyOrder": True},
        {"from": urn("c"), "to": urn("a", SQL), "onlyOrder": False},
    ]
    (stack,) = Report([document]).stacks
    assert [node.name for node in stack.destroyed[0].downstream] == ["c"]


@pytest.mark.parametrize("form", list(Form))
def test_a_changed_output_is_in_every_form(form: Form) -> None:
    changes = [
        {"name": "url", "old": "https://a", "new": "https://b"},
        {"name": "key", "old": "[secret]", "new": "[secret]"},
        {"name": "gone", "old": 1},
    ]
    report = Report([preview(outputChanges=changes)])
    made = render(report, form)
    for text in ("https://a", "https://b", "[secret changed]", "gone"):
        assert text in made
    assert report.risk == "needs review"


def test_an_edit_without_effect_is_not_safe() -> None:
    warning = {
        "severity": "warning",
        "message": "settings.diskSize: 20 has no effect; it stays 100",
        "urn": urn("db", SQL),
    }
    # The words of a message decide nothing.
    assert reported(diagnostics=[warning]).risk == "safe"
    stack = reported(diagnostics=[{**warning, "editWithoutEffect": True}])
    assert stack.risk == "needs review"
    assert [(reason.text, reason.names) for reason in stack.reasons] == [
        ("an edit has no effect", ("db",))
    ]


@pytest.mark.parametrize(
    ("message", "place"),
    [
        (
            "The program failed: KeyError: 'x'\n"
            "  at __main__.py:3 in <module>\n  at components/a.py:9 in f",
            "components/a.py:9",
        ),
        ('Traceback:\n  File "/x/components/b.py", line 7, in f\n    y\nKeyError', "b.py:7"),
        ('  File "/x/__main__.py", line 2\n    (\nSyntaxError: bad', "__main__.py:2"),
    ],
)
def test_an_error_of_the_program_names_its_line_in_the_summary(message: str, place: str) -> None:
    error = {"kind": "engine", "message": message}
    stack = reported(error=error, result="failed")
    assert (stack.reasons[0].text, stack.reasons[0].names) == ("the program failed", (place,))


@pytest.mark.parametrize(
    "document",
    [
        {"steps": [], "diagnostics": [{"severity": "error", "message": "m"}], "duration": 1},
        {"steps": [], "diagnostics": []},
        {"steps": [step("update", "a", BUCKET)], "diagnostics": []},
    ],
)
def test_a_failed_preview_of_the_official_cli_blocks(
    document: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "preview.json"
    path.write_text(json.dumps({"config": {}, **document}))
    report = Report([read_preview(path)])
    assert (report.risk, report.exit_code) == ("blocked", 1)

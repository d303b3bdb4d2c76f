"""The report as a web page: the whole graph, the changes in it, and every difference.

One file that loads nothing: its content security policy allows only its own script and style.
"""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from pathlib import Path
from typing import Any, Final

from pulumi.automation import OpType

from ops.review.report.model import Changed, Report, StackReport
from ops.review.report.risk import is_destructive
from ops.review.report.violations import by_rule
from ops.review.steps import short_type
from ops.sanitize import printable, printable_lines

_FOLDER: Final = Path(__file__).with_name("page")
_SCRIPTS: Final = ("data", "summary", "board", "lines", "detail", "main")
"""The files of the page's script, in order. They share one scope."""

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<div id="judges"></div>
<div class="tabs" id="tabs"></div>
<div id="verdict"></div>
<noscript>This page needs JavaScript; the Markdown and the text form do not.</noscript>
</header>
<div class="tools">
<input id="search" type="search" placeholder="Search names, values, messages ( / )"
 aria-label="Search">
<select id="filter" aria-label="Show">
<option value="changed">Changes</option>
<option value="destroyed">Replaced or deleted</option>
<option value="created">New</option>
<option value="all">All resources</option>
</select>
<span class="soft" id="count" role="status"></span>
<span class="soft" id="above" role="status"></span>
</div>
<main>
<div class="board" id="board"></div>
<aside id="detail" aria-label="Resource" hidden></aside>
</main>
<script type="application/json" id="report">{data}</script>
<script>{script}</script>
</body>
</html>"""


def html(report: Report) -> str:
    """The page, without a final line break."""
    style = (_FOLDER / "page.css").read_text("utf-8")
    script = "\n".join((_FOLDER / f"{name}.js").read_text("utf-8") for name in _SCRIPTS)
    verdicts = ", ".join(f"{printable(stack.stack)}: {stack.risk}" for stack in report.stacks)
    data = _printable(
        {
            "judges": {
                "changed": report.judges.changed,
                "note": report.judges.note,
                "differingVerdicts": list(report.differing_verdicts()),
            },
            "stacks": [_stack(stack) for stack in report.stacks],
        }
    )
    return _PAGE.format(
        title=escape(verdicts),
        policy=(
            f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
            "base-uri 'none'; form-action 'none'"
        ),
        style=style,
        # Only "<" can end a script element early.
        data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        script=script,
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _printable(value: Any) -> Any:
    """``value`` without characters that hide or reverse the text around them."""
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(item) for item in value]
    return printable_lines(value) if isinstance(value, str) else value


def _loss(changed: Changed, stack: StackReport) -> str | None:
    status, loss = stack.loss_text(changed)
    return f"{status}: {loss}." if loss else None


def _stack(stack: StackReport) -> dict[str, Any]:
    """The page's data for a stack.

    An edge has the numbers of two resources, the first of which comes after the second, and whether
    only the order matters because the first uses no value of the second.
    """
    numbers = {urn: number for number, urn in enumerate(stack.nodes)}
    uses = set(stack.uses)
    changes = {
        changed.step.urn: {
            "operation": changed.operation,
            "destroyed": is_destructive(changed.step),
            "loss": _loss(changed, stack),
            "refusal": changed.refused.reason if changed.refused else None,
            "approval": changed.approved.approval if changed.approved else None,
            "summary": changed.summary if changed.step.op is OpType.CREATE else None,
            "dropped": f"{changed.subject} no longer gets {', '.join(changed.dropped_variables)}"
            if changed.dropped_variables
            else None,
            "follows": [node.name for node in changed.follows],
            "properties": [
                # A new version replaces the record of the one before, which loses nothing.
                {**found.to_dict(), "replaces": found.replaces and is_destructive(changed.step)}
                for found in changed.properties
            ],
        }
        for changed in stack.changes
    }
    physical = {changed.step.urn: changed.physical for changed in stack.changes}
    return {
        "stack": stack.stack,
        "verdict": stack.risk.value,
        "summary": stack.sentence,
        "comparedWith": stack.compared_with,
        "actions": list(stack.actions),
        "outputs": [output.to_dict() for output in stack.outputs],
        "reasons": [reason.to_dict() for reason in stack.reasons],
        "counts": dict(stack.counts),
        "traffic": [move.to_dict() for move in stack.moves],
        "failure": stack.failure and stack.failure.to_dict(),
        "rules": stack.rules,
        "violations": [rule.to_dict() for rule in by_rule(stack.violations)],
        "diagnostics": [diagnostic.to_dict() for diagnostic in stack.diagnostics],
        "nodes": [
            {
                "urn": node.urn,
                "name": node.name,
                "physical": physical.get(node.urn, node.physical),
                "type": short_type(node.type),
                "stage": node.component.stage,
                "component": node.component.name,
                "change": changes.get(node.urn),
            }
            for node in stack.nodes.values()
        ],
        "edges": [
            [numbers[needing], numbers[needed], (needing, needed) not in uses]
            for needing, needed in stack.edges
        ],
    }

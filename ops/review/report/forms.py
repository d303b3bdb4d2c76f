"""The forms of a report, and where it is written."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path

from ops.errors import WrongInput
from ops.review.report.html import html
from ops.review.report.markdown import markdown
from ops.review.report.model import Report
from ops.review.report.text import text


class Form(StrEnum):
    """What a report can be written as."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"


def render(report: Report, form: Form, whole: str = "") -> str:
    """The report in a form, without a line break at its end.

    Args:
        whole: where people find what a cut Markdown report leaves out.
    """
    match form:
        case Form.TEXT:
            return text(report)
        case Form.MARKDOWN:
            return markdown(report, whole)
        case Form.JSON:
            return json.dumps(report.to_dict(), indent=2)
        case Form.HTML:
            return html(report)


def write(path: Path, rendered: str) -> None:
    """Write a rendered report.

    Raises:
        WrongInput: there is no such folder, or it may not be written to.
    """
    try:
        path.write_text(f"{rendered}\n", "utf-8")
    except OSError as error:
        raise WrongInput("report", f"--out {path} cannot be written: {error}") from None

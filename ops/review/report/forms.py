"""Renders a report in each of its forms, and writes it to a file."""

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
    """The form of a report."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"


def render(report: Report, form: Form, full_report_url: str = "") -> str:
    """The report in a form, without a final line break.

    Args:
        full_report_url: where people find what a shortened Markdown report leaves out.
    """
    match form:
        case Form.TEXT:
            return text(report)
        case Form.MARKDOWN:
            return markdown(report, full_report_url)
        case Form.JSON:
            return json.dumps(report.to_dict(), indent=2)
        case Form.HTML:
            return html(report)


def write(path: Path, rendered: str) -> None:
    """Write a rendered report.

    Raises:
        WrongInput: the folder does not exist or is not writable.
    """
    try:
        path.write_text(f"{rendered}\n", "utf-8")
    except OSError as error:
        raise WrongInput("report", f"--out {path} cannot be written: {error}") from None

"""A secret value leaves ops through no channel: planted values are searched for in each of them."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Final

import pytest

from ops.review.envelope import Envelope
from ops.review.report.forms import Form, render
from ops.review.report.model import Report
from tests.mini_project import PLANTED as STORED
from tests.mini_project import MiniProject

MARKED: Final = "mArk3d-by-7he-pr0gram"
"""Marked with ``Output.secret``, and shown in every way, with and without its mark."""
CREDENTIAL: Final = "cr3d-1n-7he-v4riables"
"""In a variable of the environment."""
PLANTED: Final = (MARKED, CREDENTIAL, STORED)

_SHOWS: Final = f'''
import base64, json, os, subprocess, sys
from urllib.parse import quote

marked = pulumi.Output.secret("{MARKED}")
for value in ("{MARKED}", os.environ["PULL_TEST_TOKEN"]):
    print("printed", value)
    print("printed in pieces", value[:9])
    print(value[9:])
    os.write(1, b"as bytes " + value.encode() + b"\\n")
    subprocess.run(["echo", "in another process", value])
    print("to standard error", value, file=sys.stderr)
    sys.stderr.write(json.dumps({{"json": "a" + value}}) + "\\n")
    pulumi.log.warn("warned of " + value + " and " + base64.b64encode(value.encode()).decode())
    pulumi.log.warn("wrapped\\n" + value[:10] + "\\n" + value[10:])
    pulumi.log.warn("at https://x/?p=" + quote("<" + value + ">"))
'''

_RAISES: Final = """
def connect(password):
    try:
        raise KeyError(password)
    except KeyError as error:
        raise ConnectionError(f"postgres://pull:{password}@10.0.0.3/pull") from error

"""
_AT_ONCE: Final = f'connect("{MARKED}")'
_IN_AN_OUTPUT: Final = "marked.apply(connect)"

_DERIVES: Final = """
plain = pulumi.Output.unsecret(marked)
gcp.storage.Bucket(
    "leak",
    name=plain.apply(str.lower),
    location="US",
    website={
        "main_page_suffix": plain,
        "not_found_page": plain.apply(lambda text: f"redis://:{text}@10.0.0.3"),
    },
    opts=ResourceOptions(provider=provider),
)
pulumi.export("marked", marked)
pulumi.export("whole", plain)
pulumi.export("pieces", plain.apply(lambda text: [text[:10], text[10:]]))
"""


@pytest.fixture
def project(tmp_path: Path, checkout: Path, engine: Path) -> MiniProject:
    assert engine.exists()
    return MiniProject(tmp_path / "tiny", checkout)


def append(project: MiniProject, *statements: str) -> None:
    """Let the program end with these statements."""
    program = project.root / "__main__.py"
    program.write_text("\n".join([program.read_text("utf-8"), *statements, ""]), "utf-8")


def run(project: MiniProject, *arguments: str) -> tuple[int, str, str]:
    """Run a command; its exit code, and what it printed, which has no planted value."""
    done = project.ops(*arguments, *project.here(), variables={"PULL_TEST_TOKEN": CREDENTIAL})
    refuse_planted(done.stdout)
    refuse_planted(done.stderr)
    return done.returncode, done.stdout, done.stderr


def refuse_planted(text: str) -> None:
    """Fail if a planted value is in the text: whole, wrapped, in base64, or a half of it."""
    joined = re.sub(r"\s+", "", text)
    for planted in PLANTED:
        encoded = base64.b64encode(planted.encode()).decode()
        for form in (planted, planted[:12], planted[9:], encoded[:16], encoded[-16:-4]):
            assert len(form) < 8 or form not in joined


@pytest.mark.parametrize("ends", [_AT_ONCE, _IN_AN_OUTPUT], ids=["at once", "in an output"])
def test_an_exception_of_the_program_shows_no_secret(project: MiniProject, ends: str) -> None:
    append(project, _SHOWS, _RAISES, ends)
    code, out, err = run(project, "preview", "--json")
    document = json.loads(out)
    assert code == 1
    assert document["policies"]["passed"] is False
    assert "ConnectionError: postgres://pull:[secret]@10.0.0.3/pull" in document["error"]["message"]
    assert "warned of [secret] and [secret]" in [
        item["message"] for item in document["diagnostics"]
    ]
    assert "printed [secret]" in err
    for form in Form:
        refuse_planted(render(Report([document]), form))


def test_no_operation_shows_a_secret(project: MiniProject, tmp_path: Path) -> None:
    append(project, _SHOWS, _DERIVES)
    project.commit()
    record = tmp_path / "record.json"
    code, out, _ = run(project, "preview", "--json", "--record", str(record))
    assert code == 0, out
    recorded = Envelope.read(record).content.decode()
    assert "[secret]" in recorded
    refuse_planted(recorded)
    document = json.loads(out)
    assert document["outputs"]["pieces"] == ["[secret]"]
    leak = next(step for step in document["steps"] if step["urn"].endswith("leak"))
    assert leak["newState"]["inputs"]["website"] == {
        "mainPageSuffix": "[secret]",
        "notFoundPage": "redis://:[secret]@10.0.0.3",
    }
    for form in Form:
        refuse_planted(render(Report([document]), form))

    code, out, _ = run(project, "up", "--yes")
    assert code == 0, out
    for verb in (["preview"], ["graph"], ["drift", "--json"]):
        code, out, err = run(project, *verb)
        assert code == 0, out + err
    code, out, _ = run(project, "destroy", "--yes", "--json")
    assert json.loads(out)["error"]["kind"] == "policies"  # the guard keeps the bucket


def test_an_error_of_a_provider_shows_no_secret(project: MiniProject) -> None:
    """The name of the bucket is taken, and the error names it."""
    append(
        project, _SHOWS, _DERIVES, _DERIVES.replace('"leak"', '"again"').split("pulumi.export")[0]
    )
    code, out, _ = run(project, "up", "--yes")
    assert code == 1
    assert "[secret]" in out

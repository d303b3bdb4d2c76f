"""``python -m sandbox``: list the cloud, and change it by hand."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from resource_types import gcp
from sandbox.__main__ import app
from sandbox.cloud import Cloud
from sandbox.values import secret
from tests.console import enable_apis

# The SDKs warn about deprecated names while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of")

HIDDEN = "hunter2-must-stay-hidden"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    enable_apis(tmp_path, "pull-test", "pubsub", "secretmanager")
    cloud = Cloud(tmp_path)
    settings = {"project": "pull-test", "region": "us-central1"}
    replication: dict[str, object] = {"auto": {}}
    cloud.create("u1", gcp.TOPIC, {"name": "same"}, settings)
    cloud.create("u2", gcp.SECRET, {"secretId": "same", "replication": replication}, settings)
    payload = {"secret": "projects/pull-test/secrets/same", "secretData": secret(HIDDEN)}
    cloud.create("u3", gcp.SECRET_VERSION, payload, settings)
    cloud.close()
    return tmp_path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_list_shows_everything_but_secrets(folder: Path) -> None:
    listed = run("list", "--dir", folder)
    assert listed.exit_code == 0
    assert "gcp:pubsub/topic:Topic  projects/pull-test/topics/same" in listed.stdout
    assert listed.stdout.endswith("5 resources in the cloud\n")
    as_json = run("list", "--dir", folder, "--json").stdout
    assert [resource["type"] for resource in json.loads(as_json)] == [
        gcp.PROJECT_SERVICE,
        gcp.PROJECT_SERVICE,
        gcp.TOPIC,
        gcp.SECRET,
        gcp.SECRET_VERSION,
    ]
    assert HIDDEN not in listed.stdout + as_json
    assert json.loads(as_json)[-1]["outputs"]["secretData"] == "[secret]"


def test_edit_and_remove_change_the_cloud(folder: Path) -> None:
    topic = "projects/pull-test/topics/same"
    edited = run("edit", "--dir", folder, topic, 'labels.owner="somebody"')
    assert (edited.exit_code, edited.stdout) == (
        0,
        f"changed labels.owner of {gcp.TOPIC} {topic}\n",
    )
    cloud = Cloud(folder)
    changed = cloud.read(gcp.TOPIC, topic)
    assert changed is not None
    assert changed.inputs["labels"] == changed.outputs["labels"] == {"owner": "somebody"}
    cloud.close()
    assert run("remove", "--dir", folder, "projects/pull-test/secrets/same").exit_code == 0
    assert run("list", "--dir", folder).stdout.endswith("3 resources in the cloud\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing", "labels={}"], "there is no 'nothing'"),
        (["same", "labels={}"], "the name of 2 resources"),
        (["projects/pull-test/topics/same", "labels"], "is not JSON"),
        (["projects/pull-test/topics/same", "labels=x"], "is not JSON"),
        (["projects/pull-test/topics/same", "lables={}"], "has no lables; it has"),
        (["projects/pull-test/topics/same", "labels=[]"], "expected an object, got a list"),
        (["projects/pull-test/topics/same", "name.x=1"], "does not lead to a property"),
    ],
)
def test_wrong_arguments_are_explained(folder: Path, arguments: list[str], message: str) -> None:
    result = run("edit", "--dir", folder, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_without_a_cloud_is_an_error_and_stays_empty(tmp_path: Path) -> None:
    result = run("list", "--dir", tmp_path)
    assert result.exit_code == 2
    assert "there is no cloud" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_serve_prints_the_variables_and_stops_on_interrupt(tmp_path: Path) -> None:
    # As in the background, where a shell makes a command ignore SIGINT.
    ignoring = ["env", "--ignore-signal=INT"]
    command = [*ignoring, sys.executable, "-m", "sandbox", "serve", "--dir", str(tmp_path)]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True
    ) as served:
        assert served.stdout is not None
        line = served.stdout.readline()
        served.send_signal(signal.SIGINT)
        assert served.wait(timeout=20) == 0
    name, _, ports = line.strip().partition("=")
    assert name == "export PULUMI_DEBUG_PROVIDERS"
    providers = dict(port.split(":") for port in ports.split(","))
    assert providers.keys() == {
        *("gcp", "cloudflare", "vercel", "kubernetes", "random", "pulumiservice"),
        *("pulumi-nodejs", "pulumi-python"),
    }
    assert all(int(port) > 0 for port in providers.values())


def test_the_program_and_its_policies_do_not_import_the_sandbox() -> None:
    root = Path(__file__).parents[1]
    importing = [
        str(path.relative_to(root))
        for package in ("components", "policies", "resource_types")
        for path in (root / package).rglob("*.py")
        if re.search(r"^\s*(from|import) sandbox\b", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert importing == []

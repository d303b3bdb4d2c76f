"""``ops render``: the manifests as files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from pulumi.automation import OpType

from ops.errors import Refused, WrongInput
from ops.review.redaction import SECRET
from ops.review.render import FILES, MARK, manifests, refuse_foreign, write
from ops.review.steps import State, Step
from resource_types import RESOURCE_TYPES, kubernetes
from tests.manifests import check
from tests.stack_lifecycle import StackLifecycle

KINDS: Final = {
    "namespace.yaml": ["Namespace"],
    "priority-classes.yaml": ["PriorityClass"] * 2,
    "service-accounts.yaml": ["ServiceAccount"] * 3,
    "configmaps.yaml": ["ConfigMap"] * 5,
    "external-secrets.yaml": ["SecretStore", "ExternalSecret"],
    "network-policies.yaml": ["NetworkPolicy"] * 7,
    "api-deployment.yaml": ["Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget"],
    "worker-deployment.yaml": ["Deployment", "HorizontalPodAutoscaler"],
    "ingress.yaml": ["Ingress"],
    "services.yaml": ["Service"],
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, checkout: Path, engine: Path) -> StackLifecycle:
    assert engine.exists()
    stack = StackLifecycle.begin(
        checkout, tmp_path_factory.mktemp("render") / "stack", "production"
    )
    stack.settings(runtime="kubernetes")
    return stack


@pytest.fixture(scope="module")
def rendered(stack: StackLifecycle) -> Path:
    out = stack.folder / "manifests"
    done = stack.render(out)
    assert done.returncode == 0, done.stdout + done.stderr
    applied = [line for line in done.stdout.splitlines() if line.startswith("kubectl")]
    assert applied == [f"kubectl apply -f {out / name}" for name in FILES]
    return out


def documents(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in FILES:
        for document in yaml.safe_load_all((folder / name).read_text("utf-8")):
            yield name, document


def test_the_files_of_the_runbook_and_their_contents(rendered: Path) -> None:
    assert {path.name for path in rendered.iterdir()} == set(FILES) == set(KINDS)
    found: dict[str, list[str]] = {}
    for name, document in documents(rendered):
        found.setdefault(name, []).append(document["kind"])
    assert found == KINDS


def test_every_manifest_follows_its_schema(rendered: Path) -> None:
    for name, document in documents(rendered):
        assert check(document) == [], (name, document["metadata"]["name"])


def test_the_files_are_reproducible_and_the_sandbox_is_removed(
    stack: StackLifecycle, rendered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = stack.folder / "again"
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # no process listens there
    assert stack.render(again, "--json").returncode == 0
    for name in FILES:
        assert (again / name).read_bytes() == (rendered / name).read_bytes()
    assert list((stack.folder / "tmp").iterdir()) == []


def test_no_file_holds_a_secret_or_an_annotation_for_the_engine(rendered: Path) -> None:
    for name in FILES:
        text = (rendered / name).read_text("utf-8")
        assert "pulumi.com/" not in text
        assert SECRET not in text
    for _, document in documents(rendered):
        assert document["kind"] != "Secret"


def test_a_managed_stack_has_nothing_to_render(stack: StackLifecycle, tmp_path: Path) -> None:
    managed = StackLifecycle.begin(stack.checkout, tmp_path / "stack", "staging")
    done = managed.render(tmp_path / "out", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["kind"] == "runtime"
    assert "pull:runtime is managed" in json.loads(done.stdout)["error"]["message"]
    assert not (tmp_path / "out").exists()


def test_files_of_other_authors_are_not_overwritten(tmp_path: Path) -> None:
    refuse_foreign(tmp_path / "not there")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "namespace.yaml").write_text(f"{MARK} --stack staging\n")
    refuse_foreign(tmp_path)
    (tmp_path / "ingress.yaml").write_text("kind: Ingress\n")
    with pytest.raises(WrongInput, match=r"holds ingress\.yaml, which this command has not"):
        refuse_foreign(tmp_path)
    with pytest.raises(WrongInput, match="is a file"):
        refuse_foreign(tmp_path / "notes.txt")


def test_a_file_that_is_no_longer_needed_is_deleted(tmp_path: Path) -> None:
    manifest = {"kind": "Namespace", "metadata": {"name": "pull"}}
    write({"namespace.yaml": [manifest], "ingress.yaml": [manifest]}, "staging", tmp_path)
    written = write({"namespace.yaml": [manifest]}, "staging", tmp_path)
    assert written == [tmp_path / "namespace.yaml"]
    assert [path.name for path in tmp_path.iterdir()] == ["namespace.yaml"]


@pytest.mark.parametrize("refused", ["file/below", "file"])
def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path, refused: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WrongInput, match=rf"--out .*{refused}: (Not a directory|File exists)\."):
        write({}, "staging", tmp_path / refused)


def test_every_yaml_parser_reads_a_text_as_a_text(tmp_path: Path) -> None:
    # YAML 1.1, YAML 1.2 and the Go parser in kubectl differ in what they read as another type.
    texts = ["1e3", "1234567890123e45", "0o17", "0x1f", "1_000", "1:30", ".5", "+1", "08", ".inf"]
    texts += ["y", "N", "on", "No", "TRUE", "null", "~", "", "-", "=", "<<", "2026-01-01"]
    data = {f"key{position}": text for position, text in enumerate(texts)}
    manifest = {"kind": "ConfigMap", "metadata": {"name": "pull"}, "data": data}
    write({"configmaps.yaml": [manifest]}, "staging", tmp_path)
    written = (tmp_path / "configmaps.yaml").read_text("utf-8")
    for key, text in data.items():
        assert f"  {key}: '{text}'\n" in written
    assert yaml.safe_load(written) == manifest


UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def creation(token: str, component: str, name: str, **inputs: Any) -> Step:
    """The creation of a Kubernetes object in a component."""
    urn = f"urn:pulumi:staging::pull::{component}${token}::{name}"
    manifest = {"apiVersion": "v1", "metadata": {"name": name}, **inputs}
    state = State(
        urn=urn,
        type=token,
        id="",
        parent="",
        provider="",
        custom=True,
        protect=False,
        inputs=manifest,
        outputs={},
    )
    return Step(
        op=OpType.CREATE,
        urn=urn,
        type=token,
        provider="",
        old=None,
        new=state,
        diff_reasons=(),
        replace_reasons=(),
        detailed_diff={},
    )


@pytest.mark.parametrize(("value", "what"), [(SECRET, "is secret"), (UNKNOWN, "not known before")])
def test_what_no_file_can_hold_is_refused(value: str, what: str) -> None:
    step = creation(
        kubernetes.CONFIG_MAP,
        "pull:kubernetes:ConfigMaps",
        "config-maps-shared",
        kind="ConfigMap",
        data={"LOG_LEVEL": value},
    )
    with pytest.raises(Refused, match=rf"config-maps-shared\.data\.LOG_LEVEL .*{what}"):
        manifests([step])


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        (kubernetes.CRON_JOB, "CronJob"),
        (kubernetes.DEPLOYMENT, "Deployment"),
        ("kubernetes:example.com/v1:Widget", "Widget"),
    ],
)
def test_a_kind_without_a_file_is_refused(token: str, kind: str) -> None:
    step = creation(token, "pull:kubernetes:Reports", "reports-nightly", kind=kind)
    with pytest.raises(Refused) as refusal:
        manifests([step])
    message = str(refusal.value)
    assert message.startswith(f"reports-nightly is a {kind}, ")
    assert token in message
    assert "resource_types/kubernetes.py" in message


def test_every_file_of_the_registry_is_written() -> None:
    assert {record.manifest for record in RESOURCE_TYPES.values() if record.manifest} < set(FILES)

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
from ops.review.events import SECRET, State, Step
from ops.review.render import FILES, MARK, manifests, refuse_foreign, write
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
def life(tmp_path_factory: pytest.TempPathFactory, checkout: Path, engine: Path) -> StackLifecycle:
    assert engine.exists()
    life = StackLifecycle.begin(checkout, tmp_path_factory.mktemp("render") / "life", "production")
    life.settings(runtime="kubernetes")
    return life


@pytest.fixture(scope="module")
def rendered(life: StackLifecycle) -> Path:
    out = life.folder / "manifests"
    done = life.render(out)
    assert done.returncode == 0, done.stdout + done.stderr
    applied = [line for line in done.stdout.splitlines() if line.startswith("kubectl")]
    assert applied == [f"kubectl apply -f {out / name}" for name in FILES]
    return out


def documents(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in FILES:
        for document in yaml.safe_load_all((folder / name).read_text("utf-8")):
            yield name, document


def test_the_files_of_the_runbook_and_what_is_in_each(rendered: Path) -> None:
    assert {path.name for path in rendered.iterdir()} == set(FILES) == set(KINDS)
    found: dict[str, list[str]] = {}
    for name, document in documents(rendered):
        found.setdefault(name, []).append(document["kind"])
    assert found == KINDS


def test_every_manifest_is_what_its_schema_says(rendered: Path) -> None:
    for name, document in documents(rendered):
        assert check(document) == [], (name, document["metadata"]["name"])


def test_it_is_the_same_each_time_and_no_sandbox_stays(
    life: StackLifecycle, rendered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = life.folder / "again"
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody listens there
    assert life.render(again, "--json").returncode == 0
    for name in FILES:
        assert (again / name).read_bytes() == (rendered / name).read_bytes()
    assert list((life.folder / "tmp").iterdir()) == []


def test_no_file_holds_a_secret_or_what_only_the_engine_reads(rendered: Path) -> None:
    for name in FILES:
        text = (rendered / name).read_text("utf-8")
        assert "pulumi.com/" not in text
        assert SECRET not in text
    for _, document in documents(rendered):
        assert document["kind"] != "Secret"


def test_a_managed_stack_has_nothing_to_render(life: StackLifecycle, tmp_path: Path) -> None:
    managed = StackLifecycle.begin(life.checkout, tmp_path / "life", "staging")
    done = managed.render(tmp_path / "out", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["kind"] == "runtime"
    assert "pull:runtime is managed" in json.loads(done.stdout)["error"]["message"]
    assert not (tmp_path / "out").exists()


def test_nothing_of_others_is_overwritten(tmp_path: Path) -> None:
    refuse_foreign(tmp_path / "not there")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "namespace.yaml").write_text(f"{MARK} --stack staging\n")
    refuse_foreign(tmp_path)
    (tmp_path / "ingress.yaml").write_text("kind: Ingress\n")
    with pytest.raises(WrongInput, match=r"holds ingress\.yaml, which this command has not"):
        refuse_foreign(tmp_path)
    with pytest.raises(WrongInput, match="is a file"):
        refuse_foreign(tmp_path / "notes.txt")


def test_a_file_of_ours_that_is_empty_now_goes_away(tmp_path: Path) -> None:
    one = {"kind": "Namespace", "metadata": {"name": "pull"}}
    write({"namespace.yaml": [one], "ingress.yaml": [one]}, "staging", tmp_path)
    assert write({"namespace.yaml": [one]}, "staging", tmp_path) == [tmp_path / "namespace.yaml"]
    assert [path.name for path in tmp_path.iterdir()] == ["namespace.yaml"]


@pytest.mark.parametrize("refused", ["file/below", "file"])
def test_a_folder_that_cannot_be_is_said_so(tmp_path: Path, refused: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WrongInput, match=rf"--out .*{refused}: (Not a directory|File exists)\."):
        write({}, "staging", tmp_path / refused)


def test_every_reader_of_yaml_takes_a_text_for_a_text(tmp_path: Path) -> None:
    # YAML 1.1 and 1.2, and Go's reader in kubectl, differ in what they take for something else.
    texts = ["1e3", "1234567890123e45", "0o17", "0x1f", "1_000", "1:30", ".5", "+1", "08", ".inf"]
    texts += ["y", "N", "on", "No", "TRUE", "null", "~", "", "-", "=", "<<", "2026-01-01"]
    said = {f"key{position}": text for position, text in enumerate(texts)}
    one = {"kind": "ConfigMap", "metadata": {"name": "pull"}, "data": said}
    write({"configmaps.yaml": [one]}, "staging", tmp_path)
    written = (tmp_path / "configmaps.yaml").read_text("utf-8")
    for key, text in said.items():
        assert f"  {key}: '{text}'\n" in written
    assert yaml.safe_load(written) == one


UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@pytest.mark.parametrize(("value", "what"), [(SECRET, "is secret"), (UNKNOWN, "not known before")])
def test_what_no_file_can_hold_is_refused(value: str, what: str) -> None:
    kind = "kubernetes:core/v1:ConfigMap"
    urn = f"urn:pulumi:staging::pull::pull:kubernetes:ConfigMaps${kind}::config-maps-shared"
    inputs = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "pull-shared-config"},
        "data": {"LOG_LEVEL": value},
    }
    state = State(
        urn=urn,
        type=kind,
        id="",
        parent="",
        provider="",
        custom=True,
        protect=False,
        inputs=inputs,
        outputs={},
    )
    step = Step(
        op=OpType.CREATE,
        urn=urn,
        type=kind,
        provider="",
        old=None,
        new=state,
        diff_reasons=(),
        replace_reasons=(),
        detailed_diff={},
    )
    with pytest.raises(Refused, match=rf"config-maps-shared\.data\.LOG_LEVEL .*{what}"):
        manifests([step])

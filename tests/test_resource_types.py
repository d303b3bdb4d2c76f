"""The registry is complete: every type that the estate makes has a record with every decision."""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest

from resource_types import RESOURCE_TYPES, ResourceType
from resource_types.record import EVERY_INPUT, describe
from sandbox.schema import UnknownType, schema_of
from tests.inventory import FOLDER

ROOT: Final = Path(__file__).resolve().parent.parent
PROVIDERS: Final = ("cloudflare:", "gcp:", "kubernetes:", "pulumiservice:", "random:", "vercel:")
MODULES: Final = {"random": "pulumi_random"}


def types_of_the_estate() -> set[str]:
    """The provider types in the inventories of all stacks."""
    rows = [row for file in FOLDER.glob("*.json") for row in json.loads(file.read_text("utf-8"))]
    return {row["type"] for row in rows if row["type"].startswith(PROVIDERS)}


def test_every_type_of_the_estate_has_a_record() -> None:
    missing = [
        f"{token} has no record. Add it to resource_types/{MODULES.get(name, name)}.py and decide "
        "summary_fields, loss, permissions and exposes_endpoint."
        for token in sorted(types_of_the_estate() - RESOURCE_TYPES.keys())
        for name in [token.partition(":")[0]]
    ]
    assert not missing, "\n".join(missing)


def test_every_decision_is_made() -> None:
    undecided = [
        f"{record.token}: {field} is not decided."
        for record in RESOURCE_TYPES.values()
        for field in record.undecided
    ]
    assert not undecided, "\n".join(undecided)


def test_a_missing_decision_is_named_and_counts_as_dangerous(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(RESOURCE_TYPES, describe("gcp:new/thing:Thing", loss=None))
    record = ResourceType(token="gcp:new/thing:Thing", loss=None)
    assert record.undecided == ("summary_fields", "outage", "permissions", "exposes_endpoint")
    assert record.outage
    assert record.permissions
    assert record.exposes_endpoint


def test_a_type_has_one_record() -> None:
    with pytest.raises(ValueError, match="two records"):
        describe(next(iter(RESOURCE_TYPES)))


@pytest.mark.parametrize("record", RESOURCE_TYPES.values(), ids=lambda record: record.token)
def test_every_path_is_an_input_of_the_sdk(record: ResourceType) -> None:
    """A property that the installed SDK does not have cannot sum up, lock or replace anything."""
    try:
        inputs = schema_of(record.token).inputs
    except UnknownType:
        assert record.token.startswith("kubernetes:external-secrets.io/")
        return
    paths = {
        *record.summary_fields,
        *record.exposure_properties,
        *record.deletion_locks,
        *record.ignore_changes,
        *record.replace_on,
        *record.variables,
        *record.file_contents,
        *filter(None, (record.name_property, record.pod_spec)),
        *((record.traffic.path,) if record.traffic else ()),
    } - {EVERY_INPUT}
    if record.permissions == "grants":
        paths.discard("role")  # of a policy and of a Kubernetes role there is none
    unknown = sorted(
        path for path in paths if re.split(r"[.\[]", path, maxsplit=1)[0] not in inputs.fields
    )
    assert not unknown, f"{record.token} has no input {', '.join(unknown)}"


def test_a_type_token_stands_in_one_production_file() -> None:
    """Everything else imports the constant."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py", ":!tests"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    places: dict[str, set[str]] = defaultdict(set)
    for name in listed:
        path = ROOT / name
        text = path.read_text("utf-8") if path.exists() else ""
        for token in re.findall(rf'"((?:{"|".join((*PROVIDERS, "pull:"))})[\w./]+:\w+)"', text):
            places[token].add(name)
    repeated = {
        token: sorted(files)
        for token, files in places.items()
        if len(files) > 1 or not next(iter(files)).startswith("resource_types/")
    }
    assert not repeated, "\n".join(f"{token}: {files}" for token, files in repeated.items())

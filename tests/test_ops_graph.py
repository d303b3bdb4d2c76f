"""The graph drawn from a preview is the graph that the engine keeps after an up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.mini_project import MiniProject


@pytest.fixture
def project(tmp_path: Path, checkout: Path, engine: Path) -> MiniProject:
    assert engine.exists()
    return MiniProject(tmp_path / "tiny", checkout)


def graph(project: MiniProject) -> dict[str, Any]:
    done = project.ops("graph", *project.here(), "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_the_drawing(project: MiniProject) -> None:
    done = project.ops("graph", *project.here())
    assert done.returncode == 0, done.stderr
    store = "<br/>Secret pull-tiny-{0}<br/>Bucket pull-tiny-{0}<br/>RandomPassword {0}-password"
    assert done.stdout.splitlines() == [
        "flowchart TD",
        '  subgraph stage1["1 infrastructure"]',
        f'    alpha["<b>alpha</b>{store.format("alpha")}<br/>SecretVersion alpha-version"]',
        "  end",
        '  subgraph stage3["3 api"]',
        f'    beta["<b>beta</b>{store.format("beta")}<br/>SecretVersion beta-version"]',
        "  end",
        "  alpha --> beta",
    ]


def test_it_equals_the_engine_s_dependencies_after_an_up(project: MiniProject) -> None:
    planned = graph(project)
    project.run("up")
    state = next((project.sandbox / "state").glob(".pulumi/stacks/*/production.json"))
    resources = json.loads(state.read_text())["checkpoint"]["latest"]["resources"]
    kept = {
        (resource["urn"], needed)
        for resource in resources
        for needed in resource.get("dependencies", ())
    }
    assert {(edge["from"], edge["to"]) for edge in planned["dependencies"]} == kept
    assert len(kept) == 5  # two versions need a secret and a password each, one bucket another
    urns = {resource["urn"] for resource in resources}
    assert {node["urn"] for node in planned["resources"]} == urns
    after = graph(project)
    assert after["dependencies"] == planned["dependencies"]
    assert [node["stage"] for node in after["resources"]] == [
        node["stage"] for node in planned["resources"]
    ]


def test_a_program_that_fails_draws_nothing(project: MiniProject) -> None:
    project.write(fail="error")
    done = project.ops("graph", *project.here())
    assert done.returncode == 1
    assert done.stdout == ""
    assert "KeyError: 'no such worker'" in done.stderr


def test_a_policy_that_fails_is_the_reason_that_there_is_no_graph(project: MiniProject) -> None:
    project.write(location="ASIA")
    done = project.ops("graph", *project.here())
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no graph:\ntiny-location  alpha-bucket\n" in done.stderr
    assert "a bucket must not be in Asia" in done.stderr

"""The image registry, under the address that the runbook pushes to."""

from __future__ import annotations

from components.platform.registry import Registry, RegistryArgs
from tests.recorder import Neighbours, record, side_by_side


def make(name: str, near: Neighbours) -> Registry:
    return Registry(
        name,
        RegistryArgs(
            project="pull-production",
            settings=near.settings.registry,
            protect=near.settings.protect,
            pusher="serviceAccount:ci",
            services=near.project,
        ),
    )


def test_children() -> None:
    assert side_by_side(make).listed("one") == [
        ("gcp:artifactregistry/repository:Repository", "one-gcr"),
        ("gcp:artifactregistry/repositoryIamMember:RepositoryIamMember", "one-pusher"),
    ]


def test_repository_answers_at_gcr_io_and_keeps_what_a_rollback_needs() -> None:
    recording = record(lambda: make("registry", Neighbours()))
    repository = recording["registry-gcr"]
    assert repository.inputs == {
        "project": "pull-production",
        "location": "us",
        "repositoryId": "gcr.io",
        "format": "DOCKER",
        "description": "Images of the PULL backend",
        "cleanupPolicies": [
            {"id": "keep-newest", "action": "KEEP", "mostRecentVersions": {"keepCount": 50}},
            {
                "id": "delete-untagged",
                "action": "DELETE",
                "condition": {"tagState": "UNTAGGED", "olderThan": "2592000s"},
            },
        ],
    }
    assert repository.waits_for == {"project-artifactregistry"}
    assert repository.protect
    assert not record(lambda: make("registry", Neighbours(protect=False)))["registry-gcr"].protect


def test_only_ci_pushes() -> None:
    recording = record(lambda: make("registry", Neighbours()))
    assert recording["registry-pusher"].inputs == {
        "project": "pull-production",
        "location": "us",
        "repository": "<registry-gcr.name>",
        "role": "roles/artifactregistry.writer",
        "member": "serviceAccount:ci",
    }

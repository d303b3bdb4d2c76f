"""The Google Cloud project: enabled services and their agents."""

from __future__ import annotations

from components.platform.project import AGENTS, SERVICES, Project
from tests.recorder import record, side_by_side


def test_children() -> None:
    recording = side_by_side(lambda name, _: Project(name, "pull-production"))
    assert recording.listed("one") == sorted(
        [
            *(("gcp:projects/service:Service", f"one-{service}") for service in SERVICES),
            *(
                ("gcp:projects/serviceIdentity:ServiceIdentity", f"one-{service}-agent")
                for service in AGENTS
            ),
        ]
    )


def test_enables_what_the_estate_calls_and_leaves_it_on() -> None:
    recording = record(lambda: Project("project", "pull-production"))
    services = recording.of_type("gcp:projects/service:Service")
    assert sorted(resource.inputs["service"] for resource in services) == [
        "artifactregistry.googleapis.com",
        "cloudkms.googleapis.com",
        "cloudresourcemanager.googleapis.com",
        "compute.googleapis.com",
        "iam.googleapis.com",
        "iamcredentials.googleapis.com",
        "pubsub.googleapis.com",
        "redis.googleapis.com",
        "run.googleapis.com",
        "secretmanager.googleapis.com",
        "servicenetworking.googleapis.com",
        "sqladmin.googleapis.com",
        "storage.googleapis.com",
        "sts.googleapis.com",
        "vpcaccess.googleapis.com",
    ]
    for resource in services:
        assert resource.inputs == {
            "project": "pull-production",
            "service": resource.inputs["service"],
            "disableOnDestroy": False,
        }


def test_an_agent_comes_after_its_service() -> None:
    recording = record(lambda: Project("project", "pull-production"))
    agent = recording["project-sqladmin-agent"]
    assert agent.inputs == {"project": "pull-production", "service": "sqladmin.googleapis.com"}
    assert agent.waits_for == {"project-sqladmin"}


def test_ready_names_the_services_to_wait_for() -> None:
    def program() -> None:
        project = Project("project", "pull-production")
        Project("later", "pull-production", project.ready("run", "iam"))

    recording = record(program)
    assert recording["later"].waits_for == {"project-run", "project-iam"}

"""Pulumi Deployments: what a stack that names an organization gets, and no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.config.errors import SettingsError
from components.delivery.deployments import Deployments, DeploymentsArgs
from policies.rules import PACK
from tests.recorder import Neighbours, Recording, Secret, estate, record, settings, side_by_side

SECTION = {"organization": "pull-org", "events_url": "https://events.pull.com/pulumi"}
REVIEWS = {**SECTION, "review_stacks": {"until": "2027-01-01T00:00:00Z"}}
STAGING = {"environment": "staging", "protect": False, "chain": {"network": "polygon-amoy"}}
HERE = {"organization": "pull-org", "project": "pull"}
SETTINGS = "pulumiservice:index:DeploymentSettings"
GROUP = "pulumiservice:index:PolicyGroup"
POLICIES = Path(__file__).parents[1] / "policies"


def make(name: str, near: Neighbours) -> Deployments:
    cloud = near.settings.pulumi_cloud
    assert cloud is not None
    return Deployments(
        name,
        DeploymentsArgs(
            settings=cloud,
            environment=near.settings.environment,
            repository="pull/pull",
            project="pull-production",
            project_number="100000000001",
            identity=near.identity,
        ),
    )


def recording(stack: str, **sections: Any) -> Recording:
    return record(lambda: make("deployments", Neighbours(**sections)), stack)


def test_children() -> None:
    assert side_by_side(make, pulumi_cloud=SECTION).listed("one") == [
        (
            "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
            "one-sign-in",
        ),
        ("gcp:serviceaccount/iAMMember:IAMMember", "one-lent"),
        (SETTINGS, "one-settings"),
        ("pulumiservice:index:DriftSchedule", "one-drift"),
        (GROUP, "one-policies-production"),
        (GROUP, "one-policies-staging"),
        ("pulumiservice:index:StackTags", "one-tags"),
        ("pulumiservice:index:Webhook", "one-events"),
        ("random:index/randomPassword:RandomPassword", "one-events-key"),
    ]


def test_production_is_previewed_and_never_released_from_here() -> None:
    found = recording("production", pulumi_cloud=SECTION)
    assert found["deployments-settings"].inputs == {
        **HERE,
        "stack": "production",
        "sourceContext": {"git": {"branch": "refs/heads/main"}},
        "vcs": {
            "provider": "github",
            "repository": "pull/pull",
            "deployCommits": False,
            "previewPullRequests": False,
            "pullRequestTemplate": False,
        },
        "operationContext": {
            "oidc": {
                "gcp": {
                    "projectId": "100000000001",
                    "workloadPoolId": "pull-production-github",
                    "providerId": "pulumi",
                    "serviceAccount": "pull-ci-previewer@pull-production.iam.gserviceaccount.com",
                    "tokenLifetime": "1h0m0s",
                }
            },
            "options": {"skipIntermediateDeployments": True},
        },
        "cacheOptions": {"enable": True},
    }


def test_staging_is_released_with_every_commit() -> None:
    found = recording("staging", **STAGING, pulumi_cloud=SECTION)
    inputs = found["deployments-settings"].inputs
    assert inputs["vcs"]["deployCommits"] is True
    assert inputs["operationContext"]["oidc"]["gcp"]["serviceAccount"].startswith(
        "pull-ci-deployer@"
    )


def test_only_this_stack_signs_in_and_without_a_key() -> None:
    found = recording("production", pulumi_cloud=SECTION)
    assert found["deployments-sign-in"].inputs == {
        "project": "pull-production",
        "workloadIdentityPoolId": "pull-production-github",
        "workloadIdentityPoolProviderId": "pulumi",
        "oidc": {
            "issuerUri": "https://api.pulumi.com/oidc",
            "allowedAudiences": ["pull-org"],
        },
        "attributeMapping": {
            "google.subject": "assertion.sub",
            "attribute.deployments": "assertion.sub.extract('pulumi:deploy:{project}:stack:')",
            "attribute.stack": "assertion.sub.extract('pulumi:deploy:{stack}:operation:')",
        },
        "attributeCondition": (
            "assertion.sub.startsWith('pulumi:deploy:org:pull-org:project:pull:stack:')"
        ),
    }
    assert found["deployments-lent"].inputs == {
        "serviceAccountId": "<identity-ci-previewer.name>",
        "role": "roles/iam.workloadIdentityUser",
        "member": "principalSet://iam.googleapis.com/projects/100000000001/locations/global/"
        "workloadIdentityPools/pull-production-github/attribute.stack/org:pull-org:project:pull:stack:production",
    }


def test_drift_is_looked_for_and_not_repaired_by_itself() -> None:
    drift = recording("production", pulumi_cloud=SECTION)["deployments-drift"]
    assert drift.inputs == {
        **HERE,
        "stack": "production",
        "scheduleCron": "53 6 * * *",
        "autoRemediate": False,
    }
    assert "deployments-settings" in drift.waits_for


def test_tags() -> None:
    tags = recording("production", pulumi_cloud=SECTION)["deployments-tags"]
    assert tags.inputs == {
        **HERE,
        "stack": "production",
        "tags": {"environment": "production", "repository": "pull/pull"},
    }


def test_events_are_signed_and_tell_what_somebody_should_look_at() -> None:
    found = recording("production", pulumi_cloud=SECTION)
    assert found["deployments-events"].inputs == {
        "organizationName": "pull-org",
        "projectName": "pull",
        "stackName": "production",
        "displayName": "What somebody should look at",
        "active": True,
        "payloadUrl": "https://events.pull.com/pulumi",
        "format": "raw",
        "filters": [
            "update_failed",
            "destroy_failed",
            "deployment_failed",
            "drift_detected",
            "drift_detection_failed",
        ],
        "secret": Secret("<deployments-events-key.result>"),
    }
    without = recording("production", pulumi_cloud={**SECTION, "events_url": None})
    assert not without.of_type("pulumiservice:index:Webhook")
    assert not without.of_type("random:index/randomPassword:RandomPassword")


@pytest.mark.parametrize("stack", ["production", "staging"])
def test_production_enforces_the_published_pack_on_both_stacks(stack: str) -> None:
    group = recording("production", pulumi_cloud=SECTION)[f"deployments-policies-{stack}"]
    project = yaml.safe_load((POLICIES / "PulumiPolicy.yaml").read_text("utf-8"))
    assert group.inputs == {
        "name": f"pull-{stack}",
        "organizationName": "pull-org",
        "entityType": "stacks",
        "mode": "preventative",
        "stacks": [{"name": stack, "routingProject": "pull"}],
        "policyPacks": [
            {
                "name": PACK,
                "versionTag": project["version"],
                "config": json.loads((POLICIES / f"config.{stack}.json").read_text("utf-8")),
            }
        ],
    }


def test_staging_does_not_change_which_policies_are_enforced() -> None:
    assert not recording("staging", **STAGING, pulumi_cloud=SECTION).of_type(GROUP)


def test_staging_can_be_the_template_of_review_stacks() -> None:
    found = recording("staging", **STAGING, pulumi_cloud=REVIEWS)
    assert found["deployments-settings"].inputs["vcs"]["pullRequestTemplate"] is True
    assert (
        found["deployments-lent"]
        .inputs["member"]
        .endswith("/attribute.deployments/org:pull-org:project:pull")
    )
    assert not found.of_type("pulumiservice:index:TtlSchedule")


def test_a_review_stack_knows_its_end_and_changes_no_settings() -> None:
    found = recording("pr-pull-12", **STAGING, pulumi_cloud=REVIEWS)
    (only,) = found.children("deployments")
    assert only.inputs == {
        **HERE,
        "stack": "pr-pull-12",
        "timestamp": "2027-01-01T00:00:00Z",
        "deleteAfterDestroy": True,
    }


def test_production_is_no_template() -> None:
    with pytest.raises(SettingsError, match=r"pull:pulumi_cloud\.review_stacks"):
        settings("production", pulumi_cloud=REVIEWS)
    with pytest.raises(SettingsError, match=r"pull:pulumi_cloud\.review_stacks"):
        settings("staging", protect=True, pulumi_cloud=REVIEWS)
    settings("staging", pulumi_cloud=REVIEWS)


@pytest.mark.parametrize("stack", ["staging", "production"])
def test_it_comes_and_goes_with_its_section(stack: str) -> None:
    without, with_it = estate(stack), estate(stack, pulumi_cloud=SECTION)
    names = {resource.name for resource in without.resources}
    assert not [resource for resource in without.resources if "pulumiservice" in resource.type]
    added = [resource for resource in with_it.resources if resource.name not in names]
    assert {resource.name for resource in added if resource.parent != "deployments"} == {
        "pulumiservice",
        "deployments",
    }
    assert "events_key" not in without.outputs[""]
    assert with_it.outputs[""]["events_key"] == Secret("<deployments-events-key.result>")
    (provider,) = with_it.of_type("pulumi:providers:pulumiservice")
    assert provider.inputs == {"apiUrl": "https://api.pulumi.com"}

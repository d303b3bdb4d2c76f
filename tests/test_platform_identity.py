"""Identities: one account for each service, and CI without a key."""

from __future__ import annotations

import re

from components.platform.identity import (
    DEPLOYER_ROLES,
    PREVIEWER_ROLES,
    READS,
    RELEASES,
    Identity,
    IdentityArgs,
)
from components.workloads import Service, WorkerType
from tests.recorder import FLEET, ROOT, Neighbours, record, side_by_side

ACCOUNT = "gcp:serviceaccount/account:Account"
ON_ACCOUNT = "gcp:serviceaccount/iAMMember:IAMMember"
ON_PROJECT = "gcp:projects/iAMMember:IAMMember"


def make(name: str, near: Neighbours) -> Identity:
    return Identity(
        name,
        IdentityArgs(
            project="pull-production",
            project_number="100000000001",
            repository="pull/pull",
            names=near.names,
            runtimes=(Service.API_ORIGIN, WorkerType.ALL, WorkerType.KYC),
            services=near.project,
        ),
    )


def test_children() -> None:
    recording = side_by_side(make)
    named = [
        *((ON_PROJECT, f"deployer-{role}") for role in DEPLOYER_ROLES),
        *((ON_PROJECT, f"previewer-{role}") for role in PREVIEWER_ROLES),
    ]
    assert recording.listed("one") == sorted(
        [
            ("gcp:iam/workloadIdentityPool:WorkloadIdentityPool", "one-github"),
            (
                "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
                "one-github-provider",
            ),
            *(
                (token, "one-" + name.replace("roles/", "").replace(".", "-"))
                for token, name in named
            ),
            (ACCOUNT, "one-api-origin"),
            (ACCOUNT, "one-ci-deployer"),
            (ACCOUNT, "one-ci-previewer"),
            (ACCOUNT, "one-temporal-worker"),
            (ACCOUNT, "one-worker-kyc"),
            (ON_ACCOUNT, "one-deployer-acts-as-all"),
            (ON_ACCOUNT, "one-deployer-acts-as-api-origin"),
            (ON_ACCOUNT, "one-deployer-acts-as-kyc"),
            (ON_ACCOUNT, "one-deployer-sign-in-release"),
            (ON_ACCOUNT, "one-previewer-sign-in-drift"),
            (ON_ACCOUNT, "one-previewer-sign-in-release"),
        ]
    )


def test_accounts_have_names_that_google_takes() -> None:
    recording = record(lambda: Neighbours(workers={"fleet": FLEET}).identity)
    accounts = recording.of_type(ACCOUNT)
    names = [resource.inputs["accountId"] for resource in accounts]
    assert len(names) == len(set(names)) == 1 + 11 + 2
    assert all(re.fullmatch(r"[a-z](?:[-a-z0-9]{4,28}[a-z0-9])", name) for name in names)
    assert recording["identity-temporal-worker"].inputs == {
        "project": "pull-production",
        "accountId": "pull-temporal-worker",
        "displayName": "pull temporal-worker",
        "description": "Runs the all workers",
    }


def test_e_mails_are_those_that_the_accounts_will_have() -> None:
    made: list[Identity] = []
    recording = record(lambda: made.append(make("identity", Neighbours())))
    for account in (*made[0].runtimes.values(), made[0].deployer):
        assert account.email in [
            f"{resource.inputs['accountId']}@pull-production.iam.gserviceaccount.com"
            for resource in recording.of_type(ACCOUNT)
        ]


def test_workflows_of_one_repository_sign_in_without_a_key() -> None:
    recording = record(lambda: make("identity", Neighbours()))
    assert recording["identity-github"].inputs == {
        "project": "pull-production",
        "workloadIdentityPoolId": "pull-production-github",
        "displayName": "GitHub Actions",
    }
    assert recording["identity-github-provider"].inputs == {
        "project": "pull-production",
        "workloadIdentityPoolId": "pull-production-github",
        "workloadIdentityPoolProviderId": "github",
        "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
        "attributeMapping": {
            "google.subject": "assertion.sub",
            "attribute.repository": "assertion.repository",
            "attribute.job": "assertion.environment + ':' + "
            "assertion.workflow_ref.extract('/.github/workflows/{name}.yml@') + "
            "(assertion.ref == 'refs/heads/main' ? ':reviewed' : ':proposed')",
        },
        "attributeCondition": "assertion.repository == 'pull/pull'",
    }
    assert not recording.of_type("gcp:serviceaccount/key:Key")


def test_an_account_is_lent_to_named_workflows_in_one_github_environment() -> None:
    recording = record(lambda: make("identity", Neighbours()))
    pool = "projects/100000000001/locations/global/workloadIdentityPools/pull-production-github"
    jobs = f"principalSet://iam.googleapis.com/{pool}/attribute.job"
    sign_ins = {
        resource.name: (resource.inputs["serviceAccountId"], resource.inputs["member"])
        for resource in recording.of_type(ON_ACCOUNT)
        if resource.inputs["role"] == "roles/iam.workloadIdentityUser"
    }
    deployer, previewer = "<identity-ci-deployer.name>", "<identity-ci-previewer.name>"
    assert sign_ins == {
        "identity-deployer-sign-in-release": (deployer, f"{jobs}/production:release:reviewed"),
        "identity-previewer-sign-in-release": (
            previewer,
            f"{jobs}/production-preview:release:reviewed",
        ),
        "identity-previewer-sign-in-drift": (
            previewer,
            f"{jobs}/production-preview:drift:reviewed",
        ),
    }


def test_the_workflows_that_sign_in_exist() -> None:
    kept = {path.stem for path in (ROOT / ".github" / "workflows").glob("*.yml")}
    assert {workflow.partition(":")[0] for workflow in (*RELEASES, *READS)} <= kept


def test_nobody_owns_the_project_and_the_previewer_changes_nothing() -> None:
    recording = record(lambda: make("identity", Neighbours()))
    grants = recording.of_type(ON_PROJECT)
    assert {resource.inputs["member"] for resource in grants} == {
        "<identity-ci-deployer.member>",
        "<identity-ci-previewer.member>",
    }
    broad = {"roles/owner", "roles/editor", "roles/viewer", "roles/secretmanager.secretAccessor"}
    assert not broad & {resource.inputs["role"] for resource in grants}
    reads = ("viewer", "Viewer", "reader", "Reviewer")
    assert all(
        resource.inputs["role"].endswith(reads)
        for resource in grants
        if resource.inputs["member"] == "<identity-ci-previewer.member>"
    )


def test_the_deployer_acts_as_each_runtime_and_as_no_other_account() -> None:
    recording = record(lambda: make("identity", Neighbours()))
    acts = [
        resource
        for resource in recording.of_type(ON_ACCOUNT)
        if resource.inputs["role"].endswith("AccountUser")
    ]
    assert sorted(resource.inputs["serviceAccountId"] for resource in acts) == [
        "<identity-api-origin.name>",
        "<identity-temporal-worker.name>",
        "<identity-worker-kyc.name>",
    ]
    assert {resource.inputs["member"] for resource in acts} == {"<identity-ci-deployer.member>"}

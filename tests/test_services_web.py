"""The web application on Vercel."""

from __future__ import annotations

from typing import Any

import pytest

from components.runtime_config import browser_values
from components.services.web import Web, WebArgs
from tests.recorder import Neighbours, Recording, Secret, record, remembered, side_by_side

VARIABLE = "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable"
TARGETS = ("development", "preview", "production")
VALUES = {
    "NEXT_PUBLIC_API_URL": "https://api.pull.com",
    "NEXT_PUBLIC_CHAIN_ID": "137",
    "NEXT_PUBLIC_CHAIN_NETWORK": "polygon-mainnet",
    "NEXT_PUBLIC_CONVEX_URL": "https://pull-production.convex.cloud",
    "NEXT_PUBLIC_WALLETCONNECT_PROJECT_ID": "00000000000000000000000000000c01",
}


def make(name: str, near: Neighbours) -> Web:
    return Web(
        name,
        WebArgs(
            cloudflare_account=near.settings.cloudflare,
            repository=near.settings.github.repository,
            names=near.names,
            settings=near.settings.web,
            protect=near.settings.protect,
            values=browser_values(near.settings),
            after=[near.project.services["run"]],
        ),
    )


@remembered
def recorded(**sections: Any) -> Recording:
    return record(lambda: make("web", Neighbours(**sections)))


def variable_name(key: str, target: str) -> str:
    return f"web-{key.lower().replace('_', '-')}-{target}"


def test_children() -> None:
    variables = [
        (VARIABLE, variable_name(key, target).replace("web-", "one-", 1))
        for key in VALUES
        for target in TARGETS
    ]
    assert side_by_side(make).listed("one") == sorted(
        [
            ("cloudflare:index/dnsRecord:DnsRecord", "one-dns"),
            ("vercel:index/project:Project", "one-project"),
            ("vercel:index/projectDomain:ProjectDomain", "one-domain"),
            *variables,
        ]
    )


def test_project() -> None:
    assert recorded()["web-project"].inputs == {
        "name": "pull-web",
        "framework": "nextjs",
        "rootDirectory": "apps/web",
        "nodeVersion": "22.x",
        "gitRepository": {"type": "github", "repo": "pull/pull", "productionBranch": "main"},
        "vercelAuthentication": {"deploymentType": "standard_protection_new"},
        "gitForkProtection": True,
        "directoryListing": False,
        "protectedSourcemaps": True,
        "skewProtection": "12 hours",
        "automaticallyExposeSystemEnvironmentVariables": True,
    }


def test_one_variable_for_each_key_and_target_and_none_hidden() -> None:
    recording = recorded()
    assert len(recording.of_type(VARIABLE)) == len(VALUES) * len(TARGETS)
    for key, value in VALUES.items():
        for target in TARGETS:
            variable = recording[variable_name(key, target)]
            # The SDK marks every variable's value, public or not.
            assert variable.inputs == {
                "projectId": "<web-project.id>",
                "key": key,
                "value": Secret(value),
                "targets": [target],
                "sensitive": False,
            }
            assert variable.delete_before_replace


def test_a_team_can_enforce_sensitive_variables() -> None:
    recording = recorded(web={"sensitive_variables": True})
    sensitive = {
        target: recording[variable_name("NEXT_PUBLIC_API_URL", target)].inputs["sensitive"]
        for target in TARGETS
    }
    assert sensitive == {"production": True, "preview": True, "development": False}


def test_contracts_reach_the_browser() -> None:
    address = "0x" + "12" * 20
    approval = {"contract": "PullToken", "address": address, "approved_by": ["ada", "grace"]}
    recording = recorded(chain={"contracts": {"PullToken": address}, "approvals": [approval]})
    variable = recording[variable_name("NEXT_PUBLIC_CONTRACT_PULL_TOKEN_ADDRESS", "production")]
    assert variable.inputs["value"] == Secret(address)


def test_domain() -> None:
    recording = recorded()
    assert recording["web-dns"].inputs == {
        "zoneId": "00000000000000000000000000000d01",
        "name": "app.pull.com",
        "type": "CNAME",
        "content": "cname.vercel-dns.com",
        "proxied": False,
        "ttl": 300,
        "comment": "Web application at Vercel",
    }
    domain = recording["web-domain"]
    assert domain.inputs == {"projectId": "<web-project.id>", "domain": "app.pull.com"}
    assert domain.waits_for == {
        "project-run",
        "web-project",
        "web-dns",
        *(variable_name(key, target) for key in VALUES for target in TARGETS),
    }


def test_a_release_is_a_deployment_by_reference_and_nothing_else() -> None:
    before, after = recorded(), recorded(web={"release": {"ref": "3f2c1ab"}})
    assert {resource.name for resource in after.resources} - {
        resource.name for resource in before.resources
    } == {"web-release"}
    release = after["web-release"]
    assert release.type == "vercel:index/deployment:Deployment"
    assert release.inputs == {
        "projectId": "<web-project.id>",
        "ref": "3f2c1ab",
        "production": True,
    }
    assert release.waits_for >= {"project-run", variable_name("NEXT_PUBLIC_API_URL", "production")}


@pytest.mark.parametrize("protect", [True, False])
def test_project_and_name_are_protected(protect: bool) -> None:
    recording = recorded(protect=protect)
    protected = [resource.name for resource in recording.children("web") if resource.protect]
    assert protected == (["web-dns", "web-project"] if protect else [])

"""The table of grants: what the stacks grant, mutants of each grant, and all types of the SDKs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pulumi_gcp
import pulumi_kubernetes
import pytest

from components.workloads import Service, WorkerType
from policies.framework.paths import View
from policies.rules import RULES, grants
from policies.rules.grants import RUNTIMES, TARGET_OF, Grant, GrantCheck, table
from policies.rules.iam import GRANTS
from resource_types import gcp
from tests import policy_harness as harness
from tests.policy_harness import TODAY, Recording, Resource
from tests.variants import EVERYTHING, UNKNOWN_TEXT

PROJECT: Final = "pull-production"

ELSEWHERE: Final = (
    *("allUsers", "allAuthenticatedUsers", "user:a@pull.com", "group:a@pull.com"),
    *("domain:pull.com", "deleted:serviceAccount:a@pull.com?uid=1", f"projectOwner:{PROJECT}"),
    "serviceAccount:pull-ci-deployer@elsewhere.iam.gserviceaccount.com",
    "serviceAccount:pull-ci-deployer-stg@pull-production.iam.gserviceaccount.com",
    "serviceAccount:1-compute@developer.gserviceaccount.com",
    "serviceAccount:elsewhere.svc.id.goog[pull/pull-api-sa]",
    "serviceAccount:pull-production.svc.id.goog[default/pull-api-sa]",
    "serviceAccount:pull-production.svc.id.goog[pull/default]",
    *(
        "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/" + end
        for end in (
            "pull-production-github/*",
            "pull-production-github/attribute.repository/pull/pull",
            "pull-production-github/attribute.job/production:release:proposed",
            "pull-production-github/attribute.job/production-preview:release:reviewed:x",
            "elsewhere/attribute.job/production:release:reviewed",
        )
    ),
    "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/"
    "pull-production-github/subject/repo:pull/pull:ref:refs/heads/main",
)
"""Members that no grant of production may have."""

ROLES: Final = (
    *("roles/owner", "roles/editor", "roles/viewer", "roles/browser"),
    *("roles/iam.serviceAccountTokenCreator", "roles/iam.serviceAccountKeyAdmin"),
    *("roles/secretmanager.secretVersionManager", "roles/cloudkms.cryptoKeyDecrypter"),
    *("projects/pull-production/roles/custom", "organizations/1/roles/custom"),
)
"""Roles that no grant may have."""


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return harness.record(EVERYTHING, harness.shared_folder(tmp_path_factory))


def known(everything: Recording) -> Iterator[Resource]:
    """The grants of a stack, as they are once every value is known."""
    nodes = {node.urn: node for node in everything.whole.resources}
    for resource in harness.resources_of(everything):
        if resource.type in GRANTS:
            inputs = dict(resource.inputs)
            for name, edges in nodes[resource.urn].propertyDependencies.items():
                if inputs.get(name) == UNKNOWN_TEXT:
                    (source,) = (nodes[urn] for urn in edges.urns)
                    inputs[name] = _output(source.type, harness.plain_properties(source))
            yield replace(resource, inputs=inputs)


def _output(token: str, properties: Mapping[str, Any]) -> str:
    """What Google answers for a resource, as its API reference has it."""
    project = properties.get("project")
    match token:
        case gcp.SERVICE_ACCOUNT:
            account = properties["accountId"]
            return f"projects/{project}/serviceAccounts/{account}@{project}.iam.gserviceaccount.com"
        case gcp.CRYPTO_KEY:
            ring = f"projects/{PROJECT}/locations/us/keyRings/{PROJECT}"
            return f"{ring}/cryptoKeys/{properties['name']}"
        case gcp.REPOSITORY:
            return str(properties["repositoryId"])
        case gcp.SERVICE_IDENTITY:
            agent = {
                "container.googleapis.com": "container-engine-robot",
                "secretmanager.googleapis.com": "gcp-sa-secretmanager",
                "sqladmin.googleapis.com": "gcp-sa-cloud-sql",
            }[properties["service"]]
            return f"serviceAccount:service-100000000001@{agent}.iam.gserviceaccount.com"
        case gcp.SQL_INSTANCE:
            return "serviceAccount:p100000000001-a1b2c3@gcp-sa-cloud-sql.iam.gserviceaccount.com"
    raise AssertionError(f"{token} identifies no grant")


def view_of(token: str, inputs: Mapping[str, Any]) -> View:
    return View(
        type=token,
        urn=f"urn:pulumi:production::pull::{token}::mutant",
        inputs=harness.marked(inputs),
        today=TODAY,
    )


def key(token: str, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes two grants the same."""
    target = TARGET_OF.get(token)
    name = target.property if target else "project"
    return (token, *(inputs.get(path) for path in ("member", "role", name)))


# -- the table and the stacks ----------------------------------------------------------------------


def test_the_table_has_what_the_estate_grants_and_nothing_else(
    everything: Recording,
) -> None:
    check = GrantCheck("production", PROJECT)
    granted = {
        row
        for resource in known(everything)
        for _, row in check.rows(view_of(resource.type, resource.inputs))
    }
    others = {
        name for name in RUNTIMES if name not in ("api-origin", "temporal-worker", "worker-kyc")
    }
    expected = {row for row in table("production") if not _is_about(row, others)}
    assert granted == expected


def _is_about(row: Grant, accounts: set[str]) -> bool:
    """Whether a row is about a service account that the recorded stack does not have."""
    text = f"{row.holder} {row.resource}"
    return any(
        re.search(rf"(^|account ){name}( |$)|-worker-{name.removeprefix('worker-')}-sa", text)
        for name in accounts
    )


def test_a_known_grant_is_in_the_table(everything: Recording) -> None:
    serving = harness.servicer(
        *(rule for rule in RULES if rule.id == "iam-grant-declared"),
        config=harness.config_of("production"),
    )
    tried = 0
    for resource in known(everything):
        assert not harness.evaluate(serving, resource), resource.urn
        tried += 1
    assert tried > 100


def test_the_readers_are_the_consumers_of_the_catalogue() -> None:
    consumers = {Service.API_ORIGIN.value, *(worker.value for worker in WorkerType)}
    assert set(grants.CONSUMERS) == consumers
    assert set(grants.KUBERNETES_ACCOUNTS.values()) == {*RUNTIMES, grants.OPERATOR}


# -- mutants ---------------------------------------------------------------------------------------


def mutants(everything: Recording) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each grant with the member, the role or the resource of another, and with none of ours."""
    resources = list(known(everything))
    granted = {key(resource.type, resource.inputs) for resource in resources}
    members = {resource.inputs["member"] for resource in resources}
    roles = {resource.inputs["role"] for resource in resources}
    for resource in resources:
        target = TARGET_OF.get(resource.type)
        name = target.property if target else "project"
        targets = {other.inputs[name] for other in resources if other.type == resource.type}
        changes = (
            *(("member", member) for member in (*sorted(members), *ELSEWHERE)),
            *(("role", role) for role in (*sorted(roles), *ROLES)),
            *((name, other) for other in (*sorted(targets), "elsewhere")),
        )
        for path, value in changes:
            changed = {**resource.inputs, path: value}
            if key(resource.type, changed) not in granted:
                yield resource.type, changed


def test_no_mutant_of_a_grant_is_in_the_table(everything: Recording) -> None:
    check = GrantCheck("production", PROJECT)
    tried, survived = 0, []
    for token, inputs in mutants(everything):
        binding = {**inputs, "members": [inputs["member"]], "member": None}
        for form, changed in ((token, inputs), (token.replace("Member", "Binding"), binding)):
            tried += 1
            if not list(check.findings(view_of(form, changed))):
                survived.append(f"{form} {changed}")
    assert not survived, f"{len(survived)} survived:\n" + "\n".join(survived[:20])
    assert tried > 10_000


def test_a_condition_and_another_project_are_violations(everything: Recording) -> None:
    check = GrantCheck("production", PROJECT)
    for resource in known(everything):
        for change in ({"condition": {"title": "t"}}, {"project": "pull-staging"}):
            view = view_of(resource.type, {**resource.inputs, **change})
            assert list(check.findings(view)), resource.urn


# -- every type ------------------------------------------------------------------------------------


def types_of(module: Any, pattern: str) -> list[str]:
    """The resource types that an SDK registers, by a pattern of the whole token."""
    registered = Path(module.__file__).read_text("utf-8")
    return sorted(set(re.findall(rf'"({pattern})": "\w+"', registered)))


GRANTING: Final = (
    *types_of(
        pulumi_gcp,
        r"gcp:[\w/]+:\w*(?:Iam|IAM)(?:Member|Binding|Policy|AuditConfig|CustomRole|MemberRemove)",
    ),
    *types_of(
        pulumi_gcp,
        r"gcp:(?:accesscontextmanager|privilegedaccessmanager)/\w+:\w+|gcp:storage/\w+:\w*(?:ACL|"
        r"AccessControl)|gcp:bigquery/\w+:\w*(?:DatasetAccess|RowAccessPolicy)"
        r"|gcp:iam/\w+:\w*(?:Deny|Access|Policy|Workforce)\w*",
    ),
    *types_of(pulumi_kubernetes, r"kubernetes:rbac\.authorization\.k8s\.io/v\w+:\w+"),
)


def test_every_type_that_grants_something_is_recognized(everything: Recording) -> None:
    """All types of the installed SDKs, added to the stack at once."""
    rule = next(rule for rule in RULES if rule.id == "stack-grants-declared")
    serving = harness.servicer_of_stack(rule, everything)  # type: ignore[arg-type]
    request = type(everything.whole)()
    request.CopyFrom(everything.whole)
    added = {}
    for token in GRANTING:
        urn = f"urn:pulumi:production::pull::{token}::mutant"
        added[urn] = token
        node = request.resources.add(type=token, name="mutant", urn=urn)
        node.properties.update(
            {"role": "roles/viewer", "member": "serviceAccount:pull-api-origin@pull-production"}
        )
    violated = {found.urn for found in harness.evaluate_stack(serving, request)}
    passed = {token for urn, token in added.items() if urn not in violated}
    assert passed == {gcp.AUDIT_CONFIG}  # iam-audit-log-complete is about it
    assert len(added) > 500

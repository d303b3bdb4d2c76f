"""IAM: grants, service accounts, and workload identity federation."""

from __future__ import annotations

import re
from typing import Final

from policies.framework.demands import Demand, contains_no, matches, none_of, one_of
from policies.framework.rules import Must, ResourceRule, Severity
from resource_types import gcp
from resource_types.record import GrantTypes

DOCS: Final = "https://cloud.google.com/iam/docs"

GRANT_FORMS: Final = tuple(forms for forms in vars(gcp).values() if isinstance(forms, GrantTypes))
"""Every kind of grant of the provider."""

GRANTS: Final = (
    *(forms.member for forms in GRANT_FORMS),
    *(forms.binding for forms in GRANT_FORMS),
)
"""The types that grant one role, to one member or to all its members."""

# The rules of these products cover public grants themselves.
_PRODUCTS: Final = (
    *("gcp:artifactregistry/", "gcp:cloudrun/", "gcp:cloudrunv2/"),
    *("gcp:kms/", "gcp:secretmanager/", "gcp:storage/"),
)

_PUBLIC: Final = contains_no(
    re.compile(r"^all(authenticated)?users$|^principalSet://goog/public:all$", re.IGNORECASE),
    "must not be allUsers or allAuthenticatedUsers",
    ("allUsers", "allAuthenticatedUsers"),
)

DEFAULT_ACCOUNT: Final = re.compile(
    r"^default$|compute@developer\.gserviceaccount|@appspot\.gserviceaccount"
)
"""The service accounts that Google creates in each project."""


def grants_on(*modules: str) -> tuple[str, ...]:
    """The grant types of some modules of the provider, such as ``gcp:kms/``."""
    return tuple(token for token in GRANTS if token.startswith(modules))


def _members(demand: Demand) -> tuple[Must, ...]:
    """Checks of a grant with one member or many."""
    return (Must("member", demand, optional=True), Must("members[]", demand))


NOT_PUBLIC: Final = _members(_PUBLIC)
"""Checks of a grant: no member is public."""


RULES: Final = (
    ResourceRule(
        id="iam-no-basic-role",
        severity=Severity.CRITICAL,
        what="No grant uses a basic role: owner, editor or viewer.",
        fix="Grant the predefined role of the product that is needed.",
        url=f"{DOCS}/roles-overview#basic",
        frameworks=("CKV_GCP_115", "CKV_GCP_116", "CKV_GCP_117"),
        types=GRANTS,
        checks=(Must("role", none_of("roles/owner", "roles/editor", "roles/viewer")),),
    ),
    ResourceRule(
        id="iam-no-project-wide-impersonation",
        severity=Severity.HIGH,
        what="No account can impersonate every service account of the project.",
        fix="Grant the role on the single service account, with gcp.serviceaccount.IAMMember.",
        url=f"{DOCS}/service-account-permissions",
        frameworks=("CIS-GCP-4.0 1.6", "CKV_GCP_41", "CKV_GCP_49"),
        types=(gcp.PROJECT_IAM.member, gcp.PROJECT_IAM.binding),
        checks=(
            Must(
                "role",
                none_of(
                    "roles/iam.serviceAccountUser",
                    "roles/iam.serviceAccountTokenCreator",
                    "roles/iam.serviceAccountOpenIdTokenCreator",
                    "roles/iam.workloadIdentityUser",
                ),
            ),
        ),
    ),
    ResourceRule(
        id="iam-federation-pinned",
        severity=Severity.CRITICAL,
        what="Only workflows of this repository, or deployments of this project, can sign in.",
        fix="Compare assertion.repository with a literal; for Pulumi Cloud, "
        "compare the subject with the organization and the project.",
        url=f"{DOCS}/workload-identity-federation-with-deployment-pipelines",
        frameworks=("CKV_GCP_118", "CKV_GCP_125", "Trivy GCP-0068"),
        types=(gcp.WORKLOAD_IDENTITY_POOL_PROVIDER,),
        checks=(
            Must(
                "attributeCondition",
                matches(
                    r"assertion\.repository == '[\w.-]+/[\w.-]+'"
                    r"|assertion\.sub\.startsWith\('pulumi:deploy:org:[\w-]+:project:[\w-]+:stack:'\)",
                    "must compare the repository or the project with a literal, and nothing else",
                    (
                        "true",
                        "assertion.repository_owner == 'pull'",
                        "assertion.repository.startsWith('pull')",
                        "assertion.sub.startsWith('pulumi:deploy:org:pull')",
                        "assertion.repository == 'pull/pull' || true",
                        "!(assertion.repository == 'pull/pull')",
                        "assertion.repository == 'pull/pull' ? true : true",
                        "assertion.repository != 'pull/pull'",
                    ),
                ),
            ),
            Must(
                "oidc.issuerUri",
                one_of(
                    "https://token.actions.githubusercontent.com",
                    "https://api.pulumi.com/oidc",
                    refused=("https://example.com",),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="iam-federated-subject",
        severity=Severity.HIGH,
        what="A federated principal is one subject or one set of them, never the whole pool.",
        fix="Use one subject or one attribute value: principalSet://…/attribute.<name>/<value>.",
        url=f"{DOCS}/workload-identity-federation#principal-types",
        types=GRANTS,
        checks=_members(
            contains_no(
                re.compile(r"^principalSet://.*/\*$|/subject/[^/]*\*"),
                "must not be the whole pool",
                ("principalSet://iam.googleapis.com/projects/1/pools/github/*",),
            )
        ),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="iam-no-person",
        severity=Severity.MEDIUM,
        what="Grants go to service accounts and groups, not to individual users.",
        fix="Add the user to a group, and grant the role to the group.",
        url=f"{DOCS}/groups-best-practices",
        frameworks=("Trivy GCP-0003",),
        types=GRANTS,
        checks=_members(
            contains_no(
                re.compile(r"^(deleted:)?(user|domain):", re.IGNORECASE),
                "must not be a user or a domain",
                ("user:a@pull.com", "domain:pull.com"),
            )
        ),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="iam-no-default-account",
        severity=Severity.HIGH,
        what="The project's default service accounts have no grants.",
        fix="Create a service account for the workload, and grant the role to that.",
        url=f"{DOCS}/service-account-types#default",
        frameworks=("CKV_GCP_46", "Trivy GCP-0006"),
        types=GRANTS,
        checks=_members(
            contains_no(
                DEFAULT_ACCOUNT,
                "must not be a default account",
                ("serviceAccount:1-compute@developer.gserviceaccount.com",),
            )
        ),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="iam-grant-not-public",
        severity=Severity.CRITICAL,
        what="No grant is public.",
        fix="Grant the role to the account or group that needs it.",
        url=f"{DOCS}/overview#all-users",
        types=tuple(token for token in GRANTS if not token.startswith(_PRODUCTS)),
        checks=NOT_PUBLIC,
        decidable_after_update=True,
    ),
)

"""Who may do what: grants, service accounts, and how CI signs in."""

from __future__ import annotations

import re
from typing import Final

from policies.rule import (
    NEVER,
    Demand,
    Must,
    ResourceRule,
    Severity,
    forbidden,
    like,
    none_of,
    one_of,
    unlike,
)

PROJECT_MEMBER: Final = "gcp:projects/iAMMember:IAMMember"
PROJECT_BINDING: Final = "gcp:projects/iAMBinding:IAMBinding"
ACCOUNT: Final = "gcp:serviceaccount/account:Account"
PROVIDER: Final = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
AUDIT: Final = "gcp:projects/iAMAuditConfig:IAMAuditConfig"

DOCS: Final = "https://cloud.google.com/iam/docs"

# Google's provider has each of these three times: as a member, a binding and a policy.
_SHARED: Final = (
    "gcp:projects/iAM{0}:IAM{0}",
    "gcp:folder/iAM{0}:IAM{0}",
    "gcp:organizations/iAM{0}:IAM{0}",
    "gcp:serviceaccount/iAM{0}:IAM{0}",
    "gcp:artifactregistry/repositoryIam{0}:RepositoryIam{0}",
    "gcp:cloudrun/iam{0}:Iam{0}",
    "gcp:cloudrunv2/jobIam{0}:JobIam{0}",
    "gcp:cloudrunv2/serviceIam{0}:ServiceIam{0}",
    "gcp:cloudrunv2/workerPoolIam{0}:WorkerPoolIam{0}",
    "gcp:iam/workloadIdentityPoolIam{0}:WorkloadIdentityPoolIam{0}",
    "gcp:kms/cryptoKeyIAM{0}:CryptoKeyIAM{0}",
    "gcp:kms/keyRingIAM{0}:KeyRingIAM{0}",
    "gcp:pubsub/subscriptionIAM{0}:SubscriptionIAM{0}",
    "gcp:pubsub/topicIAM{0}:TopicIAM{0}",
    "gcp:secretmanager/regionalSecretIam{0}:RegionalSecretIam{0}",
    "gcp:secretmanager/secretIam{0}:SecretIam{0}",
    "gcp:storage/bucketIAM{0}:BucketIAM{0}",
    "gcp:storage/managedFolderIam{0}:ManagedFolderIam{0}",
)
GRANTS: Final = tuple(one.format(kind) for kind in ("Member", "Binding") for one in _SHARED)
"""Grants of any kind: of one role to one member, or to all that it has."""

# Grants on these are judged by the rules of their product as well.
_PRODUCTS: Final = (
    *("gcp:artifactregistry/", "gcp:cloudrun/", "gcp:cloudrunv2/"),
    *("gcp:kms/", "gcp:secretmanager/", "gcp:storage/"),
)
_POLICIES: Final = tuple(one.format("Policy") for one in _SHARED)
_ABOVE: Final = ("gcp:projects/", "gcp:folder/", "gcp:organizations/")

_EVERYBODY: Final = unlike(
    re.compile(r"^all(authenticated)?users$|^principalSet://goog/public:all$", re.IGNORECASE),
    "must not be allUsers or allAuthenticatedUsers",
    ("allUsers", "allAuthenticatedUsers"),
)


def grants_on(*products: str) -> tuple[str, ...]:
    """The kinds of grants on the resources of some modules of the provider."""
    return tuple(kind for kind in GRANTS if kind.startswith(products))


def _members(demand: Demand) -> tuple[Must, ...]:
    """Checks of a grant, whether it has one member or many."""
    return (Must("member", demand, optional=True), Must("members[]", demand))


NOBODY: Final = _members(_EVERYBODY)
"""Checks of a grant: it is not to everybody."""


RULES: Final = (
    ResourceRule(
        id="iam-no-basic-role",
        severity=Severity.CRITICAL,
        what="Nobody is owner, editor or viewer of the project.",
        fix="Grant the predefined role of the one product that is needed.",
        url=f"{DOCS}/roles-overview#basic",
        frameworks=("CKV_GCP_115", "CKV_GCP_116", "CKV_GCP_117"),
        types=GRANTS,
        checks=(Must("role", none_of("roles/owner", "roles/editor", "roles/viewer")),),
    ),
    ResourceRule(
        id="iam-no-impersonation-of-all",
        severity=Severity.HIGH,
        what="Nobody may act as every service account of the project.",
        fix="Grant the role on the one account, with gcp.serviceaccount.IAMMember.",
        url=f"{DOCS}/service-account-permissions",
        frameworks=("CIS-GCP-4.0 1.6", "CKV_GCP_41", "CKV_GCP_49"),
        types=(PROJECT_MEMBER, PROJECT_BINDING),
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
        id="iam-no-key-file",
        severity=Severity.CRITICAL,
        what="No service account has a key that can be carried away.",
        fix="Sign in by workload identity federation; in Cloud Run the account is there already.",
        url=f"{DOCS}/best-practices-for-managing-service-account-keys",
        frameworks=("CIS-GCP-4.0 1.4", "CKV2_GCP_3"),
        types=("gcp:serviceaccount/key:Key", "gcp:storage/hmacKey:HmacKey"),
        checks=(forbidden,),
    ),
    ResourceRule(
        id="iam-federation-pinned",
        severity=Severity.CRITICAL,
        what="Only this repository's workflows, or this project's deployments, can sign in.",
        fix="Compare assertion.repository (or repository_id) with the repository, literally; in "
        "Pulumi Cloud, the subject with the organization and the project.",
        url=f"{DOCS}/workload-identity-federation-with-deployment-pipelines",
        frameworks=("CKV_GCP_118", "CKV_GCP_125", "Trivy GCP-0068"),
        types=(PROVIDER,),
        checks=(
            Must(
                "attributeCondition",
                like(
                    r".*assertion\.(repository(_id)? *== *['\"][\w./-]+['\"]"
                    r"|sub\.startsWith\('pulumi:deploy:org:[\w-]+:project:[\w-]+:stack:).*",
                    "must compare the repository, or the project, with a literal",
                    (
                        "true",
                        "assertion.repository_owner == 'pull'",
                        "assertion.repository.startsWith('pull')",
                        "assertion.sub.startsWith('pulumi:deploy:org:pull')",
                    ),
                ),
            ),
            Must(
                "attributeCondition",
                unlike(re.compile(r"\|\|"), "must have no alternative", ("a == 'b' || true",)),
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
        what="A federated identity is one subject or one set of them, never the whole pool.",
        fix="Name one subject, or one attribute's value: principalSet://…/attribute.<name>/<value>.",
        url=f"{DOCS}/workload-identity-federation#principal-types",
        types=GRANTS,
        checks=_members(
            unlike(
                re.compile(r"^principalSet://.*/\*$|/subject/[^/]*\*"),
                "must not be everybody in the pool",
                ("principalSet://iam.googleapis.com/projects/1/pools/github/*",),
            )
        ),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="iam-no-authoritative-grant",
        severity=Severity.CRITICAL,
        what="No resource owns all grants of something, or a role's: it would lock others out.",
        fix="Use IAMMember, which adds one grant and leaves the others alone.",
        url="https://www.pulumi.com/registry/packages/gcp/api-docs/projects/iampolicy/",
        types=(
            *_POLICIES,
            *(kind for kind in GRANTS if kind.startswith(_ABOVE) and kind.endswith("Binding")),
        ),
        checks=(forbidden,),
    ),
    ResourceRule(
        id="iam-no-person",
        severity=Severity.MEDIUM,
        what="Grants go to service accounts and groups, not to people.",
        fix="Put the person into a group, and grant to that.",
        url=f"{DOCS}/groups-best-practices",
        frameworks=("Trivy GCP-0003",),
        types=GRANTS,
        checks=_members(
            unlike(
                re.compile(r"^(deleted:)?(user|domain):", re.IGNORECASE),
                "must not be a person, or all of a company",
                ("user:a@pull.com", "domain:pull.com"),
            )
        ),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="iam-no-default-account",
        severity=Severity.HIGH,
        what="The project's default accounts are given nothing.",
        fix="Make a service account for what runs, and grant to that.",
        url=f"{DOCS}/service-account-types#default",
        frameworks=("CKV_GCP_46", "Trivy GCP-0006"),
        types=GRANTS,
        checks=_members(
            unlike(
                re.compile(r"compute@developer\.gserviceaccount|@appspot\.gserviceaccount"),
                "must not be a default account",
                ("serviceAccount:1-compute@developer.gserviceaccount.com",),
            )
        ),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="iam-grant-not-public",
        severity=Severity.CRITICAL,
        what="No grant is to everybody.",
        fix="Name the account or group that needs it.",
        url=f"{DOCS}/overview#all-users",
        types=tuple(kind for kind in GRANTS if not kind.startswith(_PRODUCTS)),
        checks=NOBODY,
        decidable_after_update=True,
    ),
    ResourceRule(
        id="iam-audit-log-complete",
        severity=Severity.MEDIUM,
        what="Nobody is exempt from the audit log of data access.",
        fix="Leave exemptedMembers out, and log ADMIN_READ, DATA_READ and DATA_WRITE.",
        url="https://cloud.google.com/logging/docs/audit/configure-data-access",
        frameworks=("CIS-GCP-4.0 2.1", "CKV2_GCP_5"),
        types=(AUDIT,),
        checks=(
            Must("auditLogConfigs[].exemptedMembers", NEVER, optional=True),
            Must(
                "auditLogConfigs[logType=ADMIN_READ].logType", one_of("ADMIN_READ", refused=("",))
            ),
            Must("auditLogConfigs[logType=DATA_READ].logType", one_of("DATA_READ", refused=("",))),
            Must(
                "auditLogConfigs[logType=DATA_WRITE].logType", one_of("DATA_WRITE", refused=("",))
            ),
        ),
    ),
)

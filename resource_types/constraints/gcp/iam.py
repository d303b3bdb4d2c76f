"""Identity and Access Management: roles, members, conditions, accounts and identity pools."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from resource_types import gcp
from resource_types.cel import is_expression
from resource_types.constraints.gcp.shared import CEL, EMAIL, PROJECT_ID, exclusive
from resource_types.constraints.primitives import (
    Combination,
    Constraint,
    Inputs,
    Rejection,
    Table,
    Values,
    choice,
    items,
    length,
    text,
)
from resource_types.record import GrantTypes

PREDEFINED_ROLES: Final[Mapping[str, str]] = {
    "artifactregistry": "admin containerRegistryMigrationAdmin createOnPushRepoAdmin "
    "createOnPushWriter reader repoAdmin serviceAgent writer",
    "cloudsql": "admin client editor instanceUser schemaViewer serviceAgent studioUser viewer",
    "pubsub": "admin editor publisher serviceAgent subscriber viewer",
    "redis": "admin dbConnectionUser editor serviceAgent viewer",
    "run": "admin builder developer invoker jobsExecutor jobsExecutorWithOverrides serviceAgent "
    "servicesInvoker sourceDeveloper sourceViewer viewer",
    "secretmanager": "admin secretAccessor secretVersionAdder secretVersionManager serviceAgent "
    "viewer",
    "serviceusage": "apiKeysAdmin apiKeysViewer serviceUsageAdmin serviceUsageConsumer "
    "serviceUsageViewer",
    "storage": "admin bucketViewer expressModeServiceInput expressModeServiceOutput "
    "expressModeUserAccess folderAdmin hmacKeyAdmin insightsCollectorService legacyBucketOwner "
    "legacyBucketReader legacyBucketWriter legacyObjectOwner legacyObjectReader objectAdmin "
    "objectCreator objectUser objectViewer",
    "vpcaccess": "admin serviceAgent user viewer",
}
"""The predefined roles of services that have few, as of 2026-11.

https://cloud.google.com/iam/docs/roles-permissions
"""

_ROLE: Final = re.compile(
    r"roles/(?:(owner|editor|viewer|browser)|(?P<service>[a-z][a-z0-9_]*)\.(?P<name>[A-Za-z]"
    r"[A-Za-z0-9._]*))|(projects|organizations)/[a-z0-9][-a-z0-9.:]*/roles/[A-Za-z0-9_.]{3,64}"
)


def _is_role(value: Any) -> bool:
    found = _ROLE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return False
    known = PREDEFINED_ROLES.get(found["service"] or "")
    return known is None or found["name"] in known.split()


ROLE: Final = Values(
    "a role that exists, such as roles/run.invoker or projects/<project>/roles/<id>",
    _is_role,
    (
        *("run.invoker", "roles/run/invoker", "roles/Owner", "roles/", "Cloud Run Invoker"),
        *(f"roles/{service}.{names.split()[0]}s" for service, names in PREDEFINED_ROLES.items()),
    ),
)

# https://cloud.google.com/iam/docs/principal-identifiers
_POOL: Final = (
    r"iam\.googleapis\.com/(projects/\d+/locations/global/workloadIdentityPools/[-a-z0-9]+"
    r"|locations/global/workforcePools/[-a-z0-9]+)"
)
MEMBER: Final = text(
    rf"allUsers|allAuthenticatedUsers|(user|group):{EMAIL}"
    rf"|serviceAccount:([-a-z0-9.]+@[-a-z0-9.]+\.gserviceaccount\.com|{PROJECT_ID}\.svc\.id\.goog"
    r"\[[^/\]]+/[^/\]]+\])"
    r"|domain:[a-z0-9-]+(\.[a-z0-9-]+)+|project(Owner|Editor|Viewer):[-a-z0-9.:]+"
    rf"|principal://{_POOL}/subject/.+"
    rf"|principalSet://{_POOL}/(\*|group/.+|attribute\.[a-z0-9_]+/.+)"
    r"|principalSet://cloudresourcemanager\.googleapis\.com/.+"
    r"|principal(Set)?://(goog|agents\.global)/?.+|deleted:.+",
    "a principal, such as serviceAccount:name@project.iam.gserviceaccount.com",
    *("pull-api@pull.iam.gserviceaccount.com", "serviceAccount:pull-api", "user:someone"),
    *("serviceaccount:a@b.iam.gserviceaccount.com", "allusers", "group:pull"),
    "principalSet://iam.googleapis.com/projects/pull/locations/global/workloadIdentityPools/x/*",
    "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/x/a/b",
)

_CONDITION: Final = (
    Constraint("condition.expression", CEL),
    Constraint(
        "condition.title", text(r".{1,100}", "a title of 1 to 100 characters", "", "x" * 101)
    ),
)

_GRANTS: Final[Table] = {
    token: (
        Constraint("role", ROLE),
        Constraint("member", MEMBER),
        Constraint("members[]", MEMBER),
        *_CONDITION,
    )
    for forms in vars(gcp).values()
    if isinstance(forms, GrantTypes)
    for token in (forms.member, forms.binding)
}

_POOL_ID: Final = text(
    r"(?!gcp-)[a-z0-9-]{4,32}",
    "4 to 32 of a-z, 0-9 and -, not starting with gcp-",
    *("gcp-pull", "Pull", "abc", "pull_pool", "x" * 33),
)


def _attribute_mapping(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/iam/docs/workload-identity-federation#mapping"""
    for path, mapping in inputs.values_at("attributeMapping"):
        if inputs.get("oidc") is not None and "google.subject" not in mapping:
            yield Rejection(path, "a mapping for google.subject")
        for name, expression in mapping.items():
            if not re.fullmatch(r"google\.[a-z_]+|attribute\.[a-z0-9_]{1,100}", name):
                yield Rejection(path, "keys such as google.subject and attribute.<name>")
            elif isinstance(expression, str) and not (
                len(expression) <= 2048 and is_expression(expression)
            ):
                yield Rejection(path, "expressions (CEL) of up to 2048 characters")


_IDENTITY: Final[Table] = {
    gcp.SERVICE_ACCOUNT: (
        # https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/create
        Constraint(
            "accountId",
            text(
                r"[a-z][-a-z0-9]{4,28}[a-z0-9]",
                "6 to 30 of a-z, 0-9 and -, starting with a letter and not ending in -",
                *("pull", "Pull-api", "pull_api_x", "pull-api-", "x" * 31),
            ),
        ),
        Constraint("displayName", length(100, unit="bytes")),
        Constraint("description", length(256, unit="bytes")),
    ),
    gcp.WORKLOAD_IDENTITY_POOL: (
        Constraint("workloadIdentityPoolId", _POOL_ID),
        Constraint("displayName", length(32)),
        Constraint("description", length(256)),
    ),
    gcp.WORKLOAD_IDENTITY_POOL_PROVIDER: (
        Constraint("workloadIdentityPoolProviderId", _POOL_ID),
        Constraint("displayName", length(32)),
        Constraint("description", length(256)),
        Constraint("attributeCondition", CEL),
        Constraint("attributeCondition", length(4096)),
        Constraint(
            "oidc.issuerUri",
            text(
                r"https://[a-z0-9.-]+(:\d+)?(/[^?#\s]*)?",
                "an https:// URL without a query and a fragment",
                *("http://token.actions.githubusercontent.com", "token.actions.example.com"),
            ),
        ),
        Constraint("oidc.allowedAudiences[]", length(256)),
        Constraint("oidc.allowedAudiences", items(0, 10)),
        exclusive("", ("aws", "oidc", "saml", "x509"), {"oidc": {}, "aws": {}}),
        Combination(
            _attribute_mapping,
            ("attributeMapping",),
            (
                ("attributeMapping", {"attribute.repository": "assertion.repository"}),
                ("attributeMapping", {"google.subject": "assertion.sub +"}),
                ("attributeMapping", {"google.subject": "assertion.sub", "repository": "a"}),
            ),
        ),
    ),
    gcp.AUDIT_CONFIG: (
        Constraint(
            "service",
            text(r"allServices|[a-z][a-z0-9.-]*\.googleapis\.com", "allServices or an API", "all"),
        ),
        Constraint("auditLogConfigs[].logType", choice("ADMIN_READ", "DATA_READ", "DATA_WRITE")),
    ),
    # https://cloud.google.com/service-usage/docs/reference/rest/v1/services
    gcp.PROJECT_SERVICE: (
        Constraint(
            "service",
            text(
                r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)*\.(googleapis\.com|goog)",
                "the name of an API, such as run.googleapis.com",
                *("run", "Run.googleapis.com", "run.googleapis", "https://run.googleapis.com"),
            ),
        ),
    ),
}

CONSTRAINTS: Final[Table] = {**_GRANTS, **_IDENTITY}

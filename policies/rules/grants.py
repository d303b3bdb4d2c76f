"""Who holds which role on which resource. Every other grant is a violation.

:func:`table` lists all grants of an environment. It is the pack's own list, because a rule that
reads the components would accept their mistakes. Only the readers of secrets are not written here:
``ops.generate`` writes them from the catalogue into ``secret_readers.json``, so that a new reader
in the catalogue changes this folder as well. No role in a cluster is granted: the charts bring
their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from policies.framework.graph import Graph, Node, StackRule
from policies.framework.paths import ABSENT, UNKNOWN, Finding, Undecided, View, attempt
from policies.framework.rules import Custom, ResourceRule, SetValue, Severity
from policies.rules.iam import DOCS, GRANTS
from policies.rules.runbook import ENVIRONMENT, account_suffix, environment, name_suffix
from resource_types import RESOURCE_TYPES, gcp, kubernetes, pulumiservice
from resource_types.record import GrantTypes

SECRET_READERS: Final[Mapping[str, list[str]]] = json.loads(
    Path(__file__).with_name("secret_readers.json").read_text("utf-8")
)
"""The consumers that read each secret, by the name of its variable."""

EDGE: Final = "api"
"""The API's Worker, which gets its secrets from Cloudflare and has no identity at Google."""

SECRET_ACCESSOR: Final = "roles/secretmanager.secretAccessor"
ACT_AS: Final = "roles/iam.serviceAccountUser"
SIGN_IN_AS: Final = "roles/iam.workloadIdentityUser"
USE_KEY: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"

DEPLOYER: Final = "ci-deployer"
PREVIEWER: Final = "ci-previewer"
NODES: Final = "nodes"
OPERATOR: Final = "external-secrets"
"""Service accounts, without the prefix ``pull-`` and the suffix of staging."""

DEPLOYER_ROLES: Final = (
    "artifactregistry.admin",
    "cloudkms.admin",
    "cloudsql.admin",
    "compute.loadBalancerAdmin",
    "compute.networkAdmin",
    "container.admin",
    "iam.serviceAccountAdmin",
    "iam.workloadIdentityPoolAdmin",
    "pubsub.admin",
    "redis.admin",
    "resourcemanager.projectIamAdmin",
    "run.admin",
    "secretmanager.admin",
    "serviceusage.serviceUsageAdmin",
    "storage.admin",
    "vpcaccess.admin",
)
PREVIEWER_ROLES: Final = (
    "artifactregistry.reader",
    "cloudkms.viewer",
    "cloudsql.viewer",
    "compute.networkViewer",
    "container.viewer",
    "iam.securityReviewer",
    "pubsub.viewer",
    "redis.viewer",
    "run.viewer",
    "secretmanager.viewer",
    "serviceusage.serviceUsageViewer",
    "vpcaccess.viewer",
)


def account_of_consumer(consumer: str) -> str:
    """The service account of a consumer: ``worker-kyc``, or ``temporal-worker`` of all workers."""
    if consumer == "all":
        return "temporal-worker"
    return consumer if consumer == "api-origin" else f"worker-{consumer}"


CONSUMERS: Final = tuple(
    sorted({name for readers in SECRET_READERS.values() for name in readers} - {EDGE})
)
RUNTIMES: Final = tuple(map(account_of_consumer, CONSUMERS))

KUBERNETES_ACCOUNTS: Final[Mapping[str, str]] = {
    "pull-secrets-sa": OPERATOR,
    "pull-api-sa": "api-origin",
    "pull-temporal-worker-sa": "temporal-worker",
    **{
        f"pull-temporal-worker-{consumer}-sa": account_of_consumer(consumer)
        for consumer in CONSUMERS
        if consumer not in ("all", "api-origin")
    },
}
"""Service account by the Kubernetes service account that acts as it."""

DATABASE: Final = "the database"
DEPLOYMENTS: Final = "Pulumi Deployments"


def _agent(service: str) -> str:
    return f"the agent of {service}"


def _workflow(job: str) -> str:
    return f"the workflow {job}"


def _pod(account: str) -> str:
    return f"pods of {account}"


class Grant(NamedTuple):
    """One row of the table: ``holder`` has ``role`` on ``resource``, as this module names them."""

    holder: str
    role: str
    resource: str


@cache
def table(environment: str) -> frozenset[Grant]:
    """Every grant that the estate may make in an environment."""
    releases = environment == "staging"
    return frozenset(
        (
            *(Grant(DEPLOYER, f"roles/{role}", "project") for role in DEPLOYER_ROLES),
            *(Grant(PREVIEWER, f"roles/{role}", "project") for role in PREVIEWER_ROLES),
            Grant(NODES, "roles/container.defaultNodeServiceAccount", "project"),
            *(Grant(DEPLOYER, ACT_AS, f"account {name}") for name in (*RUNTIMES, NODES)),
            Grant(_workflow("release:reviewed"), SIGN_IN_AS, f"account {DEPLOYER}"),
            Grant(_workflow("release:reviewed-preview"), SIGN_IN_AS, f"account {PREVIEWER}"),
            Grant(_workflow("drift:reviewed"), SIGN_IN_AS, f"account {PREVIEWER}"),
            # Every commit releases staging; for production, Pulumi Cloud may only read.
            Grant(DEPLOYMENTS, SIGN_IN_AS, f"account {DEPLOYER if releases else PREVIEWER}"),
            *(
                Grant(_pod(name), SIGN_IN_AS, f"account {account}")
                for name, account in KUBERNETES_ACCOUNTS.items()
            ),
            Grant(_agent("sqladmin"), USE_KEY, "key postgres"),
            Grant(_agent("storage"), USE_KEY, "key backups"),
            Grant(_agent("secretmanager"), USE_KEY, "key secrets"),
            Grant(_agent("container"), USE_KEY, "key cluster"),
            Grant(_agent("secretmanager"), "roles/pubsub.publisher", "topic secret-rotation"),
            Grant(DEPLOYER, "roles/artifactregistry.writer", "repository gcr.io"),
            Grant(NODES, "roles/artifactregistry.reader", "repository gcr.io"),
            Grant(DATABASE, "roles/storage.objectCreator", "bucket backups"),
            *(
                Grant(account, SECRET_ACCESSOR, f"secret {_dashed(variable)}")
                for variable, readers in SECRET_READERS.items()
                for account in _accounts_of(readers)
            ),
        )
    )


def _accounts_of(readers: Sequence[str]) -> list[str]:
    """The accounts that read a secret: those of its consumers, and the operator for a cluster."""
    accounts = [account_of_consumer(reader) for reader in readers if reader != EDGE]
    return [*accounts, OPERATOR] if accounts else []


def _dashed(variable: str) -> str:
    return variable.lower().replace("_", "-")


# -- how identities and resources are written ------------------------------------------------------

ANY_PROJECT: Final = r"[a-z][a-z0-9-]+"


@cache
def members(environment: str, project: str) -> Mapping[str, re.Pattern[str]]:
    """How each holder is written as a member; ``project`` is a pattern."""
    domain = r"\.iam\.gserviceaccount\.com"
    suffix = account_suffix(environment)
    accounts = (DEPLOYER, PREVIEWER, NODES, OPERATOR, *RUNTIMES)
    agents = {
        "container": "container-engine-robot",
        "secretmanager": "gcp-sa-secretmanager",
        "sqladmin": "gcp-sa-cloud-sql",
        "storage": "gs-project-accounts",
    }
    # A job of GitHub Actions: its environment, its workflow, and in which version that is.
    jobs = {
        "release:reviewed": f"{environment}:release:reviewed",
        "release:reviewed-preview": f"{environment}-preview:release:reviewed",
        "drift:reviewed": f"{environment}-preview:drift:reviewed",
    }
    pool = (
        r"principalSet://iam\.googleapis\.com/projects/\d+/locations/global"
        rf"/workloadIdentityPools/pull-{environment}-github"
    )
    stacks = r"org:[\w-]+:project:[\w-]+"
    patterns = {
        **{name: rf"serviceAccount:pull-{name}{suffix}@{project}{domain}" for name in accounts},
        **{
            _agent(service): rf"serviceAccount:service-\d+@{name}{domain}"
            for service, name in agents.items()
        },
        DATABASE: rf"serviceAccount:p\d+-[a-z0-9]+@gcp-sa-cloud-sql{domain}",
        **{_workflow(job): rf"{pool}/attribute\.job/{claims}" for job, claims in jobs.items()},
        DEPLOYMENTS: rf"{pool}/attribute\.(deployments/{stacks}"
        rf"|stack/{stacks}:stack:{environment})",
        **{
            _pod(name): rf"serviceAccount:{project}\.svc\.id\.goog\[pull/{name}\]"
            for name in KUBERNETES_ACCOUNTS
        },
    }
    return {holder: re.compile(pattern) for holder, pattern in patterns.items()}


@dataclass(frozen=True, slots=True)
class Target:
    """What a type of grant applies to.

    Attributes:
        property: the input that names the resource.
        kind: the resource in the terms of the table, without its name.
        type: the type of the resource.
        path: a pattern of the input; ``{name}`` takes the place of the physical name.
        name: a pattern of the physical name; its group is the name in the table.
    """

    property: str
    kind: str
    type: str
    path: str
    name: str


TARGETS: Final[Mapping[GrantTypes, Target]] = {
    gcp.SERVICE_ACCOUNT_IAM: Target(
        "serviceAccountId",
        "account",
        gcp.SERVICE_ACCOUNT,
        r"projects/<project>/serviceAccounts/{name}@<project>\.iam\.gserviceaccount\.com",
        "pull-(.+?)<-stg>",
    ),
    gcp.SECRET_IAM: Target(
        "secretId", "secret", gcp.SECRET, r"(?:projects/<project>/secrets/)?{name}", "(.+)"
    ),
    gcp.CRYPTO_KEY_IAM: Target(
        "cryptoKeyId",
        "key",
        gcp.CRYPTO_KEY,
        r"projects/<project>/locations/[\w-]+/keyRings/pull-<environment>/cryptoKeys/{name}",
        "(.+)",
    ),
    gcp.TOPIC_IAM: Target(
        "topic",
        "topic",
        gcp.TOPIC,
        r"(?:projects/<project>/topics/)?{name}",
        "pull-<environment>-(.+)",
    ),
    gcp.REPOSITORY_IAM: Target(
        "repository",
        "repository",
        gcp.REPOSITORY,
        r"(?:projects/<project>/locations/us/repositories/)?{name}",
        "(.+)",
    ),
    gcp.BUCKET_IAM: Target("bucket", "bucket", gcp.BUCKET, r"(?:b/)?{name}", "<project>-(backups)"),
}

TARGET_OF: Final[Mapping[str, Target]] = {
    token: target for forms, target in TARGETS.items() for token in (forms.member, forms.binding)
}


@cache
def _pattern(text: str, environment: str, project: str) -> re.Pattern[str]:
    suffix = account_suffix(environment)
    filled = text.replace("<project>", project).replace("<environment>", environment)
    return re.compile(filled.replace("<-stg>", suffix))


def variable_of(secret: str) -> str:
    """The variable in a secret's id, in lower case with hyphens: ``jwt-secret``."""
    return re.sub(r"^pull-(production|staging)-|-(production|staging)$", "", _dashed(secret))


# -- the check -------------------------------------------------------------------------------------

GRANTING: Final = re.compile(
    r"gcp:(accesscontextmanager|cloudidentity|iam|privilegedaccessmanager)/.+"
    r"|gcp:.+(iam(member|binding|policy|auditconfig|customrole|memberremove)"
    r"|acl|aclconfig|aclpolicy|access|accesscontrol|accesspolicy|rolebinding)"
    r"|gcp:projects/defaultserviceaccounts:.+|gcp:siteverification/owner:.+"
    r"|kubernetes:rbac\.authorization\.k8s\.io/.+",
    re.IGNORECASE,
)
"""Types that say who may do what. The names are those of pulumi-gcp 10.2.0."""

FEDERATION: Final = (gcp.WORKLOAD_IDENTITY_POOL, gcp.WORKLOAD_IDENTITY_POOL_PROVIDER)
"""Types with rules of their own, in ``federation.py``."""


Row = tuple[str | None, str | None, str | None]
"""A :class:`Grant` in which None is what is not known before the update."""


def _agrees(found: Row, row: Grant) -> bool:
    return all(part is None or part == other for part, other in zip(found, row, strict=True))


def _text(value: object) -> str | None:
    return None if value is UNKNOWN else str(value)


@dataclass(frozen=True, slots=True)
class GrantCheck:
    """Compares grants with the table.

    Attributes:
        environment: of the stack.
        project: a pattern of the stack's project.
        sources: by property, the resources that a value is made from. They identify a member or a
            resource that is not known before the update.
    """

    environment: str
    project: str = ANY_PROJECT
    sources: Mapping[str, Sequence[Node]] = field(default_factory=dict)

    def findings(self, view: View) -> Iterator[Finding]:
        """What is wrong with a grant; what is known is compared even if the rest is not."""
        if view.value("condition") is not ABSENT:
            yield view.finding("condition", "must not be set: no grant of the table has one")
        project = view.value("project")
        if isinstance(project, str) and not re.fullmatch(self.project, project):
            yield view.finding("project", "must be the project of the stack")
        declared = table(self.environment)
        for path, found in self.rows(view):
            if not any(_agrees(found, row) for row in declared):
                known = any(row.resource == found[2] for row in declared)
                who, what = found[0] or "this member", found[2] if known else "this resource"
                text = f"gets a role that {who} must not have on {what}"
                yield Finding(path=path, text=text, urn=view.urn)
            elif None in found:
                target = TARGET_OF.get(view.type)
                unknown = path if found[0] is None else target.property if target else "role"
                yield Undecided(unknown, view.urn).finding

    def rows(self, view: View) -> Iterator[tuple[str, Row]]:
        """The rows that a grant needs in the table, each with the path of its member.

        A holder or resource that is none of the estate's is empty.
        """
        role = view.value("role")
        resource = self._resource(view)
        for match in (*view.find("member"), *view.find("members[]"), *view.find("members")):
            if match.value is UNKNOWN:
                yield match.path, (self._source_of_member(), _text(role), resource)
            elif isinstance(match.value, str):
                yield match.path, (self._holder(match.value), _text(role), resource)

    def _holder(self, member: str) -> str:
        patterns = members(self.environment, self.project)
        return next((name for name, text in patterns.items() if text.fullmatch(member)), "")

    def _resource(self, view: View) -> str | None:
        if view.type in (gcp.PROJECT_IAM.member, gcp.PROJECT_IAM.binding):
            return "project"
        target = TARGET_OF.get(view.type)
        if target is None:
            return ""
        pattern, value = target.path, view.value(target.property)
        if value is UNKNOWN:
            source = self._source(target.property, target.type)
            if source is None:
                return None
            pattern = "{name}"
            value = source.view.get(RESOURCE_TYPES[target.type].name_property)
        pattern = pattern.replace("{name}", target.name)
        found = _pattern(pattern, self.environment, self.project).fullmatch(str(value))
        if not found:
            return ""
        name = variable_of(found[1]) if target.type == gcp.SECRET else found[1]
        return f"{target.kind} {name}"

    def _source_of_member(self) -> str | None:
        if agent := self._source("member", gcp.SERVICE_IDENTITY):
            return _agent(str(agent.view.get("service")).removesuffix(".googleapis.com"))
        if account := self._source("member", gcp.SERVICE_ACCOUNT):
            pattern = _pattern(TARGETS[gcp.SERVICE_ACCOUNT_IAM].name, self.environment, "")
            found = pattern.fullmatch(str(account.view.get("accountId")))
            return found[1] if found else ""
        database = self._source("member", gcp.SQL_INSTANCE)
        own = f"pull-{self.environment}-postgres"
        return DATABASE if database and database.view.get("name") == own else None

    def _source(self, name: str, token: str) -> Node | None:
        """The resource that a property is made from, if it is only one and of this type."""
        sources = self.sources.get(name, ())
        return sources[0] if [source.type for source in sources] == [token] else None


def _declared(view: View) -> Iterator[Finding]:
    yield from GrantCheck(environment(view.config)).findings(view)


def _own_account(view: View) -> Iterator[Finding]:
    suffix = name_suffix(environment(view.config))
    service = str(view.get("name")).removesuffix(suffix)
    worker = service.removeprefix("pull-temporal-worker").removeprefix("-") or "all"
    account = account_of_consumer("api-origin" if service == "pull-api" else worker)
    expected = members(environment(view.config), ANY_PROJECT).get(account)
    email = view.get("template.serviceAccount")
    if expected is None or not expected.fullmatch(f"serviceAccount:{email}"):
        yield view.finding("template.serviceAccount", "must be the account of this service")


def _own_kubernetes_account(view: View) -> Iterator[Finding]:
    expected = f"{view.get('metadata.name')}-sa"
    if view.get("spec.template.spec.serviceAccountName") != expected:
        text = "must be the name of the workload with the suffix -sa"
        yield view.finding("spec.template.spec.serviceAccountName", text)


CLUSTER_ROLES: Final = ("compute.loadBalancerAdmin", "container.admin", "container.viewer")
"""Roles on the project that the deployer and the previewer need only for a cluster."""


def _needed(graph: Graph) -> Iterator[Grant]:
    """The rows whose holder and resource are in the stack.

    ``stack-no-missing-grant`` demands the grants on secrets, and ``stack-account-usable`` those to
    act as the account of a workload.
    """
    accounts = {
        str(node.view.get("accountId")).removeprefix("pull-").removesuffix("-stg")
        for node in graph.of_type(gcp.SERVICE_ACCOUNT)
    }
    pods = {node.view.get("metadata.name") for node in graph.of_type(kubernetes.SERVICE_ACCOUNT)}
    keys = {node.view.get("name") for node in graph.of_type(gcp.CRYPTO_KEY)}
    absent = {DEPLOYER, PREVIEWER, NODES, OPERATOR, *RUNTIMES} - accounts
    absent |= {_pod(name) for name in KUBERNETES_ACCOUNTS.keys() - pods}
    if not graph.of_type(pulumiservice.DEPLOYMENT_SETTINGS):
        absent.add(DEPLOYMENTS)
    for row in table(environment(graph.config)):
        kind, _, name = row.resource.partition(" ")
        exists = {"account": name in accounts, "key": name in keys}.get(kind, True)
        elsewhere = row.role == SECRET_ACCESSOR or (row.role == ACT_AS and name != NODES)
        optional = row.role.removeprefix("roles/") in CLUSTER_ROLES and OPERATOR not in accounts
        if exists and row.holder not in absent and not (elsewhere or optional):
            yield row


def project_of(graph: Graph) -> str:
    """A pattern of the stack's project."""
    projects = {str(node.view.get("project")) for node in graph.of_type(gcp.NETWORK)}
    return re.escape(projects.pop()) if len(projects) == 1 else ANY_PROJECT


def _all_declared(graph: Graph) -> Iterator[Finding]:
    project = project_of(graph)
    granted: list[Row] = []
    for node in graph.nodes:
        if node.type in GRANTS:
            check = GrantCheck(environment(graph.config), project, node.property_dependencies)
            granted += (row for _, row in check.rows(node.view))
            yield from attempt(check.findings(node.view))
        elif GRANTING.fullmatch(node.type) and node.type not in (*FEDERATION, gcp.AUDIT_CONFIG):
            yield node.finding("", "changes permissions in a way that the table does not have")
    urn = graph.nodes[0].urn if graph.nodes else ""
    for row in sorted(_needed(graph)):
        if not any(_agrees(found, row) for found in granted):
            text = f"The stack does not grant {row.role} on {row.resource} to {row.holder}"
            yield Finding(path="", text=text, urn=urn)


RULES: Final = (
    ResourceRule(
        id="iam-grant-declared",
        severity=Severity.CRITICAL,
        what="A grant is in the table of who holds which role on which resource, and has no "
        "condition.",
        fix="Remove it, or add it to policies/rules/grants.py, or its reader to the catalogue of "
        "secrets.",
        url=f"{DOCS}/using-iam-securely",
        types=GRANTS,
        checks=(
            Custom(
                _declared,
                ("member", "members[]", "role", "condition", "project"),
                (
                    SetValue("member", "serviceAccount:pull-web@pull-production"),
                    SetValue("members", ["group:engineers@pull.com"]),
                    SetValue("role", "roles/iam.serviceAccountTokenCreator"),
                    SetValue("condition", {"title": "always", "expression": "true"}),
                ),
            ),
        ),
        settings=ENVIRONMENT,
        decidable_after_update=True,
    ),
    ResourceRule(
        id="run-own-account",
        severity=Severity.CRITICAL,
        what="A service runs as its own account, not as one with other permissions.",
        fix="Set template.serviceAccount to the account of the service.",
        url="https://cloud.google.com/run/docs/configuring/services/service-identity",
        types=(gcp.RUN_SERVICE, gcp.RUN_WORKER_POOL),
        checks=(
            Custom(
                _own_account,
                ("name", "template.serviceAccount"),
                tuple(
                    SetValue("template.serviceAccount", f"{account}.iam.gserviceaccount.com")
                    for account in ("pull-ci-deployer@pull-production", "pull-worker-rwa@elsewhere")
                ),
            ),
        ),
        settings=ENVIRONMENT,
    ),
    ResourceRule(
        id="k8s-own-account",
        severity=Severity.CRITICAL,
        what="A workload runs as its own service account, not as one with other permissions: that "
        "of the External Secrets Operator can read every secret.",
        fix="Set serviceAccountName to the name of the workload with the suffix -sa.",
        url="https://kubernetes.io/docs/concepts/security/service-accounts/",
        types=(kubernetes.DAEMON_SET, kubernetes.DEPLOYMENT, kubernetes.STATEFUL_SET),
        checks=(
            Custom(
                _own_kubernetes_account,
                ("metadata.name", "spec.template.spec.serviceAccountName"),
                (SetValue("spec.template.spec.serviceAccountName", "pull-secrets-sa"),),
            ),
        ),
    ),
    StackRule(
        id="stack-grants-declared",
        severity=Severity.CRITICAL,
        what="The grants of the stack are those in the table of who holds which role on which "
        "resource. Custom roles, access lists and roles in the cluster are not in it.",
        fix="Restore a missing grant. Remove another one, or add it to policies/rules/grants.py, "
        "or its reader to the catalogue of secrets.",
        url=f"{DOCS}/using-iam-securely",
        check=_all_declared,
        paths=("member", "members[]", "role", "condition", "project"),
        settings=ENVIRONMENT,
    ),
)

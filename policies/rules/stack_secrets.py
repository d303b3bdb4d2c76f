"""Rules over the whole stack: secrets, and who reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policies.framework.credentials import CREDENTIAL
from policies.framework.graph import Graph, Node, StackRule
from policies.framework.paths import ABSENT, UNKNOWN, Finding, Undecided, texts_in
from policies.framework.rules import Severity
from policies.rules import cloud_run
from policies.rules.grants import KUBERNETES_ACCOUNTS, OPERATOR, SECRET_ACCESSOR, variable_of
from policies.rules.kubernetes import (
    ACCOUNT_ANNOTATION,
    EXTERNAL_SECRETS,
    POD_SPECS,
    WORKLOADS,
    annotations_of,
)
from resource_types import cloudflare, gcp, kubernetes, pulumi_random, vercel

GUIDE: Final = "docs/runbook-coverage.md"

SECRET_SOURCES: Final = (
    pulumi_random.RANDOM_PASSWORD,
    gcp.REDIS_INSTANCE,
    gcp.SQL_USER,
    gcp.SECRET_VERSION,
)
"""Resources whose outputs hold secrets."""

PLAIN_PROPERTIES: Final = {
    gcp.RUN_SERVICE: "template",
    gcp.RUN_WORKER_POOL: "template",
    gcp.RUN_JOB: "template",
    cloudflare.WORKER_VERSION: "bindings",
    vercel.ENVIRONMENT_VARIABLE: "value",
    kubernetes.CONFIG_MAP: "data",
}
"""Properties that everybody with read access to the resource can see."""

MEANT_FOR_SECRETS: Final = frozenset(
    {gcp.SECRET_VERSION, gcp.SQL_USER, pulumi_random.RANDOM_PASSWORD}
)
"""Types with properties for secrets, which Pulumi encrypts in the state."""


# -- secrets ---------------------------------------------------------------------------------------


def _mounts(graph: Graph) -> Iterator[tuple[Node, str, str]]:
    """The secrets that resources mount: the node, the secret's id, and the path of the reference.

    Raises:
        Undecided: a reference is not known before the update.
    """
    for node in graph.of_type(*cloud_run.WORKLOADS):
        containers = cloud_run.CONTAINERS[node.type]
        for match in node.view.find(f"{containers}.envs[].valueSource.secretKeyRef.secret"):
            if match.value is UNKNOWN:
                raise Undecided(match.path, node.urn)
            if match.value is not ABSENT:
                yield node, str(match.value).rpartition("/")[2], match.path
    for node in graph.of_type(*EXTERNAL_SECRETS):
        for secret in node.view.all("spec.data[].remoteRef.key"):
            yield node, str(secret), "spec.data"
    for node in graph.of_type(cloudflare.WORKER_VERSION):
        for binding in node.view.parts("bindings[]"):
            if binding.get("type") == "secrets_store_secret":
                yield node, str(binding.get("secretName")), binding.path
            elif binding.get("type") == "inherit":
                # Cloudflare has the value under the variable's name, in which the id ends.
                yield node, str(binding.get("name")), binding.path


def is_secret_of(secret: str, mounted: str) -> bool:
    """Whether a secret's id is ``mounted``, or the id of a variable of that name."""
    variable = re.escape(mounted.lower().replace("_", "-"))
    pattern = rf"(.*-)?{variable}(-(production|staging))?"
    return re.fullmatch(pattern, secret.lower().replace("_", "-")) is not None


def _every_secret_is_read(graph: Graph) -> Iterator[Finding]:
    if not graph.of_type(*cloud_run.WORKLOADS, *WORKLOADS):
        return  # a new stack creates its workers last, and only they name the secrets they read
    mounted = {secret for _, secret, _ in _mounts(graph)} | set(graph.config["elsewhere"])
    for node in graph.of_type(gcp.SECRET):
        secret = str(node.view.get("secretId"))
        if not any(is_secret_of(secret, name) for name in mounted):
            yield node.finding("secretId", "has no reader in this stack")


def _every_mount_exists(graph: Graph) -> Iterator[Finding]:
    known = [str(node.view.get("secretId")) for node in graph.of_type(gcp.SECRET)]
    for node, mounted, path in _mounts(graph):
        if not any(is_secret_of(secret, mounted) for secret in known):
            yield Finding(
                path=path, text="references a secret that is not in this stack", urn=node.urn
            )


def _no_plain_secret(graph: Graph) -> Iterator[Finding]:
    """The catalogue decides what is secret: some names, such as that of a host, do not show it."""
    known = {variable_of(str(node.view.get("secretId"))) for node in graph.of_type(gcp.SECRET)}
    for node in graph.of_type(*PLAIN_PROPERTIES, *WORKLOADS):
        for name, path in _plain_variables(node):
            if variable_of(name) in known:
                yield node.finding(path, "is a plain value, although a secret of that name exists")


def _plain_variables(node: Node) -> Iterator[tuple[str, str]]:
    """Name and path of each variable whose value is in the resource itself."""
    if node.type == kubernetes.CONFIG_MAP:
        data = node.view.get("data", {})
        yield from ((name, "data") for name in data) if isinstance(data, dict) else ()
    for path, value in (
        (f"{cloud_run.CONTAINERS.get(node.type, 'none')}.envs[]", "value"),
        (f"{POD_SPECS.get(node.type, 'none')}.containers[].env[]", "value"),
        ("bindings[]", "text"),
        ("bindings[]", "json"),
    ):
        for item in node.view.parts(path):
            if item.inputs is not UNKNOWN and item.value(value) is not ABSENT:
                yield str(item.get("name", "")), item.path


def _no_literal(graph: Graph) -> Iterator[Finding]:
    for token, path, write_only in (
        (gcp.SECRET_VERSION, "secretData", "secretDataWo"),
        (gcp.SQL_USER, "password", "passwordWo"),
    ):
        for node in graph.of_type(token):
            value = node.view.value(path)
            if value is ABSENT or node.view.value(write_only) is not ABSENT:
                continue
            if not node.property_dependencies.get(path):
                yield node.finding(
                    path, "is hard-coded in the program: it must come from a resource"
                )


def _no_taint(graph: Graph) -> Iterator[Finding]:
    for token, path in PLAIN_PROPERTIES.items():
        for node in graph.of_type(token):
            for source in node.property_dependencies.get(path, ()):
                if source.type in SECRET_SOURCES:
                    yield node.finding(path, f"is derived from {source.name}, which holds a secret")


def _no_credential_anywhere(graph: Graph) -> Iterator[Finding]:
    for node in graph.nodes:
        if node.type not in MEANT_FOR_SECRETS:
            for path, text in texts_in(node.view.inputs):
                if CREDENTIAL.search(text):
                    yield node.finding(path, "holds a credential")


# -- least privilege -------------------------------------------------------------------------------


def account_of(node: Node) -> str:
    """``<id>@<project>`` of a grant's member, which the graph knows before the update."""
    for source in node.property_dependencies.get("member", ()):
        if source.type == gcp.SERVICE_ACCOUNT:
            return f"{source.view.get('accountId')}@{source.view.get('project')}"
    return _email(str(node.view.get("member")).rpartition(":")[2])


def _email(email: str) -> str:
    return email.removesuffix(".iam.gserviceaccount.com")


def grants(graph: Graph) -> Iterator[tuple[Node, str, str]]:
    """Who can read which secret: the grant, the account, and the secret's id."""
    for node in graph.of_type(gcp.SECRET_IAM.member):
        if node.view.get("role") == SECRET_ACCESSOR:
            yield node, account_of(node), str(node.view.get("secretId")).rpartition("/")[2]


def readers(graph: Graph) -> Iterator[tuple[Node, str, str, str]]:
    """Who reads which secret on Google Cloud: the node, its account, the secret, and the path.

    The External Secrets operator reads the secrets of an ExternalSecret.
    """
    operators = [
        _email(str(annotations_of(node.view).get(ACCOUNT_ANNOTATION)))
        for node in graph.of_type(kubernetes.SERVICE_ACCOUNT)
        if KUBERNETES_ACCOUNTS.get(str(node.view.get("metadata.name"))) == OPERATOR
    ]
    for node, secret, path in _mounts(graph):
        if node.type in cloud_run.WORKLOADS:
            email = node.view.get(f"{cloud_run.TEMPLATES[node.type]}.serviceAccount", "")
            yield node, _email(str(email)), secret, path
        elif node.type in EXTERNAL_SECRETS:
            yield from ((node, operator, secret, path) for operator in operators)


def _no_unused_grant(graph: Graph) -> Iterator[Finding]:
    used = {(account, secret) for _, account, secret, _ in readers(graph)}
    for node, account, secret in grants(graph):
        if (account, secret) not in used:
            yield node.finding("secretId", "is granted to an account that does not mount it")


def _no_missing_grant(graph: Graph) -> Iterator[Finding]:
    granted = {(account, secret) for _, account, secret in grants(graph)}
    for node, account, secret, path in readers(graph):
        if (account, secret) not in granted:
            text = "references a secret that the service's account cannot read"
            yield Finding(path=path, text=text, urn=node.urn)


RULES: Final = (
    StackRule(
        id="stack-secret-has-reader",
        severity=Severity.MEDIUM,
        what="Every secret has a reader.",
        fix="Mount the secret or remove it from the catalogue; list secrets of CI workflows in "
        "the rule's settings.",
        url=GUIDE,
        check=_every_secret_is_read,
        paths=("secretId", "template.containers[].envs[].valueSource.secretKeyRef.secret"),
        settings={
            "elsewhere": {
                "type": "array",
                "items": {"type": "string", "pattern": r"[a-z0-9]+(-[a-z0-9]+)+"},
                "default": ["deployer-private-key-mainnet", "polygonscan-api-key"],
            }
        },
    ),
    StackRule(
        id="stack-mounted-secret-exists",
        severity=Severity.HIGH,
        what="Every mounted secret exists in the stack.",
        fix="Add the variable to the catalogue.",
        url=GUIDE,
        check=_every_mount_exists,
        paths=("secretId", "bindings[].secretName"),
    ),
    StackRule(
        id="stack-secret-by-reference",
        severity=Severity.CRITICAL,
        what="No variable that is a secret in the catalogue has a plain value.",
        fix="Mount it by reference, as the catalogue does for its consumers.",
        url=GUIDE,
        check=_no_plain_secret,
        paths=("template.containers[].envs[].name", "bindings[].name", "data"),
    ),
    StackRule(
        id="stack-secret-not-hardcoded",
        severity=Severity.CRITICAL,
        what="No password and no secret value is hard-coded in the program.",
        fix="Generate it with a resource, or add the version outside of this program.",
        url="https://cloud.google.com/secret-manager/docs/best-practices",
        check=_no_literal,
        paths=("secretData", "password"),
    ),
    StackRule(
        id="stack-secret-not-exposed",
        severity=Severity.CRITICAL,
        what="No plain value is derived from a resource that holds a secret.",
        fix="Put the value into a secret version, and mount that.",
        url="https://www.pulumi.com/docs/iac/concepts/secrets/",
        check=_no_taint,
        paths=tuple(sorted(set(PLAIN_PROPERTIES.values()))),
    ),
    StackRule(
        id="stack-no-credential",
        severity=Severity.CRITICAL,
        what="No property holds a credential unless it is meant for secrets.",
        fix="Put the value into a secret version, and mount that.",
        url="https://www.pulumi.com/docs/iac/concepts/secrets/",
        check=_no_credential_anywhere,
        paths=(),
    ),
    StackRule(
        id="stack-no-unused-grant",
        severity=Severity.HIGH,
        what="No account can read a secret that it does not mount.",
        fix="Remove the grant: grants follow from the catalogue's consumers.",
        url="https://cloud.google.com/iam/docs/using-iam-securely",
        check=_no_unused_grant,
        paths=("member", "secretId", "template.serviceAccount"),
    ),
    StackRule(
        id="stack-no-missing-grant",
        severity=Severity.HIGH,
        what="Every account can read the secrets that it mounts; otherwise Cloud Run rejects the "
        "revision.",
        fix="Add the consumer to the catalogue: the grant follows from it.",
        url="https://cloud.google.com/run/docs/configuring/services/secrets#access-secret",
        check=_no_missing_grant,
        paths=("member", "secretId", "template.serviceAccount"),
    ),
)

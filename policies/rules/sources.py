"""Which resource of the stack each reference on Google Cloud and in Pulumi Cloud comes from.

A reference to a wrong resource has a right form: a database with the key of the backups, or a
network of another project. The id is often not known before the update, but the engine reports from
which resources an input is made (``propertyDependencies``). Logical names identify them, because
they never change: they are part of a URN. Grants have a table of their own in ``grants.py``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from policies.framework.graph import Graph, Node, StackRule
from policies.framework.paths import ABSENT, Finding, attempt
from policies.framework.rules import Severity
from policies.rules import cloud_run
from policies.rules.grants import variable_of
from resource_types import gcp, pulumi_random, pulumiservice

GUIDE: Final = "docs/architecture.md"

NETWORK: Final = "network-vpc"
SUBNET: Final = "network-subnet"
CONNECTOR: Final = "network-connector"
DATABASE: Final = "postgres-instance"
PASSWORD: Final = "postgres-password"

SOURCES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    gcp.BUCKET: {"encryption": ("encryption-key-backups",)},
    gcp.BUCKET_IAM.member: {"bucket": ("backups-bucket",)},
    gcp.CRYPTO_KEY: {"keyRing": (r"encryption-ring-.+",)},
    gcp.GKE_CLUSTER: {
        "databaseEncryption": ("encryption-key-cluster",),
        "network": (NETWORK,),
        "subnetwork": ("network-cluster-subnet",),
    },
    gcp.GLOBAL_ADDRESS: {"network": (NETWORK,)},
    gcp.REDIS_INSTANCE: {"authorizedNetwork": (NETWORK,)},
    gcp.REPOSITORY_IAM.member: {"location": ("registry-gcr",), "repository": ("registry-gcr",)},
    gcp.ROUTER: {"network": (NETWORK,)},
    gcp.ROUTER_NAT: {"natIps": ("network-egress-address",), "router": ("network-router",)},
    gcp.SECRET: {"replication": ("encryption-key-secrets",), "topics": ("secrets-rotation",)},
    gcp.SERVICE_NETWORKING_CONNECTION: {
        "network": (NETWORK,),
        "reservedPeeringRanges": ("network-services-range",),
    },
    gcp.SQL_DATABASE: {"instance": (DATABASE,)},
    gcp.SQL_INSTANCE: {
        "clone": (DATABASE,),
        "encryptionKeyName": ("encryption-key-postgres",),
        "settings": (NETWORK, "network-services-range"),
    },
    gcp.SQL_USER: {"instance": (DATABASE,), "password": (PASSWORD,)},
    gcp.SUBNETWORK: {"network": (NETWORK,)},
    gcp.TOPIC_IAM.member: {"topic": ("secrets-rotation",)},
    gcp.VPC_CONNECTOR: {"network": (NETWORK,)},
    gcp.WORKLOAD_IDENTITY_POOL_PROVIDER: {"workloadIdentityPoolId": ("identity-github",)},
    pulumiservice.DEPLOYMENT_SETTINGS: {
        "operationContext": ("identity-github", "deployments-sign-in")
    },
    pulumiservice.WEBHOOK: {"secret": ("deployments-events-key",)},
}
"""By type and input, patterns of the logical names of exactly the resources that it is made from.

An input that is not set has no source: other rules demand it where it must be set.
"""

DERIVED: Final[Mapping[str, tuple[str, ...]]] = {
    "database-url": (DATABASE, PASSWORD, "postgres-database", "postgres-user"),
    "redis-ca-cert": ("redis-instance",),
    "redis-url": ("redis-instance",),
}
"""The secrets whose value this program derives, and what it is made from."""


def _made_from(node: Node, name: str, patterns: tuple[str, ...]) -> Iterator[Finding]:
    value = node.view.value(name)
    if value is ABSENT or not value:
        return
    found = {source.name for source in node.property_dependencies.get(name, ())}
    matched = {
        pattern: {source for source in found if re.fullmatch(pattern, source)}
        for pattern in patterns
    }
    if not all(matched.values()) or found != set().union(*matched.values()):
        yield node.finding(name, f"must come from {' and '.join(patterns)}, and nothing else")


def _sources(graph: Graph) -> Iterator[Finding]:
    for node in graph.of_type(*SOURCES):
        for name, patterns in SOURCES[node.type].items():
            # A clone has the settings and the key of its source.
            if name == "clone" or not node.view.get("clone"):
                yield from _made_from(node, name, patterns)


def _derived(graph: Graph) -> Iterator[Finding]:
    versions: Counter[Node] = Counter()
    for node in graph.of_type(gcp.SECRET_VERSION):
        secrets = node.property_dependencies.get("secret", ())
        variables = [variable_of(str(secret.view.get("secretId"))) for secret in secrets]
        versions.update(secrets)
        patterns = DERIVED.get(variables[0]) if len(variables) == 1 else None
        if patterns is None:
            yield node.finding("secret", "must be a secret whose value this program derives")
        else:
            yield from _made_from(node, "secretData", patterns)
    for secret in graph.of_type(gcp.SECRET):
        derived = variable_of(str(secret.view.get("secretId"))) in DERIVED
        if derived and versions[secret] != 1:
            yield secret.finding("secretId", "must have one version, which this program derives")


# -- what workloads refer to by name ---------------------------------------------------------------


def _network(graph: Graph) -> Iterator[Finding]:
    """The names are part of the hash of a revision, so they are texts and have no source."""
    names = {
        path: (logical, f"projects/{node.view.get('project')}/{group}/{node.view.get('name')}")
        for node in graph.of_type(gcp.NETWORK, gcp.SUBNETWORK, gcp.VPC_CONNECTOR)
        for logical, path, group in (
            (NETWORK, "networkInterfaces[].network", "global/networks"),
            (SUBNET, "networkInterfaces[].subnetwork", f"regions/{_region(node)}/subnetworks"),
            (CONNECTOR, "connector", f"locations/{_region(node)}/connectors"),
        )
        if node.name == logical
    }
    for node in graph.of_type(*cloud_run.WORKLOADS):
        for path, (logical, expected) in names.items():
            for value in node.view.all(f"{cloud_run.TEMPLATES[node.type]}.vpcAccess.{path}"):
                if value != expected:
                    yield node.finding(path, f"must be the full name of {logical}")


def _region(node: Node) -> str:
    return str(node.view.get("region"))


GENERATION: Final = "pull.com/password-generation"
"""The annotation of a workload that makes a new revision when the database has a new password."""


def _password_generation(graph: Graph) -> Iterator[Finding]:
    for password in graph.of_type(pulumi_random.RANDOM_PASSWORD):
        if password.name != PASSWORD:
            continue
        generation = password.view.get("keepers.generation")
        if not re.fullmatch(r"[1-9]\d*", str(generation)):
            text = "must be the number in pull:postgres.password_generation"
            yield password.finding("keepers.generation", text)
        for node in graph.of_type(*cloud_run.WORKLOADS):
            path = f"{cloud_run.TEMPLATES[node.type]}.annotations"
            annotations = node.view.get(path, {})
            if not isinstance(annotations, dict) or annotations.get(GENERATION) != generation:
                yield node.finding(path, f"must have the {GENERATION} of {PASSWORD}")


def _check(graph: Graph) -> Iterator[Finding]:
    for check in (_sources, _derived, _network, _password_generation):
        yield from attempt(check(graph))


RULES: Final = (
    StackRule(
        id="stack-sources-declared",
        severity=Severity.CRITICAL,
        what="Networks, keys, passwords, databases and identity pools that a resource on Google "
        "Cloud or in Pulumi Cloud uses are the ones that are meant for it.",
        fix="Refer to the resource that the message names, or correct SOURCES in "
        "policies/rules/sources.py.",
        url=GUIDE,
        check=_check,
        paths=tuple(sorted({name for inputs in SOURCES.values() for name in inputs})),
    ),
)

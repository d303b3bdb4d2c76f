"""Rules over the whole stack: what must exist, and what must exist before what.

The engine orders resources by their dependencies alone. A missing one goes unnoticed until the
first deployment of a new stack, in which two resources are created at the same time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from policies.framework.graph import Graph, Node, StackRule
from policies.framework.paths import UNKNOWN, Finding
from policies.framework.rules import Severity
from policies.rules import cloud_kms, cloud_run, flows
from policies.rules.grants import ACT_AS, SECRET_READERS, variable_of
from policies.rules.kubernetes import NAMESPACED, POD_SPECS, WORKLOADS, annotations_of
from policies.rules.stack_secrets import grants, readers
from resource_types import cloudflare, gcp, kubernetes, pulumiservice, vercel
from resource_types.estate import PROVIDER_PREFIX

GUIDE: Final = "docs/architecture.md"

# -- what must exist -------------------------------------------------------------------------------

REQUIRED: Final = {
    "": (
        gcp.PROJECT_SERVICE,
        gcp.NETWORK,
        gcp.SUBNETWORK,
        gcp.ROUTER,
        gcp.ROUTER_NAT,
        gcp.ADDRESS,
        gcp.GLOBAL_ADDRESS,
        gcp.SERVICE_NETWORKING_CONNECTION,
        gcp.VPC_CONNECTOR,
        gcp.KEY_RING,
        gcp.CRYPTO_KEY,
        gcp.CRYPTO_KEY_IAM.member,
        gcp.SQL_INSTANCE,
        gcp.SQL_DATABASE,
        gcp.SQL_USER,
        gcp.REDIS_INSTANCE,
        gcp.BUCKET,
        gcp.BUCKET_IAM.member,
        gcp.REPOSITORY,
        gcp.REPOSITORY_IAM.member,
        gcp.SECRET,
        gcp.SECRET_VERSION,
        gcp.TOPIC,
        gcp.TOPIC_IAM.member,
        gcp.WORKLOAD_IDENTITY_POOL,
        gcp.WORKLOAD_IDENTITY_POOL_PROVIDER,
        cloudflare.R2_BUCKET,
        cloudflare.R2_BUCKET_CORS,
        cloudflare.R2_BUCKET_LIFECYCLE,
        cloudflare.DNS_RECORD,
        vercel.PROJECT,
        vercel.PROJECT_DOMAIN,
        vercel.ENVIRONMENT_VARIABLE,
    ),
    cloudflare.WORKER: (
        cloudflare.WORKER_VERSION,
        cloudflare.WORKERS_DEPLOYMENT,
        cloudflare.WORKERS_ROUTE,
    ),
    gcp.GKE_CLUSTER: (kubernetes.RELEASE,),
    pulumiservice.DEPLOYMENT_SETTINGS: (
        pulumiservice.DRIFT_SCHEDULE,
        pulumiservice.STACK_TAGS,
    ),
    kubernetes.NAMESPACE: (kubernetes.PRIORITY_CLASS, *NAMESPACED),
}
"""The types of which a stack has a resource at least; under a type, those that it needs with it.

Workers are not among them: a new stack has none until its registry holds an image.
"""


def _complete(graph: Graph) -> Iterator[Finding]:
    present = {node.type for node in graph.nodes}
    urn = graph.nodes[0].urn if graph.nodes else ""
    for anchor, needed in REQUIRED.items():
        if not anchor or anchor in present:
            for token in needed:
                if token not in present:
                    yield Finding(path="", text=f"The stack has no {token}", urn=urn)
    secrets = {variable_of(str(node.view.get("secretId"))) for node in graph.of_type(gcp.SECRET)}
    for variable in SECRET_READERS:
        if variable_of(variable) not in secrets:
            yield Finding(path="", text=f"The stack has no secret {variable}", urn=urn)


# -- what must exist before what -------------------------------------------------------------------

APIS: Final = {
    "artifactregistry": "artifactregistry",
    "cloudrunv2": "run",
    "compute": "compute",
    "container": "container",
    "iam": "iam",
    "kms": "cloudkms",
    "projects": "cloudresourcemanager",
    "pubsub": "pubsub",
    "redis": "redis",
    "secretmanager": "secretmanager",
    "serviceaccount": "iam",
    "servicenetworking": "servicenetworking",
    "sql": "sqladmin",
    "storage": "storage",
    "vpcaccess": "vpcaccess",
}
"""The API that each module of pulumi-gcp calls, without ``.googleapis.com``."""

SIGN_IN_APIS: Final = ("iamcredentials", "sts")
"""The APIs that a workflow calls to sign in through a workload identity pool.

https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines
"""

BEFORE: Final = {
    gcp.SQL_INSTANCE: (gcp.SERVICE_NETWORKING_CONNECTION,),
    gcp.REDIS_INSTANCE: (gcp.SERVICE_NETWORKING_CONNECTION,),
    gcp.SECRET: (gcp.TOPIC_IAM.member,),
    pulumiservice.DRIFT_SCHEDULE: (pulumiservice.DEPLOYMENT_SETTINGS,),
    gcp.SECRET_VERSION: (gcp.SQL_DATABASE, gcp.SQL_USER, gcp.REDIS_INSTANCE),
    gcp.RUN_SERVICE: (gcp.ROUTER_NAT, gcp.VPC_CONNECTOR, gcp.REPOSITORY, gcp.SECRET_VERSION),
    gcp.RUN_WORKER_POOL: (gcp.ROUTER_NAT, gcp.VPC_CONNECTOR, gcp.REPOSITORY, gcp.SECRET_VERSION),
    cloudflare.WORKERS_ROUTE: (cloudflare.WORKERS_DEPLOYMENT,),
    vercel.PROJECT_DOMAIN: (vercel.ENVIRONMENT_VARIABLE,),
    vercel.DEPLOYMENT: (vercel.ENVIRONMENT_VARIABLE, cloudflare.WORKERS_DEPLOYMENT),
    kubernetes.NAMESPACE: (gcp.GKE_CLUSTER,),
    kubernetes.CONFIG_MAP: (kubernetes.NAMESPACE,),
    kubernetes.SERVICE_ACCOUNT: (kubernetes.NAMESPACE, kubernetes.PRIORITY_CLASS),
    kubernetes.RELEASE: (kubernetes.NAMESPACE, gcp.ROUTER_NAT),
    kubernetes.SECRET_STORE: (kubernetes.SERVICE_ACCOUNT, kubernetes.RELEASE),
    kubernetes.EXTERNAL_SECRET: (kubernetes.SECRET_STORE, gcp.SECRET_VERSION),
    kubernetes.NETWORK_POLICY: (kubernetes.NAMESPACE,),
    kubernetes.DEPLOYMENT: (
        gcp.REPOSITORY,
        kubernetes.CONFIG_MAP,
        kubernetes.EXTERNAL_SECRET,
        kubernetes.NETWORK_POLICY,
        kubernetes.SERVICE_ACCOUNT,
    ),
    kubernetes.INGRESS: (kubernetes.SERVICE,),
}
"""A type, and the types whose resources must all be finished before one of it starts."""

BEFORE_ANY: Final = {
    gcp.RUN_SERVICE: (gcp.SUBNETWORK,),
    gcp.RUN_WORKER_POOL: (gcp.SUBNETWORK,),
    gcp.GKE_CLUSTER: (gcp.SUBNETWORK, gcp.PROJECT_IAM.member, gcp.REPOSITORY_IAM.member),
    cloudflare.WORKERS_ROUTE: (cloudflare.DNS_RECORD,),
    vercel.PROJECT_DOMAIN: (cloudflare.DNS_RECORD,),
    kubernetes.SERVICE_ACCOUNT: (gcp.SERVICE_ACCOUNT,),
    kubernetes.HORIZONTAL_POD_AUTOSCALER: (kubernetes.DEPLOYMENT,),
    kubernetes.POD_DISRUPTION_BUDGET: (kubernetes.DEPLOYMENT,),
    kubernetes.SERVICE: (kubernetes.DEPLOYMENT,),
}
"""A type, and the types of which one resource at least must be finished before one of it starts."""


def _own_names(graph: Graph) -> Iterator[tuple[Node, Node]]:
    """What needs the resource of its own name first, and that resource."""
    for node in graph.of_type(cloudflare.WORKERS_ROUTE, vercel.PROJECT_DOMAIN):
        for record in graph.of_type(cloudflare.DNS_RECORD):
            if record.view.get("name") in flows.hosts_of(node):
                yield node, record
    for ingress in graph.of_type(kubernetes.INGRESS):
        for annotation, token in flows.INGRESS_RESOURCES.items():
            for named in graph.of_type(token):
                if named.view.get("name") == annotations_of(ingress.view).get(annotation):
                    yield ingress, named
        for record in graph.of_type(cloudflare.DNS_RECORD):
            if record.view.get("type") == "A":
                yield record, ingress


def _order(graph: Graph) -> Iterator[Finding]:
    for node, earlier in _own_names(graph):
        if earlier not in node.ancestors:
            yield node.finding("", f"does not depend on {earlier.name}")
    for token, earlier_types in BEFORE.items():
        for node in graph.of_type(token):
            finished = node.ancestors
            for earlier in graph.of_type(*earlier_types):
                if earlier not in finished:
                    yield node.finding("", f"does not depend on {earlier.name}")
    for token, earlier_types in BEFORE_ANY.items():
        for node in graph.of_type(token):
            finished_types = {earlier.type for earlier in node.ancestors}
            for earlier_type in earlier_types:
                if graph.of_type(earlier_type) and earlier_type not in finished_types:
                    yield node.finding("", f"depends on no {earlier_type}")


def _enabled_api(graph: Graph) -> Iterator[Finding]:
    enabled = {
        str(node.view.get("service")).partition(".")[0]: node
        for node in graph.of_type(gcp.PROJECT_SERVICE)
    }
    for api, node in enabled.items():
        if api not in (*APIS.values(), *SIGN_IN_APIS):
            yield node.finding("service", "is an API that no resource of the estate calls")
    for node in graph.nodes:
        for api in _apis(node):
            if api not in enabled:
                text = f"needs {api}.googleapis.com, which the stack does not enable"
                yield node.finding("", text)
            elif enabled[api] not in node.ancestors:
                text = f"does not depend on {enabled[api].name}, which enables its API"
                yield node.finding("", text)


def _apis(node: Node) -> tuple[str, ...]:
    """The APIs that must be enabled before the resource is created."""
    provider, _, path = node.type.partition(":")
    module = path.partition("/")[0]
    if provider != "gcp" or module not in APIS or node.type == gcp.PROJECT_SERVICE:
        return ()
    if node.type == gcp.SERVICE_IDENTITY:
        return (str(node.view.get("service")).partition(".")[0],)
    pool = node.type == gcp.WORKLOAD_IDENTITY_POOL
    return (APIS[module], *(SIGN_IN_APIS if pool else ()))


KEYS: Final = {
    token: cloud_kms.KEY_INPUTS[token]
    for token in (gcp.SQL_INSTANCE, gcp.BUCKET, gcp.SECRET, gcp.GKE_CLUSTER)
}
"""Types whose data we encrypt with our own key, and the input that holds the key.

Not among them: the rotation topic, whose messages hold only names of secrets; Redis, a cache whose
traffic is encrypted; the registry, whose images hold no data; and Cloud Run, which stores no data.
"""


def _usable_key(graph: Graph) -> Iterator[Finding]:
    grants_of: dict[Node, list[Node]] = {}
    for grant in graph.of_type(gcp.CRYPTO_KEY_IAM.member):
        for key in grant.property_dependencies.get("cryptoKeyId", ()):
            grants_of.setdefault(key, []).append(grant)
    for token, path in KEYS.items():
        for node in graph.of_type(token):
            keys = [
                key
                for key in node.property_dependencies.get(path, ())
                if key.type == gcp.CRYPTO_KEY
            ]
            if not keys and not node.view.get("clone"):
                yield node.finding(path, "must come from a key of this stack")
            finished = node.ancestors
            for key in keys:
                if not any(grant in finished for grant in grants_of.get(key, ())):
                    text = f"uses {key.name} before its service may: it depends on no grant of it"
                    yield node.finding(path, text)


def _usable_account(graph: Graph) -> Iterator[Finding]:
    """Whoever deploys a workload must be allowed to act as its account."""
    for node in graph.of_type(*cloud_run.WORKLOADS):
        path = f"{cloud_run.TEMPLATES[node.type]}.serviceAccount"
        identity = str(node.view.get(path)).partition("@")[0]
        finished = node.ancestors
        accounts = [
            account
            for account in graph.of_type(gcp.SERVICE_ACCOUNT)
            if account.view.get("accountId") == identity
        ]
        usable = [
            grant
            for grant in finished
            if grant.type == gcp.SERVICE_ACCOUNT_IAM.member
            and grant.view.get("role") == ACT_AS
            and set(accounts) & set(grant.property_dependencies.get("serviceAccountId", ()))
        ]
        if not accounts:
            yield node.finding(path, "must be an account of this stack")
        elif not usable:
            yield node.finding(path, f"does not depend on a grant to act as {accounts[0].name}")


def _readable_secrets(graph: Graph) -> Iterator[Finding]:
    by_secret: dict[tuple[str, str], list[Node]] = {}
    for grant, account, secret in grants(graph):
        by_secret.setdefault((account, secret), []).append(grant)
    for node, account, secret, path in readers(graph):
        found = by_secret.get((account, secret), [])
        if found and not any(grant in node.ancestors for grant in found):
            yield node.finding(path, f"does not depend on {found[0].name}")


# -- one owner -------------------------------------------------------------------------------------

OWNERS: Final = {
    f"{PROVIDER_PREFIX}gcp": ("project", "project"),
    "gcp:": ("project", "project"),
    "cloudflare:index/dnsRecord": ("zone", "zoneId"),
    "cloudflare:index/workersRoute": ("zone", "zoneId"),
    "cloudflare:": ("account", "accountId"),
    "kubernetes:external-secrets.io": ("project", "spec.provider.gcpsm.projectID"),
    pulumiservice.POLICY_GROUP: ("organization", "organizationName"),
    pulumiservice.WEBHOOK: ("organization", "organizationName"),
    "pulumiservice:": ("organization", "organization"),
}
"""What owns a resource, and the input that names the owner, by the start of the type."""

_NUMBER: Final = re.compile(r".+/projects/(\d+)/locations/global/.+")
"""A federated principal contains the number of the project, from the settings."""


def _owners(node: Node) -> Iterator[tuple[str, str, str]]:
    """What owns the resource: the kind of owner, the path of the input, and the owner."""
    found = next((owner for start, owner in OWNERS.items() if node.type.startswith(start)), None)
    if found is not None:
        yield (*found, node.view.value(found[1]))
    member = _NUMBER.fullmatch(str(node.view.value("member")))
    if member:
        yield "project number", "member", member[1]
    if node.type == pulumiservice.DEPLOYMENT_SETTINGS:
        path = "operationContext.oidc.gcp.projectId"
        yield "project number", path, node.view.value(path)


def _single_owner(graph: Graph) -> Iterator[Finding]:
    """The owner that most resources have is ours."""
    uses: dict[str, list[tuple[Node, str, str]]] = {}
    for node in graph.nodes:
        for kind, path, owner in _owners(node):
            if isinstance(owner, str):
                uses.setdefault(kind, []).append((node, path, owner))
    for kind, found in uses.items():
        ours, _ = Counter(owner for _, _, owner in found).most_common(1)[0]
        for node, path, owner in found:
            if owner != ours:
                yield node.finding(path, f"must be the {kind} of all other resources")


# -- images ----------------------------------------------------------------------------------------


PROGRAMS: Final = ("pull-api", "pull-temporal-worker")
"""The repositories of images, which workloads are named after."""


def _own_registry(graph: Graph) -> Iterator[Finding]:
    prefixes = tuple(
        f"{node.view.get('repositoryId')}/{node.view.get('project')}/"
        for node in graph.of_type(gcp.REPOSITORY)
    )
    containers = {
        **{token: (path,) for token, path in cloud_run.CONTAINERS.items()},
        **{
            token: (f"{pod}.containers[]", f"{pod}.initContainers[]")
            for token, pod in POD_SPECS.items()
        },
    }
    for node in graph.of_type(*cloud_run.WORKLOADS, *WORKLOADS):
        workload = str(node.view.get("name") or node.view.get("metadata.name"))
        program = next((name for name in PROGRAMS if workload.startswith(name)), "")
        for path in containers[node.type]:
            for match in node.view.find(f"{path}.image"):
                known = match.value is not UNKNOWN and isinstance(match.value, str)
                images = tuple(f"{prefix}{program}" for prefix in prefixes)
                if known and not str(match.value).startswith(images):
                    text = f"must be an image of {program or 'the estate'} in the stack's registry"
                    yield node.finding(match.path, text)


# -- shutdown --------------------------------------------------------------------------------------

ACTIVITY_TIMEOUT: Final = "TEMPORAL_ACTIVITY_START_TO_CLOSE_TIMEOUT"
"""The variable with the maximum duration of an activity, in milliseconds."""


def _grace(graph: Graph) -> Iterator[Finding]:
    timeouts = [
        int(str(value)) / 1000
        for node in graph.of_type(kubernetes.CONFIG_MAP)
        for value in node.view.all(f"data.{ACTIVITY_TIMEOUT}")
        if str(value).isdigit()
    ]
    for node in graph.of_type(kubernetes.DEPLOYMENT):
        pod = POD_SPECS[node.type]
        if "WORKER_TYPE" not in node.view.all(f"{pod}.containers[].env[].name"):
            continue
        grace = node.view.get(f"{pod}.terminationGracePeriodSeconds", 30)
        if any(grace < timeout for timeout in timeouts):
            text = f"must be {max(timeouts):g} or more, so that a worker can finish an activity"
            yield node.finding(f"{pod}.terminationGracePeriodSeconds", text)


RULES: Final = (
    StackRule(
        id="stack-complete",
        severity=Severity.CRITICAL,
        what="The stack has every kind of resource that the estate needs, and every secret of the "
        "catalogue.",
        fix="Restore the resource; if the estate no longer needs the type, remove it from REQUIRED "
        "in policies/rules/stack_edges.py.",
        url=GUIDE,
        check=_complete,
        paths=(),
    ),
    StackRule(
        id="stack-order",
        severity=Severity.HIGH,
        what="Every resource depends on what it needs at its creation.",
        fix="Add the resource to depends_on.",
        url=GUIDE,
        check=_order,
        paths=(),
    ),
    StackRule(
        id="stack-api-enabled",
        severity=Severity.HIGH,
        what="A resource of Google Cloud is created after its API is enabled, and no other API is "
        "enabled.",
        fix="Add services.ready(...) to its options; remove an API that nothing calls.",
        url="https://cloud.google.com/service-usage/docs/enable-disable",
        check=_enabled_api,
        paths=("service",),
    ),
    StackRule(
        id="stack-key-usable",
        severity=Severity.HIGH,
        what="Data is encrypted with a key of this stack, and only after its service may use it.",
        fix="Add encryption.usable[...] to the resource's options.",
        url="https://cloud.google.com/kms/docs/cmek",
        check=_usable_key,
        paths=("encryptionKeyName", "encryption", "replication", "databaseEncryption"),
    ),
    StackRule(
        id="stack-account-usable",
        severity=Severity.HIGH,
        what="A workload runs as an account of this stack, and is released after the deployer may "
        "act as it.",
        fix="Add service_account.ready to the resource's depends_on.",
        url="https://cloud.google.com/run/docs/configuring/services/service-identity",
        check=_usable_account,
        paths=("template.serviceAccount", "accountId", "serviceAccountId"),
    ),
    StackRule(
        id="stack-secret-readable",
        severity=Severity.HIGH,
        what="A workload is released after its account may read its secrets.",
        fix="Add secrets.readable_by(...) to the resource's depends_on.",
        url="https://cloud.google.com/run/docs/configuring/services/secrets#access-secret",
        check=_readable_secrets,
        paths=("member", "secretId"),
    ),
    StackRule(
        id="stack-single-owner",
        severity=Severity.CRITICAL,
        what="All resources are in one project, one Cloudflare account, one zone and one "
        "organization of Pulumi Cloud, and principals have the number of the project.",
        fix="Take the value from pull:gcp, pull:cloudflare or pull:pulumi_cloud.",
        url=GUIDE,
        check=_single_owner,
        paths=(
            *("project", "accountId", "zoneId", "organization", "member"),
            "spec.provider.gcpsm.projectID",
        ),
        decidable_after_update=True,
    ),
    StackRule(
        id="stack-image-from-own-registry",
        severity=Severity.HIGH,
        what="Every image comes from the registry of this stack, and is one of the workload's "
        "program.",
        fix="Push the image to the stack's registry, or mirror it there.",
        url="https://cloud.google.com/artifact-registry/docs/overview",
        check=_own_registry,
        paths=("template.containers[].image", "spec.template.spec.containers[].image"),
    ),
    StackRule(
        id="stack-worker-grace",
        severity=Severity.HIGH,
        what="A worker in the cluster has time to finish its longest activity.",
        fix="Set terminationGracePeriodSeconds to the activity's timeout or more.",
        url="https://docs.temporal.io/encyclopedia/workers/worker-shutdown",
        check=_grace,
        paths=("spec.template.spec.terminationGracePeriodSeconds",),
    ),
)

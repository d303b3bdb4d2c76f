"""Rules over the whole stack: secrets and their readers, the order of releases, who holds what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from policies import cloud_run, iam, kms, kubernetes, secrets, sql, vercel, workers
from policies.graph import Add, Derive, Drop, Forget, Graph, Node, PutIn, StackRule, Wait
from policies.rule import ABSENT, OURS, UNKNOWN, Finding, Severity, Undecided, View, is_number
from policies.sensitive import CREDENTIAL

GUIDE: Final = "docs/runbook-coverage.md"
ACCESSOR: Final = "roles/secretmanager.secretAccessor"
NEG: Final = "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup"
LOG_METRIC: Final = "gcp:logging/metric:Metric"
ALERT: Final = "gcp:monitoring/alertPolicy:AlertPolicy"

RELEASES: Final = (
    secrets.VERSION,
    workers.DEPLOYMENT,
    "vercel:index/projectDomain:ProjectDomain",
    cloud_run.SERVICE,
    cloud_run.POOL,
    kubernetes.DEPLOYMENT,
)
"""What puts something in front of users, and what it reads when it starts."""

SECRET_SOURCES: Final = (
    "random:index/randomPassword:RandomPassword",
    "gcp:redis/instance:Instance",
    sql.USER,
    secrets.VERSION,
)
"""Resources whose outputs hold secrets."""

PLAIN: Final = {
    cloud_run.SERVICE: "template",
    cloud_run.POOL: "template",
    cloud_run.JOB: "template",
    workers.VERSION: "bindings",
    vercel.VARIABLE: "value",
    kubernetes.CONFIG_MAP: "data",
}
"""Properties that anybody who may look at the resource can read."""

VALUES_ARE_SECRET: Final = frozenset(
    {secrets.VERSION, sql.USER, "random:index/randomPassword:RandomPassword"}
)
"""Types that are made to hold secrets; the state encrypts them."""

ADMINISTRATION: Final = re.compile(r"\.(\w*[aA]dmin)$|^roles/(owner|editor)$")


# -- secrets ---------------------------------------------------------------------------------------


def _mounts(graph: Graph) -> Iterator[tuple[Node, str, str]]:
    """Who reads which secret: the node, the secret's id, and the path of the reference.

    Raises:
        Undecided: a reference is not known before the update.
    """
    for node in graph.of(*cloud_run.ALL):
        containers = cloud_run.CONTAINERS[node.type]
        for found in node.view.find(f"{containers}.envs[].valueSource.secretKeyRef.secret"):
            if found.value is UNKNOWN:
                raise Undecided(found.path, node.urn)
            if found.value is not ABSENT:
                yield node, str(found.value).rpartition("/")[2], found.path
    for node in graph.of(*kubernetes.EXTERNAL_SECRETS):
        for secret in node.view.all("spec.data[].remoteRef.key"):
            yield node, str(secret), "spec.data"
    for node in graph.of(workers.VERSION):
        for binding in node.view.parts("bindings[]"):
            if binding.get("type") == "secrets_store_secret":
                yield node, str(binding.get("secretName")), binding.path
            elif binding.get("type") == "inherit":
                # The value is at Cloudflare under the variable's name; the id ends in it.
                yield node, str(binding.get("name")), binding.path


def _matches(secret: str, mounted: str) -> bool:
    """Whether a secret's id is ``mounted``, or the id of a variable of that name."""
    variable = re.escape(mounted.lower().replace("_", "-"))
    pattern = rf"(.*-)?{variable}(-(production|staging))?"
    return re.fullmatch(pattern, secret.lower().replace("_", "-")) is not None


def _every_secret_is_read(graph: Graph) -> Iterator[Finding]:
    if not graph.of(*cloud_run.ALL, *kubernetes.WORKLOADS):
        return  # a new stack has its workers last, and nothing says before what they will read
    mounted = {secret for _, secret, _ in _mounts(graph)} | set(graph.config["elsewhere"])
    for node in graph.of(secrets.SECRET):
        secret = str(node.view.get("secretId"))
        if not any(_matches(secret, name) for name in mounted):
            yield node.finding("secretId", "is read by nothing in this stack")


def _every_mount_exists(graph: Graph) -> Iterator[Finding]:
    known = [str(node.view.get("secretId")) for node in graph.of(secrets.SECRET)]
    for node, mounted, path in _mounts(graph):
        if not any(_matches(secret, mounted) for secret in known):
            yield Finding(path=path, text="names a secret that is not in this stack", urn=node.urn)


def _no_plain_secret(graph: Graph) -> Iterator[Finding]:
    """The catalogue decides what is secret; of some, such as a host, the name does not say so."""
    known = {_variable(str(node.view.get("secretId"))) for node in graph.of(secrets.SECRET)}
    for node in graph.of(*PLAIN, *kubernetes.WORKLOADS):
        for name, path in _plain_variables(node):
            if _variable(name) in known:
                yield node.finding(path, "is plain, and there is a secret of that name")


def _variable(secret: str) -> str:
    """The variable that a secret's id is made from, in the letters of an id."""
    text = secret.lower().replace("_", "-")
    return re.sub(r"^pull-(production|staging)-|-(production|staging)$", "", text)


def _plain_variables(node: Node) -> Iterator[tuple[str, str]]:
    """Name and path of each variable that has its value in the resource itself."""
    if node.type == kubernetes.CONFIG_MAP:
        data = node.view.get("data", {})
        yield from ((name, "data") for name in data) if isinstance(data, dict) else ()
    for path, value, reference in (
        (f"{cloud_run.CONTAINERS.get(node.type, 'none')}.envs[]", "value", "valueSource"),
        (f"{kubernetes.PODS.get(node.type, 'none')}.containers[].env[]", "value", "valueFrom"),
        ("bindings[]", "text", "secretName"),
        ("bindings[]", "json", "secretName"),
    ):
        for item in node.view.parts(path):
            if item.inputs is not UNKNOWN and _has_plain_value(item, value, reference):
                yield str(item.get("name", "")), item.path


def _has_plain_value(item: View, value: str, reference: str) -> bool:
    """Whether a variable's value stands in the resource.

    A stack rule sees a provider's outputs, and the real Google provider writes ``value: ""`` beside
    the ``valueSource`` of a Cloud Run variable (recorded from pulumi-gcp 10.2.0). Any other value
    beside a reference is a plain value.
    """
    found = next(item.find(value)).value
    if found == "" and next(item.find(reference)).value is not ABSENT:
        return False
    return found is not ABSENT


def _no_literal(graph: Graph) -> Iterator[Finding]:
    for kind, path, also in (
        (secrets.VERSION, "secretData", "secretDataWo"),
        (sql.USER, "password", "passwordWo"),
    ):
        for node in graph.of(kind):
            said = next(node.view.find(path)).value
            if said is ABSENT or next(node.view.find(also)).value is not ABSENT:
                continue
            if not node.derives_from.get(path):
                yield node.finding(path, "is written in the program: it must come from a resource")


def _no_taint(graph: Graph) -> Iterator[Finding]:
    for kind, path in PLAIN.items():
        for node in graph.of(kind):
            for source in node.derives_from.get(path, ()):
                if source.type in SECRET_SOURCES:
                    yield node.finding(path, f"is made from {source.name}, which holds a secret")


def _no_credential_anywhere(graph: Graph) -> Iterator[Finding]:
    for node in graph.nodes:
        if node.type not in VALUES_ARE_SECRET:
            for path, text in _texts(node.view.inputs, ""):
                if CREDENTIAL.search(text):
                    yield node.finding(path, "holds a credential")


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")


# -- least privilege -------------------------------------------------------------------------------


def _account(node: Node) -> str:
    """``<id>@<project>`` of the account that a grant is to; a node's edge says it beforehand."""
    for source in node.derives_from.get("member", ()):
        if source.type == iam.ACCOUNT:
            return f"{source.view.get('accountId')}@{source.view.get('project')}"
    return _email(str(node.view.get("member")).rpartition(":")[2])


def _email(email: str) -> str:
    return email.removesuffix(".iam.gserviceaccount.com")


def _grants(graph: Graph) -> Iterator[tuple[Node, str, str]]:
    """Who may open which secret: the grant, the account, the secret's id."""
    for node in graph.of(secrets.GRANT):
        if node.view.get("role") == ACCESSOR:
            yield node, _account(node), str(node.view.get("secretId")).rpartition("/")[2]


def _readers(graph: Graph) -> Iterator[tuple[Node, str, str, str]]:
    """Who mounts which secret on Google Cloud: the node, its account, the secret, the path."""
    for node, secret, path in _mounts(graph):
        if node.type in cloud_run.ALL:
            email = node.view.get(f"{cloud_run.TEMPLATE[node.type]}.serviceAccount", "")
            yield node, _email(str(email)), secret, path


def _no_unused_grant(graph: Graph) -> Iterator[Finding]:
    used = {(account, secret) for _, account, secret, _ in _readers(graph)}
    external = {secret for node, secret, _ in _mounts(graph) if node.type not in cloud_run.ALL}
    by_external = external if graph.of(*kubernetes.EXTERNAL_SECRETS) else set()
    for node, account, secret in _grants(graph):
        if (account, secret) not in used and secret not in by_external:
            yield node.finding("secretId", "is granted to an account that does not mount it")


def _no_missing_grant(graph: Graph) -> Iterator[Finding]:
    granted = {(account, secret) for _, account, secret in _grants(graph)}
    for node, account, secret, path in _readers(graph):
        if (account, secret) not in granted:
            text = "names a secret that the service's account may not open"
            yield Finding(path=path, text=text, urn=node.urn)


def _few_administrators(graph: Graph) -> Iterator[Finding]:
    def evaluate(node: Node) -> Iterator[Finding]:
        if ADMINISTRATION.search(str(node.view.get("role"))):
            account = _account(node).partition("@")[0]
            if account not in graph.config["administrators"]:
                yield node.finding("role", "administers, and the account is no administrator")

    yield from graph.each(evaluate, iam.PROJECT_MEMBER)


def _separate_duties(graph: Graph) -> Iterator[Finding]:
    administrators: set[str] = set()

    def learn(node: Node) -> Iterator[Finding]:
        if node.view.get("role") in ("roles/cloudkms.admin", "roles/owner"):
            administrators.add(_account(node))
        yield from ()

    def evaluate(node: Node) -> Iterator[Finding]:
        if _account(node) in administrators:
            yield node.finding("member", "administers the keys that it encrypts with")

    yield from graph.each(learn, iam.PROJECT_MEMBER)
    yield from graph.each(evaluate, kms.GRANT)


# -- order -----------------------------------------------------------------------------------------


def _no_edge_backwards(graph: Graph) -> Iterator[Finding]:
    for node in graph.nodes:
        if node.type.startswith(OURS) and not node.stage:
            yield node.finding("stage", "is not said, so that nobody can tell the order")
        for earlier in node.waits_for:
            if node.stage and node.stage < earlier.stage:
                text = f"waits for {earlier.name}, which comes later: {earlier.stage}"
                yield node.finding("", f"({node.stage}) {text}")


def _releases_in_order(graph: Graph) -> Iterator[Finding]:
    releases = [node for node in graph.of(*RELEASES) if node.stage]
    stages = sorted({node.stage for node in releases})
    for before, stage in pairwise(stages):
        for node in (node for node in releases if node.stage == stage):
            finished = graph.before(node)
            for earlier in releases:
                if earlier.stage == before and earlier not in finished:
                    text = f"({stage}) does not wait for {earlier.name} ({before})"
                    yield node.finding("", text)


# -- capacity --------------------------------------------------------------------------------------


def _connection_budget(graph: Graph) -> Iterator[Finding]:
    wanted = 0
    for node in graph.of(cloud_run.SERVICE, cloud_run.POOL):
        if "DATABASE_URL" in node.view.all("template.containers[].envs[].name"):
            scaling = "template.scaling" if node.type == cloud_run.SERVICE else "scaling"
            most = node.view.get(f"{scaling}.maxInstanceCount", 0)
            wanted += int(most * graph.config["connectionsPerInstance"]) if is_number(most) else 0
    for node in graph.of(kubernetes.AUTOSCALER):  # all that runs in the cluster works with it
        wanted += int(node.view.get("spec.maxReplicas", 0) * graph.config["connectionsPerInstance"])
    for instance in graph.of(sql.INSTANCE):
        if instance.view.get("clone"):
            continue  # a recovery clone takes its flags from the original, and nobody connects yet
        limit = instance.view.get("settings.databaseFlags[name=max_connections].value")
        free = int(limit) - int(graph.config["reserved"]) if str(limit).isdigit() else 0
        if wanted > free:
            path = "settings.databaseFlags[max_connections]"
            text = f"leaves {free} connections, and all instances together open up to {wanted}"
            yield instance.finding(path, text)


# -- what stands in front, and what watches --------------------------------------------------------


def _no_way_round_the_balancer(graph: Graph) -> Iterator[Finding]:
    balanced = {str(node.view.get("cloudRun.service")) for node in graph.of(NEG)}
    for node in graph.of(cloud_run.SERVICE):
        if node.view.get("name") in balanced and node.view.get("defaultUriDisabled") is not True:
            yield node.finding("defaultUriDisabled", "must be true: a load balancer is in front")


def _log_metrics_alert(graph: Graph) -> Iterator[Finding]:
    filters = [
        str(text)
        for alert in graph.of(ALERT)
        for text in alert.view.all("conditions[].conditionThreshold.filter")
    ]
    for node in graph.of(LOG_METRIC):
        if not any(str(node.view.get("name")) in text for text in filters):
            yield node.finding("name", "is watched by no alert")


def _namespaces_closed(graph: Graph) -> Iterator[Finding]:
    closed = {
        node.view.get("metadata.namespace")
        for node in graph.of(kubernetes.NETWORK_POLICY)
        if not node.view.get("spec.podSelector")
        and not node.view.get("spec.ingress")
        and "Ingress" in node.view.all("spec.policyTypes[]")
    }
    for node in graph.of(kubernetes.NAMESPACE):
        if node.view.get("metadata.name") not in closed:
            yield node.finding("metadata.name", "has no policy that closes it to what is not named")


RULES: Final = (
    StackRule(
        id="stack-secret-read",
        severity=Severity.MEDIUM,
        what="Every secret has a reader.",
        fix="Mount it, or take it out of the catalogue; workflows' own go into the configuration.",
        url=GUIDE,
        check=_every_secret_is_read,
        mutations=(
            PutIn(secrets.SECRET, "secretId", "pull-production-forgotten"),
            Add(secrets.SECRET, {"secretId": "pull-production-forgotten"}),
        ),
        paths=("secretId", "template.containers[].envs[].valueSource.secretKeyRef.secret"),
        settings={
            "elsewhere": {
                "type": "array",
                "items": {"type": "string"},
                "default": ["deployer-private-key-mainnet", "polygonscan-api-key"],
            }
        },
    ),
    StackRule(
        id="stack-secret-exists",
        severity=Severity.HIGH,
        what="Every secret that is mounted exists in the stack.",
        fix="Add the variable to the catalogue.",
        url=GUIDE,
        check=_every_mount_exists,
        mutations=(
            Drop(secrets.SECRET),
            PutIn(
                cloud_run.SERVICE,
                "template.containers[].envs[].valueSource.secretKeyRef.secret",
                "pull-production-elsewhere",
            ),
            PutIn(
                workers.VERSION,
                "bindings[type=secrets_store_secret].secretName",
                "pull-production-elsewhere",
            ),
        ),
        paths=("secretId", "bindings[].secretName"),
    ),
    StackRule(
        id="stack-secret-by-reference",
        severity=Severity.CRITICAL,
        what="No variable that the catalogue calls secret has a plain value.",
        fix="Mount it by reference, as the catalogue does for its consumers.",
        url=GUIDE,
        check=_no_plain_secret,
        mutations=(
            PutIn(
                cloud_run.SERVICE,
                "template.containers[].envs[name=CONVEX_URL]",
                {"name": "CONVEX_URL", "value": "plain"},
            ),
            PutIn(
                workers.VERSION,
                "bindings[name=CLICKHOUSE_HOST]",
                {"name": "CLICKHOUSE_HOST", "type": "plain_text", "text": "plain"},
            ),
            Add(kubernetes.CONFIG_MAP, {"data": {"TEMPORAL_ADDRESS": "plain"}}),
        ),
        paths=("template.containers[].envs[].name", "bindings[].name", "data"),
    ),
    StackRule(
        id="stack-secret-made",
        severity=Severity.CRITICAL,
        what="No password and no secret's value is written in the program.",
        fix="Let a resource make it, or add the version outside of this program.",
        url="https://cloud.google.com/secret-manager/docs/best-practices",
        check=_no_literal,
        mutations=(
            Derive(secrets.VERSION, "secretData", None),
            Derive(sql.USER, "password", None),
        ),
        paths=("secretData", "password"),
    ),
    StackRule(
        id="stack-secret-stays-secret",
        severity=Severity.CRITICAL,
        what="No plain value is made from a resource that holds a secret.",
        fix="Put the value into a secret version, and mount that.",
        url="https://www.pulumi.com/docs/iac/concepts/secrets/",
        check=_no_taint,
        mutations=tuple(
            Derive(kind, path, source) for kind, path in PLAIN.items() for source in SECRET_SOURCES
        ),
        paths=tuple(sorted(set(PLAIN.values()))),
    ),
    StackRule(
        id="stack-no-credential",
        severity=Severity.CRITICAL,
        what="No property that is not made for it holds a credential.",
        fix="Put the value into a secret version, and mount that.",
        url="https://www.pulumi.com/docs/iac/concepts/secrets/",
        check=_no_credential_anywhere,
        mutations=(
            PutIn(cloud_run.SERVICE, "description", "postgresql://pull:" + "x@10.0.0.3/pull"),
            PutIn(workers.VERSION, "annotations", {"workersMessage": "sk_live_" + "0123456789"}),
            PutIn(vercel.PROJECT, "buildCommand", "TOKEN=ghp_" + "a" * 36 + " make"),
        ),
        paths=(),
    ),
    StackRule(
        id="stack-no-unused-grant",
        severity=Severity.HIGH,
        what="No account may open a secret that it does not mount.",
        fix="Take the grant away: it follows from the catalogue's consumers.",
        url="https://cloud.google.com/iam/docs/using-iam-securely",
        check=_no_unused_grant,
        mutations=(
            Add(
                secrets.GRANT,
                {"secretId": "pull-{environment}-jwt-secret", "role": ACCESSOR},
                {"member": iam.ACCOUNT},
            ),
            Add(
                secrets.GRANT,
                {
                    "secretId": "pull-{environment}-database-url",
                    "role": ACCESSOR,
                    "member": "serviceAccount:pull-other@pull-production.iam.gserviceaccount.com",
                },
            ),
            PutIn(cloud_run.SERVICE, "template.serviceAccount", "o@p.iam.gserviceaccount.com"),
        ),
        paths=("member", "secretId", "template.serviceAccount"),
    ),
    StackRule(
        id="stack-no-missing-grant",
        severity=Severity.HIGH,
        what="Every account may open what it mounts: Cloud Run refuses a revision otherwise.",
        fix="Add the consumer in the catalogue: the grant follows from it.",
        url="https://cloud.google.com/run/docs/configuring/services/secrets#access-secret",
        check=_no_missing_grant,
        mutations=(
            Drop(secrets.GRANT),
            PutIn(secrets.GRANT, "role", "roles/secretmanager.viewer"),
            PutIn(cloud_run.SERVICE, "template.serviceAccount", "o@p.iam.gserviceaccount.com"),
        ),
        paths=("member", "secretId", "template.serviceAccount"),
    ),
    StackRule(
        id="stack-few-administrators",
        severity=Severity.HIGH,
        what="Only the account that releases the estate administers anything.",
        fix="Grant a role that does less; a new administrator goes into the configuration.",
        url="https://cloud.google.com/iam/docs/using-iam-securely",
        frameworks=("CIS-GCP-4.0 1.5", "CKV_GCP_42", "Trivy GCP-0007"),
        check=_few_administrators,
        mutations=(
            Add(
                iam.PROJECT_MEMBER,
                {"role": "roles/run.admin", "member": "serviceAccount:pull-api@p"},
            ),
            Add(
                iam.PROJECT_MEMBER,
                {"role": "roles/iam.serviceAccountAdmin", "member": "serviceAccount:pull-api@p"},
            ),
        ),
        paths=("role", "member"),
        settings={
            "administrators": {
                "type": "array",
                "items": {"type": "string"},
                "default": ["pull-ci-deployer", "pull-ci-deployer-stg"],
            }
        },
    ),
    StackRule(
        id="stack-separate-duties",
        severity=Severity.HIGH,
        what="Who administers keys does not use them.",
        fix="Grant the one or the other.",
        url="https://cloud.google.com/kms/docs/separation-of-duties",
        frameworks=("CIS-GCP-4.0 1.11",),
        check=_separate_duties,
        mutations=(
            Add(
                kms.GRANT,
                {"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter"},
                {"member": "identity-ci-deployer"},
            ),
        ),
        paths=("role", "member"),
        decidable_after_update=True,
    ),
    StackRule(
        id="stack-no-edge-backwards",
        severity=Severity.HIGH,
        what="Nothing waits for a later step of the runbook's order.",
        fix="Turn the dependency round.",
        url=GUIDE,
        check=_no_edge_backwards,
        mutations=(
            Wait(sql.INSTANCE, cloud_run.SERVICE),
            Wait(workers.DEPLOYMENT, "vercel:index/projectDomain:ProjectDomain"),
            Wait(secrets.SECRET, workers.VERSION),
        ),
        paths=("stage",),
    ),
    StackRule(
        id="stack-releases-in-order",
        severity=Severity.HIGH,
        what="What goes in front of users goes in the runbook's order: secrets, API, web, workers.",
        fix="Let the release wait for the one of the step before (`after`).",
        url=GUIDE,
        check=_releases_in_order,
        mutations=(
            Forget(cloud_run.SERVICE, "vercel:index/projectDomain:ProjectDomain"),
            Forget("vercel:index/projectDomain:ProjectDomain", workers.DEPLOYMENT),
            Forget(workers.DEPLOYMENT, secrets.VERSION),
        ),
        paths=("stage",),
    ),
    StackRule(
        id="stack-connection-budget",
        severity=Severity.HIGH,
        what="All instances together open no more connections than the database takes.",
        fix="Raise max_connections, lower max_instances, or put a pooler between them.",
        url="https://cloud.google.com/sql/docs/postgres/manage-connections",
        check=_connection_budget,
        mutations=(
            PutIn(sql.INSTANCE, "settings.databaseFlags[name=max_connections].value", "50"),
            PutIn(sql.INSTANCE, "settings.databaseFlags", []),
            PutIn(cloud_run.SERVICE, "template.scaling.maxInstanceCount", 500),
            Add(kubernetes.AUTOSCALER, {"spec": {"maxReplicas": 500}}),
        ),
        paths=("settings.databaseFlags[name=max_connections].value",),
        settings={
            # How many connections one instance opens is decided in the application, and stands in
            # no resource. This figure is the agreement with it.
            "connectionsPerInstance": {"type": "number", "default": 8},
            # For people, exports, and the superuser.
            "reserved": {"type": "number", "default": 20},
        },
    ),
    StackRule(
        id="stack-no-way-round-balancer",
        severity=Severity.HIGH,
        what="A service behind a load balancer has no other address.",
        fix="Set defaultUriDisabled to true.",
        url="https://cloud.google.com/run/docs/securing/ingress#disable-url",
        check=_no_way_round_the_balancer,
        mutations=(Add(NEG, {"cloudRun": {"service": "pull-temporal-worker{suffix}"}}),),
        paths=("cloudRun.service", "defaultUriDisabled"),
    ),
    StackRule(
        id="stack-log-metric-watched",
        severity=Severity.MEDIUM,
        what="What is counted in the logs raises an alert.",
        fix="Name the metric in an alert policy's filter.",
        url="https://cloud.google.com/logging/docs/logs-based-metrics",
        frameworks=tuple(f"CIS-GCP-4.0 2.{number}" for number in range(4, 12)),
        check=_log_metrics_alert,
        mutations=(Add(LOG_METRIC, {"name": "pull-unwatched"}),),
        paths=("name", "conditions[].conditionThreshold.filter"),
    ),
    StackRule(
        id="stack-namespace-closed",
        severity=Severity.MEDIUM,
        what="A namespace is closed to whatever no network policy names.",
        fix="Add a NetworkPolicy with an empty podSelector, policyTypes Ingress and no ingress.",
        url="https://kubernetes.io/docs/concepts/services-networking/network-policies/",
        frameworks=("CKV2_K8S_6",),
        check=_namespaces_closed,
        mutations=(Add(kubernetes.NAMESPACE, {"metadata": {"name": "open"}}),),
        paths=("metadata.name", "spec.podSelector", "spec.ingress", "spec.policyTypes[]"),
    ),
)

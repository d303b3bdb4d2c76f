"""Mutations: how a test breaks a good resource or a good stack, as a rule says it could be broken.

Those of a resource are generated from the rule: from the values that its demands refuse, and from
the mutations of its custom checks. Those of a stack are listed here, by rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY

from policies.framework.paths import ABSENT, Keys, Undecided, View
from policies.framework.rules import Check, Custom, ForEach, Must, When
from policies.rules import references, stack_edges
from policies.rules.grants import SECRET_ACCESSOR
from policies.rules.kubernetes import POD_SPECS
from policies.rules.sources import SOURCES
from policies.rules.stack_edges import ACTIVITY_TIMEOUT
from policies.rules.stack_secrets import PLAIN_PROPERTIES, SECRET_SOURCES
from resource_types import cloudflare, gcp, kubernetes, pulumiservice, vercel
from resource_types.estate import PROVIDER_PREFIX, STACK

# -- of a resource ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mutation:
    """``value`` at ``keys``; ``ABSENT`` removes the value that is there."""

    keys: Keys
    value: Any


def mutations(checks: Sequence[Check], view: View) -> Iterator[Mutation]:
    """Every way in which ``checks`` say that ``view`` can be broken."""
    for check in checks:
        match check:
            case Must(path, demand, optional):
                for match in view.find(path):
                    yield from (Mutation(match.keys, value) for value in demand.refused)
                    # Removing an item of a list leaves nothing that could be missing.
                    removable = match.value is not ABSENT and isinstance(match.keys[-1], str)
                    if removable and not optional:
                        yield Mutation(match.keys, ABSENT)
            case ForEach(_, inner):
                for part in check.parts(view):
                    yield from mutations(inner, part)
            case When(condition, inner):
                if _holds(condition, view):
                    yield from mutations(inner, view)
            case Custom():
                for mutation in check.mutations:
                    for match in view.find(mutation.path):
                        yield Mutation(match.keys, mutation.value)


def _holds(condition: Any, view: View) -> bool:
    try:
        return bool(condition(view))
    except Undecided:
        return False


# -- of a stack ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SetProperty:
    """``value`` at ``path`` of a resource of ``type``, which may be the logical name of one."""

    type: str
    path: str
    value: Any


@dataclass(frozen=True, slots=True)
class RemoveType:
    """No resource of ``type``, which may be the logical name of one resource."""

    type: str


@dataclass(frozen=True, slots=True)
class AddResource:
    """One more resource. ``{environment}`` and ``{suffix}`` in texts are those of the stack.

    Attributes:
        sources: by property, the type or the logical name of the resource that it is made from.
        beside: a type without which the resource would be harmless.
    """

    type: str
    inputs: Mapping[str, Any]
    sources: Mapping[str, str] = field(default_factory=dict)
    beside: str = ""


@dataclass(frozen=True, slots=True)
class AddResources:
    """Several more resources."""

    resources: tuple[AddResource, ...]


@dataclass(frozen=True, slots=True)
class AddDependency:
    """A resource of ``type`` depends on one of type ``other``."""

    type: str
    other: str


@dataclass(frozen=True, slots=True)
class RemoveDependencies:
    """A resource of ``type`` depends on none of type ``other``, not even indirectly."""

    type: str
    other: str


@dataclass(frozen=True, slots=True)
class SetSource:
    """``property`` of a resource of ``type`` is made from one of type ``other``, or from none.

    The type may be the logical name of one resource.
    """

    type: str
    property: str
    other: str | None


@dataclass(frozen=True, slots=True)
class AddSource:
    """One more file of the program with this ``text``."""

    text: str


StackMutation = (
    SetProperty
    | RemoveType
    | AddResource
    | AddResources
    | AddDependency
    | RemoveDependencies
    | SetSource
    | AddSource
)

FOREIGN_IMAGE: Final = "docker.io/library/node@sha256:" + "0" * 64

_MANAGED: Final = (
    "gcp:sql",
    "gcp:redis",
    "gcp:secretmanager",
    "cloudflare:",
    "vercel:",
    gcp.RUN_SERVICE,
)
"""Types of both stacks; ``tests/test_policies_variants.py`` removes the edges of the others."""

_POD: Final = POD_SPECS[kubernetes.DEPLOYMENT]

_SECRET: Final = {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": "?"}
"""A secret value, as the engine sends it."""

STACK_MUTATIONS: Final[Mapping[str, Sequence[StackMutation]]] = {
    "declared-outputs": (
        SetProperty(STACK, "database_url", "postgresql://10.0.0.3/pull"),
        SetProperty(STACK, "events_key", "in plain text"),
        SetProperty(STACK, "api_url", _SECRET),
        SetProperty(STACK, "workers", {"all": [_SECRET]}),
    ),
    "program-source": tuple(
        AddSource(source)
        for source in (
            "print(password)",
            "url = instance.url.unsecret(instance.url)",
            "import os; os._exit(0)",
            "import pulumi; pulumi.log.info(url)",
            "import pulumi; pulumi.export('url', url)",
            "import pulumi; pulumi.StackReference('pull/shared/production')",
            "import pulumi_gcp as gcp; gcp.sql.DatabaseInstance.get('postgres', 'pull')",
            "from pulumi import ResourceOptions; ResourceOptions(retain_on_delete=True)",
        )
    ),
    "runbook-addresses": (
        SetProperty(cloudflare.WORKERS_ROUTE, "pattern", "api.pull.example/*"),
        SetProperty(vercel.PROJECT_DOMAIN, "domain", "web.pull.com"),
    ),
    "stack-secret-has-reader": (
        SetProperty(gcp.SECRET, "secretId", "pull-production-forgotten"),
        AddResource(gcp.SECRET, {"secretId": "pull-production-forgotten"}),
    ),
    "stack-mounted-secret-exists": (
        RemoveType(gcp.SECRET),
        SetProperty(
            gcp.RUN_SERVICE,
            "template.containers[].envs[].valueSource.secretKeyRef.secret",
            "pull-production-elsewhere",
        ),
        SetProperty(
            cloudflare.WORKER_VERSION,
            "bindings[type=secrets_store_secret].secretName",
            "pull-production-elsewhere",
        ),
    ),
    "stack-secret-by-reference": (
        SetProperty(
            gcp.RUN_SERVICE,
            "template.containers[].envs[name=CONVEX_URL]",
            {"name": "CONVEX_URL", "value": "plain"},
        ),
        SetProperty(
            cloudflare.WORKER_VERSION,
            "bindings[name=CLICKHOUSE_HOST]",
            {"name": "CLICKHOUSE_HOST", "type": "plain_text", "text": "plain"},
        ),
        AddResource(kubernetes.CONFIG_MAP, {"data": {"TEMPORAL_ADDRESS": "plain"}}),
    ),
    "stack-secret-not-hardcoded": (
        SetSource(gcp.SECRET_VERSION, "secretData", None),
        SetSource(gcp.SQL_USER, "password", None),
    ),
    "stack-secret-not-exposed": tuple(
        SetSource(token, path, source)
        for token, path in PLAIN_PROPERTIES.items()
        for source in SECRET_SOURCES
    ),
    "stack-variables-declared": (
        *(
            SetProperty(token, f"{path}[name={name}]", {"name": name, "value": "1"})
            for token, path in (
                (gcp.RUN_SERVICE, "template.containers[].envs"),
                (gcp.RUN_WORKER_POOL, "template.containers[].envs"),
                (kubernetes.DEPLOYMENT, "spec.template.spec.containers[].env"),
            )
            for name in ("OTEL_SERVICE_NAME", "WORKER_TYPE", "CONVEX_URL")
        ),
        *(
            SetProperty(cloudflare.WORKER_VERSION, f"bindings[name={name}]", binding)
            for name, binding in (
                ("JWT_SECRET", ABSENT),
                ("JWT_SECRET", {"name": "JWT_SECRET", "type": "secret_key"}),
                ("JWT_SECRET", {"name": "KALSHI_API_KEY", "type": "inherit"}),
                ("JWT_SECRET", {"name": "CONVEX_URL", "type": "inherit"}),
                ("CORS_ORIGINS", ABSENT),
                ("CORS_ORIGINS", {"name": "DISABLE_AUTH", "type": "plain_text", "text": "1"}),
                ("CORS_ORIGINS", {"name": "CORS_ORIGINS", "type": "plain_text", "text": "*"}),
                ("CHAIN_ID", {"name": "CHAIN_ID", "type": "plain_text", "text": "1"}),
            )
        ),
        SetProperty(kubernetes.CONFIG_MAP, "data.NODE_TLS_REJECT_UNAUTHORIZED", "0"),
        SetProperty(cloudflare.R2_BUCKET, "name", "pull-elsewhere"),
        SetProperty(cloudflare.R2_BUCKET_CORS, "rules[].allowed.origins", ["https://x.com"]),
        SetProperty(vercel.ENVIRONMENT_VARIABLE, "key", "NEXT_PUBLIC_DEBUG"),
        SetProperty(vercel.ENVIRONMENT_VARIABLE, "targets", ["elsewhere"]),
        SetProperty(vercel.ENVIRONMENT_VARIABLE, "value", "elsewhere"),
        RemoveType(vercel.ENVIRONMENT_VARIABLE),
    ),
    "stack-references-exist": (
        *(
            SetSource(reference.type, reference.path, other)
            for reference in references.REFERENCES
            if not reference.property
            for other in (None, gcp.SECRET)
        ),
        *(
            SetProperty(reference.type, reference.path, "elsewhere")
            for reference in references.REFERENCES
            if reference.property
        ),
    ),
    "stack-names-unique": (
        SetProperty(kubernetes.CONFIG_MAP, "metadata.name", "pull-redis-config"),
        AddResource(vercel.PROJECT_DOMAIN, {"domain": "app{suffix}.pull.com"}),
        AddResource(gcp.TOPIC, {"name": "pull-{environment}-secret-rotation"}),
    ),
    "stack-cluster-consistent": tuple(
        SetProperty(token, path, value)
        for token, path, value in (
            (kubernetes.DEPLOYMENT, "spec.selector.matchLabels", {"part-of": "pull"}),
            (kubernetes.DEPLOYMENT, "spec.template.metadata.labels", {}),
            (kubernetes.DEPLOYMENT, f"{_POD}.topologySpreadConstraints[].labelSelector", {}),
            (kubernetes.DEPLOYMENT, f"{_POD}.containers[].lifecycle.preStop.sleep.seconds", 100),
            (
                kubernetes.DEPLOYMENT,
                f"{_POD}.containers[].env[].valueFrom.secretKeyRef.key",
                "OTHER",
            ),
            (kubernetes.POD_DISRUPTION_BUDGET, "spec.selector", {}),
            (kubernetes.SERVICE, "spec.selector", {"part-of": "pull"}),
            (kubernetes.EXTERNAL_SECRET, "spec.data[].secretKey", "OTHER"),
            (kubernetes.EXTERNAL_SECRET, "spec.data[].remoteRef.key", "pull-other"),
            (kubernetes.PRIORITY_CLASS, "value", 10_000),
            (kubernetes.PRIORITY_CLASS, "value", 100_000),
            (kubernetes.SERVICE_ACCOUNT, "metadata.annotations", {}),
            (kubernetes.SERVICE_ACCOUNT, "metadata.name", "pull-other-sa"),
            (gcp.GKE_CLUSTER, "ipAllocationPolicy.clusterSecondaryRangeName", "other"),
        )
    ),
    "stack-no-credential": (
        SetProperty(gcp.RUN_SERVICE, "description", "postgresql://pull:" + "x@10.0.0.3/pull"),
        SetProperty(
            cloudflare.WORKER_VERSION, "annotations", {"workersMessage": "sk_live_" + "0123456789"}
        ),
        SetProperty(vercel.PROJECT, "buildCommand", "TOKEN=ghp_" + "a" * 36 + " make"),
    ),
    "stack-no-unused-grant": (
        AddResource(
            gcp.SECRET_IAM.member,
            {"secretId": "pull-{environment}-jwt-secret", "role": SECRET_ACCESSOR},
            {"member": "identity-temporal-worker"},
        ),
        AddResource(
            gcp.SECRET_IAM.member,
            {
                "secretId": "pull-{environment}-database-url",
                "role": SECRET_ACCESSOR,
                "member": "serviceAccount:pull-other@pull-production.iam.gserviceaccount.com",
            },
        ),
        SetProperty(gcp.RUN_SERVICE, "template.serviceAccount", "o@p.iam.gserviceaccount.com"),
    ),
    "stack-no-missing-grant": (
        RemoveType(gcp.SECRET_IAM.member),
        SetProperty(gcp.SECRET_IAM.member, "role", "roles/secretmanager.viewer"),
        SetProperty(gcp.RUN_SERVICE, "template.serviceAccount", "o@p.iam.gserviceaccount.com"),
    ),
    "stack-sources-declared": (
        *(
            SetSource(token, name, source)
            for token, inputs in SOURCES.items()
            for name in inputs
            if token not in (gcp.GLOBAL_ADDRESS, gcp.SQL_INSTANCE)
            for source in (None, gcp.SERVICE_ACCOUNT)
        ),
        *(
            SetSource(resource, name, source)
            for resource, name in (
                ("network-services-range", "network"),
                ("postgres-instance", "encryptionKeyName"),
                ("postgres-instance", "settings"),
                ("postgres-recovery", "clone"),
                ("secrets-database-url-version", "secretData"),
                ("secrets-redis-url-version", "secretData"),
                ("secrets-redis-url-version", "secret"),
            )
            for source in (None, gcp.SERVICE_ACCOUNT)
        ),
        RemoveType(gcp.SECRET_VERSION),
        SetProperty("postgres-password", "keepers.generation", "now"),
        *(
            SetProperty(token, f"template.{path}", value)
            for token in (gcp.RUN_SERVICE, gcp.RUN_WORKER_POOL)
            for path, value in (
                ("annotations", {}),
                ("vpcAccess.networkInterfaces[].network", "default"),
                ("vpcAccess.networkInterfaces[].subnetwork", "default"),
            )
        ),
    ),
    "stack-few-administrators": (
        AddResource(
            gcp.PROJECT_IAM.member,
            {"role": "roles/run.admin", "member": "serviceAccount:pull-api@p"},
        ),
        AddResource(
            gcp.PROJECT_IAM.member,
            {"role": "roles/iam.serviceAccountAdmin", "member": "serviceAccount:pull-api@p"},
        ),
    ),
    "stack-grants-declared": (
        *(
            RemoveType(name)
            for name in (
                *("identity-deployer-run-admin", "identity-previewer-run-viewer"),
                *("identity-deployer-sign-in-release", "identity-previewer-sign-in-drift"),
                *("registry-pusher", "backups-writer", "encryption-key-postgres-user"),
                *("identity-deployer-container-admin", "identity-deployer-acts-as-nodes"),
                *("deployments-lent", "namespace-account-pull-secrets-sa-identity"),
            )
        ),
        # A worker impersonates the deployer.
        AddResource(
            gcp.SERVICE_ACCOUNT_IAM.member,
            {"role": "roles/iam.serviceAccountTokenCreator"},
            {"member": "identity-temporal-worker", "serviceAccountId": "identity-ci-deployer"},
        ),
        AddResource(
            gcp.SECRET_IAM.binding,
            {
                "secretId": "pull-{environment}-jwt-secret",
                "role": SECRET_ACCESSOR,
                "members": [
                    "serviceAccount:pull-ci-previewer@pull-{environment}.iam.gserviceaccount.com"
                ],
            },
        ),
        AddResource(gcp.ORGANIZATION_IAM.policy, {"orgId": "1", "policyData": "{}"}),
        AddResource("gcp:projects/iAMCustomRole:IAMCustomRole", {"permissions": ["iam.*"]}),
        AddResource(
            kubernetes.ROLE, {"rules": [{"resources": ["pods/exec"], "verbs": ["create"]}]}
        ),
        AddResource(kubernetes.CLUSTER_ROLE_BINDING, {"roleRef": {"name": "view"}}),
        SetProperty(gcp.PROJECT_IAM.member, "role", "roles/editor"),
        SetProperty(gcp.PROJECT_IAM.member, "project", "pull-elsewhere"),
        SetProperty(gcp.PROJECT_IAM.member, "condition", {"title": "t", "expression": "true"}),
        SetProperty(gcp.SECRET_IAM.member, "secretId", "pull-elsewhere-jwt-secret"),
        SetProperty(gcp.BUCKET_IAM.member, "member", "allUsers"),
        *(
            SetProperty(forms.member, "role", "roles/owner")
            for forms in (gcp.CRYPTO_KEY_IAM, gcp.REPOSITORY_IAM, gcp.TOPIC_IAM, gcp.BUCKET_IAM)
        ),
        SetSource(gcp.CRYPTO_KEY_IAM.member, "cryptoKeyId", None),
        SetSource(gcp.CRYPTO_KEY_IAM.member, "cryptoKeyId", gcp.KEY_RING),
        SetSource(gcp.TOPIC_IAM.member, "member", None),
        SetSource(gcp.TOPIC_IAM.member, "member", gcp.SERVICE_ACCOUNT),
        SetSource(gcp.SERVICE_ACCOUNT_IAM.member, "serviceAccountId", gcp.SECRET),
    ),
    "stack-policies-enforced": (
        RemoveType("deployments-policies-staging"),
        RemoveType(pulumiservice.POLICY_GROUP),
        AddResource(pulumiservice.POLICY_GROUP, {}),
        *(
            SetProperty(
                "deployments-policies-production",
                "policyPacks[].config",
                {"all": "mandatory", "sql-deletion-protection": level},
            )
            for level in ("disabled", {"enforcementLevel": "advisory"})
        ),
        *(
            SetProperty(pulumiservice.POLICY_GROUP, path, value)
            for path, value in (
                ("stacks", []),
                ("stacks[].name", "elsewhere"),
                ("stacks[].routingProject", "elsewhere"),
                ("policyPacks", []),
                ("policyPacks[].name", "elsewhere"),
                ("policyPacks[].versionTag", ABSENT),
                ("policyPacks[].config", ABSENT),
                ("policyPacks[].config.all", "advisory"),
            )
        ),
    ),
    "stack-federation-declared": (
        *(
            SetProperty(gcp.WORKLOAD_IDENTITY_POOL_PROVIDER, path, value)
            for path, value in (
                ("attributeCondition", "assertion.repository == 'elsewhere/pull'"),
                ("attributeCondition", "!(assertion.repository == 'pull/pull')"),
                ("attributeCondition", "assertion.repository == 'pull/pull' || true"),
                ("attributeCondition", "true ? true : assertion.repository == 'pull/pull'"),
                ("attributeMapping", {"google.subject": "assertion.sub"}),
                ("attributeMapping.google.subject", "'anybody'"),
                ("oidc.issuerUri", "https://gitlab.com"),
                ("oidc.allowedAudiences", ["everybody"]),
                ("oidc.jwksJson", "{}"),
                ("aws", {"accountId": "1"}),
                ("workloadIdentityPoolProviderId", "gitlab"),
            )
        ),
        SetProperty(gcp.WORKLOAD_IDENTITY_POOL, "workloadIdentityPoolId", "pull-elsewhere-github"),
        SetProperty(vercel.PROJECT, "gitRepository.repo", "elsewhere/pull"),
        AddResource(pulumiservice.DEPLOYMENT_SETTINGS, {"vcs": {"repository": "elsewhere/pull"}}),
        RemoveType(gcp.WORKLOAD_IDENTITY_POOL_PROVIDER),
        RemoveType("identity-github-provider"),
        *(
            SetProperty(pulumiservice.DEPLOYMENT_SETTINGS, path, value)
            for path, value in (
                ("vcs.deployCommits", True),
                ("vcs.deployCommits", ABSENT),
                ("operationContext.oidc.gcp.providerId", "github"),
                ("operationContext.oidc.gcp.workloadPoolId", "pull-elsewhere-github"),
                (
                    "operationContext.oidc.gcp.serviceAccount",
                    "pull-ci-previewer@elsewhere.iam.gserviceaccount.com",
                ),
            )
        ),
        SetProperty(
            gcp.SERVICE_ACCOUNT_IAM.member,
            "member",
            "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/"
            "pull-production-github/attribute.deployments/org:elsewhere:project:pull",
        ),
    ),
    "stack-flows-declared": (
        AddResource(
            gcp.FIREWALL,
            {"sourceRanges": ["0.0.0.0/0"], "allows": [{"protocol": "tcp", "ports": ["8080"]}]},
        ),
        AddResource(gcp.FIREWALL, {"direction": "EGRESS", "allows": [{"protocol": "all"}]}),
        AddResource("gcp:compute/route:Route", {"destRange": "0.0.0.0/0"}),
        AddResource("gcp:compute/networkPeering:NetworkPeering", {"peerNetwork": "elsewhere"}),
        AddResource(cloudflare.R2_CUSTOM_DOMAIN, {"domain": "assets.pull.com"}),
        AddResource(cloudflare.WORKERS_CUSTOM_DOMAIN, {"hostname": "admin.pull.com"}),
        AddResource(
            cloudflare.DNS_RECORD, {"type": "A", "name": "admin.pull.com", "content": "8.8.8.8"}
        ),
        AddResource(
            cloudflare.DNS_RECORD, {"type": "NS", "name": "api.pull.com", "content": "ns.x.com"}
        ),
        AddResource(kubernetes.INGRESS_CLASS, {"spec": {"controller": "x"}}),
        AddResource(
            kubernetes.INGRESS, {"spec": {"defaultBackend": {"service": {"name": "pull-api"}}}}
        ),
        *(
            AddResource(
                kubernetes.NETWORK_POLICY,
                {"metadata": {"namespace": "pull"}, "spec": {"podSelector": {}, direction: rules}},
            )
            for direction, rules in (
                ("ingress", [{}]),
                ("egress", [{}]),
                ("egress", [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]),
            )
        ),
        *(
            SetProperty(cloudflare.WORKERS_ROUTE, path, value)
            for path, value in (("pattern", "*pull.com/*"), ("script", "elsewhere"))
        ),
        SetProperty(cloudflare.DNS_RECORD, "content", "elsewhere.example.com"),
        SetProperty(cloudflare.DNS_RECORD, "name", "*.pull.com"),
        SetProperty(vercel.PROJECT_DOMAIN, "domain", "pull.com"),
        SetProperty(gcp.SERVICE_NETWORKING_CONNECTION, "service", "elsewhere.googleapis.com"),
        SetSource(gcp.ROUTER_NAT, "natIps", None),
    ),
    "stack-separation-of-duties": (
        AddResource(
            gcp.CRYPTO_KEY_IAM.member,
            {"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter"},
            {"member": "identity-ci-deployer"},
        ),
    ),
    "stack-no-backward-dependency": (
        AddDependency(gcp.SQL_INSTANCE, gcp.RUN_SERVICE),
        AddDependency(cloudflare.WORKERS_DEPLOYMENT, vercel.PROJECT_DOMAIN),
        AddDependency(gcp.SECRET, cloudflare.WORKER_VERSION),
    ),
    "stack-releases-in-order": (
        RemoveDependencies(gcp.RUN_SERVICE, vercel.PROJECT_DOMAIN),
        RemoveDependencies(vercel.PROJECT_DOMAIN, cloudflare.WORKERS_DEPLOYMENT),
        RemoveDependencies(cloudflare.WORKERS_DEPLOYMENT, gcp.SECRET_VERSION),
    ),
    "stack-connection-budget": (
        SetProperty(gcp.SQL_INSTANCE, "settings.databaseFlags[name=max_connections].value", "50"),
        SetProperty(gcp.SQL_INSTANCE, "settings.databaseFlags", []),
        SetProperty(gcp.RUN_SERVICE, "template.scaling.maxInstanceCount", 500),
        AddResource(kubernetes.HORIZONTAL_POD_AUTOSCALER, {"spec": {"maxReplicas": 500}}),
    ),
    "stack-same-location": (
        SetProperty(gcp.KEY_RING, "location", "us-east1"),
        SetProperty(gcp.BUCKET, "location", "europe-west4"),
        SetProperty(gcp.ROUTER_NAT, "region", "europe-west4"),
        SetProperty(gcp.SQL_INSTANCE, "region", "europe-west4"),
    ),
    "stack-ranges-do-not-overlap": (
        SetProperty(gcp.SUBNETWORK, "ipCidrRange", "10.0.0.0/8"),
        AddResource(gcp.SUBNETWORK, {"ipCidrRange": "10.0.0.0/8"}),
    ),
    "stack-load-balancer-not-bypassed": (
        AddResource(
            gcp.NETWORK_ENDPOINT_GROUP,
            {"cloudRun": {"service": "pull-temporal-worker{suffix}"}},
            beside=gcp.RUN_SERVICE,
        ),
    ),
    "stack-complete": tuple(
        RemoveType(removed) for removed in (*stack_edges.REQUIRED[""], "secrets-jwt-secret")
    ),
    "stack-order": tuple(
        RemoveDependencies(later, earlier)
        for table in (stack_edges.BEFORE, stack_edges.BEFORE_ANY)
        for later, types in table.items()
        if later.startswith(_MANAGED) and later != vercel.DEPLOYMENT
        for earlier in types
    ),
    "stack-api-enabled": (
        RemoveType("project-sts"),
        AddResource(gcp.PROJECT_SERVICE, {"service": "bigquery.googleapis.com"}),
        RemoveType(gcp.PROJECT_SERVICE),
        RemoveDependencies(gcp.NETWORK, gcp.PROJECT_SERVICE),
        RemoveDependencies(gcp.RUN_SERVICE, gcp.PROJECT_SERVICE),
    ),
    "stack-key-usable": (
        RemoveType(gcp.CRYPTO_KEY_IAM.member),
        SetSource("postgres-instance", "encryptionKeyName", None),
        *(
            RemoveDependencies(token, gcp.CRYPTO_KEY_IAM.member)
            for token in (gcp.SQL_INSTANCE, gcp.BUCKET, gcp.SECRET)
        ),
    ),
    "stack-account-usable": (
        RemoveDependencies(gcp.RUN_SERVICE, gcp.SERVICE_ACCOUNT_IAM.member),
        RemoveType("identity-deployer-acts-as-all"),
        SetProperty(gcp.RUN_SERVICE, "template.serviceAccount", "pull-other@p"),
    ),
    "stack-secret-readable": (RemoveDependencies(gcp.RUN_SERVICE, gcp.SECRET_IAM.member),),
    "stack-single-owner": (
        SetProperty(gcp.SQL_INSTANCE, "project", "pull-elsewhere"),
        SetProperty(f"{PROVIDER_PREFIX}gcp", "project", "pull-elsewhere"),
        SetProperty(pulumiservice.DRIFT_SCHEDULE, "organization", "elsewhere"),
        SetProperty(
            gcp.SERVICE_ACCOUNT_IAM.member,
            "member",
            "principalSet://iam.googleapis.com/projects/9/locations/global/workloadIdentityPools/p",
        ),
        SetProperty(gcp.SECRET, "project", "pull-elsewhere"),
        SetProperty(cloudflare.R2_BUCKET, "accountId", "0" * 32),
        SetProperty(cloudflare.WORKERS_ROUTE, "zoneId", "0" * 32),
        AddResource(
            kubernetes.SECRET_STORE,
            {"spec": {"provider": {"gcpsm": {"projectID": "pull-elsewhere"}}}},
        ),
    ),
    "stack-image-from-own-registry": (
        SetProperty(gcp.RUN_SERVICE, "template.containers[].image", FOREIGN_IMAGE),
        SetProperty(
            gcp.RUN_SERVICE,
            "template.containers[].image",
            f"gcr.io/pull-production/pull-web@sha256:{1:064}",
        ),
        AddResource(
            gcp.RUN_JOB, {"template": {"template": {"containers": [{"image": FOREIGN_IMAGE}]}}}
        ),
        *(
            AddResource(kubernetes.POD, {"spec": {group: [{"image": FOREIGN_IMAGE}]}})
            for group in ("containers", "initContainers")
        ),
    ),
    "stack-worker-grace": (
        AddResources(
            (
                AddResource(kubernetes.CONFIG_MAP, {"data": {ACTIVITY_TIMEOUT: "600000"}}),
                AddResource(
                    kubernetes.DEPLOYMENT,
                    {
                        "spec": {
                            "template": {
                                "spec": {
                                    "terminationGracePeriodSeconds": 60,
                                    "containers": [{"env": [{"name": "WORKER_TYPE"}]}],
                                }
                            }
                        }
                    },
                ),
            )
        ),
    ),
    "log-metric-has-alert": (AddResource(gcp.LOG_METRIC, {"name": "pull-unwatched"}),),
    "stack-namespace-denies-by-default": (
        AddResource(kubernetes.NAMESPACE, {"metadata": {"name": "open"}}),
    ),
}

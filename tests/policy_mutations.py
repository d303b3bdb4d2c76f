"""Mutations: how a test breaks a good resource or a good stack, as a rule says it could be broken.

Those of a resource are generated from the rule: from the values that its demands refuse, and from
the mutations of its custom checks. Those of a stack are listed here, by rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from policies.framework.paths import ABSENT, Keys, Undecided, View
from policies.framework.rules import Check, Custom, ForEach, Must, When
from policies.rules.stack_secrets import ACCESSOR, PLAIN_PROPERTIES, SECRET_SOURCES
from resource_types import cloudflare, gcp, kubernetes, vercel

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
    """``value`` at ``path`` of a resource of ``type``."""

    type: str
    path: str
    value: Any


@dataclass(frozen=True, slots=True)
class RemoveType:
    """No resource of ``type``."""

    type: str


@dataclass(frozen=True, slots=True)
class AddResource:
    """One more resource. ``{environment}`` and ``{suffix}`` in texts are those of the stack."""

    type: str
    inputs: Mapping[str, Any]
    sources: Mapping[str, str] = field(default_factory=dict)
    """By property, the type or the logical name of the resource that it is made from."""


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
    """``property`` of a resource of ``type`` is made from one of type ``other``, or from none."""

    type: str
    property: str
    other: str | None


StackMutation = (
    SetProperty | RemoveType | AddResource | AddDependency | RemoveDependencies | SetSource
)

STACK_MUTATIONS: Final[Mapping[str, Sequence[StackMutation]]] = {
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
            {"secretId": "pull-{environment}-jwt-secret", "role": ACCESSOR},
            {"member": gcp.SERVICE_ACCOUNT},
        ),
        AddResource(
            gcp.SECRET_IAM.member,
            {
                "secretId": "pull-{environment}-database-url",
                "role": ACCESSOR,
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
            gcp.NETWORK_ENDPOINT_GROUP, {"cloudRun": {"service": "pull-temporal-worker{suffix}"}}
        ),
    ),
    "log-metric-has-alert": (AddResource(gcp.LOG_METRIC, {"name": "pull-unwatched"}),),
    "stack-namespace-denies-by-default": (
        AddResource(kubernetes.NAMESPACE, {"metadata": {"name": "open"}}),
    ),
}

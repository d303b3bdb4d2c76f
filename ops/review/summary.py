"""Which inputs of a new resource are worth a reader's time, and what its physical name is.

A type that is not listed shows its name, and its role if it is a grant. Paths are the engine's
property paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ops.review.events import SECRET, State, at_path, is_unknown

FIGURES: Final[Mapping[str, tuple[str, ...]]] = {
    "cloudflare:index/dnsRecord:DnsRecord": ("type", "content", "ttl", "proxied"),
    "cloudflare:index/r2Bucket:R2Bucket": ("location", "jurisdiction", "storageClass"),
    "cloudflare:index/worker:Worker": (
        "observability.enabled",
        "subdomain.enabled",
        "subdomain.previewsEnabled",
    ),
    "cloudflare:index/workersDeployment:WorkersDeployment": (
        "strategy",
        "versions[0].percentage",
        "versions[1].percentage",
    ),
    "cloudflare:index/workerVersion:WorkerVersion": ("compatibilityDate", "mainModule"),
    "cloudflare:index/workersRoute:WorkersRoute": ("script",),
    "gcp:artifactregistry/repository:Repository": ("format", "location", "mode"),
    "gcp:cloudrunv2/service:Service": (
        "template.containers[0].resources.limits.memory",
        "template.containers[0].resources.limits.cpu",
        "template.scaling.minInstanceCount",
        "template.scaling.maxInstanceCount",
        "template.timeout",
        "template.containers[0].ports.containerPort",
        "ingress",
        "template.vpcAccess.egress",
        "template.revision",
    ),
    "gcp:cloudrunv2/workerPool:WorkerPool": (
        "template.containers[0].resources.limits.memory",
        "template.containers[0].resources.limits.cpu",
        "scaling.manualInstanceCount",
        "template.vpcAccess.egress",
        "template.revision",
    ),
    "gcp:compute/globalAddress:GlobalAddress": ("purpose", "address", "prefixLength"),
    "gcp:compute/network:Network": ("autoCreateSubnetworks", "routingMode"),
    "gcp:compute/subnetwork:Subnetwork": ("ipCidrRange", "region", "privateIpGoogleAccess"),
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": (
        "oidc.issuerUri",
        "attributeCondition",
    ),
    "gcp:kms/cryptoKey:CryptoKey": ("purpose", "rotationPeriod"),
    "gcp:kms/keyRing:KeyRing": ("location",),
    "gcp:redis/instance:Instance": (
        "redisVersion",
        "tier",
        "memorySizeGb",
        "authEnabled",
        "transitEncryptionMode",
        "persistenceConfig.rdbSnapshotPeriod",
    ),
    "gcp:secretmanager/secret:Secret": ("rotation.rotationPeriod",),
    "gcp:serviceaccount/account:Account": ("displayName",),
    "gcp:servicenetworking/connection:Connection": ("service",),
    "gcp:sql/database:Database": ("instance",),
    "gcp:sql/databaseInstance:DatabaseInstance": (
        "databaseVersion",
        "settings.edition",
        "settings.tier",
        "settings.availabilityType",
        "settings.diskType",
        "settings.diskSize",
        "settings.diskAutoresize",
        "settings.ipConfiguration.sslMode",
        "settings.ipConfiguration.ipv4Enabled",
        "settings.backupConfiguration.startTime",
        "settings.backupConfiguration.pointInTimeRecoveryEnabled",
        "settings.backupConfiguration.transactionLogRetentionDays",
        "settings.deletionProtectionEnabled",
        "clone.pointInTime",
    ),
    "gcp:sql/user:User": ("instance",),
    "gcp:storage/bucket:Bucket": (
        "location",
        "storageClass",
        "versioning.enabled",
        "uniformBucketLevelAccess",
        "publicAccessPrevention",
    ),
    "gcp:vpcaccess/connector:Connector": (
        "ipCidrRange",
        "machineType",
        "minInstances",
        "maxInstances",
    ),
    "random:index/randomPassword:RandomPassword": ("length", "special"),
    "vercel:index/deployment:Deployment": ("ref", "production"),
    "vercel:index/project:Project": (
        "framework",
        "rootDirectory",
        "gitRepository.repo",
        "gitRepository.productionBranch",
    ),
    "vercel:index/projectDomain:ProjectDomain": ("gitBranch",),
    "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable": ("targets", "sensitive"),
}

# Inputs that hold a resource's physical name; the first that is there and known wins.
NAMES: Final = (
    "name",
    "accountId",
    "secretId",
    "repositoryId",
    "workloadIdentityPoolProviderId",
    "workloadIdentityPoolId",
    "pattern",
    "hostname",
    "domain",
    "key",
    "service",
    "scriptName",
)

# Last elements of a path that say nothing without the one before.
VAGUE: Final = ("enabled", "percentage", "repo")


def physical_name(state: State) -> str:
    """What the platform's console calls the resource, or its logical name."""
    logical = state.urn.rpartition("::")[2]
    if "role" in state.inputs:
        return logical  # a grant has no name; ours tells what is granted to whom
    keys: tuple[str, ...]
    if state.type.startswith("gcp:"):
        keys = NAMES
    else:  # Cloudflare takes its account's id where Google takes an account's name
        keys = tuple(key for key in NAMES if key != "accountId")
    known = (state.inputs.get(key) for key in keys)
    return next((str(name) for name in known if name and not is_unknown(name)), logical)


def figures(state: State) -> Iterator[tuple[str, Any]]:
    """The figures of a new resource, as pairs of a short label and a value."""
    for path in FIGURES.get(state.type, ("role",)):
        value = at_path(state.inputs, path)
        if value is not None and value != SECRET and not is_unknown(value):
            *_, before, last = ("", *path.split("."))
            yield (f"{before}.{last}" if last in VAGUE else last), value

"""What the SDKs do not tell about a provider's outputs: values that it fills in by itself.

Recorded from previews of the production stack with the real plugins in November 2026: gcp,
cloudflare, vercel and random, built from source, near the versions of the installed SDKs.
``tests/provider_outputs.json`` holds what those previews showed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from resource_types import cloudflare, gcp, pulumi_random, vercel
from sandbox.values import UNKNOWN

BRIDGED: Final = frozenset({"gcp", "cloudflare", "vercel", "random"})
"""Providers that are bridged from Terraform, whose outputs have the ``id``."""

EXPLICIT_NULLS: Final = frozenset({"gcp"})
"""Providers that are made with the Terraform plugin SDK, version 2.

Their outputs have every property of the schema: null, or an empty list for a repeated block, where
nobody sets it. Providers that are made with the Terraform plugin framework leave it out.
"""

WITHOUT_ID: Final = frozenset({cloudflare.R2_BUCKET_CORS, cloudflare.R2_BUCKET_LIFECYCLE})
"""Types of bridged providers that have no ``id`` among their outputs."""

PROVIDER_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {"gcp": {"deletionPolicy": "DELETE"}}
"""By provider: outputs that have the same default in every type."""


def _revision(path: str) -> dict[str, Any]:
    """The template of a Cloud Run revision. Variables are a set, which has empty texts."""
    container = f"{path}.containers[]"
    return {
        f"{path}.maxInstanceRequestConcurrency": UNKNOWN,
        f"{container}.envs[].value": "",
        f"{container}.ports.name": UNKNOWN,
        f"{container}.livenessProbe.initialDelaySeconds": 0,
        f"{container}.startupProbe.initialDelaySeconds": 0,
    }


DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    cloudflare.R2_BUCKET: {"jurisdiction": "default"},
    cloudflare.R2_BUCKET_CORS: {"jurisdiction": "default"},
    cloudflare.R2_BUCKET_LIFECYCLE: {"jurisdiction": "default"},
    cloudflare.WORKER: {
        "logpush": False,
        "tailConsumers": [],
        "observability.logs.destinations": UNKNOWN,
        "observability.logs.persist": True,
        "observability.traces": {},
        "observability.traces.destinations": UNKNOWN,
        "observability.traces.enabled": False,
        "observability.traces.headSamplingRate": 1,
        "observability.traces.persist": True,
    },
    cloudflare.WORKER_VERSION: {
        "usageModel": "standard",
        "bindings[].databaseId": UNKNOWN,
        "modules[].contentSha256": UNKNOWN,
    },
    gcp.BUCKET: {
        "lifecycleRules[].action.storageClass": "",
        "lifecycleRules[].condition.createdBefore": "",
        "lifecycleRules[].condition.customTimeBefore": "",
        "lifecycleRules[].condition.matchesPrefixes": [],
        "lifecycleRules[].condition.matchesStorageClasses": [],
        "lifecycleRules[].condition.matchesSuffixes": [],
        "lifecycleRules[].condition.noncurrentTimeBefore": "",
        "softDeletePolicy.effectiveTime": UNKNOWN,
    },
    gcp.NETWORK: {
        "deleteBgpAlwaysCompareMed": False,
        "deleteDefaultRoutesOnCreate": False,
        "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
    },
    gcp.REDIS_INSTANCE: {"persistenceConfig.rdbSnapshotStartTime": UNKNOWN},
    gcp.REPOSITORY: {
        "mode": "STANDARD_REPOSITORY",
        "cleanupPolicies[].condition.newerThan": "",
        "cleanupPolicies[].condition.packageNamePrefixes": [],
        "cleanupPolicies[].condition.tagPrefixes": [],
        "cleanupPolicies[].condition.versionNamePrefixes": [],
        "cleanupPolicies[].mostRecentVersions.packageNamePrefixes": [],
    },
    gcp.ROUTER_NAT: {
        "icmpIdleTimeoutSec": 30,
        "tcpEstablishedIdleTimeoutSec": 1200,
        "tcpTimeWaitTimeoutSec": 120,
        "tcpTransitoryIdleTimeoutSec": 30,
        "type": "PUBLIC",
        "udpIdleTimeoutSec": 30,
    },
    gcp.RUN_JOB: _revision("template.template"),
    gcp.RUN_SERVICE: _revision("template"),
    gcp.RUN_WORKER_POOL: _revision("template"),
    gcp.SECRET_VERSION: {"enabled": True, "secretDataWoVersion": 0},
    gcp.SERVICE_ACCOUNT: {"disabled": False},
    gcp.SQL_INSTANCE: {
        "settings.activationPolicy": "ALWAYS",
        "settings.backupConfiguration.backupTier": UNKNOWN,
        "settings.connectionPoolConfigs": UNKNOWN,
        "settings.connectorEnforcement": UNKNOWN,
        "settings.dataApiAccess": UNKNOWN,
        "settings.dataCacheConfig": UNKNOWN,
        "settings.dataDiskProvisionedIops": UNKNOWN,
        "settings.dataDiskProvisionedThroughput": UNKNOWN,
        "settings.diskAutoresizeLimit": 0,
        "settings.ipConfiguration.serverCaMode": UNKNOWN,
        "settings.locationPreference": UNKNOWN,
        "settings.performanceCaptureConfig": UNKNOWN,
        "settings.pricingPlan": "PER_USE",
        "settings.readPoolAutoScaleConfig": UNKNOWN,
        "settings.userLabels": UNKNOWN,
        "settings.version": UNKNOWN,
    },
    gcp.SUBNETWORK: {"logConfig.filterExpr": "true"},
    pulumi_random.RANDOM_PASSWORD: {
        "lower": True,
        "minLower": 0,
        "minNumeric": 0,
        "minSpecial": 0,
        "minUpper": 0,
        "number": True,
        "numeric": True,
        "upper": True,
    },
    vercel.PROJECT: {"autoAssignCustomDomains": True, "oidcTokenConfig": {"issuerMode": "team"}},
}
"""By type and property path: the value of a property that the program does not set.

``UNKNOWN`` for a nested property that the provider computes. Nested properties are in the table
because an SDK has the same type for a nested input and a nested output.
"""

"""Compliant resources of types, or with properties, that the estate does not use."""

from __future__ import annotations

from typing import Any, Final

from policies.rules import kubernetes as kubernetes_rules
from resource_types import cloudflare, gcp, kubernetes, vercel
from tests.policy_harness import Resource
from tests.variants import EVERYTHING, POOLS, as_sent

DIGEST: Final = "gcr.io/pull-production/pull-temporal-worker@sha256:" + "a" * 64
ACCOUNT: Final = "pull-temporal-worker@pull-production.iam.gserviceaccount.com"
GRANT: Final = {"role": "roles/run.invoker", "member": f"serviceAccount:{ACCOUNT}"}
BINDING: Final = {"role": "roles/run.invoker", "members": [f"serviceAccount:{ACCOUNT}"]}

RUN_CONTAINER: Final = {
    "image": DIGEST,
    "envs": [
        {"name": "NODE_ENV", "value": "production"},
        {"name": "TEMPORAL_NAMESPACE", "value": "pull-production"},
        {"name": "PLAID_ENV", "value": "production"},
        {"name": "CHAIN_NETWORK", "value": "polygon-mainnet"},
        {
            "name": "DATABASE_URL",
            "valueSource": {
                "secretKeyRef": {"secret": "pull-production-database-url", "version": "3"}
            },
        },
    ],
    "resources": {"limits": {"cpu": "2", "memory": "4Gi"}},
    "startupProbe": {"httpGet": {"path": "/health"}},
    "livenessProbe": {"httpGet": {"path": "/health"}},
}
RUN_TEMPLATE: Final = {
    "serviceAccount": ACCOUNT,
    "containers": [RUN_CONTAINER],
    "vpcAccess": {"networkInterfaces": [{"network": "n"}], "egress": "ALL_TRAFFIC"},
}
RUN_COMMON: Final = {
    "location": "us-central1",
    "deletionProtection": True,
    "launchStage": "GA",
    "binaryAuthorization": {"useDefault": True},
}

POD: Final[dict[str, Any]] = {
    "serviceAccountName": "pull-worker-sa",
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "volumes": [{"name": "scratch", "emptyDir": {}}],
    "containers": [
        {
            "name": "worker",
            "image": DIGEST,
            "ports": [{"containerPort": 3002}],
            "env": [
                {"name": "NODE_ENV", "value": "production"},
                {"name": "JWT_SECRET", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            ],
            "resources": {
                "requests": {"cpu": "1", "memory": "1Gi"},
                "limits": {"cpu": "2", "memory": "2Gi"},
            },
            "livenessProbe": {"httpGet": {"path": "/health/live", "port": 3002}},
            "readinessProbe": {"httpGet": {"path": "/health/ready", "port": 3002}},
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "privileged": False,
                "capabilities": {"drop": ["ALL"]},
            },
        }
    ],
}
POD["initContainers"] = [{**POD["containers"][0], "name": "migrate"}]
METADATA: Final = {"name": "pull-worker", "namespace": "pull"}


def _workload(token: str) -> dict[str, Any]:
    spec: dict[str, Any] = POD
    for step in reversed(kubernetes_rules.POD_SPECS[token].split(".")[1:]):
        spec = {step: spec}
    return {"metadata": METADATA, "spec": spec}


def _record(record: str, content: str) -> dict[str, Any]:
    return {"zoneId": "z", "type": record, "name": "pull.com", "content": content, "ttl": 1}


def _setting(name: str, value: Any) -> tuple[str, dict[str, Any]]:
    inputs = {"zoneId": "z", "settingId": name, "value": value}
    return cloudflare.ZONE_SETTING, inputs


_VARIANTS: Final = ("kubernetes:", "pulumiservice:", gcp.GKE_CLUSTER, gcp.RUN_WORKER_POOL)
KEY: Final = "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"

GOOD: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    (
        gcp.RUN_WORKER_POOL,
        {
            **RUN_COMMON,
            "name": "pull-temporal-worker-kyc",
            "template": RUN_TEMPLATE,
            "scaling": {"minInstanceCount": 2, "maxInstanceCount": 5},
            "instanceSplits": [
                {
                    "type": "INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION",
                    "revision": "pull-temporal-worker-kyc-1",
                    "percent": 100,
                }
            ],
        },
    ),
    (gcp.RUN_JOB, {**RUN_COMMON, "name": "migrate", "template": {"template": RUN_TEMPLATE}}),
    (
        gcp.RUN_SERVICE,
        {
            **RUN_COMMON,
            "name": "pull-api",
            "ingress": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
            "invokerIamDisabled": False,
            "template": {
                **RUN_TEMPLATE,
                "timeout": "60s",
                "scaling": {"minInstanceCount": 2, "maxInstanceCount": 10},
            },
            "traffics": [
                {
                    "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
                    "revision": "pull-api-1",
                    "percent": 100,
                }
            ],
        },
    ),
    (gcp.RUN_SERVICE_IAM.member, GRANT),
    (gcp.RUN_SERVICE_IAM.binding, BINDING),
    (gcp.RUN_JOB_IAM.member, GRANT),
    (gcp.RUN_WORKER_POOL_IAM.member, GRANT),
    (
        gcp.SECRET_IAM.binding,
        {**BINDING, "role": "roles/secretmanager.secretAccessor"},
    ),
    (
        gcp.SECRET,
        {
            "secretId": "pull-production-here",
            "replication": {
                "userManaged": {
                    "replicas": [
                        {
                            "location": "us-central1",
                            "customerManagedEncryption": {"kmsKeyName": KEY},
                        }
                    ]
                }
            },
        },
    ),
    (gcp.CRYPTO_KEY_IAM.binding, BINDING),
    (gcp.KEY_RING_IAM.member, GRANT),
    (gcp.KEY_RING_IAM.binding, BINDING),
    (gcp.BUCKET_IAM.binding, BINDING),
    (gcp.REPOSITORY_IAM.binding, BINDING),
    (gcp.ORGANIZATION_IAM.member, GRANT),
    (gcp.FOLDER_IAM.member, GRANT),
    (
        gcp.BUCKET,
        {"name": "pull-production-backups", "logging": {"logBucket": "pull-production-logs"}},
    ),
    (
        gcp.SQL_INSTANCE,
        {
            "project": "pull-production",
            "region": "us-central1",
            "name": "pull-production-postgres",
            "settings": {
                "availabilityType": "REGIONAL",
                "backupConfiguration": {"enabled": True},
                "ipConfiguration": {"authorizedNetworks": [{"value": "203.0.113.0/24"}]},
            },
        },
    ),
    (gcp.LOG_BUCKET, {"bucketId": "_Default", "locked": True, "retentionDays": 400}),
    (
        gcp.AUDIT_CONFIG,
        {
            "service": "allServices",
            "auditLogConfigs": [
                {"logType": kind} for kind in ("ADMIN_READ", "DATA_READ", "DATA_WRITE")
            ],
        },
    ),
    (
        gcp.FIREWALL,
        {
            "direction": "INGRESS",
            "sourceRanges": ["35.235.240.0/20"],
            "allows": [{"protocol": "tcp", "ports": ["22", "5000-6000"]}],
        },
    ),
    (
        gcp.GKE_CLUSTER,
        {
            "project": "pull-production",
            "location": "us-central1",
            "name": "pull-cluster",
            "databaseEncryption": {"state": "ENCRYPTED", "keyName": KEY},
            "workloadIdentityConfig": {"workloadPool": "pull-production.svc.id.goog"},
            "privateClusterConfig": {"enablePrivateNodes": True},
            "controlPlaneEndpointsConfig": {"ipEndpointsConfig": {"enabled": False}},
            "clusterAutoscaling": {
                "autoProvisioningDefaults": {
                    "serviceAccount": "pull-nodes@pull-production.iam.gserviceaccount.com"
                }
            },
        },
    ),
    (gcp.SSL_POLICY, {"minTlsVersion": "TLS_1_2", "profile": "MODERN"}),
    (
        cloudflare.DNS_RECORD,
        {**_record("A", "203.0.113.7"), "content": "8.8.8.8", "proxied": True},
    ),
    (cloudflare.DNS_RECORD, _record("TXT", "v=spf1 include:_spf.resend.com -all")),
    (cloudflare.DNS_RECORD, _record("TXT", '"v=DMARC1; p=reject"')),
    _setting("ssl", "strict"),
    _setting("min_tls_version", "1.2"),
    _setting("tls_1_3", "on"),
    _setting("always_use_https", "on"),
    _setting("automatic_https_rewrites", "on"),
    _setting("development_mode", "off"),
    _setting(
        "security_header", {"strict_transport_security": {"enabled": True, "max_age": 31536000}}
    ),
    (cloudflare.ZONE_DNSSEC, {"zoneId": "z", "status": "active"}),
    (
        cloudflare.RULESET,
        {
            "kind": "zone",
            "phase": "http_ratelimit",
            "rules": [{"action": "block", "expression": "true", "enabled": True}],
        },
    ),
    (cloudflare.R2_MANAGED_DOMAIN, {"enabled": False}),
    (cloudflare.R2_CUSTOM_DOMAIN, {"enabled": True, "minTls": "1.2"}),
    (
        vercel.PROJECT,
        {"name": "pull-web", "skewProtection": "12 hours", "protectedSourcemaps": True},
    ),
    (
        vercel.SHARED_ENVIRONMENT_VARIABLE,
        {"key": "NEXT_PUBLIC_X", "sensitive": False, "value": "x", "targets": ["preview"]},
    ),
    (vercel.FIREWALL_CONFIG, {"projectId": "p", "enabled": True}),
    *((token, _workload(token)) for token in kubernetes_rules.WORKLOADS),
    (kubernetes.SECRET, {"metadata": METADATA, "type": "Opaque"}),
    (kubernetes.CONFIG_MAP, {"metadata": METADATA, "data": {"LOG_LEVEL": "info"}}),
    (
        kubernetes.NETWORK_POLICY,
        {"metadata": METADATA, "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}},
    ),
    (
        kubernetes.NAMESPACE,
        {
            "metadata": {
                "name": "pull",
                "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
            }
        },
    ),
    (
        kubernetes.HORIZONTAL_POD_AUTOSCALER,
        {"metadata": METADATA, "spec": {"minReplicas": 2, "maxReplicas": 9}},
    ),
    (kubernetes.SERVICE, {"metadata": METADATA, "spec": {"type": "ClusterIP"}}),
    *(
        (token, {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]})
        for token in (kubernetes.ROLE, kubernetes.CLUSTER_ROLE)
    ),
    *(
        (token, {"roleRef": {"name": "reader"}, "subjects": [{"name": "pull-worker"}]})
        for token in (kubernetes.ROLE_BINDING, kubernetes.CLUSTER_ROLE_BINDING)
    ),
    *(
        (
            token,
            {
                "metadata": METADATA,
                "spec": {
                    "refreshInterval": "1h",
                    "secretStoreRef": {
                        "name": "pull-gcp-secret-store",
                        "kind": "ClusterSecretStore",
                    },
                },
            },
        )
        for token in kubernetes_rules.EXTERNAL_SECRETS
    ),
    *(
        (token, {"spec": {"provider": {"gcpsm": {"auth": {"workloadIdentity": {"a": "b"}}}}}})
        for token in kubernetes_rules.SECRET_STORES
    ),
    (
        gcp.ALERT_POLICY,
        {
            "displayName": "API down",
            "notificationChannels": ["projects/p/notificationChannels/1"],
            "documentation": {"content": "See the runbook."},
            "enabled": True,
        },
    ),
    (
        gcp.UPTIME_CHECK,
        {
            "period": "60s",
            "timeout": "10s",
            "httpCheck": {"useSsl": True, "validateSsl": True},
        },
    ),
)


def fixtures() -> list[Resource]:
    """All of them, and one of each type that only another variant of the estate has."""
    variants = {
        resource.type: resource.inputs
        for variant in (POOLS, EVERYTHING)
        for resource in variant.resources()
    }
    others = ((token, variants[token]) for token in variants if token.startswith(_VARIANTS))
    return [
        Resource(
            type=token,
            urn=f"urn:pulumi:production::pull::{token}::fixture-{number}",
            inputs=as_sent(inputs),
            protect=True,
            source="fixture",
        )
        for number, (token, inputs) in enumerate((*GOOD, *others))
    ]

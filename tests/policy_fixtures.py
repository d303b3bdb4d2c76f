"""Good resources of the types that the estate does not have, and could grow into."""

from __future__ import annotations

from typing import Any, Final

from policies import cloud_run, kubernetes
from policies.network import FIREWALL, TLS
from policies.redis import VALKEY
from policies.storage import LOG_BUCKET
from policies.vercel import FIREWALL as VERCEL_FIREWALL
from policies.vercel import SHARED
from policies.workers import SCRIPT, SUBDOMAIN
from tests.policy_harness import Resource

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
    "serviceAccountName": "pull-worker",
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


def _workload(kind: str) -> dict[str, Any]:
    spec: dict[str, Any] = POD
    for step in reversed(kubernetes.PODS[kind].split(".")[1:]):
        spec = {step: spec}
    return {"metadata": METADATA, "spec": spec}


def _record(kind: str, content: str) -> dict[str, Any]:
    return {"zoneId": "z", "type": kind, "name": "pull.com", "content": content, "ttl": 1}


def _setting(name: str, value: Any) -> tuple[str, dict[str, Any]]:
    inputs = {"zoneId": "z", "settingId": name, "value": value}
    return "cloudflare:index/zoneSetting:ZoneSetting", inputs


GOOD: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    (
        VALKEY,
        {
            "instanceId": "pull-production-valkey",
            "authorizationMode": "IAM_AUTH",
            "transitEncryptionMode": "SERVER_AUTHENTICATION",
            "replicaCount": 1,
            "zoneDistributionConfig": {"mode": "MULTI_ZONE"},
            "persistenceConfig": {"mode": "AOF"},
            "maintenancePolicy": {"weeklyMaintenanceWindows": [{"day": "SUNDAY"}]},
            "deletionProtectionEnabled": True,
        },
    ),
    (
        cloud_run.POOL,
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
    (cloud_run.JOB, {**RUN_COMMON, "name": "migrate", "template": {"template": RUN_TEMPLATE}}),
    (
        cloud_run.SERVICE,
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
    ("gcp:cloudrunv2/serviceIamMember:ServiceIamMember", GRANT),
    ("gcp:cloudrunv2/serviceIamBinding:ServiceIamBinding", BINDING),
    ("gcp:cloudrunv2/jobIamMember:JobIamMember", GRANT),
    ("gcp:cloudrunv2/workerPoolIamMember:WorkerPoolIamMember", GRANT),
    (
        "gcp:secretmanager/secretIamBinding:SecretIamBinding",
        {**BINDING, "role": "roles/secretmanager.secretAccessor"},
    ),
    (
        "gcp:secretmanager/secret:Secret",
        {
            "secretId": "pull-production-here",
            "replication": {
                "userManaged": {
                    "replicas": [
                        {
                            "location": "us-central1",
                            "customerManagedEncryption": {"kmsKeyName": "k"},
                        }
                    ]
                }
            },
        },
    ),
    ("gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding", BINDING),
    ("gcp:kms/keyRingIAMMember:KeyRingIAMMember", GRANT),
    ("gcp:kms/keyRingIAMBinding:KeyRingIAMBinding", BINDING),
    ("gcp:storage/bucketIAMBinding:BucketIAMBinding", BINDING),
    ("gcp:artifactregistry/repositoryIamBinding:RepositoryIamBinding", BINDING),
    ("gcp:organizations/iAMMember:IAMMember", GRANT),
    ("gcp:folder/iAMMember:IAMMember", GRANT),
    (
        "gcp:storage/bucket:Bucket",
        {"name": "pull-production-backups", "logging": {"logBucket": "pull-production-logs"}},
    ),
    (
        "gcp:sql/databaseInstance:DatabaseInstance",
        {"settings": {"ipConfiguration": {"authorizedNetworks": [{"value": "203.0.113.0/24"}]}}},
    ),
    (LOG_BUCKET, {"bucketId": "_Default", "locked": True, "retentionDays": 400}),
    (
        "gcp:projects/iAMAuditConfig:IAMAuditConfig",
        {
            "service": "allServices",
            "auditLogConfigs": [
                {"logType": kind} for kind in ("ADMIN_READ", "DATA_READ", "DATA_WRITE")
            ],
        },
    ),
    (
        FIREWALL,
        {
            "direction": "INGRESS",
            "sourceRanges": ["35.235.240.0/20"],
            "allows": [{"protocol": "tcp", "ports": ["22", "5000-6000"]}],
        },
    ),
    (TLS, {"minTlsVersion": "TLS_1_2", "profile": "MODERN"}),
    (SUBDOMAIN, {"scriptName": "pull-api", "enabled": False, "previewsEnabled": False}),
    (
        SCRIPT,
        {
            "scriptName": "pull-api",
            "compatibilityDate": "2026-10-01",
            "bindings": [{"name": "LOG_LEVEL", "type": "plain_text", "text": "info"}],
        },
    ),
    (
        "cloudflare:index/dnsRecord:DnsRecord",
        {**_record("A", "203.0.113.7"), "content": "8.8.8.8", "proxied": True},
    ),
    ("cloudflare:index/dnsRecord:DnsRecord", _record("TXT", "v=spf1 include:_spf.resend.com -all")),
    ("cloudflare:index/dnsRecord:DnsRecord", _record("TXT", '"v=DMARC1; p=reject"')),
    _setting("ssl", "strict"),
    _setting("min_tls_version", "1.2"),
    _setting("tls_1_3", "on"),
    _setting("always_use_https", "on"),
    _setting("automatic_https_rewrites", "on"),
    _setting("development_mode", "off"),
    _setting(
        "security_header", {"strict_transport_security": {"enabled": True, "max_age": 31536000}}
    ),
    ("cloudflare:index/zoneDnssec:ZoneDnssec", {"zoneId": "z", "status": "active"}),
    (
        "cloudflare:index/ruleset:Ruleset",
        {
            "kind": "zone",
            "phase": "http_ratelimit",
            "rules": [{"action": "block", "expression": "true", "enabled": True}],
        },
    ),
    ("cloudflare:index/r2ManagedDomain:R2ManagedDomain", {"enabled": False}),
    ("cloudflare:index/r2CustomDomain:R2CustomDomain", {"enabled": True, "minTls": "1.2"}),
    (
        "vercel:index/project:Project",
        {"name": "pull-web", "skewProtection": "12 hours", "protectedSourcemaps": True},
    ),
    (SHARED, {"key": "NEXT_PUBLIC_X", "sensitive": False, "value": "x", "targets": ["preview"]}),
    (VERCEL_FIREWALL, {"projectId": "p", "enabled": True}),
    *((kind, _workload(kind)) for kind in kubernetes.WORKLOADS),
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
    (kubernetes.AUTOSCALER, {"metadata": METADATA, "spec": {"minReplicas": 2, "maxReplicas": 9}}),
    ("kubernetes:core/v1:Service", {"metadata": METADATA, "spec": {"type": "ClusterIP"}}),
    *(
        (kind, {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]})
        for kind in kubernetes.ROLES
    ),
    *(
        (kind, {"roleRef": {"name": "reader"}, "subjects": [{"name": "pull-worker"}]})
        for kind in kubernetes.ROLE_BINDINGS
    ),
    *(
        (
            kind,
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
        for kind in kubernetes.EXTERNAL_SECRETS
    ),
    *(
        (kind, {"spec": {"provider": {"gcpsm": {"auth": {"workloadIdentity": {"a": "b"}}}}}})
        for kind in kubernetes.SECRET_STORES
    ),
    (
        "gcp:monitoring/alertPolicy:AlertPolicy",
        {
            "displayName": "API down",
            "notificationChannels": ["projects/p/notificationChannels/1"],
            "documentation": {"content": "See the runbook."},
            "enabled": True,
        },
    ),
    (
        "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig",
        {
            "period": "60s",
            "timeout": "10s",
            "httpCheck": {"useSsl": True, "validateSsl": True},
        },
    ),
)


def fixtures() -> list[Resource]:
    """All of them, protected."""
    return [
        Resource(
            type=kind,
            urn=f"urn:pulumi:production::pull::{kind}::fixture-{number}",
            inputs=inputs,
            protect=True,
            source="fixture",
        )
        for number, (kind, inputs) in enumerate(GOOD)
    ]

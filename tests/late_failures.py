"""Resources that a preview accepts and a platform refuses, and others that it accepts.

Each mistake changes one input of a good resource, as people do; the tables in
``resource_types/constraints`` have mistakes of their own, and neither list is made from the other.
"""

from __future__ import annotations

import copy
import re
from typing import Any, Final

from resource_types import cloudflare, pulumiservice, vercel

Inputs = dict[str, Any]

_ZONE: Final = {"zoneId": "00000000000000000000000000000d01"}
_ACCOUNT: Final = {"accountId": "00000000000000000000000000000a11"}
_STACK: Final = {"organization": "pull", "project": "pull", "stack": "staging"}
_VERSION_ID: Final = "8f14e45f-ceea-467f-a8f5-9c1b7d2e3a40"


def _record(record_type: str, content: str = "", **inputs: Any) -> Inputs:
    contents = {"content": content} if content else {}
    return {**_ZONE, "name": "a.pull.com", "type": record_type, "ttl": 300, **contents, **inputs}


GOOD: Final[dict[str, tuple[str, Inputs]]] = {
    "a": (cloudflare.DNS_RECORD, _record("A", "203.0.113.7")),
    "aaaa": (cloudflare.DNS_RECORD, _record("AAAA", "100::", proxied=True, ttl=1)),
    "cname": (cloudflare.DNS_RECORD, _record("CNAME", "cname.vercel-dns.com")),
    "mx": (
        cloudflare.DNS_RECORD,
        _record("MX", "feedback-smtp.us-east-1.amazonses.com", priority=10),
    ),
    "txt": (cloudflare.DNS_RECORD, _record("TXT", '"v=spf1 include:amazonses.com ~all"')),
    "caa": (
        cloudflare.DNS_RECORD,
        _record("CAA", data={"flags": "0", "tag": "issue", "value": "pki.goog"}),
    ),
    "srv": (
        cloudflare.DNS_RECORD,
        _record(
            "SRV",
            name="_matrix._tcp.pull.com",
            data={"priority": 0, "weight": 5, "port": 8448, "target": "matrix.pull.app"},
        ),
    ),
    "worker": (
        cloudflare.WORKER,
        {
            **_ACCOUNT,
            "name": "pull-api",
            "tags": ["production"],
            "observability": {"enabled": True, "headSamplingRate": 0.5},
        },
    ),
    "version": (
        cloudflare.WORKER_VERSION,
        {
            **_ACCOUNT,
            "workerId": "worker",
            "mainModule": "worker.js",
            "modules": [
                {
                    "name": "worker.js",
                    "contentType": "application/javascript+module",
                    "contentBase64": "ZXhwb3J0IGRlZmF1bHQge30=",
                }
            ],
            "compatibilityDate": "2026-10-01",
            "compatibilityFlags": ["nodejs_compat"],
            "bindings": [
                {"name": "LOG_LEVEL", "type": "plain_text", "text": "info"},
                {
                    "name": "JWT_SECRET",
                    "type": "secrets_store_secret",
                    "storeId": "store",
                    "secretName": "pull-production-jwt-secret",
                },
            ],
        },
    ),
    "deployment": (
        cloudflare.WORKERS_DEPLOYMENT,
        {
            **_ACCOUNT,
            "scriptName": "pull-api",
            "strategy": "percentage",
            "versions": [{"versionId": _VERSION_ID, "percentage": 100}],
        },
    ),
    "route": (
        cloudflare.WORKERS_ROUTE,
        {**_ZONE, "pattern": "api.pull.com/*", "script": "pull-api"},
    ),
    "cron": (
        cloudflare.WORKERS_CRON_TRIGGER,
        {**_ACCOUNT, "scriptName": "pull-api", "schedules": [{"cron": "*/5 * * * *"}]},
    ),
    "bucket": (cloudflare.R2_BUCKET, {**_ACCOUNT, "name": "pull-production-assets"}),
    "cors": (
        cloudflare.R2_BUCKET_CORS,
        {
            **_ACCOUNT,
            "bucketName": "pull-production-assets",
            "rules": [
                {
                    "id": "web",
                    "allowed": {
                        "methods": ["GET", "PUT"],
                        "origins": ["https://app.pull.com"],
                        "headers": ["content-type"],
                    },
                    "maxAgeSeconds": 3600,
                }
            ],
        },
    ),
    "lifecycle": (
        cloudflare.R2_BUCKET_LIFECYCLE,
        {
            **_ACCOUNT,
            "bucketName": "pull-production-assets",
            "rules": [
                {
                    "id": "abort",
                    "enabled": True,
                    "conditions": {"prefix": ""},
                    "abortMultipartUploadsTransition": {
                        "condition": {"type": "Age", "maxAge": 604800}
                    },
                }
            ],
        },
    ),
    "zone": (cloudflare.ZONE_SETTING, {**_ZONE, "settingId": "min_tls_version", "value": "1.2"}),
    "project": (
        vercel.PROJECT,
        {
            "name": "pull-web",
            "framework": "nextjs",
            "rootDirectory": "apps/web",
            "nodeVersion": "22.x",
            "gitRepository": {"type": "github", "repo": "pull/pull", "productionBranch": "main"},
            "vercelAuthentication": {"deploymentType": "standard_protection_new"},
            "skewProtection": "12 hours",
        },
    ),
    "domain": (vercel.PROJECT_DOMAIN, {"projectId": "prj_1", "domain": "app.pull.com"}),
    "variable": (
        vercel.ENVIRONMENT_VARIABLE,
        {
            "projectId": "prj_1",
            "key": "NEXT_PUBLIC_API_URL",
            "value": "https://api.pull.com",
            "targets": ["preview"],
            "sensitive": False,
        },
    ),
    "release": (vercel.DEPLOYMENT, {"projectId": "prj_1", "ref": "3f2c1ab", "production": True}),
    "retention": (
        vercel.PROJECT_DEPLOYMENT_RETENTION,
        {"projectId": "prj_1", "expirationPreview": "1m"},
    ),
    "deployments": (
        pulumiservice.DEPLOYMENT_SETTINGS,
        {
            **_STACK,
            "vcs": {"provider": "github", "repository": "pull/pull"},
            "sourceContext": {"git": {"branch": "refs/heads/main"}},
            "operationContext": {
                "oidc": {
                    "gcp": {
                        "projectId": "100000000001",
                        "workloadPoolId": "pull-staging-github",
                        "providerId": "pulumi",
                        "serviceAccount": "pull-deployer@pull-staging.iam.gserviceaccount.com",
                        "tokenLifetime": "1h0m0s",
                    }
                }
            },
        },
    ),
    "drift": (pulumiservice.DRIFT_SCHEDULE, {**_STACK, "scheduleCron": "0 6 * * *"}),
    "ttl": (pulumiservice.TTL_SCHEDULE, {**_STACK, "timestamp": "2099-01-01T00:00:00Z"}),
    "tags": (pulumiservice.STACK_TAGS, {**_STACK, "tags": {"environment": "staging"}}),
    "policies": (
        pulumiservice.POLICY_GROUP,
        {
            "name": "pull-staging",
            "organizationName": "pull",
            "entityType": "stacks",
            "mode": "preventative",
            "stacks": [{"name": "staging", "routingProject": "pull"}],
            "policyPacks": [{"name": "pull-estate", "versionTag": "1.0.0"}],
        },
    ),
    "webhook": (
        pulumiservice.WEBHOOK,
        {
            "organizationName": "pull",
            "projectName": "pull",
            "stackName": "staging",
            "displayName": "Events",
            "active": True,
            "payloadUrl": "https://api.pull.com/hooks/pulumi",
            "format": "raw",
        },
    ),
}
"""By a short name: type and inputs."""

MISTAKES: Final[tuple[tuple[str, str, Any], ...]] = (
    # DNS
    ("a", "content", "origin.pull.com"),
    ("a", "content", "10.0.0"),
    ("a", "content", "2001:db8::1"),
    ("a", "content", "203.0.113.7:443"),
    ("a", "name", "api.pull.com/"),
    ("a", "name", "https://api.pull.com"),
    ("a", "name", "api..pull.com"),
    ("a", "name", "-api.pull.com"),
    ("a", "name", f"{'a' * 64}.pull.com"),
    ("a", "name", f"{'a.' * 130}pull.com"),
    ("a", "ttl", 0),
    ("a", "ttl", 15),
    ("a", "ttl", 604800),
    ("a", "type", "SPF"),
    ("a", "comment", "long " * 200),
    ("aaaa", "content", "203.0.113.7"),
    ("aaaa", "content", "100::/64"),
    ("aaaa", "ttl", 300),
    ("cname", "content", "76.76.21.21"),
    ("cname", "content", "http://cname.vercel-dns.com"),
    ("cname", "content", "cname.vercel-dns.com/"),
    ("cname", "content", "a.pull.com"),
    ("cname", "content", "vercel"),
    ("mx", "priority", None),
    ("mx", "priority", 100_000),
    ("mx", "priority", -1),
    ("mx", "proxied", True),
    ("mx", "content", "10 mail.pull.com"),
    ("txt", "proxied", True),
    ("txt", "content", "x" * 5000),
    ("caa", "data.tag", "issuer"),
    ("caa", "data.flags", "256"),
    ("caa", "data", None),
    ("srv", "data.port", 84480),
    ("srv", "data.weight", -1),
    ("srv", "data.target", "10.0.0.1"),
    ("srv", "name", "matrix.pull.com"),
    # Workers
    ("worker", "name", "Pull_API!"),
    ("worker", "name", "PullApi"),
    ("worker", "tags", ["a,b"]),
    ("worker", "tags", ["a", "a"]),
    ("worker", "tags", [f"tag{number}" for number in range(20)]),
    ("worker", "observability.headSamplingRate", 50),
    ("version", "mainModule", "index.mjs"),
    ("version", "mainModule", None),
    ("version", "modules.0.name", "main.js"),
    ("version", "modules.0.contentType", "application/javascript"),
    ("version", "modules.0.contentType", "application/x-js"),
    ("version", "modules.0.contentBase64", "export default {}"),
    ("version", "modules.0.contentBase64", None),
    ("version", "compatibilityDate", "2030-01-01"),
    ("version", "compatibilityDate", "2026-13-01"),
    ("version", "compatibilityDate", "2026-10"),
    ("version", "compatibilityFlags", ["nodejs-compat"]),
    ("version", "compatibilityFlags", ["node_compat"]),
    ("version", "compatibilityFlags", ["nodejs_compat", "nodejs_compat"]),
    ("version", "compatibilityFlags", ["nodejs_compat", "no_nodejs_compat"]),
    ("version", "bindings.0.name", "JWT_SECRET"),
    ("version", "bindings.0.name", "LOG-LEVEL"),
    ("version", "bindings.0.name", "9LIVES"),
    ("version", "bindings.0.text", "x" * 10_000),
    ("version", "bindings.0.text", None),
    ("version", "bindings.0.type", "plaintext"),
    ("version", "bindings.1.storeId", None),
    ("version", "bindings.1.secretName", None),
    ("version", "annotations", {"workersTag": "x" * 101}),
    ("version", "limits", {"cpuMs": 600_000}),
    ("deployment", "versions.0.versionId", "v1"),
    ("deployment", "versions.0.percentage", 90),
    ("deployment", "versions.0.percentage", 0),
    ("deployment", "strategy", "canary"),
    ("route", "pattern", "api.pull.com/*/v1"),
    ("route", "pattern", "api.*.com/*"),
    ("route", "pattern", "wss://api.pull.com/*"),
    ("route", "pattern", "api.pull.com:8443/*"),
    ("route", "pattern", "api.pull.com/?a=*"),
    ("cron", "schedules.0.cron", "*/5 * * *"),
    ("cron", "schedules.0.cron", "every five minutes"),
    ("cron", "schedules.0.cron", "0 25 * * *"),
    # R2
    ("bucket", "name", "Pull_Assets"),
    ("bucket", "name", "ab"),
    ("bucket", "location", "us-east-1"),
    ("cors", "rules.0.allowed.methods", ["OPTIONS"]),
    ("cors", "rules.0.allowed.methods", ["put"]),
    ("cors", "rules.0.allowed.methods", []),
    ("cors", "rules.0.allowed.origins", ["https://app.pull.com/"]),
    ("cors", "rules.0.allowed.origins", ["app.pull.com"]),
    ("cors", "rules.0.allowed.origins", ["https://app.pull.com/uploads"]),
    ("cors", "rules.0.allowed.origins", []),
    ("cors", "rules.0.allowed.headers", ["content type"]),
    ("cors", "rules.0.maxAgeSeconds", 604800),
    ("cors", "rules.0.maxAgeSeconds", -1),
    ("lifecycle", "rules.0.id", ""),
    ("lifecycle", "rules.0.abortMultipartUploadsTransition.condition.maxAge", 0),
    ("lifecycle", "rules.0.abortMultipartUploadsTransition.condition.maxAge", -86400),
    ("lifecycle", "rules.0.abortMultipartUploadsTransition", None),
    (
        "lifecycle",
        "rules.0.deleteObjectsTransition",
        {"condition": {"type": "Date", "maxAge": 86400}},
    ),
    ("zone", "value", "TLSv1.2"),
    ("zone", "value", "1.4"),
    ("zone", "settingId", "min-tls-version"),
    # Vercel
    ("project", "name", "Pull Web"),
    ("project", "name", "x" * 101),
    ("project", "framework", "next.js"),
    ("project", "nodeVersion", "22"),
    ("project", "nodeVersion", "21.x"),
    ("project", "gitRepository.type", "gitea"),
    ("project", "gitRepository.repo", "https://github.com/pull/pull"),
    ("project", "gitRepository.repo", "pull"),
    ("project", "gitRepository.productionBranch", "main branch"),
    ("project", "rootDirectory", "/apps/web"),
    ("project", "rootDirectory", "../web"),
    ("project", "skewProtection", "12h"),
    ("project", "serverlessFunctionRegion", "us-east-1"),
    ("project", "vercelAuthentication.deploymentType", "all"),
    ("project", "resourceConfig", {"functionDefaultTimeout": 0}),
    ("project", "resourceConfig", {"functionDefaultCpuType": "huge"}),
    ("domain", "domain", "https://app.pull.com"),
    ("domain", "domain", "app.pull.com/login"),
    ("domain", "domain", "app"),
    ("domain", "redirectStatusCode", 303),
    ("domain", "redirectStatusCode", 308),
    ("domain", "redirect", "app.pull.com"),
    ("variable", "key", "NEXT-PUBLIC-API"),
    ("variable", "key", "2FA_URL"),
    ("variable", "key", "VERCEL_ENV"),
    ("variable", "key", "AWS_LAMBDA_FUNCTION_NAME"),
    ("variable", "key", "TZ"),
    ("variable", "value", "x" * 70_000),
    ("variable", "value", None),
    ("variable", "targets", ["prod"]),
    ("variable", "targets", ["preview", "preview"]),
    ("variable", "targets", []),
    ("variable", "targets", None),
    ("variable", "gitBranch", "a branch"),
    ("release", "ref", "not a branch"),
    ("release", "ref", "main..dev"),
    ("release", "ref", None),
    ("retention", "expirationPreview", "30 days"),
    # Pulumi Cloud
    ("deployments", "vcs.provider", "git"),
    ("deployments", "vcs.repository", "https://github.com/pull/pull"),
    ("deployments", "sourceContext.git.branch", "main branch"),
    ("deployments", "operationContext.oidc.gcp.projectId", "pull-staging"),
    ("deployments", "operationContext.oidc.gcp.serviceAccount", "pull-deployer"),
    ("deployments", "operationContext.oidc.gcp.tokenLifetime", "1 hour"),
    ("deployments", "stack", "a stack"),
    ("drift", "scheduleCron", "daily"),
    ("drift", "scheduleCron", "61 * * * *"),
    ("ttl", "timestamp", "2001-01-01T00:00:00Z"),
    ("ttl", "timestamp", "next week"),
    ("tags", "tags", {"an environment": "staging"}),
    ("tags", "tags", {"environment": "x" * 300}),
    ("policies", "mode", "block"),
    ("policies", "entityType", "stack"),
    ("policies", "policyPacks.0.versionTag", "latest"),
    ("webhook", "payloadUrl", "api.pull.com/hooks"),
    ("webhook", "payloadUrl", "http://api.pull.com/hooks"),
    ("webhook", "format", "json"),
    ("webhook", "format", "slack"),
    ("webhook", "displayName", ""),
)
"""Name of the good resource, path of the input, and the wrong value; None removes the input."""

VARIANTS: Final[tuple[tuple[str, str, Any], ...]] = (
    ("a", "name", "@"),
    ("a", "name", "*.pull.com"),
    ("a", "name", "_acme-challenge.api.pull.com"),
    ("a", "name", "xn--bcher-kva.example"),
    ("a", "name", "api"),
    ("a", "ttl", 1),
    ("a", "ttl", 86400),
    ("a", "tags", ["team:web"]),
    ("aaaa", "content", "2001:db8::1"),
    ("cname", "content", "cname.vercel-dns.com."),
    ("cname", "content", "_domainkey.u1.wl.sendgrid.net"),
    ("cname", "name", "@"),
    ("mx", "priority", 0),
    ("txt", "content", "v=DKIM1; k=rsa; p=" + "A" * 400),
    ("caa", "data.tag", "iodef"),
    ("caa", "data.flags", 128),
    ("srv", "data.target", "."),
    ("worker", "name", "pull_api"),
    ("worker", "tags", []),
    ("worker", "tags", ["env=production", "team/web"]),
    ("worker", "observability.headSamplingRate", 0),
    ("version", "compatibilityDate", "2024-09-23"),
    ("version", "compatibilityFlags", []),
    ("version", "compatibilityFlags", ["nodejs_compat_v2", "global_fetch_strictly_public"]),
    ("version", "bindings", []),
    ("version", "bindings.0", {"name": "ASSETS", "type": "r2_bucket", "bucketName": "pull-assets"}),
    ("version", "bindings.0", {"name": "$data", "type": "json", "json": '{"a": 1}'}),
    ("version", "bindings.0", {"name": "JWT", "type": "inherit"}),
    ("version", "bindings.0.text", ""),
    ("version", "modules.0.contentType", "text/javascript+module"),
    ("version", "limits", {"cpuMs": 30_000}),
    ("deployment", "versions.0.percentage", 100.0),
    ("route", "pattern", "*.pull.com/*"),
    ("route", "pattern", "*pull.com/*"),
    ("route", "pattern", "https://api.pull.com/v1/*"),
    ("route", "pattern", "api.pull.com"),
    ("route", "script", None),
    ("cron", "schedules.0.cron", "0 9-17/2 * JAN-MAR MON,FRI"),
    ("cron", "schedules.0.cron", "0 0 L * *"),
    ("cron", "schedules.0.cron", "0 0 * * 6L"),
    ("cron", "schedules.0.cron", "0 0 LW * *"),
    ("cron", "schedules.0.cron", "30 10 * * MON#1"),
    ("cors", "rules.0.allowed.origins", ["*"]),
    ("cors", "rules.0.allowed.origins", ["http://localhost:3000", "https://*.pull.com"]),
    ("cors", "rules.0.allowed.headers", ["*"]),
    ("cors", "rules.0.allowed.headers", None),
    ("cors", "rules.0.maxAgeSeconds", 0),
    ("cors", "rules.0.id", None),
    ("lifecycle", "rules", []),
    (
        "lifecycle",
        "rules.0.storageClassTransitions",
        [{"condition": {"type": "Age", "maxAge": 2592000}, "storageClass": "InfrequentAccess"}],
    ),
    (
        "lifecycle",
        "rules.0.deleteObjectsTransition",
        {"condition": {"type": "Date", "date": "2030-01-01T00:00:00Z"}},
    ),
    ("zone", "settingId", "some_new_setting"),
    ("project", "framework", "sveltekit"),
    ("project", "framework", None),
    ("project", "nodeVersion", "24.x"),
    ("project", "nodeVersion", None),
    ("project", "rootDirectory", "."),
    ("project", "rootDirectory", "packages/@pull/web"),
    ("project", "gitRepository.productionBranch", "release/2026.11"),
    ("project", "gitRepository.repo", "group/sub/project"),
    ("project", "serverlessFunctionRegion", "fra1"),
    ("project", "name", "pull.web_2"),
    ("domain", "domain", "*.pull.com"),
    ("domain", "redirect", "www.pull.com"),
    ("variable", "key", "AWS_REGION"),
    ("variable", "key", "VERCEL_AUTOMATION_TOKEN_NAME"),
    ("variable", "key", "_private"),
    ("variable", "value", ""),
    ("variable", "targets", ["preview", "development"]),
    ("variable", "gitBranch", "feature/a+b"),
    ("release", "ref", "v1.2.3"),
    ("release", "ref", "feature/x#1"),
    ("retention", "expirationPreview", "unlimited"),
    ("deployments", "sourceContext.git.branch", "main"),
    ("deployments", "operationContext.oidc.gcp.tokenLifetime", "90m"),
    ("drift", "scheduleCron", "*/15 0-6 1,15 * MON-FRI"),
    ("ttl", "timestamp", "2099-06-01T12:00:00.000+02:00"),
    ("tags", "tags", {"pull:team": "web", "a.b_c-d": ""}),
    ("webhook", "payloadUrl", "https://hooks.slack.com/services/T/B/x"),
    ("webhook", "payloadUrl", "https://a.pull.com:8443/?b=c"),
    ("webhook", "stackName", None),
)
"""Changes of good resources that are right as well."""


def changed(name: str, path: str, value: Any) -> tuple[str, Inputs]:
    """Type and inputs of a good resource after one change."""
    token, inputs = copy.deepcopy(GOOD[name])
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    parent: Any = inputs
    for step in steps:
        parent = parent[step]
    if value is None:
        del parent[last]
    else:
        parent[last] = value
    return token, inputs


def label(change: tuple[str, str, Any]) -> str:
    """A short name for a test."""
    name, path, value = change
    return re.sub(r"\s+", " ", f"{name}-{path}-{value}")[:60]

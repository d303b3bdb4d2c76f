"""Cloudflare: the resource types of pulumi-cloudflare.

``replace_on`` and ``secret_outputs`` are those of pulumi-cloudflare 6.23.1.
"""

from __future__ import annotations

from typing import Final

from resource_types.record import EVERY_INPUT, TrafficSplit, ordinary, stateful
from resource_types.updates import (
    added,
    changes,
    cleared,
    gathered,
    ignored,
    leaves,
    loses,
    removed,
    same_letters,
    turns_off,
    turns_on,
)

DNS_RECORD: Final = stateful(
    "cloudflare:index/dnsRecord:DnsRecord",
    loss="a host name that users reach",
    summary_fields=("type", "content", "ttl", "proxied"),
    exposes_endpoint=True,
    replace_on=("type", "zoneId"),
    delete_before_replace=None,
    aliases=(),
    updates=gathered(loses("the host name that users reach", changes, "name")),
    harmless_updates=(
        "comment",
        "content",
        "data",
        "priority",
        "proxied",
        "settings",
        "tags",
        "ttl",
    ),
)
HEALTHCHECK: Final = ordinary(
    "cloudflare:index/healthcheck:Healthcheck",
    outage="the alert on an outage",
    replace_on=("zoneId",),
    updates=gathered(loses("the alert on an outage", turns_on, "suspended", unset=False)),
)
LOGPUSH_JOB: Final = ordinary(
    "cloudflare:index/logpushJob:LogpushJob",
    outage="the export of logs",
    replace_on=("accountId", "dataset", "zoneId"),
    secret_outputs=("destinationConf", "ownershipChallenge"),
    updates=gathered(loses("the export of logs", turns_off, "enabled", unset=False)),
)
NOTIFICATION_POLICY: Final = ordinary(
    "cloudflare:index/notificationPolicy:NotificationPolicy",
    outage="the alert",
    replace_on=("accountId",),
    updates=gathered(loses("the alert", turns_off, "enabled", unset=True)),
)
NOTIFICATION_POLICY_WEBHOOKS: Final = ordinary(
    "cloudflare:index/notificationPolicyWebhooks:NotificationPolicyWebhooks",
    outage="the alerts that are sent to it",
    replace_on=("accountId",),
    secret_outputs=("secret",),
)
R2_BUCKET: Final = stateful(
    "cloudflare:index/r2Bucket:R2Bucket",
    loss="uploaded files",
    summary_fields=("location", "jurisdiction", "storageClass"),
    replace_on=("accountId", "location", "name"),
    updates=gathered(
        ignored(
            path="location",
            when=same_letters,
            source="internal/services/r2_bucket/plan_modifiers.go",
        )
    ),
    harmless_updates=("storageClass",),
)
R2_BUCKET_CORS: Final = ordinary(
    "cloudflare:index/r2BucketCors:R2BucketCors",
    outage="uploads from the web application",
    name_property="",
    exposes_endpoint=True,
    replace_on=("accountId", "bucketName"),
)
R2_BUCKET_LIFECYCLE: Final = ordinary(
    "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle",
    outage=None,
    name_property="",
    replace_on=("accountId", "bucketName"),
    updates=gathered(loses("the objects that the rules delete", added, "rules")),
)
R2_CUSTOM_DOMAIN: Final = ordinary(
    "cloudflare:index/r2CustomDomain:R2CustomDomain",
    outage="the host name of the bucket",
    name_property="domain",
    exposes_endpoint=True,
    replace_on=("accountId", "bucketName", "domain", "zoneId"),
)
R2_MANAGED_DOMAIN: Final = ordinary(
    "cloudflare:index/r2ManagedDomain:R2ManagedDomain",
    outage="the host name of the bucket",
    name_property="",
    exposes_endpoint=True,
)
RECORD: Final = ordinary(
    "cloudflare:index/record:Record",
    outage="a host name that users reach",
    exposes_endpoint=True,
)
RULESET: Final = ordinary(
    "cloudflare:index/ruleset:Ruleset",
    outage="the requests that it blocks or limits",
    exposes_endpoint=True,
    replace_on=("accountId", "kind", "name", "phase", "zoneId"),
    updates=gathered(loses("the requests that it blocks or limits", removed, "rules")),
)
SECRETS_STORE: Final = ordinary(
    "cloudflare:index/secretsStore:SecretsStore",
    outage="the secrets that Workers read",
    replace_on=("accountId", "name"),
)
SECRETS_STORE_SECRET: Final = ordinary(
    "cloudflare:index/secretsStoreSecret:SecretsStoreSecret",
    outage="the secret that Workers read",
    replace_on=("accountId", "name", "storeId"),
)
WORKER: Final = stateful(
    "cloudflare:index/worker:Worker",
    loss="its versions, and the secrets that were set by hand",
    summary_fields=("observability.enabled", "subdomain.enabled", "subdomain.previewsEnabled"),
    exposure_properties=("subdomain",),
    replace_on=("accountId",),
    updates=gathered(loses("the name that routes and commands use", changes, "name")),
    harmless_updates=("logpush", "observability", "subdomain", "tags", "tailConsumers"),
)
WORKER_SCRIPT: Final = ordinary(
    "cloudflare:index/workerScript:WorkerScript",
    outage="the Worker",
    name_property="scriptName",
    variables=("bindings",),
    file_contents=("content",),
)
WORKER_VERSION: Final = ordinary(
    "cloudflare:index/workerVersion:WorkerVersion",
    outage=None,
    summary_fields=("compatibilityDate", "mainModule"),
    name_property="",
    replaced_by_design=True,
    replace_on=(EVERY_INPUT,),
    secret_outputs=("bindings[].text",),
    variables=("bindings",),
    file_contents=("modules[].contentBase64",),
)
WORKERS_CRON_TRIGGER: Final = ordinary(
    "cloudflare:index/workersCronTrigger:WorkersCronTrigger",
    outage="the scheduled runs of the Worker",
    name_property="scriptName",
    replace_on=("accountId", "scriptName"),
)
WORKERS_CUSTOM_DOMAIN: Final = ordinary(
    "cloudflare:index/workersCustomDomain:WorkersCustomDomain",
    outage="the host name of the Worker",
    name_property="hostname",
    exposes_endpoint=True,
    replace_on=("accountId", "environment", "hostname", "service", "zoneId", "zoneName"),
)
WORKERS_DEPLOYMENT: Final = ordinary(
    "cloudflare:index/workersDeployment:WorkersDeployment",
    outage=None,
    summary_fields=("strategy", "versions[0].percentage", "versions[1].percentage"),
    name_property="scriptName",
    replaced_by_design=True,
    traffic=TrafficSplit(path="versions", target="versionId"),
    replace_on=(EVERY_INPUT,),
)
WORKERS_KV_NAMESPACE: Final = ordinary(
    "cloudflare:index/workersKvNamespace:WorkersKvNamespace",
    outage=None,
    name_property="",
    replace_on=("accountId",),
)
WORKERS_ROUTE: Final = ordinary(
    "cloudflare:index/workersRoute:WorkersRoute",
    outage="the requests that reach the Worker",
    summary_fields=("script",),
    name_property="pattern",
    exposes_endpoint=True,
    replace_on=("zoneId",),
    updates=gathered(
        loses("the requests that reach the Worker", changes, "pattern"),
        loses("the requests that reach the Worker", cleared, "script"),
    ),
)
WORKERS_SCRIPT: Final = ordinary(
    "cloudflare:index/workersScript:WorkersScript",
    outage="the Worker",
    name_property="scriptName",
    replace_on=("accountId", "scriptName"),
    variables=("bindings",),
    file_contents=("content",),
)
WORKERS_SCRIPT_SUBDOMAIN: Final = ordinary(
    "cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain",
    outage="the host name of the Worker",
    name_property="scriptName",
    exposes_endpoint=True,
    replace_on=("accountId", "scriptName"),
)
ZONE: Final = stateful(
    "cloudflare:index/zone:Zone",
    loss="every name of the domain",
    summary_fields=(),
    replace_on=("name",),
    updates=gathered(loses("Cloudflare's protection of the zone", turns_on, "paused", unset=False)),
)
ZONE_DNSSEC: Final = ordinary(
    "cloudflare:index/zoneDnssec:ZoneDnssec",
    outage="the signatures of the zone",
    name_property="",
    replace_on=("zoneId",),
    updates=gathered(loses("the signatures of the zone", leaves("active"), "status")),
)
ZONE_SETTING: Final = ordinary(
    "cloudflare:index/zoneSetting:ZoneSetting",
    outage=None,
    name_property="",
    exposure_properties=("value",),
    replace_on=("settingId", "zoneId"),
)

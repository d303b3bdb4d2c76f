"""Cloudflare: the resource types of pulumi-cloudflare.

``replace_on`` and ``secret_outputs`` are those of pulumi-cloudflare 6.23.1.
"""

from __future__ import annotations

from typing import Final

from resource_types.record import EVERY_INPUT, TrafficSplit, ordinary, stateful

DNS_RECORD: Final = stateful(
    "cloudflare:index/dnsRecord:DnsRecord",
    loss="a host name that users reach",
    summary_fields=("type", "content", "ttl", "proxied"),
    exposes_endpoint=True,
    replace_on=("type", "zoneId"),
)
HEALTHCHECK: Final = ordinary("cloudflare:index/healthcheck:Healthcheck", replace_on=("zoneId",))
LOGPUSH_JOB: Final = ordinary(
    "cloudflare:index/logpushJob:LogpushJob",
    replace_on=("accountId", "dataset", "zoneId"),
    secret_outputs=("destinationConf", "ownershipChallenge"),
)
NOTIFICATION_POLICY: Final = ordinary(
    "cloudflare:index/notificationPolicy:NotificationPolicy", replace_on=("accountId",)
)
NOTIFICATION_POLICY_WEBHOOKS: Final = ordinary(
    "cloudflare:index/notificationPolicyWebhooks:NotificationPolicyWebhooks",
    replace_on=("accountId",),
    secret_outputs=("secret",),
)
R2_BUCKET: Final = stateful(
    "cloudflare:index/r2Bucket:R2Bucket",
    loss="uploaded files",
    summary_fields=("location", "jurisdiction", "storageClass"),
    replace_on=("accountId", "location", "name"),
)
R2_BUCKET_CORS: Final = ordinary(
    "cloudflare:index/r2BucketCors:R2BucketCors",
    name_property="",
    exposes_endpoint=True,
    replace_on=("accountId", "bucketName"),
)
R2_BUCKET_LIFECYCLE: Final = ordinary(
    "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle",
    name_property="",
    replace_on=("accountId", "bucketName"),
)
R2_CUSTOM_DOMAIN: Final = ordinary(
    "cloudflare:index/r2CustomDomain:R2CustomDomain",
    name_property="domain",
    exposes_endpoint=True,
    replace_on=("accountId", "bucketName", "domain", "zoneId"),
)
R2_MANAGED_DOMAIN: Final = ordinary(
    "cloudflare:index/r2ManagedDomain:R2ManagedDomain", name_property="", exposes_endpoint=True
)
RECORD: Final = ordinary("cloudflare:index/record:Record", exposes_endpoint=True)
RULESET: Final = ordinary(
    "cloudflare:index/ruleset:Ruleset",
    exposes_endpoint=True,
    replace_on=("accountId", "kind", "name", "phase", "zoneId"),
)
SECRETS_STORE: Final = ordinary(
    "cloudflare:index/secretsStore:SecretsStore", replace_on=("accountId", "name")
)
SECRETS_STORE_SECRET: Final = ordinary(
    "cloudflare:index/secretsStoreSecret:SecretsStoreSecret",
    replace_on=("accountId", "name", "storeId"),
)
WORKER: Final = stateful(
    "cloudflare:index/worker:Worker",
    loss="its versions, and the secrets that were set by hand",
    summary_fields=("observability.enabled", "subdomain.enabled", "subdomain.previewsEnabled"),
    exposure_properties=("subdomain",),
    replace_on=("accountId",),
)
WORKER_SCRIPT: Final = ordinary(
    "cloudflare:index/workerScript:WorkerScript",
    name_property="scriptName",
    variables=("bindings",),
    file_contents=("content",),
)
WORKER_VERSION: Final = ordinary(
    "cloudflare:index/workerVersion:WorkerVersion",
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
    name_property="scriptName",
    replace_on=("accountId", "scriptName"),
)
WORKERS_CUSTOM_DOMAIN: Final = ordinary(
    "cloudflare:index/workersCustomDomain:WorkersCustomDomain",
    name_property="hostname",
    exposes_endpoint=True,
    replace_on=("accountId", "environment", "hostname", "service", "zoneId", "zoneName"),
)
WORKERS_DEPLOYMENT: Final = ordinary(
    "cloudflare:index/workersDeployment:WorkersDeployment",
    summary_fields=("strategy", "versions[0].percentage", "versions[1].percentage"),
    name_property="scriptName",
    replaced_by_design=True,
    traffic=TrafficSplit(path="versions", target="versionId"),
    replace_on=(EVERY_INPUT,),
)
WORKERS_KV_NAMESPACE: Final = ordinary(
    "cloudflare:index/workersKvNamespace:WorkersKvNamespace",
    name_property="",
    replace_on=("accountId",),
)
WORKERS_ROUTE: Final = ordinary(
    "cloudflare:index/workersRoute:WorkersRoute",
    summary_fields=("script",),
    name_property="pattern",
    exposes_endpoint=True,
    replace_on=("zoneId",),
)
WORKERS_SCRIPT: Final = ordinary(
    "cloudflare:index/workersScript:WorkersScript",
    name_property="scriptName",
    replace_on=("accountId", "scriptName"),
    variables=("bindings",),
    file_contents=("content",),
)
WORKERS_SCRIPT_SUBDOMAIN: Final = ordinary(
    "cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain",
    name_property="scriptName",
    exposes_endpoint=True,
    replace_on=("accountId", "scriptName"),
)
ZONE: Final = stateful(
    "cloudflare:index/zone:Zone",
    loss="every name of the domain",
    summary_fields=(),
    replace_on=("name",),
)
ZONE_DNSSEC: Final = ordinary(
    "cloudflare:index/zoneDnssec:ZoneDnssec", name_property="", replace_on=("zoneId",)
)
ZONE_SETTING: Final = ordinary(
    "cloudflare:index/zoneSetting:ZoneSetting",
    name_property="",
    exposure_properties=("value",),
    replace_on=("settingId", "zoneId"),
)

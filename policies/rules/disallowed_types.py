"""Resource types that the estate must not use, each with what to use instead.

No other rule has to cover these types.
"""

from __future__ import annotations

from typing import Final

from policies.framework.rules import ResourceRule, Severity, forbidden
from policies.rules.iam import GRANT_FORMS
from resource_types import cloudflare, gcp, kubernetes, pulumi_random, vercel

RULES: Final = (
    ResourceRule(
        id="run-no-v1-api",
        severity=Severity.HIGH,
        what="No resource uses Cloud Run's v1 API, which no other rule covers.",
        fix="Use gcp.cloudrunv2.",
        url="https://cloud.google.com/run/docs/reference/rest",
        types=(gcp.RUN_V1_SERVICE, gcp.RUN_V1_DOMAIN_MAPPING),
        checks=(forbidden,),
    ),
    ResourceRule(
        id="memorystore-no-valkey",
        severity=Severity.HIGH,
        what="The cache is Memorystore for Redis, which the rules about Redis cover.",
        fix="Use gcp.redis.Instance, or replace this rule by rules about Valkey.",
        url="https://cloud.google.com/memorystore/docs/redis",
        types=(gcp.VALKEY_INSTANCE,),
        checks=(forbidden,),
    ),
    ResourceRule(
        id="iam-no-service-account-key",
        severity=Severity.CRITICAL,
        what="No service account has an exported key.",
        fix="Use workload identity federation; in Cloud Run the account is attached to the "
        "service.",
        url="https://cloud.google.com/iam/docs/best-practices-for-managing-service-account-keys",
        frameworks=("CIS-GCP-4.0 1.4", "CKV2_GCP_3"),
        types=(gcp.SERVICE_ACCOUNT_KEY, gcp.HMAC_KEY),
        checks=(forbidden,),
    ),
    ResourceRule(
        id="iam-no-authoritative-grant",
        severity=Severity.CRITICAL,
        what="No resource owns all grants of a resource or of a role, because it would remove "
        "the grants of others.",
        fix="Use IAMMember, which adds one grant and leaves the others alone.",
        url="https://www.pulumi.com/registry/packages/gcp/api-docs/projects/iampolicy/",
        types=(
            *(forms.policy for forms in GRANT_FORMS),
            gcp.PROJECT_IAM.binding,
            gcp.FOLDER_IAM.binding,
            gcp.ORGANIZATION_IAM.binding,
        ),
        checks=(forbidden,),
    ),
    ResourceRule(
        id="random-no-plain-value",
        severity=Severity.HIGH,
        what="Every random value is a RandomPassword, because the state holds the others in plain "
        "text.",
        fix="Use random.RandomPassword.",
        url="https://www.pulumi.com/registry/packages/random/api-docs/randomstring/",
        types=(pulumi_random.RANDOM_STRING, pulumi_random.RANDOM_ID),
        checks=(forbidden,),
    ),
    ResourceRule(
        id="eso-no-cluster-store",
        severity=Severity.HIGH,
        what="No store of secrets serves the whole cluster.",
        fix="Use a SecretStore, which serves its own namespace only.",
        url="https://external-secrets.io/latest/api/clustersecretstore/",
        types=(kubernetes.CLUSTER_SECRET_STORE, kubernetes.CLUSTER_SECRET_STORE_V1BETA1),
        checks=(forbidden,),
    ),
    ResourceRule(
        id="worker-no-script",
        severity=Severity.MEDIUM,
        what="No Worker is uploaded as a script, which goes live for all traffic at once.",
        fix="Use Worker, WorkerVersion and WorkersDeployment.",
        url="https://developers.cloudflare.com/workers/configuration/versions-and-deployments/",
        types=(
            cloudflare.WORKERS_SCRIPT,
            cloudflare.WORKER_SCRIPT,  # the old name of WorkersScript
            cloudflare.WORKERS_SCRIPT_SUBDOMAIN,
        ),
        checks=(forbidden,),
    ),
    ResourceRule(
        id="vercel-no-plural-variables",
        severity=Severity.HIGH,
        what="Each variable is one resource, because the plural resource shows values in "
        "previews and state.",
        fix="Use ProjectEnvironmentVariable.",
        url="https://www.pulumi.com/registry/packages/vercel/api-docs/projectenvironmentvariable/",
        types=(vercel.ENVIRONMENT_VARIABLES,),
        checks=(forbidden,),
    ),
    ResourceRule(
        id="k8s-no-bare-pod",
        severity=Severity.LOW,
        what="No pod exists without a controller that restarts it.",
        fix="Use a Deployment or a Job.",
        url="https://kubernetes.io/docs/concepts/workloads/pods/",
        types=(kubernetes.POD,),
        checks=(forbidden,),
    ),
)

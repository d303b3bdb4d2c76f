"""Inputs whose value is settled: switches, modes, versions and sizes.

A switch has one right value, and a mode has few, so these rules list what is allowed. A switch or
mode that the estate sets and that no rule settles fails ``tests/test_policies_settled.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.framework.demands import (
    NOT_ALLOWED,
    NOT_EMPTY,
    Demand,
    at_least,
    between,
    equal,
    is_number,
    matches,
    one_of,
    seconds_at_least,
)
from policies.framework.paths import ABSENT, PROTECT, Finding, View
from policies.framework.rules import (
    Check,
    Custom,
    ForEach,
    Must,
    ResourceRule,
    SetValue,
    Severity,
    When,
)
from policies.rules import cloud_run
from policies.rules.grants import variable_of
from policies.rules.kubernetes import NAMESPACE, NAMESPACED, POD_SPECS
from policies.rules.provider_inputs import unknown_inputs
from resource_types import cloudflare, gcp, kubernetes, pulumi_random, pulumiservice, vercel
from resource_types.limits import WEEKDAYS

HOUR: Final = between(0, 23)
WEEKDAY: Final = one_of(*WEEKDAYS, refused=("DAY_OF_WEEK_UNSPECIFIED",))

LIVE, READY = "/health/live", "/health/ready"
ZONE, NODE = "topology.kubernetes.io/zone", "kubernetes.io/hostname"

_PROBE_LIMITS: Final = {
    "periodSeconds": between(1, 60),
    "timeoutSeconds": between(1, 10),
    "failureThreshold": between(2, 30),
    "httpGet.path": one_of("/health", LIVE, READY, refused=("/", "/login")),
}
"""A probe that waits longer than these lets a broken instance serve for minutes.

https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
"""


def _settled(
    identity: str, what: str, fix: str, url: str, inputs: Mapping[str, tuple[Check, ...]]
) -> ResourceRule:
    """A rule with checks by type of resource."""
    return ResourceRule(
        id=identity,
        severity=Severity.HIGH,
        what=what,
        fix=fix,
        url=url,
        types=tuple(inputs),
        checks=tuple(
            When(lambda view, token=token: view.type == token, checks)  # type: ignore[misc]
            for token, checks in inputs.items()
        ),
    )


def _own(*checks: Check) -> Check:
    """Checks of a database that is no clone, which takes its settings from its source."""
    return When(lambda view: view.get("clone") is None, checks)


def _may(path: str, demand: Demand) -> Must:
    """The default is right, and so is setting it explicitly."""
    return Must(path, demand, optional=True)


def _probes(*names: str) -> tuple[Must, ...]:
    return tuple(
        Must(f"{name}.{path}", demand) for name in names for path, demand in _PROBE_LIMITS.items()
    )


def _probe_ports(view: View) -> Iterator[Finding]:
    ports = view.all("ports.containerPort") + view.all("ports[name=http].containerPort")
    # A worker pool has no port: the program takes it from the variable.
    ports = ports or [
        int(port) for port in view.all("envs[name=PORT].value") if str(port).isdigit()
    ]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        path = f"{probe}.httpGet.port"
        port = view.get(path)
        if ports and port is not None and port not in ports:
            yield view.finding(path, "must be the port of the container for requests")


PROBE_PORTS: Final = Custom(
    _probe_ports, ("livenessProbe.httpGet.port",), (SetValue("livenessProbe.httpGet.port", 1),)
)


def _restarts(view: View) -> Iterator[Finding]:
    """A container gets the time to start, and a database that is down restarts no container."""
    probe = "startupProbe"
    period, failures = (
        view.get(f"{probe}.{name}", default)
        for name, default in (("periodSeconds", 10), ("failureThreshold", 3))
    )
    are_numbers = is_number(period) and is_number(failures)
    if view.get(probe) and are_numbers and period * failures < STARTUP_SECONDS:
        text = f"must leave {STARTUP_SECONDS} seconds together with periodSeconds"
        yield view.finding(f"{probe}.failureThreshold", text)
    if view.get("livenessProbe.httpGet.path", LIVE) != LIVE:
        yield view.finding("livenessProbe.httpGet.path", f"must be {LIVE}")


STARTUP_SECONDS: Final = 60
"""The first connection through direct VPC egress can take a minute.

https://cloud.google.com/run/docs/configuring/vpc-direct-vpc
"""

RESTARTS: Final = Custom(
    _restarts,
    ("startupProbe.failureThreshold", "livenessProbe.httpGet.path"),
    (
        SetValue("startupProbe.failureThreshold", 2),
        SetValue("livenessProbe.httpGet.path", READY),
    ),
)


def _secret_of_variable(view: View) -> Iterator[Finding]:
    if view.get("valueSource.secretKeyRef") is None:
        return
    name, secret = str(view.get("name")), view.get("valueSource.secretKeyRef.secret")
    if "/" in str(secret) or variable_of(str(secret)) != variable_of(name):
        text = f"must be the id of the secret {name} in this project"
        yield view.finding("valueSource.secretKeyRef.secret", text)
    version = str(view.get("valueSource.secretKeyRef.version"))
    if not re.fullmatch(r"latest|[1-9]\d*", version):
        yield view.finding("valueSource.secretKeyRef.version", "must be latest or a number")


SECRET_OF_VARIABLE: Final = Custom(
    _secret_of_variable,
    ("name", "valueSource.secretKeyRef.secret", "valueSource.secretKeyRef.version"),
    (
        SetValue("valueSource.secretKeyRef.secret", "pull-production-elsewhere"),
        SetValue("valueSource.secretKeyRef.secret", "projects/elsewhere/secrets/database-url"),
        SetValue("valueSource.secretKeyRef.version", "newest"),
    ),
)

_PROBE_SECONDS: Final = {
    "startupProbe": (60, 600),
    "livenessProbe": (60, 180),
    "readinessProbe": (15, 60),
}
"""The least and the most time after which a probe in the cluster gives up."""


def _probe_times(view: View) -> Iterator[Finding]:
    for probe, (least, most) in _PROBE_SECONDS.items():
        period, failures, timeout = (
            view.get(f"{probe}.{name}")
            for name in ("periodSeconds", "failureThreshold", "timeoutSeconds")
        )
        if not (is_number(period) and is_number(failures) and is_number(timeout)):
            continue  # a violation of the limits
        if not least <= period * failures <= most:
            text = f"must give up after {least} to {most} seconds: periodSeconds by the threshold"
            yield view.finding(f"{probe}.failureThreshold", text)
        if timeout > period:
            yield view.finding(f"{probe}.timeoutSeconds", "must not be above periodSeconds")


_QUANTITIES: Final = {"cpu": r"\d+(\.\d+)?|\d+m", "memory": r"\d+(\.\d+)?(Mi|Gi)"}


def _resources(view: View) -> Iterator[Finding]:
    """Autopilot sets the limits to the requests.

    https://cloud.google.com/kubernetes-engine/docs/concepts/autopilot-resource-requests
    """
    for resource, pattern in _QUANTITIES.items():
        path = f"resources.limits.{resource}"
        limit = view.get(path)
        if limit != view.get(f"resources.requests.{resource}"):
            yield view.finding(path, f"must be that of requests.{resource}")
        if not re.fullmatch(pattern, str(limit)):
            yield view.finding(path, f"must be of the form {pattern}")


def _volumes(view: View) -> Iterator[Finding]:
    volumes = view.all("volumes[].name")
    for container in view.parts("containers[]"):
        if container.all("volumeMounts[].mountPath") != ["/tmp"]:  # noqa: S108 - in the pod
            yield container.finding("volumeMounts", "must be /tmp, the one folder to write to")
        for name in container.all("volumeMounts[].name"):
            if name not in volumes:
                yield container.finding("volumeMounts", "must be a volume of the pod")


def _replicas(view: View) -> Iterator[Finding]:
    least, most = view.get("spec.minReplicas"), view.get("spec.maxReplicas")
    if is_number(least) and is_number(most) and least > most:
        yield view.finding("spec.minReplicas", "must not be above maxReplicas")


def _workload_pool(view: View) -> Iterator[Finding]:
    path = "workloadIdentityConfig.workloadPool"
    if view.get(path) != f"{view.get('project')}.svc.id.goog":
        yield view.finding(path, "must be the pool of the project")


def _methods(view: View) -> Iterator[Finding]:
    if sorted(map(str, view.all("allowed.methods[]"))) != ["GET", "HEAD", "PUT"]:
        yield view.finding("allowed.methods", "must be GET, HEAD and PUT")


_SIZE: Final = {"resources": {"requests": {"cpu": None, "memory": None}}}

_RELEASE_INPUTS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(
        (
            *("atomic", "chart", "createNamespace", "name", "namespace", "timeout", "version"),
            # Of the provider itself:
            *("checksum", "compat", "manifest", "resourceNames", "status"),
        )
    ),
    "repositoryOpts": {"repo": None},
    "values": {
        **dict.fromkeys(
            ("installCRDs", "leaderElect", "replicaCount", "scopedNamespace", "scopedRBAC")
        ),
        **_SIZE,
        "webhook": {"replicaCount": None, **_SIZE},
        "certController": _SIZE,
    },
}
"""The inputs of a chart and its values, which have no schema."""


def _release_inputs(view: View) -> Iterator[Finding]:
    for path in unknown_inputs(view.inputs, _RELEASE_INPUTS, ""):
        # The provider may write its defaults beside the inputs, but not into the values.
        if path.startswith("values.") or view.get(path):
            yield view.finding(path, "is not among the inputs that the estate sets")


RULES: Final = (
    # -- Google Cloud --
    _settled(
        "sql-storage",
        "A database is on an SSD that grows by itself, and is never stopped or overwritten.",
        "Restore a backup into a new instance; leave activationPolicy at ALWAYS.",
        "https://cloud.google.com/sql/docs/postgres/instance-settings",
        {
            gcp.SQL_INSTANCE: (
                _own(
                    Must("settings.diskType", equal("PD_SSD", "PD_HDD")),
                    Must("settings.diskAutoresize", equal(True)),
                    Must("settings.diskSize", between(10, 65536)),
                    Must("settings.ipConfiguration.allocatedIpRange", NOT_EMPTY),
                    Must(
                        "settings.ipConfiguration.enablePrivatePathForGoogleCloudServices",
                        equal(True),
                    ),
                    Must(
                        "settings.backupConfiguration.backupRetentionSettings.retentionUnit",
                        equal("COUNT", "RETENTION_UNIT_UNSPECIFIED"),
                    ),
                    Must("settings.finalBackupConfig.retentionDays", between(7, 365)),
                    Must("settings.maintenanceWindow.day", between(1, 7)),
                    Must("settings.maintenanceWindow.hour", HOUR),
                    Must("settings.maintenanceWindow.updateTrack", equal("stable", "canary")),
                    Must("settings.insightsConfig.queryStringLength", between(256, 4500)),
                    Must("settings.insightsConfig.queryPlansPerMinute", between(1, 20)),
                    Must("settings.insightsConfig.recordApplicationTags", equal(True)),
                    # 0 is the provider's default: no limit.
                    _may("settings.diskAutoresizeLimit", equal(0, 50)),
                ),
                _may("settings.activationPolicy", equal("ALWAYS", "NEVER", "ON_DEMAND")),
                _may("restoreBackupContext", NOT_ALLOWED),
                _may("backupdrBackup", NOT_ALLOWED),
                _may("pointInTimeRestoreContext", NOT_ALLOWED),
            ),
            gcp.SQL_USER: (
                # PostgreSQL cannot drop a role that owns tables.
                Must("deletionPolicy", equal("ABANDON", "DELETE")),
                _may("type", equal("BUILT_IN", "CLOUD_IAM_USER")),
            ),
        },
    ),
    _settled(
        "redis-version",
        "Redis has the version that the estate is tested with, and a complete maintenance window.",
        "Set redisVersion to REDIS_7_2.",
        "https://cloud.google.com/memorystore/docs/redis/supported-versions",
        {
            gcp.REDIS_INSTANCE: (
                Must("redisVersion", equal("REDIS_7_2", "REDIS_4_0", "REDIS_7_0")),
                Must("memorySizeGb", between(1, 300)),
                Must("maintenancePolicy.weeklyMaintenanceWindows[].day", WEEKDAY),
                Must("maintenancePolicy.weeklyMaintenanceWindows[].startTime.hours", HOUR),
            )
        },
    ),
    _settled(
        "random-strength",
        "A generated password has at least 32 letters and digits, and fits into a URL.",
        "Set length to 32 or more, special to false, and leave upper, lower and numeric on.",
        "https://www.pulumi.com/registry/packages/random/api-docs/randompassword/",
        {
            pulumi_random.RANDOM_PASSWORD: (
                Must("length", between(32, 128)),
                Must("special", equal(False)),
                *(_may(name, equal(True)) for name in ("upper", "lower", "number", "numeric")),
                _may("overrideSpecial", NOT_ALLOWED),
            )
        },
    ),
    _settled(
        "run-execution-environment",
        "A workload runs in the second generation of Cloud Run, with probes that find a failure "
        "within minutes, and each variable has the secret of its name.",
        "Set executionEnvironment to EXECUTION_ENVIRONMENT_GEN2, and correct the probe or the "
        "reference.",
        f"{cloud_run.DOCS}/about-execution-environments",
        {
            gcp.RUN_SERVICE: (
                Must(
                    "template.executionEnvironment",
                    equal("EXECUTION_ENVIRONMENT_GEN2", "EXECUTION_ENVIRONMENT_GEN1"),
                ),
                _may("template.maxInstanceRequestConcurrency", between(1, 1000)),
                _may("customAudiences", NOT_ALLOWED),
                ForEach(f"{cloud_run.CONTAINERS[gcp.RUN_SERVICE]}.envs[]", (SECRET_OF_VARIABLE,)),
                ForEach(
                    cloud_run.CONTAINERS[gcp.RUN_SERVICE],
                    (
                        Must("resources.startupCpuBoost", equal(True)),
                        *_probes("startupProbe", "livenessProbe"),
                        PROBE_PORTS,
                        RESTARTS,
                    ),
                ),
            ),
            gcp.RUN_WORKER_POOL: (
                Must("scaling.scalingMode", equal("AUTOMATIC", "MANUAL")),
                ForEach(
                    f"{cloud_run.CONTAINERS[gcp.RUN_WORKER_POOL]}.envs[]", (SECRET_OF_VARIABLE,)
                ),
                ForEach(
                    cloud_run.CONTAINERS[gcp.RUN_WORKER_POOL],
                    (*_probes("startupProbe", "livenessProbe"), PROBE_PORTS, RESTARTS),
                ),
            ),
            gcp.RUN_JOB: (
                Must(
                    "template.template.executionEnvironment",
                    equal("EXECUTION_ENVIRONMENT_GEN2", "EXECUTION_ENVIRONMENT_GEN1"),
                ),
            ),
        },
    ),
    _settled(
        "storage-class",
        "A backup is in the standard storage class, and lifecycle rules that state their versions "
        "delete it when its time is over.",
        "Set storageClass to STANDARD, lifecycleRules, and withState in each condition.",
        "https://cloud.google.com/storage/docs/storage-classes",
        {
            gcp.BUCKET: (
                Must("storageClass", equal("STANDARD", "NEARLINE", "ARCHIVE")),
                Must("lifecycleRules", NOT_EMPTY),
                Must("lifecycleRules[].action.type", equal("Delete", "SetStorageClass")),
                Must(
                    "lifecycleRules[].condition.withState",
                    one_of("LIVE", "ARCHIVED", refused=("ANY",)),
                ),
            )
        },
    ),
    _settled(
        "kms-purpose",
        "A key encrypts and decrypts data.",
        "Set purpose to ENCRYPT_DECRYPT.",
        "https://cloud.google.com/kms/docs/algorithms",
        {
            gcp.CRYPTO_KEY: (
                Must("purpose", equal("ENCRYPT_DECRYPT", "ASYMMETRIC_SIGN", "MAC")),
                _may("importOnly", equal(False)),
                _may("skipInitialVersionCreation", equal(False)),
            )
        },
    ),
    _settled(
        "registry-format",
        "The repository serves gcr.io, holds container images, and keeps the newest ones.",
        "Set location to us and format to DOCKER, and add a KEEP policy with keepCount.",
        "https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy",
        {
            gcp.REPOSITORY: (
                Must("format", equal("DOCKER", "GENERIC")),
                # https://cloud.google.com/artifact-registry/docs/transition/gcr-repositories
                Must("location", equal("us", "us-central1")),
                _may("mode", equal("STANDARD_REPOSITORY", "REMOTE_REPOSITORY")),
                _may("cleanupPolicyDryRun", equal(False)),
                Must("cleanupPolicies[action=KEEP].mostRecentVersions.keepCount", at_least(10)),
                Must("cleanupPolicies[action=DELETE].condition.olderThan", seconds_at_least(1)),
            )
        },
    ),
    _settled(
        "network-settings",
        "The network reaches the internet through one static address, and its logs are complete.",
        "Restore the value; docs/architecture.md explains the network.",
        "https://cloud.google.com/nat/docs/overview",
        {
            gcp.NETWORK: (
                Must("routingMode", equal("REGIONAL", "GLOBAL")),
                _may("deleteDefaultRoutesOnCreate", equal(False)),
            ),
            gcp.SUBNETWORK: (
                Must(
                    "logConfig.aggregationInterval",
                    one_of(
                        "INTERVAL_5_SEC",
                        "INTERVAL_30_SEC",
                        "INTERVAL_1_MIN",
                        "INTERVAL_5_MIN",
                        "INTERVAL_10_MIN",
                        refused=("INTERVAL_15_MIN",),
                    ),
                ),
                Must("logConfig.flowSampling", between(0.1, 1)),
                Must("logConfig.metadata", equal("INCLUDE_ALL_METADATA", "EXCLUDE_ALL_METADATA")),
                _may("purpose", equal("PRIVATE", "REGIONAL_MANAGED_PROXY")),
            ),
            gcp.ROUTER_NAT: (
                Must(
                    "sourceSubnetworkIpRangesToNat",
                    equal("ALL_SUBNETWORKS_ALL_IP_RANGES", "LIST_OF_SUBNETWORKS"),
                ),
                Must("logConfig.filter", one_of("ERRORS_ONLY", "ALL", refused=("OTHER",))),
            ),
            gcp.ADDRESS: (Must("addressType", equal("EXTERNAL", "INTERNAL")),),
            gcp.GLOBAL_ADDRESS: (
                When(
                    lambda view: view.get("purpose") is not None,
                    (
                        Must("purpose", equal("VPC_PEERING", "PRIVATE_SERVICE_CONNECT")),
                        Must("addressType", equal("INTERNAL", "EXTERNAL")),
                        # Cloud SQL takes a /24 of it.
                        Must("prefixLength", between(8, 24)),
                        Must("address", NOT_EMPTY),
                    ),
                ),
                When(
                    lambda view: view.get("purpose") is None,
                    (
                        Must("addressType", equal("EXTERNAL", "INTERNAL")),
                        Must("ipVersion", equal("IPV4", "IPV6")),
                    ),
                ),
            ),
            gcp.VPC_CONNECTOR: (
                Must(
                    "machineType",
                    one_of("f1-micro", "e2-micro", "e2-standard-4", refused=("n1-standard-1",)),
                ),
                Must("minInstances", between(2, 9)),
                Must("maxInstances", between(3, 10)),
            ),
            gcp.SERVICE_NETWORKING_CONNECTION: (
                Must("service", equal("servicenetworking.googleapis.com", "other.googleapis.com")),
                Must("reservedPeeringRanges", NOT_EMPTY),
            ),
        },
    ),
    _settled(
        "project-services-stay-enabled",
        "An API stays enabled when its resource is deleted, and no identity is disabled.",
        "Set disableOnDestroy to false: others in the project use the API too.",
        "https://www.pulumi.com/registry/packages/gcp/api-docs/projects/service/",
        {
            gcp.PROJECT_SERVICE: (
                Must("disableOnDestroy", equal(False)),
                _may("disableDependentServices", equal(False)),
            ),
            gcp.SERVICE_ACCOUNT: (_may("disabled", equal(False)),),
            gcp.WORKLOAD_IDENTITY_POOL: (_may("disabled", equal(False)),),
            gcp.WORKLOAD_IDENTITY_POOL_PROVIDER: (_may("disabled", equal(False)),),
        },
    ),
    # -- Cloudflare and Vercel --
    _settled(
        "worker-runtime",
        "A Worker is a module with Node.js compatibility, its invocations are logged, and uploaded "
        "files stay in standard storage.",
        "Restore the value; docs/delivery.md explains how a Worker is released.",
        "https://developers.cloudflare.com/workers/runtime-apis/nodejs/",
        {
            cloudflare.WORKER: (
                Must("observability.logs.enabled", equal(True)),
                Must("observability.logs.invocationLogs", equal(True)),
                Must("observability.headSamplingRate", between(0, 1)),
                Must("observability.logs.headSamplingRate", between(0, 1)),
                _may("logpush", equal(True)),
            ),
            cloudflare.WORKER_VERSION: (
                # From the compatibility date 2026-08-04 the flag is the default, and accepted:
                # https://developers.cloudflare.com/changelog/post/2026-08-04-nodejs-compat-default/
                Must("compatibilityFlags[]", equal("nodejs_compat", "no_nodejs_compat")),
                Must("compatibilityFlags", NOT_EMPTY),
                Must("mainModule", equal("worker.js", "index.js")),
                Must("modules[].name", equal("worker.js", "index.js")),
                Must("modules[].contentBase64", NOT_EMPTY),
                Must("modules[].contentType", equal("application/javascript+module", "text/plain")),
            ),
            cloudflare.WORKERS_DEPLOYMENT: (Must("strategy", equal("percentage", "all")),),
            cloudflare.R2_BUCKET: (
                Must("storageClass", equal("Standard", "InfrequentAccess")),
                Must(
                    "location",
                    one_of("apac", "eeur", "enam", "weur", "wnam", "oc", refused=("us",)),
                ),
            ),
            cloudflare.R2_BUCKET_CORS: (
                Must(
                    "rules[].allowed.methods[]",
                    one_of("GET", "HEAD", "PUT", refused=("DELETE", "POST")),
                ),
                Must("rules", NOT_EMPTY),
                ForEach(
                    "rules[]",
                    (
                        Custom(
                            _methods,
                            ("allowed.methods[]",),
                            (SetValue("allowed.methods", ["GET", "HEAD"]),),
                        ),
                    ),
                ),
                Must("rules[].allowed.origins", NOT_EMPTY),
                Must("rules[].allowed.headers", equal(["content-type"], ["*"], [])),
                Must("rules[].maxAgeSeconds", between(1, 86400)),
            ),
            cloudflare.R2_BUCKET_LIFECYCLE: (
                Must("rules", NOT_EMPTY),
                Must("rules[].enabled", equal(True)),
                Must("rules[].conditions.prefix", equal("", "tmp/")),
                Must(
                    "rules[].abortMultipartUploadsTransition.condition.maxAge",
                    between(86400, 2592000),
                ),
                Must(
                    "rules[].abortMultipartUploadsTransition.condition.type", equal("Age", "Date")
                ),
            ),
        },
    ),
    _settled(
        "vercel-runtime",
        "The web application is a Next.js application on a supported version of Node.js.",
        "Restore the value.",
        "https://vercel.com/docs/functions/runtimes/node-js/node-js-versions",
        {
            vercel.PROJECT: (
                Must("framework", equal("nextjs", "vite")),
                Must("rootDirectory", NOT_EMPTY),
                Must("nodeVersion", one_of("22.x", "24.x", refused=("16.x", "18.x", "20.x"))),
                Must("gitRepository.type", equal("github", "gitlab")),
                Must("automaticallyExposeSystemEnvironmentVariables", equal(True)),
                Must("skewProtection", matches(r"\d+ (hours|days)", "must be a time", ("none",))),
                _may("publicSource", equal(False)),
                _may("autoAssignCustomDomains", equal(True)),
            ),
            vercel.DEPLOYMENT: (Must("production", equal(True)),),
        },
    ),
    # -- Kubernetes --
    _settled(
        "gke-cluster",
        "The cluster is a private Autopilot cluster whose secrets are encrypted with our key.",
        "Restore the value; docs/kubernetes.md explains the cluster.",
        "https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster",
        {
            gcp.GKE_CLUSTER: (
                Must("enableAutopilot", equal(True)),
                Must("privateClusterConfig.enablePrivateNodes", equal(True)),
                # IAM protects the DNS endpoint; an IP endpoint would be one more way in.
                Must("controlPlaneEndpointsConfig.ipEndpointsConfig.enabled", equal(False)),
                Must(
                    "controlPlaneEndpointsConfig.dnsEndpointConfig.allowExternalTraffic",
                    equal(True),
                ),
                Must("databaseEncryption.state", equal("ENCRYPTED", "DECRYPTED")),
                Must(
                    "releaseChannel.channel",
                    one_of("RAPID", "REGULAR", "STABLE", refused=("UNSPECIFIED",)),
                ),
                Must(
                    "clusterAutoscaling.autoProvisioningDefaults.serviceAccount",
                    matches(
                        r"pull-nodes(-stg)?@.+",
                        "must be the account of the nodes",
                        ("default", "pull-ci-deployer@pull-production.iam.gserviceaccount.com"),
                    ),
                ),
                Must(
                    "clusterAutoscaling.autoProvisioningDefaults.oauthScopes",
                    equal(["https://www.googleapis.com/auth/cloud-platform"], []),
                ),
                Custom(
                    _workload_pool,
                    ("workloadIdentityConfig.workloadPool",),
                    (
                        SetValue("workloadIdentityConfig", ABSENT),
                        SetValue("workloadIdentityConfig.workloadPool", "other.svc.id.goog"),
                    ),
                ),
                Must("ipAllocationPolicy.clusterSecondaryRangeName", equal("pods", "services")),
                Must("ipAllocationPolicy.servicesSecondaryRangeName", equal("services", "pods")),
                Must("maintenancePolicy.dailyMaintenanceWindow.startTime", NOT_EMPTY),
                _may("enableLegacyAbac", equal(False)),
                _may("enableKubernetesAlpha", equal(False)),
                _may("masterAuth", NOT_ALLOWED),
                _may("masterAuthorizedNetworksConfig", NOT_ALLOWED),
            )
        },
    ),
    ResourceRule(
        id="gke-deletion-protection",
        severity=Severity.HIGH,
        what="The cluster is protected from deletion.",
        fix="Set deletionProtection and the resource option protect.",
        url="https://www.pulumi.com/registry/packages/gcp/api-docs/container/cluster/",
        types=(gcp.GKE_CLUSTER,),
        checks=(Must("deletionProtection", equal(True)), Must(PROTECT, equal(True))),
    ),
    _settled(
        "k8s-rollout",
        "A release replaces pods without losing any, and a node can be drained at any time.",
        "Use a rolling update without unavailable pods, an autoscaler instead of replicas, a grace "
        "period of a minute or more, and a disruption budget of one pod.",
        "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/",
        {
            kubernetes.DEPLOYMENT: (
                Must("spec.strategy.type", equal("RollingUpdate", "Recreate")),
                Must("spec.strategy.rollingUpdate.maxUnavailable", equal(0, 1, "25%", "100%")),
                Must(
                    "spec.strategy.rollingUpdate.maxSurge",
                    matches(r"[1-9]\d?%|100%", "must be a percentage", (0, "0%", 1)),
                ),
                # The autoscaler owns the number, and a release would reset it.
                _may("spec.replicas", NOT_ALLOWED),
                _may("spec.paused", equal(False)),
                Must("spec.revisionHistoryLimit", between(2, 50)),
                ForEach(
                    POD_SPECS[kubernetes.DEPLOYMENT],
                    (
                        Must("terminationGracePeriodSeconds", between(60, 90000)),
                        *(
                            Must(f"topologySpreadConstraints[topologyKey={key}].{name}", demand)
                            for key, name, demand in (
                                (ZONE, "whenUnsatisfiable", equal("DoNotSchedule", "Never")),
                                (ZONE, "maxSkew", between(1, 1)),
                                # A zone without usable nodes must not block the other zones.
                                (ZONE, "nodeTaintsPolicy", equal("Honor", "Ignore")),
                                (ZONE, "matchLabelKeys", equal(["pod-template-hash"])),
                                (NODE, "whenUnsatisfiable", equal("ScheduleAnyway", "Never")),
                                (NODE, "maxSkew", between(1, 5)),
                                (NODE, "matchLabelKeys", equal(["pod-template-hash"])),
                            )
                        ),
                        Must(
                            "volumes[].emptyDir.sizeLimit",
                            matches(r"[1-9]\d*(Mi|Gi)", "must be in Mi or Gi", ("512", "512m")),
                        ),
                        Custom(
                            _volumes,
                            ("containers[].volumeMounts", "volumes[].name"),
                            (
                                SetValue("volumes", ABSENT),
                                SetValue("containers[].volumeMounts", ABSENT),
                                SetValue("containers[].volumeMounts[].mountPath", "/app"),
                                SetValue("containers[].volumeMounts[].name", "other"),
                            ),
                        ),
                        Must("priorityClassName", matches(r"pull-.+", "must be ours", ("other",))),
                        Must("enableServiceLinks", equal(False)),
                        Must("securityContext.runAsUser", at_least(1000)),
                        Must("securityContext.runAsGroup", at_least(1000)),
                        Must("securityContext.fsGroup", at_least(1000)),
                        ForEach(
                            "containers[]",
                            (
                                *_probes("startupProbe", "livenessProbe", "readinessProbe"),
                                PROBE_PORTS,
                                # A pod that waits for a service must not be killed.
                                Must("startupProbe.httpGet.path", equal(LIVE, READY)),
                                Must("livenessProbe.httpGet.path", equal(LIVE, READY)),
                                Must("readinessProbe.httpGet.path", equal(READY, LIVE)),
                                Custom(
                                    _probe_times,
                                    ("readinessProbe.failureThreshold",),
                                    (
                                        SetValue("readinessProbe.failureThreshold", 30),
                                        SetValue("livenessProbe.periodSeconds", 1),
                                        SetValue("startupProbe.failureThreshold", 1),
                                    ),
                                ),
                                Custom(
                                    _resources,
                                    ("resources.limits.cpu", "resources.limits.memory"),
                                    (
                                        SetValue("resources.limits.memory", "1Mi"),
                                        SetValue("resources.limits.memory", "2GB"),
                                        SetValue("resources.requests.cpu", "100"),
                                    ),
                                ),
                                Must("ports[name=http].containerPort", between(1024, 65535)),
                                Must("ports[name=metrics].containerPort", between(1024, 65535)),
                                Must("ports[].name", one_of("http", "metrics", refused=("web",))),
                                Must("ports[].protocol", equal("TCP", "UDP")),
                            ),
                        ),
                    ),
                ),
            ),
            kubernetes.HORIZONTAL_POD_AUTOSCALER: (
                Must("spec.minReplicas", between(1, 1000)),
                Must("spec.maxReplicas", between(1, 1000)),
                Custom(_replicas, ("spec.minReplicas",), (SetValue("spec.minReplicas", 999),)),
                Must("spec.metrics", NOT_EMPTY),
                Must("spec.metrics[].type", one_of("Resource", "External", refused=("Pods",))),
                Must(
                    "spec.metrics[type=Resource].resource.name",
                    equal("cpu", "memory"),
                    optional=True,
                ),
                Must(
                    "spec.metrics[type=Resource].resource.target.type",
                    equal("Utilization", "AverageValue"),
                    optional=True,
                ),
                Must("spec.scaleTargetRef.apiVersion", equal("apps/v1", "apps/v1beta1")),
                Must(
                    "spec.metrics[type=Resource].resource.target.averageUtilization",
                    between(30, 90),
                    optional=True,
                ),
                Must("spec.behavior.scaleDown.stabilizationWindowSeconds", between(60, 3600)),
                Must("spec.scaleTargetRef.kind", equal("Deployment", "StatefulSet")),
            ),
            kubernetes.POD_DISRUPTION_BUDGET: (
                Must("spec.maxUnavailable", equal(1, 0, "0%", "100%")),
                _may("spec.minAvailable", NOT_ALLOWED),
                Must("spec.unhealthyPodEvictionPolicy", equal("AlwaysAllow", "IfHealthyBudget")),
            ),
            kubernetes.SERVICE: (
                Must("spec.ports[].protocol", equal("TCP", "UDP")),
                Must("spec.ports[].targetPort", equal("http", "metrics", 9090)),
                Must("spec.ports[].name", equal("http", "https")),
                Must("spec.ports[].port", equal(80, 8080)),
                Must("spec.selector", NOT_EMPTY),
                _may("spec.externalName", NOT_ALLOWED),
            ),
            kubernetes.PRIORITY_CLASS: (
                Must("value", between(1, 1_000_000)),
                _may("globalDefault", equal(False)),
                Must("preemptionPolicy", one_of("PreemptLowerPriority", "Never", refused=("",))),
            ),
            kubernetes.SERVICE_ACCOUNT: (Must("automountServiceAccountToken", equal(False)),),
        },
    ),
    _settled(
        "eso-operator-scoped",
        "The External Secrets operator serves our namespace only, and its secrets survive it.",
        "Set scopedNamespace and scopedRBAC in the chart's values, and restore the other values.",
        "https://external-secrets.io/latest/guides/security-best-practices/",
        {
            kubernetes.RELEASE: (
                Custom(
                    _release_inputs,
                    (),
                    tuple(
                        SetValue(path, value)
                        for path, value in (
                            ("skipAwait", True),
                            ("valueYamlFiles", ["values.yaml"]),
                            ("values.extraArgs", {"loglevel": "debug"}),
                            ("values.extraObjects", [{"kind": "ClusterRoleBinding"}]),
                            ("values.rbac", {"aggregateToView": True}),
                            ("values.webhook.failurePolicy", "Ignore"),
                            ("values.webhook.create", False),
                        )
                    ),
                ),
                Must("chart", equal("external-secrets", "other")),
                Must("name", equal("external-secrets", "other")),
                Must("repositoryOpts.repo", equal("https://charts.external-secrets.io", "oci://x")),
                Must(
                    "version",
                    # The API external-secrets.io/v1.
                    matches(r"1\.\d+\.\d+", "must be a version 1", ("latest", "1.x", "2.0.0")),
                ),
                Must("namespace", equal("external-secrets", "default")),
                Must("atomic", equal(True)),
                Must("createNamespace", equal(True)),
                Must("timeout", between(60, 1800)),
                Must("values.scopedNamespace", equal(NAMESPACE, "", "default")),
                Must("values.scopedRBAC", equal(True)),
                Must("values.installCRDs", equal(True)),
                Must("values.leaderElect", equal(True)),
                Must("values.replicaCount", between(2, 5)),
                Must("values.webhook.replicaCount", between(2, 5)),
                *(
                    Must(
                        f"values.{part}resources.requests.{resource}", matches(pattern, text, (1,))
                    )
                    for part in ("", "webhook.", "certController.")
                    for resource, pattern, text in (
                        ("cpu", r"\d{2,4}m", "must be such as 250m"),
                        ("memory", _QUANTITIES["memory"], "must be in Mi or Gi"),
                    )
                ),
            ),
            kubernetes.EXTERNAL_SECRET: (
                Must("spec.target.creationPolicy", equal("Owner", "Orphan", "Merge")),
                Must("spec.target.deletionPolicy", equal("Retain", "Delete", "Merge")),
                Must("spec.secretStoreRef.kind", equal("SecretStore", "ClusterSecretStore")),
            ),
        },
    ),
    ResourceRule(
        id="k8s-own-namespace",
        severity=Severity.HIGH,
        what=f"Every object is in the namespace {NAMESPACE}.",
        fix=f"Set metadata.namespace to {NAMESPACE}.",
        url="https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/",
        types=(*NAMESPACED, kubernetes.ROLE, kubernetes.ROLE_BINDING),
        checks=(Must("metadata.namespace", equal(NAMESPACE, "default", "kube-system")),),
    ),
)

FAILURES: Final = frozenset(
    (
        *("update_failed", "destroy_failed", "deployment_failed"),
        *("drift_detected", "drift_detection_failed"),
    )
)
"""Events that a person has to see (https://www.pulumi.com/docs/deployments/webhooks/)."""


def _own_stack(view: View) -> Iterator[Finding]:
    stack, project = view.urn.split("::")[0].rpartition(":")[2], view.urn.split("::")[1]
    for name, expected in (
        *(("stack", stack), ("stackName", stack)),
        *(("project", project), ("projectName", project)),
    ):
        if view.get(name, expected) != expected:
            yield view.finding(name, f"must be {expected}, the stack's own")


OWN_STACK: Final = Custom(
    _own_stack,
    ("stack", "stackName", "project", "projectName"),
    (SetValue("stack", "elsewhere"), SetValue("project", "elsewhere")),
)


def _every_failure(view: View) -> Iterator[Finding]:
    missing = FAILURES - set(map(str, view.all("filters[]")))
    if missing:
        yield view.finding("filters", f"must contain {', '.join(sorted(missing))}")
    if view.value("secret") is ABSENT:
        yield view.finding("secret", "is missing: the receiver cannot tell who sent an event")


def _previews_in_templates(view: View) -> Iterator[Finding]:
    """A preview of a pull request runs its code with the key of the stack's secrets."""
    is_template = view.get("vcs.pullRequestTemplate") is True
    if view.get("vcs.previewPullRequests") is not is_template:
        text = "must be true in a template of review stacks, and false in any other stack"
        yield view.finding("vcs.previewPullRequests", text)


UNUSED: Final = (
    _settled(
        "deployments-change-nothing",
        "Pulumi Deployments previews this stack every day, reports failures, repairs no drift by "
        "itself, and enforces the policies instead of reporting violations only.",
        "Set autoRemediate to false, mode to preventative, a daily schedule, and the filters.",
        "https://www.pulumi.com/docs/deployments/deployments/drift/",
        {
            pulumiservice.DRIFT_SCHEDULE: (
                OWN_STACK,
                Must("autoRemediate", equal(False)),
                Must(
                    "scheduleCron",
                    matches(
                        r"\d{1,2} \d{1,2} \* \* \*",
                        "must be once a day, such as 53 6 * * *",
                        ("* * * * *", "53 6 1 1 *"),
                    ),
                ),
            ),
            pulumiservice.POLICY_GROUP: (
                Must("entityType", equal("stacks")),
                Must("mode", equal("preventative")),
            ),
            pulumiservice.STACK_TAGS: (OWN_STACK,),
            pulumiservice.TTL_SCHEDULE: (OWN_STACK,),
            pulumiservice.DEPLOYMENT_SETTINGS: (
                OWN_STACK,
                Custom(
                    _previews_in_templates,
                    ("vcs.previewPullRequests",),
                    (
                        SetValue("vcs.previewPullRequests", True),
                        SetValue("vcs.previewPullRequests", ABSENT),
                    ),
                ),
                Must("vcs.provider", equal("github", "gitlab")),
                Must("sourceContext.git.branch", equal("refs/heads/main", "refs/heads/develop")),
                Must("operationContext.oidc.gcp.tokenLifetime", equal("1h0m0s", "24h0m0s")),
            ),
            pulumiservice.WEBHOOK: (
                OWN_STACK,
                Must("active", equal(True)),
                Custom(
                    _every_failure,
                    ("filters[]", "secret"),
                    (SetValue("filters", ["stack_created"]), SetValue("secret", ABSENT)),
                ),
                Must(
                    "payloadUrl", matches(r"https://.+", "must be an https address", ("http://x",))
                ),
            ),
        },
    ),
)

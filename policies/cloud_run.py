"""Cloud Run: services, worker pools and jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policies.iam import NOBODY, grants_on
from policies.rule import (
    ABSENT,
    GIVEN,
    Custom,
    Finding,
    ForEach,
    Must,
    ResourceRule,
    SetValue,
    Severity,
    View,
    When,
    at_least,
    equal,
    forbidden,
    is_number,
    like,
    none_of,
    one_of,
    unlike,
)
from policies.sensitive import NO_CREDENTIAL, SECRET_NAME

SERVICE: Final = "gcp:cloudrunv2/service:Service"
POOL: Final = "gcp:cloudrunv2/workerPool:WorkerPool"
JOB: Final = "gcp:cloudrunv2/job:Job"
ALL: Final = (SERVICE, POOL, JOB)

CONTAINERS: Final = {
    SERVICE: "template.containers[]",
    POOL: "template.containers[]",
    JOB: "template.template.containers[]",
}
TEMPLATE: Final = {SERVICE: "template", POOL: "template", JOB: "template.template"}
SHARES: Final = {SERVICE: "traffics", POOL: "instanceSplits"}

DOCS: Final = "https://cloud.google.com/run/docs"

# CPUs of a container: the least and the most memory beside them, in GiB.
MEMORY_BESIDE_CPUS: Final = {1: (0.125, 4), 2: (0.125, 8), 4: (2, 16), 6: (4, 24), 8: (4, 32)}
UNITS: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "": 1}

# https://cloud.google.com/run/docs/container-contract#env-vars
RESERVED: Final = ("PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION")


def _secret_by_name(view: View) -> Iterator[Finding]:
    name = str(view.get("name", ""))
    if SECRET_NAME.search(name) and view.get("valueSource.secretKeyRef.secret") is None:
        yield view.finding("", "must come from valueSource.secretKeyRef: its name says secret")


def _limits(view: View) -> Iterator[Finding]:
    cpu, memory = view.get("resources.limits.cpu"), view.get("resources.limits.memory")
    size = re.fullmatch(r"(\d+)(Ki|Mi|Gi|)", str(memory))
    if str(cpu) not in map(str, MEMORY_BESIDE_CPUS):
        allowed = ", ".join(map(str, MEMORY_BESIDE_CPUS))
        yield view.finding("resources.limits.cpu", f"must be one of {allowed}")
    elif size is None:
        yield view.finding("resources.limits.memory", "must be a size such as 4Gi")
    else:
        least, most = MEMORY_BESIDE_CPUS[int(cpu)]
        if not least <= int(size[1]) * UNITS[size[2]] / 2**30 <= most:
            text = f"must be {least} to {most} GiB beside {cpu} CPUs"
            yield view.finding("resources.limits.memory", text)


def _order(view: View) -> Iterator[Finding]:
    least, most = view.get("minInstanceCount", 0), view.get("maxInstanceCount", 0)
    if is_number(least) and is_number(most) and least > most:
        yield view.finding("minInstanceCount", "must not exceed maxInstanceCount")


def _shares(view: View) -> Iterator[Finding]:
    path = SHARES[view.type]
    if not view.all(f"{path}[]"):
        yield view.finding(path, "is missing: the newest revision would take everything at once")
        return
    percents = [share for share in view.all(f"{path}[].percent") if is_number(share)]
    if sum(percents) != 100:
        yield view.finding(f"{path}[].percent", "must sum to 100")
    for share in view.parts(f"{path}[]"):
        if not share.get("revision") or not str(share.get("type", "")).endswith("_REVISION"):
            yield share.finding("", "must name a revision, with the type for that")


def _private_egress(view: View) -> Iterator[Finding]:
    if not view.get("vpcAccess.connector") and not view.all("vpcAccess.networkInterfaces[]"):
        yield view.finding("vpcAccess", "must have a network interface or a connector")
    if view.get("vpcAccess.egress") not in ("ALL_TRAFFIC", "PRIVATE_RANGES_ONLY"):
        yield view.finding("vpcAccess.egress", "must be ALL_TRAFFIC or PRIVATE_RANGES_ONLY")


def _is_worker(view: View) -> bool:
    return "WORKER_TYPE" in view.all("template.containers[].envs[].name")


RULES: Final = (
    ResourceRule(
        id="run-no-public-invoker",
        severity=Severity.CRITICAL,
        what="Nobody may call a service without saying who they are.",
        fix="Grant roles/run.invoker to the service account that calls.",
        url=f"{DOCS}/authenticating/overview",
        frameworks=("CKV_GCP_102", "Prowler cloudrun_service_public_access"),
        types=grants_on("gcp:cloudrun/", "gcp:cloudrunv2/"),
        checks=NOBODY,
        decidable_after_update=True,
    ),
    ResourceRule(
        id="run-invoker-checked",
        severity=Severity.CRITICAL,
        what="A service checks who calls it.",
        fix="Leave invokerIamDisabled out.",
        url=f"{DOCS}/securing/managing-access",
        types=(SERVICE,),
        checks=(Must("invokerIamDisabled", equal(False), optional=True),),
    ),
    ResourceRule(
        id="run-ingress",
        severity=Severity.HIGH,
        what="A service is not reached from the internet directly.",
        fix="Set ingress to INGRESS_TRAFFIC_INTERNAL_ONLY, or to the one for a load balancer.",
        url=f"{DOCS}/securing/ingress",
        types=(SERVICE,),
        checks=(
            Must(
                "ingress",
                one_of(
                    "INGRESS_TRAFFIC_INTERNAL_ONLY",
                    "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
                    refused=("INGRESS_TRAFFIC_ALL",),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="run-own-identity",
        severity=Severity.HIGH,
        what="What runs has a service account of its own.",
        fix="Set serviceAccount in the template; the default accounts may edit the whole project.",
        url=f"{DOCS}/securing/service-identity",
        frameworks=("CKV_GCP_46",),
        types=ALL,
        checks=(
            ForEach(
                TEMPLATE,
                (
                    Must("serviceAccount", GIVEN),
                    Must(
                        "serviceAccount",
                        unlike(
                            re.compile(
                                r"compute@developer\.gserviceaccount|@appspot\.gserviceaccount"
                            ),
                            "must not be a default account",
                            (
                                "100000000001-compute@developer.gserviceaccount.com",
                                "pull@appspot.gserviceaccount.com",
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="run-image-said",
        severity=Severity.MEDIUM,
        what="An image is named by a digest or by a tag that stays.",
        fix="Name the image as image@sha256:…, or by the tag of a release.",
        url=f"{DOCS}/deploying",
        frameworks=("CKV_K8S_14",),
        types=ALL,
        checks=(
            ForEach(
                CONTAINERS,
                (
                    Must(
                        "image",
                        like(
                            r"[^\s@]+(@sha256:[0-9a-f]{64}|:(?!latest$)[\w.-]{1,128})",
                            "must have a digest or a tag other than latest",
                            ("gcr.io/pull/worker", "gcr.io/pull/worker:latest"),
                        ),
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="run-image-digest",
        severity=Severity.HIGH,
        what="An image is named by its digest: a tag can be moved behind a review.",
        fix="Name the image as image@sha256:…, which `docker push` prints.",
        url=f"{DOCS}/deploying",
        frameworks=("CKV_K8S_43",),
        types=ALL,
        checks=(
            ForEach(
                CONTAINERS,
                (
                    Must(
                        "image",
                        like(
                            r"[^\s@]+@sha256:[0-9a-f]{64}",
                            "must end in @sha256:<digest>",
                            ("gcr.io/pull/worker:3f2c1ab", "gcr.io/pull/worker@sha256:0"),
                        ),
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="run-instances-limited",
        severity=Severity.MEDIUM,
        what="A service or pool says how many instances it has, at least and at most.",
        fix="Set minInstanceCount and maxInstanceCount.",
        url=f"{DOCS}/configuring/max-instances",
        types=(SERVICE, POOL),
        checks=(
            ForEach(
                {SERVICE: "template.scaling", POOL: "scaling"},
                (
                    Must("minInstanceCount", at_least(0)),
                    Must("maxInstanceCount", at_least(1)),
                    Custom(
                        _order,
                        ("minInstanceCount", "maxInstanceCount"),
                        (SetValue("minInstanceCount", 100000),),
                    ),
                ),
            ),
            When(lambda view: view.type == SERVICE, (Must("template.scaling", GIVEN),)),
            When(lambda view: view.type == POOL, (Must("scaling", GIVEN),)),
        ),
    ),
    ResourceRule(
        id="run-secrets-by-reference",
        severity=Severity.CRITICAL,
        what="A variable whose name says secret comes from Secret Manager.",
        fix="Put the variable into the catalogue, so that it is mounted by reference.",
        url=f"{DOCS}/configuring/services/secrets",
        frameworks=("CIS-GCP-4.0 1.17", "CKV_K8S_35"),
        types=ALL,
        checks=(
            ForEach(
                {kind: f"{path}.envs[]" for kind, path in CONTAINERS.items()},
                (
                    Custom(
                        _secret_by_name,
                        ("name", "valueSource.secretKeyRef.secret"),
                        (
                            SetValue("", {"name": "STRIPE_SECRET_KEY", "value": "plain"}),
                            SetValue("", {"name": "DATABASE_URL", "value": "plain"}),
                            SetValue("", {"name": "SOME_TOKEN", "value": "plain"}),
                        ),
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="run-plain-values",
        severity=Severity.CRITICAL,
        what="A plain variable holds no credential, and its value is known beforehand.",
        fix="Mount the value from Secret Manager by reference.",
        url=f"{DOCS}/configuring/services/secrets",
        types=ALL,
        checks=(
            ForEach(
                {kind: f"{path}.envs[]" for kind, path in CONTAINERS.items()},
                (Must("value", NO_CREDENTIAL, optional=True),),
            ),
        ),
    ),
    ResourceRule(
        id="run-secret-version-pinned",
        severity=Severity.LOW,
        what="A revision reads the version of a secret that it was released with.",
        fix="Pin the version in pull:secrets.versions.",
        url=f"{DOCS}/configuring/services/secrets#versions",
        adopted=False,
        types=ALL,
        checks=(
            ForEach(
                {
                    kind: f"{path}.envs[].valueSource.secretKeyRef"
                    for kind, path in CONTAINERS.items()
                },
                (Must("version", like(r"[1-9]\d*", "must be a number", ("latest",))),),
            ),
        ),
    ),
    ResourceRule(
        id="run-variables-unique",
        severity=Severity.HIGH,
        what="No variable is one that Cloud Run sets itself: it would refuse the revision.",
        fix="Take the variable out; PORT follows from the container's port.",
        url=f"{DOCS}/container-contract#env-vars",
        types=(SERVICE,),
        checks=(Must("template.containers[].envs[].name", none_of(*RESERVED)),),
    ),
    ResourceRule(
        id="run-probes",
        severity=Severity.MEDIUM,
        what="A container is asked whether it has started and whether it lives.",
        fix="Give startupProbe and livenessProbe.",
        url=f"{DOCS}/configuring/healthchecks",
        frameworks=("CKV_K8S_8", "CKV_K8S_9"),
        types=(SERVICE, POOL),
        checks=(
            Must("template.containers[].startupProbe", GIVEN),
            Must("template.containers[].livenessProbe", GIVEN),
        ),
    ),
    ResourceRule(
        id="run-limits",
        severity=Severity.HIGH,
        what="CPU and memory of a container are a pair that Cloud Run has.",
        fix="Correct resources.limits. The provider finds out only in the update.",
        url=f"{DOCS}/configuring/services/memory-limits",
        types=ALL,
        checks=(
            ForEach(
                CONTAINERS,
                (
                    Custom(
                        _limits,
                        ("resources.limits.cpu", "resources.limits.memory"),
                        (
                            SetValue("resources.limits.cpu", "3"),
                            SetValue("resources.limits.cpu", ABSENT),
                            SetValue("resources.limits.memory", "64Gi"),
                            SetValue("resources.limits.memory", ABSENT),
                        ),
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="run-timeout",
        severity=Severity.HIGH,
        what="A request takes an hour at the most.",
        fix='Write template.timeout in seconds, "3600s" at the most.',
        url=f"{DOCS}/configuring/request-timeout",
        types=(SERVICE,),
        checks=(
            Must(
                "template.timeout",
                like(
                    r"([1-9]\d{0,2}|[12]\d{3}|3[0-5]\d\d|3600)s",
                    "must be 1s to 3600s",
                    ("3601s", "1h", "0s"),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="run-traffic",
        severity=Severity.HIGH,
        what="Traffic is said for each revision by name, and sums to 100.",
        fix="Give each share a revision and a percentage; a rollback edits nothing else.",
        url=f"{DOCS}/rollouts-rollbacks-traffic-migration",
        types=(SERVICE, POOL),
        checks=(
            *(
                When(
                    lambda view, kind=kind: view.type == kind,  # type: ignore[misc]
                    (
                        Custom(
                            _shares,
                            tuple(f"{shares}[].{name}" for name in ("type", "revision", "percent")),
                            (
                                SetValue(shares, []),
                                SetValue(f"{shares}[].percent", 105),
                                SetValue(f"{shares}[].revision", ABSENT),
                                SetValue(
                                    f"{shares}[].type", "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
                                ),
                            ),
                        ),
                    ),
                )
                for kind, shares in SHARES.items()
            ),
        ),
    ),
    ResourceRule(
        id="run-launch-stage",
        severity=Severity.LOW,
        what="Nothing depends on a feature that is not generally available.",
        fix="Leave launchStage out.",
        url=f"{DOCS}/troubleshooting#launch-stage",
        types=ALL,
        checks=(Must("launchStage", one_of("GA", refused=("ALPHA", "BETA")), optional=True),),
    ),
    ResourceRule(
        id="run-second-api",
        severity=Severity.HIGH,
        what="Nothing is described by Cloud Run's first API, which no other rule here reads.",
        fix="Use gcp.cloudrunv2.",
        url=f"{DOCS}/reference/rest",
        types=("gcp:cloudrun/service:Service", "gcp:cloudrun/domainMapping:DomainMapping"),
        checks=(forbidden,),
    ),
    ResourceRule(
        id="run-private-egress",
        severity=Severity.HIGH,
        what="What runs is in the private network: the database has no other address.",
        fix="Give vpcAccess with a network interface or a connector, and its egress.",
        url=f"{DOCS}/configuring/connecting-vpc",
        types=ALL,
        checks=(
            ForEach(
                TEMPLATE,
                (
                    Custom(
                        _private_egress,
                        (
                            "vpcAccess.connector",
                            "vpcAccess.networkInterfaces[]",
                            "vpcAccess.egress",
                        ),
                        (
                            SetValue("vpcAccess", ABSENT),
                            SetValue("vpcAccess.networkInterfaces", []),
                            SetValue("vpcAccess.egress", ABSENT),
                        ),
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="run-deletion-protection",
        severity=Severity.MEDIUM,
        what="A service cannot be deleted by mistake.",
        fix="Set deletionProtection to true.",
        url=f"{DOCS}/managing/services",
        types=ALL,
        checks=(Must("deletionProtection", equal(True)),),
    ),
    ResourceRule(
        id="run-binary-authorization",
        severity=Severity.MEDIUM,
        what="Only images that were attested may run.",
        fix="Set binaryAuthorization.useDefault, and attest images in the build.",
        url=f"{DOCS}/securing/binary-authorization",
        adopted=False,
        types=ALL,
        checks=(Must("binaryAuthorization.useDefault", equal(True)),),
    ),
    ResourceRule(
        id="run-worker-works",
        severity=Severity.HIGH,
        what="A Temporal worker has CPU between requests, and a port for its probes.",
        fix="Set resources.cpuIdle to false and give the port; or run it as a worker pool.",
        url=f"{DOCS}/configuring/billing-settings",
        types=(SERVICE,),
        checks=(
            When(
                _is_worker,
                (
                    Must("template.containers[].resources.cpuIdle", equal(False)),
                    Must("template.containers[].ports.containerPort", at_least(1)),
                ),
            ),
        ),
    ),
)

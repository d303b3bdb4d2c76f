"""Cloud Run: services, worker pools and jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policies.framework.credentials import NO_CREDENTIAL
from policies.framework.demands import (
    IMAGE_BY_DIGEST,
    IMAGE_BY_DIGEST_OR_TAG,
    NOT_EMPTY,
    at_least,
    contains_no,
    equal,
    is_number,
    matches,
    none_of,
    one_of,
)
from policies.framework.paths import ABSENT, Finding, View
from policies.framework.rules import Custom, ForEach, Must, ResourceRule, SetValue, Severity, When
from resource_types import RESOURCE_TYPES, gcp, limits
from resource_types.limits import SECRET_NAME

TEMPLATES: Final = {
    token: record.pod_spec
    for token, record in RESOURCE_TYPES.items()
    if record.pod_spec and token.startswith("gcp:cloudrunv2/")
}
"""Workloads of Cloud Run, and where each has the template of its revisions or executions."""

WORKLOADS: Final = tuple(TEMPLATES)
CONTAINERS: Final = {token: RESOURCE_TYPES[token].containers for token in WORKLOADS}
SCALING: Final = {gcp.RUN_SERVICE: "template.scaling", gcp.RUN_WORKER_POOL: "scaling"}
TRAFFIC: Final = {
    token: split.path for token in WORKLOADS if (split := RESOURCE_TYPES[token].traffic)
}

DOCS: Final = "https://cloud.google.com/run/docs"

UNITS: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "": 1}

# https://cloud.google.com/run/docs/container-contract#env-vars
RESERVED: Final = ("PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION")


def _secret_by_name(view: View) -> Iterator[Finding]:
    name = str(view.get("name", ""))
    if SECRET_NAME.search(name) and view.get("valueSource.secretKeyRef.secret") is None:
        yield view.finding(
            "", "must come from valueSource.secretKeyRef, because its name looks like a secret"
        )


def _limits(view: View) -> Iterator[Finding]:
    cpu, memory = view.get("resources.limits.cpu"), view.get("resources.limits.memory")
    size = re.fullmatch(r"(\d+)(Ki|Mi|Gi|)", str(memory))
    if str(cpu) not in map(str, limits.CLOUD_RUN_MEMORY_GIB_BY_CPU):
        allowed = ", ".join(map(str, limits.CLOUD_RUN_MEMORY_GIB_BY_CPU))
        yield view.finding("resources.limits.cpu", f"must be one of {allowed}")
    elif size is None:
        yield view.finding("resources.limits.memory", "must be a size such as 4Gi")
    else:
        minimum, maximum = limits.CLOUD_RUN_MEMORY_GIB_BY_CPU[int(cpu)]
        if not minimum <= int(size[1]) * UNITS[size[2]] / 2**30 <= maximum:
            text = f"must be {minimum} to {maximum} GiB for {cpu} CPUs"
            yield view.finding("resources.limits.memory", text)


def _instance_order(view: View) -> Iterator[Finding]:
    minimum, maximum = view.get("minInstanceCount", 0), view.get("maxInstanceCount", 0)
    if is_number(minimum) and is_number(maximum) and minimum > maximum:
        yield view.finding("minInstanceCount", "must not exceed maxInstanceCount")


def _shares(view: View) -> Iterator[Finding]:
    path = TRAFFIC[view.type]
    if not view.all(f"{path}[]"):
        yield view.finding(path, "is missing: the latest revision would get all traffic at once")
        return
    percents = [share for share in view.all(f"{path}[].percent") if is_number(share)]
    if sum(percents) != 100:
        yield view.finding(f"{path}[].percent", "must sum to 100")
    for share in view.parts(f"{path}[]"):
        if not share.get("revision") or not str(share.get("type", "")).endswith("_REVISION"):
            yield share.finding(
                "", "must name a revision, and its type must be the one for a revision"
            )
        elif not str(share.get("revision")).startswith(f"{view.get('name')}-"):
            yield share.finding("revision", "must be a revision of this service")
    if not re.fullmatch(
        rf"{re.escape(str(view.get('name')))}-[0-9a-f]{{8}}", str(view.get("template.revision"))
    ):
        text = "must be the name of the service and a hash of the template, which no other has"
        yield view.finding("template.revision", text)


def _private_egress(view: View) -> Iterator[Finding]:
    if not view.get("vpcAccess.connector") and not view.all("vpcAccess.networkInterfaces[]"):
        yield view.finding("vpcAccess", "must have a network interface or a connector")
    if view.get("vpcAccess.egress") != "ALL_TRAFFIC":
        yield view.finding("vpcAccess.egress", "must be ALL_TRAFFIC")


def _is_worker(view: View) -> bool:
    return "WORKER_TYPE" in view.all("template.containers[].envs[].name")


RULES: Final = (
    ResourceRule(
        id="run-invoker-iam-enabled",
        severity=Severity.CRITICAL,
        what="A service checks IAM permissions of its callers.",
        fix="Remove invokerIamDisabled.",
        url=f"{DOCS}/securing/managing-access",
        types=(gcp.RUN_SERVICE,),
        checks=(Must("invokerIamDisabled", equal(False), optional=True),),
    ),
    ResourceRule(
        id="run-ingress",
        severity=Severity.HIGH,
        what="A service does not accept requests directly from the internet.",
        fix="Set ingress to INGRESS_TRAFFIC_INTERNAL_ONLY or "
        "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER.",
        url=f"{DOCS}/securing/ingress",
        types=(gcp.RUN_SERVICE,),
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
        id="run-dedicated-service-account",
        severity=Severity.HIGH,
        what="Every workload has a dedicated service account.",
        fix="Set serviceAccount in the template; the default accounts can edit the whole project.",
        url=f"{DOCS}/securing/service-identity",
        frameworks=("CKV_GCP_46",),
        types=WORKLOADS,
        checks=(
            ForEach(
                TEMPLATES,
                (
                    Must("serviceAccount", NOT_EMPTY),
                    Must(
                        "serviceAccount",
                        contains_no(
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
        id="run-image-tag-or-digest",
        severity=Severity.MEDIUM,
        what="An image is referenced by a digest or by a release tag.",
        fix="Set the image to image@sha256:…, or to a release tag.",
        url=f"{DOCS}/deploying",
        frameworks=("CKV_K8S_14",),
        types=WORKLOADS,
        checks=(ForEach(CONTAINERS, (Must("image", IMAGE_BY_DIGEST_OR_TAG),)),),
    ),
    ResourceRule(
        id="run-image-digest",
        severity=Severity.HIGH,
        what="An image is referenced by its digest, because a tag can move after the review.",
        fix="Set the image to image@sha256:…, which `docker push` prints.",
        url=f"{DOCS}/deploying",
        frameworks=("CKV_K8S_43",),
        types=WORKLOADS,
        checks=(ForEach(CONTAINERS, (Must("image", IMAGE_BY_DIGEST),)),),
    ),
    ResourceRule(
        id="run-instance-limits",
        severity=Severity.MEDIUM,
        what="A service or worker pool sets its minimum and maximum number of instances.",
        fix="Set minInstanceCount and maxInstanceCount.",
        url=f"{DOCS}/configuring/max-instances",
        types=(gcp.RUN_SERVICE, gcp.RUN_WORKER_POOL),
        checks=(
            ForEach(
                SCALING,
                (
                    Must("minInstanceCount", at_least(0)),
                    Must("maxInstanceCount", at_least(1)),
                    Custom(
                        _instance_order,
                        ("minInstanceCount", "maxInstanceCount"),
                        (SetValue("minInstanceCount", 100000),),
                    ),
                ),
            ),
            When(lambda view: view.type == gcp.RUN_SERVICE, (Must("template.scaling", NOT_EMPTY),)),
            When(lambda view: view.type == gcp.RUN_WORKER_POOL, (Must("scaling", NOT_EMPTY),)),
        ),
    ),
    ResourceRule(
        id="run-secrets-by-reference",
        severity=Severity.CRITICAL,
        what="A variable with a secret-looking name comes from Secret Manager.",
        fix="Add the variable to the catalogue, so that it is mounted by reference.",
        url=f"{DOCS}/configuring/services/secrets",
        frameworks=("CIS-GCP-4.0 1.17", "CKV_K8S_35"),
        types=WORKLOADS,
        checks=(
            ForEach(
                {token: f"{path}.envs[]" for token, path in CONTAINERS.items()},
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
        id="run-no-plain-credential",
        severity=Severity.CRITICAL,
        what="A plain variable holds no credential, and its value is known in the preview.",
        fix="Mount the value from Secret Manager by reference.",
        url=f"{DOCS}/configuring/services/secrets",
        types=WORKLOADS,
        checks=(
            ForEach(
                {token: f"{path}.envs[]" for token, path in CONTAINERS.items()},
                (Must("value", NO_CREDENTIAL, optional=True),),
            ),
        ),
    ),
    ResourceRule(
        id="run-secret-version-pinned",
        severity=Severity.LOW,
        what="A revision reads the secret version that it was released with.",
        fix="Pin the version in pull:secrets.versions.",
        url=f"{DOCS}/configuring/services/secrets#versions",
        adopted=False,
        types=WORKLOADS,
        checks=(
            ForEach(
                {
                    token: f"{path}.envs[].valueSource.secretKeyRef"
                    for token, path in CONTAINERS.items()
                },
                (Must("version", matches(r"[1-9]\d*", "must be a number", ("latest",))),),
            ),
        ),
    ),
    ResourceRule(
        id="run-no-reserved-variable",
        severity=Severity.HIGH,
        what="No variable has a name that Cloud Run reserves.",
        fix="Remove the variable; PORT follows from the container port.",
        url=f"{DOCS}/container-contract#env-vars",
        types=(gcp.RUN_SERVICE,),
        checks=(Must("template.containers[].envs[].name", none_of(*RESERVED)),),
    ),
    ResourceRule(
        id="run-probes",
        severity=Severity.MEDIUM,
        what="A container has a startup probe and a liveness probe.",
        fix="Set startupProbe and livenessProbe.",
        url=f"{DOCS}/configuring/healthchecks",
        frameworks=("CKV_K8S_8", "CKV_K8S_9"),
        types=(gcp.RUN_SERVICE, gcp.RUN_WORKER_POOL),
        checks=(
            Must("template.containers[].startupProbe", NOT_EMPTY),
            Must("template.containers[].livenessProbe", NOT_EMPTY),
        ),
    ),
    ResourceRule(
        id="run-limits",
        severity=Severity.HIGH,
        what="A container has a combination of CPU and memory that Cloud Run supports.",
        fix="Correct resources.limits. The provider reports a mistake only during the update.",
        url=f"{DOCS}/configuring/services/memory-limits",
        types=WORKLOADS,
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
        what="The request timeout is at most one hour.",
        fix='Set template.timeout in seconds, at most "3600s".',
        url=f"{DOCS}/configuring/request-timeout",
        types=(gcp.RUN_SERVICE,),
        checks=(
            Must(
                "template.timeout",
                matches(
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
        what="Traffic is assigned to named revisions of the service and sums to 100 percent, and a "
        "new template has a new name.",
        fix="Set a revision and a percentage for each share; a rollback changes nothing else.",
        url=f"{DOCS}/rollouts-rollbacks-traffic-migration",
        types=(gcp.RUN_SERVICE, gcp.RUN_WORKER_POOL),
        checks=(
            *(
                When(
                    lambda view, token=token: view.type == token,  # type: ignore[misc]
                    (
                        Custom(
                            _shares,
                            tuple(f"{shares}[].{name}" for name in ("type", "revision", "percent")),
                            (
                                SetValue(shares, []),
                                SetValue(f"{shares}[].percent", 105),
                                SetValue(f"{shares}[].revision", ABSENT),
                                SetValue(f"{shares}[].revision", "pull-elsewhere-1a2b3c4d"),
                                SetValue("template.revision", "pull-temporal-worker-live"),
                                SetValue(
                                    f"{shares}[].type", "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
                                ),
                            ),
                        ),
                    ),
                )
                for token, shares in TRAFFIC.items()
            ),
        ),
    ),
    ResourceRule(
        id="run-launch-stage",
        severity=Severity.LOW,
        what="Only generally available features are used.",
        fix="Remove launchStage.",
        url=f"{DOCS}/troubleshooting#launch-stage",
        types=WORKLOADS,
        checks=(Must("launchStage", one_of("GA", refused=("ALPHA", "BETA")), optional=True),),
    ),
    ResourceRule(
        id="run-private-egress",
        severity=Severity.HIGH,
        what="All traffic of a workload goes through the VPC: the database has no public address, "
        "and partners know the address of our NAT.",
        fix="Set vpcAccess with a network interface or a connector, and egress to ALL_TRAFFIC.",
        url=f"{DOCS}/configuring/connecting-vpc",
        types=WORKLOADS,
        checks=(
            ForEach(
                TEMPLATES,
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
                            SetValue("vpcAccess.egress", "PRIVATE_RANGES_ONLY"),
                        ),
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="run-deletion-protection",
        severity=Severity.MEDIUM,
        what="A service is protected from deletion.",
        fix="Set deletionProtection to true.",
        url=f"{DOCS}/managing/services",
        types=WORKLOADS,
        checks=(Must("deletionProtection", equal(True)),),
    ),
    ResourceRule(
        id="run-binary-authorization",
        severity=Severity.MEDIUM,
        what="Only attested images can run.",
        fix="Set binaryAuthorization.useDefault, and attest images in the build.",
        url=f"{DOCS}/securing/binary-authorization",
        adopted=False,
        types=WORKLOADS,
        checks=(Must("binaryAuthorization.useDefault", equal(True)),),
    ),
    ResourceRule(
        id="run-worker-always-on-cpu",
        severity=Severity.HIGH,
        what="A Temporal worker has CPU outside of requests, and a port for its probes.",
        fix="Set resources.cpuIdle to false and a container port, or use a worker pool.",
        url=f"{DOCS}/configuring/billing-settings",
        types=(gcp.RUN_SERVICE,),
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

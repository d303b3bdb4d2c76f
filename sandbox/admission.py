"""What a Kubernetes API server rejects although every type is right: syntax, ranges, duplicates.

The checks follow ``pkg/apis/*/validation`` of https://github.com/kubernetes/kubernetes, version
1.34, and ``tests/test_cluster.py`` compares them with a real server. Custom resources get only the
checks of every object, because the SDK does not contain their definitions.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from resource_types import kubernetes
from resource_types.constraints.formats import is_cron
from sandbox.checks import Check
from sandbox.resource import Resource
from sandbox.schema import CheckFailure, record_of
from sandbox.values import UNKNOWN

_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_LABEL_VALUE: Final = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_QUALIFIED_NAME: Final = rf"({_LABEL}(\.{_LABEL})*/)?{_LABEL_VALUE}"
_PORT_NAME: Final = r"(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*"
_QUANTITY: Final = r"[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?"

_HANDLERS: Final = frozenset({"exec", "grpc", "httpGet", "tcpSocket"})
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")


def checks_of(token: str) -> tuple[Check, ...]:
    """The checks of a type such as ``kubernetes:core/v1:Service``."""
    pod = record_of(token).pod_spec
    return (
        *_OF_EVERY_OBJECT,
        *_OF_TYPE.get(token, ()),
        *(_of_workloads(pod) if pod else ()),
    )


def _values_are(pattern: str, is_valid: Callable[[Any], bool], expected: str) -> Check:
    """Every value that matches the pattern is valid, and so is every value of a map there."""

    def check(resource: Resource) -> Iterator[CheckFailure]:
        for path, found in resource.values_at(pattern):
            for value in found.values() if isinstance(found, Mapping) else (found,):
                if value != UNKNOWN and not is_valid(value):
                    yield CheckFailure(path, f"{value!r} is not {expected}")

    return check


def _matches(pattern: str, syntax: str, expected: str) -> Check:
    return _values_are(pattern, lambda value: bool(re.fullmatch(syntax, str(value))), expected)


def _one_of(pattern: str, *allowed: str) -> Check:
    return _values_are(pattern, lambda value: value in allowed, f"one of {', '.join(allowed)}")


def _between(pattern: str, least: int, most: int = 2**31 - 1) -> Check:
    """A number in a range; a text in its place is the name of a port, or a percentage."""
    return _values_are(
        pattern,
        lambda value: isinstance(value, str) or least <= value <= most,
        f"from {least} to {most}",
    )


def _keys_match(pattern: str, syntax: str) -> Check:
    def check(resource: Resource) -> Iterator[CheckFailure]:
        for path, entries in resource.values_at(pattern):
            for key in entries:
                if not re.fullmatch(syntax, key):
                    yield CheckFailure(path, f"{key!r} is not a valid key")

    return check


def _unique(pattern: str, *names: str) -> Check:
    """No two elements of a list are equal in all of the named fields."""

    def check(resource: Resource) -> Iterator[CheckFailure]:
        for path, elements in resource.values_at(pattern):
            known = [element for element in elements if element != UNKNOWN and names[0] in element]
            keys = Counter(tuple(element.get(name, "TCP") for name in names) for element in known)
            for key in (key for key, count in keys.items() if count > 1):
                yield CheckFailure(path, f"{key} is listed more than once")

    return check


def _object_name(resource: Resource) -> Iterator[CheckFailure]:
    """The name of an object is a DNS subdomain (RFC 1123)."""
    for path, name in resource.values_at("metadata.name"):
        label = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
        if len(name) > 253 or not re.fullmatch(rf"{label}(\.{label})*", name):
            yield CheckFailure(
                path,
                f"{name!r}: expected up to 253 of a-z, 0-9, - and ., and neither - nor . at either "
                "end",
            )


def _ip_blocks(resource: Resource) -> Iterator[CheckFailure]:
    for peers in ("ingress[].from", "egress[].to"):
        for path, block in resource.values_at(f"spec.{peers}[].ipBlock"):
            try:
                network = ipaddress.IPv4Network(block["cidr"])
                exceptions = [ipaddress.IPv4Network(cidr) for cidr in block.get("except", ())]
            except ValueError as error:
                yield CheckFailure(path, str(error))
                continue
            for exception in exceptions:
                if exception == network or not exception.subnet_of(network):
                    yield CheckFailure(path, f"{exception} is not a proper part of {network}")


def _several_ports_have_names(resource: Resource) -> Iterator[CheckFailure]:
    for path, ports in resource.values_at("spec.ports"):
        if len(ports) > 1 and not all(port.get("name") for port in ports):
            yield CheckFailure(path, "every port needs a name when there are several")


def _is_schedule(value: Any) -> bool:
    """https://pkg.go.dev/github.com/robfig/cron/v3#hdr-CRON_Expression_Format"""
    named = r"@(yearly|annually|monthly|weekly|daily|midnight|hourly|every \S+)"
    return bool(re.fullmatch(named, str(value))) or is_cron(str(value).replace("?", "*"))


def _map_size(resource: Resource) -> Iterator[CheckFailure]:
    """A config map has at most 1 MiB."""
    data = resource.get("data", {})
    if sum(len(str(value).encode()) for value in data.values()) > 2**20:
        yield CheckFailure("data", "is larger than 1 MiB")


def _replica_range(resource: Resource) -> Iterator[CheckFailure]:
    most, least = resource.get("spec.maxReplicas"), resource.get("spec.minReplicas", 1)
    if most is not None and most < least:
        yield CheckFailure("spec.maxReplicas", f"{most} is less than minReplicas, {least}")


def _one_budget(resource: Resource) -> Iterator[CheckFailure]:
    budgets = (resource.get("spec.minAvailable"), resource.get("spec.maxUnavailable"))
    if None not in budgets:
        yield CheckFailure("spec", "minAvailable and maxUnavailable cannot both be set")


def _rolling_update(resource: Resource) -> Iterator[CheckFailure]:
    update = "spec.strategy.rollingUpdate"
    if resource.get(f"{update}.maxSurge") == resource.get(f"{update}.maxUnavailable") == 0:
        yield CheckFailure(update, "maxSurge and maxUnavailable cannot both be 0")


_OF_EVERY_OBJECT: Final[tuple[Check, ...]] = (
    _object_name,
    _keys_match("metadata.labels", _QUALIFIED_NAME),
    _keys_match("metadata.annotations", _QUALIFIED_NAME),
    _matches(
        "metadata.labels", f"({_LABEL_VALUE})?", "the value of a label, of up to 63 characters"
    ),
)

_OF_TYPE: Final[Mapping[str, tuple[Check, ...]]] = {
    kubernetes.CONFIG_MAP: (_keys_match("data", r"[-._A-Za-z0-9]{1,253}"), _map_size),
    kubernetes.CRON_JOB: (
        _values_are("spec.schedule", _is_schedule, "a cron expression of five fields"),
        _one_of("spec.concurrencyPolicy", "Allow", "Forbid", "Replace"),
    ),
    kubernetes.DEPLOYMENT: (
        _one_of("spec.strategy.type", "Recreate", "RollingUpdate"),
        _between("spec.replicas", 0),
        _one_of("spec.template.spec.restartPolicy", "Always"),
        _rolling_update,
    ),
    kubernetes.HORIZONTAL_POD_AUTOSCALER: (
        _between("spec.minReplicas", 1),
        _replica_range,
        _matches("spec.metrics[].external.metric.name", "[^/%]+", "a name without / and %"),
    ),
    kubernetes.INGRESS: (
        _matches("spec.rules[].host", rf"(\*\.)?({_LABEL}\.)*(?!\d+$){_LABEL}", "a host name"),
        _matches("spec.rules[].http.paths[].path", "/.*", "an absolute path"),
        _one_of("spec.rules[].http.paths[].pathType", "Exact", "ImplementationSpecific", "Prefix"),
    ),
    kubernetes.NAMESPACE: (_matches("metadata.name", _LABEL, "a name without dots"),),
    kubernetes.NETWORK_POLICY: (_ip_blocks, _one_of("spec.policyTypes[]", "Ingress", "Egress")),
    kubernetes.POD_DISRUPTION_BUDGET: (_one_budget,),
    kubernetes.PRIORITY_CLASS: (
        _between("value", -(2**31), 10**9),
        _one_of("preemptionPolicy", "PreemptLowerPriority", "Never"),
    ),
    kubernetes.SERVICE: (
        _matches(
            "metadata.name",
            r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?",
            "a DNS label that starts with a letter",
        ),
        _one_of("spec.type", "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
        _between("spec.ports[].port", 1, 65535),
        _between("spec.ports[].targetPort", 1, 65535),
        _several_ports_have_names,
        _unique("spec.ports", "name"),
        _unique("spec.ports", "port", "protocol"),
    ),
}


def _of_workloads(pod: str) -> Iterator[Check]:
    container, spread = f"{pod}.containers[]", f"{pod}.topologySpreadConstraints[]"
    yield _between(f"{pod}.terminationGracePeriodSeconds", 0)
    yield _one_of(
        f"{pod}.securityContext.seccompProfile.type", "Localhost", "RuntimeDefault", "Unconfined"
    )
    yield _between(f"{spread}.maxSkew", 1)
    yield _one_of(f"{spread}.whenUnsatisfiable", "DoNotSchedule", "ScheduleAnyway")
    yield _one_of(f"{spread}.nodeTaintsPolicy", "Honor", "Ignore")
    yield _matches(f"{container}.image", ".+", "an image")
    yield _one_of(f"{container}.imagePullPolicy", "Always", "IfNotPresent", "Never")
    yield _matches(f"{container}.name", _LABEL, "a DNS label")
    yield _unique(f"{pod}.containers", "name")
    yield _matches(f"{pod}.volumes[].name", _LABEL, "a DNS label")
    yield _unique(f"{pod}.volumes", "name")
    yield _unique(f"{container}.volumeMounts", "mountPath")
    yield _requests_within_limits(container)
    for amounts in ("requests", "limits"):
        yield _matches(f"{container}.resources.{amounts}", _QUANTITY, "a quantity, such as 4Gi")
    yield _matches(f"{container}.env[].name", r"[ -<>-~]+", "the name of a variable")
    yield _unique(f"{container}.env", "name")
    yield _unique(f"{container}.ports", "name")
    yield _unique(f"{container}.ports", "containerPort", "protocol")
    yield _between(f"{container}.ports[].containerPort", 1, 65535)
    yield _matches(f"{container}.ports[].name", _PORT_NAME, "a port's name, of up to 15 letters")
    for probe in _PROBES:
        yield _one_handler(f"{container}.{probe}")
        yield _between(f"{container}.{probe}.httpGet.port", 1, 65535)
        for name in ("failureThreshold", "periodSeconds", "successThreshold", "timeoutSeconds"):
            yield _between(f"{container}.{probe}.{name}", 0)  # 0 stands for the default
        yield _between(f"{container}.{probe}.initialDelaySeconds", 0)
        if probe != "readinessProbe":
            yield _between(f"{container}.{probe}.successThreshold", 0, 1)
    yield _selected_labels
    yield _mounted_volumes(pod)
    yield _pre_stop(pod)


_UNITS: Final = {
    **{f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", 1)},
    **{letter: 1000**power for power, letter in enumerate("kMGTPE", 1)},
    "m": 1e-3,
    "u": 1e-6,
    "n": 1e-9,
    "": 1,
}


def _amount(quantity: Any) -> float | None:
    """The number that a quantity stands for; None if it is not a quantity."""
    found = re.fullmatch(_QUANTITY, str(quantity))
    if found is None:
        return None
    suffix = found[2] or ""
    exponent = suffix[1:] not in ("", "i")
    number = str(quantity) if exponent else str(quantity).removesuffix(suffix)
    return float(number) * (1 if exponent else _UNITS[suffix])


def _requests_within_limits(container: str) -> Check:
    def check(resource: Resource) -> Iterator[CheckFailure]:
        for path, resources in resource.values_at(f"{container}.resources"):
            requests, limits = resources.get("requests"), resources.get("limits")
            if not isinstance(requests, Mapping) or not isinstance(limits, Mapping):
                continue
            for name in requests.keys() & limits.keys():
                request, limit = _amount(requests[name]), _amount(limits[name])
                if request is not None and limit is not None and request > limit:
                    yield CheckFailure(
                        f"{path}.requests", f"{name}={requests[name]} is more than its limit"
                    )

    return check


def _selected_labels(resource: Resource) -> Iterator[CheckFailure]:
    """A workload selects the pods that it creates."""
    labels = resource.get("spec.template.metadata.labels", {})
    for path, selector in resource.values_at("spec.selector"):
        if not selector:
            yield CheckFailure(path, "an empty selector would select every pod")
    for path, selector in resource.values_at("spec.selector.matchLabels"):
        if any(labels.get(name) != value for name, value in selector.items()):
            yield CheckFailure(path, f"{selector} does not match the template's labels, {labels}")


def _one_handler(pattern: str) -> Check:
    def check(resource: Resource) -> Iterator[CheckFailure]:
        for path, probe in resource.values_at(pattern):
            if len(probe.keys() & _HANDLERS) != 1:
                yield CheckFailure(path, f"a probe has one of {', '.join(sorted(_HANDLERS))}")

    return check


def _mounted_volumes(pod: str) -> Check:
    def check(resource: Resource) -> Iterator[CheckFailure]:
        volumes = {name for _, name in resource.values_at(f"{pod}.volumes[].name")}
        for path, name in resource.values_at(f"{pod}.containers[].volumeMounts[].name"):
            if name not in volumes:
                yield CheckFailure(path, f"there is no volume {name!r}")

    return check


def _pre_stop(pod: str) -> Check:
    """A pre-stop sleep ends within the grace period, which is 30 seconds by default."""
    sleep = f"{pod}.containers[].lifecycle.preStop.sleep.seconds"

    def check(resource: Resource) -> Iterator[CheckFailure]:
        grace_period = resource.get(f"{pod}.terminationGracePeriodSeconds", 30)
        for path, seconds in resource.values_at(sleep):
            if seconds > grace_period:
                yield CheckFailure(
                    path, f"{seconds} is more than terminationGracePeriodSeconds, {grace_period}"
                )

    return check

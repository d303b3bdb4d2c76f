"""What a Kubernetes API server refuses although every type is right: grammars, ranges, doubles.

The rules are those of version 1.34, and ``tests/test_sandbox_admission.py`` holds them against a
real server. Custom resources are not judged: what defines them is not in the SDK.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sandbox.resource import Resource
from sandbox.rules import Rule
from sandbox.schema import CheckFailure
from sandbox.values import UNKNOWN

_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_WORD: Final = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_QUALIFIED: Final = rf"({_LABEL}(\.{_LABEL})*/)?{_WORD}"
_PORT_NAME: Final = r"(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*"
_QUANTITY: Final = r"[+-]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?"

_HANDLERS: Final = frozenset({"exec", "grpc", "httpGet", "tcpSocket"})
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")


def rules_of(kind: str, pod: str | None) -> tuple[Rule, ...]:
    """The rules of a kind such as ``Service``. ``pod``: the path at which it describes its pods."""
    return (*_OF_ALL, *_OF_KIND.get(kind, ()), *(_of_pods(pod) if pod else ()))


def _each_is(path: str, right: Callable[[Any], bool], allowed: str) -> Rule:
    """Every value under the path, and in a map that lies there, is right."""

    def rule(resource: Resource) -> Iterator[CheckFailure]:
        for where, value in resource.each(path):
            for one in value.values() if isinstance(value, Mapping) else (value,):
                if one != UNKNOWN and not right(one):
                    yield CheckFailure(where, f"{one!r} is not {allowed}")

    return rule


def _matches(path: str, pattern: str, what: str) -> Rule:
    return _each_is(path, lambda value: bool(re.fullmatch(pattern, str(value))), what)


def _one_of(path: str, *allowed: str) -> Rule:
    return _each_is(path, lambda value: value in allowed, f"one of {', '.join(allowed)}")


def _between(path: str, least: int, most: int = 2**31 - 1) -> Rule:
    """A number in a range; a text in its place is the name of a port, or a percentage."""
    return _each_is(
        path,
        lambda value: isinstance(value, str) or least <= value <= most,
        f"from {least} to {most}",
    )


def _keys_match(path: str, pattern: str) -> Rule:
    def rule(resource: Resource) -> Iterator[CheckFailure]:
        for where, entries in resource.each(path):
            for key in entries:
                if not re.fullmatch(pattern, key):
                    yield CheckFailure(where, f"{key!r} is no valid key")

    return rule


def _once(path: str, *names: str) -> Rule:
    """No two elements of a list agree in all of the names."""

    def rule(resource: Resource) -> Iterator[CheckFailure]:
        for where, elements in resource.each(path):
            known = [one for one in elements if one != UNKNOWN and names[0] in one]
            keys = Counter(tuple(one.get(name, "TCP") for name in names) for one in known)
            for key in (key for key, count in keys.items() if count > 1):
                yield CheckFailure(where, f"{key} is there more than once")

    return rule


def _addresses(resource: Resource) -> Iterator[CheckFailure]:
    for peers in ("ingress[].from", "egress[].to"):
        for where, block in resource.each(f"spec.{peers}[].ipBlock"):
            try:
                whole = ipaddress.IPv4Network(block["cidr"])
                parts = [ipaddress.IPv4Network(cidr) for cidr in block.get("except", ())]
            except ValueError as error:
                yield CheckFailure(where, str(error))
                continue
            for part in parts:
                if part == whole or not part.subnet_of(whole):
                    yield CheckFailure(where, f"{part} is not a part of {whole}")


def _named_when_several(resource: Resource) -> Iterator[CheckFailure]:
    for where, ports in resource.each("spec.ports"):
        if len(ports) > 1 and not all(port.get("name") for port in ports):
            yield CheckFailure(where, "each of several ports needs a name")


def _no_less_than_least(resource: Resource) -> Iterator[CheckFailure]:
    most, least = resource.get("spec.maxReplicas"), resource.get("spec.minReplicas", 1)
    if most is not None and most < least:
        yield CheckFailure("spec.maxReplicas", f"{most} is less than minReplicas, {least}")


def _one_bound(resource: Resource) -> Iterator[CheckFailure]:
    if (
        resource.get("spec.minAvailable") is not None
        and resource.get("spec.maxUnavailable") is not None
    ):
        yield CheckFailure("spec", "minAvailable and maxUnavailable cannot both be set")


def _moves_on(resource: Resource) -> Iterator[CheckFailure]:
    update = "spec.strategy.rollingUpdate"
    if resource.get(f"{update}.maxSurge") == resource.get(f"{update}.maxUnavailable") == 0:
        yield CheckFailure(update, "maxSurge and maxUnavailable cannot both be 0")


_OF_ALL: Final[tuple[Rule, ...]] = (
    _keys_match("metadata.labels", _QUALIFIED),
    _keys_match("metadata.annotations", _QUALIFIED),
    _matches("metadata.labels", f"({_WORD})?", "the value of a label, of up to 63 characters"),
)

_OF_KIND: Final[Mapping[str, tuple[Rule, ...]]] = {
    "ConfigMap": (_keys_match("data", r"[-._A-Za-z0-9]{1,253}"),),
    "Deployment": (
        _between("spec.replicas", 0),
        _one_of("spec.template.spec.restartPolicy", "Always"),
        _moves_on,
    ),
    "HorizontalPodAutoscaler": (
        _between("spec.minReplicas", 1),
        _no_less_than_least,
        _matches("spec.metrics[].external.metric.name", "[^/%]+", "a name without / and %"),
    ),
    "Ingress": (
        _matches("spec.rules[].host", rf"(\*\.)?({_LABEL}\.)*(?!\d+$){_LABEL}", "a host name"),
        _matches("spec.rules[].http.paths[].path", "/.*", "an absolute path"),
    ),
    "Namespace": (_matches("metadata.name", _LABEL, "a name without dots"),),
    "NetworkPolicy": (_addresses, _one_of("spec.policyTypes[]", "Ingress", "Egress")),
    "PodDisruptionBudget": (_one_bound,),
    "PriorityClass": (
        _between("value", -(2**31), 10**9),
        _one_of("preemptionPolicy", "PreemptLowerPriority", "Never"),
    ),
    "Service": (
        _matches("metadata.name", r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", "a name that DNS serves"),
        _one_of("spec.type", "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
        _between("spec.ports[].port", 1, 65535),
        _between("spec.ports[].targetPort", 1, 65535),
        _named_when_several,
        _once("spec.ports", "name"),
        _once("spec.ports", "port", "protocol"),
    ),
}


def _of_pods(pod: str) -> Iterator[Rule]:
    container, spread = f"{pod}.containers[]", f"{pod}.topologySpreadConstraints[]"
    yield _between(f"{pod}.terminationGracePeriodSeconds", 0)
    yield _one_of(
        f"{pod}.securityContext.seccompProfile.type", "Localhost", "RuntimeDefault", "Unconfined"
    )
    yield _between(f"{spread}.maxSkew", 1)
    yield _one_of(f"{spread}.whenUnsatisfiable", "DoNotSchedule", "ScheduleAnyway")
    yield _one_of(f"{spread}.nodeTaintsPolicy", "Honor", "Ignore")
    yield _matches(f"{container}.image", ".+", "an image")
    for kind in ("requests", "limits"):
        yield _matches(f"{container}.resources.{kind}", _QUANTITY, "a quantity, such as 4Gi")
    yield _matches(f"{container}.env[].name", r"[ -<>-~]+", "the name of a variable")
    yield _once(f"{container}.env", "name")
    yield _once(f"{container}.ports", "name")
    yield _once(f"{container}.ports", "containerPort", "protocol")
    yield _between(f"{container}.ports[].containerPort", 1, 65535)
    yield _matches(f"{container}.ports[].name", _PORT_NAME, "a port's name, of up to 15 letters")
    for probe in _PROBES:
        yield _asks_one_way(f"{container}.{probe}")
        yield _between(f"{container}.{probe}.httpGet.port", 1, 65535)
    yield _mounts_a_volume(pod)
    yield _stops_before_it_is_ended(pod)


def _asks_one_way(path: str) -> Rule:
    def rule(resource: Resource) -> Iterator[CheckFailure]:
        for where, probe in resource.each(path):
            if len(probe.keys() & _HANDLERS) != 1:
                yield CheckFailure(where, f"a probe has one of {', '.join(sorted(_HANDLERS))}")

    return rule


def _mounts_a_volume(pod: str) -> Rule:
    def rule(resource: Resource) -> Iterator[CheckFailure]:
        volumes = {name for _, name in resource.each(f"{pod}.volumes[].name")}
        for where, name in resource.each(f"{pod}.containers[].volumeMounts[].name"):
            if name not in volumes:
                yield CheckFailure(where, f"no volume is called {name!r}")

    return rule


def _stops_before_it_is_ended(pod: str) -> Rule:
    def rule(resource: Resource) -> Iterator[CheckFailure]:
        grace = resource.get(f"{pod}.terminationGracePeriodSeconds", 30)
        for where, seconds in resource.each(f"{pod}.containers[].lifecycle.preStop.sleep.seconds"):
            if seconds > grace:
                yield CheckFailure(
                    where, f"{seconds} is more than the pod is given to end, {grace}"
                )

    return rule

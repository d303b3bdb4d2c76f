"""The flows that are meant: mutants of every policy, record, route and rule, and all types."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pulumi_cloudflare
import pulumi_gcp
import pulumi_kubernetes
import pytest

from policies.framework.graph import StackRule
from policies.framework.rules import ResourceRule
from policies.rules import RULES
from policies.rules.flows import FLOWS
from resource_types import RESOURCE_TYPES, cloudflare, gcp, kubernetes, vercel
from tests import policy_harness as harness
from tests.policy_harness import Recording, Resource
from tests.test_policies_grants import types_of
from tests.variants import EVERYTHING

ELSEWHERE_CHECKED: Final = {
    cloudflare.R2_BUCKET_CORS: "r2-origins",
    cloudflare.R2_MANAGED_DOMAIN: "r2-not-public",
    cloudflare.RULESET: "zone-rules-enabled",
    cloudflare.WORKERS_SCRIPT_SUBDOMAIN: "worker-no-script",
    vercel.FIREWALL_CONFIG: "vercel-firewall-enabled",
}
"""Types that expose an endpoint, and whose rule is about one property."""


def rule_of_flows() -> StackRule:
    return next(
        rule for rule in RULES if isinstance(rule, StackRule) and rule.id == "stack-flows-declared"
    )


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The part of the stack that the rule reads: hundreds of mutants are evaluated with it."""
    recording = harness.record(EVERYTHING, harness.shared_folder(tmp_path_factory))
    read = {*FLOWS, gcp.ADDRESS, gcp.GLOBAL_ADDRESS, kubernetes.DEPLOYMENT}
    whole = type(recording.whole)()
    whole.CopyFrom(recording.whole)
    kept = [node for node in whole.resources if node.type in read]
    urns = {node.urn for node in kept}
    for node in kept:
        node.parent = ""
        node.ClearField("dependencies")
        for edges in node.propertyDependencies.values():
            sources = [urn for urn in edges.urns if urn in urns]
            edges.ClearField("urns")
            edges.urns.extend(sources)
    del whole.resources[:]
    whole.resources.extend(kept)
    resources = [request for request in recording.resources if request.type in read]
    return replace(recording, resources=resources, whole=whole)


@pytest.fixture(scope="session")
def serving(everything: Recording) -> Any:
    return harness.servicer_of_stack(rule_of_flows(), everything)


def of_type(everything: Recording, *tokens: str) -> Iterator[Resource]:
    for resource in harness.resources_of(everything):
        if resource.type in tokens:
            yield resource


def survivors(
    serving: Any, everything: Recording, mutants: Iterator[tuple[str, Resource]]
) -> tuple[int, list[str]]:
    """How many mutants there are, and which of them are no violation."""
    tried, survived = 0, []
    for what, mutant in mutants:
        tried += 1
        if not harness.evaluate_with_inputs(serving, everything, mutant.request()):
            survived.append(f"{mutant.urn.rpartition('::')[2]}: {what}")
    return tried, survived


# -- network policies ------------------------------------------------------------------------------


ANYWHERE: Final[tuple[Mapping[str, Any], ...]] = (
    {"ipBlock": {"cidr": "0.0.0.0/0"}},
    {"namespaceSelector": {}},
    {"podSelector": {}},
    {},
)
"""Peers that include others than ours."""


def wider_rules(rule: dict[str, Any], peers: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A rule of a network policy that lets more through."""
    yield "everything", {}
    for name in (peers, "ports"):
        yield f"without {name}", {key: value for key, value in rule.items() if key != name}
        yield f"empty {name}", {**rule, name: []}
    for peer in ANYWHERE:
        yield f"one more peer {peer}", {**rule, peers: [*rule[peers], peer]}
    for port in ({"protocol": "TCP", "port": 22}, {"protocol": "TCP"}, {"port": "http"}, {}):
        yield f"one more port {port}", {**rule, "ports": [*rule["ports"], port]}
    for index, port in enumerate(rule["ports"]):
        for change in ({"endPort": 65535}, {"protocol": "SCTP"}, {"port": port["port"] + 1}):
            ports = [*rule["ports"]]
            ports[index] = {**port, **change}
            yield f"port {index} with {change}", {**rule, "ports": ports}
    for index, peer in enumerate(rule[peers]):
        for changed in _wider_peers(peer):
            widened = [*rule[peers]]
            widened[index] = changed
            yield f"peer {index} is {changed}", {**rule, peers: widened}


def _wider_peers(peer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if block := peer.get("ipBlock"):
        yield {"ipBlock": {**block, "cidr": "0.0.0.0/1"}}
        exceptions = block.get("except", [])
        for index in range(len(exceptions)):
            kept = exceptions[:index] + exceptions[index + 1 :]
            yield {"ipBlock": {**block, "except": kept}}
        if exceptions:
            yield {"ipBlock": {"cidr": block["cidr"]}}
    for name in peer.keys() & {"namespaceSelector", "podSelector"}:
        yield {**peer, name: {}}
        if len(peer) > 1:
            yield {key: value for key, value in peer.items() if key != name}


def wider_policies(everything: Recording) -> Iterator[tuple[str, Resource]]:
    for policy in of_type(everything, kubernetes.NETWORK_POLICY):
        spec = policy.inputs["spec"]
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            rules = spec.get(direction, [])
            more = [("one more rule", [*rules, {}])]
            more += [
                (f"rule {index} {what}", [*rules[:index], wider, *rules[index + 1 :]])
                for index, rule in enumerate(rules)
                for what, wider in wider_rules(rule, peers)
            ]
            for what, changed in more:
                inputs = {**policy.inputs, "spec": {**spec, direction: changed}}
                yield f"{direction}: {what}", replace(policy, inputs=inputs)
        if "ingress" in spec or "egress" in spec:
            pods = {"matchLabels": {"app.kubernetes.io/name": "pull-temporal-worker"}}
            inputs = {**policy.inputs, "spec": {**spec, "podSelector": pods}}
            yield "other pods", replace(policy, inputs=inputs)
        metadata = {**policy.inputs["metadata"], "namespace": "kube-system"}
        inputs = {**policy.inputs, "metadata": metadata}
        yield "another namespace", replace(policy, inputs=inputs)


def test_no_network_policy_can_be_wider(serving: Any, everything: Recording) -> None:
    tried, survived = survivors(serving, everything, wider_policies(everything))
    assert not survived, "\n".join(survived)
    assert tried > 100


def test_a_network_policy_may_be_narrower(serving: Any, everything: Recording) -> None:
    for policy in of_type(everything, kubernetes.NETWORK_POLICY):
        inputs = copy.deepcopy(dict(policy.inputs))
        for rule in [*inputs["spec"].get("ingress", []), *inputs["spec"].get("egress", [])]:
            rule["ports"] = rule["ports"][:1]
            for peer in rule.get("to", []):
                if "except" in peer.get("ipBlock", {}):
                    peer["ipBlock"]["except"].reverse()
        narrower = replace(policy, inputs=inputs)
        assert not harness.evaluate_with_inputs(serving, everything, narrower.request())


# -- addresses and names ---------------------------------------------------------------------------

CHANGES: Final[dict[str, dict[str, tuple[Any, ...]]]] = {
    cloudflare.DNS_RECORD: {
        "name": ("pull.com", "*.pull.com", "www.pull.com", "api.pull.com.evil.com"),
        "content": ("8.8.8.8", "evil.example.com", "cname.vercel-dns.com.evil.com"),
        "type": ("A", "NS", "SRV", "HTTPS", "MX", "CNAME", "AAAA"),
    },
    cloudflare.WORKERS_ROUTE: {
        "pattern": ("*pull.com/*", "*.pull.com/*", "pull.com/*", "api.pull.com/admin/*"),
        "script": ("elsewhere", "", "pull-api-staging"),
    },
    vercel.PROJECT_DOMAIN: {"domain": ("pull.com", "*.pull.com", "api.pull.com")},
    gcp.SERVICE_NETWORKING_CONNECTION: {"service": ("elsewhere.googleapis.com",)},
    kubernetes.INGRESS: {
        "metadata": ({}, {"annotations": {"kubernetes.io/ingress.class": "gce"}}),
        "spec": (
            {"defaultBackend": {"service": {"name": "pull-api", "port": {"name": "http"}}}},
            {"rules": [{"http": {"paths": []}}]},
            {"rules": [{"host": "*.pull.com"}]},
            {
                "rules": [
                    {
                        "host": "api.pull.com",
                        "http": {
                            "paths": [
                                {
                                    "path": "/",
                                    "pathType": "Prefix",
                                    "backend": {
                                        "service": {"name": "pull-worker", "port": {"number": 9090}}
                                    },
                                }
                            ]
                        },
                    }
                ]
            },
        ),
    },
}


def changed_addresses(everything: Recording) -> Iterator[tuple[str, Resource]]:
    for resource in of_type(everything, *CHANGES):
        for path, values in CHANGES[resource.type].items():
            for value in values:
                if resource.inputs[path] != value:
                    inputs = {**resource.inputs, path: value}
                    yield f"{path} = {value}", replace(resource, inputs=inputs)


def test_no_other_address_and_no_other_name(serving: Any, everything: Recording) -> None:
    tried, survived = survivors(serving, everything, changed_addresses(everything))
    assert not survived, "\n".join(survived)
    assert tried > 40


# -- every type ------------------------------------------------------------------------------------


def test_every_type_that_exposes_an_endpoint_is_checked() -> None:
    exposing = {token for token, record in RESOURCE_TYPES.items() if record.exposes_endpoint}
    assert exposing <= {*FLOWS, *ELSEWHERE_CHECKED}
    rules = {rule.id: rule for rule in RULES if isinstance(rule, ResourceRule)}
    for token, rule in ELSEWHERE_CHECKED.items():
        assert rules[rule].applies_to(token)


OPENING: Final = (
    *types_of(
        pulumi_gcp,
        r"gcp:compute/\w+:(?:\w*Firewall\w*|Route|\w*Peering\w*|\w*V[pP][nN]\w*|\w*ForwardingRule"
        r"|\w*Target\w*Proxy|\w*U[Rr][Ll]Map|\w*BackendService|\w*NetworkEndpoint\w*"
        r"|ServiceAttachment)",
    ),
    *types_of(pulumi_gcp, r"gcp:(?:apigateway|networkconnectivity|networkservices|iap)/\w+:\w+"),
    *types_of(
        pulumi_cloudflare,
        r"cloudflare:index/\w+:(?:SpectrumApplication|LoadBalancer\w*|ZeroTrust\w+|PageRule"
        r"|\w*CustomDomain|Workers?Route|CustomHostname\w*)",
    ),
    *types_of(
        pulumi_kubernetes,
        r"kubernetes:(?:extensions|networking\.k8s\.io|discovery\.k8s\.io)/\w+:\w+",
    ),
)


def test_no_type_opens_a_way_that_is_not_in_the_table(serving: Any, everything: Recording) -> None:
    """All types of the installed SDKs, added to the stack at once, with inputs of no flow."""
    request = type(everything.whole)()
    request.CopyFrom(everything.whole)
    added = {}
    for token in OPENING:
        urn = f"urn:pulumi:production::pull::{token}::mutant"
        added[urn] = token
        node = request.resources.add(type=token, name="mutant", urn=urn)
        node.properties.update({"name": "mutant", "allows": [{"protocol": "all"}]})
    violated = {found.urn for found in harness.evaluate_stack(serving, request)}
    passed = {token for urn, token in added.items() if urn not in violated}
    assert not passed
    assert len(added) > 100

"""Resource types, providers, resource options and stack outputs that the estate declares.

``resource_types/estate.py`` lists the types, the providers and the outputs; the options of a type
are in its record. Everything that is not declared is a violation.

The engine does not show a policy what the program reads (``get``, ``StackReference``, functions of
a provider) or the options ``retain_on_delete``, ``replace_on_changes``, ``deleted_with``,
``import_``, ``hooks``, ``version`` and ``plugin_download_url``: ``marshalResourceOptions`` in
``pkg/resource/plugin/analyzer_plugin.go`` leaves them out, and ``GenerateReadSteps`` in
``pkg/resource/deploy/step_generator.go`` asks no policy. ``program_source.py`` covers those.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from importlib.metadata import version
from typing import Final

from policies.framework.demands import equal
from policies.framework.graph import Graph, StackRule
from policies.framework.paths import (
    ALIASES,
    COMPONENT_PREFIX,
    CUSTOM_TIMEOUTS,
    DELETE_BEFORE_REPLACE,
    EVERY_TYPE,
    IGNORE_CHANGES,
    MARKED_SECRET,
    PROTECT,
    PROVIDER,
    SECRET_OUTPUTS,
    TYPE,
    Finding,
    View,
    texts_in,
)
from policies.framework.rules import Custom, Must, ResourceRule, SetValue, Severity, When
from policies.rules.stack_secrets import SECRET_SOURCES
from resource_types import RESOURCE_TYPES, ResourceType, gcp
from resource_types.estate import OUTPUTS, PROVIDER_PREFIX, PROVIDERS, STACK, TYPES
from resource_types.limits import MIN_SECRET_LENGTH

GUIDE: Final = "docs/adr/0009-registry-of-resource-types.md"
OPTIONS: Final = "https://www.pulumi.com/docs/iac/concepts/options/"

_WITHOUT_RECORD: Final = ResourceType(token="", loss=None)
"""For providers, components and the stack, which have no options."""


def _record(view: View) -> ResourceType:
    return RESOURCE_TYPES.get(view.type, _WITHOUT_RECORD)


def _is_provider(view: View) -> bool:
    return view.type.startswith(PROVIDER_PREFIX)


def _has_provider(view: View) -> bool:
    return _package(view) in PROVIDERS


def _package(view: View) -> str:
    """The package that the resource is from."""
    return view.type.partition(":")[0]


# -- types and providers ---------------------------------------------------------------------------


def _declared_type(view: View) -> Iterator[Finding]:
    if view.type not in TYPES:
        yield view.finding("", f"{view.type} is not a resource type of the estate")


def _declared_provider(view: View) -> Iterator[Finding]:
    package = _package(view)
    *_, kind, name = ("", "", *str(view.get(PROVIDER, "")).split("::"))
    if (kind.rpartition("$")[2], name) != (PROVIDER_PREFIX + package, package):
        yield view.finding(PROVIDER, f"must be the provider {package} of the estate")


def _configured_as_declared(view: View) -> Iterator[Finding]:
    package = view.type.removeprefix(PROVIDER_PREFIX)
    provider = PROVIDERS.get(package)
    if provider is None:
        return  # its type is a violation
    if view.urn.rpartition("::")[2] != package:
        yield view.finding("", f"must be named {package}: the estate has one provider of a package")
    pinned = version(provider.sdk)
    if view.get("version", pinned) != pinned:
        yield view.finding("version", f"must be that of {provider.sdk} in requirements.txt")
    for name in view.inputs.keys() - {"version", *provider.inputs}:
        if not name.startswith(("@", "__")):
            yield view.finding(name, "is not a declared input of this provider")


# -- options ---------------------------------------------------------------------------------------


def _declared_ignore_changes(view: View) -> Iterator[Finding]:
    found, declared = set(view.all(f"{IGNORE_CHANGES}[]")), set(_record(view).ignore_changes)
    if found != declared:
        yield view.finding(IGNORE_CHANGES, f"must be {sorted(declared)}")


def _declared_timeouts(view: View) -> Iterator[Finding]:
    declared = dict(_record(view).custom_timeouts)
    if view.get(CUSTOM_TIMEOUTS, {}) != declared:
        yield view.finding(CUSTOM_TIMEOUTS, f"must be {declared}, in seconds")


def _declared_secret_outputs(view: View) -> Iterator[Finding]:
    declared = {path.partition("[")[0] for path in _record(view).secret_outputs}
    for output in sorted(set(view.all(f"{SECRET_OUTPUTS}[]")) - declared):
        yield view.finding(SECRET_OUTPUTS, f"must not contain {output}")


def _declared_aliases(view: View) -> Iterator[Finding]:
    types = _record(view).aliases
    for alias in view.all(f"{ALIASES}[]"):
        kind = str(alias).rpartition("::")[0].rpartition("::")[2].rpartition("$")[2]
        if types is None:
            yield view.finding(ALIASES, "must be empty")
        elif kind not in (view.type, *types):
            yield view.finding(ALIASES, f"must not name a resource of the type {kind}")


# -- outputs ---------------------------------------------------------------------------------------


def _declared_outputs(graph: Graph) -> Iterator[Finding]:
    secrets = set(_secret_values(graph))
    for stack in graph.of_type(STACK):
        marked = stack.view.all(f"{MARKED_SECRET}[]")
        for name in sorted(stack.view.inputs.keys() - {MARKED_SECRET}):
            kind = OUTPUTS.get(name)
            if kind is None:
                yield stack.finding(name, "is not a declared output")
            elif kind == "secret":
                if name not in marked:
                    yield stack.finding(name, "is declared as secret, but is not secret")
            elif name in marked:
                yield stack.finding(name, f"is declared as {kind}, but comes from a secret")
            elif _contains(stack.view.inputs[name], secrets):
                yield stack.finding(name, "contains the value of a secret")


def _contains(output: object, secrets: Collection[str]) -> bool:
    return any(secret in text for _, text in texts_in(output) for secret in secrets)


def _secret_values(graph: Graph) -> Iterator[str]:
    """The values of passwords, tokens and secret versions, as far as they are known."""
    for node in graph.of_type(*SECRET_SOURCES):
        for path in set(RESOURCE_TYPES[node.type].secret_outputs) - set(gcp.LABELS):
            for match in node.view.find(path):
                yield from (
                    text for _, text in texts_in(match.value) if len(text) >= MIN_SECRET_LENGTH
                )


RULES: Final = (
    ResourceRule(
        id="declared-type",
        severity=Severity.CRITICAL,
        what="Every resource is of a type that the estate declares.",
        fix="Use a type of the estate. To add one, follow the recipe 'A resource type' in "
        "CONTRIBUTING.md: a reviewed change to resource_types/estate.py allows it.",
        url=GUIDE,
        types=(EVERY_TYPE,),
        checks=(
            Custom(
                _declared_type,
                (),
                tuple(
                    SetValue(TYPE, token)
                    for token in (
                        "pulumi-python:dynamic:Resource",
                        "pulumi:providers:aws",
                        "pulumi:pulumi:StackReference",
                        f"{COMPONENT_PREFIX}data:Unknown",
                        gcp.FIREWALL,
                    )
                ),
            ),
        ),
    ),
    ResourceRule(
        id="declared-provider",
        severity=Severity.CRITICAL,
        what="Every resource has the estate's own provider of its package, in the pinned version "
        "and with declared inputs.",
        fix="Use the providers of components/providers.py; resource_types/estate.py declares them "
        "and their inputs.",
        url="https://www.pulumi.com/docs/iac/concepts/resources/providers/",
        types=(EVERY_TYPE,),
        checks=(
            When(
                _has_provider,
                (
                    Custom(
                        _declared_provider,
                        (PROVIDER,),
                        tuple(
                            SetValue(PROVIDER, f"urn:pulumi:production::pull::{provider}")
                            for provider in (
                                "pulumi:providers:gcp::other",
                                "pulumi:providers:aws::gcp",
                                "pulumi:providers:gcp::default_10_2_0",
                            )
                        ),
                    ),
                ),
            ),
            When(
                _is_provider,
                (
                    Custom(
                        _configured_as_declared,
                        ("version",),
                        (
                            SetValue("version", "0.1.0"),
                            SetValue("apiToken", "a credential"),
                            SetValue("impersonateServiceAccount", "another account"),
                        ),
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="declared-options",
        severity=Severity.HIGH,
        what="Every resource has the resource options that the record of its type declares.",
        fix="Remove the option, or declare it in the record of the type in resource_types.",
        url=OPTIONS,
        types=(EVERY_TYPE,),
        checks=(
            When(lambda view: not _record(view).loss, (Must(PROTECT, equal(False)),)),
            *(
                When(
                    lambda view, declared=declared: (  # type: ignore[misc]
                        _record(view).delete_before_replace is declared
                    ),
                    (Must(DELETE_BEFORE_REPLACE, equal(declared), optional=True),),
                )
                for declared in (True, False)
            ),
            Custom(
                _declared_ignore_changes,
                (IGNORE_CHANGES,),
                (
                    SetValue(IGNORE_CHANGES, ["*"]),
                    SetValue(IGNORE_CHANGES, ["client"]),
                    SetValue(IGNORE_CHANGES, ["settings", "settings.diskSize"]),
                ),
            ),
            Custom(
                _declared_timeouts,
                (CUSTOM_TIMEOUTS,),
                (
                    SetValue(CUSTOM_TIMEOUTS, {"create": 1}),
                    SetValue(CUSTOM_TIMEOUTS, {"create": 1200, "update": 1200, "delete": 86400}),
                ),
            ),
            When(
                lambda view: view.type in RESOURCE_TYPES,
                (
                    Custom(
                        _declared_secret_outputs,
                        (SECRET_OUTPUTS,),
                        (SetValue(SECRET_OUTPUTS, ["name"]),),
                    ),
                ),
            ),
            Custom(
                _declared_aliases,
                (ALIASES,),
                (
                    SetValue(
                        ALIASES,
                        [f"urn:pulumi:production::pull::pull:services:Old${gcp.FIREWALL}::other"],
                    ),
                ),
            ),
        ),
    ),
    StackRule(
        id="declared-outputs",
        severity=Severity.CRITICAL,
        what="Every output of the stack is declared, and secret if it comes from a secret.",
        fix="Correct Estate.outputs, or declare the output and its kind in "
        "resource_types/estate.py.",
        url="https://www.pulumi.com/docs/iac/concepts/secrets/",
        check=_declared_outputs,
        paths=(),
    ),
)

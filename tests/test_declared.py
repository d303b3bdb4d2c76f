"""What the estate declares is what it makes, and the pack refuses everything else.

The cases are generated: from the registry, from the installed SDKs, and from Python itself.
"""

from __future__ import annotations

import ast
import builtins
import json
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pulumi
import pytest

from policies.framework.paths import (
    ALIASES,
    CUSTOM_TIMEOUTS,
    DELETE_BEFORE_REPLACE,
    IGNORE_CHANGES,
    PROTECT,
    PROVIDER,
    SECRET_OUTPUTS,
    View,
)
from policies.framework.rules import ResourceRule
from policies.rules import declared, disallowed_types, monitoring, program_source, unused_types
from resource_types import RESOURCE_TYPES, cloudflare, gcp, pulumi_random
from resource_types.estate import (
    COMPONENTS,
    OUTPUTS,
    PROVIDER_PREFIX,
    PROVIDERS,
    RESOURCES,
    STACK,
    TYPES,
)
from tests import policy_harness as harness
from tests.policy_harness import TODAY
from tests.recorder import Recorded, Recording, Secret, estate
from tests.variants import PRODUCTION, VARIANTS, Variant

RULES: Final = {rule.id: rule for rule in declared.RULES if isinstance(rule, ResourceRule)}


# -- types -----------------------------------------------------------------------------------------


def classes_of_the_sdks() -> dict[str, str]:
    """The type token of each resource class, by its full name, such as ``pulumi_gcp.sql.User``."""
    classes: dict[str, str] = {}
    for module in program_source.SDKS:
        spec = find_spec(module)
        assert spec
        assert spec.origin
        text = Path(spec.origin).read_text("utf-8")
        (listed,) = re.findall(r'resource_modules="""(.*?)"""', text, re.DOTALL)
        for entry in json.loads(listed):
            classes |= {f"{entry['fqn']}.{name}": token for token, name in entry["classes"].items()}
    return classes


def found(rule: str, token: str, /, name: str = "x", **inputs: Any) -> list[str]:
    """What a rule finds about a resource; options are by their path in a view."""
    urn = f"urn:pulumi:production::pull::{token}::{name}"
    view = View(type=token, urn=urn, inputs={PROTECT: False, **inputs}, today=TODAY)
    return [f"{finding.path} {finding.text}".strip() for finding in RULES[rule].findings(view)]


def test_the_declared_types_are_those_that_the_components_create() -> None:
    """A type that nothing creates any more would be a permission without a need."""
    classes = classes_of_the_sdks()
    created = set()
    for source in program_source.sources().values():
        nodes = list(ast.walk(ast.parse(source)))
        modules = {
            alias.asname: alias.name
            for node in nodes
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        for node in nodes:
            if isinstance(node, ast.Call):
                root, _, inner = ast.unparse(node.func).partition(".")
                created.add(classes.get(f"{modules.get(root)}.{inner}"))
    custom = {token for token in RESOURCES if token.startswith("kubernetes:external-secrets.io/")}
    assert created - {None} == RESOURCES - custom
    assert custom <= types_of(estate(runtime="kubernetes"))


def types_of(recording: Recording) -> set[str]:
    return {resource.type for resource in recording.resources}


def test_the_declared_components_and_providers_are_made() -> None:
    made = {token for variant in VARIANTS for token in types_of(variant.recording())}
    assert {token for token in made if token.startswith("pull:")} == COMPONENTS
    providers = {PROVIDER_PREFIX + name for name in PROVIDERS}
    assert {token for token in made if token.startswith(PROVIDER_PREFIX)} == providers


def test_every_other_type_of_the_sdks_is_refused() -> None:
    tokens = set(classes_of_the_sdks().values()) | RESOURCE_TYPES.keys()
    assert len(tokens) > 2000
    allowed = {token for token in tokens if not found("declared-type", token)}
    assert allowed == RESOURCES


@pytest.mark.parametrize(
    "token",
    [
        "pulumi-python:dynamic:Resource",
        "pulumi-python:dynamic/pkg:Resource",
        "pulumi:pulumi:StackReference",
        "pulumi:providers:aws",
        "pulumi:providers:pulumi-python",
        "pull:data:Unknown",
        "aws:s3/bucket:Bucket",
        "kubernetes:yaml:ConfigFile",
        "kubernetes:monitoring.coreos.com/v1:ServiceMonitor",
        "kubernetes:external-secrets.io/v1:ClusterSecretStore",
    ],
)
def test_a_type_of_no_sdk_is_refused(token: str) -> None:
    (text,) = found("declared-type", token)
    assert text == f"{token} is not a resource type of the estate"


def test_a_record_for_the_tools_is_no_permission() -> None:
    for rule in (*unused_types.RULES, *monitoring.RULES, *disallowed_types.RULES):
        if isinstance(rule, ResourceRule):
            assert TYPES.isdisjoint(rule.types), rule.id


# -- providers and options -------------------------------------------------------------------------


@pytest.mark.parametrize("package", PROVIDERS)
def test_a_provider_has_one_name_and_one_version(package: str) -> None:
    token = PROVIDER_PREFIX + package
    assert not found("declared-provider", token, package)
    assert found("declared-provider", token, f"default_{package}")
    assert found("declared-provider", token, f"{package}-2")
    assert found("declared-provider", token, package, version="0.0.1")
    for name in ("accessToken", "apiToken", "credentials", "impersonateServiceAccount"):
        assert found("declared-provider", token, package, **{name: "?"})


@pytest.mark.parametrize("token", sorted(RESOURCES))
def test_a_resource_has_the_provider_of_its_package(token: str) -> None:
    package = token.partition(":")[0]
    for name, kind, violations in (
        (package, package, 0),
        (f"{package}-2", package, 1),
        ("default", package, 1),
        (package, "other", 1),
    ):
        provider = f"urn:pulumi:production::pull::{PROVIDER_PREFIX}{kind}::{name}"
        assert len(found("declared-provider", token, **{PROVIDER: provider})) == violations
    assert found("declared-provider", token)


def options(resource: Recorded) -> dict[str, Any]:
    return {
        CUSTOM_TIMEOUTS: dict(resource.custom_timeouts),
        DELETE_BEFORE_REPLACE: resource.delete_before_replace,
        IGNORE_CHANGES: list(resource.ignore_changes),
        PROTECT: resource.protect,
        "clone": resource.inputs.get("clone"),
        SECRET_OUTPUTS: sorted(resource.secret_outputs),
    }


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_variant_of_the_estate_is_declared(variant: Variant) -> None:
    recording = variant.recording()
    for resource in recording.resources:
        assert not found("declared-type", resource.type)
        assert not found("declared-options", resource.type, **options(resource)), resource.name
    for output, value in recording.outputs[""].items():
        assert (OUTPUTS[output] == "secret") == isinstance(value, Secret), output


@pytest.mark.parametrize("token", sorted(TYPES - {STACK}))
def test_every_other_option_is_refused(token: str) -> None:
    """Each option with a value that the record of the type does not have."""
    record = RESOURCE_TYPES.get(token)
    good: dict[str, Any] = {}
    if record:
        good = {
            CUSTOM_TIMEOUTS: dict(record.custom_timeouts),
            DELETE_BEFORE_REPLACE: bool(record.delete_before_replace),
            IGNORE_CHANGES: list(record.ignore_changes),
        }
    assert not found("declared-options", token, **good)
    bad: list[tuple[str, Any]] = [
        (IGNORE_CHANGES, ["*"]),
        (IGNORE_CHANGES, [*good.get(IGNORE_CHANGES, ()), "name"]),
        (CUSTOM_TIMEOUTS, {"delete": 1}),
        (ALIASES, [f"urn:pulumi:production::pull::pull:x:X${gcp.FIREWALL}::y"]),
    ]
    if record:
        bad.append((SECRET_OUTPUTS, ["surely not an output"]))
    if not record or not record.loss:
        bad.append((PROTECT, True))
    if not record or record.aliases is None:
        bad.append((ALIASES, [f"urn:pulumi:production::pull::{token}::old"]))
    if not record or record.delete_before_replace is not None:
        bad.append((DELETE_BEFORE_REPLACE, not good.get(DELETE_BEFORE_REPLACE)))
    if record and record.ignore_changes:
        bad.append((IGNORE_CHANGES, []))
    for path, value in bad:
        (text,) = found("declared-options", token, **{**good, path: value})
        assert text.startswith(path)


def test_a_dns_record_may_move_between_the_runtimes() -> None:
    """`components/services/api.py` and `components/kubernetes/ingress.py` have one record."""
    parent = "urn:pulumi:production::pull::pull:services:Api"
    alias = f"{parent}${cloudflare.DNS_RECORD}::api-dns"
    moved: dict[str, Any] = {ALIASES: [alias]}
    assert not found("declared-options", cloudflare.DNS_RECORD, **moved)


# -- outputs ---------------------------------------------------------------------------------------


def test_every_declared_output_exists() -> None:
    made = {output for variant in VARIANTS for output in variant.recording().outputs[""]}
    assert made == OUTPUTS.keys()


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> harness.Recording:
    return harness.record(PRODUCTION, harness.shared_folder(tmp_path_factory))


@pytest.mark.parametrize(
    ("token", "property_"),
    [
        (pulumi_random.RANDOM_PASSWORD, "result"),
        (gcp.REDIS_INSTANCE, "authString"),
        (gcp.SECRET_VERSION, "secretData"),
    ],
)
def test_a_secret_value_in_an_output_is_refused(
    production: harness.Recording, token: str, property_: str
) -> None:
    (rule,) = (rule for rule in declared.RULES if rule.id == "declared-outputs")
    request = type(production.whole)()
    request.CopyFrom(production.whole)
    source = next(node for node in request.resources if node.type == token)
    source.properties.update({property_: "correct-horse-battery"})
    serving = harness.servicer(rule)
    assert not harness.evaluate_stack(serving, request)
    stack = next(node for node in request.resources if node.type == STACK)
    stack.properties.update({"workers": {"all": ["redis://:correct-horse-battery@10.0.0.4"]}})
    (violation,) = harness.evaluate_stack(serving, request)
    assert "workers contains the value of a secret" in violation.message
    assert "correct-horse" not in violation.message


# -- source ----------------------------------------------------------------------------------------


def test_the_source_of_the_program_is_clean() -> None:
    sources = program_source.sources()
    assert {"__main__.py", "components/estate.py"} < sources.keys()
    for file, source in sources.items():
        assert not list(program_source.mistakes(file, source)), file


def statements() -> Iterator[str]:
    """Statements that no file of the program may contain, one for each name that exists."""
    for name in vars(builtins).keys() - program_source.BUILTINS:
        yield f"{name}('x')"
    for name in (
        sys.stdlib_module_names - program_source.MODULES - {"urllib", "this", "antigravity"}
    ):
        yield f"import {name}"
        yield f"from {name} import x"
    for name in set(dir(pulumi)) - program_source.PULUMI - {"export"}:
        yield f"import pulumi\npulumi.{name}"
        yield f"from pulumi import {name}"
    for name in set(dir(pulumi.Output)) - {"__init__", *dir(dict)}:
        if name in program_source.restricted() or name.startswith("__"):
            yield f"url = instance.url.{name}"
    for name in program_source.other_options() | {"id", "urn", "version"}:
        yield f"import pulumi\npulumi.ResourceOptions({name}=x)"
        yield f"from pulumi import ResourceOptions as O\nO(parent=self, {name}=x)"
    for name in classes_of_the_sdks():
        module, _, inner = name.partition(".")
        yield f"import {module} as sdk\nsdk.{inner}.get('name', 'id')"
    for module in program_source.SDKS:
        yield f"import {module} as sdk\nsdk.get_anything()"
        yield f"import {module} as sdk\nsdk.sql.get_anything_output(name='x')"


def test_every_statement_that_is_not_allowed_is_found() -> None:
    cases = set(statements())
    assert len(cases) > 3000
    unnoticed = [
        case for case in cases if not list(program_source.mistakes("components/x.py", case))
    ]
    assert not unnoticed


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("def f(value):\n    print(value)", "2: must not use print"),
        ("import sys\nsys.exit(0)", "1: must not import sys"),
        ("from os import _exit as stop\nstop(0)", "1: must not import os._exit"),
        ("raise SystemExit", "1: must not use SystemExit"),
        ("url.apply(lambda value: print(value))", "1: must not use print"),
        ("from pulumi import log", "1: must not import pulumi.log"),
        ("import pulumi as p\np.export('url', url)", "2: must not use pulumi.export"),
        ("import pulumi\nf = pulumi", "2: must not use the module pulumi as a value"),
        ("import pulumi.dynamic", "1: must not import pulumi.dynamic"),
        ("from pulumi import *", "1: must not import pulumi.*"),
        ("import pathlib\npathlib.os._exit(0)", "2: must not use pathlib.os._exit"),
        ("from typing import sys", "1: must not import typing.sys"),
        ("from ops.review import policies", "1: must not import ops.review.policies"),
        ("opts.retain_on_delete = True", "1: must not set retain_on_delete of another object"),
        ("partial(ResourceOptions, hooks=h)", "1: must not set the option hooks"),
        ("ResourceOptions(**options)", "1: must not set the option **"),
        ("ResourceOptions(self)", "1: must name the options that it sets"),
        ("try:\n    f()\nexcept:\n    pass", "3: must name the exceptions that it handles"),
        ("try:\n    f()\nexcept Exception:\n    pass", "3: must not use Exception"),
        ("(PROJECT_ROOT / 'x').write_text(value)", "1: must not use write_text"),
        ("object.__setattr__(opts, 'retain_on_delete', True)", "1: must not use __setattr__"),
        ("self._opts.protect = False", "1: must not set protect of another object"),
        ("vars(opts)['import_'] = x", "1: must not use vars"),
        ("def f(:", "1: is not valid Python"),
    ],
)
def test_a_mistake_names_its_line(source: str, text: str) -> None:
    found = [f"{line}: {text}" for line, text in program_source.mistakes("components/x.py", source)]
    assert text in found


@pytest.mark.parametrize(
    "source",
    [
        "from pulumi import Output\nurl = Output.format('https://{0}', host).apply(str)",
        "import pulumi_gcp as gcp\ngcp.sql.User('x', args=gcp.sql.UserArgs(instance='y'))",
        "import pulumi_kubernetes as kubernetes\nkubernetes.apps.v1.Deployment('x')",
        "values = {}\nvalues.get('x')",
        "def print(value):\n    return value\nprint(1)",
        "class X:\n    def __init__(self):\n        super().__init__()\n        self.x = 1",
        "from collections.abc import Mapping\nfrom components.secrets import manager",
        "import re\nre.match('a', 'b').group(1)",
    ],
)
def test_ordinary_source_is_allowed(source: str) -> None:
    assert not list(program_source.mistakes("components/x.py", source))

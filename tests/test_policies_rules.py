"""Every rule in the SDK's own servicer: compliant, mutated and unknown resources; and the pack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel

from policies import exceptions, levels, table
from policies.framework.credentials import CREDENTIAL, CREDENTIALS
from policies.framework.demands import at_least, equal
from policies.framework.graph import StackRule
from policies.framework.paths import ABSENT, COMPONENT_PREFIX, EVERY_TYPE, STEP, UNKNOWN, find
from policies.framework.rules import Must, ResourceRule, Severity, forbidden, reads
from policies.pack import policies
from policies.rules import CONCERNS, DISALLOWED_TYPES, RULES, UNUSED_TYPES, provider_inputs
from resource_types import cloudflare, gcp, kubernetes
from resource_types.limits import SECRET_NAME
from sandbox.schema import Shape, UnknownType, schema_of
from tests import policy_harness as harness
from tests.policy_fixtures import fixtures
from tests.policy_harness import TODAY, Recording, Resource, evaluate, servicer
from tests.policy_mutations import STACK_MUTATIONS, Mutation, mutations
from tests.variants import PRODUCTION, UNKNOWN_TEXT

RESOURCE_RULES: Final = [rule for rule in RULES if isinstance(rule, ResourceRule)]
PRESENT: Final = [rule for rule in RESOURCE_RULES if forbidden not in rule.checks]
CANARY: Final = "canary-hunter2"


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    base = tmp_path_factory.getbasetemp()
    return harness.record(PRODUCTION, base.parent if base.name.startswith("popen-") else base)


@pytest.fixture(scope="session")
def resources(production: Recording) -> list[Resource]:
    return [*harness.resources_of(production), *fixtures()]


def by_id(name: str) -> ResourceRule:
    return next(rule for rule in RESOURCE_RULES if rule.id == name)


def instance(resources: Sequence[Resource]) -> Resource:
    return next(found for found in resources if found.type == gcp.SQL_INSTANCE)


# -- each rule -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", PRESENT, ids=lambda rule: rule.id)
def test_good_and_bad(rule: ResourceRule, resources: list[Resource]) -> None:
    """A compliant resource passes; a mutant is a mandatory violation with the rule's texts."""
    for serving, resource in harness.candidates(rule, resources, limit=1):
        for mutation in mutations(rule.checks, resource.view):
            mutant = resource.mutated(mutation)
            if mutant is not None:
                (found, *_) = evaluate(serving, mutant)
                assert found.policyName == rule.id
                assert found.enforcementLevel == analyzer_pb2.MANDATORY
                assert found.message.startswith(rule.what)
                assert rule.fix in found.message
                return
    pytest.fail("no compliant resource that a mutation changes")


@pytest.mark.parametrize("rule", PRESENT, ids=lambda rule: rule.id)
def test_unknown(rule: ResourceRule, resources: list[Resource]) -> None:
    """An unknown value is a violation wherever it could break the rule, unless it may wait."""
    tried = 0
    tried_keys = set()
    for serving, resource in harness.candidates(rule, resources, limit=1):
        keys = {mutation.keys for mutation in mutations(rule.checks, resource.view)}
        # An option is always known.
        keys = {path for path in keys if path and not str(path[0]).startswith("@")}
        tried_keys |= keys
        for location in sorted(keys, key=repr)[:12]:
            mutant = resource.mutated(Mutation(location, UNKNOWN_TEXT))
            if mutant is not None:
                messages = [diagnostic.message for diagnostic in evaluate(serving, mutant)]
                undecided = [text for text in messages if "not known before the update" in text]
                if rule.decidable_after_update:
                    assert not undecided, (location, messages)
                else:
                    assert messages, location
                tried += 1
    assert tried or rule.decidable_after_update or not tried_keys


# -- the framework ---------------------------------------------------------------------------------


def test_an_unknown_value_hides_no_other(resources: list[Resource]) -> None:
    flags = find(instance(resources).inputs, "settings.databaseFlags[name=log_connections].value")
    mutant = instance(resources).mutated(Mutation(next(flags).keys, UNKNOWN_TEXT))
    assert mutant is not None
    lock_waits = find(mutant.inputs, "settings.databaseFlags[name=log_lock_waits].value")
    mutant = mutant.mutated(Mutation(next(lock_waits).keys, "off"))
    assert mutant is not None
    found = sorted(found.message for found in evaluate(servicer(by_id("sql-log-flags")), mutant))
    assert len(found) == 2
    assert "settings.databaseFlags[log_connections].value is not known" in found[0]
    assert "settings.databaseFlags[log_lock_waits].value must be on" in found[1]


@pytest.mark.parametrize("keys", [("settings",), ("settings", "ipConfiguration")])
def test_an_unknown_parent_is_named(resources: list[Resource], keys: tuple[str, ...]) -> None:
    mutant = instance(resources).mutated(Mutation(keys, UNKNOWN_TEXT))
    assert mutant is not None
    (found,) = evaluate(servicer(by_id("sql-no-public-address")), mutant)
    assert f"{'.'.join(keys)} is not known before the update" in found.message


def test_a_rule_that_may_wait_is_decided_in_the_update(resources: list[Resource]) -> None:
    rule = by_id("sql-customer-managed-key")
    unknown = instance(resources).mutated(Mutation(("encryptionKeyName",), UNKNOWN_TEXT))
    empty = instance(resources).mutated(Mutation(("encryptionKeyName",), ""))
    assert empty is not None
    assert not evaluate(servicer(rule), unknown or instance(resources))
    assert evaluate(servicer(rule), empty)


def _leaves(value: Any, keys: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*keys, key))
    elif isinstance(value, list):
        for index, item in enumerate(value[:2]):
            yield from _leaves(item, (*keys, index))
    else:
        yield keys


def _one_of_each_type(resources: Sequence[Resource]) -> list[Resource]:
    return list({resource.type: resource for resource in resources}.values())


def test_no_message_holds_a_value(resources: list[Resource], production: Recording) -> None:
    """Any text could be a secret: no message repeats a value, whatever its property."""
    for resource in _one_of_each_type(resources):
        applying = [rule for rule in RESOURCE_RULES if rule.applies_to(resource.type)]
        if not applying:
            continue
        serving = servicer(*applying)
        for keys in _leaves(resource.inputs, ()):
            mutant = resource.mutated(Mutation(keys, CANARY))
            assert mutant is not None
            assert CANARY not in " ".join(found.message for found in evaluate(serving, mutant)), (
                keys
            )
    whole = analyzer_pb2.AnalyzeStackRequest()
    whole.CopyFrom(production.whole)
    for node in whole.resources:
        properties = harness.plain_properties(node)
        for keys in list(_leaves(properties, ())):
            if properties and keys:
                properties = harness.put(properties, keys, CANARY) or properties
        node.properties.Clear()
        node.properties.update(properties)
    stack_rules = [rule for rule in RULES if isinstance(rule, StackRule)]
    assert CANARY not in " ".join(
        found.message for found in harness.evaluate_stack(servicer(*stack_rules), whole)
    )


@pytest.mark.parametrize("odd", [None, 7, "", [], {}, [[]], {"a": None}, True], ids=repr)
def test_no_shape_of_a_value_breaks_the_pack(resources: list[Resource], odd: Any) -> None:
    """A value of an unexpected type is a violation or nothing, and never a crash."""
    for resource in _one_of_each_type(resources):
        applying = [rule for rule in RESOURCE_RULES if rule.applies_to(resource.type)]
        serving = servicer(*applying) if applying else None
        for keys in _leaves(resource.inputs, ()) if serving else ():
            for depth in {1, len(keys)}:
                mutant = resource.mutated(Mutation(keys[:depth], odd))
                if mutant is not None:
                    evaluate(serving, mutant)


def test_find_returns_every_location_of_a_path() -> None:
    inputs = {
        "a": [{"name": "X_Y", "b": 1}, {"name": "lower"}, {"name": "Z", "b": UNKNOWN}],
        "c": 2,
    }
    assert [(match.path, match.value) for match in find(inputs, "a[].b")] == [
        ("a[X_Y].b", 1),
        ("a[1].b", ABSENT),
        ("a[2].b", UNKNOWN),
    ]
    assert [match.value for match in find(inputs, "a[name=X_Y].b")] == [1]
    assert [match.value for match in find(inputs, "a[name=none].b")] == [ABSENT]
    assert [match.value for match in find(inputs, "c[].d")] == [ABSENT]
    assert [match.value for match in find(inputs, "nothing[].d")] == []
    assert [match.value for match in find({"a": [{"name": UNKNOWN}]}, "a[name=x]")] == [UNKNOWN]


def test_a_boolean_is_not_a_number() -> None:
    assert not equal(False).accepts(0)
    assert not at_least(0).accepts(True)
    assert equal(7).accepts(7.0)


WHOLE_POOL: Final = (
    "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/*"
)


@pytest.mark.parametrize(
    ("token", "inputs", "violated"),
    [
        (
            gcp.BUCKET_IAM.binding,
            {"role": "roles/editor", "members": ["serviceAccount:a@b", "AllUsers"]},
            {
                "iam-grant-declared",
                "iam-no-basic-role",
                "storage-not-public",
                "iam-accepted-values",
            },
        ),
        (
            gcp.PROJECT_IAM.binding,
            {"role": "roles/iam.workloadIdentityUser", "members": [WHOLE_POOL]},
            {
                "iam-grant-declared",
                "iam-no-authoritative-grant",
                "iam-no-project-wide-impersonation",
                "iam-federated-subject",
            },
        ),
        (
            gcp.SERVICE_ACCOUNT_IAM.binding,
            {
                "role": "roles/datastore.viewer",
                "members": ["user:a@pull.com", "allAuthenticatedUsers"],
            },
            {"iam-grant-declared", "iam-grant-not-public", "iam-no-person"},
        ),
        (gcp.RUN_SERVICE_IAM.policy, {}, {"iam-no-authoritative-grant"}),
        (gcp.RUN_V1_SERVICE, {}, {"run-no-v1-api"}),
        (
            gcp.FIREWALL,
            {
                "sourceRanges": ["0.0.0.0/1", "128.0.0.0/1"],
                "allows": [{"protocol": "6", "ports": ["5432"]}],
            },
            {"network-no-open-administration"},
        ),
        (
            gcp.FIREWALL,
            {
                "sourceRanges": ["10.0.0.0/8", "35.191.0.0/16"],
                "allows": [{"protocol": "tcp", "ports": ["22"]}],
            },
            set(),
        ),
        (
            cloudflare.RECORD,
            {"name": "*.pull.com", "type": "A", "content": "10.0.0.1", "ttl": 1, "proxied": True},
            {"dns-no-wildcard", "dns-no-private-address"},
        ),
        (
            kubernetes.CLUSTER_ROLE_BINDING,
            {"roleRef": {"name": "reader"}, "subjects": [{"name": "system:masters"}]},
            {"k8s-no-cluster-admin"},
        ),
        (
            kubernetes.CONFIG_MAP,
            {
                "metadata": {
                    "namespace": "pull",
                    "annotations": {"pulumi.com/patchForce": "true"},
                },
                "data": {
                    "NODE_ENV": "staging",
                    "PLAID_ENV": "sandbox",
                    "CONVEX": "https://pull-staging.convex.cloud",
                    "LOG_LEVEL": "debug",
                    "STRIPE_KEY": "x",
                },
            },
            {
                "runbook-environment",
                "runbook-no-vendor-sandbox",
                "runbook-no-debug-log",
                "k8s-config-map-no-secret",
            },
        ),
    ],
)
def test_shapes_that_no_generated_mutant_has(
    token: str, inputs: dict[str, Any], violated: set[str]
) -> None:
    urn = f"urn:pulumi:production::pull::{token}::x"
    applying = [rule for rule in RESOURCE_RULES if token in rule.types]
    found = evaluate(servicer(*applying), Resource(token, urn, inputs, True, "fixture"))
    assert {violation.policyName for violation in found} == violated


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("STRIPE_KEY", True),
        ("SUPABASE_SERVICE_ROLE_KEY", True),
        ("DB_PASS", True),
        ("SLACK_WEBHOOK_URL", True),
        ("CONTRACT_PULL_TOKEN_ADDRESS", False),
        ("NEXT_PUBLIC_CONTRACT_PULL_TOKEN_ADDRESS", False),
        ("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", False),
        ("MONKEY", False),
    ],
)
def test_secret_looking_names(name: str, secret: bool) -> None:
    assert bool(SECRET_NAME.search(name)) is secret


def test_every_credential_is_detected() -> None:
    assert all(map(CREDENTIAL.search, CREDENTIALS))


# -- descriptions of rules -------------------------------------------------------------------------


def test_ids_are_unique_and_metadata_is_complete() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids) >= 60
    for rule in RULES:
        assert rule.what.endswith("."), rule.id
        assert rule.fix.endswith("."), rule.id
        assert rule.url.startswith("https://") or (harness.ROOT / rule.url).is_file(), rule.id
        assert isinstance(rule.severity, Severity)
        assert isinstance(rule, StackRule) or rule.types, rule.id


def test_rules_and_their_table_need_no_sdk() -> None:
    """The command line counts the rules; importing an SDK would slow it down by a second."""
    program = (
        "import sys, policies.table as table; table.table();"
        "sys.exit(' '.join({'pulumi', 'pulumi_policy', 'yaml', 'grpc'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=harness.ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.stderr == "\n", done.stderr


@pytest.mark.parametrize("rule", PRESENT, ids=lambda rule: rule.id)
def test_the_paths_of_a_rule_exist_in_the_provider(rule: ResourceRule) -> None:
    """A misspelt path would always be absent."""
    shapes = []
    for token in rule.types:
        try:
            shapes.append(schema_of(token).inputs)
        except (UnknownType, KeyError, ValueError):
            continue  # custom resources and our components
    for path in set(reads(rule.checks)) if shapes else ():
        if not path.lstrip(".").startswith("@") and "@" not in path:
            assert any(_exists(shape, path) for shape in shapes), path


def _exists(shape: Shape, path: str) -> bool:
    for step in STEP.findall(path):
        while shape.kind in ("list", "map") and shape.element is not None:
            if shape.kind == "map" and step[0]:
                return True
            shape = shape.element
        if shape.kind == "any":
            return True
        if step[0]:
            if step[0] not in shape.fields:
                return False
            shape = shape.fields[step[0]]
    return True


def test_the_inputs_of_every_cloudflare_and_vercel_type_are_checked(
    production: Recording,
) -> None:
    types = {resource.type for resource in harness.resources_of(production)}
    checked = {token for token in types if token.startswith(("cloudflare:", "vercel:"))}
    assert len(checked) > 8
    assert checked <= set(provider_inputs.TYPES)


def test_rules_about_unused_types_have_sections_of_their_own() -> None:
    """Once the estate uses a type, its rules move to the module of the service."""
    resources = [
        resource
        for inventory in (harness.ROOT / "tests" / "inventory").glob("*.json")
        for resource in json.loads(inventory.read_text())
    ]
    used = {resource["type"] for resource in resources} | {COMPONENT_PREFIX, EVERY_TYPE}
    for concern, rules in CONCERNS.items():
        for rule in rules:
            if isinstance(rule, ResourceRule):
                unused = concern in (UNUSED_TYPES, DISALLOWED_TYPES)
                assert used.isdisjoint(rule.types) is unused, rule.id


def test_every_rule_about_the_stack_has_mutations() -> None:
    assert {rule.id for rule in RULES if isinstance(rule, StackRule)} == set(STACK_MUTATIONS)


def test_every_policy_carries_its_metadata() -> None:
    made = {policy.name: policy for policy in policies(exceptions.Exceptions(), TODAY)}
    assert len(made) == len(RULES) + 1
    for rule in RULES:
        policy = made[rule.id]
        assert policy.remediation_steps == rule.fix
        assert policy.url == rule.url
        assert policy.severity is not None
        assert policy.severity.value == rule.severity.value
        level = EnforcementLevel.MANDATORY if rule.adopted else EnforcementLevel.DISABLED
        assert policy.enforcement_level is level


# -- configuration ---------------------------------------------------------------------------------


@pytest.mark.parametrize("stack", ["production", "staging"])
def test_the_configuration_names_rules_that_exist(stack: str) -> None:
    found = levels.read_levels(levels.file_of(stack, harness.ROOT / "policies"))
    assert {name for name, level in found.items() if level == "disabled"} == harness.disabled(stack)
    assert {rule.id for rule in RULES if not rule.adopted} <= harness.disabled(stack)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"all": "disabled"}', 'all: must be "mandatory"'),
        ('{"all": "advisory"}', 'all: must be "mandatory"'),
        ("{}", 'all: must be "mandatory"'),
        ('{"all": "mandatory", "sql-tls": "disabled"}', "sql-tls: is mandatory in production"),
        (
            '{"all": "mandatory", "dns-proxied": {"enforcementLevel": "advisory"}}',
            "dns-proxied: is mandatory in production",
        ),
        ('{"all": "mandatory", "exceptions": "disabled"}', "exceptions: is not a rule"),
        ('{"all": "mandatory", "dns-proxied": {"a": 1}}', "dns-proxied.a: is not a setting"),
        (
            '{"all": "mandatory", "stack-connection-budget": {"connectionsPerInstance": 0}}',
            "connectionsPerInstance: must be a number from 8 to 100",
        ),
        (
            '{"all": "mandatory", "runbook-names": {"environment": "staging"}}',
            "runbook-names.environment: must be production",
        ),
        (
            '{"all": "mandatory", "dns-proxied": {"origins": ["*.pull.com"]}}',
            "dns-proxied.origins: must be a list of texts",
        ),
        ('{"all": "mandatory", "sql-tls": 3}', "sql-tls: must be mandatory or"),
        ("[]", "must be an object"),
        ("{", "cannot be read"),
        ("[" * 100000, "cannot be read"),
    ],
)
def test_production_accepts_no_other_levels(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / levels.PRODUCTION
    file.write_text(text)
    with pytest.raises(levels.LevelsError, match=says):
        levels.read_levels(file)


def test_every_setting_of_a_rule_has_limits() -> None:
    """A setting without limits could switch its rule off in silence."""
    for rule in RULES:
        for name, schema in rule.settings.items():
            limited = "enum" in schema or "maximum" in schema or "pattern" in schema["items"]
            assert limited, f"{rule.id}.{name}"
            assert not levels._expected(schema["default"], schema, strict=True)


def test_every_rule_knows_that_staging_is_staging() -> None:
    configured = json.loads((harness.ROOT / "policies" / "config.staging.json").read_text())
    for rule in RULES:
        if "environment" in rule.settings:
            assert configured[rule.id]["environment"] == "staging", rule.id


def test_staging_can_disable_rules(tmp_path: Path) -> None:
    file = tmp_path / "config.staging.json"
    file.write_text('{"all": "mandatory", "sql-tls": "disabled", "dns-ttl": "advisory"}')
    found = levels.read_levels(file)
    assert [found[name] for name in ("sql-tls", "dns-ttl", "sql-edition")] == [
        *("disabled", "advisory", "mandatory")
    ]


def test_production_disables_only_rules_that_are_not_adopted() -> None:
    assert harness.disabled("production") == {rule.id for rule in RULES if not rule.adopted}


def test_the_table_has_every_rule() -> None:
    text = table.table()
    for concern, rules in CONCERNS.items():
        assert f"### {concern}" in text
        for rule in rules:
            assert text.count(f"[`{rule.id}`]") == 1


# -- exceptions ------------------------------------------------------------------------------------

ENTRY: Final = """
- rule: sql-no-public-address
  urn: {urn}
  reason: the old office still connects directly
  owner: platform@pull.com
  expires: {expires}
"""


def _exceptions(tmp_path: Path, text: str) -> exceptions.Exceptions:
    file = tmp_path / "exceptions.yaml"
    file.write_text(text)
    return exceptions.read(frozenset(rule.id for rule in RULES), file)


def _open_to_the_world(resources: list[Resource]) -> Resource:
    mutant = instance(resources).mutated(
        Mutation(("settings", "ipConfiguration", "ipv4Enabled"), True)
    )
    assert mutant is not None
    return mutant


def _violations(
    read: exceptions.Exceptions, resource: Resource, production: Recording
) -> list[str]:
    serving = servicer(exceptions=read)
    found = evaluate(serving, resource)
    found += [
        violation
        for violation in harness.evaluate_stack(serving, production.whole)
        if violation.policyName == "exceptions"
    ]
    return [
        f"{violation.policyName}: {violation.message}"
        for violation in found
        if violation.policyName in SHOWN
    ]


SHOWN: Final = ("sql-no-public-address", "exceptions")


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (1, []),
        (0, []),
        (-1, ["sql-no-public-address: ", "expired on"]),
        (366, ["sql-no-public-address: ", "more than 365 days"]),
    ],
)
def test_an_exception_holds_until_it_expires(
    tmp_path: Path,
    resources: list[Resource],
    production: Recording,
    days: int,
    expected: list[str],
) -> None:
    resource = _open_to_the_world(resources)
    expires = TODAY + timedelta(days=days)
    read = _exceptions(tmp_path, ENTRY.format(urn=resource.urn, expires=expires))
    assert not read.mistakes
    found = _violations(read, resource, production)
    assert len(found) == len(expected)
    for text, part in zip(found, expected, strict=True):
        assert part in text


def test_an_unneeded_exception_is_a_violation(
    tmp_path: Path, resources: list[Resource], production: Recording
) -> None:
    resource = instance(resources)
    read = _exceptions(tmp_path, ENTRY.format(urn=resource.urn, expires=TODAY))
    (found,) = _violations(read, resource, production)
    assert "is no longer needed" in found
    elsewhere = resource.urn.replace("production", "staging", 1)
    read = _exceptions(tmp_path, ENTRY.format(urn=elsewhere, expires=TODAY))
    assert not _violations(read, resource, production)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- rule: sql-no-public-address\n", "exactly these keys"),
        (ENTRY.format(urn="postgres-instance", expires=TODAY), "full URN"),
        (ENTRY.format(urn="urn:pulumi:production::pull::a::b", expires="soon"), "expires"),
        (ENTRY.replace("sql-no", "sql-na").format(urn="x", expires=TODAY), "names a rule"),
        (
            ENTRY.replace("platform@pull.com", "''").format(
                urn="urn:pulumi:p::p::a::b", expires=TODAY
            ),
            "owner",
        ),
        (2 * ENTRY.format(urn="urn:pulumi:production::pull::a::b", expires=TODAY), "repeats"),
        (ENTRY.format(urn="urn:pulumi:production::pull::a::b", expires="2027-02-30"), "cannot be"),
        (ENTRY.replace("sql-no-public-address", "[a]").format(urn="x", expires=TODAY), "names a"),
        (
            ENTRY.replace("the old office still connects directly", "why not").format(
                urn="urn:pulumi:production::pull::a::b", expires=TODAY
            ),
            "reason",
        ),
        ("[" * 3000, "cannot be read"),
        ("{", "cannot be read"),
        ("rules: []", "must be a list"),
    ],
)
def test_a_malformed_exception_is_a_violation(
    tmp_path: Path, resources: list[Resource], production: Recording, text: str, reason: str
) -> None:
    read = _exceptions(tmp_path, text)
    found = _violations(read, _open_to_the_world(resources), production)
    assert any(text.startswith("sql-no-public-address") for text in found)
    assert any(text.startswith("exceptions") and reason in text for text in found), found


def test_the_exceptions_in_the_repository_are_well_formed() -> None:
    assert not exceptions.read(frozenset(rule.id for rule in RULES)).mistakes


def test_a_demand_refuses_its_refused_values() -> None:
    for rule in RESOURCE_RULES:
        for check in rule.checks:
            if isinstance(check, Must):
                assert not [value for value in check.demand.refused if check.demand.accepts(value)]

"""Every rule, by the SDK's own servicer: good, bad and unknown resources; and the frame itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from policies.graph import StackRule
from policies.rule import PROTECT, UNKNOWN, Must, Mutation, ResourceRule, Severity, equal, find
from policies.sensitive import CREDENTIAL, CREDENTIALS, SECRET_NAME
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel

from policies import exceptions, inputs, levels, rule, table
from policies.pack import policies
from policies.rules import CONCERNS, RULES
from sandbox.schema import Shape, UnknownType, schema_of
from tests import policy_harness as harness
from tests.policy_fixtures import fixtures
from tests.policy_harness import TODAY, UNKNOWN_TEXT, Recording, Resource, evaluate, servicer

RESOURCE_RULES: Final = [one for one in RULES if isinstance(one, ResourceRule)]
PRESENT: Final = [one for one in RESOURCE_RULES if rule.forbidden not in one.checks]
SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
CANARY: Final = "canary-hunter2"


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    base = tmp_path_factory.getbasetemp()
    return harness.record("production", base.parent if base.name.startswith("popen-") else base)


@pytest.fixture(scope="session")
def resources(production: Recording) -> list[Resource]:
    return [*harness.resources_of(production), *fixtures()]


def by_id(name: str) -> ResourceRule:
    return next(one for one in RESOURCE_RULES if one.id == name)


def instance(resources: Sequence[Resource]) -> Resource:
    return next(one for one in resources if one.type == SQL)


# -- each rule -------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", PRESENT, ids=lambda one: one.id)
def test_good_and_bad(one: ResourceRule, resources: list[Resource]) -> None:
    """A good resource passes; a mutant is a mandatory violation with the rule's own words."""
    for serving, resource in harness.candidates(one, resources, most=1):
        for broken in rule.mutants(one.checks, resource.view):
            mutant = resource.broken(broken)
            if mutant is not None:
                (found, *_) = evaluate(serving, mutant)
                assert found.policyName == one.id
                assert found.enforcementLevel == analyzer_pb2.MANDATORY
                assert found.message.startswith(one.what)
                assert one.fix in found.message
                return
    pytest.fail("no good resource that could be broken")


@pytest.mark.parametrize("one", PRESENT, ids=lambda one: one.id)
def test_unknown(one: ResourceRule, resources: list[Resource]) -> None:
    """Where a value could break the rule, one that is not known is a violation, or may wait."""
    tried = 0
    places = set()
    for serving, resource in harness.candidates(one, resources, most=1):
        keys = {broken.keys for broken in rule.mutants(one.checks, resource.view)}
        places |= keys
        for place in sorted(keys - {(), (PROTECT,)}, key=repr)[:12]:
            mutant = resource.broken(Mutation(place, UNKNOWN_TEXT))
            if mutant is not None:
                messages = [diagnostic.message for diagnostic in evaluate(serving, mutant)]
                undecided = [text for text in messages if "not known before the update" in text]
                if one.decidable_after_update:
                    assert not undecided, (place, messages)
                else:
                    assert messages, place
                tried += 1
    assert tried or one.decidable_after_update or places <= {(), (PROTECT,)}


# -- the frame -------------------------------------------------------------------------------------


def test_an_unknown_value_hides_no_other(resources: list[Resource]) -> None:
    flags = find(instance(resources).inputs, "settings.databaseFlags[name=log_connections].value")
    broken = instance(resources).broken(Mutation(next(flags).keys, UNKNOWN_TEXT))
    assert broken is not None
    lock = find(broken.inputs, "settings.databaseFlags[name=log_lock_waits].value")
    broken = broken.broken(Mutation(next(lock).keys, "off"))
    assert broken is not None
    found = sorted(one.message for one in evaluate(servicer(by_id("sql-log-flags")), broken))
    assert len(found) == 2
    assert "settings.databaseFlags[log_connections].value is not known" in found[0]
    assert "settings.databaseFlags[log_lock_waits].value must be on" in found[1]


@pytest.mark.parametrize("keys", [("settings",), ("settings", "ipConfiguration")])
def test_an_unknown_parent_is_named(resources: list[Resource], keys: tuple[str, ...]) -> None:
    broken = instance(resources).broken(Mutation(keys, UNKNOWN_TEXT))
    assert broken is not None
    (found,) = evaluate(servicer(by_id("sql-no-public-address")), broken)
    assert f"{'.'.join(keys)} is not known before the update" in found.message


def test_a_rule_that_may_wait_waits_and_then_decides(resources: list[Resource]) -> None:
    one = by_id("sql-own-key")
    unknown = instance(resources).broken(Mutation(("encryptionKeyName",), UNKNOWN_TEXT))
    empty = instance(resources).broken(Mutation(("encryptionKeyName",), ""))
    assert empty is not None
    assert not evaluate(servicer(one), unknown or instance(resources))
    assert evaluate(servicer(one), empty)


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
    """Any text could be a secret: whatever property it stands in, no message repeats it."""
    for resource in _one_of_each_type(resources):
        about = [one for one in RESOURCE_RULES if one.is_about(resource.type)]
        if not about:
            continue
        serving = servicer(*about)
        for keys in _leaves(resource.inputs, ()):
            mutant = resource.broken(Mutation(keys, CANARY))
            assert mutant is not None
            assert CANARY not in " ".join(one.message for one in evaluate(serving, mutant)), keys
    whole = analyzer_pb2.AnalyzeStackRequest()
    whole.CopyFrom(production.whole)
    for node in whole.resources:
        properties = harness.plain_properties(node)
        for keys in list(_leaves(properties, ())):
            if properties and keys:
                properties = harness.put(properties, keys, CANARY) or properties
        node.properties.Clear()
        node.properties.update(properties)
    stack_rules = [one for one in RULES if isinstance(one, StackRule)]
    assert CANARY not in " ".join(
        found.message for found in harness.evaluate_stack(servicer(*stack_rules), whole)
    )


@pytest.mark.parametrize("odd", [None, 7, "", [], {}, [[]], {"a": None}, True], ids=repr)
def test_no_shape_of_a_value_breaks_the_pack(resources: list[Resource], odd: Any) -> None:
    """A type that nobody expected is a violation or nothing, and never a crash."""
    for resource in _one_of_each_type(resources):
        about = [one for one in RESOURCE_RULES if one.is_about(resource.type)]
        serving = servicer(*about) if about else None
        for keys in _leaves(resource.inputs, ()) if serving else ():
            for depth in {1, len(keys)}:
                mutant = resource.broken(Mutation(keys[:depth], odd))
                if mutant is not None:
                    evaluate(serving, mutant)


def test_paths_lead_where_they_say() -> None:
    inputs = {
        "a": [{"name": "X_Y", "b": 1}, {"name": "lower"}, {"name": "Z", "b": UNKNOWN}],
        "c": 2,
    }
    assert [(one.path, one.value) for one in find(inputs, "a[].b")] == [
        ("a[X_Y].b", 1),
        ("a[1].b", rule.ABSENT),
        ("a[2].b", UNKNOWN),
    ]
    assert [one.value for one in find(inputs, "a[name=X_Y].b")] == [1]
    assert [one.value for one in find(inputs, "a[name=none].b")] == [rule.ABSENT]
    assert [one.value for one in find(inputs, "c[].d")] == [rule.ABSENT]
    assert [one.value for one in find(inputs, "nothing[].d")] == []
    assert [one.value for one in find({"a": [{"name": UNKNOWN}]}, "a[name=x]")] == [UNKNOWN]


def test_a_truth_value_is_no_number() -> None:
    assert not equal(False).accepts(0)
    assert not rule.at_least(0).accepts(True)
    assert equal(7).accepts(7.0)


EVERYBODY: Final = "principalSet://iam.googleapis.com/projects/1/pools/github/*"


@pytest.mark.parametrize(
    ("kind", "inputs", "broken"),
    [
        (
            "gcp:storage/bucketIAMBinding:BucketIAMBinding",
            {"role": "roles/editor", "members": ["serviceAccount:a@b", "AllUsers"]},
            {"iam-no-basic-role", "storage-not-public"},
        ),
        (
            "gcp:projects/iAMBinding:IAMBinding",
            {"role": "roles/iam.workloadIdentityUser", "members": [EVERYBODY]},
            {"iam-no-authoritative-grant", "iam-no-impersonation-of-all", "iam-federated-subject"},
        ),
        (
            "gcp:serviceaccount/iAMBinding:IAMBinding",
            {"role": "roles/x", "members": ["user:a@pull.com", "allAuthenticatedUsers"]},
            {"iam-grant-not-public", "iam-no-person"},
        ),
        ("gcp:cloudrunv2/serviceIamPolicy:ServiceIamPolicy", {}, {"iam-no-authoritative-grant"}),
        ("gcp:cloudrun/service:Service", {}, {"run-second-api"}),
        (
            "gcp:compute/firewall:Firewall",
            {
                "sourceRanges": ["0.0.0.0/1", "128.0.0.0/1"],
                "allows": [{"protocol": "6", "ports": ["5432"]}],
            },
            {"network-no-open-administration"},
        ),
        (
            "gcp:compute/firewall:Firewall",
            {
                "sourceRanges": ["10.0.0.0/8", "35.191.0.0/16"],
                "allows": [{"protocol": "tcp", "ports": ["22"]}],
            },
            set(),
        ),
        (
            "cloudflare:index/record:Record",
            {"name": "*.pull.com", "type": "A", "content": "10.0.0.1", "ttl": 1, "proxied": True},
            {"dns-no-wildcard", "dns-no-inner-address"},
        ),
        (
            "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
            {"roleRef": {"name": "reader"}, "subjects": [{"name": "system:masters"}]},
            {"k8s-no-cluster-admin"},
        ),
        (
            "kubernetes:core/v1:ConfigMap",
            {
                "metadata": {"namespace": "pull"},
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
                "runbook-live-plaid",
                "runbook-no-debug-log",
                "k8s-config-map-plain",
            },
        ),
    ],
)
def test_shapes_that_no_generated_mutant_has(
    kind: str, inputs: dict[str, Any], broken: set[str]
) -> None:
    urn = f"urn:pulumi:production::pull::{kind}::x"
    about = [one for one in RESOURCE_RULES if one.is_about(kind)]
    found = evaluate(servicer(*about), Resource(kind, urn, inputs, True, "made here"))
    assert {one.policyName for one in found} == broken


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
def test_names_say_secret(name: str, secret: bool) -> None:
    assert bool(SECRET_NAME.search(name)) is secret


def test_every_credential_is_seen() -> None:
    assert all(map(CREDENTIAL.search, CREDENTIALS))


# -- what rules say of themselves ------------------------------------------------------------------


def test_ids_are_unique_and_metadata_is_complete() -> None:
    ids = [one.id for one in RULES]
    assert len(set(ids)) == len(ids) >= 60
    for one in RULES:
        assert one.what.endswith("."), one.id
        assert one.fix.endswith("."), one.id
        assert one.url.startswith("https://") or (harness.ROOT / one.url).is_file(), one.id
        assert isinstance(one.severity, Severity)
        assert isinstance(one, StackRule) or one.types, one.id


def test_rules_and_their_table_need_no_sdk() -> None:
    """The command line counts the rules and writes their table; an SDK would cost it a second."""
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


@pytest.mark.parametrize("one", PRESENT, ids=lambda one: one.id)
def test_the_paths_of_a_rule_exist_in_the_provider(one: ResourceRule) -> None:
    """A path with a typing error would be judged absent for ever."""
    shapes = []
    for kind in one.types:
        try:
            shapes.append(schema_of(kind).inputs)
        except (UnknownType, KeyError, ValueError):
            continue  # custom resources, our own components
    for path in set(rule.reads(one.checks)) if shapes else ():
        if not path.lstrip(".").startswith("@") and PROTECT not in path:
            assert any(_exists(shape, path) for shape in shapes), path


def _exists(shape: Shape, path: str) -> bool:
    for step in rule._STEP.findall(path):
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


def test_the_inputs_of_whatever_is_at_cloudflare_and_vercel_are_known(
    production: Recording,
) -> None:
    types = {one.type for one in harness.resources_of(production)}
    there = {kind for kind in types if kind.startswith(("cloudflare:", "vercel:"))}
    assert len(there) > 8
    assert there <= set(inputs.TYPES)


def test_every_policy_carries_its_metadata() -> None:
    made = {one.name: one for one in policies(exceptions.Exceptions(), TODAY)}
    assert len(made) == len(RULES) + 1
    for one in RULES:
        policy = made[one.id]
        assert policy.remediation_steps == one.fix
        assert policy.url == one.url
        assert policy.severity is not None
        assert policy.severity.value == one.severity.value
        level = EnforcementLevel.MANDATORY if one.adopted else EnforcementLevel.DISABLED
        assert policy.enforcement_level is level


# -- configuration ---------------------------------------------------------------------------------


@pytest.mark.parametrize("stack", ["production", "staging"])
def test_the_configuration_names_rules_that_exist(stack: str) -> None:
    found = levels.read_levels(levels.file_of(stack, harness.ROOT / "policies"))
    assert {name for name, level in found.items() if level == "disabled"} == harness.disabled(stack)
    assert {one.id for one in RULES if not one.adopted} <= harness.disabled(stack)


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
        ('{"all": "mandatory", "exceptions": "disabled"}', "exceptions: is no rule"),
        ('{"all": "mandatory", "dns-proxied": {"a": 1}}', "dns-proxied.a: is no setting"),
        ('{"all": "mandatory", "sql-tls": 3}', "sql-tls: must be mandatory or"),
        ("[]", "must be an object"),
        ("{", "cannot be read"),
        ("[" * 100000, "cannot be read"),
    ],
)
def test_production_has_no_other_levels(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / levels.PRODUCTION
    file.write_text(text)
    with pytest.raises(levels.LevelsError, match=says):
        levels.read_levels(file)


def test_staging_may_leave_rules_out(tmp_path: Path) -> None:
    file = tmp_path / "config.staging.json"
    file.write_text('{"all": "mandatory", "sql-tls": "disabled", "dns-ttl": "advisory"}')
    found = levels.read_levels(file)
    assert [found[one] for one in ("sql-tls", "dns-ttl", "sql-edition")] == [
        *("disabled", "advisory", "mandatory")
    ]


def test_production_switches_off_only_what_is_not_adopted() -> None:
    assert harness.disabled("production") == {one.id for one in RULES if not one.adopted}


def test_the_table_has_every_rule() -> None:
    text = table.table()
    for concern, rules in CONCERNS.items():
        assert f"### {concern}" in text
        for one in rules:
            assert text.count(f"[`{one.id}`]") == 1


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
    return exceptions.read(frozenset(one.id for one in RULES), file)


def _open_to_the_world(resources: list[Resource]) -> Resource:
    broken = instance(resources).broken(
        Mutation(("settings", "ipConfiguration", "ipv4Enabled"), True)
    )
    assert broken is not None
    return broken


def _judged(read: exceptions.Exceptions, resource: Resource, production: Recording) -> list[str]:
    serving = servicer(exceptions=read)
    found = evaluate(serving, resource)
    found += [
        one
        for one in harness.evaluate_stack(serving, production.whole)
        if one.policyName == "exceptions"
    ]
    return [f"{one.policyName}: {one.message}" for one in found if one.policyName in SHOWN]


SHOWN: Final = ("sql-no-public-address", "exceptions")


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (1, []),
        (0, []),
        (-1, ["sql-no-public-address: ", "expired on"]),
        (366, ["sql-no-public-address: ", "for more than 365 days"]),
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
    assert not read.wrong
    found = _judged(read, resource, production)
    assert len(found) == len(expected)
    for text, part in zip(found, expected, strict=True):
        assert part in text


def test_an_exception_that_nothing_needs_is_a_violation(
    tmp_path: Path, resources: list[Resource], production: Recording
) -> None:
    resource = instance(resources)
    read = _exceptions(tmp_path, ENTRY.format(urn=resource.urn, expires=TODAY))
    (found,) = _judged(read, resource, production)
    assert "is not needed any more" in found
    elsewhere = resource.urn.replace("production", "staging", 1)
    read = _exceptions(tmp_path, ENTRY.format(urn=elsewhere, expires=TODAY))
    assert not _judged(read, resource, production)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- rule: sql-no-public-address\n", "exactly these keys"),
        (ENTRY.format(urn="postgres-instance", expires=TODAY), "whole URN"),
        (ENTRY.format(urn="urn:pulumi:production::pull::a::b", expires="soon"), "expires"),
        (ENTRY.replace("sql-no", "sql-na").format(urn="x", expires=TODAY), "names a rule"),
        (
            ENTRY.replace("platform@pull.com", "''").format(
                urn="urn:pulumi:p::p::a::b", expires=TODAY
            ),
            "owner",
        ),
        (2 * ENTRY.format(urn="urn:pulumi:production::pull::a::b", expires=TODAY), "twice"),
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
    found = _judged(read, _open_to_the_world(resources), production)
    assert any(one.startswith("sql-no-public-address") for one in found)
    assert any(one.startswith("exceptions") and reason in one for one in found), found


def test_the_exceptions_in_the_repository_are_well_formed() -> None:
    assert not exceptions.read(frozenset(one.id for one in RULES)).wrong


def test_a_demand_refuses_what_it_says_it_refuses() -> None:
    for one in RESOURCE_RULES:
        for check in one.checks:
            if isinstance(check, Must):
                assert not [value for value in check.demand.refused if check.demand.accepts(value)]

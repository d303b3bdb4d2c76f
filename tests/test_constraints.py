"""What the platforms accept: the constraints refuse mistakes, and nothing that is accepted."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from policies.rules.accepted_values import RULES, UNUSED
from resource_types import gcp
from resource_types.cel import is_expression
from resource_types.constraints import CONSTRAINTS, GROUPS
from resource_types.constraints.gcp.iam import PREDEFINED_ROLES
from resource_types.constraints.gcp.sql import POSTGRES_FLAGS
from resource_types.constraints.primitives import Combination, Constraint, Inputs, Rejection
from sandbox.accepted import rejections as sandbox_rejections
from sandbox.models import model_of
from sandbox.resource import Resource
from sandbox.schema import CheckFailure, Shape, check, schema_of
from sandbox.values import UNKNOWN, Properties
from tests.late_failures import GOOD, MISTAKES, VARIANTS, changed, label
from tests.policy_fixtures import GOOD as POLICY_FIXTURES
from tests.policy_harness import put
from tests.recorder import Secret, estate

# The SDKs warn about deprecated names while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of")

SETTINGS: Final = {"project": "pull", "region": "us-central1"}


def rejections(token: str, inputs: Properties) -> list[Rejection]:
    return [
        rejection
        for constraint in CONSTRAINTS.get(token, ())
        for rejection in constraint.rejections(Inputs(inputs))
    ]


def failures(token: str, inputs: dict[str, Any]) -> Iterator[CheckFailure]:
    """What the sandbox answers in a preview or in the middle of an ``up``."""
    model = model_of(token)
    checked, wrong = check(inputs, schema_of(token).inputs)
    yield from wrong
    if not wrong:
        resource = Resource(checked, SETTINGS)
        yield from sandbox_rejections(token, resource)
        for check_inputs in (*model.checked_at_preview, *model.checked_at_apply):
            yield from check_inputs(resource)


# -- Every constraint ------------------------------------------------------------------------------


def nested(path: str, value: Any) -> Properties:
    """An object that has ``value`` at ``path``, with one element in each list."""
    name, _, rest = path.partition(".")
    inner = nested(rest, value) if rest else value
    return {name.removesuffix("[]"): [inner] if name.endswith("[]") else inner}


def all_constraints() -> Iterator[tuple[str, Constraint | Combination]]:
    for group in GROUPS.values():
        for token, constraints in group.items():
            for constraint in constraints:
                yield token, constraint


def test_every_constraint_refuses_its_mistakes() -> None:
    for token, constraint in all_constraints():
        if isinstance(constraint, Constraint):
            assert constraint.values.refused, (token, constraint.path)
            for value in constraint.values.refused:
                found = rejections(token, nested(constraint.path, value))
                assert constraint.values.expected in {expected for _, expected in found}, (
                    token,
                    constraint.path,
                    value,
                )


def good_resources() -> Iterator[tuple[str, Properties]]:
    yield from GOOD.values()
    yield from POLICY_FIXTURES


def changes(constraint: Constraint | Combination) -> Iterator[tuple[str, Any]]:
    if isinstance(constraint, Combination):
        yield from constraint.refused
    else:
        yield from ((constraint.path, value) for value in constraint.values.refused)


CHANGES: Final = [
    pytest.param(token, constraint, path, value, id=f"{token.split(':')[2]}-{path}-{value}"[:60])
    for token, constraint in all_constraints()
    if not token.startswith("gcp:")
    for path, value in changes(constraint)
]
"""Those of Google are mutants in ``test_policies_mutation.py``."""


@pytest.mark.parametrize(("token", "constraint", "path", "value"), CHANGES)
def test_a_changed_resource_is_refused(
    token: str, constraint: Constraint | Combination, path: str, value: Any
) -> None:
    good = next(inputs for other, inputs in good_resources() if other == token)
    keys: tuple[str | int, ...] = ()
    for step in filter(None, path.replace("[]", ".[]").split(".")):
        keys = (*keys, 0 if step == "[]" else step)
        if step == "[]" and not list(Inputs(good).values_at(f"{_pattern(keys[:-1])}[]")):
            good = put(good, keys[:-1], [{}]) or good
    mutant = put(good, keys, value)
    assert mutant is not None
    assert list(constraint.rejections(Inputs(mutant)))


def _pattern(keys: tuple[str | int, ...]) -> str:
    return ".".join(map(str, keys)).replace(".0", "[]")


@pytest.mark.parametrize("token", sorted(CONSTRAINTS))
def test_every_path_is_an_input_of_the_sdk(token: str) -> None:
    """A misspelled path would never refuse anything."""
    common = GROUPS["google"].get(token, ())
    for constraint in CONSTRAINTS[token]:
        paths = [constraint.path] if isinstance(constraint, Constraint) else constraint.paths
        assert paths
        for path in paths if constraint not in common else ():
            assert has(schema_of(token).inputs, path), path


def has(shape: Shape, path: str) -> bool:
    for step in path.replace("[]", "").split("."):
        while shape.element is not None and step not in shape.fields:
            shape = shape.element
        if step not in shape.fields:
            # The two forms of a grant share their constraints.
            return step in {"member", "members"}
        shape = shape.fields[step]
    return True


def test_no_text_contains_a_value() -> None:
    for token, constraint in all_constraints():
        for path, _ in changes(constraint):
            inputs = nested(path, "hunter2") if path else {}
            assert "hunter2" not in str(list(constraint.rejections(Inputs(inputs)))), token


def test_each_type_has_a_policy() -> None:
    assert {token for rule in (*RULES, *UNUSED) for token in rule.types} == CONSTRAINTS.keys()


# -- What is accepted ------------------------------------------------------------------------------


@pytest.mark.parametrize(("token", "inputs"), POLICY_FIXTURES)
def test_the_resources_of_other_tests_are_accepted(token: str, inputs: dict[str, Any]) -> None:
    assert not list(sandbox_rejections(token, Resource(inputs, SETTINGS)))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"runtime": "both"},
        {
            "pulumi_cloud": {
                "organization": "pull",
                "events_url": "https://api.pull.com/hooks/pulumi",
            }
        },
        {
            "api": {"secrets": "inherit"},
            "web": {"release": {"ref": "3f2c1ab"}, "sensitive_variables": True},
        },
    ],
    ids=str,
)
@pytest.mark.parametrize("stack", ["staging", "production"])
def test_the_estate_is_accepted(stack: Any, settings: dict[str, Any]) -> None:
    for recorded in estate(stack, **settings).resources:
        if not recorded.type.startswith("kubernetes:"):
            resource = Resource(_computed(recorded.inputs), SETTINGS)
            assert not list(sandbox_rejections(recorded.type, resource)), recorded.name


def _computed(value: Any) -> Any:
    """The inputs with ``UNKNOWN`` for secrets and the recorder's placeholders of outputs."""
    if isinstance(value, Mapping):
        return {name: _computed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_computed(item) for item in value]
    is_output = isinstance(value, str) and re.search(r"<.+\..+>", value)
    return UNKNOWN if is_output or isinstance(value, Secret) else value


def each_replaced(inputs: Properties, value: Any) -> Iterator[None]:
    """Puts ``value`` in the place of each value in ``inputs``, at any depth, one after another."""

    def replace_in(node: Any) -> Iterator[None]:
        for key, present in list(node.items() if isinstance(node, dict) else enumerate(node)):
            node[key] = value
            yield
            node[key] = present
            if isinstance(present, dict | list):
                yield from replace_in(present)

    yield from replace_in(inputs)


def test_nothing_is_required_of_values_that_are_not_known() -> None:
    recorded = estate("production", runtime="both").resources
    of_estate = {resource.type: _computed(resource.inputs) for resource in recorded}
    rejected = {
        (token, failure.path, failure.reason)
        for token, inputs in (*copy.deepcopy(list(good_resources())), *of_estate.items())
        if not token.startswith("kubernetes:")
        for _ in each_replaced(inputs, UNKNOWN)
        for failure in sandbox_rejections(token, Resource(inputs, SETTINGS))
    }
    assert not rejected


@pytest.mark.parametrize("odd", [None, 7, "", [], {}, [[]], {"a": None}, True, [None]], ids=repr)
def test_no_shape_of_a_value_breaks_a_check(odd: Any) -> None:
    for token, inputs in copy.deepcopy(list(good_resources())):
        for _ in each_replaced(inputs, odd):
            rejections(token, inputs)


# -- Mistakes and variants of single resources -----------------------------------------------------


@pytest.mark.parametrize("mistake", MISTAKES, ids=label)
def test_a_mistake_is_refused(mistake: tuple[str, str, Any]) -> None:
    assert list(failures(*changed(*mistake)))


@pytest.mark.parametrize("name", GOOD)
def test_a_good_resource_is_accepted(name: str) -> None:
    assert not list(failures(*GOOD[name]))


@pytest.mark.parametrize("variant", VARIANTS, ids=label)
def test_another_right_value_is_accepted(variant: tuple[str, str, Any]) -> None:
    assert not list(failures(*changed(*variant)))


def test_a_failure_does_not_show_the_value() -> None:
    resource = Resource({"secretData": "hidden" * 20000}, {})
    (failure,) = sandbox_rejections(gcp.SECRET_VERSION, resource)
    assert failure.reason == "expected at most 65536 bytes"


# -- Google Cloud ----------------------------------------------------------------------------------

WIF: Final = gcp.WORKLOAD_IDENTITY_POOL_PROVIDER
GRANT: Final = gcp.SECRET_IAM.member
RUN: Final = gcp.RUN_SERVICE
SQL: Final = gcp.SQL_INSTANCE
DIGEST: Final = "@sha256:" + "0" * 64

GOOGLE_MISTAKES: Final[list[tuple[str, Properties, str]]] = [
    (GRANT, {"role": "roles/secretmanager.secretAcessor"}, "role"),
    (GRANT, {"role": "secretmanager.secretAccessor"}, "role"),
    (GRANT, {"member": "serviceAccount:pull-api"}, "member"),
    (GRANT, {"condition": {"title": "t", "expression": "a = 1"}}, "condition.expression"),
    (gcp.BUCKET_IAM.binding, {"members": ["allUsers", "bob@pull.com"]}, "members[1]"),
    (WIF, {"attributeCondition": "assertion.ref == "}, "attributeCondition"),
    (
        WIF,
        {
            "oidc": {"issuerUri": "https://a.com"},
            "attributeMapping": {"attribute.a": "assertion.a"},
        },
        "attributeMapping",
    ),
    (gcp.SECRET, {"rotation": {"rotationPeriod": "7776000s"}}, "rotation"),
    (gcp.SECRET, {"ttl": "3600s", "expireTime": "2030-01-01T00:00:00Z"}, "ttl"),
    (gcp.SECRET, {"replication": {"auto": {}, "userManaged": {"replicas": []}}}, "replication"),
    (gcp.SECRET_VERSION, {"secretData": "ä" * 40000}, "secretData"),
    (gcp.CRYPTO_KEY, {"purpose": "MAC", "rotationPeriod": "7776000s"}, "rotationPeriod"),
    (
        SQL,
        {"settings": {"availabilityType": "REGIONAL"}},
        "settings.backupConfiguration.enabled",
    ),
    (
        SQL,
        {"settings": {"backupConfiguration": {"pointInTimeRecoveryEnabled": True}}},
        "settings.backupConfiguration.enabled",
    ),
    (
        SQL,
        {"region": "us-central1", "settings": {"locationPreference": {"zone": "us-east1-b"}}},
        "settings.locationPreference.zone",
    ),
    (
        SQL,
        {"settings": {"databaseFlags": [{"name": "max_conections", "value": "1"}]}},
        "settings.databaseFlags[0].name",
    ),
    (
        SQL,
        {"settings": {"databaseFlags": [{"name": "work_mem", "value": "64MB"}]}},
        "settings.databaseFlags[0].value",
    ),
    (gcp.REDIS_INSTANCE, {"tier": "BASIC", "replicaCount": 2}, "tier"),
    (
        gcp.REDIS_INSTANCE,
        {"tier": "STANDARD_HA", "readReplicasMode": "READ_REPLICAS_ENABLED", "memorySizeGb": 1},
        "memorySizeGb",
    ),
    (
        gcp.REDIS_INSTANCE,
        {"tier": "STANDARD_HA", "locationId": "us-east1-b", "alternativeLocationId": "us-east1-b"},
        "alternativeLocationId",
    ),
    (RUN, {"name": "api", "template": {"revision": "api-" + "x" * 81}}, "template.revision"),
    (
        RUN,
        {
            "location": "us-central1",
            "template": {"vpcAccess": {"connector": "projects/p/locations/us-east1/connectors/c"}},
        },
        "template.vpcAccess.connector",
    ),
    (
        RUN,
        {"template": {"containers": [{"startupProbe": {"timeoutSeconds": 11, "tcpSocket": {}}}]}},
        "template.containers[0].startupProbe.timeoutSeconds",
    ),
    (
        RUN,
        {"template": {"containers": [{"volumeMounts": [{"name": "a", "mountPath": "/a"}]}]}},
        "template.containers[0].volumeMounts[0].name",
    ),
    (
        gcp.RUN_JOB,
        {"template": {"template": {"timeout": "604801s"}}},
        "template.template.timeout",
    ),
    (gcp.ROUTER_NAT, {"natIpAllocateOption": "MANUAL_ONLY"}, "natIps"),
    (gcp.FIREWALL, {"allows": [{"protocol": "icmp", "ports": ["22"]}]}, "allows[0].ports"),
    (gcp.FIREWALL, {"denies": [{"protocol": "tcp", "ports": ["9-1"]}]}, "denies[0].ports[0]"),
    (gcp.GKE_CLUSTER, {"databaseEncryption": {"state": "ENCRYPTED"}}, "databaseEncryption.keyName"),
    (gcp.UPTIME_CHECK, {"period": "120s"}, "period"),
    (
        gcp.ALERT_POLICY,
        {"conditions": [{"conditionThreshold": {"duration": "90s"}}]},
        "conditions[0].conditionThreshold.duration",
    ),
]


@pytest.mark.parametrize(("token", "inputs", "path"), GOOGLE_MISTAKES)
def test_google_refuses_a_mistake(token: str, inputs: Properties, path: str) -> None:
    assert path in {found for found, _ in rejections(token, inputs)}


ACCEPTED: Final[list[tuple[str, str, tuple[Any, ...]]]] = [
    (
        GRANT,
        "role",
        (
            "roles/viewer",
            "roles/bigquery.dataViewer",
            "roles/cloudbuild.builds.builder",
            "projects/pull-production/roles/secretReader",
            "organizations/123/roles/secret.reader_2",
            *(
                f"roles/{service}.{role}"
                for service, roles in PREDEFINED_ROLES.items()
                for role in roles.split()
            ),
        ),
    ),
    (
        GRANT,
        "member",
        (
            "allUsers",
            "user:ada.l+x@pull.com",
            "group:sre@pull.co.uk",
            "domain:pull.com",
            "projectOwner:pull-production",
            "serviceAccount:pull-api@pull-production.iam.gserviceaccount.com",
            "serviceAccount:100000000001-compute@developer.gserviceaccount.com",
            "serviceAccount:service-1@gcp-sa-secretmanager.iam.gserviceaccount.com",
            "serviceAccount:pull-production@appspot.gserviceaccount.com",
            "serviceAccount:pull-production.svc.id.goog[pull/api]",
            "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a-b"
            "/subject/repo:pull/pull:ref:refs/heads/main",
            "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p"
            "/attribute.job/production:release:reviewed",
            "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*",
        ),
    ),
    (
        GRANT,
        "condition.expression",
        (
            'request.time < timestamp("2026-12-01T00:00:00Z")',
            "resource.name.startsWith('projects/_/buckets/pull')",
            "resource.matchTag('1/env', 'prod') && !resource.service.endsWith('x')",
        ),
    ),
    (
        WIF,
        "attributeCondition",
        (
            "assertion.repository == 'pull/pull'",
            "assertion.repository_owner_id == '1' && assertion.ref in ['refs/heads/main', 'x']",
            "has(assertion.environment) ? assertion.environment == 'production' : false",
        ),
    ),
    (
        gcp.SECRET,
        "labels",
        ({}, {"team": ""}, {"team_1-a": "über-1"}, {"a" * 63: "b" * 63}),
    ),
    (gcp.KEY_RING, "location", ("global", "us", "europe", "europe-west4", "nam6")),
    (gcp.CRYPTO_KEY, "rotationPeriod", ("86400s", "7776000s", "31536000s")),
    (gcp.TOPIC, "name", ("pull-production-secret-rotation", "Pull.Topic_1~%2B")),
    (SQL, "region", ("europe-west12", "northamerica-south1", "me-central2")),
    (SQL, "databaseVersion", ("POSTGRES_16", "POSTGRES_18", "POSTGRES_9_6", "MYSQL_8_0_36")),
    (SQL, "settings.tier", ("db-custom-2-7680", "db-f1-micro", "db-perf-optimized-N-8")),
    (SQL, "settings.tier", ("db-c4a-highmem-4", "db-custom-96-638976", "db-custom-1-3840")),
    (SQL, "clone.pointInTime", ("2024-02-29T10:00:00.000Z", "2025-01-25T10:00:00+01:00")),
    (gcp.REDIS_INSTANCE, "redisVersion", ("REDIS_6_X", "REDIS_7_2")),
    (gcp.REDIS_INSTANCE, "redisConfigs", ({"maxmemory-policy": "noeviction"},)),
    (gcp.REDIS_INSTANCE, "locationId", ("us-central1-f", "europe-west1-d", "asia-east2-a")),
    (
        gcp.BUCKET,
        "name",
        ("pull-production-backups", "pull.com", "a1b", "x" * 63, "pull_backups", "go-ogle"),
    ),
    (gcp.BUCKET, "location", ("US", "eu", "NAM4", "EUROPE-WEST4")),
    (RUN, "template.containers[].image", ("gcr.io/p/a:1", f"europe.gcr.io/p/a{DIGEST}")),
    (RUN, "template.containers[].image", (f"us-docker.pkg.dev/p/r/a:1{DIGEST}", "nginx:1.29")),
    (RUN, "template.containers[].image", ("us-central1-docker.pkg.dev/p/r/sub/a", "grafana/k6:1")),
    (RUN, "template.serviceAccount", ("a@pull-production.iam.gserviceaccount.com",)),
    (RUN, "template.timeout", ("1s", "3600s")),
    (RUN, "template.containers[].envs[].name", ("GOOGLE_CLOUD_PROJECT", "PORT_2", "my.var-1")),
    (RUN, "template.containers[].resources.limits", ({"cpu": "1000m", "memory": "512Mi"},)),
    (RUN, "template.containers[].resources.limits", ({"cpu": "0.5", "memory": "1Gi"}, {})),
    (RUN, "template.containers[].resources.limits", ({"cpu": "8", "memory": "32Gi"},)),
    (RUN, "template.annotations", ({"pull.com/generation": "1", "client.knative.dev/x": "y"},)),
    (RUN, "traffics", ([], [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}])),
    (
        gcp.REPOSITORY,
        "repositoryId",
        ("gcr.io", "us.gcr.io", "pull-images", "x" * 63),
    ),
    (gcp.REPOSITORY, "location", ("us", "europe", "europe-west4")),
    (gcp.REPOSITORY, "cleanupPolicies[].condition.olderThan", ("2592000s", "30d")),
    (gcp.SUBNETWORK, "ipCidrRange", ("10.10.0.0/20", "172.16.0.0/12", "100.64.0.0/10")),
    (gcp.FIREWALL, "denies", ([{"protocol": "tcp", "ports": ["22", "5000-6000"]}],)),
    (gcp.FIREWALL, "allows", ([{"protocol": "all"}], [{"protocol": "58"}])),
    (gcp.PROJECT_SERVICE, "service", ("run.googleapis.com", "sql-component.googleapis.com")),
    (gcp.GKE_CLUSTER, "location", ("us-central1", "europe-west1-d")),
    (gcp.MANAGED_SSL_CERTIFICATE, "managed.domains[]", ("api-cluster.pull.com", "pull.com.")),
    (gcp.UPTIME_CHECK, "period", ("60s", "900s")),
]


@pytest.mark.parametrize(("token", "path", "values"), ACCEPTED)
def test_what_google_accepts_passes(token: str, path: str, values: tuple[Any, ...]) -> None:
    for value in values:
        found = [expected for _, expected in rejections(token, nested(path, value))]
        # What a combination needs besides this value is not set here.
        single = [c for c in CONSTRAINTS[token] if isinstance(c, Constraint)]
        assert not {constraint.values.expected for constraint in single}.intersection(found), value


@pytest.mark.parametrize("name", POSTGRES_FLAGS)
def test_a_flag_has_values_that_pass_and_values_that_do_not(name: str) -> None:
    def found(value: str) -> list[Rejection]:
        flags = {"databaseFlags": [{"name": name, "value": value}]}
        return rejections(SQL, {"databaseVersion": "POSTGRES_16", "settings": flags})

    allowed = POSTGRES_FLAGS[name]
    if isinstance(allowed, str):
        assert not any(map(found, allowed.split()))
        assert found("maybe")
    elif allowed is not None:
        assert not any(found(f"{limit}") for limit in allowed)
        assert found(f"{allowed[0] - 1}")
        assert found("several")


def test_the_syntax_of_an_expression_is_checked() -> None:
    assert is_expression("assertion.sub.extract('/{name}@') + (a == 'b' ? ':x' : ':y')")
    assert not is_expression("assertion.sub + ")
    assert not is_expression(None)

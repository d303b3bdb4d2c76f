"""What Google Cloud accepts, by resource type.

A mistake in one of these values passes the provider's own preview, and the API rejects it in the
middle of an ``up``. Names of Google's that may become more, such as regions, are as of 2026-11: add
what is missing. Where a limit is not certain, it is not here.
"""

from __future__ import annotations

import difflib
import ipaddress
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from resource_types import gcp, limits
from resource_types.cel import is_expression
from resource_types.constraints import (
    TIME_OF_DAY,
    TIMESTAMP,
    Combination,
    Constraint,
    Inputs,
    Rejection,
    Values,
    choice,
    duration,
    integer,
    ip_range,
    is_number,
    items,
    length,
    map_of,
    member_of,
    network_of,
    number,
    text,
)
from resource_types.record import RESOURCE_TYPES, GrantTypes

Accepted = Constraint | Combination
Table = Mapping[str, tuple[Accepted, ...]]

_DAY: Final = 86400

# -- What several types share ----------------------------------------------------------------------

REGION: Final = member_of(
    limits.REGIONS, "a region of Google Cloud, such as us-central1", "us-central9", "US-CENTRAL1"
)
ZONE: Final = member_of(
    limits.ZONES, "a zone of Google Cloud, such as us-central1-a", "us-central1-d", "us-central1"
)

_EMAIL: Final = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
_PROJECT: Final = r"([a-z0-9.-]+:)?[a-z][-a-z0-9]{4,28}[a-z0-9]"

PROJECT: Final = text(
    _PROJECT,
    "a project id: 6 to 30 of a-z, 0-9 and -, starting with a letter and not ending in -",
    *("Pull-Production", "pull", "pull_production", "pull-production-"),
)

# https://cloud.google.com/resource-manager/docs/labels-overview#requirements
_LABEL_CHARACTER: Final = r"(?:[^\WA-Z]|-)"
LABELS: Final = map_of(
    rf"(?!goog|[\d_-]){_LABEL_CHARACTER}{{1,63}}",
    rf"{_LABEL_CHARACTER}{{0,63}}",
    "up to 64 labels: keys of 1 to 63 lower-case letters, digits, _ and -, starting with a letter "
    "and not with goog; values of up to 63 of the same characters",
    *({"Team": "x"}, {"team": "Pull Backend"}, {"goog-team": "x"}, {"1": "x"}, {"a": "x" * 64}),
)

# https://cloud.google.com/compute/docs/naming-resources
COMPUTE_NAME: Final = text(
    r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?",
    "up to 63 of a-z, 0-9 and -, starting with a letter and not ending in -",
    *("Pull", "1pull", "pull_production", "pull-", "x" * 64),
)


def _lower_case_name(maximum: int) -> Values:
    return text(
        rf"[a-z](?:[-a-z0-9]{{0,{maximum - 2}}}[a-z0-9])?",
        f"up to {maximum} of a-z, 0-9 and -, starting with a letter and not ending in -",
        *("Pull", "1pull", "pull_production", "pull-", "x" * (maximum + 1)),
    )


CEL: Final = Values(
    "an expression in the Common Expression Language (CEL)",
    is_expression,
    ("assertion.repository = 'pull/pull'", "assertion.repository ==", "'pull", "a && && b"),
)

KEY: Final = text(
    r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+(/cryptoKeyVersions/\d+)?",
    "a key: projects/<project>/locations/<location>/keyRings/<ring>/cryptoKeys/<key>",
    *("backups", "projects/p/locations/us/keyRings/r"),
)

_ACCOUNT_EMAIL: Final = text(
    r"[a-z0-9][-a-z0-9.]*@[-a-z0-9.]+\.gserviceaccount\.com|default",
    "the e-mail address of a service account",
    *("pull-api", "serviceAccount:a@pull.iam.gserviceaccount.com", "person@pull.com"),
)


def _is_range(value: Any) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True


ANY_RANGE: Final = Values(
    "an address or a range of addresses in CIDR notation",
    _is_range,
    ("0.0.0.0/33", "10.0.0.999", "everyone"),
)


def _at(path: str, values: Values) -> tuple[Constraint, ...]:
    return (Constraint(path, values),)


def _each(values: Values, *paths: str) -> tuple[Constraint, ...]:
    return tuple(Constraint(path, values) for path in paths)


def _exclusive(path: str, names: tuple[str, ...], refused: Any) -> Combination:
    """Exactly one of ``names`` is set at ``path``."""
    expected = f"exactly one of {', '.join(names)}"

    def check(inputs: Inputs) -> Iterator[Rejection]:
        for found_path, found in inputs.values_at(path):
            if (
                isinstance(found, Mapping)
                and sum(found.get(name) is not None for name in names) != 1
            ):
                yield Rejection(found_path, expected)

    return Combination(
        check, tuple(f"{path}.{name}".strip(".") for name in names), ((path, refused),)
    )


def _unique(path: str, key: str, refused: Any) -> Combination:
    """The elements of the list at ``path`` have different values of ``key``."""

    def check(inputs: Inputs) -> Iterator[Rejection]:
        for found_path, elements in inputs.values_at(path):
            known = [element.get(key) for element in elements if isinstance(element, Mapping)]
            for name, count in Counter(name for name in known if isinstance(name, str)).items():
                if count > 1:
                    yield Rejection(found_path, f"{name} once")

    return Combination(check, (f"{path}[].{key}",), ((path, refused),))


def _with_zone_of(region: str, *zones: str) -> Combination:
    """The zones are in the region."""

    def check(inputs: Inputs) -> Iterator[Rejection]:
        own = inputs.get(region)
        for pattern in zones:
            for path, zone in inputs.values_at(pattern):
                if own and not str(zone).startswith(f"{own}-"):
                    yield Rejection(path, f"a zone of {own}, which is in {region}")

    return Combination(check, (region, *zones), tuple((zone, "asia-east2-a") for zone in zones))


# -- IAM -------------------------------------------------------------------------------------------

PREDEFINED_ROLES: Final[Mapping[str, str]] = {
    "artifactregistry": "admin containerRegistryMigrationAdmin createOnPushRepoAdmin "
    "createOnPushWriter reader repoAdmin serviceAgent writer",
    "cloudsql": "admin client editor instanceUser schemaViewer serviceAgent studioUser viewer",
    "pubsub": "admin editor publisher serviceAgent subscriber viewer",
    "redis": "admin dbConnectionUser editor serviceAgent viewer",
    "run": "admin builder developer invoker jobsExecutor jobsExecutorWithOverrides serviceAgent "
    "servicesInvoker sourceDeveloper sourceViewer viewer",
    "secretmanager": "admin secretAccessor secretVersionAdder secretVersionManager serviceAgent "
    "viewer",
    "serviceusage": "apiKeysAdmin apiKeysViewer serviceUsageAdmin serviceUsageConsumer "
    "serviceUsageViewer",
    "storage": "admin bucketViewer expressModeServiceInput expressModeServiceOutput "
    "expressModeUserAccess folderAdmin hmacKeyAdmin insightsCollectorService legacyBucketOwner "
    "legacyBucketReader legacyBucketWriter legacyObjectOwner legacyObjectReader objectAdmin "
    "objectCreator objectUser objectViewer",
    "vpcaccess": "admin serviceAgent user viewer",
}
"""The predefined roles of services that have few, as of 2026-11.

https://cloud.google.com/iam/docs/roles-permissions
"""

_ROLE: Final = re.compile(
    r"roles/(?:(owner|editor|viewer|browser)|(?P<service>[a-z][a-z0-9_]*)\.(?P<name>[A-Za-z]"
    r"[A-Za-z0-9._]*))|(projects|organizations)/[a-z0-9][-a-z0-9.:]*/roles/[A-Za-z0-9_.]{3,64}"
)


def _is_role(value: Any) -> bool:
    found = _ROLE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return False
    known = PREDEFINED_ROLES.get(found["service"] or "")
    return known is None or found["name"] in known.split()


ROLE: Final = Values(
    "a role that exists, such as roles/run.invoker or projects/<project>/roles/<id>",
    _is_role,
    (
        *("run.invoker", "roles/run/invoker", "roles/Owner", "roles/", "Cloud Run Invoker"),
        *(f"roles/{service}.{names.split()[0]}s" for service, names in PREDEFINED_ROLES.items()),
    ),
)

# https://cloud.google.com/iam/docs/principal-identifiers
_POOL: Final = (
    r"iam\.googleapis\.com/(projects/\d+/locations/global/workloadIdentityPools/[-a-z0-9]+"
    r"|locations/global/workforcePools/[-a-z0-9]+)"
)
MEMBER: Final = text(
    rf"allUsers|allAuthenticatedUsers|(user|group):{_EMAIL}"
    rf"|serviceAccount:([-a-z0-9.]+@[-a-z0-9.]+\.gserviceaccount\.com|{_PROJECT}\.svc\.id\.goog"
    r"\[[^/\]]+/[^/\]]+\])"
    r"|domain:[a-z0-9-]+(\.[a-z0-9-]+)+|project(Owner|Editor|Viewer):[-a-z0-9.:]+"
    rf"|principal://{_POOL}/subject/.+"
    rf"|principalSet://{_POOL}/(\*|group/.+|attribute\.[a-z0-9_]+/.+)"
    r"|principalSet://cloudresourcemanager\.googleapis\.com/.+"
    r"|principal(Set)?://(goog|agents\.global)/?.+|deleted:.+",
    "a principal, such as serviceAccount:name@project.iam.gserviceaccount.com",
    *("pull-api@pull.iam.gserviceaccount.com", "serviceAccount:pull-api", "user:someone"),
    *("serviceaccount:a@b.iam.gserviceaccount.com", "allusers", "group:pull"),
    "principalSet://iam.googleapis.com/projects/pull/locations/global/workloadIdentityPools/x/*",
    "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/x/a/b",
)

_CONDITION: Final = (
    *_at("condition.expression", CEL),
    *_at("condition.title", text(r".{1,100}", "a title of 1 to 100 characters", "", "x" * 101)),
)

_GRANTS: Final[Table] = {
    token: (
        *_at("role", ROLE),
        *_at("member", MEMBER),
        *_at("members[]", MEMBER),
        *_CONDITION,
    )
    for forms in vars(gcp).values()
    if isinstance(forms, GrantTypes)
    for token in (forms.member, forms.binding)
}

_POOL_ID: Final = text(
    r"(?!gcp-)[a-z0-9-]{4,32}",
    "4 to 32 of a-z, 0-9 and -, not starting with gcp-",
    *("gcp-pull", "Pull", "abc", "pull_pool", "x" * 33),
)


def _attribute_mapping(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/iam/docs/workload-identity-federation#mapping"""
    for path, mapping in inputs.values_at("attributeMapping"):
        if inputs.get("oidc") is not None and "google.subject" not in mapping:
            yield Rejection(path, "a mapping for google.subject")
        for name, expression in mapping.items():
            if not re.fullmatch(r"google\.[a-z_]+|attribute\.[a-z0-9_]{1,100}", name):
                yield Rejection(path, f"google.<name> or attribute.<name> in the place of {name}")
            elif isinstance(expression, str) and not (
                len(expression) <= 2048 and is_expression(expression)
            ):
                yield Rejection(path, f"an expression (CEL) of up to 2048 characters for {name}")


_IDENTITY: Final[Table] = {
    gcp.SERVICE_ACCOUNT: (
        # https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts/create
        *_at(
            "accountId",
            text(
                r"[a-z][-a-z0-9]{4,28}[a-z0-9]",
                "6 to 30 of a-z, 0-9 and -, starting with a letter and not ending in -",
                *("pull", "Pull-api", "pull_api_x", "pull-api-", "x" * 31),
            ),
        ),
        *_at("displayName", length(100, unit="bytes")),
        *_at("description", length(256, unit="bytes")),
    ),
    gcp.WORKLOAD_IDENTITY_POOL: (
        *_at("workloadIdentityPoolId", _POOL_ID),
        *_at("displayName", length(32)),
        *_at("description", length(256)),
    ),
    gcp.WORKLOAD_IDENTITY_POOL_PROVIDER: (
        *_at("workloadIdentityPoolProviderId", _POOL_ID),
        *_at("displayName", length(32)),
        *_at("description", length(256)),
        *_at("attributeCondition", CEL),
        *_at("attributeCondition", length(4096)),
        *_at(
            "oidc.issuerUri",
            text(
                r"https://[a-z0-9.-]+(:\d+)?(/[^?#\s]*)?",
                "an https:// URL without a query and a fragment",
                *("http://token.actions.githubusercontent.com", "token.actions.example.com"),
            ),
        ),
        *_at("oidc.allowedAudiences[]", length(256)),
        *_at("oidc.allowedAudiences", items(0, 10)),
        _exclusive("", ("aws", "oidc", "saml", "x509"), {"oidc": {}, "aws": {}}),
        Combination(
            _attribute_mapping,
            ("attributeMapping",),
            (
                ("attributeMapping", {"attribute.repository": "assertion.repository"}),
                ("attributeMapping", {"google.subject": "assertion.sub +"}),
                ("attributeMapping", {"google.subject": "assertion.sub", "repository": "a"}),
            ),
        ),
    ),
    # https://cloud.google.com/service-usage/docs/reference/rest/v1/services
    gcp.AUDIT_CONFIG: (
        *_at(
            "service",
            text(r"allServices|[a-z][a-z0-9.-]*\.googleapis\.com", "allServices or an API", "all"),
        ),
        *_at("auditLogConfigs[].logType", choice("ADMIN_READ", "DATA_READ", "DATA_WRITE")),
    ),
    gcp.PROJECT_SERVICE: _at(
        "service",
        text(
            r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)*\.(googleapis\.com|goog)",
            "the name of an API, such as run.googleapis.com",
            *("run", "Run.googleapis.com", "run.googleapis", "https://run.googleapis.com"),
        ),
    ),
}

# -- Encryption and secrets ------------------------------------------------------------------------

_MULTI_REGIONS_OF_KMS: Final = limits.words(
    "global us eu europe asia asia1 au ca de eur3 eur4 eur5 eur6 eur7 eur8 in it nam3 nam4 "
    "nam6 nam7 nam8 nam9 nam10 nam11 nam12 nam13 nam-eur-asia1"
)
"""https://cloud.google.com/kms/docs/locations"""

_KEY_NAME: Final = text(
    r"[A-Za-z0-9_-]{1,63}",
    "1 to 63 letters, digits, _ and -",
    *("pull.production", "x" * 64, "pull production"),
)


def _rotation_of_key(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/kms/docs/key-rotation#asymmetric"""
    if inputs.get("purpose", "ENCRYPT_DECRYPT") != "ENCRYPT_DECRYPT":
        for path, _ in inputs.values_at("rotationPeriod"):
            yield Rejection(path, "no rotation: only a key for ENCRYPT_DECRYPT rotates")


def _rotation_of_secret(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/secret-manager/docs/secret-rotation"""
    for path, rotation in inputs.values_at("rotation"):
        if not inputs.get("topics"):
            yield Rejection(path, "a topic in topics, which announces the rotation")
        if rotation.get("rotationPeriod") is not None and rotation.get("nextRotationTime") is None:
            yield Rejection(f"{path}.nextRotationTime", "the time of the first rotation")


def _one_expiry(inputs: Inputs) -> Iterator[Rejection]:
    if inputs.get("ttl") is not None and inputs.get("expireTime") is not None:
        yield Rejection("ttl", "either ttl or expireTime")


_SECRETS: Final[Table] = {
    gcp.KEY_RING: (
        *_at("name", _KEY_NAME),
        *_at(
            "location",
            member_of(
                limits.REGIONS | _MULTI_REGIONS_OF_KMS,
                "a location of Cloud KMS, such as global, us or us-central1",
                *("world", "us-central9", "US"),
            ),
        ),
    ),
    # https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys
    gcp.CRYPTO_KEY: (
        *_at("name", _KEY_NAME),
        *_at("rotationPeriod", duration(_DAY, 36500 * _DAY)),
        *_at("destroyScheduledDuration", duration(_DAY, 120 * _DAY)),
        *_at(
            "purpose",
            choice(
                *("ENCRYPT_DECRYPT", "ASYMMETRIC_SIGN", "ASYMMETRIC_DECRYPT", "MAC"),
                *("RAW_ENCRYPT_DECRYPT", "KEY_ENCAPSULATION"),
            ),
        ),
        *_at(
            "versionTemplate.protectionLevel",
            choice("SOFTWARE", "HSM", "EXTERNAL", "EXTERNAL_VPC", "HSM_SINGLE_TENANT"),
        ),
        *_at(
            "versionTemplate.algorithm",
            text(
                r"GOOGLE_SYMMETRIC_ENCRYPTION|EXTERNAL_SYMMETRIC_ENCRYPTION|HMAC_SHA\d+"
                r"|AES_(128|256)_(GCM|CBC|CTR)|(RSA|EC|PQ|ML|KEM)_[A-Z0-9_]+",
                "an algorithm of Cloud KMS, such as GOOGLE_SYMMETRIC_ENCRYPTION",
                *("AES_256", "SYMMETRIC"),
            ),
        ),
        Combination(
            _rotation_of_key, ("purpose", "rotationPeriod"), (("purpose", "ASYMMETRIC_SIGN"),)
        ),
    ),
    # https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets
    gcp.SECRET: (
        *_at(
            "secretId",
            text(
                r"[A-Za-z0-9_-]{1,255}",
                "1 to 255 letters, digits, - and _",
                *("pull.jwt", "pull/jwt", "x" * 256),
            ),
        ),
        *_at("rotation.rotationPeriod", duration(3600, 36500 * _DAY)),
        *_at("rotation.nextRotationTime", TIMESTAMP),
        *_at("expireTime", TIMESTAMP),
        *_at("ttl", duration(1, 36500 * _DAY)),
        *_at("versionDestroyTtl", duration(_DAY, 36500 * _DAY)),
        *_at(
            "topics[].name",
            text(
                r"projects/[^/]+/topics/[^/]+",
                "projects/<project>/topics/<topic>",
                *("pull-secret-rotation", "topics/pull-secret-rotation"),
            ),
        ),
        *_at("replication.userManaged.replicas[].location", REGION),
        *_each(
            KEY,
            "replication.auto.customerManagedEncryption.kmsKeyName",
            "replication.userManaged.replicas[].customerManagedEncryption.kmsKeyName",
        ),
        *_at("topics", items(0, 10)),
        *_at(
            "versionAliases",
            map_of(r"[A-Za-z][\w-]{0,62}", r"\d+", "aliases such as current: 3", {"a b": "1"}),
        ),
        *_at("annotations", map_of(r".+", r".{0,16384}", "up to 16 KiB", {"a": "x" * 16385})),
        _exclusive("replication", ("auto", "userManaged"), {}),
        _unique(
            "replication.userManaged.replicas",
            "location",
            [{"location": "us-central1"}, {"location": "us-central1"}],
        ),
        Combination(
            _rotation_of_secret,
            ("rotation", "topics"),
            (("rotation", {"rotationPeriod": "7776000s"}),),
        ),
        Combination(_one_expiry, ("ttl", "expireTime"), ()),
    ),
    # https://cloud.google.com/secret-manager/quotas#content_limits
    gcp.SECRET_VERSION: _each(length(65536, unit="bytes"), "secretData", "secretDataWo"),
    # https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names
    gcp.TOPIC: (
        *_at(
            "name",
            text(
                r"(?!goog)[A-Za-z][-A-Za-z0-9._~+%]{2,254}",
                "3 to 255 letters, digits and -._~+%, starting with a letter and not with goog",
                *("ab", "google-topic", "1topic", "pull topic", "x" * 256),
            ),
        ),
        *_at("kmsKeyName", KEY),
        *_at("messageRetentionDuration", duration(600, 31 * _DAY)),
        *_at("messageStoragePolicy.allowedPersistenceRegions[]", REGION),
        *_at("schemaSettings.encoding", choice("ENCODING_UNSPECIFIED", "JSON", "BINARY")),
    ),
}

# -- Cloud SQL -------------------------------------------------------------------------------------

DATABASE_VERSION: Final = text(
    r"POSTGRES_(9_6|1[0-8])|MYSQL_(5_6|5_7|8_0(_\d+)?|8_4)"
    r"|SQLSERVER_20(17|19|22|25)_(STANDARD|ENTERPRISE|EXPRESS|WEB)",
    "a version that Cloud SQL has, such as POSTGRES_16",
    *("POSTGRES_99", "POSTGRES_16_1", "postgres_16", "PG16"),
)
"""https://cloud.google.com/sql/docs/postgres/db-versions"""

_WORDS: Final = {
    "level": "debug5 debug4 debug3 debug2 debug1 log notice warning error",
    "server_level": "debug5 debug4 debug3 debug2 debug1 info notice warning error log fatal panic",
}
_ON_OFF: Final = "on off"
_MOST: Final = 2**31 - 1

POSTGRES_FLAGS: Final[Mapping[str, str | tuple[float, float] | None]] = {
    # A text holds the words that are allowed, a pair is a range, and None accepts any text.
    "anon.restrict_to_trusted_schemas": _ON_OFF,
    "auto_explain.log_analyze": _ON_OFF,
    "auto_explain.log_buffers": _ON_OFF,
    "auto_explain.log_format": "text xml json yaml",
    "auto_explain.log_min_duration": (-1, _MOST),
    "auto_explain.log_nested_statements": _ON_OFF,
    "auto_explain.log_timing": _ON_OFF,
    "auto_explain.log_triggers": _ON_OFF,
    "auto_explain.log_verbose": _ON_OFF,
    "auto_explain.sample_rate": (0, 1),
    "autovacuum": _ON_OFF,
    "autovacuum_analyze_scale_factor": (0, 100),
    "autovacuum_analyze_threshold": (0, _MOST),
    "autovacuum_freeze_max_age": (100000, 2000000000),
    "autovacuum_max_workers": (1, 262143),
    "autovacuum_multixact_freeze_max_age": (10000, 2000000000),
    "autovacuum_naptime": (1, 2147483),
    "autovacuum_vacuum_cost_delay": (-1, 100),
    "autovacuum_vacuum_cost_limit": (-1, 10000),
    "autovacuum_vacuum_insert_scale_factor": (0, 100),
    "autovacuum_vacuum_insert_threshold": (-1, _MOST),
    "autovacuum_vacuum_scale_factor": (0, 100),
    "autovacuum_vacuum_threshold": (0, _MOST),
    "autovacuum_work_mem": (-1, _MOST),
    "checkpoint_completion_target": (0, 1),
    "checkpoint_timeout": (30, 86400),
    "checkpoint_warning": (0, _MOST),
    "client_connection_check_interval": (0, _MOST),
    "commit_delay": (0, 100000),
    "commit_siblings": (0, 1000),
    "constraint_exclusion": "partition on off",
    "cpu_index_tuple_cost": (0, 1.8e308),
    "cpu_operator_cost": (0, 1.8e308),
    "cpu_tuple_cost": (0, 1.8e308),
    "cron.database_name": None,
    "cron.log_run": _ON_OFF,
    "cron.log_statement": _ON_OFF,
    "cron.max_running_jobs": (0, 100),
    "cron.timezone": None,
    "cursor_tuple_fraction": (0, 1),
    "deadlock_timeout": (1, _MOST),
    "default_statistics_target": (1, 10000),
    "default_tablespace": None,
    "default_transaction_deferrable": _ON_OFF,
    "default_transaction_isolation": None,
    "default_transaction_read_only": _ON_OFF,
    "effective_cache_size": (1, _MOST),
    "effective_io_concurrency": (0, 1000),
    "force_parallel_mode": "off on regress",
    "from_collapse_limit": (1, _MOST),
    "geqo": _ON_OFF,
    "geqo_effort": (1, 10),
    "geqo_generations": (0, _MOST),
    "geqo_pool_size": (0, _MOST),
    "geqo_seed": (0, 1),
    "geqo_selection_bias": (1.5, 2),
    "geqo_threshold": (2, _MOST),
    "gin_fuzzy_search_limit": (0, _MOST),
    "gin_pending_list_limit": (64, _MOST),
    "hash_mem_multiplier": (1, 1000),
    "hot_standby_feedback": _ON_OFF,
    "huge_pages": "off try on",
    "idle_in_transaction_session_timeout": (0, _MOST),
    "idle_session_timeout": (0, _MOST),
    "jit": _ON_OFF,
    "join_collapse_limit": (1, _MOST),
    "lo_compat_privileges": _ON_OFF,
    "lock_timeout": (0, _MOST),
    "log_autovacuum_min_duration": (-1, _MOST),
    "log_checkpoints": _ON_OFF,
    "log_connections": _ON_OFF,
    "log_disconnections": _ON_OFF,
    "log_duration": _ON_OFF,
    "log_error_verbosity": "terse default verbose",
    "log_executor_stats": _ON_OFF,
    "log_hostname": _ON_OFF,
    "log_line_prefix": None,
    "log_lock_waits": _ON_OFF,
    "log_min_duration_sample": (-1, _MOST),
    "log_min_duration_statement": (-1, _MOST),
    "log_min_error_statement": _WORDS["server_level"],
    "log_min_messages": _WORDS["server_level"],
    "log_parameter_max_length": (-1, _MOST),
    "log_parameter_max_length_on_error": (-1, _MOST),
    "log_parser_stats": _ON_OFF,
    "log_planner_stats": _ON_OFF,
    "log_recovery_conflict_waits": _ON_OFF,
    "log_replication_commands": _ON_OFF,
    "log_statement": "none ddl mod all",
    "log_statement_sample_rate": (0, 1),
    "log_statement_stats": _ON_OFF,
    "log_temp_files": (-1, _MOST),
    "log_timezone": None,
    "log_transaction_sample_rate": (0, 1),
    "logical_decoding_work_mem": (64, _MOST),
    "maintenance_io_concurrency": (0, 1000),
    "maintenance_work_mem": (1024, _MOST),
    "max_connections": (14, 262143),
    "max_files_per_process": (64, _MOST),
    "max_locks_per_transaction": (10, _MOST),
    "max_logical_replication_workers": (0, 262143),
    "max_parallel_maintenance_workers": (0, 1024),
    "max_parallel_workers": (0, 1024),
    "max_parallel_workers_per_gather": (0, 1024),
    "max_pred_locks_per_page": (0, _MOST),
    "max_pred_locks_per_relation": (-_MOST - 1, _MOST),
    "max_pred_locks_per_transaction": (10, _MOST),
    "max_prepared_transactions": (0, 262143),
    "max_replication_slots": (0, 262143),
    "max_slot_wal_keep_size": (-1, _MOST),
    "max_stack_depth": (100, 7680),
    "max_standby_archive_delay": (-1, _MOST),
    "max_standby_streaming_delay": (-1, _MOST),
    "max_sync_workers_per_subscription": (0, 262143),
    "max_wal_senders": (0, 262143),
    "max_wal_size": (2, _MOST),
    "max_worker_processes": (0, 262143),
    "min_parallel_index_scan_size": (0, 715827882),
    "min_parallel_table_scan_size": (0, 715827882),
    "min_wal_size": (2, _MOST),
    "old_snapshot_threshold": (-1, 86400),
    "operator_precedence_warning": _ON_OFF,
    "parallel_leader_participation": _ON_OFF,
    "parallel_setup_cost": (0, 1.8e308),
    "parallel_tuple_cost": (0, 1.8e308),
    "password_encryption": "md5 scram-sha-256",
    "plan_cache_mode": "auto force_custom_plan force_generic_plan",
    "quote_all_identifiers": _ON_OFF,
    "random_page_cost": (0, 1.8e308),
    "rdkit.dice_threshold": (0, 1),
    "rdkit.tanimoto_threshold": (0, 1),
    "replacement_sort_tuples": (0, _MOST),
    "session_replication_role": "origin replica local",
    "seq_page_cost": (0, 1.8e308),
    "shared_buffers": (16, 1073741823),
    "ssl_max_protocol_version": "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
    "ssl_min_protocol_version": "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
    "standard_conforming_strings": _ON_OFF,
    "statement_timeout": (0, _MOST),
    "synchronize_seqscans": _ON_OFF,
    "synchronous_commit": "local on off remote_apply remote_write",
    "tcp_keepalives_count": (0, _MOST),
    "tcp_keepalives_idle": (0, _MOST),
    "tcp_keepalives_interval": (0, _MOST),
    "temp_buffers": (100, 1073741823),
    "temp_file_limit": (-1, _MOST),
    "timezone": None,
    "trace_notify": _ON_OFF,
    "trace_recovery_messages": _WORDS["level"],
    "trace_sort": _ON_OFF,
    "track_activities": _ON_OFF,
    "track_activity_query_size": (100, 1048576),
    "track_commit_timestamp": _ON_OFF,
    "track_counts": _ON_OFF,
    "track_functions": "none pl all",
    "track_io_timing": _ON_OFF,
    "track_wal_io_timing": _ON_OFF,
    "transaction_timeout": (0, _MOST),
    "vacuum_cost_delay": (0, 100),
    "vacuum_cost_limit": (1, 10000),
    "vacuum_cost_page_dirty": (0, 10000),
    "vacuum_cost_page_hit": (0, 10000),
    "vacuum_cost_page_miss": (0, 10000),
    "vacuum_failsafe_age": (0, 2100000000),
    "vacuum_freeze_min_age": (0, 1000000000),
    "vacuum_freeze_table_age": (0, 2000000000),
    "vacuum_multixact_failsafe_age": (0, 2100000000),
    "vacuum_multixact_freeze_min_age": (0, 1000000000),
    "vacuum_multixact_freeze_table_age": (0, 2000000000),
    "wal_buffers": (-1, 262143),
    "wal_compression": "on off pglz lz4 zstd",
    "wal_receiver_timeout": (0, _MOST),
    "wal_sender_timeout": (0, _MOST),
    "work_mem": (64, _MOST),
    "xmlbinary": "base64 hex",
}
"""PostgreSQL's own flags that Cloud SQL supports, and those of some extensions.

The ranges are PostgreSQL's where Google gives none. Some of Google's depend on the size of the
machine, and are not here. https://cloud.google.com/sql/docs/postgres/flags (2026-11)
"""

_FLAG_PREFIXES: Final = tuple(
    limits.words(
        "alloydb. auto_explain. cloudsql. cron. enable_ jit_ anon. pg_bigm. pg_hint_plan. "
        "pg_stat_statements. pg_wait_sampling. pgaudit. pgfincore. pglogical. pgtt. plan_filter. "
        "plpgsql. plv8. rdkit. google_ postgis."
    )
)
"""Flags of extensions, of Cloud SQL itself, and switches of the planner."""


_CLOUD_SQL_FLAGS: Final = limits.words(
    "cloudsql.allow_passwordless_local_connections cloudsql.enable_anon "
    "cloudsql.enable_auto_explain cloudsql.enable_google_ml_integration "
    "cloudsql.enable_index_advisor cloudsql.enable_pg_bigm "
    "cloudsql.enable_pg_cron cloudsql.enable_pg_hint_plan cloudsql.enable_pg_squeeze "
    "cloudsql.enable_pg_wait_sampling cloudsql.enable_pgaudit cloudsql.enable_pglogical "
    "cloudsql.iam_authentication cloudsql.logical_decoding cloudsql.max_failed_attempts_user "
    "cloudsql.pg_authid_select_role cloudsql.pg_shadow_select_role"
)
"""Flags of Cloud SQL's own; there may be more."""

_AUDITED: Final = re.compile(
    r"(all|none|-?(read|write|function|role|ddl|misc|misc_set))"
    r"(,\s*(all|none|-?(read|write|function|role|ddl|misc|misc_set)))*"
)
"""The classes of pgaudit.log (https://github.com/pgaudit/pgaudit#pgauditlog)."""


def _flags(inputs: Inputs) -> Iterator[Rejection]:
    if not str(inputs.get("databaseVersion", "POSTGRES")).startswith("POSTGRES"):
        return
    for path, flag in inputs.values_at("settings.databaseFlags[]"):
        name, value = flag.get("name"), flag.get("value")
        if not isinstance(name, str) or not isinstance(value, str):
            continue
        if name not in POSTGRES_FLAGS:
            if not name.startswith(_FLAG_PREFIXES) or _is_misspelled(name):
                yield Rejection(f"{path}.name", "a flag that Cloud SQL supports")
            elif name == "pgaudit.log" and not _AUDITED.fullmatch(value):
                yield Rejection(f"{path}.value", "classes of statements, such as ddl,role")
            elif name.startswith(("enable_", "cloudsql.enable_")) and value not in ("on", "off"):
                yield Rejection(f"{path}.value", f"on or off for {name}")
            continue
        allowed = POSTGRES_FLAGS[name]
        if isinstance(allowed, str) and value not in allowed.split():
            yield Rejection(f"{path}.value", f"one of {', '.join(allowed.split())} for {name}")
        elif isinstance(allowed, tuple) and not _is_between(value, *allowed):
            low, high = allowed
            yield Rejection(f"{path}.value", f"a number from {low:g} to {high:g} for {name}")


def _is_misspelled(name: str) -> bool:
    """Whether a name is nearly, but not exactly, that of a flag of Cloud SQL's own."""
    near = difflib.get_close_matches(name, _CLOUD_SQL_FLAGS, n=1, cutoff=0.93)
    return bool(near) and name not in near


def _is_between(value: str, low: float, high: float) -> bool:
    try:
        return low <= float(value) <= high
    except ValueError:
        return False


def _backups(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/sql/docs/postgres/high-availability, .../backup-recovery/pitr"""
    backup = "settings.backupConfiguration"
    postgres = str(inputs.get("databaseVersion", "POSTGRES")).startswith("POSTGRES")
    if inputs.get("clone") is not None or inputs.get("masterInstanceName") is not None:
        return
    if inputs.get(f"{backup}.enabled", False) is True:
        most = 35 if inputs.get("settings.edition") == "ENTERPRISE_PLUS" else 7
        days = inputs.get(f"{backup}.transactionLogRetentionDays", 1)
        if is_number(days) and days > most:
            yield Rejection(
                f"{backup}.transactionLogRetentionDays", f"at most {most} days in this edition"
            )
        return
    if inputs.get(f"{backup}.pointInTimeRecoveryEnabled"):
        yield Rejection(f"{backup}.enabled", "true: point-in-time recovery needs backups")
    if inputs.get("settings.availabilityType") == "REGIONAL" and postgres:
        yield Rejection(f"{backup}.enabled", "true: availabilityType REGIONAL needs backups")


def _sql_network(inputs: Inputs) -> Iterator[Rejection]:
    """An instance has at least one address.

    https://cloud.google.com/sql/docs/postgres/configure-ip
    """
    for path, config in inputs.values_at("settings.ipConfiguration"):
        has_address = config.get("privateNetwork") is not None or config.get("pscConfigs")
        if config.get("ipv4Enabled") is False and not has_address:
            yield Rejection(path, "privateNetwork, if ipv4Enabled is false")


def _sql_tier(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/sql/docs/postgres/machine-series-overview"""
    path = "settings.tier"
    tier, edition = inputs.get(path), inputs.get("settings.edition")
    if not isinstance(tier, str):
        return
    custom = limits.SQL_CUSTOM_TIER.fullmatch(tier)
    if custom is None:
        if not re.fullmatch(r"db-(f1-micro|g1-small|perf-optimized-N-\d+|(n|c4a?)-.+)", tier):
            yield Rejection(path, "a machine tier, such as db-custom-<vCPUs>-<MiB>")
        elif edition == "ENTERPRISE" and tier.startswith("db-perf-optimized"):
            yield Rejection(path, "db-custom-<vCPUs>-<MiB> in the edition ENTERPRISE")
        return
    vcpus, mib = map(int, custom.groups())
    fewest, most = limits.SQL_VCPUS
    if (vcpus != 1 and vcpus % 2) or not fewest <= vcpus <= most:
        yield Rejection(path, f"1 vCPU, or an even number of vCPUs up to {most}")
        return
    step, (smallest, largest) = limits.SQL_MEMORY_STEP_MIB, limits.sql_memory_mib(vcpus)
    if mib % step or not smallest <= mib <= largest:
        yield Rejection(path, f"{smallest} to {largest} MiB of memory in steps of {step} MiB")
    version = re.fullmatch(r"POSTGRES_(\d+)", str(inputs.get("databaseVersion", "")))
    if version and int(version[1]) >= 16 and edition != "ENTERPRISE":
        yield Rejection(
            path,
            "db-perf-optimized-N-<vCPUs> in the edition ENTERPRISE_PLUS, which is the default "
            "since Postgres 16; or settings.edition ENTERPRISE",
        )


def _sql_names(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/sql/docs/postgres/instance-settings"""
    name, project = str(inputs.get("name", "")), str(inputs.get("project", ""))
    if len(f"{project}:{name}") > 98:
        yield Rejection("name", "at most 98 characters together with the project's id and a colon")


def _is_past(value: Any) -> bool:
    if not TIMESTAMP.accepts(value):
        return True  # Its own constraint reports it.
    moment = datetime.fromisoformat(re.sub(r"\.(\d+)", "", value).replace("Z", "+00:00"))
    return moment <= datetime.now(UTC)


_SQL: Final[Table] = {
    gcp.SQL_INSTANCE: (
        *_at("name", _lower_case_name(97)),
        *_at("region", REGION),
        *_at("databaseVersion", DATABASE_VERSION),
        *_at("encryptionKeyName", KEY),
        *_at("settings.userLabels", LABELS),
        *_at("settings.ipConfiguration.authorizedNetworks[].value", ANY_RANGE),
        *_each(
            text(
                r"(\d{4}-)?(0?[1-9]|1[0-2])-(0?[1-9]|[12]\d|3[01])", "a day", "2026-13-01", "soon"
            ),
            "settings.denyMaintenancePeriod.startDate",
            "settings.denyMaintenancePeriod.endDate",
        ),
        *_at("settings.edition", choice("ENTERPRISE", "ENTERPRISE_PLUS")),
        *_at("settings.availabilityType", choice("REGIONAL", "ZONAL")),
        *_at("settings.activationPolicy", choice("ALWAYS", "NEVER", "ON_DEMAND")),
        *_at("settings.diskType", choice("PD_SSD", "PD_HDD", "HYPERDISK_BALANCED")),
        *_at("settings.diskSize", integer(10, 65536)),
        *_at("settings.backupConfiguration.startTime", TIME_OF_DAY),
        *_at(
            "settings.backupConfiguration.location",
            member_of(
                limits.REGIONS | {"us", "eu", "asia"},
                "us, eu, asia or a region",
                *("US", "europe", "us-central9"),
            ),
        ),
        *_at(
            "settings.backupConfiguration.backupRetentionSettings.retainedBackups", integer(1, 365)
        ),
        *_at("settings.backupConfiguration.backupRetentionSettings.retentionUnit", choice("COUNT")),
        *_at("settings.backupConfiguration.transactionLogRetentionDays", integer(1, 35)),
        *_at("settings.finalBackupConfig.retentionDays", integer(1, 365)),
        *_at("settings.maintenanceWindow.day", integer(1, 7)),
        *_at("settings.maintenanceWindow.hour", integer(0, 23)),
        *_at("settings.maintenanceWindow.updateTrack", choice("canary", "stable", "week5")),
        *_at("settings.insightsConfig.queryStringLength", integer(256, 100000)),
        *_at("settings.insightsConfig.queryPlansPerMinute", integer(0, 200)),
        *_at("settings.locationPreference.zone", ZONE),
        *_at("settings.locationPreference.secondaryZone", ZONE),
        *_at(
            "settings.ipConfiguration.sslMode",
            choice(
                *("ALLOW_UNENCRYPTED_AND_ENCRYPTED", "ENCRYPTED_ONLY"),
                "TRUSTED_CLIENT_CERTIFICATE_REQUIRED",
            ),
        ),
        *_at(
            "settings.ipConfiguration.serverCaMode",
            choice(
                *("GOOGLE_MANAGED_INTERNAL_CA", "GOOGLE_MANAGED_CAS_CA"),
                "CUSTOMER_MANAGED_CAS_CA",
            ),
        ),
        *_at("clone.pointInTime", TIMESTAMP),
        *_at(
            "clone.pointInTime", Values("a time in the past", _is_past, ("2999-01-01T00:00:00Z",))
        ),
        _with_zone_of(
            "region",
            "settings.locationPreference.zone",
            "settings.locationPreference.secondaryZone",
        ),
        _unique(
            "settings.databaseFlags",
            "name",
            [{"name": "jit", "value": "on"}, {"name": "jit", "value": "off"}],
        ),
        Combination(
            _flags,
            ("settings.databaseFlags",),
            tuple(
                ("settings.databaseFlags", [{"name": name, "value": value}])
                for name, value in (
                    ("max_conections", "500"),
                    ("max_connections", "5"),
                    ("max_connections", "many"),
                    ("log_checkpoints", "yes"),
                    ("log_statement", "everything"),
                    ("fsync", "off"),
                    ("cloudsql.enable_pgaudit", "1"),
                )
            ),
        ),
        Combination(
            _backups,
            ("settings.backupConfiguration", "settings.availabilityType"),
            (
                ("settings.backupConfiguration.enabled", False),
                ("settings.backupConfiguration.transactionLogRetentionDays", 14),
            ),
        ),
        Combination(
            _sql_network,
            ("settings.ipConfiguration",),
            (("settings.ipConfiguration", {"ipv4Enabled": False}),),
        ),
        Combination(
            _sql_tier,
            ("settings.tier", "settings.edition", "databaseVersion"),
            tuple(
                ("settings.tier", tier)
                for tier in (
                    *("db-custom-3-8192", "db-custom-4-1024", "db-custom-4-16000"),
                    *("db-custom-98-100096", "db-n1-standard-4", "custom-4-16384"),
                )
            ),
        ),
        Combination(_sql_names, ("name", "project"), (("name", "x" * 97),)),
    ),
    gcp.SQL_DATABASE: _at(
        "name",
        text(
            r"(?!(cloudsqladmin|template[01]|postgres)$).{1,63}",
            "up to 63 characters, and none of cloudsqladmin, postgres, template0 and template1, "
            "which exist",
            *("cloudsqladmin", "postgres", "template0", "x" * 64),
        ),
    ),
    gcp.SQL_USER: (
        *_at(
            "name",
            text(
                r"(?!(cloudsql|pg_)).{1,254}",
                "a name that does not start with cloudsql or pg_, which are reserved",
                *("cloudsqladmin", "pg_read_all_data"),
            ),
        ),
        *_at(
            "type",
            choice(
                *("BUILT_IN", "CLOUD_IAM_USER", "CLOUD_IAM_SERVICE_ACCOUNT", "CLOUD_IAM_GROUP"),
                *("CLOUD_IAM_GROUP_USER", "CLOUD_IAM_GROUP_SERVICE_ACCOUNT", "ENTRAID_USER"),
                "CLOUD_IAM_WORKFORCE_IDENTITY",
            ),
        ),
    ),
}

# -- Memorystore and Cloud Storage -----------------------------------------------------------------


_EVICTION: Final = (
    *("noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random"),
    *("volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"),
)


def _redis(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/memorystore/docs/redis/read-replicas-overview"""
    standard = inputs.get("tier", "BASIC") == "STANDARD_HA"
    replicas, mode = inputs.get("replicaCount"), inputs.get("readReplicasMode")
    memory, other = inputs.get("memorySizeGb"), inputs.get("alternativeLocationId")
    enabled = mode == "READ_REPLICAS_ENABLED"
    policy = inputs.get("redisConfigs", {}).get("maxmemory-policy", "noeviction")
    if policy not in _EVICTION:
        yield Rejection("redisConfigs", f"one of {', '.join(_EVICTION)} for maxmemory-policy")
    persistence = inputs.get("persistenceConfig", {})
    if persistence.get("persistenceMode") == "RDB" and not persistence.get("rdbSnapshotPeriod"):
        yield Rejection("persistenceConfig.rdbSnapshotPeriod", "a period with the mode RDB")
    if not standard:
        if enabled or (is_number(replicas) and replicas > 0):
            yield Rejection("tier", "STANDARD_HA for read replicas")
        if other is not None:
            yield Rejection("alternativeLocationId", "no second zone in the tier BASIC")
    elif enabled and is_number(memory) and memory < 5:
        yield Rejection("memorySizeGb", "5 GiB or more with read replicas")
    if other is not None and other == inputs.get("locationId"):
        yield Rejection("alternativeLocationId", "a zone that differs from locationId")


_REDIS_CONFIGS: Final = limits.words(
    "activedefrag lazyfree-lazy-eviction lazyfree-lazy-expire lazyfree-lazy-user-del "
    "lazyfree-lazy-user-flush lfu-decay-time lfu-log-factor maxmemory-clients maxmemory-gb "
    "maxmemory-policy notify-keyspace-events stream-node-max-bytes stream-node-max-entries "
    "timeout"
)
"""https://cloud.google.com/memorystore/docs/redis/supported-redis-configurations"""

_BUCKET_NAME: Final = text(
    r"(?!goog)(?!.*g[o0]{2}gle)(?!\d+\.\d+\.\d+\.\d+$)(?!.*(\.\.|\.-|-\.))"
    r"(?=[^.]{1,63}(\.[^.]{1,63})*$)[a-z0-9][-_.a-z0-9]{1,220}[a-z0-9]",
    "3 to 63 of a-z, 0-9, - and _, starting and ending with a letter or digit, without goog at the "
    "start and google anywhere",
    *("Pull-backups", "my-google-backups", "goog-backups", "ab", "x" * 64, "10.0.0.1"),
    *("pull..backups", "-pull", "pull-"),
)
"""https://cloud.google.com/storage/docs/buckets#naming"""

_BUCKET_LOCATIONS: Final = limits.REGIONS | limits.words(
    "us eu asia nam4 eur4 eur5 eur7 eur8 asia1"
)
"""https://cloud.google.com/storage/docs/locations"""

_STORAGE_CLASS: Final = choice(
    *("STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "MULTI_REGIONAL", "REGIONAL"),
    *("DURABLE_REDUCED_AVAILABILITY", ""),
)


def _lifecycle(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/storage/docs/lifecycle"""
    for path, rule in inputs.values_at("lifecycleRules[]"):
        action, condition = rule.get("action"), rule.get("condition")
        if isinstance(action, Mapping):
            changes = action.get("type") == "SetStorageClass"
            if changes != bool(action.get("storageClass")):
                yield Rejection(f"{path}.action", "a storageClass with SetStorageClass only")
        if isinstance(condition, Mapping) and not any(
            value not in (None, "", [], False) for value in condition.values()
        ):
            yield Rejection(f"{path}.condition", "at least one condition")


_DATA: Final[Table] = {
    gcp.REDIS_INSTANCE: (
        *_at("name", _lower_case_name(40)),
        *_at("region", REGION),
        *_at("tier", choice("BASIC", "STANDARD_HA", refused=("STANDARD", "HA"))),
        *_at("memorySizeGb", integer(1, 300)),
        *_at(
            "redisVersion",
            choice(
                *("REDIS_3_2", "REDIS_4_0", "REDIS_5_0", "REDIS_6_X", "REDIS_7_0", "REDIS_7_2"),
                refused=("REDIS_9_9", "REDIS_6_0", "7.2"),
            ),
        ),
        *_at("connectMode", choice("DIRECT_PEERING", "PRIVATE_SERVICE_ACCESS")),
        *_at("transitEncryptionMode", choice("SERVER_AUTHENTICATION", "DISABLED")),
        *_at("customerManagedKey", KEY),
        *_at("readReplicasMode", choice("READ_REPLICAS_DISABLED", "READ_REPLICAS_ENABLED")),
        *_at("replicaCount", integer(0, 5)),
        *_at("locationId", ZONE),
        *_at("alternativeLocationId", ZONE),
        *_at("persistenceConfig.persistenceMode", choice("DISABLED", "RDB")),
        *_at(
            "persistenceConfig.rdbSnapshotPeriod",
            choice("ONE_HOUR", "SIX_HOURS", "TWELVE_HOURS", "TWENTY_FOUR_HOURS"),
        ),
        *_at("persistenceConfig.rdbSnapshotStartTime", TIMESTAMP),
        *_at(
            "maintenancePolicy.weeklyMaintenanceWindows[].day",
            choice(*limits.WEEKDAYS, refused=("SUN", "sunday")),
        ),
        *_at("maintenancePolicy.weeklyMaintenanceWindows[].startTime.hours", integer(0, 23)),
        *_at("maintenancePolicy.weeklyMaintenanceWindows[].startTime.minutes", integer(0, 59)),
        *_at(
            "redisConfigs",
            Values(
                "parameters that Memorystore supports, such as maxmemory-policy",
                lambda configs: isinstance(configs, Mapping) and configs.keys() <= _REDIS_CONFIGS,
                ({"maxmemory": "1gb"}, {"appendonly": "yes"}),
            ),
        ),
        _with_zone_of("region", "locationId", "alternativeLocationId"),
        Combination(
            _redis,
            ("tier", "readReplicasMode", "replicaCount", "memorySizeGb", "alternativeLocationId"),
            (
                ("redisConfigs", {"maxmemory-policy": "lru"}),
                ("persistenceConfig", {"persistenceMode": "RDB"}),
            ),
        ),
    ),
    gcp.BUCKET: (
        *_at("name", _BUCKET_NAME),
        *_at("logging.logBucket", _BUCKET_NAME),
        *_at(
            "location",
            Values(
                "US, EU, ASIA, a dual-region or a region",
                lambda value: isinstance(value, str) and value.lower() in _BUCKET_LOCATIONS,
                ("europe", "us-central9", "WORLD"),
            ),
        ),
        *_at("encryption.defaultKmsKeyName", KEY),
        *_at("cors[].maxAgeSeconds", integer(0)),
        *_at("storageClass", _STORAGE_CLASS),
        *_at("publicAccessPrevention", choice("inherited", "enforced")),
        *_at("rpo", choice("DEFAULT", "ASYNC_TURBO")),
        *_at(
            "softDeletePolicy.retentionDurationSeconds",
            Values(
                "0, or 604800 to 7776000 seconds (7 to 90 days)",
                lambda value: value == 0 or (is_number(value) and 604800 <= value <= 7776000),
                (86400, 7776001),
            ),
        ),
        *_at("retentionPolicy.retentionPeriod", number(1, 3155760000)),
        *_at(
            "lifecycleRules[].action.type",
            choice("Delete", "SetStorageClass", "AbortIncompleteMultipartUpload"),
        ),
        *_at("lifecycleRules[].action.storageClass", _STORAGE_CLASS),
        *_at("lifecycleRules[].condition.age", integer(0)),
        *_at("lifecycleRules[].condition.daysSinceNoncurrentTime", integer(0)),
        *_at("lifecycleRules[].condition.numNewerVersions", integer(0)),
        *_each(
            text(r"(\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))?", "a day", "soon", "2026-13-01"),
            "lifecycleRules[].condition.createdBefore",
            "lifecycleRules[].condition.customTimeBefore",
            "lifecycleRules[].condition.noncurrentTimeBefore",
        ),
        *_at("lifecycleRules[].condition.withState", choice("LIVE", "ARCHIVED", "ANY", "")),
        Combination(
            _lifecycle,
            ("lifecycleRules",),
            (
                ("lifecycleRules[].action.type", "SetStorageClass"),
                ("lifecycleRules[].condition", {}),
            ),
        ),
    ),
}

# -- Cloud Run -------------------------------------------------------------------------------------

_GIB: Final = 2**30
_UNITS: Final = {
    "m": 0.001,
    "": 1,
    "k": 10**3,
    "K": 10**3,
    "M": 10**6,
    "G": 10**9,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
}
_RESERVED_VARIABLES: Final = (
    "PORT|K_SERVICE|K_REVISION|K_CONFIGURATION|CLOUD_RUN_(JOB|EXECUTION|TASK_(INDEX|ATTEMPT|COUNT))"
)
"""https://cloud.google.com/run/docs/container-contract#env-vars"""


def quantity(value: Any) -> float | None:
    """A quantity of Kubernetes, such as ``500m`` or ``4Gi``, as a number."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(m|k|Ki|Mi|Gi|K|M|G|)", str(value))
    return float(found[1]) * _UNITS[found[2]] if found else None


def _sizes(container: str) -> Combination:
    """https://cloud.google.com/run/docs/configuring/services/memory-limits"""
    memory_by_cpu = limits.CLOUD_RUN_MEMORY_GIB_BY_CPU

    def check(inputs: Inputs) -> Iterator[Rejection]:
        for path, sizes in inputs.values_at(f"{container}.resources.limits"):
            if not all(isinstance(size, str | int | float) for size in sizes.values()):
                continue
            for name in sizes.keys() - {"cpu", "memory", "nvidia.com/gpu"}:
                yield Rejection(f"{path}.{name}", "cpu, memory or nvidia.com/gpu")
            cpu, memory = quantity(sizes.get("cpu", "1")), quantity(sizes.get("memory", "512Mi"))
            if cpu is None or memory is None:
                yield Rejection(path, "CPU such as 4 or 500m, and memory such as 4Gi or 512Mi")
            elif cpu < 1:
                if not cpu >= 0.08 or not 0.125 * _GIB <= memory <= _GIB:
                    yield Rejection(f"{path}.memory", "up to 1 GiB with 0.08 to 1 CPU")
            elif cpu not in memory_by_cpu:
                counts = ", ".join(str(count) for count in memory_by_cpu)
                yield Rejection(f"{path}.cpu", f"less than 1, or one of {counts}")
            else:
                least, most = memory_by_cpu[int(cpu)]
                if not least * _GIB <= memory <= most * _GIB:
                    yield Rejection(f"{path}.memory", f"{least:g} to {most:g} GiB with {cpu:g} CPU")

    return Combination(
        check,
        (f"{container}.resources.limits",),
        tuple(
            (f"{container}.resources.limits", {"cpu": cpu, "memory": memory})
            for cpu, memory in (
                *(("3", "4Gi"), ("8", "1Gi"), ("1", "8Gi"), ("500m", "2Gi"), ("four", "4Gi")),
                *(("4", "4 GB"), ("16", "16Gi")),
            )
        ),
    )


def _probe(probe: str, longest: int) -> Iterator[Accepted]:
    """https://cloud.google.com/run/docs/configuring/healthchecks"""
    yield Constraint(f"{probe}.initialDelaySeconds", integer(0, longest))
    yield Constraint(f"{probe}.periodSeconds", integer(0, longest))
    yield Constraint(f"{probe}.timeoutSeconds", integer(0, longest))
    yield Constraint(f"{probe}.failureThreshold", integer(0))
    for handler in ("httpGet", "tcpSocket", "grpc"):
        yield Constraint(f"{probe}.{handler}.port", integer(0, 65535))
    yield Constraint(
        f"{probe}.httpGet.path", text(r"(/[!-~]*)?", "a path that starts with /", "health")
    )
    yield _exclusive(
        probe, ("httpGet", "tcpSocket", "grpc"), {"httpGet": {}, "tcpSocket": {"port": 80}}
    )
    yield _probe_timeout(probe)


def _probe_timeout(probe: str) -> Combination:
    def check(inputs: Inputs) -> Iterator[Rejection]:
        for path, found in inputs.values_at(probe):
            timeout, period = found.get("timeoutSeconds") or 1, found.get("periodSeconds") or 10
            if is_number(timeout) and is_number(period) and timeout > period:
                yield Rejection(f"{path}.timeoutSeconds", f"at most periodSeconds, {period:g}")

    return Combination(
        check,
        (f"{probe}.timeoutSeconds", f"{probe}.periodSeconds"),
        ((f"{probe}.timeoutSeconds", 120),),
    )


def _volumes(template: str) -> Combination:
    """https://cloud.google.com/run/docs/reference/rest/v2/Container#VolumeMount"""

    def check(inputs: Inputs) -> Iterator[Rejection]:
        volumes = [volume.get("name") for _, volume in inputs.values_at(f"{template}.volumes[]")]
        if all(isinstance(name, str) for name in volumes):
            for path, name in inputs.values_at(f"{template}.containers[].volumeMounts[].name"):
                if name not in volumes:
                    yield Rejection(path, "a volume that is declared in volumes")

    mounts = f"{template}.containers[].volumeMounts"
    return Combination(
        check,
        (f"{template}.volumes[].name", f"{mounts}[].name"),
        ((mounts, [{"name": "nowhere", "mountPath": "/x"}]),),
    )


def _order(template: str) -> Combination:
    """https://cloud.google.com/run/docs/configuring/services/containers"""

    def check(inputs: Inputs) -> Iterator[Rejection]:
        containers = dict(inputs.values_at(f"{template}.containers[]"))
        names = [container.get("name") for container in containers.values()]
        for path, container in containers.items():
            for name in container.get("dependsOns") or ():
                if isinstance(name, str) and name not in names:
                    yield Rejection(f"{path}.dependsOns", "names of containers in this template")
        with_ports = [path for path, container in containers.items() if container.get("ports")]
        for path in with_ports[1:]:
            yield Rejection(f"{path}.ports", "ports in one container only")

    return Combination(
        check,
        (f"{template}.containers[].dependsOns",),
        ((f"{template}.containers[].dependsOns", ["nowhere"]),),
    )


def _network_of_run(template: str) -> Combination:
    """https://cloud.google.com/run/docs/configuring/vpc-direct-vpc#limitations"""
    access = f"{template}.vpcAccess"

    def check(inputs: Inputs) -> Iterator[Rejection]:
        region = inputs.get("location")
        for pattern in (f"{access}.connector", f"{access}.networkInterfaces[].subnetwork"):
            for path, value in inputs.values_at(pattern):
                found = re.search(r"/(?:regions|locations)/([^/]+)/", str(value))
                if found and found[1] != region:
                    yield Rejection(path, f"a resource in {region}, where this one is")
        if inputs.get(f"{access}.connector") and inputs.get(f"{access}.networkInterfaces"):
            yield Rejection(access, "either connector or networkInterfaces")

    elsewhere = "projects/p/regions/asia-east2/subnetworks/s"
    return Combination(
        check,
        ("location", f"{access}.connector", f"{access}.networkInterfaces"),
        ((f"{access}.networkInterfaces", [{"subnetwork": elsewhere}]),),
    )


def _revision(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services"""
    name = inputs.get("name")
    for path, revision in inputs.values_at("template.revision"):
        if name and not str(revision).startswith(f"{name}-"):
            yield Rejection(path, f"a name that starts with {name}-")


def _instances(path: str) -> Combination:
    """https://cloud.google.com/run/docs/configuring/max-instances"""

    def check(inputs: Inputs) -> Iterator[Rejection]:
        for found_path, scaling in inputs.values_at(path):
            least, most = scaling.get("minInstanceCount") or 0, scaling.get("maxInstanceCount")
            most = 100 if most is None else most
            if is_number(least) and is_number(most) and least > most:
                yield Rejection(f"{found_path}.minInstanceCount", f"at most the maximum, {most:g}")

    return Combination(
        check,
        (f"{path}.minInstanceCount", f"{path}.maxInstanceCount"),
        ((f"{path}.minInstanceCount", 900),),
    )


def _cpu_below_one(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/run/docs/configuring/services/cpu#cpu-less-than-1"""
    for path, resources in inputs.values_at("template.containers[].resources"):
        cpu = quantity((resources.get("limits") or {}).get("cpu", "1"))
        if cpu is None or cpu >= 1:
            continue
        concurrency = inputs.get("template.maxInstanceRequestConcurrency")
        if is_number(concurrency) and concurrency > 1:
            yield Rejection("template.maxInstanceRequestConcurrency", "1 with less than 1 CPU")
        if resources.get("cpuIdle") is False:
            yield Rejection(f"{path}.cpuIdle", "true with less than 1 CPU")


def _shares(name: str) -> Combination:
    """https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration"""

    def check(inputs: Inputs) -> Iterator[Rejection]:
        total = 0.0
        for path, shares in inputs.values_at(name):
            for index, share in enumerate(shares):
                if not isinstance(share, Mapping) or not is_number(share.get("percent") or 0):
                    return
                total += share.get("percent") or 0
                latest = str(share.get("type")).endswith("_LATEST")
                if share.get("revision") and latest:
                    yield Rejection(f"{path}[{index}].revision", "no revision with the type LATEST")
                if not share.get("revision") and str(share.get("type")).endswith("_REVISION"):
                    yield Rejection(f"{path}[{index}].revision", "a revision")
            if shares and total != 100:
                yield Rejection(path, f"percentages that sum to 100; these sum to {total:g}")

    return Combination(
        check,
        (f"{name}[].percent", f"{name}[].revision"),
        ((f"{name}[].percent", 40), (f"{name}[].revision", None)),
    )


_ANNOTATIONS: Final = map_of(
    r"(?!(run|cloud)\.googleapis\.com/|(serving|autoscaling)\.knative\.dev/).+",
    r".*",
    "annotations outside run.googleapis.com, cloud.googleapis.com, serving.knative.dev and "
    "autoscaling.knative.dev, which are reserved",
    *({"run.googleapis.com/ingress": "all"}, {"autoscaling.knative.dev/minScale": "1"}),
)
"""https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services#Service"""

_IMAGE: Final = text(
    r"(([a-z]+\.)?gcr\.io|[a-z0-9-]+-docker\.pkg\.dev|(index\.)?docker\.io)(/[a-z0-9._-]+)+"
    r"(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?|[a-z0-9_-]+(/[a-z0-9._-]+)*"
    r"(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?",
    "an image in Artifact Registry, gcr.io or Docker Hub, with a tag or a digest",
    *("ghcr.io/pull/worker:1", "gcr.io/Pull/worker:1", "gcr.io/pull/worker@sha256:12"),
    *("registry.gitlab.com/pull/worker:1", "gcr.io/pull/worker:", "https://gcr.io/pull/worker"),
)
"""https://cloud.google.com/run/docs/deploying#images"""


def _revision_template(token: str) -> Iterator[Accepted]:
    """What services, worker pools and jobs have in common."""
    template = str(RESOURCE_TYPES[token].pod_spec)
    container = f"{template}.containers[]"
    yield Constraint("location", REGION)
    yield Constraint("annotations", _ANNOTATIONS)
    yield Constraint("template.annotations", _ANNOTATIONS)
    yield Constraint("template.labels", LABELS)
    if token != gcp.RUN_WORKER_POOL:
        longest = 604800 if token == gcp.RUN_JOB else 3600
        yield Constraint(f"{template}.timeout", duration(1, longest))
    yield Constraint(f"{template}.serviceAccount", _ACCOUNT_EMAIL)
    yield Constraint(f"{container}.image", _IMAGE)
    yield Constraint(f"{container}.name", COMPUTE_NAME)
    yield Constraint(f"{template}.volumes[].name", COMPUTE_NAME)
    yield Constraint(
        f"{container}.volumeMounts[].mountPath",
        text(
            r"/(?!(dev|proc|sys)(/|$))[^:]*",
            "an absolute path without a colon, outside /dev, /proc and /sys",
            *("secrets", "/dev/x", "/a:b"),
        ),
    )
    yield Constraint(
        f"{container}.envs[].name",
        text(
            rf"(?!({_RESERVED_VARIABLES})$)(?!X_GOOGLE_)[^=\0]+",
            "a variable's name without =, and not one that Cloud Run sets itself, such as PORT, "
            "K_SERVICE or X_GOOGLE_...",
            *("PORT", "K_REVISION", "X_GOOGLE_LOG", "A=B", ""),
        ),
    )
    yield Constraint(f"{container}.envs[].value", length(32768, unit="bytes"))
    yield _unique(
        f"{container}.envs", "name", [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    )
    yield _unique(
        f"{template}.volumes", "name", [{"name": "a", "emptyDir": {}}, {"name": "a", "secret": {}}]
    )
    yield Constraint(
        f"{container}.envs[].valueSource.secretKeyRef.version",
        text(r"latest|[1-9]\d*|[A-Za-z][\w-]*", "latest, a number or an alias", "0", "newest!"),
    )
    yield _exclusive(
        f"{template}.volumes[]",
        ("cloudSqlInstance", "emptyDir", "gcs", "nfs", "secret"),
        {"name": "a"},
    )
    yield _sizes(container)
    yield _order(template)
    yield from _probe(f"{container}.startupProbe", 240)
    if token != gcp.RUN_JOB:
        yield from _probe(f"{container}.livenessProbe", 3600)
    yield _volumes(template)
    yield _network_of_run(template)


_REVISION_NAME: Final = _at("template.revision", COMPUTE_NAME)

_RUN: Final[Table] = {
    gcp.RUN_SERVICE: (
        *_revision_template(gcp.RUN_SERVICE),
        *_REVISION_NAME,
        *_at("name", _lower_case_name(49)),
        *_at("template.maxInstanceRequestConcurrency", integer(0, 1000)),
        *_at("template.scaling.minInstanceCount", integer(0)),
        *_at("template.scaling.maxInstanceCount", integer(0)),
        *_at("scaling.minInstanceCount", integer(0)),
        *_at("template.containers[].ports.containerPort", integer(0, 65535)),
        *_at("template.containers[].ports.name", choice("http1", "h2c", "")),
        *_at("traffics[].percent", integer(0, 100)),
        *_at("traffics[].tag", text(r"([a-z](?:[-a-z0-9]{0,44}[a-z0-9])?)?", "a tag", "Green")),
        Combination(_revision, ("name", "template.revision"), (("template.revision", "api-1"),)),
        Combination(
            _cpu_below_one,
            ("template.containers[].resources",),
            (
                (
                    "template.containers[].resources",
                    {"cpuIdle": False, "limits": {"cpu": "500m", "memory": "512Mi"}},
                ),
            ),
        ),
        _instances("template.scaling"),
        _instances("scaling"),
        _shares("traffics"),
    ),
    gcp.RUN_WORKER_POOL: (
        *_revision_template(gcp.RUN_WORKER_POOL),
        *_REVISION_NAME,
        *_at("name", _lower_case_name(49)),
        *_at("scaling.manualInstanceCount", integer(0)),
        *_at("instanceSplits[].percent", integer(0, 100)),
        Combination(_revision, ("name", "template.revision"), ()),
        _instances("scaling"),
        _shares("instanceSplits"),
    ),
    gcp.RUN_JOB: (
        *_revision_template(gcp.RUN_JOB),
        *_at("name", COMPUTE_NAME),
        *_at("template.taskCount", integer(0, 10000)),
        *_at("template.template.maxRetries", integer(0, 10)),
    ),
}

# -- Artifact Registry -----------------------------------------------------------------------------


def _cleanup(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy"""
    for path, policy in inputs.values_at("cleanupPolicies[]"):
        by_condition, by_count = policy.get("condition"), policy.get("mostRecentVersions")
        if (by_condition is None) == (by_count is None):
            yield Rejection(path, "either condition or mostRecentVersions")
        if by_count is not None and policy.get("action") == "DELETE":
            yield Rejection(f"{path}.action", "KEEP with mostRecentVersions")


_AGE: Final = text(
    r"(\d+(\.\d{1,9})?[smhd])?", 'an age such as "2592000s" or "30d"', "30", "a month"
)
_REGISTRY: Final[Table] = {
    gcp.REPOSITORY: (
        *_at(
            "repositoryId",
            text(
                r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?|([a-z]+\.)?gcr\.io",
                "up to 63 of a-z, 0-9 and -, starting with a letter, or the name of a registry of "
                "gcr.io",
                *("Images", "pull_images", "pull.images", "x" * 64),
            ),
        ),
        *_at(
            "location",
            member_of(
                limits.REGIONS | {"us", "europe", "asia"},
                "us, europe, asia or a region",
                *("global", "eu", "US", "us-central9"),
            ),
        ),
        *_at(
            "format",
            choice(
                *("DOCKER", "MAVEN", "NPM", "PYTHON", "APT", "YUM", "GO", "KFP", "GENERIC"),
                *("GOOGET", "RUBY"),
                refused=("docker", "OCI", "HELM"),
            ),
        ),
        *_at("kmsKeyName", KEY),
        *_at("cleanupPolicies[].condition.olderThan", _AGE),
        *_at("cleanupPolicies[].condition.newerThan", _AGE),
        *_at("cleanupPolicies[].mostRecentVersions.keepCount", integer(1)),
        *_at(
            "cleanupPolicies[].id",
            text(r"[a-z](?:[-a-z0-9]{0,126}[a-z0-9])?", "a name in lower case", "Keep newest"),
        ),
        _unique(
            "cleanupPolicies",
            "id",
            [
                {"id": "a", "action": "KEEP", "mostRecentVersions": {"keepCount": 1}},
                {"id": "a", "action": "KEEP", "mostRecentVersions": {"keepCount": 2}},
            ],
        ),
        Combination(
            _cleanup,
            ("cleanupPolicies",),
            (
                ("cleanupPolicies", [{"id": "a", "action": "DELETE"}]),
                (
                    "cleanupPolicies",
                    [{"id": "a", "action": "DELETE", "mostRecentVersions": {"keepCount": 1}}],
                ),
            ),
        ),
    ),
}

# -- Networks --------------------------------------------------------------------------------------

_UNUSABLE: Final = tuple(
    network
    for network in map(
        network_of,
        ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32"),
    )
    if network
)
"""https://cloud.google.com/vpc/docs/subnets#prohibited-ranges"""

_USABLE: Final = Values(
    "a range outside 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16 and 224.0.0.0/4",
    lambda value: (
        not any(
            (network := network_of(value)) and network.overlaps(unusable) for unusable in _UNUSABLE
        )
    ),
    ("127.0.0.0/16", "169.254.0.0/24", "0.0.0.0/8"),
)


def _subnet_ranges(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/vpc/docs/subnets#valid-ranges"""
    found = [
        (path, network)
        for pattern in ("ipCidrRange", "secondaryIpRanges[].ipCidrRange")
        for path, value in inputs.values_at(pattern)
        if (network := network_of(value))
    ]
    for (path, network), (other_path, other) in itertools.combinations(found, 2):
        if network.overlaps(other):
            yield Rejection(other_path, f"a range that does not overlap {path}")


def _reserved_range(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/vpc/docs/configure-private-services-access"""
    address, prefix = inputs.get("address"), inputs.get("prefixLength")
    if inputs.get("purpose") != "VPC_PEERING":
        return
    if inputs.get("addressType", "EXTERNAL") != "INTERNAL":
        yield Rejection("addressType", "INTERNAL for the purpose VPC_PEERING")
    if (
        isinstance(address, str)
        and is_number(prefix)
        and network_of(f"{address}/{int(prefix)}") is None
    ):
        yield Rejection("address", f"the first address of a /{int(prefix)}")


def _nat(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/nat/docs/ports-and-addresses"""
    option = inputs.get("natIpAllocateOption")
    addresses = inputs.get("natIps")
    if option == "MANUAL_ONLY" and not addresses:
        yield Rejection("natIps", "the addresses, with MANUAL_ONLY")
    if option == "AUTO_ONLY" and addresses:
        yield Rejection("natIps", "no addresses with AUTO_ONLY")
    chosen = inputs.get("sourceSubnetworkIpRangesToNat") == "LIST_OF_SUBNETWORKS"
    if chosen != bool(inputs.get("subnetworks")):
        yield Rejection("subnetworks", "subnets with LIST_OF_SUBNETWORKS only")
    least, most = inputs.get("minPortsPerVm"), inputs.get("maxPortsPerVm")
    if inputs.get("enableDynamicPortAllocation"):
        if inputs.get("enableEndpointIndependentMapping"):
            yield Rejection(
                "enableEndpointIndependentMapping", "false with dynamic allocation of ports"
            )
        if is_number(least) and is_number(most) and least >= most:
            yield Rejection("minPortsPerVm", f"less than maxPortsPerVm, {most:g}")
        for name, ports in (("minPortsPerVm", least), ("maxPortsPerVm", most)):
            if is_number(ports) and int(ports) & (int(ports) - 1):
                yield Rejection(name, "a power of two with dynamic allocation of ports")


def _firewall(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/compute/docs/reference/rest/v1/firewalls"""
    if bool(inputs.get("allows")) == bool(inputs.get("denies")):
        yield Rejection("allows", "either allows or denies")
    if inputs.get("direction", "INGRESS") == "EGRESS":
        for name in ("sourceRanges", "sourceTags", "sourceServiceAccounts"):
            if inputs.get(name):
                yield Rejection(name, "no sources with the direction EGRESS")
    elif inputs.get("destinationRanges") and not any(
        inputs.get(name) for name in ("sourceRanges", "sourceTags", "sourceServiceAccounts")
    ):
        yield Rejection("sourceRanges", "a source with the direction INGRESS")
    if inputs.get("sourceTags") and inputs.get("sourceServiceAccounts"):
        yield Rejection("sourceTags", "either sourceTags or sourceServiceAccounts")
    for name in ("allows", "denies"):
        for path, rule in inputs.values_at(f"{name}[]"):
            if rule.get("ports") and rule.get("protocol") in ("icmp", "esp", "ah", "all", "ipip"):
                yield Rejection(f"{path}.ports", f"no ports for {rule['protocol']}")


_PORTS: Final = Values(
    'a port or a range of ports, such as "443" or "8000-8999"',
    lambda value: (
        (found := re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", str(value))) is not None
        and int(found[1]) <= int(found[2] or found[1]) <= 65535
    ),
    ("http", "70000", "9000-8000", "22,443"),
)


def _connector(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/vpc/docs/configure-serverless-vpc-access"""
    least, most = inputs.get("minInstances"), inputs.get("maxInstances")
    if is_number(least) and is_number(most) and least >= most:
        yield Rejection("minInstances", f"less than maxInstances, {most:g}")
    if inputs.get("ipCidrRange") is not None and inputs.get("subnet") is not None:
        yield Rejection("subnet", "either ipCidrRange or subnet")


_NETWORK: Final[Table] = {
    gcp.NETWORK: (*_at("name", COMPUTE_NAME), *_at("mtu", integer(1300, 8896))),
    gcp.SUBNETWORK: (
        *_at("name", COMPUTE_NAME),
        *_at("region", REGION),
        *_at("ipCidrRange", ip_range(4, 29)),
        *_at("ipCidrRange", _USABLE),
        *_at("secondaryIpRanges[].ipCidrRange", ip_range(4, 29)),
        *_at("secondaryIpRanges[].rangeName", COMPUTE_NAME),
        *_at("logConfig.flowSampling", number(0, 1)),
        _unique("secondaryIpRanges", "rangeName", [{"rangeName": "a"}, {"rangeName": "a"}]),
        Combination(
            _subnet_ranges,
            ("ipCidrRange", "secondaryIpRanges[].ipCidrRange"),
            (
                (
                    "secondaryIpRanges",
                    [
                        {"rangeName": "a", "ipCidrRange": "10.99.0.0/16"},
                        {"rangeName": "b", "ipCidrRange": "10.99.1.0/24"},
                    ],
                ),
            ),
        ),
    ),
    gcp.GLOBAL_ADDRESS: (
        *_at("name", COMPUTE_NAME),
        *_at("address", ANY_RANGE),
        *_at("prefixLength", integer(8, 30)),
        *_at("purpose", choice("VPC_PEERING", "PRIVATE_SERVICE_CONNECT")),
        Combination(
            _reserved_range,
            ("address", "prefixLength", "addressType", "purpose"),
            (("address", "10.20.1.0"), ("addressType", "EXTERNAL")),
        ),
    ),
    gcp.ADDRESS: (
        *_at("name", COMPUTE_NAME),
        *_at("region", REGION),
        *_at("address", ANY_RANGE),
    ),
    gcp.ROUTER: (
        *_at("name", COMPUTE_NAME),
        *_at("region", REGION),
        # https://cloud.google.com/network-connectivity/docs/router/concepts/overview
        *_at(
            "bgp.asn",
            Values(
                "a private ASN (64512 to 65534, 4200000000 to 4294967294) or 16550",
                lambda value: (
                    value == 16550 or 64512 <= value <= 65534 or 4200000000 <= value <= 4294967294
                ),
                (64511, 15169, 65535),
            ),
        ),
    ),
    gcp.ROUTER_NAT: (
        *_at("name", COMPUTE_NAME),
        *_at("region", REGION),
        *_at("minPortsPerVm", integer(2, 65536)),
        *_at("maxPortsPerVm", integer(64, 65536)),
        *_at("tcpEstablishedIdleTimeoutSec", integer(30, 7200)),
        Combination(
            _nat,
            ("natIpAllocateOption", "natIps", "sourceSubnetworkIpRangesToNat", "subnetworks"),
            (
                ("natIps", []),
                ("natIpAllocateOption", "AUTO_ONLY"),
                ("sourceSubnetworkIpRangesToNat", "LIST_OF_SUBNETWORKS"),
            ),
        ),
    ),
    gcp.FIREWALL: (
        *_at("name", COMPUTE_NAME),
        *_at("priority", integer(0, 65535)),
        *_each(ANY_RANGE, "sourceRanges[]", "destinationRanges[]"),
        *_each(COMPUTE_NAME, "sourceTags[]", "targetTags[]"),
        *_each(_PORTS, "allows[].ports[]", "denies[].ports[]"),
        *_each(
            text(
                r"tcp|udp|icmp|esp|ah|sctp|ipip|all|\d{1,3}",
                "tcp, udp, icmp, esp, ah, sctp, ipip, all or a protocol's number",
                *("http", "any"),
            ),
            *("allows[].protocol", "denies[].protocol"),
        ),
        Combination(
            _firewall,
            ("allows", "denies", "direction", "sourceRanges", "destinationRanges"),
            (("allows", []), ("direction", "EGRESS")),
        ),
    ),
    gcp.MANAGED_SSL_CERTIFICATE: (
        *_at("name", COMPUTE_NAME),
        *_at(
            "managed.domains[]",
            text(
                r"(?=.{1,64}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+\.?",
                "a host name of up to 64 characters without a wildcard",
                *("*.pull.com", "pull", "Api.pull.com", f"{'x' * 60}.pull.com"),
            ),
        ),
    ),
    # https://cloud.google.com/vpc/docs/configure-private-services-access
    gcp.SERVICE_NETWORKING_CONNECTION: (
        *_at(
            "service",
            text(
                r"[a-z][a-z0-9.-]*\.googleapis\.com",
                "servicenetworking.googleapis.com",
                *("servicenetworking", "https://servicenetworking.googleapis.com"),
            ),
        ),
        *_at("reservedPeeringRanges", items(1, 100)),
    ),
    gcp.VPC_CONNECTOR: (
        *_at("name", _lower_case_name(25)),
        *_at("region", REGION),
        *_at("ipCidrRange", ip_range(28, 28)),
        *_at("machineType", choice("f1-micro", "e2-micro", "e2-standard-4")),
        *_at("minThroughput", integer(200, 900)),
        *_at("maxThroughput", integer(200, 1000)),
        *_at("minInstances", integer(2, 9)),
        *_at("maxInstances", integer(3, 10)),
        Combination(
            _connector,
            ("minInstances", "maxInstances", "ipCidrRange", "subnet"),
            (("minInstances", 10), ("subnet", {"name": "s"})),
        ),
    ),
    gcp.DNS_ZONE: _at("dnsName", text(r"([\w-]+\.)+", "a name that ends in a dot", "pull.com")),
}

# -- Kubernetes Engine -----------------------------------------------------------------------------


def _cluster_key(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/kubernetes-engine/docs/how-to/encrypting-secrets"""
    for path, encryption in inputs.values_at("databaseEncryption"):
        if (encryption.get("state") == "ENCRYPTED") != bool(encryption.get("keyName")):
            yield Rejection(f"{path}.keyName", "a key with the state ENCRYPTED only")


def _workload_pool(inputs: Inputs) -> Iterator[Rejection]:
    """https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity"""
    project = inputs.get("project")
    for path, pool in inputs.values_at("workloadIdentityConfig.workloadPool"):
        if project and pool != f"{project}.svc.id.goog":
            yield Rejection(path, f"{project}.svc.id.goog")


_GKE: Final[Table] = {
    gcp.GKE_CLUSTER: (
        *_at("name", _lower_case_name(40)),
        *_at("resourceLabels", LABELS),
        *_at(
            "location",
            member_of(
                limits.REGIONS | limits.ZONES,
                "a region or a zone",
                *("us", "us-central9", "us-central1-z"),
            ),
        ),
        *_at("nodeLocations[]", ZONE),
        *_at(
            "releaseChannel.channel",
            choice("UNSPECIFIED", "RAPID", "REGULAR", "STABLE", "EXTENDED", refused=("FAST",)),
        ),
        *_at("maintenancePolicy.dailyMaintenanceWindow.startTime", TIME_OF_DAY),
        *_at("maintenancePolicy.recurringWindow.startTime", TIMESTAMP),
        *_at("maintenancePolicy.recurringWindow.endTime", TIMESTAMP),
        *_at("databaseEncryption.keyName", KEY),
        *_at(
            "minMasterVersion",
            text(r"latest|\d+\.\d+(\.\d+(-gke\.\d+)?)?", "a version such as 1.33", "v1.33", "new"),
        ),
        *_at(
            "maintenancePolicy.recurringWindow.recurrence",
            text(r"(RRULE:)?FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY).*", "an RRULE (RFC 5545)", "WEEKLY"),
        ),
        *_at("databaseEncryption.state", choice("ENCRYPTED", "DECRYPTED")),
        *_at("privateClusterConfig.masterIpv4CidrBlock", ip_range(28, 28)),
        *_at("clusterAutoscaling.autoProvisioningDefaults.serviceAccount", _ACCOUNT_EMAIL),
        *_at("masterAuthorizedNetworksConfig.cidrBlocks[].cidrBlock", ip_range()),
        Combination(_cluster_key, ("databaseEncryption",), (("databaseEncryption.keyName", None),)),
        Combination(
            _workload_pool,
            ("workloadIdentityConfig.workloadPool", "project"),
            (("workloadIdentityConfig.workloadPool", "another.svc.id.goog"),),
        ),
    ),
}

# -- Monitoring and logs ---------------------------------------------------------------------------

_CONDITION_PATHS: Final = ("conditionThreshold", "conditionAbsent")

_MONITORING: Final[Table] = {
    # https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies
    gcp.ALERT_POLICY: (
        *_at("userLabels", LABELS),
        *_at("displayName", length(512)),
        *_at("conditions", items(1, 6)),
        *_at("severity", choice("CRITICAL", "ERROR", "WARNING", "")),
        *_at("conditions[].conditionThreshold.duration", duration(0, 84600, step=60)),
        *_at("conditions[].conditionAbsent.duration", duration(120, 84600, step=60)),
        *_at(
            "conditions[].conditionPrometheusQueryLanguage.evaluationInterval",
            duration(30, 31536000, step=30),
        ),
        *_each(
            duration(60, 90000),
            *(f"conditions[].{name}.aggregations[].alignmentPeriod" for name in _CONDITION_PATHS),
        ),
        *_each(
            text(r"(?s).*\S.*", "a filter", "", " "),
            *(f"conditions[].{name}.filter" for name in _CONDITION_PATHS),
            "conditions[].conditionMatchedLog.filter",
        ),
        *_at("alertStrategy.autoClose", duration(1800, 7 * _DAY)),
        *_at("alertStrategy.notificationRateLimit.period", duration(300, 2 * _DAY)),
        *_at("documentation.content", length(8192, unit="bytes")),
        *_at(
            "notificationChannels[]",
            text(
                r"projects/[^/]+/notificationChannels/\d+",
                "projects/<project>/notificationChannels/<number>",
                *("pager", "oncall@pull.com"),
            ),
        ),
    ),
    # https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.uptimeCheckConfigs
    gcp.UPTIME_CHECK: (
        *_at("userLabels", LABELS),
        *_at("period", choice("60s", "300s", "600s", "900s", refused=("30s", "120s", "1h"))),
        *_at("timeout", duration(1, 60)),
        *_at("httpCheck.port", integer(1, 65535)),
        *_at("tcpCheck.port", integer(1, 65535)),
        *_at(
            "selectedRegions[]",
            choice(
                *("USA", "EUROPE", "SOUTH_AMERICA", "ASIA_PACIFIC", "USA_OREGON", "USA_IOWA"),
                "USA_VIRGINIA",
                refused=("us-central1", "AFRICA"),
            ),
        ),
    ),
    gcp.LOG_METRIC: (
        *_at("name", text(r"(?!/)[\w\-.,+!*',()%/]{1,100}", "up to 100 characters", "x" * 101)),
        *_at("filter", length(20000)),
        *_at("metricDescriptor.metricKind", choice("DELTA", "GAUGE", "CUMULATIVE")),
        *_at(
            "metricDescriptor.valueType",
            choice("BOOL", "INT64", "DOUBLE", "STRING", "DISTRIBUTION", "MONEY"),
        ),
    ),
    # https://cloud.google.com/logging/docs/buckets
    gcp.LOG_BUCKET: (
        *_at("bucketId", text(r"[A-Za-z0-9][\w.-]{0,99}", "a name of up to 100", "a b", "x" * 101)),
        *_at("retentionDays", integer(1, 3650)),
        *_at(
            "location",
            member_of(
                limits.REGIONS | {"global", "us", "eu"}, "global, us, eu or a region", "world"
            ),
        ),
    ),
}

# -- All of them -----------------------------------------------------------------------------------

GROUPS: Final[Mapping[str, Table]] = {
    "google": {
        token: (*_at("project", PROJECT), *_at("labels", LABELS))
        for token in RESOURCE_TYPES
        if token.startswith("gcp:")
    },
    "iam": {**_GRANTS, **_IDENTITY},
    "secret": _SECRETS,
    "sql": _SQL,
    "storage": _DATA,
    "run": _RUN,
    "registry": _REGISTRY,
    "network": _NETWORK,
    "gke": _GKE,
    "monitoring": _MONITORING,
}
"""What Google Cloud accepts, by subject and type token. ``google`` is about every type."""

CONSTRAINTS: Final[Table] = {
    token: tuple(itertools.chain(*(group.get(token, ()) for group in GROUPS.values())))
    for token in GROUPS["google"]
}
"""What Google Cloud accepts, by type token."""

"""Cloud KMS, Secret Manager and Pub/Sub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from resource_types import gcp, limits
from resource_types.constraints.gcp.shared import DAY, KEY, REGION, exclusive
from resource_types.constraints.primitives import (
    TIMESTAMP,
    Combination,
    Constraint,
    Inputs,
    Rejection,
    Table,
    choice,
    duration,
    each,
    items,
    length,
    map_of,
    member_of,
    text,
    unique,
)

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


CONSTRAINTS: Final[Table] = {
    gcp.KEY_RING: (
        Constraint("name", _KEY_NAME),
        Constraint(
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
        Constraint("name", _KEY_NAME),
        Constraint("rotationPeriod", duration(DAY, 36500 * DAY)),
        Constraint("destroyScheduledDuration", duration(DAY, 120 * DAY)),
        Constraint(
            "purpose",
            choice(
                *("ENCRYPT_DECRYPT", "ASYMMETRIC_SIGN", "ASYMMETRIC_DECRYPT", "MAC"),
                *("RAW_ENCRYPT_DECRYPT", "KEY_ENCAPSULATION"),
            ),
        ),
        Constraint(
            "versionTemplate.protectionLevel",
            choice("SOFTWARE", "HSM", "EXTERNAL", "EXTERNAL_VPC", "HSM_SINGLE_TENANT"),
        ),
        Constraint(
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
        Constraint(
            "secretId",
            text(
                r"[A-Za-z0-9_-]{1,255}",
                "1 to 255 letters, digits, - and _",
                *("pull.jwt", "pull/jwt", "x" * 256),
            ),
        ),
        Constraint("rotation.rotationPeriod", duration(3600, 36500 * DAY)),
        Constraint("rotation.nextRotationTime", TIMESTAMP),
        Constraint("expireTime", TIMESTAMP),
        Constraint("ttl", duration(1, 36500 * DAY)),
        Constraint("versionDestroyTtl", duration(DAY, 36500 * DAY)),
        Constraint(
            "topics[].name",
            text(
                r"projects/[^/]+/topics/[^/]+",
                "projects/<project>/topics/<topic>",
                *("pull-secret-rotation", "topics/pull-secret-rotation"),
            ),
        ),
        Constraint("replication.userManaged.replicas[].location", REGION),
        *each(
            KEY,
            "replication.auto.customerManagedEncryption.kmsKeyName",
            "replication.userManaged.replicas[].customerManagedEncryption.kmsKeyName",
        ),
        Constraint("topics", items(0, 10)),
        Constraint(
            "versionAliases",
            map_of(r"[A-Za-z][\w-]{0,62}", r"\d+", "aliases such as current: 3", {"a b": "1"}),
        ),
        Constraint("annotations", map_of(r".+", r".{0,16384}", "up to 16 KiB", {"a": "x" * 16385})),
        exclusive("replication", ("auto", "userManaged"), {}),
        unique(
            "replication.userManaged.replicas",
            "location",
        ),
        Combination(
            _rotation_of_secret,
            ("rotation", "topics"),
            (("rotation", {"rotationPeriod": "7776000s"}),),
        ),
        Combination(_one_expiry, ("ttl", "expireTime"), ()),
    ),
    # https://cloud.google.com/secret-manager/quotas#content_limits
    gcp.SECRET_VERSION: each(length(65536, unit="bytes"), "secretData", "secretDataWo"),
    # https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names
    gcp.TOPIC: (
        Constraint(
            "name",
            text(
                r"(?!goog)[A-Za-z][-A-Za-z0-9._~+%]{2,254}",
                "3 to 255 letters, digits and -._~+%, starting with a letter and not with goog",
                *("ab", "google-topic", "1topic", "pull topic", "x" * 256),
            ),
        ),
        Constraint("kmsKeyName", KEY),
        Constraint("messageRetentionDuration", duration(600, 31 * DAY)),
        Constraint("messageStoragePolicy.allowedPersistenceRegions[]", REGION),
        Constraint("schemaSettings.encoding", choice("ENCODING_UNSPECIFIED", "JSON", "BINARY")),
    ),
}

"""Customer-managed keys: location, rotation, and who may use them."""

from __future__ import annotations

import pytest

from components.platform.encryption import Encryption, EncryptionArgs, KeyArgs
from tests.recorder import Neighbours, record, side_by_side

KEYS = {
    "postgres": KeyArgs(location="us-central1", agent="serviceAccount:sql"),
    "backups": KeyArgs(location="us", agent="serviceAccount:storage"),
    "exports": KeyArgs(location="us", agent="serviceAccount:storage"),
}


def make(name: str, near: Neighbours) -> Encryption:
    return Encryption(
        name,
        EncryptionArgs(
            project="pull-production",
            ring="pull-production",
            settings=near.settings.encryption,
            protect=near.settings.protect,
            keys=KEYS,
            services=near.project,
        ),
    )


def test_children_with_one_ring_for_each_location() -> None:
    assert side_by_side(make).listed("one") == [
        ("gcp:kms/cryptoKey:CryptoKey", "one-key-backups"),
        ("gcp:kms/cryptoKey:CryptoKey", "one-key-exports"),
        ("gcp:kms/cryptoKey:CryptoKey", "one-key-postgres"),
        ("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "one-key-backups-user"),
        ("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "one-key-exports-user"),
        ("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", "one-key-postgres-user"),
        ("gcp:kms/keyRing:KeyRing", "one-ring-us"),
        ("gcp:kms/keyRing:KeyRing", "one-ring-us-central1"),
    ]


def test_ring_key_and_grant() -> None:
    recording = record(lambda: make("encryption", Neighbours()))
    ring = recording["encryption-ring-us-central1"]
    assert ring.inputs == {
        "project": "pull-production",
        "location": "us-central1",
        "name": "pull-production",
    }
    assert ring.waits_for == {"project-cloudkms"}
    assert recording["encryption-key-postgres"].inputs == {
        "keyRing": "<encryption-ring-us-central1.id>",
        "name": "postgres",
        "purpose": "ENCRYPT_DECRYPT",
        "rotationPeriod": "7776000s",  # 90 days
        "destroyScheduledDuration": "2592000s",  # 30 days
    }
    assert recording["encryption-key-postgres-user"].inputs == {
        "cryptoKeyId": "<encryption-key-postgres.id>",
        "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter",
        "member": "serviceAccount:sql",
    }


@pytest.mark.parametrize("protect", [True, False])
def test_rings_and_keys_are_protected_and_grants_are_not(protect: bool) -> None:
    recording = record(lambda: make("encryption", Neighbours(protect=protect)))
    for child in recording.children("encryption"):
        assert child.protect == (protect and not child.name.endswith("-user")), child.name


def test_usable_waits_for_the_grant() -> None:
    def program() -> None:
        near = Neighbours()
        encryption = make("encryption", near)
        Encryption(
            "later",
            EncryptionArgs(
                project="pull-production",
                ring="later",
                settings=near.settings.encryption,
                protect=True,
                keys={},
                services=near.project,
            ),
            encryption.usable["backups"],
        )

    assert record(program)["later"].waits_for == {"encryption-key-backups-user"}

"""A signed file: a DSSE envelope with an Ed25519 signature, in which a review is kept.

The format is https://github.com/secure-systems-lab/dsse (v1.0), so that other tools can verify it.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from ops.errors import Refused, WrongInput
from ops.secret_values import HANDLED

if TYPE_CHECKING:
    from Crypto.PublicKey.ECC import EccKey

SIGNING_KEY: Final = "RECORD_SIGNING_KEY"
"""The environment variable with the private key."""

PUBLIC_KEY: Final = "record.pub"
"""The file with the public key, beside the approvals: code owners review each change of it.

It is not a variable of the CI: at GitHub, every collaborator can set those
(https://docs.github.com/en/rest/actions/variables)."""

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
"""https://github.com/in-toto/attestation/blob/main/spec/v1/envelope.md"""


class Signature(BaseModel):
    """A signature in Base64. ``keyid`` is a hint about the key, and proves nothing."""

    model_config = ConfigDict(frozen=True)

    keyid: str = ""
    sig: str


class Envelope(BaseModel):
    """A payload in Base64, and its signatures."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True
    )

    payload_type: Literal["application/vnd.in-toto+json"]
    payload: str
    signatures: tuple[Signature, ...]

    @classmethod
    def of(cls, content: bytes) -> Self:
        """The envelope of a payload that is not signed yet."""
        payload = base64.b64encode(content).decode()
        return cls(payload_type=PAYLOAD_TYPE, payload=payload, signatures=())

    @classmethod
    def read(cls, path: Path) -> Self:
        """The envelope in a file.

        Raises:
            WrongInput: the file cannot be read, or is not an envelope.
        """
        try:
            envelope = cls.model_validate_json(path.read_bytes(), strict=True)
            base64.b64decode(envelope.payload, validate=True)
        except OSError as error:
            raise not_a_record(path, str(error.strerror)) from None
        except ValidationError as error:
            raise not_a_record(path, first_error(error)) from None
        except ValueError as error:
            raise not_a_record(path, f"payload: {error}") from None
        return envelope

    def write(self, path: Path) -> None:
        """Write the envelope as JSON.

        Raises:
            WrongInput: the file cannot be written.
        """
        try:
            path.write_text(f"{self.model_dump_json(indent=1)}\n", "utf-8")
        except OSError as error:
            raise WrongInput("record", f"--record {path}: {error.strerror}.") from None

    @property
    def content(self) -> bytes:
        """The payload."""
        return base64.b64decode(self.payload)

    def signed(self, key: SigningKey) -> Self:
        """The envelope with one more signature."""
        signature = Signature(keyid=key.id, sig=key.sign(self._signed_bytes()))
        others = (other for other in self.signatures if other != signature)
        return self.model_copy(update={"signatures": (*others, signature)})

    def require_signature(self, key: PublicKey) -> None:
        """Refuse a payload that was not signed with the private key of ``key``.

        Raises:
            Refused: there is no such signature.
        """
        signed = self._signed_bytes()
        if not any(key.verifies(signed, signature.sig) for signature in self.signatures):
            raise Refused(
                "record",
                f"No signature of the record was made with the key of approvals/{PUBLIC_KEY} "
                f"({key.id[:12]}), or the record was edited since. Preview again, and have the new "
                "record reviewed.",
            )

    def _signed_bytes(self) -> bytes:
        """What is signed: the type and the payload, each with its length (PAE in DSSE)."""
        content = self.content
        return b"DSSEv1 %d %s %d %s" % (
            len(PAYLOAD_TYPE),
            PAYLOAD_TYPE.encode(),
            len(content),
            content,
        )


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The key that verifies signatures.

    Attributes:
        id: the SHA-256 of the public key in DER.
    """

    _key: EccKey

    @classmethod
    def read(cls, approvals: Path) -> PublicKey | None:
        """The key in a folder of approvals, if there is one.

        Raises:
            WrongInput: the file cannot be read, or is not a public Ed25519 key.
        """
        try:
            text = (approvals / PUBLIC_KEY).read_text("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError):
            text = ""
        key = _imported(text)
        if key is None or key.has_private():
            raise WrongInput(
                "record",
                f"approvals/{PUBLIC_KEY} is not a public Ed25519 key as PEM. `openssl pkey -in KEY "
                "-pubout` prints one.",
            )
        return cls(key)

    @property
    def id(self) -> str:
        return hashlib.sha256(self._key.public_key().export_key(format="DER")).hexdigest()

    def verifies(self, content: bytes, signature: str) -> bool:
        """Whether ``signature``, in Base64, is this key's signature of ``content``."""
        from Crypto.Signature import eddsa

        try:
            raw = base64.b64decode(signature, validate=True)
            eddsa.new(self._key, "rfc8032").verify(content, raw)
        except ValueError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key that signs.

    Attributes:
        id: the SHA-256 of its public key in DER.
    """

    _key: EccKey

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> SigningKey:
        """The key in ``RECORD_SIGNING_KEY``.

        Raises:
            WrongInput: there is none, or the value is not a private Ed25519 key.
        """
        text = variables.get(SIGNING_KEY, "")
        HANDLED.add(text)
        key = _imported(text)
        if key is None or not key.has_private():
            raise WrongInput(
                "record",
                f"Set {SIGNING_KEY} to a private Ed25519 key as PEM. `openssl genpkey -algorithm "
                "ed25519` prints one.",
            )
        return cls(key)

    @property
    def id(self) -> str:
        return PublicKey(self._key).id

    def sign(self, content: bytes) -> str:
        """The signature of ``content``, in Base64."""
        from Crypto.Signature import eddsa

        return base64.b64encode(eddsa.new(self._key, "rfc8032").sign(content)).decode()


def _imported(text: str) -> EccKey | None:
    """An Ed25519 key as PEM, or as the Base64 in it: some CI systems only mask a single line."""
    from Crypto.PublicKey import ECC  # takes a tenth of a second, and few commands need it

    text = text.strip()
    try:
        encoded = text if text.startswith("-----") else base64.b64decode(text, validate=True)
        key = ECC.import_key(encoded)
    except ValueError:
        return None
    return key if key.curve == "Ed25519" else None


def first_error(error: ValidationError) -> str:
    """Where a document is wrong first, and why."""
    wrong = error.errors(include_url=False, include_input=False)[0]
    return ": ".join(filter(None, [".".join(map(str, wrong["loc"])), wrong["msg"]]))


def not_a_record(path: Path, why: str) -> WrongInput:
    """The error about a file that is not a record."""
    return WrongInput(
        "record",
        f"--record {path} is not a release record ({why}). `bin/ops preview --record FILE` writes "
        "one.",
    )

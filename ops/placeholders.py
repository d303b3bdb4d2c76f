"""Placeholders for the secrets of a deployment.

A placeholder has the length and the kinds of characters of what it replaces, and the same word gets
the same placeholder everywhere. So a connection string holds the placeholder of its password, and a
program that composes one from the placeholder arrives at the text in the deployment.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ops.review.redaction import is_marked_secret, secret_values
from ops.secret_values import SecretValues
from ops.texts import texts_in
from resource_types.limits import MIN_SECRET_LENGTH

_WORD: Final = re.compile(r"[^\W_]+")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")

Deployment = dict[str, Any]


def without_secrets(deployment: Mapping[str, Any], public: str) -> Deployment:
    """``deployment``, exported with its secrets in plain text, with a placeholder for each secret.

    The marks of the secrets stay. ``public`` is a text whose words are no secrets: the settings and
    the source of the program. Placeholders differ in every call, so that nobody can guess a secret
    and compare.

    Raises:
        SecretLeft: a secret is left, in an encoding that has no placeholder.
    """
    texts = sorted(set(_texts(list(secret_values(deployment)))), key=len)
    words = frozenset(_secret_words(texts, public))
    everywhere = frozenset(word for word in words if len(word) >= MIN_SECRET_LENGTH)
    key = secrets.token_bytes(32)
    in_secret = _Replacement(words, key)
    # A provider's output may hold a value in plain text that the program then makes secret.
    whole = frozenset(text for text in texts if len(text) >= MIN_SECRET_LENGTH)
    in_plain = _Replacement(everywhere, key, whole, in_secret)
    result = {name: _mapped(value, in_plain, in_secret) for name, value in deployment.items()}
    left = SecretValues()
    left.publish(public)
    left.add(everywhere)
    if left.occur_in(result):
        raise SecretLeft
    return result


class SecretLeft(Exception):
    """A deployment holds a secret in an encoding that has no placeholder."""


def _texts(value: Any) -> Iterator[str]:
    """The texts in the values of a secret, its numbers, and what base64 in them encodes."""
    for text in texts_in(value):
        yield text
        for piece, encoded in _pieces(text):
            if encoded:
                yield piece


def _secret_words(texts: Iterable[str], public: str) -> Iterator[str]:
    """The words to replace: those of a secret that the public text does not have.

    In a secret that another one is part of, a short word is a port or a byte of an address.
    """
    known = frozenset(_WORD.findall(public))
    long = [text for text in texts if len(text) >= MIN_SECRET_LENGTH]
    for text in texts:
        composed = any(part in text for part in long if len(part) < len(text))
        for piece, encoded in _pieces(text):
            for word in () if encoded else _WORD.findall(piece):
                if word not in known and not (composed and len(word) < MIN_SECRET_LENGTH):
                    yield word


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a text: as it is, or what base64 encodes and the base64 itself."""
    done = 0
    for found in _BASE64.finditer(text):
        inner = _decoded(found[0])
        if inner is not None:
            yield text[done : found.start()], ""
            yield inner, found[0]
            done = found.end()
    yield text[done:], ""


def _decoded(encoded: str) -> str | None:
    padded = encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4)
    try:
        inner = base64.b64decode(padded, altchars=_altchars(encoded), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return inner if inner.isprintable() else None


def _altchars(encoded: str) -> bytes | None:
    return b"-_" if "-" in encoded or "_" in encoded else None


@dataclass(frozen=True, slots=True)
class _Replacement:
    """Replaces ``words`` in a text by their placeholders, also in base64.

    A text in ``whole`` is left to ``of_whole``.
    """

    words: frozenset[str]
    key: bytes
    whole: frozenset[str] = frozenset()
    of_whole: _Replacement | None = None

    def __call__(self, text: str) -> str:
        if self.of_whole and text in self.whole:
            return self.of_whole(text)
        return "".join(
            self._encoded(piece, encoded) if encoded else self._plain(piece)
            for piece, encoded in _pieces(text)
        )

    def _plain(self, text: str) -> str:
        return _WORD.sub(
            lambda word: _placeholder(word[0], self.key) if word[0] in self.words else word[0], text
        )

    def _encoded(self, inner: str, encoded: str) -> str:
        changed = self._plain(inner)
        if changed == inner:
            return encoded
        again = base64.b64encode(changed.encode(), altchars=_altchars(encoded)).decode()
        return again if encoded.endswith("=") else again.rstrip("=")


def _placeholder(word: str, key: bytes) -> str:
    """Letters for letters of the same case, and digits for digits."""
    stream = hashlib.shake_256(hmac.digest(key, word.encode(), "sha256")).digest(2 * len(word))
    numbers = (int.from_bytes(stream[at : at + 2]) for at in range(0, len(stream), 2))
    return "".join(_drawn(sign, number) for sign, number in zip(word, numbers, strict=True))


def _drawn(sign: str, number: int) -> str:
    for alphabet in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
        if sign in alphabet:
            return alphabet[number % len(alphabet)]
    return "x"


def _mapped(value: Any, plain: _Replacement, secret: _Replacement, *, within: bool = False) -> Any:
    """``value`` with its texts replaced, and in a secret its numbers as well."""
    if isinstance(value, Mapping):
        if is_marked_secret(value):
            inner = _mapped(json.loads(value["plaintext"]), plain, secret, within=True)
            return {**value, "plaintext": json.dumps(inner)}
        return {key: _mapped(item, plain, secret, within=within) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, plain, secret, within=within) for item in value]
    if isinstance(value, str):
        return (secret if within else plain)(value)
    if within and isinstance(value, int) and not isinstance(value, bool):
        return int(secret(str(value)))
    return value

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
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

from ops.review.redaction import is_marked_secret, secret_values
from ops.secret_values import SecretValues
from ops.texts import texts_in
from resource_types.limits import MIN_SECRET_LENGTH

_ENCODINGS: Final[tuple[Callable[[str], str], ...]] = (
    str,
    lambda text: quote(text, safe=""),
    quote_plus,
    lambda text: json.dumps(text)[1:-1],
    lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
)
"""How a secret may be written inside another one, such as a password in a connection string."""

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
    placeholders = _Placeholders(frozenset(_texts(list(secret_values(deployment)))), public)
    result = {name: _mapped(value, placeholders) for name, value in deployment.items()}
    left = SecretValues()
    left.publish(public)
    left.add(placeholders.long_words)
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
                yield from _texts(piece)


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
    return inner if all(line.isprintable() for line in inner.splitlines()) else None


def _altchars(encoded: str) -> bytes | None:
    return b"-_" if "-" in encoded or "_" in encoded else None


class _Placeholders:
    """The placeholders of ``secrets_``, for any text that holds them.

    Attributes:
        long_words: the words of the secrets that are replaced wherever they are.
    """

    def __init__(self, secrets_: frozenset[str], public: str) -> None:
        self._key = secrets.token_bytes(32)
        self._public = frozenset(_WORD.findall(public))
        self._secrets = secrets_
        self._long = sorted((text for text in secrets_ if len(text) >= MIN_SECRET_LENGTH), key=len)
        self._made: dict[str, str] = {}
        words = {
            word
            for text in secrets_
            for piece, encoded in _pieces(text)
            if not encoded
            for word in _WORD.findall(piece)
        }
        self.long_words = frozenset(
            word for word in words - self._public if len(word) >= MIN_SECRET_LENGTH
        )

    def replace(self, text: str) -> str:
        """``text`` with a placeholder for each secret in it, also in base64."""
        if text not in self._made:
            self._made[text] = "".join(
                self._encoded(piece, encoded) if encoded else self._plain(piece)
                for piece, encoded in _pieces(text)
            )
        return self._made[text]

    def _plain(self, text: str) -> str:
        parts = dict(self._parts(text))
        # Beside the secrets in it, a short word is a port or a byte of an address.
        every_word = text in self._secrets and not parts
        if not parts:
            return self._words(text, every_word)
        pattern = "|".join(map(re.escape, sorted(parts, key=len, reverse=True)))
        # The groups keep the separators: every other piece is one of the parts.
        return "".join(
            parts[piece] if piece in parts else self._words(piece, every_word)
            for piece in re.split(f"({pattern})", text)
        )

    def _parts(self, text: str) -> Iterator[tuple[str, str]]:
        """The shorter secrets in ``text``, as they are encoded there, and what replaces them."""
        for secret in self._long:
            if len(secret) >= len(text):
                return
            for encode in _ENCODINGS:
                if encode(secret) in text and self.replace(secret) != secret:
                    yield encode(secret), encode(self.replace(secret))

    def _words(self, text: str, every_word: bool) -> str:
        def replaced(found: re.Match[str]) -> str:
            word = found[0]
            secret = word not in self._public if every_word else word in self.long_words
            return _placeholder(word, self._key) if secret else word

        return _WORD.sub(replaced, text)

    def _encoded(self, inner: str, encoded: str) -> str:
        changed = self.replace(inner)
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


def _mapped(value: Any, placeholders: _Placeholders, *, within: bool = False) -> Any:
    """``value`` with its texts replaced, and in a secret its numbers as well."""
    if isinstance(value, Mapping):
        if is_marked_secret(value):
            inner = _mapped(json.loads(value["plaintext"]), placeholders, within=True)
            return {**value, "plaintext": json.dumps(inner)}
        return {name: _mapped(item, placeholders, within=within) for name, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, placeholders, within=within) for item in value]
    if isinstance(value, str):
        return placeholders.replace(value)
    if within and isinstance(value, int) and not isinstance(value, bool):
        return int(placeholders.replace(str(value)))
    return value

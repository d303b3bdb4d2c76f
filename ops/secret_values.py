"""The secret values of this run, and their redaction from everything that ops prints or writes.

The engine marks secrets in properties (``ops/review/redaction.py``). It marks nothing in text: an
exception, a provider's error or a line that the program prints may contain any value. So this
process remembers the values that the program, the state and the settings hold as secret, in memory
only, and replaces them in every text that leaves it, also encoded, cut or wrapped.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final, TextIO
from urllib.parse import quote, quote_plus

from ops.review.redaction import SECRET
from ops.texts import texts_in
from resource_types.limits import MIN_SECRET_LENGTH

MAX_FRAGMENT: Final = 32
"""A part of a value is a secret if it is half of the value, or this many characters, long."""

_GRAM: Final = 4
"""Characters that a text and a secret must share at least before they are compared."""

_CHANGES: Final = re.compile("[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")
"""Where letters and digits alternate: often in what a machine generated, twice in "v1beta1"."""

_WEB_ADDRESS: Final = re.compile(r"https?://[\w.-]+(:\d+)?/?")
"""Vercel's provider marks each variable as secret, the public address of the API included."""

_UNIT: Final = "\x1f"
"""The unit separator of ASCII; it is white space."""

# What may come between the characters of a value that was wrapped, quoted or put into a list.
_SEPARATORS: Final = re.compile(
    r"\x1b\[[0-9;]*[A-Za-z]|\\+(?:[nrt](?![a-z]))?"
    r"|[\s\"'`|+,\u00ad\u200b-\u200d\u2060\ufeff\u2500-\u257f]+"
)


@dataclass(frozen=True, slots=True)
class _Block:
    """A part of a value in one encoding; every fragment of the encoded value contains a block.

    Attributes:
        form: the encoded value without separators.
        start: where the block begins in it.
        text: the block itself.
        fragment: the length of the shortest part of ``form`` that is redacted.
    """

    form: str
    start: int
    text: str
    fragment: int

    @classmethod
    def all_of(cls, form: str) -> Iterator[_Block]:
        fragment = min(max(MIN_SECRET_LENGTH, len(form) // 2), MAX_FRAGMENT)
        size = fragment // 2
        for start in range(0, len(form) - size + 1, size):
            yield cls(form, start, form[start : start + size], fragment)

    def found_in(self, text: str) -> Iterator[tuple[int, int]]:
        """The ranges of ``text`` that are the value, or a fragment of it with this block."""
        at = text.find(self.text)
        while at >= 0:
            start, end = at, at + len(self.text)
            first, last = self.start, self.start + len(self.text)
            while start and first and text[start - 1] == self.form[first - 1]:
                start, first = start - 1, first - 1
            while end < len(text) and last < len(self.form) and text[end] == self.form[last]:
                end, last = end + 1, last + 1
            if end - start >= self.fragment:
                yield start, end
            at = text.find(self.text, at + 1)


class SecretValues:
    """Values that must not be shown. Threads may share it."""

    def __init__(self) -> None:
        self._public = ""
        self._forms: set[str] = set()
        self._blocks: dict[str, list[_Block]] = {}
        self._lock = threading.Lock()

    def publish(self, text: str) -> None:
        """Exempt what ``text`` contains: the settings in the repository are not secret.

        Without it, a secret object with the item ``production`` would remove that word everywhere.
        """
        with self._lock:
            self._public = f"{self._public}\0{_joined(text)}"

    def add(self, value: Any) -> None:
        """Remember a value, every item of a list or an object, and what a text of them holds."""
        self._remember(texts_in(value))

    def add_output(self, value: Any) -> None:
        """Remember the value of a resource's output, or of an output that the program computed.

        A list or an object is secret as a whole if one item is secret; the Worker's bindings with
        all their names are, and so are labels. Of those, only what looks generated is remembered.
        """
        if isinstance(value, str):
            self.add(value)
        else:
            self._remember(text for text in texts_in(value) if self._looks_generated(text))

    def _looks_generated(self, text: str) -> bool:
        words = re.split("[^A-Za-z0-9]+", text)
        return any(len(_CHANGES.findall(word)) >= 3 for word in words if word not in self._public)

    def _remember(self, texts: Iterable[str]) -> None:
        with self._lock:
            for text in texts:
                joined = _joined(text)
                if (
                    len(joined) < MIN_SECRET_LENGTH
                    or joined in self._forms
                    or joined in self._public
                ):
                    continue
                if _WEB_ADDRESS.fullmatch(text):
                    continue
                for form in {_joined(encoded) for encoded in _encodings(text)} - self._forms:
                    self._forms.add(form)
                    for block in _Block.all_of(form):
                        self._blocks.setdefault(block.text[:_GRAM], []).append(block)

    def redact(self, text: str) -> str:
        """``text`` with every secret in it replaced by ``[secret]``."""
        spans = self._spans(_joined(text))
        if not spans:
            return text
        kept = _kept(text)
        lengths = [end - start for start, end in kept]
        offsets = [0, *accumulate(lengths)]

        def position(index: int) -> int:
            piece = bisect_right(offsets, index) - 1
            return kept[piece][0] + index - offsets[piece]

        redacted, done = [], 0
        for start, end in spans:
            redacted += [text[done : position(start)], SECRET]
            done = position(end - 1) + 1
        return "".join([*redacted, text[done:]])

    def redact_all(self, value: Any) -> Any:
        """A JSON value with every secret in its texts and keys replaced."""
        return self._redacted(value) if self.occur_in(value) else value

    def occur_in(self, value: Any) -> bool:
        """Whether a secret is in the JSON of a value."""
        return bool(self._spans(_joined(json.dumps(value))))

    def unfinished(self, text: str) -> int:
        """The position in ``text`` from which on it may be a part of a secret that goes on."""
        joined = _joined(text)
        with self._lock:
            longest = max((_shared_end(joined, form) for form in self._forms), default=0)
        if not longest:
            return len(text)
        left = len(joined) - longest
        for start, end in _kept(text):
            if left < end - start:
                return start + left
            left -= end - start
        return len(text)

    def _redacted(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {self._redacted(key): self._redacted(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            if value and all(isinstance(item, str) for item in value):
                # Its items may be the pieces of one secret.
                return self.redact(_UNIT.join(value)).split(_UNIT)
            return [self._redacted(item) for item in value]
        return value

    def _spans(self, joined: str) -> list[tuple[int, int]]:
        """The ranges of a text without separators that are secret, merged and in order."""
        with self._lock:
            grams = {joined[at : at + _GRAM] for at in range(len(joined) - _GRAM + 1)}
            blocks = [block for gram in grams & self._blocks.keys() for block in self._blocks[gram]]
        found = sorted(
            (start, end)
            for block in blocks
            for start, end in block.found_in(joined)
            if joined[start:end] not in self._public
        )
        merged: list[tuple[int, int]] = []
        for start, end in found:
            if merged and start < merged[-1][1]:
                merged[-1] = merged[-1][0], max(end, merged[-1][1])
            else:
                merged.append((start, end))
        return merged


HANDLED: Final = SecretValues()
"""The values that the program, the engine or the state handled as secret in this process.

Shorter ones than ``MIN_SECRET_LENGTH`` are redacted only where the engine marks them."""


class RedactedStream:
    """A text stream that hides every secret of ``values`` in what is written to it.

    The end of a text that may be a part of a secret waits for the next text, until ``end``.
    """

    def __init__(self, stream: TextIO, values: SecretValues = HANDLED) -> None:
        self._stream = stream
        self._values = values
        self._waiting = ""
        self._written = ""
        self._lock = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":
            raise AttributeError("bytes cannot be written: secrets are redacted in text")
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._lock:
            length = len(text)
            text = self._waiting + text
            before = self._written
            end = max(0, self._values.unfinished(before + text) - len(before))
            self._waiting = text[end:]
            self._written = (before + text[:end])[1 - _GRAM :]
            self._stream.write(self._values.redact(text[:end]))
            return length

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    @property
    def unredacted(self) -> TextIO:
        """The stream itself, for a text whose secrets are already redacted."""
        return self._stream

    def end(self) -> None:
        """Write what still waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, ""
            self._stream.write(self._values.redact(waiting))
            self._stream.flush()


def _joined(text: str) -> str:
    """The text without anything that may separate the pieces of a value."""
    return _SEPARATORS.sub("", text)


def _kept(text: str) -> list[tuple[int, int]]:
    """The ranges of a text that ``_joined`` keeps."""
    cuts = [0, *(cut for found in _SEPARATORS.finditer(text) for cut in found.span()), len(text)]
    pairs = zip(cuts[::2], cuts[1::2], strict=True)
    return [(start, end) for start, end in pairs if start < end]


def _shared_end(text: str, secret: str) -> int:
    """How many characters at the end of ``text`` are in ``secret`` as well, from 4 on."""
    length = _GRAM
    if len(text) < length or text[-length:] not in secret:
        return 0
    while length < len(text) and text[-length - 1 :] in secret:
        length += 1
    return length


def _encodings(text: str) -> Iterator[str]:
    """The text as it is, and as programs encode it."""
    yield from (text, text.lower(), text.upper())
    as_json = json.dumps(text)[1:-1]
    yield as_json
    # Go escapes these three as well: https://pkg.go.dev/encoding/json#HTMLEscape.
    yield re.sub("[<>&]", lambda sign: f"\\u{ord(sign[0]):04x}", as_json)
    data = text.encode("utf-8", "surrogatepass")
    yield "".join(f"%{byte:02X}" for byte in data)
    for safe in ("", "/"):
        encoded = quote(data, safe=safe)
        yield from (encoded, re.sub("%..", lambda code: code[0].lower(), encoded), quote(encoded))
    yield quote_plus(data)
    yield html.escape(text)
    yield html.escape(text, quote=False)
    yield html.escape(text).replace("&#x27;", "&#39;")
    yield data.hex()
    yield data.hex().upper()
    yield data.hex(":")
    yield from _base64(data)
    yield from _base64(base64.b64encode(data))


def _base64(data: bytes) -> Iterator[str]:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        # In a longer text, the value begins at the first, second or third byte of a group.
        for before in range(3):
            encoded = encode(bytes(before) + data).decode()
            first = -(-before * 8 // 6)
            yield encoded[first : (before + len(data)) * 8 // 6]

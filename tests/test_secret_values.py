"""Secret values are found in text in whatever form they are, and nothing else is."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import shlex
import textwrap
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, quote_plus

import pytest

from ops.secret_values import RedactedStream, SecretValues
from resource_types.limits import MIN_SECRET_LENGTH

SECRETS: Final = {
    "generated": "Xk3vQ9zT7bLm2Wc4RhNf",
    "with signs": "p@ss w/0rd&<'\">\\x\n!$%",
    "words": "correct horse battery staple",
    "in a URL": "postgres://pull:Xk3vQ9zT7bLm@10.0.0.3:5432/pull?sslmode=require",
    "UUID": "0dcf7661-cbc5-4463-88f0-83859d8d02b6",
    "shortest": "aB3$eF7h",
    "Unicode": "пароль-7f3a9c-ключ",
    "key": "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0B\n" * 30 + "-----END",
}


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FORMS: Final[dict[str, Callable[[str], str]]] = {
    "alone": str,
    "in a text": lambda secret: f"cannot connect with {secret}.",
    "in an assignment": lambda secret: f"PASSWORD={secret};",
    "JSON": json.dumps,
    "JSON with Unicode": lambda secret: json.dumps(secret, ensure_ascii=False),
    "JSON in JSON": lambda secret: json.dumps({"body": json.dumps({"p": f"a{secret}z"})}),
    "JSON in JSON in JSON": lambda secret: json.dumps(json.dumps(json.dumps([secret]))),
    "JSON of Go": lambda secret: re.sub(
        "[<>&]", lambda sign: f"\\u{ord(sign[0]):04x}", json.dumps(secret)
    ),
    "lower case": str.lower,
    "upper case": str.upper,
    "Python": repr,
    "shell": shlex.quote,
    "HTML": html.escape,
    "URL": lambda secret: f"https://api/x?p={quote(secret, safe='')}&y=1",
    "URL path": quote,
    "URL form": quote_plus,
    "URL twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "URL in lower case": lambda secret: re.sub(
        "%..", lambda code: code[0].lower(), quote(secret, safe="")
    ),
    "base64": base64_of,
    "base64 of a longer text, 1": lambda secret: base64_of(f"a{secret}zz"),
    "base64 of a longer text, 2": lambda secret: base64_of(f"ab{secret}z"),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "base64 in lines": lambda secret: textwrap.fill(base64_of(f"user:{secret}"), 12),
    "every byte for a URL": lambda secret: "".join(f"%{byte:02X}" for byte in secret.encode()),
    "base64 of base64": lambda secret: base64_of(base64_of(secret)),
    "hex with colons": lambda secret: secret.encode().hex(":"),
    "hex": lambda secret: secret.encode().hex(),
    "HEX": lambda secret: secret.encode().hex().upper(),
    "wrapped": lambda secret: "\n    ".join(pieces(secret, 5)),
    "in a box": lambda secret: "\n".join(f"│ {piece} │" for piece in pieces(secret, 3)),
    "in colours": lambda secret: "\x1b[31m".join(pieces(secret, 4)),
    "continued lines": lambda secret: " \\\n".join(pieces(secret, 6)),
    "concatenated": lambda secret: "' + '".join(pieces(secret, 4)),
    "listed": lambda secret: json.dumps(pieces(secret, 3), indent=2),
    "one character a line": "\n".join,
    "cut": lambda secret: (
        f"{secret[: max(MIN_SECRET_LENGTH, len(secret) * 3 // 4)]} ... (90 characters)"
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_redacted_in_every_form(secret: str, form: str) -> None:
    values = SecretValues()
    values.add(SECRETS[secret])
    written = FORMS[form](SECRETS[secret])
    redacted = values.redact(f"before: {written} :after")
    assert redacted.startswith("before: ")
    assert redacted.endswith(" :after")
    assert "[secret]" in redacted
    left = redacted.removeprefix("before: ").removesuffix(" :after").replace("[secret]", "")
    # In base64, up to eight characters beside the value have a part of it and a part of the rest.
    assert len(left) <= len(FORMS[form]("")) + 8


def test_short_and_public_values_are_not_searched_for() -> None:
    values = SecretValues()
    values.publish("config:\n  pull:environment: production\n  region: us-central1\n")
    values.add(
        {"a": "prod", "b": "production", "c": "us-central1", "d": True, "e": None, "f": 5432}
    )
    text = "prod production us-central1 True None 5432 cHJvZHVjdGlvbg=="
    assert values.redact(text) == text
    assert values.redact_all({text: [text]}) == {text: [text]}


def test_a_part_that_is_public_stays() -> None:
    values = SecretValues()
    values.publish("project: pull-production")
    values.add("pull-production-7f3a9c")
    assert values.redact("pull-production is up") == "pull-production is up"
    assert values.redact("x pull-production-7f3a9c x") == "x [secret] x"


def test_the_names_in_a_secret_list_are_not_secret() -> None:
    """The provider marks all bindings of a Worker as secret, and every label."""
    bindings = [
        {"name": "JWT_SECRET", "secretName": "pull-production-jwt-secret", "type": "plain_text"},
        {"name": "ORIGIN", "text": "https://api.pull.com", "since": "2026-11-24T22:33:10.151314Z"},
        {"name": "DATABASE", "text": "Xk3vQ9zT7bLm2Wc4RhNf"},
    ]
    values = SecretValues()
    values.add_output(bindings)
    values.add_output("https://app.pull.com")
    assert values.redact_all(bindings) == [
        *bindings[:2],
        {"name": "DATABASE", "text": "[secret]"},
    ]
    assert values.redact("see https://app.pull.com") == "see https://app.pull.com"
    values.add_output("https://hooks.slack.com/services/T0/B0/abcdefgh")
    assert "abcdefgh" not in values.redact("POST https://hooks.slack.com/services/T0/B0/abcdefgh")


def test_what_a_secret_contains_is_secret() -> None:
    values = SecretValues()
    values.add(json.dumps({"user": "pull", "private_key": "a1b2-c3d4-e5f6"}))
    values.add("redis://:swordfish-and-chips@10.0.0.4:6379")
    values.add({"nested": [{"token": "tok-of-the-nested"}], "pin": 1234567890})
    values.add(b"as-bytes-7f3a9c")
    text = "a1b2-c3d4-e5f6 swordfish-and-chips tok-of-the-nested 1234567890 as-bytes-7f3a9c"
    assert values.redact(text) == " ".join(["[secret]"] * 5)


def test_json_stays_json() -> None:
    values = SecretValues()
    values.add('{"user": "pull", "password": "Xk3vQ9zT7bLm"}')
    document = {
        "user": "pull",
        "password": "Xk3vQ9zT7bLm",
        "Xk3vQ9zT7bLm": ["Xk3vQ9", "zT7bLm", "x"],
        "same": [1, None, "pull"],
    }
    assert values.redact_all(document) == {
        "user": "pull",
        "password": "[secret]",
        "[secret]": ["[secret]", "x"],
        "same": [1, None, "pull"],
    }


@pytest.mark.parametrize("size", [1, 2, 5, 7, 11, 1000])
def test_a_stream_redacts_what_is_written_in_pieces(size: int) -> None:
    values = SecretValues()
    values.add("Xk3vQ9zT7bLm2Wc4RhNf")
    target = io.StringIO()
    stream = RedactedStream(target, values)
    text = "first Xk3vQ9zT7bLm2Wc4RhNf\n\nXk3v\nthen Xk3vQ9zT7b\nLm2Wc4RhNf last Xk3vQ"
    for piece in pieces(text, size):
        stream.write(piece)
    stream.end()
    written = target.getvalue()
    assert written.startswith("first ")
    assert written.endswith(" last Xk3vQ")
    for part in ("Q9zT7b", "Lm2Wc4"):
        assert part not in written


def test_a_stream_passes_everything_else_on_at_once() -> None:
    values = SecretValues()
    values.add("Xk3vQ9zT7bLm2Wc4RhNf")
    target = io.StringIO()
    stream = RedactedStream(target, values)
    print("Delete it? ", end="", file=stream)
    assert target.getvalue() == "Delete it? "
    assert stream.isatty() is False
    assert not hasattr(stream, "buffer")


def test_redaction_of_an_unknown_value_type_is_the_value() -> None:
    values = SecretValues()
    values.add(object())
    unchanged: Any = {"a": 1.5, "b": [True, {"c": None}]}
    assert values.redact_all(unchanged) == unchanged

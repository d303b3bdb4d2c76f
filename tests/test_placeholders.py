"""Placeholders for secrets: nothing of a secret is left, and whatever is composed still fits."""

from __future__ import annotations

import base64
import json
import string
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ops.placeholders import SecretLeft, without_secrets

PUBLIC = "postgres pull password"

passwords = st.text(string.ascii_letters + string.digits + "!@#$%&*-_=+?/.:", min_size=8)
octets = st.integers(0, 255)


def marked(value: Any) -> dict[str, Any]:
    """A secret, as an exported state has it."""
    return {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        "plaintext": json.dumps(value),
    }


def of(value: dict[str, Any]) -> Any:
    return json.loads(value["plaintext"])


@given(passwords, st.lists(octets, min_size=4, max_size=4))
@example("a$36!x&y", [10, 21, 36, 173])  # a word of the password is also a byte of the address
def test_composed_values_hold_the_placeholder_of_their_parts(
    password: str, address: list[int]
) -> None:
    host = ".".join(map(str, address))
    encoded = base64.b64encode(password.encode()).decode()
    deployment = {
        "resources": [
            {"inputs": {"password": marked(password)}, "outputs": {"host": host, "port": 5432}},
            {
                "inputs": {
                    "url": marked(f"postgres://pull:{quote(password, safe='')}@{host}:5432/pull"),
                    "encoded": marked(encoded),
                    "document": marked(json.dumps({"password": password})),
                }
            },
        ]
    }
    result = without_secrets(deployment, PUBLIC)
    first, second = result["resources"]
    placeholder = of(first["inputs"]["password"])
    assert first["outputs"] == {"host": host, "port": 5432}
    assert of(second["inputs"]["url"]) == (
        f"postgres://pull:{quote(placeholder, safe='')}@{host}:5432/pull"
    )
    assert of(second["inputs"]["encoded"]) == base64.b64encode(placeholder.encode()).decode()
    assert json.loads(of(second["inputs"]["document"])) == {"password": placeholder}
    if any(sign.isalnum() for sign in password) and password not in PUBLIC:
        text = json.dumps(result)
        long_words = [word for word in _words(password) if len(word) >= 8]
        assert not [word for word in long_words if word in text]


def _words(text: str) -> list[str]:
    return "".join(sign if sign.isalnum() else " " for sign in text).split()


def test_a_secret_in_plain_text_is_replaced_as_well() -> None:
    """A provider may return in plain text what the program then marks as secret."""
    secret = "-----BEGIN CERTIFICATE-----\nMIIDq1x7f3a9c\n-----END CERTIFICATE-----\n"
    deployment = {
        "resources": [{"outputs": {"cert": secret}}, {"inputs": {"data": marked(secret)}}]
    }
    first, second = without_secrets(deployment, PUBLIC)["resources"]
    assert first["outputs"]["cert"] == of(second["inputs"]["data"])
    assert "MIIDq1x7f3a9c" not in first["outputs"]["cert"]


SECRET = "plantedsecretvalue9"


@pytest.mark.parametrize(
    "left",
    [
        SECRET.encode().hex(),
        SECRET.upper(),
        [SECRET[:7], SECRET[7:]],
        {SECRET: 1},
        9123456789012345,
    ],
    ids=repr,
)
def test_a_secret_that_no_placeholder_can_replace_is_refused(left: Any) -> None:
    secret = marked([SECRET, 9123456789012345])
    with pytest.raises(SecretLeft):
        without_secrets({"resources": [{"inputs": {"secret": secret, "left": left}}]}, PUBLIC)


def test_a_secret_inside_of_encoded_documents_is_known_in_plain_text() -> None:
    """A key of a service account is Base64 of JSON in several lines, with a PEM in it."""
    inner = base64.b64encode(json.dumps({"password": SECRET}, indent=1).encode()).decode()
    outer = base64.b64encode(json.dumps({"key": inner}, indent=1).encode()).decode()
    deployment = {
        "resources": [{"inputs": {"key": marked(outer)}, "outputs": {"key": outer, "x": SECRET}}]
    }
    (resource,) = without_secrets(deployment, PUBLIC)["resources"]
    assert SECRET not in json.dumps(resource)
    key = json.loads(base64.b64decode(of(resource["inputs"]["key"])))["key"]
    assert json.loads(base64.b64decode(key)) == {"password": resource["outputs"]["x"]}


def test_placeholders_differ_in_every_snapshot() -> None:
    """Otherwise a guess could be compared with them."""
    deployment = {"resources": [{"inputs": {"password": marked("correct-horse-battery")}}]}
    found = {json.dumps(without_secrets(deployment, PUBLIC)) for _ in range(3)}
    assert len(found) == 3

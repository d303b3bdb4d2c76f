"""How reviewed files are read: approvals, exceptions, and the contracts that engineers confirmed.

It is here because the settings, the policies and ``ops`` need it, and none may import another.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterable
from typing import Any, Final

EXPECTED_DATE: Final = "a date, such as 2027-01-31"


def people(names: Iterable[str]) -> frozenset[str]:
    """The different people in ``names``, each an e-mail address or a handle.

    Capital letters, blanks, punctuation, the domain and a ``+tag`` make no other person:
    ``Ada L <ada@pull.com>``, ``ADA+ops@pull.com`` and ``@ada`` are one. A name with characters
    outside ASCII is nobody, because it may look like another one.
    """
    found = set()
    for name in names:
        plain = unicodedata.normalize("NFKC", name).casefold().strip()
        address = re.search(r"<(.+)>", plain)
        local = (address[1] if address else plain).strip().removeprefix("@")
        if local.isascii():
            found.add(re.sub(r"[^a-z0-9]", "", re.split(r"[@+]", local, maxsplit=1)[0]))
    return frozenset(found - {""})


def iso_date(value: object) -> datetime.date:
    """A date, or a text such as ``2027-01-31``; no time, and no number of seconds or days.

    Raises:
        ValueError: it is anything else; the text names what is expected.
    """
    if type(value) is datetime.date:
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return datetime.date.fromisoformat(value)
    raise ValueError(f"{value!r} is not {EXPECTED_DATE}")


def read_yaml(text: str) -> Any:
    """The document in ``text``, in which no mapping has a key twice.

    Raises:
        yaml.YAMLError: it is no YAML, or has a key twice; the text names the line.
    """
    # Imported here, because the table of rules needs this module and no YAML.
    import yaml

    class Loader(yaml.SafeLoader):
        """Refuses what PyYAML decides silently: the last of two equal keys wins there."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            seen = set()
            for key, _ in node.value:
                name = (key.tag, str(key.value))
                if name in seen:
                    raise yaml.constructor.ConstructorError(
                        problem=f"the key {key.value!r} is there twice; keep one of the two",
                        problem_mark=key.start_mark,
                    )
                seen.add(name)
            return super().construct_mapping(node, deep)

    return yaml.load(text, Loader)  # noqa: S506  it is a SafeLoader

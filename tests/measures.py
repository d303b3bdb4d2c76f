"""``make measures``: how much of the tree a change touches, and how large the tree is.

Prints one line for each measure that CONTRIBUTING.md promises. A place is a file that people write;
what is generated does not count (``linguist-generated`` in ``.gitattributes``).
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Final

import resource_types
from components.secrets.catalogue import SECRETS
from components.workloads import Service
from resource_types import RESOURCE_TYPES
from resource_types.record import GrantTypes
from tests.inventory import FOLDER

ROOT: Final = Path(__file__).resolve().parent.parent
TOKEN: Final = re.compile(
    r'"((?:cloudflare|gcp|kubernetes|pulumiservice|random|vercel):[\w./]+:\w+)"'
)


def files() -> Mapping[str, str]:
    """The tracked text files, each with its content."""
    found = {}
    for name in _git("ls-files", "-z").split("\0"):
        path = ROOT / name
        if name and path.is_file():
            try:
                found[name] = path.read_text("utf-8")
            except UnicodeDecodeError:
                continue
    return found


def generated(names: list[str]) -> set[str]:
    """Those of the files that no person writes."""
    lines = _git("check-attr", "linguist-generated", "--", *names).splitlines()
    return {line.split(": ")[0] for line in lines if line.endswith((": set", ": true"))}


def spellings() -> Mapping[str, set[str]]:
    """How code names each type: by its token, or by the constant of its record."""
    named: dict[str, set[str]] = {token: {f'"{token}"'} for token in RESOURCE_TYPES}
    for provider in resource_types.__all__:
        module = getattr(resource_types, provider)
        for constant, value in vars(module).items() if isinstance(module, ModuleType) else ():
            if isinstance(value, str) and value in named:
                named[value].add(f"{provider}.{constant}")
            elif isinstance(value, GrantTypes):
                for form, token in value._asdict().items():
                    named[token].add(f"{provider}.{constant}.{form}")
    return named


def places(words: set[str], texts: Mapping[str, str]) -> list[str]:
    """The files in which one of the words stands."""
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words))
    return [name for name, text in texts.items() if pattern.search(text)]


def main() -> None:
    """Print the measures."""
    texts = files()
    made = generated(list(texts))
    written = {name: text for name, text in texts.items() if name not in made}
    production = {
        name: text
        for name, text in written.items()
        if name.endswith(".py") and not name.startswith("tests/")
    }

    lines = {name: text.count("\n") for name, text in texts.items()}
    recorded = sum(
        count
        for name, count in lines.items()
        if name.startswith("tests/golden/") and name.endswith(".json")
    )
    print(f"lines in the tree: {sum(lines.values()):,}, generated {sum(lines[n] for n in made):,}")
    print(f"lines of recorded JSON: {recorded:,}")

    tokens: dict[str, int] = {}
    for text in production.values():
        for token in set(TOKEN.findall(text)):
            tokens[token] = tokens.get(token, 0) + 1
    repeated = sum(count > 1 for count in tokens.values())
    print(f"type tokens: {len(tokens)}, in more than one production file: {repeated}")

    rows = [row for file in FOLDER.glob("*.json") for row in json.loads(file.read_text("utf-8"))]
    estate = {row["type"] for row in rows} & RESOURCE_TYPES.keys()
    named = spellings()
    counts = {token: len(places(named[token], written)) for token in estate}
    widest = max(counts, key=lambda token: counts[token])
    print(
        f"files that name a type of the estate: median {median(counts.values()):g}, "
        f"most {counts[widest]} ({widest})"
    )

    api = [variable.name for variable in SECRETS if Service.API in variable.consumers]
    named_in = {name: len(places({name}, written)) for name in api}
    widest_secret = max(named_in, key=lambda name: named_in[name])
    print(
        f"files that name a secret of the API: median {median(named_in.values()):g}, "
        f"most {named_in[widest_secret]} ({widest_secret})"
    )


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    main()

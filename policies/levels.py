"""How strict the rules are on a stack: ``config.<stack>.json``, read and proved to be right.

The engine takes any such file, and one word in it ("all": "disabled") would switch everything off.
Here a file may turn on, leave out and set up only what this pack knows, and production's may leave
out nothing that the estate keeps: an exception to a rule is an entry in ``exceptions.yaml``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from policies.graph import StackRule
from policies.rule import ResourceRule
from policies.rules import RULES

PRODUCTION: Final = "config.production.json"

ON: Final = "mandatory"
OFF: Final = "disabled"
LEVELS: Final = (ON, "advisory", OFF)


class LevelsError(Exception):
    """The file cannot be used; the text names all that is wrong with it."""


def file_of(stack: str, folder: Path) -> Path:
    """The stack's own file, or production's for want of one."""
    own = folder / f"config.{stack}.json"
    return own if own.exists() else folder / PRODUCTION


def read_levels(file: Path) -> dict[str, str]:
    """The level of each rule, by id.

    Raises:
        LevelsError: the file is not what it should be.
    """
    try:
        configured = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise LevelsError(f"  it cannot be read: {type(error).__name__}") from None
    if not isinstance(configured, dict):
        raise LevelsError("  it must be an object: what is said of a rule, by its id")
    wrong = list(_wrong(configured, strict=file.name == PRODUCTION))
    if wrong:
        raise LevelsError("\n".join(f"  {line}" for line in wrong))
    return {rule.id: _level(rule, configured) for rule in RULES}


def _wrong(configured: Mapping[str, Any], *, strict: bool) -> Iterator[str]:
    known = {rule.id: rule for rule in RULES}
    if configured.get("all") != ON:
        yield f'all: must be "{ON}"'
    for name, said in configured.items():
        rule = known.get(name)
        if name == "all":
            continue
        if rule is None:
            yield f"{name}: is no rule; docs/policies.md lists them all"
        elif isinstance(said, dict):
            allowed = {"enforcementLevel", *rule.settings}
            yield from (f"{name}.{key}: is no setting of it" for key in said.keys() - allowed)
        level = said.get("enforcementLevel", ON) if isinstance(said, dict) else said
        if level not in LEVELS:
            yield f"{name}: must be {' or '.join(LEVELS)}, or an object with settings"
        elif strict and level != ON and rule is not None and rule.adopted:
            yield f"{name}: is mandatory in production; exceptions.yaml has room for exceptions"


def _level(rule: ResourceRule | StackRule, configured: Mapping[str, Any]) -> str:
    said = configured.get(rule.id, ON)
    return str(said.get("enforcementLevel", ON) if isinstance(said, dict) else said)

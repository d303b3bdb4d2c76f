"""The enforcement levels of a stack: ``config.<stack>.json``, read and validated.

The engine accepts any such file, and one word in it ("all": "disabled") would disable every rule.
Here a file can name only rules and settings of this pack, and production's file cannot disable an
adopted rule: an exception to a rule is an entry in ``approvals/exceptions.yaml``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from policies.framework.demands import is_number
from policies.framework.graph import StackRule
from policies.framework.rules import ResourceRule
from policies.rules import RULES

PRODUCTION: Final = "config.production.json"

ON: Final = "mandatory"
OFF: Final = "disabled"
LEVELS: Final = (ON, "advisory", OFF)


class LevelsError(Exception):
    """The file cannot be used; the text lists every mistake."""


def file_of(stack: str, folder: Path) -> Path:
    """The file of the stack, or production's if the stack has none."""
    own = folder / f"config.{stack}.json"
    return own if own.exists() else folder / PRODUCTION


def read_levels(file: Path) -> dict[str, str]:
    """The level of each rule, by id.

    Raises:
        LevelsError: the file cannot be read or is invalid.
    """
    try:
        configured = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise LevelsError(f"  it cannot be read: {type(error).__name__}") from None
    if not isinstance(configured, dict):
        raise LevelsError("  it must be an object of rule ids, each with a level or settings")
    mistakes = list(_mistakes(configured, strict=file.name == PRODUCTION))
    if mistakes:
        raise LevelsError("\n".join(f"  {line}" for line in mistakes))
    return {rule.id: _level(rule, configured) for rule in RULES}


def _mistakes(configured: Mapping[str, Any], *, strict: bool) -> Iterator[str]:
    known = {rule.id: rule for rule in RULES}
    if configured.get("all") != ON:
        yield f'all: must be "{ON}"'
    for name, value in configured.items():
        rule = known.get(name)
        if name == "all":
            continue
        if rule is None:
            yield f"{name}: is not a rule; docs/policies.md lists all rules"
        elif isinstance(value, dict):
            allowed = {"enforcementLevel", *rule.settings}
            yield from (
                f"{name}.{key}: is not a setting of the rule" for key in value.keys() - allowed
            )
            for key in value.keys() & rule.settings.keys():
                expected = _expected(value[key], rule.settings[key], strict=strict)
                if expected:
                    yield f"{name}.{key}: must be {expected}"
        level = value.get("enforcementLevel", ON) if isinstance(value, dict) else value
        if level not in LEVELS:
            yield f"{name}: must be {' or '.join(LEVELS)}, or an object with settings"
        elif strict and level != ON and rule is not None and rule.adopted:
            yield f"{name}: is mandatory in production; exceptions go to approvals/exceptions.yaml"


def _expected(value: Any, schema: Mapping[str, Any], *, strict: bool) -> str:
    """What a setting must be; empty if it is. Production keeps the default of a choice."""
    if choices := schema.get("enum"):
        allowed = [schema["default"]] if strict else choices
        return "" if value in allowed else " or ".join(allowed)
    if schema["type"] == "number":
        minimum, maximum = schema["minimum"], schema["maximum"]
        inside = is_number(value) and minimum <= value <= maximum
        return "" if inside else f"a number from {minimum} to {maximum}"
    pattern = schema["items"]["pattern"]
    fits = isinstance(value, list) and all(
        isinstance(item, str) and re.fullmatch(pattern, item) for item in value
    )
    return "" if fits else f"a list of texts that match {pattern}"


def _level(rule: ResourceRule | StackRule, configured: Mapping[str, Any]) -> str:
    value = configured.get(rule.id, ON)
    return str(value.get("enforcementLevel", ON) if isinstance(value, dict) else value)

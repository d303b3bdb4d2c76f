"""The inputs that the estate sets: any other input is a violation.

Most inputs of a type do harm or nothing when somebody adds them: a backup to restore over the
database, a command instead of the image's own, an alias for a host. So each type lists those that
are meant. ``declared_inputs.json`` has the list, a tree of names for each type in which ``null`` is
a value or a map with free keys; ``python -m tests.inventory`` writes it, and a review reads the
difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from policies.framework.paths import Finding, View
from policies.framework.rules import Custom, ResourceRule, SetValue, Severity
from policies.rules.provider_inputs import unknown_inputs

FILE: Final = Path(__file__).with_name("declared_inputs.json")

INPUTS: Final[Mapping[str, Any]] = json.loads(FILE.read_text("utf-8"))


def _declared(view: View) -> Iterator[Finding]:
    for path in unknown_inputs(view.inputs, INPUTS[view.type], ""):
        yield view.finding(path, "is not among the inputs that the estate sets")


RULES: Final = (
    ResourceRule(
        id="inputs-declared",
        severity=Severity.HIGH,
        what="A resource sets only inputs that the estate has decided on.",
        fix='Remove the input. If it is meant, run "$(make python)" -m tests.inventory, and have '
        "the difference in policies/rules/declared_inputs.json reviewed.",
        url="docs/policies.md",
        types=tuple(INPUTS),
        checks=(
            Custom(
                _declared,
                (),
                tuple(
                    SetValue(path, "anything")
                    for path in (
                        "restoreBackupContext",
                        "settings.denyMaintenancePeriods",
                        "template.containers[].commands",
                        "spec.template.spec.hostAliases",
                        "spec.template.spec.containers[].command",
                    )
                ),
            ),
        ),
    ),
)

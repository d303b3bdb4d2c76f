"""Unknown inputs: the providers of Cloudflare and Vercel accept them in a preview.

``provider_inputs.json`` lists the inputs that exist. ``ops.generate`` makes it from the installed
SDKs, because importing them would slow every preview down: a tree of names for each type, in which
``null`` is a value or a map with free keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from policies.framework.paths import Finding, View
from policies.framework.rules import Custom, ResourceRule, SetValue, Severity
from resource_types.estate import RESOURCES

FILE: Final = Path(__file__).with_name("provider_inputs.json")

TYPES: Final = tuple(
    sorted(token for token in RESOURCES if token.startswith(("cloudflare:", "vercel:")))
)

INPUTS: Final[Mapping[str, Any]] = json.loads(FILE.read_text("utf-8"))


def _known(view: View) -> Iterator[Finding]:
    for path in unknown_inputs(view.inputs, INPUTS[view.type], ""):
        yield view.finding(path, "is not an input of this type")


def unknown_inputs(value: Any, names: Mapping[str, Any] | None, path: str) -> Iterator[str]:
    """The paths of inputs that ``names`` does not have."""
    if names is None:
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from unknown_inputs(item, names, f"{path}[{index}]")
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            inner_path = f"{path}.{name}" if path else name
            if name in names:
                yield from unknown_inputs(inner, names[name], inner_path)
            elif not name.startswith(("@", "__")) and name not in value.get("__defaults", ()):
                yield inner_path  # not a resource option, and not a default of the provider


RULES: Final = (
    ResourceRule(
        id="inputs-known",
        severity=Severity.HIGH,
        what="Every input of a Cloudflare or Vercel resource exists in the SDK, at any depth.",
        fix="Correct the name. The provider reports a mistake only during the update.",
        url="https://www.pulumi.com/registry/packages/cloudflare/",
        types=TYPES,
        checks=(
            Custom(
                _known,
                (),
                tuple(
                    SetValue(path, "anything")
                    for path in (
                        "unknown",
                        "bindings[].value",
                        "gitRepository.branch",
                        "modules[].content",
                        "observability.logs.sampling",
                        "rules[].allowed.method",
                        "rules[].conditions.suffix",
                        "versions[].percent",
                        "vercelAuthentication.type",
                    )
                ),
            ),
        ),
    ),
)

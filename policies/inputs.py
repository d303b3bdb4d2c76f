"""Inputs that nobody knows: the providers of Cloudflare and Vercel let them pass in a preview.

What there is stands in ``inputs.json``, which ``ops.generate`` makes from the installed SDKs: a
tree of names for each type; what lies below ``null`` is a value, or has names of its own choice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from policies.rule import Custom, Finding, ResourceRule, SetValue, Severity, View

FILE: Final = Path(__file__).with_name("inputs.json")

TYPES: Final = (
    "cloudflare:index/dnsRecord:DnsRecord",
    "cloudflare:index/r2Bucket:R2Bucket",
    "cloudflare:index/r2BucketCors:R2BucketCors",
    "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle",
    "cloudflare:index/worker:Worker",
    "cloudflare:index/workerVersion:WorkerVersion",
    "cloudflare:index/workersDeployment:WorkersDeployment",
    "cloudflare:index/workersRoute:WorkersRoute",
    "vercel:index/deployment:Deployment",
    "vercel:index/project:Project",
    "vercel:index/projectDomain:ProjectDomain",
    "vercel:index/projectEnvironmentVariable:ProjectEnvironmentVariable",
)

INPUTS: Final[Mapping[str, Any]] = json.loads(FILE.read_text("utf-8"))


def _known(view: View) -> Iterator[Finding]:
    for path in _strangers(view.inputs, INPUTS[view.type], ""):
        yield view.finding(path, "is no input of this type")


def _strangers(value: Any, names: Mapping[str, Any] | None, path: str) -> Iterator[str]:
    """The paths of what ``names`` does not have."""
    if names is None:
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strangers(item, names, f"{path}[{index}]")
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            place = f"{path}.{name}" if path else name
            if name in names:
                yield from _strangers(inner, names[name], place)
            elif not name.startswith(("@", "__")):  # resource options, and the provider's notes
                yield place


RULES: Final = (
    ResourceRule(
        id="inputs-known",
        severity=Severity.HIGH,
        what="Every input at Cloudflare and Vercel is one that the SDK has, at any depth.",
        fix="Correct the name. The provider finds out only in the update.",
        url="https://www.pulumi.com/registry/packages/cloudflare/",
        types=TYPES,
        checks=(
            Custom(
                _known,
                (),
                tuple(
                    SetValue(path, "anything")
                    for path in (
                        "stranger",
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

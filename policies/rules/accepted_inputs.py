"""Inputs that a platform would refuse in the middle of the update, after a preview that passed.

The tables are in ``resource_types/accepted``, and the sandbox uses them as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policies.framework.paths import UNKNOWN, Finding, View
from policies.framework.rules import Custom, ResourceRule, SetValue, Severity
from resource_types.accepted import ACCEPTED
from resource_types.accepted.checks import Acceptance, Inputs

PROVIDERS: Final = {
    "cloudflare": ("Cloudflare", "https://developers.cloudflare.com/api/"),
    "vercel": ("Vercel", "https://vercel.com/docs/rest-api"),
    "pulumiservice": ("Pulumi Cloud", "https://www.pulumi.com/docs/reference/cloud-rest-api/"),
}
"""Name and reference of each platform, by the provider's name."""


def _check(acceptance: Acceptance) -> Custom:
    def findings(view: View) -> Iterator[Finding]:
        for refusal in acceptance.refusals(Inputs(view.inputs, UNKNOWN)):
            yield view.finding(refusal.path, f"must be {refusal.expected}")

    mutations = tuple(SetValue(path, value) for path, value in acceptance.mutations())
    return Custom(findings, (), mutations)


def _rule(token: str) -> ResourceRule:
    provider, _, name = token.split(":")
    platform, url = PROVIDERS[provider]
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
    return ResourceRule(
        id=f"accepted-{provider}-{words}",
        severity=Severity.HIGH,
        what=f"{platform} accepts the inputs of a {name}.",
        fix="Correct the value: the platform would refuse it in the middle of the update.",
        url=url,
        types=(token,),
        checks=tuple(map(_check, ACCEPTED[token])),
        decidable_after_update=True,
    )


RULES: Final = tuple(map(_rule, ACCEPTED))

"""Cloudflare Workers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from policies.framework.credentials import NO_CREDENTIAL
from policies.framework.demands import Demand, equal, is_number
from policies.framework.paths import ABSENT, Finding, View
from policies.framework.rules import Custom, ForEach, Must, ResourceRule, SetValue, Severity
from resource_types import cloudflare
from resource_types.limits import SECRET_NAME

DOCS: Final = "https://developers.cloudflare.com/workers"

MAX_COMPATIBILITY_DAYS: Final = 365

SECRET_BINDINGS: Final = ("secrets_store_secret", "secret_text", "secret_key", "inherit")


POSITIVE: Final = Demand("must be more than 0", lambda found: is_number(found) and found > 0, (0,))


def _secret_binding(view: View) -> Iterator[Finding]:
    name = str(view.get("name", ""))
    if SECRET_NAME.search(name) and view.get("type") not in SECRET_BINDINGS:
        yield view.finding("type", f"must be one of {', '.join(SECRET_BINDINGS)}")


def _compatibility(view: View) -> Iterator[Finding]:
    try:
        compatibility = date.fromisoformat(str(view.get("compatibilityDate", "")))
    except ValueError:
        yield view.finding("compatibilityDate", "must be a date such as 2026-10-01")
        return
    if not 0 <= (view.today - compatibility).days <= MAX_COMPATIBILITY_DAYS:
        text = f"must be within the last {MAX_COMPATIBILITY_DAYS} days"
        yield view.finding("compatibilityDate", text)


RULES: Final = (
    ResourceRule(
        id="worker-no-workers-dev-address",
        severity=Severity.HIGH,
        what="A Worker is reachable through its domain only.",
        fix="Set subdomain.enabled and subdomain.previewsEnabled to false.",
        url=f"{DOCS}/configuration/routing/workers-dev/",
        types=(cloudflare.WORKER,),
        checks=(
            Must("subdomain.enabled", equal(False)),
            Must("subdomain.previewsEnabled", equal(False)),
        ),
    ),
    ResourceRule(
        id="worker-logs-enabled",
        severity=Severity.MEDIUM,
        what="Invocations of a Worker are logged, or a sample of them.",
        fix="Set observability.enabled to true, and the sampling rates to more than 0.",
        url=f"{DOCS}/observability/logs/workers-logs/",
        types=(cloudflare.WORKER,),
        checks=(
            Must("observability.enabled", equal(True)),
            Must("observability.logs.enabled", equal(True), optional=True),
            Must("observability.headSamplingRate", POSITIVE, optional=True),
            Must("observability.logs.headSamplingRate", POSITIVE, optional=True),
        ),
    ),
    ResourceRule(
        id="worker-secrets-by-reference",
        severity=Severity.CRITICAL,
        what="A binding with a secret-looking name is a secret binding.",
        fix="Bind it as secrets_store_secret, or as inherit if wrangler owns the value.",
        url=f"{DOCS}/configuration/secrets/",
        frameworks=("CIS-GCP-4.0 1.17",),
        types=(cloudflare.WORKER_VERSION,),
        checks=(
            ForEach(
                "bindings[]",
                (
                    Custom(
                        _secret_binding,
                        ("name", "type"),
                        (
                            SetValue(
                                "", {"name": "JWT_SECRET", "type": "plain_text", "text": "plain"}
                            ),
                            SetValue("", {"name": "STRIPE_API_KEY", "type": "json", "json": "1"}),
                        ),
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="worker-no-plain-credential",
        severity=Severity.CRITICAL,
        what="A plain binding holds no credential, and its value is known in the preview.",
        fix="Bind the value as secrets_store_secret.",
        url=f"{DOCS}/configuration/environment-variables/",
        types=(cloudflare.WORKER_VERSION,),
        checks=(
            ForEach(
                "bindings[]",
                (Must("text", NO_CREDENTIAL, True), Must("json", NO_CREDENTIAL, True)),
            ),
        ),
    ),
    ResourceRule(
        id="worker-compatibility-date",
        severity=Severity.MEDIUM,
        what="A Worker's compatibility date is at most a year old.",
        fix="Set compatibilityDate to a past date that you have tested with.",
        url=f"{DOCS}/configuration/compatibility-dates/",
        types=(cloudflare.WORKER_VERSION,),
        checks=(
            Custom(
                _compatibility,
                ("compatibilityDate",),
                tuple(
                    SetValue("compatibilityDate", value)
                    for value in (ABSENT, "2021-11-02", "2999-01-01", "today")
                ),
            ),
        ),
    ),
)

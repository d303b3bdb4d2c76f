"""Cloudflare Workers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from policies.rule import (
    ABSENT,
    Custom,
    Demand,
    Finding,
    ForEach,
    Must,
    ResourceRule,
    SetValue,
    Severity,
    View,
    equal,
    forbidden,
    is_number,
)
from policies.sensitive import NO_CREDENTIAL, SECRET_NAME

WORKER: Final = "cloudflare:index/worker:Worker"
VERSION: Final = "cloudflare:index/workerVersion:WorkerVersion"
DEPLOYMENT: Final = "cloudflare:index/workersDeployment:WorkersDeployment"
SCRIPT: Final = "cloudflare:index/workersScript:WorkersScript"
SCRIPTS: Final = (SCRIPT, "cloudflare:index/workerScript:WorkerScript")  # the provider's old name
ROUTE: Final = "cloudflare:index/workersRoute:WorkersRoute"
SUBDOMAIN: Final = "cloudflare:index/workersScriptSubdomain:WorkersScriptSubdomain"

DOCS: Final = "https://developers.cloudflare.com/workers"

OLDEST_COMPATIBILITY_DAYS: Final = 365

SECRET_BINDINGS: Final = ("secrets_store_secret", "secret_text", "secret_key", "inherit")


SOME: Final = Demand("must be more than 0", lambda found: is_number(found) and found > 0, (0,))


def _secret_binding(view: View) -> Iterator[Finding]:
    name = str(view.get("name", ""))
    if SECRET_NAME.search(name) and view.get("type") not in SECRET_BINDINGS:
        yield view.finding("type", f"must be one of {', '.join(SECRET_BINDINGS)}")


def _compatibility(view: View) -> Iterator[Finding]:
    try:
        said = date.fromisoformat(str(view.get("compatibilityDate", "")))
    except ValueError:
        yield view.finding("compatibilityDate", "must be a date such as 2026-10-01")
        return
    if not 0 <= (view.today - said).days <= OLDEST_COMPATIBILITY_DAYS:
        text = f"must lie in the last {OLDEST_COMPATIBILITY_DAYS} days"
        yield view.finding("compatibilityDate", text)


def _percentages(view: View) -> Iterator[Finding]:
    shares = [share for share in view.all("versions[].percentage") if is_number(share)]
    if not 1 <= len(shares) <= 2:
        yield view.finding("versions", "must be one or two versions with their percentages")
    if any(not 0.01 <= share <= 100 for share in shares):
        yield view.finding("versions[].percentage", "must be 0.01 to 100: leave out what has none")
    if round(sum(shares), 2) != 100:
        yield view.finding("versions[].percentage", "must sum to 100")


RULES: Final = (
    ResourceRule(
        id="worker-no-side-entrance",
        severity=Severity.HIGH,
        what="Only its domain leads to a Worker.",
        fix="Set subdomain.enabled and subdomain.previewsEnabled to false.",
        url=f"{DOCS}/configuration/routing/workers-dev/",
        types=(WORKER,),
        checks=(
            Must("subdomain.enabled", equal(False)),
            Must("subdomain.previewsEnabled", equal(False)),
        ),
    ),
    ResourceRule(
        id="worker-script-no-side-entrance",
        severity=Severity.HIGH,
        what="Only its domain leads to a Worker's script.",
        fix="Set enabled and previewsEnabled to false.",
        url=f"{DOCS}/configuration/routing/workers-dev/",
        types=(SUBDOMAIN,),
        checks=(Must("enabled", equal(False)), Must("previewsEnabled", equal(False), True)),
    ),
    ResourceRule(
        id="worker-observed",
        severity=Severity.MEDIUM,
        what="A Worker's invocations are logged, or a share of them.",
        fix="Set observability.enabled to true, and the sampling rates to more than 0.",
        url=f"{DOCS}/observability/logs/workers-logs/",
        types=(WORKER,),
        checks=(
            Must("observability.enabled", equal(True)),
            Must("observability.logs.enabled", equal(True), optional=True),
            Must("observability.headSamplingRate", SOME, optional=True),
            Must("observability.logs.headSamplingRate", SOME, optional=True),
        ),
    ),
    ResourceRule(
        id="worker-secrets-by-reference",
        severity=Severity.CRITICAL,
        what="A binding whose name says secret is a secret binding.",
        fix="Bind it as secrets_store_secret, or as inherit where wrangler owns the value.",
        url=f"{DOCS}/configuration/secrets/",
        frameworks=("CIS-GCP-4.0 1.17",),
        types=(VERSION, *SCRIPTS),
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
        id="worker-plain-values",
        severity=Severity.CRITICAL,
        what="A plain binding holds no credential, and its value is known beforehand.",
        fix="Bind the value as secrets_store_secret.",
        url=f"{DOCS}/configuration/environment-variables/",
        types=(VERSION, *SCRIPTS),
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
        what="A Worker runs on the runtime's behaviour of the last year.",
        fix="Set compatibilityDate to a day that you have tested with, not one to come.",
        url=f"{DOCS}/configuration/compatibility-dates/",
        types=(VERSION, *SCRIPTS),
        checks=(
            Custom(
                _compatibility,
                ("compatibilityDate",),
                tuple(
                    SetValue("compatibilityDate", wrong)
                    for wrong in (ABSENT, "2021-11-02", "2999-01-01", "today")
                ),
            ),
        ),
    ),
    ResourceRule(
        id="worker-percentages",
        severity=Severity.HIGH,
        what="A deployment has one or two versions whose percentages sum to 100.",
        fix="Correct versions. The provider finds out only in the update.",
        url=f"{DOCS}/configuration/versions-and-deployments/gradual-deployments/",
        types=(DEPLOYMENT,),
        checks=(
            Custom(
                _percentages,
                ("versions[].percentage",),
                (
                    SetValue("versions", []),
                    SetValue("versions[].percentage", 0),
                    SetValue("versions[].percentage", 105),
                    SetValue("versions", [{"versionId": v, "percentage": 50} for v in "abc"]),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="worker-can-canary",
        severity=Severity.MEDIUM,
        what="No Worker is uploaded in a way that puts it in front of everybody at once.",
        fix="Use Worker, WorkerVersion and WorkersDeployment.",
        url=f"{DOCS}/configuration/versions-and-deployments/",
        types=SCRIPTS,
        checks=(forbidden,),
    ),
)

"""Cloudflare Workers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from policies.rule import (
    ABSENT,
    Demand,
    Problem,
    Put,
    ResourceRule,
    Severity,
    View,
    checked,
    each,
    equal,
    forbidden,
    is_number,
    must,
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


def _secret_binding(view: View) -> Iterator[Problem]:
    name = str(view.get("name", ""))
    if SECRET_NAME.search(name) and view.get("type") not in SECRET_BINDINGS:
        yield view.problem("type", f"must be one of {', '.join(SECRET_BINDINGS)}")


def _compatibility(view: View) -> Iterator[Problem]:
    try:
        said = date.fromisoformat(str(view.get("compatibilityDate", "")))
    except ValueError:
        yield view.problem("compatibilityDate", "must be a date such as 2026-10-01")
        return
    if not 0 <= (view.today - said).days <= OLDEST_COMPATIBILITY_DAYS:
        text = f"must lie in the last {OLDEST_COMPATIBILITY_DAYS} days"
        yield view.problem("compatibilityDate", text)


def _percentages(view: View) -> Iterator[Problem]:
    shares = [share for share in view.all("versions[].percentage") if is_number(share)]
    if not 1 <= len(shares) <= 2:
        yield view.problem("versions", "must be one or two versions with their percentages")
    if any(not 0.01 <= share <= 100 for share in shares):
        yield view.problem("versions[].percentage", "must be 0.01 to 100: leave out what has none")
    if round(sum(shares), 2) != 100:
        yield view.problem("versions[].percentage", "must sum to 100")


RULES: Final = (
    ResourceRule(
        id="worker-no-side-entrance",
        severity=Severity.HIGH,
        what="Only its domain leads to a Worker.",
        fix="Set subdomain.enabled and subdomain.previewsEnabled to false.",
        url=f"{DOCS}/configuration/routing/workers-dev/",
        types=(WORKER,),
        checks=(
            must("subdomain.enabled", equal(False)),
            must("subdomain.previewsEnabled", equal(False)),
        ),
    ),
    ResourceRule(
        id="worker-script-no-side-entrance",
        severity=Severity.HIGH,
        what="Only its domain leads to a Worker's script.",
        fix="Set enabled and previewsEnabled to false.",
        url=f"{DOCS}/configuration/routing/workers-dev/",
        types=(SUBDOMAIN,),
        checks=(must("enabled", equal(False)), must("previewsEnabled", equal(False), True)),
    ),
    ResourceRule(
        id="worker-observed",
        severity=Severity.MEDIUM,
        what="A Worker's invocations are logged, or a share of them.",
        fix="Set observability.enabled to true, and the sampling rates to more than 0.",
        url=f"{DOCS}/observability/logs/workers-logs/",
        types=(WORKER,),
        checks=(
            must("observability.enabled", equal(True)),
            must("observability.logs.enabled", equal(True), optional=True),
            must("observability.headSamplingRate", SOME, optional=True),
            must("observability.logs.headSamplingRate", SOME, optional=True),
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
            each(
                "bindings[]",
                (
                    checked(
                        _secret_binding,
                        ("name", "type"),
                        (
                            Put("", {"name": "JWT_SECRET", "type": "plain_text", "text": "plain"}),
                            Put("", {"name": "STRIPE_API_KEY", "type": "json", "json": "1"}),
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
            each(
                "bindings[]",
                (must("text", NO_CREDENTIAL, True), must("json", NO_CREDENTIAL, True)),
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
            checked(
                _compatibility,
                ("compatibilityDate",),
                tuple(
                    Put("compatibilityDate", wrong)
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
            checked(
                _percentages,
                ("versions[].percentage",),
                (
                    Put("versions", []),
                    Put("versions[].percentage", 0),
                    Put("versions[].percentage", 105),
                    Put("versions", [{"versionId": v, "percentage": 50} for v in "abc"]),
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

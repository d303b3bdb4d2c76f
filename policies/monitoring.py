"""Cloud Monitoring."""

from __future__ import annotations

from typing import Final

from policies.rule import (
    GIVEN,
    Must,
    ResourceRule,
    Severity,
    equal,
    like,
    one_of,
)

ALERT: Final = "gcp:monitoring/alertPolicy:AlertPolicy"
UPTIME: Final = "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig"

DOCS: Final = "https://cloud.google.com/monitoring"

RULES: Final = (
    ResourceRule(
        id="alert-reaches-somebody",
        severity=Severity.HIGH,
        what="An alert reaches somebody.",
        fix="Give notificationChannels.",
        url=f"{DOCS}/alerts",
        types=(ALERT,),
        checks=(Must("notificationChannels", GIVEN),),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="alert-says-what-to-do",
        severity=Severity.MEDIUM,
        what="An alert says what to do about it.",
        fix="Give documentation.content, with a link to the runbook.",
        url=f"{DOCS}/alerts/doc-variables",
        types=(ALERT,),
        checks=(Must("documentation.content", GIVEN),),
    ),
    ResourceRule(
        id="alert-on",
        severity=Severity.HIGH,
        what="No alert is switched off.",
        fix="Leave enabled out; snooze the alert instead.",
        url=f"{DOCS}/alerts/snooze",
        types=(ALERT,),
        checks=(Must("enabled", equal(True), optional=True),),
    ),
    ResourceRule(
        id="uptime-over-tls",
        severity=Severity.MEDIUM,
        what="An uptime check speaks TLS, and minds the certificate.",
        fix="Set httpCheck.useSsl and httpCheck.validateSsl to true.",
        url=f"{DOCS}/uptime-checks",
        types=(UPTIME,),
        checks=(
            Must("httpCheck.useSsl", equal(True)),
            Must("httpCheck.validateSsl", equal(True)),
        ),
    ),
    ResourceRule(
        id="uptime-often-enough",
        severity=Severity.MEDIUM,
        what="An outage is noticed within minutes.",
        fix='Set period to "60s" or "300s", and timeout to less than that.',
        url=f"{DOCS}/uptime-checks",
        types=(UPTIME,),
        checks=(
            Must("period", one_of("60s", "300s", refused=("900s",)), optional=True),
            Must("timeout", like(r"([1-9]|[1-5]\d|60)s", "must be 1s to 60s", ("90s",))),
        ),
    ),
)

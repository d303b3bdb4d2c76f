"""Cloud Monitoring and log-based metrics, which the estate does not use yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.framework.demands import NOT_EMPTY, equal, matches, one_of
from policies.framework.graph import Graph, StackRule
from policies.framework.paths import Finding
from policies.framework.rules import Must, ResourceRule, Severity
from resource_types import gcp

DOCS: Final = "https://cloud.google.com/monitoring"


def _log_metric_has_alert(graph: Graph) -> Iterator[Finding]:
    filters = [
        str(text)
        for alert in graph.of_type(gcp.ALERT_POLICY)
        for text in alert.view.all("conditions[].conditionThreshold.filter")
    ]
    for node in graph.of_type(gcp.LOG_METRIC):
        if not any(str(node.view.get("name")) in text for text in filters):
            yield node.finding("name", "has no alert policy")


RULES: Final = (
    ResourceRule(
        id="alert-has-channel",
        severity=Severity.HIGH,
        what="An alert has a notification channel.",
        fix="Set notificationChannels.",
        url=f"{DOCS}/alerts",
        types=(gcp.ALERT_POLICY,),
        checks=(Must("notificationChannels", NOT_EMPTY),),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="alert-has-documentation",
        severity=Severity.MEDIUM,
        what="An alert has documentation.",
        fix="Set documentation.content, with a link to the runbook.",
        url=f"{DOCS}/alerts/doc-variables",
        types=(gcp.ALERT_POLICY,),
        checks=(Must("documentation.content", NOT_EMPTY),),
    ),
    ResourceRule(
        id="alert-enabled",
        severity=Severity.HIGH,
        what="No alert is disabled.",
        fix="Remove enabled; snooze the alert instead.",
        url=f"{DOCS}/alerts/snooze",
        types=(gcp.ALERT_POLICY,),
        checks=(Must("enabled", equal(True), optional=True),),
    ),
    ResourceRule(
        id="uptime-check-tls",
        severity=Severity.MEDIUM,
        what="An uptime check uses TLS and validates the certificate.",
        fix="Set httpCheck.useSsl and httpCheck.validateSsl to true.",
        url=f"{DOCS}/uptime-checks",
        types=(gcp.UPTIME_CHECK,),
        checks=(
            Must("httpCheck.useSsl", equal(True)),
            Must("httpCheck.validateSsl", equal(True)),
        ),
    ),
    ResourceRule(
        id="uptime-check-period",
        severity=Severity.MEDIUM,
        what="An outage is detected within minutes.",
        fix='Set period to "60s" or "300s", and timeout to less than that.',
        url=f"{DOCS}/uptime-checks",
        types=(gcp.UPTIME_CHECK,),
        checks=(
            Must("period", one_of("60s", "300s", refused=("900s",)), optional=True),
            Must("timeout", matches(r"([1-9]|[1-5]\d|60)s", "must be 1s to 60s", ("90s",))),
        ),
    ),
    StackRule(
        id="log-metric-has-alert",
        severity=Severity.MEDIUM,
        what="Every log-based metric has an alert policy.",
        fix="Name the metric in the filter of an alert policy.",
        url="https://cloud.google.com/logging/docs/logs-based-metrics",
        frameworks=tuple(f"CIS-GCP-4.0 2.{number}" for number in range(4, 12)),
        check=_log_metric_has_alert,
        paths=("name", "conditions[].conditionThreshold.filter"),
    ),
)

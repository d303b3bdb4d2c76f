"""Cloud Monitoring and Cloud Logging."""

from __future__ import annotations

from typing import Final

from resource_types import gcp, limits
from resource_types.constraints.gcp.shared import DAY, LABELS
from resource_types.constraints.primitives import (
    Constraint,
    Table,
    choice,
    duration,
    each,
    integer,
    items,
    length,
    member_of,
    text,
)

_CONDITION_PATHS: Final = ("conditionThreshold", "conditionAbsent")

CONSTRAINTS: Final[Table] = {
    # https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies
    gcp.ALERT_POLICY: (
        Constraint("userLabels", LABELS),
        Constraint("displayName", length(512)),
        Constraint("conditions", items(1, 6)),
        Constraint("severity", choice("CRITICAL", "ERROR", "WARNING", "")),
        Constraint("conditions[].conditionThreshold.duration", duration(0, 84600, step=60)),
        Constraint("conditions[].conditionAbsent.duration", duration(120, 84600, step=60)),
        Constraint(
            "conditions[].conditionPrometheusQueryLanguage.evaluationInterval",
            duration(30, 31536000, step=30),
        ),
        *each(
            duration(60, 90000),
            *(f"conditions[].{name}.aggregations[].alignmentPeriod" for name in _CONDITION_PATHS),
        ),
        *each(
            text(r"(?s).*\S.*", "a filter", "", " "),
            *(f"conditions[].{name}.filter" for name in _CONDITION_PATHS),
            "conditions[].conditionMatchedLog.filter",
        ),
        Constraint("alertStrategy.autoClose", duration(1800, 7 * DAY)),
        Constraint("alertStrategy.notificationRateLimit.period", duration(300, 2 * DAY)),
        Constraint("documentation.content", length(8192, unit="bytes")),
        Constraint(
            "notificationChannels[]",
            text(
                r"projects/[^/]+/notificationChannels/\d+",
                "projects/<project>/notificationChannels/<number>",
                *("pager", "oncall@pull.com"),
            ),
        ),
    ),
    # https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.uptimeCheckConfigs
    gcp.UPTIME_CHECK: (
        Constraint("userLabels", LABELS),
        Constraint("period", choice("60s", "300s", "600s", "900s", refused=("30s", "120s", "1h"))),
        Constraint("timeout", duration(1, 60)),
        Constraint("httpCheck.port", integer(1, 65535)),
        Constraint("tcpCheck.port", integer(1, 65535)),
        Constraint(
            "selectedRegions[]",
            choice(
                *("USA", "EUROPE", "SOUTH_AMERICA", "ASIA_PACIFIC", "USA_OREGON", "USA_IOWA"),
                "USA_VIRGINIA",
                refused=("us-central1", "AFRICA"),
            ),
        ),
    ),
    gcp.LOG_METRIC: (
        Constraint(
            "name", text(r"(?!/)[\w\-.,+!*',()%/]{1,100}", "up to 100 characters", "x" * 101)
        ),
        Constraint("filter", length(20000)),
        Constraint("metricDescriptor.metricKind", choice("DELTA", "GAUGE", "CUMULATIVE")),
        Constraint(
            "metricDescriptor.valueType",
            choice("BOOL", "INT64", "DOUBLE", "STRING", "DISTRIBUTION", "MONEY"),
        ),
    ),
    # https://cloud.google.com/logging/docs/buckets
    gcp.LOG_BUCKET: (
        Constraint(
            "bucketId",
            text(
                r"_Default|_Required|[A-Za-z0-9][\w.-]{0,99}",
                "a name of up to 100 letters, digits, _, - and .",
                "a b",
                "x" * 101,
            ),
        ),
        Constraint("retentionDays", integer(1, 3650)),
        Constraint(
            "location",
            member_of(
                limits.REGIONS | {"global", "us", "eu"}, "global, us, eu or a region", "world"
            ),
        ),
    ),
}

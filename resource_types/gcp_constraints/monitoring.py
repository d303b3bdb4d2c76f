"""Cloud Monitoring and Cloud Logging."""

from __future__ import annotations

from typing import Final

from resource_types import gcp, limits
from resource_types.constraints import (
    choice,
    duration,
    integer,
    items,
    length,
    member_of,
    text,
)
from resource_types.gcp_constraints.shared import (
    DAY,
    LABELS,
    Table,
    at,
    each,
)

_CONDITION_PATHS: Final = ("conditionThreshold", "conditionAbsent")

CONSTRAINTS: Final[Table] = {
    # https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies
    gcp.ALERT_POLICY: (
        *at("userLabels", LABELS),
        *at("displayName", length(512)),
        *at("conditions", items(1, 6)),
        *at("severity", choice("CRITICAL", "ERROR", "WARNING", "")),
        *at("conditions[].conditionThreshold.duration", duration(0, 84600, step=60)),
        *at("conditions[].conditionAbsent.duration", duration(120, 84600, step=60)),
        *at(
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
        *at("alertStrategy.autoClose", duration(1800, 7 * DAY)),
        *at("alertStrategy.notificationRateLimit.period", duration(300, 2 * DAY)),
        *at("documentation.content", length(8192, unit="bytes")),
        *at(
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
        *at("userLabels", LABELS),
        *at("period", choice("60s", "300s", "600s", "900s", refused=("30s", "120s", "1h"))),
        *at("timeout", duration(1, 60)),
        *at("httpCheck.port", integer(1, 65535)),
        *at("tcpCheck.port", integer(1, 65535)),
        *at(
            "selectedRegions[]",
            choice(
                *("USA", "EUROPE", "SOUTH_AMERICA", "ASIA_PACIFIC", "USA_OREGON", "USA_IOWA"),
                "USA_VIRGINIA",
                refused=("us-central1", "AFRICA"),
            ),
        ),
    ),
    gcp.LOG_METRIC: (
        *at("name", text(r"(?!/)[\w\-.,+!*',()%/]{1,100}", "up to 100 characters", "x" * 101)),
        *at("filter", length(20000)),
        *at("metricDescriptor.metricKind", choice("DELTA", "GAUGE", "CUMULATIVE")),
        *at(
            "metricDescriptor.valueType",
            choice("BOOL", "INT64", "DOUBLE", "STRING", "DISTRIBUTION", "MONEY"),
        ),
    ),
    # https://cloud.google.com/logging/docs/buckets
    gcp.LOG_BUCKET: (
        *at("bucketId", text(r"[A-Za-z0-9][\w.-]{0,99}", "a name of up to 100", "a b", "x" * 101)),
        *at("retentionDays", integer(1, 3650)),
        *at(
            "location",
            member_of(
                limits.REGIONS | {"global", "us", "eu"}, "global, us, eu or a region", "world"
            ),
        ),
    ),
}

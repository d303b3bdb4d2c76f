"""Pulumi Cloud: the resource types of pulumi-pulumiservice."""

from __future__ import annotations

from typing import Final

from resource_types.record import ordinary

DEPLOYMENT_SETTINGS: Final = ordinary(
    "pulumiservice:index:DeploymentSettings", outage=None, name_property=""
)
STACK_TAGS: Final = ordinary("pulumiservice:index:StackTags", outage=None, name_property="")
DRIFT_SCHEDULE: Final = ordinary("pulumiservice:index:DriftSchedule", outage=None, name_property="")
TTL_SCHEDULE: Final = ordinary("pulumiservice:index:TtlSchedule", outage=None, name_property="")
WEBHOOK: Final = ordinary("pulumiservice:index:Webhook", outage=None, name_property="")

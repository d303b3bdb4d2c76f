"""Pulumi Cloud: the resource types of pulumi-pulumiservice."""

from __future__ import annotations

from typing import Final

from resource_types.record import ordinary

DEPLOYMENT_SETTINGS: Final = ordinary("pulumiservice:index:DeploymentSettings", name_property="")
STACK_TAGS: Final = ordinary("pulumiservice:index:StackTags", name_property="")
DRIFT_SCHEDULE: Final = ordinary("pulumiservice:index:DriftSchedule", name_property="")
TTL_SCHEDULE: Final = ordinary("pulumiservice:index:TtlSchedule", name_property="")
WEBHOOK: Final = ordinary(
    "pulumiservice:index:Webhook", name_property="", secret_outputs=("secret",)
)

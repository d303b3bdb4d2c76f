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
POLICY_GROUP: Final = ordinary(
    "pulumiservice:index:PolicyGroup",
    outage="the policies that Pulumi Cloud enforces on the stacks of the group",
    summary_fields=("mode",),
    # provider/pkg/resources/policy_group.go (Diff), which also deletes the old group first.
    replace_on=("name", "entityType", "mode"),
)
WEBHOOK: Final = ordinary(
    "pulumiservice:index:Webhook", outage=None, name_property="", secret_outputs=("secret",)
)

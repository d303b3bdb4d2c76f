"""The namespace with its standard of security, priorities, and an account for each workload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
from pulumi import ResourceOptions

from components.base import PullComponent, Stage
from components.kubernetes.objects import (
    API_PRIORITY,
    NAMESPACE,
    WORKER_PRIORITY,
    metadata,
)
from components.platform.identity import Account

POD_SECURITY_VERSION: Final = "v1.34"
"""Of the standard: an upgrade of the cluster must not change what is allowed."""

PRIORITIES: Final = {
    API_PRIORITY: (100_000, "Users wait for the API"),
    WORKER_PRIORITY: (10_000, "A worker's tasks wait in Temporal meanwhile"),
}
"""Value and description by name. The cluster's own components have two thousand million."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceArgs:
    """Inputs of :class:`Namespace`.

    Attributes:
        accounts: Google's account by the name of the service account that stands for it.
        after: what must be there first: the cluster.
    """

    project: str
    protect: bool
    accounts: Mapping[str, Account]
    after: list[pulumi.Resource]


class Namespace(PullComponent):
    """``pull``: everything of the estate that runs in the cluster is in it."""

    ready: list[pulumi.Resource]
    """The last of its steps: the service accounts and what they may be at Google."""

    def __init__(self, name: str, args: NamespaceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("pull:kubernetes:Namespace", name, Stage.CONFIGURATION, opts)
        namespace = kubernetes.core.v1.Namespace(
            self.child("namespace"),
            metadata=metadata(
                NAMESPACE,
                namespace=None,
                labels={
                    f"pod-security.kubernetes.io/{key}": value
                    for mode in ("enforce", "audit", "warn")
                    for key, value in (
                        (mode, "restricted"),
                        (f"{mode}-version", POD_SECURITY_VERSION),
                    )
                },
            ),
            opts=self.options(ResourceOptions(depends_on=args.after, protect=args.protect)),
        )
        priorities = [
            kubernetes.scheduling.v1.PriorityClass(
                self.child(f"priority-{priority}"),
                metadata=metadata(priority, namespace=None),
                value=value,
                preemption_policy="PreemptLowerPriority",
                description=description,
                opts=self.options(ResourceOptions(depends_on=[namespace])),
            )
            for priority, (value, description) in PRIORITIES.items()
        ]
        self.ready = []
        for account, google in args.accounts.items():
            service_account = kubernetes.core.v1.ServiceAccount(
                self.child(f"account-{account}"),
                metadata=metadata(
                    account, annotations={"iam.gke.io/gcp-service-account": google.email}
                ),
                # Workload Identity asks the metadata server: no pod needs a token for the cluster.
                automount_service_account_token=False,
                opts=self.options(ResourceOptions(depends_on=priorities)),
            )
            # Beside what it opens: its pool exists only once the cluster does.
            binding = gcp.serviceaccount.IAMMember(
                self.child(f"account-{account}-identity"),
                service_account_id=google.resource.name,
                role="roles/iam.workloadIdentityUser",
                member=f"serviceAccount:{args.project}.svc.id.goog[{NAMESPACE}/{account}]",
                opts=self.options(ResourceOptions(depends_on=args.after)),
            )
            self.ready += [service_account, binding]
        self.register_outputs({"namespace": NAMESPACE})

"""The namespace with its Pod Security Standard, priorities, and service accounts."""

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
from components.platform.identity import ServiceAccount
from resource_types import pull

POD_SECURITY_VERSION: Final = "v1.34"
"""Version of the Pod Security Standard; pinned, so that a cluster upgrade cannot change it."""

PRIORITIES: Final = {
    API_PRIORITY: (100_000, "Users wait for the API"),
    WORKER_PRIORITY: (10_000, "A worker's tasks wait in Temporal meanwhile"),
}
"""Value and description by name. Priorities of the system start at 2,000,000,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceArgs:
    """Inputs of :class:`Namespace`.

    Attributes:
        service_accounts: Google service account by the name of the Kubernetes service account.
        after: resources that come first: the cluster.
    """

    project: str
    protect: bool
    service_accounts: Mapping[str, ServiceAccount]
    after: list[pulumi.Resource]


class Namespace(PullComponent):
    """``pull``: all workloads of the estate in the cluster are in it."""

    ready: list[pulumi.Resource]
    """The service accounts, and their permissions to act as Google service accounts."""

    def __init__(self, name: str, args: NamespaceArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(pull.KUBERNETES_NAMESPACE, name, Stage.CONFIGURATION, opts)
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
        for account, google_account in args.service_accounts.items():
            service_account = kubernetes.core.v1.ServiceAccount(
                self.child(f"account-{account}"),
                metadata=metadata(
                    account, annotations={"iam.gke.io/gcp-service-account": google_account.email}
                ),
                # Workload Identity uses the metadata server: no pod needs a cluster token.
                automount_service_account_token=False,
                opts=self.options(ResourceOptions(depends_on=priorities)),
            )
            # After the cluster, because the workload identity pool exists only with it.
            binding = gcp.serviceaccount.IAMMember(
                self.child(f"account-{account}-identity"),
                service_account_id=google_account.resource.name,
                role="roles/iam.workloadIdentityUser",
                member=f"serviceAccount:{args.project}.svc.id.goog[{NAMESPACE}/{account}]",
                opts=self.options(ResourceOptions(depends_on=args.after)),
            )
            self.ready += [service_account, binding]
        self.register_outputs({"namespace": NAMESPACE})

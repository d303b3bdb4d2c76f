"""What runs in the estate, in the runbook's terms: services and types of worker."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class WorkerType(StrEnum):
    """Values of ``WORKER_TYPE``, which selects the Temporal task queues that a worker polls."""

    ALL = "all"
    MAIN = "main"
    KYC = "kyc"
    TRADING = "trading"
    RWA = "rwa"
    REWARDS = "rewards"
    GAMIFICATION = "gamification"
    EMAIL = "email"
    MESSAGING = "messaging"
    SIGNALS = "signals"
    PORTFOLIO = "portfolio"

    @property
    def task_queues(self) -> tuple[str, ...]:
        """``pull-<type>``; ``all`` polls all queues and runbook 2.0's ``pull-main-queue``."""
        if self is WorkerType.ALL:
            return ("pull-main-queue", *(f"pull-{other}" for other in DEDICATED_WORKER_TYPES))
        if self is WorkerType.MAIN:
            return ("pull-main", "pull-main-queue")
        return (f"pull-{self}",)


DEDICATED_WORKER_TYPES: Final = tuple(
    worker_type for worker_type in WorkerType if worker_type is not WorkerType.ALL
)


class Service(StrEnum):
    """Consumers of configuration other than the workers."""

    API = "api"
    """The API, wherever it runs."""
    API_ORIGIN = "api-origin"
    """The API inside the private network: on Cloud Run or in a cluster, not on Cloudflare."""
    EXTERNAL_SECRETS = "external-secrets"
    """The operator that copies secrets into a cluster for the workloads there."""
    NODES = "nodes"
    """The nodes of a cluster that this program creates."""
    WEB = "web"
    CI = "ci"
    """The repository's workflows, which deploy applications and contracts."""

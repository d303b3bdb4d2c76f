"""What runs in the estate, by the runbook's words: the services, and the types of worker."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class WorkerType(StrEnum):
    """Values of ``WORKER_TYPE``: which Temporal task queues a worker polls."""

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
        """``pull-<type>``; ``all`` polls every queue, and the one that runbook 2.0 calls main."""
        if self is WorkerType.ALL:
            return ("pull-main-queue", *(f"pull-{other}" for other in DEDICATED_WORKER_TYPES))
        if self is WorkerType.MAIN:
            return ("pull-main", "pull-main-queue")
        return (f"pull-{self}",)


DEDICATED_WORKER_TYPES: Final = tuple(kind for kind in WorkerType if kind is not WorkerType.ALL)


class Service(StrEnum):
    """What consumes configuration, beside the workers."""

    API = "api"
    """The API, wherever it runs."""
    API_ORIGIN = "api-origin"
    """The API where it stands inside the private network: on Cloud Run, not on Cloudflare."""
    EXTERNAL_SECRETS = "external-secrets"
    """The operator that brings secrets into a cluster, on behalf of what runs there."""
    NODES = "nodes"
    """The machines of a cluster that is made here."""
    WEB = "web"
    CI = "ci"
    """Workflows of the repository: they deploy applications and contracts."""

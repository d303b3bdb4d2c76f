"""A fleet of any size, built from the estate's components."""

from __future__ import annotations

from dataclasses import dataclass

from components.config import read_engine_config
from components.estate import Estate
from components.names import Names
from components.services.workers import TemporalWorker, TemporalWorkerArgs
from components.workloads import WorkerType


@dataclass(frozen=True)
class NumberedNames(Names):
    """Names of a worker among several of the same type; each needs its own name in the cloud."""

    number: int

    def worker(self, worker_type: WorkerType) -> str:
        return f"{super().worker(worker_type)}-{self.number}"


class Fleet(Estate):
    """The estate of a stack file, with its first worker ``count`` times and no other worker."""

    def __init__(self, count: int) -> None:
        self._count = count
        super().__init__(read_engine_config())

    def _workers(self) -> None:
        settings = self._settings
        worker_type, worker = next(iter(settings.workers.fleet.items()))
        for number in range(self._count):
            TemporalWorker(
                f"worker-{number}",
                TemporalWorkerArgs(
                    project=settings.gcp.project,
                    region=settings.gcp.region,
                    names=NumberedNames(settings.environment, number),
                    worker_type=worker_type,
                    settings=worker,
                    runtime=settings.workers.runtime,
                    egress=settings.workers.egress,
                    image=settings.workers.image,
                    timeout_seconds=settings.workers.timeout_seconds,
                    password_generation=settings.postgres.password_generation,
                    protect=settings.protect,
                    service_account=self.identity.runtimes[worker_type],
                    network=self.network,
                    config=self._config,
                    secrets=self.secrets,
                    after=[*self.web.rollout],
                ),
                self._opts,
            )

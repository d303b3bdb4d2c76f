"""A fleet of any size, made of the estate's own components."""

from __future__ import annotations

from dataclasses import dataclass

from components.config import Worker, read_engine_config
from components.estate import Estate
from components.names import Names
from components.services.workers import TemporalWorker, TemporalWorkerArgs
from components.workloads import WorkerType


@dataclass(frozen=True)
class NumberedNames(Names):
    """Names of one worker among several of its type."""

    number: int

    def worker(self, worker_type: str) -> str:
        return f"{super().worker(worker_type)}-{self.number}"


class Fleet(Estate):
    """The estate of a stack file, with ``count`` workers for its own.

    Everything but the workers is the same at each size, identities and grants of all types
    included. Types repeat after eleven workers; the names of their services bear a number.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        settings = read_engine_config()
        size = Worker(cpu=2, memory_gib=4, min_instances=1, max_instances=3)
        fleet = settings.workers.model_copy(update={"fleet": dict.fromkeys(WorkerType, size)})
        super().__init__(settings.model_copy(update={"workers": fleet}))

    def _workers(self) -> None:
        settings, types = self._settings, list(WorkerType)
        for number in range(self._count):
            worker_type = types[number % len(types)]
            TemporalWorker(
                f"worker-{number}",
                TemporalWorkerArgs(
                    project=settings.gcp.project,
                    region=settings.gcp.region,
                    names=NumberedNames(settings.environment, number),
                    worker_type=worker_type,
                    size=settings.workers.fleet[worker_type],
                    runtime=settings.workers.runtime,
                    egress=settings.workers.egress,
                    image=settings.workers.image,
                    timeout_seconds=settings.workers.timeout_seconds,
                    password_generation=settings.postgres.password_generation,
                    protect=settings.protect,
                    account=self.identity.runtimes[worker_type],
                    network=self.network,
                    config=self._config,
                    secrets=self.secrets,
                    after=[*self.web.rollout],
                ),
                self._opts,
            )

"""Physical names: what resources are called in the clouds, and each platform's naming rule.

Every name is derived here from the environment. A name that its platform would reject raises
``ValueError`` before anything is created.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Literal

from components.workloads import WorkerType

Environment = Literal["staging", "production"]

API_NAME: Final = "pull-api"
"""The API's Worker, Cloud Run service and Deployment."""

WORKER_IMAGE: Final = "pull-temporal-worker"
"""The workers' image in the registry; also the prefix of each worker's name."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A platform's rule for a name: a pattern for the whole name, and its length in characters."""

    platform: str
    pattern: re.Pattern[str]
    max_length: int
    min_length: int = 1

    def check(self, name: str) -> str:
        """Return ``name``, or raise ``ValueError`` with the rule that it breaks."""
        if not self.min_length <= len(name) <= self.max_length:
            raise ValueError(
                f"{self.platform} {name!r} has {len(name)} characters: "
                f"{self.min_length} to {self.max_length} are allowed"
            )
        if not self.pattern.fullmatch(name):
            raise ValueError(
                f"{self.platform} {name!r} does not match {self.pattern.pattern}: "
                "use lower-case letters, digits and single hyphens, and start with a letter"
            )
        return name


_HYPHENATED: Final = re.compile(r"[a-z](?:-?[a-z0-9])*")

SQL_INSTANCE: Final = Rule("Cloud SQL instance", _HYPHENATED, 97)
REDIS_INSTANCE: Final = Rule("Memorystore instance", _HYPHENATED, 40)
# The API counts a hyphen twice towards its limit of 20 characters, and names here have at most two:
# https://cloud.google.com/vpc/docs/configure-serverless-vpc-access
CONNECTOR: Final = Rule("VPC connector", _HYPHENATED, 18)
COMPUTE: Final = Rule("Compute Engine resource", _HYPHENATED, 63)
KMS: Final = Rule("KMS resource", re.compile(r"[a-zA-Z0-9_-]+"), 63)
BUCKET: Final = Rule("bucket", re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"), 63, 3)
# Cloud Run accepts 49 characters, which leaves room for the suffix of a revision (63 in all):
# https://cloud.google.com/run/docs/deploying
CLOUD_RUN: Final = Rule("Cloud Run service", _HYPHENATED, 49)
SERVICE_ACCOUNT: Final = Rule("service account", _HYPHENATED, 30, 6)
WORKER: Final = Rule("Cloudflare Worker", _HYPHENATED, 63)
VERCEL_PROJECT: Final = Rule("Vercel project", re.compile(r"[a-z0-9](?:-?[a-z0-9])*"), 100)
SECRET: Final = Rule("Secret Manager secret", re.compile(r"[a-zA-Z0-9_-]+"), 255)
GKE_CLUSTER: Final = Rule("GKE cluster", _HYPHENATED, 40)
POOL: Final = Rule("workload identity pool", _HYPHENATED, 32, 4)


def worker_name(worker_type: WorkerType) -> str:
    """``pull-temporal-worker`` polls all queues; dedicated workers have their type as a suffix."""
    return WORKER_IMAGE if worker_type is WorkerType.ALL else f"{WORKER_IMAGE}-{worker_type}"


@dataclass(frozen=True, slots=True)
class Names:
    """All physical names of one environment."""

    environment: Environment

    @property
    def base(self) -> str:
        """``pull-production``: the prefix of whatever exists once per environment."""
        return f"pull-{self.environment}"

    @property
    def suffix(self) -> str:
        """The runbook gives services of staging a suffix, and those of production none."""
        return "-staging" if self.environment == "staging" else ""

    # -- platform ------------------------------------------------------------------------------

    @property
    def network(self) -> str:
        return COMPUTE.check(self.base)

    @property
    def connector(self) -> str:
        return CONNECTOR.check(self.base)

    @property
    def key_ring(self) -> str:
        return KMS.check(self.base)

    @property
    def identity_pool(self) -> str:
        return POOL.check(f"{self.base}-github")

    # -- data ----------------------------------------------------------------------------------

    @property
    def postgres(self) -> str:
        return SQL_INSTANCE.check(f"{self.base}-postgres")

    @property
    def postgres_recovery(self) -> str:
        return SQL_INSTANCE.check(f"{self.base}-postgres-recovery")

    @property
    def redis(self) -> str:
        return REDIS_INSTANCE.check(f"{self.base}-redis")

    def backups(self, project: str) -> str:
        """Bucket names are globally unique, hence the project id as the prefix."""
        return BUCKET.check(f"{project}-backups")

    # -- secrets -------------------------------------------------------------------------------

    def secret(self, variable: str) -> str:
        """``JWT_SECRET`` is stored as ``pull-production-jwt-secret``."""
        return SECRET.check(f"{self.base}-{variable.lower().replace('_', '-')}")

    @property
    def rotation_topic(self) -> str:
        return f"{self.base}-secret-rotation"

    # -- services ------------------------------------------------------------------------------

    @property
    def api(self) -> str:
        """The Worker, and the Cloud Run service of the same API."""
        return WORKER.check(f"{API_NAME}{self.suffix}")

    @property
    def web(self) -> str:
        return VERCEL_PROJECT.check(f"pull-web{self.suffix}")

    @property
    def assets(self) -> str:
        return BUCKET.check(f"pull-assets{self.suffix}")

    def worker(self, worker_type: WorkerType) -> str:
        """The Cloud Run service or worker pool."""
        return CLOUD_RUN.check(f"{worker_name(worker_type)}{self.suffix}")

    # -- the alternative runtime ---------------------------------------------------------------

    @property
    def cluster(self) -> str:
        """Each environment has its own project, so the runbook's names need no suffix here."""
        return GKE_CLUSTER.check("pull-cluster")

    @property
    def cluster_subnet(self) -> str:
        return COMPUTE.check(f"{self.base}-cluster")

    @property
    def ingress_address(self) -> str:
        return COMPUTE.check(f"{self.base}-api")

    def certificate(self, domain: str) -> str:
        """Certificates are immutable: a new domain needs a second one while the first is in use."""
        return COMPUTE.check(f"{self.base}-{hashlib.sha256(domain.encode()).hexdigest()[:8]}")

    def service_account(self, service: str) -> str:
        """Ids of service accounts have at most 30 characters, too few for ``-staging``."""
        return SERVICE_ACCOUNT.check(f"pull-{service}{self.suffix and '-stg'}")

"""Physical names: what the resources are called in the clouds, and each platform's rule for it.

Every name is derived here from the environment, so that a name of the runbook is found in one
place. A name that its platform would refuse raises ``ValueError`` before anything is made.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Literal

Environment = Literal["staging", "production"]

WORKER_IMAGE: Final = "pull-temporal-worker"
"""Name of the workers' image in the registry."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a platform accepts as a name: a pattern for all of it, and a length in characters."""

    platform: str
    pattern: re.Pattern[str]
    longest: int
    shortest: int = 1

    def check(self, name: str) -> str:
        """Give ``name`` back, or raise ``ValueError`` saying which platform refuses it and why."""
        if not self.shortest <= len(name) <= self.longest:
            raise ValueError(
                f"{self.platform} {name!r} has {len(name)} characters: "
                f"{self.shortest} to {self.longest} are allowed"
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
# A hyphen counts twice in the connector's limit of 20 characters, which 15 plain ones never reach.
CONNECTOR: Final = Rule("VPC connector", _HYPHENATED, 18)
COMPUTE: Final = Rule("Compute Engine resource", _HYPHENATED, 63)
KMS: Final = Rule("KMS resource", re.compile(r"[a-zA-Z0-9_-]+"), 63)
BUCKET: Final = Rule("bucket", re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"), 63, 3)
# 49 leaves room for the revision: the service's name, a hyphen and eight digits make at most 63.
CLOUD_RUN: Final = Rule("Cloud Run service", _HYPHENATED, 49)
SERVICE_ACCOUNT: Final = Rule("service account", _HYPHENATED, 30, 6)
WORKER: Final = Rule("Cloudflare Worker", _HYPHENATED, 63)
VERCEL_PROJECT: Final = Rule("Vercel project", re.compile(r"[a-z0-9](?:-?[a-z0-9])*"), 100)
SECRET: Final = Rule("Secret Manager secret", re.compile(r"[a-zA-Z0-9_-]+"), 255)
GKE_CLUSTER: Final = Rule("GKE cluster", _HYPHENATED, 40)
POOL: Final = Rule("workload identity pool", _HYPHENATED, 32, 4)


@dataclass(frozen=True, slots=True)
class Names:
    """All physical names of one environment."""

    environment: Environment

    @property
    def base(self) -> str:
        """``pull-production``: the prefix of what exists once per environment."""
        return f"pull-{self.environment}"

    @property
    def suffix(self) -> str:
        """The runbook marks the staging half of a pair of services, and leaves production bare."""
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
        """Bucket names are one world-wide namespace; the project's id makes this one ours."""
        return BUCKET.check(f"{project}-backups")

    # -- secrets -------------------------------------------------------------------------------

    def secret(self, variable: str) -> str:
        """``JWT_SECRET`` is kept as ``pull-production-jwt-secret``."""
        return SECRET.check(f"{self.base}-{variable.lower().replace('_', '-')}")

    @property
    def rotation_topic(self) -> str:
        return f"{self.base}-secret-rotation"

    # -- services ------------------------------------------------------------------------------

    @property
    def api(self) -> str:
        """The Worker, and the Cloud Run service of the same API."""
        return WORKER.check(f"pull-api{self.suffix}")

    @property
    def web(self) -> str:
        return VERCEL_PROJECT.check(f"pull-web{self.suffix}")

    @property
    def assets(self) -> str:
        return BUCKET.check(f"pull-assets{self.suffix}")

    def worker(self, worker_type: str) -> str:
        """``pull-temporal-worker`` runs all queues; a type of its own is named behind it."""
        own = "" if worker_type == "all" else f"-{worker_type}"
        return CLOUD_RUN.check(f"pull-temporal-worker{own}{self.suffix}")

    # -- the alternative runtime ---------------------------------------------------------------

    @property
    def cluster(self) -> str:
        """Each environment has a project of its own, so the runbook's names need no suffix here."""
        return GKE_CLUSTER.check("pull-cluster")

    @property
    def cluster_subnet(self) -> str:
        return COMPUTE.check(f"{self.base}-cluster")

    @property
    def ingress_address(self) -> str:
        return COMPUTE.check(f"{self.base}-api")

    def certificate(self, domain: str) -> str:
        """It cannot be changed: another domain needs another name, beside the old one in use."""
        return COMPUTE.check(f"{self.base}-{hashlib.sha256(domain.encode()).hexdigest()[:8]}")

    def account(self, service: str) -> str:
        """Service accounts have 30 characters, too few for the full word ``staging``."""
        return SERVICE_ACCOUNT.check(f"pull-{service}{self.suffix and '-stg'}")

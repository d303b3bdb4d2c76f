"""A complete stack file: one section for each part of the estate."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from components.config.accounts import Cloudflare, Gcp, Github, PulumiCloud, Vercel
from components.config.data import Postgres, Redis
from components.config.kubernetes import Kubernetes
from components.config.platform import Backups, Encryption, Network, Registry
from components.config.secrets import Secrets
from components.config.services import Api, ApiOrigin, Assets, Web, Workers
from components.config.types import Model
from components.config.values import Chain, External, RuntimeConfig
from components.names import Environment


class Settings(Model):
    """Everything that a stack file configures, one section for each part of the estate."""

    environment: Environment
    protect: bool = Field(
        description="whether stateful and identity resources are protected from deletion"
    )
    runtime: Literal["managed", "kubernetes", "both"] = Field(
        description="where the API and the workers run: on Cloudflare and Cloud Run, in a cluster, "
        "or both"
    )
    gcp: Gcp
    cloudflare: Cloudflare
    vercel: Vercel
    github: Github
    pulumi_cloud: PulumiCloud | None = None
    network: Network
    encryption: Encryption
    backups: Backups
    registry: Registry
    postgres: Postgres
    redis: Redis
    secrets: Secrets
    runtime_config: RuntimeConfig
    external: External
    chain: Chain
    api: Api
    api_origin: ApiOrigin | None = None
    web: Web
    assets: Assets
    workers: Workers
    kubernetes: Kubernetes | None = None

    @property
    def managed(self) -> bool:
        """Whether the API runs on Cloudflare and the workers on Cloud Run."""
        return self.runtime != "kubernetes"

    @property
    def in_cluster(self) -> Kubernetes | None:
        """The cluster's settings if the runtime has one; the parser ensures that they exist."""
        return None if self.runtime == "managed" else self.kubernetes

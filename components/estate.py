"""All components of the estate, created and connected in the runbook's order.

1. infrastructure, 2. secrets and configuration, 3. API, 4. web, 5. workers. ``after`` adds
dependencies only between the resources that expose a release to users, never between whole
components, so that the engine creates everything else in parallel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import ResourceOptions

from components.config import Settings
from components.data.postgres import Postgres, PostgresArgs
from components.data.redis import Redis, RedisArgs
from components.external import ExternalServices, contracts
from components.names import Names
from components.platform.backups import Backups, BackupsArgs
from components.platform.encryption import KEY_LOCATIONS, Encryption, EncryptionArgs, KeyArgs
from components.platform.identity import Identity, IdentityArgs
from components.platform.network import Network, NetworkArgs
from components.platform.project import Project
from components.platform.registry import Registry, RegistryArgs
from components.providers import make_providers
from components.runtime_config import browser_values, config_maps, convex_values
from components.secrets.manager import SecretManager, SecretManagerArgs
from components.services.api import Api, ApiArgs
from components.services.api_origin import ApiOrigin, ApiOriginArgs
from components.services.assets import Assets, AssetsArgs
from components.services.web import Web, WebArgs
from components.services.workers import TemporalWorker, TemporalWorkerArgs
from components.workloads import Service, WorkerType

if TYPE_CHECKING:
    from components.kubernetes.runtime import KubernetesRuntime


class Estate:
    """The complete infrastructure of the PULL backend, in one environment."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._names = Names(settings.environment)
        self._config = config_maps(settings, self._names)
        self._opts = ResourceOptions(providers=make_providers(settings))

        self._external()
        self._infrastructure()
        self._deployments()
        self._secrets()
        self._kubernetes()
        self._api()
        self._web()
        self._workers()

    # -- external ------------------------------------------------------------------------------

    def _external(self) -> None:
        ExternalServices(
            "external", contracts(self._settings.external, self._settings.chain), self._opts
        )

    # -- 1 infrastructure ----------------------------------------------------------------------

    def _infrastructure(self) -> None:
        settings, names, opts = self._settings, self._names, self._opts
        gcp, protect = settings.gcp, settings.protect
        cluster = settings.in_cluster.cluster if settings.in_cluster else None
        self.project = Project("project", gcp.project, opts, with_cluster=cluster is not None)
        self.identity = Identity(
            "identity",
            IdentityArgs(
                project=gcp.project,
                project_number=gcp.project_number,
                repository=settings.github.repository,
                names=names,
                runtimes=(*self._on_cloud_run(), *((Service.NODES,) if cluster else ())),
                in_cluster=self._service_accounts_in_cluster(),
                services=self.project,
            ),
            opts,
        )
        self.encryption = Encryption(
            "encryption",
            EncryptionArgs(
                project=gcp.project,
                ring=names.key_ring,
                settings=settings.encryption,
                protect=protect,
                keys={
                    "postgres": KeyArgs(location=gcp.region, agent=self.project.agents["sqladmin"]),
                    "backups": KeyArgs(
                        location=KEY_LOCATIONS[settings.backups.location],
                        agent=f"serviceAccount:service-{gcp.project_number}"
                        "@gs-project-accounts.iam.gserviceaccount.com",
                    ),
                    "secrets": KeyArgs(
                        location="global", agent=self.project.agents["secretmanager"]
                    ),
                    **(
                        {
                            "cluster": KeyArgs(
                                location=gcp.region, agent=self.project.agents["container"]
                            )
                        }
                        if cluster
                        else {}
                    ),
                },
                services=self.project,
            ),
            opts,
        )
        self.network = Network(
            "network",
            NetworkArgs(
                project=gcp.project,
                region=gcp.region,
                names=names,
                settings=settings.network,
                protect=protect,
                cluster=cluster,
                services=self.project,
            ),
            opts,
        )
        self.postgres = Postgres(
            "postgres",
            PostgresArgs(
                project=gcp.project,
                region=gcp.region,
                names=names,
                settings=settings.postgres,
                protect=protect,
                network=self.network,
                encryption=self.encryption,
                services=self.project,
            ),
            opts,
        )
        self.redis = Redis(
            "redis",
            RedisArgs(
                project=gcp.project,
                region=gcp.region,
                names=names,
                settings=settings.redis,
                protect=protect,
                network=self.network,
                services=self.project,
            ),
            opts,
        )
        self.backups = Backups(
            "backups",
            BackupsArgs(
                project=gcp.project,
                bucket=names.backups(gcp.project),
                settings=settings.backups,
                protect=protect,
                writer=self.postgres.exporter,
                encryption=self.encryption,
                services=self.project,
            ),
            opts,
        )
        self.registry = Registry(
            "registry",
            RegistryArgs(
                project=gcp.project,
                settings=settings.registry,
                protect=protect,
                pusher=self.identity.deployer.member,
                services=self.project,
            ),
            opts,
        )
        self.assets = Assets(
            "assets",
            AssetsArgs(
                cloudflare_account=settings.cloudflare,
                bucket=names.assets,
                settings=settings.assets,
                origins=settings.runtime_config.api.cors_origins,
                protect=protect,
            ),
            opts,
        )

    def _deployments(self) -> None:
        settings = self._settings
        self.events_key: pulumi.Output[str] | None = None
        if settings.pulumi_cloud is None:
            return
        # Imported here, so that a stack without it does not load its SDK.
        from components.delivery.deployments import Deployments, DeploymentsArgs

        deployments = Deployments(
            "deployments",
            DeploymentsArgs(
                settings=settings.pulumi_cloud,
                environment=settings.environment,
                repository=settings.github.repository,
                project=settings.gcp.project,
                project_number=settings.gcp.project_number,
                identity=self.identity,
            ),
            self._opts,
        )
        self.events_key = deployments.events_key

    def _on_cloud_run(self) -> tuple[Service | WorkerType, ...]:
        if not self._settings.managed:
            return ()
        origin = (Service.API_ORIGIN,) if self._settings.api_origin else ()
        return (*origin, *self._settings.workers.fleet)

    def _service_accounts_in_cluster(self) -> tuple[Service | WorkerType, ...]:
        if not self._settings.in_cluster:
            return ()
        return (Service.EXTERNAL_SECRETS, *self._consumers_in_cluster())

    def _consumers_in_cluster(self) -> tuple[Service | WorkerType, ...]:
        """The consumers of secrets in a cluster: the API and the workers."""
        return (Service.API_ORIGIN, *self._settings.workers.fleet)

    # -- 2 secrets and configuration -----------------------------------------------------------

    def _secrets(self) -> None:
        self.secrets = SecretManager(
            "secrets",
            SecretManagerArgs(
                project=self._settings.gcp.project,
                names=self._names,
                settings=self._settings.secrets,
                protect=self._settings.protect,
                derived={
                    "DATABASE_URL": self.postgres.url,
                    "REDIS_URL": self.redis.url,
                    "REDIS_CA_CERT": self.redis.ca_cert,
                },
                readers={
                    reader: self.identity.runtimes[reader]
                    for reader in (
                        *self._on_cloud_run(),
                        *((Service.EXTERNAL_SECRETS,) if self._settings.in_cluster else ()),
                    )
                },
                in_cluster=self._consumers_in_cluster(),
                encryption=self.encryption,
                services=self.project,
                after=[*self.postgres.connectable, *self.redis.connectable],
            ),
            self._opts,
        )

    # -- 2 and 3 in a cluster ------------------------------------------------------------------

    def _kubernetes(self) -> None:
        """From the cluster to the API in it; step 5 creates the rest."""
        self.kubernetes: KubernetesRuntime | None = None
        if self._settings.in_cluster is None:
            return
        # Imported here, so that a stack without a cluster does not load its SDK.
        from components.kubernetes.runtime import KubernetesRuntime, KubernetesRuntimeArgs

        self.kubernetes = KubernetesRuntime(
            KubernetesRuntimeArgs(
                settings=self._settings,
                kubernetes=self._settings.in_cluster,
                consumers=self._consumers_in_cluster(),
                names=self._names,
                config=self._config,
                project=self.project,
                identity=self.identity,
                encryption=self.encryption,
                network=self.network,
                registry=self.registry,
                secrets=self.secrets,
            ),
            self._opts,
        )

    # -- 3 api ---------------------------------------------------------------------------------

    def _api(self) -> None:
        settings = self._settings
        self.api: Api | None = None
        self.api_origin: ApiOrigin | None = None
        if not settings.managed:
            return
        self.api = Api(
            "api",
            ApiArgs(
                cloudflare_account=settings.cloudflare,
                names=self._names,
                settings=settings.api,
                protect=settings.protect,
                config=self._config,
                after=self.secrets.versions,
            ),
            self._opts,
        )
        if settings.api_origin is not None:
            self.api_origin = ApiOrigin(
                "api-origin",
                ApiOriginArgs(
                    project=settings.gcp.project,
                    region=settings.gcp.region,
                    names=self._names,
                    settings=settings.api_origin,
                    egress=settings.workers.egress,
                    password_generation=settings.postgres.password_generation,
                    protect=settings.protect,
                    service_account=self.identity.runtimes[Service.API_ORIGIN],
                    network=self.network,
                    config=self._config,
                    secrets=self.secrets,
                    after=self._cloud_run(),
                ),
                self._opts,
            )

    def _cloud_run(self) -> list[pulumi.Resource]:
        """The resources that every service on Cloud Run depends on."""
        return [self.project.services["run"], self.registry.repository]

    # -- 4 web ---------------------------------------------------------------------------------

    def _web(self) -> None:
        settings = self._settings
        self.web = Web(
            "web",
            WebArgs(
                cloudflare_account=settings.cloudflare,
                repository=settings.github.repository,
                names=self._names,
                settings=settings.web,
                protect=settings.protect,
                values=browser_values(settings),
                after=[
                    *(self.api.rollout if self.api else []),
                    *([self.api_origin.rollout] if self.api_origin else []),
                    *(self.kubernetes.rollout if self.kubernetes else []),
                ],
            ),
            self._opts,
        )

    # -- 5 workers -----------------------------------------------------------------------------

    def _workers(self) -> None:
        settings = self._settings
        self.workers = {
            worker_type: TemporalWorker(
                f"worker-{worker_type}",
                TemporalWorkerArgs(
                    project=settings.gcp.project,
                    region=settings.gcp.region,
                    names=self._names,
                    worker_type=worker_type,
                    settings=worker,
                    runtime=settings.workers.runtime,
                    egress=settings.workers.egress,
                    image=worker.image or settings.workers.image,
                    timeout_seconds=settings.workers.timeout_seconds,
                    password_generation=settings.postgres.password_generation,
                    protect=settings.protect,
                    service_account=self.identity.runtimes[worker_type],
                    network=self.network,
                    config=self._config,
                    secrets=self.secrets,
                    after=[*self._cloud_run(), *self.web.rollout],
                ),
                self._opts,
            )
            for worker_type, worker in settings.workers.fleet.items()
            if settings.managed
        }
        if self.kubernetes:
            self.kubernetes.release(after=self.web.rollout)

    # -- outputs of the stack ------------------------------------------------------------------

    def outputs(self) -> dict[str, Any]:
        """Outputs for people and other programs. Only ``events_key`` is secret."""
        return {
            "api_url": f"https://{self._settings.api.domain}",
            "api_version": self.api.version if self.api else None,
            "api_origin_url": self.api_origin.url if self.api_origin else None,
            "web_url": self.web.url,
            "web_project_id": self.web.project_id,
            "postgres_connection_name": self.postgres.connection_name,
            "redis_host": self.redis.host,
            "egress_address": self.network.egress_address,
            "ingress_address": self.kubernetes.address if self.kubernetes else None,
            "image_registry": f"gcr.io/{self._settings.gcp.project}",
            "backup_bucket": self.backups.bucket,
            "assets_bucket": self.assets.bucket,
            "ci_identity_provider": self.identity.provider,
            "ci_deployer": self.identity.deployer.email,
            "ci_previewer": self.identity.previewer.email,
            "workers": {
                worker.service: {
                    "described": worker.revision,
                    "ready": worker.latest_ready_revision,
                }
                for worker in self.workers.values()
            }
            or None,
            "events_key": self.events_key,
            "convex_variables": convex_values(self._settings),
        }


def export(outputs: dict[str, Any]) -> None:
    """Export ``outputs`` as stack outputs, without those that are None."""
    for name, value in outputs.items():
        if value is not None:
            pulumi.export(name, value)

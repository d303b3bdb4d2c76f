"""The alternative runtime in the runbook's order, from the cluster to the ingress.

Namespace, priorities, service accounts, ConfigMaps, external secrets, network policies, API; then,
after the release of the web application, workers and ingress. Each step waits for the previous one.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi import Output, ResourceOptions

from components.config import Settings
from components.config.kubernetes import Kubernetes
from components.kubernetes.api import Api, ApiArgs
from components.kubernetes.cluster import Cluster, ClusterArgs
from components.kubernetes.config_maps import ConfigMaps, ConfigMapsArgs
from components.kubernetes.external_secrets import ExternalSecrets, ExternalSecretsArgs
from components.kubernetes.ingress import Ingress, IngressArgs
from components.kubernetes.namespace import Namespace, NamespaceArgs
from components.kubernetes.network_policies import NetworkPolicies, NetworkPoliciesArgs
from components.kubernetes.objects import API, SECRETS_ACCOUNT, account_of
from components.kubernetes.worker import TemporalWorker, TemporalWorkerArgs
from components.names import Names, worker_name
from components.platform.encryption import Encryption
from components.platform.identity import Identity, ServiceAccount
from components.platform.network import Network
from components.platform.project import Project
from components.platform.registry import Registry
from components.providers import kubernetes_provider
from components.runtime_config import ConfigMaps as RuntimeConfig
from components.secrets.catalogue import Consumer
from components.secrets.manager import SecretManager
from components.workloads import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesRuntimeArgs:
    """Inputs of :class:`KubernetesRuntime`: the estate's settings and infrastructure.

    Attributes:
        consumers: the consumers of secrets in the cluster.
    """

    settings: Settings
    kubernetes: Kubernetes
    consumers: tuple[Consumer, ...]
    names: Names
    config: RuntimeConfig
    project: Project
    identity: Identity
    encryption: Encryption
    network: Network
    registry: Registry
    secrets: SecretManager


class KubernetesRuntime:
    """Everything that exists only if the runtime is ``kubernetes`` or ``both``."""

    rollout: list[pulumi.Resource]
    """The resources that expose the API in the cluster."""
    address: Output[str]

    def __init__(self, args: KubernetesRuntimeArgs, opts: ResourceOptions) -> None:
        self._args, self._opts = args, opts
        ready, in_cluster = self._cluster()
        self._in_cluster = ResourceOptions.merge(opts, in_cluster)
        ready = self._configuration(ready)
        self.rollout = self._api(ready)

    def release(self, after: list[pulumi.Resource]) -> None:
        """Create the workers, then the ingress. ``after``: the previous step in the runbook."""
        workers = self._workers([*self.rollout, *after])
        self._ingress(workers or self.rollout)

    def _cluster(self) -> tuple[list[pulumi.Resource], ResourceOptions]:
        """What the namespace depends on, and the provider for the cluster."""
        args, settings = self._args, self._args.settings
        if args.kubernetes.existing:
            provider = kubernetes_provider(context=args.kubernetes.existing.context)
            return args.identity.for_cluster, ResourceOptions(providers=[provider])
        if args.kubernetes.cluster is None:
            raise ValueError(
                "neither cluster nor existing is set; the settings parser rejects that"
            )
        cluster = Cluster(
            "cluster",
            ClusterArgs(
                project=settings.gcp.project,
                region=settings.gcp.region,
                names=args.names,
                settings=args.kubernetes.cluster,
                protect=settings.protect,
                nodes=args.identity.runtimes[Service.NODES],
                deployer=args.identity.for_cluster,
                network=args.network,
                encryption=args.encryption,
                registry=args.registry,
                services=args.project,
            ),
            self._opts,
        )
        provider = kubernetes_provider(kubeconfig=cluster.kubeconfig)
        return cluster.ready, ResourceOptions(providers=[provider])

    def _configuration(self, after: list[pulumi.Resource]) -> list[pulumi.Resource]:
        """Step 2 of the runbook: from the namespace to the network policies."""
        args, settings = self._args, self._args.settings
        namespace = Namespace(
            "namespace",
            NamespaceArgs(
                project=settings.gcp.project,
                protect=settings.protect,
                service_accounts=self._service_accounts(),
                after=after,
            ),
            self._in_cluster,
        )
        config_maps = ConfigMaps(
            "config-maps",
            ConfigMapsArgs(config=args.config, after=namespace.ready),
            self._in_cluster,
        )
        external_secrets = ExternalSecrets(
            "external-secrets",
            ExternalSecretsArgs(
                project=settings.gcp.project,
                install_operator=args.kubernetes.cluster is not None,
                references=args.secrets.references(*args.consumers),
                password_generation=settings.postgres.password_generation,
                after=[
                    *config_maps.ready,
                    *args.secrets.readable_by(Service.EXTERNAL_SECRETS),
                ],
            ),
            self._in_cluster,
        )
        network_policies = NetworkPolicies(
            "network-policies",
            NetworkPoliciesArgs(
                services_cidr=settings.network.services_cidr,
                metrics_port=settings.runtime_config.observability.metrics_port,
                after=external_secrets.ready,
            ),
            self._in_cluster,
        )
        return network_policies.ready

    def _service_accounts(self) -> dict[str, ServiceAccount]:
        """Google service account by Kubernetes service account."""
        runtimes = self._args.identity.runtimes
        return {
            SECRETS_ACCOUNT: runtimes[Service.EXTERNAL_SECRETS],
            account_of(API): runtimes[Service.API_ORIGIN],
            **{
                account_of(worker_name(worker_type)): runtimes[worker_type]
                for worker_type in self._args.settings.workers.fleet
            },
        }

    def _api(self, after: list[pulumi.Resource]) -> list[pulumi.Resource]:
        args = self._args
        api = Api(
            "cluster-api",
            ApiArgs(
                settings=args.kubernetes.api,
                service=args.names.api,
                password_generation=args.settings.postgres.password_generation,
                config=args.config,
                secrets=args.secrets,
                after=[*after, args.registry.repository],
            ),
            self._in_cluster,
        )
        return api.rollout

    def _workers(self, after: list[pulumi.Resource]) -> list[pulumi.Resource]:
        args, settings = self._args, self._args.settings
        return [
            TemporalWorker(
                f"cluster-worker-{worker_type}",
                TemporalWorkerArgs(
                    worker_type=worker_type,
                    service=args.names.worker(worker_type),
                    settings=worker,
                    image=worker.image or settings.workers.image,
                    activity_timeout_ms=(
                        settings.runtime_config.worker.activity_start_to_close_timeout_ms
                    ),
                    queue_depth=args.kubernetes.queue_depth,
                    password_generation=settings.postgres.password_generation,
                    config=args.config,
                    secrets=args.secrets,
                    after=after,
                ),
                self._in_cluster,
            ).rollout
            for worker_type, worker in settings.workers.fleet.items()
        ]

    def _ingress(self, after: list[pulumi.Resource]) -> None:
        args, settings = self._args, self._args.settings
        ingress = Ingress(
            "ingress",
            IngressArgs(
                project=settings.gcp.project,
                cloudflare_account=settings.cloudflare,
                names=args.names,
                domain=args.kubernetes.api.domain,
                api_domain=settings.api.domain,
                takes_over=not settings.managed,
                protect=settings.protect,
                services=args.project,
                deployer=args.identity.for_cluster,
                after=after,
            ),
            self._in_cluster,
        )
        self.address = ingress.address

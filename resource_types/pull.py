"""The component types of this project. A token is in the URNs of all children, so it stays."""

from __future__ import annotations

from typing import Final

BACKUPS: Final = "pull:platform:Backups"
DEPLOYMENTS: Final = "pull:delivery:Deployments"
ENCRYPTION: Final = "pull:platform:Encryption"
EXTERNAL_SERVICE: Final = "pull:external:Service"
EXTERNAL_SERVICES: Final = "pull:external:Services"
IDENTITY: Final = "pull:platform:Identity"
NETWORK: Final = "pull:platform:Network"
POSTGRES: Final = "pull:data:Postgres"
PROJECT: Final = "pull:platform:Project"
REDIS: Final = "pull:data:Redis"
REGISTRY: Final = "pull:platform:Registry"
SECRET_MANAGER: Final = "pull:secrets:SecretStore"

API: Final = "pull:services:Api"
API_ORIGIN: Final = "pull:services:ApiOrigin"
ASSETS: Final = "pull:services:Assets"
TEMPORAL_WORKER: Final = "pull:services:TemporalWorker"
WEB: Final = "pull:services:Web"

KUBERNETES_API: Final = "pull:kubernetes:Api"
KUBERNETES_CLUSTER: Final = "pull:kubernetes:Cluster"
KUBERNETES_CONFIG_MAPS: Final = "pull:kubernetes:ConfigMaps"
KUBERNETES_EXTERNAL_SECRETS: Final = "pull:kubernetes:ExternalSecrets"
KUBERNETES_INGRESS: Final = "pull:kubernetes:Ingress"
KUBERNETES_NAMESPACE: Final = "pull:kubernetes:Namespace"
KUBERNETES_NETWORK_POLICIES: Final = "pull:kubernetes:NetworkPolicies"
KUBERNETES_TEMPORAL_WORKER: Final = "pull:kubernetes:TemporalWorker"

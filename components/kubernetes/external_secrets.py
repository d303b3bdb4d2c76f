"""External Secrets: one Secret in the cluster, which the operator fills from Secret Manager.

No value passes through this program. The operator authenticates as ``pull-secrets-sa``, whose
Google service account may read exactly the secrets that the ExternalSecret lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import ResourceOptions

from components.base import PullComponent, Stage
from components.kubernetes.objects import NAMESPACE, SECRETS, SECRETS_ACCOUNT, metadata
from components.secrets.manager import SecretReference
from resource_types import pull

OPERATOR_VERSION: Final = "1.3.2"
"""Version of the chart and of the operator, which are released together."""

STORE: Final = "pull-gcp-secret-store"
API_VERSION: Final = "external-secrets.io/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalSecretsArgs:
    """Inputs of :class:`ExternalSecrets`.

    Attributes:
        install_operator: true if this program created the cluster.
        references: the secrets that workloads in the cluster read, without duplicates.
        password_generation: of the database. The operator fetches a new one immediately.
        after: resources that come first in the runbook's order.
    """

    project: str
    install_operator: bool
    references: Iterable[SecretReference]
    password_generation: int
    after: list[pulumi.Resource]


class ExternalSecrets(PullComponent):
    """The operator, its store, and the secrets that it copies from there."""

    ready: list[pulumi.Resource]

    def __init__(
        self, name: str, args: ExternalSecretsArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__(pull.KUBERNETES_EXTERNAL_SECRETS, name, Stage.CONFIGURATION, opts)
        after = list(args.after)
        if args.install_operator:
            after.append(self._operator(args.after))
        store = kubernetes.apiextensions.CustomResource(
            self.child("store"),
            api_version=API_VERSION,
            kind="SecretStore",
            metadata=metadata(STORE),
            spec={
                "provider": {
                    "gcpsm": {
                        "projectID": args.project,
                        # The operator gets the cluster's name from the metadata server.
                        "auth": {
                            "workloadIdentity": {"serviceAccountRef": {"name": SECRETS_ACCOUNT}}
                        },
                    }
                }
            },
            opts=self.options(ResourceOptions(depends_on=after)),
        )
        secret = kubernetes.apiextensions.CustomResource(
            self.child("secret"),
            api_version=API_VERSION,
            kind="ExternalSecret",
            metadata=metadata(
                SECRETS,
                annotations={
                    # The operator synchronizes when an annotation changes:
                    # https://external-secrets.io/latest/introduction/faq/
                    "pull.com/password-generation": str(args.password_generation),
                    # The engine waits until the Secret exists:
                    # https://www.pulumi.com/registry/packages/kubernetes/annotations/
                    "pulumi.com/waitFor": "condition=Ready",
                },
            ),
            spec={
                "refreshInterval": "1h",
                "secretStoreRef": {"name": STORE, "kind": "SecretStore"},
                "target": {"name": SECRETS, "creationPolicy": "Owner", "deletionPolicy": "Retain"},
                "data": [_entry(reference) for reference in args.references],
            },
            opts=self.options(ResourceOptions(depends_on=[store])),
        )
        self.ready = [secret]
        self.register_outputs({"secret": SECRETS})

    def _operator(self, after: list[pulumi.Resource]) -> pulumi.Resource:
        """The operator, restricted to the namespace of the estate."""
        size = {"requests": {"cpu": "250m", "memory": "512Mi"}}
        return kubernetes.helm.v3.Release(
            self.child("operator"),
            name="external-secrets",
            chart="external-secrets",
            version=OPERATOR_VERSION,
            repository_opts={"repo": "https://charts.external-secrets.io"},
            namespace="external-secrets",
            create_namespace=True,
            atomic=True,
            timeout=600,
            values={
                "installCRDs": True,
                # It reads and writes Secrets in this namespace only.
                "scopedNamespace": NAMESPACE,
                "scopedRBAC": True,
                "replicaCount": 2,
                "leaderElect": True,
                "resources": size,
                "webhook": {"replicaCount": 2, "resources": size},
                "certController": {"resources": size},
            },
            opts=self.options(ResourceOptions(depends_on=after)),
        )


def _entry(reference: SecretReference) -> dict[str, Any]:
    return {
        "secretKey": reference.variable,
        "remoteRef": {"key": reference.secret_id, "version": reference.version},
    }

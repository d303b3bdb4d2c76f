"""External Secrets: one Secret of the cluster, filled from Secret Manager by the operator.

No value passes through here. The operator signs in as ``pull-secrets-sa``, whose account at Google
may open exactly what the ExternalSecret lists.
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
from components.secrets.store import SecretReference

OPERATOR_VERSION: Final = "1.3.2"
"""Of the chart and of the operator in it, which are released together."""

STORE: Final = "pull-gcp-secret-store"
API_VERSION: Final = "external-secrets.io/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalSecretsArgs:
    """Inputs of :class:`ExternalSecrets`.

    Attributes:
        install_operator: whether the operator is made here, as in a cluster that is made here.
        references: the secrets that something in the cluster reads, each once.
        password_generation: of the database. A new one is fetched at once.
        after: what must be there first, by the runbook's order.
    """

    project: str
    install_operator: bool
    references: Iterable[SecretReference]
    password_generation: int
    after: list[pulumi.Resource]


class ExternalSecrets(PullComponent):
    """The operator, the store that it reads, and what it reads there."""

    ready: list[pulumi.Resource]

    def __init__(
        self, name: str, args: ExternalSecretsArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("pull:kubernetes:ExternalSecrets", name, Stage.CONFIGURATION, opts)
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
                        # The operator asks the metadata server which cluster it is in.
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
                    # The operator looks again at once when an annotation changes.
                    "pull.com/password-generation": str(args.password_generation),
                    # The engine goes on when the Secret is there, and not before.
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
        """The operator, held to its one namespace."""
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
                # It reads and writes Secrets of this namespace and of no other.
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

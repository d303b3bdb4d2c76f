"""All rules of the pack, by what they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from policies.framework.graph import StackRule
from policies.framework.rules import ResourceRule
from policies.rules import (
    accepted_values,
    artifact_registry,
    cloud_kms,
    cloud_run,
    cloud_sql,
    cloud_storage,
    cluster,
    declared,
    declared_inputs,
    disallowed_types,
    dns,
    federation,
    flows,
    grants,
    iam,
    kubernetes,
    kubernetes_engine,
    memorystore,
    monitoring,
    network,
    program_source,
    provider_inputs,
    pulumi_cloud,
    r2,
    references,
    runbook,
    secret_manager,
    settled_inputs,
    sources,
    stack,
    stack_edges,
    stack_locations,
    stack_secrets,
    unused_types,
    variables,
    vercel,
    workers,
)

PACK: Final = pulumi_cloud.PACK

UNUSED_TYPES: Final = "Resource types that the estate does not use"
DISALLOWED_TYPES: Final = "Resource types that are not allowed"

CONCERNS: Final[Mapping[str, Sequence[ResourceRule | StackRule]]] = {
    "Declarations": (*declared.RULES, *program_source.RULES),
    "Runbook": runbook.RULES,
    "Stack": stack.RULES,
    "Stack: order and completeness": stack_edges.RULES,
    "Stack: locations": stack_locations.RULES,
    "Stack: secrets": stack_secrets.RULES,
    "Stack: sources": sources.RULES,
    "Stack: variables": variables.RULES,
    "Stack: references": (*references.RULES, *cluster.RULES),
    "Cloud SQL": cloud_sql.RULES,
    "Memorystore for Redis": memorystore.RULES,
    "Cloud Run": cloud_run.RULES,
    "Secret Manager": secret_manager.RULES,
    "Cloud KMS": cloud_kms.RULES,
    "Cloud Storage": cloud_storage.RULES,
    "Identity and Access Management (IAM)": iam.RULES,
    "Grants and sign-in": (*grants.RULES, *federation.RULES),
    "Pulumi Cloud": pulumi_cloud.RULES,
    "Flows of traffic": flows.RULES,
    "Virtual Private Cloud (VPC)": network.RULES,
    "Artifact Registry": artifact_registry.RULES,
    "Cloudflare Workers": workers.RULES,
    "Cloudflare DNS": dns.RULES,
    "Cloudflare R2": r2.RULES,
    "Vercel": vercel.RULES,
    "Settled inputs": (*declared_inputs.RULES, *settled_inputs.RULES),
    "Values that the platforms accept": accepted_values.RULES,
    "Inputs of the Cloudflare and Vercel providers": provider_inputs.RULES,
    "Google Kubernetes Engine": kubernetes_engine.RULES,
    "Kubernetes": kubernetes.RULES,
    UNUSED_TYPES: (
        *unused_types.RULES,
        *monitoring.RULES,
        *settled_inputs.UNUSED,
        *accepted_values.UNUSED,
    ),
    DISALLOWED_TYPES: disallowed_types.RULES,
}

RULES: Final[tuple[ResourceRule | StackRule, ...]] = tuple(
    rule for rules in CONCERNS.values() for rule in rules
)

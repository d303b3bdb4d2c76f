"""All rules, by what they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from policies import (
    cloud_run,
    dns,
    iam,
    inputs,
    kms,
    kubernetes,
    monitoring,
    network,
    r2,
    redis,
    registry,
    runbook,
    secrets,
    sql,
    stack,
    storage,
    vercel,
    workers,
)
from policies.graph import StackRule
from policies.rule import ResourceRule

PACK: Final = "pull-estate"
"""What the engine calls the pack."""

CONCERNS: Final[Mapping[str, Sequence[ResourceRule | StackRule]]] = {
    "Runbook": runbook.RULES,
    "Whole stack": stack.RULES,
    "Cloud SQL": sql.RULES,
    "Memorystore": redis.RULES,
    "Cloud Run": cloud_run.RULES,
    "Secret Manager": secrets.RULES,
    "Cloud KMS": kms.RULES,
    "Cloud Storage": storage.RULES,
    "IAM": iam.RULES,
    "Network": network.RULES,
    "Artifact Registry": registry.RULES,
    "Cloudflare Workers": workers.RULES,
    "Cloudflare zones and DNS": dns.RULES,
    "Cloudflare R2": r2.RULES,
    "Vercel": vercel.RULES,
    "Cloudflare and Vercel": inputs.RULES,
    "Kubernetes": kubernetes.RULES,
    "Monitoring": monitoring.RULES,
}

RULES: Final[tuple[ResourceRule | StackRule, ...]] = tuple(
    rule for rules in CONCERNS.values() for rule in rules
)

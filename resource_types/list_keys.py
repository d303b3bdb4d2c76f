"""What identifies an entry of a list: the fields by which two versions of a list are compared.

The providers' schemas do not say it. The Kubernetes API does for its own lists
(``x-kubernetes-patch-merge-key``), and its keys are among these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

LIST_KEYS: Final[tuple[tuple[str, ...], ...]] = (
    ("name",),
    ("key",),
    ("secretKey",),
    ("id",),
    ("ref",),
    ("versionId",),
    ("revision",),
    ("tag",),
    ("rangeName",),
    ("exclusionName",),
    ("displayName",),
    ("label",),
    ("ruleNumber",),
    ("mountPath",),
    ("containerPort", "protocol"),
    ("port", "protocol"),
    ("host", "path"),
    ("path",),
    ("hostname",),
    ("ip",),
    ("ipAddress",),
    ("ipCidrRange",),
    ("cidrBlock",),
    ("range",),
    ("topologyKey",),
    ("conditionType",),
    ("resourceType",),
    ("resourceName",),
    ("className",),
    ("projectId",),
    ("issuer",),
    ("server",),
    ("subnetwork",),
    ("network",),
    ("location",),
    ("secretName",),
    ("metric",),
    ("day",),
    ("trustDomain",),
    ("from",),
    ("value",),
    ("storageClass",),
    ("type",),
)
"""The fields that can identify an entry, the best first; fields after the first may be missing."""


def entry_names(*lists: Sequence[Any]) -> list[list[str]] | None:
    """The name of each entry of each list, by the first key that is unique in all of them.

    ``None`` if there is no such key; then only equal entries can be recognized.
    """
    if not all(isinstance(entry, Mapping) for entries in lists for entry in entries):
        return None
    for key in LIST_KEYS:
        names = [[_name(entry, key) for entry in entries] for entries in lists]
        if all(all(of_list) and len(set(of_list)) == len(of_list) for of_list in names):
            return names
    return None


def _name(entry: Mapping[str, Any], key: tuple[str, ...]) -> str:
    if not _text(entry.get(key[0])):
        return ""
    return "/".join(filter(None, (_text(entry.get(field)) for field in key)))


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""

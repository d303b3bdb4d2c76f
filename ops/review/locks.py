"""What forbids to delete a resource, in the state that the engine keeps.

``protect`` is the engine's. ``deletionProtection`` is the Google provider's own: no API knows it,
and the provider reads it from the state, in the middle of an ``up``. The lock of a platform, such
as ``settings.deletionProtectionEnabled`` of Cloud SQL, is in the cloud, and nothing here opens it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

KEPT: Final = "deletionProtection"
_KEPT_IN: Final = ("inputs", "outputs")


def is_locked(resource: Mapping[str, Any]) -> bool:
    """Whether the engine or the provider would refuse to delete a resource of the state."""
    return bool(resource.get("protect") or (resource.get("outputs") or {}).get(KEPT))


def unlocked(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The resource without either lock."""
    opened = {**resource, "protect": False}
    for kept in _KEPT_IN:
        if KEPT in (resource.get(kept) or {}):
            opened[kept] = {**resource[kept], KEPT: False}
    return opened


def relocked(resource: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The resource with the locks that it had ``before``."""
    closed = {**resource, "protect": before.get("protect", False)}
    for kept in _KEPT_IN:
        if KEPT in (before.get(kept) or {}):
            closed[kept] = {**resource[kept], KEPT: before[kept][KEPT]}
    return closed

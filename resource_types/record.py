"""The record of a resource type: what every tool of this project knows about it.

A constant such as ``gcp.SQL_INSTANCE`` is the type's token, and its definition is the record. Add a
type with the function that fits:

* :func:`stateful` for a resource whose deletion or replacement loses data or an identity,
* :func:`grant` for a resource that says who may do what,
* :func:`ordinary` for everything else.

``describe`` takes every decision by itself. A decision that is missing stays ``UNDECIDED``, which
every tool takes for the more dangerous answer; ``tests/test_resource_types.py`` names the type and
the missing field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, Final, Literal, NamedTuple

from resource_types.updates import Update, is_within, loses, turns_off


class Decision(Enum):
    """The value of a field that nobody has decided."""

    UNDECIDED = "undecided"


UNDECIDED: Final[Any] = Decision.UNDECIDED
"""True in every condition, so that an undecided type counts as stateful, granting and exposed."""

EVERY_INPUT: Final = "*"
"""In ``replace_on``: a change of any input forces a replacement."""


@dataclass(frozen=True, slots=True)
class TrafficSplit:
    """How a type divides traffic between revisions or versions.

    Attributes:
        path: the input that holds the shares.
        target: the key of a share that names who gets it; empty where the input is no list.
    """

    path: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceType:
    """What is known about one resource type. Paths are Pulumi property paths of its inputs.

    Attributes:
        token: the Pulumi type token.
        summary_fields: inputs that sum a new resource up in a preview.
        name_property: the input that holds the physical name; empty where the platform has none.
        loss: what is lost when such a resource is deleted or replaced; ``None`` if nothing is.
        outage: what stops, or becomes open, while such a resource is missing; ``None`` if nothing
            does, or if ``loss`` says it.
        updates: what an update does by the old and the new value.
        harmless_updates: inputs of a type with a ``loss`` whose update in place loses nothing. An
            update of an input that is neither here nor in ``updates`` is not decided.
        permissions: ``grants`` for a resource that says who may do what, ``credential`` for one
            whose existence lets somebody in.
        exposes_endpoint: its existence decides who can reach a part of the estate.
        exposure_properties: inputs of other types that decide the same.
        replaced_by_design: an immutable record of a release: each change is a new resource, and the
            platform keeps the old one.
        secret_value: it is nothing but a secret value, so that a replacement is a new value.
        traffic: how it divides traffic.
        manifest: the runbook's manifest file for a Kubernetes object; a workload has its own file
            per component, which ``ops/review/render.py`` decides.
        deletion_locks: inputs that forbid the deletion, each with its value when it is not set.
        replace_on: inputs whose change makes the provider replace the resource.
        secret_outputs: outputs that the provider's schema marks as secret; ``[]`` is every item.
        ignore_changes: exactly the inputs that the option ``ignore_changes`` names.
        delete_before_replace: the value of the option of that name; ``None`` if both are allowed.
        custom_timeouts: exactly what the option of that name sets: seconds by operation.
        aliases: whether the state may have such a resource under another URN (``aliases``), and the
            types that it may have there beside its own; ``None`` if it may not.
        pod_spec: where a workload describes its pods or its revision.
        variables: lists and maps that hold what a program reads from its environment.
        file_contents: inputs that hold a whole file, whose size and digest a preview shows.
    """

    token: str
    summary_fields: tuple[str, ...] = UNDECIDED
    name_property: str = "name"
    loss: str | None = UNDECIDED
    outage: str | None = UNDECIDED
    updates: tuple[Update, ...] = ()
    harmless_updates: tuple[str, ...] = ()
    permissions: Literal["grants", "credential"] | None = UNDECIDED
    exposes_endpoint: bool = UNDECIDED
    exposure_properties: tuple[str, ...] = ()
    replaced_by_design: bool = False
    secret_value: bool = False
    traffic: TrafficSplit | None = None
    manifest: str | None = None
    deletion_locks: Mapping[str, bool] = field(default_factory=dict)
    replace_on: tuple[str, ...] = ()
    secret_outputs: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    delete_before_replace: bool | None = False
    custom_timeouts: Mapping[str, float] = field(default_factory=dict)
    aliases: tuple[str, ...] | None = None
    pod_spec: str | None = None
    variables: tuple[str, ...] = ()
    file_contents: tuple[str, ...] = ()

    @property
    def undecided(self) -> tuple[str, ...]:
        """The fields that nobody has decided."""
        return tuple(item.name for item in fields(self) if getattr(self, item.name) is UNDECIDED)

    @property
    def decided_updates(self) -> tuple[Update, ...]:
        """``updates``, and those that open a deletion lock."""
        locks = (
            loses("the lock that prevents its deletion", turns_off, path, unset=unset)
            for path, unset in self.deletion_locks.items()
        )
        return (*self.updates, *(update for lock in locks for update in lock))

    def decides_update(self, path: str) -> bool:
        """Whether it is decided what an update of the input at a property path loses.

        Of a type without a ``loss``, every update that is not in ``updates`` is harmless.
        """
        decided = (
            *(update.path for update in self.decided_updates),
            *self.harmless_updates,
            *self.replace_on,
        )
        return self.loss is None or any(is_within(path, listed) for listed in decided)

    @property
    def containers(self) -> str:
        """Where a workload lists its containers."""
        return f"{self.pod_spec}.containers[]"

    @property
    def all_variables(self) -> tuple[str, ...]:
        """``variables``, and those of the containers of a workload."""
        of_containers = [f"{self.containers}.{name}" for name in ("env", "envs")]
        return (*self.variables, *(of_containers if self.pod_spec else ()))

    @property
    def pod_template(self) -> str:
        """What makes a new revision of a workload when it changes; empty for other types."""
        return (self.pod_spec or "").removesuffix(".spec")


RESOURCE_TYPES: Final[dict[str, ResourceType]] = {}
"""Every record by its token; complete once the package is imported."""


def describe(token: str, **decisions: Any) -> str:
    """Add the record of a type, and return its token.

    Raises:
        ValueError: the token has a record already.
        TypeError: a decision is not a field of :class:`ResourceType`.
    """
    if token in RESOURCE_TYPES:
        raise ValueError(f"{token} has two records in resource_types.")
    RESOURCE_TYPES[token] = ResourceType(token=token, **decisions)
    return token


def stateful(token: str, loss: str, **decisions: Any) -> str:
    """A type whose deletion or replacement loses ``loss``."""
    decided: dict[str, Any] = {
        "outage": None,
        "permissions": None,
        "exposes_endpoint": False,
        **decisions,
    }
    return describe(token, loss=loss, **decided)


def grant(token: str, outage: str | None, **decisions: Any) -> str:
    """A type that says who may do what. Its role sums it up, and it has no name of its own."""
    decided: dict[str, Any] = {
        "summary_fields": ("role",),
        "name_property": "",
        "loss": None,
        "exposes_endpoint": False,
        **decisions,
    }
    return describe(token, outage=outage, permissions="grants", **decided)


class GrantTypes(NamedTuple):
    """The three forms in which Google's provider has a grant on one kind of resource.

    Attributes:
        member: one role for one member, beside all other grants.
        binding: all members of one role; it removes members that others added.
        policy: all roles; it removes every other grant.
    """

    member: str
    binding: str
    policy: str


ACCESS: Final = "what the grant lets its members do"
"""The outage of a grant. It matters only for a deletion: Google's provider replaces a grant by
creating the new one first."""


def grant_forms(
    pattern: str, *, outage: str | None = ACCESS, member_replace_on: tuple[str, ...] = ()
) -> GrantTypes:
    """A grant of Google's provider in its three forms, which take the place of ``{}``."""
    return GrantTypes(
        member=grant(pattern.format("Member", "Member"), outage, replace_on=member_replace_on),
        binding=grant(pattern.format("Binding", "Binding"), outage),
        policy=grant(pattern.format("Policy", "Policy"), outage),
    )


def ordinary(token: str, outage: str | None, **decisions: Any) -> str:
    """A type that loses nothing, grants nothing and exposes nothing unless ``decisions`` say so.

    ``outage`` is what stops, or becomes open, while such a resource is missing.
    """
    decided: dict[str, Any] = {
        "summary_fields": (),
        "loss": None,
        "permissions": None,
        "exposes_endpoint": False,
        **decisions,
    }
    return describe(token, outage=outage, **decided)

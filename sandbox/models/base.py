"""What the sandbox needs to know about a resource type beyond the registry and the SDK."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox.checks import Check
from sandbox.resource import Resource
from sandbox.values import Properties

Computed = str | Callable[[Resource], Any]
"""A template for ``Resource.format``, or a function of the resource."""

Relation = Literal["parent", "blocks_deletion", "must_exist"]
"""What a reference means for the resource that it names.

``parent``: deleting it deletes the referring resource too. ``blocks_deletion``: it cannot be
deleted before the referring resource. ``must_exist``: it is needed only when the referring resource
is created or updated.
"""

OnDelete = Literal["remove", "abandon", "reserve_address", "blocked_by_retained_sql"]
"""What a deletion does.

``remove``: the resource is gone. ``abandon``: it stays in the cloud. ``reserve_address``: it is
gone, but its address stays taken. ``blocked_by_retained_sql``: the cloud rejects the deletion while
it retains a deleted Cloud SQL instance of the project.
"""


@dataclass(frozen=True, slots=True)
class RequiredRole:
    """A role on a referenced resource that a member must have before the reference works.

    Attributes:
        grant_type: the type of the resource that grants the role.
        role: the role, such as ``roles/pubsub.publisher``.
        member: the member as a shell pattern, because the e-mail addresses of Google's service
            agents contain the project's number, which is generated.
    """

    grant_type: str
    role: str
    member: Computed


@dataclass(frozen=True, slots=True)
class Reference:
    """An input that names another resource, which must exist.

    Attributes:
        path: the input, as a pattern such as ``template.volumes[].secret.secret``.
        type: the type of the other resource.
        relation: what the reference means for the other resource.
        predefined: names that exist although nobody created them.
        pattern: a regular expression whose first group is the name; an input that does not match
            refers to nothing.
        required_role: the role that a member needs on the other resource.
    """

    path: str
    type: str
    relation: Relation
    predefined: frozenset[str] = frozenset()
    pattern: str = "(.*)"
    required_role: RequiredRole | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceModel:
    """How the sandbox treats a resource type.

    Attributes:
        address: where a resource lives; no two resources of the type have the same address.
        id: the id that the provider reports.
        name: the input that a short reference holds, and that the provider generates when the
            program does not set it; empty where there is none.
        short_address: the address that a short reference means, where it differs from ``address``.
        outputs: outputs besides the inputs; a function that returns ``None`` sets no output.
        server_defaults: values that the platform fills in for inputs that are not set, at any
            depth. Outputs of such a type are its inputs with these values, and nothing else.
        known_in_preview: the outputs that the provider computes in a preview already.
        unknown_in_preview: values inside the inputs that a preview cannot know.
        references: inputs that name other resources.
        idempotent: creating a resource that exists is no error, as with a grant.
        conflicting_addresses: shell patterns of the addresses of resources of the same type that
            cannot exist next to it.
        history: what the cloud keeps across updates: the ``revisions`` of a template, or the
            ``number`` of a version among the versions of its parent.
        on_delete: what a deletion does, or a function of the inputs that decides it.
        immutable: inputs that the cloud refuses to change in place.
        forces_conflicts: for types with field ownership: whether the resource takes over fields
            that somebody else changed. Otherwise the update fails with a conflict.
        checked_at_preview: checks that the provider runs during a preview.
        checked_at_apply: checks that only the cloud runs, in the middle of an ``up``.
    """

    address: Computed
    id: Computed = "{address}"
    name: str = "name"
    short_address: Computed = ""
    outputs: Mapping[str, Computed] = field(default_factory=dict)
    server_defaults: Callable[[Resource], Properties] | None = None
    known_in_preview: tuple[str, ...] = ()
    unknown_in_preview: Properties = field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    idempotent: bool = False
    conflicting_addresses: Callable[[Resource], tuple[str, ...]] = lambda resource: ()
    history: Literal["revisions", "number"] | None = None
    on_delete: OnDelete | Callable[[Properties], OnDelete] = "remove"
    immutable: tuple[str, ...] = ()
    forces_conflicts: Callable[[Resource], bool] | None = None
    checked_at_preview: tuple[Check, ...] = ()
    checked_at_apply: tuple[Check, ...] = ()


def evaluate(computed: Computed, resource: Resource) -> Any:
    """The value of a template or a function for a resource."""
    return resource.format(computed) if isinstance(computed, str) else computed(resource)


def created(resource: Resource) -> str:
    """The time of the creation, in RFC 3339."""
    return resource.created


def updated(resource: Resource) -> str:
    """The time of the last update, in RFC 3339."""
    return resource.updated

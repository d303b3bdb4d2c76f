"""The form in which the sandbox holds its knowledge of a resource type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox import rules
from sandbox.resource import Resource
from sandbox.values import Properties

Answer = str | Callable[[Resource], Any]
"""A template for ``Thing.text``, or a function of the thing."""

Memory = Literal["revisions", "number"]
Deletion = Literal["removes", "forgets", "reserves", "lingers"]


@dataclass(frozen=True, slots=True)
class Grant:
    """A role on a thing that somebody must hold before another thing may use it.

    ``type`` is that of the grant, and ``member`` a shell pattern: nobody here knows the numbers of
    projects, which stand in the e-mail addresses of Google's service agents.
    """

    type: str
    role: str
    member: Answer


@dataclass(frozen=True, slots=True)
class Use:
    """An input that names another thing, which must exist.

    ``contained``: goes away with the other. ``blocks``: the other cannot be deleted before.
    ``needs``: neither. ``given`` are names of things that are there without anybody making them.
    ``within`` is a pattern whose first group is the name; an input that differs names no such
    thing. ``granted`` says who must have got which role on it.
    """

    path: str
    type: str
    how: Literal["contained", "blocks", "needs"]
    given: frozenset[str] = frozenset()
    within: str = "(.*)"
    granted: Grant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceModel:
    """A resource type.

    Attributes:
        address: where it lives: no two things of the type have the same.
        id: the id that the provider reports.
        name: the input that a short reference means, and that the provider fills in when absent.
        bare: the address that a short reference means, where it is not built as ``address`` is.
        outputs: outputs beside the inputs; absent where the function returns None.
        filled: what the platform writes into the inputs' own places, at any depth, where the
            inputs say nothing. Such a platform reports nothing else: no empty values.
        unknown: what lies inside of inputs and a preview cannot tell.
        uses: inputs that name other things.
        repeatable: creating it again is fine, as with a grant.
        rivals: shell patterns of the addresses of its like that cannot be there beside it.
        remembers: what the cloud keeps of it from one change to the next: the ``revisions`` of a
            template, or its ``number`` among its like in the thing that contains it.
        deletion: ``forgets`` leaves it in the cloud, ``reserves`` keeps its address taken,
            ``lingers`` waits until the cloud has lost what was deleted before it; a function of
            the inputs where they say which.
        fixed: inputs that the cloud refuses to change in place.
        insists: where a field belongs to whoever changed it last: whether the thing is made to take
            it back. The platform refuses the change otherwise.
        protections: inputs that forbid deletion, with the value they have when not given.
        refused_early: rules that the provider applies during a preview.
        refused_late: rules that only the cloud applies, in the middle of an ``up``.
    """

    address: Answer
    id: Answer = "{address}"
    name: str = "name"
    bare: Answer = ""
    outputs: Mapping[str, Answer] = field(default_factory=dict)
    filled: Callable[[Resource], Properties] | None = None
    unknown: Properties = field(default_factory=dict)
    uses: tuple[Use, ...] = ()
    repeatable: bool = False
    rivals: Callable[[Resource], tuple[str, ...]] = lambda resource: ()
    remembers: Memory | None = None
    deletion: Deletion | Callable[[Properties], Deletion] = "removes"
    fixed: tuple[str, ...] = ()
    insists: Callable[[Resource], bool] | None = None
    protections: Mapping[str, bool] = field(default_factory=dict)
    refused_early: tuple[rules.Rule, ...] = ()
    refused_late: tuple[rules.Rule, ...] = ()

"""What an update does that depends on the old and the new value of a property.

A preview shows an update. That the update deletes backups, that the provider replaces the resource
instead, or that it ignores the new value is decided by the values. The guard and the sandbox read
it here.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal

Condition = Callable[[Any, Any], bool]
"""Whether a change from the old to the new value matters; ``None`` is a value that is not set.

A condition is only asked about values that differ. It is true for values that it cannot compare,
such as one that is not known before the ``up``.
"""

Effect = Literal["loses", "replaces", "ignored", "refused"]
"""``loses``: data, a protection or a service. ``replaces``: the provider replaces the resource.
``ignored``: the provider drops the difference. ``refused``: the provider fails the preview."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """The effect of a change of one property.

    Attributes:
        path: the input, as a path without list items; a change inside it is a change of it. Empty
            for a condition on all inputs.
        text: what is lost, as a clause; or why the provider refuses the change.
        source: the provider's source file, and its function where the file is public under that
            name, that decides this; empty for a loss.
        unset: the value that the platform uses when the input is not set.
        given: other new inputs, each with the values for which this is the effect.
    """

    path: str
    effect: Effect
    when: Condition
    text: str = ""
    source: str = ""
    unset: Any = None
    given: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def applies(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Whether the change from the ``old`` to the ``new`` inputs has this effect."""
        before, after = (_value(inputs, self.path, self.unset) for inputs in (old, new))
        return (
            not same(before, after)
            and self.when(before, after)
            and all(_value(new, path) in values for path, values in self.given.items())
        )

    def covers(self, path: str) -> bool:
        """Whether a property path of the engine is this input or inside it."""
        return is_within(path, self.path)


def loses(text: str, when: Condition, *paths: str, unset: Any = None) -> Iterator[Update]:
    """Changes that lose ``text``."""
    for path in paths:
        yield Update(path=path, effect="loses", when=when, text=text, unset=unset)


replaces = partial(Update, effect="replaces")
ignored = partial(Update, effect="ignored")
refused = partial(Update, effect="refused")


def is_within(path: str, listed: str) -> bool:
    """Whether a property path of the engine is the ``listed`` input or inside it."""
    plain = re.sub(r"\[\d+\]", "", path)
    return plain == listed or plain.startswith((f"{listed}.", f"{listed}["))


def same(old: Any, new: Any) -> bool:
    """Whether two values are equal; ``True`` and ``1`` are not."""
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def _value(inputs: Mapping[str, Any], path: str, unset: Any = None) -> Any:
    value: Any = inputs
    for name in filter(None, path.split(".")):
        value = value.get(name) if isinstance(value, Mapping) else None
    return unset if value is None else value


# -- conditions ------------------------------------------------------------------------------------


def changes(_old: Any, _new: Any) -> bool:
    """Any change."""
    return True


def decreases(old: Any, new: Any) -> bool:
    """A smaller number, or a shorter duration (``3600s``)."""
    before, after = _number(old), _number(new)
    return before is None or after is None or after < before


def increases(old: Any, new: Any) -> bool:
    """A larger number, or a longer duration (``3600s``)."""
    before, after = _number(old), _number(new)
    return before is None or after is None or after > before


def turns_off(old: Any, new: Any) -> bool:
    """From true to anything else."""
    return bool(old) and new is not True


def turns_on(_old: Any, new: Any) -> bool:
    """To anything that is not false."""
    return new not in (False, None)


def stops(old: Any, new: Any) -> bool:
    """From one or more to none."""
    return _number(old) != 0 and not _number(new)


def removed(old: Any, new: Any) -> bool:
    """The value, an item of the list or an entry of the mapping is gone or another one."""
    if isinstance(old, list) and isinstance(new, list):
        return any(item not in new for item in old)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return any(not same(new.get(name), value) for name, value in old.items())
    return old is not None


def added(old: Any, new: Any) -> bool:
    """A value, an item of a list or an entry of a mapping is new."""
    return removed(new, old)


def cleared(old: Any, new: Any) -> bool:
    """The value is gone, or may be: it is secret."""
    return old is not None and new in (None, _SECRET)


def to(*values: Any) -> Condition:
    """The new value is one of ``values``, or is not known."""
    return lambda old, new: new in values or _is_unknown(new)


def limits_more(old: Any, new: Any) -> bool:
    """A lower limit, where 0 stands for no limit."""
    return decreases(old or float("inf"), new or float("inf"))


def same_letters(old: Any, new: Any) -> bool:
    """The same text with other capital letters."""
    return str(old).casefold() == str(new).casefold()


def leaves(*values: Any) -> Condition:
    """The old value is one of ``values``, and the new one is not."""
    return lambda old, new: old in values and new not in values


def rarer(*values: Any) -> Condition:
    """The new value is later among ``values`` than the old one, or is none of them."""
    return lambda old, new: (
        old in values and (new not in values or values.index(new) > values.index(old))
    )


def moves_range(old: Any, new: Any) -> bool:
    """The new range of addresses does not contain the old one."""
    try:
        before, after = (ipaddress.ip_network(str(text), strict=False) for text in (old, new))
        return before.version != after.version or not after.supernet_of(before)  # type: ignore[arg-type]
    except ValueError:
        return True


def lowers_version(old: Any, new: Any) -> bool:
    """A version such as ``REDIS_7_2`` is lower than before."""
    before, after = ([int(part) for part in re.findall(r"\d+", str(text))] for text in (old, new))
    return not after or _is_unknown(new) or after < before


_SECRET: Final = "[secret]"
"""What the guard sees of a value that the program marks as secret."""

_UNKNOWN: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The engine's signs for values that are not known yet are UUIDs (``sdk/go/common/resource``)."""


def _is_unknown(value: Any) -> bool:
    return isinstance(value, str) and (value == _SECRET or bool(_UNKNOWN.fullmatch(value)))


def _number(value: Any) -> float | None:
    found = re.fullmatch(r"(-?\d+(?:\.\d+)?)s?", str(value))
    return float(found[1]) if found and not isinstance(value, bool) else None


def gathered(*updates: Update | Iterable[Update]) -> tuple[Update, ...]:
    """The updates of a type, from single ones and groups."""
    return tuple(
        update for group in updates for update in ([group] if isinstance(group, Update) else group)
    )

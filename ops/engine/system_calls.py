"""A filter of system calls, for what Landlock does not limit.

Landlock limits TCP alone. Through a Unix socket, a process could ask Docker or systemd to run a
command outside of its limits; UDP reaches every host, and so does MPTCP, which is no TCP to
Landlock. So a filtered process can make TCP sockets, and pairs of connected sockets, which asyncio
needs. It cannot connect by sending (``MSG_FASTOPEN`` in tcp(7)), which Landlock does not see.
Source of the interface: https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

from __future__ import annotations

import ctypes
import errno
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2
_ALLOW: Final = 0x7FFF0000
_DENY: Final = 0x00050000 | errno.EPERM

# Instructions of BPF, and the offsets in its input (``struct seccomp_data``).
_LOAD, _AND, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE = 0, 4
_DOMAIN, _TYPE, _PROTOCOL = 16, 24, 32
_FLAGS_OF_SENDMSG, _FLAGS_OF_SENDTO = 32, 40
_FASTOPEN: Final = 0x20000000

_X32: Final = 0x40000000
"""From here on, x86-64 has the same calls a second time, with other numbers."""

_INET, _INET6, _STREAM, _TCP = 2, 10, 1, 6
_TYPE_BITS: Final = 0xF
"""The rest of a socket's type are flags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Calls:
    """Numbers of an architecture.

    Attributes:
        architecture: its own (``linux/audit.h``).
        send: ``sendmsg``, ``sendto`` and ``sendmmsg``.
        keys: the calls that read the user's keys in the kernel.
        metadata: the calls that change the mode, the owner, the times and the attributes of a file.
    """

    architecture: int
    socket: int
    socketpair: int
    send: tuple[int, int, int]
    keys: tuple[int, ...]
    metadata: tuple[int, ...]


_IO_URING_SETUP: Final = 425
"""It makes sockets without the calls that are filtered."""

_NEW_METADATA: Final = (452, 463, 466, 469)
"""``fchmodat2``, ``setxattrat``, ``removexattrat`` and ``file_setattr``."""

CALLS: Final[Mapping[str, _Calls]] = {
    "x86_64": _Calls(
        architecture=0xC000003E,
        socket=41,
        socketpair=53,
        send=(46, 44, 307),
        keys=(248, 249, 250),
        metadata=(
            *(*range(90, 95), 132, 235, 260, 261, 268, 280),
            *(*range(188, 191), *range(197, 200), *_NEW_METADATA),
        ),
    ),
    "aarch64": _Calls(
        architecture=0xC00000B7,
        socket=198,
        socketpair=199,
        send=(211, 206, 269),
        keys=(217, 218, 219),
        metadata=(*range(5, 8), *range(14, 17), *range(52, 56), 88, *_NEW_METADATA),
    ),
}
"""By the machine's name, as ``uname`` prints it."""


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


def filter_system_calls(*, metadata: bool) -> None:
    """Let this process, and all that it starts, make no sockets but those of TCP, for good.

    It must not be able to gain privileges. ``metadata`` allows to change modes, owners and times.

    Raises:
        OSError: the kernel refuses.
    """
    instructions = [*_filter(CALLS[platform.machine()], metadata=metadata)]
    filter_ = (_Instruction * len(instructions))(*(_Instruction(*each) for each in instructions))
    program = _Program(len(instructions), filter_)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp failed")


_Code = tuple[int, int, int, int]


def _filter(calls: _Calls, *, metadata: bool) -> Iterator[_Code]:
    yield from _require(_ARCHITECTURE, calls.architecture)
    yield _LOAD, 0, 0, _NUMBER
    yield from ((_JUMP_IF_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _DENY))
    for number in (_IO_URING_SETUP, *calls.keys, *(() if metadata else calls.metadata)):
        yield from _on(number, [(_RETURN, 0, 0, _DENY)])
    allow = (_RETURN, 0, 0, _ALLOW)
    of_stream = [*_require(_TYPE, _STREAM, bits=_TYPE_BITS)]
    of_tcp = [*_require(_DOMAIN, _INET, _INET6), *of_stream, *_require(_PROTOCOL, 0, _TCP)]
    offsets = (_FLAGS_OF_SENDMSG, _FLAGS_OF_SENDTO, _FLAGS_OF_SENDTO)
    for number, offset in zip(calls.send, offsets, strict=True):
        yield from _on(number, [*_require(offset, 0, bits=_FASTOPEN), allow])
    yield from _on(calls.socketpair, [*of_stream, allow])
    yield from _on(calls.socket, [*of_tcp, allow])
    yield allow


def _on(number: int, then: list[_Code]) -> Iterable[_Code]:
    """What happens with a system call whose number is loaded."""
    return (_JUMP_IF_EQUAL, 0, len(then), number), *then


def _require(offset: int, *values: int, bits: int = 0xFFFFFFFF) -> Iterator[_Code]:
    """Deny the call unless a part of its input is one of ``values``."""
    yield from ((_LOAD, 0, 0, offset), (_AND, 0, 0, bits))
    for index, value in enumerate(values):
        yield _JUMP_IF_EQUAL, len(values) - index, 0, value
    yield _RETURN, 0, 0, _DENY

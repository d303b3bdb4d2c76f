"""Confines a process whose code nobody has reviewed, with Landlock, which needs no privileges.

The program of a pull request runs as the same user as the command that judges it. Without limits it
could overwrite the rules, the result or the caches, and read what the user can read.

    python -m ops.engine.confinement WRITABLE FOLDER COMMAND ...

runs a command in ``FOLDER``, which may write in ``WRITABLE`` alone. Source of the interface:
https://docs.kernel.org/userspace-api/landlock.html
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final, NoReturn

from ops.engine.cache import cache_folder
from ops.engine.system_calls import CALLS, filter_system_calls
from ops.errors import Refused

MIN_VERSION: Final = 4
"""Of Landlock; with Linux 6.7 it limits the truncation of files and the use of ports."""

_SCOPED: Final = 6
"""The version that also limits signals and abstract sockets, with Linux 6.12."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION: Final = 1
_PATH_BENEATH, _NET_PORT = 1, 2
_NO_NEW_PRIVILEGES: Final = 38

# The access rights, in the order of their bits.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = (1 << bit for bit in range(4))
_READ: Final = _EXECUTE | _READ_FILE | _READ_DIR
_TRUNCATE: Final = 1 << 14
_ALL: Final = (1 << 15) - 1
_OF_FILES: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_CONNECT: Final = 1 << 1
_BIND_OR_CONNECT: Final = 0b11
_SIGNALS_AND_ABSTRACT_SOCKETS: Final = 0b11

DEVICES: Final = (Path("/dev/null"), Path("/dev/zero"), Path("/dev/full"))
"""What every process may write to."""

SYSTEM: Final = tuple(
    Path(path)
    for path in (
        *("/usr", "/lib", "/lib64", "/etc", "/sys", "/dev", "/proc/self", "/proc/sys"),
        *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat"),
        *(sys.prefix, sys.base_prefix, sys.pycache_prefix or sys.prefix),
    )
)
"""What every program may read: the system and this Python, but no other process."""

_libc: Final = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


class _NetPort(ctypes.Structure):
    _fields_ = (("allowed_access", ctypes.c_uint64), ("port", ctypes.c_uint64))


def require_confinement() -> int:
    """The version of Landlock here.

    Raises:
        Refused: this system cannot confine a process.
    """
    version = -1
    if sys.platform == "linux":
        version = _libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    if version < MIN_VERSION or platform.machine() not in CALLS:
        raise Refused(
            "confinement",
            "The program of another checkout runs confined, which needs Linux 6.7 or newer with "
            "Landlock, on x86-64 or 64-bit ARM. Run this there, for example in Ubuntu 24.04.",
        )
    return int(version)


def confine(
    readable: Iterable[Path] = (),
    writable: Collection[Path] = (),
    ports: Iterable[int] | None = None,
) -> None:
    """Confine this process, which must have one thread, and all that it starts, for good.

    It can read ``SYSTEM`` and ``readable``. ``ports`` are the TCP ports to which it may connect;
    ``None`` allows every port. It can make no other sockets.

    Raises:
        Refused: this system cannot confine a process.
        OSError: the kernel refuses.
    """
    version = require_confinement()
    if len([*Path("/proc/self/task").iterdir()]) > 1:
        raise OSError("Landlock confines a single thread, and this process has several.")
    rules = _Ruleset(
        handled_access_fs=_ALL,
        handled_access_net=0 if ports is None else _BIND_OR_CONNECT,
        scoped=_SIGNALS_AND_ABSTRACT_SOCKETS if version >= _SCOPED else 0,
    )
    size = ctypes.sizeof(rules) - (0 if version >= _SCOPED else ctypes.sizeof(ctypes.c_uint64))
    ruleset = _call(_CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    for path in (*SYSTEM, *readable):
        _allow(ruleset, path, _READ)
    for path in writable:
        _allow(ruleset, path, _ALL)
    for path in DEVICES:
        _allow(ruleset, path, _ALL)
    for port in ports or ():
        rule = _NetPort(allowed_access=_CONNECT, port=port)
        _call(_ADD_RULE, ruleset, _NET_PORT, ctypes.byref(rule), 0)
    if _libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl failed")
    _call(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    filter_system_calls(metadata=bool(writable))


def _allow(ruleset: int, path: Path, access: int) -> None:
    if not path.exists():
        return
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        allowed = access if path.is_dir() else access & _OF_FILES
        rule = _PathBeneath(allowed_access=allowed, parent_fd=descriptor)
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)


def _call(number: int, *arguments: object) -> int:
    result: int = _libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return result


def main(writable: str, folder: str, *command: str) -> NoReturn:
    """Run a command in ``folder``, whose Python packages come first."""
    confine([Path(folder), cache_folder()], [Path(writable)])
    os.chdir(folder)
    os.environ["PYTHONPATH"] = folder
    os.execvp(command[0], command)  # noqa: S606 - a list of arguments needs no shell


if __name__ == "__main__":
    main(*sys.argv[1:])

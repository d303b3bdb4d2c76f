"""A confined process: what Landlock does not limit, a filter of system calls does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ATTEMPTS = {
    "Docker, through a Unix socket": "socket.socket(socket.AF_UNIX)",
    "a datagram to a Unix socket": "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "UDP": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "MPTCP": "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)",
    "the kernel": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "TCP": "socket.socket().connect(address)",
    "TCP Fast Open": "socket.socket().sendto(b'x', socket.MSG_FASTOPEN, address)",
    "TCP Fast Open in a message": (
        "socket.socket().sendmsg([b'x'], [], socket.MSG_FASTOPEN, address)"
    ),
    "a mode": "os.chmod(sys.argv[1], 0)",
    "a time": "os.utime(sys.argv[1])",
    "an attribute": "os.setxattr(sys.argv[1], 'user.name', b'x')",
    "the user's keys": "syscall(250, 0, -3, 0)",
}


@pytest.mark.parametrize("code", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_confined_process_cannot_reach(code: str, tmp_path: Path) -> None:
    """Each attempt succeeds without the confinement; the keys are those of x86-64."""
    file = tmp_path / "file"
    file.touch()
    program = f"""\
import asyncio, ctypes, os, socket, sys
from ops.engine.confinement import confine

def syscall(*arguments):
    if ctypes.CDLL(None, use_errno=True).syscall(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "")

server = socket.create_server(("127.0.0.1", 0))
address = server.getsockname()
confine(ports=[1])
asyncio.run(asyncio.sleep(0))
left, right = socket.socketpair()
left.sendall(b"x")
try:
    {code}
except PermissionError:
    sys.exit(7)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 7, done.stderr

"""Takes over what a program prints, and the secret values that it handles.

The program's process sends each secret value through a pipe before it can use it, so this process
knows the value when it reads what the program printed afterwards. No file holds the value.
"""

from __future__ import annotations

import codecs
import json
import os
import selectors
import sys
import threading
from typing import Final, Self

from ops.secret_values import HANDLED

CAPACITY: Final = 65536
"""Bytes that a pipe holds (https://man7.org/linux/man-pages/man7/pipe.7.html)."""

SECONDS_AFTER_END: Final = 1.0
"""How long a process that the program left behind may still print."""


class Relay:
    """The other end: prints to standard error, because standard output belongs to the result.

    It does not remember the values of a program that is not trusted, which could name what a
    reviewer has to see, such as a loss. Such a program gets no secret.

    Attributes:
        secrets: the file descriptor for ``run_estate.senders``.
        printed: the file descriptor for the program's output.
    """

    def __init__(self, *, trusted: bool) -> None:
        self._trusted = trusted

    def __enter__(self) -> Self:
        self._secrets, self.secrets = os.pipe()
        self._printed, self.printed = os.pipe()
        self._line = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._thread = threading.Thread(target=self._run, daemon=True)
        return self

    def started(self) -> None:
        """Relay, now that the process has its ends of the pipes."""
        os.close(self.secrets)
        os.close(self.printed)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._thread.join(SECONDS_AFTER_END)

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for pipe in (self._secrets, self._printed):
                os.set_blocking(pipe, False)
                selector.register(pipe, selectors.EVENT_READ)
            while selector.get_map():
                selector.select()
                # In this order: what was printed may contain a value that was sent before.
                printed = _read(selector, self._printed)
                self._remember(_read(selector, self._secrets))
                sys.stderr.write(self._decoder.decode(printed))

    def _remember(self, received: bytes) -> None:
        *lines, self._line = (self._line + received).split(b"\n")
        for texts, structured in map(json.loads, lines if self._trusted else ()):
            (HANDLED.add_output if structured else HANDLED.add)(texts)


def _read(selector: selectors.BaseSelector, pipe: int) -> bytes:
    """What is in a pipe now; at its end, the pipe is closed."""
    if pipe not in selector.get_map():
        return b""
    try:
        data = os.read(pipe, CAPACITY)
    except BlockingIOError:
        return b""
    if not data:
        selector.unregister(pipe)
        os.close(pipe)
    return data

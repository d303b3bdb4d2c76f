"""Text that others wrote: names, values and messages of settings, states and clouds."""

from __future__ import annotations


def printable(text: str, *, keep: bool = False) -> str:
    """A line without anything that moves a cursor, hides or turns around what stands beside it.

    Args:
        keep: keep runs of blanks, such as an indentation.
    """
    line = text.expandtabs(4) if keep else " ".join(text.split())
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)


def printable_lines(text: str) -> str:
    """Text of several lines, each of them :func:`printable` with its blanks."""
    return "\n".join(printable(line, keep=True) for line in text.splitlines())

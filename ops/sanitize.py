"""Makes text from elsewhere (settings, states, clouds) safe to print in a terminal."""

from __future__ import annotations


def printable(text: str, *, keep: bool = False) -> str:
    """A line without control characters, and without others that hide or reverse text.

    Args:
        keep: keep runs of spaces, such as an indentation.
    """
    line = text.expandtabs(4) if keep else " ".join(text.split())
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)


def printable_lines(text: str) -> str:
    """Several lines, each :func:`printable` with its spaces."""
    return "\n".join(printable(line, keep=True) for line in text.splitlines())

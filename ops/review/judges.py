"""What judges a pull request, and what the pull request changes of it.

The program and its settings come from the pull request. The command line, the policies, the
exceptions, the approvals and the reports come from the target branch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

PROPOSED: Final = (
    *("__main__.py", "components/*", "Pulumi.*.yaml"),
    *("docs/*", "tests/*", "*.md", ".gitignore", "pyproject.toml", "renovate.json"),
)
"""The files that judge nothing: the program, its settings, and what no command reads."""

_SKIPPED: Final = frozenset({".git", ".venv"})
"""What no command reads; in a worktree, ``.git`` is a file. Byte code replaces its source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnVerdict:
    """What a pull request's own rules say about a stack.

    Attributes:
        risk: the verdict; empty if they gave none.
        reasons: as texts.
    """

    risk: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """What a pull request changes of what judges it.

    Attributes:
        changed: the paths of the files that differ from those of the target branch.
        own: the verdicts of the pull request's own rules, by stack.
    """

    changed: tuple[str, ...] = ()
    own: Mapping[str, OwnVerdict] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """How the program was previewed in spite of the changes."""
        note = "The verdicts below are those of the target branch."
        if any(path.startswith("requirements") for path in self.changed):
            note += " The program ran with the packages of the target branch, too."
        return note

    def to_dict(self) -> dict[str, Any]:
        return {
            "changed": list(self.changed),
            "own": {
                stack: {"verdict": verdict.risk, "reasons": list(verdict.reasons)}
                for stack, verdict in self.own.items()
            },
        }


def changed_judges(target: Path, proposed: Path) -> tuple[str, ...]:
    """The files that judge and differ between two checkouts, sorted."""
    before, after = (dict(_files(folder)) for folder in (target, proposed))
    # The byte code in the target's folder comes from its own commands, and is in no commit.
    before = {path: content for path, content in before.items() if "__pycache__/" not in path}
    paths = sorted(before.keys() | after.keys())
    return tuple(path for path in paths if before.get(path) != after.get(path))


def _files(folder: Path) -> Iterator[tuple[str, tuple[bool, bytes]]]:
    """The contents of each file that judges, and whether it is executable; links as they are."""
    for parent, folders, files in os.walk(folder):
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        folders[:] = [name for name in folders if name not in _SKIPPED]
        for name in {*files, *linked} - _SKIPPED:
            file = Path(parent, name)
            path = file.relative_to(folder).as_posix()
            if any(fnmatch(path, pattern) for pattern in PROPOSED) and "__pycache__/" not in path:
                continue
            if file.is_symlink():
                yield path, (False, os.fsencode(file.readlink()))
            elif file.is_file():
                yield path, (os.access(file, os.X_OK), file.read_bytes())

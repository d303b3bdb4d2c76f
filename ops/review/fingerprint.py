"""What a release record binds: commit, settings, versions, state and planned changes."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pulumi.automation import OpType

from ops.engine.checkout import Checkout
from ops.engine.stack import OpenStack
from ops.errors import Refused
from ops.review.redaction import KNOWN_AFTER_APPLY, is_unknown, redacted
from ops.review.steps import Step

SHORT: Final = 12
"""Digits of a digest that is compared and not used as proof."""

FILES: Final = 12
"""So many changed files are listed in a refusal."""

# The line of the program that makes a resource moves whenever a line above it is added.
_SOURCE_POSITIONS: Final = ("sourcePosition", "stackTrace")


def head_of(checkout: Checkout) -> str:
    """The id of the commit that is checked out; empty if there is none."""
    return _git(checkout, "rev-parse", "HEAD")


def commit_of(checkout: Checkout) -> str:
    """The id of the commit that is checked out.

    Raises:
        Refused: there is no commit, or files differ from it.
    """
    commit = head_of(checkout)
    changed = _git(checkout, "status", "--porcelain", "--untracked-files=normal").splitlines()
    if not commit:
        raise Refused("record", "A record names the reviewed commit, and this checkout has none.")
    if changed:
        listed = "\n".join(f"  {line}" for line in changed[:FILES])
        raise Refused(
            "record",
            "A record names the reviewed commit, and these files differ from it:\n"
            f"{listed}\nCommit them first.",
        )
    return commit


def planned_change(step: Step) -> dict[str, Any]:
    """An operation and its properties: new values for a creation, (old, new) pairs for a change."""
    if step.op is OpType.CREATE:
        properties = dict(step.state.inputs)
    else:
        properties = {change.path: [change.old, change.new] for change in step.changes()}
    return {"op": step.op.value, "properties": _readable(properties)}


def _readable(value: Any) -> Any:
    """``value`` with a text for everything that the provider decides."""
    if isinstance(value, Mapping):
        return {key: _readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    return KNOWN_AFTER_APPLY if is_unknown(value) else value


def state_digests(deployment: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """For each URN, digests of its inputs and, as ``other``, of the rest of its state.

    A secret's ciphertext differs after every export, so secrets are redacted first. A changed
    secret still shows, because the engine updates the resource's ``modified`` time with it.
    """
    digests = {}
    for resource in deployment.get("resources") or ():
        other = {key: value for key, value in resource.items() if key not in _SOURCE_POSITIONS}
        inputs = other.pop("inputs", {})
        # A resource that awaits deletion after its replacement has the URN of its successor.
        urn = f"{resource['urn']}{' (to delete)' if resource.get('delete') else ''}"
        digests[urn] = {
            **{key: digest(redacted(value))[:SHORT] for key, value in sorted(inputs.items())},
            "other": digest(redacted(other))[:SHORT],
        }
    return dict(sorted(digests.items()))


def settings_digest(opened: OpenStack) -> str:
    """A digest of the project's and the stack's settings files."""
    root = opened.checkout.program
    return _digest_of_files([root / "Pulumi.yaml", root / f"Pulumi.{opened.name}.yaml"], root)


def versions(opened: OpenStack) -> dict[str, str]:
    """Versions of the engine, Python and each SDK, and a digest of the policy pack."""
    sdks = {
        re.sub(r"[_.]+", "-", package.name.lower()): package.version
        for package in importlib.metadata.distributions()
        if package.name.lower().startswith("pulumi")
    }
    engine = opened.engine.run(["version"], str(opened.environment.work_dir), {})
    root = opened.checkout.root
    rules = sorted(
        path
        for pattern in ("policies/**/*", "resource_types/*", "approvals/exceptions.yaml")
        for path in root.glob(pattern)
        if path.suffix in (".py", ".json", ".yaml")
    )
    return {
        "engine": engine.stdout.strip().removeprefix("v"),
        "policies": _digest_of_files(rules, root)[:SHORT],
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        **dict(sorted(sdks.items())),
    }


def digest(document: Any) -> str:
    """The SHA-256 of a JSON document in its canonical form."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _digest_of_files(paths: Iterable[Path], root: Path) -> str:
    return digest({str(path.relative_to(root)): path.read_text("utf-8") for path in paths})


def _git(checkout: Checkout, *arguments: str) -> str:
    """The output of git; empty if git fails or is not installed."""
    try:
        done = subprocess.run(
            # With its optional locks, git would write its own index.
            ["git", "--no-optional-locks", "-C", str(checkout.root), *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip("\n") if done.returncode == 0 else ""

"""The record of a review: what a preview showed, and whether it still is what an up would do.

``preview --record FILE`` writes it, ``up --record FILE`` previews again and refuses when anything
that was reviewed has moved: the state, the commit, the settings, the versions, or the plan itself.
The engine's own update plans are no substitute: they do not bind the state that they start from.
"""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from pulumi.automation import OpType

from ops.engine.checkout import Checkout
from ops.engine.stack import OpenStack
from ops.errors import Refused, WrongInput
from ops.review.events import Outcome, Step, is_unknown, redacted
from ops.review.policies import Verdict

FORMAT: Final = 1
VALID_HOURS: Final = 24
"""A release is reviewed by day and made in the next window at night."""

MOST_HOURS: Final = 168
"""After a week nobody remembers what was reviewed."""

SHOWN: Final = 12
"""So many differences are listed; the rest are counted."""

SHORT: Final = 12
"""Digits of a digest that only has to differ."""

# Where in the program a resource is made: it changes with every line above it, and changes nothing.
_PLACES: Final = ("sourcePosition", "stackTrace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One review. Times are in UTC; no secret is in it.

    Attributes:
        sandbox: whether the preview was one of a sandbox.
        commit: the id of the reviewed commit; the checkout was exactly that.
        settings: digest of the project's and the stack's settings files.
        versions: of the engine, of Python, of each SDK (a provider has its SDK's), and a digest of
            the policy pack.
        state: for each URN in the state, digests of its inputs and of all else that is kept.
        plan: for each URN that changes, the operation and the properties that it changes.
        verdict: what the pack and the guard said.
    """

    format: int
    stack: str
    sandbox: bool
    made: str
    expires: str
    commit: str
    settings: str
    versions: Mapping[str, str]
    state: Mapping[str, Mapping[str, str]]
    plan: Mapping[str, Mapping[str, Any]]
    verdict: Mapping[str, Any]

    @classmethod
    def make(
        cls,
        opened: OpenStack,
        preview: Outcome,
        verdict: Verdict,
        state: Mapping[str, Any],
        hours: int = VALID_HOURS,
    ) -> Self:
        """The record of a preview that passed; ``state`` is the deployment that it started from.

        Raises:
            Refused: the checkout is not a commit.
        """
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        return cls(
            format=FORMAT,
            stack=opened.name,
            sandbox=opened.cloud is not None,
            made=now.isoformat(),
            expires=(now + datetime.timedelta(hours=hours)).isoformat(),
            commit=commit_of(opened.checkout),
            settings=_settings(opened),
            versions=_versions(opened),
            state=_state(state),
            plan={step.urn: _planned(step) for step in sorted(preview.changes, key=_urn)},
            verdict=verdict.to_dict(),
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """A record from its file.

        Raises:
            WrongInput: the file cannot be read, or is not a record that this version writes.
        """
        try:
            text = path.read_text("utf-8")
            document = json.loads(text)
            del document["digest"]
            record = cls(**document)
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            raise WrongInput(
                "record",
                f"--record {path} is not a release record ({type(error).__name__}). "
                "`bin/ops preview --record FILE` writes one.",
            ) from None
        # Letter for letter: of a key that is there twice, a reader may see the other value.
        if record.format != FORMAT or text != record._text():
            raise WrongInput(
                "record",
                f"--record {path} was written by another version or edited since. Preview again.",
            )
        return record

    @property
    def digest(self) -> str:
        """One word for all of it."""
        return _digest(asdict(self))

    def _text(self) -> str:
        document = {"digest": self.digest, **asdict(self)}
        return f"{json.dumps(document, indent=1)}\n"

    def write(self, path: Path) -> None:
        """Write the record as JSON.

        Raises:
            WrongInput: the file cannot be written.
        """
        try:
            path.write_text(self._text(), "utf-8")
        except OSError as error:
            raise WrongInput("record", f"--record {path}: {error.strerror}.") from None

    def refuse_unfit(self, stack: str, *, sandbox: bool) -> None:
        """Refuse what needs no preview to be refused.

        Raises:
            WrongInput: the record is of another stack or place.
            Refused: the review is too old.
        """
        if (self.stack, self.sandbox) != (stack, sandbox):
            where = f"{self.stack}{' in a sandbox' if self.sandbox else ' on real accounts'}"
            raise WrongInput("record", f"The record is of {where}; this is another place.")
        if datetime.datetime.now(datetime.UTC) > datetime.datetime.fromisoformat(self.expires):
            raise Refused(
                "record",
                f"The review of {self.made} was good until {self.expires}. Preview again.",
                moved=["time"],
            )

    def refuse_moved(self, now: Record) -> None:
        """Let nothing start that is not what was reviewed; ``now`` is the record of this moment.

        Raises:
            Refused: something moved; the text says what.
        """
        moved = list(_moved(self, now))
        if not moved:
            return
        lines = [f"  {what}: {how}" for what, how in moved[:SHOWN]]
        if len(moved) > SHOWN:
            lines.append(f"  and {len(moved) - SHOWN} more")
        raise Refused(
            "record",
            f"What was reviewed at {self.made} is not what this would do; nothing was changed.\n"
            + "\n".join(lines)
            + "\nPreview again with --record, and have that reviewed.",
            moved=[what for what, _ in moved],
        )


def refuse_unrecordable(checkout: Checkout, path: Path) -> None:
    """Say before a preview that there can be no record of it.

    Raises:
        WrongInput: ``path`` lies in the checkout, which it would make differ from its commit, or in
            no folder.
        Refused: the checkout is not a commit.
    """
    if path.resolve().is_relative_to(checkout.root):
        raise WrongInput(
            "record",
            f"--record {path} lies in the checkout, which no command may change. Name a file "
            "elsewhere.",
        )
    if path.is_dir() or not path.parent.is_dir():
        raise WrongInput("record", f"--record {path}: name a file in a folder that is there.")
    commit_of(checkout)


def commit_of(checkout: Checkout) -> str:
    """The commit that is checked out.

    Raises:
        Refused: there is none, or files differ from it.
    """
    commit = _git(checkout, "rev-parse", "HEAD")
    changed = _git(checkout, "status", "--porcelain", "--untracked-files=normal").splitlines()
    if not commit:
        raise Refused("record", "A record names what was reviewed by its commit; there is none.")
    if changed:
        listed = "\n".join(f"  {line}" for line in changed[:SHOWN])
        raise Refused(
            "record",
            "A record names what was reviewed by its commit, and these files differ from it:\n"
            f"{listed}\nCommit them first.",
        )
    return commit


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of every day in UTC, from ``begin`` to before ``end``; they may span midnight."""

    begin: datetime.time
    end: datetime.time

    @classmethod
    def read(cls, text: str) -> Self:
        """A window written as ``02:00-04:00``.

        Raises:
            WrongInput: it is written otherwise.
        """
        try:
            if not re.fullmatch(r"\d\d:\d\d-\d\d:\d\d", text, re.ASCII):
                raise ValueError
            begin, end = map(datetime.time.fromisoformat, text.split("-"))
            if begin == end:
                raise ValueError
        except ValueError:
            raise WrongInput(
                "window",
                f"--window {text}: write it as 02:00-04:00 (UTC), with an end that is not its begin"
                " and midnight as 00:00.",
            ) from None
        return cls(begin, end)

    def holds(self, moment: datetime.time) -> bool:
        """Whether ``moment`` is in it."""
        if self.begin <= self.end:
            return self.begin <= moment < self.end
        return moment >= self.begin or moment < self.end

    def refuse_outside(self, now: datetime.datetime) -> None:
        """Let nothing start at another hour.

        Raises:
            Refused: it is another hour.
        """
        if not self.holds(now.astimezone(datetime.UTC).time()):
            raise Refused(
                "window",
                f"It is {now:%H:%M} UTC; releases are made from {self.begin:%H:%M} to "
                f"{self.end:%H:%M} UTC. Run this again then, or say why it cannot wait: "
                "--outside-window REASON.",
            )


# -- what moved ----------------------------------------------------------------------------------


def _moved(then: Record, now: Record) -> Iterator[tuple[str, str]]:
    """What differs, and how, in the order in which one thing explains the next."""
    if then.commit != now.commit:
        yield "commit", f"{then.commit[:12]} was reviewed, this is {now.commit[:12]}"
    if then.settings != now.settings:
        yield "settings", f"Pulumi.yaml or Pulumi.{now.stack}.yaml is not the same"
    for name, old, new in _differences(then.versions, now.versions):
        yield name, f"{old or 'none'} was reviewed, this is {new or 'none'}"
    state = {urn: (old, new) for urn, old, new in _differences(then.state, now.state)}
    for urn, (old, new) in state.items():
        if old and new:
            changed = ", ".join(key for key, *_ in _differences(old, new))
            yield _name(urn), f"changed in the state since ({changed})"
        else:
            how = "appeared in" if new else "vanished from"
            yield _name(urn), f"{how} the state since"
    for urn, before, after in _differences(then.plan, now.plan):
        if not all(state.get(urn, (True, True))):
            continue  # it came or went, and of course something else would be done to it
        if not before or not after or before["op"] != after["op"]:
            ops = [one["op"] if one else "no change" for one in (before, after)]
            yield _name(urn), f"{ops[0]} was reviewed, this would be {ops[1]}"
            continue
        for path, old, new in _differences(before["properties"], after["properties"]):
            yield f"{_name(urn)} {path}", f"{_said(old)} was reviewed, this is {_said(new)}"


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield key, before.get(key), after.get(key)


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _said(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:56]} ..."


# -- what a record is made of --------------------------------------------------------------------


def _planned(step: Step) -> dict[str, Any]:
    """An operation with what it changes: new values for a creation, pairs for a change."""
    if step.op is OpType.CREATE:
        properties = dict(step.state.inputs)
    else:
        properties = {one.path: [one.old, one.new] for one in step.changes()}
    return {"op": step.op.value, "properties": _readable(properties)}


def _readable(value: Any) -> Any:
    """``value`` with words for what only the provider knows."""
    if isinstance(value, Mapping):
        return {key: _readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    return "(known after up)" if is_unknown(value) else value


def _urn(step: Step) -> str:
    return step.urn


def _state(deployment: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Digests of each resource's inputs and, as ``kept``, of all else that the state keeps of it.

    Secrets are encrypted anew each time, so their ciphertext tells nothing and is left out; that
    one was changed is told by the time at which the engine changed the resource.
    """
    found = {}
    for resource in deployment.get("resources") or ():
        kept = {key: value for key, value in resource.items() if key not in _PLACES}
        inputs = kept.pop("inputs", {})
        # A resource that waits to be deleted after its replacement has the URN of its successor.
        urn = f"{resource['urn']}{' (to delete)' if resource.get('delete') else ''}"
        found[urn] = {
            **{key: _digest(redacted(value))[:SHORT] for key, value in sorted(inputs.items())},
            "kept": _digest(redacted(kept))[:SHORT],
        }
    return dict(sorted(found.items()))


def _settings(opened: OpenStack) -> str:
    root = opened.checkout.root
    return _digest_of_files([root / "Pulumi.yaml", root / f"Pulumi.{opened.name}.yaml"], root)


def _versions(opened: OpenStack) -> dict[str, str]:
    sdks = {
        re.sub(r"[_.]+", "-", package.name.lower()): package.version
        for package in importlib.metadata.distributions()
        if package.name.lower().startswith("pulumi")
    }
    engine = opened.engine.run(["version"], str(opened.environment.work_dir), {})
    pack = opened.checkout.policies
    rules = sorted(path for path in pack.iterdir() if path.suffix in (".py", ".json", ".yaml"))
    return {
        "engine": engine.stdout.strip().removeprefix("v"),
        "policies": _digest_of_files(rules, pack)[:SHORT],
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        **dict(sorted(sdks.items())),
    }


def _digest(document: Any) -> str:
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _digest_of_files(paths: Iterable[Path], root: Path) -> str:
    return _digest({str(path.relative_to(root)): path.read_text("utf-8") for path in paths})


def _git(checkout: Checkout, *arguments: str) -> str:
    """What git prints; empty where it fails, and where there is none."""
    try:
        done = subprocess.run(
            # Without its optional locks, git does not even touch its own index.
            ["git", "--no-optional-locks", "-C", str(checkout.root), *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip("\n") if done.returncode == 0 else ""

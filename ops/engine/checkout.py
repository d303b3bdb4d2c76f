"""The checkout that a command works on: the project's files in the current directory."""

from __future__ import annotations

import contextlib
import runpy
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pulumi

from components.config import SettingsError, read_stack_file
from ops.errors import WrongInput

PROGRAM_FRAMES: Final = 16
"""More than the depth of the program, and less than its depth together with its runner."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A folder with ``Pulumi.yaml``, ``__main__.py`` and one ``Pulumi.<stack>.yaml`` per stack."""

    root: Path
    rejected: list[WrongInput] = field(default_factory=list, compare=False)
    """Settings that the program itself found wrong, such as a bundle that does not exist."""

    @classmethod
    def here(cls) -> Checkout:
        """The checkout in the current directory, as the Pulumi CLI finds it.

        Raises:
            WrongInput: the current directory is not the root of one.
        """
        root = Path.cwd().resolve()
        if not (root / "Pulumi.yaml").is_file():
            raise WrongInput(
                "checkout",
                f"There is no Pulumi.yaml in {root}. Run this in the root of the checkout.",
            )
        return cls(root)

    @property
    def policies(self) -> Path:
        """The policy pack."""
        return self.root / "policies"

    @property
    def approvals(self) -> Path:
        """The operations that were approved for the guard, in a file per stack."""
        return self.root / "approvals"

    def stacks(self) -> tuple[str, ...]:
        """Names of the stacks that have a settings file, sorted."""
        files = self.root.glob("Pulumi.*.yaml")
        return tuple(sorted(file.name.split(".", 1)[1].removesuffix(".yaml") for file in files))

    def stack_file(self, stack: str) -> Path:
        """The settings file of ``stack``, validated.

        Raises:
            WrongInput: there is no such stack, or its settings are wrong (all errors listed).
        """
        if stack not in self.stacks():
            raise WrongInput(
                "stack",
                f"There is no stack '{stack}'. The stacks are: {', '.join(self.stacks())}.",
                stacks=list(self.stacks()),
            )
        path = self.root / f"Pulumi.{stack}.yaml"
        try:
            read_stack_file(path)
        except SettingsError as error:
            raise _wrong_settings(error) from None
        return path

    def program(self) -> None:
        """Run ``__main__.py`` in this process.

        Raises:
            pulumi.RunError: the program failed; the text is for people. Any other exception type
                would reach them as a stack trace through the Automation API.
        """
        try:
            with _short_traces():
                runpy.run_path(str(self.root / "__main__.py"), run_name="__main__")
        except SettingsError as error:
            self.rejected.append(_wrong_settings(error))
            raise pulumi.RunError(str(error)) from error
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            ours = [
                f"  at {Path(frame.filename).relative_to(self.root)}:{frame.lineno} in {frame.name}"
                for frame in frames
                if Path(frame.filename).is_relative_to(self.root)
            ]
            raise pulumi.RunError(
                "\n".join([f"The program failed: {type(error).__name__}: {error}", *ours])
            ) from error


def _wrong_settings(error: SettingsError) -> WrongInput:
    errors = [
        {"path": wrong.path, "value": wrong.value, "expected": wrong.expected}
        for wrong in error.shown
    ]
    return WrongInput("settings", str(error), errors=errors, count=len(error.errors))


@contextlib.contextmanager
def _short_traces() -> Iterator[None]:
    """Keep the frames of this runner out of the state.

    The SDK sends a stack trace with every resource, and the engine stores it: 27 frames each, of
    which only the innermost are the program's. The others were half of the state, and half of the
    time to write it.
    """
    sys.tracebacklimit = PROGRAM_FRAMES
    try:
        yield
    finally:
        del sys.tracebacklimit

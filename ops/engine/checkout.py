"""The checkout that a command works on: the project's files in the current directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from components.config import SettingsError, read_stack_file
from ops.engine.confinement import require_confinement
from ops.errors import WrongInput


@dataclass(frozen=True, slots=True)
class Checkout:
    """A folder with ``Pulumi.yaml``, ``__main__.py`` and one ``Pulumi.<stack>.yaml`` per stack.

    Attributes:
        root: holds the policies and the approvals and, unless ``proposed`` does, the program.
        proposed: another checkout, whose program and settings this one previews and judges.
    """

    root: Path
    proposed: Path | None = None

    @classmethod
    def here(cls, proposed: Path | None = None) -> Checkout:
        """The checkout in the current directory, as the Pulumi CLI finds it.

        Raises:
            WrongInput: the current directory, or ``proposed``, is not the root of one, or they
                are the same.
            Refused: this system cannot confine the program of ``proposed``.
        """
        root = Path.cwd().resolve()
        if not (root / "Pulumi.yaml").is_file():
            raise WrongInput(
                "checkout",
                f"There is no Pulumi.yaml in {root}. Run this in the root of the checkout.",
            )
        if proposed is None:
            return cls(root)
        require_confinement()
        other = proposed.expanduser().resolve()
        if not (other / "Pulumi.yaml").is_file():
            raise WrongInput(
                "checkout",
                f"--program {proposed}: there is no Pulumi.yaml in it. Name the root of the "
                "checkout whose program to preview.",
            )
        if other == root:
            raise WrongInput(
                "checkout",
                f"--program {proposed} is this checkout. Run this in a checkout of the target "
                "branch, which judges the other one.",
            )
        return cls(root, other)

    @property
    def program(self) -> Path:
        """The folder of the program and of the stack files."""
        return self.proposed or self.root

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
        return stacks_in(self.program)

    def stack_file(self, stack: str) -> Path:
        """The settings file of ``stack``, validated.

        A proposed program validates its settings itself: it may have settings that are new.

        Raises:
            WrongInput: there is no such stack, or its settings are wrong (all errors listed).
        """
        if stack not in self.stacks():
            raise WrongInput(
                "stack",
                f"There is no stack '{stack}'. The stacks are: {', '.join(self.stacks())}.",
                stacks=list(self.stacks()),
            )
        path = self.program / f"Pulumi.{stack}.yaml"
        if self.proposed and path.is_symlink():
            raise WrongInput("stack", f"{path.name} of the proposed checkout must be a plain file.")
        if self.proposed is None:
            try:
                read_stack_file(path)
            except SettingsError as error:
                raise WrongInput.settings(error) from None
        return path


def stacks_in(folder: Path) -> tuple[str, ...]:
    """Names of the stacks that have a settings file in ``folder``, sorted."""
    files = folder.glob("Pulumi.*.yaml")
    return tuple(sorted(file.name.split(".", 1)[1].removesuffix(".yaml") for file in files))

"""The checkout that a command works on: the project's files in the current directory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from components.config import SettingsError, read_stack_file
from ops.engine.confinement import require_confinement
from ops.errors import WrongInput

ENCRYPTION: Final = re.compile(
    r"^(encryptionsalt|secretsprovider|encryptedkey):.*\n?", re.MULTILINE
)
"""The lines of a stack file that configure the encryption of secrets. A sandbox has its own key."""

_STACK: Final = re.compile(r"\w[\w.-]*", re.ASCII)
"""The engine allows these names (``tokens.ParseStackName``), and some that are also options."""


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
        if self.proposed:
            _require_settings_alone(path)
        else:
            try:
                read_stack_file(path)
            except SettingsError as error:
                raise WrongInput.settings(error) from None
        return path


def _require_settings_alone(path: Path) -> None:
    """Refuse a proposed stack file that is more than settings.

    The engine, which is not confined, reads the file. It would look for a key at the address that
    ``secretsprovider`` names, for example.

    Raises:
        WrongInput: it is not a plain file of UTF-8, not YAML, or has other keys than ``config``.
    """
    wrong = ""
    if path.is_symlink() or not path.is_file():
        wrong = "must be a plain file"
    else:
        try:
            document = yaml.safe_load(ENCRYPTION.sub("", path.read_text("utf-8")))
            if not isinstance(document, dict) or document.keys() != {"config"}:
                wrong = "must have the settings in `config`, and no other key"
        except (ValueError, RecursionError, yaml.YAMLError) as error:
            wrong = f"cannot be read: {' '.join(str(error).split())}"
    if wrong:
        raise WrongInput("stack", f"{path.name} of the proposed checkout {wrong}.")


def stacks_in(folder: Path) -> tuple[str, ...]:
    """Names of the stacks that have a settings file in ``folder``, sorted."""
    files = folder.glob("Pulumi.*.yaml")
    names = (file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in files)
    return tuple(sorted(filter(_STACK.fullmatch, names)))

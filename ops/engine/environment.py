"""Where an operation happens: the real accounts of the user, or a sandbox of their own."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ops.engine.cache import cache_folder
from ops.engine.checkout import Checkout
from ops.errors import WrongInput

# What points to somebody's real accounts: it may decide nothing in a sandbox, where the provider
# SDKs would otherwise copy some of it into the state.
ACCOUNT_VARIABLES: Final = ("PULUMI_", "GOOGLE_", "GCLOUD_", "CLOUDSDK_", "CLOUDFLARE_", "VERCEL_")

# How a stack file says who encrypts its secrets. A sandbox has its own key, not the real stack's.
ENCRYPTION: Final = re.compile(
    r"^(encryptionsalt|secretsprovider|encryptedkey):.*\n?", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Folders and environment of one operation.

    Attributes:
        work_dir: holds the ``Pulumi.yaml`` and the stack file that the engine reads (and writes).
        variables: all variables that the engine and the program see.
        sandbox: the folder of the sandbox; ``None`` stands for real accounts.
    """

    work_dir: Path
    variables: Mapping[str, str]
    sandbox: Path | None = None

    @property
    def state(self) -> Path | None:
        """The folder of the file backend in a sandbox; elsewhere the backend is the user's own."""
        return self.sandbox / "state" if self.sandbox else None


def real_accounts(checkout: Checkout) -> Environment:
    """The checkout itself with the user's own backend, credentials and plugins."""
    return Environment(work_dir=checkout.root, variables=dict(os.environ))


def default_sandbox(checkout: Checkout) -> Path:
    """A folder in the cache for this checkout alone: two clones never share a cloud."""
    short = hashlib.sha256(str(checkout.root).encode()).hexdigest()[:12]
    return cache_folder() / "sandbox" / short


def sandboxed(
    checkout: Checkout, stack: str, folder: Path, *, protect: bool | None = None
) -> Environment:
    """A sandbox in ``folder``, made or brought up to date with the checkout's settings.

    ``protect``, where given, replaces that setting in the sandbox's copy of the stack file.

    Raises:
        WrongInput: ``folder`` is a file, lies inside the checkout, or cannot be made.
    """
    folder = folder.expanduser().resolve()
    if folder.exists() and not folder.is_dir():
        raise WrongInput("sandbox-dir", f"--sandbox-dir {folder} is a file; it must be a folder.")
    if folder.is_relative_to(checkout.root):
        raise WrongInput(
            "sandbox-dir",
            f"--sandbox-dir {folder} lies in the checkout, which no command may change. "
            f"Leave the option out for {default_sandbox(checkout)}, or name a folder elsewhere.",
        )
    work_dir, state, home = folder / "workspace", folder / "state", folder / "home"
    try:
        for needed in (work_dir, state, home):
            needed.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongInput("sandbox-dir", f"--sandbox-dir {folder}: {error.strerror}.") from None
    _replace(work_dir / "Pulumi.yaml", (checkout.root / "Pulumi.yaml").read_text("utf-8"))
    copy = work_dir / f"Pulumi.{stack}.yaml"
    settings = (checkout.root / copy.name).read_text("utf-8")
    if protect is not None:
        settings = _with_protect(settings, protect)
    _replace(copy, ENCRYPTION.sub("", settings) + _encryption_salt(copy))
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(ACCOUNT_VARIABLES)
    }
    return Environment(
        work_dir=work_dir,
        variables={
            **kept,
            # The backend replaces a state file at once, but not the file of attributes that it
            # would keep beside it: an engine killed then would leave a state nobody can read.
            "PULUMI_BACKEND_URL": f"{state.as_uri()}?metadata=skip",
            "PULUMI_HOME": str(home),
            "PULUMI_CONFIG_PASSPHRASE": "sandbox",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # The engine would fetch the plugins that the state names, though it attaches to ours.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        },
        sandbox=folder,
    )


def _encryption_salt(copy: Path) -> str:
    """The line that the engine added to the last copy; without it the state cannot be read."""
    written = ENCRYPTION.search(copy.read_text("utf-8")) if copy.exists() else None
    return f"\n{written[0]}" if written else ""


def _with_protect(settings: str, protect: bool) -> str:
    value = str(protect).lower()
    changed, count = re.subn(
        r"^(\s+pull:protect:).*$", rf"\1 {value}", settings, flags=re.MULTILINE
    )
    if count != 1:
        raise WrongInput(
            "protection", "The stack file has no line 'pull:protect:', which this would change."
        )
    return changed


def _replace(path: Path, text: str) -> None:
    """Write at once: an engine that runs at the same time must never read half a file."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)

"""Where an operation runs: in the user's real accounts, or in a sandbox."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from ops.engine.cache import cache_folder
from ops.engine.checkout import ENCRYPTION, Checkout
from ops.engine.install import LANGUAGE_HOST
from ops.engine.last_good_state import StateFile
from ops.errors import WrongInput

# Prefixes of variables that point to real accounts. A sandbox removes these variables, because the
# provider SDKs would copy some of them into its state.
ACCOUNT_VARIABLES: Final = ("PULUMI_", "GOOGLE_", "GCLOUD_", "CLOUDSDK_", "CLOUDFLARE_", "VERCEL_")

HARMLESS_VARIABLES: Final = (
    *("CI", "HOME", "LANG", "LC_ALL", "PATH", "PYTHONPATH", "PYTHONPYCACHEPREFIX", "TERM"),
    *("TMPDIR", "TZ", "XDG_CACHE_HOME"),
)
"""The only variables that the code of another checkout gets: none of them holds a credential."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Folders and environment of one operation.

    Attributes:
        work_dir: contains the ``Pulumi.yaml`` and the stack file that the engine reads and writes.
        variables: all variables that the engine and the program see.
        sandbox: the folder of the sandbox; ``None`` for real accounts.
    """

    work_dir: Path
    variables: Mapping[str, str]
    sandbox: Path | None = None

    @property
    def state(self) -> Path | None:
        """The folder of the file backend in a sandbox; ``None`` for the user's own backend."""
        return self.sandbox / "state" if self.sandbox else None

    def state_file(self, stack: str) -> StateFile | None:
        """The state file of a stack in a sandbox; it may not exist yet."""
        if self.state is None:
            return None
        project = yaml.safe_load((self.work_dir / "Pulumi.yaml").read_text("utf-8"))["name"]
        return StateFile(self.state / ".pulumi" / "stacks" / project / f"{stack}.json")


def real_accounts(checkout: Checkout) -> Environment:
    """The checkout itself with the user's own backend, credentials and plugins."""
    return Environment(work_dir=checkout.program, variables=dict(os.environ))


def default_sandbox(checkout: Checkout) -> Path:
    """A folder in the cache for this checkout alone: two clones never share a sandbox."""
    short = hashlib.sha256(str(checkout.program).encode()).hexdigest()[:12]
    return cache_folder() / "sandbox" / short


def sandboxed(
    checkout: Checkout, stack: str, folder: Path, *, protect: bool | None = None
) -> Environment:
    """A sandbox in ``folder``, created if necessary, with the checkout's current settings.

    ``protect`` replaces the setting ``pull:protect`` in the sandbox's copy of the stack file.

    Raises:
        WrongInput: ``folder`` is a file, is inside the checkout, or cannot be created.
    """
    folder = folder.expanduser().resolve()
    if folder.exists() and not folder.is_dir():
        raise WrongInput("sandbox-dir", f"--sandbox-dir {folder} is a file; it must be a folder.")
    if any(folder.is_relative_to(root) for root in (checkout.root, checkout.program)):
        raise WrongInput(
            "sandbox-dir",
            f"--sandbox-dir {folder} is in the checkout, which no command may change. "
            f"Name a folder outside, or omit the option to use {default_sandbox(checkout)}.",
        )
    work_dir, state, home = folder / "workspace", folder / "state", folder / "home"
    try:
        for needed in (work_dir, state, home):
            needed.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongInput("sandbox-dir", f"--sandbox-dir {folder}: {error.strerror}.") from None
    # Not the proposed one: it may name plugins, which the engine would run.
    _replace(work_dir / "Pulumi.yaml", (checkout.root / "Pulumi.yaml").read_text("utf-8"))
    copy = work_dir / f"Pulumi.{stack}.yaml"
    settings = (checkout.program / copy.name).read_text("utf-8")
    if protect is not None:
        settings = _with_protect(settings, protect)
    _replace(copy, ENCRYPTION.sub("", settings) + _encryption_salt(copy))
    kept = (
        harmless_variables()
        if checkout.proposed
        else {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(ACCOUNT_VARIABLES)
        }
    )
    return Environment(
        work_dir=work_dir,
        variables={**kept, **sandbox_variables(state, home)},
        sandbox=folder,
    )


def harmless_variables() -> dict[str, str]:
    """The variables that the code of another checkout may see."""
    return {name: os.environ[name] for name in HARMLESS_VARIABLES if name in os.environ}


def sandbox_variables(state: Path, home: Path) -> dict[str, str]:
    """Variables with which the engine keeps everything in the folders ``state`` and ``home``."""
    return {
        # The backend replaces a state file atomically, but not the attributes file beside it: an
        # engine that is killed in between would leave an unreadable state.
        "PULUMI_BACKEND_URL": f"{state.as_uri()}?metadata=skip",
        "PULUMI_HOME": str(home),
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # The engine would download the plugins that the state names, although it uses ours.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def language_host_variables() -> dict[str, str]:
    """Variables with which the engine finds a language host, and a host runs this Python.

    The processes talk to each other on loopback, so no proxy of the machine may be used.
    """
    path = os.pathsep.join([os.environ["PATH"], str(LANGUAGE_HOST.parent)])
    return {"PATH": path, "PULUMI_PYTHON_CMD": sys.executable, "no_grpc_proxy": "127.0.0.1"}


def _encryption_salt(copy: Path) -> str:
    """The line that the engine added to the previous copy; the state cannot be read without it."""
    written = ENCRYPTION.search(copy.read_text("utf-8")) if copy.exists() else None
    return f"\n{written[0]}" if written else ""


def _with_protect(settings: str, protect: bool) -> str:
    value = str(protect).lower()
    changed, count = re.subn(
        r"^(\s+pull:protect:).*$", rf"\1 {value}", settings, flags=re.MULTILINE
    )
    if count != 1:
        raise WrongInput(
            "protection", "The stack file has no line 'pull:protect:'; add it and try again."
        )
    return changed


def _replace(path: Path, text: str) -> None:
    """Write atomically: an engine that runs at the same time must never read half a file."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)

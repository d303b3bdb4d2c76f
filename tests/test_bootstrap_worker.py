"""The bootstrap API Worker, on the real Workers runtime (workerd from npm, pinned).

One workerd process serves the same module five times, each with other bindings, because what
differs between a laptop, a first provision and a released estate is how the key is bound.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Final, NoReturn

import httpx
import pytest

from ops.engine.cache import cache_folder
from tests.needs import lacking

ROOT: Final = Path(__file__).resolve().parent.parent
WORKER: Final = ROOT / "components" / "services" / "bootstrap" / "worker.js"
NPM_PROJECT: Final = ROOT / "tests" / "workerd"
PLATFORMS: Final = ("darwin-64", "darwin-arm64", "linux-64", "linux-arm64", "windows-64")
COMPATIBILITY_DATE: Final = "2026-10-01"  # workerd refuses a date later than its own release
START_SECONDS: Final = 60
INSTALL_SECONDS: Final = 300

KEY: Final = token_hex(16)
TEXT_SECRETS: Final = {"INTERNAL_API_KEY": KEY, "JWT_SECRET": token_hex(16)}

# How the five copies of the Worker have their internal key bound.
TEXT, STORE, UNISSUED, UNBOUND, EMPTY = BOUND = ("text", "store", "unissued", "unbound", "empty")

# The interface of a `secrets_store_secret` binding in a Worker: get() returns the value, or throws
# while it has not been issued.
SECRETS_STORE: Final = """\
import { WorkerEntrypoint } from "cloudflare:workers";

export default class extends WorkerEntrypoint {
  async get() {
    if (this.env.VALUE === undefined) throw new Error("secret not found");
    return this.env.VALUE;
  }
}
"""


def unavailable(reason: str) -> NoReturn:
    """There is no workerd here."""
    lacking(f"{reason}. These tests need Node.js 18 or later with npm, and its registry.")


def installed_workerd() -> Path:
    """Path of the pinned workerd, installed into the project's cache folder on first use."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        unavailable("npm or node is not on PATH")
    lock = (NPM_PROJECT / "package-lock.json").read_bytes()
    home = cache_folder() / f"workerd-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not home.exists():
        install(npm, home)
    # The platform's own binary: the package's launcher script would stay between us and the
    # process that has to be stopped.
    binaries = sorted(home.glob("node_modules/@cloudflare/workerd-*/bin/workerd*"))
    if not binaries:
        unavailable(f"workerd is not published for this platform (looked in {home})")
    return binaries[0]


def install(npm: str, home: Path) -> None:
    """Fill ``home`` with ``npm ci``, through a folder beside it: it is never half filled."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=f"{home.name}.") as scratch:
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(NPM_PROJECT / name, fresh)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            subprocess.run(
                command, cwd=fresh, check=True, capture_output=True, timeout=INSTALL_SECONDS
            )
        except subprocess.CalledProcessError as error:
            reason = " ".join(error.stderr.decode(errors="replace").splitlines()[:2])
            unavailable(f"npm ci failed: {reason}")
        except subprocess.TimeoutExpired:
            unavailable(f"npm ci did not end within {INSTALL_SECONDS} s")
        try:
            fresh.rename(home)
        except OSError:
            if not home.exists():  # else another test process was first, with the same content
                raise


def capnp(value: str) -> str:
    """``value`` as a Cap'n Proto text literal (its escapes are those of JSON for ASCII)."""
    return json.dumps(value)


def text_bindings(values: dict[str, str]) -> list[str]:
    """Cap'n Proto for one text binding per item, as secret and plain text bindings both are."""
    return [f"(name = {capnp(name)}, text = {capnp(value)})" for name, value in values.items()]


def service(name: str, module: str, bindings: list[str]) -> str:
    """Cap'n Proto for one Worker made of one ES module that lies beside the configuration."""
    return (
        f"(name = {capnp(name)}, worker = ("
        f"modules = [(name = {capnp(module)}, esModule = embed {capnp(module)})], "
        f"compatibilityDate = {capnp(COMPATIBILITY_DATE)}, "
        f"bindings = [{', '.join(bindings)}]))"
    )


def configuration() -> str:
    """The whole workerd configuration: five Workers, a socket for each, two secret stores."""
    node_env = text_bindings({"NODE_ENV": "staging"})
    without_key = text_bindings({"JWT_SECRET": TEXT_SECRETS["JWT_SECRET"]}) + node_env
    bindings = {
        TEXT: text_bindings(TEXT_SECRETS) + node_env,
        STORE: ['(name = "INTERNAL_API_KEY", service = "issued-secret")', *without_key],
        UNISSUED: ['(name = "INTERNAL_API_KEY", service = "unissued-secret")', *without_key],
        UNBOUND: without_key,
        EMPTY: text_bindings({"INTERNAL_API_KEY": ""}) + without_key,
    }
    services = [service(bound, "worker.js", bindings[bound]) for bound in BOUND]
    services += [
        service("issued-secret", "secrets-store.js", text_bindings({"VALUE": KEY})),
        service("unissued-secret", "secrets-store.js", []),
    ]
    sockets = [
        f'(name = {capnp(bound)}, address = "127.0.0.1:0", http = (), service = {capnp(bound)})'
        for bound in BOUND
    ]
    return (
        'using Workerd = import "/workerd/workerd.capnp";\n'
        "const config :Workerd.Config = (\n"
        f"  services = [{', '.join(services)}],\n"
        f"  sockets = [{', '.join(sockets)}],\n"
        ");\n"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """A running workerd: the port of each copy of the Worker, and what it has logged so far."""

    ports: dict[str, int]
    log: Path

    def ask(
        self, method: str, path: str, *, bound: str = TEXT, key: str | None = None
    ) -> httpx.Response:
        """One request, and what holds for every answer whatever was asked."""
        answer = httpx.request(
            method,
            f"http://127.0.0.1:{self.ports[bound]}{path}",
            headers={} if key is None else {"X-Internal-Key": key},
            trust_env=False,  # a proxy of the machine has no business on loopback
        )
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-pull-bootstrap"] == "1"
        printed = f"{answer.headers}{answer.text}{self.log.read_text()}"
        assert [name for name, secret in TEXT_SECRETS.items() if secret in printed] == []
        return answer


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """workerd on free loopback ports, ready for requests."""
    binary = installed_workerd()
    folder = tmp_path_factory.mktemp("workerd")
    shutil.copy(WORKER, folder / "worker.js")
    (folder / "secrets-store.js").write_text(SECRETS_STORE)
    (folder / "config.capnp").write_text(configuration())
    log = folder / "log.txt"
    reader, writer = os.pipe()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [binary, "serve", folder / "config.capnp", f"--control-fd={writer}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[writer],
        )
    os.close(writer)
    # The pipe ends when workerd does: the timer turns a start that hangs into one that failed.
    deadline = threading.Timer(START_SECONDS, process.kill)
    deadline.start()
    ports: dict[str, int] = {}
    try:
        with os.fdopen(reader, encoding="utf-8") as events:
            while len(ports) < len(BOUND):
                line = events.readline()
                assert line, f"workerd did not start:\n{log.read_text()}"
                event = json.loads(line)
                if event["event"] == "listen":
                    ports[event["socket"]] = event["port"]
            deadline.cancel()
            yield Runtime(ports=ports, log=log)
    finally:
        deadline.cancel()
        process.kill()
        process.wait()


def assert_is_now(timestamp: str) -> None:
    """The timestamp is ISO 8601 in UTC, as JavaScript writes it, and not a canned one."""
    assert timestamp.endswith("Z")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(timestamp)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/health", {"status": "healthy"}),
        ("/health/ready", {"ready": True}),
        ("/health/live", {"live": True}),
        ("/health?probe=uptime", {"status": "healthy"}),
    ],
)
@pytest.mark.parametrize("bound", BOUND)
def test_health_needs_no_key(
    runtime: Runtime, path: str, expected: dict[str, object], bound: str
) -> None:
    answer = runtime.ask("GET", path, bound=bound)
    body = answer.json()
    assert answer.status_code == 200
    assert_is_now(body.pop("timestamp"))
    assert body == expected


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/live"])
def test_head_is_get_without_the_body(runtime: Runtime, path: str) -> None:
    answer = runtime.ask("HEAD", path)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("bound", [TEXT, STORE])
def test_detailed_names_the_bindings_to_who_has_the_key(runtime: Runtime, bound: str) -> None:
    answer = runtime.ask("GET", "/health/detailed", bound=bound, key=KEY)
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "healthy",
        "environment": "staging",
        "bindings": ["INTERNAL_API_KEY", "JWT_SECRET", "NODE_ENV"],
        "bootstrap": True,
    }
    head = runtime.ask("HEAD", "/health/detailed", bound=bound, key=KEY)
    assert (head.status_code, head.content) == (200, b"")


# By name, so that the random key stays out of the test ids (xdist workers must agree on them).
WRONG_KEYS: Final[dict[str, str | None]] = {
    "none": None,
    "empty": "",
    "prefix": KEY[:-1],
    "longer": KEY + "0",
    "other secret of the same length": TEXT_SECRETS["JWT_SECRET"],
    "text of nothing": "undefined",
}


@pytest.mark.parametrize("wrong", WRONG_KEYS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("bound", BOUND)
def test_detailed_refuses_a_wrong_key(
    runtime: Runtime, bound: str, method: str, wrong: str
) -> None:
    answer = runtime.ask(method, "/health/detailed", bound=bound, key=WRONG_KEYS[wrong])
    assert answer.status_code == 401
    if method == "GET":
        assert answer.json() == {"error": "a valid X-Internal-Key header is required"}


@pytest.mark.parametrize("bound", [UNISSUED, UNBOUND, EMPTY])
def test_no_key_opens_detailed_while_none_is_set(runtime: Runtime, bound: str) -> None:
    assert runtime.ask("GET", "/health/detailed", bound=bound, key=KEY).status_code == 401


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/live", "/health/detailed"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_health_is_read_only(runtime: Runtime, method: str, path: str) -> None:
    answer = runtime.ask(method, path, key=KEY)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.json() == {"error": "method not allowed", "allow": "GET, HEAD"}


@pytest.mark.parametrize(
    "path",
    ["/", "/docs", "/metrics", "/api/auth/check", "/health/", "/health/x", "/Health"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_everything_else_waits_for_the_first_release(
    runtime: Runtime, method: str, path: str
) -> None:
    answer = runtime.ask(method, path, key=KEY)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "300"
    assert answer.json() == {
        "error": "not released yet",
        "detail": "Only the health checks answer until the API's first release.",
    }


def test_the_pinned_runtime_installs_anywhere() -> None:
    """Exact pin, every platform with its checksum, and no registry's address in the lock."""
    pins = json.loads((NPM_PROJECT / "package.json").read_text())["devDependencies"]
    packages = json.loads((NPM_PROJECT / "package-lock.json").read_text())["packages"]
    del packages[""]
    assert set(packages) == {
        "node_modules/workerd",
        *(f"node_modules/@cloudflare/workerd-{platform}" for platform in PLATFORMS),
    }
    assert {package["version"] for package in packages.values()} == {pins["workerd"]}
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())

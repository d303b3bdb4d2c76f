"""What a machine needs to use the estate's cluster, for the test's API server in its place.

The real Kubernetes provider gets the kubeconfig that the program makes: the DNS endpoint of a GKE
cluster, and a plug-in that returns a token. A proxy connects that name to the API server, and the
name of the operator's chart repository to a repository in this process.
"""

from __future__ import annotations

import json
import shlex
import ssl
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_WR, create_connection, socket
from typing import Final

import yaml

from tests.tools.cluster import EXTERNAL_SECRETS, Cluster, external_secrets_source
from tests.tools.kubernetes_plugin import EXECUTABLE

CHARTS: Final = "charts.external-secrets.io"
ENDPOINTS: Final = ".gke.goog"
HOSTS: Final = (CHARTS, f"*.us-central1{ENDPOINTS}")
"""The names for which the API server's certificate must be valid."""

CREDENTIAL_PLUGIN: Final = "gke-gcloud-auth-plugin"


@contextmanager
def gke_access(cluster: Cluster, plugin: Path, folder: Path) -> Iterator[Path]:
    """A folder for the PATH with the Kubernetes provider ``plugin``, which reaches the cluster."""
    bin_folder, charts = folder / "bin", folder / "charts"
    for created in (bin_folder, bin_folder / "private", charts):
        created.mkdir()
    _write_chart(charts)
    with ExitStack() as stack:
        repository = stack.enter_context(_served(partial(_Charts, directory=str(charts)), cluster))
        ports = {CHARTS: repository, ENDPOINTS: cluster.port}
        proxy = stack.enter_context(_served(partial(_Proxy, ports)))
        # Only the provider's own process sees these, so nothing else takes the proxy.
        variables = {
            "HTTPS_PROXY": f"http://127.0.0.1:{proxy}",
            "SSL_CERT_FILE": str(cluster.certificate),
            "HOME": str(folder),  # of Helm's cache
            "PATH": str(bin_folder / "private"),
        }
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        command = f'exec {shlex.quote(str(plugin))} "$@"'
        _write_script(bin_folder / EXECUTABLE, *lines, command)
        credential = json.dumps(
            {
                "apiVersion": "client.authentication.k8s.io/v1beta1",
                "kind": "ExecCredential",
                "status": {"token": cluster.token},
            }
        )
        _write_script(bin_folder / "private" / CREDENTIAL_PLUGIN, f"echo {shlex.quote(credential)}")
        yield bin_folder


def _write_script(path: Path, *lines: str) -> None:
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)


def _write_chart(folder: Path) -> None:
    """The operator's chart as its release makes it: with the definitions of the resources."""
    source = external_secrets_source()
    chart = source / "deploy" / "charts" / "external-secrets"
    description = yaml.safe_load((chart / "Chart.yaml").read_text("utf-8"))
    # The optional dependency is in a registry, and the values do not enable it.
    description = {**description, "version": str(EXTERNAL_SECRETS), "dependencies": []}
    rewritten = folder / "Chart.yaml"
    rewritten.write_text(yaml.safe_dump(description))
    archive = f"external-secrets-{EXTERNAL_SECRETS}.tgz"
    with tarfile.open(folder / archive, "w:gz") as packed:
        packed.add(rewritten, "external-secrets/Chart.yaml")
        for name in ("values.yaml", "values.schema.json", "templates"):
            # Helm would take the read-me among the templates for a manifest.
            packed.add(
                chart / name,
                f"external-secrets/{name}",
                filter=lambda file: None if file.name.endswith(".md") else file,
            )
        for definition in sorted((source / "config" / "crds" / "bases").glob("*_*.yaml")):
            packed.add(definition, f"external-secrets/crds/{definition.name}")
    entry = {
        "apiVersion": "v2",
        "name": "external-secrets",
        "version": str(EXTERNAL_SECRETS),
        "urls": [archive],
    }
    index = {"apiVersion": "v1", "entries": {"external-secrets": [entry]}}
    (folder / "index.yaml").write_text(yaml.safe_dump(index))


@contextmanager
def _served(
    handler: Callable[..., BaseHTTPRequestHandler], tls: Cluster | None = None
) -> Iterator[int]:
    """The port of a server; with the certificate of a cluster if it is given."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate, tls.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class _Charts(SimpleHTTPRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Do not print each request."""


class _Proxy(BaseHTTPRequestHandler):
    """Connects a host to the loopback port that belongs to the end of its name."""

    def __init__(self, ports: Mapping[str, int], *arguments: object) -> None:
        self._ports = ports
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_CONNECT(self) -> None:
        host = self.path.partition(":")[0]
        port = next((port for name, port in self._ports.items() if host.endswith(name)), None)
        if port is None:
            self.send_error(403, f"the test connects nothing to {host}")
            return
        with create_connection(("127.0.0.1", port)) as target:
            self.send_response(200)
            self.end_headers()
            upwards = threading.Thread(target=_copy, args=(self.connection, target))
            upwards.start()
            _copy(target, self.connection)
            upwards.join()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Do not print each connection."""


def _copy(source: socket, sink: socket) -> None:
    with suppress(OSError):
        while data := source.recv(2**16):
            sink.sendall(data)
        sink.shutdown(SHUT_WR)

"""A real Kubernetes control plane for the tests, built from its Go module.

It consists of the API server, etcd and kubectl, and validates, admits, defaults and stores objects
as any cluster does. The controllers are optional (:func:`running_controllers`). There is no node,
so no pod ever runs.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from semver import VersionInfo

from ops.engine.cache import cache_folder
from ops.engine.go_build import Say, build, exclusively, find_go, module

KUBERNETES: Final = VersionInfo.parse("1.34.1")
"""The API server and its client (``cluster/go.mod``, which takes the etcd that belongs to it)."""

EXTERNAL_SECRETS: Final = VersionInfo.parse("1.3.2")
"""The operator whose resource definitions the tests use; it serves external-secrets.io/v1."""

MODULE: Final = Path(__file__).parent / "cluster"
READY_WITHIN_SECONDS: Final = 60.0

_PACKAGES: Final = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
}

# Clients parse the version of the server, and a build without these says v0.0.0-master.
_VERSION_FLAGS: Final = " ".join(
    f"-X k8s.io/component-base/version.{name}={value}"
    for name, value in {
        "gitVersion": f"v{KUBERNETES}",
        "gitMajor": KUBERNETES.major,
        "gitMinor": KUBERNETES.minor,
    }.items()
)


class ClusterError(Exception):
    """The API server did not start. The text has the end of its log."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running API server, and its administrator.

    Attributes:
        port: on the loopback address.
        token: of the administrator.
        certificate: the file with the server's certificate, which signed itself.
        key: the file with the key of that certificate.
        kubeconfig: the file with all of this for kubectl.
    """

    programs: Path
    port: int
    token: str
    certificate: Path
    key: Path
    kubeconfig: Path

    def kubectl(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run kubectl with a text on its standard input; the caller judges how it ended."""
        return subprocess.run(
            [self.programs / "kubectl", "--kubeconfig", self.kubeconfig, *arguments],
            # Its cache of what the server can do would go to the user's home.
            env={**os.environ, "KUBECACHEDIR": str(self.kubeconfig.parent / "kubectl-cache")},
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )


def provide_cluster(say: Say) -> Path:
    """The folder with the programs of a control plane, which are built if need be.

    Several processes may ask at once: one builds, the others wait for it.

    Raises:
        GoError: there is no Go, or the build failed.
    """
    programs = zlib.crc32((MODULE / "tools.go").read_bytes())
    home = cache_folder() / f"cluster-{KUBERNETES}-{programs:08x}"
    if home.exists():
        return home
    with exclusively(home, "the Kubernetes control plane", say):
        if home.exists():
            return home
        go = find_go()
        say(
            f"Kubernetes {KUBERNETES}: building the control plane and kubectl, once. Two cores "
            "take about 6 minutes, and a download of 100 MB comes first if Go has not seen them."
        )
        with tempfile.TemporaryDirectory(prefix=f"{home.name}-", dir=home.parent) as scratch:
            fresh = Path(scratch) / "fresh"
            fresh.mkdir()
            for name, package in _PACKAGES.items():
                build(go, MODULE, package, fresh / name, _VERSION_FLAGS, say)
            # Go contains a generator of certificates, as a single file beside its TLS package.
            root = subprocess.run([go, "env", "GOROOT"], capture_output=True, text=True, check=True)
            generator = Path(root.stdout.strip()) / "src" / "crypto" / "tls" / "generate_cert.go"
            build(go, MODULE, str(generator), fresh / "generate_cert", "", say)
            fresh.rename(home)  # an interrupted build never looks finished
    return home


def openapi() -> Path:
    """The OpenAPI document (version 2) of Kubernetes' own types.

    Raises:
        GoError: Go is missing, or the module cannot be downloaded.
    """
    source = module(find_go(), "k8s.io/kubernetes", f"v{KUBERNETES}")
    return source / "api" / "openapi-spec" / "swagger.json"


def external_secrets_source() -> Path:
    """The source of the External Secrets operator, with its chart.

    Raises:
        GoError: Go is missing, or the module cannot be downloaded.
    """
    name = "github.com/external-secrets/external-secrets"
    return module(find_go(), name, f"v{EXTERNAL_SECRETS}")


def external_secrets_definitions() -> Path:
    """The folder with the CustomResourceDefinitions of the External Secrets operator.

    Raises:
        GoError: Go is missing, or the module cannot be downloaded.
    """
    return external_secrets_source() / "config" / "crds" / "bases"


@contextmanager
def running_cluster(programs: Path, folder: Path, hosts: Sequence[str] = ()) -> Iterator[Cluster]:
    """An empty cluster on free loopback ports, with all its files in the folder.

    Its certificate is also valid for ``hosts``.

    Raises:
        ClusterError: it does not start.
    """
    storage, port = f"http://127.0.0.1:{_free_port()}", _free_port()
    token = secrets.token_hex(16)
    subprocess.run(
        [
            *(programs / "generate_cert", "-ca", "-ecdsa-curve", "P256"),
            *("-host", ",".join(["127.0.0.1", *hosts])),
        ],
        cwd=folder,
        capture_output=True,
        check=True,
    )
    certificate, key = folder / "cert.pem", folder / "key.pem"
    tokens = folder / "tokens.csv"
    tokens.write_text(f"{token},admin,admin,system:masters\n")
    cluster = Cluster(programs, port, token, certificate, key, folder / "kubeconfig")
    cluster.kubeconfig.write_text(
        _KUBECONFIG.format(port=port, certificate=certificate, token=token)
    )
    with ExitStack() as stack:
        etcd = stack.enter_context(
            _process(
                folder / "etcd.log",
                programs / "etcd",
                f"--data-dir={folder / 'etcd'}",
                f"--listen-client-urls={storage}",
                f"--advertise-client-urls={storage}",
                "--listen-peer-urls=http://127.0.0.1:0",
                "--unsafe-no-fsync",
                "--log-level=warn",
            )
        )
        server = stack.enter_context(
            _process(
                folder / "kube-apiserver.log",
                programs / "kube-apiserver",
                f"--etcd-servers={storage}",
                "--bind-address=127.0.0.1",
                f"--secure-port={port}",
                f"--tls-cert-file={certificate}",
                f"--tls-private-key-file={key}",
                f"--service-account-signing-key-file={key}",
                f"--service-account-key-file={certificate}",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-cluster-ip-range=10.0.0.0/24",
                f"--token-auth-file={tokens}",
                "--authorization-mode=RBAC",
                # Otherwise it refuses a privileged pod by itself, before PodSecurity judges it.
                "--allow-privileged=true",
                # Nobody watches over its address, as it is the only one.
                "--endpoint-reconciler-type=none",
            )
        )
        _wait_until_ready(cluster, (etcd, server), folder)
        yield cluster


@contextmanager
def running_controllers(cluster: Cluster, folder: Path) -> Iterator[None]:
    """Kubernetes' own controllers, and a stand-in for what would run outside the control plane.

    Deployments get their pods, and deleted objects their clean-up. The stand-in reports every pod
    and every ExternalSecret as ready, and gives every ingress an address.
    """
    stopped = threading.Event()
    outside = threading.Thread(target=_play_outside, args=(cluster, stopped))
    with _process(
        folder / "kube-controller-manager.log",
        cluster.programs / "kube-controller-manager",
        f"--kubeconfig={cluster.kubeconfig}",
        f"--controllers={','.join(_CONTROLLERS)}",
        "--leader-elect=false",
        "--secure-port=0",
    ):
        outside.start()
        try:
            yield
        finally:
            stopped.set()
            outside.join()


_CONTROLLERS: Final = (
    "deployment-controller",
    "endpoints-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "replicaset-controller",
)

_PODS: Final = "/api/v1/pods"
_POD_ADDRESS: Final = "10.1.0.1"
_STATUSES: Final[Mapping[str, Mapping[str, Any]]] = {
    _PODS: {
        "phase": "Running",
        "podIP": _POD_ADDRESS,
        "podIPs": [{"ip": _POD_ADDRESS}],
        "conditions": [
            {"type": name, "status": "True"}
            for name in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
        ],
    },
    "/apis/networking.k8s.io/v1/ingresses": {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}},
    "/apis/external-secrets.io/v1/externalsecrets": {
        "conditions": [{"type": "Ready", "status": "True", "reason": "SecretSynced"}]
    },
}
"""What the stand-in reports, by the path of the list of objects."""

_WEBHOOKS: Final = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"


def _play_outside(cluster: Cluster, stopped: threading.Event) -> None:
    reported: set[str] = set()
    while not stopped.wait(0.5):
        for path, status in _STATUSES.items():
            for item in _listed(cluster, path):
                metadata = item["metadata"]
                if path == _PODS and "deletionTimestamp" in metadata:
                    _kubectl_on(cluster, metadata, "delete", "pod", "--force", "--grace-period=0")
                elif metadata["uid"] not in reported:
                    if path == _PODS:
                        _bind(cluster, metadata)
                    patched = _kubectl_on(
                        *(cluster, metadata, "patch", path.rpartition("/")[2]),
                        *("--subresource=status", "--type=merge"),
                        f"--patch={json.dumps({'status': status})}",
                    )
                    if patched.returncode == 0:
                        reported.add(metadata["uid"])
        for item in _listed(cluster, _WEBHOOKS):  # no pod would answer their calls
            _kubectl_on(cluster, item["metadata"], "delete", "validatingwebhookconfiguration")


def _kubectl_on(
    cluster: Cluster, metadata: Mapping[str, Any], verb: str, resource: str, *options: str
) -> subprocess.CompletedProcess[str]:
    namespace = f"--namespace={metadata.get('namespace', '')}"
    return cluster.kubectl(verb, resource, metadata["name"], namespace, *options)


def _bind(cluster: Cluster, metadata: Mapping[str, Any]) -> None:
    """Assign the pod to a node, as the scheduler does. Endpoints need its name, and no node."""
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/binding"
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": metadata["name"]},
        "target": {"kind": "Node", "name": "node"},
    }
    cluster.kubectl("create", f"--raw={path}", "--filename=-", text=json.dumps(binding))


def _listed(cluster: Cluster, path: str) -> list[dict[str, Any]]:
    """The objects at a path; none while the resource is not defined."""
    listed = cluster.kubectl("get", f"--raw={path}")
    return list(json.loads(listed.stdout)["items"]) if listed.returncode == 0 else []


_KUBECONFIG: Final = """\
apiVersion: v1
kind: Config
current-context: test
clusters:
  - name: test
    cluster: {{server: "https://127.0.0.1:{port}", certificate-authority: "{certificate}"}}
users:
  - name: admin
    user: {{token: "{token}"}}
contexts:
  - name: test
    context: {{cluster: test, user: admin}}
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(log: Path, *command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is gone when the block ends, however it ends."""
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as process,
    ):
        try:
            yield process
        finally:
            process.kill()  # its data is discarded, so no graceful shutdown is needed


def _wait_until_ready(
    cluster: Cluster, processes: tuple[subprocess.Popen[bytes], ...], folder: Path
) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while cluster.kubectl("get", "--raw=/readyz").returncode != 0:
        dead = any(process.poll() is not None for process in processes)
        if dead or time.monotonic() > deadline:
            logs = "\n".join(
                f"{log.name}:\n{log.read_text(errors='replace')[-2000:]}"
                for log in sorted(folder.glob("*.log"))
            )
            raise ClusterError(f"The API server does not get ready.\n{logs}")
        time.sleep(0.2)

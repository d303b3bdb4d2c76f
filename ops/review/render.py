"""Manifests as files: what the program would put into the cluster, for ``kubectl apply``.

They come from a preview by the real engine in a sandbox that is thrown away, so that they are what
``up`` sends, word for word, and no cluster and no credential is needed. A secret's value cannot be
in one: the program never has it, and whatever the engine marks as secret is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from ops.errors import Refused, WrongInput
from ops.review.events import SECRET, Step, is_unknown

MARK: Final = "# Written by `bin/ops render`"
"""How a file of ours begins; others are never touched."""

FILES: Final = (
    "namespace.yaml",
    "priority-classes.yaml",
    "service-accounts.yaml",
    "configmaps.yaml",
    "external-secrets.yaml",
    "network-policies.yaml",
    "api-deployment.yaml",
    "worker-deployment.yaml",
    "ingress.yaml",
    "services.yaml",
)
"""The runbook's files, in the order in which to apply them."""

_BY_KIND: Final = {
    "Namespace": "namespace.yaml",
    "PriorityClass": "priority-classes.yaml",
    "ServiceAccount": "service-accounts.yaml",
    "ConfigMap": "configmaps.yaml",
    "SecretStore": "external-secrets.yaml",
    "ExternalSecret": "external-secrets.yaml",
    "NetworkPolicy": "network-policies.yaml",
    "Ingress": "ingress.yaml",
    "Service": "services.yaml",
}
"""A workload's Deployment, and what stands beside it, are in the file of their component."""

_BY_COMPONENT: Final = {
    "pull:kubernetes:Api": "api-deployment.yaml",
    "pull:kubernetes:TemporalWorker": "worker-deployment.yaml",
}

RELEASE: Final = "kubernetes:helm.sh/v3:Release"
"""The operator's chart: no manifest, and with kubectl a prerequisite."""

_KINDS: Final = ("SecretStore", "ExternalSecret", "Deployment")
"""What comes first in its file, in this order; the rest follows by kind and name."""


class _Dumper(yaml.SafeDumper):
    """Quotes whatever some reader of YAML may take for a number or a truth: 1e3, 0o7, y."""


_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+.]?[0-9]|[yYnN]$"), list("-+.0123456789yYnN")
)


def manifests(steps: Iterable[Step]) -> dict[str, list[dict[str, Any]]]:
    """The manifests of a preview by file, in the order in which to apply them.

    Raises:
        Refused: something in one of them is secret, or not known before an ``up``.
    """
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in FILES}
    for step in steps:
        if not step.type.startswith("kubernetes:") or step.type == RELEASE or step.new is None:
            continue
        manifest = _manifest(step.new.inputs)
        for path, value in _leaves(manifest, step.name):
            if value == SECRET or is_unknown(value):
                what = "secret" if value == SECRET else "not known before an up"
                raise Refused("render", f"{path} is {what}, so that no file can hold it.")
        component = step.urn.split("::")[2].split("$")[0]
        found[_BY_KIND.get(manifest["kind"]) or _BY_COMPONENT[component]].append(manifest)
    return {name: sorted(inside, key=_place) for name, inside in found.items() if inside}


def write(files: Mapping[str, Iterable[Mapping[str, Any]]], stack: str, folder: Path) -> list[Path]:
    """Write the files, and take away those of ours that are not among them any more.

    Raises:
        WrongInput: the file system does not let it.
    """
    written = []
    with _usable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            path = folder / name
            if name not in files:
                path.unlink(missing_ok=True)
                continue
            documents = yaml.dump_all(
                files[name], Dumper=_Dumper, sort_keys=False, width=100, explicit_start=True
            )
            path.write_text(f"{MARK} --stack {stack}. A change here is lost.\n{documents}", "utf-8")
            written.append(path)
    return written


def refuse_foreign(folder: Path) -> None:
    """Let nothing be overwritten that was not written here.

    Raises:
        WrongInput: ``folder`` is a file, cannot be read, or holds a file of one of our names that
            is not ours.
    """
    with _usable(folder):
        if folder.exists() and not folder.is_dir():
            raise WrongInput("out", f"--out {folder} is a file; it must be a folder.")
        paths = [path for path in (folder / name for name in FILES) if path.exists()]
        foreign = [path.name for path in paths if not _is_ours(path)]
    if foreign:
        raise WrongInput(
            "out",
            f"--out {folder} holds {', '.join(foreign)}, which this command has not written and "
            "would overwrite. Name another folder, or move them away.",
        )


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WrongInput("out", f"--out {folder}: {error.strerror}.") from None


def _is_ours(path: Path) -> bool:
    return path.is_file() and path.read_bytes().startswith(MARK.encode())


def _manifest(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs without what only the engine reads, in the order that people write them."""
    metadata = dict(inputs["metadata"])
    annotations = {
        key: value
        for key, value in metadata.pop("annotations", {}).items()
        if not key.startswith("pulumi.com/")
    }
    if annotations:
        metadata["annotations"] = annotations
    first = {"apiVersion": inputs["apiVersion"], "kind": inputs["kind"], "metadata": metadata}
    rest = {key: inputs[key] for key in sorted(inputs.keys() - first.keys())}
    return {key: _ordered(value) for key, value in {**first, **rest}.items()}


def _ordered(value: Any) -> Any:
    """Keys sorted, a name in front of them."""
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: (key != "name", key))
        return {key: _ordered(value[key]) for key in keys}
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    return value


def _place(manifest: Mapping[str, Any]) -> tuple[int, str, str]:
    kind = manifest["kind"]
    rank = _KINDS.index(kind) if kind in _KINDS else len(_KINDS)
    return rank, kind, manifest["metadata"]["name"]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    else:
        yield path, value

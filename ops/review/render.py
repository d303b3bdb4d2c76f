"""Kubernetes manifests as files for ``kubectl apply``: exactly what ``up`` would send.

They come from a preview by the engine in a temporary sandbox, so that no cluster and no credential
is needed. No manifest holds a secret's value: the program never has it, and a value that the engine
marks as secret is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from ops.errors import Refused, WrongInput
from ops.review.redaction import SECRET, is_unknown
from ops.review.steps import Step
from resource_types import RESOURCE_TYPES, kubernetes, pull

MARK: Final = "# Written by `bin/ops render`"
"""The start of every file that this module writes; it never touches other files."""

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

_WORKLOAD_FILES: Final = {
    pull.KUBERNETES_API: "api-deployment.yaml",
    pull.KUBERNETES_TEMPORAL_WORKER: "worker-deployment.yaml",
}
"""The file of a component's workload: its Deployment, autoscaler and disruption budget."""

_FIRST_KINDS: Final = ("SecretStore", "ExternalSecret", "Deployment")
"""These come first in their file, in this order; the rest follows by kind and name."""


class _Dumper(yaml.SafeDumper):
    """Quotes text that a YAML parser may read as a number or a boolean: 1e3, 0o7, y."""


_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+.]?[0-9]|[yYnN]$"), list("-+.0123456789yYnN")
)


def manifests(steps: Iterable[Step]) -> dict[str, list[dict[str, Any]]]:
    """The manifests of a preview by file, in the order in which to apply them.

    The chart of the operator (``helm.sh/v3:Release``) is no manifest; with kubectl it is a
    prerequisite.

    Raises:
        Refused: a manifest belongs in no file, or holds a secret or a value that only an ``up``
            determines.
    """
    files: dict[str, list[dict[str, Any]]] = {name: [] for name in FILES}
    for step in steps:
        is_object = step.type.startswith("kubernetes:") and step.type != kubernetes.RELEASE
        if not is_object or step.new is None:
            continue
        manifest = _manifest(step.new.inputs)
        for path, value in _leaves(manifest, step.name):
            is_secret = isinstance(value, str) and SECRET in value
            if is_secret or is_unknown(value):
                what = "secret" if is_secret else "not known before an up"
                raise Refused("render", f"{path} is {what}, so no file can hold it.")
        files[_file_of(step, manifest["kind"])].append(manifest)
    return {name: sorted(inside, key=_rank) for name, inside in files.items() if inside}


def _file_of(step: Step, kind: str) -> str:
    """The file of the runbook that an object belongs in.

    Raises:
        Refused: it belongs in none of them.
    """
    record = RESOURCE_TYPES.get(step.type)
    component = step.urn.split("::")[2].split("$")[0]
    file = record.manifest if record and record.manifest else _WORKLOAD_FILES.get(component)
    if file is None:
        raise Refused(
            "render",
            f"{step.name} is a {kind}, and none of the runbook's files is for that kind. Decide "
            f"its file with `manifest` in the record of {step.type} in "
            "resource_types/kubernetes.py, or for a workload in _WORKLOAD_FILES in "
            "ops/review/render.py.",
        )
    return file


def write(files: Mapping[str, Iterable[Mapping[str, Any]]], stack: str, folder: Path) -> list[Path]:
    """Write the files, and delete those of an earlier run that are no longer needed.

    Raises:
        WrongInput: the file system refuses.
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
            path.write_text(
                f"{MARK} --stack {stack}. Do not edit: the next run overwrites it.\n{documents}",
                "utf-8",
            )
            written.append(path)
    return written


def refuse_foreign(folder: Path) -> None:
    """Refuse to overwrite a file that this module has not written.

    Raises:
        WrongInput: ``folder`` is a file or cannot be read, or a file of another author has one of
            the names.
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
            "would overwrite. Name another folder, or move the files away.",
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
    """The inputs without annotations for the engine, in the usual order of a manifest."""
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
    """The value with sorted keys, ``name`` first."""
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: (key != "name", key))
        return {key: _ordered(value[key]) for key in keys}
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    return value


def _rank(manifest: Mapping[str, Any]) -> tuple[int, str, str]:
    kind = manifest["kind"]
    first = _FIRST_KINDS.index(kind) if kind in _FIRST_KINDS else len(_FIRST_KINDS)
    return first, kind, manifest["metadata"]["name"]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    else:
        yield path, value

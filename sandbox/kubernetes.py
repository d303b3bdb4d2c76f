"""How the Kubernetes provider names, replaces and reads objects.

It follows the provider's source, version 4: ``provider/pkg/provider/{provider,diff}.go`` and
``provider/pkg/metadata/naming.go`` of https://github.com/pulumi/pulumi-kubernetes.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, Final

import yaml

from resource_types import kubernetes
from sandbox.schema import record_of
from sandbox.values import UNKNOWN, Properties, fill, is_special, reveal

_CLUSTER_SCOPED: Final = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CSINode",
        "CustomResourceDefinition",
        "FlowSchema",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
    }
)

_AUTONAMED: Final = "pulumi.com/autonamed"


def config_replacements(old: Properties, new: Properties) -> tuple[str, ...]:
    """The provider's settings that lead to another cluster, where every object is created anew.

    If both sides have a ``clusterIdentifier``, it decides alone. Otherwise the cluster is another
    one if a setting that selects it is not known yet, or if two kubeconfigs describe their active
    cluster differently. Without a kubeconfig the provider cannot tell, and replaces nothing.
    """
    if "clusterIdentifier" in old and "clusterIdentifier" in new:
        same = old["clusterIdentifier"] == new["clusterIdentifier"]
        return () if same else ("clusterIdentifier",)
    old, new = reveal(old), reveal(new)
    selecting = ("kubeconfig", "context", "cluster")
    if unknown := tuple(name for name in selecting if new.get(name) == UNKNOWN):
        return unknown
    before, after = _active_cluster(old), _active_cluster(new)
    if before is None or after is None or before == after:
        return ()
    return tuple(name for name in selecting if old.get(name) != new.get(name))


def _active_cluster(settings: Properties) -> Any:
    """What the kubeconfig says about the cluster that the provider uses, if it says anything."""
    try:
        config = yaml.safe_load(settings.get("kubeconfig", ""))
        clusters, contexts = (
            {entry["name"]: entry for entry in config[name]} for name in ("clusters", "contexts")
        )
        context = contexts[settings.get("context", config["current-context"])]["context"]
        return clusters[settings.get("cluster", context["cluster"])]["cluster"]
    except (yaml.YAMLError, TypeError, KeyError):
        return None


def is_namespaced(token: str) -> bool:
    """Whether objects of the type live in a namespace.

    For a custom resource only its definition in the cluster would tell. A custom resource counts as
    namespaced unless its kind begins with ``Cluster``.
    """
    kind = token.rpartition(":")[2].removesuffix("Patch")
    return kind not in _CLUSTER_SCOPED and not kind.startswith("Cluster")


def complete(
    token: str, name: str, seed: bytes, old: Properties, inputs: Properties, settings: Properties
) -> Properties:
    """The inputs with the name and the namespace that the provider adds where they are not set."""
    if token == kubernetes.RELEASE or inputs.get("metadata") == UNKNOWN:
        return inputs
    metadata = _metadata(inputs)
    added: Properties = {}
    if "name" not in metadata and "generateName" not in metadata:
        digits = hashlib.sha256(seed or secrets.token_bytes(16)).hexdigest()[:8]
        added["name"] = _metadata(old)["name"] if is_autonamed(old) else f"{name}-{digits}"
        added["annotations"] = {_AUTONAMED: "true"}
    if is_namespaced(token) and "namespace" not in metadata:
        added["namespace"] = settings.get("namespace", "default")
    return {**inputs, "metadata": fill(inputs.get("metadata", {}), added)}


def is_autonamed(inputs: Properties) -> bool:
    """Whether the provider generated the object's name."""
    annotations = _metadata(inputs).get("annotations")
    return isinstance(annotations, Mapping) and annotations.get(_AUTONAMED) == "true"


def keeps_its_name(old: Properties, new: Properties) -> bool:
    """Whether the replacement has the same name, so that the old object must be deleted first."""
    before, after = _metadata(old), _metadata(new)
    return (
        "name" in after  # a chart's release has no metadata, and is never deleted first
        and not is_autonamed(new)
        and all(before.get(name) == after.get(name) for name in ("name", "namespace"))
    )


def _metadata(inputs: Properties) -> Mapping[str, Any]:
    """The metadata without secret marks; empty if it is not known yet."""
    metadata = reveal(inputs.get("metadata", {}))
    return metadata if isinstance(metadata, Mapping) else {}


def replace_on(token: str, new: Properties, settings: Properties) -> tuple[str, ...]:
    """The inputs whose change makes the provider replace the object.

    The provider's settings ``enableSecretMutable`` and ``enableConfigMapMutable`` decide about the
    contents of secrets and config maps.
    """
    paths = ("metadata.name", "metadata.namespace", *record_of(token).replace_on)
    immutable = new.get("immutable")
    if token == kubernetes.SECRET and (immutable or not settings.get("enableSecretMutable")):
        return (*paths, "data", "stringData")
    if token == kubernetes.CONFIG_MAP and (immutable or not settings.get("enableConfigMapMutable")):
        return (*paths, "data", "binaryData")
    return paths


def prune(live: Any, wanted: Any) -> Any:
    """The live inputs without the fields that the program does not set: others may own those."""
    if isinstance(live, Mapping) and isinstance(wanted, Mapping) and not is_special(live):
        return {name: prune(live[name], wanted[name]) for name in wanted if name in live}
    if isinstance(live, list) and isinstance(wanted, list):
        matched = [prune(*pair) for pair in zip(live, wanted, strict=False)]
        return matched + live[len(matched) :]
    return live

"""Rules that compare sections, each of which is valid on its own."""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from components.config.accounts import Cloudflare, Gcp, PulumiCloud
from components.config.errors import SettingError, setting_path
from components.config.kubernetes import GRACE_SECONDS, Kubernetes
from components.config.platform import Network
from components.config.secrets import Secrets
from components.config.services import CURRENT, Api, ApiOrigin, RevisionShares, Size, Web, Workers
from components.config.values import Chain, RuntimeConfig
from components.names import WORKER_IMAGE, Names
from components.secrets.catalogue import SECRETS

_S = TypeVar("_S")


@dataclass(frozen=True, slots=True)
class Sections:
    """The sections that are valid on their own, for the rules that compare them."""

    valid: Mapping[str, Any]

    def get(self, name: str, section_type: type[_S]) -> _S | None:
        section = self.valid.get(name)
        return section if isinstance(section, section_type) else None

    @property
    def in_cluster(self) -> Kubernetes | None:
        """The cluster's settings, if the runtime has one."""
        runtime = self.valid.get("runtime", "managed")
        return None if runtime == "managed" else self.get("kubernetes", Kubernetes)

    @property
    def names(self) -> Names | None:
        environment = self.valid.get("environment")
        return Names(environment) if environment else None


def _domains_are_in_the_zone(sections: Sections) -> Iterator[SettingError]:
    cloudflare = sections.get("cloudflare", Cloudflare)
    api, web = sections.get("api", Api), sections.get("web", Web)
    kubernetes = sections.get("kubernetes", Kubernetes)
    cluster_api = kubernetes.api if kubernetes else None
    parts = {"api": api, "web": web, "kubernetes.api": cluster_api}
    hosts = {f"pull:{name}.domain": part.domain for name, part in parts.items() if part}
    for path, host in hosts.items():
        if cloudflare and not host.endswith(f".{cloudflare.zone}"):
            yield SettingError(path, host, f"a host name below {cloudflare.zone}")
    for (path, host), (other_path, other) in itertools.combinations(hosts.items(), 2):
        if host == other:
            yield SettingError(other_path, other, f"a host name that differs from {path}")


def _images_are_ours_and_immutable(sections: Sections) -> Iterator[SettingError]:
    gcp = sections.get("gcp", Gcp)
    production = sections.valid.get("environment") == "production"
    images: dict[str, str] = {}
    if workers := sections.get("workers", Workers):
        images["pull:workers.image"] = workers.image
        images |= {
            f"pull:workers.fleet.{worker_type}.image": worker.image
            for worker_type, worker in workers.fleet.items()
            if worker.image
        }
    if origin := sections.get("api_origin", ApiOrigin):
        images["pull:api_origin.image"] = origin.image
    if kubernetes := sections.get("kubernetes", Kubernetes):
        images["pull:kubernetes.api.image"] = kubernetes.api.image
    for path, image in images.items():
        if image.endswith(":latest"):
            yield SettingError(
                path, image, "the tag of one build, or a digest: latest changes without a release"
            )
        elif production and "@sha256:" not in image:
            yield SettingError(path, image, "an image with a digest (@sha256:…) in production")
        if gcp and not image.startswith(f"gcr.io/{gcp.project}/"):
            yield SettingError(
                path, image, f"an image in this project's registry, gcr.io/{gcp.project}/…"
            )
        if path.startswith("pull:workers") and re.split("[@:]", image)[0].rsplit("/", 1)[-1] != (
            WORKER_IMAGE
        ):
            yield SettingError(path, image, f"the workers' image, which is called {WORKER_IMAGE}")


def _subnet_has_addresses_for_the_fleet(sections: Sections) -> Iterator[SettingError]:
    """Direct egress uses two addresses per instance.

    https://cloud.google.com/run/docs/configuring/vpc-direct-vpc
    """
    network, workers = sections.get("network", Network), sections.get("workers", Workers)
    if not network or not workers or workers.egress != "direct":
        return
    origin = sections.get("api_origin", ApiOrigin)
    instances = sum(worker.max_instances for worker in workers.fleet.values())
    instances += origin.max_instances if origin else 0
    usable = ipaddress.IPv4Network(network.subnet_cidr).num_addresses - _RESERVED_ADDRESSES
    if 2 * instances > usable:
        yield SettingError(
            "pull:network.subnet_cidr",
            network.subnet_cidr,
            f"a range of at least {2 * instances} usable addresses, two for each of the "
            f"{instances} instances that may run; this range has {usable}",
        )


def _traffic_names_revisions_of_its_service(sections: Sections) -> Iterator[SettingError]:
    names = sections.names
    if names is None:
        return
    traffic: dict[str, tuple[str, RevisionShares]] = {}
    if workers := sections.get("workers", Workers):
        for worker_type, worker in workers.fleet.items():
            path = f"pull:workers.fleet.{worker_type}"
            traffic[path] = names.worker(worker_type), worker.traffic
    if origin := sections.get("api_origin", ApiOrigin):
        traffic["pull:api_origin"] = names.api, origin.traffic
    for path, (service, shares) in traffic.items():
        for position, share in enumerate(shares):
            if share.revision != CURRENT and not share.revision.startswith(f"{service}-"):
                yield SettingError(
                    setting_path(path, "traffic", position, "revision"),
                    share.revision,
                    f"{CURRENT}, or a revision of {service}: its name starts with {service}-",
                )


def _secret_ids_are_unique(sections: Sections) -> Iterator[SettingError]:
    secrets, names = sections.get("secrets", Secrets), sections.names
    if secrets is None or names is None:
        return
    ids = {
        variable.name: secrets.ids.get(variable.name) or names.secret(variable.name)
        for variable in SECRETS
    }
    for variable, secret_id in secrets.ids.items():
        others = [name for name, other in ids.items() if other == secret_id and name != variable]
        if others:
            expected = f"a unique id: this id belongs to {', '.join(others)}"
            yield SettingError(setting_path("pull:secrets.ids", variable), secret_id, expected)


def _review_stacks_are_copies_of_staging(sections: Sections) -> Iterator[SettingError]:
    cloud = sections.get("pulumi_cloud", PulumiCloud)
    production = sections.valid.get("environment") == "production"
    if cloud and cloud.review_stacks and (production or sections.valid.get("protect")):
        expected = "no review stacks: they are copies of staging, and staging must be unprotected"
        yield SettingError("pull:pulumi_cloud.review_stacks", cloud.review_stacks.until, expected)


def _mainnet_is_only_for_production(sections: Sections) -> Iterator[SettingError]:
    chain = sections.get("chain", Chain)
    staging = sections.valid.get("environment") == "staging"
    if staging and chain and chain.network == "polygon-mainnet":
        yield SettingError("pull:chain.network", chain.network, "polygon-amoy outside production")


def _a_cluster_runtime_has_its_section(sections: Sections) -> Iterator[SettingError]:
    runtime = sections.valid.get("runtime", "managed")
    if runtime != "managed" and sections.valid.get("kubernetes", ...) is None:
        expected = f"a section with api and either cluster or existing, for pull:runtime={runtime}"
        yield SettingError("pull:kubernetes", None, expected)


def _cluster_ranges_do_not_overlap(sections: Sections) -> Iterator[SettingError]:
    network, kubernetes = sections.get("network", Network), sections.get("kubernetes", Kubernetes)
    if not network or not kubernetes or not kubernetes.cluster:
        return
    cluster = kubernetes.cluster
    ranges = {
        "pull:network.subnet_cidr": network.subnet_cidr,
        "pull:network.services_cidr": network.services_cidr,
        "pull:network.connector.cidr": network.connector.cidr,
        "pull:kubernetes.cluster.nodes_cidr": cluster.nodes_cidr,
        "pull:kubernetes.cluster.pods_cidr": cluster.pods_cidr,
        "pull:kubernetes.cluster.services_cidr": cluster.services_cidr,
    }
    for (path, cidr), (other_path, other) in itertools.combinations(ranges.items(), 2):
        overlap = ipaddress.IPv4Network(cidr).overlaps(ipaddress.IPv4Network(other))
        if overlap and other_path.startswith("pull:kubernetes"):
            expected = f"a range that does not overlap {path.removeprefix('pull:')}={cidr}"
            yield SettingError(other_path, other, expected)


_RESERVED_ADDRESSES: Final = 4
"""Addresses of every subnet that Google reserves.

https://cloud.google.com/vpc/docs/subnets#unusable-ip-addresses-in-every-subnet
"""

_ADDRESSES_PER_NODE: Final = 64
"""Autopilot runs up to 32 pods on a node and gives it twice as many addresses, a /26.

https://cloud.google.com/kubernetes-engine/docs/how-to/flexible-pod-cidr
"""


def _a_cluster_has_addresses_for_the_fleet(sections: Sections) -> Iterator[SettingError]:
    """Pods spread over zones and nodes; in the worst case, each pod has its own node."""
    kubernetes, workers = sections.in_cluster, sections.get("workers", Workers)
    if not kubernetes or not kubernetes.cluster or not workers:
        return
    pods = kubernetes.api.max_instances
    pods += sum(worker.max_instances for worker in workers.fleet.values())
    for name, cidr, needed, share in (
        ("nodes_cidr", kubernetes.cluster.nodes_cidr, pods + _RESERVED_ADDRESSES, "one address"),
        ("pods_cidr", kubernetes.cluster.pods_cidr, pods * _ADDRESSES_PER_NODE, "a /26"),
    ):
        if ipaddress.IPv4Network(cidr).num_addresses < needed:
            expected = (
                f"a range of at least {needed} addresses: {share} for the node of each of the "
                f"{pods} instances that may run"
            )
            yield SettingError(f"pull:kubernetes.cluster.{name}", cidr, expected)


def _autopilot_offers_the_sizes(sections: Sections) -> Iterator[SettingError]:
    """Autopilot raises memory to at least 1 GiB per CPU, and bills it.

    https://cloud.google.com/kubernetes-engine/docs/concepts/autopilot-resource-requests
    """
    kubernetes, workers = sections.in_cluster, sections.get("workers", Workers)
    if not kubernetes or not kubernetes.cluster:
        return
    sizes: dict[str, Size] = {"pull:kubernetes.api": kubernetes.api}
    if workers:
        sizes |= {
            f"pull:workers.fleet.{worker_type}": worker
            for worker_type, worker in workers.fleet.items()
        }
    for path, size in sizes.items():
        if size.memory_gib < size.cpu:
            expected = f"at least {size.cpu} GiB for {size.cpu} CPUs on Autopilot"
            yield SettingError(f"{path}.memory_gib", size.memory_gib, expected)


def _an_activity_ends_before_its_node(sections: Sections) -> Iterator[SettingError]:
    """An upgrade of a node waits at most one hour for its pods.

    https://cloud.google.com/kubernetes-engine/docs/concepts/node-pool-upgrade-strategies
    """
    config = sections.get("runtime_config", RuntimeConfig)
    max_seconds = 3600 - GRACE_SECONDS
    if sections.in_cluster and config:
        timeout = config.worker.activity_start_to_close_timeout_ms
        if timeout > max_seconds * 1000:
            yield SettingError(
                "pull:runtime_config.worker.activity_start_to_close_timeout_ms",
                timeout,
                f"at most {max_seconds * 1000}: an upgrade of a node kills its workers one hour "
                "after it has asked them to stop",
            )


RULES: Final[tuple[Callable[[Sections], Iterator[SettingError]], ...]] = (
    _domains_are_in_the_zone,
    _images_are_ours_and_immutable,
    _subnet_has_addresses_for_the_fleet,
    _traffic_names_revisions_of_its_service,
    _secret_ids_are_unique,
    _mainnet_is_only_for_production,
    _review_stacks_are_copies_of_staging,
    _a_cluster_runtime_has_its_section,
    _cluster_ranges_do_not_overlap,
    _a_cluster_has_addresses_for_the_fleet,
    _autopilot_offers_the_sizes,
    _an_activity_ends_before_its_node,
)

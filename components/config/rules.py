"""Rules that compare sections: what is right by itself and wrong beside another."""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from components.config.accounts import Cloudflare, Gcp, PulumiCloud
from components.config.errors import SettingError, place
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
    """The sections that are right by themselves, for the rules that compare two of them."""

    valid: Mapping[str, Any]

    def get(self, name: str, kind: type[_S]) -> _S | None:
        found = self.valid.get(name)
        return found if isinstance(found, kind) else None

    @property
    def in_cluster(self) -> Kubernetes | None:
        """The cluster's settings, where the runtime has one."""
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
            yield SettingError(other_path, other, f"another host name than {path}")


def _images_are_ours_and_fixed(sections: Sections) -> Iterator[SettingError]:
    gcp = sections.get("gcp", Gcp)
    production = sections.valid.get("environment") == "production"
    images: dict[str, str] = {}
    if workers := sections.get("workers", Workers):
        images["pull:workers.image"] = workers.image
        images |= {
            f"pull:workers.fleet.{kind}.image": worker.image
            for kind, worker in workers.fleet.items()
            if worker.image
        }
    if origin := sections.get("api_origin", ApiOrigin):
        images["pull:api_origin.image"] = origin.image
    if kubernetes := sections.get("kubernetes", Kubernetes):
        images["pull:kubernetes.api.image"] = kubernetes.api.image
    for path, image in images.items():
        if image.endswith(":latest"):
            yield SettingError(
                path, image, "a tag of one build, or a digest: latest moves without a release"
            )
        elif production and "@sha256:" not in image:
            yield SettingError(path, image, "an image by its digest (@sha256:…) in production")
        if gcp and not image.startswith(f"gcr.io/{gcp.project}/"):
            yield SettingError(
                path, image, f"an image of this project's registry, gcr.io/{gcp.project}/…"
            )
        if path.startswith("pull:workers") and re.split("[@:]", image)[0].rsplit("/", 1)[-1] != (
            WORKER_IMAGE
        ):
            yield SettingError(path, image, f"the workers' image, named {WORKER_IMAGE}")


def _subnet_holds_the_fleet(sections: Sections) -> Iterator[SettingError]:
    """Direct egress takes two addresses for each instance (Cloud Run, "Direct VPC egress")."""
    network, workers = sections.get("network", Network), sections.get("workers", Workers)
    if not network or not workers or workers.egress != "direct":
        return
    origin = sections.get("api_origin", ApiOrigin)
    instances = sum(worker.max_instances for worker in workers.fleet.values())
    instances += origin.max_instances if origin else 0
    # Google keeps four addresses of every subnet for itself.
    usable = ipaddress.IPv4Network(network.subnet_cidr).num_addresses - 4
    if 2 * instances > usable:
        yield SettingError(
            "pull:network.subnet_cidr",
            network.subnet_cidr,
            f"a range of at least {2 * instances} usable addresses, two for each of the "
            f"{instances} instances that may run; this one has {usable}",
        )


def _traffic_names_revisions_of_its_service(sections: Sections) -> Iterator[SettingError]:
    names = sections.names
    if names is None:
        return
    traffic: dict[str, tuple[str, RevisionShares]] = {}
    if workers := sections.get("workers", Workers):
        for kind, worker in workers.fleet.items():
            traffic[f"pull:workers.fleet.{kind}"] = names.worker(kind), worker.traffic
    if origin := sections.get("api_origin", ApiOrigin):
        traffic["pull:api_origin"] = names.api, origin.traffic
    for path, (service, shares) in traffic.items():
        for position, share in enumerate(shares):
            if share.revision != CURRENT and not share.revision.startswith(f"{service}-"):
                yield SettingError(
                    place(path, "traffic", position, "revision"),
                    share.revision,
                    f"{CURRENT}, or a revision of {service}: its name starts with {service}-",
                )


def _each_secret_has_its_own_id(sections: Sections) -> Iterator[SettingError]:
    secrets, names = sections.get("secrets", Secrets), sections.names
    if secrets is None or names is None:
        return
    ids = {one.name: secrets.ids.get(one.name) or names.secret(one.name) for one in SECRETS}
    for variable, secret_id in secrets.ids.items():
        others = [name for name, other in ids.items() if other == secret_id and name != variable]
        if others:
            expected = f"an id of its own: this one belongs to {', '.join(others)}"
            yield SettingError(place("pull:secrets.ids", variable), secret_id, expected)


def _review_stacks_are_copies_of_staging(sections: Sections) -> Iterator[SettingError]:
    cloud = sections.get("pulumi_cloud", PulumiCloud)
    production = sections.valid.get("environment") == "production"
    if cloud and cloud.review_stacks and (production or sections.valid.get("protect")):
        expected = "nothing here: only staging, unprotected, can be copied and thrown away"
        yield SettingError("pull:pulumi_cloud.review_stacks", cloud.review_stacks.until, expected)


def _mainnet_is_for_production(sections: Sections) -> Iterator[SettingError]:
    chain = sections.get("chain", Chain)
    staging = sections.valid.get("environment") == "staging"
    if staging and chain and chain.network == "polygon-mainnet":
        yield SettingError("pull:chain.network", chain.network, "polygon-amoy outside production")


def _a_cluster_has_its_section(sections: Sections) -> Iterator[SettingError]:
    runtime = sections.valid.get("runtime", "managed")
    if runtime != "managed" and sections.valid.get("kubernetes", ...) is None:
        expected = f"a section with cluster or existing, and api, beside pull:runtime={runtime}"
        yield SettingError("pull:kubernetes", None, expected)


def _a_cluster_has_ranges_of_its_own(sections: Sections) -> Iterator[SettingError]:
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
    for (path, one), (other_path, other) in itertools.combinations(ranges.items(), 2):
        overlap = ipaddress.IPv4Network(one).overlaps(ipaddress.IPv4Network(other))
        if overlap and other_path.startswith("pull:kubernetes"):
            expected = f"a range that does not overlap {path.removeprefix('pull:')}={one}"
            yield SettingError(other_path, other, expected)


_ADDRESSES_OF_A_NODE: Final = 64
"""Autopilot runs up to 32 pods on a node and gives it twice as many addresses: a /26."""


def _a_cluster_holds_the_fleet(sections: Sections) -> Iterator[SettingError]:
    """Spread over zones and nodes, each pod may have a node to itself."""
    kubernetes, workers = sections.in_cluster, sections.get("workers", Workers)
    if not kubernetes or not kubernetes.cluster or not workers:
        return
    pods = kubernetes.api.max_instances
    pods += sum(worker.max_instances for worker in workers.fleet.values())
    for name, cidr, needed, what in (
        # Google keeps four addresses of every subnet for itself.
        ("nodes_cidr", kubernetes.cluster.nodes_cidr, pods + 4, "an address"),
        ("pods_cidr", kubernetes.cluster.pods_cidr, pods * _ADDRESSES_OF_A_NODE, "a /26"),
    ):
        if ipaddress.IPv4Network(cidr).num_addresses < needed:
            expected = (
                f"a range of at least {needed} addresses: {what} for the node of each of the "
            )
            yield SettingError(
                f"pull:kubernetes.cluster.{name}", cidr, f"{expected}{pods} instances that may run"
            )


def _autopilot_offers_the_sizes(sections: Sections) -> Iterator[SettingError]:
    """Autopilot raises memory below 1 GiB for each CPU by itself, and bills it."""
    kubernetes, workers = sections.in_cluster, sections.get("workers", Workers)
    if not kubernetes or not kubernetes.cluster:
        return
    sizes: dict[str, Size] = {"pull:kubernetes.api": kubernetes.api}
    if workers:
        sizes |= {f"pull:workers.fleet.{kind}": size for kind, size in workers.fleet.items()}
    for path, size in sizes.items():
        if size.memory_gib < size.cpu:
            expected = f"at least {size.cpu} GiB beside {size.cpu} CPUs on Autopilot"
            yield SettingError(f"{path}.memory_gib", size.memory_gib, expected)


def _an_activity_ends_before_its_node(sections: Sections) -> Iterator[SettingError]:
    """An upgrade of a node waits an hour for its pods and no longer (GKE, "Node upgrades")."""
    config = sections.get("runtime_config", RuntimeConfig)
    longest = 3600 - GRACE_SECONDS
    if sections.in_cluster and config:
        timeout = config.worker.activity_start_to_close_timeout_ms
        if timeout > longest * 1000:
            yield SettingError(
                "pull:runtime_config.worker.activity_start_to_close_timeout_ms",
                timeout,
                f"at most {longest * 1000}: Kubernetes ends a worker an hour after it was asked to "
                "end, whatever it is doing",
            )


RULES: Final[tuple[Callable[[Sections], Iterator[SettingError]], ...]] = (
    _domains_are_in_the_zone,
    _images_are_ours_and_fixed,
    _subnet_holds_the_fleet,
    _traffic_names_revisions_of_its_service,
    _each_secret_has_its_own_id,
    _mainnet_is_for_production,
    _review_stacks_are_copies_of_staging,
    _a_cluster_has_its_section,
    _a_cluster_has_ranges_of_its_own,
    _a_cluster_holds_the_fleet,
    _autopilot_offers_the_sizes,
    _an_activity_ends_before_its_node,
)

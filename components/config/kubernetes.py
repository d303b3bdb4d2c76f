"""The alternative runtime: a cluster made here or by others, and the API in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import Field

from components.config.errors import SettingError
from components.config.services import Image, Size
from components.config.types import Cidr, Host, Model, TimeOfDay, prefix_length

GRACE_SECONDS: Final = 30
"""Time that a worker has to shut down after its last activity has ended."""


class Autopilot(Model):
    """A GKE Autopilot cluster that this program creates, with its own subnet."""

    nodes_cidr: Annotated[Cidr, prefix_length(8, 28, "each node takes one address of it")]
    pods_cidr: Annotated[Cidr, prefix_length(9, 21, "Autopilot gives each node a /26 of it")]
    services_cidr: Annotated[Cidr, prefix_length(16, 27, "GKE accepts no other size for Services")]
    release_channel: Literal["RAPID", "REGULAR", "STABLE"]
    maintenance_start: TimeOfDay


class ExistingCluster(Model):
    """A GKE cluster that others operate; ``docs/kubernetes.md`` lists its requirements."""

    context: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:/@-]{0,252}$",
            description="context in the kubeconfig of the environment",
        ),
    ]


class ClusterApi(Size):
    """The API in the cluster."""

    # An autoscaler does not scale to zero: HPAScaleToZero is an alpha feature gate of Kubernetes.
    min_instances: Annotated[int, Field(ge=1, le=1000, description="instances that always run")]
    image: Image
    domain: Annotated[
        Host,
        Field(
            max_length=63,
            description="host name, lower case, at most 63 characters (the limit of a "
            "Google-managed certificate)",
        ),
    ]


class QueueDepth(Model):
    """An external metric of Cloud Monitoring that scales the workers."""

    metric: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9][A-Za-z0-9._|-]{0,199}$",
            description="name of a metric that counts waiting tasks, with | instead of /; it needs "
            "a label task_queue",
        ),
    ]
    tasks_per_instance: Annotated[
        int, Field(ge=1, le=100000, description="waiting tasks per instance")
    ]


class Kubernetes(Model):
    """The API and the workers on Kubernetes; ``workers.fleet`` has the workers' sizes and images.

    The section may stay in the file while the runtime is ``managed``, so that switching the runtime
    changes one word.
    """

    cluster: Autopilot | None = None
    existing: ExistingCluster | None = None
    api: ClusterApi
    queue_depth: QueueDepth | None = None

    def setting_errors(self) -> Iterator[SettingError]:
        if (self.cluster is None) == (self.existing is None):
            value = None if self.cluster is None else "set together with cluster"
            expected = "either cluster (created here) or existing (a context), and not both"
            yield SettingError("existing", value, expected)

"""The alternative runtime: a cluster made here or by others, and the API in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import Field

from components.config.errors import SettingError
from components.config.services import Image, Size
from components.config.words import Cidr, Host, Model, TimeOfDay, sized

GRACE_SECONDS: Final = 30
"""What a worker is given to say good-bye after its last activity has ended."""


class Autopilot(Model):
    """A GKE Autopilot cluster that is made here, with a subnet of its own."""

    nodes_cidr: Annotated[Cidr, sized(8, 28, "each node takes an address of it")]
    pods_cidr: Annotated[Cidr, sized(9, 21, "Autopilot gives each node a /26 of it")]
    services_cidr: Annotated[Cidr, sized(16, 27, "GKE takes no other size for Services")]
    release_channel: Literal["RAPID", "REGULAR", "STABLE"]
    maintenance_start: TimeOfDay


class ExistingCluster(Model):
    """A GKE cluster that others look after: ``docs/kubernetes.md`` says what it must have."""

    context: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:/@-]{0,252}$",
            description="context of the kubeconfig that the environment names",
        ),
    ]


class ClusterApi(Size):
    """The API in the cluster."""

    # An autoscaler cannot wake what it has put to sleep.
    min_instances: Annotated[int, Field(ge=1, le=1000, description="instances that always run")]
    image: Image
    domain: Annotated[
        Host,
        Field(
            max_length=63,
            description="host name, lower case, at most 63 characters, which Google's certificates "
            "allow",
        ),
    ]


class QueueDepth(Model):
    """An external metric of Cloud Monitoring that scales the workers."""

    metric: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9][A-Za-z0-9._|-]{0,199}$",
            description="name of a metric that counts waiting tasks, with | in the place of / and "
            "with a label task_queue",
        ),
    ]
    tasks_per_instance: Annotated[
        int, Field(ge=1, le=100000, description="waiting tasks that one more instance is worth")
    ]


class Kubernetes(Model):
    """The API and the workers on Kubernetes; the workers' sizes and images are ``workers.fleet``.

    It may stay in the file while the runtime is managed, so that moving is one word.
    """

    cluster: Autopilot | None = None
    existing: ExistingCluster | None = None
    api: ClusterApi
    queue_depth: QueueDepth | None = None

    def wrong(self) -> Iterator[SettingError]:
        if (self.cluster is None) == (self.existing is None):
            said = None if self.cluster is None else "beside cluster"
            expected = "either a section cluster (made here) or a section existing (a context)"
            yield SettingError("existing", said, expected)

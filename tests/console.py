"""What somebody has done in the console of a cloud before the program runs."""

from __future__ import annotations

import warnings
from pathlib import Path

from resource_types import gcp
from sandbox.cloud import Cloud
from sandbox.store import Record


def enable_apis(folder: Path, project: str, *apis: str) -> None:
    """Enable APIs, such as ``pubsub``, in the sandbox's cloud in ``folder``."""
    cloud = Cloud(folder)
    with warnings.catch_warnings():
        # The SDKs warn about deprecated names while they are imported.
        warnings.simplefilter("ignore", DeprecationWarning)
        for api in apis:
            service = {"project": project, "service": f"{api}.googleapis.com"}
            cloud.create("", gcp.PROJECT_SERVICE, service, {})
    cloud.close()


def made(cloud: Cloud) -> list[Record]:
    """Everything in the cloud except its APIs."""
    return [record for record in cloud.resources() if record.type != gcp.PROJECT_SERVICE]

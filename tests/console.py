"""What somebody has done in the console of a cloud before the program comes."""

from __future__ import annotations

import warnings
from pathlib import Path

from sandbox import catalogue
from sandbox.cloud import Cloud, Record


def enable_apis(folder: Path, project: str, *apis: str) -> None:
    """Switch APIs on, such as ``pubsub``, in the cloud whose memory is in ``folder``."""
    cloud = Cloud(folder)
    with warnings.catch_warnings():
        # The SDKs warn of old names while they are imported.
        warnings.simplefilter("ignore", DeprecationWarning)
        for api in apis:
            service = {"project": project, "service": f"{api}.googleapis.com"}
            cloud.create("", catalogue.SERVICE, service, {})
    cloud.close()


def made(cloud: Cloud) -> list[Record]:
    """Everything in the cloud but its APIs."""
    return [thing for thing in cloud.resources() if thing.type != catalogue.SERVICE]

"""Accounts: the project, the zone, the teams and the repository that the estate belongs to."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.config.words import Hex32, Host, HttpsUrl, Model, Timestamp


class Gcp(Model):
    """The Google Cloud project: one for each environment."""

    project: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$",
            description="project id: 6 to 30 lower-case letters, digits and hyphens",
        ),
    ]
    project_number: Annotated[
        str, Field(pattern=r"^[0-9]{6,16}$", description="project number, quoted")
    ]
    region: Annotated[
        str,
        Field(pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}$", description="region, such as us-central1"),
    ]


class Cloudflare(Model):
    """The Cloudflare account and the zone that all host names are in."""

    account_id: Hex32
    zone: Host
    zone_id: Hex32
    secrets_store_id: Hex32


class Vercel(Model):
    """The Vercel team."""

    team: Annotated[
        str, Field(pattern=r"^[a-z0-9][a-zA-Z0-9_-]{1,99}$", description="team slug or team_… id")
    ]


class Github(Model):
    """The repository whose workflows may sign in."""

    repository: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", description="owner/name of the repository"
        ),
    ]


class ReviewStacks(Model):
    """A stack for each pull request, made by Pulumi Cloud from this one. Staging only."""

    until: Timestamp


class PulumiCloud(Model):
    """Pulumi Deployments; set up only when it is in the file."""

    organization: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38}[A-Za-z0-9])?$",
            description="organization in Pulumi Cloud",
        ),
    ]
    events_url: HttpsUrl | None = None
    review_stacks: ReviewStacks | None = None

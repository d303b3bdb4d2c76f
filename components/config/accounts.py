"""Accounts: the project, the zone, the teams and the repository of the estate."""

from __future__ import annotations

import re
from typing import Annotated

from publicsuffixlist import PublicSuffixList
from pydantic import AfterValidator, Field

from components.config.errors import known_name
from components.config.types import (
    Hex32,
    Host,
    HttpsUrl,
    Model,
    ProjectId,
    Timestamp,
    expected_error,
)
from resource_types.limits import REGIONS


def _region(text: str) -> str:
    if text not in REGIONS:
        raise expected_error(known_name(text, sorted(REGIONS)))
    return text


class Gcp(Model):
    """The Google Cloud project; each environment has its own."""

    project: ProjectId
    project_number: Annotated[
        str, Field(pattern=r"^[0-9]{6,16}$", description="project number, quoted")
    ]
    region: Annotated[
        str,
        Field(pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}$", description="region, such as us-central1"),
        AfterValidator(_region),
    ]


def _registrable(host: str) -> str:
    suffixes = PublicSuffixList(accept_unknown=False, only_icann=True)
    if suffixes.privatesuffix(host) is None:
        raise expected_error("a domain below a public suffix (publicsuffix.org), such as pull.com")
    return host


class Cloudflare(Model):
    """The Cloudflare account and the zone of all host names."""

    account_id: Hex32
    zone: Annotated[Host, AfterValidator(_registrable)]
    zone_id: Hex32
    secrets_store_id: Hex32


class Vercel(Model):
    """The Vercel team."""

    team: Annotated[
        str, Field(pattern=r"^[a-z0-9][a-zA-Z0-9_-]{1,99}$", description="team slug or team_… id")
    ]


def _github_repository(text: str) -> str:
    # https://docs.github.com/en/get-started/learning-about-github/types-of-github-accounts and
    # https://docs.github.com/en/repositories/creating-and-managing-repositories/creating-a-new-repository
    owner, name = text.split("/")
    if not re.fullmatch(r"(?!-)[A-Za-z0-9-]{1,39}(?:_[A-Za-z0-9]+)?(?<!-)", owner):
        raise expected_error("an owner of up to 39 letters, digits and hyphens: owner/name")
    if len(name) > 100 or name in (".", "..") or name.endswith(".git"):
        raise expected_error("a name of up to 100 characters, without .git: owner/name")
    return text


class Github(Model):
    """The repository whose workflows may sign in to Google Cloud."""

    repository: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", description="owner/name of the repository"
        ),
        AfterValidator(_github_repository),
    ]


class ReviewStacks(Model):
    """A stack for each pull request, which Pulumi Cloud copies from this one. Staging only."""

    until: Timestamp


class PulumiCloud(Model):
    """Pulumi Deployments; not set up if the section is absent."""

    organization: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38}[A-Za-z0-9])?$",
            description="organization in Pulumi Cloud",
        ),
    ]
    events_url: HttpsUrl | None = None
    review_stacks: ReviewStacks | None = None

"""What Pulumi Cloud accepts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from resource_types import pulumiservice
from resource_types.constraints.formats import is_cron, is_host_name, is_in_the_future
from resource_types.constraints.primitives import (
    Combination,
    Constraint,
    Constraints,
    Inputs,
    Rejection,
    Table,
    Values,
    choice,
    text,
)

_NAME: Final = r"[A-Za-z0-9_.-]{1,100}"
"""A project or a stack: https://www.pulumi.com/docs/iac/concepts/stacks/#create-stack"""


def _name(path: str) -> Constraint:
    return Constraint(path, text(_NAME, "letters, digits, ., - and _", "a b", "a/b", ""))


def _stack() -> Constraints:
    """The organization, project and stack that a setting belongs to."""
    return tuple(_name(path) for path in ("organization", "project", "stack"))


def _is_url(value: Any) -> bool:
    try:
        url = urlsplit(str(value))
        return url.scheme == "https" and is_host_name(url.hostname) and (url.port or 1) > 0
    except ValueError:
        return False


def _format(inputs: Inputs) -> Iterator[Rejection]:
    """https://www.pulumi.com/docs/pulumi-cloud/webhooks/#slack-webhooks"""
    if inputs.sets("stackName") and not inputs.sets("projectName"):
        yield Rejection("projectName", "set together with stackName")
    host = urlsplit(str(inputs.get("payloadUrl", ""))).hostname
    if inputs.get("format") == "slack" and host and host != "hooks.slack.com":
        yield Rejection("payloadUrl", "a URL of hooks.slack.com for the format slack")


def _repository(path: str) -> Constraint:
    return Constraint(
        path,
        text(
            r"(?!.*\.git$)[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+",
            "owner/name of the repository",
            "pull",
            "https://github.com/pull/pull",
            "pull/pull.git",
        ),
    )


def _is_duration(value: Any) -> bool:
    """https://pkg.go.dev/time#ParseDuration"""
    return bool(re.fullmatch(r"(?:\d+(?:\.\d+)?(?:h|m|s))+", str(value)))


_OIDC: Final = "operationContext.oidc.gcp"

_DEPLOYMENT_SETTINGS: Final[Constraints] = (
    *_stack(),
    Constraint(
        "vcs.provider",
        choice(
            *("github", "gitlab", "bitbucket", "azure_devops", "custom"), refused=("git", "GitHub")
        ),
    ),
    _repository("vcs.repository"),
    _repository("github.repository"),
    Constraint(
        "sourceContext.git.branch",
        text(
            r"(?:refs/heads/)?(?![-/.])(?!.*(?:\.\.|//|\.lock$))[^\s~^:?*\[\\]+(?<![/.])",
            "a branch",
            "a b",
            "a..b",
            "",
        ),
    ),
    Constraint(
        f"{_OIDC}.projectId",
        text(r"[1-9]\d{5,18}", "the number of a project", "pull-production", "12"),
    ),
    Constraint(
        f"{_OIDC}.serviceAccount",
        text(
            r"[^@\s]+@[a-z0-9.:-]+\.gserviceaccount\.com",
            "the e-mail address of a service account",
            "pull-deployer",
            "a@pull.com",
        ),
    ),
    Constraint(
        f"{_OIDC}.tokenLifetime",
        Values("a duration such as 1h0m0s", _is_duration, ("1 hour", "3600", "1d")),
    ),
)

_DRIFT_SCHEDULE: Final[Constraints] = (
    *_stack(),
    Constraint(
        "scheduleCron",
        Values(
            "a cron expression of five fields",
            is_cron,
            ("* * * *", "60 * * * *", "@daily", "every day", "0 0 * * * *"),
        ),
    ),
)

_TTL_SCHEDULE: Final[Constraints] = (
    *_stack(),
    Constraint(
        "timestamp",
        Values(
            "a time in the future, such as 2030-01-01T00:00:00Z",
            is_in_the_future,
            ("2001-01-01T00:00:00Z", "2030-01-01", "tomorrow", "2030-02-30T00:00:00Z"),
        ),
    ),
)

_STACK_TAGS: Final[Constraints] = (
    *_stack(),
    # https://www.pulumi.com/docs/iac/concepts/stacks/#stack-tags
    Constraint(
        "tags",
        Values(
            "names of up to 40 letters, digits, _, ., : and -, and values of up to 256 characters",
            lambda tags: (
                isinstance(tags, Mapping)
                and all(
                    re.fullmatch(r"[A-Za-z0-9_.:-]{1,40}", name) and len(str(value)) <= 256
                    for name, value in tags.items()
                )
            ),
            ({"a b": "c"}, {"a" * 41: "b"}, {"a": "b" * 257}),
        ),
    ),
)

_WEBHOOK: Final[Constraints] = (
    Constraint(
        "payloadUrl",
        Values(
            "an https:// URL",
            _is_url,
            (
                "http://example.com",
                "example.com",
                "https://",
                "https://a:99999/",
                "ftp://example.com",
            ),
        ),
    ),
    Constraint("displayName", Values("set", bool, ("",))),
    Combination(
        _format,
        ("format", "payloadUrl", "stackName", "projectName"),
        (
            (
                "",
                _hook := {
                    "organizationName": "pull",
                    "displayName": "a",
                    "stackName": "production",
                },
            ),
            ("", {**_hook, "projectName": "p", "format": "slack", "payloadUrl": "https://a.com/b"}),
        ),
    ),
)

_POLICY_GROUP: Final[Constraints] = (
    *(
        _name(path)
        for path in ("name", "organizationName", "stacks[].name", "stacks[].routingProject")
    ),
    # provider/pkg/resources/policy_group.go (Check)
    Constraint("entityType", choice("stacks", "accounts", refused=("stack", "Stacks"))),
    Constraint("mode", choice("preventative", "audit", refused=("preventive", "mandatory"))),
    Constraint(
        "policyPacks[].versionTag",
        text(r"\d+\.\d+\.\d+", "a version such as 1.0.0", "latest", "v1.0.0", "1.0"),
    ),
)

CONSTRAINTS: Final[Table] = {
    pulumiservice.DEPLOYMENT_SETTINGS: _DEPLOYMENT_SETTINGS,
    pulumiservice.DRIFT_SCHEDULE: _DRIFT_SCHEDULE,
    pulumiservice.POLICY_GROUP: _POLICY_GROUP,
    pulumiservice.STACK_TAGS: _STACK_TAGS,
    pulumiservice.TTL_SCHEDULE: _TTL_SCHEDULE,
    pulumiservice.WEBHOOK: _WEBHOOK,
}

"""What Pulumi Cloud accepts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from resource_types import pulumiservice
from resource_types.accepted.checks import (
    Acceptance,
    Agreement,
    Inputs,
    Refusal,
    Value,
    is_cron,
    is_host_name,
    is_in_the_future,
    matches,
    one_of,
)

_NAME: Final = r"[A-Za-z0-9_.-]{1,100}"
"""A project or a stack: https://www.pulumi.com/docs/iac/concepts/stacks/#create-stack"""


def _stack() -> tuple[Acceptance, ...]:
    """The organization, project and stack that a setting belongs to."""
    return tuple(
        matches(name, _NAME, "letters, digits, ., - and _", "a b", "a/b", "")
        for name in ("organization", "project", "stack")
    )


def _is_url(value: Any) -> bool:
    try:
        url = urlsplit(str(value))
        return url.scheme == "https" and is_host_name(url.hostname) and (url.port or 1) > 0
    except ValueError:
        return False


def _format(inputs: Inputs) -> Iterator[Refusal]:
    """https://www.pulumi.com/docs/pulumi-cloud/webhooks/#slack-webhooks"""
    host = urlsplit(str(inputs.get("payloadUrl", ""))).hostname
    if inputs.get("format") == "slack" and host and host != "hooks.slack.com":
        yield Refusal("payloadUrl", "a URL of hooks.slack.com for the format slack")
    if inputs.sets("stackName") and not inputs.sets("projectName"):
        yield Refusal("projectName", "set together with stackName")


def _repository(path: str) -> Acceptance:
    return matches(
        path,
        r"(?!.*\.git$)[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+",
        "owner/name of the repository",
        "pull",
        "https://github.com/pull/pull",
        "pull/pull.git",
    )


def _is_duration(value: Any) -> bool:
    """https://pkg.go.dev/time#ParseDuration"""
    return bool(re.fullmatch(r"(?:\d+(?:\.\d+)?(?:h|m|s))+", str(value)))


_OIDC: Final = "operationContext.oidc.gcp"

_DEPLOYMENT_SETTINGS: Final[tuple[Acceptance, ...]] = (
    *_stack(),
    one_of(
        "vcs.provider",
        *("github", "gitlab", "bitbucket", "azure_devops", "custom"),
        refused=("git", "GitHub"),
    ),
    _repository("vcs.repository"),
    _repository("github.repository"),
    matches(
        "sourceContext.git.branch",
        r"(?:refs/heads/)?(?![-/.])(?!.*(?:\.\.|//|\.lock$))[^\s~^:?*\[\\]+(?<![/.])",
        "a branch",
        "a b",
        "a..b",
        "",
    ),
    matches(
        f"{_OIDC}.projectId", r"[1-9]\d{5,18}", "the number of a project", "pull-production", "12"
    ),
    matches(
        f"{_OIDC}.serviceAccount",
        r"[^@\s]+@[a-z0-9.:-]+\.gserviceaccount\.com",
        "the e-mail address of a service account",
        "pull-deployer",
        "a@pull.com",
    ),
    Value(
        f"{_OIDC}.tokenLifetime",
        _is_duration,
        "a duration such as 1h0m0s",
        ("1 hour", "3600", "1d"),
    ),
)

_DRIFT_SCHEDULE: Final[tuple[Acceptance, ...]] = (
    *_stack(),
    Value(
        "scheduleCron",
        is_cron,
        "a cron expression of five fields",
        ("* * * *", "60 * * * *", "@daily", "every day", "0 0 * * * *"),
    ),
)

_TTL_SCHEDULE: Final[tuple[Acceptance, ...]] = (
    *_stack(),
    Value(
        "timestamp",
        is_in_the_future,
        "a time in the future, such as 2030-01-01T00:00:00Z",
        ("2001-01-01T00:00:00Z", "2030-01-01", "tomorrow", "2030-02-30T00:00:00Z"),
    ),
)

_STACK_TAGS: Final[tuple[Acceptance, ...]] = (
    *_stack(),
    # https://www.pulumi.com/docs/iac/concepts/stacks/#stack-tags
    Value(
        "tags",
        lambda tags: (
            isinstance(tags, Mapping)
            and all(
                re.fullmatch(r"[A-Za-z0-9_.:-]{1,40}", name) and len(str(value)) <= 256
                for name, value in tags.items()
            )
        ),
        "names of up to 40 letters, digits, _, ., : and -, and values of up to 256 characters",
        ({"a b": "c"}, {"a" * 41: "b"}, {"a": "b" * 257}),
    ),
)

_WEBHOOK: Final[tuple[Acceptance, ...]] = (
    Value(
        "payloadUrl",
        _is_url,
        "an https:// URL",
        ("http://example.com", "example.com", "https://", "https://a:99999/", "ftp://example.com"),
    ),
    Value("displayName", bool, "set", ("",)),
    Agreement(
        _format,
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

ACCEPTED: Final[Mapping[str, tuple[Acceptance, ...]]] = {
    pulumiservice.DEPLOYMENT_SETTINGS: _DEPLOYMENT_SETTINGS,
    pulumiservice.DRIFT_SCHEDULE: _DRIFT_SCHEDULE,
    pulumiservice.STACK_TAGS: _STACK_TAGS,
    pulumiservice.TTL_SCHEDULE: _TTL_SCHEDULE,
    pulumiservice.WEBHOOK: _WEBHOOK,
}

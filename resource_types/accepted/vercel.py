"""What Vercel accepts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from resource_types import vercel
from resource_types.accepted.checks import (
    Acceptance,
    Agreement,
    Inputs,
    Refusal,
    Value,
    at_most,
    between,
    is_host_name,
    matches,
    one_of,
    unique,
)

# -- projects --------------------------------------------------------------------------------------

_FRAMEWORKS: Final = (
    *("angular", "astro", "blitzjs", "brunch", "create-react-app", "docusaurus", "docusaurus-2"),
    *("dojo", "eleventy", "elysia", "ember", "express", "fastapi", "fasthtml", "fastify", "flask"),
    *("gatsby", "gridsome", "h3", "hexo", "hono", "hugo", "hydrogen", "ionic-angular"),
    *("ionic-react", "jekyll", "koa", "middleman", "nestjs", "nextjs", "nitro", "nuxtjs", "parcel"),
    *("polymer", "preact", "python", "react-router", "redwoodjs", "remix", "saber", "sanity"),
    *("sanity-v3", "sapper", "scully", "solidstart", "solidstart-1", "stencil", "storybook"),
    *("svelte", "sveltekit", "sveltekit-1", "tanstack-start", "umijs", "vite", "vitepress", "vue"),
    *("vuepress", "xmcp", "zola", "backend", "services", "node", "rust", "go", "ruby", "django"),
)
"""https://vercel.com/docs/frameworks and packages/frameworks of https://github.com/vercel/vercel"""

_NODE_VERSIONS: Final = ("20.x", "22.x", "24.x")
"""https://vercel.com/docs/functions/runtimes/node-js/node-js-versions"""

_REPOSITORY: Final = r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+"
_REF: Final = (
    r"(?![-/.])(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)|/\.))[^\s~^:?*\[\\\x00-\x1f\x7f]+(?<![/.])"
)
"""A branch or a tag: https://git-scm.com/docs/git-check-ref-format"""

_PROJECT: Final[tuple[Acceptance, ...]] = (
    # https://vercel.com/docs/projects/managing-projects
    matches(
        "name",
        r"(?!.*---)[a-z0-9._-]{1,100}",
        "up to 100 of a-z, 0-9, ., - and _, without ---",
        "Pull-Web",
        "pull web",
        "pull---web",
        "a" * 101,
        "",
    ),
    one_of("framework", *_FRAMEWORKS, refused=("next", "Next.js", "nextjs14", "react")),
    one_of("nodeVersion", *_NODE_VERSIONS, refused=("22", "16.x", "99.x", "lts", "22.11.0")),
    one_of("gitRepository.type", "github", "gitlab", "bitbucket", refused=("git", "GitHub")),
    matches(
        "gitRepository.repo",
        _REPOSITORY,
        "owner/name of the repository",
        "pull",
        "https://github.com/pull/pull",
        "pull/",
        "pull/pull web",
    ),
    matches(
        "gitRepository.productionBranch", _REF, "a branch", "a b", "a..b", "main/", "", "a.lock"
    ),
    matches(
        "rootDirectory",
        r"(?!/)(?!.*(?:^|/)\.\.(?:/|$))[^\x00]+",
        "a path relative to the root of the repository",
        "/apps/web",
        "../web",
        "",
    ),
    one_of(
        "skewProtection", "30 minutes", "12 hours", "1 day", "7 days", refused=("2 hours", "12h")
    ),
    one_of(
        "buildMachineType",
        *("basic", "standard", "enhanced", "turbo", "elastic"),
        refused=("large", "Standard"),
    ),
    one_of(
        "resourceConfig.functionDefaultCpuType",
        *("standard_legacy", "standard", "performance"),
        refused=("large",),
    ),
    # https://vercel.com/docs/functions/configuring-functions/duration
    between("resourceConfig.functionDefaultTimeout", 1, 1800, "seconds"),
    matches(
        "serverlessFunctionRegion",
        r"[a-z]{3}1",
        "a region such as iad1",
        "us-east-1",
        "iad",
        "IAD1",
    ),
    matches(
        "resourceConfig.functionDefaultRegions[]",
        r"[a-z]{3}1",
        "a region such as iad1",
        "us-east-1",
    ),
    one_of("oidcTokenConfig.issuerMode", "team", "global", refused=("project",)),
)

# -- domains ---------------------------------------------------------------------------------------


def _redirect(inputs: Inputs) -> Iterator[Refusal]:
    if inputs.sets("redirectStatusCode") and not inputs.sets("redirect"):
        yield Refusal("redirect", "set together with redirectStatusCode")
    if inputs.get("redirect", "") == inputs.get("domain"):
        yield Refusal("redirect", "another domain")
    if inputs.sets("gitBranch") and inputs.sets("customEnvironmentId"):
        yield Refusal("gitBranch", "set without customEnvironmentId")


def _is_domain(value: Any) -> bool:
    return is_host_name(str(value).removeprefix("*."))


_PROJECT_DOMAIN: Final[tuple[Acceptance, ...]] = (
    Value(
        "domain",
        _is_domain,
        "a full host name",
        ("https://app.pull.com", "app.pull.com/", "app", "app_pull", "203.0.113.1", ""),
    ),
    Value("redirect", is_host_name, "a full host name", ("https://pull.com", "pull")),
    one_of("redirectStatusCode", 301, 302, 307, 308, refused=(300, 303, 200)),
    matches("gitBranch", _REF, "a branch", "a b", "a..b"),
    Agreement(
        _redirect,
        (
            ("", {"domain": "app.pull.com", "redirectStatusCode": 308}),
            ("", {"domain": "app.pull.com", "redirect": "app.pull.com"}),
        ),
    ),
)

# -- variables -------------------------------------------------------------------------------------

_TARGETS: Final = ("production", "preview", "development")
_RESERVED: Final = (
    *("AWS_SECRET_KEY", "AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME"),
    *("AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
    *("AWS_LAMBDA_FUNCTION_VERSION", "NOW_REGION", "TZ", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
)
"""https://vercel.com/docs/environment-variables/reserved-environment-variables (2025-12-10)"""

_SYSTEM: Final = (
    *("VERCEL", "VERCEL_ENV", "VERCEL_URL", "VERCEL_BRANCH_URL", "VERCEL_REGION"),
    *("VERCEL_DEPLOYMENT_ID", "VERCEL_PROJECT_ID", "VERCEL_TARGET_ENV"),
    "VERCEL_PROJECT_PRODUCTION_URL",
)
"""https://vercel.com/docs/environment-variables/system-environment-variables"""

_MAX_VARIABLES_BYTES: Final = 64 * 1024
"""All variables of a deployment: https://vercel.com/docs/environment-variables"""


def _is_variable(value: Any) -> bool:
    # "Only letters, digits and `_` are allowed": https://github.com/vercel/vercel/issues/1481
    name = str(value)
    is_system = name in _SYSTEM or name.startswith("VERCEL_GIT_")
    return bool(re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)) and not (
        name in _RESERVED or is_system
    )


def _targets(inputs: Inputs) -> Iterator[Refusal]:
    targets = inputs.get("targets")
    if inputs.value.get("targets") in (None, []) and not inputs.sets("customEnvironmentIds"):
        yield Refusal("targets", "set, or customEnvironmentIds")
    if inputs.sets("gitBranch") and targets is not None and targets != ["preview"]:
        yield Refusal("gitBranch", "set only for the target preview")
    if inputs.sets("value") == inputs.sets("valueWo"):
        yield Refusal("value", "set, or valueWo, and not both")


_VARIABLE: Final[tuple[Acceptance, ...]] = (
    Value(
        "key",
        _is_variable,
        "letters, digits and underscores, not starting with a digit, and not a reserved name",
        ("API-URL", "1_URL", "API URL", "", "VERCEL_URL", "VERCEL_GIT_COMMIT_SHA", *_RESERVED),
    ),
    at_most("key", 256),
    Value(
        "value",
        lambda value: len(str(value).encode()) <= _MAX_VARIABLES_BYTES,
        f"at most {_MAX_VARIABLES_BYTES} bytes long",
        ("a" * (_MAX_VARIABLES_BYTES + 1),),
    ),
    one_of("targets[]", *_TARGETS, refused=("staging", "Production")),
    unique("targets"),
    at_most("comment", 500),
    one_of("visibility", "config", "secret", refused=("public",)),
    matches("gitBranch", _REF, "a branch", "a b", "a..b"),
)

_PROJECT_VARIABLE: Final[tuple[Acceptance, ...]] = (
    *_VARIABLE,
    Agreement(
        _targets,
        (
            ("", {"projectId": "p", "key": "A", "value": "a"}),
            ("", {"projectId": "p", "key": "A", "value": "a", "targets": []}),
            ("", {"projectId": "p", "key": "A", "targets": ["preview"]}),
            (
                "",
                {
                    "projectId": "p",
                    "key": "A",
                    "value": "a",
                    "targets": ["production"],
                    "gitBranch": "main",
                },
            ),
        ),
    ),
)

# -- deployments -----------------------------------------------------------------------------------


def _source(inputs: Inputs) -> Iterator[Refusal]:
    if inputs.sets("ref") == inputs.sets("files"):
        yield Refusal("ref", "set, or files, and not both")


_DEPLOYMENT: Final[tuple[Acceptance, ...]] = (
    matches("ref", _REF, "a branch, a tag or a commit", "a b", "a..b", "main~1", "", "a:b"),
    one_of("projectSettings.framework", *_FRAMEWORKS, refused=("next",)),
    Agreement(
        _source,
        (
            ("", {"projectId": "p"}),
            ("", {"projectId": "p", "ref": "main", "files": {"a": "b"}}),
        ),
    ),
)

_RETENTION: Final[tuple[Acceptance, ...]] = tuple(
    one_of(
        f"expiration{name}",
        *("1d", "1w", "1m", "2m", "3m", "6m", "1y", "unlimited"),
        refused=("30d", "1 month", "2y"),
    )
    for name in ("Canceled", "Errored", "Preview", "Production")
)
"""The documentation of the provider's resource; ``unlimited`` is what Vercel shows for none."""

ACCEPTED: Final[Mapping[str, tuple[Acceptance, ...]]] = {
    vercel.DEPLOYMENT: _DEPLOYMENT,
    vercel.ENVIRONMENT_VARIABLE: _PROJECT_VARIABLE,
    vercel.PROJECT: _PROJECT,
    vercel.PROJECT_DEPLOYMENT_RETENTION: _RETENTION,
    vercel.PROJECT_DOMAIN: _PROJECT_DOMAIN,
    vercel.SHARED_ENVIRONMENT_VARIABLE: _VARIABLE,
}

"""What Vercel accepts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from resource_types import vercel
from resource_types.constraints.formats import is_host_name
from resource_types.constraints.primitives import (
    Combination,
    Constraint,
    Constraints,
    Inputs,
    Rejection,
    Table,
    Values,
    choice,
    length,
    number,
    text,
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

_PROJECT: Final[Constraints] = (
    # https://vercel.com/docs/projects/managing-projects
    Constraint(
        "name",
        text(
            r"(?!.*---)[a-z0-9._-]{1,100}",
            "up to 100 of a-z, 0-9, ., - and _, without ---",
            "Pull-Web",
            "pull web",
            "pull---web",
            "a" * 101,
            "",
        ),
    ),
    Constraint("framework", choice(*_FRAMEWORKS, refused=("next", "Next.js", "nextjs14", "react"))),
    Constraint(
        "nodeVersion", choice(*_NODE_VERSIONS, refused=("22", "16.x", "99.x", "lts", "22.11.0"))
    ),
    Constraint(
        "gitRepository.type", choice("github", "gitlab", "bitbucket", refused=("git", "GitHub"))
    ),
    Constraint(
        "gitRepository.repo",
        text(
            _REPOSITORY,
            "owner/name of the repository",
            "pull",
            "https://github.com/pull/pull",
            "pull/",
            "pull/pull web",
        ),
    ),
    Constraint(
        "gitRepository.productionBranch",
        text(_REF, "a branch", "a b", "a..b", "main/", "", "a.lock"),
    ),
    Constraint(
        "rootDirectory",
        text(
            r"(?!/)(?!.*(?:^|/)\.\.(?:/|$))[^\x00]+",
            "a path relative to the root of the repository",
            "/apps/web",
            "../web",
            "",
        ),
    ),
    Constraint(
        "skewProtection",
        choice("30 minutes", "12 hours", "1 day", "7 days", refused=("2 hours", "12h")),
    ),
    Constraint(
        "buildMachineType",
        choice(
            *("basic", "standard", "enhanced", "turbo", "elastic"), refused=("large", "Standard")
        ),
    ),
    Constraint(
        "resourceConfig.functionDefaultCpuType",
        choice(*("standard_legacy", "standard", "performance"), refused=("large",)),
    ),
    # https://vercel.com/docs/functions/configuring-functions/duration
    Constraint("resourceConfig.functionDefaultTimeout", number(1, 1800, "seconds")),
    Constraint(
        "serverlessFunctionRegion",
        text(r"[a-z]{3}1", "a region such as iad1", "us-east-1", "iad", "IAD1"),
    ),
    Constraint(
        "resourceConfig.functionDefaultRegions[]",
        text(r"[a-z]{3}1", "a region such as iad1", "us-east-1"),
    ),
    # vercel/terraform-provider-vercel, project
    Constraint(
        "vercelAuthentication.deploymentType",
        choice(
            *("standard_protection_new", "standard_protection", "all_deployments"),
            *("only_preview_deployments", "none"),
            refused=("production",),
        ),
    ),
    Constraint("oidcTokenConfig.issuerMode", choice("team", "global", refused=("project",))),
)

# -- domains ---------------------------------------------------------------------------------------


def _redirect(inputs: Inputs) -> Iterator[Rejection]:
    if inputs.sets("redirectStatusCode") and not inputs.sets("redirect"):
        yield Rejection("redirect", "set together with redirectStatusCode")
    if inputs.sets("gitBranch") and inputs.sets("customEnvironmentId"):
        yield Rejection("gitBranch", "set without customEnvironmentId")
    if inputs.get("redirect", "") == inputs.get("domain"):
        yield Rejection("redirect", "another domain")


def _is_domain(value: Any) -> bool:
    return is_host_name(str(value).removeprefix("*."))


_PROJECT_DOMAIN: Final[Constraints] = (
    Constraint(
        "domain",
        Values(
            "a full host name",
            _is_domain,
            ("https://app.pull.com", "app.pull.com/", "app", "app_pull", "203.0.113.1", ""),
        ),
    ),
    Constraint("redirect", Values("a full host name", is_host_name, ("https://pull.com", "pull"))),
    Constraint("redirectStatusCode", choice(301, 302, 307, 308, refused=(300, 303, 200))),
    Constraint("gitBranch", text(_REF, "a branch", "a b", "a..b")),
    Combination(
        _redirect,
        ("domain", "redirect", "redirectStatusCode", "gitBranch", "customEnvironmentId"),
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


def _targets(inputs: Inputs) -> Iterator[Rejection]:
    if inputs.sets("value") == inputs.sets("valueWo"):
        yield Rejection("value", "set, or valueWo, and not both")
    targets = inputs.get("targets", [])
    if not targets and not inputs.sets("customEnvironmentIds"):
        yield Rejection("targets", "set, or customEnvironmentIds")
    if inputs.sets("gitBranch") and targets and inputs.is_known(targets) and targets != ["preview"]:
        yield Rejection("gitBranch", "set only for the target preview")
    # https://vercel.com/docs/environment-variables/sensitive-environment-variables
    development = any(target == "development" for _, target in inputs.values_at("targets[]"))
    if inputs.get("sensitive") is True and development:
        yield Rejection("sensitive", "false for the target development")


_VARIABLE: Final[Constraints] = (
    Constraint(
        "key",
        Values(
            "letters, digits and underscores, not starting with a digit, and not a reserved name",
            _is_variable,
            ("API-URL", "1_URL", "API URL", "", "VERCEL_URL", "VERCEL_GIT_COMMIT_SHA", *_RESERVED),
        ),
    ),
    Constraint("key", length(256)),
    Constraint(
        "value",
        Values(
            f"at most {_MAX_VARIABLES_BYTES} bytes long",
            lambda value: len(str(value).encode()) <= _MAX_VARIABLES_BYTES,
            ("a" * (_MAX_VARIABLES_BYTES + 1),),
        ),
    ),
    Constraint("targets[]", choice(*_TARGETS, refused=("staging", "Production"))),
    unique("targets"),
    Constraint("comment", length(500)),
)

_PROJECT_VARIABLE: Final[Constraints] = (
    *_VARIABLE,
    Constraint("visibility", choice("config", "secret", refused=("public",))),
    Constraint("gitBranch", text(_REF, "a branch", "a b", "a..b")),
    Combination(
        _targets,
        ("targets", "gitBranch", "value", "valueWo", "customEnvironmentIds", "sensitive"),
        (
            (
                "",
                {
                    "projectId": "p",
                    "key": "A",
                    "value": "a",
                    "targets": ["development"],
                    "sensitive": True,
                },
            ),
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


def _source(inputs: Inputs) -> Iterator[Rejection]:
    if inputs.sets("ref") == inputs.sets("files"):
        yield Rejection("ref", "set, or files, and not both")


_DEPLOYMENT: Final[Constraints] = (
    Constraint(
        "ref", text(_REF, "a branch, a tag or a commit", "a b", "a..b", "main~1", "", "a:b")
    ),
    Constraint("projectSettings.framework", choice(*_FRAMEWORKS, refused=("next",))),
    Combination(
        _source,
        ("ref", "files"),
        (
            ("", {"projectId": "p"}),
            ("", {"projectId": "p", "ref": "main", "files": {"a": "b"}}),
        ),
    ),
)

_RETENTION: Final[Constraints] = tuple(
    Constraint(
        f"expiration{name}",
        choice(
            *("1d", "1w", "1m", "2m", "3m", "6m", "1y", "unlimited"),
            refused=("30d", "1 month", "2y"),
        ),
    )
    for name in ("Canceled", "Errored", "Preview", "Production")
)
"""The documentation of the provider's resource; ``unlimited`` is what Vercel shows for none."""

CONSTRAINTS: Final[Table] = {
    vercel.DEPLOYMENT: _DEPLOYMENT,
    vercel.ENVIRONMENT_VARIABLE: _PROJECT_VARIABLE,
    vercel.PROJECT: _PROJECT,
    vercel.PROJECT_DEPLOYMENT_RETENTION: _RETENTION,
    vercel.PROJECT_DOMAIN: _PROJECT_DOMAIN,
    vercel.SHARED_ENVIRONMENT_VARIABLE: _VARIABLE,
}

"""What Cloudflare accepts."""

from __future__ import annotations

import base64
import binascii
import functools
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from resource_types import cloudflare
from resource_types.constraints.formats import is_cron, is_date, is_host_name, is_time, today
from resource_types.constraints.primitives import (
    Combination,
    Constraint,
    Constraints,
    Inputs,
    Rejection,
    Table,
    Values,
    choice,
    each,
    is_number,
    items,
    length,
    number,
    text,
    unique,
)

# -- DNS -------------------------------------------------------------------------------------------
# https://developers.cloudflare.com/dns/manage-dns-records/reference/dns-record-types/

_HOST_TYPES: Final = ("CNAME", "MX", "NS", "PTR")
_PROXIED_TYPES: Final = ("A", "AAAA", "CNAME")
_MAX_RECORD_BYTES: Final = 4096
_DATA_RANGES: Final[Mapping[str, Mapping[str, int]]] = {
    "SRV": {"priority": 65535, "weight": 65535, "port": 65535},
    "CAA": {"flags": 255},
}
_CAA_TAGS: Final = ("contactemail", "contactphone", "iodef", "issue", "issuemail", "issuewild")


def _record_content(inputs: Inputs) -> Iterator[Rejection]:
    record_type, content = str(inputs.get("type")), inputs.get("content")
    if record_type in _DATA_RANGES:
        if not inputs.sets("data") and not inputs.sets("content"):
            yield Rejection("data", f"set for a record of type {record_type}")
    elif not inputs.sets("content") and not inputs.sets("data"):
        yield Rejection("content", "set")
    if not isinstance(content, str):
        return
    version = {"A": 4, "AAAA": 6}.get(record_type)
    if version and _ip_version(content) != version:
        yield Rejection("content", f"an IPv{version} address for a record of type {record_type}")
    if record_type in _HOST_TYPES and not (is_host_name(content) or content == "@"):
        yield Rejection("content", f"a full host name for a record of type {record_type}")
    if record_type == "TXT" and not 0 < len(content.encode()) <= _MAX_RECORD_BYTES:
        yield Rejection("content", f"1 to {_MAX_RECORD_BYTES} bytes of text")
    if record_type == "CNAME" and content.rstrip(".") == inputs.get("name"):
        yield Rejection("content", "another name than that of the record")


def _ip_version(text: str) -> int | None:
    try:
        return ipaddress.ip_address(text).version
    except ValueError:
        return None


def _record_data(inputs: Inputs) -> Iterator[Rejection]:
    record_type = str(inputs.get("type"))
    for name, most in _DATA_RANGES.get(record_type, {}).items():
        for path, value in inputs.values_at(f"data.{name}"):
            number = int(value) if str(value).isdigit() else -1
            if not 0 <= number <= most:
                yield Rejection(path, f"0 to {most} for a record of type {record_type}")
    if record_type == "SRV":
        for path, target in inputs.values_at("data.target"):
            if target != "." and not is_host_name(target):
                yield Rejection(path, "a full host name")
        for path, name in inputs.values_at("name"):
            if not re.match(r"_[a-z0-9-]+\._(tcp|udp|tls|sctp)(\.|$)", str(name), re.IGNORECASE):
                yield Rejection(path, "_service._protocol.name for a record of type SRV")
    if record_type == "CAA":
        for path, tag in inputs.values_at("data.tag"):
            if tag not in _CAA_TAGS:
                yield Rejection(path, f"one of {', '.join(_CAA_TAGS)}")


def _priority(inputs: Inputs) -> Iterator[Rejection]:
    if inputs.get("type") == "MX" and not (inputs.sets("priority") or inputs.sets("data")):
        yield Rejection("priority", "set for a record of type MX")


def _proxied(inputs: Inputs) -> Iterator[Rejection]:
    record_type, proxied = inputs.get("type"), inputs.get("proxied", False)
    if proxied and record_type and record_type not in _PROXIED_TYPES:
        yield Rejection(
            "proxied", f"false: only {', '.join(_PROXIED_TYPES)} records can be proxied"
        )
    # "ttl must be set to 1 when proxied": https://developers.cloudflare.com/dns/proxy-status/
    if proxied and inputs.get("ttl", 1) != 1:
        yield Rejection("ttl", "1 for a proxied record")


def _is_record_name(value: Any) -> bool:
    name = str(value).removeprefix("*.")
    return value in ("@", "*") or is_host_name(name) or is_host_name(f"{name}.zone.example")


_MX_RECORD: Final = {"zoneId": "z", "name": "pull.com", "type": "MX", "content": "mx.pull.com"}

_DNS_RECORD: Final[Constraints] = (
    Constraint(
        "name",
        Values(
            "a host name of labels of up to 63 characters, without a URL's scheme, port or path",
            _is_record_name,
            (
                "https://api.pull.com",
                "api.pull.com:443",
                "api.pull.com/",
                "a" * 64 + ".pull.com",
                "",
                "a b",
            ),
        ),
    ),
    Constraint(
        "ttl",
        Values(
            "1 for automatic, or 30 to 86400 seconds (from 60 without an Enterprise plan)",
            lambda ttl: ttl == 1 or (is_number(ttl) and 30 <= ttl <= 86400),
            (0, 29, 86401, -1),
        ),
    ),
    Constraint("comment", length(500)),
    Combination(
        _record_content,
        ("type", "name", "content", "data"),
        tuple(
            ("", {"zoneId": "z", "name": "a.pull.com", "ttl": 1, "type": kind, "content": content})
            for kind, content in (
                ("A", "pull.com"),
                ("A", "::1"),
                ("A", "203.0.113.300"),
                ("AAAA", "203.0.113.1"),
                ("AAAA", "100:::"),
                ("CNAME", "203.0.113.1"),
                ("CNAME", "https://vercel.com"),
                ("CNAME", "a.pull.com"),
                ("CNAME", ""),
                ("NS", "203.0.113.1"),
                ("TXT", ""),
                ("TXT", "a" * 5000),
                ("A", None),
                ("CAA", None),
            )
        ),
    ),
    Combination(
        _record_data,
        ("type", "name", "data"),
        tuple(
            ("", {"zoneId": "z", "ttl": 1, "type": kind, "name": name, "data": data})
            for kind, name, data in (
                ("SRV", "_sip._tcp.pull.com", {"port": 70000, "target": "a.pull.com"}),
                ("SRV", "_sip._tcp.pull.com", {"port": 443, "target": "203.0.113.1"}),
                ("SRV", "sip.pull.com", {"port": 443, "target": "a.pull.com"}),
                ("CAA", "pull.com", {"flags": 300, "tag": "issue", "value": "pki.goog"}),
                ("CAA", "pull.com", {"flags": 0, "tag": "issues", "value": "pki.goog"}),
            )
        ),
    ),
    Constraint("priority", number(0, 65535)),
    Combination(_priority, ("type", "priority", "data"), (("", _MX_RECORD),)),
    Combination(
        _proxied,
        ("type", "proxied", "ttl"),
        (
            ("", {**_MX_RECORD, "priority": 10, "proxied": True}),
            ("", {**_MX_RECORD, "type": "TXT", "proxied": True}),
            ("", {**_MX_RECORD, "type": "CNAME", "proxied": True, "ttl": 300}),
        ),
    ),
)

# -- Workers ---------------------------------------------------------------------------------------

_MODULE_TYPES: Final = (
    "application/javascript+module",
    "text/javascript+module",
    "application/javascript",
    "text/javascript",
    "text/x-python",
    "text/x-python-requirement",
    "application/wasm",
    "application/json",
    "text/plain",
    "application/octet-stream",
    "application/source-map",
)
"""https://developers.cloudflare.com/workers/configuration/multipart-upload-metadata/"""

_MAIN_TYPES: Final = ("application/javascript+module", "text/javascript+module", "text/x-python")

_BINDING_INPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "analytics_engine": ("dataset",),
    "dispatch_namespace": ("namespace",),
    "hyperdrive": ("id",),
    "json": ("json",),
    "kv_namespace": ("namespaceId",),
    "mtls_certificate": ("certificateId",),
    "plain_text": ("text",),
    "queue": ("queueName",),
    "r2_bucket": ("bucketName",),
    "secret_text": ("text",),
    "secrets_store_secret": ("storeId", "secretName"),
    "service": ("service",),
    "vectorize": ("indexName",),
}
"""Inputs that a binding of the type needs: the API's reference of a version's bindings.

https://developers.cloudflare.com/api/resources/workers/subresources/beta/subresources/workers/subresources/versions/methods/create/
"""

_MAX_VARIABLES: Final = 128
_MAX_VARIABLE_BYTES: Final = 5 * 1024
"""https://developers.cloudflare.com/workers/platform/limits/#environment-variables"""

_MAX_MODULES_BYTES: Final = 64 * 1024 * 1024
"""https://developers.cloudflare.com/workers/platform/limits/#worker-size"""


@functools.cache
def _compatibility_flags() -> frozenset[str]:
    """The flags of the Workers runtime: those in workerd 1.20261023.1 (23 October 2026)."""
    path = Path(__file__).with_name("compatibility_flags.txt")
    return frozenset(path.read_text("utf-8").split())


def _modules(inputs: Inputs) -> Iterator[Rejection]:
    modules = inputs.get("modules")
    if not isinstance(modules, list) or not inputs.is_known(modules):
        return
    main = inputs.get("mainModule")
    names = [name for _, name in inputs.values_at("modules[].name")]
    if main is not None and main not in names:
        yield Rejection("mainModule", "the name of one of the modules")
    if modules and not inputs.sets("mainModule"):
        yield Rejection("mainModule", "set, because the version has modules")
    size = 0
    for path, module in inputs.parts("modules[]"):
        content = module.get("contentBase64")
        if not (module.sets("contentBase64") or module.sets("contentFile")):
            yield Rejection(path, "a module with contentBase64 or contentFile")
        if content is not None:
            try:
                size += len(base64.b64decode(str(content), validate=True))
            except (binascii.Error, ValueError):
                yield Rejection(f"{path}.contentBase64", "base64")
        if module.get("name") == main and module.get("contentType") not in _MAIN_TYPES:
            yield Rejection(f"{path}.contentType", f"one of {', '.join(_MAIN_TYPES)}")
    if size > _MAX_MODULES_BYTES:
        yield Rejection("modules", f"at most {_MAX_MODULES_BYTES} bytes in total")


def _bindings(inputs: Inputs) -> Iterator[Rejection]:
    variables = 0
    for path, binding in inputs.parts("bindings[]"):
        for _, binding_type in binding.values_at("type"):
            variables += binding_type in ("plain_text", "secret_text", "json")
            for name in _BINDING_INPUTS.get(str(binding_type), ()):
                if not binding.sets(name):
                    yield Rejection(f"{path}.{name}", f"set for a binding of type {binding_type}")
    if variables > _MAX_VARIABLES:
        yield Rejection("bindings", f"at most {_MAX_VARIABLES} variables")


def _is_json(value: Any) -> bool:
    try:
        json.loads(str(value))
    except ValueError:
        return False
    return True


def _flags(inputs: Inputs) -> Iterator[Rejection]:
    flags = [flag for _, flag in inputs.values_at("compatibilityFlags[]")]
    for path, flag in inputs.values_at("compatibilityFlags[]"):
        if str(flag) not in _compatibility_flags():
            yield Rejection(path, "a flag of the Workers runtime")
        elif flags.count(flag) > 1:
            yield Rejection(path, "listed only once")
        elif f"no_{flag}" in flags:
            yield Rejection(path, f"listed without no_{flag}")


def _is_route(value: Any) -> bool:
    """A host, with a wildcard only at its start, and a path, with a wildcard only at its end.

    https://developers.cloudflare.com/workers/configuration/routing/routes/#validity
    """
    found = re.fullmatch(r"(?:https?://)?(\*?[^/*?#:\s]+)(/[^*?#\s]*\*?|\*)?", str(value))
    return found is not None and is_host_name(re.sub(r"^\*\.?", "", found[1]))


_MODULE: Final = {
    "name": "worker.js",
    "contentType": "application/javascript+module",
    "contentBase64": "YQ==",
}

_WORKER_VERSION: Final[Constraints] = (
    Constraint(
        "compatibilityDate",
        Values(
            "a day from 2021-11-02 to today",
            lambda value: is_date(value) and "2021-11-02" <= value <= today(),
            ("2999-01-01", "2026-02-30", "today", "01.10.2026", "2020-01-01"),
        ),
    ),
    Combination(
        _flags,
        ("compatibilityFlags",),
        (
            ("compatibilityFlags", ["nodejs-compat"]),
            ("compatibilityFlags", ["nodejs_compt"]),
            ("compatibilityFlags", ["experimental"]),
            ("compatibilityFlags", ["nodejs_compat", "nodejs_compat"]),
            ("compatibilityFlags", ["nodejs_compat", "no_nodejs_compat"]),
        ),
    ),
    Combination(
        _modules,
        ("mainModule", "modules"),
        (
            ("mainModule", "index.js"),
            ("", {"modules": [_MODULE]}),
            ("modules", [{**_MODULE, "name": "other.js"}]),
            ("modules[].contentType", "text/plain"),
            ("modules[].contentBase64", "no base64!"),
            ("", {"mainModule": "worker.js", "modules": [{**_MODULE, "contentBase64": None}]}),
        ),
    ),
    Constraint(
        "modules[].contentType", choice(*_MODULE_TYPES, refused=("javascript", "text/html"))
    ),
    unique("modules", "name"),
    Constraint(
        "bindings[].name",
        text(
            r"[A-Za-z_$][A-Za-z0-9_$]*",
            "the name of a JavaScript variable",
            "JWT-SECRET",
            "1_KEY",
            "",
            "A B",
        ),
    ),
    unique("bindings", "name"),
    Constraint("bindings[].json", Values("JSON", _is_json, ("{",))),
    *each(length(_MAX_VARIABLE_BYTES, unit="bytes"), "bindings[].text", "bindings[].json"),
    Combination(
        _bindings,
        ("bindings",),
        (
            ("bindings[]", {"name": "A", "type": "plain_text"}),
            ("bindings[]", {"name": "A", "type": "secrets_store_secret", "secretName": "a"}),
            ("bindings[]", {"name": "A", "type": "secrets_store_secret", "storeId": "a"}),
            ("bindings[]", {"name": "A", "type": "r2_bucket"}),
            (
                "bindings",
                [{"name": f"A{i}", "type": "plain_text", "text": "a"} for i in range(129)],
            ),
        ),
    ),
    Constraint("annotations.workersTag", length(100)),
    Constraint("limits.cpuMs", number(1, 300_000, "milliseconds")),
)

_WORKER: Final[Constraints] = (
    Constraint(
        "name",
        text(
            r"[a-z0-9_][a-z0-9_-]{0,254}",
            "up to 255 of a-z, 0-9, - and _",
            "Pull-API",
            "pull.api",
            "pull api",
            "",
            "a" * 256,
        ),
    ),
    # https://developers.cloudflare.com/cloudflare-for-platforms/workers-for-platforms/platform/limits/
    Constraint("tags", items(0, 8)),
    Constraint("tags[]", text(r"[^,&]{1,1024}", "a tag without , and &", "a,b", "a&b", "")),
    unique("tags"),
    *(
        Constraint(f"observability.{part}headSamplingRate", number(0, 1))
        for part in ("", "logs.", "traces.")
    ),
)


def _versions(inputs: Inputs) -> Iterator[Rejection]:
    """https://developers.cloudflare.com/workers/configuration/versions-and-deployments/"""
    percentages = [version.get("percentage") or 0 for version in inputs.get("versions", [])]
    if all(map(is_number, percentages)) and round(sum(percentages), 2) != 100:
        expected = f"percentages that sum to 100; these sum to {sum(percentages):g}"
        yield Rejection("versions", expected)


_UUID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

_WORKERS_DEPLOYMENT: Final[Constraints] = (
    Constraint(
        "versions[].versionId",
        text(_UUID, "the id of a version, a UUID", "latest", "1", "8f14e45f"),
    ),
    unique("versions", "versionId"),
    Constraint("versions", items(1, 2)),
    Combination(
        _versions,
        ("versions",),
        (("versions[].percentage", 40), ("versions", [{"versionId": "a", "percentage": 50}])),
    ),
    Constraint("versions[].percentage", number(0.01, 100, "percent")),
)

_WORKERS_ROUTE: Final[Constraints] = (
    Constraint(
        "pattern",
        Values(
            "a host with a path, such as api.pull.com/*, with a wildcard only at the start of the "
            "host and at the end of the path",
            _is_route,
            (
                "api.*.com/*",
                "api.pull.com/*/users",
                "api.pull.com/?q=*",
                "api.pull.com:443/*",
                "ftp://api.pull.com/*",
                "/*",
                "",
                "api pull.com/*",
            ),
        ),
    ),
)

# Cron triggers accept Quartz-like extensions in the fields of days:
# https://developers.cloudflare.com/workers/configuration/cron-triggers/#supported-cron-expressions
_CRON_TRIGGER: Final[Constraints] = (
    Constraint(
        "schedules[].cron",
        Values(
            "a cron expression of five fields",
            lambda value: is_cron(
                re.sub(r"(?<=[\s,\w-])(L|LW|\d*[LW]|\w+#[1-5])(?=[\s,]|$)", "1", str(value))
            ),
            ("* * * *", "60 * * * *", "every day", "* 24 * * *", "@daily"),
        ),
    ),
)

# -- R2 --------------------------------------------------------------------------------------------

_METHODS: Final = ("GET", "PUT", "POST", "DELETE", "HEAD")
_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"


def _is_origin(value: Any) -> bool:
    """A scheme, a host and a port, without a path: https://developers.cloudflare.com/r2/buckets/cors/"""
    found = re.fullmatch(r"[a-z][a-z0-9+.-]*://([^/:?#\s@]+)(?::(\d{1,5}))?", str(value))
    return value == "*" or (
        found is not None and found[1].count("*") <= 1 and 0 < int(found[2] or 1) <= 65535
    )


_R2_BUCKET_CORS: Final[Constraints] = (
    Constraint(
        "rules[].allowed.methods[]", choice(*_METHODS, refused=("OPTIONS", "PATCH", "get", "*"))
    ),
    Constraint(
        "rules[].allowed.origins[]",
        Values(
            "an origin such as https://app.pull.com, without a path",
            _is_origin,
            (
                "https://app.pull.com/",
                "app.pull.com",
                "https://app.pull.com/upload",
                "https://",
                "",
            ),
        ),
    ),
    Constraint(
        "rules[].allowed.headers[]", text(_TOKEN, "the name of a header", "content type", "", "a:b")
    ),
    Constraint(
        "rules[].exposeHeaders[]", text(_TOKEN, "the name of a header", "content type", "", "a:b")
    ),
    Constraint("rules[].maxAgeSeconds", number(0, 86400, "seconds")),
    unique("rules", "id"),
    *(
        Constraint(f"rules[].allowed.{name}", Values("a list that is not empty", bool, ([],)))
        for name in ("methods", "origins")
    ),
)

_R2_BUCKET: Final[Constraints] = (
    # https://developers.cloudflare.com/r2/buckets/create-buckets/
    Constraint(
        "name",
        text(
            r"[a-z0-9][-a-z0-9]{1,61}[a-z0-9]",
            "3 to 63 of a-z, 0-9 and -, and - neither first nor last",
            *("Pull Assets", "pull_assets", "-pull", "pull-", "ab", "a" * 64),
        ),
    ),
)

_TRANSITIONS: Final = (
    "abortMultipartUploadsTransition",
    "deleteObjectsTransition",
    "storageClassTransitions[]",
)


def _transitions(inputs: Inputs) -> Iterator[Rejection]:
    for rule_path, rule in inputs.parts("rules[]"):
        if not any(rule.sets(name.removesuffix("[]")) for name in _TRANSITIONS):
            yield Rejection(rule_path, "a rule with a transition")
        for name in _TRANSITIONS:
            for path, condition in rule.parts(f"{name}.condition"):
                needed = {"Age": "maxAge", "Date": "date"}.get(str(condition.get("type")))
                if needed and not condition.sets(needed):
                    yield Rejection(
                        f"{rule_path}.{path}.{needed}",
                        f"set for a condition of type {condition.get('type')}",
                    )


def _transition(condition: Mapping[str, Any]) -> dict[str, Any]:
    return {"rules": [{"id": "a", "deleteObjectsTransition": {"condition": condition}}]}


_R2_BUCKET_LIFECYCLE: Final[Constraints] = (
    # https://developers.cloudflare.com/r2/buckets/object-lifecycles/
    Constraint("rules", items(0, 1000)),
    Constraint("rules[].id", Values("set", bool, ("",))),
    unique("rules", "id"),
    *(
        Constraint(
            f"rules[].{name}.condition.maxAge",
            Values("more than 0 seconds", lambda value: is_number(value) and value > 0, (0, -1)),
        )
        for name in _TRANSITIONS
    ),
    *(
        Constraint(
            f"rules[].{name}.condition.date",
            Values(
                "a date such as 2026-10-01T00:00:00Z",
                lambda value: is_time(value) or is_date(value),
                ("tomorrow", "2026-02-30T00:00:00Z"),
            ),
        )
        for name in _TRANSITIONS[1:]
    ),
    Combination(
        _transitions,
        ("rules",),
        (
            ("", _transition({"type": "Age", "date": "2026-10-01T00:00:00Z"})),
            ("", _transition({"type": "Date", "maxAge": 86400})),
            ("", {"rules": [{"id": "a", "enabled": True}]}),
        ),
    ),
)

# -- zones -----------------------------------------------------------------------------------------

_SWITCH: Final = ("on", "off")
_ZONE_SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        (
            *("0rtt", "always_online", "always_use_https", "automatic_https_rewrites", "brotli"),
            *("browser_check", "development_mode", "early_hints", "email_obfuscation"),
            *("hotlink_protection", "http2", "http3", "ip_geolocation", "ipv6", "mirage"),
            *("opportunistic_encryption", "opportunistic_onion", "orange_to_orange"),
            *("origin_error_page_pass_thru", "prefetch_preload", "replace_insecure_js"),
            *("response_buffering", "rocket_loader", "server_side_exclude"),
            *("sort_query_string_for_cache", "tls_client_auth", "true_client_ip_header", "waf"),
            *("webp", "websockets"),
        ),
        _SWITCH,
    ),
    "cache_level": ("aggressive", "basic", "simplified"),
    "min_tls_version": ("1.0", "1.1", "1.2", "1.3"),
    "polish": ("off", "lossless", "lossy"),
    "pseudo_ipv4": ("off", "add_header", "overwrite_header"),
    "security_level": ("off", "essentially_off", "low", "medium", "high", "under_attack"),
    "ssl": ("off", "flexible", "full", "strict", "origin_pull"),
    "tls_1_3": ("on", "off", "zrt"),
}
"""The settings with a list of values.

https://developers.cloudflare.com/api/resources/zones/subresources/settings/
"""


def _zone_setting(inputs: Inputs) -> Iterator[Rejection]:
    allowed = _ZONE_SETTINGS.get(str(inputs.get("settingId")))
    value = inputs.get("value")
    if allowed and value is not None and value not in allowed:
        yield Rejection("value", f"one of {', '.join(allowed)}")


_ZONE_SETTING: Final[Constraints] = (
    Constraint(
        "settingId", text(r"[a-z0-9][a-z0-9_]*", "the id of a setting", "Min-TLS", "min tls", "")
    ),
    Combination(
        _zone_setting,
        ("settingId", "value"),
        tuple(
            ("", {"zoneId": "z", "settingId": name, "value": value})
            for name, value in (
                ("min_tls_version", "1.4"),
                ("min_tls_version", 1.2),
                ("ssl", "full_strict"),
                ("always_use_https", True),
                ("tls_1_3", "1.3"),
            )
        ),
    ),
)

CONSTRAINTS: Final[Table] = {
    cloudflare.DNS_RECORD: _DNS_RECORD,
    cloudflare.R2_BUCKET: _R2_BUCKET,
    cloudflare.R2_BUCKET_CORS: _R2_BUCKET_CORS,
    cloudflare.R2_BUCKET_LIFECYCLE: _R2_BUCKET_LIFECYCLE,
    cloudflare.WORKER: _WORKER,
    cloudflare.WORKER_VERSION: _WORKER_VERSION,
    cloudflare.WORKERS_CRON_TRIGGER: _CRON_TRIGGER,
    cloudflare.WORKERS_DEPLOYMENT: _WORKERS_DEPLOYMENT,
    cloudflare.WORKERS_ROUTE: _WORKERS_ROUTE,
    cloudflare.ZONE_SETTING: _ZONE_SETTING,
}

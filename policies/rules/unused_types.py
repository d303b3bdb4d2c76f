"""Rules about resource types that the estate does not use yet.

They protect such a resource from the day that it is added, even if its author knows no rules for
it. Once the estate uses a type, its rules move to the module of the service;
``tests/test_policies_rules.py`` fails until they do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policies.framework.demands import NOT_ALLOWED, Demand, at_least, equal, none_of, one_of
from policies.framework.paths import Finding, View
from policies.framework.rules import Custom, ForEach, Must, ResourceRule, SetValue, Severity, When
from policies.rules.iam import NOT_PUBLIC, grants_on
from policies.rules.kubernetes import texts
from policies.rules.network import is_wide
from resource_types import cloudflare, gcp, kubernetes, vercel

ADMINISTRATION_PORTS: Final = {
    22: "SSH",
    3389: "RDP",
    5432: "PostgreSQL",
    6378: "Redis",
    6379: "Redis",
}


TLS_VERSIONS: Final = ("1.2", "1.3")


def _value(demand: Demand) -> tuple[Must, ...]:
    return (Must("value", demand),)


# A setting of a zone, what it must be, and its name in Prowler.
ZONE_SETTINGS: Final[tuple[tuple[str, tuple[Must, ...], str], ...]] = (
    ("ssl", _value(one_of("strict", refused=("full", "flexible", "off"))), "zone_ssl_strict"),
    (
        "min_tls_version",
        _value(one_of(*TLS_VERSIONS, refused=("1.0", "1.1"))),
        "zone_min_tls_version_secure",
    ),
    ("tls_1_3", _value(one_of("on", "zrt", refused=("off",))), "zone_tls_1_3_enabled"),
    ("always_use_https", _value(equal("on", "off")), "zone_https_redirect_enabled"),
    (
        "automatic_https_rewrites",
        _value(equal("on", "off")),
        "zone_automatic_https_rewrites_enabled",
    ),
    ("development_mode", _value(equal("off", "on")), "zone_development_mode_disabled"),
    (
        "security_header",
        (
            Must("value.strict_transport_security.enabled", equal(True)),
            Must("value.strict_transport_security.max_age", at_least(15552000)),
        ),
        "zone_hsts_enabled",
    ),
)


def _open_ports(view: View) -> Iterator[Finding]:
    ranges = view.all("sourceRanges[]")
    unrestricted = not ranges and not view.all("sourceTags[]") + view.all("sourceServiceAccounts[]")
    if view.get("direction", "INGRESS") != "INGRESS" or view.get("disabled", False):
        return
    if not unrestricted and not any(map(is_wide, ranges)):
        return
    for rule in view.parts("allows[]"):
        allowed = rule.all("ports[]") or ["0-65535"]
        if rule.get("protocol") in ("icmp", "esp", "ah"):
            continue
        if any(_includes(str(ports), port) for ports in allowed for port in ADMINISTRATION_PORTS):
            names = ", ".join(sorted(set(ADMINISTRATION_PORTS.values())))
            yield rule.finding("", f"must not open {names} to the internet")


def _includes(ports: str, port: int) -> bool:
    first, _, last = ports.partition("-")
    return first.isdigit() and int(first) <= port <= int(last or first)


def _setting(name: str) -> Any:
    return lambda view: view.get("settingId") == name


def _no_wildcard(view: View) -> Iterator[Finding]:
    for path in ("apiGroups", "resources", "verbs"):
        if "*" in view.all(f"{path}[]"):
            yield view.finding(path, "must not be a wildcard")


def _no_secret_reading(view: View) -> Iterator[Finding]:
    reading = {"get", "list", "watch", "*"} & texts(view, "verbs[]")
    if reading and {"secrets", "*"} & texts(view, "resources[]"):
        yield view.finding("resources", "must not contain secrets together with verbs that read")


def _literal_secret(view: View) -> Iterator[Finding]:
    """The cluster fills the Secret of a service account token itself."""
    if view.get("type") != "kubernetes.io/service-account-token":
        for path in ("data", "stringData"):
            if view.get(path):
                yield view.finding(path, "must not be hard-coded in the program")


RULES: Final = (
    # -- Google Cloud --
    ResourceRule(
        id="run-no-public-invoker",
        severity=Severity.CRITICAL,
        what="No service can be invoked anonymously.",
        fix="Grant roles/run.invoker to the calling service account.",
        url="https://cloud.google.com/run/docs/authenticating/overview",
        frameworks=("CKV_GCP_102", "Prowler cloudrun_service_public_access"),
        types=grants_on("gcp:cloudrun/", "gcp:cloudrunv2/"),
        checks=NOT_PUBLIC,
        decidable_after_update=True,
    ),
    ResourceRule(
        id="storage-log-bucket-locked",
        severity=Severity.MEDIUM,
        what="The retention of a log bucket cannot be shortened.",
        fix="Set locked to true and retentionDays to 90 or more.",
        url="https://cloud.google.com/logging/docs/buckets#locking-logs-buckets",
        frameworks=("CIS-GCP-4.0 2.3", "CKV2_GCP_4"),
        types=(gcp.LOG_BUCKET,),
        checks=(Must("locked", equal(True)), Must("retentionDays", at_least(90))),
    ),
    ResourceRule(
        id="iam-audit-log-complete",
        severity=Severity.MEDIUM,
        what="Data access audit logs are complete, with no exempted members.",
        fix="Remove exemptedMembers, and log ADMIN_READ, DATA_READ and DATA_WRITE.",
        url="https://cloud.google.com/logging/docs/audit/configure-data-access",
        frameworks=("CIS-GCP-4.0 2.1", "CKV2_GCP_5"),
        types=(gcp.AUDIT_CONFIG,),
        checks=(
            Must("auditLogConfigs[].exemptedMembers", NOT_ALLOWED, optional=True),
            Must(
                "auditLogConfigs[logType=ADMIN_READ].logType", one_of("ADMIN_READ", refused=("",))
            ),
            Must("auditLogConfigs[logType=DATA_READ].logType", one_of("DATA_READ", refused=("",))),
            Must(
                "auditLogConfigs[logType=DATA_WRITE].logType", one_of("DATA_WRITE", refused=("",))
            ),
        ),
    ),
    ResourceRule(
        id="network-no-open-administration",
        severity=Severity.CRITICAL,
        what="No firewall opens SSH, RDP or a database port to the internet.",
        fix="Limit the rule to source ranges, tags or service accounts.",
        url="https://cloud.google.com/vpc/docs/firewalls",
        frameworks=("CIS-GCP-4.0 3.6", "CIS-GCP-4.0 3.7", "CKV_GCP_2", "CKV_GCP_3", "CKV_GCP_88"),
        types=(gcp.FIREWALL,),
        checks=(
            Custom(
                _open_ports,
                (
                    "direction",
                    "disabled",
                    "sourceRanges[]",
                    "allows[].protocol",
                    "allows[].ports[]",
                ),
                (
                    SetValue("sourceRanges", ["0.0.0.0/0"]),
                    SetValue("sourceRanges", ["::/0"]),
                    SetValue("sourceRanges", ["0.0.0.0/1", "128.0.0.0/1"]),
                    SetValue("sourceRanges", []),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="network-tls-policy",
        severity=Severity.HIGH,
        what="Load balancers require TLS 1.2 or newer with strong ciphers.",
        fix="Set minTlsVersion to TLS_1_2 and profile to MODERN or RESTRICTED.",
        url="https://cloud.google.com/load-balancing/docs/ssl-policies-concepts",
        frameworks=("CIS-GCP-4.0 3.9", "CKV_GCP_4"),
        types=(gcp.SSL_POLICY,),
        checks=(
            Must("minTlsVersion", one_of("TLS_1_2", "TLS_1_3", refused=("TLS_1_0", "TLS_1_1"))),
            Must("profile", one_of("MODERN", "RESTRICTED", refused=("COMPATIBLE",))),
        ),
    ),
    # -- Cloudflare --
    *(
        ResourceRule(
            id=f"zone-{setting.replace('_', '-')}",
            severity=Severity.HIGH,
            what=f"The zone setting {setting} has a secure value.",
            fix="Set the value that the message names.",
            url="https://developers.cloudflare.com/fundamentals/reference/policies-compliances/",
            frameworks=(f"Prowler {prowler}",),
            types=(cloudflare.ZONE_SETTING,),
            checks=(When(_setting(setting), checks),),
        )
        for setting, checks, prowler in ZONE_SETTINGS
    ),
    ResourceRule(
        id="zone-dnssec",
        severity=Severity.MEDIUM,
        what="DNSSEC is on.",
        fix="Set status to active.",
        url="https://developers.cloudflare.com/dns/dnssec/",
        frameworks=("Prowler zone_dnssec_enabled",),
        types=(cloudflare.ZONE_DNSSEC,),
        checks=(Must("status", one_of("active", refused=("disabled",))),),
    ),
    ResourceRule(
        id="zone-rules-enabled",
        severity=Severity.HIGH,
        what="No firewall or rate limiting rule is disabled.",
        fix="Enable the rule, or remove it.",
        url="https://developers.cloudflare.com/waf/",
        frameworks=("Prowler zone_waf_enabled", "Prowler zone_rate_limiting_enabled"),
        types=(cloudflare.RULESET,),
        checks=(Must("rules[].enabled", equal(True), optional=True),),
    ),
    ResourceRule(
        id="r2-not-public",
        severity=Severity.CRITICAL,
        what="No bucket is public through r2.dev.",
        fix="Set enabled to false.",
        url="https://developers.cloudflare.com/r2/buckets/public-buckets/",
        types=(cloudflare.R2_MANAGED_DOMAIN,),
        checks=(Must("enabled", equal(False)),),
    ),
    ResourceRule(
        id="r2-domain-tls",
        severity=Severity.HIGH,
        what="A bucket's custom domain requires TLS 1.2 or newer.",
        fix='Set minTls to "1.2" or "1.3".',
        url="https://developers.cloudflare.com/r2/buckets/public-buckets/#custom-domains",
        types=(cloudflare.R2_CUSTOM_DOMAIN,),
        checks=(Must("minTls", one_of("1.2", "1.3", refused=("1.0", "1.1"))),),
    ),
    ResourceRule(
        id="vercel-firewall-enabled",
        severity=Severity.MEDIUM,
        what="The firewall is enabled.",
        fix="Set enabled to true.",
        url="https://vercel.com/docs/vercel-firewall",
        frameworks=("Prowler security_waf_enabled",),
        types=(vercel.FIREWALL_CONFIG,),
        checks=(Must("enabled", equal(True), optional=True),),
    ),
    # -- Kubernetes --
    ResourceRule(
        id="k8s-role-no-wildcard",
        severity=Severity.HIGH,
        what="No role uses a wildcard.",
        fix="List API groups, resources and verbs.",
        url="https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
        frameworks=("CKV_K8S_49", "Trivy KSV-0044", "Trivy KSV-0045"),
        types=(kubernetes.ROLE, kubernetes.CLUSTER_ROLE),
        checks=(
            ForEach(
                "rules[]",
                (
                    Custom(
                        _no_wildcard,
                        ("apiGroups[]", "resources[]", "verbs[]"),
                        tuple(
                            SetValue(path, ["*"]) for path in ("apiGroups", "resources", "verbs")
                        ),
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="k8s-role-no-secrets",
        severity=Severity.HIGH,
        what="No role can read Secrets.",
        fix="Mount the Secret that is needed; External Secrets has its own role.",
        url="https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
        frameworks=("CKV2_K8S_5", "Trivy KSV-0041"),
        types=(kubernetes.ROLE, kubernetes.CLUSTER_ROLE),
        checks=(
            ForEach(
                "rules[]",
                (
                    Custom(
                        _no_secret_reading,
                        ("resources[]", "verbs[]"),
                        (
                            SetValue(
                                "", {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
                            ),
                            SetValue(
                                "", {"apiGroups": [""], "resources": ["*"], "verbs": ["list"]}
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="k8s-no-cluster-admin",
        severity=Severity.CRITICAL,
        what="No subject is bound to cluster-admin, and no anonymous subject to any role.",
        fix="Bind the service account to a role with the permissions that it needs.",
        url="https://kubernetes.io/docs/reference/access-authn-authz/rbac/",
        frameworks=("CKV_K8S_155", "Trivy KSV-0111"),
        types=(kubernetes.ROLE_BINDING, kubernetes.CLUSTER_ROLE_BINDING),
        checks=(
            Must("roleRef.name", none_of("cluster-admin", "admin", "edit")),
            Must(
                "subjects[].name",
                none_of(
                    "system:anonymous",
                    "system:unauthenticated",
                    "system:authenticated",
                    "system:serviceaccounts",
                    "system:masters",
                ),
            ),
        ),
    ),
    ResourceRule(
        id="k8s-secret-not-hardcoded",
        severity=Severity.CRITICAL,
        what="A Secret's value comes from Secret Manager, not from this program.",
        fix="Use an ExternalSecret.",
        url="https://external-secrets.io/latest/introduction/overview/",
        types=(kubernetes.SECRET,),
        checks=(
            Custom(
                _literal_secret,
                ("type", "data", "stringData"),
                (SetValue("stringData", {"a": "b"}), SetValue("data", {"a": "Yg=="})),
            ),
        ),
    ),
)

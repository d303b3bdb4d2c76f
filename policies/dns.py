"""Cloudflare: records, and the settings of a zone."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any, Final

from policies.rule import (
    ABSENT,
    PROTECT,
    Custom,
    Demand,
    Finding,
    Must,
    ResourceRule,
    SetValue,
    Severity,
    View,
    When,
    at_least,
    equal,
    one_of,
    unlike,
)

RECORD: Final = "cloudflare:index/dnsRecord:DnsRecord"
RECORDS: Final = (RECORD, "cloudflare:index/record:Record")  # the provider's old name
SETTING: Final = "cloudflare:index/zoneSetting:ZoneSetting"
DNSSEC: Final = "cloudflare:index/zoneDnssec:ZoneDnssec"
RULESET: Final = "cloudflare:index/ruleset:Ruleset"

DOCS: Final = "https://developers.cloudflare.com"

# Vercel ends TLS itself and wants to be named directly.
UNPROXIED_TARGETS: Final = re.compile(r"(^|\.)vercel-dns(-\d+)?\.com\.?$")

INNER: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *(
            "172.16.0.0/12",
            "192.168.0.0/16",
            "224.0.0.0/3",
            "::/127",
            "::ffff:0:0/96",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
"""What nobody outside can reach. The addresses of documentation are not among it: they belong to
nobody, and the sandbox gives them out."""

TLS_VERSIONS: Final = ("1.2", "1.3")


def _on(demand: Demand) -> tuple[Must, ...]:
    return (Must("value", demand),)


# Setting of a zone, and what must be said about it.
SETTINGS: Final[tuple[tuple[str, tuple[Must, ...], str], ...]] = (
    ("ssl", _on(one_of("strict", refused=("full", "flexible", "off"))), "zone_ssl_strict"),
    (
        "min_tls_version",
        _on(one_of(*TLS_VERSIONS, refused=("1.0", "1.1"))),
        "zone_min_tls_version_secure",
    ),
    ("tls_1_3", _on(one_of("on", "zrt", refused=("off",))), "zone_tls_1_3_enabled"),
    ("always_use_https", _on(equal("on", "off")), "zone_https_redirect_enabled"),
    ("automatic_https_rewrites", _on(equal("on", "off")), "zone_automatic_https_rewrites_enabled"),
    ("development_mode", _on(equal("off", "on")), "zone_development_mode_disabled"),
    (
        "security_header",
        (
            Must("value.strict_transport_security.enabled", equal(True)),
            Must("value.strict_transport_security.max_age", at_least(15552000)),
        ),
        "zone_hsts_enabled",
    ),
)


def _proxied(view: View) -> Iterator[Finding]:
    if view.get("name") in view.config.get("origins", []):
        return
    direct = UNPROXIED_TARGETS.search(str(view.get("content", "")))
    if view.get("type") in ("A", "AAAA", "CNAME") and not direct and not view.get("proxied"):
        yield view.finding("proxied", "must be true: the origin's address would be public")


def _address(view: View) -> Iterator[Finding]:
    if view.get("type") not in ("A", "AAAA") or view.get("content") == "100::":
        return
    try:
        address = ipaddress.ip_address(str(view.get("content")))
    except ValueError:
        inner = True
    else:
        inner = any(address in network for network in INNER)
    if inner:
        yield view.finding("content", "must be a public address")


def _ttl(view: View) -> Iterator[Finding]:
    ttl, proxied = view.get("ttl"), view.get("proxied", False)
    if ttl != 1 and (proxied or not isinstance(ttl, int | float) or not 60 <= ttl <= 86400):
        yield view.finding("ttl", "must be 1, or 60 to 86400 seconds where nothing is proxied")


def _text(view: View, start: str) -> bool:
    return view.get("type") == "TXT" and str(view.get("content", "")).strip('"').lower().startswith(
        start
    )


def _setting(name: str) -> Any:
    return lambda view: view.get("settingId") == name


RULES: Final = (
    ResourceRule(
        id="dns-proxied",
        severity=Severity.HIGH,
        what="A host is answered by Cloudflare and not by its origin.",
        fix="Set proxied to true; what Vercel answers is the exception, and the origins named.",
        url=f"{DOCS}/dns/proxy-status/",
        frameworks=("Prowler dns_record_proxied",),
        types=RECORDS,
        checks=(
            Custom(
                _proxied,
                ("type", "content", "proxied"),
                tuple(
                    SetValue(
                        "", {"type": kind, "name": "a.pull.com", "content": to, "ttl": 1, **said}
                    )
                    for kind, to in (("A", "8.8.8.8"), ("CNAME", "origin.pull.com"))
                    for said in ({}, {"proxied": False})
                ),
            ),
        ),
        settings={
            # Names that lead straight to an origin on purpose: Google gives its load balancer no
            # certificate for a name that leads elsewhere.
            "origins": {"type": "array", "items": {"type": "string"}, "default": []}
        },
    ),
    ResourceRule(
        id="dns-no-inner-address",
        severity=Severity.MEDIUM,
        what="No record tells an address of the inner network.",
        fix="Point the record at a public address, or at 100:: where a Worker answers.",
        url=f"{DOCS}/dns/manage-dns-records/",
        frameworks=("Prowler dns_record_no_internal_ip",),
        types=RECORDS,
        checks=(
            Custom(
                _address,
                ("type", "content"),
                (
                    SetValue(
                        "", {"type": "A", "name": "a.pull.com", "content": "10.0.0.3", "ttl": 1}
                    ),
                    SetValue(
                        "", {"type": "AAAA", "name": "a.pull.com", "content": "fd00::1", "ttl": 1}
                    ),
                ),
            ),
        ),
        decidable_after_update=True,
    ),
    ResourceRule(
        id="dns-no-wildcard",
        severity=Severity.MEDIUM,
        what="No record answers for names that nobody has thought of.",
        fix="Name the host.",
        url=f"{DOCS}/dns/manage-dns-records/reference/wildcard-dns-records/",
        frameworks=("Prowler dns_record_no_wildcard",),
        types=RECORDS,
        checks=(
            Must("name", unlike(re.compile(r"\*"), "must not be a wildcard", ("*", "*.pull.com"))),
        ),
    ),
    ResourceRule(
        id="dns-ttl",
        severity=Severity.HIGH,
        what="A record's time to live is one that Cloudflare takes.",
        fix="Set ttl to 1 (automatic), or to 60 to 86400 seconds.",
        url=f"{DOCS}/dns/manage-dns-records/reference/ttl/",
        types=RECORDS,
        checks=(
            Custom(
                _ttl,
                ("ttl", "proxied"),
                (SetValue("ttl", 5), SetValue("ttl", 90000), SetValue("ttl", ABSENT)),
            ),
        ),
    ),
    ResourceRule(
        id="dns-spf-strict",
        severity=Severity.MEDIUM,
        what="Mail from elsewhere is not the domain's.",
        fix='End the SPF record with "-all" or "~all".',
        url="https://www.rfc-editor.org/rfc/rfc7208#section-5.1",
        frameworks=("Prowler dns_record_spf",),
        types=RECORDS,
        checks=(
            When(
                lambda view: _text(view, "v=spf1"),
                (
                    Must(
                        "content",
                        unlike(
                            re.compile(r"[+?]all|(?<![-~])\ball"),
                            "must end with -all or ~all",
                            ("v=spf1 +all", "v=spf1 include:x ?all", "v=spf1 all"),
                        ),
                        optional=True,
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="dns-dmarc-acts",
        severity=Severity.MEDIUM,
        what="Mail that only pretends to be the domain's is not delivered.",
        fix="Set p=quarantine or p=reject in the DMARC record.",
        url="https://www.rfc-editor.org/rfc/rfc7489#section-6.3",
        frameworks=("Prowler dns_record_dmarc",),
        types=RECORDS,
        checks=(
            When(
                lambda view: _text(view, "v=dmarc1"),
                (
                    Must(
                        "content",
                        unlike(re.compile(r"\bp\s*=\s*none"), "must act", ("v=DMARC1; p=none",)),
                        optional=True,
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="dns-protected",
        severity=Severity.HIGH,
        what="Records are protected: without one its service is gone for everybody.",
        fix="Set the resource option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        types=RECORDS,
        checks=(Must(PROTECT, equal(True)),),
    ),
    *(
        ResourceRule(
            id=f"zone-{setting.replace('_', '-')}",
            severity=Severity.HIGH,
            what=f"The zone's setting {setting} is the safe one.",
            fix="Set the value as told.",
            url=f"{DOCS}/fundamentals/reference/policies-compliances/",
            frameworks=(f"Prowler {prowler}",),
            types=(SETTING,),
            checks=(When(_setting(setting), checks),),
        )
        for setting, checks, prowler in SETTINGS
    ),
    ResourceRule(
        id="zone-dnssec",
        severity=Severity.MEDIUM,
        what="The zone's answers are signed.",
        fix="Set status to active.",
        url=f"{DOCS}/dns/dnssec/",
        frameworks=("Prowler zone_dnssec_enabled",),
        types=(DNSSEC,),
        checks=(Must("status", one_of("active", refused=("disabled",))),),
    ),
    ResourceRule(
        id="zone-firewall-on",
        severity=Severity.HIGH,
        what="No rule of the firewall or of the rate limit is switched off.",
        fix="Take the rule out, or switch it on.",
        url=f"{DOCS}/waf/",
        frameworks=("Prowler zone_waf_enabled", "Prowler zone_rate_limiting_enabled"),
        types=(RULESET,),
        checks=(Must("rules[].enabled", equal(True), optional=True),),
    ),
)

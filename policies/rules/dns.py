"""Cloudflare DNS records."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from policies.framework.demands import contains_no, equal
from policies.framework.paths import ABSENT, PROTECT, Finding, View
from policies.framework.rules import Custom, Must, ResourceRule, SetValue, Severity, When
from resource_types import cloudflare

RECORDS: Final = (cloudflare.DNS_RECORD, cloudflare.RECORD)  # the old name of DnsRecord

DOCS: Final = "https://developers.cloudflare.com"

# Vercel terminates TLS itself, and its records must point to it directly.
UNPROXIED_TARGETS: Final = re.compile(r"(^|\.)vercel-dns(-\d+)?\.com\.?$")

PRIVATE_NETWORKS: Final = tuple(
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
"""Networks that are not reachable from the internet. Documentation addresses are not among them,
because the sandbox assigns those."""


def _proxied(view: View) -> Iterator[Finding]:
    if view.get("name") in view.config.get("origins", []):
        return
    direct = UNPROXIED_TARGETS.search(str(view.get("content", "")))
    if view.get("type") in ("A", "AAAA", "CNAME") and not direct and not view.get("proxied"):
        yield view.finding("proxied", "must be true, because the origin's address would be public")


def _address(view: View) -> Iterator[Finding]:
    if view.get("type") not in ("A", "AAAA") or view.get("content") == "100::":
        return
    try:
        address = ipaddress.ip_address(str(view.get("content")))
    except ValueError:
        private = True
    else:
        private = any(address in network for network in PRIVATE_NETWORKS)
    if private:
        yield view.finding("content", "must be a public address")


def _ttl(view: View) -> Iterator[Finding]:
    ttl, proxied = view.get("ttl"), view.get("proxied", False)
    if ttl != 1 and (proxied or not isinstance(ttl, int | float) or not 60 <= ttl <= 86400):
        yield view.finding("ttl", "must be 1, or 60 to 86400 seconds if the record is not proxied")


def _is_text_record(view: View, start: str) -> bool:
    return view.get("type") == "TXT" and str(view.get("content", "")).strip('"').lower().startswith(
        start
    )


RULES: Final = (
    ResourceRule(
        id="dns-proxied",
        severity=Severity.HIGH,
        what="Cloudflare proxies every host name.",
        fix="Set proxied to true; the exceptions are Vercel's targets and the rule's setting "
        "origins.",
        url=f"{DOCS}/dns/proxy-status/",
        frameworks=("Prowler dns_record_proxied",),
        types=RECORDS,
        checks=(
            Custom(
                _proxied,
                ("type", "content", "proxied"),
                tuple(
                    SetValue(
                        "",
                        {
                            "type": record,
                            "name": "a.pull.com",
                            "content": content,
                            "ttl": 1,
                            **proxied,
                        },
                    )
                    for record, content in (("A", "8.8.8.8"), ("CNAME", "origin.pull.com"))
                    for proxied in ({}, {"proxied": False})
                ),
            ),
        ),
        settings={
            # Names that point directly to an origin on purpose: Google issues its load balancer no
            # certificate for a name that points elsewhere.
            "origins": {
                "type": "array",
                "items": {"type": "string", "pattern": r"[a-z0-9-]+\.pull\.com"},
                "default": [],
            }
        },
    ),
    ResourceRule(
        id="dns-no-private-address",
        severity=Severity.MEDIUM,
        what="No record discloses a private IP address.",
        fix="Point the record to a public address, or to 100:: if a Worker answers.",
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
        what="No record is a wildcard.",
        fix="Name the host.",
        url=f"{DOCS}/dns/manage-dns-records/reference/wildcard-dns-records/",
        frameworks=("Prowler dns_record_no_wildcard",),
        types=RECORDS,
        checks=(
            Must(
                "name",
                contains_no(re.compile(r"\*"), "must not be a wildcard", ("*", "*.pull.com")),
            ),
        ),
    ),
    ResourceRule(
        id="dns-ttl",
        severity=Severity.HIGH,
        what="A record has a TTL that Cloudflare accepts.",
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
        what="The SPF record rejects mail from unlisted senders.",
        fix='End the SPF record with "-all" or "~all".',
        url="https://www.rfc-editor.org/rfc/rfc7208#section-5.1",
        frameworks=("Prowler dns_record_spf",),
        types=RECORDS,
        checks=(
            When(
                lambda view: _is_text_record(view, "v=spf1"),
                (
                    Must(
                        "content",
                        contains_no(
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
        id="dns-dmarc-enforced",
        severity=Severity.MEDIUM,
        what="The DMARC policy rejects or quarantines spoofed mail.",
        fix="Set p=quarantine or p=reject in the DMARC record.",
        url="https://www.rfc-editor.org/rfc/rfc7489#section-6.3",
        frameworks=("Prowler dns_record_dmarc",),
        types=RECORDS,
        checks=(
            When(
                lambda view: _is_text_record(view, "v=dmarc1"),
                (
                    Must(
                        "content",
                        contains_no(
                            re.compile(r"\bp\s*=\s*none"),
                            "must be p=quarantine or p=reject",
                            ("v=DMARC1; p=none",),
                        ),
                        optional=True,
                    ),
                ),
            ),
        ),
    ),
    ResourceRule(
        id="dns-protected",
        severity=Severity.HIGH,
        what="Records are protected from deletion, because a service is unreachable without its "
        "record.",
        fix="Set the resource option protect.",
        url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
        types=RECORDS,
        checks=(Must(PROTECT, equal(True)),),
    ),
)

"""Values that look like credentials."""

from __future__ import annotations

import re
from typing import Final

from policies.framework.demands import Demand, contains_no

CREDENTIAL: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://[^\s/@:]*:[^\s/@]+@"  # a connection string with a password
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\b(?:sk|rk)_(?:live|test)_[0-9a-zA-Z]{8,}"  # Stripe, Clerk
    r"|\bwhsec_[0-9a-zA-Z]{8,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\bAIza[0-9A-Za-z_-]{35}\b"
    r"|\bgh[pousr]_[0-9A-Za-z]{36}"
    r"|\bgithub_pat_[0-9A-Za-z_]{22,}"
    r"|\bxox[abpr]-[0-9A-Za-z-]{10,}"
    r"|\bsk-(?:ant-|proj-)?[0-9A-Za-z_-]{20,}"  # Anthropic, OpenAI
    r"|\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\."  # a signed token
    r"|\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}"
    r"|\b0x[0-9a-fA-F]{64}\b"  # the key of a wallet
    r"|hooks\.slack\.com/services/"
    r"|\bre_[0-9A-Za-z]{8,}_[0-9A-Za-z]{8,}"
)
"""Values that are credentials, whatever the name of their variable."""

# Concatenated, so that secret scanners do not report them as leaks.
CREDENTIALS: Final = (
    "postgresql://pull:" + "hunter2@10.0.0.3:5432/pull",
    "rediss://:" + "hunter2@10.0.0.4:6378",
    "-----BEGIN " + "PRIVATE KEY-----",
    "sk_live_" + "0123456789abcdef",
    "AKIA" + "0123456789ABCDEF",
    "ghp_" + "0123456789abcdefghijklmnopqrstuvwxyz",
    "sk-ant-" + "0123456789abcdef0123456789",
    "0x" + "0123456789abcdef" * 4,
    "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTYifQ.c2ln",
)

NO_CREDENTIAL: Final[Demand] = contains_no(
    CREDENTIAL,
    "must not hold a credential, because everybody who reads the resource can see it",
    CREDENTIALS,
)

"""What the platforms accept as inputs, beyond the types of the SDKs: one table for each provider.

A platform refuses such an input only in the middle of an ``up``, and its provider accepts it in a
preview. The policy pack reads the tables in every preview, and the sandbox answers with them as the
platform's API does. An input that is not known yet is checked when it is.

The tables hold what is documented or certain. Where a limit depends on the plan of an account, they
hold the largest one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from resource_types.accepted import cloudflare, pulumiservice, vercel
from resource_types.accepted.checks import Acceptance

ACCEPTED: Final[Mapping[str, tuple[Acceptance, ...]]] = {
    **cloudflare.ACCEPTED,
    **vercel.ACCEPTED,
    **pulumiservice.ACCEPTED,
}
"""By type: what its platform accepts."""

"""The policy pack of the small estate: those of the real rules that the recorded changes break.

The small estate keeps few of the other rules, because it has few of their resources.
"""

from pulumi_policy import PolicyPack

from policies.lifetime import end_with_the_engine
from policies.pack import LEVEL, policies
from policies.rules import PACK
from policies.sdk_internals import serve_with_own_servicer

RULES = ("runbook-postgres", "runbook-region", "storage-public-access-prevention")

serve_with_own_servicer()
end_with_the_engine()
PolicyPack(PACK, [rule for rule in policies() if rule.name in RULES], enforcement_level=LEVEL)

"""Random values: the resource types of pulumi-random.

``replace_on`` and ``secret_outputs`` are those of pulumi-random 4.21.4.
"""

from __future__ import annotations

from typing import Final

from resource_types.record import EVERY_INPUT, ordinary
from resource_types.updates import changes, gathered, loses

RANDOM_ID: Final = ordinary(
    "random:index/randomId:RandomId", outage=None, name_property="", replace_on=(EVERY_INPUT,)
)
RANDOM_PASSWORD: Final = ordinary(
    "random:index/randomPassword:RandomPassword",
    outage=None,
    summary_fields=("length", "special"),
    name_property="",
    secret_value=True,
    replace_on=(EVERY_INPUT,),
    secret_outputs=("bcryptHash", "result"),
    # A new generation in ``keepers`` makes new revisions, which read the new password. Another form
    # of the password alone makes none.
    updates=gathered(
        loses(
            "the password that running revisions keep using",
            changes,
            *("length", "lower", "minLower", "minNumeric", "minSpecial", "minUpper", "number"),
            *("numeric", "overrideSpecial", "special", "upper"),
        )
    ),
)
RANDOM_STRING: Final = ordinary(
    "random:index/randomString:RandomString",
    outage=None,
    name_property="",
    replace_on=(EVERY_INPUT,),
)

"""Settings: the typed form of a stack file, and the only reader of configuration.

``read_stack_file`` serves the command line and ``read_engine_config`` the program; both end in the
same parser. Nothing else decides what the estate is: no environment variable, no clock. Wrong
settings raise :class:`SettingsError`, which holds every problem at once, each with its path.

What a platform accepts at preview and refuses in the middle of an ``up`` is refused here: sizes
that are not offered, percentages that do not sum to 100, address ranges that overlap.
"""

from components.config.errors import SettingError, SettingsError
from components.config.read import parse, read_engine_config, read_stack_file
from components.config.settings import Settings

__all__ = [
    "SettingError",
    "Settings",
    "SettingsError",
    "parse",
    "read_engine_config",
    "read_stack_file",
]

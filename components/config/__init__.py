"""Settings: the typed form of a stack file, and the only reader of configuration.

``read_stack_file`` serves the command line and ``read_engine_config`` the program; both use the
same parser. Nothing else determines what the estate is: no environment variable and no clock. Wrong
settings raise :class:`SettingsError`, which lists all errors at once, each with its path.

The parser rejects what a platform accepts in a preview and rejects in the middle of an ``up``:
sizes that it does not offer, percentages that do not sum to 100, address ranges that overlap.
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

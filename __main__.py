"""The PULL estate: settings in, one graph of resources out."""

from components.config import read_engine_config
from components.estate import Estate, export

estate = Estate(read_engine_config())
export(estate.outputs())

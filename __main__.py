"""The PULL estate: reads the settings and creates the graph of resources."""

from components.config import read_engine_config
from components.estate import Estate, export

estate = Estate(read_engine_config())
export(estate.outputs())

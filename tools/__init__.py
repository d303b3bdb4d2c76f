"""How the engine is had where it is not installed."""

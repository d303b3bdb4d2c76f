"""The policy pack: what may not be in a preview of the estate."""

"""The policy pack: the rules that every preview of the estate must pass."""

"""Every variable of the runbooks, and the store built from that list."""

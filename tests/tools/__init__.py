"""Servers and linters that the tests build from their Go modules."""

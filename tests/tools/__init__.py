"""Servers and linters that the tests build from Go modules."""

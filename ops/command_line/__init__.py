"""The command line: parses options, runs one operation, prints its result."""

"""The framework of the rules: property paths, demands on values, checks, rules and the graph."""

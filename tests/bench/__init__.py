"""Benchmarks: ratios of durations that are measured in turn in the same run."""

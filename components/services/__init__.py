"""What runs: API, web, workers, and the objects that they serve."""
